"""Simulated citizens and clerks: they press the same keys as people do, and see only what people see.

Everything that they decide comes from one random.Random, so that a seed gives the same people again; how long things
take is counted on the office's clock. What became of a press they learn from the kiosk, never from a rule of their own.
"""

import logging
import random
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk import hours
from kiosk.office import Counter
from kiosk.simulator.appliance import Appliance, Seen, wired
from kiosk.store import BoardFacts, Store, StoreError
from kiosk.tickets import Refused, State, Ticket

logger = logging.getLogger(__name__)

FACES = ("happy", "neutral", "unhappy")
MIX = (82, 13, 5)
"""Of 100 who rate: how many press which face."""
RATES, PRIORITY, ABSENT = 0.75, 0.08, 0.04
"""Shares of the citizens who rate, who take a priority number, and who do not come when they are called."""
MOST_AN_HOUR = 36_000
LONGEST_SERVICE_S, LONGEST_WALK_S = 300.0, 12.0
NO_SHOW_S = 200.0
LOAD = 0.8
"""How busy the counters are: service times are chosen so that the office keeps up with its citizens."""
SLIP_S = 4.0
"""How long somebody waits at the kiosk for a number or a slip (real seconds) before leaving."""
TICK_S = 0.03
GRACE_S = 0.6
"""Real seconds that a clerk leaves the kiosk to take in a press of the call key."""
HOLD_S = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take in the office, in seconds of its clock."""

    between: float
    service: float
    walk: float

    @classmethod
    def of(cls, per_hour: float, counters: int) -> "Pace":
        between = 3600 / per_hour
        service = min(LONGEST_SERVICE_S, LOAD * counters * between)
        return cls(between, service, min(LONGEST_WALK_S, service / 10))

    @property
    def leisurely(self) -> bool:
        """Slow enough that a clerk can wait the minutes after which somebody counts as absent."""
        return self.service > NO_SHOW_S


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody comes so many seconds (office time) after the one before, for a service."""

    after: float
    service: str
    priority: bool


def visits(rng: random.Random, pace: Pace, services: Sequence[str]) -> Iterator[Visit]:
    """Who comes, without end: arrivals are Poisson."""
    while True:
        yield Visit(rng.expovariate(1 / pace.between), rng.choice(services), rng.random() < PRIORITY)


class Crowd:
    """The people of one office: those who come, and those behind the counters. `stop` may be called twice."""

    def __init__(self, appliance: Appliance, per_hour: float, seed: int | None) -> None:
        self.appliance = appliance
        office = appliance.plan.office
        self.pace = Pace.of(per_hour, len(office.counters))
        rng = random.Random(seed)
        self._coming, self._over = threading.Event(), threading.Event()
        # Generators of their own: who comes must not depend on how fast a clerk happened to be.
        self._visits = visits(random.Random(rng.random()), self.pace, [service.id for service in office.services])
        clerks = [Clerk(self, counter, random.Random(rng.random())) for counter in office.counters]
        self._threads = [
            threading.Thread(target=self._stream, name="citizens", daemon=True),
            threading.Thread(target=self._serve, args=[clerks], name="clerks", daemon=True),
        ]

    def start(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def close_doors(self) -> None:
        """Nobody comes any more; who stands at the kiosk still gets a slip."""
        self._coming.set()
        self._threads[0].join()

    def stop(self) -> None:
        """All go home."""
        self.close_doors()
        self._over.set()
        self._threads[1].join()

    # --- at the kiosk ----------------------------------------------------------------------------------------

    def _stream(self) -> None:
        due = self.appliance.clock.now()
        for visit in self._visits:
            due += timedelta(seconds=visit.after)
            while (wait := self._real(due)) > 0 and not self._coming.is_set():
                self._coming.wait(min(wait, 0.5))
            if self._coming.is_set():
                return
            if hours.opening(self.appliance.plan.office.hours(), due).status == "open":
                self._take_number(visit)

    def _real(self, due: datetime) -> float:
        clock = self.appliance.clock
        return (due - clock.now()).total_seconds() / clock.speed

    def _take_number(self, visit: Visit) -> None:
        """One after the other: the next citizen presses when the slip of the one before is out."""
        before = len(self.appliance.seen.taken)
        if visit.priority:
            self.appliance.tap("priority")
        if not self.appliance.tap(f"take:{visit.service}"):
            self._coming.wait(0.2)  # the kiosk is off
            return
        if self._await(lambda seen: len(seen.taken) > before):
            job = self.appliance.seen.taken[before]["job"]
            self._await(lambda seen: any(done["job"] == job for done in seen.printed[-20:]) or not prints(seen))

    def _await(self, what: Callable[[Seen], bool]) -> bool:
        return self.appliance.wait_for(what, SLIP_S)

    # --- at the counters -------------------------------------------------------------------------------------

    def _serve(self, clerks: Sequence["Clerk"]) -> None:
        store = self.appliance.store()
        clock = self.appliance.clock.follower()
        change: object = None
        facts: BoardFacts | None = None
        attended: frozenset[str] = frozenset()
        while not self._over.wait(TICK_S):
            if facts is None or store.change() != change:
                change, facts = store.change(), store.board(clock.now())
                attended = store.people.attended(clock.now())
            for clerk in clerks:
                try:
                    clerk.act(store, facts, attended)
                except (Refused, StoreError) as error:
                    logger.info("counter %s: %s", clerk.id, error)
        store.close()


class Clerk:
    """One counter: calls, waits for the citizen, serves, finishes, and the citizen rates."""

    def __init__(self, crowd: Crowd, counter: Counter, rng: random.Random) -> None:
        self.id = counter.id
        self._crowd = crowd
        self._appliance = crowd.appliance
        self._queues = counter.services
        self._rng = rng
        self._clock = crowd.appliance.clock.follower()
        keys = wired(crowd.appliance.plan.config)[0] | set(crowd.appliance.plan.config.buttons.keyboard.values())
        self._has_key = f"call:{counter.id}" in keys
        self._can_rate = f"rate:{counter.id}:happy" in keys
        self._seen: tuple[str, State] | None = None
        self._due = self._after(0)
        self._absent = False
        self._rating: tuple[datetime, str] | None = None

    def act(self, store: Store, facts: BoardFacts, attended: Collection[str]) -> None:
        """What there is to do at this moment; a counter that is `attended`, by a person at the console, is theirs."""
        now = self._appliance.clock.now()
        self._citizen_rates(now)
        if self.id in attended:
            return
        ticket = facts.at_counter.get(self.id)
        if ticket and self._seen != (ticket.id, ticket.state):
            self._meet(ticket)
        elif ticket is None and self._seen:
            # Served, by this clerk's key or by somebody who helped at the page.
            self._seen, self._due = None, min(self._due, self._after(GRACE_S * self._appliance.clock.speed))
        if now < self._due:
            return
        if ticket is None:
            if any(facts.waiting.get(queue) for queue in self._queues):
                self._press(store)
        elif ticket.state is State.SERVING:
            self._press(store)
            self._plan_rating()
        elif self._absent:
            self._send_away(store)
        else:
            store.counters.start(self._clock.now(), self.id)

    def _meet(self, ticket: Ticket) -> None:
        """A new state of the ticket at this counter: when is the next step due?"""
        self._seen = (ticket.id, ticket.state)
        pace = self._crowd.pace
        if ticket.state is State.CALLED:
            self._absent = pace.leisurely and self._rng.random() < ABSENT
            self._due = self._after(NO_SHOW_S if self._absent else self._rng.uniform(0.5, 1.5) * pace.walk)
        else:
            # Most services are short and a few are long.
            self._due = self._after(min(4 * pace.service, self._rng.lognormvariate(-0.2, 0.6) * pace.service))

    def _press(self, store: Store) -> None:
        """The call key: the first press finishes, the next one calls. A counter without one has the console."""
        if self._has_key:
            self._appliance.tap(f"call:{self.id}")
        else:
            store.counters.one_key(self._clock.now(), self.id)
        self._due = self._after(GRACE_S * self._appliance.clock.speed)

    def _send_away(self, store: Store) -> None:
        """Nobody came: the number stays on the board as missed."""
        store.counters.no_show(self._clock.now(), self.id)
        self._due = self._after(GRACE_S * self._appliance.clock.speed)

    def _plan_rating(self) -> None:
        if self._can_rate and self._rng.random() < RATES:
            face = self._rng.choices(FACES, MIX)[0]
            # The press that finishes has to arrive first, which takes real time; the keys are armed for a minute.
            delay = GRACE_S * self._appliance.clock.speed + self._rng.uniform(0, min(8, self._crowd.pace.service))
            self._rating = (self._after(min(delay, 45)), face)

    def _citizen_rates(self, now: datetime) -> None:
        if self._rating and now >= self._rating[0]:
            self._appliance.tap(f"rate:{self.id}:{self._rating[1]}")
            self._rating = None

    def _after(self, seconds: float) -> datetime:
        return self._appliance.clock.now() + timedelta(seconds=seconds)


class Crowds:
    """The crowd of this hour: another one comes when the number of citizens an hour is changed."""

    def __init__(self, appliance: Appliance, seed: int | None) -> None:
        self.per_hour = 0.0
        self.revision = 0
        self._appliance = appliance
        self._seed = seed
        self._lock = threading.Lock()
        self._crowd: Crowd | None = None
        self._closed = False

    def set(self, per_hour: float) -> None:
        """So many citizens an hour from now on; 0 sends clerks home, too."""
        with self._lock:
            if self._crowd:
                self._crowd.stop()
            self._crowd = None
            if per_hour and not self._closed:
                self._crowd = Crowd(self._appliance, per_hour, self._seed).start()
            self.per_hour = per_hour
            self.revision += 1

    def close(self) -> None:
        self._closed = True
        self.set(0)


def prints(seen: Seen) -> bool:
    """Whether a slip can come out now, as far as one sees."""
    return seen.printer in ("ok", "paper_low", "unknown")
