"""What colours say can be told without them: by people who see no red and green, and in grey."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pygame
import pytest

from kiosk.config import THEMES as CONFIGURED
from kiosk.views import icons, shapes
from kiosk.views.canvas import Kit
from kiosk.views.model import CounterCard, FaceKind, Tone
from kiosk.views.theme import DAY, THEMES, TILE_COLOURS, WHITE, Rgb, Theme, contrast, in_office_colours, on
from tests.views_measure import drawn, every_kit, problems
from tests.views_samples import ALL, BOARD, RATE, TAKE, board

FACES: tuple[FaceKind, ...] = ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")
TONES: tuple[Tone, ...] = ("ok", "info", "warn", "error")
SIZE = (1280, 800)

every_theme = pytest.mark.parametrize("theme", ["standard", pytest.param("contrast", marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def kits() -> Iterator[dict[str, Kit]]:
    with every_kit() as made:
        yield made


def as_seen_without_green(colour: Rgb) -> Rgb:
    """Deuteranopia, severity 1.0 (Machado, Oliveira and Fernandes 2009), on linear light."""
    red, green, blue = (_linear(part) for part in colour)
    seen = (
        0.367322 * red + 0.860646 * green - 0.227968 * blue,
        0.280085 * red + 0.672501 * green + 0.047413 * blue,
        -0.011820 * red + 0.042940 * green + 0.968881 * blue,
    )
    r, g, b = (_gamma(part) for part in seen)
    return r, g, b


def as_seen_in_grey(colour: Rgb) -> Rgb:
    red, green, blue = (_linear(part) for part in colour)
    grey = _gamma(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return grey, grey, grey


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def _gamma(light: float) -> int:
    light = min(1.0, max(0.0, light))
    return round(255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))


def differing(one: pygame.Surface, other: pygame.Surface, seen: object) -> float:
    """The share of points whose colours are plainly not the same, as they are `seen`, of two pictures of one size."""
    kept: dict[Rgb, Rgb] = {}

    def of(surface: pygame.Surface, x: int, y: int) -> Rgb:
        colour: Rgb = tuple(surface.get_at((x, y)))[:3]
        if colour not in kept:
            kept[colour] = seen(colour)  # type: ignore[operator]
        return kept[colour]

    points = [(x, y) for x in range(0, one.get_width(), 2) for y in range(0, one.get_height(), 2)]
    differ = sum(max(abs(a - b) for a, b in zip(of(one, *p), of(other, *p), strict=True)) > 40 for p in points)
    return differ / len(points)


both_eyes = pytest.mark.parametrize("seen", [as_seen_without_green, as_seen_in_grey])


def test_the_simulated_eye_takes_red_and_green_for_the_same_and_leaves_blue_apart() -> None:
    red, green, blue = (as_seen_without_green(colour) for colour in ((200, 0, 0), (110, 110, 0), (0, 0, 200)))
    assert max(abs(a - b) for a, b in zip(red, green, strict=True)) < 45
    assert max(abs(a - b) for a, b in zip(red, blue, strict=True)) > 100


@both_eyes
@every_theme
def test_faces_can_be_told_apart(theme: str, seen: object) -> None:
    pictures = [_face(kind, THEMES[theme]) for kind in FACES]
    for one, other in combinations(pictures, 2):
        assert differing(one, other, seen) > 0.02


def _face(kind: FaceKind, theme: Theme) -> pygame.Surface:
    return shapes.picture((120, 120), theme.card, lambda big: icons.draw_face(big, kind, theme))


@both_eyes
@every_theme
def test_signs_of_messages_can_be_told_apart(theme: str, seen: object) -> None:
    look = THEMES[theme]
    pictures = [shapes.picture((120, 120), look.card, _tone_painter(tone, look)) for tone in TONES]
    for one, other in combinations(pictures, 2):
        assert differing(one, other, seen) > 0.05


def _tone_painter(tone: Tone, theme: Theme):  # type: ignore[no-untyped-def]
    return lambda big: icons.draw_tone(big, tone, theme)


@both_eyes
@every_theme
def test_states_of_a_counter_can_be_told_apart(kits: dict[str, Kit], theme: str, seen: object) -> None:
    """The newest call by its edge and ground, the others by their words; the number is the same."""
    shown = BOARD.cards[0]
    newest = replace(shown, highlighted=True, state="called", state_text="Mời đến quầy")
    called = replace(newest, highlighted=False)
    paused = replace(shown, state="paused", number="", plate="Tạm dừng", state_text="Phục vụ lại lúc 10:00")
    free = replace(shown, state="free", number="", plate="Chưa có số", state_text="Sẵn sàng")
    closed = replace(shown, state="closed", number="", plate="Quầy đóng", state_text="")
    pictures = [_first_card(kits[theme], card) for card in (shown, newest, called, paused, free, closed)]
    for one, other in combinations(pictures, 2):
        assert differing(one, other, seen) > 0.004


def _first_card(kit: Kit, card: CounterCard) -> pygame.Surface:
    view = replace(BOARD, cards=(card, *BOARD.cards[1:]))
    return drawn(kit, view, SIZE).surface.subsurface((30, 116, 420, 294))


@both_eyes
def test_a_service_that_is_not_offered_and_a_chosen_priority_can_be_told(kits: dict[str, Kit], seen: object) -> None:
    plain = drawn(kits["standard"], TAKE, SIZE).surface
    off = replace(TAKE, tiles=(replace(TAKE.tiles[0], available=False, note="Hôm nay không nhận"), *TAKE.tiles[1:]))
    assert differing(plain, drawn(kits["standard"], off, SIZE).surface, seen) > 0.002
    assert differing(plain, drawn(kits["standard"], ALL["take-chosen"], SIZE).surface, seen) > 0.01


def test_white_can_be_read_on_every_colour_of_a_tile() -> None:
    assert all(contrast(WHITE, colour) >= 4.5 for colour in TILE_COLOURS.values())


def test_every_theme_has_something_readable_for_each_ground() -> None:
    for theme in THEMES.values():
        for ground in (theme.red, theme.blue, theme.green, theme.grey, theme.amber, theme.bright, theme.unhappy):
            assert contrast(on(ground), ground) >= 4.5


@pytest.mark.parametrize("colour", ["#7a1020", "#0b5d3b", "#ffe680", "purple", "#000000"])
@pytest.mark.parametrize("accent", ["", "#ff6600", "#123456"])
def test_an_office_s_own_colours_leave_everything_readable(kits: dict[str, Kit], colour: str, accent: str) -> None:
    for theme in (DAY, THEMES["contrast"]):
        kit = Kit(in_office_colours(theme, colour, accent))
        kit.type = kits["standard"].type
        for view in (TAKE, BOARD, RATE, ALL["idle"], ALL["take-keys"]):
            assert problems(kit, view, SIZE) == []


def test_no_colours_of_its_own_are_the_theme_s() -> None:
    assert in_office_colours(DAY, "", "") is DAY


def test_the_newest_call_stands_out_more_than_any_other_card(kits: dict[str, Kit]) -> None:
    """Its edge is seen on the page in grey as well."""
    for theme in THEMES.values():
        assert contrast(theme.gold, theme.page) > 1.4
    view = board(4)
    frame = drawn(kits["standard"], view, SIZE)
    edge = frame.surface.get_at((472, 260))[:3]
    assert sum(abs(a - b) for a, b in zip(edge, DAY.gold, strict=True)) < 30


def test_the_names_of_themes_are_those_of_the_configuration() -> None:
    assert tuple(THEMES) == CONFIGURED
