"""Icons, faces, signs and people as shapes on a square of 100 × 100, for any pen. Knows no pixels, no view and no word.

The kiosk's own screens draw them with pygame (`icons`, `people`), its web pages as SVG: one drawing, two pens.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from kiosk.views.model import FaceKind, Tone
from kiosk.views.theme import Rgb, Theme, mix, on

Point: TypeAlias = tuple[float, float]


class Pen(Protocol):
    """What draws: colours first, then where on the square; `top_box` has only its upper corners round."""

    def circle(self, colour: Rgb, x: float, y: float, radius: float) -> None: ...

    def ellipse(self, colour: Rgb, x: float, y: float, rx: float, ry: float) -> None: ...

    def box(self, colour: Rgb, x: float, y: float, w: float, h: float, radius: float = 0) -> None: ...

    def top_box(self, colour: Rgb, x: float, y: float, w: float, h: float, radius: float) -> None: ...

    def poly(self, colour: Rgb, points: Sequence[Point]) -> None: ...

    def line(self, colour: Rgb, points: Sequence[Point], width: float) -> None: ...


def curve(start: Point, bend: Point, end: Point, steps: int = 24) -> list[Point]:
    """Points of a quadratic curve."""
    points: list[Point] = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) ** 2, 2 * (1 - t) * t, t * t
        points.append((a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1]))
    return points


def star_points(centre: Point, radius: float) -> list[Point]:
    """A five-pointed star, one point up."""
    points: list[Point] = []
    for i in range(10):
        reach = radius if i % 2 == 0 else radius * 0.382
        angle = math.pi / 5 * i - math.pi / 2
        points.append((centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)))
    return points


def _people(pen: Pen, ink: Rgb, back: Rgb) -> None:
    pen.circle(ink, 69, 36, 11)
    pen.top_box(ink, 48, 52, 43, 26, 20)
    pen.circle(back, 38, 33, 18)
    pen.top_box(back, 6, 48, 62, 34, 26)
    pen.circle(ink, 38, 33, 14)
    pen.top_box(ink, 11, 53, 53, 25, 22)


def _house(pen: Pen, ink: Rgb, back: Rgb) -> None:
    pen.line(ink, [(14, 50), (50, 17), (86, 50)], 9)
    pen.poly(ink, [(50, 22), (78, 48), (78, 82), (22, 82), (22, 48)])
    pen.top_box(back, 42, 56, 16, 26, 3)


def _heart(pen: Pen, ink: Rgb, _back: Rgb) -> None:
    left = curve((50, 84), (6, 56), (13, 33)) + curve((13, 33), (22, 10), (43, 22)) + [(50, 30)]
    right = [(100 - x, y) for x, y in reversed(left)]
    pen.poly(ink, left + right)


def _stamp(pen: Pen, ink: Rgb, _back: Rgb) -> None:
    pen.circle(ink, 50, 28, 15)
    pen.poly(ink, [(43, 38), (57, 38), (60, 62), (40, 62)])
    pen.box(ink, 19, 57, 62, 15, 6)
    pen.box(ink, 16, 77, 68, 8, 4)


def _document(pen: Pen, ink: Rgb, back: Rgb) -> None:
    pen.box(ink, 24, 14, 52, 72, 8)
    for i, width in enumerate((28, 28, 28, 17)):
        pen.line(back, [(36, 34 + i * 12), (36 + width, 34 + i * 12)], 5)


def _question(pen: Pen, ink: Rgb, back: Rgb) -> None:
    pen.circle(ink, 50, 50, 37)
    hook = [
        *curve((38, 40), (38, 26), (50, 26)),
        *curve((50, 26), (63, 27), (62, 39)),
        *curve((62, 39), (61, 47), (50, 52)),
    ]
    pen.line(back, [*hook, (50, 58)], 9)
    pen.circle(back, 50, 72, 5.6)


def _star(pen: Pen, ink: Rgb, _back: Rgb) -> None:
    pen.poly(ink, star_points((50, 53), 42))


def _cane(pen: Pen, ink: Rgb, _back: Rgb) -> None:
    pen.circle(ink, 45, 18, 10)
    pen.line(ink, [(42, 38), (40, 58)], 17)
    pen.line(ink, [(38, 60), (36, 88)], 8.5)
    pen.line(ink, [(44, 60), (49, 73), (49, 88)], 8.5)
    pen.line(ink, [(47, 38), (56, 50), (66, 53)], 7)
    pen.line(ink, [*curve((60, 50), (69, 41), (73, 51)), (73, 89)], 5)


def _speech(pen: Pen, ink: Rgb, back: Rgb) -> None:
    pen.box(ink, 14, 20, 72, 48, 14)
    pen.poly(ink, [(30, 62), (30, 86), (54, 64)])
    for x in (33, 50, 67):
        pen.circle(back, x, 44, 5.5)


def _leaf(pen: Pen, ink: Rgb, back: Rgb) -> None:
    side = curve((20, 80), (10, 26), (84, 18)) + curve((84, 18), (88, 82), (20, 80))
    pen.poly(ink, side)
    pen.line(back, curve((30, 72), (46, 52), (66, 38)), 5)
    pen.line(ink, [(20, 80), (13, 88)], 6)


def _coin(pen: Pen, ink: Rgb, back: Rgb) -> None:
    pen.circle(ink, 50, 50, 36)
    pen.circle(back, 50, 50, 28)
    pen.circle(ink, 50, 50, 24)
    pen.poly(back, star_points((50, 51), 15))


def _shield(pen: Pen, ink: Rgb, back: Rgb) -> None:
    side = [(50, 12), (83, 24), *curve((83, 24), (86, 68), (50, 89))]
    pen.poly(ink, side + [(100 - x, y) for x, y in reversed(side)])
    pen.line(back, [(35, 50), (46, 61), (67, 38)], 8)


_DRAWN: dict[str, Callable[[Pen, Rgb, Rgb], None]] = {
    "people": _people,
    "house": _house,
    "heart": _heart,
    "stamp": _stamp,
    "document": _document,
    "question": _question,
    "star": _star,
    "cane": _cane,
    "speech": _speech,
    "leaf": _leaf,
    "coin": _coin,
    "shield": _shield,
}


def draw_icon(pen: Pen, name: str, ink: Rgb, back: Rgb) -> None:
    """An icon by name; an unknown name is a question mark."""
    _DRAWN.get(name, _question)(pen, ink, back)


_MOUTHS: dict[FaceKind, tuple[Point, Point, Point]] = {
    "very_happy": ((27, 57), (50, 96), (73, 57)),
    "happy": ((27, 60), (50, 84), (73, 60)),
    "neutral": ((29, 66), (50, 66), (71, 66)),
    "unhappy": ((28, 73), (50, 47), (72, 73)),
    "very_unhappy": ((28, 76), (50, 42), (72, 76)),
}


def face_colours(kind: FaceKind, theme: Theme) -> tuple[Rgb, Rgb]:
    """The disc and the features of a face: blue, amber, red."""
    disc = theme.amber if kind == "neutral" else theme.bright if kind in ("happy", "very_happy") else theme.unhappy
    return disc, on(disc)


def draw_face(pen: Pen, kind: FaceKind, theme: Theme) -> None:
    """A face: the mouth tells the answer without its colour."""
    disc, ink = face_colours(kind, theme)
    pen.circle(disc, 50, 50, 50)
    for x in (34, 66):
        pen.ellipse(ink, x, 40, 5.4, 7.6)
    start, bend, end = _MOUTHS[kind]
    if kind == "very_happy":
        pen.poly(ink, curve(start, bend, end))
    pen.line(ink, curve(start, bend, end), 5.6)
    if kind == "very_happy":
        pen.line(ink, [start, end], 5.6)
    if kind == "very_unhappy":
        pen.line(ink, [(25, 27), (41, 33)], 5)
        pen.line(ink, [(75, 27), (59, 33)], 5)


def tone_colours(tone: Tone, theme: Theme) -> tuple[Rgb, Rgb, Rgb]:
    """Sign, pale ground and text of a tone."""
    if tone == "ok":
        return theme.green, theme.tint_green, theme.green_ink
    if tone == "warn":
        return theme.amber, theme.tint_gold, theme.amber_ink
    if tone == "error":
        return theme.red, theme.tint_red, theme.red_ink
    return theme.bright, theme.tint_blue, theme.blue_ink


def draw_tone(pen: Pen, tone: Tone, theme: Theme) -> None:
    """The sign of a message, told apart by shape: tick, triangle, bar, clock."""
    colour, _, _ = tone_colours(tone, theme)
    white = on(colour)
    if tone == "ok":
        pen.circle(colour, 50, 50, 50)
        pen.line(white, [(27, 52), (44, 68), (74, 35)], 10)
    elif tone == "warn":
        pen.line(colour, [(50, 14), (90, 86), (10, 86), (50, 14)], 14)
        pen.poly(colour, [(50, 14), (90, 86), (10, 86)])
        pen.line(white, [(50, 38), (50, 61)], 8)
        pen.circle(white, 50, 76, 5)
    elif tone == "error":
        pen.circle(colour, 50, 50, 50)
        pen.line(white, [(26, 50), (74, 50)], 14)
    else:
        pen.circle(colour, 50, 50, 50)
        pen.circle(white, 50, 50, 38)
        pen.line(colour, [(50, 24), (50, 52), (68, 62)], 8)


# --- people ---

PERSON_FRAME = (-0.11, -0.1, 1.22)
"""Left, top and side of a person's square, as shares of the portrait's: the head fills it."""

_GROUNDS: tuple[tuple[Rgb, Rgb], ...] = (
    ((206, 226, 249), (140, 184, 232)),
    ((253, 222, 190), (240, 168, 112)),
    ((208, 236, 216), (136, 198, 156)),
    ((222, 214, 248), (160, 146, 220)),
    ((250, 214, 222), (230, 150, 172)),
    ((206, 236, 240), (124, 192, 204)),
)
_CLOTHES: tuple[Rgb, ...] = (
    (252, 252, 255),
    (28, 86, 156),
    (190, 40, 60),
    (24, 120, 96),
    (92, 74, 160),
    (48, 62, 92),
)
_SKINS: tuple[Rgb, ...] = ((244, 208, 176), (236, 194, 156), (248, 216, 188))
_HAIRS: tuple[Rgb, ...] = ((42, 34, 34), (30, 28, 34), (58, 42, 36), (126, 124, 130))


def person_ground(variant: int) -> tuple[Rgb, Rgb]:
    """The colours behind a person, at the top and at the foot."""
    return _GROUNDS[variant % len(_GROUNDS)]


def draw_person(pen: Pen, variant: int) -> None:
    """Head and shoulders; any integer is a person, who stays the same."""
    cloth = _CLOTHES[(variant * 5 + variant // 6) % len(_CLOTHES)]
    skin = _SKINS[variant // 2 % len(_SKINS)]
    hair = _HAIRS[(variant // 4) % len(_HAIRS)]
    if variant % 2 == 0:
        _long_hair_behind(pen, hair)
    _body(pen, cloth, skin)
    _head(pen, skin)
    if variant % 2 == 0:
        _fringe(pen, hair, side_part=variant % 4 == 0)
    else:
        _short_hair(pen, hair, side_part=variant % 4 == 1)
    if variant % 5 == 3:
        _glasses(pen)


def _body(pen: Pen, cloth: Rgb, skin: Rgb) -> None:
    shade = mix(cloth, (20, 40, 80), 0.16)
    pen.top_box(cloth, 17, 73, 66, 40, 27)
    pen.poly(mix(skin, (120, 60, 40), 0.16), [(42, 60), (58, 60), (58, 74), (50, 82), (42, 74)])
    pen.poly(skin, [(42, 66), (58, 66), (59, 75), (50, 86), (41, 75)])
    pen.poly(shade, [(41, 73), (50, 87), (43, 91), (34, 77)])
    pen.poly(shade, [(59, 73), (50, 87), (57, 91), (66, 77)])


def _head(pen: Pen, skin: Rgb) -> None:
    ink = (60, 44, 44)
    for x in (33.4, 66.6):
        pen.ellipse(mix(skin, (150, 70, 50), 0.14), x, 49, 3.4, 5)
    pen.ellipse(skin, 50, 47, 16.6, 20.6)
    for x in (43, 57):
        pen.ellipse(ink, x, 47, 1.7, 2.2)
        pen.line(ink, curve((x - 3.2, 42.2), (x, 40.6), (x + 3.2, 42.2), 8), 1.2)
    pen.line(mix(skin, (150, 70, 50), 0.4), curve((48.6, 53), (50, 54.4), (51.4, 53), 8), 1.1)
    pen.line((178, 74, 72), curve((44.6, 58), (50, 62.6), (55.4, 58), 12), 1.7)
    for x in (39.5, 60.5):
        pen.ellipse(mix(skin, (226, 110, 100), 0.22), x, 54.5, 3, 2)


def _long_hair_behind(pen: Pen, hair: Rgb) -> None:
    pen.top_box(hair, 27.5, 22, 45, 52, 22)
    pen.ellipse(hair, 34, 73, 6.6, 7)
    pen.ellipse(hair, 66, 73, 6.6, 7)


def _fringe(pen: Pen, hair: Rgb, side_part: bool) -> None:
    top: list[Point] = [*curve((32.4, 49), (31, 22), (50, 23)), *curve((50, 23), (69, 22), (67.6, 49))]
    part = (43, 31) if side_part else (50, 30)
    brow = [*curve((67.6, 49), (64, 36), part), *curve(part, (36, 36), (32.4, 49))]
    pen.poly(hair, top + brow)


def _short_hair(pen: Pen, hair: Rgb, side_part: bool) -> None:
    top: list[Point] = [*curve((33, 46), (29, 21), (50, 22)), *curve((50, 22), (71, 21), (67, 46))]
    line = [(65, 38), *curve((65, 38), (58, 35), (46, 35)), *curve((46, 35), (39, 34), (36, 39))]
    if side_part:
        line = [(65.4, 37), *curve((62, 35), (54, 38), (43, 32)), (36, 38)]
    pen.poly(hair, top + line)


def _glasses(pen: Pen) -> None:
    rim = (70, 74, 88)
    for x in (43, 57):
        ring = [(x + dx, 47 + dy) for dx, dy in ((-5, 0), (-4, -3.6), (0, -4.4), (4, -3.6), (5, 0), (4, 3.6), (0, 4.4))]
        pen.line(rim, [*ring, (x - 4, 50.6), (x - 5, 47)], 1)
    pen.line(rim, [(48, 46.4), (52, 46.4)], 1)
