"""What a commune server fetches: the feed and the words of comments; and the page on which a server is let in.

Only by HTTPS: the server's token travels with each question. A question that waits holds no thread.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiosk import __version__
from kiosk.addresses import addresses
from kiosk.clock import Clock, Moment
from kiosk.console.site import Said, Site, Visitor
from kiosk.feed import believe, make_outbox, note_contact, status_now
from kiosk.store import Store, StoreError
from kiosk.store.comments import CommentTexts
from kiosk.store.facts import device_id
from kiosk.tickets import Refused
from sync import beside, fetched, wire
from sync.beside import Message
from sync.fetched import Asked, Fetched

PATH = "/technician/server"
MOST_WAITING = 4
"""Questions that are held back at once: one server asks one."""
MOST_BODY = 10_000

Answer = Callable[[Request], Awaitable[Response]]


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status: HTTPStatus, code: str, message: str, wait_s: int = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.wait_s = status, code, wait_s


class FetchPages:
    """`/api/v1/…` for a server, `/technician/server` for whoever lets it in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._waiting = 0

    def staff_routes(self) -> list[Route]:
        return [
            Route(PATH, self.site.staff(self.page, "technician")),
            Route(f"{PATH}/code", self.site.action(self._new_code, "technician"), methods=["POST"]),
            Route(f"{PATH}/end", self.site.action(self._end, "technician"), methods=["POST"]),
        ]

    def server_routes(self) -> list[Route]:
        return [
            Route("/api/v1/feed", self.guarded(self.feed)),
            Route("/api/v1/comments", self.guarded(self.comments)),
            Route("/api/v1/pair", self.guarded(self.pair, open=True), methods=["POST"]),
        ]

    # --- for the technician ----------------------------------------------------------------------------------

    async def page(self, request: Request, visitor: Visitor) -> Response:
        code, since = await self.site.access.ask(lambda s, now: (s.pulling.code(now), s.pulling.since()))
        port = self.site.shared.secure_port
        return self.site.page(
            request,
            "technician-server.html",
            visitor=visitor,
            said=self.site.flash(visitor),
            code=code,
            since=since,
            certificate=self.site.shared.certificate,
            addresses=[f"https://{_host(str(address))}:{port}" for address in addresses()],
        )

    async def _new_code(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        code = await self.site.ask(lambda s, now: s.pulling.new_code(now), visitor)
        return Said(True, self.site.words_for(request).t("panel.code_is", ma=f"{code[:4]} {code[4:]}"), PATH)

    async def _end(self, request: Request, visitor: Visitor, form: FormData) -> Said:
        await self.site.ask(_no_server, visitor)
        return Said(True, self.site.words_for(request).t("pull.ended"), PATH)

    # --- for the server --------------------------------------------------------------------------------------

    def guarded(self, answer: Answer, open: bool = False) -> Answer:
        """Only with the token, unless `open`; what goes wrong is JSON."""

        async def handler(request: Request) -> Response:
            try:
                if not open:
                    await self._authorize(request)
                return await answer(request)
            except Refusal as error:
                headers = {"Retry-After": str(error.wait_s)} if error.wait_s else {}
                return JSONResponse({"code": error.code, "message": str(error)}, error.status, headers)
            except wire.WireError as error:
                return JSONResponse({"code": "bad_request", "message": str(error)}, HTTPStatus.BAD_REQUEST)
            except StoreError as error:
                body = {"code": "busy", "message": str(error)}
                return JSONResponse(body, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "10"})

        return handler

    async def _authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and await self.site.access.ask(lambda s, now: s.pulling.knows(token.strip()))
        if not known:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "token", "this token is not known here: pair this kiosk again")

    async def feed(self, request: Request) -> Response:
        """GET /api/v1/feed: the next batch; held back for a while when there is none."""
        asked = fetched.asked(dict(request.query_params))
        if asked.epoch and not wire.is_likely(asked.epoch):
            raise wire.WireError("epoch: no kiosk has begun so many")
        got, body = await self._fetch(asked)
        if not got.reading.lines and asked.wait_s and self._waiting < MOST_WAITING:
            self._waiting += 1
            try:
                got, body = await self._held_back(asked, got, body)
            finally:
                self._waiting -= 1
        return Response(body, media_type=wire.CONTENT_TYPE)

    async def _held_back(self, asked: Asked, got: Fetched, body: bytes) -> tuple[Fetched, bytes]:
        loop = asyncio.get_running_loop()
        until = loop.time() + asked.wait_s
        while not got.reading.lines and not self.site.closing and (left := until - loop.time()) > 0:
            await self.site.access.changed(self.site.access.revision, left)
            got, body = await self._fetch(asked)
        return got, body

    async def _fetch(self, asked: Asked) -> tuple[Fetched, bytes]:
        clock, config = self.site.access.clock, self.site.config
        device = device_id(Path(config.data_dir), config.device)
        return await self.site.access.ask(partial(_fetch, clock=clock, device=device, asked=asked))

    async def comments(self, request: Request) -> Response:
        """GET /api/v1/comments: the words after number `after`, which says that the server has all up to it."""
        given = request.query_params.get("after")
        after = None if given is None else fetched.whole(given, "after")
        device = device_id(Path(self.site.config.data_dir), self.site.config.device)
        message = await self.site.access.ask(partial(_words, after=after))
        return Response(beside.encode(Message(device, *message)), media_type=wire.CONTENT_TYPE)

    async def pair(self, request: Request) -> Response:
        """POST /api/v1/pair {"code"}: a code for a token, once."""
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BODY:
                raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"more than {MOST_BODY} bytes")
        asked = wire.parse_object(bytes(body))
        code = asked.get("code")
        if not isinstance(code, str):
            raise wire.WireError("code is a text")
        digits = "".join(letter for letter in code if letter.isalnum())
        try:
            token = await self.site.access.ask(partial(_paired, digits=digits), "pull")
        except Refused as error:
            if error.reason == "panel_wait":
                seconds = int(str(error.values["seconds"]))
                raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "busy", "too many wrong codes", seconds) from error
            raise Refusal(HTTPStatus.FORBIDDEN, "code", "this code is wrong or over") from error
        return JSONResponse(await self._about(token))

    async def _about(self, token: str) -> dict[str, Any]:
        config, office = self.site.config, self.site.words.office
        device = device_id(Path(config.data_dir), config.device)
        return {"device": device, "token": token, "app": __version__, "office": json.loads(office.to_json())}


# --- in the store's thread ------------------------------------------------------------------------------------


def _fetch(store: Store, now: Moment, clock: Clock, device: str, asked: Asked) -> tuple[Fetched, bytes]:
    outbox = make_outbox(store.database, clock, own=True)
    got = fetched.fetch(outbox, asked)
    if got.again:
        CommentTexts(store.database, lambda: now).settle(0)
    if asked.now is not None:
        believe(store.database, clock, asked.now)
    note_contact(store.database, now)
    return got, wire.encode_batch(got.reading.batch(device, status_now(store.database, now)), packed=False)


def _paired(store: Store, now: Moment, digits: str) -> str:
    """The token of a server that begins here; whose the office document was before is forgotten."""
    token = store.pulling.pair(now, digits)
    store.downloads.forget(now)
    return token


def _no_server(store: Store, now: Moment) -> None:
    """Nobody fetches any more, and the office document is the kiosk's own again."""
    store.pulling.end(now)
    store.downloads.forget(now)


def _words(store: Store, now: Moment, after: int | None) -> tuple[int, list[beside.Text]]:
    texts = CommentTexts(store.database, lambda: now)
    if after is not None:
        texts.settle(after)
    return texts.waiting()


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
