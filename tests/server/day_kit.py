"""A kiosk in an open office, and whether the server holds in the end what that kiosk's own database says."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from kiosk.clock import Moment
from kiosk.store import Store
from kiosk.tickets import Refused
from kiosk.uplink import Uplink
from server import clock, work
from server.facts.models import RatingRollup, Rollup
from server.feed.models import Event
from tests.console_kit import HandClock
from tests.office import OPENED, OPENING, moment, rulebook
from tests.server.kiosk_kit import Kiosk
from tests.server.test_facts import facts, own

SERVICES = ("ho-tich", "chung-thuc", "bao-tro", "tra-ket-qua")
COUNTERS = ("1", "3", "4")


class DayClock(HandClock):
    """A clock that a test sets, on this machine's yesterday and then its today: certificates hold by the machine's."""

    def __init__(self) -> None:
        super().__init__()
        self.day = (datetime.now(UTC).date() - OPENING.date()).days - 1

    def now(self) -> Moment:
        return moment(self.seconds, day=self.day)


class OpenKiosk(Kiosk):
    """A kiosk whose citizens take numbers and rate, and whose clerks call, whenever the test lets them go on."""

    def __init__(self, folder: Path) -> None:
        self.hand, self.rng = DayClock(), random.Random(11)
        super().__init__(folder, clock=self.hand)
        self.store = Store(folder, rulebook(press_limits=False))
        OPENED.append(self.store)
        for days in (0, 1):  # whatever weekday that is
            self.store.overrides.set_day(self.now(), self.now().day + timedelta(days=days), "work")
        self._steps = self._people()

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            next(self._steps)

    def next_day(self) -> None:
        self.hand.day, self.hand.seconds = self.hand.day + 1, 60

    @contextmanager
    def uplink(self, patience_s: float = 20.0) -> Iterator[Uplink]:
        config = self.config
        with closing(Uplink(replace(config, sync=replace(config.sync, timeout_s=patience_s)), self.clock)) as uplink:
            yield uplink

    def _people(self) -> Iterator[None]:
        """What happens, one step after the other and without an end."""
        rng, counters = self.rng, self.store.counters
        while True:
            for _ in range(rng.randint(1, 2)):
                yield self._do(self.store.issuing.issue, rng.choice(SERVICES), priority=rng.random() < 0.2)
            counter = rng.choice(COUNTERS)
            yield self._do(counters.call_next, counter)
            match rng.choice(("served", "served", "served", "missed", "held")):
                case "missed":
                    yield self._do(counters.no_show, counter)
                case "held":
                    yield self._do(counters.hold, counter, "thiếu giấy tờ")
                case _:
                    yield self._do(counters.start, counter)
                    yield self._do(counters.finish, counter)
                    yield self._do(self.store.ratings.press, counter, rng.randint(1, 3), "key")

    def _do(self, move: Callable[..., object], *what: Any, **how: Any) -> None:
        """Some seconds later."""
        self.hand.seconds += self.rng.uniform(3, 20)
        with suppress(Refused):  # of a number that ended with the day before
            move(self.now(), *what, **how)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[OpenKiosk]:
    """An open kiosk, whose clock is also the server's."""
    kiosk = OpenKiosk(tmp_path / "kiosk")
    clock.follow(lambda: kiosk.now().at)
    yield kiosk
    clock.follow(None)
    kiosk.close()


def all_is_here(store: Store, now: datetime) -> None:
    """Each event is on the server once, in its order, and read; rows and sums of days are what the kiosk has."""
    work.settle(now)
    lines = [bytes(row["line"]) for row in store.database.rows("SELECT line FROM events ORDER BY seq")]
    assert [bytes(line) for line in Event.objects.order_by("num").values_list("line", flat=True)] == lines
    assert not Event.objects.exclude(quarantined=None).exists()
    assert facts() == own(store)
    assert sums() == own_sums(store)


Sums = dict[str, list[tuple[Any, ...]]]


def sums() -> Sums:
    """The server's sums of days, by service and by level of the ratings that count."""
    figures = ("day", "key", "issued", "priority", "served", "no_show")
    rated = RatingRollup.objects.filter(flags="").values_list("day", "level").annotate(Sum("n"))
    return {
        "days": sorted(Rollup.objects.filter(dim="all").values_list("day", "issued", "served")),
        "services": sorted(Rollup.objects.filter(dim="service").values_list(*figures)),
        "ratings": sorted(rated),
    }


def own_sums(store: Store) -> Sums:
    """The same, counted in the kiosk's tables."""
    tickets = "FROM tickets JOIN series ON series.id = tickets.series"
    missed = "state = 'no_show' OR (state = 'closed' AND missed_at IS NOT NULL AND calls > 0)"
    figures = f"service, count(*), sum(priority), sum(state = 'served'), sum({missed})"
    asked = {
        "days": f"SELECT day, count(*), sum(state = 'served') {tickets} GROUP BY day",
        "services": f"SELECT day, {figures} {tickets} GROUP BY day, service",
        "ratings": "SELECT day, level, count(*) FROM ratings WHERE flags = '' AND replaced_by = '' GROUP BY day, level",
    }
    return {
        name: sorted((date.fromisoformat(day), *rest) for day, *rest in map(tuple, store.database.rows(sql)))
        for name, sql in asked.items()
    }
