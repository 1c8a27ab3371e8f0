"""What the server does by itself: facts and sums of new events. More jobs join in `JOBS`.

Woken by a push, else once a second. Each job says whether it found work; one that fails is logged, and tried again
later, so that no job can stop another.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from server.facts import projector, rollups, texts

logger = logging.getLogger(__name__)

LOOK_S = 1.0
_woken = threading.Event()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every `every_s` seconds; `run` gets the time and says whether there may be more to do at once."""

    name: str
    every_s: float
    run: Callable[[datetime], bool]


JOBS: Sequence[Job] = (
    Job("facts", 0.0, lambda now: projector.project(now) > 0),
    Job("facts again", 5.0, lambda now: projector.rebuild_asked(now) > 0),
    Job("sums", 2.0, lambda now: rollups.roll_up(now) > 0),
    Job("old comments", 3600.0, lambda now: texts.forget(now) > 0),
)


def wake() -> None:
    """Something came in: do not wait for the next look."""
    _woken.set()


class Worker:
    """The thread that does the jobs. `stop` ends it after the one that is under way."""

    def __init__(self, jobs: Sequence[Job] = JOBS) -> None:
        self._jobs, self._due = jobs, dict.fromkeys(jobs, 0.0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> "Worker":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        wake()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            _woken.clear()
            close_old_connections()
            due = [job for job in self._jobs if time.monotonic() >= self._due[job]]
            more = [self._do(job) for job in due]
            if not any(more):
                _woken.wait(LOOK_S)
        connections.close_all()

    def _do(self, job: Job) -> bool:
        try:
            more = job.run(timezone.now())
        except (DatabaseError, OSError):
            logger.exception("the job %r failed; it is tried again", job.name)
            more = False
        if not more:
            self._due[job] = time.monotonic() + job.every_s
        return more


def settle(now: datetime) -> None:
    """Do all that waits at once: for commands and tests."""
    while projector.project(now) or projector.rebuild_asked(now) or rollups.roll_up(now):
        continue
