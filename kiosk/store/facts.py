"""What the kiosk knows about itself, shared by its processes: the printer's state, the clock's warrantor, its id."""

import secrets
from pathlib import Path

from kiosk.store.database import Database, Writing

_ID_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def note(w: Writing, key: str, value: str) -> None:
    """Keep a fact; its event is `device.KEY`."""
    w.conn.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))
    w.emit(f"device.{key}", {key: value})


def fact(database: Database, key: str) -> str:
    """The fact as it was last noted, "" before."""
    row = database.row("SELECT value FROM facts WHERE key = ?", key)
    return str(row["value"]) if row else ""


def device_id(folder: Path, configured: str) -> str:
    """The kiosk's id: the configured one, or for "auto" one that is made once and kept beside the database."""
    if configured != "auto":
        return configured
    path = folder / "device-id"
    if not path.exists():
        path.write_text("k-" + "".join(secrets.choice(_ID_LETTERS) for _ in range(6)))
    return path.read_text().strip()
