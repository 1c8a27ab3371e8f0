"""The write canary: now and then a small file is written, made durable and read back, to see a dying card early.

The database may not write for hours in a quiet office, and its own writes are answered by the card's cache for long.
The trial runs in a thread of its own, because a dying card can keep it for minutes: nobody waits for it, and nothing
is restarted because of it. What came of it is one word.
"""

import errno
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Self

FILE = "canary"
FIRST_S = 60.0
"""So long after the start: the kiosk shall be open first."""
EVERY_S = 300.0
AGAIN_S = 60.0
"""So soon again when the last one was not good."""
SLOW_S = 2.0
"""A sound card needs 5 to 200 ms, and up to a second while it tidies up."""
STALLED_S = 30.0
BYTES = 4096

Trial = Callable[[Path], None]
logger = logging.getLogger(__name__)


class CanaryState(StrEnum):
    """What came of the last trials."""

    UNKNOWN = ""
    OK = "ok"
    SLOW = "slow"  # twice in a row
    STALLED = "stalled"  # one is under way and does not end
    FAILED = "failed"
    FULL = "full"  # no space is left: no fault of the card

    @property
    def bad(self) -> bool:
        """Whether somebody should look at the card."""
        return self in (CanaryState.SLOW, CanaryState.STALLED, CanaryState.FAILED)


def try_disk(path: Path) -> None:
    """Write the file over, make it durable, read it back from the disk itself. Raises OSError."""
    content = (hashlib.sha256(os.urandom(32)).digest() * (BYTES // 32))[:BYTES]
    # In place: no rename and no new block, so that it needs no space and wears one block.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        os.pwrite(file, content, 0)
        os.fsync(file)
        # Else the answer would come from memory.
        os.posix_fadvise(file, 0, BYTES, os.POSIX_FADV_DONTNEED)
        if os.pread(file, BYTES, 0) != content:
            raise OSError(errno.EIO, "other bytes came back than were written", str(path))
    finally:
        os.close(file)


class Canary:
    """The thread and what it found. `state` may be asked from any thread; times are monotonic seconds."""

    def __init__(self, folder: Path, trial: Trial = try_disk) -> None:
        self._path = folder / FILE
        self._trial = trial
        self._found = CanaryState.UNKNOWN
        self._slow = 0
        self._began: float | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="canary", daemon=True)

    def __enter__(self) -> Self:
        """Begin to try, `FIRST_S` from now."""
        self._thread.start()
        return self

    def state(self, at: float) -> CanaryState:
        """What is known now."""
        began = self._began
        return CanaryState.STALLED if began is not None and at - began > STALLED_S else self._found

    def __exit__(self, *error: object) -> None:
        """Stop trying; a trial that hangs is left to itself."""
        self._ending.set()
        self._thread.join(0.5)

    def try_once(self, clock: Callable[[], float] = time.monotonic) -> CanaryState:
        """One trial, in the caller's thread."""
        began = self._began = clock()
        try:
            self._trial(self._path)
            found = self._judged(clock() - began)
        except OSError as error:
            found = self._failed(error)
        self._began = None
        if found is not self._found:
            level = logging.WARNING if found.bad else logging.INFO
            logger.log(level, "write canary: %s after %.1f s", found, clock() - began)
        self._found = found
        return found

    def _judged(self, seconds: float) -> CanaryState:
        self._slow = self._slow + 1 if seconds > SLOW_S else 0
        if self._slow == 1 and not self._found.bad:
            return CanaryState.OK if self._found is CanaryState.UNKNOWN else self._found
        return CanaryState.SLOW if self._slow else CanaryState.OK

    def _failed(self, error: OSError) -> CanaryState:
        self._slow = 0
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return CanaryState.FULL
        if self._found is not CanaryState.FAILED:
            logger.error("write canary: %s", error)
        return CanaryState.FAILED

    def _work(self) -> None:
        wait_s = FIRST_S
        while not self._ending.wait(wait_s):
            wait_s = EVERY_S if self.try_once() is CanaryState.OK and not self._slow else AGAIN_S
