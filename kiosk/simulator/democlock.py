"""The demo's clock: the time that it truly is in the simulated office, and what the device's clock makes of it."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.clock import SITE_TIME, SimulatedClock, set_simulated

START = datetime(2026, 11, 23, 7, 30, tzinfo=SITE_TIME)
"""The doors open on a Monday that is no holiday."""
WRONG = datetime(2024, 1, 1, 0, 3, tzinfo=SITE_TIME)
"""What a Pi without a clock module believes after a power cut."""


@dataclass(frozen=True, slots=True)
class Course:
    """From `at` on (the same moment by time.monotonic and, for browsers, in ms since 1970) so many times real time."""

    at: datetime
    mono: float
    real_ms: int
    speed: float

    def now(self) -> datetime:
        return self.at + timedelta(seconds=(time.monotonic() - self.mono) * self.speed)


class DemoClock:
    """Runs `speed` times as fast as real time. `wrong`: the device believes another date, and knows that it guesses.

    Any thread may read or set it: the course is one value, which is exchanged as a whole.
    """

    def __init__(self, path: Path, start: datetime = START, speed: float = 1) -> None:
        self.path = path
        self.wrong = False
        self._boots = 1
        self._lock = threading.Lock()
        self.course = _course(start, speed)
        self._write(mono=0)

    @property
    def speed(self) -> float:
        return self.course.speed

    def now(self) -> datetime:
        """The true time in the office."""
        while True:
            course = self.course
            now = course.now()
            if course is self.course:  # else the reader was held up in between, and went on at the old speed
                return now

    def follower(self) -> SimulatedClock:
        """The device's clock, for one more process or thread."""
        return SimulatedClock(self.path)

    def set_speed(self, speed: float) -> None:
        """0 stops it."""
        with self._lock:
            mono = self._mono()
            self.course = _course(self.now(), speed)
            self._write(mono)

    def set_wrong(self, wrong: bool) -> None:
        """Put the device's clock wrong, or right again."""
        with self._lock:
            self.wrong = wrong
            self._write(self._mono())

    def boot(self, at: datetime | None = None) -> None:
        """The device starts again, with its clock as it is; `at`: it was off until then."""
        with self._lock:
            self._boots += 1
            if at is not None:
                self.course = _course(at, self.speed)
            self._write(mono=0)

    def _mono(self) -> int:
        return self.follower().now().mono

    def _write(self, mono: int) -> None:
        at = WRONG if self.wrong else self.now()
        quality = "guess" if self.wrong else "ntp"
        set_simulated(self.path, at, self.speed, quality, f"de{self._boots:06d}", mono)


def _course(at: datetime, speed: float) -> Course:
    return Course(at, time.monotonic(), int(time.time() * 1000), speed)
