"""What the whole kiosk shows by itself: a lost database, and an apology that comes by time alone."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.clock import Moment, set_simulated
from kiosk.findings import Finding
from kiosk.store import Store, StoreCorrupt
from tests.app_kit import Kiosk, config, kiosk, paper, receiver  # noqa: F401
from tests.folders import break_pages
from tests.office import BOOT, OPENING
from tests.test_app import STARTING


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """A card that gives nothing any more: what this process has open of the database can only be written (EBADF)."""
    files = {str(folder / name) for name in ("kiosk.db", "kiosk.db-wal")}
    held = {int(fd.name): os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()}
    held = {fd: path for fd, path in held.items() if path in files}
    kept = {fd: os.dup(fd) for fd in held}
    for fd, path in held.items():
        mute = os.open(path, os.O_WRONLY)
        os.dup2(mute, fd)
        os.close(mute)
    try:
        yield
    finally:
        for fd, good in kept.items():
            os.dup2(good, fd)
            os.close(good)


def said(kiosk: Kiosk, view: str) -> str:
    """All that stands on a picture."""
    assert kiosk.app.screen
    return " | ".join(box.text for box in kiosk.app.screen.texts(view))


LOST = "Mất kết nối với dữ liệu số thứ tự. Số liệu có thể đã cũ"


def test_while_the_database_cannot_be_read_the_last_facts_stay_under_a_strip(kiosk: Kiosk):
    kiosk.press("take:ho-tich")
    kiosk.press("call:1")
    kiosk.until(lambda: "1001" in said(kiosk, "board"))
    folder = Path(kiosk.config.data_dir)
    with unreadable(folder):
        other = Store(folder, kiosk.app.office.rulebook())
        other.counters.finish(kiosk.app.clock.now(), "1")
        kiosk.app.turn(0)
        pictures = {view: said(kiosk, view) for view in ("take", "board", "rate:1")}
        assert all(LOST in picture for picture in pictures.values())
        assert "1001" in pictures["board"]
        assert "Hộ tịch" in pictures["take"]
        assert "Máy đánh giá đang tạm dừng" in pictures["rate:1"]
        set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=7), boot=BOOT)
        kiosk.app.turn(0)
        assert "07:37" in said(kiosk, "board"), "a clock that stands still would look dead"
        kiosk.app.turn(0)
        assert kiosk.app.screen
        kiosk.app.screen.frames_changed()
        kiosk.app.turn(0)
        assert kiosk.app.screen.frames_changed() == (), "the same picture is not drawn again"
    kiosk.app.turn(0)
    pictures = {view: said(kiosk, view) for view in ("take", "board", "rate:1")}
    assert not any(LOST in picture for picture in pictures.values())
    assert "Chưa có số" in pictures["board"]
    other.close()


def test_a_database_that_was_never_read_is_said_in_place_of_the_first_picture(kiosk: Kiosk):
    folder = Path(kiosk.config.data_dir)
    with unreadable(folder):
        other = Store(folder, kiosk.app.office.rulebook())
        other.issuing.issue(kiosk.app.clock.now(), "ho-tich")
        kiosk.until(lambda: "Mất kết nối" in said(kiosk, "board"))
    kiosk.until(lambda: "Mất kết nối" not in said(kiosk, "board"))
    assert [row.state for row in kiosk.app.start.rows() if row.name == "Cơ sở dữ liệu"] == ["ok"]
    other.close()


@contextmanager
def never_read(kiosk: Kiosk) -> Iterator[None]:
    """The list stands, and the database could not be read even once."""
    folder = Path(kiosk.config.data_dir)
    kiosk.app.start.found(Finding("sync", False, "lost"))
    with unreadable(folder):
        other = Store(folder, kiosk.app.office.rulebook())
        other.issuing.issue(kiosk.app.clock.now(), "ho-tich")
        kiosk.until(lambda: LOST in said(kiosk, "board") and kiosk.app.front.printer == "ok")
        kiosk.app.start.open(time.monotonic())
        kiosk.app.turn(0)
        assert STARTING in said(kiosk, "take")
        yield
    other.close()


def test_a_press_before_anything_could_be_read_is_answered_and_no_picture_claims_what_nobody_knows(kiosk: Kiosk):
    with never_read(kiosk):
        kiosk.press("take:ho-tich")
        assert kiosk.notice() == "stopped"
        assert "Máy lấy số tạm dừng" in said(kiosk, "take")
        kiosk.app.front._notice_until = 0.0
        kiosk.app.turn(0)
        pictures = {view: said(kiosk, view) for view in ("take", "board", "rate:1")}
        assert all(LOST in picture for picture in pictures.values())
        assert not any(STARTING in picture for picture in pictures.values()), "the press has ended the list"
        assert "Hộ tịch" in pictures["take"]
        assert "Không phải chờ" not in pictures["take"]
        assert "Quầy đóng" not in pictures["board"]
        assert "xin gặp bàn hướng dẫn" in pictures["board"]
        assert "Máy đánh giá đang tạm dừng" in pictures["rate:1"]
    kiosk.until(lambda: LOST not in said(kiosk, "take"))


def test_while_nothing_can_be_read_the_list_is_not_made_again_each_turn(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kiosk.app, "_look_s", 60.0)
    with never_read(kiosk):
        made: list[Moment] = []
        view = kiosk.app.start.view
        monkeypatch.setattr(kiosk.app.start, "view", lambda now: (made.append(now), view(now))[1])
        for _ in range(5):
            kiosk.app.turn(0)
        assert made == []
        kiosk.app.start.found(Finding("sync", False, "worse"))
        kiosk.app.turn(0)
        assert len(made) == 3, "what is new is shown at once, on each screen"


def test_the_strip_goes_even_if_nothing_was_written_meanwhile(kiosk: Kiosk):
    kiosk.until(lambda: "Quầy đóng" in said(kiosk, "rate:1"))
    with unreadable(Path(kiosk.config.data_dir)):
        kiosk.app.store.database.conn.execute("PRAGMA shrink_memory")  # or it would answer from what it remembers
        set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=1), boot=BOOT)
        kiosk.until(lambda: LOST in said(kiosk, "board"))
        set_simulated(kiosk.clock_file, OPENING, boot=BOOT)
        kiosk.app.turn(0)
    kiosk.app.turn(0)
    assert LOST not in said(kiosk, "board")


def test_a_damaged_database_still_ends_the_process(kiosk: Kiosk):
    kiosk.until(lambda: kiosk.app.front.printer == "ok")  # what it writes would meet the damage, too
    kiosk.app.turn(0)
    folder = Path(kiosk.config.data_dir)
    other = Store(folder, kiosk.app.office.rulebook())
    other.issuing.issue(kiosk.app.clock.now(), "ho-tich")
    other.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    break_pages(folder / "kiosk.db")
    with pytest.raises(StoreCorrupt):
        for _ in range(3):
            kiosk.app.turn(0)


def test_the_board_apologises_by_time_alone(kiosk: Kiosk):
    store, book = kiosk.app.store, kiosk.app.office.rules
    for n in range(book.wait_min_sample):
        set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=10 * n), boot=BOOT, mono=n * 600_000)
        now = kiosk.app.clock.now()
        store.issuing.issue(now, "ho-tich", by="staff")
        store.counters.call_next(now, "1")
        store.counters.start(now, "1")
        set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=10 * n + 9), boot=BOOT, mono=n * 600_000 + 540_000)
        store.counters.finish(kiosk.app.clock.now(), "1")
    set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=60), boot=BOOT, mono=3_600_000)
    assert store.issuing.issue(kiosk.app.clock.now(), "ho-tich").wait == (0, 5)
    kiosk.until(lambda: "Đang khởi động" not in said(kiosk, "board"))
    assert "Xin lỗi" not in said(kiosk, "board")
    set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=66), boot=BOOT, mono=3_960_000)
    kiosk.app.turn(0)
    assert "Xin lỗi Ông/Bà vì phải chờ lâu hơn dự kiến" in said(kiosk, "board")
