"""Makes facts of events: goes on from where it stood, or makes a device's facts again from all its events.

Raw events come in first and are projected later, so that nothing that an event means can block the feed.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F, Max, QuerySet

from kiosk.texts import LOCAL
from server.facts import shapes
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
    """What retention has taken: days before `since`; events up to number `orphans` may speak of what is gone."""

    since: date
    orphans: int


class Line(NamedTuple):
    """A stored event line with its number for readers."""

    num: int
    device: str
    line: bytes
    seq: int


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
    past = Past(cursor.since or date.min, 0)
    runs = [_folded(devices[name], list(run), past) for name, run in groupby(ordered, key=lambda line: line.device)]
    with transaction.atomic():
        locked = locked_cursor()
        if (locked.num, locked.rebuilds) == (cursor.num, cursor.rebuilds):
            for run in runs:
                _save(run, now)
            if len(runs) > 1:
                _count_together(runs, lines[-1].num)
            Cursor.objects.filter(one=1).update(num=lines[-1].num)
    return len(lines)


def rebuild(device: Device, now: datetime) -> int:
    """Make a device's facts again from all its events, in the order of its feed; how many events there were.

    What people wrote into comments stays. Of days whose events are gone stay the sums, and what is known of the device.
    """
    with transaction.atomic():
        cursor = locked_cursor()
        Cursor.objects.filter(one=1).update(rebuilds=F("rebuilds") + 1)
        past = _past(device, cursor.since)
        days = {*_days(Ticket, device), *_days(Rating, device)}
        _forget(device, cursor.since)
        device.rebuild = False
        _release(device, cursor.num)
        _learn_clocks(device, _all(device, cursor.num))
        total = 0
        for chunk in _chunks(_all(device, cursor.num)):
            run = _folded(device, chunk, past)
            run.rows.dirty |= days
            _save(run, now)
            total, days = total + len(chunk), set()
        # Learnt before: nothing is left to be made again.
        Device.objects.filter(pk=device.pk).update(rebuild=False)
    return total


def rebuild_asked(now: datetime) -> int:
    """Make the facts of the devices again that ask for it; how many there were."""
    devices = list(Device.objects.select_related("site").filter(rebuild=True))
    while devices and project(now):
        pass  # events that came late are to be among those that are folded again
    for device in devices:
        logger.info("the facts of %s are made again from its events", device.name)
        rebuild(device, now)
    return len(devices)


def replay_quarantine(now: datetime) -> int:
    """Look at the events in quarantine again, after the server has learnt more; how many fit now."""
    held = Event.objects.exclude(quarantined=None)
    before = held.count()
    Device.objects.filter(name__in=held.values("device")).update(rebuild=True)
    rebuild_asked(now)
    return before - held.count()


def _release(device: Device, upto: int) -> None:
    """Let those events of a device out of quarantine that fit their type's shape: whether they can be folded is seen
    again."""
    held = Event.objects.filter(device=device.name, num__lte=upto).exclude(quarantined=None)
    fits = [num for num, line, seq in held.values_list("num", "line", "seq") if _fits(bytes(line), seq)]
    for at in range(0, len(fits), CHUNK):
        Event.objects.filter(num__in=fits[at : at + CHUNK]).update(quarantined=None)


def _fits(line: bytes, seq: int) -> bool:
    return ingest.to_row(seq, line, shapes.check).quarantined is None


def _past(device: Device, since: date | None) -> Past:
    if since is None:
        return Past(date.min, 0)
    until = datetime.combine(since, time(), LOCAL) + ORPHANS
    early = Event.objects.filter(device=device.name, received__lt=int(until.timestamp() * 1000))
    return Past(since, early.aggregate(last=Max("num"))["last"] or 0)


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
    """Events of one device that were folded in memory; `asked` says whether a rebuild was wanted already."""

    device: Device
    lines: list[Line]
    rows: Rows
    unfit: list[tuple[Line, str]]
    asked: bool
    past: Past


def _folded(device: Device, lines: list[Line], past: Past) -> _Run:
    """Fold events of one device in memory; what does not fit is noted, and the others go on."""
    run = _Run(device, lines, Rows(device, past.since), [], device.rebuild, past)
    events = [(line, wire.decode_event(line.line, line.seq)) for line in lines]
    _preload(run.rows, [event for _, event in events])
    for line, event in events:
        try:
            fold(run.rows, event, line.num)
        except Unfit as error:
            if isinstance(error, Missing) and line.num <= past.orphans:
                continue
            run.unfit.append((line, str(error)))
    return run


def _save(run: _Run, now: datetime) -> None:
    """Write what was folded. Needs the cursor's lock."""
    try:
        with transaction.atomic():
            run.rows.save(now)
    except (DataError, IntegrityError) as error:
        # The database refuses a value of one of them: halves find out which.
        if len(run.lines) == 1:
            _quarantine(run.device, run.lines[0], str(error))
            return
        middle = len(run.lines) // 2
        _save(_folded(run.device, run.lines[:middle], run.past), now)
        _save(_folded(run.device, run.lines[middle:], run.past), now)
        return
    for line, reason in run.unfit:
        _quarantine(run.device, line, reason)
    if run.device.rebuild and not run.asked:
        Device.objects.filter(pk=run.device.pk).update(rebuild=True)


def _count_together(runs: Sequence[_Run], num: int) -> None:
    """Runs do not see each other: which ratings count is asked again of tickets that were rated in several feeds."""
    tickets = {row.ticket for run in runs for row in run.rows.known(Rating) if row.ticket}
    of_tickets: dict[tuple[int, str], list[Rating]] = defaultdict(list)
    for row in Rating.objects.filter(ticket__in=tickets):
        of_tickets[row.site_id, row.ticket].append(row)
    changed = [row for rows in of_tickets.values() for row in counted_again(rows, num)]
    Rating.objects.bulk_update(changed, ["counting", "num"])
    days = {(row.site_id, row.day) for row in changed}
    Dirty.objects.bulk_create([Dirty(site_id=site, day=day) for site, day in days], ignore_conflicts=True)


def _quarantine(device: Device, line: Line, reason: str) -> None:
    logger.warning("event %d of %s goes into quarantine: %s", line.num, device.name, reason)
    Event.objects.filter(num=line.num).update(quarantined=reason.replace("\0", " ")[:200])


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
        stamp = wire.decode_event(line.line, line.seq).stamp
        if stamp.clock != "guess":
            offsets.setdefault(stamp.boot, (int(stamp.at.timestamp() * 1000) - stamp.mono, stamp.at))
    Fact.objects.bulk_create(
        Fact(device=device, site=device.site, kind="boot", key=boot, value={"offset_ms": offset}, at=at)
        for boot, (offset, at) in offsets.items()
    )


def _all(device: Device, upto: int) -> Iterator[Line]:
    events = Event.objects.filter(device=device.name, num__lte=upto, quarantined=None).order_by("epoch", "seq")
    for row in events.values_list("num", "device", "line", "seq").iterator(chunk_size=CHUNK):
        yield Line(row[0], row[1], bytes(row[2]), row[3])


def _lines(events: "QuerySet[Event]") -> list[Line]:
    return [
        Line(n, device, bytes(line), seq) for n, device, line, seq in events.values_list("num", "device", "line", "seq")
    ]


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
