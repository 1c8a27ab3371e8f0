"""Slips as staff deals with them: what did not come out, and printing one again. The printer's side is `spool`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kiosk.clock import Moment, elapsed_s
from kiosk.store.database import Database, Writing
from kiosk.store.rows import load_ticket
from kiosk.store.spool import end_job
from kiosk.tickets import Refused, Row, State, Ticket, text_of, ticket_of, time_of

Wait = tuple[int, int] | None
SlipState = Literal["queued", "printed", "not_printed", ""]
"""What became of a ticket's slip: on its way, out, or given up; "" when none is needed any more."""


@dataclass(frozen=True, slots=True)
class LostSlip:
    """A ticket that still waits and whose slip never came out. `tried`: the printer has given it up by itself."""

    ticket: Ticket
    tried: bool


class Slips:
    """Print jobs for tickets that are there already."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def reprint(self, now: Moment, ticket_id: str) -> Ticket:
        """Print a slip again, marked as a copy if one may be on paper. Refused for a ticket that waits no more."""
        with self.database.writing(now) as w:
            return _again(w, load_ticket(w.conn, ticket_id))

    def reprint_all(self, now: Moment, late_min: float) -> int:
        """Print all that did not come out, in the order of the line; how many."""
        lost = self.lost(now, late_min)
        with self.database.writing(now) as w:
            for slip in lost:
                _again(w, slip.ticket)
        return len(lost)

    def state(self, ticket: str) -> SlipState:
        """Of the latest slip that was asked for."""
        row = self.database.row(
            "SELECT jobs.state, tickets.state AS ticket FROM jobs JOIN tickets ON tickets.id = jobs.ticket"
            " WHERE jobs.ticket = ? ORDER BY jobs.id DESC LIMIT 1",
            ticket,
        )
        if row is None:
            return ""
        if row["state"] in ("queued", "sending"):
            return "queued"
        if row["state"] == "done":
            return "printed"
        return "not_printed" if row["ticket"] == State.WAITING.value else ""

    def lost(self, now: Moment, late_min: float) -> tuple[LostSlip, ...]:
        """Who waits without a slip: it expired, failed, or has been waiting for the printer for `late_min` minutes."""
        rows = self.database.rows(
            "SELECT tickets.*, jobs.id AS job, jobs.state AS job_state, jobs.made_at, jobs.boot AS job_boot, jobs.mono"
            " FROM tickets INDEXED BY tickets_waiting CROSS JOIN jobs ON jobs.ticket = tickets.id"
            " WHERE tickets.state = 'waiting' ORDER BY tickets.arrival, jobs.id"
        )
        by_ticket: dict[str, list[Row]] = {}
        for row in rows:
            by_ticket.setdefault(row["id"], []).append(row)
        lost = (_lost(jobs, now, late_min) for jobs in by_ticket.values())
        return tuple(slip for slip in lost if slip)


def queue_slip(w: Writing, ticket: Ticket, ahead: int, wait: Wait, language: str = "", copies: int = 0) -> int:
    """A job for the printer thread: its id. `ahead` and `wait` are what the slip says of the line."""
    low, high = wait if wait else (None, None)
    cursor = w.conn.execute(
        "INSERT INTO jobs (ticket, state, copy, made_at, boot, mono, ahead, wait_low, wait_high, why, language)"
        " VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, '', ?)",
        (ticket.id, copies, text_of(w.now.at), w.now.boot, w.now.mono, ahead, low, high, language),
    )
    return int(cursor.lastrowid or 0)


def _lost(jobs: Sequence[Row], now: Moment, late_min: float) -> LostSlip | None:
    """From the ticket's row with each of its jobs, oldest first."""
    states, last = {job["job_state"] for job in jobs}, jobs[-1]
    if "done" in states or last["job_state"] == "sending":
        return None
    tried = last["job_state"] != "queued"
    waited = elapsed_s(now, time_of(last["made_at"]), last["job_boot"], last["mono"], believed=bool(last["trusted"]))
    is_late = waited is None or waited > late_min * 60
    return LostSlip(ticket_of(last), tried) if tried or is_late else None


def _again(w: Writing, ticket: Ticket) -> Ticket:
    if ticket.state is not State.WAITING:
        raise Refused("wrong_state", number=ticket.number, state=ticket.state.value)
    jobs = w.conn.execute("SELECT * FROM jobs WHERE ticket = ? ORDER BY id", (ticket.id,)).fetchall()
    if any(job["state"] == "sending" for job in jobs):
        return ticket  # it is coming out right now
    for job in jobs:
        if job["state"] == "queued":
            end_job(w, job["id"], "expired", "asked_again")
    ahead, wait = (jobs[0]["ahead"], _wait(jobs[0])) if jobs else (_ahead(w, ticket), None)
    # A slip that was begun or came out may be in somebody's hand; a number of a roll is.
    copies = 1 if not jobs or any(job["state"] == "done" or job["copy"] for job in jobs) else 0
    w.emit("slip.asked", {"ticket": ticket.id, "job": queue_slip(w, ticket, ahead, wait, copies=copies)})
    return ticket


def _wait(job: Row) -> Wait:
    return (job["wait_low"], job["wait_high"]) if job["wait_low"] is not None else None


def _ahead(w: Writing, ticket: Ticket) -> int:
    sql = "SELECT count(*) FROM tickets WHERE state = 'waiting' AND queue = ? AND place < ?"
    return int(w.conn.execute(sql, (ticket.queue, ticket.place)).fetchone()[0])
