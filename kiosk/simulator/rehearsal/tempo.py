"""How fast a rehearsed day's clock goes: as fast as everybody keeps up, and through hours in which nothing happens.

People register until when they wait and since when they act. Whoever is late slows the clock down: nobody's haste is
made up, and a slow computer only makes the day longer.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from kiosk.simulator.democlock import DemoClock

TURN_S = 0.02
LATE_S = 10.0
"""Seconds of the office's clock that anybody may be late before it slows down."""
LATE, CAREFUL = 20.0, 2.0
"""Speeds while somebody is late, and while somebody has only seconds of the office's clock for what is to be done."""
SKIP = 3000.0
SETTLED_S = 0.5
"""Real seconds after anybody acted in which the pages take it in; only then hours may be skipped."""
FAR_S = 30.0
LONGEST_LOOK_S = 0.05

KINDS = ("still", "slow", "fast", "skipped")


class Over(Exception):
    """The day is broken off."""


class Tempo:
    """The clock's speed is set by a thread from `start` to `stop`. `fast` is the speed while all keep up."""

    def __init__(self, clock: DemoClock, fast: float) -> None:
        self.clock = clock
        self.fast = fast
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._due: dict[int, datetime] = {}
        self._acts: dict[int, datetime] = {}
        self._careful = 0
        self._held = False
        self._acted = time.monotonic()
        self.spent = dict.fromkeys(KINDS, 0.0)
        """Real seconds of the day that passed still, slow (somebody was late), fast, and skipped."""
        self._thread = threading.Thread(target=self._run, name="tempo", daemon=True)

    def start(self) -> "Tempo":
        self._thread.start()
        return self

    def stop(self) -> None:
        """Everybody who waits is told that it is `Over`."""
        self.over.set()
        self._thread.join()

    def now(self) -> datetime:
        return self.clock.now()

    # --- for people ------------------------------------------------------------------------------------------

    def wait_until(self, at: datetime, wake: threading.Event | None = None) -> bool:
        """Wait for a time of the office's clock, or for `wake`; whether it woke. Raises Over."""
        me = threading.get_ident()
        try:
            with self._lock:
                self._due[me] = at
            while (left := (at - self.now()).total_seconds()) > 0:
                if self.over.is_set():
                    raise Over
                look = min(left / max(self.clock.speed, 0.01), LONGEST_LOOK_S)
                if wake is not None and wake.wait(look):
                    return True
                if wake is None:
                    time.sleep(look)
        finally:
            with self._lock:
                self._due.pop(me, None)
        if self.over.is_set():
            raise Over
        return wake is not None and wake.is_set()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """The same for so many seconds of the office's clock."""
        return self.wait_until(self.now() + timedelta(seconds=seconds), wake)

    @contextmanager
    def acting(self, since: datetime | None = None) -> Iterator[None]:
        """Something is being done, which takes real time, and was due `since` then (now, if nobody says).

        It does not begin while all stands still.
        """
        me = threading.get_ident()
        while self._held and me not in self._acts:
            time.sleep(TURN_S)
        with self._lock:
            outer = self._acts.get(me)
            self._acts.setdefault(me, since or self.now())
        try:
            yield
        finally:
            with self._lock:
                if outer is None:
                    del self._acts[me]
                self._acted = time.monotonic()

    @contextmanager
    def careful(self) -> Iterator[None]:
        """Something has to be done within seconds of the office's clock."""
        with self._lock:
            self._careful += 1
        self._set()
        try:
            yield
        finally:
            with self._lock:
                self._careful -= 1

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """The act that is under way leaves no time at all: the clock slows down at once."""
        me = threading.get_ident()
        with self._lock:
            since, self._acts[me] = self._acts[me], self.now() - timedelta(seconds=2 * LATE_S)
        self._set()
        try:
            yield
        finally:
            with self._lock:
                self._acts[me] = since

    @contextmanager
    def still(self, timeout_s: float) -> Iterator[bool]:
        """The clock stands, and nobody acts any more; False when somebody still does after `timeout_s` real ones."""
        self._held = True
        self._set()
        try:
            until = time.monotonic() + timeout_s
            while self._acts and time.monotonic() < until:
                time.sleep(TURN_S)
            yield not self._acts
        finally:
            self._held = False

    # --- the speed -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        was = time.monotonic()
        while not self.over.wait(TURN_S):
            speed, now = self.clock.speed, time.monotonic()
            self.spent[self._kind(speed)] += now - was
            was = now
            self._set()

    def _kind(self, speed: float) -> str:
        limits = (0.0, LATE, self.fast)
        return KINDS[sum(speed > limit for limit in limits)]

    def _set(self) -> None:
        with self._lock:
            wanted = self._speed()
            if abs(wanted - self.clock.speed) > 0.05 * wanted or (wanted == 0) != (self.clock.speed == 0):
                self.clock.set_speed(wanted)

    def _speed(self) -> float:
        now = self.now()
        if self._held:
            return 0.0
        if self._careful:
            return CAREFUL
        if any((now - since).total_seconds() > LATE_S for since in self._acts.values()):
            return LATE
        if self._acts or time.monotonic() - self._acted < SETTLED_S or not self._due:
            return self.fast
        gap = (min(self._due.values()) - now).total_seconds()
        return max(self.fast, min(SKIP, gap / 0.1)) if gap > FAR_S else self.fast
