"""The window and its inputs on SDL's memory driver, which draws real pixels and takes real events but shows nothing."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pygame
import pytest

from kiosk import windows
from kiosk.keys import Chord
from kiosk.screen import Key, Output, Quit, Screen, Touch
from kiosk.windows import NoPictureError, ScreenError
from tests.console_kit import memory_mb
from tests.views_samples import BOARD, RATE, TAKE

OUTPUTS = (Output("take", (1280, 800)), Output("board", (1920, 1080)), Output("rate", (1280, 800)))
NOW = 123.5


@pytest.fixture(autouse=True)
def _memory_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def screen() -> Iterator[Screen]:
    with Screen(OUTPUTS, blind_ok=True, clock=lambda: NOW, held_on="take") as opened:
        opened.poll()
        yield opened


def centre(screen: Screen, output: str, action: str) -> tuple[int, int]:
    return next(hit.rect.center for hit in screen.hits(output) if hit.action == action)


def post(kind: int, **values: object) -> None:
    pygame.event.post(pygame.event.Event(kind, **values))


# --- what it refuses


def test_a_driver_that_shows_nothing_is_refused_with_what_to_do() -> None:
    with pytest.raises(NoPictureError, match=r"“dummy” shows nothing: SDL_VIDEODRIVER=dummy was asked for: unset it"):
        Screen(OUTPUTS)


def test_a_driver_that_is_not_there_is_refused_and_blind_ok_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "nosuchdriver")
    with pytest.raises(NoPictureError, match="no video driver could be opened"):
        Screen(OUTPUTS)
    with Screen(OUTPUTS, blind_ok=True) as opened:
        assert opened.driver == "dummy"
        assert opened.show("take", TAKE)


def test_the_advice_names_groups_packages_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SDL_VIDEODRIVER")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    advice = windows.why_blind("offscreen", "", frozenset({"video"}), tmp_path)
    for word in ("“offscreen”", "groups render, input", "SDL_VIDEODRIVER=kmsdrm", "libgl1 ", "python3-pygame from apt"):
        assert word in advice
    assert "is missing: connect a screen" in windows.why_blind(
        "", "kmsdrm not available", frozenset(), tmp_path / "dri"
    )


def test_outputs_need_names_of_their_own() -> None:
    with pytest.raises(ScreenError, match="a name of its own"):
        Screen((OUTPUTS[0], OUTPUTS[0]), blind_ok=True)
    with pytest.raises(ScreenError, match="one output at least"):
        Screen((), blind_ok=True)


# --- pictures


def test_a_view_is_drawn_once_and_again_only_when_it_changes(screen: Screen) -> None:
    assert screen.show("take", TAKE)
    assert screen.show("take", TAKE) == []
    later = replace(TAKE, header=replace(TAKE.header, clock="09:42"))
    assert len(screen.show("take", later)) == 1


def test_an_equal_view_made_anew_draws_nothing(screen: Screen) -> None:
    screen.show("board", BOARD)
    assert screen.show("board", replace(BOARD, cards=tuple(replace(card) for card in BOARD.cards))) == []


def test_changed_frames_are_told_once(screen: Screen) -> None:
    screen.show("rate", RATE)
    screen.show("board", BOARD)
    assert screen.frames_changed() == ("board", "rate")
    assert screen.frames_changed() == ()


def test_an_unknown_output_is_an_error(screen: Screen) -> None:
    with pytest.raises(KeyError):
        screen.show("attic", TAKE)


def test_pictures_are_saved_in_their_full_size(screen: Screen, tmp_path: Path) -> None:
    screen.show("board", BOARD)
    screen.save_png("board", tmp_path / "board.png")
    assert pygame.image.load(tmp_path / "board.png").get_size() == (1920, 1080)
    assert screen.picture("board", "jpg")[:2] == b"\xff\xd8"


def test_pictures_that_were_looked_at_leave_the_memory_again(screen: Screen) -> None:
    screen.show("board", BOARD)

    def look(times: int) -> float:
        for _ in range(times):
            (width, height), pixels = screen.pixels("board")
            assert len(pixels) == width * height * 3
            screen.picture("board", "jpg")
        return memory_mb()

    before = look(3)
    assert look(20) - before < 60, "20 pictures of 6 MB"


def test_the_window_holds_the_shown_output_pixel_by_pixel(screen: Screen) -> None:
    screen.show("take", TAKE)
    tiles = (*TAKE.tiles[:5], replace(TAKE.tiles[5], waiting_text="3 người chờ"))
    assert len(screen.show("take", replace(TAKE, tiles=tiles))) == 1
    window = pygame.display.get_surface()
    assert window is not None
    saved = pygame.image.load_extended(io.BytesIO(screen.picture("take")))
    assert pygame.image.tobytes(window, "RGB") == pygame.image.tobytes(saved, "RGB")


def test_tab_and_function_keys_change_what_the_window_shows(screen: Screen) -> None:
    seen = []
    for key in (pygame.K_TAB, pygame.K_TAB, pygame.K_TAB, pygame.K_F3, pygame.K_F9, pygame.K_F1):
        post(pygame.KEYDOWN, key=key)
        assert screen.poll() == []
        seen.append(screen.shown)
    assert seen == ["board", "rate", "take", "rate", "rate", "take"]


def test_a_larger_output_is_scaled_into_the_window_and_touched_where_it_is_seen(screen: Screen) -> None:
    screen.show("take", TAKE)
    big = replace(TAKE, priority=None)
    screen.show("board", big)
    screen.look_at("board")
    x, y = next(hit.rect.move(0, -6).midbottom for hit in screen.hits("board") if hit.action == "6")
    # 1920×1080 stands in 1280×800 at two thirds, with 40 rows of black above and below.
    post(pygame.MOUSEBUTTONDOWN, button=1, pos=(x * 2 // 3, y * 2 // 3 + 40), touch=False)
    assert screen.poll() == [Touch("board", "6", NOW)]
    window = pygame.display.get_surface()
    assert window is not None
    assert tuple(window.get_at((640, 10)))[:3] == (0, 0, 0)


# --- fingers and keys


def test_a_finger_on_a_tile_is_its_action(screen: Screen) -> None:
    screen.show("take", TAKE)
    x, y = centre(screen, "take", "3")
    post(pygame.FINGERDOWN, x=x / 1280, y=y / 800, touch_id=1, finger_id=1)
    post(pygame.FINGERUP, x=x / 1280, y=y / 800, touch_id=1, finger_id=1)
    assert screen.poll() == [Touch("take", "3", NOW)]


def test_a_mouse_is_a_finger_but_not_twice(screen: Screen) -> None:
    screen.show("take", TAKE)
    at = centre(screen, "take", "priority")
    post(pygame.MOUSEBUTTONDOWN, button=1, pos=at, touch=True)
    post(pygame.MOUSEBUTTONDOWN, button=3, pos=at, touch=False)
    assert screen.poll() == []
    post(pygame.MOUSEBUTTONDOWN, button=1, pos=at, touch=False)
    assert screen.poll() == [Touch("take", "priority", NOW)]


def test_two_fingers_that_are_held_are_said_wherever_they_are(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.show("take", TAKE)
    x, y = centre(screen, "take", "3")
    post(pygame.FINGERDOWN, x=x / 1280, y=y / 800, touch_id=1, finger_id=1)
    post(pygame.FINGERDOWN, x=1.0, y=1.0, touch_id=1, finger_id=2)
    assert screen.poll() == [Touch("take", "3", NOW)]
    monkeypatch.setattr(screen, "_clock", lambda: NOW + 5)
    assert screen.poll() == [Chord(("", "3"), NOW + 5)]


@pytest.mark.parametrize("output", ["take", "rate"])
def test_taps_and_fingers_on_other_pictures_are_not_held(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    screen.show("take", TAKE)
    screen.show("rate", RATE)
    screen.look_at(output)
    for finger, place in ((1, 0.0), (2, 1.0)):
        post(pygame.FINGERDOWN, x=place, y=place, touch_id=1, finger_id=finger)
    assert screen.poll() == []
    if output == "take":
        for finger, place in ((1, 0.0), (2, 1.0)):
            post(pygame.FINGERUP, x=place, y=place, touch_id=1, finger_id=finger)
        screen.poll()
    monkeypatch.setattr(screen, "_clock", lambda: NOW + 6)
    assert screen.poll() == []


def test_a_finger_beside_everything_is_nothing(screen: Screen) -> None:
    screen.show("take", TAKE)
    post(pygame.FINGERDOWN, x=0.0, y=0.0, touch_id=1, finger_id=1)
    post(pygame.FINGERDOWN, x=1.0, y=1.0, touch_id=1, finger_id=1)
    screen.post_touch("attic", 0.5, 0.5)
    assert screen.poll() == []


def test_an_output_that_is_not_in_the_window_can_be_touched_too(screen: Screen) -> None:
    screen.show("rate", RATE)
    x, y = centre(screen, "rate", "rate 1")
    screen.post_touch("rate", x / 1280, y / 800)
    assert screen.poll() == [Touch("rate", "rate 1", NOW)]


def test_after_a_change_a_finger_finds_the_new_action_and_not_the_old_one(screen: Screen) -> None:
    screen.show("rate", RATE)
    x, y = centre(screen, "rate", "rate 3")
    screen.show("rate", replace(RATE, state="thanks", message="Cảm ơn Ông/Bà đã đánh giá!"))
    screen.post_touch("rate", x / 1280, y / 800)
    assert screen.poll() == []


def test_keys_have_names_and_go_down_and_up(screen: Screen) -> None:
    for key in (pygame.K_1, pygame.K_KP1, pygame.K_ESCAPE):
        post(pygame.KEYDOWN, key=key)
        post(pygame.KEYUP, key=key)
    names = [(key.name, key.down) for key in screen.poll() if isinstance(key, Key)]
    assert names == [(name, down) for name in ("1", "[1]", "escape") for down in (True, False)]


def test_a_closed_window_is_told_once(screen: Screen) -> None:
    post(pygame.QUIT)
    assert screen.poll() == [Quit(NOW)]
    post(pygame.WINDOWCLOSE)
    post(pygame.QUIT)
    assert screen.poll() == [Quit(NOW)]


def test_a_window_that_was_hidden_is_filled_again(screen: Screen) -> None:
    screen.show("take", TAKE)
    window = pygame.display.get_surface()
    assert window is not None
    whole = pygame.image.tobytes(window, "RGB")
    window.fill((9, 9, 9))
    post(pygame.VIDEOEXPOSE)
    screen.poll()
    assert pygame.image.tobytes(window, "RGB") == whole


def test_the_only_output_is_drawn_in_the_window_itself() -> None:
    with Screen(OUTPUTS[:1], blind_ok=True) as alone:
        alone.show("take", TAKE)
        assert window_pixels() == picture_pixels(alone, "take")
        later = replace(TAKE, header=replace(TAKE.header, clock="09:42"))
        assert len(alone.show("take", later)) == 1
        assert window_pixels() == picture_pixels(alone, "take")


def test_the_only_output_is_drawn_again_in_a_window_that_lost_it() -> None:
    with Screen(OUTPUTS[:1], blind_ok=True) as alone:
        alone.show("take", TAKE)
        whole = window_pixels()
        window().fill((9, 9, 9))
        post(pygame.VIDEOEXPOSE)
        alone.poll()
        assert window_pixels() == whole == picture_pixels(alone, "take")


def test_a_window_that_gets_another_size_and_its_own_again_keeps_the_picture() -> None:
    with Screen(OUTPUTS[:1], blind_ok=True, clock=lambda: NOW) as alone:
        alone.show("take", TAKE)
        whole = picture_pixels(alone, "take")
        pygame.display.set_mode((640, 480), pygame.RESIZABLE)
        alone.poll()
        post(pygame.VIDEORESIZE, size=(640, 480), w=640, h=480)
        alone.poll()
        assert picture_pixels(alone, "take") == whole
        assert tuple(window().get_at((320, 5)))[:3] == (0, 0, 0)
        x, y = centre(alone, "take", "3")
        post(pygame.MOUSEBUTTONDOWN, button=1, pos=(x // 2, y // 2 + 40), touch=False)
        assert alone.poll() == [Touch("take", "3", NOW)]
        pygame.display.set_mode((1280, 800), pygame.RESIZABLE)
        post(pygame.VIDEORESIZE, size=(1280, 800), w=1280, h=800)
        alone.poll()
        assert window_pixels() == whole == picture_pixels(alone, "take")


def window() -> pygame.Surface:
    found = pygame.display.get_surface()
    assert found is not None
    return found


def window_pixels() -> bytes:
    return pygame.image.tobytes(window(), "RGB")


def picture_pixels(screen: Screen, output: str) -> bytes:
    return pygame.image.tobytes(pygame.image.load_extended(io.BytesIO(screen.picture(output))), "RGB")


def test_a_screen_can_be_opened_again_after_it_was_closed() -> None:
    for _ in range(2):
        with Screen(OUTPUTS, blind_ok=True) as opened:
            assert opened.show("board", BOARD)


def test_the_data_of_the_views_needs_no_pygame() -> None:
    code = "import sys, kiosk.views.model; sys.exit('pygame' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


def test_sound_is_not_even_loaded_and_joysticks_stay_closed(screen: Screen) -> None:
    """The libraries of pygame's mixer are 5 MB; sound is the matter of aplay."""
    code = "import sys, kiosk.screen; sys.exit(sys.modules['pygame.mixer'] is not None)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], timeout=30, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not pygame.joystick.get_init()


def test_a_screen_that_is_closed_gives_all_its_files_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts that outlive pygame's font module would keep theirs, and a kiosk opens its screens again for years."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(2):
        with Screen([Output("board", (1280, 800))], blind_ok=True) as screen:
            screen.show("board", BOARD)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
