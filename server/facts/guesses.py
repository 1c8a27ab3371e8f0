"""Times on a guessed clock, put right where they stand as soon as their boot learns the true time.

A kiosk without a clock of its own guesses after each start until the network tells: what is put right are the rows
of that time, not the kiosk's whole history.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model

from server.facts.models import Desk, Fact, Rating, Ticket
from server.facts.rows import Rows
from server.feed.models import Event as Stored
from sync import wire

TIMES: dict[type[Model], tuple[str, ...]] = {
    Ticket: (
        "issued_at", "first_called_at", "last_called_at", "started_at", "ended_at", "missed_at", "reached_at",
    ),
    Rating: ("at",),
    Desk: ("armed_at", "acted_at"),
}  # fmt: skip
KNOWN = ("dossiers.", "office.", "board.", "poster.")
"""Types of events that are kept as a Fact."""
STEP = 500

Times = dict[datetime, datetime]


def true_time(offset_ms: int, mono: int) -> datetime:
    """When a boot's own clock showed `mono`."""
    return datetime.fromtimestamp((offset_ms + mono) / 1000, UTC)


def put_right(rows: Rows, boot: str, offset_ms: int, nums: range) -> set[str]:
    """Give rows that hold a guessed time of this boot the true one; the tickets whose ratings changed by it.

    `nums` are the numbers of the first guess and of the event that brought the true time. Rows count as changed by
    the latter, so that whoever reads changes learns of them.
    """
    wanted: dict[type[Model], dict[str, Times]] = defaultdict(lambda: defaultdict(dict))
    facts: Times = {}
    for event in _guesses(rows, boot, nums):
        at = true_time(offset_ms, event.stamp.mono)
        for model, key in _named(event):
            wanted[model][key][event.stamp.at] = at
        if event.type.startswith(KNOWN):
            facts[event.stamp.at] = at
    changed = [row for model, times in wanted.items() for row in _changed(rows, model, times)]
    for row in changed:
        if isinstance(row, Ticket | Rating):
            row.num = nums.stop
        rows.put(row)
    if facts:
        _put_facts_right(rows, facts)
    return {row.ticket for row in changed if isinstance(row, Rating) and row.ticket}


def _guesses(rows: Rows, boot: str, nums: range) -> Iterator[wire.Event]:
    stored = Stored.objects.filter(device=rows.device.name, num__gte=nums.start, num__lt=nums.stop, quarantined=None)
    for line, seq in stored.order_by("num").values_list("line", "seq").iterator():
        event = wire.decode_event(bytes(line), seq)
        if event.stamp.boot == boot and event.stamp.clock == "guess":
            yield event


def _named(event: wire.Event) -> Iterator[tuple[type[Model], str]]:
    """The rows that hold the time of an event."""
    data = event.data
    if event.type.startswith("ticket.") and "ticket" in data:
        yield Ticket, str(data["ticket"])
        if data.get("counter"):
            yield Desk, str(data["counter"])
    elif event.type in ("rating.given", "rating.replaced"):
        yield Rating, str(data["rating"])


def _changed(rows: Rows, model: type[Model], wanted: dict[str, Times]) -> Iterator[Any]:
    """The rows of a table that hold such times, with the true ones in place."""
    keys = sorted(wanted)
    if model is not Desk:
        for at in range(0, len(keys), STEP):
            rows.preload(model, keys[at : at + STEP])
    for key in keys:
        row = rows.get(model, key)
        if row is not None and _replace(row, TIMES[model], wanted[key]):
            yield row


def _replace(row: Model, names: tuple[str, ...], true: Times) -> bool:
    found = {name: true[getattr(row, name)] for name in names if getattr(row, name) in true}
    for name, at in found.items():
        setattr(row, name, at)
    return bool(found)


def _put_facts_right(rows: Rows, true: Times) -> None:
    rows.load(Fact, kind__in=("dossiers", "poster", "applied", "refused"))
    for row in rows.known(Fact):
        if row.kind != "boot" and _replace(row, ("at",), true):
            rows.put(row)
