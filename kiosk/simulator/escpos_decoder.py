"""What ESC/POS bytes mean, read independently of the code that writes them. Pure: bytes in, commands and paper out.

It knows the commands that a ticket printer of this kind is sent. It does not imitate fonts (a text line becomes a bar),
motion units (one unit is one dot), nor bit images other than GS v 0. Unknown commands are taken for text, as a real
printer would print them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

# Command → number of argument bytes behind it. GS v 0 and GS V are longer than their first bytes say; see _length.
ARGUMENTS = {
    b"\x1b@": 0,  # reset settings
    b"\x1ba": 1,  # justification
    b"\x1b3": 1,  # line spacing
    b"\x1b2": 0,  # default line spacing
    b"\x1bJ": 1,  # feed dots
    b"\x1bd": 1,  # feed lines
    b"\x1b!": 1,
    b"\x1bE": 1,
    b"\x1bt": 1,
    b"\x1bR": 1,
    b"\x1bp": 3,
    b"\x1dV": 1,  # cut
    b"\x1dv0": 5,  # raster: m xL xH yL yH, then the dots
    b"\x1da": 1,  # automatic status
    b"\x1dr": 1,  # status, in its turn
    b"\x1dL": 2,
    b"\x1dW": 2,
    b"\x1dP": 2,
    b"\x1d!": 1,
    b"\x10\x04": 1,  # status, in real time
    b"\x10\x05": 1,
    b"\x10\x14": 3,
    b"\x1c.": 0,
}
IGNORED = frozenset(b"\x00\x0d\x11\x12\x13\x14\x18")  # NUL, CR, DC1 to DC4, CAN
LINE_DOTS = 30
FONT_DOTS = 12  # width of a text character
MAX_ROWS = 40_000  # 5 m of paper without a cut: the roll is taken to be torn off


class Command(NamedTuple):
    """One command: its name (first bytes; b"text" for a letter to print), its arguments, its raster, all its bytes."""

    name: bytes
    arguments: bytes
    data: bytes
    raw: bytes


class Tokenizer:
    """Cuts a stream of bytes into commands, whatever pieces it arrives in."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Command]:
        """Add bytes; the commands that are complete now."""
        self._buffer += data
        while (command := self._next()) is not None:
            del self._buffer[: len(command.raw)]
            yield command

    @property
    def waiting(self) -> int:
        """Bytes of a command that is not complete."""
        return len(self._buffer)

    def _next(self) -> Command | None:
        if not self._buffer:
            return None
        name = self._name()
        if name is None:
            return None
        size = len(name) + ARGUMENTS.get(name, 0)
        if len(self._buffer) < size:
            return None
        arguments = bytes(self._buffer[len(name) : size])
        more = _length(name, arguments)
        if len(self._buffer) < size + more:
            return None
        data = bytes(self._buffer[size : size + more])
        known = name in ARGUMENTS or name[0] in IGNORED or name == b"\n"
        return Command(name if known else b"text", arguments, data, name + arguments + data)

    def _name(self) -> bytes | None:
        """The longest command name at the start; one byte if there is none; None if it may still become one."""
        for size in (3, 2):
            start = bytes(self._buffer[:size])
            if start in ARGUMENTS:
                return start
        start = bytes(self._buffer[:3])
        if len(start) < 3 and any(name.startswith(start) for name in ARGUMENTS):
            return None
        return start[:1]


def _length(name: bytes, arguments: bytes) -> int:
    if name == b"\x1dv0":
        columns, rows = int.from_bytes(arguments[1:3], "little"), int.from_bytes(arguments[3:5], "little")
        return columns * rows
    if name == b"\x1dV":
        return 1 if arguments[0] in b"ABab\x67\x68" else 0
    return 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of paper that came off the roll: its picture (mode "1", black on white) and the bytes that made it."""

    image: Image.Image
    raw: bytes
    stray: bytes  # text that was printed: for a printer that is sent pictures only, garbage
    cut: bool  # by the knife; else torn off


class Paper:
    """The paper in the printer: what was burnt on it since the last cut."""

    def __init__(self, width: int) -> None:
        self._stride = width // 8
        self._rows = bytearray()
        self._raw = bytearray()
        self._stray = bytearray()
        self._line = 0
        self._centred = False
        self._spacing = LINE_DOTS

    @property
    def rows(self) -> int:
        """Dot rows on the paper since the last cut."""
        return len(self._rows) // self._stride

    def carry_out(self, command: Command) -> Piece | None:
        """Print; the piece of paper if the command cut it off."""
        self._raw += command.raw
        match command.name:
            case b"\x1b@":
                self._centred, self._spacing, self._line = False, LINE_DOTS, 0
            case b"\x1ba":
                self._centred = command.arguments[0] in b"\x011"
            case b"\x1b3":
                self._spacing = command.arguments[0]
            case b"\x1b2":
                self._spacing = LINE_DOTS
            case b"\x1bJ":
                self._feed(command.arguments[0])
            case b"\x1bd":
                self._feed(command.arguments[0] * self._spacing)
            case b"\n":
                self._feed(self._spacing)
            case b"\x1dv0":
                self._burn(command)
            case b"\x1dV":
                self._feed(command.data[0] if command.data else 0)
                return self.take(cut=True)
            case b"text":
                self._stray += command.raw
                self._line += 1
        return self.take(cut=False) if self.rows > MAX_ROWS else None

    def take(self, cut: bool) -> Piece:
        """Take off what is printed so far."""
        image = Image.frombytes("1", (self._stride * 8, max(1, self.rows)), bytes(self._rows) or bytes(self._stride))
        white = image.point(lambda value: 255 - value)
        piece = Piece(white, bytes(self._raw), bytes(self._stray), cut)
        self._rows.clear()
        self._raw.clear()
        self._stray.clear()
        return piece

    def _feed(self, rows: int) -> None:
        if self._line:
            bar = b"\xff" * min(self._stride, self._line * FONT_DOTS // 8)
            self._rows += bar.ljust(self._stride, b"\0") * (LINE_DOTS // 2)
            self._line = 0
        self._rows += bytes(rows * self._stride)

    def _burn(self, command: Command) -> None:
        """GS v 0: left-aligned or centred; dots beyond the head are lost; modes 1 to 3 double the dots."""
        columns = int.from_bytes(command.arguments[1:3], "little")
        left = max(0, (self._stride - columns) // 2) if self._centred else 0
        tall = 2 if command.arguments[0] & 2 else 1
        for at in range(0, len(command.data), columns or 1):
            line = bytes(left) + command.data[at : at + columns]
            self._rows += line[: self._stride].ljust(self._stride, b"\0") * tall
