"""The process `kiosk sync`: when it pushes, and what systemd hears of it."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import uplink as uplinks
from kiosk import waiting
from kiosk.clock import Clock, SimulatedClock
from kiosk.config import Config
from kiosk.data_commands import _until_stopped
from kiosk.uplink import Uplink
from kiosk.waiting import Waiting
from sync.client import Outcome
from sync.receiver import Receiver
from sync.wire import parse_instant
from tests.app_kit import config, paper, receiver  # noqa: F401
from tests.office import moment, open_store

GIVE_UP_S = 5.0
"""Less than a heartbeat."""


def test_an_event_that_comes_between_a_push_and_the_wait_for_the_next_waits_for_no_heartbeat(
    tmp_path: Path, config: Config, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uplinks, "LOOK_S", 0.01)
    monkeypatch.setattr(uplinks, "SOON_S", 0.01)
    pushes: list[Outcome] = []
    with closing(open_store(tmp_path / "data")) as store:
        uplink = Uplink(config, SimulatedClock(tmp_path / "clock.json"))

        def after_push(outcome: Outcome) -> None:
            pushes.append(outcome)
            if len(pushes) == 1:
                store.issuing.issue(moment(), "ho-tich")
            else:
                uplink.stop()

        patience = threading.Timer(GIVE_UP_S, uplink.stop)
        patience.start()
        uplink.run(after_push)
        patience.cancel()
        events = store.database.rows("SELECT count(*) AS n FROM events")[0]["n"]
    assert len(pushes) == 2
    assert receiver.stats()["events"] == events


def test_a_push_tells_what_the_kiosks_clock_shows(tmp_path: Path, config: Config, receiver: Receiver):
    with closing(open_store(tmp_path / "data")):
        uplink = Uplink(config, SimulatedClock(tmp_path / "clock.json"))
        earliest = uplink.clock.now().at
        uplink.push()
        latest = uplink.clock.now().at
        uplink.close()
    (device,) = receiver.stats()["devices"]
    assert earliest <= parse_instant(device["status"]["at"]) <= latest


@pytest.mark.parametrize("made", [lambda config, clock: Uplink(config, clock), lambda config, clock: Waiting(
    Path(config.data_dir), clock)], ids=["with a server", "without a server"])  # fmt: skip
def test_systemd_is_told_that_it_is_ready_and_then_again_and_again_that_its_loop_goes_round(
    tmp_path: Path, config: Config, receiver: Receiver, monkeypatch: pytest.MonkeyPatch,
    made: Callable[[Config, Clock], Waiting],
):  # fmt: skip
    for module in (uplinks, waiting):
        monkeypatch.setattr(module, "LOOK_S", 0.01)
    monkeypatch.setattr(waiting, "PING_S", 0.0)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel, ThreadPoolExecutor() as pool:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(GIVE_UP_S)
        open_store(tmp_path / "data").close()
        process = made(config, SimulatedClock(tmp_path / "clock.json"))

        def hear() -> list[bytes]:
            try:
                return [channel.recv(1000) for _ in range(3)]
            finally:
                process.stop()
                channel.close()

        heard = pool.submit(hear)
        _until_stopped(process)
        assert heard.result() == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
