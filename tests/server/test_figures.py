"""Figures of visits are what happened, whatever the period; made of sums alone, in few queries."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import ceil
from pathlib import Path
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from kiosk.rating import Rating as RatingFacts
from kiosk.rating import Tally, figures
from kiosk.store import Store
from kiosk.store.rebuild import from_tables
from kiosk.tickets import State
from kiosk.tickets import Ticket as TicketFacts
from server.facts import fold
from server.facts.models import Ticket
from server.registry.models import Site
from server.reports.figures import Cell, Visits, arrivals, read_days, refusals
from server.reports.opinions import read_ratings
from server.reports.periods import Kind, Period, around, between, parse
from server.reports.spreads import NEVER, Spread, packed, spread, unpacked
from tests.office import moment
from tests.server.figures_kit import FIRST, held_back, it_is, keep, noon, ticket
from tests.server.kit import ENGINES, NOW, Server, batch_of, batches, server_on
from tests.test_queue_machine import QueueMachine

__all__ = ["it_is"]

NOVEMBER = parse("2026-11")


def times(counts: Mapping[int, int]) -> int:
    """As the database holds them, packed."""
    return packed({str(minute): n for minute, n in counts.items()})


@given(st.lists(st.integers(0, 600), min_size=1))
def test_the_middle_and_the_ninetieth_are_minutes_that_somebody_waited(minutes: list[int]):
    found = spread(times(Counter(minutes)))
    assert found.n == len(minutes)
    assert found.median == sorted(minutes)[(len(minutes) + 1) // 2 - 1]
    assert found.p90 in minutes
    assert sum(1 for each in minutes if each <= found.p90) >= 0.9 * len(minutes)
    if len(minutes) % 2:
        assert found.median == median(minutes)


def test_nothing_has_no_middle():
    assert spread(0) == NEVER
    assert spread(times({3: 0})) == NEVER


def test_spreads_of_two_days_are_those_of_all_their_visits_and_not_a_mean_of_means():
    assert spread(times({1: 9}) + times({60: 1})) == Spread(10, 1, 1)


@given(st.lists(st.dictionaries(st.integers(0, 600), st.integers(1, 10**8)), max_size=9))
def test_packed_times_are_added_minute_by_minute(days: list[dict[int, int]]):
    together: Counter[int] = Counter()
    for day in days:
        together.update(day)
    assert unpacked(sum(map(times, days))) == together


def test_a_month_is_told_by_service_counter_clerk_and_hour(server: Server):
    day = FIRST
    rows = [
        ticket(server.device, day, wait=4, lasts=6),
        ticket(server.device, day, wait=8, lasts=2, priority=True, at="08:59"),
        ticket(server.device, day, wait=30, state=State.NO_SHOW, lasts=None, service="dat-dai", counter="2", clerk="b"),
        ticket(server.device, day, wait=None, state=State.CLOSED, at="10:15"),
    ]
    keep(server.site, day, rows)
    keep(server.site, day + timedelta(days=1), [ticket(server.device, day + timedelta(days=1), at="16:00")])
    whole = read_days([server.site], NOVEMBER).whole(NOVEMBER)
    assert whole == Visits(5, 1, 3, 1, 0, 1, 0, 0, Spread(4, 8, 30), Spread(3, 5, 6))
    services = read_days([server.site], NOVEMBER, "service").over(NOVEMBER)
    assert {cell: of.issued for cell, of in services.items()} == {Cell("dat-dai"): 1, Cell("ho-tich"): 4}
    counters = read_days([server.site], NOVEMBER, "counter").over(NOVEMBER)
    assert {cell: of.no_show for cell, of in counters.items()} == {
        Cell("1", server.site.pk): 0,
        Cell("2", server.site.pk): 1,
    }
    hours = read_days([server.site], NOVEMBER, "hour").over(NOVEMBER)
    assert {cell.key: of.issued for cell, of in hours.items()} == {"08": 3, "10": 1, "16": 1}
    assert arrivals([server.site], NOVEMBER) == {(0, 8): 3, (0, 10): 1, (1, 16): 1}


def test_the_same_counter_of_two_sites_is_two_and_the_same_service_is_one(lite: Server):
    other = Site.objects.create(unit=lite.unit, key="phu", name="Điểm phụ")
    second = lite.enrol("k-OTHER1", "another-token", other)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)])
    keep(other, FIRST, [ticket(second, FIRST), ticket(second, FIRST)])
    sites = [lite.site, other]
    counters = read_days(sites, NOVEMBER, "counter").over(NOVEMBER)
    assert {cell: of.issued for cell, of in counters.items()} == {Cell("1", lite.site.pk): 1, Cell("1", other.pk): 2}
    assert read_days(sites, NOVEMBER, "service").over(NOVEMBER)[Cell("ho-tich")].issued == 3
    assert read_days([other], NOVEMBER).whole(NOVEMBER).issued == 2


def test_a_day_without_a_ticket_is_all_zeros(lite: Server):
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)])
    quiet = around(Kind.DAY, FIRST + timedelta(days=1))
    found = read_days([lite.site], NOVEMBER)
    assert found.whole(quiet) == Visits()
    assert found.over(quiet) == {}
    assert arrivals([lite.site], quiet) == refusals([lite.site], quiet) == {}


def test_a_year_takes_as_few_queries_as_a_day(lite: Server, it_is: Callable[[datetime], None]):
    it_is(noon(date(2027, 1, 1)))
    for at in range(40):
        keep(lite.site, FIRST + timedelta(days=at), [ticket(lite.device, FIRST + timedelta(days=at))])
    for period in (around(Kind.DAY, FIRST), parse("2026")):
        with CaptureQueriesContext(connection) as asked:
            read_days([lite.site], period, "service").over(period)
            arrivals([lite.site], period)
            refusals([lite.site], period)
        assert len(asked) == 5


def test_an_unknown_breakdown_is_refused(lite: Server):
    with pytest.raises(ValueError, match="service"):
        read_days([lite.site], NOVEMBER, "colour")


# --- the truth ------------------------------------------------------------------------------------------------


class Counted(QueueMachine):
    """Any day of a queue. At the end the server's figures are compared with what the kiosk's own tables count."""

    def __init__(self, engine: str) -> None:
        super().__init__()
        self.engine = engine

    def teardown(self) -> None:
        with tempfile.TemporaryDirectory() as folder, server_on(self.engine, Path(folder)) as server:
            for batch in batches(self.store.database.conn, size=53):
                assert server.push(batch).status_code == 200
                server.settle()
            self.compare([server.site])
        super().teardown()

    def compare(self, sites: list[Site]) -> None:
        tables = from_tables(self.store.database.conn)
        own = {ticket.id: (fold.day_of(ticket.series), ticket) for ticket in tables.tickets.values()}
        days = sorted({day for day, _ in own.values()})
        if not days:
            return
        long = between(days[0], min(days[-1], days[0] + timedelta(days=1000)))
        refused = self.store.database.row("SELECT count(*) FROM events WHERE instr(line, '\"ticket.refused\"')")
        assert refused is not None
        assert sum(refusals(sites, between(date(2024, 6, 1), date(2027, 5, 1))).values()) == refused[0]
        for period in (long, around(Kind.DAY, days[0]), around(Kind.MONTH, days[-1])):
            of = [ticket for day, ticket in own.values() if day in period]
            whole = read_days(sites, period).whole(period)
            assert counts_of(whole) == counted(of)
            assert whole.wait == waits(Ticket.objects.filter(day__range=(period.first, period.last)))
            for dim in ("service", "counter", "clerk"):
                found = {cell.key: counts_of(each) for cell, each in read_days(sites, period, dim).over(period).items()}
                keys = {getattr(ticket, dim) for ticket in of} - {""}
                assert found == {key: counted([t for t in of if getattr(t, dim) == key]) for key in keys}
            assert sum(arrivals(sites, period).values()) == len(of)
        self.compare_ratings(sites, tables.ratings.values())

    def compare_ratings(self, sites: list[Site], ratings: Iterable[RatingFacts]) -> None:
        """What is shown of a month is what the kiosk's own rules count, on the days that are not held back."""
        kept = [each for each in ratings if not each.replaced_by]
        for month in {around(Kind.MONTH, date.fromisoformat(each.day)) for each in kept}:
            own = {each.id: date.fromisoformat(each.day) for each in kept}
            inside = [each for each in kept if own[each.id] in month]
            counting = {own[each.id]: 0 for each in inside} | Counter(own[e.id] for e in inside if not e.flags)
            shown = [each for each in kept if own[each.id] in set(month_days(month)) - held_back(counting, month, 5)]
            tallies = Counter((each.label_set, each.level, each.flags) for each in shown)
            expected = figures(
                [Tally(a, "", b, c, n) for (a, b, c), n in tallies.items()], 0, {"smile": frozenset({3})}
            )
            found = read_ratings(sites, month, NOW + timedelta(days=999)).whole(month)
            same = {name: replace(each.figure, served=0) for name, each in found.items()}
            assert same == {name: each for name, each in expected.items() if each.n}


def month_days(month: Period) -> list[date]:
    return [month.first + timedelta(days=at) for at in range(month.days)]


def counts_of(visits: Visits) -> tuple[int, ...]:
    return visits.issued, visits.priority, visits.served, visits.no_show, visits.cancelled, visits.closed


def counted(tickets: Iterable[TicketFacts]) -> tuple[int, ...]:
    of = list(tickets)
    # One that was back in line has no calls.
    missed = [each.state is State.CLOSED and each.missed_at is not None and each.calls > 0 for each in of]
    states = Counter(State.NO_SHOW if was else each.state for each, was in zip(of, missed, strict=True))
    ends = (states[State.SERVED], states[State.NO_SHOW], states[State.CANCELLED], states[State.CLOSED])
    return len(of), sum(1 for each in of if each.priority), *ends


def waits(rows: Iterable[Ticket]) -> Spread:
    """Of the rows, which another test proves to be the kiosk's."""
    minutes = [
        min(max(int((row.reached_at - row.issued_at).total_seconds() // 60), 0), 600) for row in rows if row.reached_at
    ]
    ordered = sorted(minutes)
    return Spread(len(minutes), *(ordered[ceil(len(minutes) * p / 100) - 1] if minutes else None for p in (50, 90)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("examples", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_whatever_happens_to_a_queue_the_figures_are_what_the_kiosk_itself_counts(engine: str, examples: int):
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Counted(engine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_who_missed_the_call_still_counts_as_missed_when_the_next_morning_has_closed_the_number(
    server: Server, store: Store
):
    for n in range(3):
        store.issuing.issue(moment(60 + 10 * n), "ho-tich", priority=False)
    for n in (0, 1):
        store.counters.call_next(moment(100 + 300 * n), "1")
        store.counters.no_show(moment(300 + 300 * n), "1")
    second = store.database.rows("SELECT id FROM tickets ORDER BY seq")[1]["id"]
    store.counters.come_back(moment(700), second)  # it came back, and was not called again
    store.issuing.issue(moment(60, day=2), "ho-tich", priority=False)
    for batch in batches(store.database.conn):
        assert server.push(batch).status_code == 200
    server.settle()
    day = around(Kind.DAY, date(2026, 11, 23))
    whole = read_days([server.site], day).whole(day)
    assert (whole.issued, whole.no_show, whole.closed) == (3, 1, 2)


def test_an_event_that_comes_late_changes_the_day_on_which_it_happened(server: Server, store: Store):
    for day in (0, 2):
        store.issuing.issue(moment(60, day=day), "ho-tich", priority=False)
    whole = batches(store.database.conn)[0]
    cut = next(at for at, line in enumerate(whole.lines) if b"2026-11-25" in line)
    assert server.push(batch_of([], whole.lines[:cut], "k-7F3K2M", whole.header.epoch)).status_code == 200
    server.settle()
    first, last = (around(Kind.DAY, date(2026, 11, day)) for day in (23, 25))
    assert read_days([server.site], first).whole(first).issued == 1
    assert (
        server.push(batch_of(whole.lines[:cut], whole.lines[cut:], "k-7F3K2M", whole.header.epoch)).status_code == 200
    )
    server.settle(NOW + timedelta(days=9))
    week = around(Kind.WEEK, date(2026, 11, 23))
    read = read_days([server.site], week)
    assert [read.whole(period).issued for period in (first, last, week)] == [1, 1, 2]
