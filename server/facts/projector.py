"""Makes facts of events: goes on from where it stood, or makes a device's facts again from all its events.

Raw events come in first and are projected later, so that nothing that an event means can block the feed.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Max, QuerySet

from kiosk.texts import LOCAL
from server.facts import shapes
from server.facts.believed import believed_until
from server.facts.faults import fault
from server.facts.fold import Missing, Unfit, counted_again, fold
from server.facts.models import Cursor, Desk, Dirty, Fact, Rating, Refusal, Ticket
from server.facts.rows import Rows
from server.feed.models import Event
from server.registry.models import Device
from sync import ingest, wire

logger = logging.getLogger(__name__)

CHUNK = 1000
"""Events of one transaction."""

ORPHANS = timedelta(days=31)
"""After a day whose events are gone, so long others may still speak of its tickets."""


class Past(NamedTuple):
    """What is closed: days before `since` are gone, events up to number `orphans` may speak of what is gone, and the
    ratings of those up to `in_time` are not late, nor those that a clock heard later than `believed`."""

    since: date
    orphans: int
    in_time: int
    believed: datetime

    def heard(self, line: "Line") -> datetime | None:
        """When a line was heard, None when its ratings are not late in any case."""
        return line.heard if line.num > self.in_time and line.heard <= self.believed else None


class Line(NamedTuple):
    """A stored event line with its number for readers."""

    num: int
    device: str
    line: bytes
    seq: int
    received: int

    @property
    def heard(self) -> datetime:
        return datetime.fromtimestamp(self.received / 1000, UTC)


def project(now: datetime, most: int = CHUNK) -> int:
    """Fold the next events, at most so many; how many there were. Safe in several processes.

    Only what changed is written under the lock: on SQLite nobody else can write meanwhile.
    """
    cursor = Cursor.objects.get(one=1)
    lines = _lines(Event.objects.filter(num__gt=cursor.num, quarantined=None).order_by("num")[:most])
    if not lines:
        return 0
    ordered = sorted(lines, key=lambda line: (line.device, line.num))
    devices = Device.objects.select_related("site").in_bulk({line.device for line in lines}, field_name="name")
    past = Past(cursor.since or date.min, 0, cursor.in_time, believed_until(now))
    runs = [_folded(devices[name], list(run), past) for name, run in groupby(ordered, key=lambda line: line.device)]
    with transaction.atomic():
        locked = locked_cursor()
        if (locked.num, locked.rebuilds) == (cursor.num, cursor.rebuilds):
            rated = set[str]().union(*(_save(run, now) for run in runs))
            if len(runs) > 1:
                _count_together(rated, lines[-1].num)
            Cursor.objects.filter(one=1).update(num=lines[-1].num)
    return len(lines)


def rebuild(device: Device, now: datetime) -> int:
    """Make a device's facts again from all its events, in the order of its feed; how many events there were.

    What people wrote into comments stays. Of days whose events are gone stay the sums, and what is known of the device.
    """
    with transaction.atomic():
        cursor = locked_cursor()
        Cursor.objects.filter(one=1).update(rebuilds=F("rebuilds") + 1)
        past = _past(device, cursor, now)
        days = {*_days(Ticket, device), *_days(Rating, device)}
        Dirty.objects.bulk_create([Dirty(site=device.site, day=day) for day in days], ignore_conflicts=True)
        _forget(device, cursor.since)
        _release(device, now)
        _learn_clocks(device, _all(device, cursor.num))
        total = 0
        for chunk in _chunks(_all(device, cursor.num)):
            _save(_folded(device, chunk, past), now)
            total += len(chunk)
        Device.objects.filter(pk=device.pk).update(rebuild=_comes_late(device, cursor.num))
    return total


def rebuild_asked(now: datetime) -> int:
    """Make the facts of the devices again that ask for it; how many there were."""
    devices = list(Device.objects.select_related("site").filter(rebuild=True))
    while devices and project(now):
        pass  # events that came late are to be among those that are folded again
    return sum(_made_again(device, now) for device in devices)


def _made_again(device: Device, now: datetime) -> bool:
    logger.info("the facts of %s are made again from its events", device.name)
    error = fault(lambda: rebuild(device, now))
    if error:
        logger.error("the facts of %s cannot be made again; it is tried again", device.name, exc_info=error)
    return error is None


def _comes_late(device: Device, upto: int) -> bool:
    """Whether events wait behind the cursor that stand before some that were folded: they came after the last look,
    and whoever stored them asked for the facts again, which must not be forgotten."""
    if connection.vendor == "postgresql":
        # Whoever stores such events changes this row in the same transaction: what is stored by now can be seen.
        Device.objects.select_for_update().get(pk=device.pk)
    events = Event.objects.filter(device=device.name, quarantined=None)
    newest = events.filter(num__lte=upto).aggregate(epoch=Max("epoch"))["epoch"]
    return newest is not None and events.filter(num__gt=upto, epoch__lt=newest).exists()


def _release(device: Device, now: datetime) -> None:
    """Let those events of a device out of quarantine that fit their type's shape: whether they can be folded is seen
    again. Those behind the cursor are folded in their turn: it does not pass the newest ones while they are set aside.

    Ratings count as heard now: their days may have been shown without them.
    """
    held = Event.objects.filter(device=device.name).exclude(quarantined=None)
    fits = [num for num, line, seq in held.values_list("num", "line", "seq") if _fits(bytes(line), seq)]
    for at in range(0, len(fits), CHUNK):
        free = Event.objects.filter(num__in=fits[at : at + CHUNK])
        free.filter(type__startswith="rating.").update(received=int(now.timestamp() * 1000))
        free.update(quarantined=None)


def _fits(line: bytes, seq: int) -> bool:
    return ingest.to_row(seq, line, shapes.check).quarantined is None


def _past(device: Device, cursor: Cursor, now: datetime) -> Past:
    believed = believed_until(now)
    if cursor.since is None:
        return Past(date.min, 0, cursor.in_time, believed)
    until = datetime.combine(cursor.since, time(), LOCAL) + ORPHANS
    early = Event.objects.filter(device=device.name, received__lt=int(until.timestamp() * 1000))
    return Past(cursor.since, early.aggregate(last=Max("num"))["last"] or 0, cursor.in_time, believed)


def _forget(device: Device, since: date | None) -> None:
    """Delete what is about to be made again; not what only events said that are gone."""
    for model in (Ticket, Rating, Desk):
        model._default_manager.filter(device=device).delete()
    Refusal.objects.filter(device=device, day__gte=since or date.min).delete()
    facts = Fact.objects.filter(device=device)
    (facts.filter(kind="boot") if since else facts).delete()


def locked_cursor() -> Cursor:
    """The cursor, kept from all other writers of facts until the end of the transaction."""
    rows = Cursor.objects.select_for_update() if connection.vendor == "postgresql" else Cursor.objects.all()
    return rows.get(one=1)


@dataclass(frozen=True, slots=True)
class _Run:
    """Events of one device that were folded in memory; `error` is what kept them from it as a whole."""

    device: Device
    lines: list[Line]
    past: Past
    rows: Rows
    unfit: list[tuple[Line, str]]
    error: Exception | None = None


def _folded(device: Device, lines: list[Line], past: Past) -> _Run:
    """Fold events of one device in memory; what does not fit is noted, and the others go on."""
    run = _Run(device, lines, past, Rows(device, past.since), [])
    return replace(run, error=fault(lambda: _fold_apart(run)))


def _fold_apart(run: _Run) -> None:
    # In a transaction PostgreSQL would do nothing more after an error.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        _fold_all(run)


def _fold_all(run: _Run) -> None:
    events = [(line, wire.decode_event(line.line, line.seq)) for line in run.lines]
    _preload(run.rows, [event for _, event in events])
    for line, event in events:
        try:
            if (reason := shapes.check(event)) is not None:  # a release before, which knew less, took it
                raise Unfit(reason)
            fold(run.rows, event, line.num, run.past.heard(line))
        except Unfit as error:
            if isinstance(error, Missing) and line.num <= run.past.orphans:
                continue
            run.unfit.append((line, str(error)))


def _save(run: _Run, now: datetime) -> set[str]:
    """Write what was folded; the tickets whose ratings it looked at. Needs the cursor's lock.

    When something cannot be folded or written, halves find out which event it is.
    """
    error = run.error or fault(lambda: _write(run, now))
    if error is None:
        for line, reason in run.unfit:
            _quarantine(run.device, line, reason)
        if run.rows.rebuild:
            Device.objects.filter(pk=run.device.pk).update(rebuild=True)
        return {row.ticket for row in run.rows.known(Rating) if row.ticket}
    if len(run.lines) == 1:
        _quarantine(run.device, run.lines[0], f"{type(error).__name__}: {error}")
        return set()
    middle = len(run.lines) // 2
    first, second = run.lines[:middle], run.lines[middle:]
    # One after the other: the second half is folded into what the first one wrote.
    rated = _save(_folded(run.device, first, run.past), now)
    return rated | _save(_folded(run.device, second, run.past), now)


def _write(run: _Run, now: datetime) -> None:
    with transaction.atomic():
        run.rows.save(now)


def _count_together(tickets: set[str], num: int) -> None:
    """Runs do not see each other: which ratings count is asked again of tickets that were rated in several feeds."""
    of_tickets: dict[tuple[int, str], list[Rating]] = defaultdict(list)
    for row in Rating.objects.filter(ticket__in=tickets):
        of_tickets[row.site_id, row.ticket].append(row)
    changed = [row for rows in of_tickets.values() for row in counted_again(rows, num)]
    Rating.objects.bulk_update(changed, ["counting", "num"])
    days = {(row.site_id, row.day) for row in changed}
    Dirty.objects.bulk_create([Dirty(site_id=site, day=day) for site, day in days], ignore_conflicts=True)


def _quarantine(device: Device, line: Line, reason: str) -> None:
    logger.warning("event %d of %s goes into quarantine: %r", line.num, device.name, reason)
    said = reason.replace("\0", " ").encode("utf-8", "replace").decode()  # an error may tell what no database holds
    Event.objects.filter(num=line.num).update(quarantined=said[:200])


def _preload(rows: Rows, events: list[wire.Event]) -> None:
    """What a run needs, in few queries."""
    rows.load(Desk)
    rows.load(Fact, kind="boot", key__in={event.stamp.boot for event in events})
    named = [event for event in events if event.type.startswith(("ticket.", "rating.", "comment."))]
    rows.preload(Ticket, {str(e.data["ticket"]) for e in named if e.data.get("ticket")})
    rows.preload(Rating, {str(e.data[key]) for e in named for key in ("rating", "of") if e.data.get(key)})
    rows.load_ratings(str(e.data["ticket"]) for e in named if e.data.get("ticket"))


def _learn_clocks(device: Device, lines: Iterable[Line]) -> None:
    """The true time of each boot whose clock was believed at some time, before anything is folded."""
    offsets: dict[str, tuple[int, datetime]] = {}
    for line in lines:
        stamp = _stamp(line)
        if stamp is not None and stamp.clock != "guess" and shapes.believable(stamp):
            offsets.setdefault(stamp.boot, (int(stamp.at.timestamp() * 1000) - stamp.mono, stamp.at))
    Fact.objects.bulk_create(
        Fact(device=device, site=device.site, kind="boot", key=boot, value={"offset_ms": offset}, at=at)
        for boot, (offset, at) in offsets.items()
    )


def _stamp(line: Line) -> wire.Stamp | None:
    try:
        return wire.decode_event(line.line, line.seq).stamp
    except wire.BadEvent:
        return None  # an older release took it; folding puts it into quarantine


def _all(device: Device, upto: int) -> Iterator[Line]:
    events = Event.objects.filter(device=device.name, num__lte=upto, quarantined=None).order_by("epoch", "seq")
    for row in events.values_list(*Line._fields).iterator(chunk_size=CHUNK):
        yield _line(*row)


def _lines(events: "QuerySet[Event]") -> list[Line]:
    return [_line(*row) for row in events.values_list(*Line._fields)]


def _line(num: int, device: str, line: bytes | memoryview, seq: int, received: int) -> Line:
    return Line(num, device, bytes(line), seq, received)


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _days(model: type[Ticket] | type[Rating], device: Device) -> set[date]:
    return set(model.objects.filter(device=device).values_list("day", flat=True).distinct())
