"""Pure rules of spoken calls: which one is said next, which never will be. No clock, no SQL, no loudspeaker.

Calls are said in the order in which they were made, one after the other, each to its end.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kiosk.tickets import State, Ticket

KINDS = ("call", "recall", "no_show", "apology")
LATE_S = 15.0
"""A call that was made so long before a restart is about somebody who has been called by the board meanwhile."""


@dataclass(frozen=True, slots=True)
class SpokenCall:
    """One thing to say in the hall; `id` gives the order.

    `kind` is one of KINDS; `ticket` is as it is now, None when it is gone, and for an apology, which is to everybody.
    """

    id: int
    kind: str
    counter: str = ""
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is said now, None for nothing, and by id why others never will be: off, moved, come, merged."""

    call: SpokenCall | None
    dropped: Mapping[int, str]


def choose(waiting: Sequence[SpokenCall], kinds: Collection[str] = KINDS) -> Choice:
    """The first of the waiting calls that still helps somebody; a kind that is not in `kinds` is switched off.

    One that says the same again is merged into it: who calls a number twice while it waits for the loudspeaker wants
    it to be heard, not to be heard twice.
    """
    dropped: dict[int, str] = {}
    chosen: SpokenCall | None = None
    for call in sorted(waiting, key=lambda call: call.id):
        why = "off" if call.kind not in kinds else _useless(call)
        if not why and chosen and _same(call, chosen):
            why = "merged"
        if why:
            dropped[call.id] = why
        elif not chosen:
            chosen = call
    return Choice(chosen, dropped)


def late(age_s: float | None) -> bool:
    """Whether a call from before a restart is left out; an age that nobody knows is more than a restart takes."""
    return age_s is None or age_s > LATE_S


def _useless(call: SpokenCall) -> str:
    """Why nobody needs to hear it, "" when somebody does."""
    ticket = call.ticket
    if call.kind == "apology":
        return ""
    if ticket is None or ticket.counter != call.counter:
        return "moved"
    if call.kind == "no_show":
        return "" if ticket.state is State.NO_SHOW else "moved"
    if ticket.state is State.SERVING and not ticket.implied:
        return "come"
    return "" if ticket.state in (State.CALLED, State.SERVING) else "moved"


def _same(call: SpokenCall, other: SpokenCall) -> bool:
    """Whether hearing the one is hearing the other: a call and its recall are."""
    if call.kind == "apology" or other.kind == "apology":
        return call.kind == other.kind
    alike = (call.kind == "no_show") == (other.kind == "no_show")
    return alike and call.counter == other.counter and call.ticket is not None and call.ticket == other.ticket
