"""A screen that is lost, closed, plugged in later or has no font: the keys go on giving numbers, and it comes back."""

import json
import logging
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pygame
import pytest

from kiosk import app as loop
from kiosk import fonts, glass, parts, startup
from kiosk.app import App
from kiosk.buttons import mock_press, mock_release
from kiosk.clock import Moment, SimulatedClock, SystemClock, set_simulated
from kiosk.config import Config, load_config
from kiosk.findings import Finding
from kiosk.fonts import FontError
from kiosk.office import Look
from kiosk.setup import load_office, words
from kiosk.startup import Checklist
from kiosk.windows import NoDisplayError
from tests.office import BOOT, OPENING
from tests.xserver import FIRST, SECOND, XServer

ROOT = Path(__file__).parent.parent
DEADLINE_S = 20.0
CONFIG = """
data_dir = "data"
[buttons]
factory = "{factory}"
lockout_s = 0.0
[printer]
url = "none"
[voice]
enabled = false
[screen]
start_s = 0
blind_ok = {blind_ok}
fullscreen = {fullscreen}
outputs = [{{ view = "take", size = "{first}" }}, {{ view = "board", size = "{second}" }}]
"""


class Kiosk:
    """An App that is turned by hand, with fingers on its mock pins."""

    def __init__(self, folder: Path, config: Config, clock: SimulatedClock | SystemClock | None = None) -> None:
        office = load_office(config)
        self.config = config
        self.clock_file = folder / "clock.json"
        self.app = App(config, office, words(config, office), clock or SimulatedClock(self.clock_file))
        self.app.glass.open(self.app.clock.now())
        self.app.store = self.app._open_store()
        self.app.open_parts()

    def until(self, happened: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE_S
        while not happened():
            assert time.monotonic() < end, "it did not happen"
            self.app.turn(0.01)

    def press(self) -> str:
        """Take a number of the first service by its key, a minute after the one before; the number."""
        before = self.numbers()
        set_simulated(self.clock_file, OPENING + timedelta(minutes=len(before)), boot=BOOT)
        pin = next(key.pin for key in parts.key_pins(self.config.buttons) if key.action == "take:ho-tich")
        mock_press(pin)
        mock_release(pin)
        self.until(lambda: len(self.numbers()) > len(before))
        pressed = time.monotonic()
        self.until(lambda: time.monotonic() > pressed + 0.04)  # until its release has settled
        return self.numbers()[-1]

    def numbers(self) -> list[str]:
        return [row["number"] for row in self.app.store.database.rows("SELECT number FROM tickets ORDER BY arrival")]

    def reads(self, output: str) -> str:
        """All text on an output."""
        assert self.app.screen
        return " ".join(box.text for box in self.app.screen.texts(output))


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Kiosk]]:
    """Open a kiosk on SDL's memory driver, or on an X server."""
    made: list[Kiosk] = []

    def kiosk(
        *,
        fullscreen: bool = True,
        server: str = "",
        factory: str = "mock",
        size: tuple[int, int] = (640, 400),
        second: tuple[int, int] = (640, 400),
        **more: Any,
    ) -> Kiosk:
        if server:
            monkeypatch.setenv("DISPLAY", server)
        monkeypatch.setenv("SDL_VIDEODRIVER", "x11" if server else "dummy")
        config = written(tmp_path, fullscreen, blind_ok=not server, factory=factory, first=size, second=second)
        made.append(Kiosk(tmp_path, config, **more))
        return made[-1]

    yield kiosk
    for each in made:
        each.app.close()


def written(
    folder: Path,
    fullscreen: bool,
    *,
    blind_ok: bool,
    factory: str = "mock",
    first: tuple[int, int] = FIRST,
    second: tuple[int, int] = SECOND,
) -> Config:
    sizes = {"first": "x".join(map(str, first)), "second": "x".join(map(str, second))}
    flags = {"fullscreen": str(fullscreen).lower(), "blind_ok": str(blind_ok).lower()}
    (folder / "kiosk.toml").write_text(CONFIG.format(factory=factory, **flags, **sizes))
    set_simulated(folder / "clock.json", OPENING, boot=BOOT)
    return load_config(folder / "kiosk.toml")


@pytest.fixture
def server() -> Iterator[XServer]:
    """To be asked for before `make`: a server that goes before the screens on it ends this process (Xlib's way)."""
    opened = XServer()
    yield opened
    opened.close()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


# --- lost, and back


def test_a_lost_screen_is_said_once_and_the_keys_go_on(make: Callable[..., Kiosk], caplog: pytest.LogCaptureFixture):
    kiosk = make()
    assert kiosk.press() == "1001"
    pygame.display.quit()  # what a driver that fails looks like to us
    kiosk.until(lambda: kiosk.app.screen is None)
    assert [kiosk.press(), kiosk.press()] == ["1002", "1003"]
    assert len(errors(caplog)) == 1
    assert "the screen was lost" in errors(caplog)[0]


def test_a_screen_that_fails_while_it_is_drawn_on_leaves_the_number_given(make: Callable[..., Kiosk]):
    kiosk = make()
    kiosk.app.turn(0)
    assert kiosk.app.screen
    kiosk.app.screen.poll = list  # type: ignore[method-assign,assignment]  # nothing is noticed before it is drawn on
    pygame.display.quit()
    assert kiosk.press() == "1001"
    assert kiosk.app.screen is None


def test_it_comes_back_with_what_is_so_now(make: Callable[..., Kiosk], caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    kiosk = make()
    kiosk.app.turn(0)
    pygame.display.quit()
    kiosk.until(lambda: kiosk.app.screen is None)
    kiosk.press()
    assert kiosk.app.screen is None, f"it is looked for each {glass.RETRY_S} s"
    kiosk.app.glass.retry_at = 0.0
    kiosk.app.turn(0)
    assert "1001" in kiosk.reads("take")
    assert "the screen is back" in caplog.text
    for _ in range(2):
        pygame.display.quit()
        kiosk.until(lambda: kiosk.app.screen is None)
        kiosk.app.glass.retry_at = 0.0
        kiosk.app.turn(0)
    assert kiosk.press() == "1002"
    assert len(errors(caplog)) == 3, "each loss is said once"


def test_a_screen_that_is_lost_while_the_disk_is_in_trouble_is_opened_again(make: Callable[..., Kiosk]):
    kiosk = make()
    pygame.display.quit()
    kiosk.app._show_found(Finding("database", False, "the disk is full"))
    assert kiosk.app.screen is None
    kiosk.app.glass.retry_at = 0.0
    kiosk.app._show_found(Finding("database", False, "the disk is full"))
    assert "the disk is full" in kiosk.reads("take")


def test_a_screen_that_is_switched_on_later_is_found(
    server: XServer, make: Callable[..., Kiosk], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    kiosk = make(server=":9999", size=FIRST, second=SECOND)
    assert kiosk.app.screen is None
    assert kiosk.press() == "1001"
    kiosk.app.glass.retry_at = 0.0
    kiosk.app.turn(0)
    assert kiosk.app.screen is None
    assert len(errors(caplog)) == 1
    monkeypatch.setenv("DISPLAY", server.address)
    kiosk.app.glass.retry_at = 0.0
    kiosk.until(lambda: kiosk.app.screen)
    assert "1001" in kiosk.reads("take")
    kiosk.until(lambda: len(server.picture().getcolors(10**6) or []) > 100)


def test_a_screen_that_comes_later_is_on_the_list(make: Callable[..., Kiosk]):
    app = make().app
    late = Checklist(app.config, app.words)
    screens = glass.Glass(app.config, late)
    screens.lost(NoDisplayError("no display"))
    app.glass.close()
    screens.again()
    (row,) = (row for row in late.rows() if row.name == "Màn hình")
    screens.close()
    assert row.state == "ok"
    assert row.text.startswith("dummy ")


def test_without_keys_a_kiosk_that_finds_no_screen_says_so_and_ends(make: Callable[..., Kiosk]):
    with pytest.raises(NoDisplayError, match="no video driver could be opened"):
        make(server=":9999", factory="none")


def test_a_second_display_that_is_plugged_in_gets_its_picture(server: XServer, make: Callable[..., Kiosk]):
    kiosk = make(server=server.address, size=FIRST, second=SECOND)
    screen = kiosk.app.screen
    assert screen
    assert screen.windows == (("take", "board"),)
    server.plug_in()
    kiosk.until(screen.displays_changed)
    kiosk.app._next_housekeeping = 0.0
    kiosk.until(lambda: kiosk.app.screen and kiosk.app.screen.windows == (("take",), ("board",)))
    box = (FIRST[0], 0, FIRST[0] + SECOND[0], SECOND[1])
    kiosk.until(lambda: len(server.picture().crop(box).getcolors(10**6) or []) > 100)
    assert kiosk.press() == "1001"


def test_when_the_x_server_dies_xlib_ends_the_kiosk_and_the_next_start_goes_on_without_a_screen(
    tmp_path: Path, server: XServer
):
    """systemd starts it again (kiosk.service, Restart=always); a device has no X server in the first place."""
    config = written(tmp_path, True, blind_ok=False)
    with Device(tmp_path, config, DISPLAY=server.address, SDL_VIDEODRIVER="x11") as device:
        assert device.press() == "1001"
        server.kill()
        assert device.process.wait(DEADLINE_S) == 1
    set_simulated(tmp_path / "clock.json", OPENING + timedelta(minutes=1), boot=BOOT)
    with Device(tmp_path, config, DISPLAY=server.address, SDL_VIDEODRIVER="x11") as device:
        assert device.press() == "1002"
        assert "no video driver could be opened" in device.log()


class Device:
    """`kiosk run` as the demo runs it, so that its mock pins can be pressed from here."""

    def __init__(self, folder: Path, config: Config, **environment: str) -> None:
        self._log = (folder / "device.log").open("w+")
        command = [sys.executable, "-m", "kiosk.simulator.device", "--config", config.file]
        self.process = subprocess.Popen(
            [*command, "--clock", str(folder / "clock.json"), "--dir", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        self._hear("lamps")

    def press(self) -> str:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": "tap", "action": "take:ho-tich"}) + "\n")
        self.process.stdin.flush()
        return str(self._hear("taken")["number"])

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _hear(self, what: str) -> dict[str, Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if said["say"] == what:
                return said
        raise AssertionError(f"it ended before it was {what}: {self.log()}")

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            assert pipe
            pipe.close()


# --- closed


def test_a_window_of_a_device_that_is_closed_is_opened_again_and_it_is_said_once(
    make: Callable[..., Kiosk], caplog: pytest.LogCaptureFixture
):
    kiosk = make(fullscreen=True)
    kiosk.press()
    for _ in range(3):
        before = kiosk.app.screen
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        kiosk.app.turn(0)
        assert kiosk.app.screen not in (None, before)
        assert "1001" in kiosk.reads("take")
    assert not kiosk.app.stopping
    assert kiosk.press() == "1002"
    assert caplog.text.count("was closed: it is opened again") == 1


def test_the_window_of_a_program_on_a_desktop_ends_it(make: Callable[..., Kiosk]):
    kiosk = make(fullscreen=False)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    kiosk.app.turn(0)
    assert kiosk.app.stopping


@pytest.mark.parametrize("fullscreen", [True, False])
def test_so_it_is_while_the_database_cannot_be_opened(make: Callable[..., Kiosk], fullscreen: bool):
    kiosk = make(fullscreen=fullscreen)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    before = kiosk.app.screen
    kiosk.app._wait(0.01)
    assert kiosk.app.stopping is not fullscreen
    assert (kiosk.app.screen is not before) is fullscreen


# --- fonts


@pytest.fixture
def no_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fonts, "BUNDLED", tmp_path)
    monkeypatch.setattr(fonts, "SYSTEM", tmp_path)
    fonts.choose.cache_clear()
    yield
    fonts.choose.cache_clear()


def test_without_any_font_the_keys_go_on_and_it_is_said_what_to_install(
    make: Callable[..., Kiosk], no_fonts: None, caplog: pytest.LogCaptureFixture
):
    kiosk = make()
    assert kiosk.app.screen is None
    assert [kiosk.press(), kiosk.press()] == ["1001", "1002"]
    said = [line for line in errors(caplog) if "BeVietnamPro-Regular.ttf" in line]
    assert len(said) == 1
    assert "fonts-dejavu-core" in said[0]
    assert not pygame.display.get_init()


def test_without_any_font_and_without_keys_it_ends_with_the_same_words(make: Callable[..., Kiosk], no_fonts: None):
    with pytest.raises(FontError, match="fonts-dejavu-core"):
        make(factory="none")


# --- the loop


def test_the_loop_waits_shorter_only_while_something_fades(make: Callable[..., Kiosk]):
    kiosk = make()
    kiosk.app.turn(0)
    assert kiosk.app._pause_s == loop.WAIT_S
    screen = kiosk.app.screen
    assert screen
    screen.animate = lambda: 0.02  # type: ignore[method-assign]
    kiosk.app.turn(0)
    assert kiosk.app._pause_s == 0.02
    screen.animate = lambda: 0.5  # type: ignore[method-assign]
    kiosk.app.turn(0)
    assert kiosk.app._pause_s == loop.WAIT_S


class CountingClock(SystemClock):
    asked = 0

    def now(self) -> Moment:
        self.asked += 1
        return super().now()


def test_an_idle_turn_asks_no_clock_and_a_press_is_drawn_at_once(make: Callable[..., Kiosk]):
    clock = CountingClock()
    kiosk = make(clock=clock)
    kiosk.until(lambda: kiosk.app.front.printer == "none")
    app = kiosk.app
    app.turn(0)
    app._next_look = app._next_publish = app._next_housekeeping = math.inf
    clock.asked = 0
    for _ in range(20):
        app.turn(0)
    assert clock.asked == 0
    app.front.notice = None
    app.front._priority_until = math.inf
    app.turn(0)
    assert clock.asked > 0
    assert "Đã chọn ưu tiên" in kiosk.reads("take")


def test_another_process_is_seen_in_the_next_turn(make: Callable[..., Kiosk], tmp_path: Path):
    kiosk = make(clock=SystemClock())
    app = kiosk.app
    app.turn(0)
    app._next_look = math.inf
    assert app.screen
    app.screen.frames_changed()
    other = app.store.__class__(Path(kiosk.config.data_dir), app.office.rulebook())
    other.issuing.issue(app.clock.now(), "ho-tich", by="staff")
    other.close()
    app.turn(0)
    assert "take" in app.screen.frames_changed()


def test_the_watchdog_is_told_once_a_second(make: Callable[..., Kiosk], monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    monkeypatch.setattr(loop, "notify", told.append)
    monkeypatch.setattr(loop, "PING_S", math.inf)
    kiosk = make()
    for _ in range(5):
        kiosk.app.turn(0)
    assert told == ["WATCHDOG=1"]
    kiosk.app._next_ping = 0.0
    kiosk.app.turn(0)
    assert told == ["WATCHDOG=1"] * 2


def test_a_dead_key_thread_keeps_the_watchdog_hungry(make: Callable[..., Kiosk], monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    monkeypatch.setattr(loop, "notify", told.append)
    kiosk = make()
    kiosk.app.panel.alive = lambda: False  # type: ignore[method-assign]
    kiosk.app.turn(0)
    assert told == []


def test_a_device_without_a_screen_opens_none(tmp_path: Path):
    (tmp_path / "off.toml").write_text('data_dir = "data2"\n[screen]\nenabled = false\n[printer]\nurl = "none"\n')
    config = load_config(tmp_path / "off.toml")
    assert startup.make_screen(config, Look()) is None
