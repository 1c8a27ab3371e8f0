"""A look at the database from outside, for the doctor: nothing is written, restored or migrated."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kiosk.store.prepare import lock, problem_of
from sync import outbox


def quick_look(folder: Path) -> str:
    """What is wrong with the database, "" for nothing (or no database yet)."""
    path = folder / "kiosk.db"
    return problem_of(path) if path.exists() else ""


def is_running(folder: Path) -> bool:
    """Whether a kiosk process works on this folder now."""
    try:
        with lock(folder) as alone:
            return not alone
    except OSError:
        return False


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
        conn = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return None
    try:
        return question(conn)
    except sqlite3.Error:
        return None
    finally:
        conn.close()
