"""The pages for citizens' phones by way of the server: /T/TOKEN behind a slip's code, /C/TOKEN behind a poster's.

They are those of the kiosk's own network (kiosk/public). They touch no session, set no cookie and look at no address.
"""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.utils.encoding import iri_to_uri
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from kiosk.office import Office
from kiosk.public.form import MOST_BYTES, Given, fields_of, read
from kiosk.public.limits import BUSY_S, PER_COUNTER, PER_TICKET, TOGETHER, Limiter
from kiosk.public.pages import HEADERS, REFRESH_S, Choice, Form, Frame, Pages, TicketPage, choices, ticket_page
from kiosk.texts import LOCAL, Texts
from server import clock
from server.facts.models import Ticket
from server.phones import kept, look, say
from server.registry.models import Site
from server.words import LANGUAGES, office_texts, texts

logger = logging.getLogger(__name__)

PAGES = Pages(f"{settings.STATIC_URL}phone/", streams=False)
TOKEN = re.compile("[0-9A-Z]{8,20}")
SILENT = timedelta(minutes=10)
"""A kiosk gives a sign of life every five minutes: after so long the page says that it may be out of date."""
TWICE_S = 5
"""A poster's form that comes again word for word within so many seconds is the same finger."""

TICKET_S = 3
"""So late a call may show on a phone: a page is made once in so many seconds."""
POSTER_S = 30

View = Callable[[HttpRequest, str, datetime], HttpResponse | None]
"""None: the code opens nothing."""


@dataclass
class _Limits:
    """How often may be written, for each site on its own: one office's crowd shuts no other office's page."""

    _by_site: dict[int, tuple[Limiter, Limiter]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ticket(self, site: int, key: str) -> bool:
        return self._allow(0, site, key)

    def counter(self, site: int, key: str) -> bool:
        return self._allow(1, site, key)

    def _allow(self, kind: int, site: int, key: str) -> bool:
        with self._lock:
            made = Limiter(PER_TICKET, TOGETHER), Limiter(PER_COUNTER, TOGETHER)
            return self._by_site.setdefault(site, made)[kind].allow(key, time.monotonic())


limits = _Limits()


def _phone(kept_s: int) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """A page whose codes are in capitals, and which says so itself when the database has trouble."""

    def with_view(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt  # without a session there is nothing that another site's form could borrow
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapped(request: HttpRequest, token: str) -> HttpResponse:
            if request.path != request.path.upper():
                return _redirect(request.path.upper(), _language(request), permanent=True)
            if not TOKEN.fullmatch(token):
                return _unknown(request)
            try:
                return _said(request, token, view) if request.method == "POST" else _read(request, token, view, kept_s)
            except DatabaseError:
                logger.exception("a phone's page could not be made")
                return _trouble(request, HTTPStatus.SERVICE_UNAVAILABLE)

        return wrapped

    return with_view


def _read(request: HttpRequest, token: str, view: View, kept_s: int) -> HttpResponse:
    """The page, made anew if it is older than `kept_s`."""
    which = request.path, _asked(request), _shown(request)
    known = kept.page(*which)
    if known is not None:
        return known
    made = _looked(request, token, view)
    if made.status_code == HTTPStatus.OK:
        kept.keep(*which, made, kept_s)
    return made


def _said(request: HttpRequest, token: str, view: View) -> HttpResponse:
    """What becomes of a form; the page is made anew after it."""
    answer = _looked(request, token, view)
    kept.forget(request.path)
    return answer


def _looked(request: HttpRequest, token: str, view: View) -> HttpResponse:
    """What the code opens, for those who may look."""
    if not kept.may_look(request.path):
        answer = _trouble(request, HTTPStatus.TOO_MANY_REQUESTS)
        answer["Retry-After"] = str(REFRESH_S)
        return answer
    found = view(request, token, clock.now())
    kept.looked(request.path, found is not None)
    return _unknown(request) if found is None else found


@_phone(TICKET_S)
def ticket(request: HttpRequest, token: str, now: datetime) -> HttpResponse | None:
    """The page behind a slip's code, and what is said on it."""
    row = look.ticket(token)
    if row is None:
        return None
    document = look.office(row.site)
    frame = _frame(request, row.site, document)
    page, as_of = _ticket_page(row, document, frame.t, now)
    form = Form(_choices(document, frame.t) if page.asks_level else ())
    if request.method == "POST":
        return _said_of_ticket(request, row, frame, page, form, now)
    if _shown(request) == "done" and not page.live:
        return _html(PAGES.thanks(frame))
    render = PAGES.part if _shown(request) == "part" else PAGES.ticket
    return _html(render(frame, page, form, as_of))


def _said_of_ticket(
    request: HttpRequest, row: Ticket, frame: Frame, page: TicketPage, form: Form, now: datetime
) -> HttpResponse:
    if not (page.asks_level or page.asks_comment):
        return _redirect(frame.path, _language(request))

    def allowed() -> bool:
        return limits.ticket(row.site_id, row.pk)

    def render(form: Form) -> str:
        return PAGES.ticket(frame, page, form, now)

    return _keep(request, form, allowed, render, lambda given: say.of_ticket(row, given, now))


@_phone(POSTER_S)
def counter(request: HttpRequest, token: str, now: datetime) -> HttpResponse | None:
    """The page behind a counter's poster, and what is said on it."""
    poster = look.poster(token, now)
    if poster is None:
        return None
    document = look.office(poster.site)
    frame, place = _frame(request, poster.site, document), document.counter(poster.counter) if document else None
    form, label = Form(_choices(document, frame.t)), place.label if place else poster.counter

    def keep(given: Given) -> bool:
        if not _same_finger(token, given):
            say.of_counter(poster, given, now)
        return True

    def render(form: Form) -> str:
        return PAGES.counter(frame, label, form)

    if request.method != "POST":
        answer = _html(PAGES.thanks(frame) if _shown(request) == "done" else render(form))
        answer["Cache-Control"] = f"public, max-age={POSTER_S}"  # it hangs on the wall, and is the same for everybody
        return answer
    return _keep(request, form, lambda: limits.counter(poster.site.pk, token), render, keep)


def _keep(
    request: HttpRequest,
    form: Form,
    allowed: Callable[[], bool],
    render: Callable[[Form], str],
    keep: Callable[[Given], bool],
) -> HttpResponse:
    """Keep what was said and thank for it; else the page again with all that was written, and what is wrong."""
    given = read(fields_of(request.read(MOST_BYTES + 1)), {choice.value for choice in form.choices})

    def again(problem: str, status: HTTPStatus) -> HttpResponse:
        return _html(render(replace(form, given=replace(given, problem=problem))), status)

    if given.problem:
        return again(given.problem, HTTPStatus.UNPROCESSABLE_ENTITY)
    if not allowed():
        answer = again("busy", HTTPStatus.TOO_MANY_REQUESTS)
        answer["Retry-After"] = str(BUSY_S)
        return answer
    try:
        kept = keep(given)
    except DatabaseError:
        logger.exception("what a phone said could not be kept")
        return again("failed", HTTPStatus.SERVICE_UNAVAILABLE)
    return _redirect(request.path, "&".join(part for part in (_language(request), "done=1" if kept else "") if part))


def _same_finger(token: str, given: Given) -> bool:
    """Whether the same was sent for this poster a moment ago: a button that was tapped twice."""
    said = hashlib.sha256(repr((given.level, given.reasons, given.comment)).encode()).hexdigest()
    return not cache.add(f"phones.said.{token}.{said}", True, TWICE_S)


# --- what stands on the page ----------------------------------------------------------------------------------


def _ticket_page(row: Ticket, document: Office | None, t: Texts, now: datetime) -> tuple[TicketPage, datetime]:
    """The page, and the time that it is true for: that of the kiosk's last sign of life."""
    place, queue = (document.counter(row.counter), document.service(row.queue)) if document else (None, None)
    name = (queue.name if t.base == "vi" else queue.name_en or queue.name) if queue else row.queue
    page = ticket_page(look.facts(row, now), name, place.label if place else row.counter, t)
    as_of = row.device.seen or row.issued_at
    if page.live and now - as_of > SILENT:
        page = replace(page, more=(*page.more, t("phones.silent", gio=t.clock(as_of), ngay=t.date(as_of))))
    return page, as_of.astimezone(LOCAL)


def _choices(document: Office | None, t: Texts) -> list[Choice]:
    labels = document.label_set() if document else None
    return choices(labels.levels if labels else (), t)


def _frame(request: HttpRequest, site: Site, document: Office | None) -> Frame:
    t = office_texts(_asked(request), document.texts, document.rules.address) if document else texts(_asked(request))
    unit = document.unit if document else None
    hotline = document.hotlines[0].number if document and document.hotlines else ""
    return Frame(t, (unit.short or unit.name) if unit else site.unit.name, request.path, hotline, _others(t))


def _strangers(request: HttpRequest) -> Frame:
    """What stands around a page of no office."""
    t = texts(_asked(request))
    return Frame(t, t("phones.office"), request.path, languages=_others(t))


def _asked(request: HttpRequest) -> str:
    asked = request.GET.get("l", "")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _shown(request: HttpRequest) -> str:
    return next((shown for shown in kept.SHOWN[1:] if shown in request.GET), "")


def _others(t: Texts) -> list[tuple[str, str]]:
    return [(name, texts(name)("language.name")) for name in LANGUAGES if name != t.language]


# --- answers --------------------------------------------------------------------------------------------------


def _unknown(request: HttpRequest) -> HttpResponse:
    """The same for every code that opens nothing: nobody learns why. It looks again by itself."""
    return _html(PAGES.unknown(_strangers(request)), HTTPStatus.NOT_FOUND, REFRESH_S)


def _trouble(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    return _html(PAGES.trouble(_strangers(request)), status, REFRESH_S)


def _html(html: str, status: int = HTTPStatus.OK, refresh_s: int = 0) -> HttpResponse:
    return HttpResponse(html, status=status, headers={**HEADERS, **({"Refresh": str(refresh_s)} if refresh_s else {})})


def _language(request: HttpRequest) -> str:
    """What keeps the language in an address."""
    return "" if _asked(request) == LANGUAGES[0] else f"l={_asked(request)}"


def _redirect(path: str, query: str, permanent: bool = False) -> HttpResponse:
    """To a page of ours; after a form, so that a reload sends nothing twice."""
    to = iri_to_uri(path) + (f"?{query}" if query else "")
    if permanent:
        answer: HttpResponse = HttpResponsePermanentRedirect(to, preserve_request=True)
    else:
        answer = HttpResponseRedirect(to)
        answer.status_code = HTTPStatus.SEE_OTHER
    for name, value in HEADERS.items():
        answer[name] = value
    return answer
