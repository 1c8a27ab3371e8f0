"""One counter's card on the board. The card's own size chooses its shape: wide, flat, or narrow."""

import math
from dataclasses import dataclass, replace

import pygame

from kiosk.views.canvas import Canvas, Style
from kiosk.views.figures import draw_icon
from kiosk.views.icons import Pen
from kiosk.views.model import CounterCard
from kiosk.views.parts import card
from kiosk.views.people import paint_portrait
from kiosk.views.shapes import Plate
from kiosk.views.text import DIGITS, NARROWEST, Block
from kiosk.views.theme import Rgb, Theme, on


@dataclass(frozen=True, slots=True)
class _Colours:
    label: Rgb
    plate: Rgb
    number: Rgb
    state: Rgb


def _colours(view: CounterCard, theme: Theme) -> _Colours:
    if view.highlighted or view.state == "called":
        return _Colours(theme.red, theme.called_plate, theme.called, theme.red)
    if view.state in ("paused", "closed"):
        return _Colours(theme.grey, theme.tint_grey, theme.muted, theme.muted)
    return _Colours(theme.blue, theme.tint_blue, theme.number, theme.bright)


def paint_card(canvas: Canvas, rect: pygame.Rect, view: CounterCard, gap: int) -> None:
    """Paint one counter in a box whose outer `gap` / 2 is the shadow's."""
    theme = canvas.theme
    box = card(canvas, rect, border=theme.gold if view.highlighted else None, gap=gap)
    colours = _colours(view, theme)
    if box.h >= canvas.px(400) and canvas.px(400) <= box.w < canvas.px(560):
        _tall(canvas, box.inflate(-2 * canvas.px(24), -2 * canvas.px(20)), view, colours)
    elif box.h >= canvas.px(362) and box.w >= canvas.px(470):
        _wide(canvas, box.inflate(-2 * canvas.px(26), -2 * canvas.px(22)), view, colours)
    elif box.h >= canvas.px(230) and box.w >= canvas.px(540):
        _flat(canvas, box.inflate(-2 * canvas.px(22), -2 * canvas.px(12)), view, colours)
    else:
        _narrow(canvas, box.inflate(-2 * canvas.px(14), -2 * canvas.px(9)), view, colours)


# --- parts of every shape ---


def _label(canvas: Canvas, row: pygame.Rect, view: CounterCard, colours: _Colours, size: int) -> pygame.Rect:
    """The counter's name on its colour, at the left end of a row."""
    style = Style(size, "Bold", on(colours.label), keep=0.6)
    block = canvas.block(view.counter_label, (row.w * 3 // 5, row.h), style)
    if block is None:
        return pygame.Rect(row.topleft, (0, row.h))
    side = canvas.px(24 if row.h > canvas.px(60) else 14)
    rect = pygame.Rect(row.x, row.y, round(block.width) + 2 * side, row.h)
    canvas.plate(rect, Plate(min(canvas.px(20), rect.h * 2 // 5), colours.label, canvas.theme.card))
    room = rect.inflate(-2 * side + 4, 0)
    canvas.text(room, view.counter_label, replace(style, size=block.size, align="centre"))
    return rect


def _plate(canvas: Canvas, rect: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    """The number; or the word in its place, with what else is to be said of the counter below it."""
    canvas.plate(rect, Plate(min(canvas.px(22), rect.h // 4), colours.plate, canvas.theme.card))
    digits = round(canvas.least_number * DIGITS)
    pad = max(0, min(canvas.px(16), (rect.h - digits) // 2))
    inner = rect.inflate(-2 * canvas.px(6 if rect.w > canvas.px(320) else 2), -2 * pad)
    if view.number:
        # Five digits in a third of an upright screen's width become narrower rather than smaller.
        squeeze = 0.68 if rect.w > canvas.px(320) else 0.6
        number = canvas.ink(colours.number, colours.plate)
        canvas.number(inner, view.number, Style(inner.h, "ExtraBold", number, "centre"), squeeze)
        return
    ink = canvas.ink(canvas.theme.muted, colours.plate)
    word = Style(min(canvas.px(66), round(inner.h * 0.5)), "Bold", ink, "centre", lines=1, keep=0.5)
    if not view.state_text or view.state_text == view.plate:
        canvas.text(inner, view.plate, replace(word, lines=2))
        return
    upper = pygame.Rect(inner.x, inner.y, inner.w, inner.h * 54 // 100)
    lower = pygame.Rect(inner.x, upper.bottom, inner.w, inner.bottom - upper.bottom)
    canvas.text(upper, view.plate, replace(word, size=min(word.size, round(inner.h * 0.42))))
    canvas.text(lower, view.state_text, Style(canvas.px(34), "Medium", ink, "centre", keep=0.5))


def _portrait(canvas: Canvas, disc: pygame.Rect, view: CounterCard) -> int:
    """The clerk's portrait, if there is one; returns where the next thing begins."""
    portrait = view.portrait
    if portrait is None:
        return disc.x
    theme = canvas.theme
    ring = theme.gold if view.highlighted else theme.ring
    canvas.picture(disc, (portrait, ring), theme.card, lambda big: paint_portrait(big, portrait, ring, theme.card))
    return disc.right + canvas.px(20)


# --- wide: label and service, number, portrait with clerk and waiting ---


def _wide(canvas: Canvas, inner: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    top = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(76))
    foot = pygame.Rect(inner.x, inner.bottom - canvas.px(112), inner.w, canvas.px(112))
    spare = inner.h - top.h - foot.h - round(canvas.least_number * DIGITS)
    gap = max(canvas.px(3), min(canvas.px(16), spare // 3))
    label = _label(canvas, top, view, colours, canvas.px(42))
    service = pygame.Rect(label.right + canvas.px(20), top.y, inner.right - label.right - canvas.px(20), top.h)
    canvas.text(service, view.service_line, Style(canvas.px(36), "Medium", canvas.theme.ink, lines=2, keep=0.8))
    _plate(canvas, pygame.Rect(inner.x, top.bottom + gap, inner.w, foot.y - top.bottom - 2 * gap), view, colours)
    left = _portrait(canvas, pygame.Rect(foot.x, foot.y, foot.h, foot.h), view)
    right = _waiting(canvas, foot, view)
    _clerk(canvas, pygame.Rect(left, foot.y, right - canvas.px(16) - left, foot.h), view, colours)


def _clerk(canvas: Canvas, room: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    """Who serves, and the counter's state below; a long name takes two lines."""
    name = Style(canvas.px(36), "Bold", canvas.theme.ink, lines=2, keep=0.75)
    block = canvas.block(view.clerk, (room.w, room.h * 64 // 100), name)
    state = view.state_text if view.number else ""
    if block is None or not state:
        _dotted(canvas, room, state, colours.state)
        canvas.text(room, view.clerk, name)
        return
    share = 62 if len(block.lines) > 1 else 50
    upper = pygame.Rect(room.x, room.y, room.w, room.h * share // 100)
    canvas.text(upper, view.clerk, replace(name, size=block.size))
    _dotted(canvas, pygame.Rect(room.x, upper.bottom, room.w, room.bottom - upper.bottom), state, colours.state)


def _dotted(canvas: Canvas, room: pygame.Rect, text: str, colour: Rgb) -> None:
    """The counter's state behind a dot of its colour."""
    if not text:
        return
    dot = canvas.px(15)
    canvas.dot(pygame.Rect(room.x, room.centery - dot // 2, dot, dot), colour, canvas.theme.card)
    words = pygame.Rect(room.x + dot + canvas.px(11), room.y, room.w - dot - canvas.px(11), room.h)
    canvas.text(words, text, Style(canvas.px(30), "Medium", canvas.ink(colour), keep=0.5))


def _waiting(canvas: Canvas, foot: pygame.Rect, view: CounterCard) -> int:
    """The count of waiting people over its label at the right end; returns where it begins."""
    if not view.waiting:
        return foot.right
    theme = canvas.theme
    label = Style(canvas.px(28), "Medium", theme.muted, "centre", keep=0.5)
    figure = Style(canvas.px(50), "Bold", theme.ink, "centre", keep=0.5)
    half = foot.h * 52 // 100
    block = canvas.block(view.waiting_label or view.waiting, (foot.w // 3, half), label)
    wide = max(canvas.px(90), round(block.width) + 4 if block else 0)
    column = pygame.Rect(foot.right - wide, foot.y, wide, foot.h)
    canvas.text(pygame.Rect(column.x, column.y, wide, half), view.waiting, figure)
    canvas.text(pygame.Rect(column.x, column.y + half, wide, foot.h - half), view.waiting_label, label)
    edge = column.x - canvas.px(18)
    canvas.fill(pygame.Rect(edge, foot.y + foot.h // 8, canvas.px(2), foot.h * 3 // 4), theme.line)
    return edge


# --- tall: label and waiting, number, service, portrait with clerk


def _tall(canvas: Canvas, inner: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    top = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(70))
    label = _label(canvas, top, view, colours, canvas.px(42))
    _count(canvas, pygame.Rect(label.right, top.y, inner.right - label.right, top.h), view, None)
    foot = pygame.Rect(inner.x, inner.bottom - canvas.px(104), inner.w, canvas.px(104))
    left = _portrait(canvas, pygame.Rect(foot.x, foot.y, foot.h, foot.h), view)
    _clerk(canvas, pygame.Rect(left, foot.y, foot.right - left, foot.h), view, colours)
    line = pygame.Rect(inner.x, 0, inner.w, round(2.62 * canvas.least))
    line.bottom = foot.y - canvas.px(8)
    canvas.text(line, view.service_line, Style(canvas.px(36), "Medium", canvas.theme.ink, "centre", lines=2, keep=0.8))
    gap = canvas.px(10)
    _plate(canvas, pygame.Rect(inner.x, top.bottom + gap, inner.w, line.y - top.bottom - 2 * gap), view, colours)


# --- flat: label and service, portrait beside the number, clerk and waiting ---


def _flat(canvas: Canvas, inner: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    theme = canvas.theme
    least = canvas.least
    top = pygame.Rect(inner.x, inner.y, inner.w, max(canvas.px(60), round(least * 2.48)))
    foot = pygame.Rect(inner.x, 0, inner.w, round(least * 1.36))
    foot.bottom = inner.bottom
    label = _label(canvas, top.inflate(0, -canvas.px(6)), view, colours, canvas.px(38))
    service = pygame.Rect(label.right + canvas.px(18), top.y, inner.right - label.right - canvas.px(18), top.h)
    canvas.text(service, view.service_line, Style(canvas.px(34), "Medium", theme.ink, lines=2, keep=0.8))
    middle = pygame.Rect(inner.x, top.bottom + canvas.px(3), inner.w, foot.y - top.bottom - canvas.px(6))
    left = _portrait(canvas, pygame.Rect(inner.x, middle.y, middle.h, middle.h), view)
    _plate(canvas, pygame.Rect(left, middle.y, inner.right - left, middle.h), view, colours)
    name = Style(canvas.px(31), "Medium", theme.ink, keep=0.5)
    left = _count(canvas, foot, view, canvas.block(view.clerk, foot.size, name)) - canvas.px(8)
    canvas.text(pygame.Rect(foot.x, foot.y, left - foot.x, foot.h), view.clerk, name)


def _count(canvas: Canvas, row: pygame.Rect, view: CounterCard, beside: Block | None) -> int:
    """How many wait, at a row's right end: with its word, or with a sign where the word has no room beside the other
    text of the row; returns where it begins.
    """
    if not view.waiting:
        return row.right
    theme = canvas.theme
    style = Style(canvas.px(29), "Medium", theme.ink, "right", keep=0.5)
    text = f"{view.waiting}\u00a0{view.waiting_label}" if view.waiting_label else view.waiting
    taken = beside.lines[0].width / beside.size * canvas.least * NARROWEST + canvas.px(24) if beside else canvas.px(8)
    block = canvas.block(text, row.size, style)
    if block and not block.cut and block.width + taken <= row.w:
        wide = round(block.width) + 3
        canvas.text(pygame.Rect(row.right - wide, row.y, wide, row.h), text, style)
        return row.right - wide
    return _count_sign(canvas, row, view, style)


def _count_sign(canvas: Canvas, row: pygame.Rect, view: CounterCard, style: Style) -> int:
    theme = canvas.theme
    block = canvas.block(view.waiting, row.size, style)
    wide = round(block.width) + 3 if block else 0
    canvas.text(pygame.Rect(row.right - wide, row.y, wide, row.h), view.waiting, style)
    side = min(row.h, canvas.px(36))
    sign = pygame.Rect(row.right - wide - side - canvas.px(4), row.centery - side // 2, side, side)
    canvas.picture(sign, "people", theme.card, lambda big: draw_icon(Pen(big), "people", theme.muted, theme.card))
    return sign.x


# --- narrow: label and waiting, number, then service, clerk and state while there is room ---


def _narrow(canvas: Canvas, inner: pygame.Rect, view: CounterCard, colours: _Colours) -> None:
    cramped = 40 if inner.h < canvas.px(190) else 44
    top = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(cramped if inner.h < canvas.px(200) else 54))
    label = _label(canvas, top, view, colours, min(canvas.px(34), top.h * 66 // 100))
    _count(canvas, pygame.Rect(label.right, top.y, inner.right - label.right, top.h), view, None)
    below = top.bottom + canvas.px(3)
    digits = math.ceil(canvas.least_number * DIGITS)
    room = inner.bottom - below - digits
    words = _words(canvas, view, colours, inner.w, room)
    used = sum(height for _, _, height in words)
    # Two lines are kept free where they can be, so that the numbers of all cards are of one size.
    foot = max(used, min(room, round(canvas.least * 2.62)))
    _plate(canvas, pygame.Rect(inner.x, below, inner.w, inner.bottom - below - foot), view, colours)
    y = inner.bottom - foot + (foot - used) // 2
    for text, style, height in words:
        canvas.text(pygame.Rect(inner.x, y, inner.w, height), text, style)
        y += height


def _words(canvas: Canvas, view: CounterCard, colours: _Colours, width: int, room: int) -> list[tuple[str, Style, int]]:
    """Service, clerk and state as far as the room goes; the service comes first, and always."""
    theme = canvas.theme
    line = min(canvas.px(32), max(canvas.least, int(room / 1.36)))
    wanted = [(view.service_line, Style(line, "Medium", theme.ink, "centre", lines=2, keep=0.8))]
    if view.clerk:
        wanted.append((view.clerk, Style(canvas.px(29), "Medium", theme.muted, "centre", keep=0.6)))
    if view.number and view.state_text:
        wanted.append((view.state_text, Style(canvas.px(29), "Medium", canvas.ink(colours.state), "centre", keep=0.6)))
    found: list[tuple[str, Style, int]] = []
    for text, style in wanted:
        block = canvas.block(text, (width, max(room, round(canvas.least * 1.36)) if not found else room), style)
        height = round(block.drops[-1] + 1.36 * block.size) if block else 0
        height = height if found else min(height, max(room, round(canvas.least * 1.36)))
        if block is None or (found and (block.cut or height > room)):
            continue
        found.append((text, replace(style, size=block.size), height))
        room -= height if len(found) > 1 else max(height, min(room, round(canvas.least * 2.62)))
    return found
