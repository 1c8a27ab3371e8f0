"""Which of its copies the database is: one that was brought back from a copy has another generation.

What comes after that gets numbers that were given before, in another order: by such a number nobody may read on.
"""

import hashlib
import secrets
import sqlite3

from django.db import connection

_MOST = 2**28
"""Generations have nine digits at most, and room for what is added to them."""

# A dump that is brought back makes every table anew, in the same database, another one or another cluster; a cluster
# that is brought back to a point in time, or that took the place of another one, goes on in a new timeline.
_WHICH = (
    "SELECT system_identifier, timeline_id, pg_database.oid, 'facts_cursor'::regclass::oid"
    " FROM pg_control_system(), pg_control_checkpoint(), pg_database WHERE datname = current_database()"
)


def renew(copy: sqlite3.Connection) -> None:
    """Give a copy in SQLite a generation of its own."""
    copy.execute(f"PRAGMA user_version = {1 + secrets.randbelow(_MOST - 1)}")


def current_generation() -> int:
    """This database's; 0 of one in SQLite that was never copied."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA user_version")
            return int(cursor.fetchone()[0])
        cursor.execute(_WHICH)
        return int.from_bytes(hashlib.sha256(repr(cursor.fetchone()).encode()).digest()[:4]) % _MOST
