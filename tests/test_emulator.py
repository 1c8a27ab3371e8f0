"""The emulated printer reads ESC/POS on its own. These bytes are written by hand, from Epson's command reference."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kiosk.simulator.escpos_decoder import Paper, Piece, Tokenizer
from kiosk.simulator.printer import EmulatedPrinter, Mode, save

CUT = b"\x1dVB\x00"


def rows(image: Image.Image) -> list[str]:
    """A picture as text, one character a dot."""
    dots = image.convert("L").tobytes()
    return ["".join(".#"[dot == 0] for dot in dots[at : at + image.width]) for at in range(0, len(dots), image.width)]


def pieces(data: bytes, width: int = 16) -> list[Piece]:
    paper = Paper(width)
    return [piece for command in Tokenizer().feed(data) if (piece := paper.carry_out(command))]


def test_a_raster_burns_its_dots_from_the_left() -> None:
    (piece,) = pieces(b"\x1dv0\x00\x01\x00\x02\x00\xf0\x81" + CUT)
    assert rows(piece.image) == ["####............", "#......#........"]
    assert piece.raw == b"\x1dv0\x00\x01\x00\x02\x00\xf0\x81" + CUT
    assert piece.cut


def test_a_raster_is_centred_when_told_and_loses_what_is_too_wide() -> None:
    (piece,) = pieces(b"\x1ba\x01\x1dv0\x00\x01\x00\x01\x00\xff" + CUT, width=24)
    assert rows(piece.image) == ["........########........"]
    (piece,) = pieces(b"\x1dv0\x00\x03\x00\x01\x00\xff\xff\xff" + CUT, width=16)
    assert rows(piece.image) == ["#" * 16]


def test_feeds_leave_white_rows_and_a_reset_takes_the_settings_back() -> None:
    (piece,) = pieces(b"\x1bJ\x05\x1b3\x07\n\x1bd\x02\x1b@\x1b2\n\x1dv0\0\x01\0\x01\0\x80" + CUT)
    assert len(rows(piece.image)) == 5 + 7 + 14 + 30 + 1


def test_commands_may_arrive_in_any_pieces() -> None:
    data = b"\x00\x1b@\x1da\x00\x1dv0\x00\x02\x00\x03\x00" + bytes(range(6)) + b"\x1dr\x01\x10\x04\x02" + CUT
    whole = [command.raw for command in Tokenizer().feed(data)]
    tokens = Tokenizer()
    assert [command.raw for byte in data for command in tokens.feed(bytes([byte]))] == whole
    assert b"".join(whole) == data
    assert tokens.waiting == 0


def test_bytes_that_are_no_command_are_printed_as_garbage() -> None:
    (piece,) = pieces(b"\x00AB\x1b\x99\n" + CUT)
    assert piece.stray == b"AB\x1b\x99"
    assert "#" in "".join(rows(piece.image))


def test_paper_that_is_never_cut_is_torn_off_at_last() -> None:
    torn = pieces(b"\x1bJ\xff" * 200)
    assert len(torn) == 1
    assert not torn[0].cut


@pytest.fixture
def printer() -> Iterator[EmulatedPrinter]:
    emulated = EmulatedPrinter(width=16)
    yield emulated
    emulated.close()


@pytest.fixture
def line(printer: EmulatedPrinter) -> Iterator[socket.socket]:
    with socket.create_connection(printer.listen(), 5) as connection:
        yield connection


def ask(line: socket.socket, query: bytes) -> int:
    line.sendall(query)
    return line.recv(16)[0]


@pytest.mark.parametrize(
    ("mode", "answers"),
    [
        (Mode.OK, (0x12, 0x12, 0x12, 0x12)),
        (Mode.PAPER_LOW, (0x12, 0x12, 0x12, 0x1E)),
        (Mode.PAPER_OUT, (0x1A, 0x32, 0x12, 0x7E)),
        (Mode.COVER_OPEN, (0x1A, 0x16, 0x12, 0x12)),
    ],
)
def test_status_is_answered_in_real_time(
    mode: Mode, answers: tuple[int, ...], printer: EmulatedPrinter, line: socket.socket
) -> None:
    printer.switch(mode)
    assert tuple(ask(line, b"\x10\x04" + bytes([what])) for what in (1, 2, 3, 4)) == answers


def test_status_in_its_turn_waits_for_paper(printer: EmulatedPrinter, line: socket.socket) -> None:
    assert ask(line, b"\x1dr\x01") == 0x00
    printer.switch(Mode.PAPER_LOW)
    assert ask(line, b"\x1dr\x01") == 0x03
    printer.switch(Mode.PAPER_OUT)
    line.sendall(b"\x1dv0\0\x01\0\x01\0\xff" + CUT + b"\x1dr\x01")
    assert ask(line, b"\x10\x04\x02") == 0x32
    assert printer.slips == []
    printer.switch(Mode.OK)
    assert line.recv(16) == b"\x00"
    assert len(printer.wait_for_slips(1)) == 1


def test_a_silent_printer_prints(printer: EmulatedPrinter, line: socket.socket) -> None:
    printer.switch(Mode.MUTE)
    line.sendall(b"\x10\x04\x01\x1dv0\0\x01\0\x01\0\xff" + CUT + b"\x1dr\x01")
    printer.wait_for_slips(1)
    assert not select.select([line], [], [], 0)[0]


def test_a_stalled_printer_reads_nothing_until_it_wakes(printer: EmulatedPrinter, line: socket.socket) -> None:
    assert ask(line, b"\x10\x04\x01") == 0x12
    printer.switch(Mode.STALL)
    line.sendall(b"\x1dv0\0\x01\0\x01\0\xff" + CUT)
    assert printer.slips == []
    printer.switch(Mode.OK)
    printer.wait_for_slips(1)


def test_a_reset_loses_connections_and_what_was_not_printed(printer: EmulatedPrinter, line: socket.socket) -> None:
    line.sendall(b"\x1dv0\0\x01\0\x09\0\xff")
    assert ask(line, b"x" * 8 + b"\x10\x04\x01") == 0x12
    line.sendall(b"\x1dv0\0\x01\0\x09\0\xff")
    printer.switch(Mode.RESET)
    assert printer.mode is Mode.OK
    with pytest.raises(ConnectionError):
        while line.recv(16):
            pass
        raise ConnectionError("closed")
    assert printer.scraps


def test_a_mode_can_begin_after_a_number_of_bytes(printer: EmulatedPrinter, line: socket.socket) -> None:
    printer.switch(Mode.PAPER_OUT, after_bytes=13)
    line.sendall((b"\x1dv0\0\x01\0\x01\0\xff" + CUT) * 2 + b"\x10\x04\x02")
    assert line.recv(16) == b"\x32"
    assert len(printer.slips) == 1


def test_a_pseudo_terminal_is_found_under_the_same_name_after_unplugging(
    printer: EmulatedPrinter, tmp_path: Path
) -> None:
    name = printer.open_pty(tmp_path / "lp0")
    for _ in range(2):
        file = os.open(name, os.O_RDWR | os.O_NOCTTY)
        os.write(file, b"\x10\x04\x01")
        assert os.read(file, 16) == b"\x12"
        printer.switch(Mode.UNPLUGGED)
        assert not name.exists()
        printer.switch(Mode.OK)
        os.close(file)


def test_a_slip_is_kept_as_picture_and_bytes(printer: EmulatedPrinter, line: socket.socket, tmp_path: Path) -> None:
    data = b"\x1dv0\0\x01\0\x01\0\xff" + CUT
    line.sendall(data)
    (slip,) = printer.wait_for_slips(1)
    path = save(slip, tmp_path, 7)
    assert path.name == "slip-0007.png"
    assert rows(Image.open(path)) == ["########........"]
    assert path.with_suffix(".bin").read_bytes() == data
    assert slip.at.tzinfo is not None
