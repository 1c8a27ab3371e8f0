"""A tablet as the rating panel of a counter: paired by a code, it asks when the service ends, as the keys do.

The rules are those of the keys (`store.ratings.press`): a press is never lost, and what it is told is the same for each
face. A tablet is known by a cookie that belongs to one counter; signing in is not its affair.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from kiosk.clock import Moment
from kiosk.console.board import NOTHING, clock_part, office_part
from kiosk.console.live import Leaving, stream
from kiosk.console.look import Look
from kiosk.console.pictures import Pictures
from kiosk.console.site import Site, text
from kiosk.present.rate import ANSWER_S, answer_to, counter_panel
from kiosk.present.words import Words
from kiosk.public.form import REASONS
from kiosk.store import BoardFacts, Store, StoreError
from kiosk.store.panels import key_of
from kiosk.tickets import Refused
from kiosk.views.model import RateState, RateView

COOKIE = "kiosk-panel"
LASTS_S = 400 * 86400
"""Browsers keep no cookie longer; it is given anew each time that the page is opened or its stream begins."""
ASK_S = 30.0
"""How long reasons are asked for."""
LOOK_S = 1.0
"""So often a panel is looked at again: its keys are armed for seconds only."""
PRESSES_PER_S = 5
"""No finger presses faster; more is a broken screen, or a program."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read last for all panels; `counters` by the keys of the paired tablets, `lost`: it is of before."""

    now: Moment
    facts: BoardFacts | None = None
    lit: Mapping[str, bool] = field(default_factory=dict)
    counters: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False


class Pace:
    """Who presses how fast: at most so many times a second."""

    def __init__(self, per_s: int = PRESSES_PER_S) -> None:
        self._per_s = per_s
        self._latest: dict[str, list[float]] = {}

    def allows(self, who: str, at: float) -> bool:
        """Whether a press at this time (seconds) may be looked at; it then counts."""
        recent = [each for each in self._latest.get(who, ()) if at - each < 1]
        is_allowed = len(recent) < self._per_s
        self._latest[who] = [*recent, at] if is_allowed else recent
        return is_allowed


class PanelPages:
    """`/rate` to pair a tablet, `/rate/COUNTER` to rate."""

    def __init__(self, site: Site, pictures: Pictures, look: Look) -> None:
        self.site = site
        self.pictures = pictures
        self.look = look
        self._last: Seen | None = None
        self._said: dict[str, tuple[RateState, float]] = {}
        self._asked: dict[str, tuple[str, float]] = {}
        self._pace = Pace()

    def routes(self) -> list[Route]:
        return [
            Route("/rate", self.front),
            Route("/rate", self.pair, methods=["POST"]),
            Route("/rate/{counter}", self.page),
            Route("/rate/{counter}/live", self.live),
            Route("/rate/{counter}/press", self.press, methods=["POST"]),
            Route("/rate/{counter}/reasons", self.reasons, methods=["POST"]),
        ]

    # --- pairing ---------------------------------------------------------------------------------------------

    async def front(self, request: Request) -> Response:
        """A paired tablet goes to its counter; another one asks for a code."""
        counter = await self._counter(request)
        return RedirectResponse(f"/rate/{counter}", 303) if counter else self._ask(request)

    async def pair(self, request: Request) -> Response:
        t = self.site.words_for(request).t
        async with request.form(max_files=0, max_fields=4) as form:
            code = "".join(sign for sign in text(form, "code") if sign.isdigit())
        if not self.site.is_own(request):
            return self._ask(request, t("console.old_page"), 403)
        before = request.cookies.get(COOKIE, "")
        try:
            token, counter = await self.site.access.ask(lambda s, now: s.panels.pair(now, code, before))
        except (Refused, StoreError) as error:
            return self._ask(request, self.site.sentence(t, error), 403)
        response = RedirectResponse(f"/rate/{counter}", 303)
        self._keep(response, token)
        return response

    def _ask(self, request: Request, problem: str = "", status: int = 200) -> Response:
        words, theme = self.site.words_for(request), self.look.name(request)
        sheet = self.look.address("panel", theme)
        return self.site.page(request, "panel-code.html", status, problem=problem, sheet=sheet, unit=words.office.unit)

    async def _counter(self, request: Request) -> str:
        """The counter that this tablet belongs to, "" for none."""
        token = request.cookies.get(COOKIE, "")
        return (await self._look()).counters.get(key_of(token), "") if token else ""

    async def _is_paired(self, request: Request) -> bool:
        return bool(await self._counter(request) == request.path_params["counter"])

    def _keep(self, response: Response, token: str) -> None:
        response.set_cookie(
            COOKIE, token, LASTS_S, path="/rate", httponly=True, samesite="strict", secure=self.site.secure
        )

    # --- what it shows ---------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        if not await self._is_paired(request):
            return self._ask(request, status=403)
        words, theme, counter = self.site.words_for(request), self.look.name(request), request.path_params["counter"]
        parts = await self._parts(words, theme, counter)
        header = words.header(self.site.access.clock.now(), words.t("rate.title"))
        response = self.site.page(
            request,
            "panel.html",
            parts=parts,
            header=header,
            theme=theme,
            sheet=self.look.address("panel", theme),
            emblem=self.pictures.emblem(header.emblem),
            live=f"/rate/{counter}/live?l={words.t.language}&theme={theme}",
        )
        self._keep(response, request.cookies[COOKIE])
        return response

    async def live(self, request: Request) -> Response:
        theme, counter = self.look.name(request), request.path_params["counter"]

        async def parts() -> Mapping[str, str]:
            if not await self._is_paired(request):
                raise Leaving("/rate")
            return await self._parts(self.site.words_for(request), theme, counter)

        response = stream(self.site, parts, LOOK_S)
        if await self._is_paired(request):
            self._keep(response, request.cookies[COOKIE])
        return response

    async def _parts(self, words: Words, theme: str, counter: str) -> dict[str, str]:
        view = await self._view(words, counter)
        await self.pictures.look([view.portrait.path] if view.portrait else [], view.header.emblem)
        portrait = self.pictures.portrait(view.portrait) if view.portrait else ""
        part = self.site.fragment
        is_asking = view.state in ("thanks", "idle") and self._asked_of(counter) and not view.header.lost
        ask = "panel/reasons.html" if is_asking else "panel/ask.html"
        return {
            "office": office_part(words, self.look.address("panel", theme)),
            "clock": clock_part(self.site, words),
            "strips": part(words, "board/strips.html", header=view.header, apology="", theme=theme),
            "who": part(words, "panel/who.html", view=view, portrait=portrait),
            "ask": part(words, ask, view=view, counter=counter, theme=theme, reasons=REASONS),
        }

    async def _view(self, words: Words, counter: str) -> RateView:
        seen, at = await self._look(), asyncio.get_running_loop().time()
        said = self._said.get(counter)
        lost = words.t("board.lost", nguon=words.t("board.queue_data")) if seen.lost else ""
        return counter_panel(
            words,
            seen.now,
            seen.facts or NOTHING,
            counter,
            open_now=seen.lit.get(counter, False),
            said=said[0] if said and at < said[1] else None,
            lost=lost,
        )

    async def _look(self) -> Seen:
        return await self.site.once("panels", self._read, LOOK_S)

    async def _read(self) -> Seen:
        try:
            self._last = await self.site.access.ask(_read)
            return self._last
        except StoreError:
            now = self.site.access.clock.now()
            last = self._last or Seen(now)
            return Seen(now, last.facts, {}, last.counters, lost=True)

    # --- what it does ----------------------------------------------------------------------------------------

    async def press(self, request: Request) -> Response:
        """One press; answered with the parts of the page as they are now, or (`ok` false) why it could not be kept."""

        async def keep(form: FormData) -> bool:
            labels = self.site.words.office.label_set()
            level = labels.by_key(text(form, "face")) if labels else None
            if level is not None:
                await self._press(request.path_params["counter"], level.value)
            return level is not None

        return await self._keep_form(request, keep)

    async def reasons(self, request: Request) -> Response:
        """What was ticked after a face, or that nothing is to be; then the thanks, as without asking."""

        async def keep(form: FormData) -> bool:
            ticked = [name for name in REASONS if name in form.getlist("reason")]
            await self._add_reasons(request.path_params["counter"], ticked)
            return True

        return await self._keep_form(request, keep)

    async def _keep_form(self, request: Request, keep: Callable[[FormData], Awaitable[bool]]) -> Response:
        words, counter = self.site.words_for(request), request.path_params["counter"]
        if not self.site.is_own(request) or not await self._is_paired(request):
            return self._answer(request, {"ok": False, "go": "/rate"}, 403)
        if not self._pace.allows(request.cookies[COOKIE], asyncio.get_running_loop().time()):
            return self._answer(request, {"ok": False, "say": words.t("panel.too_fast")}, 429)
        async with request.form(max_files=0, max_fields=20) as form:
            try:
                is_kept = await keep(form)
            except (Refused, StoreError):
                return self._answer(request, {"ok": False, "say": words.t("rate.stopped")}, 503)
        if not is_kept:
            return self._answer(request, {"ok": False, "say": words.t("console.old_page")}, 409)
        parts = await self._parts(words, self.look.name(request), counter)
        return self._answer(request, {"ok": True, "parts": parts})

    async def _press(self, counter: str, level: int) -> None:
        rating = await self.site.access.ask(lambda s, now: s.ratings.press(now, counter, level, "tablet"))
        if "burst" in rating.flags:
            return  # what was said to the presses before it stands
        self._say(counter, answer_to(rating))
        if rating.counts and self.site.words.office.rules.ask_reasons:
            loop = asyncio.get_running_loop()
            self._asked[counter] = (rating.id, loop.time() + ASK_S)
            loop.call_later(ASK_S, self.site.access.wake)

    async def _add_reasons(self, counter: str, ticked: Sequence[str]) -> None:
        rating = self._asked_of(counter)
        if rating and ticked:
            await self.site.access.ask(lambda s, now: s.ratings.add_reasons(now, rating, ticked))
        self._asked.pop(counter, None)
        self._say(counter, "thanks")

    def _say(self, counter: str, answer: RateState) -> None:
        """Tell it for some seconds, on every page of the counter."""
        loop = asyncio.get_running_loop()
        self._said[counter] = (answer, loop.time() + ANSWER_S)
        loop.call_later(ANSWER_S, self.site.access.wake)

    def _asked_of(self, counter: str) -> str:
        """The rating whose reasons are asked for at a counter now, "" for none."""
        rating, until = self._asked.get(counter, ("", 0.0))
        return rating if asyncio.get_running_loop().time() < until else ""

    def _answer(self, request: Request, said: dict[str, object], status: int = 200) -> Response:
        """JSON for the page's script; a browser without it gets the page again, which says the same."""
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(said, status, headers={"Cache-Control": "no-store"})
        return RedirectResponse(f"/rate/{request.path_params['counter']}", 303)


def _read(store: Store, now: Moment) -> Seen:
    counters = {panel.key: panel.counter for panel in store.panels.paired()}
    return Seen(now, store.board(now), store.ratings.lamps(now), counters)
