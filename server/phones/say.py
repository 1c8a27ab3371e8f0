"""What a phone says, as events of the server's own feed. Which rating of a ticket counts is asked with each event."""

import secrets
from datetime import datetime

from kiosk import rating
from kiosk.hours import session_at
from kiosk.public.form import Given
from kiosk.public.state import Kind, kind_of
from kiosk.texts import LOCAL
from kiosk.tickets import Data
from server.facts.fold import facts_of
from server.facts.models import Comment, Ticket
from server.office.opening import hours_of
from server.phones import look, own
from server.registry.models import Site
from sync.beside import text_hash


def of_ticket(row: Ticket, given: Given, now: datetime) -> bool:
    """Keep what somebody says of a finished ticket; whether anything could be kept.

    Beside a rating that counts only the comment is kept, once. It is looked at while nobody else can say anything, so
    that a form that is sent twice, even at the same moment, is kept once.
    """
    rated = own.id_of(f"rating:{row.pk}")
    with own.saying(row.site, now) as said:
        kind = kind_of(look.facts(row, now))
        if kind not in (Kind.SERVED, Kind.RATED):
            return False
        about: Data = {"ticket": row.pk, "counter": row.counter, "clerk": row.clerk, "rating": ""}
        if kind is Kind.SERVED and given.level is not None:
            about["rating"] = rated
            event, data = rating.by_phone(facts_of(row), given.level, _label_set(row.site), given.reasons)
            said.emit(event, {**data, "rating": rated, **_when(row.site, now)}, rated)
        if given.comment and not Comment.objects.filter(ticket=row.pk, site=row.site).exists():
            _comment(said, given.comment, about)
        return bool(said.lines or given.comment)


def of_counter(poster: look.Poster, given: Given, now: datetime) -> None:
    """Keep what somebody says on a poster's page of whoever works there now; tied to no ticket and counted apart."""
    about: Data = {"ticket": "", "counter": poster.counter, "clerk": poster.clerk, "rating": ""}
    with own.saying(poster.site, now) as said:
        if given.level is not None:
            about["rating"] = own.new_id()
            decided = (poster.counter, poster.clerk, given.level, _label_set(poster.site), given.reasons)
            event, data = rating.by_poster(*decided)
            said.emit(event, {**data, "rating": about["rating"], **_when(poster.site, now)})
        if given.comment:
            _comment(said, given.comment, about)


def _label_set(site: Site) -> str:
    document = look.office(site)
    return document.rules.label_set if document else ""


def _when(site: Site, now: datetime) -> Data:
    """The day and session that a rating given now belongs to; what staff changed at the kiosk is the kiosk's."""
    session = session_at(hours_of([site])[site.pk], now.astimezone(LOCAL)) if look.office(site) else ""
    return {"day": str(look.today(now)), "session": session, "guess_boot": ""}


def _comment(said: own.Said, text: str, about: Data) -> None:
    """Keep the words with their salt; the event carries only a hash (docs/feed.md)."""
    id, day, salt = own.new_id(), look.today(said.now), secrets.token_hex(16)
    sha256 = text_hash(salt, text)
    where = {"site": said.device.site, "device": said.device, "day": day}
    Comment.objects.create(id=id, text=text, salt=salt, sha256=sha256, **where, **about)
    said.emit("comment.given", {"comment": id, **about, "day": str(day), "sha256": sha256})
