"""Giving a number: limits, hours, quota, the number itself, the slip to print and the events, in one transaction."""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk.clock import Moment
from kiosk.hours import CalendarDay, opening
from kiosk.rulebook import Rulebook, ServiceRule
from kiosk.store.database import Database, Writing
from kiosk.store.ids import new_id, new_token
from kiosk.store.overrides import calendar_overrides, extra_quota, session_now
from kiosk.store.rolls import check_unused, on_top, put
from kiosk.store.rows import insert_ticket
from kiosk.store.series import give_number, given_so_far, running
from kiosk.store.slips import queue_slip
from kiosk.tickets import (
    Load,
    Policy,
    Refused,
    Ticket,
    issued,
    label,
    limit_press,
    limit_quota,
    text_of,
    time_of,
)
from kiosk.turns import people_ahead, wait_range

RECENT_SERVICES = 20
LONGEST_SERVICE_S = 4 * 3600


@dataclass(frozen=True, slots=True)
class Issued:
    """What the citizen is told: the ticket, how many are ahead, the wait in minutes (from, to) if it can be said.

    `job` is the slip's print job, 0 for a number that was on paper before.
    """

    ticket: Ticket
    ahead: int
    wait: tuple[int, int] | None
    job: int


class Issuing:
    """The queue's entrance. `book` is the office's rules in force; replace it when the office document changes."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    def issue(
        self, now: Moment, service: str, *, priority: bool = False, by: str = "kiosk", language: str = ""
    ) -> Issued:
        """Give the next number of a service; its slip also speaks `language` ("": the office's usual second one).

        Raises Refused (holiday, closed, session_over, quota, too_fast, flood, roll, no_service); the refusal is counted
        and has its event. `by="staff"` passes hours, quota and limits, and takes the number from the service's roll
        where there is one: then it is `by="roll"`, without a slip (Refused("roll_given") when the roll is at a number
        that is out already). Raises StoreError when nothing can be written.
        """
        outcome = self._decide(now, service, priority, by, language)
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def just_pressed(self, now: Moment, services: Collection[str], within_s: float) -> list[str]:
        """Ids of the latest waiting tickets of these services that the keys gave within so many seconds."""
        rows = self.database.rows(
            "SELECT id, service, state, issued_at FROM tickets WHERE issuer = 'kiosk' ORDER BY arrival DESC LIMIT 4"
        )
        since = now.at - timedelta(seconds=within_s)
        fresh = [row for row in rows if row["state"] == "waiting" and time_of(row["issued_at"]) >= since]
        return [row["id"] for row in fresh if row["service"] in services]

    def _decide(self, now: Moment, service: str, priority: bool, by: str, language: str) -> Issued | Refused:
        with self.database.writing(now) as w:
            outcome = self._try(w, service, priority, by, language)
            if isinstance(outcome, Refused):
                _count_refusal(w, service, outcome, by)
            return outcome

    def refuse(self, now: Moment, service: str, reason: str) -> None:
        """Count a press that was dropped before it came here (stale, stuck, nothing chosen)."""
        with self.database.writing(now) as w:
            _count_refusal(w, service, Refused(reason), "kiosk")

    def _try(self, w: Writing, service: str, priority: bool, by: str, language: str) -> Issued | Refused:
        rule = self.book.services.get(service)
        if rule is None:
            return Refused("no_service", service=service)
        session = session_now(w.conn, self.book, w.now)
        series = running(w, self.database, self.book)
        top = on_top(w.conn, service)
        try:
            if top and by == "staff":
                check_unused(w, series.id, rule, top)
            if by == "kiosk":
                if top:
                    raise Refused("roll")
                limit_press(_press_load(w, self.book.policy.per_minute), self.book.policy, w.now.at)
                if w.now.trusted:
                    _check_opening(self.book, w.now, calendar_overrides(w.conn))
                    _check_quota(w, rule, session, series.day)
        except Refused as refused:
            return refused
        seq, by = (top, "roll") if top else (given_so_far(w, series.id, service) + 1, by)
        return self._give(w, series.id, session, rule, seq, priority, by, language)

    def _give(
        self, w: Writing, series: str, session: str, rule: ServiceRule, seq: int, priority: bool, by: str, language: str
    ) -> Issued:
        service = rule.id
        ahead, wait = self.outlook(w.conn, w.now.at, service, priority)
        give_number(w, self.database, series, service, seq)
        arrival = w.conn.execute("SELECT coalesce(max(arrival), 0) + 1 FROM tickets").fetchone()[0]
        data = {
            "ticket": new_id(),
            "token": new_token(),
            "series": series,
            "session": session,
            "service": service,
            "seq": seq,
            "number": label(rule.prefix, seq),
            "priority": priority,
            "boot": w.now.boot,
            "trusted": w.now.trusted,
            "arrival": arrival,
            "by": by,
            "ahead": ahead,
            "wait": list(wait) if wait else None,
        }
        ticket = issued(data, w.now.at)
        insert_ticket(w.conn, arrival, ticket)
        w.emit("ticket.issued", data)
        if by == "roll":
            put(w, service, seq + 1)
            return Issued(ticket, ahead, wait, 0)
        return Issued(ticket, ahead, wait, queue_slip(w, ticket, ahead, wait, language))

    def outlook(
        self, conn: sqlite3.Connection, now: datetime, service: str, priority: bool
    ) -> tuple[int, tuple[int, int] | None]:
        """How many would be called before a new ticket of this kind, and the wait in minutes if it can be said."""
        waiting = dict(
            conn.execute(
                "SELECT priority, count(*) FROM tickets WHERE state = 'waiting' AND queue = ? GROUP BY priority",
                (service,),
            ).fetchall()
        )
        turn = conn.execute("SELECT priority FROM turns WHERE queue = ?", (service,)).fetchone()
        policy = self.book.policy
        aged = _aged(conn, service, policy, now) if priority else 0
        ahead = people_ahead(priority, waiting.get(0, 0), waiting.get(1, 0), aged, bool(turn and turn[0]), policy)
        return ahead, wait_range(ahead, service_times(conn, service), self.open_counters(conn, service), policy)

    def open_counters(self, conn: sqlite3.Connection, service: str) -> int:
        """How many counters that serve this queue are open."""
        is_open = {row["id"] for row in conn.execute("SELECT id FROM counters WHERE state = 'open'")}
        return sum(1 for desk in self.book.desks.values() if service in desk.services and desk.id in is_open)


def service_times(conn: sqlite3.Connection, service: str) -> list[float]:
    """The latest service times of a queue in seconds, implied starts left out."""
    rows = conn.execute(
        "SELECT started_at, ended_at FROM tickets WHERE state = 'served' AND implied = 0 AND queue = ?"
        " ORDER BY ended_at DESC LIMIT ?",
        (service, RECENT_SERVICES),
    ).fetchall()
    times = [(time_of(row["ended_at"]) - time_of(row["started_at"])).total_seconds() for row in rows]
    # A clock that was set in the middle of a service leaves nonsense behind.
    return [seconds for seconds in times if 0 < seconds <= LONGEST_SERVICE_S]


def _aged(conn: sqlite3.Connection, service: str, policy: Policy, now: datetime) -> int:
    since = text_of(now - timedelta(minutes=policy.ageing_min))
    sql = "SELECT count(*) FROM tickets WHERE state = 'waiting' AND queue = ? AND priority = 0 AND issued_at <= ?"
    return int(conn.execute(sql, (service, since)).fetchone()[0])


def _check_opening(book: Rulebook, now: Moment, overrides: list[CalendarDay]) -> None:
    door = opening(book.hours, now.local, overrides)
    reason = {"holiday": "holiday", "before": "closed", "over": "session_over"}.get(door.status)
    if reason:
        raise Refused(reason, opening=door)


def _check_quota(w: Writing, rule: ServiceRule, session: str, day: str) -> None:
    quota = rule.quota.get(session)
    if quota is not None:
        quota += extra_quota(w.conn, rule.id, session, day)
        limit_quota(_session_load(w, day, session, rule.id), quota)


def _press_load(w: Writing, per_minute: int) -> Load:
    """Numbers of the last minute; looks at no more rows than the cap allows, whatever the table's size."""
    rows = w.conn.execute(
        "SELECT issued_at FROM tickets WHERE issuer = 'kiosk' ORDER BY arrival DESC LIMIT ?", (per_minute,)
    ).fetchall()
    if not rows:
        return Load()
    since, until = text_of(w.now.at - timedelta(minutes=1)), text_of(w.now.at)
    recent = sum(1 for row in rows if since < row["issued_at"] <= until)
    return Load(time_of(rows[0]["issued_at"]), recent)


def _session_load(w: Writing, day: str, session: str, service: str) -> Load:
    row = w.conn.execute(
        "SELECT count(*) FROM tickets JOIN series ON series.id = tickets.series"
        " WHERE series.day = ? AND tickets.service = ? AND tickets.session = ? AND tickets.issuer = 'kiosk'",
        (day, service, session),
    ).fetchone()
    return Load(in_session=row[0])


def _count_refusal(w: Writing, service: str, refused: Refused, by: str) -> None:
    w.conn.execute(
        "INSERT INTO refusals (day, service, reason, n) VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
        (str(w.now.day), service, refused.reason),
    )
    w.emit("ticket.refused", {"service": service, "reason": refused.reason, "day": str(w.now.day), "by": by})
