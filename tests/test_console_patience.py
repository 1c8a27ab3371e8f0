"""Connections that never come to a request: they are let go, and one address cannot take them all."""

import logging
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from kiosk.console import patience
from kiosk.console.patience import BoundedSocket, PatientProtocol

LONG_S = 10.0
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what was posted."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(body)(scope, receive, send)


@pytest.fixture
def port() -> Iterator[int]:
    """A server of these connections on loopback."""
    config = uvicorn.Config(echo, http=PatientProtocol, lifespan="off", log_level="critical", timeout_keep_alive=60)
    server, sock = uvicorn.Server(config), BoundedSocket(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
    thread.start()
    yield sock.getsockname()[1]
    server.should_exit = True
    thread.join(LONG_S)


@contextmanager
def connection(port: int, *pieces: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=LONG_S) as sock:
        for piece in pieces:
            sock.sendall(piece)
        yield sock


def said(sock: socket.socket) -> bytes:
    """What comes until the other side lets go; TimeoutError when it does not."""
    heard = b""
    try:
        while data := sock.recv(65536):
            heard += data
    except ConnectionResetError:
        pass
    return heard


def answer(sock: socket.socket) -> bytes:
    """The next answer, whose body is abc."""
    heard = b""
    while not heard.endswith(b"\r\n\r\nabc"):
        data = sock.recv(65536)
        assert data, heard
        heard += data
    return heard


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST / HTTP/1.1\r\nHost: a\r\n", HEAD + b"\r\nabc" + HEAD, HEAD + b"\r\nabcPOST"],
    ids=["nothing", "half-a-head", "half-of-a-second-head", "less-of-it"],
)
def test_whoever_does_not_come_to_a_request_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch, sent: bytes):
    monkeypatch.setattr(patience, "HEAD_S", 0.2)
    with connection(port, sent) as sock:
        if b"abc" in sent:
            answer(sock)
            sock.sendall(b"P")
        said(sock)


@pytest.mark.parametrize("before", [b"", HEAD + b"\r\nabc"], ids=["first", "second"])
def test_whoever_does_not_end_a_form_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch, before: bytes):
    monkeypatch.setattr(patience, "BODY_S", 0.2)
    with connection(port, before + HEAD + b"\r\na") as sock:
        said(sock)


def test_pieces_that_come_one_by_one_make_the_time_no_longer(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patience, "HEAD_S", 0.3)
    with connection(port, b"POST / HTTP/1.1\r\nHost: a\r\nX: ") as sock:
        pieces = 0
        while pieces < 1000 and not select.select([sock], [], [], 0.01)[0]:
            sock.sendall(b"a")
            pieces += 1
        assert pieces < 1000


def test_a_connection_with_whole_requests_stays(port: int):
    with connection(port) as sock:
        for _ in range(3):
            sock.sendall(HEAD + b"\r\n")
            sock.sendall(b"abc")
            assert answer(sock).startswith(b"HTTP/1.1 200")


def test_one_address_does_not_take_all_connections_and_what_it_lets_go_counts_no_more(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(patience, "MOST_EACH", 2)
    with connection(port, HEAD) as first, connection(port, HEAD) as second:
        for _ in range(3):
            with connection(port) as further:
                assert said(further) == b""
        second.sendall(b"Connection: close\r\n\r\nabc")
        assert said(second).endswith(b"abc")
        with connection(port, HEAD + b"\r\nabc") as third:
            answer(third)
        first.sendall(b"\r\nabc")
        answer(first)
    assert [record.levelno for record in caplog.records if record.name == patience.__name__] == [logging.WARNING]


def test_all_addresses_together_do_not_take_more_than_there_are(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patience, "MOST", 1)
    with connection(port, HEAD) as first, connection(port) as second:
        assert said(second) == b""
        first.sendall(b"\r\nabc")
        answer(first)
