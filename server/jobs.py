"""The worker's process, kept alive beside the process that answers requests."""

import logging
import subprocess
import threading
from collections.abc import Sequence

logger = logging.getLogger(__name__)

AGAIN_S = 5.0
"""So long after it ended by itself it is started again."""


class Jobs:
    """Runs a command until `stop`; when it ends by itself it is started again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._process = subprocess.Popen(command)
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it after the job that is under way."""
        self._stopping.set()
        self._process.terminate()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            status = self._process.wait()
            if self._stopping.is_set():
                return
            logger.error("the worker ended with status %s; it is started again in %.0f s", status, AGAIN_S)
            if self._stopping.wait(AGAIN_S):
                return
            self._process = subprocess.Popen(self._command)
            if self._stopping.is_set():
                self._process.terminate()
