"""What people wrote on their phones: kept apart from the feed, and deleted after some months."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from kiosk.clock import Moment
from kiosk.store.database import Database, Writing
from kiosk.store.facts import fact
from kiosk.store.ids import new_id
from kiosk.tickets import Data
from sync.beside import MAX_TEXTS, Text, text_hash

COMMENT_DAYS = 90
"""So long a comment is kept, by the day that it belongs to."""
SENT = "comments_sent"
"""The fact that says how far the server has the words."""


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
    w.emit("comment.given", {"comment": id, **about, "sha256": text_hash(salt, text)})


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
        # The numbers of the deleted ones are given again: what gets one is not sent yet.
        w.conn.execute(
            "UPDATE facts SET value = min(CAST(value AS INTEGER), (SELECT coalesce(max(n), 0) FROM comments))"
            " WHERE key = ?",
            (SENT,),
        )
    return deleted


class CommentTexts:
    """The words for whoever carries them to the server, and the cursor that says how far it has them."""

    def __init__(self, database: Database, now: Callable[[], Moment]) -> None:
        self.database = database
        self.now = now

    def waiting(self, after: int | None = None, limit: int = MAX_TEXTS) -> tuple[int, list[Text]]:
        """The words after number `after` (default: the cursor), and that number itself."""
        first = int(fact(self.database, SENT) or 0) if after is None else after
        rows = self.database.rows("SELECT n, id, salt, text FROM comments WHERE n > ? ORDER BY n LIMIT ?", first, limit)
        return first, [Text(row["n"], row["id"], row["salt"], row["text"]) for row in rows]

    def settle(self, upto: int) -> None:
        """The server has all up to this number. Raises StoreError."""
        if upto == int(fact(self.database, SENT) or 0):
            return
        with self.database.writing(self.now()) as w:
            last = w.conn.execute("SELECT coalesce(max(n), 0) FROM comments").fetchone()[0]
            w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (SENT, str(min(upto, last))))
