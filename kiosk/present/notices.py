"""What staff changed for a while, in words: the boards' lines, days off, numbers added to a quota."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiosk.clock import Moment
from kiosk.hours import CalendarDay, Session
from kiosk.present.words import Words
from kiosk.store.overrides import ExtraNumbers, TickerLine


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What the store says: `sessions` of today, and how many numbers were `taken` today by service and session."""

    lines: Sequence[TickerLine]
    days: Sequence[CalendarDay]
    extra: Sequence[ExtraNumbers]
    taken: Mapping[tuple[str, str], int]
    sessions: Sequence[Session]


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that staff set and may take back: `key` names it, `over` says that it shows no more."""

    key: str
    text: str
    note: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """A service with a limit in one session of today; `value` names both in a form, `extra` what was added."""

    value: str
    label: str
    extra: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    """What staff changed, and what can be given more numbers today."""

    lines: tuple[Noticed, ...]
    days: tuple[Noticed, ...]
    quotas: tuple[Quota, ...]


def notice_page(words: Words, now: Moment, facts: NoticeFacts) -> NoticePage:
    """Days that are over are left out, lines that are over are marked."""
    t = words.t
    return NoticePage(
        lines=tuple(_line(words, line, now) for line in facts.lines),
        days=tuple(
            Noticed(str(day.day), t(f"day_kind.{day.kind}", ngay=t.day(day.day)), day.reason)
            for day in facts.days
            if day.day >= now.day
        ),
        quotas=tuple(
            _quota(words, facts, service.id, session.id, service.quota[session.id])
            for service in words.office.services
            for session in facts.sessions
            if session.id in service.quota
        ),
    )


def _line(words: Words, line: TickerLine, now: Moment) -> Noticed:
    if line.until is None:
        return Noticed(line.key, line.text, "")
    over = now.trusted and line.until < now.day
    note = words.t("leader.line_over" if over else "leader.line_until", ngay=words.t.date(line.until))
    return Noticed(line.key, line.text, note, over)


def _quota(words: Words, facts: NoticeFacts, service: str, session: str, limit: int) -> Quota:
    t = words.t
    added = sum(each.numbers for each in facts.extra if (each.service, each.session) == (service, session))
    label = t(
        "leader.quota",
        linh_vuc=words.service_name(service),
        buoi=words.session_in_text(session),
        da=t.number(facts.taken.get((service, session), 0)),
        n=t.number(limit + added),
    )
    return Quota(f"{session}/{service}", label, t("leader.added", n=t.number(added)) if added else "")
