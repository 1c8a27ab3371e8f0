"""A look at the database from outside, for the doctor: nothing is written, restored or migrated."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from kiosk.store.database import StoreError
from kiosk.store.files import lacks_index, problem_of, read_only
from kiosk.store.locks import is_running
from sync import outbox

__all__ = ["is_running", "noted", "quick_look", "server_word"]


def quick_look(folder: Path) -> str:
    """What is wrong with the database, "" for nothing (or no database yet)."""
    path = folder / "kiosk.db"
    if not path.exists():
        return ""
    if lacks_index(path):
        return f"{path} was not closed in order: run kiosk prepare, which checks it"
    try:
        return problem_of(path)
    except StoreError as error:
        return str(error)


def noted(folder: Path, key: str) -> str:
    """A fact that the kiosk noted last, "" for none."""
    row = _ask(folder, lambda conn: conn.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone())
    return str(row[0]) if row else ""


def server_word(folder: Path) -> Mapping[str, Any]:
    """What became of the last push; empty before the first."""
    return _ask(folder, outbox.last_answer) or {}


def _ask(folder: Path, question: Callable[[sqlite3.Connection], Any]) -> Any:
    path = folder / "kiosk.db"
    if not path.exists():
        return None
    try:
        with closing(read_only(path)) as conn:
            return question(conn)
    except sqlite3.Error:
        return None
