"""A day read from its events alone: who waited how long, what was done, and whether the line was kept.

A second opinion: it imports nothing of the kiosk. It follows each ticket by the events as docs/feed.md describes them,
and checks at each call by turn that nobody who had waited long stood before the one who was called.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Event = Mapping[str, Any]
PLACE_STEP = 1_000_000
ENDED = ("served", "cancelled", "closed")
STATES = {
    "ticket.called": "called",
    "ticket.recalled": "called",
    "ticket.started": "serving",
    "ticket.finished": "served",
    "ticket.no_show": "no_show",
    "ticket.held": "held",
    "ticket.returned": "waiting",
    "ticket.rejoined": "waiting",
    "ticket.transferred": "waiting",
    "ticket.cancelled": "cancelled",
    "ticket.closed": "closed",
}


@dataclass
class Place:
    """One ticket as it stands now. `waited_s` from its issue to the first call that was not taken back."""

    number: str
    service: str
    priority: bool
    issued: datetime
    place: int
    queue: str
    state: str = "waiting"
    target: str = ""
    counter: str = ""
    missed: datetime | None = None
    first_called: datetime | None = None
    chosen: bool = False
    back: bool = False
    """Came back after papers or a missed call: stands behind the next two, however long ago the number was taken."""
    passed_over: int = 0

    @property
    def waited_s(self) -> float | None:
        return (self.first_called - self.issued).total_seconds() if self.first_called else None


@dataclass
class Book:
    """All of a day. `desks`: counter → the services that it calls; `problems` are sentences."""

    desks: Mapping[str, Sequence[str]]
    ageing: timedelta
    missed_rests: timedelta
    places: dict[str, Place] = field(default_factory=dict)
    moves: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    ratings: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    _given: set[tuple[str, str]] = field(default_factory=set)

    def read(self, events: Iterable[Event]) -> "Book":
        for event in events:
            kind, data, at = event["type"], event["data"], datetime.fromisoformat(event["at"])
            if kind == "ticket.issued":
                self._issued(data, at)
            elif kind.startswith("ticket.") and "ticket" in data:
                self._moved(kind, data, at)
            elif kind in ("rating.given", "rating.replaced"):
                self.ratings["counted" if not data.get("flags") else "flagged"] += 1
                self.flags.update(data.get("flags", ()))
        return self

    # --- figures ---------------------------------------------------------------------------------------------

    def waiting(self) -> dict[str, int]:
        """Queue → how many wait, without those for whom nobody does."""
        return dict(Counter(place.queue for place in self.places.values() if place.state == "waiting"))

    def states(self) -> dict[str, int]:
        return dict(Counter(place.state for place in self.places.values()))

    def waits(self, *, priority: bool) -> dict[str, float] | None:
        """Waits of this kind in minutes; None when nobody of it was called by turn."""
        waits = sorted(
            place.waited_s / 60
            for place in self.places.values()
            if place.priority is priority and place.waited_s is not None and not place.chosen
        )
        if not waits:
            return None
        p90 = waits[min(len(waits) - 1, int(len(waits) * 0.9))]
        return {"n": len(waits), "median": statistics.median(waits), "p90": p90, "max": waits[-1]}

    def most_passed_over(self) -> int:
        """How often the one who was passed over most saw somebody called by turn who came later."""
        return max((place.passed_over for place in self.places.values()), default=0)

    # --- events ----------------------------------------------------------------------------------------------

    def _issued(self, data: Event, at: datetime) -> None:
        name = (data["series"], data["number"])
        if name in self._given:
            self.problems.append(f"number {data['number']} was given twice on {data['series']}")
        self._given.add(name)
        self.moves["issued by " + ("a key" if data["by"] == "kiosk" else "staff")] += 1
        self.places[data["ticket"]] = Place(
            data["number"], data["service"], data["priority"], at, data["arrival"] * PLACE_STEP, data["service"]
        )

    def _moved(self, kind: str, data: Event, at: datetime) -> None:
        place = self.places[data["ticket"]]
        self.moves[_named(kind, data)] += 1
        if kind == "ticket.undone":
            self._undone(place, data["restore"])
            return
        if kind == "ticket.called":
            self._called(place, data, at)
        elif kind in ("ticket.returned", "ticket.rejoined"):
            place.place, place.target, place.back = data["place"], "", True
        elif kind == "ticket.transferred":
            place.queue, place.target = data["service"], data["target"]
        elif kind == "ticket.released":
            place.target = ""
        elif kind == "ticket.no_show":
            place.missed = at
        elif kind == "ticket.closed":
            self.closed[f"{place.state}, {data['why']}"] += 1
        place.state = STATES.get(kind, place.state)

    def _called(self, place: Place, data: Event, at: datetime) -> None:
        if not data["chosen"]:
            self._check_turn(place, data["counter"], at)
        place.counter, place.missed = data["counter"], None
        if place.first_called is None:
            place.first_called, place.chosen = at, bool(data["chosen"])

    def _undone(self, place: Place, restore: Mapping[str, Any]) -> None:
        place.state = restore.get("state", place.state)
        place.queue, place.target = restore.get("queue", place.queue), restore.get("target", place.target)
        place.place, place.counter = restore.get("place", place.place), restore.get("counter", place.counter)
        if "missed_at" in restore:
            place.missed = datetime.fromisoformat(restore["missed_at"]) if restore["missed_at"] else None
        if "first_called_at" in restore:
            place.first_called = (
                datetime.fromisoformat(restore["first_called_at"]) if restore["first_called_at"] else None
            )

    def _check_turn(self, called: Place, counter: str, at: datetime) -> None:
        """Of all whom this counter may call, nobody who has waited long enough stands before the one who is called."""
        for other in self.places.values():
            if other is called or other.state != "waiting" or not self._may_call(counter, other, at):
                continue
            if other.issued < called.issued:
                other.passed_over += 1
            if other.place < called.place and at - other.issued >= self.ageing and not other.back:
                self.problems.append(
                    f"number {other.number} had waited {(at - other.issued).total_seconds() / 60:.0f} min and stood"
                    f" before {called.number}, which counter {counter} called"
                )

    def _may_call(self, counter: str, place: Place, at: datetime) -> bool:
        rests = place.missed is not None and at - place.missed < self.missed_rests
        mine = place.target == counter or (not place.target and place.queue in self.desks.get(counter, ()))
        return mine and not rests


def _named(kind: str, data: Event) -> str:
    """The move in words; a call out of turn and a start that nobody pressed are moves of their own."""
    if kind == "ticket.called" and data["chosen"]:
        return "called out of turn"
    if kind == "ticket.started" and data["implied"]:
        return "started by itself"
    return kind.removeprefix("ticket.").replace("_", " ")
