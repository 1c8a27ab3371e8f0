"""What a server does with a batch: accept, skip what it has, ask for what is missing, refuse a fork, quarantine.

The rules are pure: a head, a batch, and a small storage that locks and writes. They know no HTTP, no Django and no
event's meaning: what does not fit is stored raw, marked and counted, and never blocks the feed. `SqliteStorage` is the
adapter for sqlite3; a server with another database brings its own.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

from sync import wire
from sync.wire import MAX_EVENT, START, Batch, Event, Header, Position

QUIET = timedelta(minutes=15)
"""After so long without a word in an epoch (a kiosk speaks every five minutes) its kiosk is taken to be gone."""

Code = Literal["ok", "gap", "fork"]
Check = Callable[[Event], str | None]  # why an event does not fit its type's schema; None if it does


@dataclass(frozen=True, slots=True)
class Row:
    """One event to store; `quarantined` says why it does not fit, None for a good one."""

    seq: int
    id: str
    type: str
    line: bytes
    quarantined: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What ingest did: its word, where the server stands now, how many rows are new, and which do not fit.

    `newest` is a later epoch that the server follows for this device ("": none is later); `contested`: another card
    still speaks in it, so that there are two kiosks of one name.
    """

    code: Code
    head: Position
    added: int = 0
    quarantined: Sequence[tuple[int, str]] = ()
    newest: str = ""
    contested: bool = False


class Followed(NamedTuple):
    """The epoch that a server follows for a device ("": none yet), and for how long nothing came in it."""

    epoch: str
    silent: timedelta


class Storage(Protocol):
    """What ingest needs of a database, all inside one transaction that the caller holds open around it."""

    def locked_head(self, device: str, epoch: str) -> Position:
        """The head of this device and epoch, START if unknown, locked until the transaction ends."""

    def stored(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The lines of those of these event ids (at most 500) that are stored, whatever their device."""

    def add(self, device: str, epoch: str, rows: Sequence[Row]) -> None:
        """Insert rows in this order, each with the next of the server's own numbers.

        Take these numbers from a locked one-row counter: an identity column shows rows to readers out of order.
        """

    def advance(self, header: Header, head: Position) -> None:
        """Keep the new head and the header's status, and follow the device's latest epoch."""

    def followed(self, device: str) -> Followed:
        """The device's latest epoch, after `advance`."""


def judge(head: Position, batch: Batch) -> tuple[Code, Sequence[bytes]]:
    """What a batch is to a server that stands at `head`, and which of its lines are new.

    The chain compares everything that was before: when the hash at `head` comes out the same, all bytes before it are.
    A batch that ends before `head` came late; nothing of it is new.
    """
    after, lines = batch.header.after, batch.lines
    known = head.seq - after.seq
    if known < 0:
        return "gap", ()
    if known > len(lines):
        return "ok", ()
    if wire.chain_all(after.hash, lines[:known]) != head.hash:
        return "fork", ()
    return "ok", lines[known:]


def ingest(storage: Storage, batch: Batch, check: Check | None = None) -> Result:
    """Take a checked batch in; the caller's transaction makes it durable. Repeating it changes nothing."""
    header = batch.header
    head = storage.locked_head(header.device, header.epoch)
    code, fresh = judge(head, batch)
    if code != "ok":
        return Result(code, head)
    rows = _new_rows(storage, head.seq, fresh, check)
    if rows:
        storage.add(header.device, header.epoch, rows)
    head = Position(head.seq + len(fresh), wire.chain_all(head.hash, fresh))
    storage.advance(header, head)
    unfit = [(row.seq, row.quarantined) for row in rows if row.quarantined]
    return Result("ok", head, len(rows), unfit, *_overtaken(header.epoch, storage.followed(header.device)))


def _overtaken(epoch: str, followed: Followed) -> tuple[str, bool]:
    """The later epoch that a batch's epoch stands behind, if any, and whether that one is still alive.

    A card that was flashed, or put back, counts its epochs from an earlier number: its kiosk has to go beyond. But two
    cards that both live would overtake each other for ever, each time with all their events. A time in the future says
    nothing: the server's clock was wrong then.
    """
    if followed.epoch <= epoch:
        return "", False
    return followed.epoch, timedelta(0) <= followed.silent < QUIET


def _new_rows(storage: Storage, last: int, lines: Sequence[bytes], check: Check | None) -> list[Row]:
    """Rows for the lines that the server does not have yet. An id that it has advances the head without a row."""
    rows = [to_row(seq, line, check) for seq, line in enumerate(lines, last + 1)]
    known = dict(storage.stored([row.id for row in rows])) if rows else {}
    new = []
    for row in rows:
        if known.get(row.id, row.line) != row.line:
            row = Row(row.seq, _line_id(row.line), row.type, row.line, f"the id {row.id} came before with other bytes")
            known |= storage.stored([row.id])
        if row.id not in known:
            known[row.id] = row.line
            new.append(row)
    return new


def to_row(seq: int, line: bytes, check: Check | None = None) -> Row:
    """The row of a line. A line that is no event gets an id made of its bytes, to be known when it comes again."""
    try:
        event = wire.decode_event(line, seq)
    except wire.BadEvent as error:
        return Row(seq, _line_id(line), "", line, str(error)[:200])
    reason = f"{len(line)} bytes, at most {MAX_EVENT}" if len(line) > MAX_EVENT else check(event) if check else None
    return Row(seq, event.id, event.type, line, reason)


def _line_id(line: bytes) -> str:
    return f"line:{hashlib.sha256(line).hexdigest()[:32]}"


def answer(result: Result, epoch: str, now: datetime, **more: Any) -> tuple[int, dict[str, Any]]:
    """HTTP status and JSON body of a result; `more` adds office, board and next_s to an acceptance."""
    if result.code != "ok":
        return 409, {"code": result.code, "epoch": epoch, "head": result.head.wire()}
    quarantined = [{"seq": seq, "reason": reason} for seq, reason in result.quarantined]
    body = {"epoch": epoch, "head": result.head.wire(), "now": wire.instant(now), **more}
    newest = {"newest": result.newest} if result.newest and not result.contested else {}
    return 200, {**body, "quarantined": quarantined, **newest}


SCHEMA = (
    "CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), num INTEGER NOT NULL)",
    "INSERT OR IGNORE INTO counter VALUES (1, 0)",
    """CREATE TABLE IF NOT EXISTS heads (
        device TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (device, epoch)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS devices (
        device TEXT PRIMARY KEY, epoch TEXT NOT NULL, head INTEGER NOT NULL, status TEXT NOT NULL, seen TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS events (
        num INTEGER PRIMARY KEY, device TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
        id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, line BLOB NOT NULL, quarantined TEXT, received TEXT NOT NULL,
        UNIQUE (device, epoch, seq)
    )""",
)


class SqliteStorage:
    """The storage on sqlite3. `conn` autocommits (isolation_level=None); `now` is the server's time."""

    def __init__(self, conn: sqlite3.Connection, now: Callable[[], datetime]) -> None:
        self._conn, self._now = conn, now
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA busy_timeout = 5000")
        with self.writing():
            for statement in SCHEMA:
                conn.execute(statement)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; BEGIN IMMEDIATE locks every head and the counter at once."""
        self._conn.execute("BEGIN IMMEDIATE")
        with self._conn:
            yield

    def locked_head(self, device: str, epoch: str) -> Position:
        row = self._conn.execute("SELECT seq, hash FROM heads WHERE device = ? AND epoch = ?", (device, epoch))
        return Position(*(row.fetchone() or START))

    def stored(self, ids: Sequence[str]) -> dict[str, bytes]:
        marks = ",".join("?" * len(ids))
        return dict(self._conn.execute(f"SELECT id, line FROM events WHERE id IN ({marks})", ids))

    def add(self, device: str, epoch: str, rows: Sequence[Row]) -> None:
        first = self._conn.execute("SELECT num FROM counter").fetchone()[0] + 1
        received = wire.instant(self._now())
        self._conn.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (num, device, epoch, row.seq, row.id, row.type, row.line, row.quarantined, received)
                for num, row in enumerate(rows, first)
            ),
        )
        self._conn.execute("UPDATE counter SET num = num + ?", (len(rows),))

    def advance(self, header: Header, head: Position) -> None:
        device, epoch = header.device, header.epoch
        self._conn.execute(
            "INSERT INTO heads VALUES (?, ?, ?, ?)"
            " ON CONFLICT (device, epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
            (device, epoch, *head),
        )
        # A batch that comes late is stored, but says nothing about how the device is now.
        self._conn.execute(
            "INSERT INTO devices VALUES (?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET epoch = excluded.epoch,"
            " head = excluded.head, status = excluded.status, seen = excluded.seen"
            " WHERE (excluded.epoch, excluded.head) >= (epoch, head)",
            (device, epoch, header.head, json.dumps(header.status, ensure_ascii=False), wire.instant(self._now())),
        )

    def followed(self, device: str) -> Followed:
        row = self._conn.execute("SELECT epoch, seen FROM devices WHERE device = ?", (device,)).fetchone()
        return Followed(row[0], self._now() - wire.parse_instant(row[1])) if row else Followed("", timedelta(0))

    def stats(self) -> dict[str, Any]:
        """Counts and devices, for a status page: {"events": …, "quarantined": …, "devices": [{…}]}."""
        events, quarantined = self._conn.execute("SELECT count(*), count(quarantined) FROM events").fetchone()
        rows = self._conn.execute(
            "SELECT device, epoch, coalesce(seq, 0), head, status, seen FROM devices"
            " LEFT JOIN heads USING (device, epoch) ORDER BY device"
        )
        names = ("device", "epoch", "received", "head", "status", "seen")
        devices = [dict(zip(names, row, strict=True)) | {"status": json.loads(row[4])} for row in rows]
        return {"events": events, "quarantined": quarantined, "devices": devices}
