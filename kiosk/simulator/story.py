"""The first seconds of the demo: one citizen takes a number, is called, served and rates, a printed line each.

For a terminal without a screen this is the whole job at once. What a line says is read from where it must have arrived:
the printer's folder and the server's database.
"""

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from kiosk.office import Counter, Service
from kiosk.simulator.appliance import Appliance

WAIT_S = 10.0
LOOK_S = 0.1
TRIES = 6
TRY_S = 5.0
"""A press that a busy device got too late was dropped; by then one that was taken has been seen to work."""

Say = Callable[[str], None]


class Story:
    """Told once, in a thread of its own."""

    def __init__(self, appliance: Appliance, say: Say) -> None:
        self._appliance = appliance
        self._say = say
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="story", daemon=True)

    def start(self) -> "Story":
        self._thread.start()
        return self

    def wait(self) -> bool:
        """Until it is told; False when it was stopped."""
        self._thread.join()
        return not self._over.is_set()

    def stop(self) -> None:
        """Say no more."""
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        """As far as the appliance plays along: somebody may be breaking it already."""
        office = self._appliance.plan.office
        counter = office.counters[0]
        service = office.service(counter.services[0])
        assert service
        if self._taken(service) and self._pause(1.5):
            self._served(counter)

    def _taken(self, service: Service) -> bool:
        appliance = self._appliance
        slips = len(appliance.seen.slips)
        if not self._press(f"take:{service.id}", lambda: bool(appliance.seen.taken)):
            return False
        number = appliance.seen.taken[0]["number"]
        self.line(f"Lấy số · number {number} ({service.name}) for a simulated citizen")
        if appliance.printer and appliance.wait_for(lambda seen: len(seen.slips) > slips, WAIT_S):
            self.line(f"Phiếu · slip {appliance.plan.folder.slips / appliance.seen.slips[slips]}.png")
        elif appliance.wait_for(lambda seen: bool(seen.printed), WAIT_S):
            self.line("Phiếu · slip printed")
        return self._received("ticket.issued")

    def _served(self, counter: Counter) -> None:
        key = f"call:{counter.id}"
        if not self._press(key, lambda: self._busy(counter)):
            return
        self.line(f"Gọi số · called to counter {counter.label}") and self._received("ticket.called")
        if not self._pause(1.5) or not self._press(key, lambda: not self._busy(counter)):
            return
        self.line(f"Hoàn tất · served at counter {counter.label}, its rating keys are armed")
        self._received("ticket.finished")
        if not self._pause(1.0):
            return
        if self._press(f"rate:{counter.id}:happy", lambda: self._appliance.seen.figures.get("ratings", 0) > 0):
            self.line(f"Đánh giá · rated at counter {counter.label}")
            self._received("rating.given")

    def _busy(self, counter: Counter) -> bool:
        with closing(self._appliance.store()) as store:
            return bool(store.counters.counter(counter.id).ticket)

    def _press(self, key: str, worked: Callable[[], bool]) -> bool:
        """Press as people do, again when nothing comes of it; False, and said, when nothing ever does."""
        for _ in range(TRIES):
            if self._appliance.tap(key) and self._seen(worked, TRY_S):
                return True
            if not self._pause(LOOK_S):
                return False
        self.line(f"nothing came of the key {key}: see the screens on the page")
        return False

    def _seen(self, what: Callable[[], bool], timeout_s: float) -> bool:
        for _ in range(int(timeout_s / LOOK_S)):
            if what():
                return True
            if not self._pause(LOOK_S):
                break
        return False

    def _received(self, kind: str) -> bool:
        """Say what the server has of this kind; with a real server that is its matter."""
        if not self._appliance.upstream:
            return True
        for _ in range(int(WAIT_S / LOOK_S)):
            event = self._event(kind)
            if event:
                return self.line(f"Máy chủ · the server received event {event['n']}: {kind}")
            if self._over.wait(LOOK_S):
                return False
        return self.line(f"the server has not received {kind} yet: it will come")

    def _event(self, kind: str) -> dict[str, Any] | None:
        upstream = self._appliance.upstream
        assert upstream
        with closing(sqlite3.connect(f"file:{upstream.file}?mode=ro", uri=True)) as conn:
            row = conn.execute(
                f"SELECT seq, line FROM {upstream.table} WHERE type = ? ORDER BY num DESC", (kind,)
            ).fetchone()
        return {"n": row[0], **json.loads(row[1])} if row else None

    def line(self, text: str) -> bool:
        """Say it with the office's time; False when nothing is said any more."""
        if not self._over.is_set():
            self._say(f"{self._appliance.clock.now():%H:%M:%S}  {text}")
        return not self._over.is_set()

    def _pause(self, seconds: float) -> bool:
        return not self._over.wait(seconds)
