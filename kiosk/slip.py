"""The paper slip as a picture. It knows paper and type; it refuses to know tickets, offices, languages and printers.

The caller resolves every sentence; an empty string leaves its line out. The whole slip is a picture because no cheap
printer has all Vietnamese letters. `layout` says where everything stands, `render` puts it on paper. A slip that would
be longer than its paper's limit gives way by the rule of `FORMS`.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from kiosk.column import CLEAR, MARGIN, OPEN, WIDE, Box, Column, Layout, Row, Style, dashes, paint
from kiosk.logo import logo
from kiosk.symbol import LARGEST, qr, quiet_zone
from kiosk.typeset import CAP, MANY, WHITE, TypesetError, clean, length, strip

logger = logging.getLogger(__name__)

PAPER_80_MM = 576  # dots a head prints on 80 mm paper, 8 dots a mm
PAPER_58_MM = 384
LIMIT_WIDE = 840  # rows = 105 mm
LIMIT_NARROW = 880  # rows = 110 mm


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


class Form(NamedTuple):
    """How much a slip gives way to stay within its length."""

    squeeze: float = 0.75  # gaps, at least this part of their wish
    marks_above: bool = False  # the pills stand beside the title and not on a line of their own
    number: float = 1.0  # part of its size
    module: int = LARGEST  # dots of the QR code
    letters: float = 1.0  # part of the size of all letters but the number's; none below 20 dots
    papers: int = MANY  # lines
    lines: int = MANY  # of any other paragraph


FORMS = (
    # gaps, marks above, number, dots a module, letters, lines of papers, lines of others
    Form(),
    Form(0.75, True),
    Form(0.75, True, 0.92),
    Form(0.62, True, 0.92),
    Form(0.62, True, 0.85, 5),
    Form(0.62, True, 0.8, 5, 0.92),
    Form(0.62, True, 0.8, 5, 0.86),
    Form(0.62, True, 0.75, 5, 0.86, 2),
    Form(0.62, True, 0.7, 5, 0.8, 2),
    Form(0.62, True, 0.65, 5, 0.8, 1),
    Form(0.62, True, 0.65, 5, 0.8, 1, 2),
)
"""What gives way first when a slip would be too long (docs/printers.md has it in words)."""
SAME_LETTERS = next(at for at, form in enumerate(FORMS) if form.letters < 1)
"""Forms before letters shrink."""

UNIT = Style("Bold", 31, 26, 6, 3)
OFFICE = Style("Medium", 24, 24, 2, 4)
TITLE = Style("Bold", 27, 24, 3, 2)
NUMBER = Style("ExtraBold", 200, 146, 0)
PILL = Style("Bold", 27, 24)
SERVICE = Style("Bold", 48, 38, 13, 4)
BODY = Style("Medium", 27, 24, 3, 3)
AHEAD = Style("Bold", 28, 26, 5, 2)
NOTE = Style("Medium", 24, 22, 3, 5)
ASIDE = Style("Medium", 22, 21, 1, 6)
HOTLINE = Style("Bold", 23, 21, 1, 3)
SMALL = Style("Medium", 22, 21, 2, 4)
LOGO_SIDE = {True: 84, False: 64}
NUMBER_LEAST = 0.38  # of its size: a longer number takes more lines
HEADER_LINES = 3
SECOND_LINES = 4
BESIDE = 14  # dots between the logo and the words beside it
ASIDE_GAP = 17
ASIDE_LEAST = 6  # em: a narrower column beside the code has a word a line


def render(content: SlipContent, width: int = PAPER_80_MM) -> Image.Image:
    """Draw the slip, `width` dots wide (a multiple of 8, 576 for 80 mm, 384 for 58 mm), in mode "1".

    Raises TypesetError (a ValueError) for what cannot be set, FontMissing (also a FileNotFoundError) without a font.
    """
    return paint(layout(content, width))


def layout(content: SlipContent, width: int = PAPER_80_MM) -> Layout:
    """Where everything stands. Boxes lie inside the paper and do not overlap."""
    if width % 8 or not 256 <= width <= 1024:
        raise TypesetError(f"slip width {width}: use 576 dots for 80 mm paper, 384 for 58 mm, or another multiple of 8")
    content = _tidy(content)
    limit = LIMIT_WIDE if width >= WIDE else LIMIT_NARROW
    columns: dict[Form, Column] = {}

    def fits(form: Form) -> bool:
        columns[form] = composed(content, width, form)
        return columns[form].height(form.squeeze) <= limit

    # Letters of a further size cost more than anything else of the first slips.
    at = next((at for at in range(SAME_LETTERS) if fits(FORMS[at])), None)
    form = FORMS[min(bisect_left(FORMS, True, SAME_LETTERS, key=fits), len(FORMS) - 1) if at is None else at]
    return columns[form].layout(columns[form].squeeze(limit, form.squeeze))


def _tidy(content: SlipContent) -> SlipContent:
    """Only what can be printed; a line of which nothing can is none."""
    lines: dict[str, Any] = {
        field.name: clean(getattr(content, field.name))
        for field in fields(content)
        if field.type == "str" and field.name != "qr_url"
    }
    header, second = (tuple(filter(None, map(clean, part))) for part in (content.header, content.second))
    return replace(content, **lines, header=header[:HEADER_LINES], second=second[:SECOND_LINES])


def composed(content: SlipContent, width: int, form: Form) -> Column:
    """A slip of printable words in one form, whatever its length."""
    column = Column(width, letters=form.letters)
    _head(column, content, form)
    _number(column, content, form)
    _details(column, content, form)
    _phone(column, content, form)
    _foot(column, content, form)
    return column


def _head(column: Column, content: SlipContent, form: Form) -> None:
    side = LOGO_SIDE[column.wide]
    mark = logo(content.logo, side, column.measure) if content.logo else None
    if mark is not None and mark.width <= column.width // 3:
        _beside(column, mark, content.header, form.letters)
    else:
        if mark is not None:
            column.art("logo", mark, 0)
        _header(column, content.header)
    if column.rows:
        column.rule(18)


def _header(column: Column, lines: Sequence[str]) -> None:
    for at, line in enumerate(lines):
        column.text("header", line, OFFICE if at else UNIT, 16)


def _beside(column: Column, mark: Image.Image, lines: Sequence[str], letters: float) -> None:
    """The logo at the left, the header lines centred in what remains."""
    part = Column(column.width - mark.width - BESIDE, wide=column.wide, letters=letters)
    _header(part, lines)
    plan = part.layout()
    height = max(mark.height, plan.height)
    spare = min((box.left for box in plan.boxes), default=part.width // 2)
    left = spare if spare > MARGIN else 0
    words = [
        replace(box, left=box.left - spare + left + mark.width + BESIDE, top=box.top + (height - plan.height) // 2)
        for box in plan.boxes
    ]
    column.rows.append(Row((Box("logo", left, (height - mark.height) // 2, mark), *words), 0, base=height))


def _number(column: Column, content: SlipContent, form: Form) -> None:
    marks = [("priority", content.priority, False), ("reprint", content.reprint, True)]
    size = column.size("", PILL)
    pills = [(name, pill(text, size, framed)) for name, text, framed in marks if text]
    above = form.marks_above and bool(pills) and _titled(column, content.title, pills)
    if not above:
        column.text("title", content.title, TITLE, 18)
    _digits(column, content.number, form)
    if not pills or above:
        return
    if all(image.width <= column.width for _, image in pills):
        column.row(pills, 18)
    else:
        for name, text, _ in marks:
            column.text(name, text, PILL, 18, 2)


def _titled(column: Column, title: str, pills: Sequence[tuple[str, Image.Image]]) -> bool:
    """Title and pills on one line, if they fit."""
    size = column.size(title, TITLE)
    drawn = strip(title, TITLE.weight, size)
    space = column.scaled(18)
    whole = drawn.image.width + sum(space + image.width for _, image in pills)
    if not title or whole > column.measure:
        return False
    cap, left = round(CAP * size), (column.width - whole) // 2
    boxes = [Box("title", left, -drawn.ascent, drawn.image)]
    left += drawn.image.width
    for name, image in pills:
        boxes.append(Box(name, left + space, -(cap + image.height) // 2, image))
        left += space + image.width
    tallest = max(image.height for _, image in pills)
    column.rows.append(Row(tuple(boxes), column.scaled(20), cap, (tallest - cap) // 2, OPEN))
    return True


def _digits(column: Column, number: str, form: Form) -> None:
    """The number as large as the paper allows; a very long one on several lines of equal length, never cut."""
    wished = round((NUMBER.wide if column.wide else NUMBER.narrow) * form.number)
    least = round(wished * NUMBER_LEAST)
    for lines in range(1, max(2, len(number) + 1)):
        each = max(1, -(-len(number) // lines))
        parts = [number[at : at + each] for at in range(0, len(number), each)]
        size = min((_largest(part, column.measure, wished) for part in parts), default=wished)
        if size >= least:
            break
    for at, part in enumerate(parts):
        column.text("number", part, NUMBER, 14 if at else 22, size=size)


def _largest(text: str, width: int, wished: int) -> int:
    size = min(wished, wished * width // length(text, NUMBER.weight, wished) + 1)
    return next(fits for fits in range(size, 0, -1) if fits == 1 or length(text, NUMBER.weight, fits) <= width)


def _details(column: Column, content: SlipContent, form: Form) -> None:
    column.text("service", content.service, SERVICE, 30, min(form.lines, SERVICE.lines))
    column.parts("place", [content.place], BODY, 19)
    column.parts("ahead", [content.ahead, content.wait], AHEAD, 19)
    if content.papers or content.keep:
        column.rule(18)
        size = min(column.size(text, NOTE) for text in (content.papers, content.keep) if text)
        column.text("papers", content.papers, NOTE, 17, min(form.papers, NOTE.lines), size)
        column.text("keep", content.keep, NOTE, 17, min(form.lines, NOTE.lines), size)


def _phone(column: Column, content: SlipContent, form: Form) -> None:
    """The code with its caption, and time and hotline if there is room beside it."""
    symbol = _symbol(content.qr_url, column.width, form.module) if content.qr_url else None
    texts = [("time", content.time, ASIDE), ("hotline", content.hotline, HOTLINE)]
    if symbol is not None:
        texts.insert(0, ("qr_caption", content.qr_caption, ASIDE))
        texts = _panel(column, content.qr_url, symbol, [text for text in texts if text[1]], form)
    elif any(text for _, text, _ in texts):
        column.rule(18)
    for at, (name, text, style) in enumerate(texts):
        column.text(name, text, style, 15 if at or symbol is None else 6, min(form.lines, style.lines))


Text = tuple[str, str, Style]


def _panel(column: Column, address: str, symbol: Image.Image, texts: list[Text], form: Form) -> list[Text]:
    """The code at the left and, beside it, as many of the texts as its height has room for; returns the others."""
    width = column.width - symbol.width
    if not texts or width < ASIDE_LEAST * ASIDE.narrow * form.letters:
        column.art("qr", symbol, 4, 0)
        return texts
    quiet = quiet_zone(address, symbol)
    inked = symbol.height - 2 * quiet
    part = Column(width, wide=column.wide, letters=form.letters)
    groups: list[Sequence[Row]] = []
    for name, text, style in texts:
        more = [*groups, part.paragraph(name, text, style)]
        tall = _packed(more) + ASIDE_GAP * (len(more) - 1) > inked + quiet
        if groups and (tall or len(more[-1]) > 2):
            break
        groups = more
    gap = (inked - _packed(groups)) // max(1, len(groups) - 1)
    part.rows = _gapped(groups, min(2 * ASIDE_GAP, max(ASIDE_GAP, gap)))
    plan = part.layout()
    height, widest = max(symbol.height, plan.height), max(box.image.width for box in plan.boxes)
    # What is centred is the ink of both.
    left = max(0, (column.width - (symbol.width - quiet + widest)) // 2 - quiet)
    words = [replace(box, left=left + symbol.width, top=box.top + (height - plan.height) // 2) for box in plan.boxes]
    code = Box("qr", left, (height - symbol.height) // 2, symbol)
    clear = 0 if plan.height < symbol.height - quiet else CLEAR
    column.rows.append(Row((code, *words), 4, base=height, clear=clear))
    return texts[len(groups) :]


def _packed(groups: list[Sequence[Row]]) -> int:
    """Height of groups of lines without the gaps between them."""
    return sum(row.cap + (row.gap if at else 0) for group in groups for at, row in enumerate(group))


def _gapped(groups: list[Sequence[Row]], gap: int) -> list[Row]:
    return [row if at else replace(row, gap=gap) for group in groups for at, row in enumerate(group)]


def _foot(column: Column, content: SlipContent, form: Form) -> None:
    if content.not_receipt:
        below_code = bool(column.rows) and not column.rows[-1].clear  # which brings its own white
        column.rule(2 if below_code else 16)
        column.text("not_receipt", content.not_receipt, SMALL, 17, min(form.lines, SMALL.lines))
    if content.second:
        column.art("rule", dashes(column.width // 6), 14)
    for at, line in enumerate(content.second):
        column.text("second", line, SMALL, 12 if at else 13, min(form.lines, SMALL.lines))


@lru_cache(maxsize=16)
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


def _symbol(address: str, width: int, largest: int) -> Image.Image | None:
    """The QR symbol; an address that is too long costs the code, not the slip."""
    try:
        return qr(address, width, largest=largest)
    except TypesetError as error:
        _complain(str(error))
        return None


@lru_cache(maxsize=4)
def _complain(what: str) -> None:
    """Say once what every slip would say again."""
    logger.warning("slip printed without its QR code: %s", what)
