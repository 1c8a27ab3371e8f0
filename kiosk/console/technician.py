"""The technician's first page: how every part is, and what can be tried, restarted, saved and carried away."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.console import health
from kiosk.console.bench import Bench, bench, end_test, print_sheet, test_keys
from kiosk.console.clockask import said_time, vouch
from kiosk.console.live import stay, stream
from kiosk.console.logtail import tail
from kiosk.console.site import Said, Site, Visitor, text
from kiosk.feed import make_outbox, status
from kiosk.findings import Finding, title
from kiosk.kernel_log import Log
from kiosk.panel_rules import claims
from kiosk.present.keynames import pin_name
from kiosk.present.words import Words
from kiosk.store import Store, StoreError
from kiosk.store.backup import backup, backups, made_at
from kiosk.store.database import Database
from kiosk.store.facts import device_id
from kiosk.texts import Texts
from sync.export import export

PATH = "/technician"
PARTS = ("kiosk", "console", "sync")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page asks of the database in one go."""

    now: Moment
    bench: Bench
    findings: tuple[Finding, ...]


class TechnicianPage:
    """`/technician` and its actions."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.kernel = Log()

    def routes(self) -> list[Route]:
        site = self.site
        actions = {
            "print": self._print,
            "keys": self._keys,
            "clock": self._clock,
            "restart": self._restart,
            "sign-out": self._sign_out,
            "backup": self._backup,
        }
        return [
            Route(PATH, site.staff(self.page, "technician")),
            Route(f"{PATH}/live", site.staff(self.live, "technician")),
            Route(f"{PATH}/log", site.staff(self.log, "technician")),
            Route(f"{PATH}/backup/{{name}}", site.staff(self.download, "technician")),
            Route(f"{PATH}/export", site.staff(self.export, "technician")),
            *(
                Route(f"{PATH}/{name}", site.action(act, "technician"), methods=["POST"])
                for name, act in actions.items()
            ),
        ]

    # --- what it shows ---------------------------------------------------------------------------------------

    async def page(self, request: Request, visitor: Visitor) -> Response:
        parts = await self._parts(request)
        folder = Path(self.site.config.data_dir)
        return self.site.page(
            request,
            "technician.html",
            visitor=visitor,
            said=self.site.flash(visitor),
            parts=parts,
            part_names=PARTS,
            pins=pin_map(self.site.config, self.site.words_for(request)),
            backups=await asyncio.to_thread(_listed, folder, self.site.words_for(request).t),
            certificate=self.site.shared.certificate,
            left_out=self.site.shared.left_out,
            device=device_id(folder, self.site.config.device),
            owned=await self.site.access.ask(lambda s, now: s.offices.owned()),
        )

    async def live(self, request: Request, visitor: Visitor) -> Response:
        return stream(self.site, partial(self._moving, request, visitor))

    async def _moving(self, request: Request, visitor: Visitor) -> dict[str, str]:
        await stay(self.site, request, visitor, "technician")
        return await self._parts(request)

    async def _parts(self, request: Request) -> dict[str, str]:
        words = self.site.words_for(request)
        kernel = await asyncio.to_thread(self.kernel.lines)
        facts = await self.site.access.ask(partial(_read, config=self.site.config, words=words, kernel=kernel))
        plain = self.site.config.console.plain
        return {
            "health": self.site.fragment(
                words, "technician/health.html", found=facts.findings, plain=plain, title=title
            ),
            "sheet": self.site.fragment(words, "technician/sheet.html", bench=facts.bench),
            "presses": self.site.fragment(words, "technician/presses.html", bench=facts.bench),
            "time": self.site.fragment(words, "technician/time.html", now=facts.now),
        }

    async def log(self, request: Request, visitor: Visitor) -> Response:
        lines = await asyncio.to_thread(tail, Path(self.site.config.data_dir))
        return self.site.page(request, "technician-log.html", visitor=visitor, lines=lines)

    # --- what is carried away --------------------------------------------------------------------------------

    async def download(self, request: Request, visitor: Visitor) -> Response:
        """A backup, by a name of the list and no other."""
        known = {path.name: path for path in backups(Path(self.site.config.data_dir))}
        path = known.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, filename=path.name, media_type="application/vnd.sqlite3")

    async def export(self, request: Request, visitor: Visitor) -> Response:
        """Events for the commune server, as a USB stick would carry them."""
        everything = request.query_params.get("all") == "1"
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="kiosk-export-"))
        try:
            path = await asyncio.to_thread(_export, self.site, folder, everything)
        except (OSError, StoreError):
            shutil.rmtree(folder, ignore_errors=True)
            raise
        gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        if path is None:
            await gone()
            return self.site.page(request, "message.html", visitor=visitor, message="console.empty_export")
        return FileResponse(path, filename=path.name, media_type="application/octet-stream", background=gone)

    # --- what it does ----------------------------------------------------------------------------------------

    async def _print(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        await self.site.ask(lambda s, now: print_sheet(s, now, visitor.person.id), visitor)
        return self._said(request, "technician.print_asked")

    async def _keys(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        if text(form, "stop"):
            await self.site.ask(end_test, visitor)
            return self._said(request, "technician.keys_off")
        await self.site.ask(lambda s, now: test_keys(s, now, visitor.person.id), visitor)
        return self._said(request, "technician.keys_on")

    async def _clock(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        said = None if text(form, "yes") else said_time(f"{text(form, 'day')}T{text(form, 'time')}")
        vouched = await self.site.ask(lambda s, now: vouch(s, now, said), visitor)
        self.site.access.clock.vouched = vouched
        t = self.site.words_for(request).t
        return Said(True, t("clock.set", ngay=t.day(vouched.at), gio=t.clock(vouched.at)))

    async def _restart(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        part = text(form, "part")
        if part not in PARTS:
            raise HTTPException(404)
        await self.site.ask(lambda s, now: s.orders.give(now, part, "restart", by=visitor.person.id), visitor)
        return self._said(request, "technician.restart_asked")

    async def _sign_out(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        await self.site.ask(lambda s, now: s.people.sign_out_all(now, but=visitor.token), visitor)
        return self._said(request, "technician.signed_out_all")

    async def _backup(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        now = await self.site.access.ask(lambda s, now: now)
        path = await asyncio.to_thread(backup, Path(self.site.config.data_dir), now)
        t = self.site.words_for(request).t
        return Said(True, t("technician.backup_done", ten=_called(path, t)), PATH)

    def _said(self, request: Request, key: str) -> Said:
        return Said(True, self.site.words_for(request).t(key))


def _read(store: Store, now: Moment, config: Config, words: Words, kernel: Sequence[str] | None) -> Facts:
    state = bench(store, now)
    return Facts(now, state, tuple(health.found(store, now, config, words, runs=state.runs, kernel=kernel)))


def pin_map(config: Config, words: Words) -> list[tuple[int, str]]:
    """BCM number and the key or lamp on it, by number; none where no pins are used."""
    if config.buttons.factory == "none":
        return []
    return sorted((pin, pin_name(words, place)) for pin, place in claims(config.buttons))


def _listed(folder: Path, t: Texts) -> list[tuple[str, str, float]]:
    """File name, what people call it, and megabytes of each backup."""
    return [(path.name, _called(path, t), path.stat().st_size / 1024 / 1024) for path in backups(folder)]


def _called(path: Path, t: Texts) -> str:
    made = made_at(path)
    return t.stamp(made) if made else path.name


def _export(site: Site, folder: Path, everything: bool) -> Path | None:
    """By a connection of its own: it may take a while."""
    config, clock = site.config, site.access.clock
    data = Path(config.data_dir)
    database = Database(data)
    try:
        device = device_id(data, config.device)
        outbox = make_outbox(database, clock)
        return export(outbox, folder, device, status(database, clock.now()), everything=everything).path
    finally:
        database.close()
