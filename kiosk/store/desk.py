"""What a clerk's page asks of the database: the own counter, its line, and who was put aside. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.clock import Moment
from kiosk.store.board import ticket_by_id
from kiosk.store.counters import Counters
from kiosk.store.database import Database
from kiosk.store.rows import OPEN_STATES
from kiosk.tickets import Counter, Ticket, ticket_of

LISTED = 30
"""Lines of a list on the page; more are counted."""


@dataclass(frozen=True, slots=True)
class DeskFacts:
    """One counter as its clerk sees it.

    `upcoming` is whom the next call would call, `waiting` the first of its line, `waiting_all` how many there are;
    `aside` are held tickets and those that missed their call. `undo_s` is how long the last move can be taken back.
    `elsewhere`: whoever holds several tickets (see `Ticket.linked`) and is at a counter with one → that counter.
    """

    counter: Counter
    ticket: Ticket | None
    upcoming: Ticket | None
    waiting: tuple[Ticket, ...]
    waiting_all: int
    aside: tuple[Ticket, ...]
    undo_s: float
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def desk_facts(counters: Counters, now: Moment, counter_id: str) -> DeskFacts:
    """Raises Refused("no_counter")."""
    database = counters.database
    counter, upcoming = counters.counter(counter_id), counters.upcoming(now, counter_id)
    services = counters.book.desks[counter_id].services
    waiting, count = _line(database, counter_id, services)
    return DeskFacts(
        counter,
        ticket_by_id(database, counter.ticket) if counter.ticket else None,
        upcoming,
        waiting,
        count,
        _aside(database, services),
        counters.undoable_s(now, counter_id),
        _elsewhere(database),
    )


def _line(database: Database, counter_id: str, services: tuple[str, ...]) -> tuple[tuple[Ticket, ...], int]:
    """Who may be called to the counter, in the order of the line."""
    marks = ", ".join("?" * len(services))
    where = f"state = 'waiting' AND (target = ? OR target = '' AND queue IN ({marks}))"
    line, values = "tickets INDEXED BY tickets_waiting", (counter_id, *services)
    rows = database.rows(f"SELECT * FROM {line} WHERE {where} ORDER BY place, arrival LIMIT {LISTED}", *values)
    count = database.rows(f"SELECT count(*) FROM {line} WHERE {where}", *values)[0][0]
    return tuple(ticket_of(row) for row in rows), int(count)


def _aside(database: Database, services: tuple[str, ...]) -> tuple[Ticket, ...]:
    marks = ", ".join("?" * len(services))
    rows = database.rows(
        f"SELECT * FROM tickets INDEXED BY tickets_open WHERE state IN {OPEN_STATES}"
        f" AND state IN ('held', 'no_show') AND queue IN ({marks}) ORDER BY last_called_at DESC LIMIT {LISTED}",
        *services,
    )
    return tuple(ticket_of(row) for row in rows)


def _elsewhere(database: Database) -> dict[str, str]:
    # By the open ones: those of one person are kept for two years.
    rows = database.rows(
        f"SELECT linked, counter FROM tickets INDEXED BY tickets_open WHERE state IN {OPEN_STATES}"
        " AND state IN ('called', 'serving') AND linked != ''"
    )
    return {row["linked"]: row["counter"] for row in rows}
