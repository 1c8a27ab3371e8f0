"""Pages that follow by themselves: fragments of HTML as server-sent events, each when it has changed.

A page names its stream; live.js puts each fragment in place of the element with its id. A browser that never reads its
stream is let go, and holds up nobody.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kiosk import __version__
from kiosk.console.site import Site, Visitor
from kiosk.store import StoreError
from kiosk.tickets import Refused

Render = Callable[[], Awaitable[Mapping[str, str]]]
"""Fragments by the id of the element that they replace."""

PING_S = 60
"""Comments that keep proxies from hanging up; our own beat is sooner."""
STUCK_S = 10.0
"""How long a browser may leave a full pipe unread."""
BEAT_S = 5.0
"""A page that hears nothing for twice as long says that the kiosk is lost."""

logger = logging.getLogger(__name__)


class Leaving(Exception):
    """The page is over for this browser."""

    def __init__(self, go: str) -> None:
        super().__init__(go)
        self.go = go


async def stay(site: Site, request: Request, visitor: Visitor, *roles: str) -> None:
    """Raises Leaving when the page is this visitor's no more: signed out, another role, a counter that is gone."""
    there = await site.visitor(request)
    if there is None:
        raise Leaving("/sign-in")
    if there.counter != visitor.counter or not there.may(*roles):
        raise Leaving("/")


def stream(site: Site, render: Render, each_s: float = 10.0) -> Response:
    """The fragments now, then each one that changes; all are looked at again every `each_s` for what time changes."""
    return _Stream(
        _events(site, render, each_s),
        ping=PING_S,
        send_timeout=STUCK_S,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _Stream(EventSourceResponse):
    """Says in one line that a browser was let go, where its server would tell of a crash."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            logger.info("a browser that left %s unread was let go", scope["path"])


async def _events(site: Site, render: Render, each_s: float) -> AsyncIterator[bytes]:
    """What a look finds goes out in one piece: with many pages the sending costs as much as the drawing."""
    sent: dict[str, str] = {}
    yield ServerSentEvent(event="version", data=__version__, retry=1000).encode()
    rendered, due = -1, 0.0
    while not site.closing:
        fresh: list[bytes] = []
        revision, at = site.access.revision, asyncio.get_running_loop().time()
        if revision != rendered or at >= due:
            rendered, due = revision, at + each_s
            try:
                fragments = await render()
            except Leaving as over:
                yield ServerSentEvent(event="go", data=over.go or ".").encode()
                return
            except (StoreError, Refused):
                # The disk is in trouble, or another office document comes in: what was shown last stays.
                fragments = sent
            fresh = [_fragment(name, html) for name, html in fragments.items() if sent.get(name) != html]
            sent = dict(fragments)
        yield b"".join([*fresh, ServerSentEvent(event="beat", data=str(revision)).encode()])
        await site.access.changed(revision, min(each_s, BEAT_S))


def _fragment(name: str, html: str) -> bytes:
    return ServerSentEvent(event="fragment", data=f"{name}\n{html}").encode()
