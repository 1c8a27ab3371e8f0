"""One message in the middle of the screen: a number, a refusal, a thank-you.

Knows how to stack words, not what they mean.
"""

import math
from dataclasses import dataclass, replace

import pygame

from kiosk.views import icons
from kiosk.views.canvas import Canvas, Style, left_over
from kiosk.views.figures import tone_colours
from kiosk.views.model import Notice
from kiosk.views.parts import card, pill, upright
from kiosk.views.shapes import Plate
from kiosk.views.theme import WHITE, Rgb, on


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the stack: its height, the room below it, and how it is drawn."""

    kind: str
    text: str
    height: int
    after: int
    style: Style


def paint_notice(canvas: Canvas, rect: pygame.Rect, notice: Notice) -> None:
    """Paint a message on the page, in a card that is as large as it needs to be."""
    below = upright(rect)
    wide = min(rect.w - 2 * canvas.px(40), round(canvas.base * (1.36 if notice.qr_url else 1.2)))
    side = 2 * canvas.px(56)
    code = min(round(canvas.base * 0.4), rect.h * 2 // 5 if below else wide * 2 // 5) if notice.qr_url else 0
    caption = canvas.px(90) if notice.qr_text else 0
    column = wide - 2 * canvas.px(26) - side - (code + canvas.px(44) if code and not below else 0)
    tall = rect.h - 2 * canvas.px(20)
    under = code + caption + canvas.px(30) if code and below else 0
    rows = _rows(canvas, notice, (column, tall - under - 3 * canvas.px(44)))
    stack = sum(row.height for row in rows) + sum(row.after for row in rows[:-1]) + under
    tall = min(tall, max(stack, 0 if below else code + caption, canvas.px(420)) + 2 * canvas.px(44) + 2 * canvas.px(26))
    frame = pygame.Rect(0, 0, wide, tall)
    frame.center = rect.center
    for bare in left_over(rect, [frame]):
        canvas.fill(bare, canvas.theme.page)
    box = card(canvas, frame, border=_edge(canvas, notice))
    canvas.hit(notice.action, box)
    canvas.light(box)
    inner = box.inflate(-side, -2 * canvas.px(36))
    if under:
        _code(canvas, pygame.Rect(inner.centerx - code // 2, inner.bottom - under, code, under), notice, code)
        inner.h -= under
    elif code:
        _code(canvas, pygame.Rect(inner.right - code, inner.y, code, inner.h), notice, code)
        inner = pygame.Rect(inner.x, inner.y, column, inner.h)
    _stack(canvas, inner, rows, notice)


def _edge(canvas: Canvas, notice: Notice) -> Rgb | None:
    return canvas.theme.gold if notice.tone == "warn" else canvas.theme.red if notice.tone == "error" else None


def _rows(canvas: Canvas, notice: Notice, room: tuple[int, int]) -> list[_Row]:
    theme = canvas.theme
    rows: list[_Row] = []
    if notice.number:
        rows.append(_row(canvas, "text", notice.title, room, 20, Style(canvas.px(46), "Medium", theme.muted, lines=2)))
        size = canvas.px(290 if not notice.qr_url else 230)
        rows.append(
            _Row("number", notice.number, round(size * 0.78), 30, Style(size, "ExtraBold", theme.number, "centre"))
        )
    else:
        sign = canvas.px(150)
        rows.append(_Row("sign", notice.tone, sign, 36, Style(sign)))
        rows.append(
            _row(canvas, "text", notice.title, room, 26, Style(canvas.px(58), "Bold", theme.ink, lines=4, keep=0.92))
        )
    if notice.mark:
        rows.append(_Row("mark", notice.mark, canvas.px(66), 24, Style(canvas.px(38), "Bold", on(theme.red))))
    for i, line in enumerate(notice.lines):
        first = i == 0 and bool(notice.number)
        style = Style(canvas.px(52 if first else 40), "Bold" if first else "Medium", theme.ink, lines=2, keep=0.75)
        rows.append(_row(canvas, "text", line, room, 18 if first else 12, style))
    if notice.pill:
        rows[-1] = replace(rows[-1], after=34)
        _, _, ink = tone_colours(notice.tone, theme)
        style = Style(canvas.px(42), "Bold", ink, lines=2, keep=0.75)
        row = _row(canvas, "pill", notice.pill, (room[0] - 2 * canvas.px(40), room[1]), 0, style)
        rows.append(replace(row, height=max(canvas.px(104), row.height + canvas.px(28))))
    return _tighten([replace(r, after=canvas.px(r.after)) for r in rows if r.text], room[1])


def _row(canvas: Canvas, kind: str, text: str, room: tuple[int, int], after: int, style: Style) -> _Row:
    block = canvas.block(text, room, style)
    size = block.size if block else style.size
    height = round(block.drops[-1] + 1.36 * size) if block else 0
    return _Row(kind, text, height, after, replace(style, size=size, align="centre"))


def _tighten(rows: list[_Row], room: int) -> list[_Row]:
    """Take what is too much first from the number and the sign, then from the gaps."""
    excess = sum(row.height + row.after for row in rows) - room
    slack = {"number": 0.45, "sign": 0.5}
    out: list[_Row] = []
    for row in rows:
        give = min(max(0, excess), round(row.height * slack.get(row.kind, 0)))
        excess -= give
        out.append(replace(row, height=row.height - give))
    if excess > 0:
        gaps = sum(row.after for row in out) or 1
        share = max(0.0, 1 - excess / gaps)
        out = [replace(row, after=math.floor(row.after * share)) for row in out]
    return out


def _stack(canvas: Canvas, room: pygame.Rect, rows: list[_Row], notice: Notice) -> None:
    used = sum(row.height for row in rows) + sum(row.after for row in rows[:-1])
    top = room.y + max(0, (room.h - used) // 2)
    for row in rows:
        _draw_row(canvas, pygame.Rect(room.x, top, room.w, row.height), row, notice)
        top += row.height + row.after


def _draw_row(canvas: Canvas, box: pygame.Rect, row: _Row, notice: Notice) -> None:
    theme = canvas.theme
    if row.kind == "number":
        canvas.number(box, row.text, row.style)
    elif row.kind == "sign":
        sign = pygame.Rect(0, box.y, box.h, box.h)
        sign.centerx = box.centerx
        canvas.picture(sign, notice.tone, theme.card, lambda big: icons.draw_tone(big, notice.tone, theme))
    elif row.kind == "mark":
        _label(canvas, box, row, theme.red, canvas.px(44))
    elif row.kind == "pill":
        _, ground, _ = tone_colours(notice.tone, theme)
        _label(canvas, box, row, ground, canvas.px(56))
    else:
        canvas.text(box, row.text, row.style)


def _label(canvas: Canvas, box: pygame.Rect, row: _Row, fill: Rgb, side: int) -> None:
    block = canvas.block(row.text, (box.w - 2 * canvas.px(40), box.h), row.style)
    wide = min(box.w, round(block.width if block else 0) + 2 * side)
    rect = pygame.Rect(0, box.y, wide, box.h)
    rect.centerx = box.centerx
    pill(canvas, rect, row.text, fill, canvas.theme.card, row.style)


def _code(canvas: Canvas, column: pygame.Rect, notice: Notice, side: int) -> None:
    caption = canvas.px(90) if notice.qr_text else 0
    frame = pygame.Rect(column.x, column.y + (column.h - side - caption) // 2, side, side)
    theme = canvas.theme
    canvas.plate(frame, Plate(canvas.px(20), WHITE, theme.card, canvas.px(3), theme.line))
    inner = frame.inflate(-2 * canvas.px(8), -2 * canvas.px(8))
    made = canvas.kit.pictures.get(("qr", notice.qr_url, inner.w), lambda: qr_surface(notice.qr_url, inner.w))
    canvas.surface.blit(made, made.get_rect(center=frame.center))
    room = pygame.Rect(column.x, frame.bottom + canvas.px(6), side, caption)
    canvas.text(room, notice.qr_text, Style(canvas.px(30), "Medium", theme.muted, "centre", lines=2, keep=0.9))


def qr_surface(text: str, side: int) -> pygame.Surface:
    """A QR code of whole pixels, at most `side` wide, with its quiet zone of four modules."""
    # Not before it is needed: it costs as much to import as a picture to draw.
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    module = max(1, side // len(rows))
    small = pygame.Surface((len(rows), len(rows)), 0, 32)
    small.fill(WHITE)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                small.set_at((x, y), (0, 0, 0))
    return pygame.transform.scale(small, (len(rows) * module, len(rows) * module))
