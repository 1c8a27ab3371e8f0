"""Notices by webhook: one signed POST to an https address that is none of our own network's.

The name is looked up once, and what was found is checked and connected to: a name that leads elsewhere a moment later
(DNS rebinding) gets nowhere. Redirects are not followed, and the time for it is bounded.
"""

import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

from server.pull.addresses import Address, meant
from server.watch.message import Message
from server.watch.models import Target
from sync.exchange import Bounds, Named, Silent

BOUNDS = Bounds(connect_s=10.0, read_s=10.0, deadline_s=20.0)


class Refused(Exception):
    """An address that is not asked, or an answer that is no yes."""


class NotTaken(Refused):
    """An answer that is no yes, with its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


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
        "X-Kiosk-Timestamp": str(timestamp),
        "X-Kiosk-Signature": f"sha256={signature(secret_of(target), timestamp, body)}",
    }
    status = _ask(target.url, body, headers)
    if not 200 <= status < 300:
        raise NotTaken(status)


def parts(url: str) -> tuple[str, int, str]:
    """Host, port and path of an address. Raises Refused for any that is not plainly https."""
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port or 443
        (host or "").encode("idna")  # as looking the name up would: an empty or too long part of it is a UnicodeError
    except ValueError as error:
        raise Refused(str(error)) from error
    if split.scheme != "https" or not host or split.username is not None or split.password is not None:
        raise Refused("the address must start with https:// and hold no name or password")
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise Refused("the address has characters that no address has")
    with suppress(ValueError):
        check(ipaddress.ip_address(host))
    return host, port, (split.path or "/") + (f"?{split.query}" if split.query else "")


def check(address: Address) -> None:
    """Only the internet, and networks that the operator named: nothing of this machine, its neighbours or a cloud's
    metadata. Raises Refused."""
    real = meant(address)
    named = [ipaddress.ip_network(network) for network in settings.CONFIG.alarms.networks]
    if (not real.is_global or real.is_multicast) and not any(real in network for network in named):
        raise Refused(f"{address} is not on the internet")


def _ask(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer."""
    host, port, path = parts(url)
    line = Named(_resolved(host, port), host, port, settings.CONFIG.alarms.ca_file, BOUNDS)
    with closing(line):
        try:
            return line.post(path, body, "application/json", headers=headers).http
        except Silent as error:
            raise Refused(f"no answer: {error}") from error


def _resolved(host: str, port: int) -> str:
    """All addresses are checked; the first one is asked: the system puts what it has no way to at the end."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        check(ipaddress.ip_address(address.partition("%")[0]))
    return found[0]
