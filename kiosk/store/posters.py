"""The code on each counter's poster: whoever has it may rate that counter, without a ticket."""

from collections.abc import Container

from kiosk.clock import Moment
from kiosk.store.database import Database, Writing
from kiosk.store.ids import new_token
from kiosk.tickets import Refused


class Posters:
    """Codes by counter. `counters` are the office's."""

    def __init__(self, database: Database, counters: Container[str]) -> None:
        self.database = database
        self.counters = counters

    def token(self, now: Moment, counter: str) -> str:
        """The counter's code, made when it is first asked for. Raises Refused("no_counter")."""
        self._check(counter)
        row = self.database.row("SELECT token FROM posters WHERE counter = ?", counter)
        if row:
            return str(row["token"])
        with self.database.writing(now) as w:
            made = w.conn.execute("SELECT token FROM posters WHERE counter = ?", (counter,)).fetchone()
            return str(made["token"]) if made else _make(w, counter)

    def renew(self, now: Moment, counter: str) -> str:
        """Another code: posters with the old one lead nowhere from now on. Raises Refused("no_counter")."""
        self._check(counter)
        with self.database.writing(now) as w:
            return _make(w, counter)

    def counter(self, token: str) -> str:
        """The counter that has this code, "" for none."""
        row = self.database.row("SELECT counter FROM posters WHERE token = ?", token)
        return str(row["counter"]) if row and row["counter"] in self.counters else ""

    def _check(self, counter: str) -> None:
        if counter not in self.counters:
            raise Refused("no_counter", counter=counter)


def _make(w: Writing, counter: str) -> str:
    token = new_token()
    w.conn.execute("INSERT OR REPLACE INTO posters (counter, token) VALUES (?, ?)", (counter, token))
    w.emit("poster.made", {"counter": counter, "token": token})
    return token
