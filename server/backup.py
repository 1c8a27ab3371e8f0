"""Copies of the server's SQLite database, made and brought back while it may be in use. Knows no Django.

PostgreSQL has its own tools for it: who asks for a copy there is told which.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from kiosk.texts import LOCAL
from server.config import SECRET, Config

DATABASE = "server.db"
KEYS = (SECRET, "pull.key")
"""Files in data_dir that belong to the database and are not in it."""
TABLES = frozenset({"feed_event", "feed_head", "registry_device", "django_migrations"})
"""A file without them is no database of a commune server."""
LOGS = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a database belongs to that one alone: it would spoil another of the same name."""
WAIT_S = 60.0
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)


class Damaged(OSError):
    """A database that SQLite cannot read, or cannot write over."""


def backup(config: Config, file: Path) -> str:
    """Write a whole, checked copy to a new file: what else to keep. Raises ValueError or OSError."""
    _check_engine(config, "pg_dump --format=custom --file FILE")
    if file.exists():
        raise ValueError(f"{file} is there already: give another name")
    source = config.folder / DATABASE
    if not source.exists():
        raise ValueError(f"{source} is not there: nothing to copy")
    part = file.with_name(f"{file.name}.part")
    _copy(source, part)
    _check(part)
    part.replace(file)
    kept = " and ".join(str(config.folder / name) for name in KEYS)
    return f"{file} is a whole copy. Keep {kept} with it: tokens of kiosks and secrets of webhooks hang on them."


def restore(config: Config, file: Path, now: datetime) -> str:
    """Put a copy in place of the database; the present one is kept beside it, whatever is wrong with it.

    Raises ValueError or OSError.
    """
    _check_engine(config, "pg_restore --clean --if-exists")
    _check(file)
    present = config.folder / DATABASE
    aside = config.folder / f"{DATABASE}.before-{now.astimezone(LOCAL):%Y%m%d-%H%M%S}"
    try:
        if present.exists():
            _copy(present, aside)
        _copy(file, present)
    except Damaged:
        _move(present, aside)
        _copy(file, present)
    was = f"the one before is {aside}" if aside.exists() else "there was none before"
    return f"{file} is the database now; {was}. Start the server: kiosks send again what it lacks."


def _check_engine(config: Config, command: str) -> None:
    if config.database:
        raise ValueError(f"the database is PostgreSQL: use {command} with the address in server.toml")


def _move(present: Path, aside: Path) -> None:
    """Put a damaged database aside as it is, with its logs, in place of what could be copied of it."""
    for log in LOGS:
        old, new = (file.with_name(file.name + log) for file in (present, aside))
        new.unlink(missing_ok=True)
        if old.exists():
            old.replace(new)


def _copy(source: Path, target: Path) -> None:
    """By SQLite's own online backup: logs and locks of both files are its business. Raises OSError, of it Damaged."""
    os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, timeout=1)) as new:
            old.backup(new, progress=_patience(target))
    except sqlite3.Error as error:
        kind = Damaged if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE else OSError
        raise kind(f"{source} cannot be copied to {target}: {error}") from error


def _patience(target: Path) -> Callable[[int, int, int], None]:
    """Left alone, Python would try for ever to write over a database that a running server holds."""
    end = time.monotonic() + WAIT_S

    def look(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > end:
            raise TimeoutError(f"{target} is in use: stop the server first")

    return look


def _check(file: Path) -> None:
    if not file.exists():
        raise ValueError(f"{file} is not there")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as conn:
            sound = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise ValueError(f"{file} is no database: {error}") from error
    if sound != "ok" or not tables >= TABLES:
        raise ValueError(f"{file} is damaged, or no database of a commune server")
