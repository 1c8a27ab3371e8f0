"""A server whose clock is years ahead deletes nothing, and goes on deleting when it is right."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from kiosk.store import Store
from server import clock, work
from server.facts.believed import believe
from server.facts.models import Cursor, Rating, Rollup, Ticket
from server.feed.models import Event
from server.registry.models import Device
from tests.server.kit import NOW, Server
from tests.server.test_facts import a_morning, push_all

AHEAD = NOW + timedelta(days=5 * 365)


@pytest.fixture
def morning(server: Server, store: Store) -> Server:
    """A server with a morning, of a kiosk that has a clock."""
    a_morning(store)
    push_all(server, store)
    server.settle()
    Device.objects.update(status={"clock": "ntp"})
    return server


@pytest.fixture
def run_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Do all jobs once at a time of the server's clock, so many seconds after the start of the worker."""

    def run(now: datetime, after_s: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: now)
        worker, begun = work.Worker(), time.monotonic()
        with monkeypatch.context() as later:
            later.setattr("server.work.time.monotonic", lambda: begun + after_s)
            todo = iter([True] * 50)
            worker._stopping.wait = lambda timeout=None: False  # type: ignore[method-assign]
            worker.run(lambda: next(todo, False))

    return run


def counts() -> list[int]:
    return [model._default_manager.count() for model in (Ticket, Rating, Event)]


def test_a_start_with_the_clock_years_ahead_deletes_nothing_and_closes_no_day(
    morning: Server, run_at: Any, caplog: pytest.LogCaptureFixture
):
    before = counts()
    run_at(AHEAD, 3700)
    assert counts() == before
    assert Cursor.objects.get().since is None
    assert "nothing is deleted" in caplog.text


def test_kiosks_that_have_their_time_from_the_server_prove_nothing(morning: Server, run_at: Any):
    Rollup.objects.create(
        site=morning.site, day=AHEAD.date(), dim="all", key="", issued=1, priority=0, served=0, no_show=0, cancelled=0,
        closed=0, transfers=0, holds=0, waits={}, services={},
    )  # fmt: skip
    Device.objects.update(status={"clock": "server"})
    assert not believe(AHEAD)
    Device.objects.update(status={"clock": "rtc"})
    assert believe(AHEAD)


def test_nothing_is_deleted_in_the_first_hour(morning: Server, run_at: Any):
    Cursor.objects.update(seen=AHEAD)
    before = counts()
    run_at(AHEAD, 3500)
    assert counts() == before
    run_at(AHEAD, 3700)
    assert counts() == [0, 0, 0]


def test_a_clock_is_believed_while_it_goes_on_also_when_nobody_takes_a_number_any_more(morning: Server):
    for week in range(120):
        assert believe(NOW + timedelta(weeks=week))
    assert not believe(NOW + timedelta(weeks=130))
    assert Cursor.objects.get().seen == NOW + timedelta(weeks=119)
    assert believe(NOW + timedelta(weeks=118))
