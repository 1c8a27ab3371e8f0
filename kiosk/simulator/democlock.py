"""The demo's clock: the time that it truly is in the simulated office, and what the device's clock makes of it."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.clock import SITE_TIME, SimulatedClock, set_simulated

START = datetime(2026, 11, 23, 7, 30, tzinfo=SITE_TIME)
"""The doors open on a Monday that is no holiday."""
WRONG = datetime(2024, 1, 1, 0, 3, tzinfo=SITE_TIME)
"""What a Pi without a clock module believes after a power cut."""


class DemoClock:
    """Runs `speed` times as fast as real time. `wrong`: the device believes another date, and knows that it guesses."""

    def __init__(self, path: Path, start: datetime = START, speed: float = 1) -> None:
        self.path = path
        self.speed = speed
        self.wrong = False
        self._boots = 1
        self._start_at(start)
        self._write(mono=0)

    def now(self) -> datetime:
        """The true time in the office."""
        return self.set_at + timedelta(seconds=(time.monotonic() - self._at) * self.speed)

    def follower(self) -> SimulatedClock:
        """The device's clock, for one more process or thread."""
        return SimulatedClock(self.path)

    def set_speed(self, speed: float) -> None:
        mono = self._mono()
        self._start_at(self.now())
        self.speed = speed
        self._write(mono)

    def set_wrong(self, wrong: bool) -> None:
        """Put the device's clock wrong, or right again."""
        self.wrong = wrong
        self._write(self._mono())

    def boot(self) -> None:
        """The device starts again, with its clock as it is."""
        self._boots += 1
        self._write(mono=0)

    def _start_at(self, at: datetime) -> None:
        """The time in the office is `at` now; `real_ms` is the same moment for a browser's clock."""
        self.set_at, self._at, self.real_ms = at, time.monotonic(), int(time.time() * 1000)

    def _mono(self) -> int:
        return self.follower().now().mono

    def _write(self, mono: int) -> None:
        at = WRONG if self.wrong else self.now()
        quality = "guess" if self.wrong else "ntp"
        set_simulated(self.path, at, self.speed, quality, f"de{self._boots:06d}", mono)
