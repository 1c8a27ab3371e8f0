"""Letters and codes as dots: fonts, measured lines, balanced wrapping, QR symbols. No knowledge of slips or printers.

Everything is black on white in Pillow's mode "1": a thermal head burns a dot or does not, and dithering would eat
thin strokes.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw, ImageFont
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.exceptions import DataOverflowError

from kiosk import fonts

CAP = 0.74  # height of a capital in Be Vietnam Pro, in em
LEADING = 1.25  # least distance of baselines, in em
QUIET = 4  # modules of white around a QR symbol (ISO/IEC 18004)
QR_LEAST = 4  # dots a module: below it a thermal head and a cheap phone do not meet
QR_WIDEST = 200  # dots = 25 mm: a larger symbol wastes paper, phones gain nothing
WHITE = 255
NBSP = "\u00a0"


class TypesetError(ValueError):
    """Text or a code that cannot be set."""


class FontMissing(TypesetError, FileNotFoundError):
    """The bundled font file cannot be used, and no stand-in was found."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One line of text as dots, cropped to its ink; `ascent` rows of it stand above the baseline."""

    image: Image.Image
    ascent: int

    @property
    def descent(self) -> int:
        """Rows below the baseline; negative if the ink ends above it."""
        return self.image.height - self.ascent


@lru_cache(maxsize=40)
def font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    """The bundled font in a weight (Regular, Medium, Bold, ExtraBold) at `size` dots per em.

    A missing or broken file is replaced by DejaVu Sans or Noto Sans (kiosk.fonts); without those it raises FontMissing.
    """
    # The basic layout engine is right for composed (NFC) Vietnamese and twice as fast as raqm.
    return ImageFont.truetype(str(font_file(weight)), size, layout_engine=ImageFont.Layout.BASIC)


def font_file(weight: str) -> Path:
    """Where the letters of a weight come from; raises FontMissing."""
    try:
        return fonts.choose(weight).path
    except fonts.FontError as error:
        raise FontMissing(str(error)) from error


def clean(text: str) -> str:
    """NFC, one line, single spaces: what the font can show (NFD marks would be printed beside their letters)."""
    return " ".join(unicodedata.normalize("NFC", text).split(" ")).replace("\n", " ").strip()


class _Advances(dict[str, float]):
    """Dots that each letter takes.

    Without kerning (the basic engine has none for this font) their sum is the line's length, and asking the font for
    whole lines would cost more than all the drawing.
    """

    def __init__(self, face: ImageFont.FreeTypeFont) -> None:
        super().__init__()
        self._face = face

    def __missing__(self, letter: str) -> float:
        self[letter] = self._face.getlength(letter)
        return self[letter]


@lru_cache(maxsize=40)
def _advances(weight: str, size: int) -> _Advances:
    return _Advances(font(weight, size))


def length(text: str, weight: str, size: int) -> int:
    """Width of a line in dots, rounded up."""
    return int(sum(map(_advances(weight, size).__getitem__, text))) + 1


@lru_cache(maxsize=192)
def strip(text: str, weight: str, size: int) -> Strip:
    """Draw one line. Repeated lines (header, service, footer) come from the cache."""
    face = font(weight, size)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(text, anchor="ls"))
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)), 255)
    ImageDraw.Draw(image).text((-left, -top), text, fill=0, font=face, anchor="ls")
    dots = image.convert("1", dither=Image.Dither.NONE)
    return _cropped(dots, -top)


def _cropped(dots: Image.Image, ascent: int) -> Strip:
    box = dots.point(lambda value: 255 - value).getbbox()
    if box is None:
        return Strip(dots, ascent)
    return Strip(dots.crop(box), ascent - box[1])


@lru_cache(maxsize=256)
def best_size(text: str, weight: str, width: int, largest: int, smallest: int) -> int:
    """The largest size that needs no more lines of `width` dots than the smallest one does."""
    # Hinted widths do not grow exactly with the size: start one above the proportion.
    one_line = min(largest, largest * width // length(text, weight, largest) + 1)
    for size in range(one_line, max(smallest, one_line - 3) - 1, -1):
        if length(text, weight, size) <= width:
            return size
    fewest = len(_lines(text, weight, smallest, width))
    sizes = range(largest, smallest, -1)
    return next((size for size in sizes if len(_lines(text, weight, size, width)) <= fewest), smallest)


def _lines(text: str, weight: str, size: int, width: int) -> list[str]:
    words = [piece for word in _words(text) for piece in _pieces(word, weight, size, width)]
    return _fill(words, weight, size, width)


@lru_cache(maxsize=256)
def wrap(text: str, weight: str, size: int, width: int) -> tuple[str, ...]:
    """Break text into as few lines as fit `width` dots, of about equal length: no word is left alone at the end.

    It breaks at spaces, but not at a no-break space nor before a dash, a dot or a unit ("20 phút").
    """
    words = [piece for word in _words(text) for piece in _pieces(word, weight, size, width)]
    fewest = len(_fill(words, weight, size, width))
    if fewest <= 1:
        return tuple(words and [" ".join(words)])
    low, high = max(length(word, weight, size) for word in words), width
    while low < high:
        middle = (low + high) // 2
        if len(_fill(words, weight, size, middle)) <= fewest:
            high = middle
        else:
            low = middle + 1
    return tuple(_fill(words, weight, size, high))


def _fill(words: list[str], weight: str, size: int, width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else ""
        if longer and length(longer, weight, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _words(text: str) -> list[str]:
    """Words of a text; a dash or a middle dot stays with the word before it, a word after a figure with the figure."""
    words: list[str] = []
    for word in text.split(" "):
        if words and (word in {"-", "–", "·", "—"} or _is_unit(words[-1], word)):
            words[-1] += NBSP + word
        elif word:
            words.append(word)
    return words


def _is_unit(figure: str, word: str) -> bool:
    return figure[-1:].isdigit() and word.isalpha() and word.islower() and len(word) <= 5


def _pieces(word: str, weight: str, size: int, width: int) -> list[str]:
    """A word that is wider than the paper, cut where it must be."""
    if length(word, weight, size) <= width:
        return [word]
    pieces = [""]
    for letter in word:
        if pieces[-1] and length(pieces[-1] + letter, weight, size) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def qr(text: str, width: int, dots: int | None = None) -> Image.Image:
    """A QR symbol at level Q with its quiet zone, 6 or 5 dots a module (0.75 or 0.63 mm), fewer on too narrow paper.

    Upper-case text makes a smaller symbol (alphanumeric mode). Raises TypesetError if it cannot fit `width` dots.
    """
    modules = _modules(text)
    dots = dots or _dots_per_module(len(modules), width)
    side = (len(modules) + 2 * QUIET) * dots
    if side > width:
        raise TypesetError(
            f"the QR address has {len(text)} characters: too long for paper {width} dots wide, shorten public_url"
        )
    symbol = Image.new("1", (len(modules), len(modules)), WHITE)
    symbol.putdata([0 if dark else WHITE for row in modules for dark in row])
    page = Image.new("1", (side, side), WHITE)
    page.paste(symbol.resize((len(modules) * dots,) * 2, Image.Resampling.NEAREST), (QUIET * dots, QUIET * dots))
    return page


def _modules(text: str) -> list[list[bool | None]]:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise TypesetError("the QR address is too long: shorten public_url") from error
    return code.modules


def _dots_per_module(modules: int, width: int) -> int:
    if modules * 6 <= QR_WIDEST:
        return 6
    return max(QR_LEAST, min(5, width // (modules + 2 * QUIET)))
