"""Opening hours: which session it is, why numbers are not given now, and when they are again. No clock, no SQL.

All times are local to the site (Asia/Ho_Chi_Minh has no daylight saving, so a wall time is never ambiguous).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

LOOK_AHEAD_DAYS = 30
"""Longer than any Tết holiday; past it a citizen is told to ask the help desk."""


@dataclass(frozen=True, slots=True)
class Session:
    """A half of the working day (buổi). Numbers are given from `take_from` until before `last_number`."""

    id: str
    name: str
    start: time
    end: time
    take_from: time
    last_number: time
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that differs from its weekday: `off` with a reason, `work` or `half` with the named sessions."""

    day: date
    kind: Literal["off", "work", "half"]
    reason: str = ""
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hours:
    """Sessions in the order of their start, and the days that are different."""

    sessions: tuple[Session, ...]
    calendar: Mapping[date, CalendarDay] = field(default_factory=dict)

    def on(self, day: date) -> tuple[Session, ...]:
        """The sessions of one day; empty when the office is closed."""
        different = self.calendar.get(day)
        if different is None:
            return tuple(s for s in self.sessions if day.weekday() in s.weekdays)
        if different.kind == "off":
            return ()
        if different.sessions:
            return tuple(s for s in self.sessions if s.id in different.sessions)
        every = self.sessions if different.kind == "work" else self.sessions[:1]
        return tuple(every)


Status = Literal["open", "before", "over", "holiday"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What the office's door says now.

    `session` is the open one, the coming one (`before`) or the last one that ended (`over`); `resumes` is the next
    local time at which numbers are given again, None while open or when no opening is known.
    """

    status: Status
    session: Session | None = None
    reason: str = ""
    resumes: datetime | None = None


def opening(hours: Hours, local: datetime, overrides: Sequence[CalendarDay] = ()) -> Opening:
    """Whether numbers are given at `local` (naive or aware site time; only its wall time counts)."""
    hours = with_days(hours, overrides)
    today, now = local.date(), local.time().replace(tzinfo=None)
    sessions = hours.on(today)
    if not sessions:
        different = hours.calendar.get(today)
        return Opening("holiday", reason=different.reason if different else "", resumes=_resumes(hours, today, now))
    for session in sessions:
        if session.take_from <= now < session.last_number:
            return Opening("open", session)
    ended = [s for s in sessions if now >= s.last_number]
    if not ended:
        return Opening("before", sessions[0], resumes=datetime.combine(today, sessions[0].take_from))
    return Opening("over", ended[-1], resumes=_resumes(hours, today, now))


def with_days(hours: Hours, overrides: Sequence[CalendarDay]) -> Hours:
    """The hours with days that somebody opened or closed, whatever the calendar says of them."""
    return Hours(hours.sessions, {**hours.calendar, **{o.day: o for o in overrides}})


def _resumes(hours: Hours, today: date, now: time) -> datetime | None:
    for ahead in range(LOOK_AHEAD_DAYS):
        day = today + timedelta(days=ahead)
        for session in hours.on(day):
            if ahead or session.take_from > now:
                return datetime.combine(day, session.take_from)
    return None


def sessions_on(hours: Hours, day: date, overrides: Sequence[CalendarDay] = ()) -> tuple[Session, ...]:
    """The sessions of a day as staff left it."""
    return with_days(hours, overrides).on(day)


def session_at(hours: Hours, local: datetime, overrides: Sequence[CalendarDay] = ()) -> str:
    """The session that things happening now belong to, cut-off and lunch included; "" on a closed day."""
    sessions = with_days(hours, overrides).on(local.date())
    now = local.time().replace(tzinfo=None)
    begun = [s for s in sessions if s.take_from <= now]
    return (begun[-1] if begun else sessions[0]).id if sessions else ""


def after_session(
    hours: Hours, session_id: str, local: datetime, overrides: Sequence[CalendarDay] = ()
) -> datetime | None:
    """When numbers are given again once the quota of the running session is used up: the next session's `take_from`."""
    hours = with_days(hours, overrides)
    today = local.date()
    ends = {s.id: s.last_number for s in hours.on(today)}
    return _resumes(hours, today, ends.get(session_id, local.time().replace(tzinfo=None)))


def closed_sessions(hours: Hours, local: datetime, overrides: Sequence[CalendarDay] = ()) -> tuple[str, ...]:
    """The sessions of today whose end has passed, in order: the moments at which figures may move."""
    hours = with_days(hours, overrides)
    now = local.time().replace(tzinfo=None)
    return tuple(s.id for s in hours.on(local.date()) if now >= s.end)


def at_work(hours: Hours, local: datetime, overrides: Sequence[CalendarDay] = ()) -> bool:
    """Whether numbers are given, or a session runs; not between two sessions, and not after the last one."""
    sessions, now = with_days(hours, overrides).on(local.date()), local.time().replace(tzinfo=None)
    return any(min(s.start, s.take_from) <= now < s.end for s in sessions)
