"""Databases to measure on: the bare one that the store is compared with, and ones with years of tickets in them."""

import hashlib
import os
import random
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from kiosk.store import Store
from kiosk.store.prepare import prepare
from tests.office import OPENING, moment, open_store

A_DAY = 400
"""Tickets of a busy day."""
ISSUED = "json_extract(CAST(line AS TEXT), '$.type') = 'ticket.issued'"


class Floor:
    """The rows of a ticket written by sqlite3 alone, with the same tables, indexes and durability: nothing is less."""

    def __init__(self, folder: Path, model: sqlite3.Connection) -> None:
        prepare(folder, moment(-3600))
        self.model = model
        self.conn = sqlite3.connect(folder / "kiosk.db", isolation_level=None)
        self.conn.execute("PRAGMA journal_mode=WAL")
        self.conn.execute("PRAGMA synchronous=FULL")
        for table in ("events", "tickets", "numbers", "jobs"):
            self.conn.execute(f"DELETE FROM {table}")
        self._seen = self._last_event()

    def _last_event(self) -> int:
        return int(self.model.execute("SELECT max(seq) FROM events").fetchone()[0])

    def rows(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Statements for what the model's last ticket wrote."""
        ask = self.model.execute
        ticket = tuple(ask("SELECT * FROM tickets ORDER BY arrival DESC LIMIT 1").fetchone())
        job = tuple(ask("SELECT * FROM jobs ORDER BY id DESC LIMIT 1").fetchone())
        events = ask(
            f"SELECT seq, line, hash FROM events WHERE seq > ? AND {ISSUED} ORDER BY seq", (self._seen,)
        ).fetchall()
        self._seen = self._last_event()
        number = ask(
            "SELECT n.series, n.service, n.n FROM numbers n JOIN tickets t USING (series, service)"
            " ORDER BY t.arrival DESC LIMIT 1"
        ).fetchone()
        raised = "INSERT INTO numbers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = excluded.n"
        return [
            (raised, tuple(number)),
            (_insert("tickets", len(ticket)), ticket),
            *((_insert("events", 3), tuple(event)) for event in events),
            (_insert("jobs", len(job)), job),
        ]

    def write(self, rows: list[tuple[str, tuple[Any, ...]]]) -> None:
        """The transaction."""
        self.conn.execute("BEGIN IMMEDIATE")
        for sql, values in rows:
            self.conn.execute(sql, values)
        self.conn.execute("COMMIT")

    def close(self) -> None:
        self.conn.close()


def _insert(table: str, columns: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"


def filled(folder: Path, count: int) -> Store:
    """A store with so many tickets of the years before: served, with their events and slips."""
    store = open_store(folder)
    store.issuing.issue(moment(-86400 * 3000), "ho-tich", by="staff")
    store.counters.open(moment(-86400 * 3000), "1")
    store.counters.call_next(moment(-86400 * 3000), "1")
    store.counters.finish(moment(-86400 * 3000 + 300), "1")
    conn = store.database.conn
    ticket = dict(conn.execute("SELECT * FROM tickets").fetchone())
    line = bytes(conn.execute(f"SELECT line FROM events WHERE {ISSUED}").fetchone()[0])
    head = conn.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    conn.execute("PRAGMA journal_mode=OFF")
    conn.execute("BEGIN")
    conn.executemany(_insert("tickets", len(ticket)), _tickets(ticket, count))
    conn.executemany(_insert("events", 3), _events(head[0], head[1], line.split(ticket["token"].encode()), count))
    conn.executemany(
        "INSERT INTO jobs SELECT id + ?, ticket, 'done', copy, made_at, boot, mono, ahead, wait_low, wait_high,"
        " why, language FROM jobs WHERE id = 1",
        ((n,) for n in range(1, count + 1)),
    )
    conn.execute("COMMIT")
    store.close()
    return _reopened(folder)


def _reopened(folder: Path) -> Store:
    """Back in WAL, and on the disk, so that what was filled in is not written while issuing is measured."""
    store = open_store(folder)
    with (folder / "kiosk.db").open("rb") as file:
        os.fsync(file.fileno())
    return store


def _tickets(model: dict[str, Any], count: int) -> Iterator[tuple[Any, ...]]:
    """Served tickets, A_DAY a day up to yesterday. Ids rise with time as the store's do, tokens are random."""
    first = OPENING.date() - timedelta(days=count // A_DAY + 1)
    chance = random.Random(1)
    services = ["ho-tich", "chung-thuc", "dat-dai", "bao-tro"]
    for n in range(count):
        day = _iso(first, n)
        service = services[n % 4]
        own = {
            "arrival": n + 2,
            "id": str(uuid.UUID(int=n + 1 << 64 | chance.getrandbits(62))),
            "token": f"{chance.getrandbits(80):020X}"[:16] + f"{n:X}",
            "series": day,
            "service": service,
            "queue": service,
            "seq": n % A_DAY + 1,
            "issued_at": f"{day}T01:00:00.000Z",
            "last_called_at": f"{day}T01:10:00.000Z",
            "started_at": f"{day}T01:10:{n % 60:02}.000Z",
            "ended_at": f"{day}T01:20:{n % 60:02}.000Z",
        }
        yield tuple({**model, **own}.values())


def _iso(first: date, n: int) -> str:
    return (first + timedelta(days=n // A_DAY)).isoformat()


def _events(seq: int, before: bytes, line: list[bytes], count: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Events in their chain; `line` is a real one, split where its ticket's token stands."""
    for n in range(seq + 1, seq + 1 + count):
        own = secrets.token_hex(8).upper().encode().join(line)
        before = hashlib.sha256(before + own).digest()[:16]
        yield n, own, before
