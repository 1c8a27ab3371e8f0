"""The small receiver: who may speak, what it takes, what it says to nonsense, and running it alone."""

import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from sync import wire
from sync.client import Client
from sync.receiver import Receiver, main
from tests.sync_kit import DEVICE, TOKEN, Device, stored_ids

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "receiver.db", TOKEN).start()
    yield receiver
    receiver.stop()


def ask(receiver: Receiver, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection(receiver.host, receiver.port, timeout=10)) as conn:
        conn.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = conn.getresponse()
        return answer.status, json.loads(answer.read())


def post(receiver: Receiver, body: bytes, **headers: str) -> tuple[int, Any]:
    return ask(receiver, "POST", "/api/v1/feed", body, **(BEARER | headers))


def body_of(device: Device) -> bytes:
    return wire.encode_batch(device.outbox.read().batch(DEVICE, {"app": "1"}), packed=False)


def test_a_push_is_answered_as_the_format_says(receiver: Receiver, device: Device) -> None:
    device.happen(3)
    reading = device.outbox.read()
    status, answer = post(receiver, body_of(device))
    assert (status, set(answer)) == (200, {"epoch", "head", "now", "office", "board", "next_s", "quarantined"})
    assert (answer["epoch"], answer["head"]) == (reading.epoch, reading.end.wire())
    assert wire.parse_instant(answer["now"])


def test_packed_and_plain_bodies_are_the_same(receiver: Receiver, device: Device) -> None:
    device.happen(3)
    plain = post(receiver, body_of(device))[1]
    packed = post(receiver, gzip.compress(body_of(device)), Content_Encoding="gzip")[1]
    assert plain["head"] == packed["head"]
    assert len(stored_ids(receiver.storage._conn)) == 3


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_taken_and_nothing_told(
    receiver: Receiver, device: Device, authorization: str
) -> None:
    device.happen(1)
    assert post(receiver, body_of(device), Authorization=authorization)[0] == 401
    assert ask(receiver, "GET", "/api/v1/stats", Authorization=authorization)[0] == 401
    assert stored_ids(receiver.storage._conn) == []


def test_only_the_tokens_hash_is_kept(receiver: Receiver) -> None:
    assert TOKEN not in repr(vars(receiver))
    assert TOKEN.encode() not in b"".join(
        path.read_bytes()
        for path in Path(receiver.storage._conn.execute("PRAGMA database_list").fetchone()[2]).parent.iterdir()
    )


def test_health_needs_no_token_and_stats_count(receiver: Receiver, device: Device) -> None:
    assert ask(receiver, "GET", "/api/v1/health") == (200, {"ok": True})
    device.happen(2)
    post(receiver, body_of(device))
    status, stats = ask(receiver, "GET", "/api/v1/stats", **BEARER)
    assert (status, stats["events"], stats["quarantined"]) == (200, 2, 0)
    assert (stats["devices"][0]["device"], stats["devices"][0]["received"]) == (DEVICE, 2)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"hello\n", {}, 400, "bad_batch"),
        (b"", {}, 400, "bad_batch"),
        (b"hello", {"Content_Encoding": "gzip"}, 400, "bad_batch"),
        (gzip.compress(bytes(50_000_000)), {"Content_Encoding": "gzip"}, 413, "too_large"),
        (b"x" * (wire.MAX_BODY + 1), {}, 413, "too_large"),
        (b"{}\n", {"Content_Encoding": "br"}, 415, "encoding"),
        (b"{}\n", {"Content_Length": "many"}, 411, "length"),
        (b"{}\n", {"Content_Length": "-1"}, 411, "length"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_with_a_word(
    receiver: Receiver, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    try:
        answer = post(receiver, body, **headers)
    except ConnectionError:  # it need not read a body that it refuses by its length
        assert status == 413
    else:
        assert (answer[0], answer[1]["code"]) == (status, code)
    assert ask(receiver, "GET", "/api/v1/health")[0] == 200


def test_a_body_that_is_announced_too_large_is_not_waited_for(receiver: Receiver) -> None:
    head = f"POST /api/v1/feed HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {10**15}\r\n\r\n"
    with socket.create_connection((receiver.host, receiver.port), timeout=5) as conn:
        conn.sendall(head.encode())
        assert conn.recv(100).startswith(b"HTTP/1.1 413 ")


def test_an_unknown_address_is_404(receiver: Receiver) -> None:
    assert ask(receiver, "GET", "/api/v1/feed2")[0] == 404
    assert ask(receiver, "POST", "/", b"")[0] == 404


def test_a_sender_that_goes_away_in_the_middle_harms_nobody(receiver: Receiver, device: Device) -> None:
    device.happen(1)
    head = f"POST /api/v1/feed HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 500\r\n\r\n"
    for part in (b"", b"POST", head.encode(), head.encode() + body_of(device)[:100]):
        with socket.create_connection((receiver.host, receiver.port)) as conn:
            conn.sendall(part)
    assert post(receiver, body_of(device))[0] == 200


def test_a_receiver_stops_with_a_connection_open(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "r.db", TOKEN).start()
    with socket.create_connection((receiver.host, receiver.port)) as conn:
        receiver.stop()
        receiver.stop()
        conn.settimeout(5)
        with suppress(ConnectionResetError):
            assert conn.recv(1) == b""


def test_it_runs_alone_and_ends_on_a_signal(tmp_path: Path, device: Device) -> None:
    ids = device.happen(5)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    command = [sys.executable, "-m", "sync.receiver", "--db", tmp_path / "r.db", "--token-file", tmp_path / "token"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as process:
        assert process.stdout
        url = process.stdout.readline().rpartition(" ")[2].strip()
        with closing(Client(url, TOKEN, DEVICE)) as client:
            assert client.push(device.outbox, device.now, {}).state == "ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert stored_ids(tmp_path / "r.db") == ids


def test_what_it_cannot_use_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_text("")
    assert main(["--db", str(tmp_path / "r.db"), "--token-file", str(tmp_path / "none")]) == 1
    assert main(["--db", str(tmp_path / "r.db"), "--token-file", str(tmp_path / "empty")]) == 1
    assert main(["--db", str(tmp_path / "no" / "r.db"), "--import", str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 3
