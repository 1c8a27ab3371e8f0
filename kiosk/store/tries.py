"""Wrong PINs and wrong codes: how many there were, and for how long no other one is looked at."""

import json
import sqlite3

from kiosk import pins
from kiosk.clock import Moment, elapsed_s
from kiosk.store.database import Writing
from kiosk.tickets import text_of, time_of


def wrong_tries(conn: sqlite3.Connection, who: str, now: Moment) -> tuple[int, int]:
    """Wrong tries of somebody so far, and for how many seconds no other one is looked at."""
    row = conn.execute("SELECT n, last FROM wrong_pins WHERE person = ?", (who,)).fetchone()
    if row is None:
        return 0, 0
    last = json.loads(row["last"])
    passed = elapsed_s(now, time_of(last["at"]), last["boot"], last["mono"], believed=True)
    # When nobody can tell how long ago it was, the kiosk was off meanwhile.
    if passed is None or passed > pins.FORGOTTEN_S:
        return 0, 0
    return int(row["n"]), max(0, round(pins.wait_s(row["n"]) - passed))


def count_wrong(w: Writing, who: str, n: int) -> None:
    """So many wrong tries of somebody so far, the last one now."""
    last = json.dumps({"at": text_of(w.now.at), "boot": w.now.boot, "mono": w.now.mono})
    w.conn.execute("INSERT OR REPLACE INTO wrong_pins (person, n, last) VALUES (?, ?, ?)", (who, n, last))
