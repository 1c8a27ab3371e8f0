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
SYNCHRONIZED = (Path("/run/systemd/timesync/synchronized"), Path("/run/kiosk/synchronized"))
"""The network has set the clock since the boot: the mark of systemd-timesyncd, of kiosk-synced.service for others."""
RTC = Path("/sys/class/rtc/rtc0/since_epoch")
RTC_OFF_S = 300
BELIEVABLE = timedelta(days=3650)


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


def whole_ms(at: datetime) -> datetime:
    """Event lines carry milliseconds, so nothing finer may live in the tables."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def elapsed_s(now: Moment, at: datetime, boot: str, mono: int, *, believed: bool) -> float | None:
    """Seconds since an earlier reading (`at`, `boot`, `mono` as in a Moment), None when nobody can tell.

    Within a boot its own clock tells, whatever became of the wall clock; from one boot to another only wall clocks do,
    if both were believed.
    """
    if boot == now.boot:
        return (now.mono - mono) / 1000
    return (now.at - at).total_seconds() if believed and now.trusted else None


def _rtc_agrees(at: datetime) -> bool:
    """Whether a clock module with a living battery shows this time too: without one the system counts on from the
    time of the last shutdown, which looks right and is not."""
    try:
        return abs(int(RTC.read_text()) - at.timestamp()) <= RTC_OFF_S
    except (OSError, ValueError):
        return False


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]


def believable(at: datetime, floor: datetime) -> bool:
    """Whether a time that somebody says can be true: not before the last sure one, and not ten years beyond it."""
    return floor <= at <= floor + BELIEVABLE


@dataclass(frozen=True, slots=True)
class Vouched:
    """The true time at `mono` of a boot, as a person ("manual") or the commune server ("server") said it."""

    by: str
    at: datetime
    boot: str
    mono: int

    def text(self) -> str:
        """As a fact of the database, where the kiosk's processes share it."""
        return json.dumps({"by": self.by, "at": self.at.isoformat(), "boot": self.boot, "mono": self.mono})

    @classmethod
    def read(cls, text: str) -> "Vouched | None":
        """The other way; None for no text, and for a time that no clock can show."""
        if not text:
            return None
        fields = json.loads(text)
        at = datetime.fromisoformat(fields["at"])
        return cls(fields["by"], at, fields["boot"], fields["mono"]) if believable(at, RELEASED) else None


class Clock(Protocol):
    """Anything that can be asked for the time. `floor`: no true time lies before it (the last event's time)."""

    floor: datetime
    vouched: Vouched | None

    def now(self) -> Moment: ...


@dataclass
class SystemClock:
    """The computer's clock, or what somebody vouched for since the boot, counted on from there."""

    floor: datetime = RELEASED
    vouched: Vouched | None = None
    _boot: str = field(default_factory=_boot_id)
    _libc: ctypes.CDLL = field(default_factory=lambda: ctypes.CDLL(None, use_errno=True))

    def now(self) -> Moment:
        at, mono = datetime.now(UTC), int(_boottime() * 1000)
        quality = self._quality(at)
        if self.vouched and quality == self.vouched.by:
            at = self.vouched.at + timedelta(milliseconds=mono - self.vouched.mono)
        return Moment(whole_ms(at), quality, quality != "guess", self._boot, mono)

    def _quality(self, at: datetime) -> str:
        if self._synchronised():
            return "ntp"
        if self.vouched and self.vouched.boot == self._boot:
            return self.vouched.by
        return "rtc" if at >= self.floor and _rtc_agrees(at) else "guess"

    def _synchronised(self) -> bool:
        # A hardened unit may not ask the kernel; a mark can be seen there. struct timex is under 256 bytes.
        if any(mark.exists() for mark in SYNCHRONIZED):
            return True
        return int(self._libc.adjtimex(ctypes.create_string_buffer(256))) not in (-1, TIME_ERROR)


@dataclass
class SimulatedClock:
    """The demo's and the tests' clock: a file says when it started, how fast it goes and how good it is.

    Several processes follow one file: {"at": ISO time, "since": boottime, "speed": 1, "quality": "ntp", "boot": id,
    "mono": ms at that time}.
    """

    path: Path
    floor: datetime = RELEASED
    vouched: Vouched | None = None
    _seen: int = -1
    _setting: dict[str, object] = field(default_factory=dict)

    def now(self) -> Moment:
        changed = self.path.stat().st_mtime_ns
        if changed != self._seen:
            self._setting, self._seen = json.loads(self.path.read_text()), changed
        setting = self._setting
        passed = (_boottime() - float(str(setting["since"]))) * float(str(setting["speed"]))
        at = datetime.fromisoformat(str(setting["at"])) + timedelta(seconds=passed)
        quality, mono = str(setting["quality"]), int(str(setting["mono"])) + int(passed * 1000)
        return Moment(whole_ms(at.astimezone(UTC)), quality, quality != "guess", str(setting["boot"]), mono)


def set_simulated(
    path: Path, at: datetime, speed: float = 1, quality: str = "ntp", boot: str = "de000001", mono: int = 0
) -> None:
    """Start or change a simulated clock; its followers see it with their next look.

    `mono` is the monotonic time (ms) from which it goes on: it never jumps within a boot, whatever the wall clock does.
    """
    setting = {
        "at": at.isoformat(),
        "since": _boottime(),
        "speed": speed,
        "quality": quality,
        "boot": boot,
        "mono": mono,
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(setting))
    fresh.replace(path)
