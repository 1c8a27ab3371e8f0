"""What screens and lamps ask of the database. Reads only; each answer is small whatever the tables' size."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.dossiers import Dossiers
from kiosk.store.database import Database
from kiosk.store.dossiers import dossiers_in
from kiosk.store.rows import OPEN_STATES
from kiosk.tickets import Counter, Ticket, counter_of, ticket_of, time_of

CALLED_SHOWN = 8
MISSED_SHOWN = 6


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The queue as everybody may see it: waiting by service, counters, their open tickets by counter, latest calls.

    `dossiers` are the figures in force.
    """

    waiting: dict[str, int]
    counters: dict[str, Counter]
    at_counter: dict[str, Ticket]
    called: tuple[Ticket, ...]
    missed: tuple[Ticket, ...]
    dossiers: Dossiers | None = None


def board_facts(database: Database, series: str) -> BoardFacts:
    """Facts of the running series (its id)."""
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
        dossiers_in(database.conn),
    )


def _latest_calls(database: Database, series: str) -> tuple[Ticket, ...]:
    rows = database.rows(
        "SELECT * FROM tickets WHERE series = ? AND last_called_at IS NOT NULL AND calls > 0"
        " ORDER BY last_called_at DESC LIMIT ?",
        series,
        CALLED_SHOWN,
    )
    return tuple(ticket_of(row) for row in rows)


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
