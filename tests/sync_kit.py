"""A device with a real database, for the sync tests.

Its fake parts: a clock that is moved by hand, and a high-water file that is a number in memory (no fsync is imitated).
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync import outbox, wire
from sync.outbox import Outbox

TOKEN = "token-for-tests"
DEVICE = "k-7F3K2M"
OPENING = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)


def connect(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None, timeout=5)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    return conn


class Device:
    def __init__(self, path: Path) -> None:
        self.path, self.now, self.counter = path, OPENING, 0
        with closing(connect(path)) as conn, conn:
            conn.execute("BEGIN IMMEDIATE")
            outbox.create(conn)
            outbox.start_epoch(conn, self.next_epoch(conn), self.stamp())
        self.outbox = Outbox(lambda: closing(connect(path)), self.next_epoch, self.stamp)

    def next_epoch(self, conn: sqlite3.Connection, after: int = 0) -> str:
        self.counter = max(self.counter, after) + 1
        return wire.new_epoch(self.counter)

    def stamp(self) -> wire.Stamp:
        self.now += timedelta(milliseconds=1)
        return wire.Stamp(self.now, "ntp", "7f3a9c12", int(self.now.timestamp() * 1000) % 10**9)

    def happen(self, count: int = 1, **data: object) -> list[str]:
        """Events that really happen: their ids."""
        first = self.outbox.feed()[1].seq
        with closing(connect(self.path)) as conn, conn:
            conn.execute("BEGIN IMMEDIATE")
            for number in range(count):
                outbox.append(conn, "ticket.issued", {"number": f"{first + number + 1:04}", **data}, self.stamp())
            return [event.id for event in outbox.events(conn, first)]

    def ids(self) -> list[str]:
        with closing(connect(self.path)) as conn:
            return [event.id for event in outbox.events(conn)]

    def types(self) -> list[str]:
        with closing(connect(self.path)) as conn:
            return [event.type for event in outbox.events(conn)]

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What only a broken disk does."""
        with closing(connect(self.path)) as conn:
            return conn.execute(statement, values).fetchall()

    @property
    def cursor(self) -> int:
        return self.outbox.feed()[0].cursor

    @property
    def head(self) -> int:
        return self.outbox.feed()[1].seq

    @property
    def epoch(self) -> str:
        return self.outbox.feed()[0].epoch


def stored_ids(db: Path | sqlite3.Connection) -> list[str]:
    """The event ids that a server holds, in its own order."""
    if isinstance(db, sqlite3.Connection):
        return [row[0] for row in db.execute("SELECT id FROM events ORDER BY num")]
    with closing(sqlite3.connect(db)) as conn:
        return stored_ids(conn)
