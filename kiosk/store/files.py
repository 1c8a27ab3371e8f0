"""Database files as files: looked at without a trace, copied, and put in place so that a kill leaves one or the other.

It knows what a sound database file is and how it is copied; it refuses to know numbers, epochs and backups.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

from kiosk.store.database import StoreError
from kiosk.store.durable import sync_folder

COPY_MARK = 0x6B636F70
"""The `user_version` of every copy. A database that carries it was put in place of another one."""

_MARK_AT = 60
_TABLES = {"counters", "events", "feed", "jobs", "numbers", "ratings", "series", "tickets"}
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BESIDE = ("-wal", "-shm")

Check = Literal["quick_check", "integrity_check"]


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong. A full disk, a lock or a wrong owner are no damage."""
    return getattr(error, "sqlite_errorname", "").startswith(_DAMAGE)


def cannot(path: Path, error: sqlite3.Error) -> StoreError:
    """SQLite's error about a file that may well be sound, as one that says what to do."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return StoreError(f"{path} cannot be used, the disk is full: delete what is not needed", "full")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(f"another program holds {path}: end it", "held", tep=path)
    says = f"{path} cannot be used ({error}): check the memory card, its free space and the file's owner"
    return StoreError(says, "cannot", tep=path, loi=error)


def read_only(path: Path) -> sqlite3.Connection:
    """Open without writing a byte, on a read-only disk too, whether anybody works on the file or not.

    Reading raises sqlite3.OperationalError when there is a log without its index (`lacks_index`).
    """
    wal, shm = beside(path)
    in_use = wal.exists() and (shm.exists() or wal.stat().st_size > 0)
    # A file that nobody has open needs no lock and no -shm; for one in use, the -shm is only read.
    return _open(path, "mode=ro&readonly_shm=1" if in_use else "mode=ro&immutable=1")


def source(path: Path) -> sqlite3.Connection:
    """Open a database that is to be copied: as `read_only`, but the index of its log is made if it is lost."""
    return _open(path, "mode=ro") if lacks_index(path) else read_only(path)


def lacks_index(path: Path) -> bool:
    """Whether the database was not closed in order, and cannot be read without writing something beside it."""
    wal, shm = beside(path)
    return wal.exists() and wal.stat().st_size > 0 and not shm.exists()


def _open(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)


def problem_of(path: Path) -> str:
    """Why the database file cannot be used, "" when it can; nothing is written. Raises StoreError as `examine`."""
    return examine(path, lambda: read_only(path))


def examine(path: Path, opened: Callable[[], sqlite3.Connection], check: Check = "quick_check") -> str:
    """What is damaged in the database that `opened` opens, "" for nothing.

    Raises StoreError when that cannot be found out now: full disk, another program's lock, wrong owner.
    """
    try:
        with closing(opened()) as conn:
            return _found(conn, check)
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise cannot(path, error) from error


def _found(conn: sqlite3.Connection, check: Check) -> str:
    found = str(conn.execute(f"PRAGMA {check}(1)").fetchone()[0])
    if found != "ok":
        return found
    missing = _TABLES - {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return f"no kiosk's database: it has no table {min(missing)}" if missing else ""


def copy(opened: Callable[[], sqlite3.Connection], target: Path) -> str:
    """A consistent copy, marked as one, checked, and durable when it appears as `target`.

    Returns what is damaged in it, then there is no target; "" when it is there. Raises StoreError.
    """
    part = target.with_name(f"{target.name}.part")
    forget(part)
    try:
        _copy(opened, part)
        problem = problem_of(part)
        if not problem:
            _put(part, target)
        return problem
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise cannot(target, error) from error
    finally:
        forget(part)


def _copy(opened: Callable[[], sqlite3.Connection], part: Path) -> None:
    with closing(opened()) as origin, closing(sqlite3.connect(part)) as fresh:
        origin.backup(fresh)
        fresh.execute("PRAGMA journal_mode=DELETE")
        fresh.execute(f"PRAGMA user_version={COPY_MARK}")
    with part.open("rb") as file:
        os.fsync(file.fileno())


def put_in_place(ready: Path, path: Path) -> None:
    """Give a finished copy the database's name. No log of another database may lie beside it: it would be replayed."""
    for other in beside(path):
        other.unlink(missing_ok=True)
    sync_folder(path.parent)
    _put(ready, path)


def _put(ready: Path, target: Path) -> None:
    ready.replace(target)
    sync_folder(target.parent)


def beside(path: Path) -> tuple[Path, Path]:
    """SQLite's log and its index of a database file."""
    wal, shm = (path.with_name(path.name + suffix) for suffix in _BESIDE)
    return wal, shm


def forget(path: Path) -> None:
    """Delete a database file with all that SQLite keeps beside it."""
    for file in (path, *beside(path), path.with_name(f"{path.name}-journal")):
        file.unlink(missing_ok=True)


def is_copy(path: Path) -> bool:
    """Whether the file itself, without its log, carries the mark of a copy: then it is not prepared yet."""
    with path.open("rb") as file:
        return file.read(_MARK_AT + 4)[_MARK_AT:] == COPY_MARK.to_bytes(4, "big")
