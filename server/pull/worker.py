"""The threads that fetch: so many at once, each question bounded, and a kiosk that fails is asked more and more rarely.

With few kiosks each question waits at the kiosk, so that events come at once; with many each is asked in turn.
"""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections, connections

from server import clock
from server.pull.fetching import Trouble, bring, fetch, line_to
from server.registry import trouble
from server.registry.models import Device, Mode
from sync.exchange import Pinned

logger = logging.getLogger(__name__)

THREADS = 16
LOOK_S = 1.0
WAIT_S = 20.0
"""So long a kiosk holds a question back while nothing happens there."""
TURN_S = 15.0
"""With more kiosks than threads each is asked so often."""
MOST_S = 300.0
LASTING_S = 3600.0
"""Where only a person can help."""


@dataclass
class Turn:
    """When a kiosk is asked next (of time.monotonic), and how often it failed in a row."""

    due: float = 0.0
    failures: int = 0
    work: "Future[Trouble | None] | None" = field(default=None, repr=False)


class Puller:
    """`start` and `stop`. Follows which kiosks are to be asked."""

    def __init__(self, threads: int = THREADS, wait_s: float = WAIT_S) -> None:
        self._threads, self._wait_s = threads, wait_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pull")
        self._turns: dict[int, Turn] = {}
        self._lines: set[Pinned] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pull", daemon=True)

    def start(self) -> "Puller":
        self._thread.start()
        return self

    def stop(self) -> None:
        """Cut what is under way: nothing is lost by that."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for line in list(self._lines):
            line.abort()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.look()
            except DatabaseError:
                logger.exception("the kiosks to fetch from cannot be read; it is tried again")
            finally:
                close_old_connections()
        connections.close_all()

    def look(self) -> None:
        """Ask every kiosk that is due and not being asked."""
        paired = Device.objects.filter(mode=Mode.PULL, revoked=False).exclude(pull_token="")
        ids = set(paired.values_list("pk", flat=True))
        self._turns = {id: self._turns.get(id) or Turn() for id in ids}
        wait_s = self._wait_s if len(ids) <= self._threads else 0.0
        for id, turn in self._turns.items():
            if turn.work is not None and turn.work.done():
                self._ended(turn, turn.work, pause_s=0.0 if wait_s else TURN_S)
            if turn.work is None and time.monotonic() >= turn.due:
                turn.work = self._pool.submit(self._ask, id, wait_s)

    def _ended(self, turn: Turn, work: "Future[Trouble | None]", pause_s: float) -> None:
        turn.work = None
        error = work.exception()
        if error is not None:
            logger.error("fetching from a kiosk failed; it is tried again", exc_info=error)
        found = work.result() if error is None else None
        turn.failures = turn.failures + 1 if error or found else 0
        if turn.failures:
            pause_s = LASTING_S if found and found.lasting else min(MOST_S, 5.0 * 2 ** min(turn.failures, 10))
        turn.due = time.monotonic() + pause_s

    def _ask(self, id: int, wait_s: float) -> Trouble | None:
        """What was wrong, None for a kiosk that answered well."""
        device = Device.objects.select_related("site").filter(pk=id).first()
        try:
            if device:
                self._fetch(device, wait_s)
        except Trouble as error:
            if device and not self._stopping.is_set():
                self._tell(device, error)
            return error
        finally:
            connections.close_all()
        return None

    def _fetch(self, device: Device, wait_s: float) -> None:
        with line_to(device, wait_s) as line:
            self._lines.add(line)
            try:
                while not self._stopping.is_set() and fetch(device, line, clock.now(), wait_s):
                    continue
                if not device.revoked:
                    bring(device, line)
            finally:
                self._lines.discard(line)

    def _tell(self, device: Device, found: Trouble) -> None:
        if trouble.tell(device, clock.now(), found.key, **found.values):
            logger.warning("%s: %s", device.name, found.key)
