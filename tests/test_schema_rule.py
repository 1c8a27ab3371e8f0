"""The release before an update still reads and writes the database: a migration only adds."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from kiosk.store import Store, StoreError
from kiosk.store.database import READABLE, connect, migrate
from kiosk.store.offices import put_version
from kiosk.store.prepare import prepare
from kiosk.store.schema import READABLE_FROM, migrations, newest
from tests.office import moment, open_store, rulebook

ROOT = Path(__file__).parent.parent
RELEASED = 10
"""The newest migration of the release before: raised when a version is released."""

ADDS = (
    r"CREATE TABLE (\w+) .*",
    r"CREATE INDEX \w+ ON \w+ .*",
    r"ALTER TABLE \w+ ADD COLUMN \w+ \w+( NOT NULL)? DEFAULT \S+",
    r"ALTER TABLE \w+ ADD COLUMN \w+ \w+",
)
ALLOWED = {
    # What can be taken back within seconds, and never over a restart.
    "DELETE FROM undo",
}


def statements(step: str) -> list[str]:
    """What a migration says to the database, one line each, without what sqlite_utils keeps for itself."""
    said: list[str] = []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.row_factory = sqlite3.Row
        tables = Tables(conn)
        if step != names()[0]:
            migrations.apply(tables, stop_before=step)
        (fn,) = [each.fn for each in migrations._migrations if each.name == step]
        conn.set_trace_callback(said.append)
        fn(tables)
        conn.set_trace_callback(None)
    return [re.sub(r"\s+", " ", each).strip() for each in said]


def names() -> list[str]:
    return [each.name for each in migrations._migrations]


def breaks(said: list[str]) -> list[str]:
    """Statements of a migration that the release before could not live with."""
    new = {found[1] for each in said if (found := re.fullmatch(ADDS[0], each))}
    return [
        each
        for each in said
        if each not in ALLOWED
        and not any(re.fullmatch(pattern, each) for pattern in ADDS)
        and not any(re.fullmatch(rf"(INSERT INTO|CREATE UNIQUE INDEX \w+ ON) {table} .*", each) for table in new)
    ]


@pytest.mark.parametrize("step", names()[1:])
def test_a_migration_only_adds(step: str):
    assert breaks(statements(step)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE facts",
        "ALTER TABLE facts DROP COLUMN value",
        "ALTER TABLE facts RENAME TO truths",
        "ALTER TABLE facts ADD COLUMN more TEXT NOT NULL",
        "CREATE UNIQUE INDEX one ON facts (value)",
        "CREATE TRIGGER t AFTER INSERT ON facts BEGIN SELECT 1; END",
        "UPDATE tickets SET state = 'open'",
        "DELETE FROM facts",
    ],
)
def test_a_migration_that_takes_away_or_forbids_would_be_seen(statement: str):
    assert breaks([statement]) == [statement]


def test_the_release_before_can_be_gone_back_to():
    assert READABLE_FROM <= RELEASED <= newest()


def test_every_row_is_written_by_the_names_of_its_columns():
    """With a further column an INSERT without names is an error."""
    nameless = re.compile(r"INTO \w+ VALUES")
    files = [*ROOT.glob("kiosk/**/*.py"), ROOT / "sync/outbox.py", ROOT / "sync/beside.py"]
    assert [str(path) for path in files if nameless.search(path.read_text())] == []


def as_a_later_release_leaves_it(folder: Path, readable_from: int = READABLE_FROM) -> None:
    """A further table, and a further column with a default in every table."""
    with closing(connect(folder / "kiosk.db")) as conn:
        ours = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in ours:
            if not table.startswith(("sqlite_", "_sqlite_")):
                conn.execute(f"ALTER TABLE {table} ADD COLUMN later TEXT NOT NULL DEFAULT ''")
        conn.execute("CREATE TABLE later (x TEXT)")
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kiosk', 'm999_later', '')"
        )
        conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (READABLE, readable_from))


def test_a_program_works_with_the_tables_of_a_later_release(tmp_path: Path):
    first = open_store(tmp_path)
    first.issuing.issue(moment(0), "ho-tich")
    first.close()
    as_a_later_release_leaves_it(tmp_path)
    store = open_store(tmp_path, rulebook(press_limits=False))
    a_day(store)
    store.close()
    assert prepare(tmp_path, moment(900)).set_aside == ""


def a_day(store: Store) -> None:
    """Every kind of row is written: numbers, calls, undo, ratings, comments, people, panels, phones, facts."""
    ticket = store.issuing.issue(moment(10), "ho-tich").ticket
    store.people.set_pin(moment(11), "lan", "4711", "lan")
    store.counters.open(moment(12), "1")
    store.counters.call_next(moment(13), "1")
    store.counters.undo(moment(14), "1")
    store.counters.call_next(moment(15), "1")
    store.counters.start(moment(20), "1")
    store.counters.finish(moment(60), "1")
    store.ratings.press(moment(62), "1", 3, "key")
    store.panels.new_code(moment(70), "2")
    store.overrides.set_day(moment(80), moment(0, day=1).day, "off", "bão")
    with store.database.writing(moment(90)) as w:
        put_version(w, "text", "sha256", 3, "lan")
    assert [version.version for version in store.offices.history()] == [3]
    assert store.offices.newest() == store.offices.get(1)
    assert store.database.row("SELECT 1 FROM tickets WHERE id = ? AND later = ''", ticket.id)


def test_a_program_says_that_it_is_too_old_and_leaves_the_database_alone(tmp_path: Path):
    open_store(tmp_path).close()
    as_a_later_release_leaves_it(tmp_path, readable_from=newest() + 1)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(StoreError, match=f"needs schema {newest() + 1}, this program has {newest()}"):
        prepare(tmp_path, moment(10))
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_release_notes_which_programs_can_work_with_its_tables(tmp_path: Path):
    migrate(tmp_path / "kiosk.db")
    with closing(connect(tmp_path / "kiosk.db")) as conn:
        assert conn.execute("SELECT value FROM facts WHERE key = ?", (READABLE,)).fetchone()[0] == str(READABLE_FROM)
