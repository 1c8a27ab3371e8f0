"""What several views share: the band at the top, the strip that says what is lost, the ticker, cards and pills."""

from dataclasses import dataclass, replace
from functools import partial

import pygame

from kiosk.views import icons, shapes
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.model import Header
from kiosk.views.shapes import Plate
from kiosk.views.theme import Rgb

BAND = 132
STRIP = 60
TICKER = 80
MARGIN = 40
GAP = 26
RADIUS = 28


@dataclass(frozen=True, slots=True)
class Page:
    """The regions around a view, and the room that is left for it."""

    regions: tuple[Region, ...]
    room: pygame.Rect


def page(
    size: tuple[int, int], base: int, header: Header, ticker: str = "", label: str = "", staff: tuple[str, ...] = ()
) -> Page:
    """Lay out band, strip and ticker; the room between them touches them and both sides."""
    width, height = size
    regions: list[Region] = []
    band = pygame.Rect(0, 0, width, px(base, BAND))
    shown = replace(header, lost="")
    regions.append(Region("header", band, (shown, staff), lambda c, r: _band(c, r, shown, staff)))
    top = band.bottom
    if header.lost:
        strip = pygame.Rect(0, top, width, px(base, STRIP))
        regions.append(Region("lost", strip, header.lost, lambda c, r: _strip(c, r, header.lost)))
        top = strip.bottom
    bottom = height
    if ticker:
        bar = pygame.Rect(0, height - px(base, TICKER), width, px(base, TICKER))
        regions.append(Region("ticker", bar, (ticker, label), lambda c, r: _ticker(c, r, ticker, label)))
        bottom = bar.top
    return Page(tuple(regions), pygame.Rect(0, top, width, bottom - top))


def card(
    canvas: Canvas, rect: pygame.Rect, fill: Rgb | None = None, border: Rgb | None = None, gap: int = GAP
) -> pygame.Rect:
    """A card with its shadow on the page; `rect` includes the shadow's margin. Returns the card's own box."""
    theme = canvas.theme
    margin = canvas.px(gap / 2)
    look = Plate(
        radius=canvas.px(RADIUS),
        fill=fill or theme.card,
        back=theme.page,
        border=canvas.px(5) if border else 0,
        border_colour=border or theme.card,
        margin=margin,
        shadow=theme.shadow,
    )
    canvas.plate(rect, look)
    return rect.inflate(-2 * margin, -2 * margin)


def pill(canvas: Canvas, rect: pygame.Rect, text: str, fill: Rgb, back: Rgb, style: Style) -> None:
    """A label on a rounded ground."""
    canvas.plate(rect, Plate(min(rect.h // 2, style.size), fill, back))
    side = min(rect.h // 3, canvas.px(26))
    canvas.text(rect.inflate(-2 * side, 0), text, replace(style, align="centre"))


def _band(canvas: Canvas, rect: pygame.Rect, header: Header, staff: tuple[str, ...]) -> None:
    theme = canvas.theme
    line = canvas.px(4)
    canvas.made(rect, "band", lambda: shapes.gradient(rect.size, theme.band_left, theme.band_right))
    canvas.fill(pygame.Rect(rect.x, rect.bottom - line, rect.w, line), theme.gold)
    emblem = pygame.Rect(canvas.px(MARGIN), 0, canvas.px(88), canvas.px(88))
    emblem.centery = (rect.h - line) // 2
    paint_emblem(canvas, emblem, header.emblem)
    right = _clock(canvas, rect, header)
    for name in staff:
        right -= canvas.px(56)
        sign = pygame.Rect(right, canvas.px(22), canvas.px(40), canvas.px(40))
        canvas.made(sign, ("staff", name), partial(_sign, canvas, sign.size, name))
    left = emblem.right + canvas.px(24)
    room = right - left - canvas.px(36)
    top = canvas.px(14)
    unit = pygame.Rect(left, top, room, canvas.px(38))
    title = pygame.Rect(left, unit.bottom, room, rect.h - line - unit.bottom - canvas.px(8))
    if not header.unit:
        title = pygame.Rect(left, top, room, rect.h - line - 2 * top)
    canvas.text(unit, header.unit, Style(canvas.px(30), "Medium", theme.band_soft, keep=0.9))
    canvas.text(title, header.title, Style(canvas.px(50), "Bold", theme.band_text, lines=2, keep=0.55))


def _clock(canvas: Canvas, rect: pygame.Rect, header: Header) -> int:
    """Clock above, date below, both ending at the right margin; returns where they begin."""
    theme = canvas.theme
    right = rect.right - canvas.px(MARGIN)
    left = right
    if header.clock:
        style = Style(canvas.px(66), "Bold", theme.band_text)
        baseline = canvas.px(70 if header.date else 88)
        left = min(left, canvas.cells(right, baseline, header.clock, style).left)
    if header.date:
        room = pygame.Rect(rect.centerx, canvas.px(80), right - rect.centerx, canvas.px(42))
        style = Style(canvas.px(28), "Medium", theme.band_soft, "right")
        left = min(left, canvas.text(room, header.date, style).left)
    return left


def paint_emblem(canvas: Canvas, rect: pygame.Rect, path: str) -> None:
    """The office's emblem from its file; a star where there is none, or none that can be read."""
    canvas.made(rect, ("emblem", path), lambda: _star(canvas, rect.size))


def _star(canvas: Canvas, size: tuple[int, int]) -> pygame.Surface:
    """A star on transparent ground: each colour is a layer of its own."""
    theme = canvas.theme
    out = shapes.layer(size, theme.red, lambda big: icons.Pen(big).circle(theme.red, 50, 50, 50))
    star = shapes.layer(size, theme.star, lambda big: icons.Pen(big).poly(theme.star, shapes.star_points((50, 52), 34)))
    out.blit(star, (0, 0))
    return out


def _sign(canvas: Canvas, size: tuple[int, int], name: str) -> pygame.Surface:
    theme = canvas.theme
    return shapes.picture(size, theme.band_right, lambda big: icons.draw_staff(big, name, theme.gold, theme.band_right))


def _strip(canvas: Canvas, rect: pygame.Rect, text: str) -> None:
    theme = canvas.theme
    canvas.fill(rect, theme.tint_gold)
    line = canvas.px(3)
    canvas.fill(pygame.Rect(rect.x, rect.bottom - line, rect.w, line), theme.gold)
    sign = pygame.Rect(canvas.px(MARGIN), 0, canvas.px(38), canvas.px(38))
    sign.centery = rect.centery - line // 2
    canvas.picture(sign, "warn", theme.tint_gold, lambda big: icons.draw_tone(big, "warn", theme))
    left = sign.right + canvas.px(18)
    room = pygame.Rect(left, rect.y, rect.right - canvas.px(MARGIN) - left, rect.h - line)
    canvas.text(room, text, Style(canvas.px(32), "Medium", theme.amber_ink, keep=0.5))


def _ticker(canvas: Canvas, rect: pygame.Rect, text: str, label: str) -> None:
    theme = canvas.theme
    canvas.fill(rect, theme.band_left)
    left = rect.left + canvas.px(MARGIN)
    if label:
        style = Style(canvas.px(34), "Bold", theme.band_text, "centre")
        block = canvas.block(label, (rect.w // 4, rect.h), style)
        wide = round(block.width if block else 0) + 2 * canvas.px(MARGIN)
        canvas.fill(pygame.Rect(rect.x, rect.y, wide, rect.h), theme.red)
        canvas.text(
            pygame.Rect(rect.x + canvas.px(MARGIN) - 2, rect.y, wide - 2 * canvas.px(MARGIN) + 4, rect.h), label, style
        )
        left = rect.x + wide + canvas.px(32)
    room = pygame.Rect(left, rect.y + 1, rect.right - canvas.px(MARGIN) - left, rect.h - 2)
    canvas.text(room, text, Style(canvas.px(35), "Medium", theme.band_text, lines=2, keep=0.8))
