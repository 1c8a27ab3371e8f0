"""Damage, full disks and copies: a folder always ends in a running kiosk that repeats no number."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kiosk.store import Store, StoreCorrupt, StoreError, database
from kiosk.store.database import Database
from kiosk.store.facts import device_id
from kiosk.store.highwater import HighWater
from kiosk.store.prepare import backup, hold, prepare, restore, single
from tests.folders import break_pages, give, names, tickets, with_log_of_a_killed_kiosk
from tests.office import moment, open_store, rulebook

ROOT = Path(__file__).parent.parent


# --- damage -----------------------------------------------------------------------------------------------------


def test_a_damaged_database_is_let_go_by_every_process_before_it_is_set_aside(store: Store, tmp_path: Path):
    store.issuing.issue(moment(0), "ho-tich")
    held = hold(tmp_path)
    store.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    break_pages(tmp_path / "kiosk.db")
    with pytest.raises(StoreCorrupt):
        Database(tmp_path).rows("SELECT * FROM tickets, events")
    with pytest.raises(StoreCorrupt, match="restart"):
        store.database.check_mark()
    store.close()
    held.close()
    assert prepare(tmp_path, moment(100)).set_aside
    assert not (tmp_path / "damaged").exists()


def test_a_damaged_database_is_set_aside_and_the_newest_backup_takes_its_place(store: Store, tmp_path: Path):
    last = store.issuing.issue(moment(0), "ho-tich").ticket
    backup(tmp_path, moment(5))
    store.close()
    with (tmp_path / "kiosk.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)
    done = prepare(tmp_path, moment(10))
    assert done.set_aside and done.restored and done.new_epoch
    assert (tmp_path / done.set_aside).exists()
    again = open_store(tmp_path)
    assert again.database.rows("SELECT id FROM tickets")[0]["id"] == last.id
    assert int(again.issuing.issue(moment(11), "ho-tich").ticket.number) > int(last.number)


def test_without_any_backup_a_damaged_database_still_ends_in_a_running_kiosk(store: Store, tmp_path: Path):
    printed = store.issuing.issue(moment(0), "ho-tich").ticket.number
    store.close()
    (tmp_path / "kiosk.db").write_bytes(b"nonsense" * 1000)
    prepare(tmp_path, moment(5))
    again = open_store(tmp_path)
    assert int(again.issuing.issue(moment(6), "ho-tich").ticket.number) > int(printed)


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "without_tables"])
def test_a_file_without_the_kiosks_tables_is_no_database(store: Store, tmp_path: Path, content: bytes | None):
    give(store, 3)
    backup(tmp_path, moment(5))
    store.close()
    (tmp_path / "kiosk.db").unlink()
    if content is None:
        with closing(sqlite3.connect(tmp_path / "kiosk.db")) as conn:
            conn.execute("CREATE TABLE other (x)")
    else:
        (tmp_path / "kiosk.db").write_bytes(content)
    assert prepare(tmp_path, moment(10)).restored
    assert tickets(tmp_path) == 3


def orphan_index_entries(path: Path) -> None:
    """Rows go behind an index's back: a quick check does not compare the two."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        row = conn.execute("SELECT sql, rootpage FROM sqlite_master WHERE name = 'tickets_waiting'").fetchone()
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute("DELETE FROM sqlite_master WHERE name = 'tickets_waiting'")
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("DELETE FROM tickets WHERE arrival <= 2")
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute("INSERT INTO sqlite_master VALUES ('index', 'tickets_waiting', 'tickets', ?, ?)", row[::-1])


def test_damage_that_a_quick_check_misses_is_mended_once_a_process_met_it(store: Store, tmp_path: Path):
    give(store, 60)
    backup(tmp_path, moment(100))
    store.close()
    orphan_index_entries(tmp_path / "kiosk.db")
    prepare(tmp_path, moment(200))
    again = Store(tmp_path, rulebook(press_limits=False))
    with pytest.raises(StoreCorrupt):
        again.counters.call_next(moment(210), "1")
    again.close()
    done = prepare(tmp_path, moment(220))
    assert (done.set_aside, done.new_epoch, (tmp_path / "damaged").exists()) == ("", "", False)
    mended = Store(tmp_path, rulebook(press_limits=False))
    assert mended.counters.call_next(moment(230), "1").number == "1003"  # type: ignore[union-attr]
    mended.close()


def test_damage_that_new_indexes_do_not_mend_ends_in_the_backup(store: Store, tmp_path: Path):
    give(store, 30)
    backup(tmp_path, moment(100))
    store.close()
    with closing(sqlite3.connect(tmp_path / "kiosk.db", isolation_level=None)) as conn:
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute("UPDATE sqlite_master SET rootpage = 2 WHERE name = 'tickets'")
    (tmp_path / "damaged").touch()
    done = prepare(tmp_path, moment(200))
    assert done.set_aside and done.restored
    assert tickets(tmp_path) == 30


def test_what_was_set_aside_before_is_kept_when_the_clock_says_the_same_second(tmp_path: Path):
    for content in (b"one", b"two"):
        (tmp_path / "kiosk.db").write_bytes(content * 1000)
        prepare(tmp_path, moment(0))
    assert len(list(tmp_path.glob("kiosk.db.damaged-*"))) == 2


# --- what is no damage ------------------------------------------------------------------------------------------


def test_a_database_that_another_program_holds_is_waited_for_and_not_set_aside(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    give(store, 3)
    backup(tmp_path, moment(5))
    store.close()
    monkeypatch.setattr(database, "BUSY_MS", 50)
    with closing(sqlite3.connect(tmp_path / "kiosk.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        before = names(tmp_path)
        with pytest.raises(StoreError, match="another program"):
            prepare(tmp_path, moment(100))
        assert names(tmp_path) == before
    assert prepare(tmp_path, moment(200)).new_epoch == ""


def test_a_database_that_cannot_be_opened_is_not_set_aside(store: Store, tmp_path: Path):
    give(store, 3)
    backup(tmp_path, moment(5))
    store.close()
    (tmp_path / "kiosk.db-wal").mkdir()
    before = names(tmp_path)
    with pytest.raises(StoreError, match="owner"):
        prepare(tmp_path, moment(100))
    assert names(tmp_path) == before
    (tmp_path / "kiosk.db-wal").rmdir()
    assert prepare(tmp_path, moment(200)).new_epoch == ""


def test_a_migration_that_cannot_be_written_is_one_clear_sentence(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store.close()
    monkeypatch.setattr(database, "BUSY_MS", 50)
    with closing(sqlite3.connect(tmp_path / "kiosk.db", isolation_level=None)) as other:
        other.execute("DROP TABLE _sqlite_migrations")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program"):
            prepare(tmp_path, moment(0))


_ON_A_FULL_DISK = """
import os, sys
from pathlib import Path
from kiosk.store import Store, StoreError
from kiosk.store.prepare import backup, prepare
from tests.office import moment, open_store, rulebook

folder = Path(sys.argv[1]) / "kiosk"
store = open_store(folder)
for n in range(30):
    store.issuing.issue(moment(n), "ho-tich")
store.close()

def fill():
    with open(folder.parent / "fill", "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass

fill()
prepare(folder, moment(100))
store = Store(folder, rulebook(press_limits=False))
print("with the reserve:", store.issuing.issue(moment(101), "ho-tich").ticket.seq)
store.close()
(folder / "ballast").write_bytes(b"")
fill()
try:
    prepare(folder, moment(200))
    print("it was not full")
except StoreError as error:
    print("full:", not list(folder.glob("*.damaged-*")))
(folder.parent / "fill").unlink()
(folder / "ballast").write_bytes(bytes(4096))
print("again:", prepare(folder, moment(300)).set_aside == "", (folder / "ballast").stat().st_size)
"""


def test_on_a_full_disk_the_reserve_opens_the_database_and_without_it_nothing_is_set_aside(tmp_path: Path):
    mounted = f'mount -t tmpfs -o size=14m tmpfs "{tmp_path}" && exec "$0" "$@"'
    # Root needs no user namespace of its own, which many containers forbid.
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *rights, "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*unshare, f'mount -t tmpfs tmpfs "{tmp_path}"']).returncode:
        pytest.skip("no small disk can be mounted here: neither root may nor an ordinary user in a namespace")
    done = subprocess.run(
        [*unshare, mounted, sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "with the reserve: 31",
        "full: True",
        f"again: True {database.BALLAST_BYTES}",
    ], done.stderr


# --- a copy is another database ---------------------------------------------------------------------------------


def test_a_restored_backup_goes_on_above_every_printed_number_in_a_new_epoch(store: Store, tmp_path: Path):
    printed = give(store, 3)
    saved = backup(tmp_path, moment(10))
    printed |= give(store, 60, 20)
    store.close()
    assert restore(tmp_path, saved, moment(100)).new_epoch
    again = open_store(tmp_path)
    assert again.issuing.issue(moment(101), "ho-tich").ticket.number not in printed
    assert again.issuing.issue(moment(102), "dat-dai").ticket.number == "3001"


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_a_backup_that_was_copied_by_hand_is_noticed_even_beside_an_old_log(store: Store, tmp_path: Path, killed: bool):
    printed = give(store, 3)
    saved = backup(tmp_path, moment(10)).read_bytes()
    printed |= give(store, 5, 20)
    with_log_of_a_killed_kiosk(tmp_path, store.close) if killed else store.close()
    (tmp_path / "kiosk.db").write_bytes(saved)
    with pytest.raises(StoreError, match="kiosk prepare"):
        hold(tmp_path)
    assert prepare(tmp_path, moment(100)).new_epoch
    again = open_store(tmp_path)
    assert tickets(tmp_path) == 3
    assert not printed & give(again, 60, 101)
    again.close()
    assert prepare(tmp_path, moment(500)).new_epoch == ""


def test_an_older_copy_of_the_database_is_noticed_by_its_low_numbers(store: Store, tmp_path: Path):
    store.issuing.issue(moment(0), "ho-tich")
    store.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    older = (tmp_path / "kiosk.db").read_bytes()
    give(store, 120, 2)
    store.close()
    (tmp_path / "kiosk.db").write_bytes(older)
    assert prepare(tmp_path, moment(500)).new_epoch
    assert open_store(tmp_path).issuing.issue(moment(501), "ho-tich").ticket.seq > 121


def test_a_copy_of_before_the_last_start_is_noticed_by_its_missing_events(store: Store, tmp_path: Path):
    store.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    older = (tmp_path / "kiosk.db").read_bytes()
    printed = give(store, 3)
    store.close()
    assert prepare(tmp_path, moment(100)).new_epoch == ""
    (tmp_path / "kiosk.db").write_bytes(older)
    assert prepare(tmp_path, moment(200)).new_epoch
    assert not printed & give(open_store(tmp_path), 3, 201)


@pytest.mark.parametrize("given", [0, 1, 51, 60])
def test_a_number_that_was_covered_but_not_committed_is_no_older_copy(store: Store, tmp_path: Path, given: int):
    give(store, given)
    store.database.high_water.cover("2026-11-23", {"ho-tich": given + 1})
    store.close()
    assert prepare(tmp_path, moment(100)).new_epoch == ""


def test_a_database_of_another_kiosk_starts_a_new_epoch(store: Store, tmp_path: Path):
    store.close()
    (tmp_path / "highwater.json").write_text("{broken")
    assert prepare(tmp_path, moment(5)).new_epoch
    assert prepare(tmp_path, moment(6)).new_epoch == ""


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"epoch": 3, "feed": "x", "series": []},
        {"epoch": 3, "feed": "x", "series": {"2026-11-23": [1]}},
        {"epoch": 3, "feed": "x", "series": {"2026-11-23": {"ho-tich": "many"}}},
        {"epoch": 3, "feed": "x", "seq": "last", "series": {}},
        {"epoch": -1, "feed": "x", "series": {}},
        {"epoch": 3, "feed": None, "series": {}},
    ],
)
def test_a_high_water_file_of_another_shape_counts_as_absent_and_epochs_still_rise(
    store: Store, tmp_path: Path, content: Any
):
    store.close()
    was = prepare(tmp_path, moment(1)).new_epoch or HighWater(tmp_path / "highwater.json").feed
    (tmp_path / "highwater.json").write_text(json.dumps(content))
    epoch = prepare(tmp_path, moment(5)).new_epoch
    assert epoch[:8] > was[:8]
    assert HighWater(tmp_path / "highwater.json").epoch == int(epoch[:8], 16)


# --- one of its kind --------------------------------------------------------------------------------------------


def test_a_second_kiosk_on_the_same_folder_is_refused_until_the_first_ends(tmp_path: Path):
    first = single(tmp_path)
    with pytest.raises(StoreError, match="another kiosk runs"):
        single(tmp_path)
    first.close()
    single(tmp_path).close()


def test_the_kiosks_id_is_made_once_and_an_empty_file_is_none(tmp_path: Path):
    made = device_id(tmp_path, "auto")
    assert made.startswith("k-") and device_id(tmp_path, "auto") == made
    assert device_id(tmp_path, "hall-2") == "hall-2"
    (tmp_path / "device-id").write_text("")
    assert len(device_id(tmp_path, "auto")) == 8
    with pytest.raises(StoreError, match="memory card"):
        device_id(tmp_path / "nowhere", "auto")
