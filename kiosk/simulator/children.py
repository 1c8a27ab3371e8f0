"""Child processes that talk in lines of JSON, and that never outlive the demo. It knows nothing of what they say."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

Message = Mapping[str, Any]

logger = logging.getLogger(__name__)

RESTART = 75
"""Exit status of a child that was asked to start again: systemd does so whatever the status is."""
LEAVE_S = 2.5
"""How long a child that was asked to end may take."""


class Child:
    """A process of our own. `hear` gets each line that it says, `ended` its exit status; both from a thread."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        hear: Callable[[Message], None],
        ended: Callable[[int], None],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._hear = hear
        self._ended = ended
        self._lock = threading.Lock()
        with log.open("ab") as errors:
            # A session of its own: Ctrl-C at the terminal is for the demo, which ends its children in their order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
        self._reader = threading.Thread(target=self._read, name=f"child {self._process.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, **message: Any) -> bool:
        """Say one thing; False when nobody listens any more."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            return True
        return False

    def kill(self) -> None:
        """As a power cut does."""
        self._process.kill()
        self._reader.join()

    def close(self) -> None:
        """Ask it to end, by closing its input; one that does not listen is killed."""
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            logger.warning("process %d did not end and is killed", self._process.pid)
            self._process.kill()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            self._hear(message)
        status = self._process.wait()
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.stdout.close()
        self._ended(status)


class Parent:
    """The other end, inside of the child: says lines on what was standard output, and hears standard input."""

    def __init__(self) -> None:
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # libraries greet on standard output
        sys.stdout = sys.stderr
        self._lock = threading.Lock()

    def tell(self, **message: Any) -> None:
        """Say one thing; a demo that is gone cannot hear it, and its end is noticed by `lines`."""
        with self._lock, contextlib.suppress(OSError):
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the demo says, until it is gone."""
        for line in sys.stdin:
            yield json.loads(line)


def end_with_the_demo(parent: Parent, stop: Callable[[], None], seconds: float) -> None:
    """From now on: when the demo is gone, stop this process, in so many seconds at the latest."""

    def watch() -> None:
        for _ in parent.lines():
            pass
        leave_by(seconds)
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def leave_by(seconds: float) -> None:
    """End this process at the latest in so many seconds, whatever hangs."""
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()
