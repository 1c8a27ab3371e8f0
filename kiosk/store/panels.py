"""Rating panels: which tablet belongs to which counter. A tablet is paired by a code that a technician reads out.

A tablet's token is kept as its hash only; a code lies here as it is, for ten minutes at most.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

from kiosk.clock import Moment, elapsed_s
from kiosk.store.database import Database, Writing
from kiosk.store.tries import count_wrong, wrong_tries
from kiosk.tickets import Refused, text_of, time_of

CODE_S = 600
"""How long a code can be used, once."""
CODE_DIGITS = 6
GUESSER = "/rate"
"""Under this name the wrong codes of all tablets are counted: nobody's id has a slash."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A tablet. `key` is what it is known by here: its token's hash."""

    key: str
    counter: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Code:
    """A code that waits to be typed, and for how many seconds yet."""

    counter: str
    code: str
    left_s: int


class Panels:
    """Codes out, tablets in. `counters` are the office's."""

    def __init__(self, database: Database, counters: Container[str]) -> None:
        self.database = database
        self.counters = counters

    def new_code(self, now: Moment, counter: str) -> str:
        """A code for a counter, in place of its last one; wrong ones of before count no more.

        Raises Refused("no_counter").
        """
        if counter not in self.counters:
            raise Refused("no_counter", counter=counter)
        with self.database.writing(now) as w:
            taken = {
                row["code"] for row in w.conn.execute("SELECT code FROM panel_codes WHERE counter != ?", (counter,))
            }
            code = _code()
            while code in taken:
                code = _code()
            values = (counter, code, text_of(now.at), now.boot, now.mono)
            w.conn.execute(
                "INSERT OR REPLACE INTO panel_codes (counter, code, at, boot, mono) VALUES (?, ?, ?, ?, ?)", values
            )
            w.conn.execute("DELETE FROM wrong_pins WHERE person = ?", (GUESSER,))
            w.emit("panel.code_made", {"counter": counter})
        return code

    def codes(self, now: Moment) -> list[Code]:
        """The codes that can be typed now."""
        rows = self.database.rows("SELECT * FROM panel_codes")
        found = [Code(row["counter"], row["code"], _left_s(row, now)) for row in rows]
        return [each for each in found if each.left_s > 0]

    def pair(self, now: Moment, code: str, instead_of: str = "") -> tuple[str, str]:
        """The token of a new tablet, and its counter; the token that the same tablet had before ends.

        Raises Refused: panel_wait (`seconds`) after wrong codes, panel_code for a wrong one or one of long ago.
        """
        with self.database.writing(now) as w:
            wrong, left = wrong_tries(w.conn, GUESSER, now)
            counter = "" if left > 0 else _use(w, code, now)
            if counter in self.counters:
                token = secrets.token_urlsafe(24)
                _add(w, Panel(key_of(token), counter, now.at), instead_of)
                return token, counter
            if left <= 0:
                count_wrong(w, GUESSER, wrong + 1)
        raise Refused("panel_wait", seconds=left) if left > 0 else Refused("panel_code")

    def paired(self) -> list[Panel]:
        """All tablets, by counter and time."""
        rows = self.database.rows("SELECT * FROM panels ORDER BY CAST(counter AS INTEGER), at")
        return [Panel(row["key"], row["counter"], time_of(row["at"])) for row in rows]

    def unpair(self, now: Moment, key: str) -> str:
        """A tablet rates no more: the counter that it was at. Raises Refused("no_panel")."""
        with self.database.writing(now) as w:
            row = w.conn.execute("SELECT counter FROM panels WHERE key = ?", (key,)).fetchone()
            if row is None:
                raise Refused("no_panel")
            w.conn.execute("DELETE FROM panels WHERE key = ?", (key,))
            w.emit("panel.unpaired", {"counter": row["counter"], "panel": key[:12]})
            return str(row["counter"])


def key_of(token: str) -> str:
    """What a tablet's token is kept as."""
    return hashlib.sha256(token.encode()).hexdigest()


def _code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def _left_s(row: sqlite3.Row, now: Moment) -> int:
    passed = elapsed_s(now, time_of(row["at"]), row["boot"], row["mono"], believed=True)
    return 0 if passed is None or passed < 0 else max(0, round(CODE_S - passed))


def _use(w: Writing, code: str, now: Moment) -> str:
    """The counter of this code, which is used up; "" for none."""
    rows = w.conn.execute("SELECT * FROM panel_codes").fetchall()
    right = [row for row in rows if secrets.compare_digest(row["code"].encode(), code.encode()) and _left_s(row, now)]
    if not right:
        return ""
    w.conn.execute("DELETE FROM panel_codes WHERE counter = ?", (right[0]["counter"],))
    w.conn.execute("DELETE FROM wrong_pins WHERE person = ?", (GUESSER,))
    return str(right[0]["counter"])


def _add(w: Writing, panel: Panel, instead_of: str) -> None:
    if instead_of:
        w.conn.execute("DELETE FROM panels WHERE key = ?", (key_of(instead_of),))
    values = (panel.key, panel.counter, text_of(panel.at))
    w.conn.execute("INSERT INTO panels (key, counter, at) VALUES (?, ?, ?)", values)
    w.emit("panel.paired", {"counter": panel.counter, "panel": panel.key[:12]})
