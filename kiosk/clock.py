"""What time it is, and whether to believe it. Knows nothing of tickets.

A Pi before the 5 has no clock of its own: after a power cut without a network it wakes up in the past. So every
reading carries its quality, and a monotonic time by which a later correction can put it right.
"""

import ctypes
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from kiosk import RELEASED

SITE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
TIME_ERROR = 5
"""adjtimex(2): the kernel's clock is not synchronised."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading: `at` is UTC in whole milliseconds, `mono` CLOCK_BOOTTIME in ms; `boot` names the boot.

    `quality` is ntp, rtc, server, manual or guess; only a `trusted` moment may begin a new day.
    """

    at: datetime
    quality: str
    trusted: bool
    boot: str
    mono: int

    @property
    def local(self) -> datetime:
        """The same moment on the office's wall clock."""
        return self.at.astimezone(SITE_TIME)

    @property
    def day(self) -> date:
        return self.local.date()


class Clock(Protocol):
    """Anything that can be asked for the time. `floor`: no true time lies before it (the last event's time)."""

    floor: datetime

    def now(self) -> Moment: ...


def whole_ms(at: datetime) -> datetime:
    """Event lines carry milliseconds, so nothing finer may live in the tables."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]


@dataclass
class SystemClock:
    """The computer's clock. `confirmed` is "manual" or "server" once somebody vouched for it since the boot."""

    floor: datetime = RELEASED
    confirmed: str = ""
    _boot: str = field(default_factory=_boot_id)
    _libc: ctypes.CDLL = field(default_factory=lambda: ctypes.CDLL(None, use_errno=True))

    def now(self) -> Moment:
        at = whole_ms(datetime.now(UTC))
        quality = self._quality(at)
        return Moment(at, quality, quality != "guess", self._boot, int(_boottime() * 1000))

    def _quality(self, at: datetime) -> str:
        if self._synchronised():
            return "ntp"
        if self.confirmed:
            return self.confirmed
        return "rtc" if Path("/sys/class/rtc/rtc0").exists() and at >= self.floor else "guess"

    def _synchronised(self) -> bool:
        # struct timex is under 256 bytes; modes = 0 only reads.
        return int(self._libc.adjtimex(ctypes.create_string_buffer(256))) not in (-1, TIME_ERROR)


@dataclass
class SimulatedClock:
    """The demo's and the tests' clock: a file says when it started, how fast it goes and how good it is.

    Several processes follow one file: {"at": ISO time, "since": boottime, "speed": 1, "quality": "ntp", "boot": id}.
    """

    path: Path
    floor: datetime = RELEASED
    _seen: int = -1
    _setting: dict[str, object] = field(default_factory=dict)

    def now(self) -> Moment:
        changed = self.path.stat().st_mtime_ns
        if changed != self._seen:
            self._setting, self._seen = json.loads(self.path.read_text()), changed
        setting = self._setting
        passed = (_boottime() - float(str(setting["since"]))) * float(str(setting["speed"]))
        at = datetime.fromisoformat(str(setting["at"])) + timedelta(seconds=passed)
        quality = str(setting["quality"])
        return Moment(
            whole_ms(at.astimezone(UTC)), quality, quality != "guess", str(setting["boot"]), int(passed * 1000)
        )


def set_simulated(path: Path, at: datetime, speed: float = 1, quality: str = "ntp", boot: str = "de000001") -> None:
    """Start or change a simulated clock; its followers see it with their next look."""
    setting = {"at": at.isoformat(), "since": _boottime(), "speed": speed, "quality": quality, "boot": boot}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(setting))
    fresh.replace(path)
