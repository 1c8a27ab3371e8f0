"""The printer thread: it owns the device, and takes slips from a queue until each is out.

It refuses to know tickets, the database and what a slip says. Three small ports connect it: a spool to take jobs from,
a function that draws a job, and a function that hears what happened. When a slip counts as printed is the business of
printer_device, whose names are offered here too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from PIL import Image

from kiosk.printer_device import (
    Link,
    LinkError,
    Printer,
    PrinterProfile,
    PrintError,
    PrinterState,
    Receipt,
    open_transport,
)

__all__ = [
    "Job",
    "JobDone",
    "JobFailed",
    "Link",
    "LinkError",
    "PrintError",
    "Printer",
    "PrinterProfile",
    "PrinterState",
    "PrinterThread",
    "Receipt",
    "Spool",
    "open_transport",
]

logger = logging.getLogger(__name__)

TOO_OFTEN_S = 60.0  # longest pause after slips that keep breaking, so that a mad printer does not eat the roll


@dataclass(frozen=True, slots=True)
class Job:
    """A slip to print. `reprint` means that a copy may be on paper already: the slip says so."""

    id: int
    payload: object
    reprint: bool = False


class Spool(Protocol):
    """The queue of slips. Every call comes from the printer thread, and none before it runs.

    A job is queued, sending, done or failed. Each method is one short transaction. Jobs that are too old are the
    spool's affair: `claim` passes over them.
    """

    def recover(self) -> int:
        """At start: put jobs found in sending (the power went) back to queued as reprints. Returns how many."""

    def claim(self, now: datetime) -> Job | None:
        """queued → sending for the oldest job that is still worth printing."""

    def done(self, job: Job) -> None:
        """sending → done."""

    def retry(self, job: Job, why: str) -> None:
        """sending → queued as a reprint: some of it may be on paper."""

    def release(self, job: Job, why: str) -> None:
        """sending → queued as it was: not a byte was sent."""

    def fail(self, job: Job, why: str) -> None:
        """sending → failed: it cannot be drawn, and would block those behind it."""


@dataclass(frozen=True, slots=True)
class JobDone:
    """A slip is out. Times are time.monotonic() of its first and last byte written, and of the confirmation."""

    job: Job
    first_byte: float
    last_byte: float
    done: float
    confirmed: bool  # by the printer; else by the time that printing takes


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A slip is not out (yet, unless `permanent`)."""

    job: Job
    why: str
    permanent: bool


class PrinterThread:
    """Takes jobs from the spool and prints them, one after the other, until closed.

    `render` draws a job (ValueError, LookupError and OSError mean that this job cannot be drawn). `report` hears
    changes of state and the end of jobs; it is called from this thread and must not block. `unavailable` are the
    errors that the spool raises when its disk is full or locked: they are waited out. Anything else ends the thread,
    with a traceback in the log, and `alive` turns False.
    """

    def __init__(
        self,
        printer: Printer,
        spool: Spool,
        render: Callable[[Job], Image.Image],
        report: Callable[[PrinterState | JobDone | JobFailed], None],
        now: Callable[[], datetime],
        unavailable: tuple[type[Exception], ...] = (OSError,),
        poll_s: float = 5.0,
        retry_s: float = 1.0,
    ) -> None:
        self._printer = printer
        self._spool = spool
        self._render = render
        self._report = report
        self._now = now
        self._unavailable = unavailable
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._state: PrinterState | None = None
        self._owed: Callable[[], None] | None = self._recover  # what the spool must hear before it is asked for more
        self._spool_ok = True
        self._failures = 0
        self._not_before = 0.0
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def state(self) -> PrinterState:
        """The last known state."""
        return self._state or PrinterState.UNKNOWN

    def start(self) -> None:
        self._thread.start()

    def poke(self) -> None:
        """There may be a job: look now."""
        self._wake.set()

    def close(self, grace_s: float = 3.0) -> bool:
        """End the thread: a slip under way gets `grace_s` to come out, a stalled device its write deadline and 1 s.

        Returns whether it has ended. A slip that was not confirmed is printed again at the next start.
        """
        self._closing = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(grace_s)
            self._printer.abort()
            self._thread.join(self._printer.longest_stall_s + 1)
        return not self.alive

    def _run(self) -> None:
        try:
            while not self._closing:
                self._wake.clear()
                if not self._step():
                    self._wake.wait(self._pause_s())
        except Exception:  # the top of the thread: the log must say why it died
            logger.exception("the printer thread died")
        finally:
            self._printer.close()

    def _step(self) -> bool:
        """One look at printer and spool; True if there may be more to do at once."""
        state = self._printer.state()
        self._show(state)
        if not state.prints or time.monotonic() < self._not_before or not self._settled():
            return False
        try:
            job = self._spool.claim(self._now())
        except self._unavailable as error:
            return self._spool_down(error)
        return job is not None and self._print(job)

    def _print(self, job: Job) -> bool:
        try:
            image = self._render(job)
        except (ValueError, LookupError, OSError) as error:
            logger.exception("print job %d cannot be drawn", job.id)
            self._settle(partial(self._spool.fail, job, str(error)))
            self._report(JobFailed(job, str(error), permanent=True))
            return True
        try:
            receipt = self._printer.print(image)
        except PrintError as error:
            return self._broke(job, error)
        self._finish(JobDone(job, receipt.first_byte, receipt.last_byte, receipt.done, receipt.confirmed))
        return True

    def _finish(self, done: JobDone) -> None:
        self._failures = 0
        self._settle(partial(self._spool.done, done.job))
        self._report(done)

    def _broke(self, job: Job, error: PrintError) -> bool:
        logger.warning("slip of print job %d not confirmed (%s sent): %s", job.id, error.sent, error)
        if error.sent == "all" and job.reprint and not self._printer.confirms and error.state is PrinterState.OFFLINE:
            # It has never confirmed anything and this was its second chance: more copies would not tell us more.
            at = time.monotonic()
            self._finish(JobDone(job, at, at, at, confirmed=False))
        else:
            self._give_back(job, error)
        if not self._closing:
            self._show(error.state)
        return False

    def _give_back(self, job: Job, error: PrintError) -> None:
        if error.sent == "nothing":
            self._settle(partial(self._spool.release, job, str(error)))
        else:
            self._failures += 1
            self._not_before = time.monotonic() + min(self._retry_s * 2 ** (self._failures - 1), TOO_OFTEN_S)
            self._settle(partial(self._spool.retry, job, str(error)))
        self._report(JobFailed(job, str(error), permanent=False))

    def _show(self, state: PrinterState) -> None:
        if state is self._state:
            return
        logger.log(logging.INFO if state.prints else logging.WARNING, "printer: %s, was %s", state, self._state)
        self._state = state
        self._report(state)

    def _recover(self) -> None:
        if self._spool.recover():
            # The power went in the middle of a slip: the printer may still wait for the rest of it.
            self._printer.broken = True

    def _settle(self, tell: Callable[[], None]) -> None:
        self._owed = tell
        self._settled()

    def _settled(self) -> bool:
        """Tell the spool what it has to know; False if it cannot take it in now."""
        if self._owed is not None:
            try:
                self._owed()
            except self._unavailable as error:
                return self._spool_down(error)
            self._owed = None
        self._spool_ok = True
        return True

    def _spool_down(self, error: Exception) -> bool:
        if self._spool_ok:
            logger.error("the print queue cannot be read or written, slips wait: %s", error)
        self._spool_ok = False
        return False

    def _pause_s(self) -> float:
        calm = self._state is not None and self._state.prints and self._spool_ok and not self._failures
        return self._poll_s if calm else self._retry_s
