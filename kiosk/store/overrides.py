"""What staff changed on top of the office document: a day opened or closed, numbers added to a quota."""

import sqlite3
from datetime import date
from typing import get_args

from kiosk.clock import Moment
from kiosk.hours import CalendarDay, session_at
from kiosk.rulebook import Rulebook
from kiosk.store.database import Database
from kiosk.tickets import REASON_LETTERS

MOST_EXTRA = 9999
KINDS = get_args(CalendarDay.__annotations__["kind"])


class Overrides:
    """Rows with events; a later row of the same key takes the place of the earlier one."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    def set_day(self, now: Moment, day: date, kind: str, reason: str = "") -> None:
        """Make a day off, work or half, whatever the calendar says; "" takes it back. ValueError on another kind."""
        if kind and kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of day: use {', '.join(KINDS)}")
        if kind == "off" and not reason.strip():
            raise ValueError("say why the office is closed: citizens read it")
        if len(reason) > REASON_LETTERS or not reason.isprintable() or "|" in reason:
            raise ValueError(f"the reason must be one line of at most {REASON_LETTERS} letters, without |")
        self._put(now, "day", str(day), f"{kind}|{reason}" if kind else "", {"kind": kind, "reason": reason})

    def add_quota(self, now: Moment, service: str, session: str, numbers: int) -> None:
        """Give so many numbers more than the quota of a service in a session of today; 0 takes it back."""
        if service not in self.book.services:
            raise ValueError(f"the office has no service {service!r}, only {', '.join(self.book.services)}")
        if session not in self.book.services[service].quota:
            raise ValueError(f"{service} has no quota in the session {session!r}: its numbers are not limited")
        sessions = [each.id for each in self.book.hours.sessions]
        if session not in sessions or not 0 <= numbers <= MOST_EXTRA:
            known = ", ".join(sessions)
            raise ValueError(f"{numbers} for session {session!r}: use 0 to {MOST_EXTRA}, and one of {known}")
        key = f"{now.day}/{session}/{service}"
        self._put(now, "quota", key, str(numbers) if numbers else "", {"numbers": numbers})

    def _put(self, now: Moment, kind: str, key: str, value: str, data: dict[str, object]) -> None:
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM overrides WHERE kind = ? AND key = ?", (kind, key))
            if value:
                w.conn.execute("INSERT INTO overrides VALUES (?, ?, ?)", (kind, key, value))
            w.emit("override.set", {"of": kind, "key": key, **data})


def session_now(conn: sqlite3.Connection, book: Rulebook, now: Moment) -> str:
    """The session that things happening now belong to; "" on a closed day, or when the clock is not believed."""
    return session_at(book.hours, now.local, calendar_overrides(conn)) if now.trusted else ""


def calendar_overrides(conn: sqlite3.Connection) -> list[CalendarDay]:
    """The days that staff opened or closed."""
    days = []
    for row in conn.execute("SELECT key, value FROM overrides WHERE kind = 'day'"):
        kind, _, reason = row["value"].partition("|")
        days.append(CalendarDay(date.fromisoformat(row["key"]), kind, reason))
    return days


def extra_quota(conn: sqlite3.Connection, service: str, session: str, day: str) -> int:
    """How many numbers staff added to the quota of a service in a session of a day."""
    key = f"{day}/{session}/{service}"
    row = conn.execute("SELECT value FROM overrides WHERE kind = 'quota' AND key = ?", (key,)).fetchone()
    return int(row["value"]) if row else 0
