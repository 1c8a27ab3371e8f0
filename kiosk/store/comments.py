"""What people wrote on their phones: kept apart from the feed, and deleted after some months."""

import hashlib
import secrets
from datetime import timedelta

from kiosk.store.database import Writing
from kiosk.store.ids import new_id
from kiosk.tickets import Data

COMMENT_DAYS = 90
"""So long a comment is kept, by the day that it belongs to."""


def keep_comment(w: Writing, text: str, day: str, *, ticket: str, counter: str, clerk: str, rating: str) -> None:
    """Keep a comment on a ticket, or ("" for it) on a counter; `rating` is the one that it came with, or "".

    The event carries only the id and a hash. It is hashed with a salt that is deleted with the text: a short sentence
    could be guessed from its plain hash.
    """
    id, salt = new_id(), secrets.token_hex(16)
    about: Data = {"ticket": ticket, "counter": counter, "clerk": clerk, "rating": rating, "day": day}
    w.conn.execute(
        "INSERT INTO comments (id, salt, text, ticket, counter, clerk, rating, day) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (id, salt, text, *about.values()),
    )
    w.emit("comment.given", {"comment": id, **about, "sha256": comment_hash(salt, text)})


def comment_hash(salt: str, text: str) -> str:
    """What a comment's event says of its text."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def delete_old_comments(w: Writing) -> int:
    """Delete the texts that are older than `COMMENT_DAYS`; how many. On a clock that is not believed none is."""
    if not w.now.trusted:
        return 0
    before = str(w.now.day - timedelta(days=COMMENT_DAYS))
    # Deleted means overwritten: SQLite would leave the words in the file's free pages.
    w.conn.execute("PRAGMA secure_delete = ON")
    deleted = w.conn.execute("DELETE FROM comments WHERE day < ?", (before,)).rowcount
    if deleted:
        w.emit("comment.deleted", {"before": before, "n": deleted})
    return deleted
