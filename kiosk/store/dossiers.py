"""The dossier figures in force: one fact, which the next ones replace, with its event."""

import json
import sqlite3

from kiosk.clock import BELIEVABLE, Moment
from kiosk.dossiers import Dossiers, dossiers_of, plain, problem
from kiosk.store.database import Database, Writing
from kiosk.tickets import Refused

_KEY = "dossiers"


class DossierFigures:
    """What was entered last. Every figure that ever was in force stands in the feed."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def set(self, now: Moment, dossiers: Dossiers) -> None:
        """Put figures in force. Raises Refused for figures that cannot be, or that are from a time to come."""
        check(now, dossiers)
        with self.database.writing(now) as w:
            put_dossiers(w, dossiers)

    def clear(self, now: Moment) -> bool:
        """Take the figures off the board; whether there were any."""
        with self.database.writing(now) as w:
            return clear_dossiers(w)

    def current(self) -> Dossiers | None:
        """The figures in force, None before the first."""
        return dossiers_in(self.database.conn)


def put_dossiers(w: Writing, dossiers: Dossiers) -> None:
    """Figures with their event, within a transaction."""
    w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (_KEY, json.dumps(plain(dossiers))))
    w.emit("dossiers.set", plain(dossiers))


def clear_dossiers(w: Writing) -> bool:
    """The other way; whether there were any."""
    gone = w.conn.execute("DELETE FROM facts WHERE key = ?", (_KEY,)).rowcount
    if gone:
        w.emit("dossiers.cleared", {})
    return bool(gone)


def check(now: Moment, dossiers: Dossiers) -> None:
    """Raises Refused for figures that cannot be put in force now."""
    # A clock that is not believed tells no future from the past: only what no kiosk will see is refused then.
    if says := problem(dossiers, now.at if now.trusted else now.at + BELIEVABLE):
        raise Refused("figures", says=says)


def dossiers_in(conn: sqlite3.Connection) -> Dossiers | None:
    """The figures in force on this connection."""
    row = conn.execute("SELECT value FROM facts WHERE key = ?", (_KEY,)).fetchone()
    return dossiers_of(json.loads(row[0])) if row else None
