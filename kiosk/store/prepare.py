"""Before anything runs: the database is whole and of this version, or it is set aside and the newest backup restored.

The kiosk never refuses to start because of a damaged database, and never takes a sound one for damaged: what cannot
be opened now (full disk, wrong owner, another program's lock) is said and tried again. What is set aside stays on the
disk for a technician. A kill at any point leaves a folder in which the next `prepare` does the rest.
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk.clock import Moment
from kiosk.store import files
from kiosk.store.backup import backup, backups, copy_newest
from kiosk.store.database import (
    BALLAST_BYTES,
    DAMAGED,
    Database,
    StoreError,
    check_readable,
    connect,
    make_ballast,
    migrate,
)
from kiosk.store.durable import sync_folder
from kiosk.store.facts import whose
from kiosk.store.highwater import AHEAD
from kiosk.store.locks import hold, lock, single
from kiosk.store.series import skip_to_ceilings
from sync import outbox, wire

__all__ = ["Prepared", "backup", "hold", "lock", "prepare", "restore", "single"]

LET_GO_S = 20.0
"""How long the other processes have to let go of a damaged database."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done: `set_aside` names the damaged file, `restored` the backup in its place ("" = an empty start)."""

    set_aside: str = ""
    restored: str = ""
    new_epoch: str = ""


def prepare(folder: Path, now: Moment) -> Prepared:
    """Check, restore if needed, migrate, begin a new epoch if this is not the database that was here before.

    Does nothing while another process runs on the database: then it is in order. Raises StoreError when the folder
    cannot be used now; nothing is lost then, and the same call may succeed later.
    """
    with _said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder, LET_GO_S if (folder / DAMAGED).exists() else 0) as alone:
            return _prepare(folder, now) if alone else Prepared()


def restore(folder: Path, source: Path, now: Moment, device: str = "") -> Prepared:
    """Put a backup in place of the database, which is set aside. Raises StoreError while the kiosk runs on it.

    With the id of this kiosk as `device`, a backup of another one is refused: two would give the same numbers.
    """
    if not source.is_file():
        raise _not_there(folder, source)
    with _said(folder), lock(folder) as alone:
        if not alone:
            raise StoreError("the kiosk is running: stop it first (systemctl stop kiosk kiosk-sync)", "running")
        path = folder / "kiosk.db"
        if problem := files.copy(lambda: files.source(source), _ready(path)):
            says = f"{source} cannot be used ({problem}): choose another backup"
            raise StoreError(says, "unusable_backup", tep=source, loi=problem)
        try:
            _check_suits(_ready(path), source, device)
        except StoreError:
            _ready(path).unlink()
            raise
        aside = _set_aside(path, now.at)
        files.put_in_place(_ready(path), path)
        return Prepared(aside, source.name, _prepare(folder, now).new_epoch)


def _not_there(folder: Path, source: Path) -> StoreError:
    kept = folder / "backup"
    if newest := next(iter(backups(folder)), None):
        says = f"{source} does not exist: choose a file of {kept}"
        return StoreError(says, "no_such_backup", tep=source, noi=kept, moi=newest.name)
    says = f"{source} does not exist, and {kept} has no backup: take one of another disk or stick"
    return StoreError(says, "nothing_to_restore", tep=source, noi=kept)


def _check_suits(ready: Path, source: Path, device: str) -> None:
    """Whether this program can work with the copy, and this kiosk may: what was put in place cannot be taken back."""
    from kiosk.store.schema import newest  # sqlite_utils, which a start need not wait for

    with closing(files.read_only(ready)) as conn:
        try:
            check_readable(conn, newest(), source)
        except StoreError as error:
            raise StoreError(str(error), "newer_backup", tep=source) from error
        owner = whose(conn)
    if device and owner not in ("", device):
        todo = "choose another one, or add --other-kiosk if this kiosk stands in for that one"
        says = f"{source} is a backup of {owner}, and this is {device}: {todo}"
        raise StoreError(says, "other_kiosk", tep=source, kia=owner, may=device)


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        says = f"{folder} cannot be used ({error}): check the memory card and the folder's owner"
        raise StoreError(says, "cannot", tep=folder, loi=error) from error


def _prepare(folder: Path, now: Moment) -> Prepared:
    path = folder / "kiosk.db"
    _make_room(folder)
    _finish_restore(path, now.at)
    aside = restored = ""
    problem = _problem(path, suspected=(folder / DAMAGED).exists()) if path.exists() else "it is not there"
    if problem:
        restored = copy_newest(folder, _ready(path))
        aside = _set_aside(path, now.at)
        if restored:
            files.put_in_place(_ready(path), path)
        if aside or restored:
            logger.error("%s: %s; set aside: %s, restored: %s", path, problem, aside or "-", restored or "-")
    (folder / DAMAGED).unlink(missing_ok=True)
    epoch = _bring_up(folder, now)
    make_ballast(folder)
    return Prepared(aside, restored, epoch)


def _make_room(folder: Path) -> None:
    """On a full disk SQLite cannot even open: the reserve goes first. One that was cut short is no reserve."""
    ballast = folder / "ballast"
    size = ballast.stat().st_size if ballast.exists() else 0
    if size != BALLAST_BYTES or shutil.disk_usage(folder).free < BALLAST_BYTES // 4:
        ballast.unlink(missing_ok=True)


def _ready(path: Path) -> Path:
    """A copy that is complete, and only has to get the database's name."""
    return path.with_name(f"{path.name}.restored")


def _finish_restore(path: Path, at: datetime) -> None:
    """A kill came between setting the database aside and putting the copy in its place; or before, then forget it."""
    ready = _ready(path)
    if ready.exists() and not path.exists():
        _set_aside(path, at)
        files.put_in_place(ready, path)
    files.forget(ready)
    files.forget(path.with_name(f"{ready.name}.part"))


def _problem(path: Path, *, suspected: bool) -> str:
    """Why the database has to be set aside, "" if not. `suspected`: a process met damage that a quick check misses."""
    if files.is_copy(path):
        # Whatever log lies beside it is another database's, or one that an unfinished `prepare` will write again.
        for other in files.beside(path):
            other.unlink(missing_ok=True)
    problem = files.examine(path, lambda: connect(path), "integrity_check" if suspected else "quick_check")
    if not problem or not suspected:
        return problem
    logger.error("%s is damaged (%s): its indexes are made again", path, problem)
    return _reindex(path) or files.examine(path, lambda: connect(path), "integrity_check")


def _reindex(path: Path) -> str:
    """Indexes are made from the tables. Returns why they cannot be."""
    try:
        conn = connect(path)
        try:
            conn.execute("REINDEX")
        finally:
            conn.close()
    except sqlite3.IntegrityError as error:
        return str(error)
    except sqlite3.Error as error:
        if files.is_damage(error):
            return str(error)
        raise files.cannot(path, error) from error
    return ""


def _set_aside(path: Path, at: datetime) -> str:
    """Rename the database with its log; the new name, "" if there was none.

    The database goes first. With its log gone it would be one that lacks the last numbers, and looks sound.
    """
    there = path.exists()
    name = _unused(path, f"{path.name}.damaged-{at:%Y%m%dT%H%M%S}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(name + suffix))
    sync_folder(path.parent)
    return name if there else ""


def _unused(path: Path, name: str) -> str:
    """The name, with a number if something has it already: the clock may have been there before."""
    n, free = 1, name
    while any(path.parent.glob(f"{free}*")):
        n, free = n + 1, f"{name}.{n + 1}"
    return free


def _bring_up(folder: Path, now: Moment) -> str:
    """Tables of this version and, if this is another database than before, a new epoch."""
    path = folder / "kiosk.db"
    try:
        migrate(path)
        database = Database(folder)
        try:
            epoch = _check_epoch(database, now)
            database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            database.close()
    except sqlite3.Error as error:
        raise files.cannot(path, error) from error
    if files.is_copy(path):
        says = f"{path} cannot be written: check the memory card and its free space"
        raise StoreError(says, "not_written", tep=path)
    return epoch


def _check_epoch(database: Database, now: Moment) -> str:
    """Begin a new epoch if the high-water file knows another database; numbers then go on above the ceilings."""
    epoch = outbox.epoch(database.conn)
    marks = database.high_water
    if epoch and epoch == marks.feed and not _is_copy(database) and not _rolled_back(database):
        _remember(database)
        return ""
    new = wire.new_epoch(marks.next_epoch(after=wire.epoch_counter(epoch)))
    with database.writing(now) as w:
        outbox.start_epoch(w.conn, new, wire.Stamp(now.at, now.quality, now.boot, now.mono))
        skip_to_ceilings(w, database)
        w.emit("device.epoch", {"epoch": new, "before": epoch})
        # In the same transaction: as long as the mark is there, this has not been done.
        w.conn.execute("PRAGMA user_version = 0")
    _remember(database)
    return new


def _remember(database: Database) -> None:
    """What an older copy of the database would not have."""
    conn = database.conn
    try:
        database.high_water.remember_feed(outbox.epoch(conn), outbox.head(conn).seq)
    except OSError as error:
        logger.error("%s cannot be written (%s): the disk is full or read-only", database.high_water.path, error)


def _is_copy(database: Database) -> bool:
    return bool(database.conn.execute("PRAGMA user_version").fetchone()[0] == files.COPY_MARK)


def _rolled_back(database: Database) -> bool:
    """An older copy of this database: events of before the last start are missing, or numbers are too low.

    A ceiling is raised to AHEAD above the number that is being given; if that one was not committed, the last
    committed number lies one further below. A series without a row tells nothing: what raised its ceiling may have
    been taken back.
    """
    ceiling = database.high_water.ceiling
    return outbox.head(database.conn).seq < database.high_water.seq or any(
        row["n"] + 1 + AHEAD < ceiling(row["series"], row["service"])
        for row in database.rows("SELECT series, service, n FROM numbers")
    )
