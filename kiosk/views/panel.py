"""The drawing of the front panel on a kiosk that is used by keys: which key is where, in the order of the panel."""

from dataclasses import dataclass

import pygame

from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.icons import Pen, draw_key
from kiosk.views.model import TakeView
from kiosk.views.parts import GAP, card, upright
from kiosk.views.theme import WHITE, Rgb, colour_of, mix, readable

PANEL = 140
TALL_PANEL = 216
KEY = 92
STEEL: Rgb = (223, 229, 237)
STEEL_INK: Rgb = (38, 52, 76)
ROW = 236
"""Least height of a row of tiles above the drawing: below it, tiles matter more."""


@dataclass(frozen=True, slots=True)
class _Key:
    digit: str
    colour: Rgb


def panel_region(view: TakeView, room: pygame.Rect, base: int, rows: int) -> Region | None:
    """The drawing at the foot of a room, if it leaves enough for so many rows of tiles."""
    if view.mode != "keys" or not view.panel or not view.tiles:
        return None
    tall = px(base, (TALL_PANEL if upright(room) else PANEL) + GAP)
    if room.h - tall < rows * px(base, ROW):
        return None
    keys = tuple(_keys(view))
    box = pygame.Rect(room.x, room.bottom - tall, room.w, tall)
    return Region("panel", box, (view.panel, keys), lambda c, r: _paint(c, r, view.panel, keys), returns=True)


def _keys(view: TakeView) -> list[_Key]:
    grey: Rgb = (92, 105, 128)
    found = [_Key(tile.digit, colour_of(tile.colour) if tile.available else grey) for tile in view.tiles]
    if view.priority and view.priority.digit:
        found.append(_Key(view.priority.digit, (172, 104, 0)))
    if view.language and view.language.digit:
        found.append(_Key(view.language.digit, grey))
    return found


def _paint(canvas: Canvas, rect: pygame.Rect, text: str, keys: tuple[_Key, ...]) -> None:
    box = card(canvas, rect, STEEL, mix(STEEL, STEEL_INK, 0.25))
    inner = box.inflate(-2 * canvas.px(28), -2 * canvas.px(14))
    side = min(canvas.px(KEY), inner.h)
    if upright(pygame.Rect(0, 0, canvas.surface.get_width(), canvas.surface.get_height())):
        words = pygame.Rect(inner.x, inner.y, inner.w, inner.h - side - canvas.px(8))
        row = pygame.Rect(inner.x, inner.bottom - side, inner.w, side)
    else:
        wide = min(inner.w * 64 // 100, len(keys) * (side + canvas.px(34)))
        row = pygame.Rect(inner.right - wide, inner.centery - side // 2, wide, side)
        words = pygame.Rect(inner.x, inner.y, row.x - canvas.px(28) - inner.x, inner.h)
    _caption(canvas, words, text)
    step = row.w / len(keys)
    side = min(side, round(step) - canvas.px(6))
    for at, key in enumerate(keys):
        disc = pygame.Rect(round(row.x + at * step + (step - side) / 2), row.centery - side // 2, side, side)
        paint_key(canvas, disc, key.digit, key.colour, STEEL)


def _caption(canvas: Canvas, room: pygame.Rect, text: str) -> None:
    """The sentence behind an arrow that points down, to where the keys are."""
    side = canvas.px(64)
    arrow = pygame.Rect(room.x, room.centery - side // 2, side, side)
    canvas.picture(arrow, "down", STEEL, _arrow)
    words = pygame.Rect(arrow.right + canvas.px(18), room.y, room.right - arrow.right - canvas.px(18), room.h)
    canvas.text(words, text, Style(canvas.px(34), "Bold", STEEL_INK, lines=3, keep=0.85))


def _arrow(big: pygame.Surface) -> None:
    pen = Pen(big)
    pen.circle(STEEL_INK, 50, 50, 50)
    pen.line(WHITE, [(50, 24), (50, 70)], 11)
    pen.line(WHITE, [(28, 52), (50, 74), (72, 52)], 11)


def paint_key(canvas: Canvas, rect: pygame.Rect, digit: str, colour: Rgb, ground: Rgb) -> None:
    """A round key with its digit, as on the panel."""
    # A little more than is needed: the key's gloss lies below a part of the digit.
    colour = readable(colour, WHITE, canvas.theme.contrast + 0.4)
    rim, light = mix(colour, (190, 200, 214), 0.75), mix(colour, WHITE, 0.55)
    canvas.picture(rect, ("key", colour), ground, lambda big: draw_key(big, colour, rim, light))
    room = rect.inflate(-rect.w * 34 // 100, -rect.h * 54 // 100).move(0, -rect.h // 100)
    canvas.number(room, digit, Style(rect.h // 2, "Bold", WHITE, "centre", least=min(canvas.smallest, rect.h // 3)))
