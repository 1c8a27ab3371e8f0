"""When reception points are open: the hours of their office documents, with the days of their board documents."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, lru_cache

from django.db.models import OuterRef, Subquery

from kiosk.board_document import BoardDocument
from kiosk.documents import DocumentError
from kiosk.hours import CalendarDay, Hours, at_work, with_days
from kiosk.office import sample
from kiosk.texts import LOCAL
from server.office.models import Document, Kind
from server.office.reading import read
from server.registry.models import Site


def hours_of(sites: Iterable[Site]) -> dict[int, Hours]:
    """The hours in force by the id of the site, as its kiosks make them of the two documents.

    A site without an office document that can be read has the usual ones: its kiosks may have one all the same.
    """
    listed = list(sites)
    hours, days = _hours_of(listed), _days_of(listed)
    return {site.pk: with_days(hours.get(site.pk) or _usual(), days.get(site.pk, ())) for site in listed}


def open_now(hours: Hours, now: datetime) -> bool:
    """Whether the office is at work."""
    return at_work(hours, now.astimezone(LOCAL))


def open_since(hours: Hours, now: datetime, lasting: timedelta) -> bool:
    """Whether the office has been at work for so long without a break."""
    return open_now(hours, now) and open_now(hours, now - lasting)


def _hours_of(sites: Sequence[Site]) -> dict[int, Hours]:
    versions = Document.objects.filter(site__in=sites, kind=Kind.OFFICE).order_by("-version")
    found: dict[int, Hours] = {}
    for site, sha256, pk in versions.values_list("site", "sha256", "pk"):
        if site not in found and (hours := _hours(sha256, pk)) is not None:
            found[site] = hours
    return found


def _days_of(sites: Sequence[Site]) -> dict[int, tuple[CalendarDay, ...]]:
    """The days of the newest boards. Only these are looked up: figures that are entered daily make many versions."""
    last = Document.objects.filter(site=OuterRef("pk"), kind=Kind.BOARD).order_by("-version").values("pk")[:1]
    newest = Site.objects.filter(pk__in=[site.pk for site in sites]).values_list(Subquery(last))
    found = Document.objects.filter(pk__in=newest).values_list("site", "sha256", "pk")
    return {site: _days(sha256, pk) for site, sha256, pk in found}


@cache
def _usual() -> Hours:
    """The sample's, from Monday to Friday: on Saturdays not every office works."""
    hours = sample().hours()
    return replace(hours, sessions=tuple(replace(one, weekdays=(0, 1, 2, 3, 4)) for one in hours.sessions))


@lru_cache(maxsize=5000)
def _hours(sha256: str, pk: int) -> Hours | None:
    office = read(_content(pk))
    return office.hours() if office else None


@lru_cache(maxsize=5000)
def _days(sha256: str, pk: int) -> tuple[CalendarDay, ...]:
    try:
        board = BoardDocument.from_json(_content(pk))
    except DocumentError:  # of a newer release
        return ()
    return tuple(CalendarDay(one.day, one.kind, one.reason) for one in board.days)


def _content(pk: int) -> bytes:
    return bytes(Document.objects.values_list("content", flat=True).get(pk=pk))
