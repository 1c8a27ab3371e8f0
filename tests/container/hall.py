"""A hall around the container: a keypad to press, and a printer at a serial line.

The keypad is a pipe that carries the kernel's input events, beside the files in which the kernel describes a keypad.
The serial line is a pseudo-terminal of the container's own, whose other end the emulated printer holds. So the kiosk's
program is the installed one, with nothing of the test in it.
"""

import fcntl
import os
import struct
import threading
import time
import tty
from contextlib import suppress
from pathlib import Path

from kiosk.keypad import EV_KEY, EV_SYN, INPUT_EVENT, KEY_CODES, SYN_REPORT
from kiosk.simulator.printer import EmulatedPrinter
from tests.container.machine import Machine

NAME = "Kiosk Test Keypad"
DESCRIBED = "/srv/keypad"
"""Folder inside with what /sys/class/input is to say."""
LINE = "/dev/kiosk-serial-printer"
"""The name that udev's rule gives a slip printer behind a serial line."""
PRESS_S = 0.1
APART_S = 0.5
"""Between two presses: the same key is not taken again for 0.3 s."""
TIOCSPTLCK, TIOCGPTN = 0x40045431, 0x80045430
WORD = 8 * struct.calcsize("l")


class Keypad:
    """Plugged in anew after each boot."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._pipe = -1
        self._released = 0.0

    def plug_in(self) -> None:
        about = self._machine.root / DESCRIBED.lstrip("/") / "event0/device"
        (about / "capabilities").mkdir(parents=True, exist_ok=True)
        (about / "name").write_text(f"{NAME}\n")
        (about / "capabilities/key").write_text(f"{_bitmap(KEY_CODES.values())}\n")
        script = f"""
            mount --bind {DESCRIBED} /sys/class/input
            mkdir -p /dev/input && mkfifo -m 660 /dev/input/event0 && chgrp input /dev/input/event0"""
        self._machine.must("a keypad is plugged in", script)
        # For reading too: so the pipe has a writer all the time, and nobody waits for the other end.
        self._pipe = os.open(self._machine.inside("/dev/input/event0"), os.O_RDWR | os.O_NONBLOCK)

    def press(self, name: str) -> None:
        """A finger on a key, and off again."""
        time.sleep(max(0.0, self._released + APART_S - time.monotonic()))
        self._say(KEY_CODES[name], 1)
        time.sleep(PRESS_S)
        self._say(KEY_CODES[name], 0)
        self._released = time.monotonic()

    def unplug(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def _say(self, code: int, value: int) -> None:
        seconds, rest = divmod(time.monotonic(), 1)
        at = int(seconds), int(rest * 1e6)
        os.write(self._pipe, INPUT_EVENT.pack(*at, EV_KEY, code, value) + INPUT_EVENT.pack(*at, EV_SYN, SYN_REPORT, 0))


def _bitmap(codes: object) -> str:
    keys = sum(1 << code for code in set(codes))  # type: ignore[call-overload]
    words = []
    while keys:
        words.append(f"{keys & ((1 << WORD) - 1):x}")
        keys >>= WORD
    return " ".join(reversed(words))


class Line:
    """The serial line between the container and a printer, laid anew after each boot."""

    def __init__(self, machine: Machine, printer: EmulatedPrinter) -> None:
        self._machine = machine
        self._printer = printer

    def plug_in(self) -> None:
        terminals = self._machine.inside("/dev/pts")
        far = os.open(terminals / "ptmx", os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(far, TIOCSPTLCK, struct.pack("i", 0))
        (number,) = struct.unpack("I", fcntl.ioctl(far, TIOCGPTN, bytes(4)))
        near = os.open(terminals / str(number), os.O_RDWR | os.O_NOCTTY)  # kept open: kiosks come and go
        tty.setraw(near)
        threading.Thread(target=self._carry, args=[far, near], daemon=True).start()
        self._machine.must(
            "a printer is plugged in", f"ln -sfn pts/{number} {LINE}; chgrp dialout {LINE}; chmod 660 {LINE}"
        )

    def _carry(self, far: int, near: int) -> None:
        try:
            while data := os.read(far, 4096):
                self._printer.receive(data, lambda answer: _reply(far, answer))
        except OSError:
            pass  # the machine is switched off
        finally:
            os.close(near)
            os.close(far)


def _reply(file: int, answer: bytes) -> None:
    with suppress(OSError):  # nobody listens any more: lost, as on a wire
        os.write(file, answer)


def pictures(printer: EmulatedPrinter, folder: Path) -> None:
    """Every slip of the printer as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, slip in enumerate(printer.slips):
        slip.image.save(folder / f"slip-{number:04}.png")
