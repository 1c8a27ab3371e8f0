"""Whose turn it is, and how long a turn may take. No clock, no database, no hardware."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kiosk.tickets import Policy, Ticket, passed

LONGEST_WAIT_S = 12 * 3600
"""Longer than any office is open: a clock was wrong, or the ticket was forgotten."""


def offered_again(ticket: Ticket, policy: Policy, now: datetime) -> bool:
    """Whether a ticket that missed its call may be called by turn: `rejoin_wait_min` later."""
    return passed(ticket.missed_at, policy.rejoin_wait_min * 60, now)


def choose(heads: Sequence[Ticket], last_priority: Mapping[str, bool], policy: Policy, now: datetime) -> Ticket | None:
    """Whom a counter serves now, from the first waiting ordinary and priority ticket of each of its queues.

    By turns: in a queue whose last call was a priority one an ordinary ticket goes next. Whoever has waited
    `ageing_min` goes before the rest, in the order of the line, so that neither kind starves. Strict: priority first.
    """
    ready = [t for t in heads if offered_again(t, policy, now)] or list(heads)
    if not ready:
        return None
    ordinary = {t.queue for t in ready if not t.priority}

    def rank(ticket: Ticket) -> tuple[int, int]:
        if policy.priority == "strict":
            return (0 if ticket.priority else 1, ticket.place)
        if passed(ticket.issued_at, policy.ageing_min * 60, now):
            return (0, ticket.place)
        yields = ticket.priority and last_priority.get(ticket.queue, False) and ticket.queue in ordinary
        return (1 if ticket.priority and not yields else 3 if yields else 2, ticket.place)

    return min(ready, key=rank)


def order(line: Sequence[Ticket], last_priority: bool, policy: Policy, now: datetime) -> list[Ticket]:
    """The order in which one queue's waiting tickets are called if nobody else comes and no time goes by.

    Who missed a call stands where their place is, although they may be passed over for `rejoin_wait_min`.
    """
    by_place = sorted((replace(t, missed_at=None) for t in line), key=lambda t: t.place)
    kinds = [deque(t for t in by_place if t.priority == kind) for kind in (True, False)]
    queue, called = line[0].queue if line else "", list[Ticket]()
    while head := choose([kind[0] for kind in kinds if kind], {queue: last_priority}, policy, now):
        kinds[0 if head.priority else 1].popleft()
        last_priority = head.priority
        called.append(head)
    return called


def place_near_head(line: Sequence[Ticket], ticket: Ticket, last_priority: bool, policy: Policy, now: datetime) -> int:
    """The place of a returned ticket: behind the next `rejoin_behind` to be called from its queue.

    `line` holds the first few waiting tickets of that queue, ordinary and priority, in any order.
    """
    rest = sorted((t for t in line if t.id != ticket.id), key=lambda t: t.place)
    own = [t for t in rest if t.priority == ticket.priority]
    passed_over = []
    for _ in range(policy.rejoin_behind):
        heads = [next((t for t in rest if t.priority == kind), None) for kind in (True, False)]
        head = choose([t for t in heads if t is not None], {ticket.queue: last_priority}, policy, now)
        if head is None:
            break
        rest.remove(head)
        last_priority = head.priority
        passed_over.append(head)
    ahead = [t for t in passed_over if t.priority == ticket.priority]
    if ahead:
        return max(t.place for t in ahead) + 1
    return own[0].place - 1 if own else ticket.place


def people_ahead(
    priority: bool, ordinary_waiting: int, priority_waiting: int, aged: int, last_priority: bool, policy: Policy
) -> int:
    """How many are called before a ticket that joins the end of its kind now.

    `aged` of the ordinary ones have waited so long that they go first; who ages meanwhile is not foreseen.
    """
    if not priority:
        return ordinary_waiting + priority_waiting
    if policy.priority == "strict":
        return priority_waiting
    turns = priority_waiting + (1 if last_priority else 0)
    return priority_waiting + aged + min(ordinary_waiting - aged, turns)


def wait_range(ahead: int, service_s: Sequence[float], counters: int, policy: Policy) -> tuple[int, int] | None:
    """The wait that one may promise, in whole minutes (from, to), or None below the sample that a promise needs.

    `service_s` are the latest service times, in seconds, without implied starts. The middle half of them is averaged:
    one forgotten click of an hour must not move the promise.
    """
    if len(service_s) < policy.wait_min_sample or counters < 1:
        return None
    ordered = sorted(service_s)
    cut = len(ordered) // 4
    middle = ordered[cut : len(ordered) - cut]
    expected = ahead * (sum(middle) / len(middle)) / counters / 60
    low = int(expected * 0.8)
    return low, max(low + 5, int(expected * 1.25) + 1)


def promise_passed(longest_min: int, waited_s: float | None) -> bool:
    """Whether somebody waits longer than the `longest_min` minutes that were promised; no when nobody can tell."""
    return waited_s is not None and longest_min * 60 < waited_s <= LONGEST_WAIT_S
