"""How the board itself is: voltage, heat, time since the boot. What cannot be read is not known, and no trouble."""

from pathlib import Path

THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
UPTIME = Path("/proc/uptime")
HOT_C = 80
"""From here on a Pi's firmware slows it down."""


def undervoltage() -> bool | None:
    """Whether a Pi's firmware has seen too little voltage since the boot (bits 0 and 16); None on other boards."""
    try:
        return bool(int(THROTTLED.read_text(), 16) & 0x10001)
    except (OSError, ValueError):
        return None


def temperature_c() -> float | None:
    """The processor's, in degrees."""
    try:
        return int(THERMAL.read_text()) / 1000
    except (OSError, ValueError):
        return None


def uptime_h() -> float | None:
    """Hours since the boot."""
    try:
        return float(UPTIME.read_text().split()[0]) / 3600
    except (OSError, ValueError, IndexError):
        return None
