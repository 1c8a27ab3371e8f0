"""QR symbols as dots. It knows the standard's quiet zone and masks; it refuses to know slips and printers."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import qrcode
from PIL import Image
from qrcode.constants import ERROR_CORRECT_Q
from qrcode.exceptions import DataOverflowError

from kiosk.typeset import WHITE, TypesetError

QUIET = 4  # modules of white around a symbol (ISO/IEC 18004)
LARGEST = 6  # dots a module, 0.75 mm
LEAST = 4  # below it a thermal head and a cheap phone do not meet
WIDEST = 200  # dots = 25 mm: a larger symbol wastes paper, phones gain nothing
MASKS = 8
FINDER = ("10111010000", "00001011101")
"""Modules in a row or column that a reader may take for a corner."""


class Symbol(NamedTuple):
    """Modules as bits of one number, row by row; 1 is dark."""

    bits: int
    side: int  # modules


def qr(text: str, width: int, dots: int | None = None, largest: int = LARGEST) -> Image.Image:
    """A QR symbol at level Q with its quiet zone, `dots` a module; without them 6 or 5, fewer on too narrow paper.

    Upper-case text makes a smaller symbol (alphanumeric mode). Raises TypesetError if it cannot fit `width` dots.
    """
    symbol = encoded(text)
    dots = dots or _dots_per_module(symbol.side, width, largest)
    side = (symbol.side + 2 * QUIET) * dots
    if side > width:
        raise TypesetError(
            f"the QR address has {len(text)} characters: too long for paper {width} dots wide, shorten public_url"
        )
    page = Image.new("1", (side, side), WHITE)
    page.paste(_picture(symbol).resize((symbol.side * dots,) * 2, Image.Resampling.NEAREST), (QUIET * dots,) * 2)
    return page


def quiet_zone(text: str, image: Image.Image) -> int:
    """Dots of white on each side of the text's symbol."""
    return QUIET * image.width // (encoded(text).side + 2 * QUIET)


def _picture(symbol: Symbol) -> Image.Image:
    """One dot a module."""
    modules = format(symbol.bits, f"0{symbol.side**2}b").encode().translate(bytes.maketrans(b"01", b"\xff\0"))
    return Image.frombytes("L", (symbol.side, symbol.side), modules).convert("1", dither=Image.Dither.NONE)


def _dots_per_module(modules: int, width: int, largest: int) -> int:
    if modules * largest <= WIDEST:
        return largest
    return max(LEAST, min(5, width // (modules + 2 * QUIET)))


@lru_cache(maxsize=4)
def encoded(text: str) -> Symbol:
    """The text as modules, under the mask that readers like best."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=0)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise TypesetError("the QR address is too long: shorten public_url") from error
    bits, side = _bits(code.modules), len(code.modules)
    masked = (Symbol(bits ^ change, side) for change in _changes(code.version))
    return min(masked, key=penalty)


def _bits(modules: list[list[bool | None]]) -> int:
    return int("".join("1" if dark else "0" for row in modules for dark in row), 2)


@lru_cache(maxsize=8)
def _changes(version: int) -> tuple[int, ...]:
    """What turns a symbol of this version under mask 0 into the same one under each mask.

    It is the same for every text, so that a symbol needs its modules placed once and not eight times.
    """
    made = []
    for mask in range(MASKS):
        code = qrcode.QRCode(version=version, error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=mask)
        code.add_data("0")
        code.make(fit=False)
        made.append(_bits(code.modules))
    return tuple(bits ^ made[0] for bits in made)


def penalty(symbol: Symbol) -> int:
    """How hard a symbol is to read, by the four rules of ISO/IEC 18004 (7.8.3.1), all modules at once."""
    bits, side = symbol
    whole = (1 << side**2) - 1
    across, down = _alike(symbol, 1), _alike(symbol, side)
    blocks = across & (across >> side) & down
    dark = bits.bit_count() * 100 / side**2
    return (
        _runs(across, 1)
        + _runs(down, side)
        + 3 * blocks.bit_count()
        + 40 * sum(_found(bits, whole, side, step, like) for step in (1, side) for like in FINDER)
        + 10 * int(abs(dark - 50) / 5)
    )


def _alike(symbol: Symbol, step: int) -> int:
    """Modules that are as dark as the next one, in the row (step 1) or in the column (step `side`)."""
    return ~(symbol.bits ^ (symbol.bits >> step)) & _room(symbol.side, step, 2)


def _runs(alike: int, step: int) -> int:
    """Five alike cost 3, and each further one 1."""
    fives = alike & (alike >> step) & (alike >> 2 * step) & (alike >> 3 * step)
    return fives.bit_count() + 2 * (fives & ~(fives << step)).bit_count()


def _found(bits: int, whole: int, side: int, step: int, like: str) -> int:
    """How often these modules stand in a row or column."""
    there = _room(side, step, len(like))
    for at, dark in enumerate(like):
        there &= (bits if dark == "1" else bits ^ whole) >> at * step
    return there.bit_count()


@lru_cache(maxsize=32)
def _room(side: int, step: int, modules: int) -> int:
    """Modules that have so many, itself counted, in front of them in the row or in the column."""
    if step != 1:
        return (1 << side * (side - modules + 1)) - 1
    row = (1 << side - modules + 1) - 1
    return sum(row << at * side for at in range(side))
