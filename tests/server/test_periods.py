"""Periods of reports, and how they are called."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reports import periods
from server.reports.periods import BadPeriod, Kind, around, between, parse
from server.words import texts

DAYS = st.dates(date(2005, 1, 1), date(2195, 12, 31))
NAMED = st.builds(around, st.sampled_from([kind for kind in Kind if kind is not Kind.RANGE]), DAYS)
RANGES = st.builds(lambda day, more: between(day, day + timedelta(days=more)), DAYS, st.integers(0, 1000))


@given(NAMED | RANGES)
def test_a_period_is_found_again_by_its_key(period: periods.Period):
    assert parse(period.key) == period


@given(NAMED | RANGES)
def test_periods_follow_each_other_without_a_gap(period: periods.Period):
    assert period.after().before() == period
    assert period.before().last + timedelta(days=1) == period.first


@given(NAMED | RANGES)
def test_the_parts_of_a_period_are_all_of_it_and_nothing_twice(period: periods.Period):
    parts = period.parts()
    assert sum(part.days for part in parts) == period.days
    assert all(a.last + timedelta(days=1) == b.first for a, b in pairwise(parts))
    assert (parts[0].first, parts[-1].last) == (period.first, period.last)
    assert len(parts) <= 38


@given(DAYS, st.sampled_from(list(Kind)))
def test_a_day_lies_in_its_period(day: date, kind: Kind):
    assert day in around(kind, day)


def test_a_weekend_is_what_has_no_working_day():
    days = [around(Kind.DAY, MONDAY + timedelta(days=at)).is_weekend for at in range(7)]
    assert days == [False] * 5 + [True] * 2
    assert between(MONDAY + timedelta(days=5), MONDAY + timedelta(days=6)).is_weekend
    assert not between(MONDAY + timedelta(days=5), MONDAY + timedelta(days=7)).is_weekend


MONDAY = date(2026, 11, 23)
SAID = {
    Kind.DAY: ("2026-11-23", "ngày 23/11/2026", "23/11/2026"),
    Kind.WEEK: ("2026-W48", "tuần 48/2026 (23/11/2026 – 29/11/2026)", "week 48/2026 (23/11/2026 – 29/11/2026)"),
    Kind.MONTH: ("2026-11", "tháng 11/2026", "month 11/2026"),
    Kind.QUARTER: ("2026-Q4", "quý IV/2026", "quarter IV/2026"),
    Kind.YEAR: ("2026", "năm 2026", "year 2026"),
}


@pytest.mark.parametrize(("kind", "said"), SAID.items())
def test_a_period_is_called_as_people_call_it(kind: Kind, said: tuple[str, str, str]):
    period = around(kind, MONDAY)
    assert (period.key, periods.words(texts("vi"), period), periods.words(texts("en"), period)) == said


def test_an_own_range_is_called_by_its_edges():
    period = between(date(2026, 11, 1), date(2026, 11, 15))
    assert period.key == "2026-11-01..2026-11-15"
    assert periods.words(texts("vi"), period) == "từ 01/11/2026 đến 15/11/2026"


def test_an_own_range_of_one_day_is_called_by_its_day():
    assert periods.words(texts("vi"), between(MONDAY, MONDAY)) == "ngày 23/11/2026"
    assert periods.words(texts("en"), between(MONDAY, MONDAY)) == "23/11/2026"


def test_the_first_days_of_january_can_be_in_the_last_week_of_the_year_before():
    assert around(Kind.WEEK, date(2027, 1, 1)).key == "2026-W53"
    assert periods.words(texts("vi"), parse("2026-W53")) == "tuần 53/2026 (28/12/2026 – 03/01/2027)"


@pytest.mark.parametrize(
    "key",
    ["", "heute", "2026-13", "2026-02-30", "2026-Q5", "2027-W53", "2026-W00", "0000", "1999-12-31", "2026-11-23..",
     "2026-11-24..2026-11-23", "2020-01-01..2026-01-01", "2200", "٢٠٢٦", "2026-11-23 ", "9999-12-31..9999-12-31"],
)  # fmt: skip
def test_what_is_no_period_is_refused(key: str):
    with pytest.raises(BadPeriod):
        parse(key)
