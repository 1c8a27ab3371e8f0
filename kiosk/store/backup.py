"""Backups: copies under backup/, in the order of a running number, since the clock in a name may have been wrong.

A copy is kept only after it was checked, and older ones go only after that: a damaged database never pushes out the
last good one.
"""

import logging
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from kiosk.clock import Moment
from kiosk.store import retention
from kiosk.store.database import BALLAST_BYTES, DAMAGED, Database, StoreCorrupt, StoreError, connect
from kiosk.store.files import copy, forget, problem_of, read_only
from kiosk.store.locks import hold, one_after_the_other
from sync import outbox, wire

BACKUPS_KEPT = 7
EVENTS_KEPT_DAYS = 400
FIRST_EVENTS = 500
"""Among so many at least one has a sure time, or the clock was never set at all."""
STAMP = "%Y%m%dT%H%M%S"

_NUMBER = re.compile(r"kiosk-(\d{6})-")
_MADE = re.compile(r"kiosk-\d{6}-(\d{8}T\d{6})\.db")

logger = logging.getLogger(__name__)


def backup(folder: Path, now: Moment) -> Path:
    """An online copy under backup/, one of each of seven days is kept; then what is kept long enough may go.

    Raises StoreError when it cannot be made, StoreCorrupt when the database turns out to be damaged.
    """
    try:
        with closing(hold(folder)):
            target = _make(folder, now)
            _forget_old(folder, now)
            return target
    except StoreError:
        raise
    except OSError as error:
        says = f"no backup was made ({error}): check the disk's space and the folder's owner"
        raise StoreError(says, "no_backup", noi=folder / "backup", loi=error) from error


def _make(folder: Path, now: Moment) -> Path:
    path, kept = folder / "kiosk.db", folder / "backup"
    kept.mkdir(exist_ok=True)
    with one_after_the_other(kept / "lock"):
        for left in kept.glob("*.part"):
            forget(left)
        _check_space(path)
        target = kept / f"kiosk-{_next_number(kept):06}-{now.at.astimezone(UTC):{STAMP}}.db"
        if problem := copy(lambda: connect(path), target):
            (folder / DAMAGED).touch()
            says = f"{path} is damaged ({problem}): restart the kiosk, it restores the last backup"
            raise StoreCorrupt(says, "damaged", tep=path, loi=problem)
        while len(made := backups(folder)) > BACKUPS_KEPT:
            _spare(made).unlink()
    return target


def _spare(made: Sequence[Path]) -> Path:
    """The one that can go best: the oldest that has a newer one of its day, so that seven days are kept; else the
    oldest. Of a clock that always says the same day the newest seven are kept."""
    days = [at and at.date() for at in map(made_at, made)]
    twice = [path for at, path in enumerate(made) if days[at] in days[:at]]
    return (twice or made)[-1]


def _check_space(path: Path) -> None:
    """Making a backup must not be what fills the disk under a running kiosk."""
    needed = path.stat().st_size + 2 * BALLAST_BYTES
    if shutil.disk_usage(path.parent).free < needed:
        mb = needed // 1024 // 1024
        raise StoreError(f"no backup was made: it needs {mb} MB of free disk space", "backup_room", mb=mb)


def _forget_old(folder: Path, now: Moment) -> None:
    """Events that the server has had for long, and rows of days long gone."""
    database = Database(folder)
    try:
        with database.writing(now) as w:
            outbox.prune(w.conn, EVENTS_KEPT_DAYS, now.at)
        retention.drop_old(database, now)
    finally:
        database.close()


def backups(folder: Path) -> list[Path]:
    """The newest first."""
    return sorted((folder / "backup").glob("kiosk-*.db"), key=lambda path: (_number(path), path.name), reverse=True)


def made_at(path: Path) -> datetime | None:
    """When a backup was made, by its name (UTC there, so that names sort); None for a file that we did not name."""
    found = _MADE.fullmatch(path.name)
    try:
        return datetime.strptime(found[1], STAMP).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def hours_without(folder: Path, conn: sqlite3.Connection, now: Moment) -> int | None:
    """Whole hours since the newest backup, or since the kiosk began where there is none; None when no clock tells."""
    newest = next(iter(backups(folder)), None)
    since = made_at(newest) if newest else _begun(conn)
    return max(0, int((now.at - since).total_seconds() // 3600)) if since and now.trusted else None


def _begun(conn: sqlite3.Connection) -> datetime | None:
    """When the first event came whose time somebody vouched for. Without a backup none of them was forgotten."""
    for (line,) in conn.execute("SELECT line FROM events ORDER BY seq LIMIT ?", (FIRST_EVENTS,)):
        with suppress(wire.BadEvent):
            stamp = wire.decode_event(line).stamp
            if stamp.clock != "guess":
                return stamp.at
    return None


def _number(path: Path) -> int:
    found = _NUMBER.match(path.name)
    return int(found[1]) if found else 0


def _next_number(kept: Path) -> int:
    return 1 + max((_number(path) for path in backups(kept.parent)), default=0)


def copy_newest(folder: Path, target: Path) -> str:
    """Copy the newest sound backup to `target`; its name, or "" when there is none.

    Raises StoreError when the disk does not take the copy, or when none is sound and some could not be read at all.
    """
    unread: list[StoreError] = []
    for saved in _sound(folder, unread):
        problem = copy(lambda file=saved: read_only(file), target)  # type: ignore[misc]
        if not problem:
            return saved.name
        logger.error("backup %s cannot be copied (%s)", saved.name, problem)
    if unread:
        raise unread[0]
    return ""


def _sound(folder: Path, unread: list[StoreError]) -> Iterator[Path]:
    for saved in backups(folder):
        try:
            problem = problem_of(saved)
        except StoreError as error:
            unread.append(error)
            problem = str(error)
        if problem:
            logger.error("backup %s cannot be used (%s)", saved.name, problem)
        else:
            yield saved
