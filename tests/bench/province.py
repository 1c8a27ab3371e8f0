"""Days of kiosks that never were, as event lines: realistic in size and order, made much faster than by a kiosk."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sync import wire
from sync.ids import ordered_id
from sync.wire import Batch, Header, Position, Stamp

SERVICES = ("ho-tich", "chung-thuc", "dat-dai", "bao-tro", "tra-ket-qua", "huong-dan")
OPENING = timedelta(minutes=30)
"""07:30 in Vietnam is half past midnight, UTC."""


def _opening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + OPENING


def _id(day: date, after: float) -> str:
    return ordered_id(int((_opening(day).timestamp() + after) * 1000))


@dataclass
class Kiosk:
    """One kiosk with its feed: `day` makes a day's lines, `batches` what a push of them would carry."""

    name: str
    seed: int
    epoch: str = "000000019f0c2b7a"
    position: Position = wire.START
    _ids: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._ids = random.Random(self.seed)

    def day(self, day: date, tickets: int) -> list[bytes]:
        """A day: each ticket is issued, called, finished and, four times of ten, rated."""
        events: list[tuple[float, str, dict[str, object]]] = []
        for n in range(tickets):
            events += self._ticket(day, n, tickets)
        events.sort(key=lambda event: event[0])
        opened = _opening(day)
        return [self._line(opened + timedelta(seconds=at), kind, data) for at, kind, data in events]

    def _ticket(self, day: date, n: int, tickets: int) -> Iterator[tuple[float, str, dict[str, object]]]:
        roll = self._ids.random
        service, counter = SERVICES[int(roll() * 6)], str(1 + int(roll() * 6))
        taken = n * 28_800 / tickets + roll() * 60
        called = taken + roll() * 1800
        ended = called + 60 + roll() * 600
        ticket, rating = _id(day, taken), _id(day, ended)
        clerk = f"clerk-{counter}"
        where: dict[str, object] = {"ticket": ticket, "counter": counter, "clerk": clerk}
        yield taken, "ticket.issued", {
            "ticket": ticket, "token": f"{self._ids.getrandbits(80):020X}"[:16], "series": str(day), "session": "sang",
            "service": service, "seq": n + 1, "number": f"{1001 + n}", "priority": roll() < 0.1, "boot": "b0070001",
            "trusted": True, "arrival": n + 1, "by": "kiosk", "ahead": 3, "wait": [5, 15],
        }  # fmt: skip
        yield called, "ticket.called", {**where, "chosen": ""}
        yield called + 20, "ticket.started", {**where, "implied": False}
        yield ended, "ticket.finished", {**where, "implied": False}
        if roll() < 0.4:
            yield ended + 5, "rating.given", {
                "rating": rating, **where, "level": 3 if roll() < 0.9 else 1, "label_set": "smile",
                "source": "key", "flags": [], "day": str(day), "session": "sang", "guess_boot": "",
            }  # fmt: skip

    def _line(self, at: datetime, kind: str, data: dict[str, object]) -> bytes:
        stamp = Stamp(at, "ntp", "b0070001", int(at.timestamp() * 1000) % 10**9)
        return wire.event_line(kind, data, stamp)

    def batches(self, lines: Sequence[bytes], size: int = wire.MAX_EVENTS) -> Iterator[Batch]:
        """The lines as batches, each after the one before and as large as a batch may be."""
        at = 0
        while at < len(lines):
            part, weight = [], 0
            while at < len(lines) and len(part) < size and weight + len(lines[at]) < wire.MAX_BATCH:
                part.append(lines[at])
                weight, at = weight + len(lines[at]) + 1, at + 1
            yield self._batch(part)

    def _batch(self, lines: Sequence[bytes]) -> Batch:
        after = self.position
        end = wire.chain_all(after.hash, lines)
        self.position = Position(after.seq + len(lines), end)
        status = {"app": "bench", "backlog": 0, "clock": "ntp", "printer": "ok", "disk_free_mb": 20_000}
        return Batch(Header(self.name, self.epoch, after, len(lines), self.position.seq, end, status), lines)
