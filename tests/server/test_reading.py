"""Ratings that were read stay in memory, for as long as they would be read the same again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from kiosk.office import sample
from server.registry.models import Device, Site
from server.reports import reading
from server.reports.bundles import Told, site_ratings
from server.reports.naming import Asking
from server.reports.opinions import read_ratings
from server.reports.periods import Kind, Period, parse
from tests.server.figures_kit import FIRST, days, keep, keep_office, noon, rating
from tests.server.kit import Server

NOVEMBER = parse("2026-11")
NOW = noon(date(2026, 11, 20))


def shown(*sites: Site) -> dict[str, int]:
    found = read_ratings(sites, NOVEMBER, NOW).whole(NOVEMBER)
    return {name: each.figure.n for name, each in found.items()}


def tables_read(*sites: Site) -> set[str]:
    """Which of the tables of ratings are asked."""
    with CaptureQueriesContext(connection) as asked:
        shown(*sites)
    said = " ".join(query["sql"] for query in asked)
    return {name for name in ("facts_ratingrollup", "facts_reasonrollup") if name in said}


def another(server: Server) -> Device:
    site = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    keep_office(site, sample(), 1)
    device = server.enrol("k-OTHER1", "another-token", site)
    days(device, "33333")
    return device


def test_what_was_read_is_not_read_again(server: Server):
    days(server.device, "33333")
    assert tables_read(server.site) == {"facts_ratingrollup", "facts_reasonrollup"}
    assert tables_read(server.site) == set()
    assert shown(server.site) == {"smile": 5}


def test_a_day_that_is_summed_again_is_read_again(server: Server):
    days(server.device, "33333", "33333")
    assert shown(server.site) == {"smile": 10}
    keep(server.site, FIRST, [], [rating(server.device, FIRST) for _ in range(3)])
    assert shown(server.site) == {"smile": 13}


def test_a_site_without_a_rating_is_remembered_too_and_read_when_it_has_some(server: Server):
    assert shown(server.site) == {}
    assert tables_read(server.site) == set()
    days(server.device, "33333")
    assert shown(server.site) == {"smile": 5}


def test_ratings_of_today_do_not_make_past_days_be_read_again(server: Server):
    days(server.device, "33333")
    assert shown(server.site) == {"smile": 5}
    days(server.device, "33333", first=date(2026, 11, 20))
    assert tables_read(server.site) == set()


def test_one_site_that_changed_does_not_make_the_others_be_read_again(server: Server, monkeypatch: pytest.MonkeyPatch):
    other = another(server)
    days(server.device, "33333")
    assert shown(server.site, other.site) == {"smile": 10}
    keep(other.site, FIRST, [], [rating(other, FIRST) for _ in range(3)])
    read: list[Site] = []

    def spied(sites: Sequence[Site], *rest: Any) -> Any:
        read.extend(sites)
        return rows(sites, *rest)

    rows = reading._read_rows
    monkeypatch.setattr(reading, "_read_rows", spied)
    assert shown(server.site, other.site) == {"smile": 13}
    assert read == [other.site]


def test_a_document_that_asks_for_more_ratings_holds_at_once(server: Server):
    days(server.device, "33333")
    assert shown(server.site) == {"smile": 5}
    keep_office(server.site, replace(sample(), version=2, rules=replace(sample().rules, rating_min=10)), 2)
    assert shown(server.site) == {}


def test_what_a_label_set_means_is_known_as_soon_as_a_document_says_it(server: Server):
    days(server.device, "33333", label_set="hoi-them")
    assert read_ratings([server.site], NOVEMBER, NOW).labels("hoi-them") is None
    said = replace(
        sample(), version=2, label_sets=(*sample().label_sets, replace(sample().label_sets[0], id="hoi-them"))
    )
    keep_office(server.site, said, 2)
    assert read_ratings([server.site], NOVEMBER, NOW).labels("hoi-them") is not None


def test_only_so_much_is_kept_and_what_was_asked_for_last_stays(lite: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading.memory, "most", 43)
    other = another(lite)
    days(lite.device, *["33333"] * 9)
    for _ in range(2):
        assert shown(other.site) == {"smile": 5}
        assert tables_read(other.site) == set()
        assert shown(lite.site) == {"smile": 45}
        assert 0 < reading.memory.weight <= 43
        assert reading.memory.weight == sum(each.weight for each in reading.memory._kept.values())
    days(lite.device, *["33333"] * 9, first=FIRST + timedelta(days=9))
    assert shown(lite.site) == {"smile": 90}
    assert reading.memory.weight <= 43


def test_reasons_and_a_second_set_of_pieces_weigh_too(lite: Server):
    def weight(dim: str) -> int:
        reading.memory.clear()
        read_ratings([lite.site], NOVEMBER, NOW, dim)
        return reading.memory.weight

    days(lite.device, "33333")
    plain = weight("all")
    assert weight("service") == plain
    keep(lite.site, FIRST, [], [rating(lite.device, FIRST, reasons="nhanh than-thien")])
    assert weight("all") == plain + 3, "a day with two reasons"


LEVELS = st.dictionaries(st.sampled_from([(3, ""), (1, ""), (2, "fast")]), st.integers(1, 6), max_size=2)


@given(
    st.dictionaries(st.tuples(st.integers(0, 60), st.sampled_from([0, 0, 5])), LEVELS, max_size=40),
    st.sets(st.integers(0, 60)),
    st.sampled_from([Kind.DAY, Kind.WEEK, Kind.MONTH]),
)
def test_parts_say_what_each_of_them_says_by_itself(
    told: dict[tuple[int, int], dict[tuple[int, str], int]], quiet: set[int], kind: Kind
):
    first = date(2026, 11, 1)
    by_told: dict[Told, dict[tuple[int, str], int]] = {}
    for (at, lag), alike in told.items():
        by_told[first + timedelta(days=at + lag), first + timedelta(days=at)] = alike
    served = dict.fromkeys((first + timedelta(days=at) for at in quiet), 7)
    ratings = site_ratings(Asking(), {("", "smile"): by_told}, {"": served}, {})
    parts = [each for each in parse("2026").parts() if each.first >= first]
    if kind is not Kind.MONTH:
        parts = list(Period(first, first + timedelta(days=30 if kind is Kind.DAY else 60), Kind.RANGE).parts())
    assert ratings.seen_in_each(parts) == [ratings.seen(part, apart=False) for part in parts]
