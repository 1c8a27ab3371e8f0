"""Notices by webhook: one signed POST to an https address that is none of our own network's.

The name is looked up once, and what was found is checked and connected to: a name that leads elsewhere a moment later
(DNS rebinding) gets nowhere. Redirects are not followed, proxies not used, and no more than the status is read.
"""

import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

from server.watch.message import Message
from server.watch.models import Target

STEP_S, WHOLE_S = 10.0, 20.0
"""For one step of an exchange, and for the whole of it."""


class Refused(Exception):
    """An address that is not asked, or an answer that is no yes."""


def secret_of(target: Target) -> str:
    """The secret that signs what a commune gets: 64 hex digits."""
    return salted_hmac("watch.webhook", f"{target.unit_id}.{target.round}", algorithm="sha256").hexdigest()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over the time and the body, so that an old message cannot be sent again as a new one."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def post(target: Target, message: Message, now: datetime) -> None:
    """Send a message. Raises Refused or OSError."""
    body = json.dumps(message.data, ensure_ascii=False).encode()
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "X-Kiosk-Timestamp": str(timestamp),
        "X-Kiosk-Signature": f"sha256={signature(secret_of(target), timestamp, body)}",
    }
    status = _ask(target.url, body, headers)
    if not 200 <= status < 300:
        raise Refused(f"HTTP {status}" + (": redirects are not followed" if 300 <= status < 400 else ""))


def parts(url: str) -> tuple[str, int, str]:
    """Host, port and path of an address. Raises Refused for any that is not plainly https."""
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port or 443
    except ValueError as error:
        raise Refused(str(error)) from error
    if split.scheme != "https" or not host or split.username is not None or split.password is not None:
        raise Refused("the address must start with https:// and hold no name or password")
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise Refused("the address has characters that no address has")
    with suppress(ValueError):
        check(ipaddress.ip_address(host))
    return host, port, (split.path or "/") + (f"?{split.query}" if split.query else "")


def check(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Only the internet, and networks that the operator named: nothing of this machine, its neighbours or a cloud's
    metadata. Raises Refused."""
    named = [ipaddress.ip_network(network) for network in settings.CONFIG.alarms.networks]
    if (not address.is_global or address.is_multicast) and not any(address in network for network in named):
        raise Refused(f"{address} is not on the internet")


def _ask(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer."""
    host, port, path = parts(url)
    address = _resolved(host, port)
    context = ssl.create_default_context(cafile=settings.CONFIG.alarms.ca_file or None)
    with closing(_Pinned(host, port, address, context)) as connection, _deadline(connection):
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        except HTTPException as error:
            raise Refused(f"no answer of a web server: {type(error).__name__}") from error


def _resolved(host: str, port: int) -> str:
    found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    for address in found:
        check(ipaddress.ip_address(address.partition("%")[0]))
    return min(found)


class _Pinned(HTTPSConnection):
    """A connection to an address that was looked up before; the certificate is that of the name."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=STEP_S, context=context)
        self._address, self._tls = address, context
        self._handle: socket.socket | None = None

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), STEP_S)
        # TLS takes the socket away while it shakes hands: a second handle of it can still be cut.
        self._handle = plain.dup()
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)

    def cut(self) -> None:
        """End it now, whatever waits for it."""
        if self._handle:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self._handle:
            self._handle.close()


@contextmanager
def _deadline(connection: _Pinned) -> Iterator[None]:
    """Time-outs start again with each byte; this one does not."""
    timer = threading.Timer(WHOLE_S, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
