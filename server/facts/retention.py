"""What is too old goes: tickets, ratings, comments, raw events, the audit, sessions that are over. Sums and heads stay.

In small steps, so that nobody waits for it, and in an order in which it may end after any of them: first the sums of
the days concerned are finished and closed, then rows go, then events. The words of comments go long before, by
`server.publication.comments`; here goes what is left of them.
"""

from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from kiosk.texts import LOCAL
from server.accounts.models import Audit
from server.facts import rollups
from server.facts.models import Comment, Cursor, Dirty, Rating, Ticket
from server.facts.projector import locked_cursor
from server.facts.texts import UNDER_WORK
from server.feed.models import Event
from server.registry.models import Site

STEP = 5000
"""Rows of one transaction."""


def drop_old(now: datetime) -> bool:
    """One step; whether there may be more to do."""
    today = now.astimezone(LOCAL).date()
    Session.objects.filter(expire_date__lt=now).delete()
    more = _drop_audit(_midnight(months_before(today, settings.CONFIG.keep.audit_months)))
    return _drop_facts(now, months_before(today, settings.CONFIG.keep.ticket_months)) or more


def months_before(day: date, months: int) -> date:
    """The first of the month so many months before: a month is kept or gone as a whole."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL)


def _drop_audit(before: datetime) -> bool:
    oldest = list(Audit.objects.order_by("id").values_list("id", "at")[:STEP])
    gone = [id for id, at in oldest if at < before]
    Audit.objects.filter(id__in=gone).delete()
    return len(gone) == STEP


def _drop_facts(now: datetime, first: date) -> bool:
    """Drop rows of days before `first`, and events that came before it."""
    if Dirty.objects.filter(day__lt=first).exists():
        return rollups.roll_up(now, oldest_first=True) > 0  # a day that cannot be summed keeps its rows
    _close(first)
    kinds: tuple[QuerySet[Any], ...] = (
        Ticket.objects.all(),
        Rating.objects.all(),
        Comment.objects.exclude(UNDER_WORK),
    )
    return any(_drop_rows(rows, first) for rows in kinds) or _drop_events(_midnight(first))


def _close(first: date) -> None:
    """From now on the sums of days before `first` stay as they are, whatever comes late."""
    with transaction.atomic():
        since = locked_cursor().since
        if since is None or since < first:
            Cursor.objects.filter(one=1).update(since=first)


def _drop_rows(rows: QuerySet[Any], first: date) -> bool:
    """Drop some of a table's rows, by site: there is an index for it."""
    left = STEP
    for site in Site.objects.values_list("pk", flat=True):
        old = list(rows.filter(site=site, day__lt=first).order_by("day").values_list("pk", flat=True)[:left])
        rows.filter(pk__in=old).delete()
        left -= len(old)
        if not left:
            return True
    return False


def _drop_events(before: datetime) -> bool:
    """Drop events in the order in which they came, never one that was not folded: it may still be looked at again."""
    folded = Event.objects.filter(num__lte=Cursor.objects.get(one=1).num, quarantined=None)
    oldest = folded.order_by("num").values_list("num", "received")[:STEP]
    limit = int(before.timestamp() * 1000)
    gone = [num for num, received in oldest if received < limit]
    Event.objects.filter(num__in=gone).delete()
    return len(gone) == STEP
