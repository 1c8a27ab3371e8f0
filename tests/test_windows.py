"""Which window a picture is in: on a real X server with two displays, and what can be said without one."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pygame
import pytest
from PIL import Image

from kiosk import windows
from kiosk.screen import Input, Key, Output, Quit, Screen, Touch
from tests.views_samples import BOARD, TAKE
from tests.xserver import FIRST, SECOND, XServer

DEADLINE_S = 10.0
NOW = 123.5
TWO = (Output("take", FIRST), Output("board", SECOND))


@pytest.fixture(scope="module")
def two_displays() -> Iterator[XServer]:
    server = XServer()
    server.plug_in()
    yield server
    server.close()


@pytest.fixture
def one_display() -> Iterator[XServer]:
    server = XServer()
    yield server
    server.close()


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Screen]]:
    """Open a screen on a server; it is closed before the server is, or Xlib would end this process."""
    opened: list[Screen] = []

    def open_on(server: XServer, *outputs: Output, **options: object) -> Screen:
        monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
        monkeypatch.setenv("DISPLAY", server.address)
        opened.append(Screen(outputs or TWO, fullscreen=True, clock=lambda: NOW, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_on
    for screen in opened:
        screen.close()


def until(screen: Screen, happened: Callable[[list[Input]], bool]) -> list[Input]:
    """Poll until the inputs so far, or anything else, are as wanted."""
    found: list[Input] = []
    end = time.monotonic() + DEADLINE_S
    while not happened(found):
        assert time.monotonic() < end, f"it did not happen: {found}"
        found += screen.poll()
    return found


def seen(server: XServer) -> tuple[Image.Image, Image.Image]:
    """What is on the two displays."""
    whole = server.picture()
    return whole.crop((0, 0, *FIRST)), whole.crop((FIRST[0], 0, FIRST[0] + SECOND[0], SECOND[1]))


def drawn(screen: Screen, output: str, size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("RGB", size, pygame.image.tobytes(screen._frames[output].surface, "RGB"))


def shows(server: XServer, screen: Screen) -> bool:
    return seen(server) == (drawn(screen, "take", FIRST), drawn(screen, "board", SECOND))


# --- on a real X server


def test_two_outputs_are_on_two_displays_at_once_pixel_by_pixel(two_displays: XServer, on: Callable[..., Screen]):
    screen = on(two_displays)
    assert screen.windows == (("take",), ("board",))
    screen.show("take", TAKE)
    screen.show("board", BOARD)
    until(screen, lambda _: shows(two_displays, screen))
    assert len(seen(two_displays)[1].getcolors(10**6) or []) > 100


def test_one_card_of_the_second_window_changes_there_and_nothing_else(two_displays: XServer, on: Callable[..., Screen]):
    screen = on(two_displays)
    screen.show("take", TAKE)
    screen.show("board", BOARD)
    until(screen, lambda _: shows(two_displays, screen))
    before = seen(two_displays)
    cards = (replace(BOARD.cards[0], number="1099"), *BOARD.cards[1:])
    assert len(screen.show("board", replace(BOARD, cards=cards))) == 1
    until(screen, lambda _: shows(two_displays, screen))
    after = seen(two_displays)
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_click_belongs_to_the_output_of_its_window(two_displays: XServer, on: Callable[..., Screen]):
    screen = on(two_displays)
    for output in screen.outputs:
        screen.show(output, TAKE)
    for left, output in ((0, "take"), (FIRST[0], "board")):
        x, y = next(hit.rect.center for hit in screen.hits(output) if hit.action == "5")
        two_displays.click(left + x, y)
        assert until(screen, bool) == [Touch(output, "5", NOW)]


def test_a_key_is_heard_whichever_window_has_the_keys(two_displays: XServer, on: Callable[..., Screen]):
    screen = on(two_displays)
    for x in (10, FIRST[0] + 10):
        two_displays.click(x, 10)
        two_displays.type("7")
        found = until(screen, lambda inputs: len(inputs) == 2)
        assert found == [Key("7", True, NOW), Key("7", False, NOW)]


def test_a_window_that_was_covered_is_filled_again_on_either_display(two_displays: XServer, on: Callable[..., Screen]):
    screen = on(two_displays)
    screen.show("take", TAKE)
    screen.show("board", BOARD)
    until(screen, lambda _: shows(two_displays, screen))
    two_displays.wipe()
    until(screen, lambda _: shows(two_displays, screen))


@pytest.mark.parametrize("title", ["Kiosk", "Kiosk 2"])
def test_the_cross_of_either_window_is_told_once(two_displays: XServer, on: Callable[..., Screen], title: str):
    screen = on(two_displays)
    screen.show("take", TAKE)
    until(screen, lambda _: seen(two_displays)[0] == drawn(screen, "take", FIRST))
    two_displays.close_window(title)
    assert until(screen, bool) == [Quit(NOW)]
    two_displays.type("7")
    assert until(screen, lambda inputs: len(inputs) == 2)[0] == Key("7", True, NOW)


def test_an_output_is_on_the_display_that_it_names(two_displays: XServer, on: Callable[..., Screen]):
    screen = on(two_displays, Output("take", SECOND, display=2), Output("board", FIRST, display=1))
    screen.show("take", TAKE)
    screen.show("board", BOARD)
    pictures = drawn(screen, "board", FIRST), drawn(screen, "take", SECOND)
    until(screen, lambda _: seen(two_displays) == pictures)


def test_a_third_output_shares_the_first_window_and_a_picture_of_another_size_is_scaled(
    two_displays: XServer, on: Callable[..., Screen]
):
    outputs = (*TWO[:1], Output("board", (1920, 1080)), Output("rate", FIRST))
    screen = on(two_displays, *outputs)
    assert screen.windows == (("take", "rate"), ("board",))
    screen.show("board", BOARD)
    whole = drawn(screen, "board", (1920, 1080)).resize(SECOND, Image.Resampling.BOX)

    def is_close() -> bool:
        small = seen(two_displays)[1].resize((48, 27), Image.Resampling.BOX)
        wanted = whole.resize((48, 27), Image.Resampling.BOX)
        return all(abs(a - b) < 16 for a, b in zip(small.tobytes(), wanted.tobytes(), strict=True))

    until(screen, lambda _: is_close())
    screen.show("board", replace(TAKE, priority=None))
    x, y = next(hit.rect.center for hit in screen.hits("board") if hit.action == "6")
    two_displays.click(FIRST[0] + x // 2, y // 2)
    assert until(screen, bool) == [Touch("board", "6", NOW)]


def test_with_one_display_all_outputs_share_its_window(one_display: XServer, on: Callable[..., Screen]):
    screen = on(one_display)
    assert screen.windows == (("take", "board"),)
    screen.show("take", TAKE)
    until(screen, lambda _: seen(one_display)[0] == drawn(screen, "take", FIRST))
    one_display.click(5, 5)
    one_display.type("Tab")
    until(screen, lambda _: screen.shown == "board")


def test_the_cross_of_the_only_window_is_told_once(one_display: XServer, on: Callable[..., Screen]):
    """SDL tells of the window, and then of the end of the program."""
    screen = on(one_display)
    screen.show("take", TAKE)
    until(screen, lambda _: seen(one_display)[0] == drawn(screen, "take", FIRST))
    one_display.close_window("Kiosk")
    one_display.type("7")
    found = until(screen, lambda inputs: Key("7", False, NOW) in inputs)
    assert found.count(Quit(NOW)) == 1


def test_a_display_that_is_plugged_in_later_is_noticed(one_display: XServer, on: Callable[..., Screen]):
    screen = on(one_display)
    assert not screen.displays_changed()
    one_display.plug_in()
    until(screen, lambda _: screen.displays_changed())


def test_without_pygames_second_windows_there_is_one_and_it_is_said_once(
    two_displays: XServer,
    on: Callable[..., Screen],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setitem(sys.modules, "pygame._sdl2", None)
    screen = on(two_displays, *TWO, Output("rate", FIRST))
    assert screen.windows == (("take", "board", "rate"),)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    assert "no second window" in caplog.text
    screen.show("take", TAKE)
    until(screen, lambda _: seen(two_displays)[0] == drawn(screen, "take", FIRST))


# --- without a server


@pytest.mark.parametrize(
    ("wanted", "displays", "places"),
    [
        ([0], 1, [0]),
        ([0, 0], 1, [0, 0]),
        ([0, 0], 2, [0, 1]),
        ([2, 0], 2, [1, 0]),
        ([0, 1], 2, [1, 0]),
        ([0, 0, 0], 2, [0, 1, 0]),
        ([1, 1], 2, [0, 0]),
        ([0, 2], 1, [0, 0]),
        ([3, 0], 2, [0, 1]),
        ([1, 3], 2, [0, 1]),
        ([2, 3], 2, [1, 0]),
        ([1, 2, 3], 2, [0, 1, 0]),
    ],
)
def test_a_picture_is_on_the_display_that_it_wants_or_on_a_free_one_or_with_the_first(
    wanted: list[int], displays: int, places: list[int]
):
    assert windows.assigned(wanted, displays) == places


def test_a_wanted_display_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    opened = windows.open_windows([((640, 400), 0), ((640, 400), 2)], True)
    assert opened[0] is opened[1]
    assert "display 2 is not connected" in caplog.text
    pygame.display.quit()


def test_the_kernels_connectors_say_which_displays_there_are(tmp_path: Path):
    for name, status in (("card1-HDMI-A-1", "connected"), ("card1-HDMI-A-2", "disconnected"), ("card1", "connected")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "status").write_text(status + "\n")
    assert windows.connected(tmp_path) == {"card1-HDMI-A-1"}
    (tmp_path / "card1-HDMI-A-2" / "status").write_text("connected\n")
    assert windows.connected(tmp_path) == {"card1-HDMI-A-1", "card1-HDMI-A-2"}


def test_a_finger_that_names_no_window_is_on_the_first_one(two_displays: XServer, on: Callable[..., Screen]):
    """So it is without a desktop (SDL's evdev), and on pygame 2.1.2 everywhere."""
    screen = on(two_displays)
    for output in screen.outputs:
        screen.show(output, TAKE)
    x, y = next(hit.rect.center for hit in screen.hits("take") if hit.action == "2")
    screen.poll()
    event = pygame.event.Event(pygame.FINGERDOWN, x=x / FIRST[0], y=y / FIRST[1], touch_id=1, finger_id=1, window=None)
    pygame.event.post(event)
    assert until(screen, bool) == [Touch("take", "2", NOW)]
