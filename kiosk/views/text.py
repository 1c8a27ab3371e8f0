"""Sets text by measuring it: wraps, shrinks down to a minimum, never guesses. Knows words only as shapes.

Text is drawn two to three times too large and scaled down, because the font engine's hinting spaces small Vietnamese
letters unevenly. Stacked capital marks (Ẫ, Ổ) rise above the font's ascent, so every height comes from the letters
themselves.
"""

import logging
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import pygame

from kiosk import fonts
from kiosk.fonts import Face, Faces
from kiosk.views.cache import Cache
from kiosk.views.theme import Rgb

logger = logging.getLogger(__name__)

Weight: TypeAlias = fonts.Weight

CAP = 0.74
"""Height of capitals and digits in this font, as a share of its size."""
DIGITS = 0.77
"""Height of digits with their overshoot, as a share of the size."""
LINE = 1.25
"""Least distance of two baselines, as a share of the size; more where marks would touch."""

TOWER = re.compile("([\u0300-\u036f]{3})[\u0300-\u036f]+")
"""More marks on one letter than any language has, which would rise over the lines above."""
TINIEST = 7
"""Size in pixels below which nothing is made smaller to stay in its room."""
NARROWEST = 0.85
"""How narrow letters may become before words are left out."""
SPACE = 0.26
"""Width of a space, as a share of the size: a little wider than the font's own, to be read from a distance."""

FONTS_OPEN = 16
"""Fonts that are kept open: each is one size of one file and takes 150 kB, and opens in 0.1 ms."""

BREAK = "\u200b"
"""Zero width space: draws nothing, and a line may end there. Khmer and Thai write it between their words."""
_JOINERS = frozenset("\u200c\u200d\u2060")
_STACKING = 9
"""Unicode's combining class of signs that pull the next letter below the last one (Khmer coeng)."""

_GLUED = frozenset({"–", "-", "—", "·", "•", "/", "|"})


def clean(text: str) -> str:
    """Text as it is measured and drawn: composed letters with few marks, single spaces, no line breaks."""
    composed = TOWER.sub(r"\1", unicodedata.normalize("NFC", text))
    return " ".join(part for part in composed.replace("\n", " ").split(" ") if part)


@dataclass(frozen=True, slots=True)
class Line:
    """One line at a known size: its width and how far its letters reach above and below the baseline, in pixels."""

    text: str
    width: float
    above: float
    below: float


@dataclass(frozen=True, slots=True)
class Block:
    """Text that has been set.

    `cut` tells that words had to be left out, `drops` are the baselines below the first one, `narrow` is how much
    narrower than usual its letters are.
    """

    lines: tuple[Line, ...]
    size: int
    cut: bool
    drops: tuple[float, ...]
    narrow: float = 1.0

    @property
    def height(self) -> float:
        """From the top of the first line's letters to the bottom of the last one's."""
        return self.lines[0].above + self.drops[-1] + self.lines[-1].below

    @property
    def width(self) -> float:
        """Width of the widest line."""
        return max(line.width for line in self.lines) * self.narrow


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn line without the empty room around it.

    `left` is where the picture begins in the line's `width`, `baseline` where the baseline is in the picture, `ink`
    which part of the picture can be seen.
    """

    surface: pygame.Surface
    left: int
    width: int
    baseline: int
    ink: pygame.Rect


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, or a part of it, where it stands in its line, and its font."""

    text: str
    x: float
    font: pygame.font.Font


def _pixels(sprite: Sprite) -> int:
    return sprite.surface.get_width() * sprite.surface.get_height()


class Typesetter:
    """Measures, wraps and draws lines with the bundled font, and letters that it lacks with one that has them.

    One instance per screen; pygame.font must be initialised. `more` are fonts of other scripts (kiosk.fonts). Raises
    FontError where no font has the Vietnamese letters.
    """

    def __init__(self, more: Sequence[Path] = ()) -> None:
        self._faces = Faces(more, _opens)
        self._fonts: Cache[pygame.font.Font] = Cache(FONTS_OPEN, lambda _: 1)
        self._lines: Cache[Line] = Cache(4000, lambda _: 1)
        self._blocks: Cache[Block] = Cache(1000, lambda _: 1)
        self._sprites: Cache[Sprite] = Cache(3_000_000, _pixels)

    def line(self, text: str, weight: Weight, size: int) -> Line:
        """Measure one line."""
        return self._lines.get((text, weight, size), lambda: self._measure(text, weight, size))

    def fit(
        self, text: str, weight: Weight, size: int, least: int, room: tuple[int, int], lines: int, keep: float
    ) -> Block:
        """Set text into a room (width, height) in at most `lines` lines, at `size` or as little smaller as needed.

        One line down to `keep` of the size is preferred to two lines. At `least` pixels the letters are made narrower
        by up to an eighth; after that words are left out, and said so.
        """
        key = (text, weight, size, least, room, lines, keep)
        return self._blocks.get(key, lambda: self._fit(text, weight, size, least, room, lines, keep))

    def sprite(self, text: str, weight: Weight, size: int, colour: Rgb, squeeze: float = 1.0) -> Sprite:
        """Draw one line; `squeeze` below 1.0 makes the letters narrower."""
        squeeze = round(squeeze, 2)
        key = (text, weight, size, colour, squeeze)
        return self._sprites.get(key, lambda: self._draw(text, weight, size, colour, squeeze))

    def signs(self, text: str, weight: Weight, size: int, colour: Rgb) -> list[tuple[int, Sprite]]:
        """Draw one word letter by letter, each with where it begins.

        For large numbers, which are new each time: their ten digits are soon kept. The picture is that of `sprite`.
        """
        (piece, face), *more = self._faces.pieces(text) or (("", None),)
        if _scale(size) > 1 or face or more or piece != text:
            return [(0, self.sprite(text, weight, size, colour))]
        width = self._font(None, weight, size).size
        # The end of what has been set so far, less the letter's own width: kerning is in it.
        return [
            (width(text[: i + 1])[0] - width(sign)[0], self.sprite(sign, weight, size, colour))
            for i, sign in enumerate(text)
        ]

    def close(self) -> None:
        """Close the font files. Before `pygame.font.quit`: fonts that outlive it never give their files back."""
        self._fonts.clear()

    def kept_pixels(self) -> int:
        """How much is kept of what was drawn."""
        return self._sprites.weight

    def _font(self, face: Face | None, weight: Weight, size: int, script: str = "") -> pygame.font.Font:
        path = self._faces.path(face, weight)
        return self._fonts.get((path, size, script), lambda: _opened(path, size, script))

    def _measure(self, text: str, weight: Weight, size: int) -> Line:
        scale = _scale(size)
        pieces, width = self._places(text, weight, size * scale)
        marks = [m for piece in pieces for m in piece.font.metrics(piece.text) if m is not None]
        above = max((m[3] for m in marks), default=0)
        below = max((-m[2] for m in marks), default=0)
        return Line(text, width / scale, above / scale, max(below, 0) / scale)

    def _places(self, text: str, weight: Weight, size: int) -> tuple[list[_Piece], float]:
        """Where each word begins, and the whole width.

        Words are set one by one, because the font kerns horned letters (ư, ữ) into the space behind them; and a word
        with letters of another script in the pieces that one font has.
        """
        found: list[_Piece] = []
        x = 0.0
        for word in text.replace("\u00a0", " ").split(" "):
            room = 0
            for piece, face in (pieces := self._faces.pieces(word)):
                font = self._font(face, weight, size, fonts.script(piece) if face else "")
                found.append(_Piece(piece, x + room, font))
                room += font.size(piece)[0]
            x += room + SPACE * size if pieces else 0
        return found, max(1.0, x - SPACE * size)

    def _fit(
        self, text: str, weight: Weight, size: int, least: int, room: tuple[int, int], lines: int, keep: float
    ) -> Block:
        least = min(least, size)
        for candidate in _sizes(size, max(least, round(size * keep))):
            block = self._set([text.replace(" ", "\u00a0")], weight, candidate)
            if block.width <= room[0] and block.height <= room[1]:
                return block
        for candidate in _sizes(size, least):
            block = self._set(self._wrap(text, weight, candidate, room[0]), weight, candidate)
            if len(block.lines) <= lines and block.width <= room[0] and block.height <= room[1]:
                return self._balance(_phrased(text), weight, candidate, room, block)
        block = self._set(self._wrap(text, weight, least, room[0] / NARROWEST), weight, least)
        if len(block.lines) <= lines and block.height <= room[1] and block.width * NARROWEST <= room[0]:
            return replace(block, narrow=min(1.0, math.floor(100 * room[0] / block.width) / 100))
        return self._cut(text, weight, least, room, lines)

    def _set(self, texts: list[str], weight: Weight, size: int, cut: bool = False) -> Block:
        lines = [self.line(t, weight, size) for t in texts]
        drops = [0.0]
        for upper, lower in pairwise(lines):
            drops.append(drops[-1] + max(LINE * size, upper.below + lower.above + 0.06 * size))
        return Block(tuple(lines), size, cut, tuple(drops))

    def _wrap(self, text: str, weight: Weight, size: int, width: float) -> list[str]:
        rows: list[str] = []
        for word in _words(text):
            joined = _joined(rows[-1], word) if rows else word
            if rows and self.line(joined, weight, size).width <= width:
                rows[-1] = joined
            else:
                rows.append(word)
        return rows

    def _balance(self, text: str, weight: Weight, size: int, room: tuple[int, int], block: Block) -> Block:
        """The same number of lines with their lengths as even as can be: no last line of one word.

        Where it costs no line, a line ends where a phrase does (behind a dash or a dot).
        """
        width, height = room
        phrased = self._set(self._wrap(text, weight, size, width), weight, size)
        if len(phrased.lines) > len(block.lines) or phrased.width > width or phrased.height > height:
            text = text.replace("\u00a0", " ")
        low, high = width / 2, float(width)
        while high - low > 4:
            middle = (low + high) / 2
            narrower = self._set(self._wrap(text, weight, size, middle), weight, size)
            if len(narrower.lines) <= len(block.lines) and narrower.width <= middle and narrower.height <= height:
                block, high = narrower, middle
            else:
                low = middle
        return block

    def _cut(self, text: str, weight: Weight, size: int, room: tuple[int, int], lines: int) -> Block:
        kept: list[str] = []
        rows = [
            row for word in self._wrap(text, weight, size, room[0]) for row in self._chop(word, weight, size, room[0])
        ] or [""]
        for row in rows[:lines]:
            if kept and self._set([*kept, row], weight, size).height > room[1]:
                break
            kept.append(row)
        if kept == rows:
            return self._low(kept, weight, size, room[1], cut=False)
        last = kept[-1]
        while last and self.line(last + "…", weight, size).width > room[0]:
            last = last[:-1].rstrip()
        return self._low([*kept[:-1], last + "…"], weight, size, room[1], cut=True)

    def _low(self, rows: list[str], weight: Weight, size: int, height: int, cut: bool) -> Block:
        """Rows that stay in a room of this height: letters of other scripts may tower over any size."""
        block = self._set(rows, weight, size, cut)
        while block.height > height and size > TINIEST:
            size = max(TINIEST, size * 9 // 10)
            block = self._set(rows, weight, size, cut=True)
        return block

    def _chop(self, row: str, weight: Weight, size: int, width: float) -> list[str]:
        """A row, broken inside its words where one word is wider than the room."""
        parts: list[str] = []
        while row and self.line(row, weight, size).width > width:
            end = len(row)
            while end > 1 and self.line(row[:end], weight, size).width > width:
                end = end // 2 if self.line(row[: end // 2], weight, size).width > width else end - 1
            end = _parting(row, end)
            parts.append(row[:end])
            row = row[end:]
        return [*parts, row] if row else parts

    def _draw(self, text: str, weight: Weight, size: int, colour: Rgb, squeeze: float) -> Sprite:
        scale = _scale(size)
        pieces, width = self._places(text, weight, size * scale)
        # A letter without width has no picture: the font engine refuses to draw it.
        drawn = [piece for piece in pieces if piece.font.size(piece.text)[0] > 0]
        words = [(p.x, p.font.render(p.text, True, colour), _baseline(p.font, p.text)) for p in drawn]
        baseline = max((own for _, _, own in words), default=0)
        below = max((picture.get_height() - own for _, picture, own in words), default=1)
        # Whole steps of the scale, so that the baseline falls on a pixel.
        top = -baseline % scale
        height = -(-(top + baseline + below) // scale)
        frame = pygame.Surface((math.ceil(width), height * scale), pygame.SRCALPHA)
        frame.fill((*colour, 0))
        for x, picture, own in words:
            frame.blit(picture, (round(x), top + baseline - own), special_flags=pygame.BLEND_RGBA_MAX)
        if scale > 1 or squeeze < 1:
            frame = pygame.transform.smoothscale(frame, (max(1, round(width * squeeze / scale)), height))
        return _trimmed(frame, (baseline + top) // scale)


def _trimmed(frame: pygame.Surface, baseline: int) -> Sprite:
    """What is empty costs memory, and time at each blit."""
    seen = frame.get_bounding_rect(min_alpha=1)
    picture = frame.subsurface(seen).copy()
    return Sprite(picture, seen.x, frame.get_width(), baseline - seen.y, picture.get_bounding_rect(min_alpha=40))


def _opened(path: Path, size: int, script: str) -> pygame.font.Font:
    font = pygame.font.Font(str(path), size)
    if script and hasattr(font, "set_script"):  # Debian bookworm's pygame 2.1.2 has it not
        font.set_script(script)
    return font


def _opens(path: Path) -> bool:
    """Whether this font can be drawn with: some have pictures of letters at one size only."""
    try:
        pygame.font.Font(str(path), 20).render("0", True, (0, 0, 0))
    except (pygame.error, OSError) as error:
        logger.warning("%s cannot be drawn with (%s): it stands in for no letter", path, error)
        return False
    return True


def _baseline(font: pygame.font.Font, word: str) -> int:
    """Rows above the baseline in the picture of a word: more than the ascent where marks are stacked."""
    return max([font.get_ascent(), *(m[3] for m in font.metrics(word) if m is not None)])


def _scale(size: int) -> int:
    """How many times too large a line is drawn; large letters need no help."""
    if size < 44:
        return 3
    return 2 if size < 90 else 1


def _sizes(size: int, least: int) -> range:
    return range(size, least - 1, -max(1, size // 40))


def _phrased(text: str) -> str:
    """Text that can be broken behind a dash or a dot between words alone, where it has any; else anywhere."""
    words = text.split(" ")
    if not _GLUED.intersection(words[1:-1]):
        return text
    return "".join(word + (" " if word in _GLUED else "\u00a0") for word in words).strip()


def _words(text: str) -> list[str]:
    """Words that may begin a line: a dash or a dot stays with the word before it.

    A word that ends in BREAK is followed by the next one without a space.
    """
    words: list[str] = []
    for word in text.split(" "):
        if word in _GLUED and words:
            words[-1] += "\u00a0" + word
            continue
        if parts := [part for part in word.split(BREAK) if part]:
            words += [*(part + BREAK for part in parts[:-1]), parts[-1]]
    return words or [""]


def _joined(row: str, word: str) -> str:
    return row + word if row.endswith(BREAK) else f"{row} {word}"


def _parting(row: str, end: int) -> int:
    """Where a row may be parted at or before `end`: not between a letter and its marks, nor at a joiner."""
    at = end
    while at > 0 and _hold_together(row[at - 1], row[at]):
        at -= 1
    return at or end


def _hold_together(letter: str, following: str) -> bool:
    return (
        unicodedata.category(following).startswith("M")
        or not _JOINERS.isdisjoint((letter, following))
        or unicodedata.combining(letter) == _STACKING
    )
