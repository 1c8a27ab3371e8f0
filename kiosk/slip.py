"""The paper slip as a picture. It knows paper and type; it refuses to know tickets, offices, languages and printers.

The caller resolves every sentence; an empty string leaves its line out. The whole slip is a picture because no cheap
printer has all Vietnamese letters. `layout` says where everything stands, `render` puts it on paper.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

from kiosk.typeset import CAP, LEADING, WHITE, Strip, TypesetError, best_size, clean, qr, strip, wrap

logger = logging.getLogger(__name__)

PAPER_80_MM = 576  # dots a head prints on 80 mm paper, 8 dots a mm
PAPER_58_MM = 384
CLEAR = 5  # dots of white between the ink of two lines, whatever marks they carry
MARGIN = 6  # dots beside text: cheap heads sit a little off the paper's middle
LOGO_SIDE = {PAPER_80_MM: 88, PAPER_58_MM: 72}


@dataclass(frozen=True, slots=True)
class SlipContent:
    """What one slip says, in reading order, every line already in words. Empty means: not on this slip."""

    number: str
    service: str
    header: tuple[str, ...] = ()  # the unit first (bold), then the office
    logo: Path | None = None
    title: str = ""
    priority: str = ""  # in a black pill
    reprint: str = ""  # in a framed pill: this number has been on paper before
    place: str = ""  # counters and session
    ahead: str = ""
    wait: str = ""
    papers: str = ""
    keep: str = ""
    qr_url: str = ""
    qr_caption: str = ""
    time: str = ""
    hotline: str = ""
    not_receipt: str = ""
    second: tuple[str, ...] = ()  # the second language, below a rule of its own


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


class Style(NamedTuple):
    """Weight and size in dots per em on 80 mm and on 58 mm paper, and how far it may shrink to save a line.

    Below 20 dots the marks of Vietnamese letters fill up on thermal paper.
    """

    weight: str
    wide: int
    narrow: int
    shrink: int = 3

    def size(self, wide: bool) -> int:
        return self.wide if wide else self.narrow


UNIT = Style("Bold", 31, 26)
OFFICE = Style("Medium", 26, 24, 2)
TITLE = Style("Bold", 27, 24)
NUMBER = Style("ExtraBold", 204, 150, 90)
PILL = Style("Bold", 28, 24)
SERVICE = Style("Bold", 46, 36, 11)
BODY = Style("Medium", 28, 25)
WAIT = Style("Bold", 28, 25, 4)
NOTE = Style("Medium", 25, 23)
HOTLINE = Style("Bold", 26, 24)
SMALL = Style("Medium", 23, 21, 1)


def render(content: SlipContent, width: int = PAPER_80_MM) -> Image.Image:
    """Draw the slip, `width` dots wide (a multiple of 8, 576 for 80 mm, 384 for 58 mm), in mode "1".

    Raises TypesetError (a ValueError) for what cannot be set, FontMissing (also a FileNotFoundError) without a font.
    """
    return paint(layout(content, width))


def paint(plan: Layout) -> Image.Image:
    """Put all boxes on paper."""
    page = Image.new("1", (plan.width, plan.height), WHITE)
    for box in plan.boxes:
        page.paste(box.image, (box.left, box.top))
    return page


def layout(content: SlipContent, width: int = PAPER_80_MM) -> Layout:
    """Where everything stands. Boxes lie inside the paper and do not overlap."""
    if width % 8 or not 256 <= width <= 1024:
        raise TypesetError(f"slip width {width}: use 576 dots for 80 mm paper, 384 for 58 mm, or another multiple of 8")
    column = Column(width)
    _head(column, content)
    _number(column, content)
    _details(column, content)
    _phone(column, content)
    _foot(column, content)
    return column.layout()


def _head(column: Column, content: SlipContent) -> None:
    lines = [clean(line) for line in content.header if line.strip()]
    mark = _logo(content.logo, LOGO_SIDE[PAPER_80_MM if column.wide else PAPER_58_MM]) if content.logo else None
    if mark is not None and column.wide:
        column.beside(mark, lines)
    else:
        if mark is not None:
            column.art("logo", mark, 0)
        for at, line in enumerate(lines):
            column.text("header", line, OFFICE if at else UNIT, 18 if at else 12)
    if column.boxes:
        column.rule(14)


def _number(column: Column, content: SlipContent) -> None:
    column.text("title", content.title, TITLE, 16)
    column.text("number", content.number, NUMBER, 18)
    marks = [("priority", clean(content.priority), False), ("reprint", clean(content.reprint), True)]
    size = PILL.size(column.wide)
    pills = [(name, pill(text, size, framed)) for name, text, framed in marks if text]
    if all(image.width <= column.width for _, image in pills):
        column.row(pills, 18)
    else:
        for name, text, _ in marks:
            column.text(name, text, PILL, 18)


def _details(column: Column, content: SlipContent) -> None:
    column.text("service", content.service, SERVICE, 24)
    column.parts("place", [content.place], BODY, 18)
    column.parts("ahead", [content.ahead, content.wait], WAIT, 17)
    if content.papers or content.keep:
        column.rule(16)
        column.text("papers", content.papers, NOTE, 15)
        column.text("keep", content.keep, NOTE, 19)


def _phone(column: Column, content: SlipContent) -> None:
    symbol = _symbol(clean(content.qr_url), column.width) if content.qr_url else None
    if symbol is None:
        return
    column.art("qr", symbol, 4)
    # The symbol brings its own quiet zone, so the caption may stand right below it.
    column.text("qr_caption", content.qr_caption, NOTE, 2)


def _foot(column: Column, content: SlipContent) -> None:
    if content.time or content.hotline or content.not_receipt:
        column.rule(15)
    column.text("time", content.time, NOTE, 15)
    column.text("hotline", content.hotline, HOTLINE, 15)
    column.text("not_receipt", content.not_receipt, SMALL, 14)
    if any(content.second):
        column.rule(14)
    for line in content.second:
        column.parts("second", [line], SMALL, 13)


class Column:
    """Stacks things down the paper, centred. Gaps run from the last baseline to the next capital, as the eye sees."""

    def __init__(self, width: int, left: int = 0) -> None:
        self.width = width
        self.wide = width + left >= 512
        self.measure = width - 2 * MARGIN  # of text
        self.boxes: list[Box] = []
        self._left = left
        self._base = 0  # last baseline, or lower edge of a picture
        self._ink = -CLEAR  # lowest row with ink, which may hang below the baseline

    def layout(self) -> Layout:
        return Layout(self.width, max(1, self._ink), tuple(self.boxes))

    def text(self, name: str, text: str, style: Style, gap: int) -> None:
        """A paragraph, in as few lines as it needs."""
        text = clean(text)
        size = self.size(text, style)
        drawn = [strip(line, style.weight, size) for line in wrap(text, style.weight, size, self.measure)]
        pitch = _pitch(drawn, size)
        for at, line in enumerate(drawn):
            drop = pitch if at else self._scaled(gap) + round(CAP * size) if self.boxes else 0
            self._place(name, line, self._base + drop)

    def parts(self, name: str, parts: list[str], style: Style, gap: int) -> None:
        """Short facts on one line with dots between them, or each on its own line where they do not fit."""
        facts = [fact for part in parts for fact in clean(part).split(" · ") if fact]
        whole = " · ".join(facts)
        if len(wrap(whole, style.weight, self.size(whole, style), self.measure)) <= 1:
            self.text(name, whole, style, gap)
            return
        for at, fact in enumerate(facts):
            self.text(name, fact, style, gap if at == 0 else self._scaled(12))

    def size(self, text: str, style: Style) -> int:
        """The style's size, smaller where that saves a line."""
        largest = style.size(self.wide)
        return best_size(text, style.weight, self.measure, largest, largest - style.shrink)

    def art(self, name: str, image: Image.Image, gap: int) -> None:
        self.row([(name, image)], gap)

    def row(self, pictures: list[tuple[str, Image.Image]], gap: int) -> None:
        """Pictures side by side, centred together; below one another where the paper is too narrow."""
        space = self._scaled(16)
        if len(pictures) > 1 and sum(image.width + space for _, image in pictures) - space > self.width:
            for picture in pictures:
                self.row([picture], gap)
            return
        left = (self.width - sum(image.width for _, image in pictures) - space * (len(pictures) - 1)) // 2
        top = max(self._base + self._scaled(gap), self._ink + CLEAR, 0)
        for name, image in pictures:
            self.boxes.append(Box(name, left, top, image))
            left += image.width + space
            self._base = self._ink = max(self._ink, top + image.height)

    def rule(self, gap: int) -> None:
        self.art("rule", dashes(self.width), gap)

    def beside(self, mark: Image.Image, lines: list[str]) -> None:
        """The logo at the left, the header lines centred in what remains."""
        part = Column(self.width - mark.width - 14, mark.width + 14)
        for at, line in enumerate(lines):
            part.text("header", line, OFFICE if at else UNIT, 18)
        inked = part.layout().height
        height = max(mark.height, inked)
        self.boxes.append(Box("logo", 0, (height - mark.height) // 2, mark))
        drop = (height - inked) // 2
        self.boxes += [Box(box.name, box.left, box.top + drop, box.image) for box in part.boxes]
        self._base = self._ink = height

    def _place(self, name: str, drawn: Strip, baseline: int) -> None:
        baseline = max(baseline, self._ink + CLEAR + drawn.ascent)
        left = self._left + (self.width - drawn.image.width) // 2
        self.boxes.append(Box(name, left, baseline - drawn.ascent, drawn.image))
        self._base = baseline
        self._ink = max(self._ink, baseline + drawn.descent)

    def _scaled(self, gap: int) -> int:
        return gap if self.wide else gap * 5 // 6


def _pitch(lines: list[Strip], size: int) -> int:
    """One distance for all baselines of a paragraph; stacked capitals (Ẳ, Ổ) rise a quarter em above the ascent."""
    touching = [above.descent + CLEAR + below.ascent for above, below in pairwise(lines)]
    return max([round(LEADING * size), *touching])


@lru_cache(maxsize=4)
def dashes(width: int) -> Image.Image:
    """A dashed rule across the paper."""
    image = Image.new("1", (width, 2), WHITE)
    draw = ImageDraw.Draw(image)
    for left in range(0, width, 16):
        draw.rectangle((left, 0, left + 8, 1), fill=0)
    return image


@lru_cache(maxsize=8)
def pill(text: str, size: int, framed: bool) -> Image.Image:
    """A word in a rounded box: white on black, or black in a frame."""
    drawn = strip(text, PILL.weight, size)
    word = drawn.image if framed else drawn.image.point(lambda value: 255 - value)
    image = Image.new("1", (word.width + size * 7 // 4, max(size * 8 // 5, word.height + 12)), WHITE)
    frame = (0, 0, image.width - 1, image.height - 1)
    ImageDraw.Draw(image).rounded_rectangle(frame, radius=size // 2, fill=WHITE if framed else 0, outline=0, width=3)
    # Capitals in the middle, so that two pills side by side share a baseline whatever marks they carry.
    top = (image.height + round(CAP * size)) // 2 - drawn.ascent
    image.paste(word, ((image.width - word.width) // 2, min(max(top, 6), image.height - word.height - 4)))
    return image


def _symbol(address: str, width: int) -> Image.Image | None:
    """The QR symbol; an address that is too long costs the code, not the slip."""
    try:
        return qr(address, width)
    except TypesetError as error:
        _complain(str(error))
        return None


@lru_cache(maxsize=4)
def _complain(what: str) -> None:
    """Say once what every slip would say again."""
    logger.warning("slip printed without its QR code: %s", what)


@lru_cache(maxsize=4)
def _logo(path: Path, side: int) -> Image.Image | None:
    """The office's mark within side × side dots; a file that cannot be read costs the mark, not the slip."""
    try:
        with Image.open(path) as picture:
            flat = Image.new("RGBA", picture.size, "white")
            flat.alpha_composite(picture.convert("RGBA"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        logger.warning("slip printed without the logo %s (%s): use a PNG of a few hundred dots", path, error)
        return None
    grey = flat.convert("L")
    grey.thumbnail((side, side))
    return grey.convert("1", dither=Image.Dither.NONE)
