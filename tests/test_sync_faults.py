"""Receiver and client over real TCP with a proxy between them that breaks connections, and a pusher that is killed."""

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.client import Client
from sync.receiver import Receiver
from tests.sync_kit import DEVICE, TOKEN, Device, connect, stored_ids
from tests.sync_net import Proxy


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "receiver.db", TOKEN).start()
    yield receiver
    receiver.stop()


def pushing(url: str, **options: float) -> Client:
    return Client(url, TOKEN, DEVICE, rng=random.Random(1), **options)  # type: ignore[arg-type]


def test_a_backlog_of_weeks_arrives_in_order(device: Device, receiver: Receiver) -> None:
    ids = device.happen(3000)
    with closing(pushing(receiver.url)) as client:
        while client.push(device.outbox, device.now, {}).backlog:
            pass
    assert stored_ids(receiver.storage._conn) == ids


@pytest.mark.parametrize(
    ("mode", "count"),
    [("reset", 0), ("cut", 0), ("cut", 1), ("cut", 150), ("cut", 700), ("swallow", 0), ("halve", 0), ("mute", 0)],
)
def test_what_a_broken_connection_held_arrives_with_the_next_one(
    device: Device, receiver: Receiver, mode: str, count: int
) -> None:
    ids = device.happen(40)
    with Proxy(receiver.port, mode, count) as proxy:
        with closing(pushing(proxy.url, read_s=0.4)) as hasty:
            for _ in range(3):
                assert hasty.push(device.outbox, device.now, {}).state in {"offline", "fault"}
                assert device.cursor == 0
        proxy.mode = "pass"
        with closing(pushing(proxy.url)) as client:
            outcome = client.push(device.outbox, device.now, {})
    assert (outcome.state, outcome.backlog) == ("ok", 0)
    assert stored_ids(receiver.storage._conn) == ids


def test_a_slow_line_is_no_fault(device: Device, receiver: Receiver) -> None:
    ids = device.happen(20)
    with Proxy(receiver.port, "slow") as proxy, closing(pushing(proxy.url)) as client:
        assert client.push(device.outbox, device.now, {}).state == "ok"
    assert stored_ids(receiver.storage._conn) == ids


def test_a_connection_cut_at_random_bytes_never_loses_or_doubles(device: Device, receiver: Receiver) -> None:
    rng, ids = random.Random(5), []
    with Proxy(receiver.port) as proxy, closing(pushing(proxy.url, read_s=0.5)) as client:
        for _ in range(40):
            ids += device.happen(rng.randint(1, 30))
            proxy.mode = rng.choice(["pass", "cut", "swallow", "halve", "reset"])
            proxy.bytes = rng.randint(0, 2500)
            client._exchange.close()  # each round on a connection of its own
            client.push(device.outbox, device.now, {})
        proxy.mode = "pass"
        while client.push(device.outbox, device.now, {}).backlog:
            pass
    assert stored_ids(receiver.storage._conn) == ids


def test_a_receiver_that_restarts_goes_on_where_it_was(device: Device, tmp_path: Path) -> None:
    ids = device.happen(10)
    first = Receiver(tmp_path / "r.db", TOKEN).start()
    with closing(pushing(first.url)) as client:
        assert client.push(device.outbox, device.now, {}).state == "ok"
        first.stop()
        ids += device.happen(10)
        assert client.push(device.outbox, device.now, {}).state == "offline"
        second = Receiver(tmp_path / "r.db", TOKEN, port=first.port).start()
        assert client.push(device.outbox, device.now, {}).state == "ok"
        second.stop()
    assert stored_ids(tmp_path / "r.db") == ids


PUSHER = """
import contextlib, random, sqlite3, sys
from datetime import UTC, datetime
from sync import outbox, wire
from sync.client import Client

path, url, token, device = sys.argv[1:]
def stamp(): return wire.Stamp(datetime.now(UTC), "ntp", "7f3a9c12", 1)
def connect():
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA synchronous = FULL")
    return contextlib.closing(conn)
feed = outbox.Outbox(connect, lambda conn, after: wire.new_epoch(2), stamp)
client = Client(url, token, device)
while True:
    with connect() as conn:
        conn.execute("BEGIN IMMEDIATE")
        seq = outbox.append(conn, "ticket.issued", {"number": "1001"}, stamp())
        conn.execute("COMMIT")
    print(seq, flush=True)
    client._limit = random.randint(1, 5)
    client.push(feed, datetime.now(UTC), {})
"""


def kill_while_pushing(device: Device, url: str, rng: random.Random) -> int:
    """Start a process that commits and pushes, kill it in the middle of something; the last number that it told."""
    pusher = subprocess.Popen(
        [sys.executable, "-c", PUSHER, str(device.path), url, TOKEN, DEVICE],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
        text=True,
    )
    assert pusher.stdout
    told = 0
    for _ in range(rng.randint(1, 12)):
        told = int(pusher.stdout.readline())
    busy = rng.randint(0, 20000)
    while busy:
        busy -= 1
    pusher.send_signal(signal.SIGKILL)
    told = max([told, *map(int, pusher.stdout.read().split())])
    pusher.stdout.close()
    pusher.wait()
    return told


def killing(device: Device, receiver: Receiver, rounds: int) -> None:
    rng = random.Random(11)
    for _ in range(rounds):
        told = kill_while_pushing(device, receiver.url, rng)
        assert device.head >= told, "a committed event is gone"
        held = stored_ids(receiver.storage._conn)
        assert held == device.ids()[: len(held)]
    with closing(pushing(receiver.url)) as client:
        while client.push(device.outbox, device.now, {}).backlog:
            pass
    assert stored_ids(receiver.storage._conn) == device.ids()
    assert receiver.stats()["devices"][0]["epoch"] == device.epoch


def test_a_pusher_killed_at_any_moment_loses_and_doubles_nothing(device: Device, receiver: Receiver) -> None:
    killing(device, receiver, rounds=5)


@pytest.mark.slow
def test_a_pusher_killed_at_any_moment_loses_and_doubles_nothing_long(device: Device, receiver: Receiver) -> None:
    killing(device, receiver, rounds=80)


def test_two_pushers_of_one_feed_do_not_harm_each_other(device: Device, receiver: Receiver) -> None:
    ids = device.happen(400)
    with closing(pushing(receiver.url)) as one, closing(pushing(receiver.url)) as two:
        one._limit = two._limit = 60
        for _ in range(12):
            one.push(device.outbox, device.now, {})
            two.push(device.outbox, device.now, {})
    assert stored_ids(receiver.storage._conn) == ids
    assert device.outbox.backlog() == 0


def test_events_that_come_while_a_push_is_under_way_are_pushed_next(device: Device, receiver: Receiver) -> None:
    rng, ids = random.Random(3), device.happen(30)
    with Proxy(receiver.port, "slow") as proxy, closing(pushing(proxy.url)) as client:
        for _ in range(5):
            ids += device.happen(rng.randint(1, 5))
            outcome = client.push(device.outbox, device.now, {})
    assert (outcome.state, stored_ids(receiver.storage._conn)) == ("ok", ids)


def test_a_database_that_is_no_database_is_told_to_the_caller(device: Device, receiver: Receiver) -> None:
    device.happen(200, pad="x" * 200)
    device.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with device.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (device.path.stat().st_size - 4096))
    with closing(pushing(receiver.url)) as client, pytest.raises(sqlite3.DatabaseError):
        client.push(device.outbox, device.now, {})


def test_the_kiosks_database_stays_whole_under_all_this(device: Device, receiver: Receiver) -> None:
    device.happen(50)
    kill_while_pushing(device, receiver.url, random.Random(1))
    with closing(connect(device.path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
