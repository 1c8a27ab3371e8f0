"""Damage, restores, backups, full disks and kills: a folder always ends in a running kiosk that repeats no number."""

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kiosk.store import Store, StoreCorrupt, StoreError, database, look
from kiosk.store.backup import backups
from kiosk.store.database import Database
from kiosk.store.facts import device_id
from kiosk.store.files import problem_of
from kiosk.store.highwater import HighWater
from kiosk.store.prepare import backup, hold, prepare, restore, single
from tests.office import moment, open_store, rulebook

ROOT = Path(__file__).parent.parent


def give(store: Store, n: int, start: int = 0, service: str = "ho-tich") -> set[str]:
    """The numbers that are on paper now."""
    return {store.issuing.issue(moment(start + k), service).ticket.number for k in range(n)}


def break_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * 200_000)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def tickets(folder: Path) -> int:
    with closing(Database(folder).conn) as conn:
        return int(conn.execute("SELECT count(*) FROM tickets").fetchone()[0])


def with_log_of_a_killed_kiosk(folder: Path, act: Callable[[], object]) -> None:
    """Close everything, but leave the log as a kill would have: full, and not written back."""
    left = {path: path.read_bytes() for path in folder.glob("kiosk.db*")}
    assert len(left) == 3
    act()
    for path, content in left.items():
        path.write_bytes(content)


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
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*unshare, f'mount -t tmpfs tmpfs "{tmp_path}"']).returncode:
        pytest.skip("no small disk can be mounted here")
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


# --- kills ------------------------------------------------------------------------------------------------------


def killed_before_step(step: int, act: Callable[[], object]) -> None:
    """Runs in a child process: `act`, and a kill before its n-th change of the folder."""
    steps = count(1)

    def stepping(real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    for name in ("rename", "replace", "unlink", "fsync"):
        setattr(os, name, partial(stepping, getattr(os, name)))
    act()


def all_kills(folder: Path, act: Callable[[Path], object]) -> Iterator[Path]:
    """Copies of the folder in which `act` was killed before its first, second … step, and one where it was done."""
    fork = multiprocessing.get_context("fork")
    for step in count(1):
        scratch = folder.with_name(f"killed-{step}")
        shutil.copytree(folder, scratch)
        child = fork.Process(target=killed_before_step, args=(step, lambda: act(scratch)))  # noqa: B023
        child.start()
        child.join(30)
        assert child.exitcode in (0, -signal.SIGKILL)
        yield scratch
        shutil.rmtree(scratch)
        if child.exitcode == 0:
            assert step > 10
            return


@pytest.fixture
def cut(tmp_path: Path) -> tuple[Path, Path, set[str]]:
    """A folder as a kill of the kiosk leaves it, with a log; a backup with 3 tickets in it, and all 23 numbers."""
    folder = tmp_path / "kiosk"
    store = open_store(folder)
    printed = give(store, 3)
    saved = backup(folder, moment(10))
    printed |= give(store, 20, 20)
    with_log_of_a_killed_kiosk(folder, store.close)
    (folder / "ballast").unlink()  # copied often
    return folder, saved, printed


def start_again(folder: Path, printed: set[str]) -> int:
    """The next start after a kill; how many tickets the database had then."""
    prepare(folder, moment(1000))
    assert problem_of(folder / "kiosk.db") == ""
    assert {name for name in names(folder) if name.startswith("kiosk.db") and "damaged" not in name} == {"kiosk.db"}
    had = tickets(folder)
    store = Store(folder, rulebook(press_limits=False))
    assert not printed & give(store, 2, 1001)
    store.close()
    return had


def test_a_restore_killed_at_any_point_repeats_no_number(cut: tuple[Path, Path, set[str]]):
    folder, saved, printed = cut
    had = [
        start_again(killed, printed)
        for killed in all_kills(folder, lambda scratch: restore(scratch, scratch / "backup" / saved.name, moment(100)))
    ]
    assert had == sorted(had, reverse=True) and set(had) == {23, 3}


def test_a_start_on_a_damaged_database_killed_at_any_point_repeats_no_number(cut: tuple[Path, Path, set[str]]):
    folder, _, printed = cut
    (folder / "kiosk.db-wal").write_bytes(b"")
    (folder / "kiosk.db").write_bytes(b"nonsense" * 1000)
    assert {start_again(killed, printed) for killed in all_kills(folder, lambda at: prepare(at, moment(100)))} == {3}


def test_a_log_left_by_a_kill_between_two_renames_is_not_replayed_into_the_backup(cut: tuple[Path, Path, set[str]]):
    folder, _, printed = cut
    (folder / "kiosk.db").rename(folder / "kiosk.db.damaged-before")
    assert start_again(folder, printed) == 3
    assert len(list(folder.glob("kiosk.db.damaged-*-wal"))) == 1


# --- backups ----------------------------------------------------------------------------------------------------


def test_backups_go_by_their_number_whatever_the_clock_said(store: Store, tmp_path: Path):
    for n in range(8):
        backup(tmp_path, moment(1000 + n))
    past, future = backup(tmp_path, moment(day=-40)), backup(tmp_path, moment(day=400))
    last = backup(tmp_path, moment(3000))
    assert backups(tmp_path)[:3] == [last, future, past]
    assert len(backups(tmp_path)) == 7


def test_a_damaged_database_is_not_backed_up_and_pushes_out_no_backup(store: Store, tmp_path: Path):
    give(store, 300)
    for n in range(7):
        backup(tmp_path, moment(1000 + n))
    kept = backups(tmp_path)
    store.close()
    break_pages(tmp_path / "kiosk.db")
    for n in range(7):
        with pytest.raises(StoreCorrupt, match="restart"):
            backup(tmp_path, moment(2000 + n))
    assert backups(tmp_path) == kept
    assert names(tmp_path / "backup") == {path.name for path in kept} | {"lock"}
    assert prepare(tmp_path, moment(3000)).restored == kept[0].name


def test_a_damaged_backup_is_passed_over_for_the_one_before_it(store: Store, tmp_path: Path):
    give(store, 300)
    good, bad = backup(tmp_path, moment(1000)), backup(tmp_path, moment(1001))
    store.close()
    break_pages(bad)
    (tmp_path / "kiosk.db").unlink()
    assert prepare(tmp_path, moment(2000)).restored == good.name


def test_without_a_database_a_backup_is_refused_and_none_is_made(tmp_path: Path):
    with pytest.raises(StoreError, match="kiosk prepare"):
        backup(tmp_path, moment(0))
    assert not (tmp_path / "kiosk.db").exists()
    with pytest.raises(StoreError):
        backup(tmp_path / "nowhere", moment(0))


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000])
def test_a_file_that_is_no_backup_is_refused_and_the_database_stays(store: Store, tmp_path: Path, content: bytes):
    give(store, 3)
    store.close()
    (tmp_path / "stick.db").write_bytes(content)
    with pytest.raises(StoreError, match="choose another"):
        restore(tmp_path, tmp_path / "stick.db", moment(10))
    assert prepare(tmp_path, moment(20)).new_epoch == ""
    assert tickets(tmp_path) == 3


def test_a_restore_that_cannot_be_made_is_one_clear_sentence_and_changes_nothing(store: Store, tmp_path: Path):
    saved = backup(tmp_path, moment(10))
    with hold(tmp_path), pytest.raises(StoreError, match="stop it first"):
        restore(tmp_path, saved, moment(20))
    store.close()
    (tmp_path / "kiosk.db.restored.part").mkdir()
    with pytest.raises(StoreError, match="memory card"):
        restore(tmp_path, saved, moment(20))
    assert not list(tmp_path.glob("*.damaged-*"))
    with pytest.raises(StoreError, match="does not exist"):
        restore(tmp_path, tmp_path / "nothing.db", moment(20))


@pytest.mark.parametrize("index", [True, False])
def test_what_was_set_aside_can_be_put_back_with_its_log(cut: tuple[Path, Path, set[str]], index: bool):
    folder, saved, _ = cut
    if not index:
        (folder / "kiosk.db-shm").unlink()
    aside = restore(folder, saved, moment(100)).set_aside
    before = (folder / aside).read_bytes()
    assert restore(folder, folder / aside, moment(200)).new_epoch
    assert tickets(folder) == 23
    assert (folder / aside).read_bytes() == before


# --- looking ----------------------------------------------------------------------------------------------------


def traces(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_looking_at_a_backup_or_a_database_that_nobody_uses_writes_nothing(store: Store, tmp_path: Path):
    give(store, 3)
    saved = backup(tmp_path, moment(10))
    store.note(moment(11), "printer", "ok")
    store.close()
    before = traces(tmp_path)
    assert (problem_of(saved), look.quick_look(tmp_path), look.noted(tmp_path, "printer")) == ("", "", "ok")
    assert look.server_word(tmp_path) == {}
    assert not look.is_running(tmp_path)
    assert traces(tmp_path) == before


def test_looking_at_a_running_kiosk_sees_its_latest_word_and_writes_nothing(store: Store, tmp_path: Path):
    give(store, 3)
    store.note(moment(11), "printer", "paper_low")
    with single(tmp_path):
        before = traces(tmp_path)
        assert (look.quick_look(tmp_path), look.noted(tmp_path, "printer")) == ("", "paper_low")
        assert look.is_running(tmp_path)
        assert traces(tmp_path) == before


def test_looking_at_what_a_killed_kiosk_left_sees_its_log_and_writes_nothing(cut: tuple[Path, Path, set[str]]):
    folder = cut[0]
    before = traces(folder)
    assert look.quick_look(folder) == ""
    assert traces(folder) == before
    (folder / "kiosk.db-shm").unlink()
    before = traces(folder)
    assert "kiosk prepare" in look.quick_look(folder)
    assert traces(folder) == before


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
