"""The queue of slips in the database, as the printer thread sees it. One object, one connection, that thread's own."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.clock import Clock, Moment
from kiosk.store.database import Database, Writing
from kiosk.store.orders import Orders
from kiosk.store.rows import load_ticket
from kiosk.tickets import Data, Row, State, Ticket, time_of

# Both conditions: SQLite takes a partial index only where its own condition stands in the query word for word.
_OPEN = "FROM jobs INDEXED BY jobs_open WHERE state IN ('queued', 'sending')"

PART = "printer"
"""Whose orders the printer thread takes."""


@dataclass(frozen=True, slots=True)
class SlipFacts:
    """What a slip says beyond the ticket: the line as it was when the number was given. `copy`: not the first one.

    `language` is the one that was chosen at the kiosk, "" for the office's own.
    """

    ticket: Ticket
    ahead: int
    wait: tuple[int, int] | None
    copy: bool
    language: str = ""


@dataclass(frozen=True, slots=True)
class TestSheet:
    """A sheet which somebody asked for: `kind` and `data` are those of the order."""

    __test__ = False  # no test, whatever its name begins with
    kind: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class SlipJob:
    """A claimed print job; the shape that the printer thread takes. A test sheet has the order's id below zero."""

    id: int
    payload: SlipFacts | TestSheet
    reprint: bool


class Spool:
    """queued → sending → done; back to queued when it broke, expired when it came too late to be of use.

    A job older than `expires_min` is not printed any more, and none whose ticket was called or closed meanwhile: a slip
    that comes out then would send somebody to wait for a call that is over.
    """

    def __init__(self, database: Database, clock: Clock, expires_min: float = 5) -> None:
        self.database = database
        self.clock = clock
        self.expires_min = expires_min
        self.orders = Orders(database)

    def recover(self) -> int:
        """Jobs that were being sent when the power went may be on paper, or half of them: print them again, marked."""
        self.orders.begin(self.clock.now(), PART)
        if not self.database.row(f"SELECT 1 {_OPEN} AND state = 'sending'"):
            return 0
        with self.database.writing(self.clock.now()) as w:
            return w.conn.execute(
                "UPDATE jobs SET state = 'queued', copy = copy + 1"
                " WHERE state IN ('queued', 'sending') AND state = 'sending'"
            ).rowcount

    def claim(self, now: datetime) -> SlipJob | None:
        """The oldest job that is still worth printing, now `sending`; those before it that are not end here.

        Test sheets come after all slips.
        """
        return self._claim_slip() or self._claim_sheet()

    def _claim_sheet(self) -> SlipJob | None:
        order = self.orders.take(self.clock.now(), PART)
        return SlipJob(-order.id, TestSheet(order.kind, order.data), False) if order else None

    def _claim_slip(self) -> SlipJob | None:
        if not self.database.row(f"SELECT 1 {_OPEN} AND state = 'queued' LIMIT 1"):
            return None
        with self.database.writing(self.clock.now()) as w:
            for row in w.conn.execute(f"SELECT * {_OPEN} AND state = 'queued' ORDER BY id").fetchall():
                ticket = load_ticket(w.conn, row["ticket"])
                why = self._useless(w.now, row, ticket)
                if not why:
                    w.conn.execute("UPDATE jobs SET state = 'sending' WHERE id = ?", (row["id"],))
                    return _job(row, ticket)
                end_job(w, row["id"], "expired", why)
        return None

    def done(self, job: SlipJob) -> None:
        """The slip is out."""
        if job.id < 0:
            self.orders.end(self.clock.now(), -job.id)
            return
        with self.database.writing(self.clock.now()) as w:
            end_job(w, job.id, "done", "", copy=job.reprint)

    def retry(self, job: SlipJob, why: str) -> None:
        """It broke with some of it sent: again, as a copy; a test sheet tells what it should, and is over."""
        if job.id < 0:
            self.orders.end(self.clock.now(), -job.id, "failed", why)
            return
        self._back(job, why, 1)

    def release(self, job: SlipJob, why: str) -> None:
        """Nothing was sent: again, as it was."""
        if job.id < 0:
            self.orders.give_back(self.clock.now(), -job.id)
            return
        self._back(job, why, 0)

    def fail(self, job: SlipJob, why: str) -> None:
        """It cannot be drawn at all."""
        if job.id < 0:
            self.orders.end(self.clock.now(), -job.id, "failed", why)
            return
        with self.database.writing(self.clock.now()) as w:
            end_job(w, job.id, "failed", why)

    def _back(self, job: SlipJob, why: str, copies: int) -> None:
        with self.database.writing(self.clock.now()) as w:
            w.conn.execute(
                "UPDATE jobs SET state = 'queued', copy = copy + ?, why = ? WHERE id = ? AND state = 'sending'",
                (copies, why, job.id),
            )

    def _useless(self, now: Moment, row: Row, ticket: Ticket) -> str:
        if ticket.state is not State.WAITING:
            return ticket.state.value
        # Within a boot the monotonic clock tells the age, whatever happened to the wall clock.
        if row["boot"] == now.boot:
            age_s = (now.mono - row["mono"]) / 1000
        else:
            age_s = abs((now.at - time_of(row["made_at"])).total_seconds())
        return "late" if age_s > self.expires_min * 60 else ""


def _job(row: Row, ticket: Ticket) -> SlipJob:
    wait = (row["wait_low"], row["wait_high"]) if row["wait_low"] is not None else None
    copy = row["copy"] > 0
    return SlipJob(row["id"], SlipFacts(ticket, row["ahead"], wait, copy, row["language"]), copy)


def end_job(w: Writing, job: int, state: str, why: str, **more: bool) -> None:
    """The job's last state and its event; only once, whoever tells it."""
    changed = w.conn.execute(
        "UPDATE jobs SET state = ?, why = ?, language = '' WHERE id = ? AND state IN ('queued', 'sending')",
        (state, why, job),
    ).rowcount
    if changed:
        ticket = w.conn.execute("SELECT ticket FROM jobs WHERE id = ?", (job,)).fetchone()["ticket"]
        data: Data = {"ticket": ticket, "job": job, **more} | ({"why": why} if why else {})
        w.emit({"done": "slip.printed", "expired": "slip.expired", "failed": "slip.failed"}[state], data)
