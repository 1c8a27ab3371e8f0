"""What the kiosk knows about itself, shared by its processes: the printer's state, the clock's warrantor, its id."""

import secrets
import sqlite3
from pathlib import Path

from kiosk.store.database import Database, StoreError, Writing
from kiosk.store.durable import write_durably
from kiosk.store.locks import one_after_the_other

WHOSE = "whose"
_ID_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def note(w: Writing, key: str, value: str) -> None:
    """Keep a fact; its event is `device.KEY`."""
    w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (key, value))
    w.emit(f"device.{key}", {key: value})


def fact(database: Database, key: str) -> str:
    """The fact as it was last noted, "" before."""
    row = database.row("SELECT value FROM facts WHERE key = ?", key)
    return str(row["value"]) if row else ""


def sign(w: Writing, device: str) -> None:
    """Say in the database whose it is: a backup of it is known as that kiosk's wherever it is carried."""
    w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (WHOSE, device))


def whose(conn: sqlite3.Connection) -> str:
    """The id of the kiosk that worked on this database last; "" when it was none that said so (0.5 and before)."""
    row = conn.execute("SELECT value FROM facts WHERE key = ?", (WHOSE,)).fetchone()
    return str(row[0]) if row else ""


def device_id(folder: Path, configured: str) -> str:
    """The kiosk's id: the configured one, or for "auto" one that is made once and kept beside the database.

    Raises StoreError when it cannot be kept.
    """
    if configured != "auto":
        return configured
    path = folder / "device-id"
    try:
        return _kept(path) or _make(path)
    except OSError as error:
        says = f"{path} cannot be used ({error}): check the memory card and the file's owner"
        raise StoreError(says, "cannot", tep=path, loi=error) from error


def _kept(path: Path) -> str:
    """An empty file is what a power cut can leave of one that was not written durably."""
    return path.read_text(errors="replace").strip() if path.exists() else ""


def _make(path: Path) -> str:
    """Two processes may get here at once at the very first start: one makes the id, the other reads it."""
    with one_after_the_other(path.with_name(f"{path.name}.lock")):
        if not _kept(path):
            write_durably(path, "k-" + "".join(secrets.choice(_ID_LETTERS) for _ in range(6)))
        return _kept(path)
