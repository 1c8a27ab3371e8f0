"""The visitors of a rehearsed day: they press the kiosk's keys, or the help desk gives them a number.

What became of a press they learn from the kiosk: a number on the screen, a refusal, or a slip that came out late.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from kiosk.simulator.appliance import Appliance
from kiosk.simulator.rehearsal.script import Visitor
from kiosk.simulator.rehearsal.tempo import Over, Tempo
from kiosk.simulator.rehearsal.watchers import HelpDesk, Watchers
from kiosk.store import Store

ANSWER_S = 2.0
"""Real seconds in which a press is answered, or it is made again."""
SAME_KEY_S = 0.36
"""Real seconds between two presses of a key: the kiosk takes it for bouncing sooner."""
LOOK_S = 0.02
TRIES = 60
LEAVES = ("quota", "session_over", "closed", "holiday")
"""Refusals after which nobody presses again."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Somebody who comes back to a counter with a number that was put aside."""

    ticket: str
    number: str


class Places:
    """Whose ticket is whose, and what becomes of it at the next call. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visitors: dict[str, Visitor] = {}
        self._ends: dict[str, list[str]] = {}

    def give(self, ticket: str, visitor: Visitor) -> None:
        with self._lock:
            self._visitors[ticket] = visitor
            self._ends[ticket] = list(visitor.ends)

    def owned(self, ticket: str) -> bool:
        with self._lock:
            return ticket in self._visitors

    def visitor(self, ticket: str) -> Visitor | None:
        with self._lock:
            return self._visitors.get(ticket)

    def next_end(self, ticket: str) -> str:
        """What becomes of this call; after the script's ends the visitor is served."""
        with self._lock:
            ends = self._ends.get(ticket)
            return ends.pop(0) if ends else "served"

    def __len__(self) -> int:
        with self._lock:
            return len(self._visitors)


class Doors:
    """The visitors in their order, in a thread; `left` are those who went without a number, by the reason."""

    def __init__(
        self,
        appliance: Appliance,
        tempo: Tempo,
        visitors: tuple[Visitor, ...],
        places: Places,
        desk: HelpDesk,
        watchers: Watchers,
    ) -> None:
        self.left: Counter[str] = Counter()
        self.helped = 0
        self.pressing = False
        """Whether somebody has pressed and has no answer yet."""
        self.late_s: list[float] = []
        self.problems: list[str] = []
        self._appliance = appliance
        self._tempo = tempo
        self._visitors = visitors
        self._places = places
        self._desk = desk
        self._watchers = watchers
        self._pressed: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="doors", daemon=True)

    def start(self) -> "Doors":
        self._thread.start()
        return self

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        with closing(self._appliance.store()) as store:
            for visitor in self._visitors:
                try:
                    self._tempo.wait_until(visitor.at)
                    with self._tempo.acting(visitor.at):
                        self._come(store, visitor)
                except Over:
                    return
                self.late_s.append((self._tempo.now() - visitor.at).total_seconds())

    def _come(self, store: Store, visitor: Visitor) -> None:
        reason = "" if visitor.helped else self.press(store, visitor)
        if visitor.helped or reason == "quota":
            self._ask_for_help(store, visitor)
        elif reason:
            self.left[reason] += 1

    def _ask_for_help(self, store: Store, visitor: Visitor) -> None:
        """The help desk gives beyond the quota, too."""
        took = partial(self._took, store, visitor, "staff")
        given = self._desk.give(visitor.service, priority=visitor.priority, is_given=took)
        if not given or not (self._is_mine(store, visitor) or took()):
            self.problems.append(f"the help desk could not give a number of {visitor.service}")
        self.helped += 1

    def _is_mine(self, store: Store, visitor: Visitor) -> bool:
        """Whether the latest number of the help desk is this visitor's already."""
        rows = self._latest(store, visitor, "staff")
        return bool(rows) and self._places.visitor(rows[0]) is visitor

    def press(self, store: Store, visitor: Visitor) -> str:
        """Press until there is a number; else the reason why there is none."""
        for _ in range(TRIES):
            before, told = refusals(store), len(self._appliance.seen.taken)
            if visitor.priority:
                self._tap("priority")
                self._await(lambda: self._appliance.seen.lamps.get("priority", False), 0.5)
            self.pressing = True
            self._tap(f"take:{visitor.service}")
            # Bound now: the two lambdas end with this round.
            self._await(lambda told=told, before=before: self._is_answered(store, told, before), ANSWER_S)  # type: ignore[misc]
            self.pressing = False
            if self._took(store, visitor):
                return ""
            for key, n in refusals(store).items():
                if n > before[key] and key[1] in LEAVES:
                    return key[1]
        self.problems.append(f"somebody who wanted {visitor.service} got no number at {TRIES} presses")
        return "gave up"

    def _tap(self, action: str) -> None:
        since = time.monotonic() - self._pressed.get(action, 0)
        if since < SAME_KEY_S:
            time.sleep(SAME_KEY_S - since)
        self._appliance.tap(action)
        self._pressed[action] = time.monotonic()

    def _is_answered(self, store: Store, told: int, before: Counter[tuple[str, str]]) -> bool:
        return len(self._appliance.seen.taken) > told or refusals(store) != before

    def _await(self, what: Callable[[], bool], timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not (found := what()) and time.monotonic() < until and not self._tempo.over.is_set():
            time.sleep(LOOK_S)
        return found

    def _took(self, store: Store, visitor: Visitor, issuer: str = "kiosk") -> bool:
        """The number that was given to nobody else: who gave it may have died between the number and the answer."""
        for ticket in self._latest(store, visitor, issuer):
            if not self._places.owned(ticket):
                self._places.give(ticket, visitor)
                self._watchers.has_number(store, ticket)
                return True
        return False

    def _latest(self, store: Store, visitor: Visitor, issuer: str) -> list[str]:
        rows = store.database.rows(
            "SELECT id FROM tickets WHERE service = ? AND issuer = ? ORDER BY arrival DESC LIMIT 3",
            visitor.service,
            issuer,
        )
        return [row["id"] for row in rows]


def refusals(store: Store) -> Counter[tuple[str, str]]:
    """How many presses were refused, by service and reason."""
    rows = store.database.rows("SELECT service, reason, sum(n) AS n FROM refusals GROUP BY service, reason")
    return Counter({(row["service"], row["reason"]): row["n"] for row in rows})
