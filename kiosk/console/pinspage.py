"""The technician's page for PINs: who has one, a new one, none any more."""

import asyncio

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk import pins
from kiosk.clock import Moment
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.office import Clerk
from kiosk.store import Store
from kiosk.tickets import Refused

PATH = "/technician/people"


class PinsPage:
    """`/technician/people` and its two actions."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._one = asyncio.Lock()

    def routes(self) -> list[Route]:
        site = self.site
        return [
            Route(PATH, site.staff(self.page, "technician")),
            Route(f"{PATH}/pin", site.action(self._set, "technician"), methods=["POST"]),
            Route(f"{PATH}/remove", site.action(self._remove, "technician"), methods=["POST"]),
        ]

    async def page(self, request: Request, visitor: Visitor) -> Response:
        people = self.site.words.office.clerks
        with_pin = await self.site.access.ask(lambda s, now: {one.id for one in people if s.people.has_pin(one.id)})
        said = self.site.flash(visitor)
        return self.site.page(
            request, "technician-people.html", visitor=visitor, people=people, with_pin=with_pin, said=said
        )

    async def _set(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """One hash at a time, away from the loop; that person's browsers are signed out, the technician's own too."""
        person, t = self._person(form), self.site.words_for(request).t
        try:
            pin = pins.check(text(form, "pin", 40))
        except pins.BadPin as error:
            return Said(False, t(f"pin.{error.reason}"))
        async with self._one:
            kept = await asyncio.to_thread(pins.kept, pin)
        await self.site.ask(lambda s, now: s.people.keep_pin(now, person.id, kept, visitor.person.id), visitor)
        return Said(True, t("technician.pin_saved", ten=person.name), PATH)

    async def _remove(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        person, office = self._person(form), self.site.words.office
        others = [one.id for one in office.clerks if "technician" in one.roles and one.id != person.id]

        def remove(store: Store, now: Moment) -> None:
            if "technician" in person.roles and not any(map(store.people.has_pin, others)):
                raise Refused("last_technician")
            store.people.remove(now, person.id, visitor.person.id)

        await self.site.ask(remove, visitor)
        return Said(True, self.site.words_for(request).t("technician.pin_removed", ten=person.name), PATH)

    def _person(self, form: FormData) -> Clerk:
        person = self.site.words.office.clerk(text(form, "person"))
        if person is None:
            raise HTTPException(404)
        return person
