"""The first step and the last one: install.sh from a stick, twice, and its way back."""

import re
from functools import partial

from tests.container.base import ROOT
from tests.container.commune import UNIT
from tests.container.hall import LINE, NAME
from tests.container.kiosk import Hall
from tests.container.machine import SOURCES, STICK
from tests.container.telling import holds, leave_out
from tests.container.updating import RELEASES
from tests.printing import read_qr

INSTALL = f"{SOURCES}/install.sh"
DEVICE = "xa-thu-1"
OFFICE = "/srv/office.toml"
SETTINGS = """
[buttons]
factory = "none"
stale_s = {stale_s}
evdev = "{keypad}"
[sync]
allow_plain_http = true
[public]
url = "{url}"
[update]
source = "{releases}"
"""
ALL_DAY = """
[[sessions]]
id = "ca-ngay"
name = "Cả ngày"
start = 00:00:00
take_from = 00:00:00
last_number = 23:59:58
end = 23:59:59
weekdays = [0, 1, 2, 3, 4, 5, 6]
"""


def office() -> str:
    """An office like the sample one, open day and night, whose keys may be pressed as often as one likes."""
    text = (ROOT / "kiosk/assets/office.sample.toml").read_text()
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("quota = ")]
    tables = re.split(r"^(?=\[)", "".join(lines), flags=re.MULTILINE)
    kept = [table for table in tables if not table.startswith(("[[sessions]]", "[[calendar]]"))]
    text = "".join(kept).replace('code = "00000"', f'code = "{UNIT}"')
    return text.replace("[rules]\n", "[rules]\npress_limits = false\n") + ALL_DAY


def install(hall: Hall) -> None:
    """On a bare Debian, without a network, from a stick that cannot be written to."""
    machine = hall.machine
    (machine.root / OFFICE.lstrip("/")).write_text(office())
    machine.must("there is no network", "! getent hosts deb.debian.org")
    options = f"--yes --offline {STICK} --office {OFFICE} --device {DEVICE} --printer serial:{LINE} --screen none"
    machine.must("install.sh ends well on a bare Debian, from a stick", f"{INSTALL} {options}", 600)
    machine.must("the options stand in kiosk.toml", f"kiosk config | grep -q '^device = \"{DEVICE}\"'")
    machine.eventually(30, "the kiosk says that it is ready", lambda: hall.is_active("kiosk"))
    slips = hall.printer.wait_for_slips(1, 30 * machine.pace)
    codes = [code for slip in slips for code in read_qr(slip.image)]
    holds("a slip says where the console is", any("8443" in code or "8080" in code for code in codes), codes)


def set_up(hall: Hall) -> None:
    """A keypad in place of pins, which no container has."""
    with (hall.machine.root / "etc/kiosk/kiosk.toml").open("a") as file:
        words = {"keypad": NAME, "url": hall.commune.url, "releases": RELEASES}
        file.write(SETTINGS.format(stale_s=2 * hall.machine.pace, **words))
    hall.machine.must("it starts with a keypad in place of pins", "systemctl restart kiosk kiosk-sync kiosk-console")
    hall.earlier = len(hall.printer.slips)
    ticket = hall.press()
    holds(f"a press gives a slip, and its code is that of number {ticket.number}", ticket.seq == 1, ticket)


def install_again(hall: Hall) -> None:
    """With a code of the commune's server, and a kiosk.toml that somebody has changed."""
    machine = hall.machine
    pid, toml = hall.pid("kiosk"), (machine.root / "etc/kiosk/kiosk.toml").read_text()
    again = f"{INSTALL} --offline {STICK} --server {hall.commune.url} --code {hall.commune.code()}"
    said = machine.must("install.sh ends well a second time, with a server and its code", again)
    hall.undisturbed("the second run disturbs nobody", pid)
    holds("a changed kiosk.toml stays as it is", (machine.root / "etc/kiosk/kiosk.toml").read_text() == toml)
    holds("the kiosk has joined the commune", "xã Mẫu" in said, said[-2000:])


def report(hall: Hall) -> None:
    """What is given here is known there."""
    ticket, commune = hall.press(), hall.commune
    hall.machine.eventually(60, "the commune's server is told of a number", lambda: ticket.id in commune.tickets())
    seen = f"the slip's code opens its page there, with number {ticket.number}"
    hall.machine.eventually(60, seen, lambda: ticket.number in commune.page(ticket.url))


def believe_another_time_program(hall: Hall) -> None:
    """chrony and its like leave no mark that a closed-up service sees: a unit of ours leaves one."""
    machine, mark = hall.machine, "/run/systemd/timesync/synchronized"
    machine.must("another time program is there", ": >/usr/sbin/chronyd && systemctl start kiosk-synced")
    # Refused, it would end at once; where this machine's own clock is set there is nothing to wait for.
    waiting = "systemctl status kiosk-synced | grep -oE '[0-9]+ /usr/lib/systemd/systemd-time-wait-sync'"
    asks = f'[ -e /run/kiosk/synchronized ] || {{ one=$({waiting}) && sleep 3 && [ "$({waiting})" = "$one" ]; }}'
    machine.eventually(30, "it may ask the kernel", lambda: machine.sh(asks).returncode == 0)
    machine.must("the network sets the clock", f"mkdir -p {mark.rsplit('/', 1)[0]} && : >{mark}")
    machine.eventually(90, "it is marked", lambda: machine.sh("[ -e /run/kiosk/synchronized ]").returncode == 0)
    machine.must("all is as before", f"rm {mark} /run/kiosk/synchronized /usr/sbin/chronyd")


def check_unit(hall: Hall) -> None:
    """What systemd makes of the units."""
    machine, pid = hall.machine, hall.pid("kiosk")
    machine.must(
        "it runs as kiosk, without capabilities",
        f"grep -q 'CapEff:.0000000000000000' /proc/{pid}/status && [ $(stat -c %U /proc/{pid}) = kiosk ]",
    )
    if machine.is_foreign:
        leave_out("it runs with a filter of system calls", "qemu-user has no seccomp, and so systemd sets none")
    else:
        # The container's own filter is everybody's.
        filters = "sed -n 's/Seccomp_filters:.//p' /proc/{}/status"
        more = f"[ $({filters.format(pid)}) -gt $({filters.format(1)}) ]"
        machine.must("it runs with a filter of system calls", more)
    blind = f"[ -e /proc/{pid}/root{LINE} ] && [ -e /proc/{pid}/root/dev/input ]"
    for unit in ("kiosk-sync", "kiosk-console"):
        machine.eventually(60, f"{unit} runs", partial(hall.is_active, unit))  # enrolled, the upload starts anew
        root = f"/proc/{hall.pid(unit)}/root"
        blind += f" && [ -e {root}/dev/null ] && [ ! -e {root}{LINE} ] && [ ! -e {root}/dev/input ]"
    machine.must("it sees its printer and its keys; upload and pages see neither", blind)
    complaints = "journalctl -q _PID=1 -p warning -o cat | grep -E 'kiosk.*(:[0-9]+:|ignoring|Unknown)'"
    machine.must("systemd has no complaint about a unit", f"! {complaints}")
    machine.must("root leaves no file of its own in the data", '[ -z "$(find /var/lib/kiosk -not -user kiosk)" ]')


def remove(hall: Hall) -> None:
    """The installed release removes itself; data go only when that is said."""
    machine = hall.machine
    machine.must("the installed release removes itself", "/opt/kiosk/current/share/kiosk/install.sh --uninstall")
    machine.must(
        "data, configuration and user stay",
        "[ -e /var/lib/kiosk/kiosk.db ] && [ -e /etc/kiosk/kiosk.toml ] && id kiosk",
    )
    gone = (
        "[ ! -e /opt/kiosk ] && [ ! -e /usr/local/bin/kiosk ] && ! nft list table inet kiosk"
        ' && [ "$(systemctl show -P LoadState kiosk)" = not-found ]'
        ' && [ -z "$(find /proc -maxdepth 1 -user kiosk)" ] && [ -z "$(find /etc/systemd -name "kiosk*")" ]'
    )
    machine.must("the program, its processes, units and rules are gone", gone)
    machine.must("purging deletes the rest", f"{INSTALL} --uninstall --purge")
    machine.must("it is gone", "[ ! -e /var/lib/kiosk ] && [ ! -e /etc/kiosk ] && ! id kiosk")
