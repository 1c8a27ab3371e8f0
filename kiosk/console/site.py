"""What all pages of the console share: words, templates, who is signed in, answers. Knows no page by name."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.console.access import Access
from kiosk.console.guard import same_origin
from kiosk.console.tls import Certificate
from kiosk.office import Clerk
from kiosk.present.keynames import key_name
from kiosk.present.words import Words
from kiosk.store import Store, StoreBusy, StoreError
from kiosk.store.people import SignIn
from kiosk.texts import Texts
from kiosk.tickets import Refused

HERE = Path(__file__).parent
LANGUAGE = "kiosk-language"
"""Cookie of staff's browsers; phones get none."""
KNOWN_S = 365 * 86400
"""How long a browser is known after its last sign-in (browsers keep no cookie for longer than 400 days)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the signed-in person with the counter, and the language of the page."""

    person: Clerk
    counter: str
    csrf: str
    token: str

    def may(self, *roles: str) -> bool:
        """Whether the office gave this person one of the roles."""
        return bool({*roles} & {*self.person.roles})


@dataclass(frozen=True, slots=True)
class Said:
    """What became of an action: a sentence, and where to go (None: stay)."""

    ok: bool
    text: str
    go: str | None = None


Handler = Callable[[Request], Awaitable[Response]]
Page = Callable[[Request, Visitor], Awaitable[Response]]
Action = Callable[[Request, Visitor, FormData], Awaitable[Said]]
Show = Callable[[Request, Visitor, FormData], Awaitable[Response]]


@dataclass(slots=True)
class Shared:
    """What the doors of one console have in common: the certificate, and staff's HTTPS port (0 = there is none).

    `left_out` are names of this machine that the certificate's authority may not sign for. `look` asks the console to
    see to the certificate at once.
    """

    certificate: Certificate | None = None
    secure_port: int = 0
    left_out: tuple[str, ...] = ()
    look: asyncio.Event = field(default_factory=asyncio.Event)


class Site:
    """The console's pages have this in common. `secure`: they travel by HTTPS."""

    def __init__(self, config: Config, words: Words, access: Access, shared: Shared, *, secure: bool) -> None:
        self.config = config
        self.words = words
        self.access = access
        self.shared = shared
        self.secure = secure
        self.cookie = "__Host-kiosk" if secure else "kiosk"
        self.closing = False
        self._in_language: dict[str, tuple[Words | None, Words]] = {}
        """Language → the office of which, and its words: made once, for every fragment asks for them."""
        self._flashes: dict[str, Said] = {}
        self._memo: dict[str, tuple[tuple[int, int], Any]] = {}
        self.templates = Environment(
            loader=FileSystemLoader([HERE / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            enable_async=False,
            auto_reload=False,  # else each fragment asks the disk whether its template has changed
        )
        self.templates.globals |= {"asset": _asset, "current": current, "key_name": key_name}

    def use(self, words: Words) -> None:
        """Another office document or language, from the next page on."""
        self.words = words
        self._memo.clear()

    # --- words -----------------------------------------------------------------------------------------------

    def language(self, request: Request) -> str:
        """`?l=en` first, then what this browser chose, then the office's."""
        wanted = request.query_params.get("l") or request.cookies.get(LANGUAGE, "")
        return wanted if wanted in self.words.t.languages else self.words.t.language

    def words_for(self, request: Request) -> Words:
        """The office in the language of this browser."""
        language = self.language(request)
        office, kept = self._in_language.get(language, (None, self.words))
        if office is not self.words:
            kept = self.words.in_language(language)
            self._in_language[language] = (self.words, kept)
        return kept

    def sentence(self, t: Texts, error: Refused | StoreError) -> str:
        """Why something was not done, for people."""
        if isinstance(error, StoreError):
            return t("console.busy" if isinstance(error, StoreBusy) else "console.disk")
        values = dict(error.values)
        if "state" in values:
            values["state"] = t(f"state.{values['state']}")
        if "counter" in values:
            values["counter"] = self.words.counter_label(values["counter"])
        return t(f"refused.{error.reason}", **values)

    # --- cookies ---------------------------------------------------------------------------------------------

    def mark(self, request: Request, person: str) -> str:
        """By what this browser is known as one of that person's, see `pins.marked`; "" for a stranger's."""
        return request.cookies.get(self._known_as(person), "")

    def remember(self, response: Response, token: str, person: str, mark: str) -> None:
        """Whose browser this is: until the sign-in ends, and (seen by the sign-in alone) which PINs were right here."""
        keep = partial(response.set_cookie, httponly=True, samesite="strict", secure=self.secure)
        keep(self.cookie, token)
        keep(self._known_as(person), mark, KNOWN_S, path="/sign-in")

    def _known_as(self, person: str) -> str:
        return f"{'__Secure-' if self.secure else ''}kiosk-known-{person}"

    # --- pages -----------------------------------------------------------------------------------------------

    def page(self, request: Request, template: str, /, status: int = 200, **values: Any) -> Response:
        """A whole page. Templates know `t`, `words`, `office`, `language`, `languages`, `path` and what is given."""
        words = self.words_for(request)
        given = {
            "visitor": None,
            "said": None,
            **values,
            "t": words.t,
            "words": words,
            "office": words.office,
            "language": words.t.language,
            "languages": words.t.languages,
            "path": request.url.path,
        }
        html = self.templates.get_template(template).render(given)
        response = HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
        chosen = words.t.language
        if request.query_params.get("l") == chosen:
            response.set_cookie(LANGUAGE, chosen, 365 * 86400, samesite="strict", secure=self.secure, httponly=True)
        return response

    def fragment(self, words: Words, template: str, /, **values: Any) -> str:
        """A part of a page that is sent again when it changes."""
        html = self.templates.get_template(template)
        return html.render({**values, "t": words.t, "words": words, "office": words.office}).strip()

    async def once(self, key: str, make: Callable[[], Awaitable[T]], each_s: float = 10.0) -> T:
        """The same answer for all who ask until something is written, or `each_s` went by: many boards cost as one.

        An error is everybody's too who waits for it, but the next one who asks tries again.
        """
        mark = (self.access.revision, int(asyncio.get_running_loop().time() / each_s))
        kept = self._memo.get(key)
        if kept is None or kept[0] != mark or _failed(kept[1]):
            made = asyncio.ensure_future(make())
            kept = (mark, made)
            self._memo[key] = kept
        result: T = await asyncio.shield(kept[1])
        return result

    async def ask(self, what: Callable[[Store, Moment], T], visitor: Visitor | None = None) -> T:
        """See `Access.ask`; events name the visitor."""
        return await self.access.ask(what, visitor.person.id if visitor else "")

    # --- who asks --------------------------------------------------------------------------------------------

    async def visitor(self, request: Request) -> Visitor | None:
        """Who is signed in with this browser; nobody, and no counter, that the office document no longer has."""
        token, office = request.cookies.get(self.cookie, ""), self.words.office
        signed: SignIn | None = await self.ask(lambda s, now: s.people.signed_in(now, token)) if token else None
        person = office.clerk(signed.person) if signed else None
        if signed is None or person is None:
            return None
        return Visitor(person, signed.counter if office.counter(signed.counter) else "", signed.csrf, token)

    def staff(self, page: Page, *roles: str) -> Handler:
        """A page for these roles; others are sent to sign in, or told that it is not theirs."""

        async def handler(request: Request) -> Response:
            visitor = await self.visitor(request)
            if visitor is None:
                return self._to_sign_in(request)
            if roles and not visitor.may(*roles):
                if _listens(request):
                    return _go("/")
                return self.page(request, "message.html", 403, visitor=visitor, message="console.not_yours")
            return await page(request, visitor)

        return handler

    def action(self, act: Action, *roles: str) -> Handler:
        """What a form of these roles asks for: done once, answered as JSON to our script, else by a redirect back."""

        async def handler(request: Request) -> Response:
            visitor = await self.visitor(request)
            if visitor is None:
                return self._to_sign_in(request)
            async with request.form(max_files=4, max_fields=200) as form:
                said = await self._act(request, visitor, form, act, roles)
            if "application/json" in request.headers.get("accept", ""):
                status = HTTPStatus.OK if said.ok else HTTPStatus.CONFLICT
                return JSONResponse({"ok": said.ok, "say": said.text, "go": said.go}, status)
            self._flashes[visitor.csrf] = said
            return RedirectResponse(said.go or _back(request), 303)

        return handler

    def checked(self, show: Show, *roles: str) -> Handler:
        """A form of these roles that is answered with a page: what was entered stays there."""

        async def handler(request: Request) -> Response:
            visitor = await self.visitor(request)
            if visitor is None:
                return self._to_sign_in(request)
            if roles and not visitor.may(*roles):
                return self.page(request, "message.html", 403, visitor=visitor, message="console.not_yours")
            async with request.form(max_files=0, max_fields=200) as form:
                if not self.is_own(request) or text(form, "csrf") != visitor.csrf:
                    return self.page(request, "message.html", 403, visitor=visitor, message="console.old_page")
                return await show(request, visitor, form)

        return handler

    def flash(self, visitor: Visitor) -> Said | None:
        """What became of the last action of a browser without our script; once."""
        return self._flashes.pop(visitor.csrf, None)

    async def _act(self, request: Request, visitor: Visitor, form: FormData, act: Action, roles: Sequence[str]) -> Said:
        t = self.words_for(request).t
        if not self.is_own(request) or text(form, "csrf") != visitor.csrf:
            return Said(False, t("console.old_page"))
        if roles and not visitor.may(*roles):
            return Said(False, t("console.not_yours"))
        try:
            return await act(request, visitor, form)
        except (Refused, StoreError) as error:
            return Said(False, self.sentence(t, error))

    def is_own(self, request: Request) -> bool:
        """Whether a form was sent by a page of ours."""
        return same_origin(dict(request.headers), request.url.scheme)

    def _to_sign_in(self, request: Request) -> Response:
        if _listens(request):
            return _go("/sign-in")
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/sign-in", 303)
        t = self.words_for(request).t
        return JSONResponse({"ok": False, "say": t("console.signed_out"), "go": "/sign-in"}, HTTPStatus.UNAUTHORIZED)


def _failed(made: "asyncio.Future[Any]") -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)


def text(form: Mapping[str, "str | UploadFile"] | FormData, name: str, longest: int = 2000) -> str:
    """A field of a form as text, "" when it is missing; never a file."""
    value = form.get(name, "")
    return value.strip()[:longest] if isinstance(value, str) else ""


def current(path: str, page: str) -> str:
    """`aria-current` of a link to `page` on the page at `path`: page, true for one below it, "" elsewhere."""
    return "page" if path == page else "true" if path.startswith(f"{page}/") else ""


def _listens(request: Request) -> bool:
    """Whether a page asks for its stream: it would take any other answer for a kiosk that is lost."""
    return "text/event-stream" in request.headers.get("accept", "")


def _go(path: str) -> Response:
    """A stream of one event, which sends the page elsewhere (see live.js)."""
    return Response(f"event: go\ndata: {path}\n\n", media_type="text/event-stream")


def _back(request: Request) -> str:
    """The path of the page that the form was on; never another host."""
    return "/" + request.headers.get("referer", "").partition("://")[2].partition("/")[2].lstrip("/")


def _asset(name: str) -> str:
    """Address of a file that may be kept for ever: another content gets another one."""
    return f"/static/{name}?v={_digest(name)}"


_digests: dict[str, str] = {}


def _digest(name: str) -> str:
    if name not in _digests:
        _digests[name] = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return _digests[name]
