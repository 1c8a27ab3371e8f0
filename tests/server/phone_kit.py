"""Phones for tests: a kiosk and a server at the same hour, and a browser that posts like one."""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache, caches
from django.test import Client

from kiosk.store import Store
from server import clock as server_clock
from server.facts.models import Rating
from server.making import Making
from server.phones import kept, views
from server.registry.models import Device
from tests.office import moment
from tests.server.kit import Server, batch_of, batches

SAY = {"do": "rate", "level": "1", "reason": "wait", "comment": "Chờ lâu quá"}


class Morning:
    """A kiosk and a server at the same hour: `at` seconds after the office opened; `tell` pushes all that is new."""

    def __init__(self, server: Server, store: Store, clock: "Clock", device: str = "k-7F3K2M") -> None:
        self.server, self.store, self.clock = server, store, clock
        self._told = 0
        self._device = device
        Device.objects.update(name=device)

    def take(self, service: str = "ho-tich") -> str:
        """The address behind the code of a new number's slip."""
        self.clock.at += 1
        issued = self.store.issuing.issue(moment(self.clock.at), service)
        return f"/T/{issued.ticket.token}"

    def served(self) -> str:
        path = self.take()
        self.store.counters.open(moment(self.clock.at), "1", "clerk-1")
        self.store.counters.call_next(moment(self.clock.at), "1")
        self.clock.at += 60
        self.store.counters.finish(moment(self.clock.at), "1")
        return path

    def push(self) -> None:
        whole = [line for batch in batches(self.store.database.conn) for line in batch.lines]
        epoch = self.store.database.conn.execute("SELECT epoch FROM feed").fetchone()[0]
        if whole[self._told :]:
            answer = self.server.push(batch_of(whole[: self._told], whole[self._told :], self._device, epoch))
            assert answer.status_code == 200, answer.content
        self._told = len(whole)

    def tell(self) -> None:
        self.push()
        self.settle()

    def settle(self) -> None:
        self.server.settle(self.clock.now())
        later()


class Clock:
    """What time it is in a test."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return moment(self.at).at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(views, "limits", views._Limits())
    monkeypatch.setattr(kept, "looking", Making(together=kept.TOGETHER))
    server_clock.follow(made.now)
    for part in ("base", "locmem"):  # what is cached grows old by the test's clock
        passing = SimpleNamespace(time=lambda: made.now().timestamp())
        monkeypatch.setattr(f"django.core.cache.backends.{part}.time", passing)
    later()
    yield made
    later()
    server_clock.follow(None)


@pytest.fixture
def morning(lite: Server, store: Store, clock: Clock) -> Morning:
    return Morning(lite, store, clock)


@pytest.fixture
def both(server: Server, store: Store, clock: Clock) -> Morning:
    """The same on each engine."""
    return Morning(server, store, clock)


def later() -> None:
    """So much later that nothing is cached any more."""
    cache.clear()
    caches["phones"].clear()


def get(path: str) -> Any:
    return Client().get(path)


def post(path: str, fields: Any) -> Any:
    return Client().post(path, urlencode(fields), "application/x-www-form-urlencoded")


def said(answer: Any) -> str:
    """The page's text without marks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def ratings() -> list[tuple[str, int, bool]]:
    return [(row.source, row.level, row.counting) for row in Rating.objects.order_by("at", "id")]
