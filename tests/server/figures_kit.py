"""Days of an office as facts, straight into the server's tables: what the feed makes of events is tested elsewhere."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import pytest
from django.db import transaction

from kiosk.office import Office
from kiosk.texts import LOCAL
from kiosk.tickets import State
from server import clock
from server.facts.models import Rating, Ticket
from server.facts.rollups import sum_day
from server.office.models import Document
from server.registry.models import Device, Site
from server.reports.bundles import bundles
from server.reports.periods import Period

FIRST = date(2026, 11, 2)
"""A Monday."""
_ids = count(1)


def ticket(
    device: Device, day: date, *, at: str = "08:00", wait: int | None = 10, lasts: int | None = 5,
    state: State = State.SERVED, service: str = "ho-tich", counter: str = "1", clerk: str = "nguyen-thi-a",
    priority: bool = False, implied: bool = False,
) -> Ticket:  # fmt: skip
    """A ticket of the day, not saved; `wait` and `lasts` in minutes, None for never called or never started."""
    n = next(_ids)
    issued = datetime.combine(day, time.fromisoformat(at), LOCAL).astimezone(UTC)
    called = None if wait is None else issued + timedelta(minutes=wait)
    started = called if lasts is not None else None
    ended = None if state in (State.WAITING, State.CALLED) else (started or issued) + timedelta(minutes=lasts or 0)
    return Ticket(
        id=f"ticket-{n}", site=device.site, device=device, day=day, token=f"T{n}", series=str(day), session="sang",
        service=service, seq=n, number=f"1{n:03d}", priority=priority, issued_at=issued, boot="b", trusted=True,
        place=n, queue=service, state=state, target="", counter=counter if called else "",
        clerk=clerk if called else "", calls=int(called is not None), first_called_at=called, last_called_at=called,
        started_at=started, implied=implied, ended_at=ended, why="", missed_at=None, issuer="kiosk", linked="",
        reached_at=called, num=n,
    )  # fmt: skip


def rating(
    device: Device, day: date, level: int = 3, *, label_set: str = "smile", flags: str = "", service: str = "ho-tich",
    counter: str = "1", clerk: str = "nguyen-thi-a", reasons: str = "", counting: bool | None = None,
    late: date | None = None,
) -> Rating:  # fmt: skip
    """A rating of the day, not saved; `late` is the day on which it was heard of, None for in time."""
    n = next(_ids)
    return Rating(
        id=f"rating-{n}", site=device.site, device=device, day=day, session="sang", ticket="", counter=counter,
        clerk=clerk, service=service, level=level, label_set=label_set, source="key", flags=flags, reasons=reasons,
        at=datetime.combine(day, time(9), LOCAL), replaced_by="", guess_boot="",
        counting=not flags if counting is None else counting, late=late, num=n,
    )  # fmt: skip


def keep(site: Site, day: date, tickets: Sequence[Ticket] = (), ratings: Sequence[Rating] = ()) -> None:
    """Save the day's rows beside those that are there, and sum it."""
    with transaction.atomic():
        Ticket.objects.bulk_create(tickets)
        Rating.objects.bulk_create(ratings)
        sum_day(site, day)


def days(device: Device, *levels: str, first: date = FIRST, **rated: str) -> None:
    """Ratings on the days from `first` on, a text of levels for each: "333" are three of level 3, "" is a quiet day.

    Each rating has a ticket that was served.
    """
    for at, given in enumerate(levels):
        day = first + timedelta(days=at)
        named = {name: rated[name] for name in ("service", "counter", "clerk") if name in rated}
        tickets = [ticket(device, day, **named) for _ in given]  # type: ignore[arg-type]
        keep(device.site, day, tickets, [rating(device, day, int(each), **rated) for each in given])  # type: ignore[arg-type]


def keep_office(
    site: Site, office: Office, version: int, at: datetime = datetime(2025, 1, 1, 12, tzinfo=LOCAL)
) -> None:
    """Save an office document as if it had come at that time."""
    fields = {"sha256": office.sha256, "content": office.to_json(), "at": at, "by": "quan-tri"}
    Document.objects.create(site=site, kind="office", version=version, **fields)


def held_back(counts: Mapping[date, int], period: Period, least: int) -> set[date]:
    """Days of ratings that a figure of this period leaves out: their bundle is unfinished, or reaches over its edge."""
    found = bundles({(day, day): n for day, n in counts.items()}, lambda _: least)
    inside = (bundle for bundle in found if bundle[0][1] in period and bundle[-1][1] in period)
    shown = {day for bundle in inside for _, day in bundle}
    return {day for day in counts if day in period} - shown


def noon(day: date) -> datetime:
    """12:00 of the day after: from then on the ratings of the day before may be shown."""
    return datetime.combine(day + timedelta(days=1), time(12), LOCAL)


@pytest.fixture
def it_is() -> Iterator[Callable[[datetime], None]]:
    """Sets the server's clock to a moment, at which it stands still until the end of the test."""
    yield lambda now: clock.follow(lambda: now)
    clock.follow(None)
