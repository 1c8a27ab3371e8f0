"""The view to take a number: tiles, the priority bar, or one message in their place."""

from dataclasses import dataclass, replace

import pygame

from kiosk.views import icons
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.model import TILES_UP_TO, Notice, PriorityBar, TakeView, Tile
from kiosk.views.notice import paint_notice
from kiosk.views.panel import paint_key, panel_region
from kiosk.views.parts import GAP, MARGIN, Signs, card, page, pill, upright
from kiosk.views.text import Weight
from kiosk.views.theme import FLASH, WHITE, Rgb, colour_of, mix, on, readable

BAR = 156
LOW_BAR = 182
TALL_BAR = 236
LEAST_SIGN = 74


def regions(view: TakeView, size: tuple[int, int], base: int) -> list[Region]:
    """Cut the view into regions for a screen of this size; `base` is what lengths are reckoned from."""
    keys = view.mode == "keys"
    language = replace(view.language, digit=view.language.digit if keys else "") if view.language else None
    signs = Signs(view.staff_icons, language)
    around = page(size, base, view.header, view.ticker, view.ticker_label, signs)
    room = _inner(around.room, base)
    if view.notice:
        notice, area = view.notice, around.room
        message = Region("notice", area, notice, lambda c, r: paint_notice(c, r, notice), flash=FLASH)
        return [*around.regions, message]
    found: list[Region] = list(around.regions)
    if view.priority:
        found.append(_bar_region(view.priority, room, base, view.mode == "keys"))
        room = pygame.Rect(room.x, room.y, room.w, found[-1].rect.top - room.y)
    if drawing := panel_region(view, room, base, len({box.y for box in grid(room, len(view.tiles))})):
        found.append(drawing)
        room = pygame.Rect(room.x, room.y, room.w, drawing.rect.top - room.y)
    if not view.tiles and view.message:
        notice = Notice("empty", view.message, tone="warn")
        found.append(Region("notice", room, notice, lambda c, r: paint_notice(c, r, notice)))
    for box, tile in zip(grid(room, len(view.tiles)), view.tiles, strict=False):
        found.append(_tile_region(box, tile, view))
    return found


def grid(room: pygame.Rect, count: int) -> list[pygame.Rect]:
    """Boxes for so many tiles (at most 8), row by row, that fill the room without a gap."""
    count = min(count, TILES_UP_TO)
    beside = {0: 1, 1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}.get(count, 4)
    columns = min(2, beside, max(1, count // 2)) if upright(room) else beside
    rows = -(-count // columns)
    boxes: list[pygame.Rect] = []
    for i in range(count):
        row, column = divmod(i, columns)
        left, right = room.w * column // columns, room.w * (column + 1) // columns
        top, bottom = room.h * row // rows, room.h * (row + 1) // rows
        boxes.append(pygame.Rect(room.x + left, room.y + top, right - left, bottom - top))
    return boxes


def _inner(room: pygame.Rect, base: int) -> pygame.Rect:
    """The room less the page's margins; cards bring half a gap of their own."""
    side = px(base, MARGIN) - px(base, GAP / 2)
    above = px(base, GAP * 0.55)
    return pygame.Rect(room.x + side, room.y + above, room.w - 2 * side, room.h - above - px(base, GAP * 0.4))


def _tile_region(box: pygame.Rect, tile: Tile, view: TakeView) -> Region:
    keys = view.mode == "keys"
    peers = tuple((peer.name, peer.note or peer.hint) for peer in view.tiles)
    return Region(
        f"tile {tile.action}", box, (tile, keys, peers), lambda c, r: _tile(c, r, tile, keys, peers), returns=True
    )


def _bar_region(bar: PriorityBar, room: pygame.Rect, base: int, keys: bool) -> Region:
    """In a narrow room the words of the bar take more lines, in an upright one its button stands above them."""
    units = (
        (TALL_BAR if bar.text else BAR)
        if upright(room)
        else BAR
        if room.w > px(base, 1500) or not bar.text
        else LOW_BAR
    )
    tall = px(base, units) + px(base, GAP)
    box = pygame.Rect(room.x, room.bottom - tall, room.w, tall)
    flash = FLASH if bar.chosen else None
    return Region(
        "priority", box, (bar, keys), lambda c, r: _bar(c, r, bar, keys), returns=True, flash=flash, light=True
    )


def _tile(canvas: Canvas, rect: pygame.Rect, tile: Tile, keys: bool, peers: tuple[tuple[str, str], ...]) -> None:
    theme = canvas.theme
    colour = colour_of(tile.colour) if tile.available else theme.grey
    ground = theme.card if tile.available else theme.tint_grey
    box = card(canvas, rect, ground)
    canvas.hit(tile.action, box)
    inner = _tile_inner(canvas, box)
    sign = _sign_height(canvas, inner, peers)
    if not sign:
        _flat_tile(canvas, inner, tile, keys, colour, ground)
        return
    texts = _tile_texts(canvas, tile, (inner.w, inner.h - sign - canvas.px(4)), ground)
    _tile_signs(canvas, pygame.Rect(inner.x, inner.y, inner.w, sign), tile, keys, colour, ground)
    _tile_words(canvas, pygame.Rect(inner.x, inner.y + sign, inner.w, inner.h - sign), texts)


def _tile_inner(canvas: Canvas, box: pygame.Rect) -> pygame.Rect:
    """A tile less its padding; what a very tall tile has too much is above and below."""
    cramped = box.h < canvas.px(290)
    inner = box.inflate(-2 * canvas.px(20 if cramped else 32), -2 * canvas.px(12 if cramped else 24))
    return inner.inflate(0, -max(0, inner.h - canvas.px(480)))


def _sign_height(canvas: Canvas, inner: pygame.Rect, peers: tuple[tuple[str, str], ...]) -> int:
    """How large icons can be above the longest names of all tiles: the same in each; 0 where there is no room above."""
    key = ("sign", canvas.base, inner.size, peers)
    return canvas.kit.lengths.get(key, lambda: _measured_sign(canvas, inner, peers))


def _measured_sign(canvas: Canvas, inner: pygame.Rect, peers: tuple[tuple[str, str], ...]) -> int:
    names = [_measured(canvas, name, _NAME, inner.size) for name, _ in peers]
    hints = [_measured(canvas, hint, _HINT, inner.size) for _, hint in peers]
    room = inner.h - canvas.px(34 * 1.3) - canvas.px(14)
    if room - max(names) < canvas.px(LEAST_SIGN):
        return 0
    spare = room - max(name + hint for name, hint in zip(names, hints, strict=True))
    return max(canvas.px(LEAST_SIGN), min(canvas.px(190), inner.h * 2 // 5, spare))


@dataclass(frozen=True, slots=True)
class _Look:
    """How one kind of text on a tile is set; `size` at a base of 1080."""

    size: int
    weight: Weight
    keep: float

    def style(self, canvas: Canvas, ink: Rgb, tall: int) -> Style:
        """The style on this canvas; in a tall tile the letters are larger."""
        scale = min(1.3, max(1.0, tall / canvas.px(330)))
        return Style(canvas.px(self.size * scale), self.weight, ink, lines=2, keep=self.keep)


_NAME = _Look(40, "Bold", 0.86)
_HINT = _Look(31, "Medium", 0.86)
_WAIT = _Look(34, "Bold", 0.8)


def _measured(canvas: Canvas, text: str, look: _Look, room: tuple[int, int]) -> int:
    block = canvas.block(text, room, look.style(canvas, canvas.theme.ink, room[1]))
    return round(block.drops[-1] + 1.3 * block.size) if block else 0


def _tile_texts(canvas: Canvas, tile: Tile, room: tuple[int, int], ground: Rgb) -> list[tuple[str, Style, int]]:
    """Name, what it is for, how many wait, with the heights they need; what it is for gives way first."""
    theme = canvas.theme
    soft = canvas.ink(theme.muted, ground)
    ink = theme.ink if tile.available else soft
    wanted = [(tile.name, _NAME, ink), (tile.note or tile.hint, _HINT, soft)]
    if tile.available:
        wanted.append((tile.waiting_text, _WAIT, ink))
    found = [
        (text, look.style(canvas, colour, room[1]), _measured(canvas, text, look, room))
        for text, look, colour in wanted
        if text
    ]
    if sum(height for _, _, height in found) > room[1] and tile.available and len(found) == 3:
        del found[1]
    return found


def _flat_tile(canvas: Canvas, inner: pygame.Rect, tile: Tile, keys: bool, colour: Rgb, ground: Rgb) -> None:
    """Icon, name and digit beside each other, in a tile that has no room for them in rows."""
    side = min(canvas.px(80), inner.h * 55 // 100)
    if tile.note:
        side = min(side, inner.h - canvas.px(20) - round(2.35 * canvas.smallest))
    row = pygame.Rect(inner.x, inner.y, inner.w, side)
    (left, right), between = _sign_boxes(row, keys), canvas.px(14)
    _tile_signs(canvas, row, tile, keys, colour, ground)
    end = right.x if keys else right.right - round(canvas.kit.type.line(tile.digit, "Bold", side * 4 // 5).width)
    name = pygame.Rect(left.right + between, row.y, end - left.right - 2 * between, row.h).inflate(0, canvas.px(16))
    below = pygame.Rect(inner.x, name.bottom, inner.w, inner.bottom - name.bottom)
    ink = canvas.theme.ink if tile.available else canvas.ink(canvas.theme.muted, ground)
    canvas.text(name, tile.name, _NAME.style(canvas, ink, 0))
    text, look = (tile.waiting_text, _WAIT) if tile.available and not tile.note else (tile.note, _HINT)
    wait, hint = _measured(canvas, text, look, (inner.w, below.h)), _measured(canvas, tile.hint, _HINT, inner.size)
    if look is _WAIT and wait + hint <= below.h:
        soft = canvas.ink(canvas.theme.muted, ground)
        canvas.text(pygame.Rect(below.x, below.y, below.w, below.h - wait), tile.hint, _HINT.style(canvas, soft, 0))
        below = pygame.Rect(below.x, below.bottom - wait, below.w, wait)
    canvas.text(below, text, replace(look.style(canvas, ink, 0), least=canvas.smallest))


def _sign_boxes(row: pygame.Rect, keys: bool) -> tuple[pygame.Rect, pygame.Rect]:
    """Icon left and digit right; where keys are pressed, the key leads and the icon is small."""
    high = row.h * 2 // 3
    wide = high if keys else row.h
    right = pygame.Rect(row.right - wide, row.y + (row.h - high) // 2, wide, high)
    return pygame.Rect(row.x, row.y, row.h, row.h), right


def _tile_signs(canvas: Canvas, row: pygame.Rect, tile: Tile, keys: bool, colour: Rgb, ground: Rgb) -> None:
    left, right = _sign_boxes(row, keys)
    icon = left
    if keys:
        icon = right
        paint_key(canvas, left, tile.digit, colour, ground)
    else:
        ink = canvas.ink(mix(colour, WHITE, 0.12), ground)
        canvas.number(right, tile.digit, Style(row.h * 4 // 5, "Bold", ink, "right", least=canvas.least))
    look = ("icon", tile.icon, colour)
    canvas.picture(icon, look, ground, lambda big: icons.draw_tile_icon(big, tile.icon, colour, WHITE))


def _tile_words(canvas: Canvas, room: pygame.Rect, texts: list[tuple[str, Style, int]]) -> None:
    """Texts from top to bottom; the last one stands at the bottom, so that neighbours are on one line."""
    spare = room.h - sum(height for _, _, height in texts)
    gap = max(0, min(canvas.px(12), spare // (len(texts) + 1)))
    top = room.y + gap
    for i, (text, style, height) in enumerate(texts):
        if i == len(texts) - 1 and i > 0:
            top = max(top, min(room.bottom - height, top + 2 * gap))
        bottom = min(room.bottom, top + height)
        canvas.text(pygame.Rect(room.x, top, room.w, bottom - top), text, style)
        top += height + gap


def _bar(canvas: Canvas, rect: pygame.Rect, bar: PriorityBar, keys: bool) -> None:
    theme = canvas.theme
    ground, edge = (theme.tint_green, theme.green) if bar.chosen else (theme.tint_gold, theme.gold)
    box = card(canvas, rect, ground, edge)
    canvas.hit(bar.action, box)
    inner = box.inflate(-2 * canvas.px(28), -2 * canvas.px(18))
    stacked = inner.h > canvas.px(LOW_BAR)
    head = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(100)) if stacked and bar.text else inner
    sign = pygame.Rect(inner.x, 0, canvas.px(100), canvas.px(100))
    sign.centery = head.centery
    _bar_sign(canvas, sign, bar, keys, ground)
    button = _bar_button(canvas, head, bar, ground, keys)
    left = sign.right + canvas.px(28)
    words = pygame.Rect(left, head.y, button.left - canvas.px(32) - left, head.h)
    _bar_words(canvas, words, inner if stacked else words, bar, ground)


def _bar_words(canvas: Canvas, words: pygame.Rect, whole: pygame.Rect, bar: PriorityBar, ground: Rgb) -> None:
    """The title beside the sign, and whom the bar is for: below the title, or below all where the bar is high."""
    theme = canvas.theme
    ink = theme.green_ink if bar.chosen else theme.ink
    title = Style(canvas.px(42), "Bold", ink, lines=2 if bar.text else 3, keep=0.65)
    text = Style(canvas.px(29), "Medium", canvas.ink(theme.muted, ground), lines=3, keep=0.9)
    if not bar.text:
        canvas.text(words, bar.title, title)
        return
    below = pygame.Rect(whole.x, words.bottom, whole.w, whole.bottom - words.bottom)
    if whole is words:
        block = canvas.block(bar.text, (words.w, words.h * 68 // 100), text)
        needed = round(block.drops[-1] + 1.3 * block.size) if block else 0
        tall = max(round(1.36 * canvas.least), min(words.h * 44 // 100, words.h - needed))
        below = pygame.Rect(words.x, words.y + tall, words.w, words.h - tall)
        words = pygame.Rect(words.x, words.y, words.w, tall - canvas.px(4))
        title = replace(title, lines=1)
    canvas.text(words, bar.title, title)
    canvas.text(below, bar.text, text)


def _bar_sign(canvas: Canvas, sign: pygame.Rect, bar: PriorityBar, keys: bool, ground: Rgb) -> None:
    theme = canvas.theme
    if keys and bar.digit:
        paint_key(canvas, sign, bar.digit, theme.amber, ground)
    elif bar.chosen:
        canvas.picture(sign, "ok", ground, lambda big: icons.draw_tone(big, "ok", theme))
    else:
        colour = readable(theme.amber, WHITE)
        canvas.picture(sign, "cane", ground, lambda big: icons.draw_tile_icon(big, "cane", colour, WHITE))


def _bar_button(canvas: Canvas, inner: pygame.Rect, bar: PriorityBar, ground: Rgb, keys: bool) -> pygame.Rect:
    """The button at the right end; returns its box: no width without a word, or where keys are pressed."""
    theme = canvas.theme
    fill = theme.green if bar.chosen else theme.blue
    style = Style(canvas.px(34), "Bold", on(fill), lines=1, keep=0.75)
    block = canvas.block("" if keys else bar.button, (inner.w * 2 // 5, inner.h), style)
    if block is None:
        return pygame.Rect(inner.right, inner.y, 0, inner.h)
    wide = max(canvas.px(220), round(block.width) + 2 * canvas.px(36))
    rect = pygame.Rect(inner.right - wide, 0, wide, canvas.px(92))
    rect.centery = inner.centery
    pill(canvas, rect, bar.button, fill, ground, replace(style, size=block.size))
    return rect
