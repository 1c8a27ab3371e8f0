"""The pages for citizens' phones on the kiosk's own network: /T/TOKEN behind a slip's code, /C/TOKEN behind a poster's.

It joins what the store knows with what `kiosk.public` shows; it decides nothing, sets no cookie and keeps no address.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import wraps
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from kiosk.clock import Moment
from kiosk.console import apart
from kiosk.console.live import stream
from kiosk.console.site import Site, Visitor
from kiosk.present.words import Words
from kiosk.public.form import MOST_BYTES, Given, fields_of, read
from kiosk.public.limits import BUSY_S, PER_COUNTER, PER_TICKET, TOGETHER, Limiter
from kiosk.public.pages import (
    HEADERS,
    STATIC,
    Choice,
    Form,
    Frame,
    Pages,
    TicketPage,
    choices,
    fingerprint,
    ticket_page,
)
from kiosk.public.state import Facts
from kiosk.store import Store, StoreError
from kiosk.store.phones import Answer

ASSETS = "/phone/"
FILES = {"phone.css": "text/css", "phone.js": "text/javascript", "poster.css": "text/css"}
MOST_STREAMS = 200
"""Phones that are kept up to date at once; the others ask again by themselves."""
CODE_S = 30.0
"""For a poster's code: 0.1 s of a PC."""

Handler = Callable[["PhonePages", Request], Awaitable[Response]]


def _phone(handler: Handler) -> Handler:
    """A page whose codes are in capitals, and which says so itself when the database has trouble."""

    @wraps(handler)
    async def answer(pages: "PhonePages", request: Request) -> Response:
        path = request.url.path
        if path != path.upper():
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(path.upper() + query, HTTPStatus.PERMANENT_REDIRECT, headers=HEADERS)
        try:
            return await handler(pages, request)
        except StoreError:
            html = pages.pages.trouble(pages.frame(request))
            return _html(html, HTTPStatus.SERVICE_UNAVAILABLE)

    return answer


class PhonePages:
    """What phones may open, by plain HTTP too; and the posters, for staff."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.pages = Pages(ASSETS)
        self.streams = 0
        self._by_ticket = Limiter(PER_TICKET, TOGETHER)
        self._by_counter = Limiter(PER_COUNTER, TOGETHER)

    def routes(self) -> list[BaseRoute]:
        """For everybody on the LAN."""
        both = ["GET", "POST"]
        return [
            Route("/T/{token}/LIVE", self.live),
            *(Route(f"/{letter}/{{token:path}}", self.ticket, methods=both) for letter in "Tt"),
            *(Route(f"/{letter}/{{token:path}}", self.counter, methods=both) for letter in "Cc"),
            Route(ASSETS + "{name}", asset),
        ]

    def staff_routes(self) -> list[BaseRoute]:
        """For people who sign in."""
        return [Route("/poster/{counter}", self.site.staff(self.poster))]

    # --- a ticket --------------------------------------------------------------------------------------------

    @_phone
    async def ticket(self, request: Request) -> Response:
        """The page behind a slip's code, and what is said on it."""
        token, frame = request.path_params["token"], self.frame(request)
        facts, now = await self._facts(token)
        if facts is None:
            return self._unknown(frame)
        page = self._page(facts, frame)
        if request.method == "POST":
            return await self._said_of_ticket(request, token, frame, page, now)
        if "done" in request.query_params and not page.live:
            return _html(self.pages.thanks(frame))
        render = self.pages.part if "part" in request.query_params else self.pages.ticket
        return _html(render(frame, page, self._form(page, frame), now.local))

    @_phone
    async def live(self, request: Request) -> Response:
        """The part of the page that changes, each time it has changed."""
        token, frame = request.path_params["token"], self._frame(f"/T/{request.path_params['token']}", request)
        facts, _ = await self._facts(token)
        if facts is None:
            return self._unknown(frame)
        if self.streams >= MOST_STREAMS:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={**HEADERS, "Retry-After": str(BUSY_S)})

        async def render() -> Mapping[str, str]:
            facts, now = await self._facts(token)
            if facts is None:
                return {}
            page = self._page(facts, frame)
            return {"live": self.pages.part(frame, page, self._form(page, frame), now.local)}

        answer = stream(self.site, render)
        answer.headers.update(HEADERS)
        return _Counted(answer, self)

    async def _said_of_ticket(
        self, request: Request, token: str, frame: Frame, page: TicketPage, now: Moment
    ) -> Response:
        fields = await _posted(request)
        if ("do", "rejoin") in fields:
            await self.site.ask(lambda store, now: store.phones.rejoin(now, token))
            return _to(frame)
        if not (page.asks_level or page.asks_comment):
            return _to(frame)

        def render(form: Form) -> str:
            return self.pages.ticket(frame, page, form, now.local)

        def keep(store: Store, now: Moment, answer: Answer) -> bool:
            return store.phones.rate(now, token, answer)

        form = self._form(page, frame)
        return await self._keep(fields, frame, form, self._by_ticket.allow(token, now.mono / 1000), render, keep)

    # --- a counter -------------------------------------------------------------------------------------------

    @_phone
    async def counter(self, request: Request) -> Response:
        """The page behind a counter's poster, and what is said on it."""
        token, frame = request.path_params["token"], self.frame(request)
        counter, now = await self.site.ask(lambda store, now: (store.posters.counter(token), now))
        if not counter:
            return self._unknown(frame)
        if "done" in request.query_params and request.method != "POST":
            return _html(self.pages.thanks(frame))
        label = self.site.words.counter_label(counter)
        form = Form(self._choices(frame))

        def render(form: Form) -> str:
            return self.pages.counter(frame, label, form)

        def keep(store: Store, now: Moment, answer: Answer) -> bool:
            return store.phones.rate_counter(now, counter, answer)

        if request.method != "POST":
            return _html(render(form))
        fields = await _posted(request)
        return await self._keep(fields, frame, form, self._by_counter.allow(counter, now.mono / 1000), render, keep)

    async def poster(self, request: Request, visitor: Visitor) -> Response:
        """A counter's poster to print. Raises Refused for a counter that the office does not have."""
        words, counter = self.site.words_for(request), request.path_params["counter"]
        desk = words.office.counter(counter)
        if desk is None or not words.public_url:
            why = "console.no_page" if desk is None else "phone.poster_no_url"
            return self.site.page(request, "message.html", HTTPStatus.NOT_FOUND, visitor=visitor, message=why)
        token = await self.site.ask(lambda store, now: store.posters.token(now, counter), visitor)
        url = f"{words.public_url.rstrip('/').upper()}/C/{token}"
        services = [words.service_name(id) for id in desk.services]
        frame = self._frame(request.url.path, request)
        code = await asyncio.to_thread(apart.ask, "kiosk.console.codes", url, CODE_S)
        return _html(self.pages.poster(frame, desk.label, services, url, code))

    # --- both ------------------------------------------------------------------------------------------------

    async def _keep(
        self,
        fields: list[tuple[str, str]],
        frame: Frame,
        form: Form,
        allowed: bool,
        render: Callable[[Form], str],
        keep: Callable[[Store, Moment, Answer], bool],
    ) -> Response:
        """Keep what was said and thank for it; else the page again with all that was written, and what is wrong."""
        given = read(fields, {choice.value for choice in form.choices})
        if given.problem:
            return _html(render(replace(form, given=given)), HTTPStatus.UNPROCESSABLE_ENTITY)
        if not allowed:
            again = render(replace(form, given=replace(given, problem="busy")))
            return _html(again, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(BUSY_S)})
        answer = Answer(given.level, given.reasons, given.comment)
        try:
            kept = await self.site.ask(lambda store, now: keep(store, now, answer))
        except StoreError:
            failed = replace(form, given=replace(given, problem="failed"))
            return _html(render(failed), HTTPStatus.SERVICE_UNAVAILABLE)
        return _to(frame, "done=1") if kept else _to(frame)

    def frame(self, request: Request) -> Frame:
        """What stands around this request's page."""
        return self._frame(request.url.path, request)

    def _frame(self, path: str, request: Request) -> Frame:
        words, wanted = self.site.words, request.query_params.get("l", "")
        language = wanted if wanted in words.t.languages else words.t.language
        t = words.t.in_language(language)
        others = [(code, t.in_language(code)("language.name")) for code in t.languages if code != language]
        unit, hotlines = words.office.unit, words.office.hotlines
        hotline = hotlines[0].number if hotlines else ""
        return Frame(t, unit.short or unit.name, path, hotline, others, words.t.language)

    async def _facts(self, token: str) -> tuple[Facts | None, Moment]:
        return await self.site.ask(lambda store, now: (store.phones.ticket(now, token), now))

    def _page(self, facts: Facts, frame: Frame) -> TicketPage:
        words = self._words(frame)
        ticket = facts.ticket
        return ticket_page(facts, words.service_name(ticket.queue), words.counter_label(ticket.counter), frame.t)

    def _words(self, frame: Frame) -> Words:
        return replace(self.site.words, t=frame.t)

    def _form(self, page: TicketPage, frame: Frame) -> Form:
        return Form(self._choices(frame) if page.asks_level else (), Given())

    def _choices(self, frame: Frame) -> list[Choice]:
        labels = self.site.words.office.label_set()
        return choices(labels.levels if labels else (), frame.t)

    def _unknown(self, frame: Frame) -> Response:
        """The same for every code that opens nothing: nobody learns why."""
        return _html(self.pages.unknown(replace(frame, path="")), HTTPStatus.NOT_FOUND)


class _Counted(Response):
    """An answer that goes on for long, counted among the page's streams as long as it does."""

    def __init__(self, answer: Response, pages: PhonePages) -> None:
        super().__init__()
        self._answer = answer
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._pages.streams += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._pages.streams -= 1


async def asset(request: Request) -> Response:
    """A style or the script; an address with its fingerprint never changes."""
    name = request.path_params["name"]
    if name not in FILES:
        return Response(status_code=HTTPStatus.NOT_FOUND, headers=HEADERS)
    known = request.query_params.get("v") == fingerprint(name)
    keep = "public, max-age=31536000, immutable" if known else "no-cache"
    return FileResponse(STATIC / name, media_type=FILES[name], headers={**HEADERS, "Cache-Control": keep})


async def _posted(request: Request) -> list[tuple[str, str]]:
    """The fields of a form; none of one that is no form or has no end."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            break
    return fields_of(body)


def _html(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(html, status, headers={**HEADERS, **(headers or {})})


def _to(frame: Frame, done: str = "") -> Response:
    """Back to the page, so that a reload sends nothing twice."""
    query = "&".join(part for part in (frame.query.removeprefix("?"), done) if part)
    return RedirectResponse(frame.path + (f"?{query}" if query else ""), HTTPStatus.SEE_OTHER, headers=HEADERS)
