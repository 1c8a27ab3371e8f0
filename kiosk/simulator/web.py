"""The page of the demo, on loopback: what can be seen goes out as server-sent events, what people do comes in as JSON.

It holds no state of its own and decides nothing; every command is a press, a touch, or a switch of the appliance.
Only requests that were meant for this computer are answered: a web page from elsewhere cannot press keys here.
"""

import asyncio
import json
import os
import socket
import threading
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk.simulator.appliance import Appliance
from kiosk.simulator.camera import file_name
from kiosk.simulator.citizens import MOST_AN_HOUR, Crowds
from kiosk.simulator.facts import now, office

PAGE = Path(__file__).with_name("page")
FONTS = PAGE.parent.parent / "assets" / "fonts"
HOSTS = ["127.0.0.1", "localhost"]
LOOK_S = 0.1
HEARTBEAT_S = 15.0
LONGEST_ORDER = 1000
SPEEDS = (1, 10, 60)
HEADERS = {
    b"content-security-policy": b"default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}


class Web:
    """The server: bound when made (OSError says so), answering from `start` to `close`."""

    def __init__(self, appliance: Appliance, crowds: Crowds, port: int) -> None:
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise OSError(
                f"port {port} cannot be used ({os.strerror(error.errno or 0)}): choose another one with --port, or 0"
            ) from error
        self._appliance = appliance
        self._crowds = crowds
        self._closing = False
        config = uvicorn.Config(
            self._app(),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=[[self._socket]], name="page", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End all connections."""
        self._closing = True
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def _app(self) -> ASGIApp:
        routes = [
            Route("/", _page),
            Route("/office", self._office),
            Route("/events", self._events),
            Route("/do", self._do, methods=["POST"]),
            Route("/frames/{view}", self._frame),
            Route("/slips/{name}", self._slip),
            Route("/calls/{name}", self._call),
        ]
        guards = [Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS), Middleware(Guard)]
        app = Starlette(routes=routes, middleware=guards)
        app.mount("/page", StaticFiles(directory=PAGE))
        app.mount("/fonts", StaticFiles(directory=FONTS))
        return app

    # --- out -------------------------------------------------------------------------------------------------

    async def _office(self, request: Request) -> Response:
        return JSONResponse(office(self._appliance))

    async def _events(self, request: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _stream(self) -> AsyncIterator[str]:
        """Everything at first, then what has changed, part by part."""
        sent: dict[str, Any] = {}
        revision, quiet = (-1, -1), 0.0
        while not self._closing:
            current = (self._appliance.revision, self._crowds.revision)
            fresh = now(self._appliance, self._crowds) if current != revision else {}
            revision = current
            changed = {name: value for name, value in fresh.items() if sent.get(name, sent) != value}
            quiet = 0.0 if changed else quiet + LOOK_S
            if changed:
                sent |= changed
                yield f"data: {json.dumps(changed, ensure_ascii=False)}\n\n"
            elif quiet >= HEARTBEAT_S:
                quiet = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_S)

    async def _frame(self, request: Request) -> Response:
        wanted = request.path_params["view"]
        known = {file_name(output.view) for output in self._appliance.plan.config.screen.outputs}
        return kept(self._appliance.plan.folder.frames / wanted if wanted in known else None)

    async def _call(self, request: Request) -> Response:
        """What was said in the hall."""
        name = request.path_params["name"]
        return kept(
            self._appliance.plan.folder.calls / name if name in self._appliance.seen.calls else None, "audio/wav"
        )

    async def _slip(self, request: Request) -> Response:
        wanted = Path(request.path_params["name"])
        known = wanted.suffix == ".png" and wanted.stem in self._appliance.seen.slips
        return kept(self._appliance.plan.folder.slips / wanted.name if known else None)

    # --- in --------------------------------------------------------------------------------------------------

    async def _do(self, request: Request) -> Response:
        try:
            order = await _order(request)
            # Starting and killing processes takes its time: the pictures must not stand still meanwhile.
            done = await asyncio.to_thread(self._obey, order)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            return JSONResponse({"error": ascii(str(error))}, HTTPStatus.BAD_REQUEST)
        return JSONResponse({"done": done})

    def _obey(self, order: Mapping[str, Any]) -> bool:
        appliance = self._appliance
        match order["do"]:
            case "down":
                return appliance.down(str(order["action"]))
            case "up":
                return appliance.up(str(order["action"]))
            case "tap":
                return appliance.tap(str(order["action"]))
            case "touch":
                return appliance.touch(str(order["view"]), _share(order["x"]), _share(order["y"]))
            case "fault":
                appliance.set_fault(str(order["name"]), bool(order["on"]))
            case "people":
                self._crowds.set(_between(order["per_hour"], 0, MOST_AN_HOUR))
            case "speed":
                appliance.set_speed(_between(order["speed"], min(SPEEDS), max(SPEEDS)))
            case _:
                raise ValueError("no such order")
        return True


class Guard:
    """Refuses what a page from elsewhere could send with a visitor's browser, and adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", []))
        origin, host = headers.get(b"origin"), headers.get(b"host", b"")
        json_only = scope.get("method") != "POST" or headers.get(b"content-type", b"").startswith(b"application/json")
        if not json_only or (origin is not None and origin != b"http://" + host):
            refused = JSONResponse({"error": "not from this page"}, HTTPStatus.FORBIDDEN)
            await refused(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        await self._app(scope, receive, with_headers)


async def _page(request: Request) -> Response:
    return FileResponse(PAGE / "index.html")


def kept(path: Path | None, kind: str = "image/png") -> Response:
    """A picture or sound that may change or be gone; its address carries a number, so it is kept while it is seen."""
    try:
        # Read at once: the next picture may take its place while it is sent, and is of another length.
        data = path.read_bytes() if path else None
    except FileNotFoundError:
        data = None
    if data is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    return Response(data, media_type=kind, headers={"Cache-Control": "no-cache"})


async def _order(request: Request) -> Mapping[str, Any]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_ORDER:
            raise ValueError("too long")
    order = json.loads(body)
    if not isinstance(order, dict):
        raise ValueError("not an object")
    return order


def _share(value: Any) -> float:
    return _between(value, 0, 1)


def _between(value: Any, least: float, most: float) -> float:
    number = float(value)
    if not least <= number <= most:
        raise ValueError(f"from {least} to {most}")
    return number
