"""The calm screen of an office that is closed: when numbers are given again, and the hours of that day."""

from collections.abc import Sequence

from kiosk.clock import SITE_TIME, Moment
from kiosk.hours import Opening, Session
from kiosk.present.words import Words
from kiosk.store import BoardFacts
from kiosk.tickets import Counter
from kiosk.views.model import IdleView

DRIFT_S = 300
"""How long the picture stands in one place."""
LEFT_S = 1800
"""A counter that was not closed is left when nothing was done at it for so long: with one key nobody closes it."""


def idle_view(words: Words, now: Moment, door: Opening, sessions: Sequence[Session], setup_line: str = "") -> IdleView:
    """`door` says why numbers are not given, `sessions` are those of the day on which they are given again."""
    again, hours = _message(words, door, now), [_hours(words, session) for session in sessions]
    reason = _reason(words, door)
    return IdleView(
        header=words.header(now, words.t("idle.day_off" if reason else "idle.title")),
        message=reason or again,
        lines=(*([setup_line] if setup_line else []), *([again] if reason else []), *hours),
        drift=int(now.at.timestamp()) // DRIFT_S,
    )


def nobody_serves(facts: BoardFacts, now: Moment) -> bool:
    """Whether the board has nothing to say: no ticket at a counter, and no clerk at work."""
    return not facts.at_counter and not any(_at_work(counter, now) for counter in facts.counters.values())


def _at_work(counter: Counter, now: Moment) -> bool:
    if counter.state != "open" or counter.day not in ("", str(now.day)):
        return False
    acted = counter.acted_at
    if acted is None or acted.astimezone(SITE_TIME).date() != now.day:
        return True  # the day has not begun here
    return abs((now.at - acted).total_seconds()) < LEFT_S


def _message(words: Words, door: Opening, now: Moment) -> str:
    if door.resumes is None:
        return words.t("idle.closed")
    return words.t("idle.from" if door.status == "before" else "idle.again", **words.when(door.resumes, now.day))


def _reason(words: Words, door: Opening) -> str:
    """Why the office is closed all day, "" when it is not."""
    if door.status != "holiday":
        return ""
    return words.t("kiosk.holiday", ly_do=door.reason) if door.reason else words.t("kiosk.day_off")


def _hours(words: Words, session: Session) -> str:
    t = words.t
    return t(
        "idle.hours",
        buoi=words.session_name(session.id),
        tu=t.clock(session.take_from),
        den=t.clock(session.last_number),
    )
