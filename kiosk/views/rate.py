"""The view to rate a counter.

The thank-you is the same picture for every face, so that nobody nearby learns the choice.
"""

from dataclasses import replace
from functools import partial

import pygame

from kiosk.views import icons
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.figures import face_colours
from kiosk.views.model import Face, FaceKind, Notice, RateView, Tone
from kiosk.views.notice import paint_notice
from kiosk.views.parts import GAP, MARGIN, card, page
from kiosk.views.people import paint_portrait
from kiosk.views.shapes import Plate
from kiosk.views.theme import Rgb, Theme

WHO = 270
TALL_WHO = 470
TICKET = 150
FOOT = 80
QUESTION = 108
TALL_QUESTION = 160


def regions(view: RateView, size: tuple[int, int], base: int) -> list[Region]:
    """Cut the view into regions for a screen of this size; `base` is what lengths are reckoned from."""
    around = page(size, base, view.header)
    side = px(base, MARGIN) - px(base, GAP / 2)
    tall = size[1] > size[0]
    room = around.room.inflate(-2 * side, 0)
    found = list(around.regions)
    foot = pygame.Rect(room.x, room.bottom - px(base, FOOT), room.w, px(base, FOOT))
    found.append(Region("privacy", foot, view.privacy, lambda c, r: _privacy(c, r, view.privacy)))
    who = pygame.Rect(room.x, room.y + px(base, 14), room.w, px(base, TALL_WHO if tall and view.number else WHO))
    key = (view.clerk, view.clerk_title, view.counter_line, view.portrait, view.ticket_label, view.number)
    found.append(Region("who", who, key, lambda c, r: _who(c, r, view)))
    rest = pygame.Rect(room.x, who.bottom, room.w, foot.y - who.bottom)
    if view.state != "ask":
        found.append(
            Region("message", rest, (view.state, view.message, view.detail), lambda c, r: _message(c, r, view))
        )
        return found
    ask = pygame.Rect(rest.x, rest.y, rest.w, px(base, TALL_QUESTION if tall else QUESTION))
    found.append(Region("question", ask, view.question, lambda c, r: _question(c, r, view.question)))
    faces = pygame.Rect(rest.x, ask.bottom, rest.w, rest.bottom - ask.bottom)
    labels = tuple(face.label for face in view.faces)
    paint = _face_row if tall else _face
    for i, (face, box) in enumerate(zip(view.faces, _shares(faces, len(view.faces), tall), strict=True)):
        found.append(Region(f"face {i}", box, (face, labels), partial(paint, face=face, labels=labels)))
    return found


def _shares(room: pygame.Rect, count: int, below: bool) -> list[pygame.Rect]:
    """The room in equal parts: side by side, or below one another."""
    columns, rows = (1, count) if below else (count, 1)
    boxes = []
    for i in range(count):
        left, right = room.w * (i % columns) // columns, room.w * (i % columns + 1) // columns
        top, bottom = room.h * (i // columns) // rows, room.h * (i // columns + 1) // rows
        boxes.append(pygame.Rect(room.x + left, room.y + top, right - left, bottom - top))
    return boxes


def _privacy(canvas: Canvas, rect: pygame.Rect, text: str) -> None:
    canvas.fill(rect, canvas.theme.page)
    room = rect.inflate(-2 * canvas.px(GAP), 0)
    canvas.text(room, text, Style(canvas.px(30), "Medium", canvas.theme.muted, lines=2, keep=0.9))


def _question(canvas: Canvas, rect: pygame.Rect, text: str) -> None:
    canvas.fill(rect, canvas.theme.page)
    room = rect.inflate(-2 * canvas.px(GAP), -canvas.px(8))
    canvas.text(room, text, Style(canvas.px(52), "Bold", canvas.theme.ink, "centre", lines=2, keep=0.84))


def _who(canvas: Canvas, rect: pygame.Rect, view: RateView) -> None:
    theme = canvas.theme
    box = card(canvas, rect)
    inner = box.inflate(-2 * canvas.px(36), -2 * canvas.px(22))
    beside = inner.h < canvas.px(WHO)
    if not beside:
        tall = canvas.px(TICKET)
        _ticket_row(canvas, pygame.Rect(inner.x, inner.bottom - tall, inner.w, tall), view)
        inner.h -= tall + canvas.px(22)
    left = inner.x
    if view.portrait:
        portrait, ring = view.portrait, theme.ring
        disc = pygame.Rect(inner.x, inner.y, inner.h, inner.h)
        look = (portrait, ring)
        canvas.picture(disc, look, theme.card, lambda big: paint_portrait(big, portrait, ring, theme.card))
        left = disc.right + canvas.px(44)
    right = _ticket(canvas, inner, view) if beside else inner.right
    words = pygame.Rect(left, inner.y + canvas.px(4), right - canvas.px(30) - left, inner.h - canvas.px(8))
    third = words.h * 32 // 100
    top = pygame.Rect(words.x, words.y, words.w, third)
    name = pygame.Rect(words.x, top.bottom, words.w, words.h - 2 * third)
    last = pygame.Rect(words.x, name.bottom, words.w, words.bottom - name.bottom)
    least = canvas.smallest
    canvas.text(
        top, view.counter_line, Style(canvas.px(36), "Bold", canvas.ink(theme.blue), lines=2, keep=0.75, least=least)
    )
    canvas.text(name, view.clerk, Style(canvas.px(64), "Bold", theme.ink, lines=2, keep=0.5))
    canvas.text(last, view.clerk_title, Style(canvas.px(34), "Medium", theme.muted, lines=2, keep=0.75, least=least))


def _ticket(canvas: Canvas, inner: pygame.Rect, view: RateView) -> int:
    """The ticket on its plate at the right end; returns where it begins."""
    theme = canvas.theme
    if not view.number:
        return inner.right
    label = Style(canvas.px(30), "Medium", theme.muted, "centre", keep=0.6)
    number = Style(canvas.px(135), "ExtraBold", theme.number, "centre")
    size = max(number.size, canvas.base // 8 + 1)
    wide = round(canvas.kit.type.line(view.number, "ExtraBold", size).width) + 2 * canvas.px(34)
    plate = pygame.Rect(0, inner.y, min(wide, inner.w * 2 // 5), inner.h)
    plate.right = inner.right
    canvas.plate(plate, Plate(canvas.px(26), theme.tint_blue, theme.card))
    top = pygame.Rect(plate.x + canvas.px(12), plate.y + canvas.px(12), plate.w - 2 * canvas.px(12), canvas.px(48))
    canvas.text(top, view.ticket_label, label)
    room = pygame.Rect(plate.x, top.bottom, plate.w, plate.bottom - top.bottom).inflate(
        -2 * canvas.px(22), -canvas.px(34)
    )
    canvas.number(room, view.number, number)
    return plate.x


def _ticket_row(canvas: Canvas, rect: pygame.Rect, view: RateView) -> None:
    """The ticket on a plate of the whole width: its label left, its number right."""
    theme = canvas.theme
    canvas.plate(rect, Plate(canvas.px(26), theme.tint_blue, theme.card))
    inner = rect.inflate(-2 * canvas.px(36), -2 * canvas.px(12))
    label = pygame.Rect(inner.x, inner.y, inner.w * 38 // 100, inner.h)
    canvas.text(
        label, view.ticket_label, Style(canvas.px(38), "Medium", canvas.ink(theme.muted, theme.tint_blue), lines=2)
    )
    number = pygame.Rect(label.right, inner.y, inner.right - label.right, inner.h)
    canvas.number(number, view.number, Style(inner.h, "ExtraBold", theme.number, "right"))


def _tints(kind: FaceKind, theme: Theme) -> tuple[Rgb, Rgb, Rgb]:
    """Ground, border and word of a face's card."""
    if kind == "neutral":
        return theme.tint_gold, theme.amber, theme.amber_ink
    if kind in ("unhappy", "very_unhappy"):
        return theme.tint_red, face_colours(kind, theme)[0], theme.red_ink
    return theme.tint_blue, theme.bright, theme.blue_ink


def _face(canvas: Canvas, rect: pygame.Rect, face: Face, labels: tuple[str, ...]) -> None:
    """One answer; letters and disc are as large as the longest of all labels lets them be, the same for each."""
    theme = canvas.theme
    ground, edge, ink = _tints(face.kind, theme)
    box = card(canvas, rect, ground, edge)
    canvas.hit(face.action, box)
    inner = box.inflate(-2 * canvas.px(24), -2 * canvas.px(26))
    style = Style(canvas.px(54), "Bold", ink, "centre", lines=3, keep=0.72)
    blocks = [block for block in (canvas.block(label, (inner.w, inner.h // 2), style) for label in labels) if block]
    size = min((block.size for block in blocks), default=style.size)
    style = replace(style, size=size, keep=1.0)
    words = max((_tall(canvas, label, style, inner) for label in labels), default=0)
    side = min(inner.h - words - canvas.px(40), inner.w * 88 // 100)
    gap = (inner.h - side - words) // 3
    disc = pygame.Rect(0, inner.y + gap, side, side)
    disc.centerx = inner.centerx
    canvas.picture(disc, face.kind, ground, lambda big: icons.draw_face(big, face.kind, theme))
    below = pygame.Rect(inner.x, disc.bottom + gap, inner.w, inner.bottom - disc.bottom - gap)
    canvas.text(below, face.label, style)


def _face_row(canvas: Canvas, rect: pygame.Rect, face: Face, labels: tuple[str, ...]) -> None:
    """One answer across the whole width: its face left, its word beside it in letters of one size for all."""
    theme = canvas.theme
    ground, edge, ink = _tints(face.kind, theme)
    box = card(canvas, rect, ground, edge)
    canvas.hit(face.action, box)
    inner = box.inflate(-2 * canvas.px(48), -2 * canvas.px(20))
    side = min(inner.h, inner.w * 32 // 100)
    disc = pygame.Rect(inner.x, inner.centery - side // 2, side, side)
    canvas.picture(disc, face.kind, ground, lambda big: icons.draw_face(big, face.kind, theme))
    words = pygame.Rect(disc.right + canvas.px(48), inner.y, inner.right - disc.right - canvas.px(48), inner.h)
    style = Style(canvas.px(64), "Bold", ink, lines=2, keep=0.8)
    blocks = [block for block in (canvas.block(label, words.size, style) for label in labels) if block]
    canvas.text(words, face.label, replace(style, size=min((block.size for block in blocks), default=style.size)))


def _tall(canvas: Canvas, label: str, style: Style, inner: pygame.Rect) -> int:
    block = canvas.block(label, (inner.w, inner.h // 2), style)
    return round(block.drops[-1] + 1.36 * block.size) if block else 0


def _message(canvas: Canvas, rect: pygame.Rect, view: RateView) -> None:
    tones: dict[str, Tone] = {"thanks": "ok", "already": "ok"}
    lines = (view.detail,) if view.detail else ()
    paint_notice(canvas, rect, Notice(view.state, view.message, lines=lines, tone=tones.get(view.state, "info")))
