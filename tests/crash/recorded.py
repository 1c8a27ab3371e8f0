"""A kiosk on mock pins and a printer on a pseudo-terminal, all of whose processes run under one strace."""

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import zxingcpp

from kiosk.clock import set_simulated
from kiosk.office import sample
from kiosk.simulator.audit import TOKEN
from kiosk.simulator.escpos_decoder import Paper, Tokenizer
from kiosk.simulator.printer import EmulatedPrinter
from kiosk.store.prepare import prepare
from tests.crash.disk import State, files_of
from tests.crash.trace import OPTIONS, Call, read
from tests.office import BOOT, OPENING, moment
from tests.ready import listening

CONFIG = """
data_dir = "{data}"
office = "{office}"
[buttons]
factory = "mock"
lockout_s = 0.0
[printer]
url = "file:{printer}"
[screen]
blind_ok = true
fullscreen = false
outputs = [{{ view = "take", size = "640x400" }}]
[sound]
enabled = false
[voice]
enabled = false
[public]
url = "http://xa-mau.example"
[sync]
server = "{server}"
"""
RASTER = b"\x1dv0"
MARK = b"ACK "
SLIP_S = 20.0


class Untraceable(RuntimeError):
    """Nothing can be recorded here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a run did: the files below `root` before and after it, its calls, and its printer's terminal."""

    root: Path
    data: Path
    before: State
    after: State
    calls: list[Call]
    terminal: str

    def slips(self) -> Iterator[tuple[int, str]]:
        """When each slip's first dots were sent, and the token in its QR code."""
        tokens, paper, begun = Tokenizer(), Paper(576), 0
        for call in self.calls:
            if call.name != "write" or call.file != self.terminal:
                continue
            for command in tokens.feed(call.texts[0][: call.result]):
                if command.name == RASTER and not begun:
                    begun = call.began
                if piece := paper.carry_out(command):
                    codes = [code.text for code in zxingcpp.read_barcodes(piece.image.convert("L"))]
                    # None on what flushes the printer's raster after a kill in the middle of a slip.
                    yield from ((begun, found[1]) for text in codes if (found := TOKEN.search(text)))
                    begun = 0

    def marks(self) -> Iterator[tuple[int, list[str]]]:
        """When the words behind "ACK" were said on standard output, and which."""
        for call in self.calls:
            if call.name == "write" and call.texts[0].startswith(MARK):
                yield call.began, call.texts[0].decode().split()[1:]


class Stage:
    """Runs a kiosk for `folder`, which is empty before; `record` when all has ended. `server`: where events go."""

    def __init__(self, folder: Path, server: str = "") -> None:
        if not shutil.which("strace"):
            raise Untraceable("crash replay records with strace: apt-get install strace")
        self.root = folder / "kiosk"
        self.data = self.root / "data"
        self.config = self.root / "kiosk.toml"
        self._log, self._clock, self._keys = folder / "trace", folder / "clock.json", folder / "keys"
        self.data.mkdir(parents=True)
        self.printer = EmulatedPrinter()
        self._slips = 0
        link = self.printer.open_pty(folder / "printer")
        self._terminal = str(link.resolve())
        self.office = replace(sample(), rules=replace(sample().rules, press_limits=False))
        office = self.root / "office.json"
        office.write_bytes(self.office.to_json())
        self.config.write_text(CONFIG.format(data=self.data, office=office, printer=link, server=server))
        set_simulated(self._clock, OPENING, boot=BOOT)
        os.mkfifo(self._keys)
        prepare(self.data, moment(-3600))
        self.before = files_of(self.root)
        self._errors = (folder / "errors").open("w+")
        self._shell = self._traced()
        self._fingers: IO[str] | None = None
        self._kiosk = 0

    def _traced(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["strace", *OPTIONS, "-o", str(self._log), "sh", "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "SDL_VIDEODRIVER": "dummy"},
            text=True,
            bufsize=1,
        )

    def tell(self, command: str) -> str:
        """Have the traced shell do something that prints one line; the line."""
        assert self._shell.stdin and self._shell.stdout
        with suppress(BrokenPipeError):
            self._shell.stdin.write(command + "\n")
        if line := self._shell.stdout.readline():
            return line.strip()
        self._shell.wait()
        self._errors.seek(0)
        raise Untraceable(
            "nothing can be traced here, so no crash can be replayed: allow ptrace (in a container"
            " --cap-add=SYS_PTRACE, and /proc/sys/kernel/yama/ptrace_scope below 3)."
            f" strace says: {self._errors.read().strip()[-300:]}"
        )

    def run(self, *arguments: str, says: str = "") -> None:
        """A `kiosk` command to its end, then the words `says` for those who listen. Raises RuntimeError."""
        command = self._command(*arguments)
        status = self.tell(f"{command} >&2 </dev/null; echo ACK $? {says}").split()[1]
        if status != "0":
            self._errors.seek(0)
            raise RuntimeError(f"{command}: {self._errors.read()[-2000:]}")

    def start(self) -> None:
        """`kiosk run`, until it is open."""
        with listening() as ready:
            environment = " ".join(f"{name}={shlex.quote(value)}" for name, value in ready.environment.items())
            self._kiosk = int(self.tell(f"{environment} {self._command('run')} <{self._keys} >&2 & echo $!"))
            self._fingers = self._keys.open("w", buffering=1)
            ready.wait()

    def _command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "tests.crash.fingers", str(self._clock), *arguments]
        return shlex.join([*command, "--config", str(self.config)])

    def press(self, *services: str) -> None:
        """Press the keys of these services, and wait until all their slips are out."""
        assert self._fingers
        self._fingers.write(" ".join(f"take:{service}" for service in services) + "\n")
        self._slips += len(services)
        self.printer.wait_for_slips(self._slips, SLIP_S)

    def stop(self, *, kill: bool = False) -> None:
        """End the kiosk, in order or by a kill."""
        assert self._fingers
        if kill:
            os.kill(self._kiosk, 9)
        self._fingers.close()
        self.tell(f"wait {self._kiosk}; echo ended")
        if kill:
            self._slips += self._in_doubt()

    def _in_doubt(self) -> int:
        """How many slips came out before the killed kiosk could note it: it prints them again. Of a copy of its books,
        for the looking too would write beside them."""
        with TemporaryDirectory() as folder:
            for name in ("kiosk.db", "kiosk.db-wal"):
                shutil.copy(self.data / name, folder)
            with closing(sqlite3.connect(Path(folder, "kiosk.db"))) as books:
                found: int = books.execute("SELECT count(*) FROM jobs WHERE state = 'sending'").fetchone()[0]
                return found

    def record(self) -> Record:
        """All that happened."""
        self.close()
        return Record(self.root, self.data, self.before, files_of(self.root), list(read(self._log)), self._terminal)

    def close(self) -> None:
        """End everything; may be called twice."""
        if self._fingers:
            self._fingers.close()
        assert self._shell.stdin and self._shell.stdout
        with suppress(BrokenPipeError):
            self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()
        self._errors.close()
        self.printer.close()


@contextmanager
def stage(folder: Path, server: str = "") -> Iterator[Stage]:
    """A stage that is taken down whatever happens."""
    made = Stage(folder, server)
    try:
        yield made
    finally:
        made.close()


SERVICES: Sequence[str] = [service.id for service in sample().services]
