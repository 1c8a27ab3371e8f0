"""The figures (`figures`) and some signs of the screens alone, drawn with pygame. Knows no view and no word."""

from collections.abc import Sequence

import pygame

from kiosk.views import figures
from kiosk.views.figures import Point, curve
from kiosk.views.model import CheckState, FaceKind, Tone
from kiosk.views.shapes import stroke
from kiosk.views.theme import WHITE, Rgb, Theme


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


def draw_tile_icon(surface: pygame.Surface, name: str, colour: Rgb, ink: Rgb) -> None:
    """An icon on a square of its service's colour."""
    pen = Pen(surface)
    pen.box(colour, 0, 0, 100, 100, 25)
    inner = surface.get_rect().inflate(-round(surface.get_width() * 0.36), -round(surface.get_width() * 0.36))
    figures.draw_icon(Pen(surface, inner), name, ink, colour)


def draw_key(surface: pygame.Surface, colour: Rgb, rim: Rgb, light: Rgb) -> None:
    """A round key of the panel; its digit is set by whoever draws it."""
    pen = Pen(surface)
    pen.circle(rim, 50, 50, 50)
    pen.circle((255, 255, 255), 50, 49, 44)
    pen.circle(rim, 50, 53, 40)
    pen.circle(colour, 50, 49, 40)
    pen.line(light, curve((22, 36), (32, 16), (54, 14)), 4)


def draw_face(surface: pygame.Surface, kind: FaceKind, theme: Theme) -> None:
    """A face on a square surface."""
    figures.draw_face(Pen(surface), kind, theme)


def draw_tone(surface: pygame.Surface, tone: Tone, theme: Theme) -> None:
    """The sign of a message on a square surface."""
    figures.draw_tone(Pen(surface), tone, theme)


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
