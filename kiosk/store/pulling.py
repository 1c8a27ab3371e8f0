"""Which server may fetch the feed: it is paired by a code that a technician reads out, and shows a token from then on.

The token is kept as its hash only; a code lies here as it is, for ten minutes at most.
"""

import hashlib
import hmac
import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from kiosk.clock import Moment, elapsed_s
from kiosk.store.database import Database, Writing
from kiosk.store.tries import count_wrong, wrong_tries
from kiosk.tickets import Refused, text_of, time_of

CODE_S = 600
"""How long a code can be used, once."""
GUESSER = "/pull"
"""Under this name wrong codes are counted: nobody's id has a slash."""
_CODE, _TOKEN = "pull_code", "pull_token"


@dataclass(frozen=True, slots=True)
class Code:
    """A code that waits to be typed, and for how many seconds yet."""

    code: str
    left_s: int


class Pulling:
    """One code out, one server in. Both are facts, and neither is in an event."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def new_code(self, now: Moment) -> str:
        """A code in place of the last one; wrong ones of before count no more."""
        code = f"{secrets.randbelow(10**8):08}"
        value = {"code": code, "at": text_of(now.at), "boot": now.boot, "mono": now.mono}
        with self.database.writing(now) as w:
            _keep(w, _CODE, json.dumps(value))
            w.conn.execute("DELETE FROM wrong_pins WHERE person = ?", (GUESSER,))
            w.emit("pull.code_made", {})
        return code

    def code(self, now: Moment) -> Code | None:
        """The code that can be typed now."""
        return _code(self.database.conn, now)

    def pair(self, now: Moment, code: str) -> str:
        """The token of the server that brings the code; the one of before is worth nothing any more.

        Raises Refused: panel_wait (`seconds`) after wrong codes, panel_code for a wrong one or one of long ago.
        """
        with self.database.writing(now) as w:
            wrong, left = wrong_tries(w.conn, GUESSER, now)
            right = _code(w.conn, now)
            if left <= 0 and right and hmac.compare_digest(right.code.encode(), code.encode("utf-8", "replace")):
                token = secrets.token_urlsafe(32)
                _keep(w, _TOKEN, json.dumps({"hash": _hash(token), "at": text_of(now.at)}))
                w.conn.execute("DELETE FROM facts WHERE key = ?", (_CODE,))
                w.conn.execute("DELETE FROM wrong_pins WHERE person = ?", (GUESSER,))
                w.emit("pull.paired", {})
                return token
            if left <= 0:
                count_wrong(w, GUESSER, wrong + 1)
        raise Refused("panel_wait", seconds=left) if left > 0 else Refused("panel_code")

    def knows(self, token: str) -> bool:
        """Whether this is the token of the server that is paired."""
        known = _fact(self.database.conn, _TOKEN)
        return bool(token and known) and hmac.compare_digest(str(known["hash"]), _hash(token))

    def since(self) -> datetime | None:
        """When the server was paired; None when none is."""
        known = _fact(self.database.conn, _TOKEN)
        return time_of(str(known["at"])) if known else None

    def end(self, now: Moment) -> None:
        """No server may fetch any more."""
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM facts WHERE key IN (?, ?)", (_CODE, _TOKEN))
            w.emit("pull.ended", {})


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _keep(w: Writing, key: str, value: str) -> None:
    w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (key, value))


def _fact(conn: sqlite3.Connection, key: str) -> dict[str, object]:
    row = conn.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    return dict(json.loads(row["value"])) if row else {}


def _code(conn: sqlite3.Connection, now: Moment) -> Code | None:
    kept = _fact(conn, _CODE)
    if not kept:
        return None
    passed = elapsed_s(now, time_of(str(kept["at"])), str(kept["boot"]), int(str(kept["mono"])), believed=True)
    left = 0 if passed is None or passed < 0 else max(0, round(CODE_S - passed))
    return Code(str(kept["code"]), left) if left else None
