"""Before anything runs: the database is whole and of this version, or it is set aside and the newest backup restored.

The kiosk never refuses to start because of its database. What is set aside stays on the disk for a technician.
"""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from kiosk.clock import Moment
from kiosk.store.database import DAMAGED, Database, StoreError, connect, make_ballast, migrate
from kiosk.store.highwater import AHEAD, HighWater
from kiosk.store.series import skip_to_ceilings
from sync import outbox, wire

BACKUPS_KEPT = 7
EVENTS_KEPT_DAYS = 400
LET_GO_S = 20.0
"""How long the other processes have to let go of a damaged database."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done: `set_aside` names the damaged file, `restored` the backup in its place ("" = an empty start)."""

    set_aside: str = ""
    restored: str = ""
    new_epoch: str = ""


@contextmanager
def lock(folder: Path, wait_s: float = 0) -> Iterator[bool]:
    """The folder's lock: shared by who runs on the database (`hold`), exclusive for who checks it. False: taken."""
    with (folder / "lock").open("w") as file:
        until = time.monotonic() + wait_s
        while not (alone := _try_lock(file)) and time.monotonic() < until:
            time.sleep(0.1)
        yield alone


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def hold(folder: Path) -> TextIO:
    """Hold the shared lock until the returned file is closed: who checks the database keeps off meanwhile."""
    file = (folder / "lock").open("w")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def prepare(folder: Path, now: Moment) -> Prepared:
    """Check, restore if needed, migrate, begin a new epoch if this is not the database that was here before.

    Does nothing while another process runs on the database: then it is in order. Raises StoreError when the folder
    cannot be used at all.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder, LET_GO_S if (folder / DAMAGED).exists() else 0) as alone:
            return _prepare(folder, now) if alone else Prepared()
    except OSError as error:
        raise StoreError(f"{folder} cannot be used ({error}): check the memory card and the folder's owner") from error


def _prepare(folder: Path, now: Moment) -> Prepared:
    path = folder / "kiosk.db"
    was_there = path.exists()
    aside = restored = ""
    problem = problem_of(path) if was_there else ""
    if problem:
        aside = _set_aside(path, now.at)
        logger.error("%s is damaged (%s): set aside as %s", path, problem, aside)
    if problem or not was_there:
        restored = _restore_newest(folder)
    (folder / DAMAGED).unlink(missing_ok=True)
    make_ballast(folder)
    migrate(path)
    database = Database(folder)
    try:
        return Prepared(aside, restored, _check_epoch(database, now, replaced=bool(problem or restored)))
    finally:
        database.close()


def problem_of(path: Path) -> str:
    """Why the file cannot be used; "" when it can."""
    try:
        conn = connect(path)
    except sqlite3.DatabaseError as error:
        return str(error)
    try:
        found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
        return "" if found == "ok" else str(found)
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        conn.close()


def _set_aside(path: Path, at: datetime) -> str:
    name = f"{path.name}.damaged-{at:%Y%m%dT%H%M%S}"
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(name + suffix))
    return name


def _restore_newest(folder: Path) -> str:
    for backup in sorted((folder / "backup").glob("kiosk-*.db"), reverse=True):
        problem = problem_of(backup)
        if not problem:
            _copy(backup, folder / "kiosk.db")
            logger.error("restored from %s", backup.name)
            return backup.name
        logger.error("backup %s cannot be used (%s)", backup.name, problem)
    return ""


def _check_epoch(database: Database, now: Moment, *, replaced: bool) -> str:
    """Begin a new epoch if the high-water file knows another database; numbers then go on above the ceilings."""
    epoch = outbox.epoch(database.conn)
    marks = database.high_water
    if epoch and epoch == marks.feed and not replaced and not _rolled_back(database):
        return ""
    new = wire.new_epoch(max(marks.next_epoch(), wire.epoch_counter(epoch) + 1 if epoch else 0))
    with database.writing(now) as w:
        outbox.start_epoch(w.conn, new, wire.Stamp(now.at, now.quality, now.boot, now.mono))
        skip_to_ceilings(w, database)
        w.emit("device.epoch", {"epoch": new, "before": epoch})
    marks.remember_feed(new)
    return new


def _rolled_back(database: Database) -> bool:
    """Numbers that lie further below their ceiling than it is ever raised ahead: an older copy of this database."""
    ceiling = database.high_water.ceiling
    return any(
        row["n"] + AHEAD < ceiling(row["series"], row["service"])
        for row in database.rows("SELECT series, service, n FROM numbers")
    )


def backup(folder: Path, now: Moment) -> Path:
    """An online copy under backup/, the newest seven are kept; then events that the server has had for long may go.

    Raises StoreError when it cannot be made.
    """
    target = folder / "backup" / f"kiosk-{now.at:%Y%m%dT%H%M%S}.db"
    try:
        target.parent.mkdir(exist_ok=True)
        _copy(folder / "kiosk.db", target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"no backup was made ({error}): free some disk space") from error
    for old in sorted(target.parent.glob("kiosk-*.db"))[:-BACKUPS_KEPT]:
        old.unlink()
    database = Database(folder)
    try:
        with database.writing(now) as w:
            outbox.prune(w.conn, EVENTS_KEPT_DAYS, now.at)
    finally:
        database.close()
    return target


def restore(folder: Path, source: Path, now: Moment) -> Prepared:
    """Put a backup in place of the database, which is set aside. Raises StoreError while the kiosk runs on it."""
    if not source.exists():
        raise StoreError(f"{source} does not exist: choose a file of {folder / 'backup'}")
    if problem := problem_of(source):
        raise StoreError(f"{source} cannot be used ({problem}): choose another backup")
    with lock(folder) as alone:
        if not alone:
            raise StoreError("the kiosk is running: stop it first (systemctl stop kiosk kiosk-sync)")
        path = folder / "kiosk.db"
        aside = _set_aside(path, now.at) if path.exists() else ""
        _copy(source, path)
        HighWater(folder / "highwater.json").remember_feed("")
        return Prepared(aside, source.name, _prepare(folder, now).new_epoch)


def _copy(source: Path, target: Path) -> None:
    """A consistent copy of a database that may be in use, durable when it appears under its name."""
    fresh = target.with_name(target.name + ".part")
    fresh.unlink(missing_ok=True)
    origin, copy = sqlite3.connect(source), sqlite3.connect(fresh)
    try:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        origin.close()
        copy.close()
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
