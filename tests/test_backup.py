"""Kills at any step, backups, and looks from outside: no number is repeated and no good copy is lost."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kiosk.clock import Moment
from kiosk.store import Store, StoreCorrupt, StoreError, look
from kiosk.store.backup import backups, hours_without, made_at
from kiosk.store.facts import sign
from kiosk.store.files import problem_of
from kiosk.store.prepare import backup, hold, prepare, restore, single
from tests.folders import break_pages, give, names, tickets, with_log_of_a_killed_kiosk
from tests.office import moment, open_store, rulebook

# --- names -------------------------------------------------------------------------------------------------------


def test_a_name_tells_when_the_backup_was_made_and_a_strange_one_tells_nothing(tmp_path: Path):
    open_store(tmp_path)
    made = backup(tmp_path, moment(11))
    assert made.name == "kiosk-000001-20261123T003011.db"
    assert made_at(made) == moment(11).at.replace(microsecond=0)
    for name in ("kiosk-000001-20261323T003011.db", "kiosk-cu.db", "kiosk-000001-20261123T003011.db.part"):
        assert made_at(Path(name)) is None


# --- age ---------------------------------------------------------------------------------------------------------


def age(folder: Path, now: Moment) -> int | None:
    """As a running process counts it, and as it looks from outside."""
    store = Store(folder, rulebook())
    hours = hours_without(folder, store.database.conn, now)
    store.close()
    assert look.hours_without_backup(folder, now) == hours
    return hours


def test_the_age_counts_from_the_newest_backup_and_without_one_from_the_kiosks_first_sure_event(tmp_path: Path):
    prepare(tmp_path, moment(trusted=False, day=-9000))
    store = Store(tmp_path, rulebook())
    assert hours_without(tmp_path, store.database.conn, moment(day=9)) is None, "no event has a sure time"
    store.note(moment(), "printer", "paper_low")
    store.close()
    assert age(tmp_path, moment(3 * 86400 + 3599)) == 72
    backup(tmp_path, moment(3 * 86400))
    assert age(tmp_path, moment(3 * 86400 + 3600)) == 1


def test_a_clock_that_nobody_vouches_for_tells_no_age(tmp_path: Path):
    open_store(tmp_path).close()
    backup(tmp_path, moment())
    assert age(tmp_path, moment(day=9, trusted=False)) is None
    assert age(tmp_path, moment(day=-9)) == 0, "a backup that was named by a clock of the future is young"


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


def test_one_backup_of_each_of_seven_days_is_kept_though_two_are_made_a_day(store: Store, tmp_path: Path):
    made = {(day, half): backup(tmp_path, moment(3600 * half, day=day)) for day in range(9) for half in range(2)}
    assert backups(tmp_path) == [made[day, 1] for day in range(8, 1, -1)]
    noon = backup(tmp_path, moment(day=9))
    assert backups(tmp_path) == [noon, *(made[day, 1] for day in range(8, 2, -1))]


def test_of_a_clock_that_always_says_the_same_day_the_newest_seven_are_kept(store: Store, tmp_path: Path):
    made = [backup(tmp_path, moment(n)) for n in range(10)]
    assert backups(tmp_path) == made[:2:-1]


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


def test_a_backup_of_another_kiosk_is_refused_unless_this_one_stands_in_for_it(store: Store, tmp_path: Path):
    give(store, 3)
    with store.database.writing(moment(5)) as w:
        sign(w, "k-AAAAAA")
    store.close()
    saved = backup(tmp_path, moment(10))
    with pytest.raises(StoreError, match=r"a backup of k-AAAAAA, and this is k-BBBBBB.*--other-kiosk"):
        restore(tmp_path, saved, moment(20), "k-BBBBBB")
    assert not list(tmp_path.glob("*.damaged-*")) and not (tmp_path / "kiosk.db.restored").exists()
    assert restore(tmp_path, saved, moment(20), "k-AAAAAA").restored == saved.name
    assert restore(tmp_path, saved, moment(30)).restored == saved.name


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
