"""After a start without a sure clock, the first who signs in is asked whether the kiosk's time is right.

Source of the rule: numbers of a new day begin only on a believed date, so somebody has to say which day it is.
"""

from datetime import datetime

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kiosk import RELEASED
from kiosk.clock import SITE_TIME, Moment, Vouched, believable
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.store import Store
from kiosk.tickets import Refused


class ClockPages:
    """The question, and its two answers."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def routes(self) -> list[Route]:
        return [
            Route("/clock", self.site.staff(self.ask)),
            Route("/clock", self.site.action(self.answer), methods=["POST"]),
        ]

    async def ask(self, request: Request, visitor: Visitor) -> Response:
        now = await self.site.access.ask(lambda store, now: now)
        if now.trusted:
            return RedirectResponse("/", 303)
        words = self.site.words_for(request)
        said = self.site.flash(visitor)
        return self.site.page(request, "clock.html", visitor=visitor, said=said, now=now, when=words.t.day(now.local))

    async def answer(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """Yes, or the true date and time as the browser's fields give them; only while the clock is not sure.

        A time that is said may begin another day, which ends all open numbers: a sure clock is the technician's affair.
        """
        said = None if text(form, "yes") else said_time(f"{text(form, 'day')}T{text(form, 'time')}")

        def first(store: Store, now: Moment) -> Vouched:
            if now.trusted:
                raise Refused("clock_sure")
            return vouch(store, now, said)

        now = await self.site.ask(first, visitor)
        self.site.access.clock.vouched = now
        t = self.site.words_for(request).t
        return Said(True, t("clock.set", ngay=t.day(now.at), gio=t.clock(now.at)), "/")


def vouch(store: Store, now: Moment, said: datetime | None) -> Vouched:
    """Note the true time (None: the one shown) as said by a person. Raises Refused("clock_cannot")."""
    at = said or now.at
    if not believable(at, RELEASED):
        raise Refused("clock_cannot", date=f"{at.astimezone(SITE_TIME):%d/%m/%Y}")
    vouched = Vouched("manual", at, now.boot, now.mono)
    store.note(now, "vouched", vouched.text())
    return vouched


def said_time(value: str) -> datetime:
    """A local time as a form's fields give it. Raises Refused("no_time")."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=SITE_TIME)
    except ValueError:
        raise Refused("no_time", time=value[:20]) from None
