"""What a kiosk tells of its machine in each heartbeat (docs/feed.md). What is not known is left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kiosk import kernel_log, vitals
from kiosk.vitals import ROOT


def of_machine(folder: Path, lines: Sequence[str] | None = None, root: Path = ROOT) -> dict[str, Any]:
    """The machine that `folder` lies on; `lines` are the kernel's messages, None when nobody has read them."""
    power, degrees = vitals.power(root), vitals.temperature_c(root)
    memory, hours = vitals.memory(root), vitals.uptime_h(root)
    known = {
        "undervoltage_now": power.now if power else None,
        "temperature_c": None if degrees is None else round(degrees, 1),
        "memory_free_mb": memory.free_mb if memory else None,
        "uptime_h": None if hours is None else int(hours),
        **_disk(folder, lines, root),
    }
    # Servers from before 0.5 know this one, and that it is always there.
    low = kernel_log.low_voltage(lines or ()) or bool(power and power.since_boot)
    return {"undervoltage": low, **{name: value for name, value in known.items() if value is not None}}


def _disk(folder: Path, lines: Sequence[str] | None, root: Path) -> dict[str, Any]:
    disk = vitals.disk(folder, root)
    if disk is None:
        return {}
    return {
        "read_only": disk.read_only,
        "fs_errors": disk.errors,
        "card_errors": None if lines is None else len(kernel_log.disk_errors(lines, disk)),
        "card_worn": 100 if disk.spare_low else disk.worn,
    }
