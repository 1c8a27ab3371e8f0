"""The kernel's messages since the boot: what they say of the disk below the data, and of the voltage.

They are read from /dev/kmsg where that is allowed (root), else from the journal (group systemd-journal).
"""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.vitals import Disk

KMSG = Path("/dev/kmsg")
JOURNAL = ("journalctl", "--dmesg", "--boot", "--quiet", "--no-pager", "--output=cat", "--lines=5000")
WAIT_S = 10.0
MOST_BYTES = 4_000_000
LOOK_S = 600.0
"""How long what the log said is good for: reading a journal costs a small board a second."""
RECORD = 8192
"""The kernel gives one record at a time and refuses a smaller room."""

_TROUBLE = r"(?:I/O error|\berror\b|\bfail(?:ed|ure)?\b|time(?:d )?-?out|\bstuck\b|abort(?:ed|ing)|read-only)"
# What ext4 says once a day of errors that it counted long ago; `Disk.errors` has them.
_REMINDER = re.compile(r"error count since last fsck|(?:initial|last) error at time")
_VOLTAGE = re.compile(r"under-?voltage detected", re.IGNORECASE)


@dataclass
class Log:
    """The kernel's messages, read again now and then. For one thread."""

    read: Callable[[], Sequence[str] | None] = lambda: messages()
    _lines: Sequence[str] | None = None
    _due: float = field(default=float("-inf"))

    def lines(self, at: float | None = None) -> Sequence[str] | None:
        """The messages since the boot, at a monotonic time (else now); None when they may not be read."""
        at = time.monotonic() if at is None else at
        if at >= self._due:
            self._lines, self._due = self.read(), at + LOOK_S
        return self._lines


def messages(kmsg: Path = KMSG) -> list[str] | None:
    """The messages, oldest first; None when they may not be read."""
    return _from_kernel(kmsg) or _from_journal() or None


def disk_errors(lines: Iterable[str], disk: Disk) -> list[str]:
    """The messages that tell of an error of this disk, of a part of it, or of the slot that it is in."""
    own = rf"\b{re.escape(disk.name)}(?:p?\d+)?\b"
    kinds = [rf"{own}.*{_TROUBLE}", rf"{_TROUBLE}.*{own}"]
    if disk.host:
        kinds.append(rf"^{re.escape(disk.host)}:.*{_TROUBLE}")
    trouble = re.compile("|".join(kinds), re.IGNORECASE)
    return [line for line in lines if trouble.search(line) and not _REMINDER.search(line)]


def low_voltage(lines: Iterable[str]) -> bool:
    """Whether the kernel was told of too little voltage."""
    return any(map(_VOLTAGE.search, lines))


def _from_kernel(kmsg: Path) -> list[str]:
    """Records as "priority,number,time,flags;text", each followed by lines about it that begin with a space."""
    read = bytearray()
    with suppress(OSError):
        file = os.open(kmsg, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while len(read) < MOST_BYTES and (piece := _record(file)) is not None:
                read += piece
        finally:
            os.close(file)
    lines = read.decode("utf-8", "replace").splitlines()
    return [line.partition(";")[2] for line in lines if ";" in line and not line.startswith(" ")]


def _record(file: int) -> bytes | None:
    try:
        return os.read(file, RECORD) or None
    except BrokenPipeError:
        return b""  # it was overwritten meanwhile: the next one follows
    except BlockingIOError:
        return None  # that was the last one


def _from_journal() -> list[str]:
    try:
        done = subprocess.run(JOURNAL, capture_output=True, timeout=WAIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [] if done.returncode else done.stdout.decode("utf-8", "replace").splitlines()
