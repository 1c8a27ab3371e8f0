"""One connection, one way to write: a fact and its event in the same transaction.

Every write happens inside `with database.writing(now) as w:`. BEGIN IMMEDIATE takes the write lock before anything is
read, because read-then-write from several processes fails with "database is locked" otherwise.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kiosk.clock import Moment
from kiosk.store.highwater import HighWater
from kiosk.tickets import Data, Ticket
from sync import outbox, wire

BUSY_MS = 5000
DAMAGED = "damaged"
"""A file of this name asks every process to let go of the database, so that it can be set aside."""
READABLE = "readable_from"
"""The fact under which a release notes the oldest schema that can work with its tables."""
LOW_DISK_MB = 500
"""Free space below which staff is warned."""
BALLAST_BYTES = 4 * 1024 * 1024

logger = logging.getLogger(__name__)


class StoreError(OSError):
    """The database cannot be written now; the message says what to do. Nothing was committed.

    The message is for the log. Where people read it, `key` names the same sentence under [store] in the language files,
    and `values` fill it. `retry`: the cause was just removed, and the same write will probably succeed.
    """

    retry = False

    def __init__(self, message: str, key: str = "", /, **values: object) -> None:
        super().__init__(message)
        self.key = key
        self.values = values


class StoreBusy(StoreError):
    """Another program is writing, and did not come to an end within the time that was to be waited."""


class StoreCorrupt(StoreError):
    """The database is damaged: close it and run `kiosk prepare`, which sets it aside and restores the last backup."""


class Writing:
    """A transaction that is under way: `conn` for rows, `emit` for the events that go with them."""

    def __init__(self, conn: sqlite3.Connection, now: Moment, actor: str = "") -> None:
        self.conn = conn
        self.now = now
        self.actor = actor
        self.moved: dict[str, tuple[Ticket, Ticket]] = {}
        """Tickets that this transaction moved: as they were at its start and as they are now, by id."""

    def emit(self, kind: str, data: Data) -> None:
        """Append an event; it is committed with the fact or not at all. It says who acted, where that is known."""
        now = self.now
        if self.actor:
            data = {**data, "actor": self.actor}
        outbox.append(self.conn, kind, data, wire.Stamp(now.at, now.quality, now.boot, now.mono))


class Database:
    """The kiosk's SQLite file. One object per thread; `folder` also holds the high-water file and the ballast.

    `actor` is whom the events of the next writes name as who did it: the signed-in person's id, "" for a key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "kiosk.db"
        self.mark = folder / DAMAGED
        self.actor = ""
        self.high_water = HighWater(folder / "highwater.json")
        try:
            self.conn = connect(self.path)
        except sqlite3.DatabaseError as error:
            raise self.explain(error) from error
        self._file = self.path.stat().st_ino

    def be_patient(self, ms: int) -> None:
        """Wait so long for another program's transaction from now on, in place of `BUSY_MS`."""
        self.conn.execute(f"PRAGMA busy_timeout = {ms}")

    @contextmanager
    def writing(self, now: Moment) -> Iterator[Writing]:
        """A write transaction; commits at the end of the block, rolls back when the block raises.

        Raises StoreError (disk full, read-only), StoreBusy (for `BUSY_MS`, or as `be_patient` says) or StoreCorrupt.
        """
        try:
            self.conn.execute("BEGIN IMMEDIATE")
            with self.conn:
                yield Writing(self.conn, now, self.actor)
        except sqlite3.DatabaseError as error:
            raise self.explain(error) from error

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Read; each row by name."""
        try:
            return self.conn.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self.explain(error) from error

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, or None."""
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def version(self) -> int:
        """A figure that changes when another process or thread has written."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def free_mb(self) -> int:
        """Free space on the database's disk."""
        return shutil.disk_usage(self.folder).free // 1024 // 1024

    def check_mark(self) -> None:
        """Raise StoreCorrupt when another process found the database damaged, or another file lies in its place."""
        if self.mark.exists():
            says = f"{self.path} was found damaged: restart the kiosk, it restores the last backup"
            raise StoreCorrupt(says, "found_damaged", tep=self.path)
        if not self.path.exists() or self.path.stat().st_ino != self._file:
            raise StoreCorrupt(f"{self.path} was taken away or replaced: restart the kiosk", "replaced", tep=self.path)

    def close(self) -> None:
        self.conn.close()

    def explain(self, error: sqlite3.DatabaseError) -> StoreError:
        """SQLite's error as one that says what to do; an error of our own making is raised as it is."""
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith("SQLITE_FULL"):
            full = StoreError("the disk is full: delete what is not needed", "full")
            full.retry = self._drop_ballast()
            return full
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
            says = f"the disk cannot be written ({error}): check the memory card and its mount"
            return StoreError(says, "not_written", tep=self.path)
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            with suppress(OSError):
                self.mark.touch()
            says = f"{self.path} is damaged ({error}): restart the kiosk, it restores the last backup"
            return StoreCorrupt(says, "damaged", tep=self.path, loi=error)
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StoreBusy("another program holds the database: end it", "held", tep=self.path)
        raise error

    def _drop_ballast(self) -> bool:
        ballast = self.folder / "ballast"
        if not ballast.exists():
            return False
        ballast.unlink()
        logger.error("the disk is full: the reserve of %d MB is used up now", BALLAST_BYTES // 1024 // 1024)
        return True


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open with the settings that lost nothing in 12,000 simulated power cuts: WAL and synchronous=FULL.

    A file that is not there is an error unless it is to be created: an empty one would be taken for the database.
    """
    mode = "rwc" if create else "rw"
    conn = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    conn.row_factory = sqlite3.Row
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            conn.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def migrate(path: Path) -> None:
    """Bring the tables up to this version, from nothing if need be; each migration is one transaction.

    Tables of a newer release are used as they are, for they have all that this one knows. Raises StoreError when a
    newer release says that they have not.
    """
    # Imported here: it costs 0.1 s, and the first picture on the screen should not wait for it.
    from sqlite_utils import Database as Tables

    from kiosk.store.schema import READABLE_FROM, migrations, newest

    conn = connect(path, create=True)
    try:
        check_readable(conn, newest(), path)
        migrations.apply(Tables(conn))
        # No event: it says nothing about the office, and every process that prepares comes by here.
        if readable_from(conn) < READABLE_FROM:
            conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (READABLE, READABLE_FROM))
    finally:
        conn.close()


def readable_from(conn: sqlite3.Connection) -> int:
    """The oldest schema whose program can work with these tables, 0 where no release has said it."""
    there = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone()
    row = conn.execute("SELECT value FROM facts WHERE key = ?", (READABLE,)).fetchone() if there else None
    return int(row[0]) if row else 0


def check_readable(conn: sqlite3.Connection, schema: int, path: Path) -> None:
    """Raise StoreError when a program of this schema cannot work with the tables."""
    if (needed := readable_from(conn)) > schema:
        raise StoreError(
            f"{path} belongs to a newer release (it needs schema {needed}, this program has {schema}): "
            f"install the newer release again, or restore a backup from before it",
            "newer",
            tep=path,
        )


def make_ballast(folder: Path) -> None:
    """Set disk space aside: when the disk is full it is given up, and numbers go on. Never fails."""
    ballast = folder / "ballast"
    try:
        # A reserve that takes the last space would itself be what fills the disk.
        if not ballast.exists() and shutil.disk_usage(folder).free > 2 * BALLAST_BYTES:
            _reserve(ballast)
    except OSError as error:
        logger.error("no reserve of disk space is set aside (%s)", error)


def _reserve(ballast: Path) -> None:
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
    except OSError:
        ballast.unlink(missing_ok=True)
        raise
