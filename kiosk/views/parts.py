"""What several views share: the band at the top, the strip that says what is lost, the ticker, cards and pills."""

from dataclasses import dataclass, replace
from functools import partial

import pygame

from kiosk.photos import open_emblem
from kiosk.views import figures, icons, shapes
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.model import Header, LanguageKey, Tone
from kiosk.views.people import photo_surface
from kiosk.views.shapes import Plate
from kiosk.views.theme import Rgb, mix, on

BAND = 132
NARROW_BAND = 160
TALL_BAND = 216
TALLEST_BAND = 262
STRIP = 62
TICKER = 80
MARGIN = 40
GAP = 26
RADIUS = 28


@dataclass(frozen=True, slots=True)
class Page:
    """The regions around a view, and the room that is left for it."""

    regions: tuple[Region, ...]
    room: pygame.Rect


@dataclass(frozen=True, slots=True)
class Signs:
    """What stands in the band beside the clock: signs for the staff, and the key to the next language."""

    staff: tuple[str, ...] = ()
    language: LanguageKey | None = None


def page(
    size: tuple[int, int],
    base: int,
    header: Header,
    ticker: str = "",
    label: str = "",
    signs: Signs | None = None,
    apology: str = "",
) -> Page:
    """Lay out band, strips and ticker; the room between them touches them and both sides."""
    width, height = size
    regions: list[Region] = []
    band = pygame.Rect(0, 0, width, px(base, _band_height(size, base)))
    shown = replace(header, lost="")
    regions.append(Region("header", band, (shown, signs), lambda c, r: _band(c, r, shown, signs or Signs())))
    top = band.bottom
    strips: tuple[tuple[str, str, Tone], ...] = (("lost", header.lost, "warn"), ("apology", apology, "info"))
    for name, text, tone in strips:
        if text:
            strip = pygame.Rect(0, top, width, px(base, STRIP))
            regions.append(Region(name, strip, text, partial(_strip, text=text, tone=tone)))
            top = strip.bottom
    bottom = height
    if ticker:
        bar = pygame.Rect(0, height - px(base, TICKER), width, px(base, TICKER))
        regions.append(Region("ticker", bar, (ticker, label), lambda c, r: _ticker(c, r, ticker, label)))
        bottom = bar.top
    return Page(tuple(regions), pygame.Rect(0, top, width, bottom - top))


def upright(rect: pygame.Rect) -> bool:
    """Whether a room is higher than it is wide: then things stand below and not beside each other."""
    return rect.h > rect.w


def _band_height(size: tuple[int, int], base: int) -> int:
    """On a narrow screen the office's name takes more lines."""
    wide = size[0] * 1080 / base
    if wide >= 1000:
        return BAND if wide >= 1560 else TALL_BAND if size[1] > size[0] else NARROW_BAND
    return TALLEST_BAND


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
        border=canvas.px(5) if border else canvas.px(2) if theme.edge else 0,
        border_colour=border or theme.edge or theme.card,
        margin=margin,
        shadow=None if theme.edge else theme.shadow,
    )
    canvas.plate(rect, look)
    return rect.inflate(-2 * margin, -2 * margin)


def pill(canvas: Canvas, rect: pygame.Rect, text: str, fill: Rgb, back: Rgb, style: Style) -> None:
    """A label on a rounded ground."""
    canvas.plate(rect, Plate(min(rect.h // 2, style.size), fill, back))
    side = min(rect.h // 3, canvas.px(26))
    canvas.text(rect.inflate(-2 * side, 0), text, replace(style, align="centre"))


def _band(canvas: Canvas, rect: pygame.Rect, header: Header, signs: Signs) -> None:
    theme = canvas.theme
    line = canvas.px(4)
    canvas.made(rect, "band", lambda: shapes.gradient(rect.size, theme.band_left, theme.band_right))
    canvas.fill(pygame.Rect(rect.x, rect.bottom - line, rect.w, line), theme.gold)
    emblem = pygame.Rect(canvas.px(MARGIN), 0, canvas.px(88), canvas.px(88))
    emblem.centery = (rect.h - line) // 2
    paint_emblem(canvas, emblem, header.emblem)
    right = _clock(canvas, rect, header)
    if signs.language:
        right = _language(canvas, rect, right, signs.language)
    high = max(1, (rect.h - canvas.px(30)) // canvas.px(46))
    for at, name in enumerate(signs.staff):
        # One below another, so that many of them leave the office's name its room.
        if at % high == 0:
            right -= canvas.px(56)
        sign = pygame.Rect(right, canvas.px(22) + at % high * canvas.px(46), canvas.px(40), canvas.px(40))
        back = mix(theme.band_left, theme.band_right, sign.centerx / rect.w)
        canvas.made(sign, ("staff", name, back), partial(_sign, canvas, sign.size, name, back))
    left = emblem.right + canvas.px(24)
    room = right - left - canvas.px(36)
    _names(canvas, pygame.Rect(left, canvas.px(14), room, rect.h - line - canvas.px(22)), header)


def _language(canvas: Canvas, rect: pygame.Rect, right: int, key: LanguageKey) -> int:
    """The key to the next language: left of the clock, or below it in a tall band; returns where the rest begins.

    It begins with a globe, or with what is printed on the key where there is one to press.
    """
    theme = canvas.theme
    tall = rect.h > canvas.px(NARROW_BAND)
    style = Style(canvas.px(32), "Bold", theme.band_text, keep=0.8)
    room = (canvas.px(330), canvas.px(60))
    block, cap = canvas.block(key.text, room, style), canvas.block(key.digit, room, style)
    sign = round(cap.width) + canvas.px(28) if cap else canvas.px(44)
    wide = round(block.width if block else 0) + sign + canvas.px(58)
    box = pygame.Rect(0, 0, wide, canvas.px(80 if tall else 92))
    if tall:
        box.right, box.bottom = rect.right - canvas.px(MARGIN), rect.bottom - canvas.px(16)
    else:
        box.right, box.centery = right - canvas.px(36), (rect.h - canvas.px(4)) // 2
    back = mix(theme.band_left, theme.band_right, box.centerx / rect.w)
    canvas.plate(box, Plate(canvas.px(24), theme.band_left, back, canvas.px(3), theme.band_soft))
    canvas.hit(key.action, box)
    mark = pygame.Rect(box.x + canvas.px(18), 0, sign, canvas.px(54 if cap else 44))
    mark.centery = box.centery
    if cap:
        pill(canvas, mark, key.digit, theme.grey, theme.band_left, replace(style, colour=on(theme.grey)))
    else:
        globe = partial(icons.draw_globe, ink=theme.band_soft, back=theme.band_left)
        canvas.picture(mark, "globe", theme.band_left, globe)
    words = pygame.Rect(mark.right + canvas.px(12), box.y, box.right - canvas.px(20) - mark.right, box.h)
    canvas.text(words.inflate(-canvas.px(4), 0), key.text, style)
    return min(right, box.x) if tall else box.x


def _names(canvas: Canvas, room: pygame.Rect, header: Header) -> None:
    """The office over the view's title; in a tall band both in the middle, with as many lines as they need."""
    theme = canvas.theme
    tall = room.h > canvas.px(BAND)
    soft = Style(canvas.px(30), "Medium", theme.band_soft, lines=3 if tall else 1, keep=0.9, least=canvas.smallest)
    block = canvas.block(header.unit, (room.w, room.h * 56 // 100), soft)
    if block and block.cut and not tall:
        # Beside many signs the name has little room: two lines, and a smaller title.
        soft, tall = replace(soft, lines=2), True
        block = canvas.block(header.unit, (room.w, room.h * 62 // 100), soft)
    above = 0
    if block:
        above = round(block.drops[-1] + 1.3 * block.size) if tall else canvas.px(38)
    title = Style(canvas.px(50), "Bold", theme.band_text, lines=3 if tall else 2, keep=0.75 if tall else 0.55)
    below = room.h - above
    if tall and (words := canvas.block(header.title, (room.w, below), title)):
        below = min(below, round(words.drops[-1] + 1.4 * words.size))
    top = room.y + (room.h - above - below) // 2
    canvas.text(pygame.Rect(room.x, top, room.w, above), header.unit, soft)
    canvas.text(pygame.Rect(room.x, top + above, room.w, below), header.title, title)


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
    canvas.made(rect, ("emblem", path), lambda: _emblem(path, rect.size) or _star(canvas, rect.size))


def _emblem(path: str, size: tuple[int, int]) -> pygame.Surface | None:
    """The picture of a file in the middle of a box, whole and on transparent ground."""
    picture = photo_surface(path, lambda: open_emblem(path, min(size))) if path else None
    if picture is None:
        return None
    box = pygame.Surface(size, pygame.SRCALPHA)
    box.blit(picture, picture.get_rect(center=box.get_rect().center))
    return box


def _star(canvas: Canvas, size: tuple[int, int]) -> pygame.Surface:
    """A star on transparent ground: each colour is a layer of its own."""
    theme = canvas.theme
    out = shapes.layer(size, theme.red, lambda big: icons.Pen(big).circle(theme.red, 50, 50, 50))
    star = shapes.layer(
        size, theme.star, lambda big: icons.Pen(big).poly(theme.star, figures.star_points((50, 52), 34))
    )
    out.blit(star, (0, 0))
    return out


def _sign(canvas: Canvas, size: tuple[int, int], name: str, back: Rgb) -> pygame.Surface:
    ink = canvas.ink(canvas.theme.gold, back)
    return shapes.picture(size, back, lambda big: icons.draw_staff(big, name, ink, back))


def _strip(canvas: Canvas, rect: pygame.Rect, text: str, tone: Tone) -> None:
    theme = canvas.theme
    _, ground, ink = figures.tone_colours(tone, theme)
    canvas.fill(rect, ground)
    line = canvas.px(3)
    canvas.fill(pygame.Rect(rect.x, rect.bottom - line, rect.w, line), theme.gold if tone == "warn" else theme.bright)
    sign = pygame.Rect(canvas.px(MARGIN), 0, canvas.px(38), canvas.px(38))
    sign.centery = rect.centery - line // 2
    canvas.picture(sign, tone, ground, lambda big: icons.draw_tone(big, tone, theme))
    left = sign.right + canvas.px(18)
    room = pygame.Rect(left, rect.y, rect.right - canvas.px(MARGIN) - left, rect.h - line)
    canvas.text(room, text, Style(canvas.px(32), "Medium", ink, lines=2, keep=0.7, least=canvas.smallest))


def _ticker(canvas: Canvas, rect: pygame.Rect, text: str, label: str) -> None:
    theme = canvas.theme
    canvas.fill(rect, theme.band_left)
    left = rect.left + canvas.px(MARGIN)
    if label:
        style = Style(canvas.px(34), "Bold", on(theme.red), "centre")
        block = canvas.block(label, (rect.w // 4, rect.h), style)
        wide = round(block.width if block else 0) + 2 * canvas.px(MARGIN)
        canvas.fill(pygame.Rect(rect.x, rect.y, wide, rect.h), theme.red)
        canvas.text(
            pygame.Rect(rect.x + canvas.px(MARGIN) - 2, rect.y, wide - 2 * canvas.px(MARGIN) + 4, rect.h), label, style
        )
        left = rect.x + wide + canvas.px(32)
    room = pygame.Rect(left, rect.y + 1, rect.right - canvas.px(MARGIN) - left, rect.h - 2)
    canvas.text(room, text, Style(canvas.px(35), "Medium", theme.band_text, lines=2, keep=0.8))
