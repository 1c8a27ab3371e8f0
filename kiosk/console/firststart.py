"""The guided set-up of a new kiosk: nine short pages, from an empty database to an office that works.

It is there while nobody has a PIN. Whoever knows the code that the kiosk shows does it; all that is entered is saved
with every page. Without scripts it works as well.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kiosk import drafting, pins, revising
from kiosk.clock import Moment
from kiosk.config import CHOSEN, chosen_text
from kiosk.console.bench import bench, end_test, test_keys
from kiosk.console.clockask import said_time, vouch
from kiosk.console.live import Leaving, stream
from kiosk.console.site import LANGUAGE, Site, text
from kiosk.documents import MAX_BYTES, DocumentError, Problem, mistake
from kiosk.drafting import STEPS, Draft
from kiosk.office import ROLES, Office
from kiosk.store import Store, StoreError
from kiosk.store.durable import write_durably
from kiosk.texts import Texts
from kiosk.tickets import Refused

BY = "set-up"
USB = "file:/dev/kiosk-printer"
LABELS = {
    "unit.name": "setup.unit_name",
    "unit.code": "setup.unit_code",
    "unit.short": "setup.unit_short",
    "site.name": "setup.site",
    "hotlines.number": "setup.hotline",
    "sessions.start": "setup.hours",
    "sessions.end": "setup.hours",
    "sessions.last_number": "setup.hours",
    "sessions": "setup.hours",
    "services": "setup.services",
    "services.name": "desk.service",
    "services.digit": "setup.digit",
    "counters.label": "setup.label",
    "counters.services": "setup.services",
    "clerks.name": "setup.full_name",
    "clerks.title": "setup.position",
    "clerks.roles": "setup.roles",
}
"""Places of the document and what the pages call them."""


class Wrong(Exception):
    """A page that cannot be left yet: why, in sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = list(problems)


class SetupPages:
    """`/setup` and its steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookie = f"{site.cookie}-setup"
        self._one_pin = asyncio.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/setup", self.front),
            Route("/setup/code", self.begin, methods=["POST"]),
            Route("/setup/upload", self._ours(self._upload), methods=["POST"]),
            Route("/setup/live", self.live),
            Route("/setup/{step}", self.page),
            Route("/setup/{step}", self._ours(self._save), methods=["POST"]),
        ]

    # --- whose it is -----------------------------------------------------------------------------------------

    async def front(self, request: Request) -> Response:
        """The code, or where the set-up was left."""
        if not await self.site.access.ask(lambda s, now: s.setting_up.pending()):
            return RedirectResponse("/sign-in", 303)
        if not await self._is_ours(request):
            return self.site.page(request, "setup-code.html", problem="")
        return RedirectResponse(f"/setup/{(await self._draft()).step}", 303)

    async def begin(self, request: Request) -> Response:
        t = self.site.words_for(request).t
        async with request.form(max_files=0, max_fields=5) as form:
            code = "".join(text(form, "code", 20).split())
        try:
            if not self.site.is_own(request):
                raise Refused("setup_code")
            token = await self.site.access.ask(lambda s, now: s.setting_up.begin(now, code))
        except (Refused, StoreError) as error:
            return self.site.page(request, "setup-code.html", 403, problem=self.site.sentence(t, error))
        answer = RedirectResponse("/setup", 303)
        answer.set_cookie(self.cookie, token, httponly=True, samesite="strict", secure=self.site.secure)
        return answer

    async def _is_ours(self, request: Request) -> bool:
        token = request.cookies.get(self.cookie, "")
        return bool(token) and await self.site.access.ask(lambda s, now: s.setting_up.is_ours(token))

    def _ours(self, act: Callable[[Request, FormData], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        async def handler(request: Request) -> Response:
            if not await self._is_ours(request):
                return RedirectResponse("/setup", 303)
            async with request.form(max_files=1, max_fields=700) as form:
                if not self.site.is_own(request) or text(form, "csrf") != self._csrf(request):
                    return RedirectResponse("/setup", 303)
                return await act(request, form)

        return handler

    def _csrf(self, request: Request) -> str:
        return hashlib.sha256(f"csrf {request.cookies.get(self.cookie, '')}".encode()).hexdigest()[:24]

    # --- pages -----------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        step = request.path_params["step"]
        if step not in STEPS or not await self._is_ours(request):
            return RedirectResponse("/setup", 303)
        return await self._show(request, step, await self._draft())

    async def live(self, request: Request) -> Response:
        """The test sheet and the presses of the key test, as they come."""
        return stream(self.site, partial(self._parts, request))

    async def _parts(self, request: Request) -> dict[str, str]:
        if not await self._is_ours(request):
            raise Leaving("/setup")
        words, state = self.site.words_for(request), await self.site.access.ask(bench)
        return {
            "sheet": self.site.fragment(words, "technician/sheet.html", bench=state),
            "presses": self.site.fragment(words, "technician/presses.html", bench=state),
        }

    async def _show(
        self,
        request: Request,
        step: str,
        draft: Draft,
        problems: Sequence[str] = (),
        typed: Mapping[str, str] | None = None,
        shared: Mapping[str, Sequence[str]] | None = None,
    ) -> Response:
        """A page; with what is wrong on it, as it was typed. `shared` seats are asked about."""
        now = await self.site.access.ask(lambda s, now: now)
        parts = await self._parts(request) if step in ("printer", "keys") else {}
        t = self.site.words_for(request).t
        return self.site.page(
            request,
            f"setup/{step}.html",
            422 if problems else 200,
            problems=problems,
            shared=shared or {},
            draft=draft,
            step=step,
            number=STEPS.index(step) + 1,
            steps=len(STEPS),
            csrf=self._csrf(request),
            now=now,
            parts=parts,
            roles=ROLES,
            services=drafting.service_rows(draft, typed) if step == "services" else (),
            people=drafting.people_rows(draft, typed) if step == "people" else (),
            hours=drafting.hours_rows(draft) if step == "unit" else None,
            saturday=drafting.saturday(draft),
            printers={url: _printer(url, t) for url in _printers(draft.printer)},
            in_force=_printer(self.site.config.printer.url, t),
            summary=_summary(draft, t) if step == "done" else None,
        )

    async def _draft(self) -> Draft:
        return Draft.read(await self.site.access.ask(lambda s, now: s.setting_up.draft()))

    async def _keep(self, draft: Draft) -> None:
        kept = draft.kept()
        await self.site.access.ask(lambda s, now: s.setting_up.save(now, kept))

    async def _save(self, request: Request, form: FormData) -> Response:
        """Take a page in, keep it, and go where its button leads; what is wrong keeps one on the page."""
        step, draft = request.path_params["step"], await self._draft()
        if step not in STEPS:
            return RedirectResponse("/setup", 303)
        do = text(form, "do")
        t = self.site.words_for(request).t
        try:
            try:
                await self._take[step](self, request, draft, form)
            except Wrong:
                await self._keep(draft)
                raise
            await self._keep(draft)
            if do == "next":
                self._check(draft, step, t, _fields(form))
            shared = drafting.shared_seats(_fields(form)) if step == "people" and do != "back" else {}
            if not {*shared} <= {*form.getlist("shared")}:
                return await self._show(request, step, draft, typed=_fields(form), shared=shared)
            if step == "done" and do == "next":
                return await self._finish(request, draft)
        except Wrong as wrong:
            return await self._show(request, step, draft, wrong.problems, _fields(form))
        except (Refused, StoreError) as error:
            return await self._show(request, step, draft, [self.site.sentence(t, error)], _fields(form))
        at = STEPS.index(step)
        to = STEPS[max(at - 1, 0)] if do == "back" else STEPS[at + 1] if do == "next" else step
        draft.step = to
        await self._keep(draft)
        answer = RedirectResponse(f"/setup/{to}", 303)
        if step == "language":
            answer.set_cookie(LANGUAGE, draft.language, 365 * 86400, samesite="strict", secure=self.site.secure)
        return answer

    def _check(self, draft: Draft, step: str, t: Texts, typed: Mapping[str, str]) -> None:
        """Raise Wrong for the mistakes that belong to this page."""
        problems = _problems(draft)
        wrong = [problem for problem in problems if drafting.concerns(step, problem.path)]
        rows = drafting.filled(typed) if step in ("services", "people") else ()
        lines = [f"{_place(problem, draft, rows, t)}: {mistake(problem, t)}" for problem in wrong]
        if step == "people" and not draft.technicians():
            lines.append(t("setup.no_technician"))
        if lines:
            raise Wrong(lines)

    # --- what each page brings -------------------------------------------------------------------------------

    async def _take_language(self, request: Request, draft: Draft, form: FormData) -> None:
        chosen = text(form, "language")
        if chosen in self.site.words.t.languages:
            draft.language = chosen

    async def _take_time(self, request: Request, draft: Draft, form: FormData) -> None:
        if text(form, "do") != "next" or text(form, "known"):
            return
        said = said_time(f"{text(form, 'day')}T{text(form, 'time')}") if text(form, "day") else None
        self.site.access.clock.vouched = await self.site.access.ask(lambda s, now: vouch(s, now, said), BY)

    async def _take_unit(self, request: Request, draft: Draft, form: FormData) -> None:
        drafting.set_unit(draft, _fields(form))

    async def _take_services(self, request: Request, draft: Draft, form: FormData) -> None:
        drafting.set_services(draft, _fields(form))

    async def _take_counters(self, request: Request, draft: Draft, form: FormData) -> None:
        drafting.set_counters(draft, _fields(form))

    async def _take_people(self, request: Request, draft: Draft, form: FormData) -> None:
        fields, t = _fields(form), self.site.words_for(request).t
        kept: dict[int, str] = {}
        wrong: list[str] = []
        for n in range(1, drafting.MOST_PEOPLE + 1):
            if pin := fields.get(f"pin-{n}", "") if fields.get(f"name-{n}") else "":
                try:
                    pins.check(pin)
                except pins.BadPin as error:
                    wrong.append(f"{fields[f'name-{n}']}: {t(f'pin.{error.reason}')}")
                    continue
                async with self._one_pin:
                    kept[n] = await asyncio.to_thread(pins.kept, pin)
        drafting.set_people(draft, fields, kept)
        if wrong:
            raise Wrong(wrong)

    async def _take_printer(self, request: Request, draft: Draft, form: FormData) -> None:
        url = text(form, "other") or text(form, "printer")
        paper_mm = 58 if text(form, "paper") == "58" else 80
        try:
            chosen = chosen_text(draft.language, url, paper_mm)
        except DocumentError as error:
            t = self.site.words_for(request).t
            raise Wrong([mistake(problem, t) for problem in error.problems]) from error
        draft.printer, draft.paper_mm = url, paper_mm
        await self._settle(chosen, "test-sheet" if text(form, "do") == "test" else "")

    async def _take_keys(self, request: Request, draft: Draft, form: FormData) -> None:
        if text(form, "do") == "start":
            await self.site.access.ask(lambda s, now: test_keys(s, now, BY))
        else:
            await self.site.access.ask(lambda s, now: end_test(s, now))

    async def _take_done(self, request: Request, draft: Draft, form: FormData) -> None:
        return None

    _take: Mapping[str, Callable[..., Awaitable[None]]] = {
        "language": _take_language,
        "time": _take_time,
        "unit": _take_unit,
        "services": _take_services,
        "counters": _take_counters,
        "people": _take_people,
        "printer": _take_printer,
        "keys": _take_keys,
        "done": _take_done,
    }

    async def _upload(self, request: Request, form: FormData) -> Response:
        """One document for twenty kiosks: only PINs remain."""
        draft, t = await self._draft(), self.site.words_for(request).t
        file = form.get("file")
        data = await file.read(MAX_BYTES + 1) if isinstance(file, UploadFile) else b""
        try:
            drafting.take_document(draft, data.decode("utf-8-sig", "replace"))
        except DocumentError as error:
            lines = [": ".join(p for p in (one.where, mistake(one, t)) if p) for one in error.problems]
            return await self._show(request, "unit", await self._draft(), lines)
        draft.step = "people"
        await self._keep(draft)
        return RedirectResponse("/setup/people", 303)

    # --- the end ---------------------------------------------------------------------------------------------

    async def _settle(self, chosen: str, then: str) -> None:
        """What belongs to the device and not to the office goes into a file of its own; both processes follow it."""
        path = Path(self.site.config.data_dir) / CHOSEN
        await asyncio.to_thread(write_durably, path, chosen)

        def tell(store: Store, now: Moment) -> None:
            for part in ("kiosk", "console"):
                store.orders.give(now, part, "settings", by=BY, data=then if part == "kiosk" else "")

        await self.site.access.ask(tell)

    async def _finish(self, request: Request, draft: Draft) -> Response:
        """Put the document in force, set the PINs, sign the technician in."""
        t = self.site.words_for(request).t
        try:
            document = draft.document()
        except DocumentError as error:
            raise Wrong([f"{_place(one, draft, (), t)}: {mistake(one, t)}" for one in error.problems]) from error
        technicians = draft.technicians()
        if not technicians:
            raise Wrong([t("setup.no_technician")])
        if await self.site.access.ask(lambda store, now: store.offices.owned()):
            raise Wrong([t("setup.owned")])
        await self._settle(chosen_text(draft.language, draft.printer, draft.paper_mm), "")
        raised = revising.raised(document, self.site.words.office.version)
        office = Office.from_json(raised.encode(), "")
        token, mark = await self._end(raised, office, dict(draft.pins), technicians[0])
        await self._until(office.sha256)
        answer = RedirectResponse("/technician", 303)
        self.site.remember(answer, token, technicians[0], mark)
        answer.delete_cookie(self.cookie, samesite="strict", secure=self.site.secure, httponly=True)
        return answer

    async def _end(self, text: str, office: Office, kept: Mapping[str, str], technician: str) -> tuple[str, str]:
        """One step after the other, since each may be tried again. The browser's token and mark."""
        ask, desks = self.site.access.ask, [one.id for one in office.counters]

        def apply(store: Store, now: Moment) -> int:
            return store.offices.apply(now, text, office.sha256, office.version, by=BY, counters=desks)

        await ask(apply, BY)
        await ask(lambda s, now: s.setting_up.finish(now, kept), BY)
        token, _ = await ask(lambda s, now: s.people.sign_in(now, technician, "", "technician"), BY)
        return token, await ask(lambda s, now: s.people.pin_was_right(now, technician), BY)

    async def _until(self, sha256: str) -> None:
        """The console itself has taken the document over: before that it does not know the technician."""
        for _ in range(100):
            if self.site.words.office.sha256 == sha256:
                return
            await asyncio.sleep(0.05)


def _fields(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _problems(draft: Draft) -> Sequence[Problem]:
    try:
        draft.checked()
    except DocumentError as error:
        return error.problems
    return ()


def _place(problem: Problem, draft: Draft, rows: Sequence[int], t: Texts) -> str:
    """Where a mistake stands, in the words of the pages: the row (of `rows`, by item) or the item, and the field."""
    table, *inner = problem.path.split(".")
    at = int(inner.pop(0)) if inner and inner[0].isdecimal() else 0
    items = draft.office.get(table)
    parts = [_item(table, at, items[at - 1], rows, t)] if at and isinstance(items, list) else []
    label = LABELS.get(".".join([table, *inner[:1]]))
    parts += [t(label)] if label else []
    return " – ".join(part for part in parts if part) or problem.where


def _item(table: str, at: int, item: Mapping[str, str], rows: Sequence[int], t: Texts) -> str:
    if table in ("services", "clerks") and at <= len(rows):
        return t("setup.row", n=rows[at - 1])
    if table == "counters":
        return t("board.counter_short", quay=item.get("label", at))
    return "" if table == "hotlines" else str(item.get("name") or at)


def _printers(chosen: str) -> list[str]:
    """What to choose from: where printers usually are, and those that are there now."""
    there = [f"file:{path}" for path in sorted(Path("/dev/usb").glob("lp*"))]
    usual = [USB, *there, "none"]
    return list(dict.fromkeys([*usual, *([chosen] if chosen not in usual else [])]))


def _printer(url: str, t: Texts) -> str:
    """A printer's address as people call it."""
    if url in ("none", USB):
        return t("printer.none") if url == "none" else t("setup.printer_usb")
    return t("setup.printer_usb_at", noi=url.removeprefix("file:")) if url.startswith("file:/dev/usb/") else url


def _summary(draft: Draft, t: Texts) -> dict[str, object]:
    office = draft.office
    return {
        "unit": office["unit"].get("name", ""),
        "bare": drafting.bare_name(draft),
        "site": office["site"].get("name", ""),
        "services": [one["name"] for one in office["services"]],
        "counters": len(office["counters"]),
        "hours": [
            t("setup.hours_line", buoi=one["name"], tu=one["start"], den=one["end"], ngay=_days(one["weekdays"], t))
            for one in office["sessions"]
        ],
        "quotas": [
            t("setup.quotas_line", linh_vuc=one["name"], n=most, buoi=session["name"])
            for one in office["services"]
            for session in office["sessions"]
            if (most := one.get("quota", {}).get(session["id"])) is not None
        ],
        "holidays": len(office["calendar"]),
        "people": [one["name"] for one in office["clerks"]],
        "with_pin": len(draft.pins),
        "printer": _printer(draft.printer, t),
    }


def _days(weekdays: Sequence[int], t: Texts) -> str:
    """Days of the week; three and more in a row as from – to."""
    days = sorted(weekdays)
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{t(f'weekday.{days[0]}')} – {t(f'weekday.{days[-1]}')}"
    return ", ".join(t(f"weekday.{day}") for day in days)
