"""The clerk's page in words: the number at the counter, which moves make sense now, the line, the own figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kiosk.clock import Moment
from kiosk.present.words import Words
from kiosk.rating import own_may_show
from kiosk.store import DeskFacts, Publication
from kiosk.tickets import State, Ticket


@dataclass(frozen=True, slots=True)
class Line:
    """One ticket of a list. `waited` is in whole minutes."""

    id: str
    number: str
    service: str
    priority: bool
    waited: int
    since: str
    state: str
    note: str
    is_next: bool


@dataclass(frozen=True, slots=True)
class DeskPage:
    """All that the page shows. `ticket` is the id of the open one, "" for none; `can` names the moves on offer."""

    counter: str
    state: str
    clerk: str
    mine: bool
    clock: str
    ticket: str
    number: str
    ticket_line: str
    priority: bool
    state_text: str
    tone: str
    since: str
    calls: int
    can: frozenset[str]
    next_number: str
    waiting: tuple[Line, ...]
    waiting_all: int
    aside: tuple[Line, ...]
    undo_s: int
    figures: tuple[str, ...]
    paused_until: str


def desk_page(words: Words, now: Moment, facts: DeskFacts, published: Publication | None, clerk: str) -> DeskPage:
    """The page of the clerk (id) who is signed in; a counter that is another's offers nothing but to take it."""
    t, counter, ticket = words.t, facts.counter, facts.ticket
    there = words.office.clerk(counter.clerk)
    mine = counter.clerk == clerk and counter.state != "closed"
    tone, state_text = _state(words, facts)
    next_number = facts.upcoming.number if facts.upcoming else ""
    return DeskPage(
        counter=words.counter_label(counter.id),
        state=counter.state,
        clerk=there.name if there else "",
        mine=mine,
        clock=t.clock(now.local),
        ticket=ticket.id if ticket else "",
        number=ticket.number if ticket else "",
        ticket_line=words.service_name(ticket.queue) if ticket else "",
        priority=ticket.priority if ticket else False,
        state_text=state_text,
        tone=tone,
        since=_since(words, ticket, now.at),
        calls=ticket.calls if ticket else 0,
        can=_can(facts, mine),
        next_number=next_number,
        waiting=tuple(_line(words, one, now.at, next_number, facts.elsewhere) for one in facts.waiting),
        waiting_all=facts.waiting_all,
        aside=tuple(_line(words, one, now.at, "", {}) for one in facts.aside),
        undo_s=-int(-facts.undo_s // 1),
        figures=_figures(words, published, clerk),
        paused_until=counter.paused_until,
    )


def _state(words: Words, facts: DeskFacts) -> tuple[str, str]:
    t, ticket = words.t, facts.ticket
    if ticket:
        return ticket.state.value, t(f"state.{ticket.state.value}")
    if facts.counter.state == "paused":
        until = facts.counter.paused_until
        return "paused", t("board.paused_until", gio=until) if until else t("board.paused")
    if facts.counter.state == "closed":
        return "closed", t("board.closed")
    return "free", t("board.free")


def _can(facts: DeskFacts, mine: bool) -> frozenset[str]:
    """Moves that make sense; whether the rules allow them at this second they say themselves."""
    if not mine:
        return frozenset({"open"})
    moves = {"next", "call"} | ({"undo"} if facts.undo_s > 0 else set())
    if facts.counter.state == "paused":
        moves |= {"resume"}
    elif not facts.ticket:
        moves |= {"pause"}
    if facts.ticket:
        moves |= {"finish", "hold", "transfer"}
        if facts.ticket.state is State.CALLED:
            moves |= {"start"}
        if facts.ticket.state is State.CALLED or facts.ticket.implied:
            moves |= {"recall", "absent"}
    return frozenset(moves)


def _since(words: Words, ticket: Ticket | None, now: datetime) -> str:
    """How long the citizen has been called or served."""
    if ticket is None:
        return ""
    serving = ticket.state is State.SERVING and ticket.started_at is not None
    at = ticket.started_at if serving else ticket.last_called_at
    minutes = _minutes(at, now)
    return words.t("desk.serving_for" if serving else "desk.called_for", n=minutes)


def _line(words: Words, ticket: Ticket, now: datetime, next_number: str, elsewhere: Mapping[str, str]) -> Line:
    put_aside = ticket.state in (State.HELD, State.NO_SHOW)
    there = elsewhere.get(ticket.linked, "")
    note = ticket.why if put_aside or ticket.target else ""
    return Line(
        id=ticket.id,
        number=ticket.number,
        service=words.short_name(ticket.queue),
        priority=ticket.priority,
        waited=_minutes(ticket.issued_at, now),
        since=words.t.clock(ticket.issued_at),
        state=words.t(f"state.{ticket.state.value}"),
        note=words.t("desk.elsewhere", quay=words.counter_label(there)) if there else note,
        is_next=ticket.number == next_number,
    )


def _minutes(at: datetime | None, now: datetime) -> int:
    return max(0, int((now - at).total_seconds() // 60)) if at else 0


def _figures(words: Words, published: Publication | None, clerk: str) -> tuple[str, ...]:
    """The clerk's own sums of closed sessions, as far as they single out nobody else's."""
    labels = words.office.label_set()
    if published is None or labels is None:
        return ()
    whole, own = published.figures.get(labels.id), published.clerks.get(clerk, {}).get(labels.id)
    if whole is None or own is None or not own_may_show(whole, own, words.office.rules.rating_policy()):
        return ()
    t = words.t
    return (
        t("desk.figures_month", thang=int(published.period[5:])),
        t("desk.figures_rate", p=t.percent(own.k, own.n), k=t.number(own.k), n=t.number(own.n)),
        t("desk.figures_answered", n=t.number(own.n), luot=t.number(own.served), p=t.percent(own.n, own.served)),
    )
