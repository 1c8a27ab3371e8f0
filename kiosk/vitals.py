"""How the board itself is: model, system, voltage, heat, memory, time since the boot, and the disk below the data.

Everything comes from files that any user may read, most of them the kernel's. What cannot be read is not known, and no
trouble. `root` is where those files are looked for: tests bring trees of their own.
"""

import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
HOT_C = 80
"""From here on a Pi's firmware slows it down."""
SHORT_MEMORY_MB = 60
"""The kiosk draws a picture with about as much; with less left, something is ended soon."""
WORN_PERCENT = 90
"""From here on a card that counts its own wear should be replaced."""


class Power(NamedTuple):
    """Whether the voltage is too low `now`, and whether it was at some time since the boot."""

    now: bool
    since_boot: bool


class Memory(NamedTuple):
    """Megabytes that programs can still get, and that there are."""

    free_mb: int
    total_mb: int


class Mount(NamedTuple):
    """Where a folder lies: `device` is the kernel's number as "179:2", `source` as somebody mounted it."""

    point: Path
    device: str
    source: str
    kind: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk below a folder, "mmcblk0" with its part "mmcblk0p2"; `host` is a card's slot, "mmc0", "" for others.

    `errors` is how many the file system has counted since it was repaired last (ext4), None where it counts none.
    `worn` is what a card says of its own life: percent used up, at most 100; None where it says nothing.
    `spare_low`: the card has hardly any blocks left to replace bad ones.
    """

    name: str
    part: str
    kind: str
    read_only: bool
    host: str = ""
    errors: int | None = None
    worn: int | None = None
    spare_low: bool = False


def board(root: Path = ROOT) -> str:
    """The model as the board names itself, "" where it does not (a PC)."""
    return _text(root / "proc/device-tree/model").rstrip("\0")


def system() -> str:
    """The operating system with its release, as "Debian GNU/Linux 13 (trixie)"; "" where none is named."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def power(root: Path = ROOT) -> Power | None:
    """What a Pi's firmware says of the voltage (bits 0 and 16 of get_throttled); None on other boards."""
    bits = _number(root / THROTTLED, 16)
    if bits is not None:
        return Power(bool(bits & 0x1), bool(bits & 0x10001))
    for sensor in (root / "sys/class/hwmon").glob("hwmon*"):
        if _text(sensor / "name") == "rpi_volt":
            alarm = _number(sensor / "in0_lcrit_alarm")
            return None if alarm is None else Power(bool(alarm), bool(alarm))
    return None


def temperature_c(root: Path = ROOT) -> float | None:
    """The processor's, in degrees."""
    millis = _number(root / "sys/class/thermal/thermal_zone0/temp")
    return None if millis is None else millis / 1000


def uptime_h(root: Path = ROOT) -> float | None:
    """Hours since the boot."""
    try:
        return float(_text(root / "proc/uptime").split()[0]) / 3600
    except (ValueError, IndexError):
        return None


def memory(root: Path = ROOT) -> Memory | None:
    """What programs can still get without anything being swapped out."""
    found = dict(re.findall(r"^(MemAvailable|MemTotal):\s+(\d+) kB$", _text(root / "proc/meminfo"), re.MULTILINE))
    if len(found) < 2:
        return None
    return Memory(int(found["MemAvailable"]) // 1024, int(found["MemTotal"]) // 1024)


def mount_of(folder: Path, root: Path = ROOT) -> Mount | None:
    """Where a folder lies, or would lie: it need not be there."""
    best: Mount | None = None
    for line in _text(root / "proc/self/mountinfo").splitlines():
        found = _mount(line)
        # Of two mounts on one point the later one is seen.
        if found and _below(folder, found.point) and (best is None or len(found.point.parts) >= len(best.point.parts)):
            best = found
    return best


def disk(folder: Path, root: Path = ROOT) -> Disk | None:
    """The disk that a folder lies on; None when it cannot be told."""
    mount = mount_of(folder, root)
    if mount is None:
        return None
    block = root / "sys/dev/block" / mount.device
    there = block.resolve() if block.exists() else None
    part = there.name if there else Path(mount.source).name
    name = there.parent.name if there and (there / "partition").exists() else part
    device = root / "sys/block" / name / "device"
    return Disk(
        name,
        part,
        mount.kind,
        mount.read_only,
        host=device.resolve().name.partition(":")[0] if name.startswith("mmcblk") and device.exists() else "",
        errors=_number(root / "sys/fs/ext4" / part / "errors_count"),
        worn=_worn(device),
        spare_low=(_number(device / "pre_eol_info", 16) or 0) >= 2,
    )


def _worn(device: Path) -> int | None:
    """An eMMC's estimate (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST): two figures in tenths, 0x0B is beyond the end."""
    tenths = [int(text, 16) for text in re.findall(r"0x[0-9a-fA-F]{2}", _text(device / "life_time"))]
    known = [value for value in tenths if value]
    return min(100, 10 * max(known)) if known else None


def _mount(line: str) -> Mount | None:
    """A line of mountinfo, see proc(5)."""
    before, _, after = line.partition(" - ")
    fields, more = before.split(), after.split()
    if len(fields) < 6 or len(more) < 3:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
    # The second list is the file system's own: there the kernel shows that it gave up writing.
    options = {*fields[5].split(","), *more[2].split(",")}
    return Mount(Path(point), fields[2], more[1], more[0], bool(options & {"ro", "emergency_ro"}))


def _below(folder: Path, point: Path) -> bool:
    with suppress(OSError, RuntimeError):
        folder = folder.resolve()
    return folder.is_relative_to(point)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(_text(path), base)
    except ValueError:
        return None
