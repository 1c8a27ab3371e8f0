"""What the page behind a slip's code is about, from plain facts. No sentence, no clock, no database."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from kiosk.tickets import OPEN, State, Ticket

SOON_AHEAD = 2
"""With so few people ahead one is asked to stay near."""
WINDOW_DAYS = 1
"""A ticket can be rated on a phone until the end of so many days after its own."""


class Kind(StrEnum):
    WAITING = "waiting"
    SOON = "soon"
    TURN = "turn"
    SERVING = "serving"
    MISSED = "missed"
    HELD = "held"
    SERVED = "served"
    RATED = "rated"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLOSED = "closed"


LIVE = frozenset({Kind.WAITING, Kind.SOON, Kind.TURN, Kind.SERVING, Kind.MISSED, Kind.HELD})
"""What may change by itself; the others stay, and nothing that somebody writes there is lost to a refresh."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a phone may learn of a ticket of the office's day `day`, asked for on the day `today`.

    `ahead` is None where nobody calls numbers or nobody knows; `wait` are minutes (from, to), None where they cannot be
    said. `serving` are the numbers of its queue at the counters now, the latest first. `rated` and `commented` say
    that it has a rating that counts, or a comment. `may_rejoin` is never true where the page cannot change the queue.
    """

    ticket: Ticket
    day: date
    today: date
    ahead: int | None = None
    wait: tuple[int, int] | None = None
    serving: tuple[str, ...] = ()
    rated: bool = False
    commented: bool = False
    may_rejoin: bool = False
    kept_waiting: bool = False


def kind_of(facts: Facts) -> Kind:
    """What the ticket's page says now."""
    state = facts.ticket.state
    if state in OPEN:
        return _open(facts, state)
    if state is State.SERVED:
        if facts.today > facts.day + timedelta(days=WINDOW_DAYS):
            return Kind.EXPIRED
        return Kind.RATED if facts.rated else Kind.SERVED
    return Kind.CANCELLED if state is State.CANCELLED else Kind.CLOSED


def _open(facts: Facts, state: State) -> Kind:
    # The day is closed by its successor's first write, which may be days away.
    if facts.today > facts.day:
        return Kind.CLOSED
    if state is State.WAITING:
        return Kind.SOON if facts.ahead is not None and facts.ahead <= SOON_AHEAD else Kind.WAITING
    # A start that nobody pressed says nothing about who came: the citizen may still be looking for the counter.
    if state is State.CALLED or (state is State.SERVING and facts.ticket.implied):
        return Kind.TURN
    return {State.SERVING: Kind.SERVING, State.NO_SHOW: Kind.MISSED, State.HELD: Kind.HELD}[state]
