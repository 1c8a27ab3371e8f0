"""The calm screen of an office that is closed: a large clock on a dark ground, and when numbers are given again.

It moves a little from time to time, so that a picture which stands all night does not burn in.
"""

from dataclasses import replace

import pygame

from kiosk.views import shapes
from kiosk.views.canvas import Canvas, Region, Style, number_least
from kiosk.views.model import IdleView
from kiosk.views.parts import paint_emblem
from kiosk.views.text import DIGITS

DRIFT = ((0, 0), (1, -1), (-1, 1), (1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Places in turn, in steps of 14 at a base of 1080."""
CLOCK = 300


def regions(view: IdleView, size: tuple[int, int], base: int) -> list[Region]:
    """One region: whatever changes, the picture changes at most once a minute."""
    return [Region("idle", pygame.Rect((0, 0), size), view, lambda c, r: _paint(c, r, view))]


def _paint(canvas: Canvas, rect: pygame.Rect, view: IdleView) -> None:
    theme, header = canvas.theme, view.header
    canvas.made(rect, "idle", lambda: shapes.gradient(rect.size, theme.band_left, theme.band_right))
    step = canvas.px(14)
    right, down = DRIFT[view.drift % len(DRIFT)]
    room = rect.inflate(-8 * step, -4 * step).move(right * step, down * step)
    soft = Style(canvas.px(44), "Medium", theme.band_soft, "centre", lines=3, keep=0.8)
    above = _measured(canvas, room, [(header.unit, soft), (header.title, replace(soft, size=canvas.px(34)))])
    says = Style(canvas.px(56), "Bold", canvas.ink(theme.gold, theme.band_right), "centre", lines=3, keep=0.8)
    line = Style(canvas.px(42), "Medium", theme.band_text, "centre", lines=2, keep=0.8)
    below = _measured(
        canvas,
        room,
        [(header.date, replace(soft, lines=1)), (view.message, says), *((text, line) for text in view.lines)],
    )
    spare = room.h - sum(height for _, _, height in above + below)
    gap = canvas.px(26)
    clock = max(round(number_least(canvas.base) * DIGITS), min(canvas.px(CLOCK * 0.8), spare - 2 * gap))
    spare -= 2 * gap
    emblem = min(canvas.px(120), spare - clock - canvas.px(10))
    if emblem < canvas.px(60):
        emblem = 0
    top = room.y + max(0, (spare - clock - emblem)) // 2
    if emblem:
        paint_emblem(canvas, pygame.Rect(room.centerx - emblem // 2, top, emblem, emblem), header.emblem)
    top = _set(canvas, room, top + emblem, above) + gap
    digits = pygame.Rect(room.x, top, room.w, clock)
    canvas.number(digits, header.clock, Style(clock, "ExtraBold", theme.band_text, "centre"))
    _set(canvas, room, digits.bottom + gap, below)


def _measured(canvas: Canvas, room: pygame.Rect, texts: list[tuple[str, Style]]) -> list[tuple[str, Style, int]]:
    """Texts with the heights that they need in the room's width."""
    found = []
    for text, style in texts:
        if block := canvas.block(text, (room.w, room.h // 3), style):
            found.append((text, replace(style, size=block.size), round(block.drops[-1] + 1.5 * block.size)))
    return found


def _set(canvas: Canvas, room: pygame.Rect, top: int, rows: list[tuple[str, Style, int]]) -> int:
    for text, style, height in rows:
        canvas.text(pygame.Rect(room.x, top, room.w, height), text, style)
        top += height
    return top
