"""Signing in with a PIN and out again: who sits at which counter."""

import asyncio
from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kiosk import pins
from kiosk.clock import Moment
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.office import Clerk
from kiosk.store import Store, StoreError
from kiosk.store.people import SignIn
from kiosk.tickets import Refused

HOMES = {"clerk": "/desk", "helper": "/help", "leader": "/leader", "technician": "/technician"}
"""Where somebody of a role begins."""


class SignInPages:
    """The sign-in page, signing in, and signing out."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._one_guess = asyncio.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/", self.front),
            Route("/sign-in", self.ask),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.site.action(self.sign_out), methods=["POST"]),
        ]

    async def front(self, request: Request) -> Response:
        """Whoever is signed in goes to the own page."""
        visitor = await self.site.visitor(request)
        return RedirectResponse(_home(visitor.person, visitor.counter) if visitor else "/sign-in", 303)

    async def ask(self, request: Request) -> Response:
        if await self.site.access.ask(lambda store, now: store.setting_up.pending()):
            return RedirectResponse("/setup", 303)
        return await self._form(request)

    async def sign_in(self, request: Request) -> Response:
        """Check the PIN, take the counter, and remember the browser."""
        t = self.site.words_for(request).t
        async with request.form(max_files=0, max_fields=10) as form:
            person, counter, pin = (text(form, name) for name in ("person", "counter", "pin"))
        if not self.site.is_own(request):
            return await self._form(request, t("console.old_page"), person, counter, 403)
        clerk = self.site.words.office.clerk(person)
        counter = counter if clerk and "clerk" in clerk.roles else ""
        try:
            if clerk is None:
                raise Refused("pin_wrong")
            mark = await self._check(person, pin, self.site.mark(request, person))
            if "clerk" in clerk.roles and not counter and len(clerk.roles) == 1:
                raise Refused("counter_missing")
            staff = [one.id for one in self.site.words.office.clerks]
            token, _ = await self.site.access.ask(lambda s, now: _begin(s, now, clerk, counter, staff), person)
        except (Refused, StoreError) as error:
            return await self._form(request, self.site.sentence(t, error), person, counter, 403)
        is_sure = await self.site.access.ask(lambda store, now: now.trusted)
        response = RedirectResponse(_home(clerk, counter) if is_sure else "/clock", 303)
        self.site.remember(response, token, person, mark)
        return response

    async def sign_out(self, request: Request, visitor: Visitor, form: object) -> Said:
        """The counter closes; it does not while a number is open there."""
        await self.site.ask(lambda s, now: _end(s, now, visitor), visitor)
        return Said(True, self.site.words_for(request).t("signin.out"), "/sign-in")

    async def _check(self, person: str, pin: str, mark: str) -> str:
        """One guess at a time: each costs 16 MB and some 50 ms, away from the loop. The browser's mark from now on."""
        stored = await self.site.access.ask(lambda s, now: s.people.begin_try(now, person, mark))
        async with self._one_guess:
            right = await asyncio.to_thread(pins.matches, pin, stored)
        if not right:
            raise Refused("pin_wrong")
        return await self.site.access.ask(lambda s, now: s.people.pin_was_right(now, person, mark))

    async def _form(
        self, request: Request, problem: str = "", person: str = "", counter: str = "", status: int = 200
    ) -> Response:
        office = self.site.words.office
        with_pin = await self.site.access.ask(lambda s, now: [c for c in office.clerks if s.people.has_pin(c.id)])
        return self.site.page(
            request, "signin.html", status, problem=problem, person=person, counter=counter, people=with_pin
        )


def _home(person: Clerk, counter: str) -> str:
    return HOMES[_role(person, counter)]


def _role(person: Clerk, counter: str) -> str:
    """What somebody is first of all: a clerk at a counter, away from it another of the own roles."""
    away = next((role for role in person.roles if role != "clerk"), "clerk")
    return "clerk" if counter else away


def _begin(store: Store, now: Moment, clerk: Clerk, counter: str, staff: Collection[str]) -> tuple[str, SignIn]:
    """Sit down at the counter, which another clerk may have left open without a number; then remember the browser."""
    if counter:
        store.counters.open(now, counter, clerk.id, staff)
        store.people.leave_counter(now, counter, clerk.id)
        store.people.leave_others(now, clerk.id, counter)
    return store.people.sign_in(now, clerk.id, counter, _role(clerk, counter))


def _end(store: Store, now: Moment, visitor: Visitor) -> None:
    counter = visitor.counter
    if counter and store.counters.counter(counter).clerk == visitor.person.id:
        store.counters.close(now, counter)
    store.people.sign_out(now, visitor.token)
