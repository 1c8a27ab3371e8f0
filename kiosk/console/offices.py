"""The technician's page for the office document: its text, checked, compared, applied, brought back; its pictures."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kiosk import revising, setup
from kiosk.clock import Moment
from kiosk.console import apart
from kiosk.console.pictures import SHRINK_S
from kiosk.console.preview import Previews
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.documents import MAX_BYTES, DocumentError, Problem, mistake
from kiosk.office import Office
from kiosk.revising import Change
from kiosk.store import Store
from kiosk.store.downloads import Looked
from kiosk.store.offices import OfficeVersion
from kiosk.texts import Texts
from kiosk.tickets import Refused

PATH = "/technician/office"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in the text: its line (0 = unknown), its place, and what is wrong."""

    line: int
    where: str
    says: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a text: `office` when it can be applied, else `mistakes`."""

    text: str
    office: Office | None
    mistakes: tuple[Mistake, ...] = ()
    changes: tuple[Change, ...] = ()
    orphans: int = 0


class OfficePage:
    """`/technician/office`: edit, check, apply, restore, pictures."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.previews = Previews(site)
        self._one_picture = asyncio.Lock()

    def routes(self) -> list[Route]:
        site = self.site
        return [
            Route(PATH, site.staff(self.page, "technician")),
            Route(f"{PATH}/check", site.checked(self.check, "technician"), methods=["POST"]),
            Route(f"{PATH}/restore", site.action(self._restore, "technician"), methods=["POST"]),
            Route(f"{PATH}/photo", site.action(self._photo, "technician"), methods=["POST"]),
            Route(f"{PATH}/office.toml", site.staff(self.download, "technician")),
            *self.previews.routes(),
        ]

    async def page(self, request: Request, visitor: Visitor) -> Response:
        return await self._show(request, visitor)

    async def download(self, request: Request, visitor: Visitor) -> Response:
        """The text in force, for the next kiosk."""
        document = await asyncio.to_thread(setup.load_text, self.site.config)
        headers = {"Content-Disposition": 'attachment; filename="office.toml"'}
        return PlainTextResponse(revising.as_toml(document.text, document.office), headers=headers)

    async def check(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """Judge the text; with the button "apply", and nothing wrong, put it in force."""
        entered = _area(form, "text")
        t, note = self.site.words_for(request).t, text(form, "note", 200)
        judged = await self._judge(entered, t)
        if judged.office is None or text(form, "do") != "apply":
            return await self._show(request, visitor, judged, note=note, seen=text(form, "seen"))
        try:
            await self._apply(visitor, judged.text, judged.office, note, _number(form, "seen"))
        except (Refused, OSError) as error:
            said = Said(False, self.site.sentence(t, error))  # type: ignore[arg-type]  # StoreError is an OSError
            return await self._show(request, visitor, judged, said, note=note, seen=text(form, "seen"))
        return await self._show(
            request, visitor, said=Said(True, t("technician.office_applied", n=judged.office.version))
        )

    async def _show(
        self,
        request: Request,
        visitor: Visitor,
        judged: Judged | None = None,
        said: Said | None = None,
        note: str = "",
        seen: str = "",
    ) -> Response:
        document = await asyncio.to_thread(setup.load_text, self.site.config)
        history, owned, looked = await self.site.access.ask(_facts)
        preview = self.previews.begin(judged.text) if judged and judged.office else ""
        return self.site.page(
            request,
            "technician-office.html",
            422 if judged and judged.mistakes else 200,
            visitor=visitor,
            said=said or self.site.flash(visitor),
            document=document,
            judged=judged,
            text=judged.text if judged else revising.as_toml(document.text, document.office),
            note=note,
            seen=seen or document.id,
            history=history,
            owned=owned,
            looked=looked,
            refused=[_said(problem, self.site.words_for(request).t) for problem in looked.problems],
            preview=preview,
            pictures=self.previews.fragment(request, preview) if preview else "",
        )

    # --- judging and applying --------------------------------------------------------------------------------

    async def _judge(self, entered: str, t: Texts) -> Judged:
        current = self.site.words.office
        try:
            raised = revising.raised(entered, current.version)
            office = revising.read(raised, self.site.config, "")
        except DocumentError as error:
            lines = [_mistake(entered, one, t) for one in error.problems]
            return Judged(entered, None, tuple(sorted(lines, key=lambda one: one.line)))
        orphans = await self.site.access.ask(
            lambda s, now: s.offices.orphans([one.id for one in office.services], [one.id for one in office.counters])
        )
        return Judged(raised, office, changes=tuple(revising.changes(current, office)), orphans=orphans)

    async def _apply(self, visitor: Visitor, entered: str, office: Office, note: str, seen: int | None) -> None:
        by, desks = visitor.person.id, [one.id for one in office.counters]

        def put(store: Store, now: Moment) -> int:
            return store.offices.apply(
                now, entered, office.sha256, office.version, by=by, note=note, seen=seen, counters=desks
            )

        await self.site.ask(put, visitor)
        for _ in range(100):  # the next page is to show what is in force
            if self.site.words.office.sha256 == office.sha256:
                return
            await asyncio.sleep(0.05)

    async def _restore(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """An earlier version again, under a new number. Its text may not fit any more: then nothing changes."""
        id, t = text(form, "id"), self.site.words_for(request).t
        chosen: OfficeVersion | None = await self.site.access.ask(
            lambda s, now: s.offices.get(int(id)) if id.isdecimal() and len(id) < 10 else None
        )
        if chosen is None:
            raise HTTPException(404)
        judged = await self._judge(chosen.text, t)
        if judged.office is None:
            return Said(False, t("technician.office_wrong", n=len(judged.mistakes)))
        await self._apply(visitor, judged.text, judged.office, t("technician.office_again", n=chosen.version), None)
        return Said(True, t("technician.office_applied", n=judged.office.version), PATH)

    # --- pictures --------------------------------------------------------------------------------------------

    async def _photo(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        """Keep an uploaded picture, made small, and apply a version of the document that names it."""
        t, office = self.site.words_for(request).t, self.site.words.office
        file, whose = form.get("file"), text(form, "whose")
        if not isinstance(file, UploadFile) or not file.size:
            return Said(False, t("technician.photo_none"))
        async with self._one_picture:
            kept = await asyncio.to_thread(_kept, file, Path(self.site.config.data_dir) / setup.PHOTOS)
        if "reason" in kept:
            return Said(False, t(f"photo.{kept['reason']}", tep=file.filename or t("technician.photo_file")))
        name = kept["name"]
        fresh = _with_picture(office, whose, name)
        if fresh is None:
            raise HTTPException(404)
        document = await asyncio.to_thread(setup.load_text, self.site.config)
        person = office.clerk(whose)
        note = f"{t('technician.photo_of')} {person.name}" if person else t("technician.photo_emblem")
        await self._apply(visitor, _text_with(document.text, fresh, whose, name), fresh, note, None)
        return Said(True, t("technician.photo_done", n=fresh.version), PATH)


def _facts(store: Store, now: Moment) -> tuple[list[OfficeVersion], bool, Looked]:
    return store.offices.history(), store.offices.owned(), store.downloads.looked("office")


def _said(problem: Mapping[str, Any], t: Texts) -> str:
    """What is wrong with a document of the server."""
    return f"{problem['where']}: {mistake(Problem('', **problem), t)}"


def _mistake(entered: str, problem: Problem, t: Texts) -> Mistake:
    """A mistake in the text; where it is the device's keys that miss something, what to do first."""
    says = mistake(problem, t)
    if problem.key in ("no_service", "no_counter"):
        return Mistake(0, f"kiosk.toml {problem.where}", f"{says} {t('technician.office_wired', muc=problem.where)}")
    return Mistake(revising.line_of(entered, problem), problem.where, says)


def _kept(file: UploadFile, folder: Path) -> dict[str, str]:
    """The picture's `name` in the folder, or the `reason` why it cannot be shown, see `shrinking`."""
    with tempfile.NamedTemporaryFile(suffix=".picture") as part:
        while block := file.file.read(1 << 20):
            part.write(block)
        part.flush()
        asked = {"do": "keep", "path": part.name, "folder": str(folder)}
        kept: dict[str, str] = apart.ask("kiosk.console.shrinking", [asked], SHRINK_S)[0]
        return kept


def _with_picture(office: Office, whose: str, name: str) -> Office | None:
    version = office.version + 1
    if not whose:
        return replace(office, version=version, unit=replace(office.unit, emblem=name))
    if office.clerk(whose) is None:
        return None
    clerks = tuple(replace(one, photo=name) if one.id == whose else one for one in office.clerks)
    return replace(office, version=version, clerks=clerks)


def _text_with(old: str, fresh: Office, whose: str, name: str) -> str:
    """The text with the picture's name in it; written anew where it cannot be changed in its place."""
    at = [one.id for one in fresh.clerks].index(whose) + 1 if whose else 0
    place, key = (f"clerks.{at}", "photo") if whose else ("unit", "emblem")
    changed = revising.raised(revising.with_value(old, place, key, name), fresh.version - 1)
    try:
        same = Office.from_json(changed.encode(), "") == fresh
    except DocumentError:
        same = False
    return changed if same else revising.written(fresh)


def _number(form: FormData, name: str) -> int:
    value = text(form, name, 9)
    return int(value) if value.isdecimal() else 0


def _area(form: FormData, name: str) -> str:
    """A text area as it was typed, with the line ends of a file."""
    value = form.get(name, "")
    lines = value.replace("\r\n", "\n") if isinstance(value, str) else ""
    return lines[:MAX_BYTES]
