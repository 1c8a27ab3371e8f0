"""Programs that stand in for aplay and espeak-ng, and tell the test what they were given."""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path

DEADLINE_S = 10.0

STAND_IN = """#!{python} -SE
import socket, sys
with socket.create_connection(("127.0.0.1", {port})) as test:
    given = sys.stdin.buffer.read()
    test.sendall(" ".join([*sys.argv, str(len(given))]).encode() + b"\\0" + given)
    if test.recv(1):
        test.sendall(b"!")
sys.stdout.buffer.write(open({reply!r}, "rb").read())
sys.exit({status})
"""


@dataclass
class Running:
    """A stand-in that has read all it was given, and ends when it is let go."""

    program: str
    options: list[str]
    given: bytes
    line: socket.socket

    def let_go(self) -> bytes:
        self.line.close()
        return self.given

    def whole(self) -> bytes:
        """Let it go, and be sure that nobody has ended it before."""
        with self.line:
            self.line.sendall(b".")
            assert self.line.recv(1) == b"!", "it was cut off"
        return self.given

    def was_killed(self) -> bool:
        """Whether it ends although nobody lets it go."""
        with self.line:
            try:
                return self.line.recv(1) == b""
            except TimeoutError:
                return False


class Programs:
    """Stand-ins for aplay and espeak-ng on PATH. They make no sound, and know neither cards nor voices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(DEADLINE_S)
        self._lines: list[socket.socket] = []

    def install(self, name: str, reply: bytes = b"", status: int = 0) -> None:
        answer = self.folder / f"{name}.reply"
        answer.write_bytes(reply)
        port = self._door.getsockname()[1]
        text = STAND_IN.format(python=sys.executable, port=port, reply=str(answer), status=status)
        program = self.folder / f"{name}.new"
        program.write_text(text)
        program.chmod(0o755)
        program.rename(self.folder / name)  # there and ready in one step: a thread may be trying it right now

    def started(self) -> Running:
        """The next one that was started; AssertionError when none was."""
        try:
            line, _ = self._door.accept()
        except TimeoutError:
            raise AssertionError("no program was started") from None
        line.settimeout(DEADLINE_S)
        self._lines.append(line)
        with line.makefile("rb") as told:
            words = b"".join(iter(lambda: told.read(1), b"\0")).decode()
            program, *options, length = words.split()
            given = told.read(int(length))
        return Running(Path(program).name, options, given, line)

    def close(self) -> None:
        for opened in (self._door, *self._lines):
            opened.close()
