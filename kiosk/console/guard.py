"""What every answer and every request of the console has to pass: host names, sizes, headers. Knows no page."""

import ipaddress
import re
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
)
LARGEST_BODY = 8_000_000
"""A portrait straight from a phone; office documents and CSV files are far smaller."""
LONGEST_PATH = 1000
"""No address of ours is half as long; figures in one may not be without end (Python reads no 5,000 digits)."""
_NAME = re.compile(rb"\[?([^\]]*?)\]?(?::\d{1,5})?")


class Guard:
    """Refuses hosts that are not ours (a page elsewhere whose name was bent to our address), bodies and paths without
    end, and forms in another encoding than ours.

    An address in figures is always ours: only names can be bent. `frames` may show our pages within theirs.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], *, frames: str = "'none'") -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        # No Strict-Transport-Security: it counts for all ports of a name, and boards and phones use the plain one.
        self._headers = [
            (b"content-security-policy", POLICY.format(frames=frames).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if not self._is_ours(headers.get(b"host", b"")):
            refused = PlainTextResponse("This address is not the kiosk's: open it by its IP address.\n", 421)
            await refused(scope, receive, self._with_headers(send))
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > LARGEST_BODY or b"transfer-encoding" in headers:
            refused = PlainTextResponse("Too large: at most 8 MB.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            await refused(scope, receive, self._with_headers(send))
            return
        if len(scope["path"]) > LONGEST_PATH or _is_strange_form(headers.get(b"content-type", b"")):
            refused = PlainTextResponse("No page of the kiosk sends this.\n", HTTPStatus.BAD_REQUEST)
            await refused(scope, receive, self._with_headers(send))
            return
        with suppress(ClientDisconnect):  # whoever left within a form's sending: nothing was done, nobody is to be told
            await self._app(scope, receive, self._with_headers(send))

    def _is_ours(self, host: bytes) -> bool:
        found = _NAME.fullmatch(host)
        if found is None:
            return False
        name = found[1].decode("latin-1").lower()
        try:
            ipaddress.ip_address(name)
            return True
        except ValueError:
            return name in self._hosts

    def _with_headers(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in self._headers if n not in given)]
            await send(message)

        return sent


def _is_strange_form(kind: bytes) -> bool:
    """Whether the fields would be read by a codec that the sender chose: Python has some that fail in ways of their own
    (punycode), or that make letters which no database takes (unicode_escape). Browsers name none.
    """
    return kind.lower().startswith(b"multipart/") and b"charset" in kind.lower()


def same_origin(headers: "dict[str, str]", scheme: str) -> bool:
    """Whether a POST comes from a page of ours: browsers say so, and what says nothing is no browser."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or origin == f"{scheme}://{headers.get('host', '')}"
