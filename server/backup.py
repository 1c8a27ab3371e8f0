"""Copies of the server's SQLite database, made and brought back while it may be in use. Needs no Django set up.

What they say is in the language of server.toml.

PostgreSQL has its own tools for it: who asks for a copy there is told which.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from kiosk.texts import LOCAL, Texts
from server.config import SECRET, Config
from server.generation import renew
from server.words import texts

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
    t = texts(config.language)
    _check_engine(config, "pg_dump --format=custom --file FILE", t)
    if file.exists():
        raise ValueError(t("backup_command.there", tep=file))
    source = config.folder / DATABASE
    if not source.exists():
        raise ValueError(t("backup_command.nothing", tep=source))
    part = file.with_name(f"{file.name}.part")
    _copy(source, part, t)
    _check(part, t)
    part.replace(file)
    secret, key = (config.folder / name for name in KEYS)
    return t("backup_command.done", tep=file, khoa=secret, khoa_khac=key)


def restore(config: Config, file: Path, now: datetime) -> str:
    """Put a copy in place of the database; the present one is kept beside it, whatever is wrong with it.

    Raises ValueError or OSError.
    """
    t = texts(config.language)
    _check_engine(config, "pg_restore --clean --if-exists", t)
    _check(file, t)
    present = config.folder / DATABASE
    aside = config.folder / f"{DATABASE}.before-{now.astimezone(LOCAL):%Y%m%d-%H%M%S}"
    try:
        if present.exists():
            _copy(present, aside, t)
        _copy(file, present, t)
    except Damaged:
        _move(present, aside)
        _copy(file, present, t)
    if aside.exists():
        return t("restore_command.done", tep=file, truoc=aside)
    return t("restore_command.first", tep=file)


def _check_engine(config: Config, command: str, t: Texts) -> None:
    if config.database:
        raise ValueError(t("backup_command.postgresql", lenh=command))


def _move(present: Path, aside: Path) -> None:
    """Put a damaged database aside as it is, with its logs, in place of what could be copied of it."""
    for log in LOGS:
        old, new = (file.with_name(file.name + log) for file in (present, aside))
        new.unlink(missing_ok=True)
        if old.exists():
            old.replace(new)


def _copy(source: Path, target: Path, t: Texts) -> None:
    """By SQLite's own online backup: logs and locks of both files are its business. Raises OSError, of it Damaged."""
    os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, timeout=1)) as new:
            old.backup(new, progress=_patience(target, t))
            new.execute("PRAGMA busy_timeout = 30000")  # a server that was not stopped may be writing again
            renew(new)
    except sqlite3.Error as error:
        kind = Damaged if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE else OSError
        raise kind(t("backup_command.not_copied", tep=source, den=target, loi=error)) from error


def _patience(target: Path, t: Texts) -> Callable[[int, int, int], None]:
    """Left alone, Python would try for ever to write over a database that a running server holds."""
    end = time.monotonic() + WAIT_S

    def look(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > end:
            raise TimeoutError(t("restore_command.in_use", tep=target))

    return look


def _check(file: Path, t: Texts) -> None:
    if not file.exists():
        raise ValueError(t("backup_command.missing", tep=file))
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as conn:
            sound = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise ValueError(t("backup_command.no_database", tep=file, loi=error)) from error
    if sound != "ok" or not tables >= TABLES:
        raise ValueError(t("backup_command.damaged", tep=file))
