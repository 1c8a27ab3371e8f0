"""The whole kiosk in one process: mock pins in, pixels and paper out, everything kept, everything at the receiver."""

import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import zxingcpp

os.environ["SDL_VIDEODRIVER"] = "dummy"

import pygame

from kiosk import memory, parts
from kiosk.app import TRIM_AFTER_S, App
from kiosk.buttons import lamp_states, mock_press, mock_release
from kiosk.clock import SimulatedClock, set_simulated
from kiosk.config import Config
from kiosk.parts import lamp_pins
from kiosk.screen import Key, Touch
from kiosk.setup import load_office, words
from kiosk.simulator.printer import EmulatedPrinter, Mode
from kiosk.store import StoreError
from kiosk.store.locks import single
from kiosk.uplink import Uplink
from sync.receiver import Receiver
from tests.app_kit import Kiosk, config, kiosk, paper, receiver  # noqa: F401
from tests.office import BOOT, OPENING


def test_a_key_gives_a_number_a_slip_a_call_a_rating_and_all_its_events(
    kiosk: Kiosk, paper: EmulatedPrinter, receiver: Receiver
):
    kiosk.press("take:ho-tich")
    slip = paper.wait_for_slips(1)[0]
    kiosk.until(lambda: kiosk.app.store.database.row("SELECT 1 FROM jobs WHERE state = 'done'"))
    token = kiosk.app.store.database.rows("SELECT token FROM tickets")[0]["token"]
    assert [code.text for code in zxingcpp.read_barcodes(slip.image.convert("L"))] == [
        f"HTTP://XA-MAU.EXAMPLE/T/{token}"
    ]
    kiosk.press("call:1")
    kiosk.press("call:1")
    lamps = lamp_pins(kiosk.config.buttons)
    kiosk.until(lambda: lamp_states(lamps)["rate:1:happy"])
    kiosk.press("rate:1:happy")
    kiosk.until(lambda: not lamp_states(lamps)["rate:1:happy"])
    uplink = Uplink(kiosk.config, kiosk.app.clock)
    outcome = uplink.push()
    assert (outcome.state, outcome.backlog) == ("ok", 0)
    uplink.close()
    sent = kiosk.app.store.database.rows("SELECT count(*) AS n FROM events")[0]["n"]
    assert receiver.stats()["events"] == sent
    assert kiosk.app.store.database.rows("SELECT level FROM ratings")[0]["level"] == 3


def test_without_paper_numbers_go_on_and_the_slips_come_out_afterwards(kiosk: Kiosk, paper: EmulatedPrinter):
    paper.switch(Mode.PAPER_OUT)
    kiosk.app.printing.poke()
    kiosk.until(lambda: kiosk.app.front.printer == "paper_out")
    kiosk.press("take:ho-tich")
    assert (kiosk.notice(), kiosk.numbers()) == ("glass", ["1001"])
    paper.switch(Mode.OK)
    kiosk.app.printing.poke()
    kiosk.until(lambda: kiosk.notice() == "slip")
    assert len(paper.wait_for_slips(1)) == 1


def test_sixty_presses_in_a_burst_over_six_keys_are_sixty_outcomes(kiosk: Kiosk):
    pins = [key.pin for key in parts.key_pins(kiosk.config.buttons) if key.action.startswith("take:")]
    for _ in range(10):
        for pin in pins:
            mock_press(pin)
            mock_release(pin)
        settled = time.monotonic() + 0.05
        kiosk.until(lambda due=settled: time.monotonic() > due)
    kiosk.until(kiosk.app.inbox.empty)
    tickets = len(kiosk.numbers())
    refused = kiosk.app.store.database.rows("SELECT coalesce(sum(n), 0) AS n FROM refusals")[0]["n"]
    assert tickets >= 1
    assert tickets + refused == 60


def test_another_process_calls_and_the_board_shows_it(kiosk: Kiosk):
    kiosk.press("take:ho-tich")
    kiosk.until(lambda: kiosk.notice() == "slip")
    other = kiosk.app.store.__class__(Path(kiosk.config.data_dir), kiosk.app.office.rulebook())
    assert kiosk.app.screen
    kiosk.app.turn(0)
    kiosk.app.screen.frames_changed()
    other.counters.call_next(kiosk.app.clock.now(), "1")
    kiosk.until(lambda: "board" in kiosk.app.screen.frames_changed())  # type: ignore[union-attr]
    other.close()


def test_after_a_crash_everything_is_rebuilt_from_the_database(kiosk: Kiosk, tmp_path: Path, config: Config):
    kiosk.press("take:ho-tich")
    kiosk.press("call:1")
    kiosk.press("call:1")
    kiosk.until(lambda: kiosk.app.showing.lit.get("1"))
    again = Kiosk(tmp_path, config)
    again.app.turn(0)
    lit = again.app.showing.lit["1"]
    set_simulated(again.clock_file, OPENING + timedelta(seconds=30), boot=BOOT)
    again.press("take:ho-tich")
    given = again.numbers()
    again.app.close()
    assert lit
    assert given == ["1001", "1002"]


def test_a_key_that_hangs_is_reported_once_and_gives_one_number(kiosk: Kiosk):
    pin = next(key.pin for key in parts.key_pins(kiosk.config.buttons) if key.action == "take:ho-tich")
    mock_press(pin)
    kiosk.until(lambda: kiosk.numbers())
    for event in kiosk.app.filter.tick(time.monotonic() + 11):
        kiosk.app._key_event(event)
    kinds = kiosk.app.store.database.rows("SELECT json_extract(line, '$.type') AS kind FROM events")
    assert [row["kind"] for row in kinds].count("key.stuck") == 1
    assert kiosk.numbers() == ["1001"]
    mock_release(pin)


def test_a_second_kiosk_on_the_same_folder_is_refused(kiosk: Kiosk, config: Config):
    with single(Path(config.data_dir)), pytest.raises(StoreError, match="another kiosk"):
        App(config, kiosk.app.office, kiosk.app.words, kiosk.app.clock).run()


# --- while it starts -----------------------------------------------------------------------------------------


STARTING, TAKE, CLOSED = "Đang khởi động", "Mời Ông/Bà chạm việc cần làm để lấy số", "Ngoài giờ lấy số"


def test_when_all_parts_are_in_order_the_list_gives_way_as_soon_as_the_printer_has_answered(kiosk: Kiosk):
    assert kiosk.app.screen
    assert STARTING in {box.text for box in kiosk.app.screen.texts("take")}
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    assert TAKE in kiosk.shown("take")


@pytest.fixture
def alone(tmp_path: Path, config: Config, paper: EmulatedPrinter) -> Iterator[Kiosk]:
    """A kiosk whose printer is gone."""
    paper.close()
    made = Kiosk(tmp_path, config)
    made.until(lambda: made.app.front.printer == "offline")
    yield made
    made.app.close()


def test_a_part_that_is_wrong_stays_on_every_screen_with_what_to_do(alone: Kiosk):
    for output in ("take", "board", "rate:1"):
        seen = alone.shown(output)
        assert STARTING in seen
        assert any(text.startswith("Không kết nối được máy in") for text in seen)
        assert any(text.startswith("Kiểm tra dây, nguồn của máy in") for text in seen)


def test_a_press_during_the_list_gives_its_number_at_once_and_ends_the_list(alone: Kiosk):
    assert STARTING in alone.shown("take")
    alone.press("take:ho-tich")
    assert alone.numbers() == ["1001"]
    assert STARTING not in alone.shown("take")
    assert alone.notice() == "glass"


def test_a_finger_anywhere_ends_the_list(alone: Kiosk):
    assert STARTING in alone.shown("take")
    assert alone.app.screen
    alone.app.screen.post_touch("take", 0.01, 0.99)
    assert TAKE in alone.shown("take")
    assert alone.numbers() == []


def test_any_key_ends_the_list(alone: Kiosk):
    assert STARTING in alone.shown("board")
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_PAGEDOWN))
    assert STARTING not in alone.shown("board")


def test_a_clerk_s_key_ends_the_list_too(alone: Kiosk):
    assert STARTING in alone.shown("board")
    alone.press("call:1")
    assert STARTING not in alone.shown("board")


def test_while_the_database_cannot_be_opened_the_list_says_so_and_what_to_do(tmp_path: Path, config: Config):
    folder = Path(config.data_dir)
    folder.rename(tmp_path / "away")
    folder.write_text("no folder")
    office = load_office(config)
    app = App(config, office, words(config, office), SimulatedClock(tmp_path / "clock.json"))
    app.glass.open(app.clock.now())
    assert app.screen
    seen: list[str] = []

    def mend(seconds: float) -> None:
        assert app.screen
        seen.extend(box.text for box in app.screen.texts("take"))
        folder.unlink()

    app._wait = mend  # type: ignore[method-assign]
    app._open_store()
    app.close()
    assert STARTING in seen
    assert "chưa dùng được" in seen
    assert any(text.startswith("Chạy sudo kiosk prepare") for text in seen)


def test_memory_is_given_back_once_after_the_last_of_some_pictures(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch):
    given: list[str] = []
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    monkeypatch.setattr(memory, "give_back", lambda: given.append("back"))
    kiosk.app._seen = kiosk.app._shown = ()
    kiosk.app.turn(0)
    at = kiosk.app._trim_at
    given.clear()
    kiosk.app._due(at - TRIM_AFTER_S)
    assert given == []
    kiosk.app._due(at)
    kiosk.app._due(at + 60)
    assert given == ["back"]


# --- when it is closed ---------------------------------------------------------------------------------------

NOON = OPENING + timedelta(hours=4, minutes=30)
REST_S = 120.0


def nobody_came(kiosk: Kiosk, seconds: float = REST_S) -> None:
    kiosk.app._here_at = time.monotonic() - seconds


def test_a_closed_office_rests_when_nobody_came_and_a_press_is_answered_at_once(kiosk: Kiosk):
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    set_simulated(kiosk.clock_file, NOON, boot=BOOT)
    nobody_came(kiosk, REST_S - 1)
    assert TAKE in kiosk.shown("take")
    nobody_came(kiosk)
    assert CLOSED in kiosk.shown("take")
    kiosk.press("take:ho-tich")
    assert kiosk.notice() == "session_over"
    assert CLOSED not in kiosk.shown("take")


def test_a_finger_on_the_resting_screen_brings_the_tiles_back(kiosk: Kiosk):
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    set_simulated(kiosk.clock_file, NOON, boot=BOOT)
    nobody_came(kiosk)
    assert CLOSED in kiosk.shown("take")
    assert kiosk.app.screen
    kiosk.app.screen.post_touch("take", 0.5, 0.5)
    assert TAKE in kiosk.shown("take")


def test_a_clerk_s_key_and_a_rating_key_do_not_wake_the_resting_screen(kiosk: Kiosk):
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    set_simulated(kiosk.clock_file, NOON, boot=BOOT)
    nobody_came(kiosk)
    for action in ("call:1", "rate:1:happy"):
        kiosk.press(action)
        assert CLOSED in kiosk.shown("take")
    kiosk.app._take_in(Key("q", True, time.monotonic()))
    assert CLOSED in kiosk.shown("take")
    kiosk.app._take_in(Key("0", True, time.monotonic()))
    assert CLOSED not in kiosk.shown("take")


def test_an_open_office_never_rests_and_neither_does_one_whose_clock_is_not_believed(kiosk: Kiosk):
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    nobody_came(kiosk)
    assert TAKE in kiosk.shown("take")
    set_simulated(kiosk.clock_file, NOON, quality="guess", boot=BOOT)
    assert TAKE in kiosk.shown("take")


def test_the_board_of_a_closed_office_rests_once_nobody_serves(kiosk: Kiosk):
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    kiosk.press("take:ho-tich")
    kiosk.press("call:1")
    set_simulated(kiosk.clock_file, NOON, boot=BOOT)
    assert CLOSED not in kiosk.shown("board")
    kiosk.press("call:1")
    kiosk.app.store.counters.close(kiosk.app.clock.now(), "1")
    assert CLOSED in kiosk.shown("board")


def test_a_pressed_key_answers_with_its_lamp(kiosk: Kiosk):
    lamps = lamp_pins(kiosk.config.buttons)
    kiosk.until(lambda: lamp_states(lamps)["take:ho-tich"])
    seen = []
    pressed = kiosk.app.panel.pressed

    def watched(action: str, at: float) -> None:
        pressed(action, at)
        seen.append(lamp_states(lamps)["take:ho-tich"])

    kiosk.app.panel.pressed = watched  # type: ignore[method-assign]
    kiosk.press("take:ho-tich")
    assert seen == [False]
    kiosk.until(lambda: lamp_states(lamps)["take:ho-tich"])


def test_the_language_key_changes_glass_and_slip_and_nothing_else(kiosk: Kiosk, paper: EmulatedPrinter):
    assert kiosk.app.screen
    kiosk.until(lambda: kiosk.app.front.printer == "ok")
    kiosk.app.turn(0)
    kiosk.app.screen.frames_changed()
    kiosk.app._take_in(Key("l", True, time.monotonic()))
    kiosk.app.turn(0)
    assert "take" in kiosk.app.screen.frames_changed()
    said = [box.text for box in kiosk.app.screen.texts("take")]
    assert "Touch the service you need to take a number" in said
    assert "THÔNG TIN SỐ THỨ TỰ" in [box.text for box in kiosk.app.screen.texts("board")]
    kiosk.press("take:ho-tich")
    assert kiosk.app.front.notice is not None
    assert kiosk.app.front.notice.title == "Your number"
    paper.wait_for_slips(1)
    kiosk.until(lambda: kiosk.app.store.database.row("SELECT 1 FROM jobs WHERE state = 'done' AND language = ''"))
    kiosk.app.front.tick(time.monotonic() + 7)
    kiosk.app.turn(0)
    assert "Mời Ông/Bà chạm việc cần làm để lấy số" in [box.text for box in kiosk.app.screen.texts("take")]


def test_impatient_fingers_at_a_locked_database_wait_once_and_not_each(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app = kiosk.app
    app.store.database.conn.execute("PRAGMA busy_timeout = 60")
    monkeypatch.setattr("kiosk.app.SLOW_S", 0.05)
    tried = []
    issue = app.store.issuing.issue
    monkeypatch.setattr(app.store.issuing, "issue", lambda *given, **more: tried.append(1) or issue(*given, **more))
    other = sqlite3.connect(Path(app.config.data_dir) / "kiosk.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(8):
        app.inbox.put(Touch("take", "take:ho-tich", time.monotonic()))
    app.turn(0)
    assert len(tried) < 8
    assert kiosk.notice() == "stopped"
    other.execute("ROLLBACK")
    other.close()
    app._rest_until = 0.0
    app.inbox.put(Touch("take", "take:ho-tich", time.monotonic()))
    app.turn(0)
    assert kiosk.numbers() == ["1001"]
