"""A hung loop, killed processes, a boot; and the books at the end."""

import random
import time
from functools import partial
from pathlib import Path

from kiosk.simulator.audit import audit
from tests.container.kiosk import TOKEN, UNITS, Hall
from tests.container.telling import holds, tell
from tests.printing import read_qr

ROUNDS = 2
"""How often each process is killed."""
BACK_S = 60.0


def hang(hall: Hall) -> None:
    """The loop stands still; systemd notices that by itself."""
    machine, before, pid = hall.machine, hall.last(), hall.pid("kiosk")
    machine.must("the kiosk's process is stopped in its tracks", f"kill -STOP {pid}")
    machine.eventually(BACK_S, "the watchdog brings it back", lambda: hall.is_new("kiosk", pid))
    machine.must("it was the watchdog", "journalctl -u kiosk -o cat | grep 'Watchdog timeout'")
    hall.goes_on(before)


def kill(hall: Hall, rng: random.Random) -> int:
    """Each process dies by `kill -9` while a number is given. How often the kiosk itself did."""
    for n in range(ROUNDS):
        pids = {unit: hall.pid(unit) for unit in UNITS}
        for unit, pid in pids.items():
            hall.keypad.press("1")
            time.sleep(rng.uniform(0, 0.4))
            hall.machine.sh(f"kill -9 {pid}")
            if unit == "kiosk":
                hall.machine.eventually(BACK_S, f"{unit} comes back, {n + 1}", partial(hall.is_new, unit, pid))
        for unit, pid in pids.items():
            hall.machine.eventually(BACK_S, f"{unit} is there, {n + 1}", partial(hall.is_new, unit, pid))
        hall.settle()
        hall.goes_on(hall.last())
    return ROUNDS


def close_books(hall: Hall, folder: Path, torn: int) -> None:
    """What was given, printed, written down and sent is the same. At most so many slips were torn off by a kill."""
    hall.machine.must("the day is over", "systemctl stop kiosk kiosk-console kiosk-sync && kiosk sync --once")
    hall.copy_books(folder)
    (folder / "commune").symlink_to(hall.commune.folder)
    (folder / "slips").mkdir()
    slips, rests = hall.printer.slips[hall.earlier :], 0
    for number, slip in enumerate(slips):
        if any(TOKEN.match(code) for code in read_qr(slip.image)):
            slip.image.save(folder / f"slips/slip-{number:04}.png")
        else:
            rests += 1
    holds(f"{len(slips)} slips can be read, but for those that a kill tore ({rests})", rests <= torn)
    found = audit(folder)
    holds("no number, slip or event is missing, doubled or invented", not found["problems"], found["problems"])
    tell(f"{found['tickets']} numbers, {found['slips']} slips, {found['events']} events, {found['received']} received")


def boot_again(hall: Hall) -> None:
    """Switched off and on: all is there by itself, what is plugged in later is found, and the numbers go on."""
    before = hall.last()
    hall.keypad.unplug()
    hall.machine.power_off()
    hall.machine.boot()
    hall.machine.eventually(BACK_S, "after a boot the kiosk is ready", lambda: hall.is_active("kiosk"))
    hall.line.plug_in()
    hall.keypad.plug_in()
    log = "journalctl -o cat _PID=$(systemctl show -P MainPID kiosk) | grep '{}'"
    hall.machine.eventually(BACK_S, "it finds the printer", lambda: hall.machine.ask(log.format("printer: ok")))
    hall.machine.eventually(BACK_S, "it finds the keypad", lambda: hall.machine.ask(log.format("keypad: reading")))
    ticket = hall.goes_on(before)
    hall.machine.eventually(BACK_S, "the commune's server is told of it", lambda: ticket.id in hall.commune.tickets())
