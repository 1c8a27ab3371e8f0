"""The script of a rehearsed day: who comes when and what becomes of it, what clerks do besides, what dies. Pure.

All of it comes from a seed. It knows no process and no clock: who follows it does so at times on the office's clock.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from kiosk.clock import SITE_TIME
from kiosk.hall import hall
from kiosk.office import Office, Session

FACES = ("happy", "neutral", "unhappy")
MIX = (82, 13, 5)
RUSH = 0.2
"""Share of a session's visitors who stand before the doors when they open, or come in its first minutes."""
RUSH_SHARE = 1 / 24
"""How long that lasts, as a share of the session: ten minutes of four hours."""
ENDS = {"served": 82, "absent": 6, "held": 6, "sent": 6}
"""Of 100 calls of a number for the first time: what becomes of it."""
RETURNS = 0.7
"""Share of those who missed their call or went for papers, and come back."""
RATES, PRIORITY, HELPED = 0.8, 0.1, 0.08
"""Shares of the visitors who rate, who have priority, and who get their number from the help desk."""
LIGHT = (("chung-thuc", 0.6), ("tra-ket-qua", 0.4), ("huong-dan", 0.7), ("dat-dai", 1.6))
"""Services that take less or more of a clerk's time than the others."""
WISHED = (("dat-dai", 0.17), ("chung-thuc", 0.26), ("ho-tich", 0.22), ("tra-ket-qua", 0.13), ("bao-tro", 0.12))


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a day is. `service_s` is the mean time at a counter.

    Besides each counter's page and the help desk's there are `windows` (small ones), `boards` and `phones` at a time.
    `hours` (start, end) take the place of the office's sessions; without them those stand. `speed` is how fast the
    clock goes while everybody keeps up.
    """

    visitors: int
    counters: int
    windows: int
    boards: int
    phones: int
    service_s: float
    speed: float
    mistakes: int
    chosen: int
    pauses: int
    pause_s: float
    hours: tuple[tuple[time, time], ...] = ()

    @property
    def clients(self) -> int:
        """Browsers that follow the day."""
        return self.counters + 1 + self.windows + self.boards + self.phones


SHAPES = {
    "busy": Shape(400, 10, 5, 4, 5, 520, 400, mistakes=12, chosen=6, pauses=8, pause_s=600),
    "short": Shape(
        40, 4, 2, 2, 1, 45, 400, mistakes=3, chosen=2, pauses=2, pause_s=60,
        hours=((time(7, 30), time(7, 45)), (time(7, 52), time(8, 5))),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who comes `at` that time. `ends` are what becomes of the calls of the number, one after the other.

    `walk_s` until at the counter, `service_s` there, `back_s` until back after an end "absent" or "held" (0: never),
    `to` two places where an end "sent" may lead (as the clerk's form says it), `face` the key that is pressed after
    all, "" for none. `presses`: the clerk says that the service starts, and that it is done; else the next call does.
    """

    at: datetime
    service: str
    priority: bool
    helped: bool
    ends: tuple[str, ...]
    walk_s: float
    service_s: float
    back_s: float
    to: tuple[str, str]
    face: str
    presses: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """What a clerk does besides at some time: `kind` is pause, mistake (call and take it back), or chosen."""

    at: datetime
    counter: str
    kind: str


@dataclass(frozen=True, slots=True)
class Script:
    """The whole day. `sessions` are its beginnings and ends of numbers and of work; `crashes` (time, process)."""

    shape: Shape
    office: Office
    begins: datetime
    sessions: tuple[Session, ...]
    visitors: tuple[Visitor, ...]
    duties: tuple[Duty, ...]
    crashes: tuple[tuple[datetime, str], ...]
    looks: tuple[datetime, ...]
    """When everything stands still and must agree."""


def office_of(shape: Shape | None, office: Office) -> Office:
    """The office in which such a day happens: with enough counters, and with the day's hours. As it is for no day."""
    if shape is None:
        return office
    large = hall(office, shape.counters)
    return replace(large, sessions=_sessions(shape, large)) if shape.hours else large


def _sessions(shape: Shape, office: Office) -> tuple[Session, ...]:
    """The office's first sessions at other hours."""
    return tuple(
        replace(session, start=start, end=end, take_from=start, last_number=_earlier(end, minutes=2), weekdays=WEEK)
        for session, (start, end) in zip(office.sessions, shape.hours, strict=False)
    )


WEEK = (0, 1, 2, 3, 4, 5, 6)


def _earlier(at: time, minutes: int) -> time:
    return (datetime.combine(date.min, at) - timedelta(minutes=minutes)).time()


def write(shape: Shape, office: Office, day: date, seed: int | None) -> Script:
    """The script for an office that is already as large as the day."""
    rng = random.Random(seed)
    sessions = sessions_of(office, day)
    begins = on(day, sessions[0].take_from) - timedelta(minutes=5)
    working = [(on(day, s.start), on(day, s.end)) for s in sessions]
    first, last = working[0], working[-1]
    return Script(
        shape=shape,
        office=office,
        begins=begins,
        sessions=sessions,
        visitors=tuple(_visitors(shape, office, day, rng)),
        duties=tuple(_duties(shape, office, working, rng)),
        crashes=((_part(first, 0.25), "kiosk"), (_part(last, 0.4), "console")),
        looks=(_part(first, 0.6), _part(last, 0.75)),
    )


def sessions_of(office: Office, day: date) -> tuple[Session, ...]:
    """The sessions of that day, in their order."""
    ids = [session.id for session in office.hours().on(day)]
    return tuple(session for id in ids for session in office.sessions if session.id == id)


def on(day: date, at: time) -> datetime:
    """A wall time of that day."""
    return datetime.combine(day, at, SITE_TIME)


def _part(session: tuple[datetime, datetime], share: float) -> datetime:
    start, end = session
    return start + share * (end - start)


# --- visitors ------------------------------------------------------------------------------------------------


def _visitors(shape: Shape, office: Office, day: date, rng: random.Random) -> Iterator[Visitor]:
    times = sorted(_arrivals(shape.visitors, sessions_of(office, day), day, rng))
    weights = _weights(office)
    for at in times:
        service = rng.choices(list(weights), list(weights.values()))[0]
        yield _visitor(shape, office, at, service, rng)


def _arrivals(count: int, sessions: Sequence[Session], day: date, rng: random.Random) -> Iterator[datetime]:
    doors = [(on(day, s.take_from), on(day, s.last_number)) for s in sessions]
    lengths = [(end - start).total_seconds() for start, end in doors]
    for _ in range(count):
        start, end = rng.choices(doors, lengths)[0]
        length = (end - start).total_seconds() * (RUSH_SHARE if rng.random() < RUSH else 1)
        yield start + timedelta(seconds=rng.uniform(0, length))


def _weights(office: Office) -> dict[str, float]:
    """How many want a service: as the sample office's visitors do where it has the same services."""
    known = dict(WISHED)
    return {service.id: known.get(service.id, 0.1) for service in office.services if _served(office, service.id)}


def _served(office: Office, service: str) -> bool:
    return any(service in counter.services for counter in office.counters)


def _visitor(shape: Shape, office: Office, at: datetime, service: str, rng: random.Random) -> Visitor:
    end = rng.choices(list(ENDS), list(ENDS.values()))[0]
    back = rng.random() < RETURNS
    last = ("served",) if end == "sent" or (back and end != "served") else ()
    mean = shape.service_s * dict(LIGHT).get(service, 1.0)
    return Visitor(
        at=at,
        service=service,
        priority=rng.random() < PRIORITY,
        helped=rng.random() < HELPED,
        ends=(end, *last),
        walk_s=rng.uniform(4, 12),
        # Most services are short and a few are long.
        service_s=min(4 * mean, rng.lognormvariate(-0.2, 0.6) * mean),
        back_s=rng.uniform(0.5, 3) * shape.service_s if back else 0.0,
        to=_where_to(office, service, rng),
        face=rng.choices(FACES, MIX)[0] if rng.random() < RATES else "",
        presses=rng.random() < 0.7,
    )


def _where_to(office: Office, service: str, rng: random.Random) -> tuple[str, str]:
    """A counter of the same service, or else (it may be this one) another service."""
    counters = [f"counter:{counter.id}" for counter in office.counters if service in counter.services]
    services = [f"service:{one}" for one in _weights(office) if one != service] or [f"service:{service}"]
    other = rng.choice(services)
    return (rng.choice(counters), other) if rng.random() < 0.5 else (other, other)


# --- clerks --------------------------------------------------------------------------------------------------


def _duties(
    shape: Shape, office: Office, working: Sequence[tuple[datetime, datetime]], rng: random.Random
) -> Iterator[Duty]:
    """In the busy part of a session, at one counter after the other."""
    counts: Mapping[str, int] = {"pause": shape.pauses, "mistake": shape.mistakes, "chosen": shape.chosen}
    counters = [counter.id for counter in office.counters]
    for kind, count in counts.items():
        rng.shuffle(counters)
        for n in range(count):
            yield Duty(_part(working[n % len(working)], rng.uniform(0.05, 0.75)), counters[n % len(counters)], kind)
