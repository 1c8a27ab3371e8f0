"""The clerk's page: one big button, the number at the counter, its line, and the moves that the rules allow."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.clock import Moment
from kiosk.console.live import Leaving, stay, stream
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.present.desk import DeskPage, desk_page
from kiosk.present.words import Words
from kiosk.store import DeskFacts, Publication, Store
from kiosk.store.counters import Seen
from kiosk.texts import Texts
from kiosk.tickets import Ticket

LOOK_S = 30.0
"""So often the page is drawn again for what time alone changes: it says how many minutes."""

Move = Callable[[Store, Moment, str, Seen, FormData], Ticket | None]


@dataclass(frozen=True, slots=True)
class Desk:
    """What is read for the page in one go."""

    facts: DeskFacts
    published: Publication | None
    now: Moment


class ClerkPages:
    """The page, its live parts, the small window, and one action for each move."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def routes(self) -> list[Route]:
        site = self.site
        moves = [
            Route(f"/desk/{name}", site.action(partial(self._move, name, move), "clerk"), methods=["POST"])
            for name, move in MOVES.items()
        ]
        return [
            Route("/desk", site.staff(self.page, "clerk")),
            Route("/desk/window", site.staff(self.window, "clerk")),
            Route("/desk/live", site.staff(self.live, "clerk")),
            Route("/desk/window/live", site.staff(self.window_live, "clerk")),
            Route("/desk/chosen/{ticket}", site.action(self._chosen, "clerk"), methods=["POST"]),
            *moves,
        ]

    async def page(self, request: Request, visitor: Visitor) -> Response:
        return await self._whole(request, visitor, "desk.html")

    async def window(self, request: Request, visitor: Visitor) -> Response:
        """320 × 140 pixels beside the program in which the clerk works."""
        return await self._whole(request, visitor, "desk-window.html")

    async def live(self, request: Request, visitor: Visitor) -> Response:
        return stream(self.site, partial(self._moving, request, visitor, ("now", "line", "figures")), LOOK_S)

    async def window_live(self, request: Request, visitor: Visitor) -> Response:
        return stream(self.site, partial(self._moving, request, visitor, ("window",)), LOOK_S)

    # --- what it shows ---------------------------------------------------------------------------------------

    async def _whole(self, request: Request, visitor: Visitor, template: str) -> Response:
        if not visitor.counter:
            return self.site.page(request, "message.html", visitor=visitor, message="desk.no_counter")
        parts = await self._parts(request, visitor, ("now", "line", "figures", "window"))
        words, said = self.site.words_for(request), self.site.flash(visitor)
        choices = [c for c in words.office.counters if c.id != visitor.counter]
        return self.site.page(request, template, visitor=visitor, parts=parts, said=said, other_counters=choices)

    async def _moving(self, request: Request, visitor: Visitor, names: tuple[str, ...]) -> dict[str, str]:
        if not visitor.counter:
            raise Leaving("/desk")
        await stay(self.site, request, visitor, "clerk")
        return await self._parts(request, visitor, names)

    async def _parts(self, request: Request, visitor: Visitor, names: tuple[str, ...]) -> dict[str, str]:
        desk = await self.site.access.ask(partial(_read, counter=visitor.counter))
        words = self.site.words_for(request)
        shown = desk_page(words, desk.now, desk.facts, desk.published, visitor.person.id)
        return {name: self._part(words, visitor, shown, name) for name in names}

    def _part(self, words: Words, visitor: Visitor, shown: DeskPage, name: str) -> str:
        return self.site.fragment(words, f"desk/{name}.html", desk=shown, visitor=visitor)

    # --- what it does ----------------------------------------------------------------------------------------

    async def _move(self, name: str, move: Move, request: Request, visitor: Visitor, form: FormData) -> Said:
        seen = Seen(visitor.person.id, text(form, "ticket"))
        t = self.site.words_for(request).t
        ticket = await self.site.ask(lambda s, now: move(s, now, visitor.counter, seen, form), visitor)
        return Said(True, _told(t, name, ticket))

    async def _chosen(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """A ticket that was put aside takes its place in line again, or is called at once."""
        id, t = request.path_params["ticket"], self.site.words_for(request).t
        ticket = await self.site.ask(lambda s, now: s.counters.come_back(now, id), visitor)
        return Said(True, t("said.return", so=ticket.number))


def _read(store: Store, now: Moment, counter: str) -> Desk:
    return Desk(store.desk(now, counter), store.ratings.published(), now)


def _told(t: Texts, move: str, ticket: Ticket | None) -> str:
    if ticket is not None:
        return t(f"said.{move}", so=ticket.number)
    if move == "undo":
        return t("said.undo")
    return t("console.empty") if move == "next" else t("console.done")


def _next(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.call_next(now, counter, seen)


def _recall(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.recall(now, counter, seen)


def _start(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.start(now, counter, seen)


def _finish(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.finish(now, counter, seen)


def _absent(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.no_show(now, counter, seen)


def _hold(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.hold(now, counter, text(form, "reason"), seen)


def _transfer(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    kind, _, where = text(form, "to").partition(":")
    service, desk = (where, "") if kind == "service" else ("", where)
    return store.counters.transfer(now, counter, service=service, to_counter=desk, why=text(form, "reason"), seen=seen)


def _call(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    return store.counters.call_chosen(now, counter, text(form, "number").upper(), text(form, "reason"), seen)


def _undo(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    store.counters.undo(now, counter, seen)
    return None


def _pause(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    store.counters.pause(now, counter, text(form, "until"), seen)
    return None


def _resume(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    store.counters.resume(now, counter, seen)
    return None


def _open(store: Store, now: Moment, counter: str, seen: Seen, form: FormData) -> Ticket | None:
    store.counters.open(now, counter, seen.clerk)
    return None


MOVES: dict[str, Move] = {
    "next": _next,
    "recall": _recall,
    "start": _start,
    "finish": _finish,
    "absent": _absent,
    "hold": _hold,
    "transfer": _transfer,
    "call": _call,
    "undo": _undo,
    "pause": _pause,
    "resume": _resume,
    "open": _open,
}
"""Name in the address → what it does. `seen` is what the page showed."""
