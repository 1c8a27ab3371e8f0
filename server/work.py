"""What the server does by itself: facts and sums of new events. More jobs join in `JOBS`.

In a process of its own, so that requests do not wait for what it computes. Each job says whether it found work; one
that fails is logged, and tried again later, so that no job can stop another.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import close_old_connections, connections

from server import clock
from server.facts import projector, retention, rollups
from server.facts.believed import believe
from server.publication import comments, freezing
from server.registry.communes import bring_names
from server.reports import months
from server.watch import alarms, telling

logger = logging.getLogger(__name__)

LOOK_S = 0.3
AGAIN_S = 5.0
"""A job that failed is tried again after its own time, but not sooner than this: a log is to stay readable."""

SET_S = 3600.0
"""So long after the start a machine without a clock of its own has heard the time."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every `every_s` seconds; `run` gets the time and says whether there may be more to do at once.

    One that `deletes` by the clock waits until the clock may have been set after the start, and until it is believed.
    """

    name: str
    every_s: float
    run: Callable[[datetime], bool]
    deletes: bool = False


JOBS: Sequence[Job] = (
    Job("facts", 0.0, lambda now: projector.project(now) > 0),
    Job("facts again", 5.0, lambda now: projector.rebuild_asked(now) > 0),
    Job("sums", 2.0, lambda now: rollups.roll_up(now) > 0),
    Job("months", 60.0, lambda now: months.sum_months(now) > 0),
    Job("alarms", 30.0, lambda now: alarms.look(now) > 0),
    Job("what is too old", 6 * 3600.0, retention.drop_old, deletes=True),
    Job("old alarms", 6 * 3600.0, alarms.forget_old, deletes=True),
    Job("names of communes", 600.0, lambda now: bring_names(now) > 0),
    Job("adjustments", 600.0, lambda now: freezing.adjust_due(now) > 0),
    Job("old comments", 3600.0, lambda now: comments.forget_old(now) > 0, deletes=True),
    Job("file of comments", 24 * 3600.0, comments.write_anew),
)

ASIDE: Sequence[Job] = (Job("notices", 2.0, telling.tell_next),)
"""Jobs that wait for other machines: they run beside the others, so that a slow one holds up nothing here."""


class Worker:
    """Does the jobs, in the thread that calls `run` or in one of its own, until `stop`."""

    def __init__(self, jobs: Sequence[Job] = JOBS) -> None:
        now = time.monotonic()
        self._jobs, self._due = jobs, {job: now + SET_S if job.deletes else now for job in jobs}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, args=(lambda: True,), name="worker", daemon=True)

    def start(self) -> "Worker":
        self._thread.start()
        return self

    def is_alive(self) -> bool:
        """Whether the thread that was started still works."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End after the job that is under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def run(self, wanted: Callable[[], bool]) -> None:
        """Do jobs until `stop`, or until this work is no longer wanted."""
        while wanted() and not self._stopping.is_set():
            close_old_connections()
            due = [job for job in self._jobs if time.monotonic() >= self._due[job]]
            more = [self._do(job) for job in due]
            if not any(more):
                self._stopping.wait(LOOK_S)
        connections.close_all()

    def _do(self, job: Job) -> bool:
        try:
            now = clock.now()
            more = (not job.deletes or believe(now)) and job.run(now)
        except Exception:
            logger.exception("the job %r failed; it is tried again", job.name)
            self._due[job] = time.monotonic() + max(job.every_s, AGAIN_S)
            return False
        if not more:
            self._due[job] = time.monotonic() + job.every_s
        return more


def settle(now: datetime) -> None:
    """Do all that waits at once: for commands and tests."""
    while projector.project(now) or projector.rebuild_asked(now) or rollups.roll_up(now):
        continue
