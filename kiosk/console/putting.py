"""What a commune server that fetches puts here: documents and photos. docs/feed.md has the answers."""

from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiosk.console.fetching import Answer, FetchPages, Refusal
from kiosk.console.site import Site
from kiosk.receiving import Receiver, Reply, put_document, put_photo
from kiosk.store import Store
from sync.offers import MAX_DOCUMENT, MAX_PHOTO, Kind


class DocumentDoor:
    """PUT below `/api/v1/`, for whoever shows the token of `FetchPages`."""

    def __init__(self, site: Site, pages: FetchPages) -> None:
        self.site = site
        self.pages = pages

    def routes(self) -> list[Route]:
        guarded = self.pages.guarded
        kinds: tuple[Kind, ...] = ("office", "board")
        return [
            *(Route(f"/api/v1/{kind}", guarded(self._document(kind)), methods=["PUT"]) for kind in kinds),
            Route("/api/v1/blob/{sha256}", guarded(self.photo), methods=["PUT"]),
        ]

    def _document(self, kind: Kind) -> Answer:
        async def document(request: Request) -> Response:
            content = await _body(request, MAX_DOCUMENT)
            if_match, sent = request.headers.get("if-match", ""), request.query_params.get("photos") == "sent"
            put = partial(put_document, kind=kind, content=content, if_match=if_match, photos_sent=sent)
            return _answer(await self.site.access.ask(lambda s, now: put(self._receiver(s), now=now)))

        return document

    async def photo(self, request: Request) -> Response:
        content = await _body(request, MAX_PHOTO)
        put = partial(put_photo, sha256=request.path_params["sha256"], content=content)
        return _answer(await self.site.access.ask(lambda s, now: put(self._receiver(s))))

    def _receiver(self, store: Store) -> Receiver:
        return Receiver(self.site.config, store.database)


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"more than {most} bytes")
    return bytes(body)


def _answer(reply: Reply) -> Response:
    return JSONResponse(dict(reply.body), reply.status, {"ETag": reply.etag} if reply.etag else {})
