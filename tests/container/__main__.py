"""`python -m tests.container [bookworm|trixie] [--arch arm64]`: a kiosk from a bare Debian to its removal.

See docs/reliability.md; tests/foreign.py for what cannot be seen of another architecture than this machine's.

Ends with exit status 1 at the first thing that is not as promised, and wherever it cannot run.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from tests.container import installing, living, updating
from tests.container.base import SUITES, base
from tests.container.commune import Commune
from tests.container.figures import Figures
from tests.container.kiosk import Hall
from tests.container.machine import Machine
from tests.container.telling import NotAsPromised, tell
from tests.foreign import HANDLERS, allow_foreign, architecture

PROGRAMS = ("mmdebstrap", "systemd-nspawn", "nsenter", "setpriv", "unshare", "ip", "tar", "ssh-keygen", "dpkg")
FOREIGN_PROGRAMS = (
    "aarch64-linux-gnu-gcc",
    "arch-test",
    "nft",
    "sha256sum",
    "/usr/libexec/qemu-binfmt/aarch64-binfmt-P",
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.container")
    parser.add_argument("suite", nargs="?", choices=SUITES, default=SUITES[0], help="the Debian (default %(default)s)")
    parser.add_argument(
        "--arch",
        choices=(architecture(), *HANDLERS),
        default=architecture(),
        help="of its programs: another one runs through qemu-user (default %(default)s)",
    )
    words = parser.parse_args(arguments)
    why_not = obstacle(words.arch)
    if why_not:
        print(f"make test-install cannot run here: {why_not}", file=sys.stderr)
        return 1
    figures = Figures()
    try:
        run(figures, words.suite, words.arch)
    except (NotAsPromised, subprocess.SubprocessError, OSError) as broken:
        print(f"\nNOT AS PROMISED: {broken}", file=sys.stderr)
        return 1
    figures.show()
    tell("all as promised")
    return 0


def run(figures: Figures, suite: str, arch: str) -> None:
    """Nothing of it is left, however it ends. Raises NotAsPromised and what else this machine may say."""
    with ExitStack() as ending:
        if arch != architecture():
            allow_foreign(arch)
        machine = Machine(base(suite, arch))
        ending.callback(machine.remove)
        commune = Commune(machine.here)
        ending.callback(commune.remove)
        try:
            prove(Hall(machine, commune), figures, Path(ending.enter_context(TemporaryDirectory())))
        except Exception:
            print(machine.journal(), file=sys.stderr)
            raise


def obstacle(arch: str) -> str:
    """Why it cannot run on this machine, "" when it can."""
    if os.geteuid():
        return "root is needed, to boot a container"
    programs = PROGRAMS if arch == architecture() else (*PROGRAMS, *FOREIGN_PROGRAMS)
    missing = [program for program in programs if not shutil.which(program)]
    return f"{', '.join(missing)} missing: scripts/need.sh installs them" if missing else ""


def prove(hall: Hall, figures: Figures, folder: Path) -> None:
    """The life of an appliance."""
    hall.machine.boot()
    hall.commune.start()
    hall.line.plug_in()
    figures.before(hall)
    installing.install(hall)
    figures.disk(hall)
    making = updating.Making(hall.machine)
    hall.keypad.plug_in()
    installing.set_up(hall)
    installing.install_again(hall)
    installing.check_unit(hall)
    installing.believe_another_time_program(hall)
    installing.report(hall)
    living.hang(hall)
    torn = 1 + living.kill(hall, random.Random())
    making.wait()
    updating.refusals(hall)
    updating.update(hall)
    updating.come_back(hall)
    updating.give_numbers(hall)
    figures.memory(hall)
    living.close_books(hall, folder, torn)
    living.boot_again(hall)
    figures.boot(hall)
    installing.remove(hall)


def ended(number: int, frame: FrameType | None) -> None:
    """Somebody ends the run: nothing of it stays."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, ended)
    sys.exit(main())
