"""The help desk's page: a number in one click, and what can be done about the latest ones.

Also slips that did not come out, tickets of one person, and numbers of a roll where no kiosk prints.
"""

from collections.abc import Mapping
from functools import partial

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.clock import Moment
from kiosk.console.live import stay, stream
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.present.helpdesk import PRIORITY_KEY, Given, HelpPage, given, help_page, tiles
from kiosk.present.words import Words
from kiosk.store import HelpFacts, Issued, Store
from kiosk.tickets import Refused

LONGEST_NUMBER = 10


class HelpPages:
    """The page, its live parts and its actions. What each helper gave last is remembered until the console ends."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._given: dict[str, Issued] = {}

    def routes(self) -> list[Route]:
        site = self.site
        actions = {
            "issue": self.issue,
            "reprint": self.reprint,
            "reprint-all": self.reprint_all,
            "cancel": self.cancel,
            "return": self.come_back,
            "link": self.link,
            "unlink": self.unlink,
            "roll": self.roll,
            "roll-end": self.roll_end,
        }
        return [
            Route("/help", site.staff(self.page, "helper")),
            Route("/help/live", site.staff(self.live, "helper")),
            *(Route(f"/help/{name}", site.action(act, "helper"), methods=["POST"]) for name, act in actions.items()),
        ]

    async def page(self, request: Request, visitor: Visitor) -> Response:
        words, said = self.site.words_for(request), self.site.flash(visitor)
        read = await self._read(_search(request))
        parts = await self._fragments(request, visitor, *read)
        now = await self.site.access.ask(lambda store, now: now)
        return self.site.page(
            request,
            "help.html",
            visitor=visitor,
            said=said,
            parts=parts,
            tiles=tiles(words, now.day),
            priority_key=PRIORITY_KEY,
            search=_search(request),
            prints=self._prints,
        )

    async def live(self, request: Request, visitor: Visitor) -> Response:
        return stream(self.site, partial(self._moving, request, visitor))

    # Asked each time: a technician may set the printer while the console runs.

    @property
    def _prints(self) -> bool:
        return self.site.config.printer.url != "none"

    @property
    def _late_min(self) -> float:
        return self.site.config.printer.job_expires_min

    # --- what it shows ---------------------------------------------------------------------------------------

    async def _moving(self, request: Request, visitor: Visitor) -> dict[str, str]:
        await stay(self.site, request, visitor, "helper")
        search = _search(request)
        read = await (self._read(search) if search else self.site.once("help", partial(self._read, "")))
        return await self._fragments(request, visitor, *read)

    async def _fragments(
        self, request: Request, visitor: Visitor, facts: HelpFacts, rolls: Mapping[str, str]
    ) -> dict[str, str]:
        words = self.site.words_for(request)
        shown = help_page(words, facts, rolls, prints=self._prints)
        parts = {
            "given": self.site.fragment(words, "help/given.html", given=await self._last(words, visitor, shown)),
            **{name: self._part(words, visitor, shown, name) for name in ("printer", "rolls", "recent")},
        }
        return parts | {f"note-{service}": note for service, note in shown.notes.items()}

    async def _last(self, words: Words, visitor: Visitor, shown: HelpPage) -> Given | None:
        """What this helper gave last, and what became of its slip."""
        last = self._given.get(visitor.person.id)
        if last is None:
            return None
        slip = await self.site.access.ask(lambda s, now: s.slips.state(last.ticket.id))
        return given(words, last, shown, slip, prints=self._prints)

    async def _read(self, search: str) -> tuple[HelpFacts, dict[str, str]]:
        def read(store: Store, now: Moment) -> tuple[HelpFacts, dict[str, str]]:
            return store.help_desk(now, self._late_min, search), store.rolls.next_numbers(now)

        return await self.site.access.ask(read)

    def _part(self, words: Words, visitor: Visitor, shown: HelpPage, name: str) -> str:
        return self.site.fragment(words, f"help/{name}.html", help=shown, visitor=visitor)

    # --- what it does ----------------------------------------------------------------------------------------

    async def issue(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """The slip comes out at the kiosk, which sees the new job."""
        service, priority = text(form, "service"), bool(text(form, "priority"))
        issued = await self.site.ask(
            lambda s, now: s.issuing.issue(now, service, priority=priority, by="staff"), visitor
        )
        self._given[visitor.person.id] = issued
        self.site.access.wake()
        return Said(True, self.site.words_for(request).t("said.issued", so=issued.ticket.number))

    async def reprint(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        ticket = await self.site.ask(lambda s, now: s.slips.reprint(now, text(form, "ticket")), visitor)
        return Said(True, self.site.words_for(request).t("said.reprint", so=ticket.number))

    async def reprint_all(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        n = await self.site.ask(lambda s, now: s.slips.reprint_all(now, self._late_min), visitor)
        return Said(True, self.site.words_for(request).t("said.reprint_all", n=n))

    async def cancel(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """The reason is kept; a ticket that was called meanwhile is left to its clerk."""
        (id, _, seen), why = text(form, "ticket").partition(":"), text(form, "reason")
        if not why:
            raise Refused("reason_missing")
        ticket = await self.site.ask(lambda s, now: s.counters.cancel(now, id, why, seen), visitor)
        return Said(True, self.site.words_for(request).t("said.cancel", so=ticket.number))

    async def come_back(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        ticket = await self.site.ask(lambda s, now: s.counters.come_back(now, text(form, "ticket")), visitor)
        return Said(True, self.site.words_for(request).t("said.return", so=ticket.number))

    async def link(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        id, number = text(form, "ticket").partition(":")[0], text(form, "number", LONGEST_NUMBER).upper()
        first, second = await self.site.ask(lambda s, now: s.counters.link(now, id, number), visitor)
        return Said(True, self.site.words_for(request).t("said.link", so=first.number, so_kia=second.number))

    async def unlink(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        ticket = await self.site.ask(lambda s, now: s.counters.unlink(now, text(form, "ticket")), visitor)
        return Said(True, self.site.words_for(request).t("said.unlink", so=ticket.number))

    async def roll(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        service, number = text(form, "service"), text(form, "number", LONGEST_NUMBER)
        await self.site.ask(lambda s, now: s.rolls.start(now, service, number), visitor)
        return Said(True, self.site.words_for(request).t("said.roll", so=number.upper()))

    async def roll_end(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        await self.site.ask(lambda s, now: s.rolls.end(now, text(form, "service")), visitor)
        return Said(True, self.site.words_for(request).t("said.roll_end"))


def _search(request: Request) -> str:
    """The number that is looked for, as far as it can be one."""
    return "".join(char for char in request.query_params.get("q", "")[:LONGEST_NUMBER].upper() if char.isalnum())
