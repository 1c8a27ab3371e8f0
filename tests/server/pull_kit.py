"""Kiosks that a server fetches from, good ones and ones that do harm."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from kiosk.console.certificates import Certificate, ensure
from server import clock
from server.feed.models import Event
from server.pull import secrets
from server.pull.fetching import Trouble, fetch, line_to
from server.pull.pairing import PairError, Seen, look, pair
from server.registry import trouble
from server.registry.models import Device, Mode
from server.words import texts
from tests.server.kiosk_kit import Kiosk
from tests.server.kit import Server
from tests.sync_net import _Listener, read_request


@pytest.fixture
def near(lite: Server) -> Iterator[Server]:
    """A server that may fetch from this machine, as in the demo."""
    with override_settings(CONFIG=replace(settings.CONFIG, pull_loopback=True)):
        yield lite


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path / "kiosk")
    yield kiosk
    kiosk.close()


def code_of(kiosk: Kiosk) -> str:
    from kiosk.store.pulling import Pulling

    return Pulling(kiosk.database).new_code(kiosk.now())


@contextmanager
def paired(server: Server, kiosk: Kiosk) -> Iterator[Device]:
    """The kiosk's console runs, and its events are fetched from now on."""
    with kiosk.console() as console:
        seen = look_until(f"127.0.0.1:{console.ports[0]}")
        yield pair(server.site, seen, code_of(kiosk), clock.now()).device


def look_until(address: str) -> Seen:
    """A console that has just begun takes a moment."""
    until = time.monotonic() + 10
    while True:
        try:
            return look(address)
        except PairError:
            if time.monotonic() > until:
                raise


def fetch_all(device: Device) -> None:
    """All that there is. Without a clock of its own the kiosk notes the server's time after the first question."""
    device.refresh_from_db()
    with line_to(device, 0) as line:
        for _ in range(3):
            while fetch(device, line, clock.now(), 0):
                pass


def held() -> set[str]:
    return set(Event.objects.values_list("id", flat=True))


def trouble_of(device: Device) -> str:
    """What goes wrong when this kiosk is asked; it must have a sentence."""
    with pytest.raises(Trouble) as found:
        fetch_all(device)
    trouble.tell(device, clock.now(), found.value.key, **found.value.values)
    for language in ("vi", "en"):
        said = trouble.in_words(device.trouble, texts(language))
        assert not said.startswith("trouble.") and "{" not in said
    return found.value.key


def strange_certificate(folder: Path) -> Certificate:
    return ensure(folder, ["strange"], [], datetime.now(UTC))


class Tls(_Listener):
    """Speaks TLS with a certificate, reads a request, and does something."""

    def __init__(self, certificate: Certificate, does: Callable[[ssl.SSLSocket], None]) -> None:
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.chain, certificate.key)
        self._does = does
        self.heard: list[bytes] = []

    def serve(self, conn: socket.socket) -> None:
        try:
            with self._context.wrap_socket(conn, server_side=True) as secure:
                while request := read_request(secure):
                    self.heard.append(request)
                    self._does(secure)
        except ssl.SSLError:
            return


@contextmanager
def target(server: Server, folder: Path, does: Callable[[ssl.SSLSocket], None]) -> Iterator[Device]:
    """A paired kiosk that has gone bad."""
    certificate = strange_certificate(folder / "bad")
    with Tls(certificate, does) as bad:
        kept = json.dumps({"token": "token", "authority": certificate.authority.read_text()})
        yield Device.objects.create(
            name=f"k-BAD{bad.port}", site=server.site, mode=Mode.PULL, pull_url=f"https://127.0.0.1:{bad.port}",
            pull_token=secrets.seal(kept),
        )  # fmt: skip


def says(answer: bytes) -> Callable[[ssl.SSLSocket], None]:
    return lambda secure: secure.sendall(answer)


def megabytes(secure: ssl.SSLSocket) -> None:
    secure.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(100):
        secure.sendall(bytes(1_000_000))


def drip(secure: ssl.SSLSocket) -> None:
    secure.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        secure.sendall(b"x")
        _NEVER.wait(0.05)


def silence(secure: ssl.SSLSocket) -> None:
    _NEVER.wait(1)


_NEVER = threading.Event()
