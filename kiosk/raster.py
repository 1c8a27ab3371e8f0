"""A picture as ESC/POS raster commands. Pure bytes: no device, no answers, no slips.

GS v 0 is the one raster command that every thermal printer has (Epson, ESC/POS command reference, "GS v 0").
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from PIL import Image

BLANK_RUN = 3  # rows: splitting off a shorter blank costs more in command headers than it saves
INVERT = bytes(255 - value for value in range(256))  # Pillow's "1" has white as 1, a print head burns on 1


class Fragment(NamedTuple):
    """Rows `top` to `top + rows` of a picture."""

    top: int
    rows: int


def encode(image: Image.Image, fragment_rows: int = 100, centred: bool = False) -> list[bytes]:
    """GS v 0 commands that print a mode-"1" picture whose width is a multiple of 8.

    Each is about `fragment_rows` rows high at most, because cheap printers have buffers of a few kilobytes. White at
    the right is not sent; with `centred`, neither is as much at the left, and the printer must centre (ESC a 1).
    Blank rows go out one byte wide and not as ESC J: the unit of ESC J is half a dot on some printers.
    """
    if image.mode != "1" or image.width % 8:
        raise ValueError(f"a raster needs mode 1 and a width that is a multiple of 8, not {image.mode} {image.width}")
    stride = image.width // 8
    dots = image.tobytes().translate(INVERT)
    lines = [dots[at : at + stride] for at in range(0, len(dots), stride)]
    return [_command(lines[top : top + rows], rows, centred) for top, rows in fragments(lines, fragment_rows)]


def fragments(lines: list[bytes], fragment_rows: int) -> list[Fragment]:
    """Cut a picture into bands of ink and of blank rows; the last one may reach a row below the picture."""
    parts: list[Fragment] = []
    top = 0
    for bottom in _edges(lines):
        while top < bottom:
            rows = lucky(min(fragment_rows, bottom - top))
            parts.append(Fragment(top, rows))
            top += rows
    return parts


def lucky(rows: int) -> int:
    """The next height that keeps sync: some printers lose it at multiples of 48 and at powers of two (from 16 up)."""
    return rows + 1 if rows >= 16 and (rows % 48 == 0 or rows & (rows - 1) == 0) else rows


def _command(lines: list[bytes], rows: int, centred: bool) -> bytes:
    """GS v 0 m=0 xL xH yL yH, then the dots; rows past the end of the picture are blank."""
    start, end = _columns(lines, centred)
    body = b"".join(line[start:end] for line in lines).ljust(rows * (end - start), b"\0")
    return b"\x1dv0\0" + (end - start).to_bytes(2, "little") + rows.to_bytes(2, "little") + body


def _columns(lines: list[bytes], centred: bool) -> tuple[int, int]:
    """From which byte to which a band is sent."""
    stride = len(lines[0])
    left = min(stride - len(line.lstrip(b"\0")) for line in lines)
    right = min(stride - len(line.rstrip(b"\0")) for line in lines)
    if centred:
        cut = min(left, right, (stride - 1) // 2)
        return cut, stride - cut
    return 0, max(1, stride - right)


def _edges(lines: list[bytes]) -> list[int]:
    """Row numbers where a band ends: at the border between ink and a blank long enough to be worth it."""
    edges, row = [], 0
    for inked, group in groupby(lines, any):
        rows = len(list(group))
        if not inked and rows >= BLANK_RUN:
            edges += [row, row + rows]
        row += rows
    return [*edges, len(lines)]
