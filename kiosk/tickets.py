"""Queue rules: who may take a number, who is next, and what each move does. No clock, no database, no hardware.

A rule decides the events of a move or raises `Refused`; `apply` turns an event into the ticket's next row. Both the
store and a rebuild from the feed go through `apply`, so what the tables say and what the events say cannot differ.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, Protocol

Data = dict[str, Any]
Decision = tuple[str, Data]
"""An event that is about to happen: its type and its data."""

REASON_LETTERS = 300
"""Longest reason that a clerk may give: it travels in an event line, which ends at 8 KiB."""

PLACE_STEP = 1_000_000
"""Distance between two arrivals in line, so that many returned tickets fit between them."""


class State(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    SERVED = "served"
    NO_SHOW = "no_show"
    HELD = "held"
    CANCELLED = "cancelled"
    CLOSED = "closed"


OPEN = frozenset({State.WAITING, State.CALLED, State.SERVING, State.HELD, State.NO_SHOW})
"""States that the close of the day ends."""

AT_COUNTER = frozenset({State.CALLED, State.SERVING})


class Refused(ValueError):
    """A move that the rules do not allow now; `reason` is a key of the language files' `refused.*`.

    `says` is the same in English, for the command line.
    """

    def __init__(self, reason: str, /, says: str = "", **values: Any) -> None:
        super().__init__(says or reason)
        self.reason = reason
        self.values = values


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the queue. Times are UTC.

    `series` and `boot` say which day's numbers it belongs to, `trusted` whether the clock was believed then.
    `service` gave the number, `queue` is the service whose line it stands in; `target` is the only counter that may
    call it, or "". `place` orders the line: arrival order × PLACE_STEP until the ticket comes back from somewhere.
    `linked` is the same for all tickets that one person holds, "" for whoever holds one.
    """

    id: str
    token: str
    series: str
    session: str
    service: str
    seq: int
    number: str
    priority: bool
    issued_at: datetime
    boot: str
    trusted: bool
    place: int
    queue: str
    state: State = State.WAITING
    target: str = ""
    counter: str = ""
    clerk: str = ""
    calls: int = 0
    first_called_at: datetime | None = None
    last_called_at: datetime | None = None
    started_at: datetime | None = None
    implied: bool = False
    ended_at: datetime | None = None
    why: str = ""
    missed_at: datetime | None = None
    issuer: str = "kiosk"
    linked: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """A desk: who sits there, the one open ticket, and the ticket whose rating keys are armed (see `rating`).

    `day` and `boot` are those in which it was opened; `day` is "" when the clock was not believed.
    """

    id: str
    state: str = "closed"
    clerk: str = ""
    paused_until: str = ""
    ticket: str = ""
    armed: str = ""
    armed_at: datetime | None = None
    acted_at: datetime | None = None
    day: str = ""
    boot: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The office's settings of these rules (names and meanings as in docs/office.md, `[rules]`)."""

    priority: str = "turns"
    ageing_min: int = 30
    no_show_after_s: float = 120
    no_show_after_priority_s: float = 180
    recall_gap_s: float = 30
    recall_max: int = 3
    rejoin_wait_min: float = 5
    rejoin_behind: int = 2
    implied_start_s: float = 15
    undo_s: float = 5
    cooldown_s: float = 1.5
    per_minute: int = 40
    press_limits: bool = True
    wait_min_sample: int = 5


@dataclass(frozen=True, slots=True)
class Load:
    """What the limits of taking a number look at: times and counts of numbers that the kiosk itself gave."""

    last_at: datetime | None = None
    in_last_minute: int = 0
    in_session: int = 0


def passed(since: datetime | None, seconds: float, now: datetime) -> bool:
    """Whether `seconds` went by, or the clock was set back by as many: nobody waits for a repaired clock.

    By less than that it counts as no. Who read the clock just before another process wrote sees a time to come.
    """
    return since is None or abs(now - since) >= timedelta(seconds=seconds)


def limit_press(load: Load, policy: Policy, now: datetime) -> None:
    """Refuse a press that comes too fast for one person at one machine: `too_fast` or `flood`."""
    if not policy.press_limits:
        return
    if not passed(load.last_at, policy.cooldown_s, now):
        raise Refused("too_fast")
    if load.in_last_minute >= policy.per_minute:
        raise Refused("flood")


def limit_quota(load: Load, quota: int | None) -> None:
    """Refuse when the service has given as many numbers as the session allows."""
    if quota is not None and load.in_session >= quota:
        raise Refused("quota", quota=quota)


def label(prefix: str, seq: int) -> str:
    """The number that people read: the service's digit and at least three more; past 999 it grows, it never wraps."""
    return f"{prefix}{seq:03d}"


def issued(data: Data, at: datetime) -> Ticket:
    """The ticket that a `ticket.issued` event describes."""
    return Ticket(
        id=data["ticket"],
        token=data["token"],
        series=data["series"],
        session=data["session"],
        service=data["service"],
        seq=data["seq"],
        number=data["number"],
        priority=data["priority"],
        issued_at=at,
        boot=data["boot"],
        trusted=data["trusted"],
        place=data["arrival"] * PLACE_STEP,
        queue=data["service"],
        issuer=data["by"],
    )


# --- rows: the same plain values in the table and in events ---------------------------------------------------


class Row(Protocol):
    """Anything with values by name: a table row, a dict."""

    def __getitem__(self, name: str, /) -> Any: ...


def text_of(at: datetime) -> str:
    """UTC with milliseconds, as event lines write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def time_of(text: str) -> datetime:
    """The other way; ValueError when it is no such text."""
    return datetime.fromisoformat(text)


def plain(row: Ticket | Counter) -> Data:
    """The fields by name, times as text: what SQLite and JSON hold."""
    values = {name: getattr(row, name) for name in row.__slots__}
    return {name: text_of(value) if isinstance(value, datetime) else value for name, value in values.items()}


def ticket_of(row: Row) -> Ticket:
    """The ticket of a table row or of `plain`."""
    values = {name: row[name] for name in Ticket.__slots__}
    values |= {name: time_of(values[name]) for name in _TICKET_TIMES if values[name] is not None}
    values |= {
        "state": State(values["state"]),
        "priority": bool(values["priority"]),
        "implied": bool(values["implied"]),
    }
    return Ticket(**values)


def counter_of(row: Row) -> Counter:
    """The counter of a table row or of `plain`."""
    values = {name: row[name] for name in Counter.__slots__}
    values |= {name: time_of(values[name]) for name in ("armed_at", "acted_at") if values[name] is not None}
    return Counter(**values)


_TICKET_TIMES = ("issued_at", "first_called_at", "last_called_at", "started_at", "ended_at", "missed_at")


# --- moves: each decides one event ---------------------------------------------------------------------------


def _require(ticket: Ticket, *states: State) -> None:
    if ticket.state not in states:
        raise Refused("wrong_state", number=ticket.number, state=ticket.state.value)


def call(ticket: Ticket, counter: Counter, *, reason: str = "") -> Decision:
    """Call the ticket to the counter; `reason` is given when the clerk chose the number out of order."""
    _short(reason)
    _require(ticket, State.WAITING, State.NO_SHOW, State.HELD) if reason else _require(ticket, State.WAITING)
    if counter.ticket:
        raise Refused("counter_busy")
    if ticket.target and ticket.target != counter.id and not reason:
        raise Refused("other_counter", counter=ticket.target)
    return "ticket.called", _at(ticket, counter, chosen=reason)


def recall(ticket: Ticket, counter: Counter, policy: Policy, now: datetime) -> Decision:
    """Call again: at the earliest `recall_gap_s` after the last call, `recall_max` calls in all."""
    _require_nobody_seen(ticket)
    if ticket.calls >= policy.recall_max:
        raise Refused("called_enough", n=ticket.calls)
    if not passed(ticket.last_called_at, policy.recall_gap_s, now):
        raise Refused("called_just_now")
    return "ticket.recalled", _at(ticket, counter)


def start(ticket: Ticket, counter: Counter, *, implied: bool = False) -> Decision:
    """The citizen is at the counter; `implied` when nobody pressed and `implied_start_s` went by since the call."""
    _require(ticket, State.CALLED)
    return "ticket.started", _at(ticket, counter, implied=implied)


def finish(ticket: Ticket, counter: Counter) -> Decision:
    """The service is done; the counter's rating keys are armed for this ticket. A called one is started by it too."""
    _require(ticket, State.CALLED, State.SERVING)
    return "ticket.finished", _at(ticket, counter, implied=ticket.implied or ticket.state is State.CALLED)


def no_show(ticket: Ticket, counter: Counter, policy: Policy, now: datetime) -> Decision:
    """Nobody came: at the earliest two minutes after the first call, three for a priority ticket."""
    _require_nobody_seen(ticket)
    wait = policy.no_show_after_priority_s if ticket.priority else policy.no_show_after_s
    if ticket.first_called_at and not passed(ticket.first_called_at, wait, now):
        left = wait - (now - ticket.first_called_at).total_seconds()
        raise Refused("too_early_absent", seconds=ceil(left))
    return "ticket.no_show", _at(ticket, counter)


def _require_nobody_seen(ticket: Ticket) -> None:
    """Called, and no clerk said that somebody came: a start that was only implied says nothing about it."""
    _require(ticket, *(AT_COUNTER if ticket.implied else (State.CALLED,)))


def hold(ticket: Ticket, counter: Counter, why: str) -> Decision:
    """Papers are missing: the citizen keeps the number and comes back to it."""
    _short(why)
    _require(ticket, State.CALLED, State.SERVING)
    return "ticket.held", _at(ticket, counter, why=why)


def come_back(ticket: Ticket, place: int, by: str = "staff") -> Decision:
    """A held ticket returns, or one that missed its call rejoins; `place` is from `place_near_head`.

    `by` is staff, or phone when the citizen says so on the page behind the slip's code.
    """
    _require(ticket, State.HELD, State.NO_SHOW)
    kind = "ticket.returned" if ticket.state is State.HELD else "ticket.rejoined"
    return kind, {"ticket": ticket.id, "place": place, "by": by}


def transfer(ticket: Ticket, counter: Counter, *, service: str = "", to_counter: str = "", why: str = "") -> Decision:
    """Send the citizen on to a service or to one counter, with the same number and the original arrival."""
    _require(ticket, State.CALLED, State.SERVING)
    if bool(service) == bool(to_counter):
        raise Refused("transfer_where")
    if to_counter == counter.id:
        raise Refused("transfer_here")
    _short(why)
    return "ticket.transferred", _at(ticket, counter, service=service or ticket.queue, target=to_counter, why=why)


def cancel(ticket: Ticket, why: str) -> Decision:
    """Staff takes the ticket out of the queue."""
    _short(why)
    _require(ticket, State.WAITING, State.CALLED, State.HELD, State.NO_SHOW)
    return "ticket.cancelled", {"ticket": ticket.id, "counter": _desk(ticket), "why": why}


def close(ticket: Ticket, why: str = "closed") -> Decision:
    """The day is over for a ticket that is still open."""
    _require(ticket, *OPEN)
    return "ticket.closed", {"ticket": ticket.id, "counter": _desk(ticket), "why": why}


def undo(before: Ticket, after: Ticket, desk_before: Counter, desk_after: Counter) -> Decision:
    """Take a move back: the event carries what each changed field becomes again."""
    return "ticket.undone", {
        "ticket": before.id,
        "counter": desk_before.id,
        "restore": _changes(after, before),
        "desk": _changes(desk_after, desk_before),
    }


def _changes(now: Ticket | Counter, then: Ticket | Counter) -> Data:
    current = plain(now)
    return {name: value for name, value in plain(then).items() if value != current[name]}


def release(ticket: Ticket) -> Decision:
    """The counter that the ticket was sent to has closed: any counter of its queue may call it."""
    _require(ticket, State.WAITING)
    return "ticket.released", {"ticket": ticket.id}


def link(first: Ticket, second: Ticket) -> list[tuple[Ticket, Decision]]:
    """One person holds both: while one is called or served no other is called by turn. One decision for each ticket
    that this changes. Refused for the same ticket twice, and for tickets of two people who hold several already."""
    for ticket in (first, second):
        _require(ticket, *OPEN)
    if first.id == second.id:
        raise Refused("link_itself")
    if first.linked and second.linked:
        raise Refused("linked_already", number=second.number)
    person = first.linked or second.linked or first.id
    return [
        (ticket, ("ticket.linked", {"ticket": ticket.id, "person": person}))
        for ticket in (first, second)
        if ticket.linked != person
    ]


def unlink(ticket: Ticket) -> Decision:
    """It was somebody else's after all, or its holder wants it called like any other."""
    _require(ticket, *OPEN)
    if not ticket.linked:
        raise Refused("not_linked", number=ticket.number)
    return "ticket.unlinked", {"ticket": ticket.id}


def _short(why: str) -> None:
    if len(why) > REASON_LETTERS:
        raise Refused("reason_long", n=REASON_LETTERS)


def _desk(ticket: Ticket) -> str:
    return ticket.counter if ticket.state in AT_COUNTER else ""


def _at(ticket: Ticket, counter: Counter, **more: Any) -> Data:
    return {"ticket": ticket.id, "counter": counter.id, "clerk": counter.clerk, **more}


# --- what an event does to a row -----------------------------------------------------------------------------


def apply(ticket: Ticket, kind: str, data: Data, at: datetime) -> Ticket:
    """The ticket after an event of type `ticket.*` (but `issued`, see `issued`). ValueError on an unknown type."""
    match kind:
        case "ticket.called":
            return replace(
                ticket, state=State.CALLED, counter=data["counter"], clerk=data["clerk"], calls=ticket.calls + 1,
                first_called_at=at, last_called_at=at, started_at=None, implied=False, missed_at=None,
                why=data["chosen"],
            )  # fmt: skip
        case "ticket.recalled":
            again = replace(ticket, state=State.CALLED, started_at=None, implied=False)
            return replace(again, calls=ticket.calls + 1, last_called_at=at)
        case "ticket.started":
            return replace(ticket, state=State.SERVING, started_at=at, implied=data["implied"])
        case "ticket.finished":
            return replace(
                ticket, state=State.SERVED, ended_at=at, implied=data["implied"],
                started_at=ticket.started_at or ticket.last_called_at,
            )  # fmt: skip
        case "ticket.no_show":
            return replace(ticket, state=State.NO_SHOW, missed_at=at, started_at=None, implied=False)
        case "ticket.held":
            return replace(ticket, state=State.HELD, why=data["why"])
        case "ticket.returned" | "ticket.rejoined":
            return replace(ticket, state=State.WAITING, place=data["place"], target="", calls=0)
        case "ticket.transferred":
            return replace(
                ticket, state=State.WAITING, queue=data["service"], target=data["target"], why=data["why"], calls=0,
                started_at=None, implied=False,
            )  # fmt: skip
        case "ticket.released":
            return replace(ticket, target="")
        case "ticket.linked":
            return replace(ticket, linked=data["person"])
        case "ticket.unlinked":
            return replace(ticket, linked="")
        case "ticket.cancelled":
            return replace(ticket, state=State.CANCELLED, ended_at=at, why=data["why"])
        case "ticket.closed":
            return replace(ticket, state=State.CLOSED, ended_at=at, why=data["why"])
        case "ticket.undone":
            return ticket_of({**plain(ticket), **data["restore"]})
    raise ValueError(f"no ticket event: {kind}")


def apply_counter(counter: Counter, kind: str, data: Data, at: datetime) -> Counter:
    """The counter after an event that names it."""
    match kind:
        case "counter.opened":
            return replace(
                counter, state="open", clerk=data["clerk"], paused_until="", day=data["day"], boot=data["boot"]
            )
        case "counter.paused":
            return replace(counter, state="paused", paused_until=data["until"])
        case "counter.resumed":
            return replace(counter, state="open", paused_until="")
        case "counter.closed":
            return replace(counter, state="closed", clerk="", paused_until="", armed="", armed_at=None)
        case "ticket.called":
            return replace(counter, ticket=data["ticket"], acted_at=at)
        case "ticket.recalled":
            return replace(counter, acted_at=at)
        case "ticket.started":
            # The next citizen is here: what is pressed from now on is not about the one before.
            return replace(counter, armed="", armed_at=None, acted_at=counter.acted_at if data["implied"] else at)
        case "ticket.finished":
            return replace(counter, ticket="", armed=data["ticket"], armed_at=at, acted_at=at)
        case "ticket.no_show" | "ticket.held" | "ticket.transferred":
            return replace(counter, ticket="", acted_at=at)
        case "ticket.cancelled" | "ticket.closed":
            return replace(counter, ticket="") if counter.ticket == data["ticket"] else counter
        case "ticket.undone":
            return counter_of({**plain(counter), **data["desk"]})
    raise ValueError(f"no counter event: {kind}")
