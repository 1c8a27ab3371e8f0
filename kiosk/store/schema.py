"""The database's tables, as numbered migrations that are never edited after a release.

A migration only adds: tables, columns with a default, indexes that forbid nothing. So the release before, to which an
update may be taken back, still reads and writes the database; tests/test_schema_rule.py holds it. What has to go all
the same is left unused for one release first, and then goes together with a higher `READABLE_FROM`.
"""

from sqlite_utils import Database, Migrations

from sync import outbox

READABLE_FROM = 10
"""The oldest schema (a program's `newest()`) that can work with these tables; never above the release before."""

migrations = Migrations("kiosk")


def newest() -> int:
    """The number of the newest migration that this program knows."""
    return max(int(migration.name[1:4]) for migration in migrations._migrations)


@migrations()
def m001_first(db: Database) -> None:
    outbox.create(db.conn)
    # Raw DDL: partial indexes and WITHOUT ROWID are what keeps a ticket as cheap at 400,000 rows as at the first.
    for statement in _FIRST:
        db.conn.execute(statement)


@migrations()
def m002_slips_in_the_chosen_language(db: Database) -> None:
    # Only until the slip is out: which language somebody reads is nothing to keep with a ticket.
    db.conn.execute("ALTER TABLE jobs ADD COLUMN language TEXT NOT NULL DEFAULT ''")


@migrations()
def m003_spoken_calls(db: Database) -> None:
    # What the voice says in the hall: written within the move that calls, by whatever process makes it.
    db.conn.execute(
        """CREATE TABLE spoken_calls (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ticket TEXT NOT NULL, counter TEXT NOT NULL,
        made_at TEXT NOT NULL, boot TEXT NOT NULL, mono INTEGER NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL)"""
    )
    db.conn.execute("CREATE INDEX spoken_calls_open ON spoken_calls (id) WHERE state IN ('waiting', 'speaking')")


@migrations()
def m004_people(db: Database) -> None:
    for statement in _PEOPLE:
        db.conn.execute(statement)


@migrations()
def m005_panels(db: Database) -> None:
    for statement in _PANELS:
        db.conn.execute(statement)


_PANELS = (
    "CREATE TABLE panels (key TEXT PRIMARY KEY, counter TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE panel_codes (
        counter TEXT PRIMARY KEY, code TEXT NOT NULL, at TEXT NOT NULL, boot TEXT NOT NULL,
        mono INTEGER NOT NULL) WITHOUT ROWID""",
)


@migrations()
def m006_hall(db: Database) -> None:
    for statement in _HALL:
        db.conn.execute(statement)


_HALL = (
    "ALTER TABLE tickets ADD COLUMN linked TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX tickets_linked ON tickets (linked) WHERE linked != ''",
    # What can be taken back knows nothing of the new column.
    "DELETE FROM undo",
    # Rolls of pre-printed numbers that the help desk hands out: the number that is on top of each.
    "CREATE TABLE rolls (service TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
)


@migrations()
def m007_office(db: Database) -> None:
    for statement in _OFFICE:
        db.conn.execute(statement)


_OFFICE = (
    # Documents as they were entered; the newest row is in force.
    """CREATE TABLE office_versions (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, sha256 TEXT NOT NULL, version INTEGER NOT NULL,
        text TEXT NOT NULL, by TEXT NOT NULL, note TEXT NOT NULL)""",
    # What one process asks of another. `answer` is what came of it; `at`, `boot` and `mono` tell its age.
    """CREATE TABLE orders (
        id INTEGER PRIMARY KEY, part TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, state TEXT NOT NULL,
        answer TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, boot TEXT NOT NULL, mono INTEGER NOT NULL)""",
    "CREATE INDEX orders_open ON orders (part, id) WHERE state IN ('queued', 'running')",
    # The set-up of a new kiosk while it is unfinished. Never in an event: the code is as good as a PIN.
    "CREATE TABLE setup (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)

_PEOPLE = (
    "CREATE TABLE pins (person TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE wrong_pins (person TEXT PRIMARY KEY, n INTEGER NOT NULL, last TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE signins (
        token TEXT PRIMARY KEY, person TEXT NOT NULL, counter TEXT NOT NULL, csrf TEXT NOT NULL,
        at TEXT NOT NULL) WITHOUT ROWID""",
)


@migrations()
def m010_phone(db: Database) -> None:
    for statement in _PHONE:
        db.conn.execute(statement)


_PHONE = (
    "ALTER TABLE ratings ADD COLUMN reasons TEXT NOT NULL DEFAULT ''",
    # What people wrote. Its event has only the id and a hash with the row's salt, so that a deleted text is gone.
    """CREATE TABLE comments (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ticket TEXT NOT NULL, counter TEXT NOT NULL,
        clerk TEXT NOT NULL, rating TEXT NOT NULL, day TEXT NOT NULL, salt TEXT NOT NULL, text TEXT NOT NULL)""",
    "CREATE INDEX comments_day ON comments (day)",
    "CREATE INDEX comments_ticket ON comments (ticket) WHERE ticket != ''",
    "CREATE TABLE phone_rejoins (ticket TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID",
    # The code on each counter's poster; another one takes its place, and the old one opens nothing any more.
    "CREATE TABLE posters (counter TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE) WITHOUT ROWID",
)

_FIRST = (
    # A series of numbers: one per day, or per session where the office numbers so. One row is current.
    """CREATE TABLE series (
        id TEXT PRIMARY KEY, day TEXT NOT NULL, session TEXT NOT NULL, trusted INTEGER NOT NULL,
        opened_at TEXT NOT NULL, current INTEGER NOT NULL, boot TEXT NOT NULL, offset_ms INTEGER NOT NULL)""",
    """CREATE TABLE numbers (
        series TEXT NOT NULL, service TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (series, service)) WITHOUT ROWID""",
    # Whether the last call of a queue was a priority one: whose turn it is next.
    "CREATE TABLE turns (queue TEXT PRIMARY KEY, priority INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE tickets (
        arrival INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, token TEXT NOT NULL UNIQUE,
        series TEXT NOT NULL, session TEXT NOT NULL, service TEXT NOT NULL, seq INTEGER NOT NULL,
        number TEXT NOT NULL, priority INTEGER NOT NULL, issued_at TEXT NOT NULL, boot TEXT NOT NULL,
        trusted INTEGER NOT NULL, place INTEGER NOT NULL, queue TEXT NOT NULL, state TEXT NOT NULL,
        target TEXT NOT NULL, counter TEXT NOT NULL, clerk TEXT NOT NULL, calls INTEGER NOT NULL,
        first_called_at TEXT, last_called_at TEXT, started_at TEXT, implied INTEGER NOT NULL, ended_at TEXT,
        why TEXT NOT NULL, missed_at TEXT, issuer TEXT NOT NULL, UNIQUE (series, service, seq))""",
    "CREATE INDEX tickets_waiting ON tickets (queue, priority, place) WHERE state = 'waiting'",
    """CREATE INDEX tickets_open ON tickets (series, number)
        WHERE state IN ('waiting', 'called', 'serving', 'held', 'no_show')""",
    "CREATE INDEX tickets_served ON tickets (queue, ended_at) WHERE state = 'served' AND implied = 0",
    # The limits of the keys look at the latest numbers that the keys gave, however many staff gave since.
    "CREATE INDEX tickets_pressed ON tickets (issuer) WHERE issuer = 'kiosk'",
    "CREATE INDEX tickets_called ON tickets (series, last_called_at) WHERE last_called_at IS NOT NULL",
    """CREATE TABLE counters (
        id TEXT PRIMARY KEY, state TEXT NOT NULL, clerk TEXT NOT NULL, paused_until TEXT NOT NULL,
        ticket TEXT NOT NULL, armed TEXT NOT NULL, armed_at TEXT, acted_at TEXT,
        day TEXT NOT NULL, boot TEXT NOT NULL) WITHOUT ROWID""",
    # The last move of each counter, with the rows before and after it, so that it can be taken back for some seconds.
    """CREATE TABLE undo (
        counter TEXT PRIMARY KEY, at TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE refusals (
        day TEXT NOT NULL, service TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (day, service, reason)) WITHOUT ROWID""",
    """CREATE TABLE ratings (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ticket TEXT NOT NULL, counter TEXT NOT NULL,
        clerk TEXT NOT NULL, level INTEGER NOT NULL, label_set TEXT NOT NULL, source TEXT NOT NULL,
        flags TEXT NOT NULL, at TEXT NOT NULL, day TEXT NOT NULL, session TEXT NOT NULL, replaced_by TEXT NOT NULL,
        guess_boot TEXT NOT NULL)""",
    "CREATE INDEX ratings_ticket ON ratings (ticket) WHERE ticket != ''",
    "CREATE INDEX ratings_counter ON ratings (counter, n)",
    "CREATE INDEX ratings_counting ON ratings (counter, n) WHERE flags = ''",
    "CREATE INDEX ratings_day ON ratings (day)",
    "CREATE INDEX ratings_guessed ON ratings (guess_boot) WHERE guess_boot != ''",
    # The ends of sessions at which it was judged whether figures move: once each. `upto` is the last rating (n) then.
    """CREATE TABLE closes (
        id INTEGER PRIMARY KEY, day TEXT NOT NULL, session TEXT NOT NULL, upto INTEGER NOT NULL,
        UNIQUE (day, session))""",
    # Figures as they were published, each time that one of them moved.
    """CREATE TABLE published (
        id INTEGER PRIMARY KEY, day TEXT NOT NULL, session TEXT NOT NULL, period TEXT NOT NULL,
        figures TEXT NOT NULL)""",
    "CREATE INDEX published_period ON published (period, id)",
    # Slips to print. `copy` counts how often the slip was begun; what it says about the line is kept here.
    """CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, ticket TEXT NOT NULL, state TEXT NOT NULL, copy INTEGER NOT NULL,
        made_at TEXT NOT NULL, boot TEXT NOT NULL, mono INTEGER NOT NULL, ahead INTEGER NOT NULL,
        wait_low INTEGER, wait_high INTEGER, why TEXT NOT NULL)""",
    "CREATE INDEX jobs_open ON jobs (id) WHERE state IN ('queued', 'sending')",
    "CREATE INDEX jobs_ticket ON jobs (ticket)",
    # Days that staff opened or closed, and extra quota: rows with events, on top of the office document.
    """CREATE TABLE overrides (
        kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID""",
    # What the kiosk knows about itself: printer state, who vouched for the clock in which boot.
    "CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
