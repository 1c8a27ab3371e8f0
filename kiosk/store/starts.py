"""When `kiosk run` was started lately: one that starts again and again is in trouble, though each start goes well."""

from datetime import timedelta

from kiosk.clock import Moment
from kiosk.store.database import Database
from kiosk.store.facts import fact, note
from sync import wire

KEY = "starts"
LATELY = timedelta(hours=24)
KEPT = 30


def note_start(database: Database, now: Moment) -> None:
    """It was started. Raises StoreError."""
    kept = fact(database, KEY).split()[1 - KEPT :]
    with database.writing(now) as w:
        note(w, KEY, " ".join([*kept, wire.instant(now.at)]))


def starts_lately(database: Database, now: Moment) -> int:
    """How often in the last 24 hours, at most KEPT; what a wrong clock has noted counts for nothing."""
    noted = (wire.parse_instant(text) for text in fact(database, KEY).split())
    return sum(now.at - LATELY < at <= now.at for at in noted)
