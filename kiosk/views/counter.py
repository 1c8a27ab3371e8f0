"""One counter's card on the board, in two shapes: wide with portrait, narrow with as much as its height allows."""

from dataclasses import dataclass, replace

import pygame

from kiosk.views.canvas import Canvas, Style, number_least
from kiosk.views.model import CounterCard
from kiosk.views.parts import card
from kiosk.views.people import paint_portrait
from kiosk.views.shapes import Plate
from kiosk.views.text import CAP
from kiosk.views.theme import Rgb, Theme, readable

CARD_RADIUS = 26


@dataclass(frozen=True, slots=True)
class _Colours:
    label: Rgb
    plate: Rgb
    number: Rgb
    state: Rgb


def _colours(view: CounterCard, theme: Theme) -> _Colours:
    if view.highlighted or view.state == "called":
        return _Colours(theme.red, theme.tint_gold, theme.red, theme.red)
    if view.state in ("paused", "closed"):
        return _Colours(theme.grey, theme.tint_grey, theme.muted, readable(theme.muted, theme.tint_grey))
    return _Colours(theme.blue, theme.tint_blue, theme.number, theme.bright)


def paint_card(canvas: Canvas, rect: pygame.Rect, view: CounterCard) -> None:
    """Paint one counter; the shape follows the card's size."""
    theme = canvas.theme
    box = card(canvas, rect, border=theme.gold if view.highlighted else None)
    colours = _colours(view, theme)
    small = min(box.w // 2, box.h) < canvas.px(250)
    side, above = canvas.px(16 if small else 26), canvas.px(14 if small else 24)
    inner = box.inflate(-2 * side, -2 * above)
    if inner.w >= canvas.px(500) and inner.h >= canvas.px(236):
        _wide(canvas, inner, view, colours)
    else:
        _narrow(canvas, inner, view, colours)


# --- wide: label and service, number, portrait with clerk and waiting ---


def _wide(canvas: Canvas, inner: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    tall = inner.h >= canvas.px(300)
    top = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(76 if tall else 70))
    foot = pygame.Rect(inner.x, 0, inner.w, canvas.px(112 if tall else 80))
    foot.bottom = inner.bottom + canvas.px(6)
    gap = canvas.px(16 if tall else 8)
    label = _label(canvas, top, view, colours, canvas.px(42 if tall else 36))
    service = pygame.Rect(label.right + canvas.px(20), top.y, inner.right - label.right - canvas.px(20), top.h)
    canvas.text(service, view.service_line, Style(canvas.px(36), "Medium", canvas.theme.ink, lines=2, keep=0.8))
    _plate(canvas, pygame.Rect(inner.x, top.bottom + gap, inner.w, foot.y - gap - top.bottom - gap), view, colours)
    _foot(canvas, foot, view, colours)


def _label(canvas: Canvas, row: pygame.Rect, view: CounterCard, colours: _Colours, size: int) -> pygame.Rect:
    """The counter's name on its colour, at the left end of a row."""
    style = Style(size, "Bold", (255, 255, 255), keep=0.6)
    block = canvas.block(view.counter_label, (row.w // 2, row.h), style)
    if block is None:
        return pygame.Rect(row.topleft, (0, row.h))
    side = canvas.px(24 if row.h > canvas.px(60) else 16)
    rect = pygame.Rect(row.x, row.y, round(block.width) + 2 * side, row.h)
    radius = min(canvas.px(20), rect.h * 2 // 5)
    canvas.plate(rect, Plate(radius, colours.label, canvas.theme.card))
    canvas.text(rect.inflate(-2 * side + 4, 0), view.counter_label, replace(style, size=block.size, align="centre"))
    return rect


def _plate(canvas: Canvas, rect: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    """The number, or the word that stands in its place."""
    canvas.plate(rect, Plate(canvas.px(22), colours.plate, canvas.theme.card))
    inner = rect.inflate(-2 * canvas.px(16), -2 * canvas.px(14))
    if view.number:
        size = round(inner.h / CAP)
        canvas.number(inner, view.number, Style(size, "ExtraBold", colours.number, "centre"))
        return
    ink = readable(canvas.theme.muted, colours.plate)
    style = Style(min(canvas.px(68), round(inner.h * 0.6)), "Bold", ink, "centre", lines=2, keep=0.6)
    canvas.text(inner, view.plate, style)


def _foot(canvas: Canvas, foot: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    """Portrait, clerk and state; at the right how many wait."""
    theme = canvas.theme
    left = foot.x
    if view.portrait:
        disc = pygame.Rect(foot.x, foot.y, foot.h, foot.h)
        ring = theme.gold if view.highlighted else (200, 215, 235)
        portrait = view.portrait
        look = (portrait, ring)
        canvas.picture(disc, look, theme.card, lambda big: paint_portrait(big, portrait, ring, theme.card))
        left = disc.right + canvas.px(20)
    right = _waiting(canvas, foot, view)
    words = pygame.Rect(left, foot.y, right - canvas.px(16) - left, foot.h)
    if not view.clerk or not view.state_text:
        _dotted(canvas, words, view.state_text, colours.state, lines=2)
        canvas.text(words, view.clerk, Style(canvas.px(36), "Bold", theme.ink, lines=2, keep=0.8))
        return
    half = foot.h // 2
    name = pygame.Rect(words.x, words.y + canvas.px(2), words.w, half)
    canvas.text(name, view.clerk, Style(canvas.px(36), "Bold", theme.ink, keep=0.5))
    _dotted(canvas, pygame.Rect(words.x, words.y + half, words.w, half - canvas.px(2)), view.state_text, colours.state)


def _dotted(canvas: Canvas, room: pygame.Rect, text: str, colour: Rgb, lines: int = 1) -> None:
    """The counter's state, with a dot of its colour where there is room for it."""
    style = Style(canvas.px(30), "Medium", readable(colour, canvas.theme.card), lines=lines, keep=0.8)
    dot = canvas.px(14)
    indent = dot + canvas.px(12)
    block = canvas.block(text, (room.w - indent, room.h), style)
    if block is None or block.cut:
        canvas.text(room, text, style)
        return
    disc = pygame.Rect(room.x, room.centery - dot // 2, dot, dot)
    canvas.plate(disc, Plate(dot // 2, colour, canvas.theme.card))
    canvas.text(pygame.Rect(room.x + indent, room.y, room.w - indent, room.h), text, style)


def _waiting(canvas: Canvas, foot: pygame.Rect, view: CounterCard) -> int:
    """The count of waiting people at the right end; returns where it begins."""
    theme = canvas.theme
    if not view.waiting:
        return foot.right
    label = Style(canvas.px(28), "Medium", theme.muted, "centre", lines=1, keep=0.5)
    figure = Style(canvas.px(50), "Bold", theme.ink, "centre", keep=0.5)
    half = foot.h * 52 // 100
    sizes = (foot.w // 3, half)
    widths = [
        b.width
        for b in (canvas.block(view.waiting_label, sizes, label), canvas.block(view.waiting, sizes, figure))
        if b
    ]
    wide = round(max(widths)) + 4
    column = pygame.Rect(foot.right - wide, foot.y, wide, foot.h)
    canvas.text(pygame.Rect(column.x, column.y, wide, half), view.waiting, figure)
    canvas.text(pygame.Rect(column.x, column.y + half, wide, foot.h - half), view.waiting_label, label)
    edge = column.x - canvas.px(20)
    canvas.fill(pygame.Rect(edge, foot.y + foot.h // 8, canvas.px(2), foot.h * 3 // 4), theme.line)
    return edge


# --- narrow: label and waiting, number, then service, clerk and state while there is room ---


def _narrow(canvas: Canvas, inner: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    top = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(44 if inner.h < canvas.px(200) else 56))
    label = _label(canvas, top, view, colours, canvas.px(34))
    waiting = "\u00a0".join(part for part in (view.waiting, view.waiting_label) if part)
    count = pygame.Rect(label.right + canvas.px(8), top.y, inner.right - label.right - canvas.px(8), top.h)
    canvas.text(count, waiting, Style(canvas.px(30), "Medium", canvas.theme.ink, "right", keep=0.5))
    digits = round(number_least(canvas.height) * CAP)
    below = top.bottom + canvas.px(6)
    words = _words(canvas, view, colours, inner.w, inner.bottom - below - digits - canvas.px(10))
    foot = sum(height for _, _, height in words)
    plate = pygame.Rect(inner.x, below, inner.w, inner.bottom - below - foot - (canvas.px(4) if foot else 0))
    _narrow_plate(canvas, plate, view, colours, digits)
    y = inner.bottom - foot
    for text, style, height in words:
        canvas.text(pygame.Rect(inner.x, y, inner.w, height), text, style)
        y += height


def _narrow_plate(canvas: Canvas, plate: pygame.Rect, view: CounterCard, colours: _Colours, digits: int) -> None:
    pad = min(canvas.px(16), max(0, (plate.h - digits) // 2))
    canvas.plate(plate, Plate(canvas.px(18), colours.plate, canvas.theme.card))
    inner = plate.inflate(-2 * canvas.px(8), -2 * pad)
    if view.number:
        canvas.number(inner, view.number, Style(round(inner.h / CAP), "ExtraBold", colours.number, "centre"))
        return
    ink = readable(canvas.theme.muted, colours.plate)
    if not view.state_text or view.state_text == view.plate:
        canvas.text(inner, view.plate, Style(canvas.px(48), "Bold", ink, "centre", lines=2, keep=0.7))
        return
    upper = pygame.Rect(inner.x, inner.y, inner.w, inner.h // 2)
    lower = pygame.Rect(inner.x, upper.bottom, inner.w, inner.bottom - upper.bottom)
    canvas.text(upper, view.plate, Style(canvas.px(44), "Bold", ink, "centre", keep=0.5))
    canvas.text(lower, view.state_text, Style(canvas.px(28), "Medium", ink, "centre", lines=2, keep=0.9))


def _words(canvas: Canvas, view: CounterCard, colours: _Colours, width: int, room: int) -> list[tuple[str, Style, int]]:
    """Service, clerk and state as far as the room goes; the service comes first, and always."""
    theme = canvas.theme
    wanted = [(view.service_line, Style(canvas.px(32), "Bold", theme.ink, "centre", lines=2, keep=0.8))]
    if view.clerk:
        wanted.append((view.clerk, Style(canvas.px(29), "Medium", theme.muted, "centre", keep=0.6)))
    if view.number and view.state_text:
        wanted.append((view.state_text, Style(canvas.px(29), "Medium", colours.state, "centre", keep=0.6)))
    found: list[tuple[str, Style, int]] = []
    for text, style in wanted:
        block = canvas.block(text, (width, max(room, canvas.px(40))), style)
        if block is None:
            continue
        height = round(block.drops[-1] + 1.32 * block.size)
        if found and height > room:
            break
        found.append((text, replace(style, size=block.size), height))
        room -= height
    return found
