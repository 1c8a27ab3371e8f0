"""What has just changed lights up and fades: the information is there at once, and nothing is drawn for nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pygame
import pytest

import kiosk.screen
from kiosk.screen import Output, Screen
from kiosk.views.canvas import Canvas, Region
from kiosk.views.lights import FADE_S, MOST_PIXELS, STEPS, Lights
from kiosk.views.model import View
from kiosk.views.theme import DAY, Theme
from tests.views_samples import ALL, BOARD, RATE, TAKE

SIZE = (400, 300)
GOLD = (250, 180, 20)
LEFT, RIGHT = pygame.Rect(10, 10, 150, 100), pygame.Rect(200, 10, 150, 200)
INK, PAPER = (20, 40, 90), (240, 240, 245)
STEP_S = FADE_S / STEPS


@dataclass(frozen=True)
class Cards:
    """A view of two cards: what each shows, and whether the left one lights up."""

    left: int = 0
    right: int = 0
    flash: tuple[int, int, int] | None = GOLD


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def regions(view: Cards, size: tuple[int, int], theme: Theme = DAY) -> list[Region]:
    def paint(canvas: Canvas, rect: pygame.Rect, value: int) -> None:
        canvas.fill(rect, PAPER)
        canvas.fill(pygame.Rect(rect.x, rect.y, 10 + value % 100, 20), INK)

    return [
        Region("left", LEFT, view.left, lambda canvas, rect: paint(canvas, rect, view.left), flash=view.flash),
        Region("right", RIGHT, view.right, lambda canvas, rect: paint(canvas, rect, view.right)),
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def screen(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(kiosk.screen, "regions", regions)
    with Screen([Output("board", SIZE)], blind_ok=True, clock=clock) as opened:
        opened.show("board", Cards())  # type: ignore[arg-type]
        opened.poll()
        yield opened


def plain(view: Cards) -> bytes:
    """The picture without any light."""
    frame = kiosk.screen.Frame(kiosk.screen.Kit(), SIZE)
    frame.show(regions(view, SIZE))
    return pygame.image.tobytes(frame.surface, "RGB")


def pixels(screen: Screen) -> bytes:
    return pygame.image.tobytes(screen._frames["board"].surface, "RGB")


def window_pixels() -> bytes:
    window = pygame.display.get_surface()
    assert window
    return pygame.image.tobytes(window, "RGB")


def paper(screen: Screen, rect: pygame.Rect) -> tuple[int, ...]:
    """A pixel of a card where nothing is written."""
    return tuple(screen._frames["board"].surface.get_at(rect.move(-2, -2).bottomright))[:3]


def fade_out(screen: Screen, clock: Clock) -> list[tuple[int, ...]]:
    """Step by step to the end; the card's colour at each."""
    colours = [paper(screen, LEFT)]
    while (wait := screen.animate()) is not None:
        assert 0 < wait <= STEP_S + 1e-6
        clock.at += wait
        screen.animate()
        colours.append(paper(screen, LEFT))
    return colours


def test_a_new_card_is_whole_at_once_under_a_light_that_fades_in_five_steps(screen: Screen, clock: Clock):
    began = clock.at
    assert screen.show("board", Cards(left=7)) == [LEFT]  # type: ignore[arg-type]
    ink = screen._frames["board"].surface.get_at(LEFT.topleft)
    assert tuple(ink)[:3] != INK
    assert sum(ink[:3]) < sum(PAPER) / 2, "what is written can be read through the light"
    colours = fade_out(screen, clock)
    assert len(colours) == STEPS + 1
    assert colours == sorted(set(colours), key=lambda colour: colour[2]), "each step is nearer to the paper"
    assert colours[-1] == PAPER
    assert pixels(screen) == plain(Cards(left=7))
    assert clock.at - began == pytest.approx(FADE_S)


def test_a_region_without_a_flash_stays_dark(screen: Screen):
    screen.show("board", Cards(right=7))  # type: ignore[arg-type]
    assert screen.animate() is None
    assert pixels(screen) == plain(Cards(right=7))


def test_the_first_picture_lights_nothing_up(clock: Clock, screen: Screen):
    assert screen.animate() is None
    assert pixels(screen) == plain(Cards())


def test_an_unchanged_view_neither_lights_up_nor_ends_a_light_and_is_not_even_cut_into_regions(
    screen: Screen, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    lit = pixels(screen)

    def never(*_: object) -> list[Region]:
        raise AssertionError("it was drawn again")

    monkeypatch.setattr(kiosk.screen, "regions", never)
    assert screen.show("board", Cards(left=7)) == []  # type: ignore[arg-type]
    assert pixels(screen) == lit
    fade_out(screen, clock)
    assert screen.show("board", Cards(left=7)) == []  # type: ignore[arg-type]
    assert screen.animate() is None


def test_between_two_steps_nothing_is_drawn(screen: Screen, clock: Clock):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    screen.frames_changed()
    clock.at += STEP_S / 2
    assert screen.animate() == pytest.approx(STEP_S / 2)
    assert screen.frames_changed() == ()
    clock.at += STEP_S
    screen.animate()
    assert screen.frames_changed() == ("board",)


def test_a_light_goes_on_where_another_card_is_drawn(screen: Screen, clock: Clock):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    lit = paper(screen, LEFT)
    screen.show("board", Cards(left=7, right=3))  # type: ignore[arg-type]
    assert paper(screen, LEFT) == lit
    assert paper(screen, RIGHT) == PAPER
    fade_out(screen, clock)
    assert pixels(screen) == plain(Cards(left=7, right=3))


def test_a_card_that_is_drawn_again_while_it_fades_ends_its_light_first(screen: Screen, clock: Clock):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    clock.at += 2 * STEP_S
    screen.animate()
    screen.show("board", Cards(left=60, flash=None))  # type: ignore[arg-type]
    assert screen.animate() is None
    assert pixels(screen) == plain(Cards(left=60))
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    clock.at += 2 * STEP_S
    screen.animate()
    screen.show("board", Cards(left=60))  # type: ignore[arg-type]
    assert len(fade_out(screen, clock)) == STEPS + 1
    assert pixels(screen) == plain(Cards(left=60))


def test_a_late_turn_leaves_steps_out(screen: Screen, clock: Clock):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    clock.at += 10
    assert screen.animate() is None
    assert pixels(screen) == plain(Cards(left=7))


def test_the_window_shows_each_step(screen: Screen, clock: Clock):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    assert window_pixels() == pixels(screen)
    clock.at += STEP_S
    screen.animate()
    assert window_pixels() == pixels(screen) != plain(Cards(left=7))


def test_an_output_that_is_not_in_the_window_fades_without_disturbing_it(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(kiosk.screen, "regions", regions)
    with Screen([Output("take", SIZE), Output("board", SIZE)], blind_ok=True, clock=clock) as two:
        for output in two.outputs:
            two.show(output, Cards())  # type: ignore[arg-type]
        before = window_pixels()
        two.show("board", Cards(left=7))  # type: ignore[arg-type]
        fade_out(two, clock)
        assert window_pixels() == before
        assert pixels(two) == plain(Cards(left=7))


def test_a_window_that_lost_its_picture_ends_the_light(screen: Screen):
    screen.show("board", Cards(left=7))  # type: ignore[arg-type]
    pygame.event.post(pygame.event.Event(pygame.VIDEOEXPOSE))
    screen.poll()
    assert screen.animate() is None
    assert window_pixels() == plain(Cards(left=7))


def test_without_animations_nothing_lights_up(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(kiosk.screen, "regions", regions)
    with Screen([Output("board", SIZE)], blind_ok=True, clock=clock, animations=False) as plain_screen:
        plain_screen.show("board", Cards())  # type: ignore[arg-type]
        plain_screen.show("board", Cards(left=7))  # type: ignore[arg-type]
        assert plain_screen.animate() is None
        assert pixels(plain_screen) == plain(Cards(left=7))


def test_more_than_a_whole_screen_is_not_kept_for_lights():
    picture = pygame.Surface((1920, 1080), 0, 32)
    lights = Lights()
    lights.start(picture, picture.get_rect(), GOLD, 0.0)
    assert lights
    lights.start(picture, pygame.Rect(0, 0, 1920, 1080), GOLD, 0.0)
    assert sum(light.rect.w * light.rect.h for light in lights._lit) <= MOST_PIXELS


def test_a_box_beyond_the_picture_is_lit_as_far_as_it_is_seen():
    picture = pygame.Surface((100, 100), 0, 32)
    picture.fill(PAPER)
    lights = Lights()
    lights.start(picture, pygame.Rect(50, 50, 200, 200), GOLD, 0.0)
    lights.start(picture, pygame.Rect(150, 150, 20, 20), GOLD, 0.0)
    lights.lay(picture)
    assert tuple(picture.get_at((99, 99)))[:3] != PAPER
    assert lights.fade(picture, FADE_S) == [pygame.Rect(50, 50, 50, 50)]
    assert picture.get_bounding_rect().size == (100, 100)
    assert tuple(picture.get_at((99, 99)))[:3] == PAPER
    assert not lights


# --- what lights up on the kiosk's own views


@pytest.fixture
def hall(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Screen([Output("board", (1280, 800)), Output("take", (1280, 800))], blind_ok=True, clock=clock) as opened:
        opened.show("board", BOARD)
        opened.show("take", TAKE)
        yield opened


def lit(screen: Screen, output: str, view: View) -> bool:
    """Whether something lights up when a view is shown."""
    screen.show(output, view)
    wait = screen.animate()
    return wait is not None


def test_the_newest_call_lights_up_once_and_not_when_more_people_wait(hall: Screen, clock: Clock) -> None:
    newest = replace(BOARD.cards[0], number="1013", highlighted=True)
    called = replace(BOARD, cards=(newest, replace(BOARD.cards[1], highlighted=False), *BOARD.cards[2:]))
    assert lit(hall, "board", called)
    clock.at += 1
    hall.animate()
    more = replace(called, cards=(replace(newest, waiting="5"), *called.cards[1:]))
    assert not lit(hall, "board", more)
    again = replace(more, cards=(replace(newest, number="1014"), *more.cards[1:]))
    assert lit(hall, "board", again)


def test_the_newest_call_lights_up_again_when_it_is_called_again(hall: Screen, clock: Clock) -> None:
    called = replace(BOARD.cards[0], number="1013", highlighted=True, calls=1)
    others = tuple(replace(card, highlighted=False) for card in BOARD.cards[1:])
    assert lit(hall, "board", replace(BOARD, cards=(called, *others)))
    clock.at += 1
    hall.animate()
    assert lit(hall, "board", replace(BOARD, cards=(replace(called, calls=2), *others)))


def test_the_same_message_lights_up_again_when_it_was_gone_meanwhile(hall: Screen, clock: Clock) -> None:
    for _ in range(2):
        assert lit(hall, "take", replace(TAKE, notice=ALL["quota"].notice))  # type: ignore[union-attr]
        clock.at += 1
        hall.animate()
        assert not lit(hall, "take", TAKE)


def test_what_the_first_picture_shows_does_not_light_up_later(hall: Screen) -> None:
    newest = next(n for n, card in enumerate(BOARD.cards) if card.highlighted)
    cards = [replace(card, waiting="77") if n == newest else card for n, card in enumerate(BOARD.cards)]
    assert not lit(hall, "board", replace(BOARD, cards=tuple(cards)))


def test_a_message_and_a_chosen_priority_light_up_and_the_clock_does_not(hall: Screen, clock: Clock) -> None:
    assert lit(hall, "take", replace(TAKE, notice=ALL["slip"].notice))  # type: ignore[union-attr]
    clock.at += 1
    hall.animate()
    assert not lit(hall, "take", TAKE)
    assert not lit(hall, "take", replace(TAKE, header=replace(TAKE.header, clock="09:42")))
    assert lit(hall, "take", ALL["take-chosen"])


def test_of_a_message_only_the_card_lights_up_with_all_its_words(hall: Screen, clock: Clock) -> None:
    header = {text.text for text in hall.texts("take") if text.rect.y < 100}
    assert lit(hall, "take", replace(TAKE, notice=ALL["slip"].notice))  # type: ignore[union-attr]
    picture = hall._frames["take"].surface
    bright = picture.copy()
    clock.at += 1
    hall.animate()
    same = pygame.mask.from_threshold(picture, (0, 0, 0), (1, 1, 1), bright)
    same.invert()
    (changed,) = same.get_bounding_rects()
    assert changed.w * changed.h < 0.6 * picture.get_width() * picture.get_height()
    words = [text for text in hall.texts("take") if text.text not in header]
    assert words
    assert all(changed.contains(text.rect) for text in words)


def test_thanks_for_a_rating_light_nothing_up(hall: Screen) -> None:
    hall.show("take", RATE)
    assert not lit(hall, "take", ALL["rate-thanks"])
