"""What screens and lamps ask of the database. Reads only; each answer is small whatever the tables' size."""

from dataclasses import dataclass, field
from datetime import datetime

from kiosk.clock import Moment, elapsed_s
from kiosk.dossiers import Dossiers
from kiosk.store.database import Database
from kiosk.store.dossiers import dossiers_in
from kiosk.store.overrides import ticker_lines
from kiosk.store.rows import OPEN_STATES
from kiosk.tickets import Counter, Ticket, counter_of, ticket_of, time_of
from kiosk.turns import promise_passed

CALLED_SHOWN = 8
MISSED_SHOWN = 6


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The queue as everybody may see it: waiting by service, counters, their open tickets by counter, latest calls.

    `armed` are the tickets that counters' rating keys are about (by counter), `kept_waiting` says that somebody waits
    longer than was promised, `dossiers` are the figures in force, `lines` what staff wrote for the ticker.
    """

    waiting: dict[str, int]
    counters: dict[str, Counter]
    at_counter: dict[str, Ticket]
    called: tuple[Ticket, ...]
    missed: tuple[Ticket, ...]
    armed: dict[str, Ticket] = field(default_factory=dict)
    kept_waiting: bool = False
    dossiers: Dossiers | None = None
    lines: tuple[str, ...] = ()


def board_facts(database: Database, series: str, now: Moment, *, at_work: bool = True) -> BoardFacts:
    """Facts of the running series (its id). While the office is not `at_work` nobody is kept waiting by it."""
    waiting = database.rows("SELECT queue, count(*) AS n FROM tickets WHERE state = 'waiting' GROUP BY queue")
    counters = [counter_of(row) for row in database.rows("SELECT * FROM counters")]
    desks = [
        ticket_of(row)
        for row in database.rows(
            f"SELECT * FROM tickets INDEXED BY tickets_open"
            f" WHERE state IN {OPEN_STATES} AND state IN ('called', 'serving')"
        )
    ]
    missed = database.rows(
        f"SELECT * FROM tickets INDEXED BY tickets_open WHERE state IN {OPEN_STATES} AND state = 'no_show'"
        " ORDER BY last_called_at DESC LIMIT ?",
        MISSED_SHOWN,
    )
    return BoardFacts(
        {row["queue"]: row["n"] for row in waiting},
        {counter.id: counter for counter in counters},
        {ticket.counter: ticket for ticket in desks},
        _latest_calls(database, series),
        tuple(ticket_of(row) for row in missed),
        {c.id: t for c in counters if c.armed and (t := ticket_by_id(database, c.armed))},
        at_work and kept_waiting(database, now),
        dossiers_in(database.conn),
        ticker_lines(database.conn, now),
    )


def _latest_calls(database: Database, series: str) -> tuple[Ticket, ...]:
    rows = database.rows(
        "SELECT * FROM tickets WHERE series = ? AND last_called_at IS NOT NULL AND calls > 0"
        " ORDER BY last_called_at DESC LIMIT ?",
        series,
        CALLED_SHOWN,
    )
    return tuple(ticket_of(row) for row in rows)


def kept_waiting(database: Database, now: Moment) -> bool:
    """Whether somebody waits longer than was promised, see `late_queues`."""
    return bool(late_queues(database, now))


def late_queues(database: Database, now: Moment) -> frozenset[str]:
    """The queues in which somebody whom no counter has called yet waits longer than the number's range promised.

    The promise stands with the slip (a number without one has none), and so do the clocks of the moment it was made.
    """
    rows = database.rows(
        "SELECT jobs.made_at, jobs.boot, jobs.mono, jobs.wait_high, tickets.trusted, tickets.queue"
        " FROM tickets INDEXED BY tickets_waiting CROSS JOIN jobs ON jobs.ticket = tickets.id"
        " WHERE tickets.state = 'waiting' AND tickets.first_called_at IS NULL AND jobs.wait_high IS NOT NULL"
    )
    return frozenset(
        row["queue"]
        for row in rows
        if promise_passed(
            row["wait_high"],
            elapsed_s(now, time_of(row["made_at"]), row["boot"], row["mono"], believed=bool(row["trusted"])),
        )
    )


def ticket_by_id(database: Database, ticket_id: str) -> Ticket | None:
    """The ticket of this id, None when there is none."""
    row = database.row("SELECT * FROM tickets WHERE id = ?", ticket_id)
    return ticket_of(row) if row else None


def totals(database: Database) -> dict[str, int]:
    """Counts of the whole database, for the simulator and the technician."""
    asked = {
        "tickets": "SELECT count(*) FROM tickets",
        "slips": "SELECT count(*) FROM jobs WHERE state = 'done'",
        "ratings": "SELECT count(*) FROM ratings",
        "refused": "SELECT coalesce(sum(n), 0) FROM refusals",
    }
    return {name: int(database.rows(sql)[0][0]) for name, sql in asked.items()}


def last_sure_time(database: Database) -> datetime | None:
    """When the latest number was given by a clock that was believed; no true clock shows an earlier time."""
    row = database.row("SELECT issued_at FROM tickets WHERE trusted = 1 ORDER BY arrival DESC LIMIT 1")
    return time_of(row["issued_at"]) if row else None
