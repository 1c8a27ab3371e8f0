"""What staff changed on top of the office document: a day opened or closed, numbers added to a quota, ticker lines."""

import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from kiosk.board_document import TICKER_LETTERS, TICKER_LINES
from kiosk.clock import Moment
from kiosk.hours import CalendarDay, session_at
from kiosk.rulebook import Rulebook
from kiosk.store.database import Database, Writing
from kiosk.store.ids import new_id
from kiosk.tickets import REASON_LETTERS, Refused

MOST_EXTRA = 9999
KINDS = get_args(CalendarDay.__annotations__["kind"])


@dataclass(frozen=True, slots=True)
class TickerLine:
    """A line that staff wrote for the boards; `until` is its last day, None for no end."""

    key: str
    text: str
    until: date | None


@dataclass(frozen=True, slots=True)
class ExtraNumbers:
    """So many numbers more than the quota of a service in a session of a day (ISO)."""

    day: str
    session: str
    service: str
    numbers: int


class Overrides:
    """Rows with events; a later row of the same key takes the place of the earlier one."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    def set_day(self, now: Moment, day: date, kind: str, reason: str = "") -> None:
        """Make a day off, work or half, whatever the calendar says; "" takes it back. Raises Refused."""
        if kind and kind not in KINDS:
            says = f"{kind!r} is no kind of day: use {', '.join(KINDS)}"
            raise Refused("day_kind", says)
        if kind == "off" and not reason.strip():
            raise Refused("day_reason", "say why the office is closed: citizens read it")
        if len(reason) > REASON_LETTERS or not reason.isprintable() or "|" in reason:
            says = f"the reason must be one line of at most {REASON_LETTERS} letters, without |"
            raise Refused("one_line", says, n=REASON_LETTERS)
        self._put(now, "day", str(day), {"kind": kind, "reason": reason})

    def add_quota(self, now: Moment, service: str, session: str, numbers: int) -> None:
        """Give so many numbers more than the quota of a service in a session of today; 0 takes it back.

        Raises Refused.
        """
        if service not in self.book.services:
            says = f"the office has no service {service!r}, only {', '.join(self.book.services)}"
            raise Refused("no_service", says, service=service)
        if session not in self.book.services[service].quota:
            says = f"{service} has no quota in the session {session!r}: its numbers are not limited"
            raise Refused("no_quota", says)
        sessions = [each.id for each in self.book.hours.sessions]
        if session not in sessions or not 0 <= numbers <= MOST_EXTRA:
            known = ", ".join(sessions)
            says = f"{numbers} for session {session!r}: use 0 to {MOST_EXTRA}, and one of {known}"
            raise Refused("extra_numbers", says, n=MOST_EXTRA)
        self._put(now, "quota", f"{now.day}/{session}/{service}", {"numbers": numbers})

    def add_line(self, now: Moment, text: str, until: date | None = None) -> None:
        """Show one more line in turn with the office's slogans, up to and on a day. Raises Refused."""
        text = unicodedata.normalize("NFC", text).strip()
        if not 0 < len(text) <= TICKER_LETTERS or not text.isprintable():
            says = f"a line of the ticker must have 1 to {TICKER_LETTERS} letters"
            raise Refused("one_line", says, n=TICKER_LETTERS)
        if until and until < now.day:
            raise Refused("day_past", f"{until} is over: name today or a later day")
        kept = self.lines()
        over = [line for line in kept if now.trusted and _is_over(line, now.day)]
        if len(kept) - len(over) >= TICKER_LINES:
            says = f"the ticker has {TICKER_LINES} lines already: take one away first"
            raise Refused("ticker_full", says, n=TICKER_LINES)
        for line in over:
            self.remove_line(now, line.key)
        self._put(now, "ticker", next_key(kept), {"text": text, "until": str(until or "")})

    def remove_line(self, now: Moment, key: str) -> None:
        """Take a line off the boards."""
        if any(line.key == key for line in self.lines()):
            self._put(now, "ticker", key, {"text": "", "until": ""})

    def lines(self) -> list[TickerLine]:
        """All lines that staff wrote, oldest first, with those whose last day is over."""
        return lines_in(self.database.conn)

    def days(self) -> list[CalendarDay]:
        """The days that staff opened or closed, in order."""
        return sorted(calendar_overrides(self.database.conn), key=lambda day: day.day)

    def extra(self, day: date) -> list[ExtraNumbers]:
        """What was added to quotas on a day."""
        rows = self.database.rows("SELECT key, value FROM overrides WHERE kind = 'quota' AND key LIKE ?", f"{day}/%")
        return [_extra(row["key"], row["value"]) for row in rows]

    def _put(self, now: Moment, kind: str, key: str, data: dict[str, object]) -> None:
        with self.database.writing(now) as w:
            put_override(w, kind, key, data)


def put_override(w: Writing, kind: str, key: str, data: Mapping[str, object]) -> None:
    """One row with its event, in place of the one before; see `override_value`."""
    told = {"of": kind, "key": key, **data}
    value = override_value(told)
    w.conn.execute("DELETE FROM overrides WHERE kind = ? AND key = ?", (kind, key))
    if value:
        w.conn.execute("INSERT INTO overrides (kind, key, value) VALUES (?, ?, ?)", (kind, key, value))
    w.emit("override.set", told)


def override_value(data: Mapping[str, Any]) -> str:
    """What stands in the row after an event `override.set` with this data; "" when there is none."""
    match data["of"]:
        case "day":
            return f"{data['kind']}|{data['reason']}" if data["kind"] else ""
        case "quota":
            return str(data["numbers"]) if data["numbers"] else ""
        case "ticker":
            return f"{data['until']}|{data['text']}" if data["text"] else ""
    raise ValueError(f"no override: {data['of']}")


def ticker_lines(conn: sqlite3.Connection, now: Moment) -> tuple[str, ...]:
    """What staff wrote for the boards and is still to be shown; a clock that is not believed ends no line."""
    return tuple(line.text for line in lines_in(conn) if not (now.trusted and _is_over(line, now.day)))


def next_key(kept: Sequence[TickerLine]) -> str:
    """The newest line comes last, though two be written in one millisecond, or the clock go back between them."""
    return f"{int(kept[-1].key.partition('-')[0], 16) + 1:08x}-{new_id()}" if kept else new_id()


def lines_in(conn: sqlite3.Connection) -> list[TickerLine]:
    """All lines, oldest first."""
    lines = []
    for row in conn.execute("SELECT key, value FROM overrides WHERE kind = 'ticker' ORDER BY key"):
        until, _, text = row["value"].partition("|")
        lines.append(TickerLine(row["key"], text, date.fromisoformat(until) if until else None))
    return lines


def _extra(key: str, value: str) -> ExtraNumbers:
    day, session, service = key.split("/", 2)
    return ExtraNumbers(day, session, service, int(value))


def _is_over(line: TickerLine, today: date) -> bool:
    return line.until is not None and line.until < today


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
