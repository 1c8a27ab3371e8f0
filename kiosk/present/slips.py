"""What a slip says: the ticket's facts in the office's words, with a few lines in the second language."""

from pathlib import Path

from kiosk.present.words import Words
from kiosk.slip import SlipContent
from kiosk.store.spool import SlipFacts
from kiosk.texts import SECOND


def slip_content(words: Words, facts: SlipFacts) -> SlipContent:
    """The slip of a ticket; a copy carries the mark that it was on paper before."""
    t, ticket, office = words.t, facts.ticket, words.office
    service = words.service(ticket.service)
    wait = t("slip.wait", tu=facts.wait[0], den=facts.wait[1]) if facts.wait and facts.ahead else ""
    url = words.ticket_url(ticket.token)
    return SlipContent(
        number=ticket.number,
        service=words.service_name(ticket.service),
        header=(office.unit.head1 or office.unit.name, office.unit.head2),
        logo=Path(words.picture(office.unit.emblem)) if office.unit.emblem else None,
        title=t("slip.title"),
        priority=t("slip.priority") if ticket.priority else "",
        reprint=t("slip.reprint") if facts.copy else "",
        place=_place(words, ticket.service, ticket.session),
        ahead=t("slip.ahead", n=t.number(facts.ahead)),
        wait=wait,
        papers=t("slip.papers", giay_to=", ".join(service.papers)) if service.papers else "",
        keep=t("slip.keep"),
        qr_url=url,
        qr_caption=t("slip.qr") if url else "",
        time=t("slip.time", gio=t.clock(ticket.issued_at), ngay=t.date(ticket.issued_at)),
        hotline=t("slip.hotline", so_dt=office.hotlines[0].number) if office.hotlines else "",
        not_receipt=t("slip.not_receipt"),
        second=_second(words, facts),
    )


def _place(words: Words, service: str, session: str) -> str:
    counters = ", ".join(counter.label for counter in words.office.counters if service in counter.services)
    name = words.session_name(session)
    if counters and name:
        return words.t("slip.place", quay=counters, buoi=name.lower())
    return words.t("slip.counters", quay=counters) if counters else ""


def _second(words: Words, facts: SlipFacts) -> tuple[str, ...]:
    language = facts.language or SECOND
    if language == words.t.language:
        return ()
    other = words.in_language(language)
    so, name = facts.ticket.number, other.service_name(facts.ticket.service)
    return (other.t("slip.guide_1", so=so, linh_vuc=name), other.t("slip.guide_2", so=so, linh_vuc=name))
