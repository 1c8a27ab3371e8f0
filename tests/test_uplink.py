"""The process `kiosk sync`: when it pushes."""

import threading
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import uplink as uplinks
from kiosk.clock import SimulatedClock
from kiosk.config import Config
from kiosk.uplink import Uplink
from sync.client import Outcome
from sync.receiver import Receiver
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
