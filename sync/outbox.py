"""The device's events on a given connection: one append-only table that is outbox, feed and audit log in one.

It knows SQL and the chain; it refuses to know tickets, networks and files. The functions never begin or commit: a
writer runs inside the caller's BEGIN IMMEDIATE, a reader inside any transaction that gives it one snapshot. Only the
class Outbox at the end opens short transactions of its own, for those who carry events away.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain as concat
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from sync import wire
from sync.wire import MAX_BATCH, MAX_EVENTS, START, ZERO, Event, Position, Stamp

logger = logging.getLogger(__name__)

TABLES = (
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, line BLOB NOT NULL, hash BLOB NOT NULL)",
    """CREATE TABLE events_damaged (
        id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, line BLOB, hash BLOB
    )""",
    # base is the last pruned event; its hash is where the chain of the retained ones begins.
    """CREATE TABLE feed (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch TEXT NOT NULL DEFAULT '',
        cursor INTEGER NOT NULL DEFAULT 0,
        base INTEGER NOT NULL DEFAULT 0,
        base_hash BLOB NOT NULL DEFAULT (zeroblob(16)),
        answer TEXT NOT NULL DEFAULT '{}'
    )""",
    "INSERT INTO feed (one) VALUES (1)",
    # Up to which number the server had acknowledged on each of its days: what retention counts from.
    "CREATE TABLE feed_marks (day TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
)
_CHUNK = 1000

Code = Literal["ok", "gap", "fork"]


class OutboxError(RuntimeError):
    """The feed cannot go on as asked."""


class NeedsNewEpoch(OutboxError):
    """Device and server can only agree again in a new epoch that sends every retained event once more."""

    beyond = ""  # an epoch that the new one must go beyond, whatever the device's own counter says

    def __init__(self, seq: int, message: str) -> None:
        super().__init__(message)
        self.seq = seq


class Damaged(NeedsNewEpoch):
    """A stored event does not fit the chain, or is missing."""


class RolledBack(NeedsNewEpoch):
    """The server has events that this database does not: the disk was rolled back."""


class Forked(NeedsNewEpoch):
    """The server has other bytes under the same number, or stands before the first retained event."""


class Overtaken(NeedsNewEpoch):
    """The server has a later epoch of this device: a card was replaced or put back. The new one goes beyond it."""

    def __init__(self, epoch: str) -> None:
        super().__init__(0, f"the server knows the later epoch {epoch} of this kiosk")
        self.beyond = epoch


class Feed(NamedTuple):
    """The one row that says where the feed stands."""

    epoch: str
    cursor: int
    base: Position


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked stretch of the feed: what stands after a position, ready to be carried away."""

    epoch: str
    after: Position
    lines: Sequence[bytes]
    end: Position
    head: int

    def batch(self, device: str, status: Mapping[str, Any]) -> wire.Batch:
        """The batch for the wire; `head` tells the server how much is still to come."""
        count = len(self.lines)
        header = wire.Header(device, self.epoch, self.after, count, self.head, self.end.hash, status)
        return wire.Batch(header, self.lines)


def create(conn: sqlite3.Connection) -> None:
    """Make the tables; for a numbered migration. The feed has no epoch until start_epoch."""
    for statement in TABLES:
        conn.execute(statement)


def append(conn: sqlite3.Connection, type: str, data: Mapping[str, Any], stamp: Stamp) -> int:
    """Add one event and return its number. Belongs in the same transaction as the fact that it tells.

    Raises wire.EventTooLarge over 8 KiB and wire.BadEvent for values that JSON cannot carry.
    """
    line = wire.event_line(type, data, stamp)
    last = conn.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = last or head(conn)
    # A damaged hash must not stop the office; the next reading finds it.
    own = wire.chain(before if isinstance(before, bytes) else ZERO, line)
    conn.execute("INSERT INTO events (seq, line, hash) VALUES (?, ?, ?)", (seq + 1, line, own))
    return int(seq) + 1


def head(conn: sqlite3.Connection) -> Position:
    """The number and hash of the last event; of the last pruned one if none is left; (0, zeros) at first."""
    row = conn.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    return Position(*row) if row else feed(conn).base


def feed(conn: sqlite3.Connection) -> Feed:
    """Epoch, cursor (last acknowledged number) and base (last pruned event)."""
    row = conn.execute("SELECT epoch, cursor, base, base_hash FROM feed").fetchone()
    return Feed(row[0], row[1], Position(row[2], row[3]))


def epoch(conn: sqlite3.Connection) -> str:
    """The current epoch; empty before the first start_epoch."""
    return feed(conn).epoch


def backlog(conn: sqlite3.Connection) -> int:
    """How many events no server has acknowledged."""
    return max(0, head(conn).seq - feed(conn).cursor)


def oldest(conn: sqlite3.Connection) -> bytes | None:
    """The line of the first event that no server has acknowledged; None when none waits."""
    row = conn.execute("SELECT line FROM events WHERE seq > ? ORDER BY seq LIMIT 1", (feed(conn).cursor,)).fetchone()
    return row[0] if row and isinstance(row[0], bytes) else None


def hash_at(conn: sqlite3.Connection, seq: int) -> bytes | None:
    """Our chain's hash after event `seq`; None if that event is pruned or was never here."""
    base = feed(conn).base
    if seq == base.seq:
        return base.hash
    row = conn.execute("SELECT hash FROM events WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row and seq > base.seq else None


def read_batch(
    conn: sqlite3.Connection, after_seq: int | None = None, limit: int = MAX_EVENTS, max_bytes: int = MAX_BATCH
) -> Reading:
    """The events after `after_seq` (default: the cursor), at most `limit` of them and `max_bytes` with line feeds.

    The chain is checked before anything is sent: Damaged names the first event that does not fit. RolledBack: this
    database ends before the position. OutboxError: the feed has no epoch.
    """
    name, cursor, base = feed(conn)
    if not name:
        raise OutboxError("the feed has no epoch: call start_epoch first")
    start = cursor if after_seq is None else max(after_seq, base.seq)
    last = head(conn).seq
    if start > last:
        raise RolledBack(start, f"event {start} was acknowledged, but the database ends at {last}")
    before = hash_at(conn, start)
    if before is None:
        raise Damaged(start, f"event {start} is missing")
    lines, end = _stretch(conn, Position(start, before), last, limit, max_bytes)
    return Reading(name, Position(start, before), lines, end, last)


def _stretch(
    conn: sqlite3.Connection, end: Position, last: int, limit: int, max_bytes: int
) -> tuple[list[bytes], Position]:
    """The lines after `end` and the position after them, each compared with its stored hash."""
    lines: list[bytes] = []
    rows = conn.execute("SELECT seq, line, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (end.seq, limit))
    for seq, line, stored in rows:
        if seq != end.seq + 1 or not isinstance(line, bytes) or wire.chain(end.hash, line) != stored:
            raise Damaged(end.seq + 1, f"event {end.seq + 1} does not fit the chain")
        max_bytes -= len(line) + 1
        if lines and max_bytes < 0:
            break
        lines.append(line)
        end = Position(seq, stored)
    return lines, end


def acknowledge(conn: sqlite3.Connection, epoch: str, seq: int, hash: bytes, at: datetime | None = None) -> bool:
    """The server has everything up to `seq`: move the cursor, the only thing that does; True if it moved.

    An answer about another epoch or an older position changes nothing. `at` is the server's time, from which retention
    counts. Raises RolledBack if the server is beyond our last event, Forked if its hash is not ours.
    """
    now = feed(conn)
    if epoch != now.epoch:
        return False
    _own(conn, Position(seq, hash), now.base)
    moved = seq > now.cursor
    if moved:
        conn.execute("UPDATE feed SET cursor = ?", (seq,))
    if at is not None:
        _mark(conn, at, max(seq, now.cursor))
    return moved


def rewind(conn: sqlite3.Connection, epoch: str, seq: int, hash: bytes) -> bool:
    """The server stands at `seq` (restored from a backup): send again from there; True if the cursor moved.

    Raises Forked if the hash is not ours or the events after it are pruned, RolledBack if it is beyond our last event.
    """
    now = feed(conn)
    if epoch != now.epoch:
        return False
    if seq < now.base.seq:
        raise Forked(seq, f"the server stands at {seq}, but only events after {now.base.seq} are retained")
    _own(conn, Position(seq, hash), now.base)
    conn.execute("UPDATE feed SET cursor = ?", (seq,))
    conn.execute("DELETE FROM feed_marks WHERE seq > ?", (seq,))
    return seq != now.cursor


def _own(conn: sqlite3.Connection, theirs: Position, base: Position) -> None:
    """Raise unless the server's position is one of ours, or lies before what is retained."""
    last = head(conn).seq
    if theirs.seq > last:
        raise RolledBack(theirs.seq, f"the server has {theirs.seq} events of this epoch, this database only {last}")
    if theirs.seq >= base.seq and hash_at(conn, theirs.seq) != theirs.hash:
        raise Forked(theirs.seq, f"the server has other bytes in event {theirs.seq} or before it")


def _mark(conn: sqlite3.Connection, at: datetime, seq: int) -> None:
    conn.execute(
        "INSERT INTO feed_marks (day, seq) VALUES (?, ?)"
        " ON CONFLICT (day) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq",
        (wire.instant(at)[:10], seq),
    )


def prune(conn: sqlite3.Connection, keep_days: int, now: datetime) -> int:
    """Delete events whose acknowledgement is more than `keep_days` old; return how many. Others are never deleted.

    Counted in the server's days and never beyond its last answer, so that no jump of our own clock deletes anything
    early. `keep_days` must be longer than the age of the server's oldest backup: after a restore the server asks for
    what came later, and a pruned event cannot be sent again.
    """
    newest = conn.execute("SELECT max(day) FROM feed_marks").fetchone()[0]
    if newest is None:
        return 0
    today = min(wire.instant(now)[:10], newest)
    oldest = (datetime.fromisoformat(today) - timedelta(days=keep_days)).date().isoformat()
    limit = conn.execute("SELECT max(seq) FROM feed_marks WHERE day < ?", (oldest,)).fetchone()[0] or 0
    return _prune_to(conn, min(limit, feed(conn).cursor))


def _prune_to(conn: sqlite3.Connection, limit: int) -> int:
    base, hash = feed(conn).base, hash_at(conn, limit)
    if limit <= base.seq or hash is None:
        return 0
    gone = conn.execute("DELETE FROM events WHERE seq <= ?", (limit,)).rowcount
    conn.execute("UPDATE feed SET base = ?, base_hash = ?", (limit, hash))
    conn.execute("DELETE FROM feed_marks WHERE seq <= ?", (limit,))
    return gone


def events(conn: sqlite3.Connection, after: int = 0, types: Collection[str] | None = None) -> Iterator[Event]:
    """The retained events after number `after`, in order, for rebuilding and audit. Raises Damaged."""
    for seq, line, _ in _rows(conn, after):
        try:
            event = wire.decode_event(line, seq)
        except (wire.BadEvent, AttributeError) as error:
            raise Damaged(seq, f"event {seq} cannot be read: {error}") from error
        if types is None or event.type in types:
            yield event


def note(conn: sqlite3.Connection, answer: Mapping[str, Any]) -> None:
    """Keep what the server said last, for the technician's page."""
    conn.execute("UPDATE feed SET answer = ?", (json.dumps(answer, ensure_ascii=False),))


def last_answer(conn: sqlite3.Connection) -> dict[str, Any]:
    """What note kept; empty before the first answer."""
    return dict(json.loads(conn.execute("SELECT answer FROM feed").fetchone()[0]))


class _Row(NamedTuple):
    seq: int
    line: Any
    hash: Any


@dataclass(frozen=True, slots=True)
class Damage:
    """`count` events from number `seq` on that are lost or altered; `row` is what was found, if anything."""

    seq: int
    count: int
    row: _Row | None


def start_epoch(conn: sqlite3.Connection, epoch: str, stamp: Stamp) -> None:
    """Begin a new epoch: number the retained events from 1, compute the chain again, cursor 0, so that all are sent.

    A damaged row is copied to `events_damaged`, taken out, and told as `event.damaged {epoch, seq, count}`. Raises
    OutboxError unless the new epoch's counter is greater than the old one's.
    """
    old = feed(conn).epoch
    if wire.epoch_counter(epoch) <= wire.epoch_counter(old):
        raise OutboxError(f"epoch {epoch} is not after {old}: raise the counter")
    found = _renumber(conn, old)
    conn.execute("UPDATE feed SET epoch = ?, cursor = 0, base = 0, base_hash = ?", (epoch, ZERO))
    conn.execute("DELETE FROM feed_marks")
    for damage in found:
        append(conn, "event.damaged", {"epoch": old, "seq": damage.seq, "count": damage.count}, stamp)


def _renumber(conn: sqlite3.Connection, old_epoch: str) -> list[Damage]:
    """Close the ranks in place: a new number is never above the old one, so its place is already free."""
    found: list[Damage] = []
    changes: list[tuple[int, bytes, int]] = []
    end = START
    for item in _checked(conn):
        if isinstance(item, Damage):
            found.append(item)
            _set_aside(conn, item, old_epoch)
            continue
        end = Position(end.seq + 1, wire.chain(end.hash, item.line))
        if end != (item.seq, item.hash):
            changes.append((end.seq, end.hash, item.seq))
        if len(changes) >= _CHUNK:
            _move(conn, changes)
    _move(conn, changes)
    return found


def _move(conn: sqlite3.Connection, changes: list[tuple[int, bytes, int]]) -> None:
    conn.executemany("UPDATE events SET seq = ?, hash = ? WHERE seq = ?", changes)
    changes.clear()


def _set_aside(conn: sqlite3.Connection, damage: Damage, old_epoch: str) -> None:
    line, hash = (damage.row.line, damage.row.hash) if damage.row else (None, None)
    conn.execute(
        "INSERT INTO events_damaged (epoch, seq, line, hash) VALUES (?, ?, ?, ?)", (old_epoch, damage.seq, line, hash)
    )
    if damage.row:
        conn.execute("DELETE FROM events WHERE seq = ?", (damage.seq,))


def _checked(conn: sqlite3.Connection) -> Iterator[_Row | Damage]:
    """Every retained row in order, sound ones as they are and the others as Damage."""
    base = feed(conn).base
    expected = base.seq + 1
    before: bytes | None = base.hash if isinstance(base.hash, bytes) else None
    nothing = _Row(0, None, None)
    for row, following in pairwise(concat(_rows(conn, base.seq), [nothing])):
        if row.seq != expected:
            yield Damage(expected, row.seq - expected, None)
            before = None
        own = _judge(before, row, following)
        yield row if own else Damage(row.seq, 1, row)
        expected, before = row.seq + 1, own or (row.hash if isinstance(row.hash, bytes) else None)


def _judge(before: bytes | None, row: _Row, following: _Row) -> bytes | None:
    """The hash after a sound row; None for a damaged one."""
    if not isinstance(row.line, bytes):
        return None
    if before is None:  # the row before is lost: all that can be asked is that this one reads as an event
        return row.hash if isinstance(row.hash, bytes) and _reads(row.line) else None
    own = wire.chain(before, row.line)
    # When only the stored hash was damaged, the next row still fits what it should have been.
    fits_next = (
        following.seq == row.seq + 1
        and isinstance(following.line, bytes)
        and wire.chain(own, following.line) == following.hash
    )
    return own if own == row.hash or fits_next else None


def _reads(line: bytes) -> bool:
    try:
        wire.decode_event(line)
    except wire.BadEvent:
        return False
    return True


def _rows(conn: sqlite3.Connection, after: int) -> Iterator[_Row]:
    """Rows in order, fetched a chunk at a time, so that the reader may change those that it has passed."""
    while chunk := conn.execute(
        "SELECT seq, line, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, _CHUNK)
    ).fetchall():
        yield from (_Row(*row) for row in chunk)
        after = chunk[-1][0]


@contextmanager
def _transaction(conn: sqlite3.Connection, kind: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
    conn.execute(f"BEGIN {kind}")
    with conn:
        yield


@dataclass(frozen=True, slots=True)
class Outbox:
    """What those who carry events away (push, export) need: each method is one short transaction.

    `connect` gives a connection for the length of a `with` (contextlib.closing of a fresh one, or nullcontext of a
    kept one). `next_epoch` raises the device's epoch counter durably, beyond the number that it is given too, and
    returns wire.new_epoch of it; it is called inside the write transaction. `stamp` is asked when a damaged event has
    to be told.
    """

    connect: Callable[[], AbstractContextManager[sqlite3.Connection]]
    next_epoch: Callable[[sqlite3.Connection, int], str]
    stamp: Callable[[], Stamp]

    def read(self, after_seq: int | None = None, limit: int = MAX_EVENTS, max_bytes: int = MAX_BATCH) -> Reading:
        """read_batch on a snapshot of its own."""
        with self.connect() as conn, _transaction(conn, "DEFERRED"):
            return read_batch(conn, after_seq, limit, max_bytes)

    def settle(
        self, epoch: str, code: Code, position: Position, at: datetime | None, answer: Mapping[str, Any] | None = None
    ) -> bool:
        """Take over a server's answer about `epoch`: True if the cursor moved. Raises NeedsNewEpoch.

        `at` is the server's time; `answer` is noted in the same transaction.
        """
        with self.connect() as conn, _transaction(conn, "IMMEDIATE"):
            if answer is not None:
                note(conn, answer)
            if code == "fork" and epoch == feed(conn).epoch:
                raise Forked(position.seq, "the server has other bytes under the same numbers")
            if code == "gap":
                return rewind(conn, epoch, *position)
            return code == "ok" and acknowledge(conn, epoch, *position, at=at)

    def renew(self, epoch: str, why: str, beyond: str = "") -> None:
        """Start a new epoch, greater than `beyond` too, unless somebody already did since `epoch`."""
        with self.connect() as conn, _transaction(conn, "IMMEDIATE"):
            if feed(conn).epoch != epoch:
                return
            # A card can bring a database whose epoch its own counter does not know.
            new = self.next_epoch(conn, max(wire.epoch_counter(epoch), wire.epoch_counter(beyond)))
            start_epoch(conn, new, self.stamp())
        logger.warning("new epoch %s: %s", new, why)

    def feed(self) -> tuple[Feed, Position]:
        """Where the feed stands, and its head."""
        with self.connect() as conn, _transaction(conn, "DEFERRED"):
            return feed(conn), head(conn)

    def backlog(self) -> int:
        """How many events no server has acknowledged."""
        with self.connect() as conn, _transaction(conn, "DEFERRED"):
            return backlog(conn)

    def note(self, answer: Mapping[str, Any]) -> None:
        """Keep what the server said last."""
        with self.connect() as conn, _transaction(conn, "IMMEDIATE"):
            note(conn, answer)
