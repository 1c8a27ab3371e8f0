"""Processes that a benchmark starts, speaks with by lines, and ends."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

END_S = 10.0
ROOT = Path(__file__).parents[2]


class Child:
    """One process of this Python; `with` ends it. What it says on stderr is kept for when it fails."""

    def __init__(self, folder: Path, *arguments: object, **environment: str) -> None:
        self._errors = (folder / f"child-{len(list(folder.glob('child-*')))}.err").open("w+")
        self._command = [sys.executable, *map(str, arguments)]
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "SDL_VIDEODRIVER": "dummy", **environment},
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def hear(self) -> str:
        """The next line that it says; RuntimeError when it has ended instead."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise self._ended()
        return line.strip()

    def must_run(self) -> None:
        """RuntimeError when it has ended."""
        if self.process.poll() is not None:
            raise self._ended()

    def _ended(self) -> RuntimeError:
        return RuntimeError(f"{' '.join(self._command)} ended: {self.errors()[-2000:]}")

    def answer(self) -> Any:
        """The next line, which is JSON."""
        return json.loads(self.hear())

    def errors(self) -> str:
        """All that it has said on stderr."""
        self._errors.seek(0)
        return self._errors.read()

    def tell(self, line: str = "") -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            if pipe:
                pipe.close()
