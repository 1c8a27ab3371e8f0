"""The other side of the machine's USB printer: the emulated printer behind a virtio port, and what it was sent."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import zxingcpp
from PIL import Image

from kiosk import slip
from kiosk.column import Column
from kiosk.simulator.audit import TOKEN
from kiosk.simulator.escpos_decoder import Paper, Tokenizer
from kiosk.simulator.printer import EmulatedPrinter, Slip

RASTER = b"\x1dv0"
CHUNK = 8192


class PaperSide(threading.Thread):
    """Reads what the kiosk prints, and answers as a printer does. `raw` is all that came, byte for byte."""

    def __init__(self, port: socket.socket) -> None:
        super().__init__(name="paper side", daemon=True)
        self.printer = EmulatedPrinter()
        self.raw = bytearray()
        self._socket = port

    def run(self) -> None:
        with suppress(OSError):  # the machine is gone
            while self.printer.await_turn() and (data := self._socket.recv(CHUNK)):
                self.raw += data
                self.printer.receive(data, self._socket.sendall)

    def close(self) -> None:
        """The printer's own end of it, after all that the machine has sent before was read."""
        self.printer.close()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@dataclass(frozen=True, slots=True)
class OnPaper:
    """A slip that began to print. `token` is "" where its code is not on the paper yet."""

    token: str
    whole: bool
    again: bool
    """Whether it says that its number has been on paper before."""


def on_paper(raw: bytes) -> list[OnPaper]:
    """All slips whose first dots are among these bytes, in their order; the last one may be a part of one."""
    tokens, paper, found, begun = Tokenizer(), Paper(slip.PAPER_80_MM), [], False
    for command in tokens.feed(raw):
        begun = begun or command.name == RASTER
        if (piece := paper.carry_out(command)) and begun:
            found.append(_read(piece.image, piece.cut))
            begun = False
    if begun:
        found.append(_read(paper.take(cut=False).image, False))
    return [one for one in found if one is not None]


def token_of(printed: Slip) -> str:
    """Of the ticket that a slip is for; "" when its code cannot be read."""
    codes = [code.text for code in zxingcpp.read_barcodes(printed.image.convert("L"))]
    return next((found[1] for text in codes if (found := TOKEN.search(text))), "")


def _read(image: Image.Image, whole: bool) -> OnPaper | None:
    """None for what flushes a raster that was broken off: no dot is black."""
    if image.point(lambda value: 255 - value).getbbox() is None:
        return None
    codes = [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]
    token = next((found[1] for text in codes if (found := TOKEN.search(text))), "")
    return OnPaper(token, whole and bool(token), says_again(image))


def says_again(image: Image.Image) -> bool:
    """Whether the slip has the framed words "IN LẠI", dot for dot, in letters of any size that a slip may have."""
    return any(contains(image, mark) for mark in _marks())


@cache
def _marks() -> list[Image.Image]:
    sizes = {Column(slip.PAPER_80_MM, letters=form.letters).size("", slip.PILL) for form in slip.FORMS}
    return [slip.pill("IN LẠI", size, framed=True) for size in sorted(sizes)]


def contains(image: Image.Image, part: Image.Image) -> bool:
    """Whether a picture has another one in it, dot for dot; both are black and white."""
    rows, wanted = _rows(image), _rows(part)
    for top in range(len(rows) - len(wanted) + 1):
        left = rows[top].find(wanted[0])
        while left >= 0:
            if all(rows[top + at].startswith(row, left) for at, row in enumerate(wanted)):
                return True
            left = rows[top].find(wanted[0], left + 1)
    return False


def _rows(image: Image.Image) -> list[bytes]:
    """A byte a dot."""
    dots = image.convert("L").tobytes()
    return [dots[at : at + image.width] for at in range(0, len(dots), image.width)]
