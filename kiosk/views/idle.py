"""The calm screen of an office that is closed: a large clock on a dark ground, and when numbers are given again.

It moves a little from time to time, so that a picture which stands all night does not burn in.
"""

import pygame

from kiosk.views import shapes
from kiosk.views.canvas import Canvas, Region, Style
from kiosk.views.model import IdleView
from kiosk.views.parts import paint_emblem

DRIFT = ((0, 0), (1, -1), (-1, 1), (1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Places in turn, in steps of 14 at a base of 1080."""


def regions(view: IdleView, size: tuple[int, int], base: int) -> list[Region]:
    """One region: whatever changes, the picture changes at most once a minute."""
    return [Region("idle", pygame.Rect((0, 0), size), view, lambda c, r: _paint(c, r, view))]


def _paint(canvas: Canvas, rect: pygame.Rect, view: IdleView) -> None:
    theme, header = canvas.theme, view.header
    canvas.made(rect, "idle", lambda: shapes.gradient(rect.size, theme.band_left, theme.band_right))
    step = canvas.px(14)
    right, down = DRIFT[view.drift % len(DRIFT)]
    room = rect.inflate(-8 * step, -6 * step).move(right * step, down * step)
    rows = [
        (header.unit, Style(canvas.px(46), "Medium", theme.band_soft, "centre", lines=2), 60 if header.unit else 0),
        (header.title, Style(canvas.px(34), "Medium", theme.band_soft, "centre", lines=2), 56 if header.title else 0),
        ("", Style(1), 30),
        (header.clock, Style(canvas.px(300), "ExtraBold", theme.band_text, "centre"), 260),
        (header.date, Style(canvas.px(46), "Medium", theme.band_soft, "centre"), 84),
        ("", Style(1), 20),
        (view.message, Style(canvas.px(56), "Bold", theme.gold, "centre", lines=3, keep=0.8), 150),
        *(
            (line, Style(canvas.px(42), "Medium", theme.band_text, "centre", lines=2, keep=0.8), 66)
            for line in view.lines
        ),
    ]
    emblem = canvas.px(120)
    used = emblem + canvas.px(16) + sum(canvas.px(units) for _, _, units in rows if units)
    top = room.y + max(0, (room.h - used) // 2)
    paint_emblem(canvas, pygame.Rect(room.centerx - emblem // 2, top, emblem, emblem), header.emblem)
    top += emblem + canvas.px(16)
    for text, style, units in rows:
        box = pygame.Rect(room.x, top, room.w, canvas.px(units) if units else 0)
        if style.weight == "ExtraBold":
            canvas.number(box, text, style)
        else:
            canvas.text(box, text, style)
        top = box.bottom
