"""The push: each answer of the table, each kind of nonsense, and when to try again."""

import gzip
import json
import logging
import random
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import client, exchange, outbox, wire
from sync.client import Client, Outcome, State, next_delay
from sync.exchange import AddressError, InsecureServer
from sync.wire import START, Position
from tests.sync_kit import DEVICE, TOKEN, Device, connect
from tests.sync_net import Script, http

_NEVER = threading.Event()


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


def push(device: Device, *answers: bytes, times: int = 1, **options: float) -> tuple[Outcome, Script]:
    with Script(*answers) as server:
        client = Client(server.url, TOKEN, DEVICE, rng=random.Random(1), **options)  # type: ignore[arg-type]
        with closing(client):
            for _ in range(times):
                outcome = client.push(device.outbox, device.now, {"app": "1.4.0"})
    return outcome, server


def accept(device: Device, seq: int, **more: object) -> bytes:
    with closing(connect(device.path)) as conn:
        hash = outbox.hash_at(conn, seq)
    assert hash is not None
    body = {"epoch": device.epoch, "head": [seq, hash.hex()], "now": "2026-11-23T00:42:10.123Z", **more}
    return http(200, json.dumps(body).encode())


def refuse(code: str, position: Position) -> bytes:
    return http(409, json.dumps({"code": code, "head": position.wire()}).encode())


def noted(device: Device) -> dict[str, object]:
    with closing(connect(device.path)) as conn:
        return outbox.last_answer(conn)


def sent(server: Script, index: int = -1) -> wire.Batch:
    return wire.decode_batch(server.requests[index].partition(b"\r\n\r\n")[2], packed=True)


def test_a_push_sends_what_waits_and_moves_the_cursor_to_the_servers_head(device: Device) -> None:
    device.happen(5)
    outcome, server = push(device, accept(device, 5, office=17, board=903, next_s=60, quarantined=[{"seq": 2}]))
    assert (outcome.state, outcome.sent, outcome.backlog, outcome.http) == ("ok", 5, 0, 200)
    assert (outcome.office, outcome.board, outcome.delay_s) == (17, 903, 60)
    assert outcome.server_now == datetime(2026, 11, 23, 0, 42, 10, 123000, UTC)
    assert outcome.quarantined == ({"seq": 2},)
    assert device.cursor == 5
    assert noted(device)["office"] == 17
    batch = sent(server)
    assert (batch.header.device, batch.header.after, batch.header.head) == (DEVICE, START, 5)
    assert batch.header.status == {"app": "1.4.0", "backlog": 5}


def test_the_request_carries_the_token_and_a_packed_body(device: Device) -> None:
    head = push(device, accept(device, 0))[1].requests[0].partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /api/v1/feed http/1.1")
    for line in (b"authorization: bearer token-for-tests", b"content-encoding: gzip", b"application/x-ndjson"):
        assert line in head


def test_only_the_servers_head_moves_the_cursor(device: Device) -> None:
    device.happen(5)
    outcome, _ = push(device, accept(device, 3))
    assert (device.cursor, outcome.backlog, outcome.delay_s) == (3, 2, 0)


def test_a_server_that_takes_nothing_is_asked_less_and_less(device: Device) -> None:
    device.happen(5)
    delays = [push(device, accept(device, 0), times=times)[0].delay_s for times in (1, 10)]
    assert 0 < delays[0] <= 4
    assert 4 < delays[1] <= client.BACKLOG_S


def test_nothing_to_send_is_a_heartbeat(device: Device) -> None:
    outcome, server = push(device, accept(device, 0))
    assert (outcome.state, outcome.sent, outcome.delay_s) == ("ok", 0, client.HEARTBEAT_S)
    assert sent(server).lines == []


def test_a_gap_goes_back_to_the_servers_head(device: Device) -> None:
    device.happen(5)
    outcome, server = push(device, accept(device, 5), refuse("gap", START), accept(device, 5), times=3)
    assert (outcome.state, outcome.sent, device.cursor) == ("ok", 5, 5)
    assert wire.epoch_counter(device.epoch) == 1
    assert sent(server).header.after == START


@pytest.mark.parametrize(
    "answer",
    [refuse("fork", START), refuse("gap", Position(2, b"x" * 16)), refuse("gap", Position(99, b"x" * 16))],
    ids=["fork", "gap at a hash that is not ours", "gap beyond our last event"],
)
def test_a_fork_starts_a_new_epoch_and_keeps_every_event(device: Device, answer: bytes) -> None:
    ids = device.happen(5)
    outcome, _ = push(device, answer)
    assert (outcome.state, outcome.backlog) == ("resend", 5)
    assert wire.epoch_counter(device.epoch) == 2
    assert device.ids() == ids


def test_an_acceptance_beyond_our_last_event_means_a_rolled_back_disk(device: Device) -> None:
    device.happen(5)
    body = {"epoch": device.epoch, "head": [9, "0" * 32], "now": "2026-11-23T00:42:10Z"}
    outcome, _ = push(device, http(200, json.dumps(body).encode()))
    assert (outcome.state, wire.epoch_counter(device.epoch), device.cursor) == ("resend", 2, 0)


def test_a_later_epoch_on_the_server_is_gone_beyond_and_everything_is_sent_again(device: Device) -> None:
    ids, newest = device.happen(3), wire.new_epoch(41)
    outcome, _ = push(device, accept(device, 3, newest=newest))
    assert (outcome.state, outcome.backlog, device.ids()) == ("resend", 3, ids)
    assert wire.epoch_counter(device.epoch) == 42


@pytest.mark.parametrize("newest", ["", "0000000000000000", "ffffffff00000000", "x", 7, None, ["0000002900000000"]])
def test_an_epoch_that_cannot_be_later_changes_nothing(device: Device, newest: object) -> None:
    device.happen(3)
    outcome, _ = push(device, accept(device, 3, newest=newest))
    assert (outcome.state, device.cursor, wire.epoch_counter(device.epoch)) == ("ok", 3, 1)


def test_a_damaged_event_is_found_before_sending_and_goes_on_in_a_new_epoch(device: Device) -> None:
    device.happen(5)
    device.sql("UPDATE events SET line = x'00' WHERE seq = 3")
    outcome, server = push(device, accept(device, 0))
    assert (outcome.state, outcome.backlog, server.requests) == ("resend", 5, [])
    assert device.types()[-1] == "event.damaged"


def test_a_server_that_forks_for_ever_is_asked_less_and_less(device: Device) -> None:
    device.happen(1)
    outcome, _ = push(device, refuse("fork", START), times=12)
    assert wire.epoch_counter(device.epoch) == 13
    assert outcome.delay_s > 60


def test_413_halves_the_batch_until_it_passes_and_then_it_grows_again(device: Device) -> None:
    device.happen(100)
    outcome, server = push(device, http(413), http(413), accept(device, 25), accept(device, 60), times=4)
    assert [len(sent(server, index).lines) for index in range(4)] == [100, 50, 25, 35]
    assert outcome.state == "ok"


def test_413_for_a_single_event_is_shown(device: Device) -> None:
    device.happen(1)
    outcome, _ = push(device, http(413, b'{"message":"proxy limit"}'))
    assert (outcome.state, outcome.delay_s, device.cursor) == ("rejected", client.SLOW_S, 0)


@pytest.mark.parametrize(
    ("status", "state", "delay"),
    [(400, "rejected", 900), (422, "rejected", 900), (401, "refused", 3600), (403, "refused", 3600)],
)
def test_what_a_person_must_settle_is_kept_shown_and_tried_slowly(
    device: Device, status: int, state: str, delay: float
) -> None:
    device.happen(3)
    outcome, _ = push(device, http(status, '{"message":"khóa sai"}'.encode()))
    assert (outcome.state, outcome.delay_s, outcome.eager, outcome.backlog) == (state, delay, False, 3)
    assert (noted(device)["state"], noted(device)["http"]) == (state, status)
    assert (device.cursor, device.head) == (0, 3)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_how_long(device: Device, status: int) -> None:
    assert 120 <= push(device, http(status, b"", "Retry-After: 120"))[0].delay_s <= 124
    date = http(status, b"", "Retry-After: Mon, 23 Nov 2026 10:01:00 GMT", "Date: Mon, 23 Nov 2026 10:00:00 GMT")
    assert 60 <= push(device, date)[0].delay_s <= 64


@pytest.mark.parametrize("header", ["soon", "", "-5", "9" * 30, "1e9", "Mon, 99 Nov 2026 10:01:00 GMT"])
def test_a_strange_retry_after_cannot_stop_the_kiosk(device: Device, header: str) -> None:
    outcome, _ = push(device, http(503, b"", f"Retry-After: {header}"))
    assert (outcome.state, outcome.delay_s <= 904) == ("busy", True)


GOOD = {"epoch": "{epoch}", "head": [0, "0" * 32], "now": "2026-11-23T00:42:10.123Z"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please sign in</html>",
        b"[]",
        b"null",
        b"[" * 200_000,
        b"\xff\xfe",
        json.dumps(GOOD | {"epoch": "0000000900000000"}).encode(),
        json.dumps(GOOD | {"head": None}).encode(),
        json.dumps(GOOD | {"head": [0.5, "0" * 32]}).encode(),
        json.dumps(GOOD | {"head": [-1, "0" * 32]}).encode(),
        json.dumps(GOOD | {"head": [10**30, "0" * 32]}).encode(),
        json.dumps(GOOD | {"head": [0, "zz"]}).encode(),
        json.dumps(GOOD | {"now": "tomorrow"}).encode(),
        json.dumps(GOOD | {"now": 7}).encode(),
        json.dumps(GOOD | {"office": "17"}).encode(),
        json.dumps(GOOD | {"next_s": True}).encode(),
        json.dumps(GOOD | {"next_s": 1e300}).encode(),
        json.dumps(GOOD | {"quarantined": {}}).encode(),
        b'{"epoch":NaN}',
        b" " * (exchange.MAX_ANSWER + 10),
    ],
)
@pytest.mark.parametrize("status", [200, 409])
def test_nonsense_is_a_fault_and_moves_nothing(device: Device, status: int, body: bytes) -> None:
    device.happen(2)
    outcome, _ = push(device, http(status, body.replace(b"{epoch}", device.epoch.encode())))
    assert (outcome.state, outcome.http, device.cursor, device.head) == ("fault", status, 0, 2)
    assert wire.epoch_counter(device.epoch) == 1
    assert noted(device)["state"] == "fault"


@pytest.mark.parametrize("status", [100 + 104, 302, 307, 404, 418, 500, 502, 504, 599])
def test_any_other_answer_is_a_fault_that_is_tried_again(device: Device, status: int) -> None:
    device.happen(2)
    outcome, server = push(device, http(status, b"x", "Location: http://127.0.0.1:1/login"))
    assert (outcome.state, device.cursor, outcome.delay_s <= 4) == ("fault", 0, True)
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed_and_its_body_not_read(device: Device) -> None:
    def endless() -> Iterable[bytes]:
        yield b"HTTP/1.1 302 X\r\nLocation: https://login.example/\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    outcome, server = push(device, endless, deadline_s=20)  # type: ignore[arg-type]
    assert (outcome.state, len(server.requests)) == ("fault", 1)
    assert "https://login.example/" in outcome.detail


def test_a_giant_answer_is_read_up_to_the_limit_only(device: Device) -> None:
    def endless() -> Iterable[bytes]:
        yield b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b" " * 65536 + b"\r\n"

    assert push(device, endless, deadline_s=20)[0].state == "fault"  # type: ignore[arg-type]


def test_a_packed_answer_is_not_unpacked(device: Device) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    outcome, _ = push(device, http(200, bomb, "Content-Encoding: gzip"))
    assert (outcome.state, "packed" in outcome.detail) == ("fault", True)


@pytest.mark.parametrize(
    "answer", [b"", b"\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{"]
)
def test_what_is_no_http_or_ends_too_early_is_offline(device: Device, answer: bytes) -> None:
    device.happen(1)

    def once() -> Iterable[bytes]:
        yield answer

    outcome, _ = push(device, once)  # type: ignore[arg-type]
    assert (outcome.state, outcome.http, device.cursor) == ("offline", None, 0)


def test_a_server_that_answers_byte_by_byte_is_cut_off(device: Device) -> None:
    device.happen(1)

    def drip() -> Iterable[bytes]:
        yield b"HTTP/1.1 200 X\r\n"
        while True:
            yield b"X"
            _NEVER.wait(0.02)

    outcome, _ = push(device, drip, read_s=5, deadline_s=0.3)  # type: ignore[arg-type]
    assert outcome.state == "offline"


def test_a_body_that_comes_byte_by_byte_is_cut_off(device: Device) -> None:
    def drip() -> Iterable[bytes]:
        yield b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
        while True:
            yield b" "
            _NEVER.wait(0.02)

    assert push(device, drip, read_s=5, deadline_s=0.3)[0].state == "offline"  # type: ignore[arg-type]


def test_no_answer_within_the_time_out_is_offline(device: Device) -> None:
    def silence() -> Iterable[bytes]:
        _NEVER.wait(0.5)
        yield b""

    assert push(device, silence, read_s=0.1)[0].state == "offline"  # type: ignore[arg-type]


def test_the_environment_cannot_send_the_token_elsewhere(
    device: Device, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    outcome, server = push(device, accept(device, 0))
    assert outcome.state == "ok"
    assert b"Bearer token-for-tests" in server.requests[0]


def test_cookies_are_not_kept(device: Device) -> None:
    _, server = push(device, http(503, b"", "Set-Cookie: a=b"), times=2)
    assert b"cookie" not in server.requests[1].lower()


def test_a_locked_database_is_a_state_and_no_crash(device: Device) -> None:
    device.happen(1)
    with (
        Script(accept(device, 1)) as server,
        closing(connect(device.path)) as other,
        closing(Client(server.url, TOKEN, DEVICE)) as client,
    ):
        quick = outbox.Outbox(
            lambda: closing(sqlite3.connect(device.path, isolation_level=None, timeout=0.01)),
            device.next_epoch,
            device.stamp,
        )
        other.execute("BEGIN IMMEDIATE")
        outcome = client.push(quick, device.now, {})
        assert (outcome.state, "locked" in outcome.detail) == ("storage", True)
        other.execute("ROLLBACK")
        assert client.push(quick, device.now, {}).state == "ok"


def test_a_full_disk_is_a_state_and_no_crash(device: Device) -> None:
    device.happen(1)

    def full(conn: sqlite3.Connection, after: int) -> str:
        raise OSError(28, "No space left on device")

    device.outbox = outbox.Outbox(device.outbox.connect, full, device.stamp)
    outcome, _ = push(device, refuse("fork", START))
    assert (outcome.state, "No space" in outcome.detail) == ("storage", True)
    assert wire.epoch_counter(device.epoch) == 1


def test_no_transaction_is_open_while_the_network_is_waited_for(device: Device) -> None:
    device.happen(1)
    answer = accept(device, 1)

    def slow_server() -> Iterable[bytes]:
        device.happen(1)  # would wait for the lock, and fail, if the push held one
        yield answer

    outcome, _ = push(device, slow_server)  # type: ignore[arg-type]
    assert (outcome.state, outcome.backlog) == ("ok", 1)


def test_loss_and_recovery_are_logged_once(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sync.client")
    push(device, http(500), http(500), http(500), accept(device, 0), times=5)
    assert [record.message.split(",")[0] for record in caplog.records] == ["server: fault", "server: ok"]


@pytest.mark.parametrize(
    "url", ["http://10.0.0.7", "http://may-chu.example", "http://127.0.0.1.example", "http://localhost.example:80"]
)
def test_plain_http_is_refused_off_loopback_unless_it_is_allowed_and_shown(url: str) -> None:
    with pytest.raises(InsecureServer, match="https"):
        Client(url, TOKEN, DEVICE)
    assert exchange.check_url(url, allow_plain_http=True)


def test_plain_http_that_is_allowed_shows_in_status_and_outcome(device: Device) -> None:
    with Script(accept(device, 0)) as server:
        insecure = Client("http://kiosk.invalid", TOKEN, DEVICE, allow_plain_http=True)
        insecure._api = f"{server.url}/api/v1"
        with closing(insecure):
            outcome = insecure.push(device.outbox, device.now, {})
    assert outcome.plain_http
    assert sent(server).header.status == {"backlog": 0, "plain_http": True}


@pytest.mark.parametrize("url", ["https://xa.example", "http://127.0.0.1:8", "http://[::1]:8/", "http://localhost"])
def test_https_and_loopback_are_taken(url: str) -> None:
    assert not exchange.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "xa.example",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x?a=b",
        "https://x#a",
        "http://[::1",
        "https://x:y",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        exchange.check_url(url)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "mã"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(AddressError, match="token"):
        Client("https://xa.example", token, DEVICE)


STATES: list[State] = ["ok", "resend", "offline", "fault", "busy", "refused", "rejected", "storage"]


@given(
    state=st.sampled_from(STATES),
    failures=st.integers(0, 10**9),
    backlog=st.integers(0, 10**6),
    next_s=st.none() | st.integers(0, 2**53),
    retry_after=st.none() | st.floats(0, 1e12),
    seed=st.integers(),
)
def test_a_next_try_always_comes_within_the_hour(
    state: State, failures: int, backlog: int, next_s: float | None, retry_after: float | None, seed: int
) -> None:
    delay = next_delay(
        state, failures=failures, backlog=backlog, rng=random.Random(seed), next_s=next_s, retry_after=retry_after
    )
    assert 0 <= delay <= 3600
    if state == "ok":
        assert delay <= (client.BACKLOG_S if backlog else client.HEARTBEAT_S)


def test_waits_are_spread_and_grow_to_a_quarter_of_an_hour() -> None:
    rng = random.Random(7)
    for failures, widest in ((0, 2), (3, 16), (9, 900), (50, 900)):
        waits = [next_delay("offline", failures=failures, backlog=1, rng=rng) for _ in range(300)]
        assert max(waits) <= widest
        assert max(waits) > widest * 0.9
        assert min(waits) < widest * 0.1


def test_a_server_that_accepts_nothing_is_not_hammered() -> None:
    assert next_delay("ok", failures=0, backlog=5, rng=random.Random(1)) == 0
    waits = [next_delay("ok", failures=9, backlog=5, rng=random.Random(seed)) for seed in range(50)]
    assert 10 < sum(waits) / 50 <= 60
