"""`python -m tests.container`: one appliance from a bare Debian to its removal; see docs/reliability.md.

Ends with exit status 1 at the first thing that is not as promised, and wherever it cannot run.
"""

import os
import shutil
import sys
from contextlib import ExitStack

from tests.container import installing
from tests.container.base import base
from tests.container.commune import Commune
from tests.container.kiosk import Hall
from tests.container.machine import Machine
from tests.container.telling import NotAsPromised, eventually, holds, tell

PROGRAMS = ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare", "ip", "tar", "ssh-keygen", "dpkg")


def main() -> int:
    why_not = obstacle()
    if why_not:
        print(f"make test-install cannot run here: {why_not}", file=sys.stderr)
        return 1
    with ExitStack() as ending:
        machine = Machine(base())
        ending.callback(machine.remove)
        commune = Commune(machine.here)
        ending.callback(commune.remove)
        try:
            prove(Hall(machine, commune))
        except NotAsPromised as broken:
            print(f"{machine.journal()}\n\nNOT AS PROMISED: {broken}", file=sys.stderr)
            return 1
    tell("all as promised")
    return 0


def obstacle() -> str:
    """Why it cannot run on this machine, "" when it can."""
    if os.geteuid():
        return "root is needed, to boot a container"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    return f"{', '.join(missing)} missing: scripts/need.sh installs them" if missing else ""


def prove(hall: Hall) -> None:
    machine, commune = hall.machine, hall.commune
    machine.boot()
    commune.start()
    hall.line.plug_in()
    installing.install(hall)
    hall.keypad.plug_in()
    installing.set_up(hall)
    ticket = hall.press()
    holds(f"a press gives a slip, whose code is that of number {ticket.number}", ticket.seq == 1)
    installing.install_again(hall)
    installing.check_unit(hall)
    eventually(60, "the commune's server is told of it", lambda: ticket.id in commune.tickets())
    eventually(
        60, f"the slip's code opens its page there: {ticket.number}", lambda: ticket.number in commune.page(ticket.url)
    )
    installing.remove(hall)


if __name__ == "__main__":
    sys.exit(main())
