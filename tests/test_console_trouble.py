"""What the console does while the database cannot be used: says so, loses nothing, goes on; or ends, to be mended."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kiosk.config import shipped
from kiosk.console import access as accesses
from kiosk.console.access import Access
from kiosk.console.site import Shared, Site
from kiosk.office import sample
from kiosk.setup import words
from kiosk.store import Store, StoreBusy, StoreCorrupt, StoreError
from kiosk.store import database as databases
from kiosk.store.database import connect
from tests.console_kit import Hall, HandClock
from tests.office import open_store

T = TypeVar("T")
BUSY = "Máy đang bận, chưa thay đổi gì. Xin bấm lại"


@contextmanager
def held(hall: Hall) -> Iterator[None]:
    """Another program keeps the database to itself."""
    with closing(connect(hall.folder / "kiosk.db")) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield
        conn.execute("ROLLBACK")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hall]:
    """A console that waits for nobody's lock."""
    monkeypatch.setattr(accesses, "PATIENCE_S", 0.3)
    hall = Hall(tmp_path)
    yield hall
    hall.close()


def test_while_another_program_holds_the_database_a_click_is_answered_and_the_page_stays(hurried: Hall):
    hurried.take()
    clerk = hurried.clerk("1")
    clerk.post("/desk/next", ticket="")
    hurried.clock.seconds += 16  # the implied start cannot be written either
    with held(hurried), clerk.stream("/desk/live") as events:
        assert clerk.post("/desk/next", ticket="")["say"] == BUSY
        assert "1001" in clerk.get("/desk").text
        assert any(kind == "fragment" and "1001" in data for kind, data in events)
        refused = hurried.browser().post_page("/sign-in", person="tran-van-b", counter="2", pin="2468")
        assert (refused.status_code, BUSY in refused.text) == (403, True)
    assert "đang phục vụ" in clerk.fragment("/desk/live", "now", "đang phục vụ")
    assert hurried.events("ticket.started")


def test_ten_clicks_behind_another_programs_lock_wait_together_hold_up_no_page_and_are_not_done_later(
    hurried: Hall, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(accesses, "PATIENCE_S", 3.0)  # ten one after the other would take half a minute
    hurried.take()
    clerk = hurried.clerk("1")
    clerk.post("/desk/next", ticket="")
    form = {"csrf": clerk.csrf("/desk"), "ticket": hurried.store.counters.counter("1").ticket}
    with held(hurried), ThreadPoolExecutor(10) as pool:
        began = time.monotonic()
        clicks = [pool.submit(clerk.post, "/desk/finish", **form) for _ in range(10)]
        assert clerk.get("/desk").status_code == 200
        assert not all(click.done() for click in clicks)
        assert {click.result()["say"] for click in clicks} == {BUSY}
        assert time.monotonic() - began < 5 * accesses.PATIENCE_S
    assert clerk.post("/desk/finish", **form)["ok"]
    assert len(hurried.events("ticket.finished")) == 1


def test_a_page_that_has_to_write_asks_its_browser_to_come_again(hurried: Hall):
    hurried.words = replace(hurried.words, public_url="http://kiosk.example")
    hurried.restart()
    clerk = hurried.clerk("1")
    with held(hurried):
        answer = clerk.get("/poster/1")  # the first time makes its code
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert BUSY in answer.text


def test_a_database_that_is_found_damaged_ends_the_console_for_a_restart_to_mend(tmp_path: Path):
    hall = Hall(tmp_path)
    hall.close()
    ended: list[StoreError] = []

    def run() -> None:
        try:
            hall.console.run()
        except StoreError as error:
            ended.append(error)

    hall.start_again(run)
    assert hall.browser().get("/sign-in").status_code == 200
    (hall.folder / databases.DAMAGED).touch()
    hall.join()
    assert [type(error) for error in ended] == [StoreCorrupt]


class Trouble(sqlite3.OperationalError):
    """SQLite's error, as it comes from a card that cannot be read."""

    sqlite_errorname = "SQLITE_IOERR_READ"


def in_a_loop(work: Coroutine[None, None, T]) -> T:
    """In a thread of its own: that of the tests may have a loop already, a browser's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def asked(folder: Path, *work: Callable[[Store, Any], object]) -> list[object]:
    """What each piece of work gave or raised, one after the other, over one Access."""
    open_store(folder)

    async def all_of_them() -> list[object]:
        access = Access(lambda: Store(folder, open_store(folder).issuing.book), HandClock())  # type: ignore[arg-type]
        await access.open()
        answers: list[object] = []
        for one in work:
            try:
                answers.append(await access.ask(one))
            except StoreError as error:
                answers.append(error)
        await access.close()
        return answers

    return in_a_loop(all_of_them())


def test_an_error_of_the_disk_while_reading_is_one_that_says_what_to_do(tmp_path: Path):
    def unreadable(store: Store, now: object) -> object:
        raise Trouble("disk I/O error")

    [failed] = asked(tmp_path, unreadable)
    assert isinstance(failed, StoreError)
    assert "check the memory card" in str(failed)


def test_what_was_committed_is_answered_though_the_look_after_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_look(store: Store) -> object:
        raise StoreError("the disk cannot be written")

    monkeypatch.setattr(Store, "change", no_look)
    assert asked(tmp_path, lambda store, now: "done") == ["done"]


def test_a_write_that_gave_up_the_reserve_of_a_full_disk_is_done_again(tmp_path: Path):
    tries: list[str] = []

    def write(store: Store, now: object) -> str:
        tries.append("one")
        if len(tries) == 1:
            full = StoreError("the disk is full")
            full.retry = True
            raise full
        return "done"

    assert asked(tmp_path, write) == ["done"]


def test_a_write_waits_for_another_program_and_is_done_once_when_that_has_come_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(databases, "BUSY_MS", 50)
    other = open_store(tmp_path).database.conn
    other.execute("BEGIN IMMEDIATE")
    tries: list[int] = []

    def write(store: Store, now: Any) -> str:
        if len(tries) == 1:
            other.execute("ROLLBACK")
        tries.append(len(tries))
        store.note(now, "printer", "ok")
        return "done"

    assert asked(tmp_path, write) == ["done"]
    assert len(tries) == 2


def test_what_waited_too_long_is_said_in_the_log_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(databases, "BUSY_MS", 50)
    monkeypatch.setattr(accesses, "PATIENCE_S", 0.1)
    open_store(tmp_path).database.conn.execute("BEGIN IMMEDIATE")
    failed = asked(tmp_path, *[lambda store, now: store.note(now, "printer", "ok")] * 2)
    assert [type(error) for error in failed] == [StoreBusy] * 2
    assert caplog.messages == ["another program holds the database: end it"]


def test_trouble_is_said_once_and_so_is_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    def full(store: Store, now: object) -> object:
        raise StoreError("the disk is full: delete what is not needed")

    caplog.set_level("INFO", "kiosk.console.access")
    asked(tmp_path, full, full, lambda store, now: store.note(now, "printer", "ok"), lambda store, now: None)
    assert caplog.messages == ["the disk is full: delete what is not needed", "the database can be written again"]


def test_what_many_pages_share_is_asked_again_after_an_error_and_once_otherwise(tmp_path: Path):
    asked_for: list[str] = []

    async def make() -> str:
        asked_for.append("one")
        if len(asked_for) == 1:
            raise StoreError("the disk cannot be read")
        return "the board"

    async def boards() -> list[object]:
        access = Access(lambda: open_store(tmp_path), HandClock())  # type: ignore[arg-type]
        site = Site(shipped(), words(shipped(), sample()), access, Shared(), secure=False)
        first = await asyncio.gather(*(site.once("board", make) for _ in range(3)), return_exceptions=True)
        return [*map(str, first), *[await site.once("board", make) for _ in range(3)]]

    assert in_a_loop(boards()) == ["the disk cannot be read"] * 3 + ["the board"] * 3
    assert len(asked_for) == 2
