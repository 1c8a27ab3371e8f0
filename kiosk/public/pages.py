"""The pages for phones: what they say in a language, and how they look. No clock, no SQL, no web framework.

Whoever serves them gives `HEADERS` along, and the files of `STATIC` under the address that `Pages` was told.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kiosk.public.form import COMMENT_LETTERS, REASONS, Given
from kiosk.public.state import LIVE, Facts, Kind, kind_of
from kiosk.texts import Texts

STATIC = Path(__file__).with_name("static")
REFRESH_S = 20
"""How often a phone without a script, or without a stream, looks again."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address is the key to the ticket
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page: the office, its hotline or "", the language, and the page's own path.

    `languages` are the others that there are: code and own name.
    """

    t: Texts
    office: str
    path: str
    hotline: str = ""
    languages: Sequence[tuple[str, str]] = ()
    usual: str = "vi"

    @property
    def query(self) -> str:
        """What keeps the language in an address; nothing for the office's usual one."""
        return "" if self.t.language == self.usual else f"?l={self.t.language}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One level that can be chosen, with the face that is drawn for it (as in the office document)."""

    value: int
    text: str
    face: str


class Level(Protocol):
    """A level of the office's label set."""

    @property
    def value(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def text_en(self) -> str: ...
    @property
    def face(self) -> str: ...


def choices(levels: Iterable[Level], t: Texts) -> list[Choice]:
    """The levels that are asked, the best first."""
    ordered = sorted(levels, key=lambda level: -level.value)
    return [Choice(each.value, each.text if t.language == "vi" else each.text_en, each.face) for each in ordered]


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked: `choices` (none: only a comment), and what was given already with the problem that it has."""

    choices: Sequence[Choice]
    given: Given = field(default_factory=Given)
    reasons: Sequence[str] = REASONS
    letters: int = COMMENT_LETTERS


@dataclass(frozen=True, slots=True)
class TicketPage:
    """What a ticket's page says: one sentence that matters most, then further ones."""

    kind: Kind
    number: str
    title: str
    says: str
    more: tuple[str, ...] = ()
    may_rejoin: bool = False
    asks_level: bool = False
    asks_comment: bool = False

    @property
    def live(self) -> bool:
        """Whether it may change by itself."""
        return self.kind in LIVE


def ticket_page(facts: Facts, service: str, counter: str, t: Texts) -> TicketPage:
    """The page of a ticket; `service` is its field's name, `counter` what stands on the counter that called it."""
    kind = kind_of(facts)
    return TicketPage(
        kind,
        facts.ticket.number,
        t("phone.title", so=facts.ticket.number, linh_vuc=service),
        _says(kind, facts, counter, t),
        _more(kind, facts, t),
        may_rejoin=kind is Kind.MISSED and facts.may_rejoin,
        asks_level=kind is Kind.SERVED,
        asks_comment=kind in (Kind.SERVED, Kind.RATED) and not facts.commented,
    )


def _says(kind: Kind, facts: Facts, counter: str, t: Texts) -> str:
    match kind:
        case Kind.WAITING:
            return _place(facts, t)
        case Kind.SOON:
            return t("phone.soon")
        case Kind.TURN:
            return t("phone.turn", quay=counter)
        case Kind.SERVING:
            return t("phone.serving", quay=counter)
        case Kind.MISSED:
            return t("phone.missed", quay=counter)
        case Kind.HELD:
            return t("phone.held", quay=counter)
        case Kind.SERVED:
            return t("rate.ask")
        case Kind.RATED:
            return t("rate.already")
        case Kind.EXPIRED:
            return t("rate.expired")
        case Kind.CANCELLED:
            return t("phone.cancelled")
        case Kind.CLOSED:
            return t("phone.closed")


def _place(facts: Facts, t: Texts) -> str:
    """Where a waiting ticket stands."""
    if facts.ahead is None:
        return t("slip.keep")
    if facts.serving:
        if not facts.ahead:
            return t("phone.now_0", so_hien_tai=", ".join(facts.serving))
        return t("phone.now", so_hien_tai=", ".join(facts.serving), n=facts.ahead)
    return t("kiosk.ahead", n=facts.ahead) if facts.ahead else t("kiosk.ahead_0")


def _more(kind: Kind, facts: Facts, t: Texts) -> tuple[str, ...]:
    if kind is Kind.MISSED:
        return (t("phone.rejoin_note"),) if facts.may_rejoin else ()
    if kind not in (Kind.WAITING, Kind.SOON):
        return ()
    place = (_place(facts, t),) if kind is Kind.SOON else ()
    if facts.kept_waiting:
        return (*place, t("apology.wait"))
    return (*place, t("kiosk.wait", tu=facts.wait[0], den=facts.wait[1])) if facts.wait else place


class Pages:
    """The templates. `assets` is the address under which the files of `STATIC` are served, with its last slash.

    `streams` says that a ticket's page is followed at /T/TOKEN/LIVE; else its script asks again by itself.
    """

    def __init__(self, assets: str, streams: bool = True) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals |= {"asset": lambda name: f"{assets}{name}?v={fingerprint(name)}", "refresh": REFRESH_S}
        self._jinja.globals["streams"] = streams

    def ticket(self, frame: Frame, page: TicketPage, form: Form, at: datetime) -> str:
        """A ticket's page as it stood `at`."""
        return self._render("ticket.html", frame, page=page, form=form, at=at)

    def part(self, frame: Frame, page: TicketPage, form: Form, at: datetime) -> str:
        """What changes of a ticket's page, for the script to put in its place."""
        return self._render("part.html", frame, page=page, form=form, at=at)

    def counter(self, frame: Frame, counter: str, form: Form) -> str:
        """The page behind a counter's poster."""
        return self._render("counter.html", frame, counter=counter, form=form)

    def thanks(self, frame: Frame) -> str:
        """After a rating or a comment: the same for each face."""
        return self._render("thanks.html", frame)

    def unknown(self, frame: Frame) -> str:
        """For every code that opens nothing, whatever the cause."""
        return self._render("message.html", frame, message=frame.t("phone.unknown"))

    def trouble(self, frame: Frame) -> str:
        """For a database that cannot be read or written now."""
        return self._render("message.html", frame, message=frame.t("phone.trouble"))

    def poster(self, frame: Frame, counter: str, services: Sequence[str], url: str, symbol: str) -> str:
        """An A5 sheet for a counter; `symbol` is the address as a QR code, an SVG that is trusted."""
        return self._render("poster.html", frame, counter=counter, services=services, url=url, symbol=symbol)

    def _render(self, template: str, frame: Frame, **values: object) -> str:
        return self._jinja.get_template(template).render(frame=frame, t=frame.t, **values)


@cache
def fingerprint(name: str) -> str:
    """Changes with a static file, so that phones may keep it for long."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
