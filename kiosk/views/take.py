"""The view to take a number: tiles, the priority bar, or one message in their place."""

from dataclasses import dataclass, replace

import pygame

from kiosk.views import icons
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.model import TILES_UP_TO, PriorityBar, TakeView, Tile
from kiosk.views.notice import paint_notice
from kiosk.views.parts import GAP, MARGIN, card, page, pill
from kiosk.views.text import Weight
from kiosk.views.theme import Rgb, colour_of, mix, readable

BAR = 156


def regions(view: TakeView, size: tuple[int, int], base: int) -> list[Region]:
    """Cut the view into regions for a screen of this size; `base` is what lengths are reckoned from."""
    around = page(size, base, view.header, view.ticker, view.ticker_label, view.staff_icons)
    room = _inner(around.room, base)
    if view.notice:
        notice, area = view.notice, around.room
        return [*around.regions, Region("notice", area, notice, lambda c, r: paint_notice(c, r, notice))]
    found: list[Region] = list(around.regions)
    if view.priority:
        found.append(_bar_region(view.priority, room, base, view.mode == "keys"))
        room = pygame.Rect(room.x, room.y, room.w, found[-1].rect.top - room.y)
    for box, tile in zip(grid(room, len(view.tiles)), view.tiles, strict=False):
        found.append(_tile_region(box, tile, view))
    return found


def grid(room: pygame.Rect, count: int) -> list[pygame.Rect]:
    """Boxes for so many tiles (at most 8), row by row, that fill the room without a gap."""
    count = min(count, TILES_UP_TO)
    columns = {0: 1, 1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}.get(count, 4)
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
    tall = px(base, BAR) + px(base, GAP)
    box = pygame.Rect(room.x, room.bottom - tall, room.w, tall)
    return Region("priority", box, (bar, keys), lambda c, r: _bar(c, r, bar, keys), returns=True)


def _tile(canvas: Canvas, rect: pygame.Rect, tile: Tile, keys: bool, peers: tuple[tuple[str, str], ...]) -> None:
    theme = canvas.theme
    colour = colour_of(tile.colour) if tile.available else theme.grey
    ground = theme.card if tile.available else theme.tint_grey
    box = card(canvas, rect, ground)
    canvas.hit(tile.action, box)
    inner = _tile_inner(canvas, box)
    sign = _sign_height(canvas, inner, peers)
    texts = _tile_texts(canvas, tile, (inner.w, inner.h - sign - canvas.px(4)), ground)
    _tile_signs(canvas, pygame.Rect(inner.x, inner.y, inner.w, sign), tile, keys, colour, ground)
    _tile_words(canvas, pygame.Rect(inner.x, inner.y + sign, inner.w, inner.h - sign), texts)


def _tile_inner(canvas: Canvas, box: pygame.Rect) -> pygame.Rect:
    """A tile less its padding; what a very tall tile has too much is above and below."""
    cramped = box.h < canvas.px(290)
    inner = box.inflate(-2 * canvas.px(20 if cramped else 32), -2 * canvas.px(12 if cramped else 24))
    return inner.inflate(0, -max(0, inner.h - canvas.px(480)))


def _sign_height(canvas: Canvas, inner: pygame.Rect, peers: tuple[tuple[str, str], ...]) -> int:
    """How large icons can be beside the longest names of all tiles: the same in each."""
    key = ("sign", canvas.base, inner.size, peers)
    return canvas.kit.lengths.get(key, lambda: _measured_sign(canvas, inner, peers))


def _measured_sign(canvas: Canvas, inner: pygame.Rect, peers: tuple[tuple[str, str], ...]) -> int:
    words = [
        sum(_measured(canvas, text, look, inner.size) for text, look in ((name, _NAME), (hint, _HINT)))
        for name, hint in peers
    ]
    spare = inner.h - max(words) - canvas.px(34 * 1.3) - canvas.px(14)
    return max(canvas.px(74), min(canvas.px(190), inner.h * 2 // 5, spare))


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
    soft = readable(theme.muted, ground)
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


def _tile_signs(canvas: Canvas, row: pygame.Rect, tile: Tile, keys: bool, colour: Rgb, ground: Rgb) -> None:
    """Icon left and digit right; where keys are pressed, the key leads and the icon is small."""
    if keys:
        key = pygame.Rect(row.x, row.y, row.h, row.h)
        draw_key(canvas, key, tile.digit, colour, ground)
        small = row.h * 2 // 3
        icon = pygame.Rect(row.right - small, row.y + (row.h - small) // 2, small, small)
    else:
        icon = pygame.Rect(row.x, row.y, row.h, row.h)
        room = pygame.Rect(row.right - row.h, row.y + row.h // 6, row.h, row.h * 2 // 3)
        style = Style(
            row.h * 4 // 5, "Bold", readable(mix(colour, (255, 255, 255), 0.12), ground), "right", least=canvas.least
        )
        canvas.number(room, tile.digit, style)
    look = ("icon", tile.icon, colour)
    canvas.picture(icon, look, ground, lambda big: icons.draw_tile_icon(big, tile.icon, colour, (255, 255, 255)))


def draw_key(canvas: Canvas, rect: pygame.Rect, digit: str, colour: Rgb, ground: Rgb) -> None:
    """A round key with its digit, as on the panel."""
    colour = readable(colour, (255, 255, 255))
    rim, light = mix(colour, (190, 200, 214), 0.75), mix(colour, (255, 255, 255), 0.55)
    canvas.picture(rect, ("key", colour), ground, lambda big: icons.draw_key(big, colour, rim, light))
    room = rect.inflate(-rect.w * 2 // 5, -rect.h * 54 // 100).move(0, -rect.h // 100)
    canvas.number(room, digit, Style(rect.h // 2, "Bold", (255, 255, 255), "centre", least=canvas.least))


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
    sign = pygame.Rect(inner.x, 0, canvas.px(100), canvas.px(100))
    sign.centery = inner.centery
    _bar_sign(canvas, sign, bar, keys, ground)
    button = _bar_button(canvas, inner, bar, ground)
    left = sign.right + canvas.px(28)
    words = pygame.Rect(left, inner.y, button.left - canvas.px(32) - left, inner.h)
    ink = theme.green_ink if bar.chosen else theme.ink
    title = Style(canvas.px(42), "Bold", ink, lines=1 if bar.text else 2, keep=0.65)
    if not bar.text:
        canvas.text(words, bar.title, title)
        return
    top = pygame.Rect(words.x, words.y, words.w, words.h * 44 // 100)
    canvas.text(top, bar.title, title)
    below = pygame.Rect(words.x, top.bottom, words.w, words.bottom - top.bottom)
    canvas.text(below, bar.text, Style(canvas.px(29), "Medium", readable(theme.muted, ground), lines=2, keep=0.9))


def _bar_sign(canvas: Canvas, sign: pygame.Rect, bar: PriorityBar, keys: bool, ground: Rgb) -> None:
    theme = canvas.theme
    if keys and bar.digit:
        draw_key(canvas, sign, bar.digit, readable(theme.amber, (255, 255, 255)), ground)
    elif bar.chosen:
        canvas.picture(sign, "ok", ground, lambda big: icons.draw_tone(big, "ok", theme))
    else:
        canvas.picture(
            sign, "cane", ground, lambda big: icons.draw_tile_icon(big, "cane", theme.amber, (255, 255, 255))
        )


def _bar_button(canvas: Canvas, inner: pygame.Rect, bar: PriorityBar, ground: Rgb) -> pygame.Rect:
    """The key at the right end; returns its box (no width without a word)."""
    theme = canvas.theme
    style = Style(canvas.px(34), "Bold", (255, 255, 255), lines=1, keep=0.75)
    block = canvas.block(bar.button, (inner.w * 2 // 5, inner.h), style)
    if block is None:
        return pygame.Rect(inner.right, inner.y, 0, inner.h)
    wide = max(canvas.px(220), round(block.width) + 2 * canvas.px(36))
    rect = pygame.Rect(inner.right - wide, 0, wide, canvas.px(92))
    rect.centery = inner.centery
    pill(canvas, rect, bar.button, theme.green if bar.chosen else theme.blue, ground, replace(style, size=block.size))
    return rect
