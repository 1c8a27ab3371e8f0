"""What a phone may learn of a ticket or a counter, from the facts that the kiosk has sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.core.cache import cache

from kiosk import turns
from kiosk.office import Office
from kiosk.public.state import Facts
from kiosk.texts import LOCAL
from kiosk.tickets import OPEN, State
from server.facts.fold import facts_of
from server.facts.models import Comment, Desk, Fact, Rating, Ticket
from server.feed.models import Event
from server.office.names import office_of
from server.phones.own import id_of
from server.registry.models import Device, Site

LINE_S = 5
"""A line is worked out once in so many seconds, however many phones ask."""
OFFICE_S = 30
"""So late a new office document may show."""
SERVING_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Poster:
    """A counter whose poster's code somebody has, and who works there (an id, or "")."""

    site: Site
    device: Device
    counter: str
    clerk: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A queue: how many go before each ticket (by id), and the numbers at the counters now, the latest first."""

    ahead: Mapping[str, int]
    serving: tuple[str, ...]


def today(now: datetime) -> date:
    """The day at the office."""
    return now.astimezone(LOCAL).date()


def office(site: Site) -> Office | None:
    """The office document that is in force; looked up again after OFFICE_S seconds."""
    key = f"phones.office.{site.pk}"
    known: tuple[Office | None] | None = cache.get(key)
    if known is None:
        known = (office_of(site),)
        cache.set(key, known, OFFICE_S)
    return known[0]


def ticket(token: str) -> Ticket | None:
    """The ticket with this code. None for none, and for one that two tickets have: nobody knows whose it is."""
    rows = list(Ticket.objects.select_related("site__unit", "device").filter(token=token)[:2])
    return rows[0] if len(rows) == 1 else None


def facts(row: Ticket, now: datetime) -> Facts:
    """All that the ticket's page may say. It promises no wait: that needs what only the kiosk knows."""
    found = Facts(facts_of(row), row.day, today(now))
    if found.ticket.state is State.WAITING and row.day == found.today:
        return _in_line(row, found, now)
    if found.ticket.state in OPEN:
        return found
    return replace(found, rated=_rated(row), commented=Comment.objects.filter(ticket=row.pk, site=row.site).exists())


def poster(token: str, now: datetime) -> Poster | None:
    """The counter with this code, if the office still has it; None for none, and for one that two kiosks claim."""
    found = list(Fact.objects.select_related("site__unit", "device").filter(kind="poster", key=token)[:2])
    if len(found) != 1:
        return None
    fact, counter = found[0], str(found[0].value["counter"])
    document = office(fact.site)
    if document is not None and document.counter(counter) is None:
        return None
    return Poster(fact.site, fact.device, counter, _on_duty(fact.device, document, counter, now))


def _on_duty(device: Device, document: Office | None, counter: str, now: datetime) -> str:
    """Who signed in today, as far as the kiosk has said; without calls, else the office document's clerk."""
    desk = Desk.objects.filter(device=device, counter=counter, day=str(today(now))).first()
    if desk and desk.clerk:
        return desk.clerk
    place = document.counter(counter) if document and document.rules.free_rating else None
    return place.clerk if place else ""


def _rated(row: Ticket) -> bool:
    """Whether a rating counts for the ticket, or was given here a moment ago."""
    given = Rating.objects.filter(ticket=row.pk, site=row.site, counting=True)
    return given.exists() or Event.objects.filter(id=id_of(f"rating:{row.pk}")).exists()


def _in_line(row: Ticket, found: Facts, now: datetime) -> Facts:
    document = office(row.site)
    if document is None or document.rules.free_rating:
        return found  # nobody calls numbers there, so nobody ever leaves the line
    line = _line(row, document, now)
    return replace(found, ahead=line.ahead.get(row.pk), serving=line.serving)


def _line(row: Ticket, document: Office, now: datetime) -> _Line:
    key = f"phones.line.{row.device_id}.{row.queue}"
    known: _Line | None = cache.get(key)
    if known is None:
        known = _look(row, document, now)
        cache.set(key, known, LINE_S)
    return known


def _look(row: Ticket, document: Office, now: datetime) -> _Line:
    """People ahead by the rules of the turns, as the kiosk's own page counts them."""
    queue = Ticket.objects.filter(device=row.device, site=row.site, day=row.day, queue=row.queue)
    waiting = [facts_of(each) for each in queue.filter(state=State.WAITING)]
    called = queue.exclude(last_called_at=None).order_by("-last_called_at")
    last = called.first()
    line = turns.order(waiting, bool(last and last.priority), document.rules.policy(), now)
    at_desks = called.filter(state__in=[State.CALLED, State.SERVING])[:SERVING_SHOWN]
    return _Line({each.id: ahead for ahead, each in enumerate(line)}, tuple(each.number for each in at_desks))
