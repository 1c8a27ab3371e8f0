"""The office's names and the language's sentences together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from kiosk.clock import Moment
from kiosk.office import Office, Service
from kiosk.texts import Texts
from kiosk.views.model import Header

TICKER_PAGE_S = 10


@dataclass(frozen=True, slots=True)
class Words:
    """What every view needs: the office document, its sentences, and the address that phones reach ("" = none)."""

    office: Office
    t: Texts
    public_url: str = ""
    folder: str = ""
    """Where the configured document lies, with its pictures."""
    photos: str = ""
    """Where pictures lie that came in by a page; looked at first."""

    def in_language(self, language: str) -> "Words":
        """The same office in another language."""
        return replace(self, t=self.t.in_language(language))

    def header(self, now: Moment, title: str, lost: str = "") -> Header:
        """The band at the top with the office's wall clock."""
        unit = self.office.unit
        clock, emblem = self.t.clock(now.local), self.picture(unit.emblem)
        return Header(unit.short or unit.name, title, self.t.day(now.local), clock, lost, emblem)

    def service(self, id: str) -> Service:
        """The service; one that the office document no longer has keeps its id for a name."""
        return self.office.service(id) or Service(id=id, digit="0", name=id)

    def service_name(self, id: str) -> str:
        """The name in the language of the screens."""
        service = self.service(id)
        return service.name if self.t.base == "vi" else service.name_en or service.name

    def short_name(self, id: str) -> str:
        service = self.service(id)
        if self.t.base == "vi":
            return service.short or service.name
        return service.short_en or service.name_en or service.name

    def session_name(self, id: str) -> str:
        """The name in the language of the screens; "" for a session that the office does not have."""
        session = next((session for session in self.office.sessions if session.id == id), None)
        if session is None or self.t.base == "vi":
            return session.name if session else ""
        return session.name_en or session.name

    def counter_label(self, id: str) -> str:
        counter = self.office.counter(id)
        return counter.label if counter else id

    def author(self, by: str) -> str:
        """Who applied an office document: the person, or the way by which it came in."""
        way = f"by.{by.replace(' ', '_')}"
        if way in self.t:
            return self.t(way)
        person = self.office.clerk(by)
        return person.name if person else by

    def picture(self, name: str) -> str:
        """Path of a photo that the office document names, "" for none."""
        if name and self.photos and (own := Path(self.photos, name)).is_file():
            return str(own)
        return f"{self.folder}/{name}" if name else ""

    def ticket_url(self, token: str) -> str:
        """The ticket's page, upper-case so that its QR code is one version smaller; "" without a public address."""
        return f"{self.public_url.rstrip('/').upper()}/T/{token}" if self.public_url else ""

    def when(self, at: datetime, today: date) -> dict[str, str]:
        """The values {gio} and {thu_ngay} of a sentence: weekday and date, or that it is today."""
        return {"gio": self.t.clock(at), "thu_ngay": self.t("kiosk.today") if at.date() == today else self.t.day(at)}

    def session_in_text(self, id: str) -> str:
        """A session's name within a sentence: "buổi sáng", "the morning session"."""
        return self.session_name(id).lower()

    def ticker(self, now: Moment, more: Sequence[str] = ()) -> str:
        """One page of the ticker: its lines take turns."""
        lines = self.ticker_lines(more)
        return lines[int(now.at.timestamp()) // TICKER_PAGE_S % len(lines)] if lines else ""

    def ticker_lines(self, more: Sequence[str] = ()) -> tuple[str, ...]:
        """All pages of the ticker: hotlines, `more`, other ways to send feedback, and slogans."""
        return (
            *(self.t("board.hotline", ten=line.name, so_dt=line.number) for line in self.office.hotlines),
            *more,
            *(self.t("board.channel", ten=way.name, dia_chi=way.address) for way in self.office.channels),
            *self.office.slogans,
        )
