"""The leader's pages: the day in figures, the boards' lines and days off, and the figures of dossiers."""

from datetime import date
from functools import partial

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk import dossiers
from kiosk.clock import Moment
from kiosk.console.live import stay, stream
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.documents import DocumentError
from kiosk.present import progress
from kiosk.present.figures import FiguresForm, empty_form, read_form, wrong_form
from kiosk.present.leader import leader_page, rating_rows
from kiosk.present.notices import NoticeFacts, NoticePage, notice_page
from kiosk.store import DayFacts, Publication, Store
from kiosk.store.dossiers import check
from kiosk.tickets import Refused

PARTS = ("alert", "totals", "services", "hours", "counters", "ratings")
FIGURES = ("as_of", *dossiers.COUNTS)

Today = tuple[Moment, DayFacts, tuple[Publication, ...]]


class LeaderPages:
    """Three pages. Figures that somebody looks at before saving them are kept until the console ends."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._entered: dict[str, dossiers.Dossiers | DocumentError] = {}
        self._written: dict[str, dict[str, str]] = {}

    def routes(self) -> list[Route]:
        site = self.site
        actions = {
            "line": self.add_line,
            "line-off": self.remove_line,
            "day": self.set_day,
            "extra": self.add_numbers,
            "figures": self.enter_figures,
            "figures-save": self.save_figures,
            "figures-clear": self.clear_figures,
        }
        return [
            Route("/leader", site.staff(self.page, "leader")),
            Route("/leader/live", site.staff(self.live, "leader")),
            Route("/leader/notices", site.staff(self.notices, "leader")),
            Route("/leader/notices/live", site.staff(self.notices_live, "leader")),
            Route("/leader/dossiers", site.staff(self.figures, "leader")),
            *(Route(f"/leader/{name}", site.action(act, "leader"), methods=["POST"]) for name, act in actions.items()),
        ]

    # --- today -----------------------------------------------------------------------------------------------

    async def page(self, request: Request, visitor: Visitor) -> Response:
        parts = self._fragments(request, await self.site.access.ask(_today))
        return self.site.page(
            request, "leader.html", visitor=visitor, said=self.site.flash(visitor), parts=parts, names=PARTS
        )

    async def live(self, request: Request, visitor: Visitor) -> Response:
        return stream(self.site, partial(self._moving, request, visitor))

    async def _moving(self, request: Request, visitor: Visitor) -> dict[str, str]:
        await stay(self.site, request, visitor, "leader")
        return self._fragments(request, await self.site.once("today", partial(self.site.access.ask, _today)))

    def _fragments(self, request: Request, read: Today) -> dict[str, str]:
        now, facts, publications = read
        words = self.site.words_for(request)
        shown, ratings = leader_page(words, now, facts), rating_rows(words, publications)
        return {name: self.site.fragment(words, f"leader/{name}.html", day=shown, ratings=ratings) for name in PARTS}

    # --- notices ---------------------------------------------------------------------------------------------

    async def notices(self, request: Request, visitor: Visitor) -> Response:
        words, now = self.site.words_for(request), await self.site.access.ask(lambda store, now: now)
        parts, shown = await self._notices(request, visitor)
        return self.site.page(
            request,
            "leader-notices.html",
            visitor=visitor,
            said=self.site.flash(visitor),
            parts=parts,
            quotas=shown.quotas,
            today=str(now.day),
            office_lines=words.office.slogans,
        )

    async def notices_live(self, request: Request, visitor: Visitor) -> Response:
        async def moving() -> dict[str, str]:
            await stay(self.site, request, visitor, "leader")
            return (await self._notices(request, visitor))[0]

        return stream(self.site, moving)

    async def _notices(self, request: Request, visitor: Visitor) -> tuple[dict[str, str], NoticePage]:
        words = self.site.words_for(request)
        shown = notice_page(words, *await self.site.access.ask(_notices))
        parts = {
            name: self.site.fragment(words, f"leader/{name}.html", shown=shown, visitor=visitor)
            for name in ("lines", "days", "quotas")
        }
        return parts, shown

    async def add_line(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        until = _day(text(form, "until"))
        await self.site.ask(lambda s, now: s.overrides.add_line(now, text(form, "text"), until), visitor)
        return Said(True, self.site.words_for(request).t("said.line"))

    async def remove_line(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        await self.site.ask(lambda s, now: s.overrides.remove_line(now, text(form, "key")), visitor)
        return Said(True, self.site.words_for(request).t("said.line_off"))

    async def set_day(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """A day from today on; the kind "" takes back what was set."""
        day, kind, t = _day(text(form, "day")), text(form, "kind"), self.site.words_for(request).t
        if day is None:
            raise Refused("no_day")
        chosen = day

        def change(store: Store, now: Moment) -> None:
            if now.trusted and chosen < now.day:
                raise Refused("day_past")
            store.overrides.set_day(now, chosen, kind, text(form, "reason") if kind else "")

        await self.site.ask(change, visitor)
        return Said(True, t("said.day", ngay=t.day(day)))

    async def add_numbers(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        (session, _, service), numbers = text(form, "quota").partition("/"), text(form, "numbers", 10)
        # -1 is refused with the sentence that says what may be written.
        n = int(numbers) if numbers.isascii() and numbers.isdigit() else -1
        await self.site.ask(lambda s, now: s.overrides.add_quota(now, service, session, n), visitor)
        return Said(True, self.site.words_for(request).t("said.extra", n=n))

    # --- dossiers --------------------------------------------------------------------------------------------

    async def figures(self, request: Request, visitor: Visitor) -> Response:
        words = self.site.words_for(request)
        current, now = await self.site.access.ask(lambda store, now: (store.dossiers.current(), now))
        return self.site.page(
            request,
            "leader-dossiers.html",
            visitor=visitor,
            said=self.site.flash(visitor),
            form=self._form(request, visitor),
            in_force=progress.report(words, now, current) if current else [],
        )

    def _form(self, request: Request, visitor: Visitor) -> FiguresForm:
        words, entered = self.site.words_for(request), self._entered.get(visitor.person.id)
        if isinstance(entered, dossiers.Dossiers):
            return read_form(words, entered)
        if isinstance(entered, DocumentError):
            return wrong_form(words, self._written.get(visitor.person.id, {}), entered.problems)
        return empty_form(words)

    async def enter_figures(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """Read what was written or uploaded, and show it; nothing is saved yet."""
        t, who, file = self.site.words_for(request).t, visitor.person.id, form.get("file")
        texts = {name: text(form, name, 60) for name in FIGURES}
        self._written[who] = texts
        self._entered.pop(who, None)
        try:
            if isinstance(file, UploadFile) and file.filename:
                data = await file.read(dossiers.MAX_BYTES + 1)
                read = dossiers.read_csv(data, "", texts["as_of"])
            else:
                read = dossiers.read(texts, lambda name: name)
        except DocumentError as error:
            self._entered[who] = error
            return Said(False, t("said.figures_wrong", n=len(error.problems)), "/leader/dossiers")
        await self.site.ask(lambda s, now: check(now, read), visitor)
        self._entered[who] = read
        return Said(True, t("said.figures_read"), "/leader/dossiers")

    async def save_figures(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """Put in force just what the page showed."""
        t = self.site.words_for(request).t
        try:
            read = dossiers.read({name: text(form, name, 60) for name in FIGURES}, lambda name: name)
        except DocumentError:
            return Said(False, t("console.old_page"), "/leader/dossiers")
        await self.site.ask(lambda s, now: s.dossiers.set(now, read), visitor)
        self._entered.pop(visitor.person.id, None)
        return Said(True, t("said.figures_saved"), "/leader/dossiers")

    async def clear_figures(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        await self.site.ask(lambda s, now: s.dossiers.clear(now), visitor)
        return Said(True, self.site.words_for(request).t("said.figures_cleared"), "/leader/dossiers")


def _today(store: Store, now: Moment) -> Today:
    return now, store.today(now), store.ratings.publications()


def _notices(store: Store, now: Moment) -> tuple[Moment, NoticeFacts]:
    changed = store.overrides
    facts = changed.lines(), changed.days(), changed.extra(now.day), store.today(now).taken, store.sessions(now.day)
    return now, NoticeFacts(*facts)


def _day(written: str) -> date | None:
    """The day of a browser's field. Raises Refused("no_day") for what is none."""
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise Refused("no_day") from None
