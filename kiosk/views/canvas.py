"""What views draw with: text in its room, plates, pictures; and the record of what was drawn where.

A view is cut into regions, each with a key. A region whose key has not changed is not drawn again, and one that a
message stood in place of comes back as a kept picture. Each drawing records its touchable boxes and its text boxes,
so that a finger finds an action and a test can measure that nothing is cut or overlapped.
"""

import logging
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pygame

from kiosk.views import shapes
from kiosk.views.cache import Cache
from kiosk.views.shapes import Plate
from kiosk.views.text import CAP, DIGITS, Block, Sprite, Typesetter, Weight, clean
from kiosk.views.theme import BODY_SHARE, DAY, NUMBER_SHARE, Rgb, Theme, readable

logger = logging.getLogger(__name__)

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
    """What one region drew; `lights` is the part of it to light up, None for all of it."""

    hits: list[HitBox] = field(default_factory=list)
    texts: list[TextBox] = field(default_factory=list)
    lights: pygame.Rect | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece of text is set. `size` in pixels; `lines` at most; one line down to `keep` of the size before two."""

    size: int
    weight: Weight = "Medium"
    colour: Rgb = (0, 0, 0)
    align: Align = "left"
    valign: VAlign = "middle"
    lines: int = 1
    keep: float = 0.8
    least: int = 0


@dataclass(frozen=True, slots=True)
class Covered:
    """The picture of a region that something else stands in place of for a while."""

    rect: pygame.Rect
    key: Hashable
    picture: pygame.Surface
    record: Record


COVERED_PIXELS = 2_000_000
"""How much is kept of what is covered, at 4 bytes a pixel: the tiles of one screen of 1920×1080."""


def _pixels(surface: pygame.Surface) -> int:
    return surface.get_width() * surface.get_height()


class Kit:
    """Everything that is kept between drawings of one screen: fonts, measured text, drawn shapes."""

    def __init__(self, theme: Theme = DAY) -> None:
        self.theme = theme
        self.type = Typesetter()
        self.pictures: Cache[pygame.Surface] = Cache(4_000_000, _pixels)
        self.lengths: Cache[int] = Cache(500, lambda _: 1)
        self.covered: Cache[Covered] = Cache(COVERED_PIXELS, lambda covered: _pixels(covered.picture))


class Canvas:
    """A surface to draw one region of a view on.

    `least` is the smallest size of text as it is set, `smallest` what no theme goes below, `least_number` that of a
    ticket's number.
    """

    def __init__(self, kit: Kit, surface: pygame.Surface, record: Record, base: int = 0) -> None:
        self.kit = kit
        self.theme = kit.theme
        self.surface = surface
        self.record = record
        self.base = base or base_of(surface.get_size())
        self.least = body_least(self.base)
        self.smallest = body_least(base_of(surface.get_size()))
        self.least_number = number_least(base_of(surface.get_size()))

    def px(self, units: float) -> int:
        """Pixels for a length given at a base of 1080."""
        return px(self.base, units)

    def ink(self, colour: Rgb, ground: Rgb | None = None) -> Rgb:
        """A colour as the text of this theme can have it on a ground (a card's, without one)."""
        # A little more than the theme asks for: thin strokes never reach their full colour.
        return readable(colour, self.theme.card if ground is None else ground, self.theme.contrast * 1.08)

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

    def light(self, rect: pygame.Rect) -> None:
        """Say which part of the region lights up with it: an empty page around it only costs time."""
        self.record.lights = rect.copy()

    # --- text

    def block(self, text: str, size: tuple[int, int], style: Style) -> Block | None:
        """Measure text for a room of this size without drawing it."""
        words = clean(text)
        if not words or min(size) <= 0:
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
            ink.append(self._stamp(sprite, left, round(baseline + drop)))
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
        least = style.least or self.least_number
        high = max(least, int(room.h / DIGITS))
        wide = int(high * room.w / self.kit.type.line(words, style.weight, high).width)
        size = min(high, max(wide, round(least * 1.2)))
        while size > least and self.kit.type.line(words, style.weight, size).width * squeeze > room.w:
            size = max(least, size - 4)
        width = self.kit.type.line(words, style.weight, size).width
        narrow = min(1.0, math.floor(room.w / width * 100) / 100)
        box = self._number(room, words, replace(style, size=size), narrow)
        self.record.texts.append(TextBox(words, box, room.copy(), size, least, narrow < squeeze - 0.02))
        return box

    def _number(self, room: pygame.Rect, words: str, style: Style, narrow: float) -> pygame.Rect:
        """Set a number with its ink in the middle of its room's height."""
        setter = self.kit.type
        if narrow < 1 or not words.isalnum():
            signs = [(0, setter.sprite(words, style.weight, style.size, style.colour, narrow))]
        else:
            signs = setter.signs(words, style.weight, style.size, style.colour)
        inks = [sprite.ink.move(x, -sprite.baseline) for x, sprite in signs]
        left = self._left(room, signs[-1][0] + signs[-1][1].width, style)
        baseline = room.centery - inks[0].unionall(inks[1:]).centery
        drawn = [self._stamp(sign, left + x, baseline) for x, sign in signs]
        return drawn[0].unionall(drawn[1:])

    def cells(self, right: int, baseline: int, text: str, style: Style) -> pygame.Rect:
        """Digits in cells of one width, ending at `right`: a clock does not jump when its digits change."""
        widths = [self._cell(sign, style) for sign in text]
        left = right - sum(widths)
        ink: list[pygame.Rect] = []
        for sign, width in zip(text, widths, strict=True):
            sprite = self.kit.type.sprite(sign, style.weight, style.size, style.colour)
            ink.append(self._stamp(sprite, left + (width - sprite.width) // 2, baseline))
            left += width
        box = ink[0].unionall(ink[1:])
        self.record.texts.append(TextBox(text, box, box.copy(), style.size, self.least, cut=False))
        return box

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

    def _stamp(self, sprite: Sprite, left: int, baseline: int) -> pygame.Rect:
        at = (left + sprite.left, baseline - sprite.baseline)
        self.surface.blit(sprite.surface, at)
        return sprite.ink.move(at)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a view that is drawn on its own, when its key changes. `paint` covers the whole rect.

    The regions of a view lie apart. `returns`: it is often covered and uncovered, so its picture is worth keeping.
    `base` is what its lengths are reckoned from (0: the surface's shorter edge). `flash` is the colour in which it
    lights up for a moment when `light`, or without one its key, is another than before.
    """

    name: str
    rect: pygame.Rect
    key: Hashable
    paint: Callable[[Canvas, pygame.Rect], None]
    returns: bool = False
    base: int = 0
    flash: Rgb | None = None
    light: Hashable = None


class Frame:
    """One output's surface, and what is on it."""

    def __init__(self, kit: Kit, size: tuple[int, int], surface: pygame.Surface | None = None) -> None:
        self._kit = kit
        self.size = size
        self.surface = surface or pygame.Surface(size, 0, 32)
        self._shown: dict[str, Region] = {}
        self._records: dict[str, Record] = {}
        self._own = object()
        self._unpainted: set[tuple[str, str]] = set()
        self._blank = True

    def show(self, regions: Sequence[Region]) -> list[pygame.Rect]:
        """Draw what has changed; returns the changed boxes, none when nothing has."""
        dirty = self._clear(regions)
        for region in regions:
            shown = self._shown.get(region.name)
            if shown is None or (shown.key, shown.base) != (region.key, region.base):
                if not self._recall(region):
                    self._paint(region)
                dirty.append(region.rect.copy())
        return dirty

    def draw_on(self, surface: pygame.Surface | None) -> None:
        """Draw on another surface of the same size, or one of its own: everything, at the next `show`."""
        self.surface = surface or pygame.Surface(self.size, 0, 32)
        self._shown.clear()
        self._records.clear()
        self._blank = True

    def _clear(self, regions: Sequence[Region]) -> list[pygame.Rect]:
        """Take away what is not among the regions or moves; returns what is now bare and stays so."""
        places = {region.name: region.rect for region in regions}
        gone = [shown for shown in self._shown.values() if places.get(shown.name) != shown.rect]
        # Where there is no room for all, none would still be there when it is wanted.
        fits = sum(region.rect.w * region.rect.h for region in gone if region.returns) <= COVERED_PIXELS
        for region in gone:
            self._put_away(region, keep=fits and region.returns)
        if not gone and not self._blank:
            return []
        # One box around all: what else is in it is covered, or bare already.
        freed = self.surface.get_rect() if self._blank else gone[0].rect.unionall([region.rect for region in gone])
        self._blank = False
        bare = left_over(freed, list(places.values()))
        for piece in bare:
            self.surface.fill(self._kit.theme.page, piece)
        return bare

    def _put_away(self, region: Region, keep: bool) -> None:
        """Forget a region, but for its picture."""
        del self._shown[region.name]
        record = self._records.pop(region.name)
        if not keep:
            return
        kept = self._kit.covered.find((self._own, region.name))
        if kept and kept.rect == region.rect and kept.key == region.key:
            return
        # The memory of the last picture is used again: new pages cost more than the copy.
        same = kept and kept.picture.get_size() == region.rect.size
        picture = kept.picture if kept and same else pygame.Surface(region.rect.size, 0, self.surface)
        picture.blit(self.surface, (0, 0), region.rect)
        self._kit.covered.put((self._own, region.name), Covered(region.rect.copy(), region.key, picture, record))

    def _recall(self, region: Region) -> bool:
        """Bring a region back as it was when it was covered, if it is the same."""
        kept = self._kit.covered.find((self._own, region.name)) if region.returns else None
        if kept is None or kept.rect != region.rect or kept.key != region.key:
            return False
        self.surface.blit(kept.picture, region.rect)
        self._note(region, kept.record)
        return True

    def _paint(self, region: Region) -> None:
        record = Record()
        self.surface.set_clip(region.rect)
        try:
            region.paint(Canvas(self._kit, self.surface, record, region.base), region.rect)
        except pygame.error as error:
            # One text that the font engine does not draw must not cost the whole picture.
            self._complain(region.name, str(error))
            self.surface.fill(self._kit.theme.page, region.rect)
        self.surface.set_clip(None)
        self._note(region, record)

    def _note(self, region: Region, record: Record) -> None:
        self._shown[region.name] = region
        self._records[region.name] = record

    def _complain(self, name: str, why: str) -> None:
        if (name, why) not in self._unpainted:
            self._unpainted.add((name, why))
            logger.error("the part “%s” of a picture cannot be drawn: %s", name, why)

    def lights(self, region: Region) -> pygame.Rect:
        """What lights up of a region that is shown."""
        return self._records[region.name].lights or region.rect

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


def left_over(rect: pygame.Rect, covers: Sequence[pygame.Rect]) -> list[pygame.Rect]:
    """What of a box no cover lies over, in boxes that lie apart."""
    pieces = [rect]
    for i in rect.collidelistall(covers):
        pieces = [part for piece in pieces for part in _around(piece, covers[i])]
    return pieces


def _around(rect: pygame.Rect, cover: pygame.Rect) -> list[pygame.Rect]:
    """Above, below, left and right of a cover, what there is of a box."""
    inside = rect.clip(cover)
    if not inside:
        return [rect]
    parts = (
        pygame.Rect(rect.x, rect.y, rect.w, inside.y - rect.y),
        pygame.Rect(rect.x, inside.bottom, rect.w, rect.bottom - inside.bottom),
        pygame.Rect(rect.x, inside.y, inside.x - rect.x, inside.h),
        pygame.Rect(inside.right, inside.y, rect.right - inside.right, inside.h),
    )
    return [part for part in parts if part]


def base_of(size: tuple[int, int], zoom: float = 1.0) -> int:
    """What all lengths on a screen of this size are reckoned from: its shorter edge, in pixels.

    An upright screen is the same panel turned: its letters are as large as on the one that lies. Larger text (`zoom`)
    is a smaller page seen from nearer.
    """
    return round(min(size) * zoom)


def px(base: int, units: float) -> int:
    """Pixels for a length given at a base of 1080."""
    return max(1, round(units * base / 1080))


def body_least(base: int) -> int:
    """Smallest size of body text, in pixels."""
    return math.ceil(base * BODY_SHARE)


def number_least(base: int) -> int:
    """Smallest size of a ticket's number, in pixels."""
    return math.ceil(base * NUMBER_SHARE)
