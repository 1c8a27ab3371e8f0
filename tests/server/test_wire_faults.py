"""A real kiosk and the real server, with everything in between that can go wrong on a line.

Where only the carrying is asked about, a `Device` sends: an outbox whose events say nothing, so that all are set aside.
"""

import gzip
import random
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from server import clock
from server.facts.models import Rating, Ticket
from server.feed.models import Event
from server.pull import fetching
from server.pull.fetching import Trouble
from server.registry.models import Device as Enrolled
from server.watch import alarms
from sync import wire
from sync.client import Client
from tests.server.day_kit import OpenKiosk, all_is_here, office
from tests.server.kiosk_kit import Kiosk
from tests.server.kit import TOKEN, Server, batch_of, server_on
from tests.server.pull_kit import fetch_all, near, paired
from tests.server.test_room import line
from tests.sync_kit import DEVICE, Device
from tests.sync_net import Proxy

__all__ = ["near", "office"]

FAULTS = [
    ("reset", 0), ("cut", 0), ("cut", 1), ("cut", 150), ("cut", 700), ("swallow", 0), ("halve", 0), ("mute", 0),
    ("trim", 0), ("trim", 150), ("stall", 150),
]  # fmt: skip
ROUNDS = [12, pytest.param(150, marks=pytest.mark.slow)]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


def stored() -> list[str]:
    return list(Event.objects.order_by("num").values_list("id", flat=True))


def pushing(url: str, **options: float) -> Client:
    return Client(url, TOKEN, DEVICE, rng=random.Random(1), **options)  # type: ignore[arg-type]


def push_all(client: Client, device: Device) -> None:
    for _ in range(50):
        outcome = client.push(device.outbox, device.now, {})
        if outcome.state == "ok" and not outcome.backlog:
            return
    raise AssertionError(outcome)


@contextmanager
def proxied(server: Server) -> Iterator[Proxy]:
    with server.serving() as url, Proxy(int(url.rpartition(":")[2])) as proxy:
        yield proxy


# --- a line that breaks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "count"), FAULTS)
def test_what_a_broken_connection_held_arrives_with_the_next_one(
    lite: Server, office: OpenKiosk, mode: str, count: int
):
    office.go_on(20)
    with proxied(lite) as proxy:
        office.configure(proxy.url)
        proxy.mode, proxy.bytes = mode, count
        with office.uplink(patience_s=0.4) as hasty:
            assert hasty.push().state in {"offline", "fault"}
            assert office.outbox.feed()[0].cursor == 0
        proxy.mode = "pass"
        assert office.push().state == "ok"
    all_is_here(office.store, clock.now())


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a fault can come between two of them."""
    monkeypatch.setattr(wire, "MAX_EVENTS", 10)


def faults(rounds: int, modes: str, least: int, most: int) -> Iterator[tuple[str, int]]:
    """A fault for each round, each mode as often as it is named, after so many bytes."""
    rng = random.Random(5)
    cycle = modes.split()
    for at in range(rounds):
        if not at % len(cycle):
            rng.shuffle(cycle)
        yield cycle[at % len(cycle)], rng.randint(least, most)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_days_that_were_sent_over_a_breaking_line_are_on_the_server_as_the_kiosk_has_them(
    server: Server, office: OpenKiosk, small_batches: None, rounds: int
):
    states = set()
    with proxied(server) as proxy:
        office.configure(proxy.url)
        with office.uplink(patience_s=0.5) as uplink:
            for at, fault in enumerate(faults(rounds, "pass cut swallow halve reset trim mute", 0, 3000)):
                between(server, office, at, rounds)
                proxy.mode, proxy.bytes = fault
                uplink.client._exchange.close()  # each round on a connection of its own
                states |= {uplink.push().state for _ in range(2)}
        proxy.mode = "pass"
        assert office.push().state == "ok"
    assert "offline" in states
    assert_days(office)


def between(server: Server, office: OpenKiosk, at: int, rounds: int) -> None:
    """The office goes on, half of the rounds on its second day; now and then facts are made of what has come."""
    if at == rounds // 2:
        office.next_day()
    office.go_on(9)
    if not at % 3:
        server.settle(clock.now())


def assert_days(office: OpenKiosk) -> None:
    all_is_here(office.store, clock.now())
    assert Ticket.objects.filter(state="served").values("day").distinct().count() == 2
    assert Rating.objects.filter(counting=True).count() > 5


@pytest.mark.parametrize("rounds", ROUNDS)
def test_days_that_were_fetched_over_a_breaking_line_are_on_the_server_as_the_kiosk_has_them(
    near: Server, office: OpenKiosk, small_batches: None, rounds: int
):
    failed = 0
    with paired(near, office) as device, Proxy(int(device.pull_url.rpartition(":")[2])) as proxy:
        device.pull_url = f"https://127.0.0.1:{proxy.port}"
        device.save()
        with pytest.MonkeyPatch.context() as hasty:
            hasty.setattr(fetching, "SLOW_S", 0.5)
            # Not before the first byte: a socket that is reset so early Python leaves to its garbage collector.
            for at, fault in enumerate(faults(rounds, "pass cut trim trim trim stall", 1, 9000)):
                between(near, office, at, rounds)
                proxy.mode, proxy.bytes = fault
                try:
                    fetch_all(device)
                except Trouble:
                    failed += 1
        proxy.mode = "pass"
        fetch_all(device)
    assert failed
    assert_days(office)


def test_a_slow_line_is_no_fault(lite: Server, office: OpenKiosk):
    office.go_on(20)
    with proxied(lite) as proxy:
        office.configure(proxy.url)
        proxy.mode = "slow"
        assert office.push().state == "ok"
    all_is_here(office.store, clock.now())


def test_a_backlog_of_weeks_arrives_in_order(server: Server, device: Device):
    ids = device.happen(3000)
    with server.serving() as url, closing(pushing(url)) as client:
        push_all(client, device)
    assert stored() == ids


def test_two_uploads_of_one_feed_do_not_harm_each_other(server: Server, device: Device):
    ids = device.happen(400)
    with server.serving() as url, closing(pushing(url)) as one, closing(pushing(url)) as two:
        one._limit = two._limit = 60
        for _ in range(12):
            one.push(device.outbox, device.now, {})
            two.push(device.outbox, device.now, {})
    assert stored() == ids


# --- disks that are replaced ----------------------------------------------------------------------------------


def test_a_server_restored_from_last_weeks_backup_gets_everything_again(filed: Server, tmp_path: Path):
    kiosk = Kiosk(tmp_path / "kiosk")
    kiosk.happen(30)
    with filed.serving() as url:
        kiosk.configure(url)
        kiosk.push()
        filed.settle(clock.now())
        with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
            connection.ensure_connection()
            connection.connection.backup(backup)
        kiosk.happen(700)
        id = kiosk.comment("Chờ lâu quá")
        kiosk.push()
        filed.settle(clock.now())
        with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
            backup.backup(connection.connection)
        assert len(stored()) < 100
        assert kiosk.push().state == "ok"
        filed.settle(clock.now())
        kiosk.push()
    assert set(stored()) == set(kiosk.ids())
    assert kiosk.outbox.backlog() == 0
    from server.facts.models import Comment

    assert Comment.objects.get(id=id).text == "Chờ lâu quá"
    kiosk.close()


def test_a_card_that_is_replaced_without_a_word_begins_again_and_loses_nothing_of_its_own(lite: Server, tmp_path: Path):
    """Somebody copied the token onto a new card: other epoch, same name."""
    old, new = Kiosk(tmp_path / "old"), Kiosk(tmp_path / "new")
    with lite.serving() as url:
        for kiosk in (old, new):
            kiosk.happen(5)
            kiosk.configure(url)
            assert kiosk.push().state == "ok"
            assert kiosk.outbox.backlog() == 0
    assert set(stored()) == {*old.ids(), *new.ids()}
    old.close()
    new.close()


def test_two_kiosks_with_one_token_and_two_names_harm_nobody(lite: Server, tmp_path: Path):
    right, wrong = Kiosk(tmp_path / "right"), Kiosk(tmp_path / "wrong", device="k-WRONG1")
    with lite.serving() as url:
        right.configure(url)
        wrong.configure(url, "k-WRONG1")
        wrong.happen(3)
        outcome = wrong.push()
        assert (outcome.state, outcome.http) == ("refused", 403)
        assert right.push().state == "ok"
    assert set(stored()) == set(right.ids())
    device = Enrolled.objects.get(name=DEVICE)
    assert device.trouble == {"key": "other_device", "other": "k-WRONG1"}
    page = lite.signed_in("ky-thuat", "technician").get(f"/kiosks/{device.pk}").content.decode()
    assert "k-WRONG1" in page
    assert wrong.outbox.backlog() > 0
    right.close()
    wrong.close()


# --- bodies that do harm --------------------------------------------------------------------------------------


def raw(url: str, request: bytes, pieces: list[bytes] | None = None, pause_s: float = 0.0) -> bytes:
    """What comes back for these bytes, until the server closes or has answered."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=15) as conn:
        conn.sendall(request)
        for piece in pieces or []:
            time.sleep(pause_s)
            conn.sendall(piece)
        conn.settimeout(15)
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := conn.recv(65536)):
            answer += piece
        return answer


def head(length: str, *more: str) -> bytes:
    lines = ["POST /api/v1/feed HTTP/1.1", "Host: testserver", f"Authorization: Bearer {TOKEN}", *more]
    return "\r\n".join([*lines, *([f"Content-Length: {length}"] if length else []), "", ""]).encode()


def some() -> bytes:
    return batch_of([], [b'{"strange": 1}'], DEVICE, "0000000112345678").plain()


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1]) if answer else 0


def test_a_body_in_chunks_is_taken(lite: Server):
    body = some()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with lite.serving() as url:
        assert status(raw(url, head("", "Transfer-Encoding: chunked") + chunked)) == 200
    assert len(stored()) == 1


def test_a_slow_sender_is_waited_for_and_holds_up_no_other(lite: Server, device: Device):
    body = some()
    with lite.serving() as url, closing(pushing(url)) as client:
        host, _, port = url.removeprefix("http://").partition(":")
        slow = [socket.create_connection((host, int(port)), timeout=15) for _ in range(150)]  # more than threads
        for conn in slow:
            conn.sendall(head(str(len(body))) + body[:10])
        ids = device.happen(3)
        assert client.push(device.outbox, device.now, {}).state == "ok"
        assert stored() == ids
        slow[0].sendall(body[10:])
        assert status(slow[0].recv(65536)) == 200
        for conn in slow:
            conn.close()


@pytest.mark.parametrize(
    ("length", "more", "body", "wanted"),
    [
        ("2000000", (), bytes(2_000_000), {413}),
        ("99999999999", (), b"", {413}),
        ("-1", (), b"", {400}),
        ("x", (), b"", {400}),
        ("5", (), some(), {400}),
        (None, ("Content-Encoding: br",), some(), {415}),
        (None, ("Content-Encoding: gzip",), some(), {400}),
        (None, ("Content-Encoding: gzip",), gzip.compress(bytes(30_000_000)), {400, 413}),
        (None, ("Content-Encoding: gzip",), gzip.compress(bytes(3_000_000)), {413}),
        (None, ("Content-Encoding: gzip",), gzip.compress(some()) + b"more", {400}),
        (None, (), b"", {400}),
        (None, (), b"\n" * 500_000, {400}),
        (None, (), some()[:-1], {400}),
        (None, (), some().replace(b'"count":1', b'"count":2'), {400}),
    ],
)
def test_a_body_that_does_harm_is_refused_and_the_next_one_taken(
    lite: Server, length: str | None, more: tuple[str, ...], body: bytes, wanted: set[int]
):
    with lite.serving() as url:
        begun = time.monotonic()
        answer = raw(url, head(str(len(body)) if length is None else length, *more) + body)
        assert status(answer) in wanted, answer[:200]
        assert time.monotonic() - begun < 10
        assert stored() == []
        good = some()
        assert status(raw(url, head(str(len(good))) + good)) == 200
    assert len(stored()) == 1


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(lite: Server):
    body = some()
    with lite.serving() as url:
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as conn:
            conn.sendall(head(str(len(body))) + body[:-5])
        assert status(raw(url, head(str(len(body))) + body)) == 200
    assert len(stored()) == 1


@pytest.mark.parametrize("status", ["1e999", '"\\ud800"', "[" * 900 + "]" * 900, '{"\\udc00":1}'])
def test_a_status_that_no_database_can_keep_gets_a_clear_answer(server: Server, status: str):
    body = wire.encode_batch(batch_of([], [line(1)], DEVICE, "0000000112345678", app="STATUS"), packed=False)
    answer = push_plain(server, body.replace(b'"STATUS"', status.encode()))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_batch")
    assert stored() == []


@pytest.mark.parametrize("n", [10**400, -(10**400), 1e300])
def test_numbers_that_nobody_can_have_measured_are_not_known_and_break_no_page(server: Server, n: float):
    told = dict.fromkeys(("disk_free_mb", "card_errors", "card_worn", "starts_24h", "backlog", "memory_free_mb"), n)
    assert server.push(batch_of([], [line(1)], DEVICE, "0000000112345678", **told)).status_code == 200
    alarms.look(clock.now())
    leader = server.signed_in("lanh-dao", "leader")
    for path in ("/kiosks", f"/kiosks/{server.device.pk}", "/alarms"):
        assert leader.get(path).status_code == 200


def test_an_event_whose_type_is_too_long_is_set_aside_and_holds_up_nothing(server: Server):
    long = line(1).replace(b"device.started", b"device." + b"x" * 60)
    answer = server.push(batch_of([], [long, line(2)], DEVICE, "0000000112345678")).json()
    assert ([one["seq"] for one in answer["quarantined"]], answer["head"][0]) == ([1], 2)


def push_plain(server: Server, body: bytes) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return server.client.post("/api/v1/feed", body, content_type=wire.CONTENT_TYPE, headers=headers)


def test_an_older_epoch_waits_for_its_numbers_without_holding_the_kiosk(tmp_path: Path):
    """Who has the numbers and wants the kiosk would wait for ever for who has the kiosk and wants a number."""
    with server_on("postgresql", tmp_path) as server:
        server.push(batch_of([], [], DEVICE, "0000000212345678"))
        address = connection.get_connection_params()
        names = {key: address[key] for key in ("dbname", "user", "host", "port")}
        with psycopg.connect(**names) as other, ThreadPoolExecutor(1) as pool:
            other.execute("SELECT num FROM feed_counter FOR UPDATE")
            pushed = pool.submit(elsewhere, server, batch_of([], [line(1)], DEVICE, "0000000112345678"))
            end = time.monotonic() + 10
            while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert time.monotonic() < end and not pushed.done()
            other.execute("SELECT 1 FROM registry_device FOR UPDATE NOWAIT")
            other.rollback()
            assert pushed.result(10) == 200
        assert Enrolled.objects.get().rebuild


def elsewhere(server: Server, batch: wire.Batch) -> int:
    """A push in a thread of its own, which has a connection of its own."""
    try:
        return int(server.push(batch).status_code)
    finally:
        connection.close()
