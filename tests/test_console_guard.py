"""What no page of ours sends, over a raw socket: it is refused or passed over, and leaves no crash in the log."""

import socket

import pytest

from tests.console_kit import Hall

HOST = b"Host: 127.0.0.1\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def ask(hall: Hall, request: bytes, *, leaves: bool = False) -> bytes:
    """Send these bytes; what comes back until the connection ends. `leaves`: the sender goes when all is sent."""
    with socket.create_connection(("127.0.0.1", hall.port), timeout=10) as sock:
        sock.sendall(request)
        if leaves:
            sock.shutdown(socket.SHUT_WR)
        heard = b""
        while data := sock.recv(65536):
            heard += data
        return heard


def asked(hall: Hall, line: bytes, *headers: bytes, body: bytes = b"") -> int:
    """The status of one request on a connection of its own."""
    lines = [*headers, b"Connection: close\r\n", b"Content-Length: %d\r\n" % len(body) if body else b""]
    head = line + b" HTTP/1.1\r\n" + HOST + b"".join(lines)
    return int(ask(hall, head + b"\r\n" + body).split(b" ", 2)[1])


@pytest.mark.parametrize("codec", ["punycode", "undefined", "unicode_escape"])
def test_a_form_in_a_codec_of_its_senders_choice_is_refused(hall: Hall, codec: str, capfd: pytest.CaptureFixture[str]):
    part = b'--b\r\nContent-Disposition: form-data; name="person"\r\n\r\n\\ud800\xff-z\r\n--b--\r\n'
    kind = f"Content-Type: multipart/form-data; boundary=b; charset={codec}\r\n".encode()
    for path in (b"/sign-in", b"/rate"):
        assert asked(hall, b"POST " + path, kind, body=part) == 400
    hall.close()
    assert "Traceback" not in capfd.readouterr().err


def test_an_address_without_end_is_refused(hall: Hall, capfd: pytest.CaptureFixture[str]):
    assert asked(hall, b"GET /pictures/person/" + b"9" * 5000 + b".svg") == 400
    assert asked(hall, b"GET /pictures/person/7.svg") == 200
    hall.close()
    assert "Traceback" not in capfd.readouterr().err


def test_whoever_leaves_within_a_forms_sending_leaves_no_crash_in_the_log(
    hall: Hall, capfd: pytest.CaptureFixture[str]
):
    head = b"POST /sign-in HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 50\r\n\r\nperson="
    assert ask(hall, head, leaves=True) == b""
    assert asked(hall, b"GET /healthz") == 200
    hall.close()
    assert "Traceback" not in capfd.readouterr().err


def test_whoever_sends_no_request_to_the_console_is_let_go(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kiosk.console.patience.HEAD_S", 0.2)
    assert ask(hall, b"GET /board HTTP/1.1\r\n") == b""
