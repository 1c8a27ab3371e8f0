"""Tickets and counters as rows, and the one function that moves them: decide, apply, write, tell."""

import sqlite3
from typing import Any

from kiosk.store.database import Writing
from kiosk.tickets import (
    Counter,
    Decision,
    Refused,
    Ticket,
    apply,
    apply_counter,
    counter_of,
    plain,
    ticket_of,
)

OPEN_STATES = "('waiting', 'called', 'serving', 'held', 'no_show')"

_TICKET = tuple(Ticket.__slots__)
_COUNTER = tuple(Counter.__slots__)
_INSERT = f"INSERT INTO tickets (arrival, {', '.join(_TICKET)}) VALUES (?, {', '.join('?' * len(_TICKET))})"
_UPDATE = f"UPDATE tickets SET {', '.join(f'{name} = ?' for name in _TICKET)} WHERE id = ?"
_COUNTER_UPSERT = f"INSERT OR REPLACE INTO counters ({', '.join(_COUNTER)}) VALUES ({', '.join('?' * len(_COUNTER))})"


def insert_ticket(conn: sqlite3.Connection, arrival: int, ticket: Ticket) -> None:
    conn.execute(_INSERT, (arrival, *_values(ticket)))


def update_ticket(conn: sqlite3.Connection, ticket: Ticket) -> None:
    conn.execute(_UPDATE, (*_values(ticket), ticket.id))


def save_counter(conn: sqlite3.Connection, counter: Counter) -> None:
    conn.execute(_COUNTER_UPSERT, tuple(plain(counter).values()))


def _values(ticket: Ticket) -> tuple[Any, ...]:
    return tuple(plain(ticket).values())


def load_ticket(conn: sqlite3.Connection, ticket_id: str) -> Ticket:
    """The ticket of this id; Refused("no_ticket") when there is none."""
    row = conn.execute("SELECT * FROM tickets WHERE id = ?", (ticket_id,)).fetchone()
    if row is None:
        raise Refused("no_ticket", number="")
    return ticket_of(row)


def load_counter(conn: sqlite3.Connection, counter_id: str) -> Counter:
    """The counter's row, or a closed counter that nobody has used yet."""
    row = conn.execute("SELECT * FROM counters WHERE id = ?", (counter_id,)).fetchone()
    return counter_of(row) if row else Counter(counter_id)


def open_tickets(w: Writing) -> list[Ticket]:
    """All tickets that the close of a day would end, in order of arrival."""
    sql = f"SELECT * FROM tickets INDEXED BY tickets_open WHERE state IN {OPEN_STATES} ORDER BY arrival"
    return [ticket_of(row) for row in w.conn.execute(sql)]


def move_ticket(w: Writing, ticket: Ticket, decision: Decision) -> Ticket:
    """Write what a rule decided: the ticket's row, its counter's row and the event, in this transaction."""
    kind, data = decision
    moved = apply(ticket, kind, data, w.now.at)
    update_ticket(w.conn, moved)
    w.moved[ticket.id] = (w.moved.get(ticket.id, (ticket,))[0], moved)
    if data.get("counter"):
        move_counter(w, load_counter(w.conn, data["counter"]), decision, tell=False)
    w.emit(kind, data)
    return moved


def move_counter(w: Writing, counter: Counter, decision: Decision, *, tell: bool = True) -> Counter:
    """The same for an event that is the counter's own."""
    kind, data = decision
    moved = apply_counter(counter, kind, data, w.now.at)
    save_counter(w.conn, moved)
    if tell:
        w.emit(kind, data)
    return moved
