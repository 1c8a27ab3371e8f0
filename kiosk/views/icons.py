"""Icons, faces and signs drawn as shapes on a square of 100 × 100. Knows no view and no word."""

from collections.abc import Callable, Sequence

import pygame

from kiosk.views.model import CheckState, FaceKind, Tone
from kiosk.views.shapes import Point, curve, star_points, stroke
from kiosk.views.theme import WHITE, Rgb, Theme, on


class Pen:
    """Draws on a square of 100 × 100 that lies anywhere on a surface."""

    def __init__(self, surface: pygame.Surface, box: pygame.Rect | None = None) -> None:
        self._surface = surface
        self._box = box or surface.get_rect()
        self._unit = self._box.w / 100

    def at(self, x: float, y: float) -> Point:
        """A point of the square, in pixels."""
        return self._box.x + x * self._unit, self._box.y + y * self._unit

    def circle(self, colour: Rgb, x: float, y: float, radius: float) -> None:
        """A disc."""
        pygame.draw.circle(self._surface, colour, self.at(x, y), radius * self._unit)

    def ellipse(self, colour: Rgb, x: float, y: float, rx: float, ry: float) -> None:
        """A filled ellipse about its centre."""
        left, top = self.at(x - rx, y - ry)
        size = (2 * rx * self._unit, 2 * ry * self._unit)
        pygame.draw.ellipse(self._surface, colour, pygame.Rect((round(left), round(top)), size))

    def box(self, colour: Rgb, x: float, y: float, w: float, h: float, radius: float = 0) -> None:
        """A rectangle with round corners."""
        left, top = self.at(x, y)
        rect = pygame.Rect(round(left), round(top), round(w * self._unit), round(h * self._unit))
        pygame.draw.rect(self._surface, colour, rect, border_radius=round(radius * self._unit))

    def top_box(self, colour: Rgb, x: float, y: float, w: float, h: float, radius: float) -> None:
        """A rectangle whose upper corners alone are round."""
        left, top = self.at(x, y)
        rect = pygame.Rect(round(left), round(top), round(w * self._unit), round(h * self._unit))
        corner = round(radius * self._unit)
        pygame.draw.rect(self._surface, colour, rect, border_top_left_radius=corner, border_top_right_radius=corner)

    def poly(self, colour: Rgb, points: Sequence[Point]) -> None:
        """A filled polygon."""
        pygame.draw.polygon(self._surface, colour, [self.at(*p) for p in points])

    def line(self, colour: Rgb, points: Sequence[Point], width: float) -> None:
        """A line with round ends."""
        stroke(self._surface, colour, [self.at(*p) for p in points], width * self._unit)


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


def draw_tile_icon(surface: pygame.Surface, name: str, colour: Rgb, ink: Rgb) -> None:
    """An icon on a square of its service's colour."""
    pen = Pen(surface)
    pen.box(colour, 0, 0, 100, 100, 25)
    inner = surface.get_rect().inflate(-round(surface.get_width() * 0.36), -round(surface.get_width() * 0.36))
    draw_icon(Pen(surface, inner), name, ink, colour)


def draw_key(surface: pygame.Surface, colour: Rgb, rim: Rgb, light: Rgb) -> None:
    """A round key of the panel; its digit is set by whoever draws it."""
    pen = Pen(surface)
    pen.circle(rim, 50, 50, 50)
    pen.circle((255, 255, 255), 50, 49, 44)
    pen.circle(rim, 50, 53, 40)
    pen.circle(colour, 50, 49, 40)
    pen.line(light, curve((22, 36), (32, 16), (54, 14)), 4)


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


def draw_face(surface: pygame.Surface, kind: FaceKind, theme: Theme) -> None:
    """A face: the mouth tells the answer without its colour."""
    pen = Pen(surface)
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


def draw_tone(surface: pygame.Surface, tone: Tone, theme: Theme) -> None:
    """The sign of a message, told apart by shape: tick, triangle, bar, clock."""
    pen = Pen(surface)
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


def draw_check(surface: pygame.Surface, state: CheckState, theme: Theme) -> None:
    """The sign of a checked part; a part still awaited is three dots."""
    if state != "wait":
        draw_tone(surface, state, theme)
        return
    pen = Pen(surface)
    pen.circle(theme.grey, 50, 50, 50)
    for x in (28, 50, 72):
        pen.circle(WHITE, x, 50, 6.5)


def draw_globe(surface: pygame.Surface, ink: Rgb, back: Rgb) -> None:
    """A globe: the key to another language."""
    pen = Pen(surface)
    pen.circle(ink, 50, 50, 48)
    pen.circle(back, 50, 50, 41)
    for radius in (21, 1):
        pen.ellipse(ink, 50, 50, radius + 3.5, 46)
        if radius > 1:
            pen.ellipse(back, 50, 50, radius - 3.5, 42)
    for y, reach in ((30, 38), (50, 44), (70, 38)):
        pen.line(ink, [(50 - reach, y), (50 + reach, y)], 6)


def draw_staff(surface: pygame.Surface, name: str, ink: Rgb, back: Rgb) -> None:
    """A small sign for the staff, that says nothing to citizens."""
    pen = Pen(surface)
    if name in ("paper_low", "paper_out", "printer"):
        pen.box(ink, 26, 10, 48, 26, 4)
        pen.box(ink, 10, 34, 80, 38, 8)
        pen.box(back, 24, 54, 52, 36, 3)
        pen.box(ink, 28, 58, 44, 32 if name != "paper_out" else 4, 2)
        if name == "paper_low":
            pen.box(back, 34, 66, 32, 20, 1)
    elif name == "offline":
        pen.box(ink, 14, 46, 72, 32, 16)
        pen.circle(ink, 40, 42, 19)
        pen.circle(ink, 61, 45, 15)
    elif name == "clock":
        pen.circle(ink, 50, 50, 42)
        pen.line(back, [(50, 25), (50, 52), (68, 62)], 9)
    elif name == "disk":
        pen.box(ink, 14, 16, 72, 68, 10)
        pen.box(back, 30, 16, 40, 24, 2)
        pen.box(back, 28, 54, 44, 30, 2)
    else:
        pen.box(ink, 14, 30, 72, 44, 10)
        pen.circle(back, 50, 52, 12)
    if name in ("offline", "paper_out", "printer", "key"):
        pen.line(back, [(12, 88), (88, 12)], 16)
        pen.line(ink, [(12, 88), (88, 12)], 7)
