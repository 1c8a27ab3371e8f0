"""Visits that were read stay in memory, for as long as they would be read the same again. Of ratings: test_reading."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from server.registry.models import Device, Site
from server.reports import figures, reading
from server.reports.figures import DIMS, arrivals, arrivals_memory, days_memory, read_days
from server.reports.memory import Memory, keep_nothing
from server.reports.monthly import as_months
from server.reports.months import sum_months
from server.reports.periods import parse
from tests.server.figures_kit import FIRST, it_is, keep, noon, ticket
from tests.server.kit import Server

__all__ = ["it_is"]

NOVEMBER = parse("2026-11")
READS: dict[str, Callable[[Site], Any]] = {
    "visits": lambda site: read_days([site], NOVEMBER, "service").over(NOVEMBER),
    "arrivals": lambda site: arrivals([site], NOVEMBER),
}


def queries(read: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        read()
    return [query["sql"] for query in asked]


@pytest.mark.parametrize("what", READS)
def test_what_was_read_is_not_read_again_until_a_day_of_it_is_summed_again(
    server: Server, it_is: Callable[[datetime], None], what: str
):
    def n_queries() -> int:
        return len(queries(lambda: READS[what](server.site)))

    it_is(noon(date(2026, 12, 20)))
    keep(server.site, FIRST, [ticket(server.device, FIRST)])
    assert [n_queries(), n_queries()] == [2, 1], "how many sums there are, and then the sums"
    december = date(2026, 12, 1)
    keep(server.site, december, [ticket(server.device, december)])
    assert n_queries() == 1
    before = READS[what](server.site)
    keep(server.site, FIRST, [ticket(server.device, FIRST)])
    assert n_queries() == 2
    assert READS[what](server.site) != before


@pytest.mark.parametrize("what", READS)
def test_the_days_before_are_not_read_again_for_a_ticket_of_today(
    server: Server, it_is: Callable[[datetime], None], what: str
):
    today = FIRST + timedelta(days=9)
    it_is(noon(today) - timedelta(days=1))
    keep(server.site, FIRST, [ticket(server.device, FIRST)])
    before = READS[what](server.site)
    keep(server.site, today, [ticket(server.device, today)])
    asked = queries(lambda: READS[what](server.site))
    read = [sql for sql in asked if "COUNT" not in sql]
    assert len(read) == 1 and str(today) in read[0] and str(FIRST) not in read[0]
    assert READS[what](server.site) != before


def test_the_last_ticket_of_a_day_that_goes_is_gone(server: Server):
    late = ticket(server.device, FIRST)
    keep(server.site, FIRST, [late])
    assert arrivals([server.site], NOVEMBER) == {(0, 8): 1}
    late.delete()
    keep(server.site, FIRST)
    assert arrivals([server.site], NOVEMBER) == {}
    assert read_days([server.site], NOVEMBER).whole(NOVEMBER).issued == 0


def test_only_so_many_visits_are_kept(lite: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(days_memory, "most", 2000)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)])
    for at in range(9):
        period = parse(f"{FIRST}..{FIRST + timedelta(days=at)}")
        assert read_days([lite.site], period).whole(period).issued == 1
        assert 0 < days_memory.weight <= 2000
        assert days_memory.weight == sum(each.weight for each in days_memory._kept.values())


def test_a_process_that_asks_for_everything_once_keeps_nothing(lite: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(days_memory, "most", days_memory.most)
    monkeypatch.setattr(arrivals_memory, "most", arrivals_memory.most)
    monkeypatch.setattr(reading.memory, "most", reading.memory.most)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)])
    for read in READS.values():
        read(lite.site)
    keep_nothing()
    for read in READS.values():
        read(lite.site)
    assert not (days_memory.weight or arrivals_memory.weight or reading.memory.weight)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_whatever_changes_what_is_told_is_what_the_database_has(
    lite: Server, monkeypatch: pytest.MonkeyPatch, it_is: Callable[[datetime], None], seed: int
):
    def fresh(*asked: Any) -> Any:
        with monkeypatch.context() as nothing_kept:
            nothing_kept.setattr(figures, "days_memory", Memory(0, len))
            nothing_kept.setattr(figures, "arrivals_memory", Memory(0, len))
            return answer(*asked)

    roll = random.Random(seed)
    site = Site.objects.create(unit=lite.unit, key="phu", name="Điểm phụ")
    devices = [lite.device, lite.enrol("k-OTHER1", "another-token", site)]
    sites, now = [lite.site, site], noon(date(2026, 12, 20))
    for _ in range(40):
        it_is(roll.choice([now, noon(date(2026, 11, 15))]))
        change(roll, devices)
        if roll.random() < 0.3:
            sum_months(now)
        for _ in range(3):
            asked = any_question(roll, sites)
            assert answer(*asked) == fresh(*asked)


def change(roll: random.Random, devices: list[Device]) -> None:
    device, day = roll.choice(devices), FIRST + timedelta(days=roll.randrange(0, 40, 7))
    given = {"service": roll.choice(["ho-tich", "dat-dai"]), "counter": roll.choice("12"), "wait": roll.randint(0, 9)}
    keep(device.site, day, [ticket(device, day, **given)] * roll.randint(0, 1))


def any_question(roll: random.Random, sites: list[Site]) -> tuple[list[Site], str, str, bool]:
    period = roll.choice(["2026-11", "2026-11-01..2026-12-15"])
    return roll.sample(sites, roll.randint(1, 2)), period, roll.choice(DIMS), roll.random() < 0.5


def answer(sites: list[Site], asked: str, dim: str, by_site: bool) -> Any:
    period = parse(asked)
    parts = as_months(sites, period)
    visits = read_days(sites, period, dim, by_site=by_site, parts=parts).over(period)
    return visits, arrivals(sites, period, parts)
