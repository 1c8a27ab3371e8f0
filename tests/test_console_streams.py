"""A browser that opens a page's stream and never reads it: it costs nobody anything, and is let go."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import takewhile

import pytest

from kiosk.console import live
from tests.console_kit import Hall, memory_mb

CHANGES = 2000
SMALL = 4096
"""Bytes that a computer takes in (or sends off) before the next must wait."""
MOST_MB = 16
LOOKS = 500
"""More than a pipe full takes; with ten beats a second a stream that goes on is soon found out."""


@contextmanager
def deaf(hall: Hall, path: str) -> Iterator[socket.socket]:
    """A raw socket that asks for a stream and never reads an answer."""
    cookies = hall.clerk("1").session.cookies
    with closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        sock.connect(("127.0.0.1", hall.console.ports[0]))
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\n\r\n"
        sock.sendall(request.encode())
        yield sock


def change(hall: Hall) -> str:
    """Somebody takes a number, is called and has to come back later, 2,000 moves in all; the number that stays last."""
    for _ in range(CHANGES // 4):
        number = hall.take()
        ticket = hall.store.counters.call_next(hall.now(), "1")
        assert ticket
        hall.store.counters.hold(hall.now(), "1")
        hall.store.counters.come_back(hall.now(), ticket.id)
    return number


def test_a_browser_that_never_reads_is_let_go_and_meanwhile_slows_nobody_and_takes_no_memory(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "STUCK_S", 0.1)
    monkeypatch.setattr(live, "BEAT_S", 0.1)
    for sock in hall.console._sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)  # inherited by the connections
    colleague = hall.clerk("4")
    with deaf(hall, "/desk/live") as never, colleague.stream("/desk/live") as events:
        assert next(events)[0] == "version"
        before = memory_mb()
        change(hall)
        hall.take("tra-ket-qua")
        assert any(kind == "fragment" and "5001" in data for kind, data in events)
        assert memory_mb() - before < MOST_MB
        assert colleague.post("/desk/next", ticket="")["ok"]
        never.settimeout(60)
        pieces = list(takewhile(len, (never.recv(1 << 16) for _ in range(LOOKS))))  # what lay in the pipe
    assert len(pieces) < LOOKS, "the stream goes on"
    assert sum(map(len, pieces)) < 200_000
    assert "Traceback" not in capfd.readouterr().err
