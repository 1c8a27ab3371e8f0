"""Opening hours of reception points, from their office documents."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from kiosk.hours import Hours, at_work
from kiosk.texts import LOCAL
from server.office.models import Document, Kind
from server.office.reading import read
from server.registry.models import Site


def hours_of(sites: Iterable[Site]) -> dict[int, Hours]:
    """The hours in force by the id of the site; a site without an office document that can be read has none."""
    versions = Document.objects.filter(site__in=list(sites), kind=Kind.OFFICE).order_by("-version")
    found: dict[int, Hours] = {}
    for site, sha256, pk in versions.values_list("site", "sha256", "pk"):
        if site not in found and (hours := _hours(sha256, pk)) is not None:
            found[site] = hours
    return found


def open_since(hours: Hours | None, now: datetime, lasting: timedelta) -> bool:
    """Whether the office has been at work for so long without a break; False when its hours are not known."""
    if hours is None:
        return False
    local = now.astimezone(LOCAL)
    return at_work(hours, local) and at_work(hours, local - lasting)


@lru_cache(maxsize=5000)
def _hours(sha256: str, pk: int) -> Hours | None:
    office = read(bytes(Document.objects.values_list("content", flat=True).get(pk=pk)))
    return office.hours() if office else None
