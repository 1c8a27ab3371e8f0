"""Versions of the office document that were applied on this device: kept as they were entered, the newest is in force.

It keeps texts; whether one can be used is the caller's affair (`kiosk.revising`), before and after.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk.clock import Moment
from kiosk.store.counters import give_up_others
from kiosk.store.database import Database, Writing
from kiosk.tickets import Refused, text_of, time_of

_ROW = "SELECT id, at, sha256, version, text, by, note FROM office_versions"
NEWEST = f"{_ROW} ORDER BY id DESC LIMIT ?"
OWNED = "office-owned"
"""Key of the fact that says so; see `store.downloads`."""
TRIED = 5
"""How many versions a start goes back when the newest ones cannot be used, as after a downgrade."""


@dataclass(frozen=True, slots=True)
class OfficeVersion:
    """One applied document. `text` is TOML or JSON as entered; `sha256` is the fingerprint of its content."""

    id: int
    at: datetime
    sha256: str
    version: int
    text: str
    by: str
    note: str


class OfficeVersions:
    """The table `office_versions`; rows are only added."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def apply(
        self,
        now: Moment,
        text: str,
        sha256: str,
        version: int,
        *,
        by: str,
        note: str = "",
        seen: int | None = None,
        counters: Collection[str] | None = None,
    ) -> int:
        """Put a checked document in force; every process takes it over by itself. Returns the row's id.

        `counters` are those that it has: open numbers at or for any other go back into line, for whoever serves them.
        None: the same as before. `seen` is the id of the newest version that its author knew. Raises Refused:
        "office_changed" when there is a newer one, "office_old" when `version` was not raised, "office_owned" when the
        commune server owns it.
        """
        with self.database.writing(now) as w:
            if owned_by_server(w.conn):
                raise Refused("office_owned")
            row = w.conn.execute("SELECT id, version FROM office_versions ORDER BY id DESC LIMIT 1").fetchone()
            if row is not None and seen is not None and row["id"] != seen:
                raise Refused("office_changed")
            if row is not None and version <= row["version"]:
                raise Refused("office_old", version=row["version"])
            w.emit("office.applied", {"sha256": sha256, "version": version, "by": by})
            if counters is not None:
                give_up_others(w, counters)
            return put_version(w, text, sha256, version, by, note)

    def owned(self) -> bool:
        """Whether the commune server owns the document: then nobody changes it here."""
        return owned_by_server(self.database.conn)

    def orphans(self, services: Sequence[str], counters: Sequence[str]) -> int:
        """How many open tickets wait for a service, or are at a counter, that is not among these."""
        gone = f"queue NOT IN ({_marks(services)}) OR (counter != '' AND counter NOT IN ({_marks(counters)}))"
        row = self.database.row(
            f"SELECT count(*) AS n FROM tickets WHERE state IN ('waiting', 'called', 'serving', 'held') AND ({gone})",
            *services,
            *counters,
        )
        return int(row["n"]) if row else 0

    def newest_id(self) -> int:
        """0 before the first."""
        row = self.database.row("SELECT max(id) AS id FROM office_versions")
        return int(row["id"] or 0) if row else 0

    def newest(self) -> OfficeVersion | None:
        """The one in force; None while the configured file is."""
        row = self.database.row(NEWEST, 1)
        return version_of(row) if row else None

    def get(self, id: int) -> OfficeVersion | None:
        row = self.database.row(f"{_ROW} WHERE id = ?", id)
        return version_of(row) if row else None

    def history(self, most: int = 50) -> list[OfficeVersion]:
        """The newest first."""
        return [version_of(row) for row in self.database.rows(NEWEST, most)]


def put_version(w: Writing, text: str, sha256: str, version: int, by: str, note: str = "") -> int:
    """A row, within a transaction; its event is the caller's. Returns its id."""
    cursor = w.conn.execute(
        "INSERT INTO office_versions (at, sha256, version, text, by, note) VALUES (?, ?, ?, ?, ?, ?)",
        (text_of(w.now.at), sha256, version, text, by, note),
    )
    return int(cursor.lastrowid or 0)


def owned_by_server(conn: sqlite3.Connection) -> bool:
    """Whether a document of the commune server was put in force and the kiosk was not un-enrolled since."""
    return conn.execute("SELECT 1 FROM facts WHERE key = ?", (OWNED,)).fetchone() is not None


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def version_of(row: Any) -> OfficeVersion:
    """A row of `NEWEST`: these columns in this order, whatever a later release has added."""
    id, at, sha256, version, text, by, note = row
    return OfficeVersion(id, time_of(at), sha256, version, text, by, note)
