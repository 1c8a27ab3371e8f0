"""Font files: which ones set the letters of screens and slips, and which letters a file has. Draws nothing.

A font file is read here and not by a library: what is asked is its table of letters (cmap) and whether it is whole,
and a library for fonts would cost a kiosk that runs for years 2 MB and each start 30 ms.
"""

import logging
import os
import struct
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Literal

logger = logging.getLogger(__name__)

Weight = Literal["Regular", "Medium", "Bold", "ExtraBold"]

BUNDLED = Path(__file__).parent / "assets" / "fonts"
SYSTEM = Path("/usr/share/fonts/truetype")
WEIGHTS: tuple[Weight, ...] = ("Regular", "Medium", "Bold", "ExtraBold")
STAND_INS = (
    ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf"),
    ("noto/NotoSans-Regular.ttf", "noto/NotoSans-Bold.ttf"),
)
"""Installed fonts with all Vietnamese letters: regular, and the bold one for every heavier weight."""
SCRIPTS = ("truetype/noto/NotoSans*-Regular.*", "opentype/noto/NotoSans*-Regular.*")
"""Installed fonts of other scripts, below /usr/share/fonts (packages fonts-noto-core and fonts-noto-cjk)."""
MORE = "Install a font that has it (fonts-noto-core, fonts-noto-cjk), or name one in [screen] fonts"
INSTALL = "install the program again, or install the package fonts-dejavu-core"

VIETNAMESE = "".join(
    unicodedata.normalize("NFC", vowel + tone)
    for vowel in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
    for tone in ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
)
LETTERS = f"{VIETNAMESE}đĐ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .,:;!?()/%–—•·…-“”"
"""What every font of screens and slips must have."""

LAST_CODE = 0x10FFFF
"""The last code point of Unicode."""
MOST_CODES = 0x20000
"""Letters of one table: a font has at most 65,535 glyphs, and few of them stand for two letters."""

NO_SHAPE = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\ufffc")
SHAPED = {
    "KHMER": "Khmr",
    "CHAM": "Cham",
    "TAI VIET": "Tavt",
    "THAI": "Thai",
    "LAO": "Laoo",
    "MYANMAR": "Mymr",
    "DEVANAGARI": "Deva",
    "TAMIL": "Taml",
}
"""Scripts whose letters change their places and shapes: how their letters' names begin, and ISO 15924's code."""


class FontError(ValueError):
    """A font is missing or broken, or lacks letters; the message says what to do."""


class Letters:
    """Which letters a font has, as ranges of code points: a few kB even for Chinese."""

    def __init__(self, codes: Sequence[int]) -> None:
        """`codes` ascending, each once."""
        self._starts, self._ends = array("I"), array("I")
        for code in codes:
            if self._ends and code == self._ends[-1]:
                self._ends[-1] = code + 1
            else:
                self._starts.append(code)
                self._ends.append(code + 1)

    def __contains__(self, letter: str) -> bool:
        at = bisect_right(self._starts, ord(letter)) - 1
        return at >= 0 and ord(letter) < self._ends[at]

    def __iter__(self) -> Iterator[str]:
        return (chr(code) for start, end in zip(self._starts, self._ends, strict=True) for code in range(start, end))

    def lacks(self, text: str) -> str:
        """The letters of a text that the font does not have, in their order."""
        return "".join(letter for letter in text if letter not in self)


# --- which file


@dataclass(frozen=True, slots=True)
class Choice:
    """The file that sets a weight; `problem` says why it is not the bundled one (empty: it is)."""

    path: Path
    problem: str = ""


def bundled(weight: Weight | str) -> Path:
    """Where the kiosk's own font of a weight lies."""
    return BUNDLED / f"BeVietnamPro-{weight}.ttf"


def stand_ins(weight: Weight | str) -> list[Path]:
    """The installed fonts that can take its place, the first one first."""
    heavy = "Bold" in weight
    return [path for pair in STAND_INS if (path := SYSTEM / pair[heavy]).is_file()]


@lru_cache(maxsize=8)
def choose(weight: Weight | str) -> Choice:
    """The bundled font if it is whole and has every needed letter, else an installed one, said once.

    Raises FontError where there is neither.
    """
    own = bundled(weight)
    problem = _problem(own)
    if not problem:
        return Choice(own)
    for path in stand_ins(weight):
        if not _problem(path):
            logger.warning("%s: %s stands in. Install the program again to get it back.", problem, path.name)
            return Choice(path, problem)
    raise FontError(f"{problem}: {INSTALL}")


def _problem(path: Path) -> str:
    """What keeps a font from being used; empty where nothing does."""
    try:
        lacking = letters(path, checked=True).lacks(LETTERS)
    except FontError as error:
        return str(error)
    return f"{path} lacks the letters {lacking[:20]}" if lacking else ""


# --- letters that the bundled fonts do not have


@dataclass(frozen=True, slots=True)
class Face:
    """A font that stands in for some letters; `bold` is for the heavier weights."""

    regular: Path
    bold: Path
    letters: Letters

    def path(self, weight: Weight | str) -> Path:
        return self.bold if "Bold" in weight else self.regular


Piece = tuple[str, Face | None]
"""A part of a word and the font that sets it; None is the weight's own."""


class Faces:
    """Which font sets which part of a text: never a box. A text without foreign letters costs one look at a set.

    `more` are the office's fonts for other scripts, asked before the installed ones. `opens` says whether a file can
    be drawn with. Raises FontError where there is no font for Vietnamese at all.
    """

    def __init__(self, more: Sequence[Path] = (), opens: Callable[[Path], bool] = lambda _: True) -> None:
        self._own = {weight: choose(weight).path for weight in WEIGHTS}
        common = frozenset.intersection(*(frozenset(letters(path)) for path in self._own.values()))
        self._known = frozenset(letter for letter in common if not _unseen(letter)) | {" ", "\u00a0"}
        self._more = tuple(more)
        self._opens = opens
        self._others: list[Face] | None = None
        self._lost: set[str] = set()

    def path(self, face: Face | None, weight: Weight) -> Path:
        """The file of a piece's font."""
        return face.path(weight) if face else self._own[weight]

    def knows(self, text: str) -> bool:
        """Whether the weights' own fonts have every letter of a text."""
        return self._known.issuperset(text)

    def pieces(self, word: str) -> tuple[Piece, ...]:
        """A word as the runs that are set with one font each; empty when no font has any of its letters.

        A word stays whole where one font has all of it. Letters that none has are left out, and named once.
        """
        if self.knows(word):
            return ((word, None),)
        shown = "".join(letter for letter in word if not _unseen(letter))
        for face in (None, *self._other_faces()):
            if shown and all(self._has(face, letter) for letter in shown):
                return ((shown, face),)
        self._name_lost(shown)
        return tuple(self._runs(shown))

    def _runs(self, word: str) -> Iterator[Piece]:
        run, last = "", None
        for letter in word:
            found = self._face_of(letter, last if run else None)
            if found is None:
                continue
            (face,) = found
            if run and face is not last:
                yield run, last
                run = ""
            run, last = run + letter, face
        if run:
            yield run, last

    def _face_of(self, letter: str, last: Face | None) -> tuple[Face | None] | None:
        """The font of one letter; a mark stays with the letter that it stands on, if that font has it."""
        if unicodedata.category(letter).startswith("M") and self._has(last, letter):
            return (last,)
        return next(((face,) for face in (None, *self._other_faces()) if self._has(face, letter)), None)

    def _name_lost(self, word: str) -> None:
        lost = [letter for letter in dict.fromkeys(word) if self._face_of(letter, None) is None]
        if not self._lost.issuperset(lost):
            self._lost.update(lost)
            names = ", ".join(f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip() for letter in lost)
            logger.warning("no font has %s: left out. %s", names, MORE)

    def _has(self, face: Face | None, letter: str) -> bool:
        return letter in (face.letters if face else self._known)

    def _other_faces(self) -> list[Face]:
        """Opened when a text first wants them: most offices never do."""
        if self._others is None:
            pairs = [(path, path) for path in self._more] + installed()
            self._others = [face for pair in pairs if (face := self._face(*pair)) is not None]
        return self._others

    def _face(self, regular: Path, bold: Path) -> Face | None:
        try:
            face = Face(regular, bold if bold.is_file() else regular, letters(regular))
        except FontError as error:
            logger.warning("%s: it stands in for no letter", error)
            return None
        return face if self._opens(face.regular) and self._opens(face.bold) else None


def installed() -> list[tuple[Path, Path]]:
    """Installed fonts, regular and bold, that stand in for letters: the Vietnamese ones, then other scripts."""
    pairs = [(SYSTEM / regular, SYSTEM / bold) for regular, bold in STAND_INS]
    scripts = sorted(path for pattern in SCRIPTS for path in SYSTEM.parent.glob(pattern))
    pairs += [(path, path.with_name(path.name.replace("-Regular", "-Bold"))) for path in scripts]
    return [pair for pair in dict.fromkeys(pairs) if pair[0].is_file()]


def _unseen(letter: str) -> bool:
    """Letters without a shape: joiners, marks of direction, choices between shapes, what a pasted object leaves."""
    return unicodedata.category(letter) == "Cf" or "\ufe00" <= letter <= "\ufe0f" or letter in NO_SHAPE


def script(piece: str) -> str:
    """Code of the script by which a piece has to be shaped; empty where each letter stands for itself."""
    name = unicodedata.name(piece[:1], "") if piece else ""
    return next((code for begin, code in SHAPED.items() if name.startswith(begin)), "")


# --- what is in a file


@lru_cache(maxsize=16)
def letters(path: Path, *, checked: bool = False) -> Letters:
    """The letters that a font file has; raises FontError when it is missing, cut off or damaged.

    `checked`: its checksums are looked at too, because after a power cut a file can have its length and blocks of
    zeros in it. That takes 3 ms for a bundled font, and would take a second for a Chinese one.
    """
    try:
        with path.open("rb") as file:
            tables = _tables(file)
            if checked:
                _check_sums(file, tables)
            return Letters(sorted(_codes(_content(file, tables["cmap"]))))
    except OSError as error:
        raise FontError(f"{path} cannot be read ({error.strerror})") from error
    except (struct.error, IndexError, ValueError, UnicodeError) as error:
        raise FontError(f"{path} is damaged ({error})") from error


@dataclass(frozen=True, slots=True)
class _Table:
    """Where a table of a font lies in its file, and what its words add up to."""

    total: int
    offset: int
    length: int


def _tables(file: BinaryIO) -> dict[str, _Table]:
    """The tables of a font, or of the first font of a collection; ValueError when it is cut off or draws nothing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = 0
    if file.read(4) == b"ttcf":
        (start,) = struct.unpack(">8xI", file.read(12))
    file.seek(start)
    kind, count = struct.unpack(">4sH6x", file.read(12))
    if kind not in (b"\0\1\0\0", b"OTTO", b"true"):
        raise ValueError("no TrueType or OpenType font")
    rows = struct.iter_unpack(">4sIII", file.read(16 * count))
    found = {name.decode("latin-1"): _Table(*where) for name, *where in rows}
    if "cmap" not in found or not found.keys() & {"glyf", "CFF ", "CFF2"}:
        raise ValueError("it has no outlines")
    if any(table.offset + table.length > size for table in found.values()):
        raise ValueError("it is cut off")
    return found


def _content(file: BinaryIO, table: _Table) -> bytes:
    file.seek(table.offset)
    return file.read(table.length)


def _check_sums(file: BinaryIO, tables: dict[str, _Table]) -> None:
    """ValueError when a table is not what it was (OpenType, "Calculating checksums"; `head` holds the file's sum)."""
    for name, table in tables.items():
        content = _content(file, table) + bytes(-table.length % 4)
        words = struct.unpack(f">{len(content) // 4}I", content)
        if name != "head" and sum(words) & 0xFFFFFFFF != table.total:
            raise ValueError(f"the checksum of its table {name} is wrong")


def _codes(cmap: bytes) -> set[int]:
    """Code points of the Unicode subtables in the two formats that fonts of today have (4 and 12)."""
    (count,) = struct.unpack_from(">2xH", cmap)
    rows = [struct.unpack_from(">HHI", cmap, 4 + 8 * n) for n in range(count)]
    found: set[int] = set()
    for offset in {where for platform, kind, where in rows if platform == 0 or (platform == 3 and kind in (1, 10))}:
        (kind,) = struct.unpack_from(">H", cmap, offset)
        found |= _format_4(cmap[offset:]) if kind == 4 else _format_12(cmap[offset:]) if kind == 12 else set()
    return found


def _spans(firsts: Sequence[int], lasts: Sequence[int]) -> Sequence[tuple[int, int]]:
    """First and last codes of a subtable; ValueError where they are no letters, or more than a font can have.

    Four damaged bytes can say 4 thousand million letters, which would take all memory before anything else is noticed.
    """
    spans = list(zip(firsts, lasts, strict=True))
    for first, last in spans:
        if not first <= last <= LAST_CODE:
            raise ValueError(f"its table of letters goes from {first:X} to {last:X}")
    if sum(last + 1 - first for first, last in spans) > MOST_CODES:
        raise ValueError("its table of letters has too many")
    return spans


def _format_4(table: bytes) -> set[int]:
    """Segments of 16 bits; one with a range offset lists its glyphs, and glyph 0 is none."""
    (double,) = struct.unpack_from(">6xH", table)
    ends = struct.unpack_from(f">{double // 2}H", table, 14)
    starts, deltas, offsets = (struct.unpack_from(f">{double // 2}H", table, 16 + double * part) for part in (1, 2, 3))
    found: set[int] = set()
    for n, ((start, end), delta, offset) in enumerate(zip(_spans(starts, ends), deltas, offsets, strict=True)):
        if not offset:
            found.update(code for code in range(start, end + 1) if (code + delta) & 0xFFFF)
            continue
        where = 16 + double * 3 + 2 * n + offset
        glyphs = struct.unpack_from(f">{end + 1 - start}H", table, where)
        found.update(start + i for i, glyph in enumerate(glyphs) if glyph and (glyph + delta) & 0xFFFF)
    found.discard(0xFFFF)
    return found


def _format_12(table: bytes) -> set[int]:
    """Groups of 32 bits: first code, last code, first glyph."""
    (count,) = struct.unpack_from(">12xI", table)
    groups = list(struct.iter_unpack(">III", table[16 : 16 + 12 * count]))
    spans = _spans([group[0] for group in groups], [group[1] for group in groups])
    found: set[int] = set()
    for (start, end), (_, _, glyph) in zip(spans, groups, strict=True):
        found.update(range(start + (not glyph), end + 1))
    return found
