"""Sums of a day, made of its rows as a whole each time: so they cannot differ from them.

Medians and percentiles of any period come from counts by whole minutes, which add up where medians do not.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal

from kiosk.texts import LOCAL
from kiosk.tickets import State
from server.facts.faults import fault
from server.facts.models import Dirty, Rating, RatingRollup, ReasonRollup, Rollup, Ticket
from server.facts.projector import locked_cursor
from server.registry.models import Site

logger = logging.getLogger(__name__)

AGAIN = timedelta(hours=1)
"""So long after a day could not be summed it is tried again."""
LONGEST_MIN = 600
"""Waits beyond ten hours are counted there: a day has no more."""

_ENDS = {State.SERVED: "served", State.NO_SHOW: "no_show", State.CANCELLED: "cancelled", State.CLOSED: "closed"}


day_summed = Signal()
"""A day's sums were written, in a transaction that holds the cursor's lock; `site` and `day` say which."""


@dataclass
class _Sum:
    counts: Counter[str] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    services: Counter[int] = field(default_factory=Counter)


def minutes(since: datetime, until: datetime) -> int:
    """Whole minutes between two times, not below 0 and not above LONGEST_MIN."""
    return min(max(int((until - since).total_seconds() // 60), 0), LONGEST_MIN)


def roll_up(now: datetime, most: int = 50, *, oldest_first: bool = False) -> int:
    """Make the sums of days that changed again, at most so many days; how many could be made.

    The newest go first: after an upgrade that has all days summed again, today does not wait for years. A day that
    cannot be summed keeps its sums and its mark, holds up no other one, and is tried again after AGAIN.
    """
    waiting = Dirty.objects.select_related("site").exclude(failed__gt=now - AGAIN, failed__lte=now)
    return sum(_roll_up(dirty, now) for dirty in list(waiting.order_by("day" if oldest_first else "-day")[:most]))


def _roll_up(dirty: Dirty, now: datetime) -> bool:
    error = fault(lambda: _sum_once(dirty))
    if error:
        logger.error("the sums of %s at site %d cannot be made", dirty.day, dirty.site_id, exc_info=error)
        Dirty.objects.filter(pk=dirty.pk).update(failed=now)
    return error is None


def _sum_once(dirty: Dirty) -> None:
    with transaction.atomic():
        since = locked_cursor().since
        # Deleted first: what changes the day from now on marks it again.
        Dirty.objects.filter(pk=dirty.pk).delete()
        if since is None or dirty.day >= since:
            sum_day(dirty.site, dirty.day)


def sum_day(site: Site, day: date) -> None:
    """Write the sums of a day at a site in place of the ones before. Needs a transaction."""
    tickets = list(Ticket.objects.filter(site=site, day=day))
    ratings = list(Rating.objects.filter(Q(replaced_by="") | Q(counting=True), site=site, day=day))
    for model in (Rollup, RatingRollup, ReasonRollup):
        model._default_manager.filter(site=site, day=day).delete()
    Rollup.objects.bulk_create(
        Rollup(site=site, day=day, dim=dim, key=key, waits=of.waits, services=of.services, **_counts(of))
        for (dim, key), of in _sums(tickets).items()
    )
    RatingRollup.objects.bulk_create(_rating_sums(site, day, ratings))
    ReasonRollup.objects.bulk_create(_reason_sums(site, day, ratings))
    day_summed.send(sender=Rollup, site=site, day=day)


def _counts(of: _Sum) -> dict[str, int]:
    names = ("issued", "priority", *_ENDS.values(), "transfers", "holds")
    return {name: of.counts[name] for name in names}


def _sums(tickets: Iterable[Ticket]) -> dict[tuple[str, str], _Sum]:
    sums: dict[tuple[str, str], _Sum] = defaultdict(_Sum)
    sums["all", ""] = _Sum()  # a day whose tickets went to another one is told too: with zeros
    for ticket in tickets:
        for place in _places(ticket):
            _add(sums[place], ticket)
    return sums


def _places(ticket: Ticket) -> list[tuple[str, str]]:
    hour = f"{ticket.issued_at.astimezone(LOCAL).hour:02d}"
    desk = [("counter", ticket.counter)] if ticket.counter else []
    clerk = [("clerk", ticket.clerk)] if ticket.clerk else []
    return [("all", ""), ("service", ticket.service), ("hour", hour), *desk, *clerk]


def _add(to: _Sum, ticket: Ticket) -> None:
    to.counts.update(issued=1, priority=int(ticket.priority), transfers=ticket.transfers, holds=ticket.holds)
    if (state := _counted_as(ticket)) in _ENDS:
        to.counts[_ENDS[state]] += 1
    if ticket.reached_at:
        to.waits[minutes(ticket.issued_at, ticket.reached_at)] += 1
    if ticket.state == State.SERVED and ticket.started_at and ticket.ended_at and not ticket.implied:
        to.services[minutes(ticket.started_at, ticket.ended_at)] += 1


def _counted_as(ticket: Ticket) -> State:
    """Who missed the call has missed it, also when the next day's first press has closed the number."""
    missed = ticket.state == State.CLOSED and ticket.missed_at is not None and ticket.calls > 0
    return State.NO_SHOW if missed else State(ticket.state)


def _rating_sums(site: Site, day: date, ratings: Sequence[Rating]) -> list[RatingRollup]:
    names = ("session", "service", "counter", "clerk", "label_set", "level", "late")
    counts = Counter((*(getattr(r, name) for name in names), _left_out(r)) for r in ratings)
    return [
        RatingRollup(site=site, day=day, flags=key[-1], n=n, **dict(zip(names, key[:-1], strict=True)))
        for key, n in sorted(counts.items(), key=str)
    ]


def _left_out(rating: Rating) -> str:
    return rating.flags or ("" if rating.counting else "second")


def _reason_sums(site: Site, day: date, ratings: Sequence[Rating]) -> list[ReasonRollup]:
    ticked = Counter((r.label_set, reason, r.late) for r in ratings if r.counting for reason in r.reasons.split())
    return [
        ReasonRollup(site=site, day=day, label_set=label_set, reason=reason, late=late, n=n)
        for (label_set, reason, late), n in sorted(ticked.items(), key=str)
    ]
