"""What the appliance takes, measured on the way and printed at the end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.container.kiosk import UNITS, Hall
from tests.container.telling import leave_out

MEMORY = """
for pid in $(cat /sys/fs/cgroup$(systemctl show -P ControlGroup {unit})/cgroup.procs); do
  cat /proc/$pid/smaps_rollup /proc/$pid/status 2>/dev/null |
    awk '/^Pss:/ {{ now = $2 }} /^VmHWM:/ {{ most = $2 }} END {{ if (now && most) print now, most }}'
done
"""
"""One that has just ended, as a program that plays a sound, is passed over."""


@dataclass
class Figures:
    """MB and seconds, by what they are of."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    _packages: int = 0

    def note(self, what: str, value: str) -> None:
        self.lines.append((what, value))

    def before(self, hall: Hall) -> None:
        """The bare system."""
        self._packages = packages(hall)

    def disk(self, hall: Hall) -> None:
        """After the installation: one release and Debian's packages for it."""
        self.note("program, /opt/kiosk", f"{hall.machine.ask('du -sm /opt/kiosk | cut -f1')} MB")
        self.note("Debian packages that were added", f"{(packages(hall) - self._packages) / 1024:.0f} MB")
        self.note("data, /var/lib/kiosk (with the voice)", f"{hall.machine.ask('du -sm /var/lib/kiosk | cut -f1')} MB")

    def memory(self, hall: Hall) -> None:
        """Of each service."""
        if hall.machine.is_foreign:
            leave_out("memory of the services", "it is the emulator's too")
            return
        for unit in UNITS:
            self.note(f"memory of {unit}", memory_of(hall.machine.ask, unit))

    def boot(self, hall: Hall) -> None:
        """Just after a boot."""
        begun = int(hall.machine.ask("systemctl show -P UserspaceTimestampMonotonic"))
        began, ready = (
            int(hall.machine.show("kiosk", f"{what}TimestampMonotonic")) for what in ("InactiveExit", "ActiveEnter")
        )
        whose = ", the emulator's" if hall.machine.is_foreign else ""
        self.note(f"from the start of systemd to the first possible press{whose}", f"{(ready - begun) / 1e6:.1f} s")
        self.note(f"from the start of kiosk.service to that{whose}", f"{(ready - began) / 1e6:.1f} s")

    def show(self) -> None:
        for what, value in self.lines:
            print(f"{what:<75} {value}", flush=True)


def memory_of(ask: Callable[[str], str], unit: str) -> str:
    """Of a service: its share of what is mapped now, and the most that was in memory at once. `ask`: a shell inside.

    Not the control group's own count: the kernel of a build machine may keep none, and it counts the cache too.
    """
    sizes = [int(size) / 1024 for size in ask(MEMORY.format(unit=unit)).split()]
    return f"{sum(sizes[::2]):.0f} MB, at most {sum(sizes[1::2]):.0f} MB"


def packages(hall: Hall) -> int:
    """Installed sizes of all packages, in kB."""
    return sum(map(int, hall.machine.ask("dpkg-query -W -f '${Installed-Size}\\n'").split()))
