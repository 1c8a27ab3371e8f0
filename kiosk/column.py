"""Lines and pictures stacked down a strip of paper, with gaps that can give way. It refuses to know what they say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from PIL import Image, ImageDraw

from kiosk.typeset import CAP, LEADING, MANY, WHITE, Strip, best_size, clean, strip, wrap

CLEAR = 5  # dots of white between the ink of two lines, whatever marks they carry
OPEN = 9  # the same beside a rule or a picture
MARGIN = 6  # dots beside text: cheap heads sit a little off the paper's middle
SMALLEST = 20  # dots per em: below it the marks of Vietnamese letters fill up on thermal paper
FACTS = 4  # that may have a line each
WIDE = 512  # dots from which paper is wide


@dataclass(frozen=True, slots=True)
class Box:
    """One thing on the paper: `image`, its upper left corner at (left, top); nothing reaches outside of it."""

    name: str
    left: int
    top: int
    image: Image.Image

    @property
    def right(self) -> int:
        return self.left + self.image.width

    @property
    def bottom(self) -> int:
        return self.top + self.image.height


@dataclass(frozen=True, slots=True)
class Layout:
    """All boxes of a slip, `width` × `height` dots."""

    width: int
    height: int
    boxes: tuple[Box, ...]


def paint(plan: Layout) -> Image.Image:
    """Put all boxes on paper."""
    page = Image.new("1", (plan.width, plan.height), WHITE)
    for box in plan.boxes:
        page.paste(box.image, (box.left, box.top))
    return page


class Style(NamedTuple):
    """Weight, size in dots per em on 80 mm and on 58 mm paper, how far it may shrink to save a line, most lines."""

    weight: str
    wide: int
    narrow: int
    shrink: int = 3
    lines: int = MANY


@dataclass(frozen=True)
class Row:
    """What stands on one level; the tops of its boxes count from its own zero, for text the baseline.

    `gap` is the white from the base of the row above to `cap` dots above zero, as the eye sees it.
    """

    boxes: tuple[Box, ...]
    gap: int
    cap: int = 0
    base: int = 0
    clear: int = CLEAR  # least white to the ink of its neighbours; 0 of what brings its own white
    stiff: bool = False  # a line within a paragraph: its gap does not give way

    @cached_property
    def rise(self) -> int:
        return -min(box.top for box in self.boxes)

    @cached_property
    def fall(self) -> int:
        return max(box.bottom for box in self.boxes)


class Column:
    """Stacks things down the paper, centred. `letters` makes all letters smaller or larger, down to the smallest."""

    def __init__(self, width: int, *, wide: bool | None = None, letters: float = 1.0) -> None:
        self.width = width
        self.wide = width >= WIDE if wide is None else wide
        self.measure = width - 2 * MARGIN  # of text
        self.rows: list[Row] = []
        self._letters = letters

    def layout(self, squeeze: float = 1.0) -> Layout:
        """Where everything stands when each gap is that part of what it wished to be."""
        placed = list(self._placed(squeeze))
        boxes = tuple(replace(box, top=box.top + zero) for row, zero in placed for box in row.boxes)
        return Layout(self.width, max((row.fall + zero for row, zero in placed), default=1), boxes)

    def height(self, squeeze: float = 1.0) -> int:
        return max((row.fall + zero for row, zero in self._placed(squeeze)), default=1)

    def squeeze(self, limit: int, least: float) -> float:
        """The widest gaps with which the column is at most `limit` dots long: part of their wish, not below `least`."""
        if self.height() <= limit:
            return 1.0
        parts = [least + (1 - least) * step / 16 for step in range(16)]
        return parts[max(1, bisect_right(parts, limit, key=self.height)) - 1]

    def _placed(self, squeeze: float) -> Iterator[tuple[Row, int]]:
        base = ink = 0
        above: Row | None = None
        for row in self.rows:
            if above is None:
                zero = row.rise
            else:
                gap = row.gap if row.stiff else round(row.gap * squeeze)
                clear = max(row.clear, above.clear) if row.clear and above.clear else 0
                zero = max(base + gap + row.cap, ink + clear + row.rise)
            base, ink, above = zero + row.base, max(ink, zero + row.fall), row
            yield row, zero

    def text(
        self, name: str, text: str, style: Style, gap: int, lines: int | None = None, size: int | None = None
    ) -> None:
        """A paragraph in as few lines as it needs, at most `lines` or those of the style."""
        self.rows += self.paragraph(name, text, style, self.scaled(gap), lines, size)

    def paragraph(
        self, name: str, text: str, style: Style, gap: int = 0, lines: int | None = None, size: int | None = None
    ) -> tuple[Row, ...]:
        """The lines of a text, the first one `gap` dots below what stands above it."""
        text = clean(text)
        most = style.lines if lines is None else lines
        return _paragraph(name, text, style.weight, size or self.size(text, style), self.width, most, gap)

    def parts(self, name: str, parts: Sequence[str], style: Style, gap: int, inner: int = 12) -> None:
        """Short facts on one line with dots between them, or each on its own line where they do not fit."""
        facts = [fact for part in parts for fact in clean(part).split(" · ") if fact]
        whole = " · ".join(facts)
        one_line = len(wrap(whole, style.weight, self.size(whole, style), self.measure)) <= 1
        if one_line or len(facts) > FACTS:
            self.text(name, whole, style, gap)
            return
        for at, fact in enumerate(facts):
            self.text(name, fact, style, inner if at else gap)

    def size(self, text: str, style: Style) -> int:
        """The style's size, smaller where that saves a line."""
        wished = style.wide if self.wide else style.narrow
        largest = max(min(wished, SMALLEST), round(wished * self._letters))
        return best_size(text, style.weight, self.measure, largest, max(min(largest, SMALLEST), largest - style.shrink))

    def art(self, name: str, image: Image.Image, gap: int, clear: int = OPEN) -> None:
        self.rows.append(
            Row(
                (Box(name, (self.width - image.width) // 2, 0, image),),
                self.scaled(gap),
                base=image.height,
                clear=clear,
            )
        )

    def row(self, pictures: Sequence[tuple[str, Image.Image]], gap: int) -> None:
        """Pictures side by side, centred together; below one another where the paper is too narrow."""
        space = self.scaled(16)
        whole = sum(image.width + space for _, image in pictures) - space
        if len(pictures) > 1 and whole > self.width:
            for name, image in pictures:
                self.art(name, image, gap)
            return
        left, boxes = (self.width - whole) // 2, []
        tallest = max(image.height for _, image in pictures)
        for name, image in pictures:
            boxes.append(Box(name, left, (tallest - image.height) // 2, image))
            left += image.width + space
        self.rows.append(Row(tuple(boxes), self.scaled(gap), base=tallest))

    def rule(self, gap: int) -> None:
        self.art("rule", dashes(self.width), gap)

    def scaled(self, gap: int) -> int:
        return gap if self.wide else gap * 5 // 6


@lru_cache(maxsize=1000)
def _paragraph(name: str, text: str, weight: str, size: int, width: int, most: int, gap: int) -> tuple[Row, ...]:
    drawn = [strip(line, weight, size) for line in wrap(text, weight, size, width - 2 * MARGIN, most)]
    cap, pitch = round(CAP * size), _pitch(drawn, size)
    return tuple(
        Row(
            (Box(name, (width - line.image.width) // 2, -line.ascent, line.image),),
            pitch - cap if at else gap,
            cap,
            stiff=at > 0,
        )
        for at, line in enumerate(drawn)
    )


def _pitch(lines: list[Strip], size: int) -> int:
    """One distance for all baselines of a paragraph; stacked capitals (Ẳ, Ổ) rise a quarter em above the ascent."""
    touching = [above.descent + CLEAR + below.ascent for above, below in pairwise(lines)]
    return max([round(LEADING * size), *touching])


@lru_cache(maxsize=4)
def dashes(width: int) -> Image.Image:
    """A dashed rule across the paper."""
    image = Image.new("1", (width, 2), WHITE)
    draw = ImageDraw.Draw(image)
    for left in range((width + 7) % 16 // 2, width - 8, 16):
        draw.rectangle((left, 0, left + 8, 1), fill=0)
    return image
