"""What views draw with: text in its room, plates, pictures; and the record of what was drawn where.

A view is cut into regions, each with a key. A region whose key has not changed is not drawn again. Each drawing
records its touchable boxes and its text boxes, so that a finger finds an action and a test can measure that nothing
is cut or overlapped.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pygame

from kiosk.views import shapes
from kiosk.views.cache import Cache
from kiosk.views.shapes import Plate
from kiosk.views.text import CAP, DIGITS, Block, Typesetter, Weight, clean
from kiosk.views.theme import BODY_SHARE, DAY, NUMBER_SHARE, Rgb, Theme

Align = Literal["left", "centre", "right"]
VAlign = Literal["top", "middle", "bottom"]


@dataclass(frozen=True, slots=True)
class TextBox:
    """One piece of text as drawn: its ink, the room it was given, its size against the smallest one allowed."""

    text: str
    rect: pygame.Rect
    room: pygame.Rect
    size: int
    least: int
    cut: bool


@dataclass(frozen=True, slots=True)
class HitBox:
    """A place to touch."""

    action: str
    rect: pygame.Rect


@dataclass(slots=True)
class Record:
    """What one region drew."""

    hits: list[HitBox] = field(default_factory=list)
    texts: list[TextBox] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text is set. `size` in pixels; `lines` at most; one line down to `keep` of the size before two."""

    size: int
    weight: Weight = "Medium"
    colour: Rgb = DAY.ink
    align: Align = "left"
    valign: VAlign = "middle"
    lines: int = 1
    keep: float = 0.8
    least: int = 0


class Kit:
    """Everything that is kept between drawings of one screen: fonts, measured text, drawn shapes."""

    def __init__(self, theme: Theme = DAY) -> None:
        self.theme = theme
        self.type = Typesetter()
        self.pictures: Cache[pygame.Surface] = Cache(4_000_000, lambda s: s.get_width() * s.get_height())


class Canvas:
    """A surface to draw one region of a view on."""

    def __init__(self, kit: Kit, surface: pygame.Surface, record: Record) -> None:
        self.kit = kit
        self.theme = kit.theme
        self.surface = surface
        self.record = record
        self.height = surface.get_height()
        self.least = body_least(self.height)

    def px(self, units: float) -> int:
        """Pixels for a length given at a height of 1080."""
        return px(self.height, units)

    # --- shapes

    def fill(self, rect: pygame.Rect, colour: Rgb) -> None:
        """A plain rectangle."""
        self.surface.fill(colour, rect)

    def plate(self, rect: pygame.Rect, look: Plate) -> None:
        """A rounded plate; `rect` includes the margin of its shadow."""
        radius = min(look.radius, (min(rect.size) - 2 * look.margin) // 2 - 1)
        if radius < 1:
            self.surface.fill(look.fill, rect)
            return
        look = replace(look, radius=radius)
        tile = self.kit.pictures.get(("plate", look), lambda: shapes.tile(look))
        shapes.nine_slices(self.surface, rect, tile)

    def picture(self, rect: pygame.Rect, key: Hashable, back: Rgb, paint: Callable[[pygame.Surface], None]) -> None:
        """A picture with smooth edges on a ground of one colour; painted four times as large, kept under its key."""
        if rect.w > 0 and rect.h > 0:
            full = ("picture", key, rect.size, back)
            self.surface.blit(self.kit.pictures.get(full, lambda: shapes.picture(rect.size, back, paint)), rect)

    def dot(self, rect: pygame.Rect, colour: Rgb, back: Rgb) -> None:
        """A small disc."""

        def paint(big: pygame.Surface) -> None:
            pygame.draw.circle(big, colour, big.get_rect().center, big.get_width() / 2)

        self.picture(rect, ("dot", colour), back, paint)

    def made(self, rect: pygame.Rect, key: Hashable, make: Callable[[], pygame.Surface]) -> None:
        """Any other surface, kept under its key."""
        self.surface.blit(self.kit.pictures.get((key, rect.size), make), rect)

    def hit(self, action: str, rect: pygame.Rect) -> None:
        """Record a place to touch; an empty action is none."""
        if action:
            self.record.hits.append(HitBox(action, rect.copy()))

    # --- text

    def block(self, text: str, size: tuple[int, int], style: Style) -> Block | None:
        """Measure text for a room of this size without drawing it."""
        words = clean(text)
        if not words:
            return None
        least = style.least or self.least
        return self.kit.type.fit(words, style.weight, max(style.size, least), least, size, style.lines, style.keep)

    def text(self, room: pygame.Rect, text: str, style: Style) -> pygame.Rect:
        """Set text into its room; returns the box of its ink (empty where there is no text)."""
        block = self.block(text, room.size, style)
        if block is None:
            return pygame.Rect(room.topleft, (0, 0))
        baseline = self._first_baseline(block, room, style)
        ink: list[pygame.Rect] = []
        for line, drop in zip(block.lines, block.drops, strict=True):
            sprite = self.kit.type.sprite(line.text, style.weight, block.size, style.colour, block.narrow)
            left = self._left(room, line.width * block.narrow, style)
            ink.append(self._stamp(sprite.surface, sprite.ink, left, round(baseline + drop) - sprite.baseline))
        box = ink[0].unionall(ink[1:])
        self.record.texts.append(
            TextBox(clean(text), box, room.copy(), block.size, style.least or self.least, block.cut)
        )
        return box

    def number(self, room: pygame.Rect, text: str, style: Style, squeeze: float = 0.68) -> pygame.Rect:
        """A ticket's number, as large as its room (not the style's size) lets it be.

        Near the smallest size it becomes narrower, by up to `squeeze`, before it becomes smaller.
        """
        words = clean(text)
        if not words:
            return pygame.Rect(room.topleft, (0, 0))
        least = style.least or number_least(self.height)
        high = max(least, int(room.h / DIGITS))
        wide = int(high * room.w / self.kit.type.line(words, style.weight, high).width)
        size = min(high, max(wide, round(least * 1.2)))
        while size > least and self.kit.type.line(words, style.weight, size).width * squeeze > room.w:
            size = max(least, size - 4)
        width = self.kit.type.line(words, style.weight, size).width
        narrow = min(1.0, math.floor(room.w / width * 100) / 100)
        sprite = self.kit.type.sprite(words, style.weight, size, style.colour, narrow)
        left = self._left(room, sprite.surface.get_width(), style)
        top = room.centery - sprite.ink.centery
        box = self._stamp(sprite.surface, sprite.ink, left, top)
        self.record.texts.append(TextBox(words, box, room.copy(), size, least, narrow < squeeze - 0.02))
        return box

    def cells(self, right: int, baseline: int, text: str, style: Style) -> pygame.Rect:
        """Digits in cells of one width, ending at `right`: a clock does not jump when its digits change."""
        widths = [self._cell(sign, style) for sign in text]
        left = right - sum(widths)
        ink: list[pygame.Rect] = []
        for sign, width in zip(text, widths, strict=True):
            sprite = self.kit.type.sprite(sign, style.weight, style.size, style.colour)
            at = left + (width - sprite.surface.get_width()) // 2
            ink.append(self._stamp(sprite.surface, sprite.ink, at, baseline - sprite.baseline))
            left += width
        box = ink[0].unionall(ink[1:])
        self.record.texts.append(TextBox(text, box, box.copy(), style.size, self.least, cut=False))
        return box

    def cells_width(self, text: str, style: Style) -> int:
        """How wide `cells` draws this text."""
        return sum(self._cell(sign, style) for sign in text)

    def _cell(self, sign: str, style: Style) -> int:
        widest = sign if not sign.isdigit() else "4"
        return math.ceil(self.kit.type.line(widest, style.weight, style.size).width)

    def _first_baseline(self, block: Block, room: pygame.Rect, style: Style) -> float:
        first, last = block.lines[0], block.lines[-1]
        highest, lowest = room.top + first.above, room.bottom - block.drops[-1] - last.below
        if style.valign == "top":
            return min(lowest, max(highest, room.top + block.size * 0.98))
        if style.valign == "bottom":
            return max(highest, min(lowest, room.bottom - block.size * 0.27 - block.drops[-1]))
        # The middle of the capitals, not of the ink: neighbours with other marks stand on one line.
        middle = room.centery - (block.drops[-1] - CAP * block.size) / 2
        return max(highest, min(lowest, middle)) if highest <= lowest else (highest + lowest) / 2

    def _left(self, room: pygame.Rect, width: float, style: Style) -> int:
        if style.align == "left":
            return room.left
        spare = room.w - width
        return room.left + round(spare if style.align == "right" else spare / 2)

    def _stamp(self, surface: pygame.Surface, ink: pygame.Rect, left: int, top: int) -> pygame.Rect:
        self.surface.blit(surface, (left, top))
        return ink.move(left, top)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a view that is drawn on its own, when its key changes. `paint` covers the whole rect."""

    name: str
    rect: pygame.Rect
    key: Hashable
    paint: Callable[[Canvas, pygame.Rect], None]


class Frame:
    """One output's surface, and what is on it."""

    def __init__(self, kit: Kit, size: tuple[int, int]) -> None:
        self._kit = kit
        self.size = size
        self.surface = pygame.Surface(size, 0, 32)
        self._drawn: dict[str, tuple[pygame.Rect, Hashable]] = {}
        self._records: dict[str, Record] = {}

    def show(self, regions: Sequence[Region]) -> list[pygame.Rect]:
        """Draw what has changed; returns the changed boxes, none when nothing has."""
        places = {region.name: region.rect for region in regions}
        if places != {name: rect for name, (rect, _) in self._drawn.items()}:
            self._drawn.clear()
            self._records.clear()
            self.surface.fill(self._kit.theme.page)
            for region in regions:
                self._paint(region)
            return [self.surface.get_rect()]
        changed = [region for region in regions if self._drawn[region.name][1] != region.key]
        for region in changed:
            self._paint(region)
        return [region.rect.copy() for region in changed]

    def forget(self) -> None:
        """Draw everything at the next `show`."""
        self._drawn.clear()

    def _paint(self, region: Region) -> None:
        record = Record()
        self.surface.set_clip(region.rect)
        region.paint(Canvas(self._kit, self.surface, record), region.rect)
        self.surface.set_clip(None)
        self._drawn[region.name] = (region.rect.copy(), region.key)
        self._records[region.name] = record

    def hit(self, x: int, y: int) -> str:
        """The action at a point; empty where there is none."""
        for box in self.hits():
            if box.rect.collidepoint(x, y):
                return box.action
        return ""

    def hits(self) -> Iterator[HitBox]:
        """All places to touch."""
        return (box for record in self._records.values() for box in record.hits)

    def texts(self) -> Iterator[TextBox]:
        """All text as drawn."""
        return (box for record in self._records.values() for box in record.texts)


def px(height: int, units: float) -> int:
    """Pixels on a screen of this height for a length given at a height of 1080."""
    return max(1, round(units * height / 1080))


def body_least(height: int) -> int:
    """Smallest size of body text, in pixels."""
    return math.ceil(height * BODY_SHARE)


def number_least(height: int) -> int:
    """Smallest size of a ticket's number, in pixels."""
    return math.ceil(height * NUMBER_SHARE)
