"""Smooth shapes: rounded plates, soft shadows, discs, gradients. Knows no view and no text.

pygame's own shapes have hard edges, so a shape is painted four times too large and scaled down. A layer is first
filled with its own colour at alpha 0: scaling down over transparent black would leave dark fringes. Plates are
opaque, made from nine slices of one small tile, and so cost little to make, to keep and to draw.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pygame

from kiosk.views.figures import Point
from kiosk.views.theme import Rgb, mix

SCALE = 4


@dataclass(frozen=True, slots=True)
class Plate:
    """A rounded rectangle on a known ground. `margin` is the room around it in which its shadow fades."""

    radius: int
    fill: Rgb
    back: Rgb
    border: int = 0
    border_colour: Rgb = (0, 0, 0)
    margin: int = 0
    shadow: Rgb | None = None


def layer(size: tuple[int, int], colour: Rgb, paint: Callable[[pygame.Surface], None]) -> pygame.Surface:
    """One colour's shape with smooth edges; `paint` draws on a surface four times as large."""
    big = pygame.Surface((size[0] * SCALE, size[1] * SCALE), pygame.SRCALPHA)
    big.fill((*colour, 0))
    paint(big)
    return pygame.transform.smoothscale(big, size)


def picture(size: tuple[int, int], back: Rgb, paint: Callable[[pygame.Surface], None]) -> pygame.Surface:
    """A picture of many colours on an opaque ground; `paint` draws on a surface four times as large."""
    big = pygame.Surface((size[0] * SCALE, size[1] * SCALE), 0, 32)
    big.fill(back)
    paint(big)
    return pygame.transform.smoothscale(big, size)


def tile(look: Plate) -> pygame.Surface:
    """The smallest plate of a look: its four corners, and two pixels between them to be drawn out."""
    return _tile(2 * (look.margin + look.radius) + 2, look.radius, look)


def nine_slices(target: pygame.Surface, rect: pygame.Rect, tile: pygame.Surface) -> None:
    """Draw a tile as large as a box: its corners as they are, the pixels between them drawn out."""
    corner = tile.get_width() // 2 - 1
    inner_w, inner_h = rect.w - 2 * corner, rect.h - 2 * corner
    far_x, far_y, edge = rect.right - corner, rect.bottom - corner, corner + 2
    target.fill(tile.get_at((corner, corner)), (rect.x + corner, rect.y + corner, inner_w, inner_h))
    for source_y, y in ((0, rect.y), (edge, far_y)):
        strip = tile.subsurface((corner, source_y, 1, corner))
        target.blit(pygame.transform.scale(strip, (inner_w, corner)), (rect.x + corner, y))
        for source_x, x in ((0, rect.x), (edge, far_x)):
            target.blit(tile, (x, y), (source_x, source_y, corner, corner))
    for source_x, x in ((0, rect.x), (edge, far_x)):
        strip = tile.subsurface((source_x, corner, corner, 1))
        target.blit(pygame.transform.scale(strip, (corner, inner_h)), (x, rect.y + corner))


def _tile(side: int, radius: int, look: Plate) -> pygame.Surface:
    tile = pygame.Surface((side, side), 0, 32)
    tile.fill(look.back)
    if look.shadow and look.margin:
        tile.blit(_shadow(side, radius, look), (0, 0))
    inset = look.margin
    if look.border:
        tile.blit(_rounded(side, inset, radius, look.border_colour), (0, 0))
        inset += look.border
        radius = max(0, radius - look.border)
    tile.blit(_rounded(side, inset, radius, look.fill), (0, 0))
    return tile


def _rounded(side: int, inset: int, radius: int, colour: Rgb) -> pygame.Surface:
    def paint(big: pygame.Surface) -> None:
        box = pygame.Rect(inset * SCALE, inset * SCALE, (side - 2 * inset) * SCALE, (side - 2 * inset) * SCALE)
        pygame.draw.rect(big, colour, box, border_radius=radius * SCALE)

    return layer((side, side), colour, paint)


def _shadow(side: int, radius: int, look: Plate) -> pygame.Surface:
    """A blurred copy of the plate, a little lower, that has faded to the ground at the margin's end."""
    shadow = look.shadow or look.back
    reach = look.margin
    soft = pygame.Surface((side, side), 0, 32)
    soft.fill(look.back)
    steps = max(2, reach)
    drop = reach * 0.25
    for step in range(steps):
        spread = reach * 0.75 * (1 - step / (steps - 1))
        box = pygame.Rect(0, 0, round(side - 2 * reach + 2 * spread), round(side - 2 * reach + 2 * spread))
        box.center = (side // 2, round(side / 2 + drop))
        depth = 0.5 * ((step + 1) / steps) ** 2
        pygame.draw.rect(soft, mix(look.back, shadow, depth), box, border_radius=round(radius + spread))
    small = pygame.transform.smoothscale(soft, (max(2, side // 2), max(2, side // 2)))
    return pygame.transform.smoothscale(small, (side, side))


def gradient(size: tuple[int, int], left: Rgb, right: Rgb) -> pygame.Surface:
    """A ground that runs from one colour to another, from left to right."""
    width, height = size
    row = pygame.Surface((width, 1), 0, 32)
    for x in range(width):
        row.set_at((x, 0), mix(left, right, x / max(1, width - 1)))
    return pygame.transform.scale(row, (width, height))


def stroke(surface: pygame.Surface, colour: Rgb, points: Sequence[Point], width: float) -> None:
    """A line with round ends and joints."""
    for a, b in pairwise(points):
        length = math.hypot(b[0] - a[0], b[1] - a[1]) or 1.0
        nx, ny = (b[1] - a[1]) / length * width / 2, (a[0] - b[0]) / length * width / 2
        quad = [(a[0] + nx, a[1] + ny), (b[0] + nx, b[1] + ny), (b[0] - nx, b[1] - ny), (a[0] - nx, a[1] - ny)]
        pygame.draw.polygon(surface, colour, quad)
    for point in points:
        pygame.draw.circle(surface, colour, point, width / 2)


def ring_points(centre: Point, outer: float, inner: float, start: float, share: float) -> list[Point]:
    """A slice of a ring; `start` and `share` are parts of a full turn, clockwise from the top."""
    steps = max(2, round(160 * share))
    angles = [math.tau * (start + share * i / steps) - math.pi / 2 for i in range(steps + 1)]
    outside = [(centre[0] + outer * math.cos(a), centre[1] + outer * math.sin(a)) for a in angles]
    inside = [(centre[0] + inner * math.cos(a), centre[1] + inner * math.sin(a)) for a in reversed(angles)]
    return outside + inside
