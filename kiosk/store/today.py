"""What the help desk and the leader see of the running day.

Reads only, and no more than one day's tickets, however many years lie in the table.
"""

from collections import Counter as Counts
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from kiosk.clock import SITE_TIME, Moment
from kiosk.rulebook import Rulebook
from kiosk.store.board import late_queues
from kiosk.store.database import Database
from kiosk.store.facts import fact
from kiosk.store.slips import LostSlip, Slips
from kiosk.tickets import Counter, Row, State, Ticket, counter_of, ticket_of, time_of
from kiosk.turns import LONGEST_WAIT_S

LISTED = 25
"""Tickets of a list; older ones are found by their number."""

_OF_THE_DAY = "FROM tickets WHERE series IN (SELECT id FROM series WHERE day = ?)"
_NEWEST = "ORDER BY arrival DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class HelpFacts:
    """The hall as its helper sees it.

    `waiting` counts by service, `recent` are the latest tickets of the day (or those that were asked for), `holders`
    the numbers of one person's tickets by what links them, `lost` who waits without a slip, `printer` its state.
    """

    waiting: Mapping[str, int]
    recent: tuple[Ticket, ...]
    holders: Mapping[str, tuple[str, ...]]
    lost: tuple[LostSlip, ...]
    printer: str


@dataclass(frozen=True, slots=True)
class ServiceDay:
    """One service today. `wait_s` is the median wait until the first call, `longest_s` that of whoever waits longest
    now; None where there is none. `late`: somebody waits longer than was promised."""

    service: str
    waiting: int = 0
    issued: int = 0
    served: int = 0
    no_show: int = 0
    cancelled: int = 0
    wait_s: float | None = None
    longest_s: float | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class DayFacts:
    """The day in figures; nothing in it is about one clerk.

    `hours` counts numbers given by hour of the wall clock, `taken` those that count for a quota by service and session.
    """

    services: tuple[ServiceDay, ...]
    hours: Mapping[int, int] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    taken: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def late(self) -> tuple[str, ...]:
        """Services in which somebody waits longer than was promised."""
        return tuple(each.service for each in self.services if each.late)


def help_facts(database: Database, now: Moment, late_min: float, number: str = "") -> HelpFacts:
    """`late_min`: minutes after which a slip counts as lost; `number`: only tickets with this text in their number."""
    waiting = database.rows("SELECT queue, count(*) AS n FROM tickets WHERE state = 'waiting' GROUP BY queue")
    recent = tuple(ticket_of(row) for row in _recent(database, _day(database, now), number))
    return HelpFacts(
        {row["queue"]: row["n"] for row in waiting},
        recent,
        _holders(database, {ticket.linked for ticket in recent} - {""}),
        Slips(database).lost(now, late_min),
        fact(database, "printer") or "unknown",
    )


def day_facts(database: Database, book: Rulebook, now: Moment, *, at_work: bool) -> DayFacts:
    """While the office is not `at_work` nobody is kept waiting by it."""
    rows = database.rows(
        f"SELECT service, session, state, issuer, issued_at, first_called_at {_OF_THE_DAY}", _day(database, now)
    )
    waiting = {row["queue"]: row for row in _waiting(database)}
    late = late_queues(database, now) if at_work else frozenset()
    services = dict.fromkeys([*book.services, *(row["service"] for row in rows), *waiting])
    return DayFacts(
        tuple(
            _service(id, [r for r in rows if r["service"] == id], waiting.get(id), id in late, now) for id in services
        ),
        Counts(time_of(row["issued_at"]).astimezone(SITE_TIME).hour for row in rows),
        {row["id"]: counter_of(row) for row in database.rows("SELECT * FROM counters")},
        Counts((row["service"], row["session"]) for row in rows if row["issuer"] == "kiosk"),
    )


def _day(database: Database, now: Moment) -> str:
    """The office's day: that of the running series while the clock is not believed."""
    row = None if now.trusted else database.row("SELECT day FROM series WHERE current = 1")
    return str(row["day"]) if row else str(now.day)


def _recent(database: Database, day: str, number: str) -> list[Row]:
    if number:
        return list(database.rows(f"SELECT * {_OF_THE_DAY} AND instr(number, ?) {_NEWEST}", day, number, LISTED))
    return list(database.rows(f"SELECT * {_OF_THE_DAY} {_NEWEST}", day, LISTED))


def _holders(database: Database, people: set[str]) -> dict[str, tuple[str, ...]]:
    numbers = {}
    for person in people:
        rows = database.rows("SELECT number FROM tickets WHERE linked = ? AND linked != '' ORDER BY arrival", person)
        numbers[person] = tuple(row["number"] for row in rows)
    return numbers


def _waiting(database: Database) -> list[Row]:
    """By queue: how many wait, and since when the one does who was never called."""
    return list(
        database.rows(
            "SELECT queue, count(*) AS n, min(CASE WHEN first_called_at IS NULL THEN issued_at END) AS since"
            " FROM tickets INDEXED BY tickets_waiting WHERE state = 'waiting' GROUP BY queue"
        )
    )


def _service(id: str, rows: Sequence[Row], waiting: Row | None, late: bool, now: Moment) -> ServiceDay:
    states = Counts(row["state"] for row in rows)
    waits = [_seconds(row["issued_at"], time_of(row["first_called_at"])) for row in rows if row["first_called_at"]]
    known = [wait for wait in waits if wait is not None]
    return ServiceDay(
        id,
        waiting["n"] if waiting else 0,
        len(rows),
        states[State.SERVED.value],
        states[State.NO_SHOW.value],
        states[State.CANCELLED.value],
        median(known) if known else None,
        _seconds(waiting["since"], now.at) if waiting and waiting["since"] else None,
        late,
    )


def _seconds(since: str, until: datetime) -> float | None:
    """A wait, None for one that only a clock that was set can have made."""
    seconds = (until - time_of(since)).total_seconds()
    return seconds if 0 <= seconds <= LONGEST_WAIT_S else None
