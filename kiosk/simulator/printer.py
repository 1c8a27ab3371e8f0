"""An ESC/POS receipt printer without paper, on TCP and on pseudo-terminals, that can be made to fail on purpose.

It reads the protocol on its own: nothing of the kiosk's printing code is used, so that a slip decoded here is a second
opinion. `python -m kiosk.simulator.printer --port 9100 --dir slips` writes each slip as PNG and as raw bytes; modes
are switched by typing their names.

It does not imitate: the time that printing takes, automatic status (GS a), fonts, memory switches, and printers that
parse real-time commands inside of raster data.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import select
import socket
import sys
import threading
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from PIL import Image

from kiosk.simulator.escpos_decoder import Command, Paper, Piece, Tokenizer

CHUNK = 4096
TICK_S = 0.02  # pace of the slow mode


class Mode(StrEnum):
    """How the printer is."""

    OK = "ok"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"  # offline: what arrives is kept and printed later, queries in real time are answered
    COVER_OPEN = "cover_open"  # the same
    MUTE = "mute"  # prints, answers nothing
    STALL = "stall"  # reads nothing any more
    RESET = "reset"  # power off and on: connections and everything received are gone; is ok afterwards
    SLOW = "slow"  # reads `bytes_per_s`
    UNPLUGGED = "unplugged"  # the device is not there


HELD = (Mode.PAPER_OUT, Mode.COVER_OPEN)


@dataclass(frozen=True, slots=True)
class Slip:
    """A piece of paper: its picture in mode "1", the bytes that made it, when it was cut (UTC)."""

    image: Image.Image
    raw: bytes
    at: datetime
    stray: bytes = b""  # text on it: for a printer that is sent pictures only, garbage


class EmulatedPrinter:
    """One printer with any number of sockets and pseudo-terminals. Thread-safe.

    `slips` are the pieces with ink that the knife cut off, `scraps` the blank and the torn ones.
    `paper_rows` is what is left on the roll (None: endless); at 0 the mode turns to paper_out.
    `keeps_data` says whether what arrived without paper is printed when there is paper again.
    """

    def __init__(
        self,
        on_slip: Callable[[Slip], None] | None = None,
        width: int = 576,
        mode: Mode = Mode.OK,
        bytes_per_s: int = 20_000,
        buffer_bytes: int = 65_536,
        keeps_data: bool = True,
    ) -> None:
        self.slips: list[Slip] = []
        self.scraps: list[Slip] = []
        self.paper_rows: int | None = None
        self.bytes_per_s = bytes_per_s
        self.received = 0  # bytes
        self._on_slip = on_slip
        self._buffer_bytes = buffer_bytes
        self._keeps_data = keeps_data
        self._mode = mode
        self._switch: tuple[int, Mode] | None = None
        self._tokens = Tokenizer()
        self._paper = Paper(width)
        self._queue: deque[tuple[Command, Callable[[bytes], None]]] = deque()
        self._queued = 0
        self._changed = threading.Condition(threading.RLock())
        self._ports: list[_TcpPort | _PtyPort] = []
        self._closed = False

    @property
    def mode(self) -> Mode:
        return self._mode

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Accept connections; returns host and port."""
        tcp = _TcpPort(self, host, port)
        self._ports.append(tcp)
        return tcp.plug_in()

    def open_pty(self, link: Path) -> Path:
        """A pseudo-terminal that can be opened at `link`, as a serial line or as a device file."""
        port = _PtyPort(self, link)
        self._ports.append(port)
        return port.plug_in()

    def switch(self, mode: Mode, after_bytes: int = 0) -> None:
        """Change the mode, now or in the middle of what comes: after so many more bytes."""
        with self._changed:
            self._switch = (after_bytes, mode) if after_bytes else None
            if not after_bytes:
                self._set_mode(mode)

    def wait_for_slips(self, count: int, timeout_s: float = 10.0) -> list[Slip]:
        """The slips so far, as soon as there are `count`; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.slips) >= count, timeout_s):
                raise TimeoutError(f"{len(self.slips)} of {count} slips after {timeout_s} s")
            return list(self.slips)

    def wait_for_bytes(self, count: int, timeout_s: float = 10.0) -> None:
        """Return as soon as so many bytes have arrived since it was switched on; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.received >= count, timeout_s):
                raise TimeoutError(f"{self.received} of {count} bytes after {timeout_s} s")

    def wait_for_mode(self, mode: Mode, timeout_s: float = 10.0) -> None:
        """Return as soon as the mode is reached; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._mode is mode, timeout_s):
                raise TimeoutError(f"still {self._mode} after {timeout_s} s")

    def close(self) -> None:
        """Unplug everything and end all threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for port in self._ports:
            port.unplug()

    def _set_mode(self, mode: Mode) -> None:
        before, self._mode = self._mode, Mode.OK if mode is Mode.RESET else mode
        if mode in (Mode.RESET, Mode.UNPLUGGED):
            self._forget()
            for port in self._ports:
                port.unplug()
        if mode is Mode.RESET or (before is Mode.UNPLUGGED and mode is not Mode.UNPLUGGED):
            for port in self._ports:
                port.plug_in()
        if before is Mode.PAPER_OUT and mode is not Mode.PAPER_OUT:
            self._new_roll()
        self._work()
        self._changed.notify_all()

    def _forget(self) -> None:
        self._tokens = Tokenizer()
        self._queue.clear()
        self._queued = 0
        if self._paper.rows:
            self._deliver(self._paper.take(cut=False))

    def _new_roll(self) -> None:
        self.paper_rows = None
        if self._paper.rows:
            self._deliver(self._paper.take(cut=False))
        if not self._keeps_data:
            self._forget()

    def await_turn(self) -> bool:
        """For a port: wait while nothing is read; False when all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._mode is not Mode.STALL and not self._full()))
            return not self._closed

    def pace(self) -> int:
        """For a port: how many bytes to read now; waits in the slow mode."""
        with self._changed:
            if self._mode is not Mode.SLOW:
                return CHUNK
            self._changed.wait_for(lambda: self._closed or self._mode is not Mode.SLOW, TICK_S)
            return max(1, int(self.bytes_per_s * TICK_S))

    def receive(self, data: bytes, reply: Callable[[bytes], None]) -> None:
        """For a port: bytes have arrived."""
        with self._changed:
            while data:
                now, data = self._until_switch(data, reply)
                self.received += len(now)
                self._take_in(now, reply)

    def _until_switch(self, data: bytes, reply: Callable[[bytes], None]) -> tuple[bytes, bytes]:
        """The bytes that belong to the present mode, and those after the switch that was asked for."""
        if self._switch is None:
            return data, b""
        left, mode = self._switch
        if len(data) < left:
            self._switch = (left - len(data), mode)
            return data, b""
        self._switch = None
        self._take_in(data[:left], reply)
        self._set_mode(mode)
        # What was still on its way is lost with the connection.
        return (b"", b"") if mode in (Mode.RESET, Mode.UNPLUGGED) else (data[left:], b"")

    def _take_in(self, data: bytes, reply: Callable[[bytes], None]) -> None:
        for command in self._tokens.feed(data):
            if command.name == b"\x10\x04":
                self._answer(reply, self._status(command.arguments[0]))
            else:
                self._queue.append((command, reply))
                self._queued += len(command.raw)
        self._work()

    def _full(self) -> bool:
        return self._queued > self._buffer_bytes

    def _work(self) -> None:
        """Carry out what has arrived, as long as there is paper and the cover is shut."""
        while self._queue and self._mode not in HELD:
            command, reply = self._queue.popleft()
            self._queued -= len(command.raw)
            self._carry_out(command, reply)
        self._changed.notify_all()

    def _carry_out(self, command: Command, reply: Callable[[bytes], None]) -> None:
        if command.name == b"\x1dr":
            self._answer(reply, 0x03 if self._mode is Mode.PAPER_LOW else 0x00)
            return
        before = self._paper.rows
        piece = self._paper.carry_out(command)
        if piece is not None:
            self._deliver(piece)
        elif self.paper_rows is not None:
            self.paper_rows = max(0, self.paper_rows - (self._paper.rows - before))
            if not self.paper_rows:
                self._mode = Mode.PAPER_OUT

    def _deliver(self, piece: Piece) -> None:
        slip = Slip(piece.image, piece.raw, datetime.now(UTC), piece.stray)
        inked = piece.image.point(lambda value: 255 - value).getbbox() is not None
        if not (piece.cut and inked):
            self.scraps.append(slip)
            return
        self.slips.append(slip)
        self._changed.notify_all()
        if self._on_slip is not None:
            self._on_slip(slip)

    def _answer(self, reply: Callable[[bytes], None], byte: int) -> None:
        if self._mode is not Mode.MUTE:
            reply(bytes([byte]))

    def _status(self, what: int) -> int:
        """Answers to DLE EOT, bit by bit as Epson's ESC/POS command reference has them."""
        cover, out = self._mode is Mode.COVER_OPEN, self._mode is Mode.PAPER_OUT
        low = out or self._mode is Mode.PAPER_LOW
        bits = {1: 0x08 * (cover or out), 2: 0x04 * cover | 0x20 * out, 4: 0x0C * low | 0x60 * out}
        return 0x12 | bits.get(what, 0)


class _Connection(threading.Thread):
    """Reads one open file descriptor until it ends, and writes the answers."""

    def __init__(self, printer: EmulatedPrinter, file: int) -> None:
        super().__init__(name="emulated printer", daemon=True)
        self._printer = printer
        self._file = file
        self._quit, self._wake = os.pipe()
        self._hung_up = self._closed = False
        self._lock = threading.Lock()
        os.set_blocking(file, False)

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the other end has gone
            while self._printer.await_turn() and (data := self._read()):
                if self._printer.await_turn() and not self._hung_up:
                    self._printer.receive(data, self._reply)
        self._close()

    def hang_up(self) -> None:
        with self._lock:
            if not self._closed:
                self._hung_up = True
                os.write(self._wake, b"x")

    def _read(self) -> bytes:
        size = self._printer.pace()
        ready, _, _ = select.select([self._file, self._quit], [], [])
        return b"" if self._quit in ready else os.read(self._file, size)

    def _reply(self, answer: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):  # nobody reads: the answer is lost, as on a wire
            if not self._closed:
                os.write(self._file, answer)

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            for file in (self._file, self._quit, self._wake):
                os.close(file)


class _TcpPort:
    """A listening socket on a port that stays the same when the printer is unplugged and plugged in again."""

    def __init__(self, printer: EmulatedPrinter, host: str, port: int) -> None:
        self._printer = printer
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._connections: list[_Connection] = []

    def plug_in(self) -> tuple[str, int]:
        self._listener = socket.create_server(self._address)
        host, port = self._listener.getsockname()[:2]
        self._address = (host, port)
        threading.Thread(target=self._accept, args=[self._listener], name="emulated printer port", daemon=True).start()
        return self._address

    def unplug(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.hang_up()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                accepted, _ = listener.accept()
                connection = _Connection(self._printer, accepted.detach())
                self._connections.append(connection)
                connection.start()


class _PtyPort:
    """A pseudo-terminal behind a symbolic link, as udev makes one for a printer."""

    def __init__(self, printer: EmulatedPrinter, link: Path) -> None:
        self._printer = printer
        self._link = link
        self._slave: int | None = None
        self._connection: _Connection | None = None

    def plug_in(self) -> Path:
        master, self._slave = pty.openpty()  # kept open at both ends, so that openers may come and go
        tty.setraw(self._slave)
        fresh = self._link.with_name(self._link.name + ".new")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self._link)
        self._connection = _Connection(self._printer, master)
        self._connection.start()
        return self._link

    def unplug(self) -> None:
        if self._connection is not None:
            self._connection.hang_up()
            self._connection = None
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None
            self._link.unlink(missing_ok=True)


def save(slip: Slip, folder: Path, number: int) -> Path:
    """Write a slip as slip-0001.png and, with the same name, .bin. Returns the picture's path."""
    picture = folder / f"slip-{number:04}.png"
    slip.image.save(picture)
    picture.with_suffix(".bin").write_bytes(slip.raw)
    return picture


def main(arguments: list[str] | None = None) -> int:
    """Command line: one printer that writes its slips into a folder."""
    parser = argparse.ArgumentParser(
        prog="python -m kiosk.simulator.printer", description="An ESC/POS printer that writes PNG files."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=9100, help="TCP port (default %(default)s)")
    parser.add_argument(
        "--pty", type=Path, help="also open a pseudo-terminal at this path, as a serial line or device file"
    )
    parser.add_argument("--width", type=int, default=576, help="dots: 576 for 80 mm paper, 384 for 58 mm")
    parser.add_argument("--dir", type=Path, default=Path("slips"), help="folder for the slips (default %(default)s)")
    options = parser.parse_args(arguments)
    options.dir.mkdir(parents=True, exist_ok=True)
    printer = EmulatedPrinter(on_slip=_saver(options.dir), width=options.width)
    try:
        print("listening on {}:{}".format(*printer.listen(options.host, options.port)), flush=True)
        if options.pty:
            print(f"pseudo-terminal {printer.open_pty(options.pty)}", flush=True)
    except OSError as error:
        print(f"cannot open: {error}", file=sys.stderr)
        return 1
    with contextlib.suppress(KeyboardInterrupt):
        _obey(printer)
    printer.close()
    return 0


def _saver(folder: Path) -> Callable[[Slip], None]:
    taken = len(list(folder.glob("slip-*.png")))
    count = iter(range(taken + 1, sys.maxsize))

    def keep(slip: Slip) -> None:
        print(save(slip, folder, next(count)), flush=True)

    return keep


def _obey(printer: EmulatedPrinter) -> None:
    print("modes: " + " ".join(Mode), flush=True)
    for line in sys.stdin:
        if line.strip() in list(Mode):
            printer.switch(Mode(line.strip()))
        print(f"mode {printer.mode}", flush=True)
    threading.Event().wait()  # no terminal: until a signal comes


if __name__ == "__main__":
    sys.exit(main())
