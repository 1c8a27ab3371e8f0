"""The queue of spoken calls in the database. Any process adds to it, within the move that calls; one speaks.

waiting → speaking → done, or dropped when it would help nobody any more (`kiosk.calls` decides).
"""

import sqlite3
from collections.abc import Collection

from kiosk.calls import KINDS, SpokenCall, choose, late
from kiosk.clock import Clock, Moment, elapsed_s
from kiosk.store.database import Database, Writing
from kiosk.tickets import text_of, ticket_of, time_of

# Word for word the condition of the partial index, or SQLite does not take it.
_OPEN = "FROM spoken_calls INDEXED BY spoken_calls_open WHERE state IN ('waiting', 'speaking')"


def add(w: Writing, kind: str, counter: str = "", ticket_id: str = "") -> None:
    """Have something said: committed together with the move that it tells of, or not at all."""
    w.conn.execute(
        "INSERT INTO spoken_calls (kind, ticket, counter, made_at, boot, mono, state, why)"
        " VALUES (?, ?, ?, ?, ?, ?, 'waiting', '')",
        (kind, ticket_id, counter, text_of(w.now.at), w.now.boot, w.now.mono),
    )


def withdraw(conn: sqlite3.Connection, counter: str, made_at: str) -> None:
    """The counter's move of that moment (as `text_of` writes it) is taken back: what it says and was not begun goes."""
    conn.execute(
        "DELETE FROM spoken_calls WHERE id IN"
        f" (SELECT id {_OPEN} AND state = 'waiting' AND counter = ? AND made_at = ?)",
        (counter, made_at),
    )


def clear(conn: sqlite3.Connection) -> None:
    """A new day or session: only what is about somebody who is at a counter right now stays."""
    conn.execute(
        "DELETE FROM spoken_calls WHERE state NOT IN ('waiting', 'speaking') OR NOT EXISTS"
        " (SELECT 1 FROM tickets WHERE tickets.id = spoken_calls.ticket AND tickets.state IN ('called', 'serving'))"
    )


def apologise(database: Database, now: Moment, every_min: float) -> bool:
    """Have the long wait apologised for, unless that was done less than `every_min` ago; whether it will be said."""
    if _apologised(database, now, every_min):
        return False
    with database.writing(now) as w:
        add(w, "apology")
    return True


def _apologised(database: Database, now: Moment, every_min: float) -> bool:
    row = database.row("SELECT made_at, boot, mono FROM spoken_calls WHERE kind = 'apology' ORDER BY id DESC LIMIT 1")
    if row is None:
        return False
    age_s = elapsed_s(now, time_of(row["made_at"]), row["boot"], row["mono"], believed=True)
    return age_s is not None and 0 <= age_s < every_min * 60


class Calls:
    """The queue as the one who speaks sees it. One object, one connection, that thread's own.

    `kinds` are those that this device says.
    """

    def __init__(self, database: Database, clock: Clock, kinds: Collection[str] = KINDS) -> None:
        self.database = database
        self.clock = clock
        self.kinds = kinds

    def recover(self) -> int:
        """After a restart: fresh calls are said, a half-said one again from its start; how many late ones are not."""
        if not self.database.row(f"SELECT 1 {_OPEN}"):
            return 0
        with self.database.writing(self.clock.now()) as w:
            rows = w.conn.execute(f"SELECT * {_OPEN}").fetchall()
            old = [row["id"] for row in rows if late(_age_s(w.now, row))]
            for id in old:
                _drop(w.conn, id, "late")
            w.conn.execute(
                f"UPDATE spoken_calls SET state = 'waiting' WHERE id IN (SELECT id {_OPEN} AND state = 'speaking')"
            )
        return len(old)

    def claim(self) -> SpokenCall | None:
        """The next one to say, now `speaking`; those that nobody needs to hear any more end here."""
        if not self.database.row(f"SELECT 1 {_OPEN} AND state = 'waiting' LIMIT 1"):
            return None
        with self.database.writing(self.clock.now()) as w:
            rows = w.conn.execute(f"SELECT * {_OPEN} AND state = 'waiting' ORDER BY id").fetchall()
            choice = choose([_call(w.conn, row) for row in rows], self.kinds)
            for id, why in choice.dropped.items():
                _drop(w.conn, id, why)
            if choice.call:
                w.conn.execute("UPDATE spoken_calls SET state = 'speaking' WHERE id = ?", (choice.call.id,))
        return choice.call

    def done(self, call: SpokenCall) -> None:
        """It was said."""
        with self.database.writing(self.clock.now()) as w:
            w.conn.execute("UPDATE spoken_calls SET state = 'done' WHERE id = ?", (call.id,))


def _age_s(now: Moment, row: sqlite3.Row) -> float | None:
    """Only within a boot: no computer starts in less time than a call stays fresh."""
    return elapsed_s(now, time_of(row["made_at"]), row["boot"], row["mono"], believed=False)


def _call(conn: sqlite3.Connection, row: sqlite3.Row) -> SpokenCall:
    ticket = conn.execute("SELECT * FROM tickets WHERE id = ?", (row["ticket"],)).fetchone()
    return SpokenCall(row["id"], row["kind"], row["counter"], ticket_of(ticket) if ticket else None)


def _drop(conn: sqlite3.Connection, id: int, why: str) -> None:
    conn.execute("UPDATE spoken_calls SET state = 'dropped', why = ? WHERE id = ?", (why, id))
