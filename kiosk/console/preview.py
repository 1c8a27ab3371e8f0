"""Pictures of what citizens will see by a document that was checked: drawn by a process of its own, for one page."""

import asyncio
import hashlib
import logging
import sys
import tempfile
from functools import partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk.console.live import Leaving, stream
from kiosk.console.site import Site, Visitor
from kiosk.programs import Program

PATH = "/technician/office/preview"
NAMES = ("take", "slip")
LIMIT_S = 30.0
"""A small board with much to do takes some seconds."""
KEPT = 2
"""Documents whose pictures are kept in memory, some 300 kB each."""

logger = logging.getLogger(__name__)
Pictures = dict[str, bytes]


class Previews:
    """Draws each document once, one after the other. Pictures are PNG by name; none at all when it failed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._one = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[Pictures]] = {}

    def routes(self) -> list[Route]:
        return [
            Route(f"{PATH}/{{key}}/live", self.site.staff(self.live, "technician")),
            Route(f"{PATH}/{{key}}/{{name}}.png", self.site.staff(self.picture, "technician")),
        ]

    def begin(self, document: str) -> str:
        """Have a document drawn; the key by which the page asks for it. What failed before is tried again."""
        key = hashlib.sha256(document.encode()).hexdigest()[:16]
        task = self._tasks.pop(key, None)
        if task is None or (task.done() and not _drawn(task)):
            task = asyncio.get_running_loop().create_task(self._draw(document))
        self._tasks[key] = task
        for old in list(self._tasks)[:-KEPT]:
            self._tasks.pop(old).cancel()
        return key

    async def live(self, request: Request, visitor: Visitor) -> Response:
        return stream(self.site, partial(self._parts, request))

    async def _parts(self, request: Request) -> dict[str, str]:
        if await self.site.visitor(request) is None:
            raise Leaving("/sign-in")
        return {"preview": self.fragment(request, request.path_params["key"])}

    def fragment(self, request: Request, key: str) -> str:
        """The pictures, or a sentence in their place."""
        task = self._tasks.get(key)
        waits = task is not None and not task.done()
        names = [name for name in NAMES if name in _drawn(task)]
        words = self.site.words_for(request)
        return self.site.fragment(words, "technician/preview.html", address=f"{PATH}/{key}", names=names, waits=waits)

    async def picture(self, request: Request, visitor: Visitor) -> Response:
        drawn = _drawn(self._tasks.get(request.path_params["key"]))
        data = drawn.get(request.path_params["name"])
        if data is None:
            raise HTTPException(404)
        return Response(data, media_type="image/png", headers={"Cache-Control": "no-store"})

    async def _draw(self, document: str) -> Pictures:
        try:
            async with self._one:
                with tempfile.TemporaryDirectory(prefix="kiosk-preview-", ignore_cleanup_errors=True) as folder:
                    return await _drawn_in(Path(folder), document, self.site.config.file)
        except OSError as error:
            logger.error("no preview: %s", error)
            return {}
        finally:
            self.site.access.wake()  # the page that waits for it


async def _drawn_in(folder: Path, document: str, config_file: str) -> Pictures:
    """By a process that has `LIMIT_S`, and ends with whoever waits for it. Raises ProgramError."""
    given = ["--config", config_file] if config_file else []
    program = Program([sys.executable, "-m", "kiosk.gallery.preview", str(folder), *given], document.encode())
    try:
        await asyncio.to_thread(program.result, LIMIT_S)
    except asyncio.CancelledError:
        program.kill()
        raise
    found = {name: folder / f"{name}.png" for name in NAMES}
    return {name: path.read_bytes() for name, path in found.items() if path.exists()}


def _drawn(task: "asyncio.Task[Pictures] | None") -> Pictures:
    """What is there by now."""
    return task.result() if task is not None and task.done() and not task.cancelled() else {}
