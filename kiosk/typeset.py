"""Letters as dots: fonts, measured lines, paragraphs of even lines. No knowledge of slips, codes or printers.

Everything is black on white in Pillow's mode "1": a thermal head burns a dot or does not, and dithering would eat
thin strokes.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, features

from kiosk import fonts
from kiosk.fonts import Face, Faces

logger = logging.getLogger(__name__)

CAP = 0.74  # height of a capital in Be Vietnam Pro, in em
LEADING = 1.25  # least distance of baselines, in em
WHITE = 255
NBSP = "\u00a0"
NAMING = frozenset({"xã", "phường", "tỉnh"})
"""Words that begin a place's name: a line ends before them, never behind them."""
MANY = 99  # lines

_more: tuple[Path, ...] = ()


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


# --- Fonts ------------------------------------------------------------------------------------------------------


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


def use(more: Sequence[Path]) -> None:
    """The office's fonts for letters that the bundled one lacks, told before the first slip is drawn."""
    global _more
    if tuple(more) != _more:
        _more = tuple(more)
        for kept in (_faces, clean, _foreign, _advances, _glyph, strip, best_size, wrap):
            kept.cache_clear()


@lru_cache(maxsize=1)
def _faces() -> Faces:
    """Which font sets which letter, as on the screens; raises FontMissing."""
    try:
        return Faces(_more, _opens)
    except fonts.FontError as error:
        raise FontMissing(str(error)) from error


def _opens(path: Path) -> bool:
    """Whether this font can be drawn with: some have pictures of letters at one size only."""
    try:
        ImageFont.truetype(str(path), 24).getmask("0")
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be drawn with (%s): it stands in for no letter", path, error)
        return False
    return True


@lru_cache(maxsize=16)
def _other_face(path: Path, size: int) -> ImageFont.FreeTypeFont:
    # Khmer and its like need their letters shaped, which raqm does where Pillow has it.
    shaped = ImageFont.Layout.RAQM if features.check_feature("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size, layout_engine=shaped)


# --- What can be shown of a text --------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def clean(text: str) -> str:
    """NFC, one line, single spaces, only letters that some font has: what can be printed of a text.

    NFD marks would be printed beside their letters, and unknown letters as boxes.
    """
    shown = "".join(map(_shown, unicodedata.normalize("NFC", text)))
    letters = (piece if isinstance(piece, str) else piece[0] for piece in _pieces(shown))
    return " ".join(filter(None, "".join(letters).split(" "))).strip()


def _shown(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return NBSP if letter in "\u00a0\u2007\u202f" else " "
    return letter


Piece = str | tuple[str, Face]
"""What is drawn at a time: a letter of the bundled font, or a whole run of those of another one."""


def _pieces(text: str) -> Sequence[Piece]:
    return text if _faces().knows(text) else _foreign(text)


@lru_cache(maxsize=256)
def _foreign(text: str) -> Sequence[Piece]:
    """Word by word as on the screens, so that both choose the same fonts."""
    runs = (run for part in re.split(f"([ {NBSP}])", text) for run in _faces().pieces(part))
    return [piece for run, face in runs for piece in ([(run, face)] if face else run)]


def _set_with(piece: Piece, weight: str, size: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """The letters of a piece and their font."""
    if isinstance(piece, str):
        return piece, font(weight, size)
    run, face = piece
    return run, _other_face(face.path(weight), size)


# --- One line ---------------------------------------------------------------------------------------------------


class _Advances(dict[Piece, float]):
    """Dots that each letter takes.

    Without kerning (the basic engine has none for this font) their sum is the line's length, and asking the font for
    whole lines would cost more than all the drawing.
    """

    def __init__(self, weight: str, size: int) -> None:
        super().__init__()
        self._weight, self._size = weight, size

    def __missing__(self, piece: Piece) -> float:
        letters, face = _set_with(piece, self._weight, self._size)
        self[piece] = face.getlength(letters)
        return self[piece]


@lru_cache(maxsize=80)
def _advances(weight: str, size: int) -> _Advances:
    return _Advances(weight, size)


def length(text: str, weight: str, size: int) -> int:
    """Width of a line in dots, rounded up."""
    return int(_exact(text, weight, size)) + 1


def _exact(text: str, weight: str, size: int) -> float:
    return sum(map(_advances(weight, size).__getitem__, _pieces(text)))


class Glyph(NamedTuple):
    """A letter as dots, its ink 255; `left` and `top` from where it is set. A space has none."""

    ink: Image.Image | None
    left: int
    top: int


@lru_cache(maxsize=3000)
def _glyph(piece: Piece, weight: str, size: int) -> Glyph:
    """Hinting makes a letter cost as much as a hundred copies of it, so each is drawn once."""
    letters, face = _set_with(piece, weight, size)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(letters, anchor="ls"))
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
    ImageDraw.Draw(image).text((-left, -top), letters, fill=255, font=face, anchor="ls")
    dots = image.convert("1", dither=Image.Dither.NONE)
    box = dots.getbbox()
    return Glyph(dots.crop(box), left + box[0], top + box[1]) if box else Glyph(None, 0, 0)


@lru_cache(maxsize=512)
def strip(text: str, weight: str, size: int) -> Strip:
    """Draw one line. Repeated lines (header, service, footer) come from the cache."""
    advances, at = _advances(weight, size), 0.0
    placed: list[tuple[int, int, Image.Image]] = []
    for piece in _pieces(text):
        glyph = _glyph(piece, weight, size)
        if glyph.ink is not None:
            placed.append((round(at) + glyph.left, glyph.top, glyph.ink))
        at += advances[piece]
    if not placed:
        return Strip(Image.new("1", (1, 1), WHITE), 0)
    left, top = min(x for x, _, _ in placed), min(y for _, y, _ in placed)
    right = max(x + ink.width for x, _, ink in placed)
    bottom = max(y + ink.height for _, y, ink in placed)
    image = Image.new("1", (right - left, bottom - top), WHITE)
    for x, y, ink in placed:
        image.paste(0, (x - left, y - top), ink)
    return Strip(image, -top)


# --- Paragraphs -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1000)
def best_size(text: str, weight: str, width: int, largest: int, smallest: int) -> int:
    """The largest size that needs no more lines of `width` dots than the smallest one does."""
    # Hinted widths do not grow exactly with the size: start one above the proportion.
    one_line = min(largest, largest * width // length(text, weight, largest) + 1)
    for size in range(one_line, max(smallest, one_line - 3) - 1, -1):
        if length(text, weight, size) <= width:
            return size
    fewest = _Measured.of(text, weight, smallest, width).fewest()
    sizes = range(largest, smallest, -1)
    return next((size for size in sizes if _Measured.of(text, weight, size, width).fewest() <= fewest), smallest)


@lru_cache(maxsize=1000)
def wrap(text: str, weight: str, size: int, width: int, most: int = MANY) -> tuple[str, ...]:
    """Break text into as few lines as fit `width` dots, of about equal length: no short word is left alone at the end.

    It breaks at spaces, best behind a comma or a dot, but neither at a no-break space nor before a dash or a unit
    ("20 phút"). What does not fit `most` lines is cut with "…", if it can behind a comma.
    """
    measured = _Measured.of(text, weight, size, width)
    if measured.fewest() > most:
        measured = measured.cut(most)
    return measured.lines()


@dataclass(frozen=True, slots=True)
class _Measured:
    """The words of a paragraph with their widths, and the measure in dots that they are to fill."""

    words: Sequence[str]
    widths: Sequence[float]
    space: float
    width: int
    weight: str
    size: int

    @classmethod
    def of(cls, text: str, weight: str, size: int, width: int) -> _Measured:
        return cls._of(
            [part for word in _words(text) for part in _parts(word, weight, size, width)], weight, size, width
        )

    @classmethod
    def _of(cls, words: Sequence[str], weight: str, size: int, width: int) -> _Measured:
        widths = [_exact(word, weight, size) for word in words]
        return cls(words, widths, _exact(" ", weight, size), width, weight, size)

    def ends(self) -> list[int]:
        """Where each line ends when each takes as many words as fit."""
        ends, used = [], 0.0
        for at, width in enumerate(self.widths):
            used += width + (self.space if used else 0.0)
            if used >= self.width and at:
                ends.append(at)
                used = width
        return [*ends, len(self.words)] if self.words else []

    def fewest(self) -> int:
        return len(self.ends())

    def lines(self) -> tuple[str, ...]:
        """The words in the fewest lines, evenly."""
        return tuple(" ".join(self.words[start:end]) for start, end in pairwise((0, *self._even())))

    def _even(self) -> tuple[int, ...]:
        """Where lines end so that they differ least from each other; breaks at commas and dots count as closer."""
        count = self.fewest()
        if count <= 1:
            return (len(self.words),) if self.words else ()
        upto = list(accumulate((width + self.space for width in self.widths), initial=0))
        wish = (upto[-1] - self.space * count) / count
        found: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
        for left in range(count - 1, -1, -1):
            longer: dict[int, tuple[float, tuple[int, ...]]] = {}
            for start, (cost, ends) in found.items():
                for end in range(start + 1, len(self.words) - left + 1):
                    line = upto[end] - upto[start] - self.space
                    if line >= self.width and end > start + 1:
                        break
                    price = cost + ((line - wish) / self.width) ** 2 + self._price(start, end, line)
                    if end not in longer or price < longer[end][0]:
                        longer[end] = price, (*ends, end)
            found = longer
        return found[len(self.words)][1]

    def _price(self, start: int, end: int, line: float) -> float:
        """What a line's end costs beside its length: a short word alone at the end is the worst."""
        if end == len(self.words):
            return 1.0 if end - start == 1 and line < 0.4 * self.width else 0.0
        if self.words[end].partition(NBSP)[0].lower() in NAMING:
            return -0.08
        if self.words[end - 1][-1] in "·–—-":
            return -0.03
        return -0.02 if self.words[end - 1][-1] in ",;:." else 0.0

    def cut(self, most: int) -> _Measured:
        """As many of the words as fit `most` lines, then "…"."""
        kept = list(self.words[: self.ends()[most - 1]])
        commas = [at for at, word in enumerate(kept, 1) if word.endswith((",", ";")) and at > len(kept) * 0.6]
        for comma in reversed(commas):
            listed = self._ended(kept[:comma], f"{NBSP}…")
            if listed._within(most):
                return listed
        while (cut := self._ended(kept, "…")).fewest() > most and len(kept) > 1:
            kept.pop()
        while not cut._within(most) and len(kept[-1]) > 1:
            kept[-1] = kept[-1][:-1]
            cut = self._ended(kept, "…")
        return cut

    def _within(self, most: int) -> bool:
        return self.fewest() <= most and max(self.widths) < self.width

    def _ended(self, words: list[str], mark: str) -> _Measured:
        last = words[-1] if mark != "…" else words[-1].rstrip(",;:·–—-" + NBSP)
        return self._of([*words[:-1], last + mark], self.weight, self.size, self.width)


def _words(text: str) -> list[str]:
    """What stays together: a dash or a dot with the word before it, a figure with its unit and with its word."""
    single = list(filter(None, text.split(" ")))
    words: list[str] = []
    for before, word, after in zip(["", *single], single, [*single[1:], ""], strict=False):
        if words and _belongs(before, word, after):
            words[-1] += NBSP + word
        else:
            words.append(word)
    return words


def _belongs(before: str, word: str, after: str) -> bool:
    """Whether no line ends between a word and the one before it."""
    if word in {"-", "–", "·", "—"} or before.lower() in NAMING:
        return True
    if word[0].isdigit():
        return before.isalnum()
    unit = word.isalpha() and word.islower() and len(word) <= 5 and not after[:1].isdigit()
    return unit and before[-1].isdigit()


def _parts(word: str, weight: str, size: int, width: int) -> list[str]:
    """A word that is wider than the paper, taken apart at what held it together, then cut where it must be."""
    if length(word, weight, size) <= width:
        return [word]
    if NBSP in word:
        return [part for piece in _loosened(word) for part in _parts(piece, weight, size, width)]
    parts = [""]
    for letter in word:
        if parts[-1] and length(parts[-1] + letter, weight, size) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _loosened(word: str) -> list[str]:
    """What no-break spaces hold together, taken apart before its figures, or where there is none at each space."""
    pieces: list[str] = []
    for piece in filter(None, word.split(NBSP)):
        if pieces and not (piece[0].isdigit() and pieces[-1][-1].isalpha()):
            pieces[-1] += NBSP + piece
        else:
            pieces.append(piece)
    return pieces if len(pieces) > 1 else list(filter(None, word.split(NBSP)))
