"""What the kiosk forgets of itself: tickets, ratings and refusals of days long gone (24 months; rules of privacy).

Events have a limit of their own: what no server has taken yet stays, however old it is.
"""

from datetime import date

from kiosk.clock import Moment
from kiosk.store.database import Database, Writing

MONTHS = 24
PROOF = 20
"""So many days with numbers on a believed date must lie after what goes: one wrong clock takes nothing away."""


def drop_old(database: Database, now: Moment) -> int:
    """Delete rows of days more than MONTHS before the kiosk's own latest days; how many tickets went."""
    with database.writing(now) as w:
        since = _first_kept(w)
        return _drop(w, since) if since else 0


def _first_kept(w: Writing) -> date | None:
    """The first of a month; None while there is nothing to count from. Counted from numbers given, not from a clock."""
    days = "SELECT DISTINCT day FROM series WHERE trusted = 1 ORDER BY day DESC LIMIT 1 OFFSET ?"
    row = w.conn.execute(days, (PROOF - 1,)).fetchone()
    if row is None:
        return None
    latest = date.fromisoformat(row["day"])
    months = latest.year * 12 + latest.month - 1 - MONTHS
    return date(months // 12, months % 12 + 1, 1)


def _drop(w: Writing, since: date) -> int:
    old = "SELECT id FROM series WHERE day < ? AND current = 0"
    before = (str(since),)
    for statement in (
        f"DELETE FROM jobs WHERE ticket IN (SELECT id FROM tickets WHERE series IN ({old}))",
        f"DELETE FROM phone_rejoins WHERE ticket IN (SELECT id FROM tickets WHERE series IN ({old}))",
        f"DELETE FROM spoken_calls WHERE ticket IN (SELECT id FROM tickets WHERE series IN ({old}))",
        "DELETE FROM ratings WHERE day < ?",
        "DELETE FROM refusals WHERE day < ?",
    ):
        w.conn.execute(statement, before)
    gone = w.conn.execute(f"DELETE FROM tickets WHERE series IN ({old})", before).rowcount
    w.conn.execute(f"DELETE FROM numbers WHERE series IN ({old})", before)
    w.conn.execute("DELETE FROM series WHERE day < ? AND current = 0", before)
    return gone
