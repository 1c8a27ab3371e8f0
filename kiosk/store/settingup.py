"""The set-up of a new kiosk while it is unfinished: its code, who does it, and what was entered so far.

The code keeps others on the LAN from claiming a new kiosk first. It is shown at the kiosk and in its log, and is worth
nothing once somebody has a PIN.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from kiosk.clock import Moment
from kiosk.store.database import Database
from kiosk.store.tries import count_wrong, wrong_tries
from kiosk.tickets import Refused

GUESSER = "/setup"
"""Under this name wrong codes are counted: nobody's id has a slash."""


class SettingUp:
    """The table `setup`, and the first PINs."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def pending(self) -> bool:
        """Whether nobody has a PIN yet."""
        return self.database.row("SELECT 1 FROM pins LIMIT 1") is None

    def code(self, now: Moment) -> str:
        """The six digits, made when they are first asked for; "" when the set-up is over."""
        if not self.pending():
            return ""
        if not (known := self._get("code")):
            with self.database.writing(now) as w:
                fresh = f"{secrets.randbelow(10**6):06d}"
                w.conn.execute("INSERT OR IGNORE INTO setup (key, value) VALUES ('code', ?)", (fresh,))
            known = self._get("code")
        return known

    def begin(self, now: Moment, code: str) -> str:
        """The token of the browser that goes on with the set-up; an earlier one is let go.

        Raises Refused: setup_wait (`seconds`) after wrong codes, setup_code for a wrong one, setup_over.
        """
        right = self.code(now)
        if not right:
            raise Refused("setup_over")
        with self.database.writing(now) as w:
            wrong, left = wrong_tries(w.conn, GUESSER, now)
            if left <= 0 and hmac.compare_digest(code.encode(), right.encode()):
                token = secrets.token_urlsafe(24)
                w.conn.execute("INSERT OR REPLACE INTO setup (key, value) VALUES ('token', ?)", (_hash(token),))
                w.conn.execute("DELETE FROM wrong_pins WHERE person = ?", (GUESSER,))
                return token
            if left <= 0:
                count_wrong(w, GUESSER, wrong + 1)
        raise Refused("setup_wait", seconds=left) if left > 0 else Refused("setup_code")

    def is_ours(self, token: str) -> bool:
        """Whether this browser does the set-up."""
        kept = self._get("token")
        return bool(token and kept) and hmac.compare_digest(kept, _hash(token)) and self.pending()

    def draft(self) -> str:
        """What was entered so far, as it was saved; "" at first."""
        return self._get("draft")

    def save(self, now: Moment, draft: str) -> None:
        """Keep what was entered: a browser or console that dies loses nothing."""
        with self.database.writing(now) as w:
            w.conn.execute("INSERT OR REPLACE INTO setup (key, value) VALUES ('draft', ?)", (draft,))

    def finish(self, now: Moment, pins: Mapping[str, str]) -> None:
        """The first PINs (person → what `pins.kept` gave), all or none; the set-up is over. Raises Refused."""
        with self.database.writing(now) as w:
            if w.conn.execute("SELECT 1 FROM pins LIMIT 1").fetchone():
                raise Refused("setup_over")
            for person, kept in pins.items():
                w.conn.execute("INSERT INTO pins (person, hash) VALUES (?, ?)", (person, kept))
                w.emit("person.pin_set", {"person": person, "by": "set-up"})
            w.conn.execute("DELETE FROM setup")

    def _get(self, key: str) -> str:
        row = self.database.row("SELECT value FROM setup WHERE key = ?", key)
        return str(row["value"]) if row else ""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
