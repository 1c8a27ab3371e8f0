"""A look at the database from outside, for the doctor: nothing is written, restored or migrated."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.clock import Moment
from kiosk.hours import CalendarDay
from kiosk.store.backup import hours_without
from kiosk.store.database import StoreError, check_readable
from kiosk.store.files import cannot, lacks_index, problem_of, read_only, source
from kiosk.store.locks import is_running
from kiosk.store.offices import NEWEST, TRIED, OfficeVersion, version_of
from kiosk.store.overrides import calendar_overrides
from kiosk.tickets import time_of
from sync import outbox

__all__ = [
    "applied_offices", "changed_days", "check_fits", "hours_without_backup", "is_running", "last_call", "noted",
    "quick_look", "server_word",
]  # fmt: skip


def quick_look(folder: Path) -> str:
    """What is wrong with the database, "" for nothing (or no database yet)."""
    path = folder / "kiosk.db"
    if not path.exists():
        return ""
    if lacks_index(path):
        return f"{path} was not closed in order: run sudo kiosk prepare, which checks it"
    try:
        return problem_of(path)
    except StoreError as error:
        return str(error)


def noted(folder: Path, key: str) -> str:
    """A fact that the kiosk noted last, "" for none."""
    row = _ask(folder, lambda conn: conn.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone())
    return str(row[0]) if row else ""


def hours_without_backup(folder: Path, now: Moment) -> int | None:
    """See `backup.hours_without`; None also when the database cannot be read now."""
    hours: int | None = _ask(folder, lambda conn: hours_without(folder, conn, now))
    return hours


def server_word(folder: Path) -> Mapping[str, Any]:
    """What became of the last push; empty before the first."""
    return _ask(folder, outbox.last_answer) or {}


def check_fits(folder: Path) -> None:
    """Raise StoreError when this program cannot work with the database, because a newer release made it."""
    from kiosk.store.schema import newest  # sqlite_utils, which others of this module need not wait for

    path = folder / "kiosk.db"
    try:
        if path.exists():
            with closing(source(path)) as conn:
                check_readable(conn, newest(), path)
    except sqlite3.Error as error:
        raise cannot(path, error) from error


def changed_days(folder: Path) -> list[CalendarDay]:
    """The days that staff opened or closed; none when the database cannot be read now."""
    return _ask(folder, calendar_overrides) or []


def last_call(folder: Path) -> datetime | None:
    """When somebody was last called to a counter, None before the first."""
    row = _ask(folder, lambda conn: conn.execute("SELECT max(last_called_at) FROM tickets").fetchone())
    return time_of(row[0]) if row and row[0] else None


def applied_offices(folder: Path) -> list[OfficeVersion]:
    """The newest applied office documents, the newest first; none without a database or before the first.

    Takes no lock and waits for nobody. Raises StoreError when the database cannot be read now.
    """
    path = folder / "kiosk.db"
    try:
        if not path.exists():
            return []
        with closing(source(path)) as conn:
            there = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'office_versions'").fetchone()
            return [version_of(row) for row in conn.execute(NEWEST, (TRIED,))] if there else []
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path} cannot be read ({error})", "cannot", tep=path, loi=error) from error


def _ask(folder: Path, question: Callable[[sqlite3.Connection], Any]) -> Any:
    path = folder / "kiosk.db"
    if not path.exists():
        return None
    try:
        with closing(read_only(path)) as conn:
            conn.row_factory = sqlite3.Row
            return question(conn)
    except sqlite3.Error:
        return None
