"""One run of an outside program that may fail, hang or write without end, and that nobody may have to wait for.

Knows no sound. Files in memory stand in place of pipes: a pipe that is full makes its writer wait.
"""

import logging
import os
import resource
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib import resources
from typing import BinaryIO

CLOSE_S = 2.0
MOST_BYTES = 8_000_000
"""The largest file that a program may make: speech of some minutes."""
MODEST = {"PULSE_CLIENTCONFIG": str(resources.files("kiosk.assets") / "pulse.conf")}
"""Environment of a program that plays nothing but loads PulseAudio's library: that would set a file of 64 MiB in memory
aside, and where no file may be so large, the program dies before it has done anything."""

logger = logging.getLogger(__name__)


class ProgramError(OSError):
    """It could not be started, did not end in time, or ended badly: the message says which."""


class Program:
    """A program that is running, with `given` on its standard input; `modest` when it plays no sound (see MODEST).

    Raises ProgramError when it cannot be started.
    """

    def __init__(self, command: Sequence[str], given: bytes = b"", *, modest: bool = False) -> None:
        self._name = command[0]
        with ExitStack() as files:
            try:
                source = files.enter_context(_memory("in", given))
                self._out = files.enter_context(_memory("out"))
                self._errors = files.enter_context(_memory("err"))
                self._process = subprocess.Popen(
                    command,
                    stdin=source,
                    stdout=self._out,
                    stderr=self._errors,
                    env=os.environ | (MODEST if modest else {}),
                    start_new_session=True,
                )
            except OSError as error:
                raise ProgramError(f"{command[0]}: {error.strerror}") from error
            source.close()
            self._files = files.pop_all()
        with suppress(OSError):
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))

    def kill(self) -> None:
        """End it with whatever it started, or that would go on holding the loudspeaker. From any thread."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def result(self, seconds: float) -> bytes:
        """What it wrote, once it has ended; it is ended after `seconds`. Raises ProgramError. To be called once."""
        with self._files:
            try:
                status = self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._end()
                raise ProgramError(f"{self._name} was not done in {seconds:g} s") from None
            if status:
                raise ProgramError(self._complaint(status))
            self._out.seek(0)
            return self._out.read()

    def _end(self) -> None:
        self.kill()
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            logger.warning("%s cannot be ended: its device does not answer", self._name)

    def _complaint(self, status: int) -> str:
        self._errors.seek(0)
        lines = self._errors.read(4000).decode(errors="replace").strip().splitlines()
        said = lines[-1][:200] if lines else f"ended with status {status}"
        return said if said.startswith(self._name) else f"{self._name}: {said}"


def _memory(name: str, content: bytes = b"") -> BinaryIO:
    """A file in memory for a child to read or write."""
    file = os.fdopen(os.memfd_create(f"kiosk-{name}"), "w+b")
    file.write(content)
    file.seek(0)
    return file
