"""Figures of ratings: k of n per label set, flagged ones apart, and nothing from which one press could be read."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from kiosk.office import Office, sample
from kiosk.texts import LOCAL
from server.facts.settling import settled
from server.registry.models import Site
from server.reports.bundles import Told, pieces
from server.reports.figures import Cell
from server.reports.opinions import Opinions, RatingDays, read_ratings, wilson
from server.reports.periods import Kind, Period, around, between, parse
from server.reports.reading import memory
from tests.server.figures_kit import FIRST, days, held_back, keep, keep_office, noon, rating, ticket
from tests.server.kit import Server

NOVEMBER = parse("2026-11")
LATER = noon(date(2027, 2, 1))


def november(server: Server, dim: str = "all", now: datetime = LATER) -> RatingDays:
    return read_ratings([server.site], NOVEMBER, now, dim)


def kn(opinions: Opinions) -> dict[str, tuple[int, int]]:
    return {name: (each.figure.k, each.figure.n) for name, each in opinions.items()}


def test_satisfied_ratings_are_those_whose_level_says_so_and_the_middle_face_never_does(server: Server):
    days(server.device, "33322", "311")
    found = november(server).whole(NOVEMBER)["smile"]
    assert (found.figure.k, found.figure.n, found.figure.by_level) == (3, 5, {2: 2, 3: 3})
    assert found.rate == 60
    assert found.labels is not None
    assert found.labels.name == "Mặt cười"


def test_two_label_sets_are_never_one_figure(server: Server):
    days(server.device, "33322")
    days(server.device, "33222", first=FIRST + timedelta(days=1), label_set="vpcp")
    found = november(server).whole(NOVEMBER)
    assert kn(found) == {"smile": (3, 5), "vpcp": (5, 5)}


def test_a_label_set_that_changed_in_the_middle_has_the_services_of_its_own_days(lite: Server):
    days(lite.device, "33333", "", "3333322", first=FIRST)
    days(lite.device, "33333", first=FIRST + timedelta(days=3), label_set="vpcp")
    for at in (1, 4):
        day = FIRST + timedelta(days=at)
        keep(lite.site, day, [ticket(lite.device, day) for _ in range(10)])
    found = november(lite).whole(NOVEMBER)
    assert (found["smile"].figure.n, found["smile"].figure.served) == (12, 22)
    assert (found["vpcp"].figure.n, found["vpcp"].figure.served) == (5, 15)


def test_flagged_ratings_are_left_out_and_counted_by_flag_and_level(server: Server):
    extra = [
        rating(server.device, FIRST, 1, flags="burst"),
        rating(server.device, FIRST, 3, flags="unlinked unassigned"),
        rating(server.device, FIRST, 2, counting=False),
    ]
    days(server.device, "33333")
    keep(server.site, FIRST, [], extra)
    found = november(server).whole(NOVEMBER)["smile"]
    assert (found.figure.k, found.figure.n, found.left_out) == (5, 5, 3)
    assert found.figure.left_out == {"burst": {1: 1}, "unassigned": {3: 1}, "unlinked": {3: 1}, "second": {2: 1}}


def test_the_answer_rate_is_ratings_per_finished_service(server: Server):
    days(server.device, "33333")
    keep(server.site, FIRST, [ticket(server.device, FIRST) for _ in range(5)])
    quiet = FIRST + timedelta(days=1)
    keep(server.site, quiet, [ticket(server.device, quiet) for _ in range(10)])
    found = november(server).whole(NOVEMBER)["smile"].figure
    assert (found.n, found.served, found.answer_rate) == (5, 20, 25)


def test_reasons_are_counted_with_the_ratings_that_are_shown(server: Server):
    days(server.device, "3331", "3")
    keep(server.site, FIRST, [], [rating(server.device, FIRST, 1, reasons="wait slow")])
    late = FIRST + timedelta(days=1)
    keep(server.site, late, [], [rating(server.device, late, 1, reasons="trouble")])
    read = november(server)
    assert read.whole(NOVEMBER)["smile"].figure.n == 5
    assert read.reasons(NOVEMBER) == {"smile": {"slow": 1, "wait": 1}}


# --- withheld -------------------------------------------------------------------------------------------------


def test_fewer_than_five_are_withheld_until_the_next_days_make_them_five(lite: Server):
    days(lite.device, "33", "1", "32", "333")
    read = november(lite)
    shown = {part.first.day: opinions["smile"].figure.n for part in NOVEMBER.parts() if (opinions := read.whole(part))}
    assert shown == {}
    assert read.whole(NOVEMBER)["smile"].figure.n == 5
    assert read.whole(between(FIRST, FIRST + timedelta(days=2)))["smile"].figure.n == 5
    assert read.whole(between(FIRST + timedelta(days=1), FIRST + timedelta(days=3))) == {}
    assert read.withholds(around(Kind.DAY, FIRST))
    assert not read.withholds(around(Kind.DAY, FIRST + timedelta(days=9)))


def test_a_day_is_shown_from_noon_of_the_day_after_next_on_and_never_live(lite: Server):
    days(lite.device, "33333")
    assert november(lite, now=datetime.combine(FIRST + timedelta(days=1), time(12), LOCAL)).whole(NOVEMBER) == {}
    before = noon(FIRST + timedelta(days=1)) - timedelta(seconds=1)
    assert november(lite, now=before).whole(NOVEMBER) == {}
    assert november(lite, now=noon(FIRST + timedelta(days=1))).whole(NOVEMBER)["smile"].figure.n == 5
    assert settled(datetime(2026, 11, 24, 11, 59, tzinfo=LOCAL)) == date(2026, 11, 21)


def test_the_last_ratings_of_a_month_are_not_mixed_into_the_next_one(lite: Server):
    days(lite.device, "333", "33333", first=date(2026, 11, 30))
    december = parse("2026-12")
    read = read_ratings([lite.site], parse("2026-Q4"), LATER)
    assert read.whole(NOVEMBER) == {}
    assert read.whole(december)["smile"].figure.n == 5
    assert read.whole(parse("2026-Q4"))["smile"].figure.n == 5


COUNTS = st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7, 12]), min_size=1, max_size=75)


@given(COUNTS, st.integers(0, 74), st.integers(0, 74), st.integers(0, 74), st.integers(0, 74))
def test_two_figures_never_differ_by_less_than_five_ratings(given_n: list[int], a: int, b: int, c: int, d: int):
    counts = {date(2026, 11, 1) + timedelta(days=at): n for at, n in enumerate(given_n)}
    one, other = (shown_days(counts, *sorted(edges)) for edges in ((a, b), (c, d)))
    for difference in (one, other, one - other, other - one, one & other):
        n = sum(counts[day] for day in difference)
        assert n == 0 or n >= 5


@given(COUNTS, st.integers(0, 74), st.integers(0, 74))
def test_what_was_shown_once_stays_when_days_are_added(given_n: list[int], first: int, more: int):
    counts = {date(2026, 11, 1) + timedelta(days=at): n for at, n in enumerate(given_n)}
    assert shown_days(counts, 0, min(first, more)) <= shown_days(counts, 0, max(first, more))


def shown_days(counts: dict[date, int], first: int, last: int) -> set[date]:
    start = date(2026, 11, 1)
    period = Period(start + timedelta(days=first), start + timedelta(days=last), Kind.RANGE)
    known = {day: n for day, n in counts.items() if day <= period.last}
    return {day for day in known if day in period} - held_back(known, period, 5)


def late(lite: Server, heard: date, *levels: str, first: date = FIRST) -> None:
    """The same as `days`, of ratings that are heard of on a later day."""
    for at, of_day in enumerate(levels):
        day = first + timedelta(days=at)
        keep(lite.site, day, [], [rating(lite.device, day, int(level), late=heard) for level in of_day])


def test_a_late_rating_waits_for_others_that_are_late_and_moves_no_figure_before(lite: Server):
    days(lite.device, "33333", "333")
    heard = FIRST + timedelta(days=7)
    late(lite, heard, "1", "111")
    week, month = around(Kind.WEEK, FIRST), NOVEMBER
    assert [kn(november(lite).whole(period)) for period in (week, month)] == [{"smile": (5, 5)}] * 2
    late(lite, heard + timedelta(days=1), "", "", "1")
    assert [kn(november(lite).whole(period)) for period in (week, month)] == [{"smile": (5, 10)}] * 2
    assert kn(november(lite).whole(around(Kind.DAY, FIRST))) == {"smile": (5, 5)}
    assert november(lite).whole(between(FIRST, FIRST + timedelta(days=1)))["smile"].figure.n == 5


def test_a_late_rating_is_shown_when_the_day_on_which_it_was_heard_is(lite: Server):
    late(lite, FIRST + timedelta(days=7), "33333")
    shows = noon(FIRST + timedelta(days=8))
    assert november(lite, now=shows - timedelta(seconds=1)).whole(NOVEMBER) == {}
    assert kn(november(lite, now=shows).whole(NOVEMBER)) == {"smile": (5, 5)}


def test_days_that_a_kiosk_tells_all_at_once_and_late_are_told_day_by_day(lite: Server):
    days(lite.device, "", "")
    keep(lite.site, FIRST, [ticket(lite.device, FIRST) for _ in range(18)])
    late(lite, FIRST + timedelta(days=7), "33333", "333311")
    read = november(lite)
    assert [read.whole(around(Kind.DAY, FIRST + timedelta(days=at)))["smile"].figure.n for at in (0, 1)] == [5, 6]
    assert read.whole(NOVEMBER)["smile"].figure.served == 18


def test_services_of_a_day_whose_own_ratings_are_withheld_stand_with_its_late_ones(lite: Server):
    days(lite.device, "33")
    keep(lite.site, FIRST, [ticket(lite.device, FIRST) for _ in range(8)])
    late(lite, FIRST + timedelta(days=7), "33333")
    late(lite, FIRST + timedelta(days=8), "33333")
    figure = november(lite).whole(NOVEMBER)["smile"].figure
    assert (figure.n, figure.served, figure.answer_rate) == (10, 10, 100)
    days(lite.device, "333", first=FIRST + timedelta(days=1))
    figure = november(lite).whole(NOVEMBER)["smile"].figure
    assert (figure.n, figure.served) == (15, 0)


def test_more_ratings_than_services_have_no_answer_rate(lite: Server):
    days(lite.device, "33333")
    keep(lite.site, FIRST, [], [rating(lite.device, FIRST)])
    figure = november(lite).whole(NOVEMBER)["smile"].figure
    assert (figure.n, figure.served, figure.answer_rate) == (6, 0, None)


def test_reasons_of_late_ratings_come_with_them(lite: Server):
    days(lite.device, "33333")
    heard = FIRST + timedelta(days=7)
    keep(lite.site, FIRST, [], [rating(lite.device, FIRST, 1, reasons="wait", late=heard)])
    assert november(lite).reasons(NOVEMBER) == {"smile": {}}
    late(lite, heard, "1111")
    assert november(lite).reasons(NOVEMBER) == {"smile": {"wait": 1}}


def test_a_breakdown_tells_late_ratings_in_bundles_of_each_row(lite: Server):
    days(lite.device, "33333", clerk="b")
    days(lite.device, "33333", clerk="c")
    heard = FIRST + timedelta(days=7)
    for clerk, n in (("b", 6), ("c", 4)):
        keep(lite.site, FIRST, [], [rating(lite.device, FIRST, 1, clerk=clerk, late=heard) for _ in range(n)])
    whole = november(lite).whole(NOVEMBER)["smile"].figure.n
    rest = whole - sum(of["smile"].figure.n for of in november(lite, "clerk").over(NOVEMBER).values())
    assert whole == 20
    assert rest == 0 or rest >= 5


@pytest.mark.parametrize("given", ["1", "11111"])
def test_late_ratings_of_another_label_set_take_no_services_from_the_one_that_was_asked(lite: Server, given: str):
    days(lite.device, "33333")
    day, quiet = FIRST, FIRST + timedelta(days=1)
    keep(lite.site, quiet, [ticket(lite.device, quiet) for _ in range(8)])
    for each in (day, quiet):
        of_day = [
            rating(lite.device, each, int(level), label_set="vpcp", late=day + timedelta(days=7)) for level in given
        ]
        keep(lite.site, each, [], of_day)
    assert november(lite).whole(NOVEMBER)["smile"].figure.served == 13


def test_days_that_were_told_late_alone_asked_what_their_ratings_say(lite: Server):
    days(lite.device, "")
    keep(lite.site, FIRST, [ticket(lite.device, FIRST) for _ in range(8)])
    late(lite, FIRST + timedelta(days=7), "33333")
    assert november(lite).whole(NOVEMBER)["smile"].figure.served == 8


def test_late_ratings_do_not_show_what_is_held_back_of_those_in_time(lite: Server):
    """2 of clerk b in time and 3 late ones are withheld: 5 together, but the 2 could be worked out before."""
    days(lite.device, "33", clerk="b")
    days(lite.device, "333333", clerk="c")
    before = november(lite, "clerk").over(NOVEMBER)
    heard = FIRST + timedelta(days=7)
    for clerk, n in (("b", 3), ("c", 6)):
        keep(lite.site, FIRST, [], [rating(lite.device, FIRST, 1, clerk=clerk, late=heard) for _ in range(n)])
    assert before == {}
    assert november(lite, "clerk").over(NOVEMBER) == {}


TOLD = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 3, 9, 30]), st.sampled_from([1, 2, 4, 6])))


@given(TOLD, st.integers(0, 80), st.integers(0, 80))
def test_whatever_is_told_later_a_bundle_that_was_shown_stays(given_n: list[tuple[int, int, int]], a: int, b: int):
    start = date(2026, 11, 1)
    counts: Counter[Told] = Counter()
    for at, lag, n in given_n:
        counts[start + timedelta(days=at + lag), start + timedelta(days=at)] += n

    def shown(until: int) -> dict[tuple[Told, ...], int]:
        known = {told: {(3, ""): n} for told, n in counts.items() if told[0] <= start + timedelta(days=until)}
        return {piece.told: piece.n for piece in pieces(known, {}, lambda _: 5)}

    before, after = shown(min(a, b)), shown(max(a, b))
    assert before.items() <= after.items()
    assert all(n >= 5 for n in after.values())


def test_a_flagged_rating_of_a_quiet_day_waits_with_those_around_it(lite: Server):
    days(lite.device, "33333", "", "333")
    keep(lite.site, FIRST + timedelta(days=1), [], [rating(lite.device, FIRST + timedelta(days=1), 1, flags="burst")])
    assert november(lite).whole(NOVEMBER)["smile"].left_out == 0
    days(lite.device, "33", first=FIRST + timedelta(days=3))
    assert november(lite).whole(NOVEMBER)["smile"].left_out == 1


@pytest.mark.parametrize(
    ("b", "c", "shown"), [("333", "333333", {"c"}), ("333333", "333", {"c"}), ("", "33333", {"c"})]
)
def test_no_clerk_can_be_worked_out_from_the_others(lite: Server, b: str, c: str, shown: set[str]):
    """With 3 of one clerk withheld, showing all the others would give them away by a subtraction."""
    days(lite.device, b, clerk="b")
    days(lite.device, c, clerk="c")
    found = november(lite, "clerk").over(NOVEMBER)
    assert {cell.key for cell in found} <= shown
    whole = november(lite).whole(NOVEMBER)["smile"].figure.n
    rest = whole - sum(of["smile"].figure.n for of in found.values())
    assert rest == 0 or rest >= 5


def test_only_as_much_is_held_back_as_is_needed(lite: Server):
    """Two of clerk b are withheld; of clerk c the smallest bundle goes with them, and the rest stays."""
    days(lite.device, "33", clerk="b")
    days(lite.device, "33333", "333333", "3333333", clerk="c")
    assert kn(november(lite, "clerk").over(NOVEMBER)[Cell("c", lite.site.pk)]) == {"smile": (13, 13)}


def test_a_breakdown_says_whose_ratings_they_are_and_how_many_of_the_services_were_rated(lite: Server):
    days(lite.device, "33333", clerk="b", counter="2")
    days(lite.device, "333322", clerk="c", counter="3")
    keep(lite.site, FIRST, [ticket(lite.device, FIRST, clerk="c", counter="3") for _ in range(6)])
    found = november(lite, "clerk").over(NOVEMBER)
    figures = {
        cell: (of["smile"].figure.k, of["smile"].figure.n, of["smile"].figure.served) for cell, of in found.items()
    }
    assert figures == {Cell("b", lite.site.pk): (5, 5, 5), Cell("c", lite.site.pk): (4, 6, 12)}
    assert set(november(lite, "service").over(NOVEMBER)) == {Cell("ho-tich")}


def test_a_higher_minimum_holds_from_its_day_on_and_leaves_older_bundles_as_they_were(lite: Server):
    days(lite.device, "33333", "33333")
    strict = replace(sample(), version=2, rules=replace(sample().rules, rating_min=10))
    keep_office(lite.site, strict, 2, noon(FIRST + timedelta(days=6)))
    days(lite.device, "33333", "33333", first=FIRST + timedelta(days=7))
    read = november(lite)
    by_day = {part.first.day: of["smile"].figure.n for part in NOVEMBER.parts() if (of := read.whole(part))}
    assert by_day == {2: 5, 3: 5}
    assert kn(read.whole(NOVEMBER)) == {"smile": (20, 20)}


def minimum(least: int, version: int) -> Office:
    return replace(sample(), version=version, rules=replace(sample().rules, rating_min=least))


def test_a_document_of_a_clock_that_was_behind_takes_no_minimum_that_held_away(lite: Server):
    days(lite.device, "33333", "33333")
    keep_office(lite.site, minimum(10, 2), 2, noon(FIRST - timedelta(days=1)))
    keep_office(lite.site, minimum(6, 3), 3, datetime(2020, 1, 1, tzinfo=LOCAL))
    keep_office(lite.site, minimum(7, 4), 4, noon(FIRST + timedelta(days=20)))
    of = november(lite).sites[lite.site.pk].asking
    assert of.minima == ((date(2025, 10, 19), 5), (FIRST, 6), (FIRST + timedelta(days=21), 7))


def test_a_document_of_a_clock_that_ran_ahead_holds_no_longer_than_until_the_next_one(lite: Server):
    days(lite.device, "33333")
    keep_office(lite.site, minimum(10, 2), 2, datetime(2037, 1, 1, tzinfo=LOCAL))
    keep_office(lite.site, minimum(6, 3), 3, noon(FIRST - timedelta(days=1)))
    assert november(lite).sites[lite.site.pk].asking.minima == ((date(2025, 10, 19), 5), (FIRST, 6))


def test_an_office_may_ask_for_more_than_five(lite: Server):
    strict = replace(sample(), version=2, rules=replace(sample().rules, rating_min=10))
    keep_office(lite.site, strict, 2)
    days(lite.device, "33333")
    assert november(lite).whole(NOVEMBER) == {}
    days(lite.device, "33333", first=FIRST + timedelta(days=1))
    assert november(lite).whole(NOVEMBER)["smile"].figure.n == 10


# --- several sites --------------------------------------------------------------------------------------------


def another(server: Server, office: Office | None, **rated: str) -> Site:
    site = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    if office:
        keep_office(site, office, 1)
    days(server.enrol("k-OTHER1", "another-token", site), "33332", **rated)
    return site


def test_sites_that_ask_alike_are_one_figure(lite: Server):
    other = another(lite, sample())
    days(lite.device, "33222")
    found = read_ratings([lite.site, other], NOVEMBER, LATER).whole(NOVEMBER)
    assert {name: (of.figure.k, of.figure.n, of.figure.served) for name, of in found.items()} == {"smile": (6, 10, 10)}


def test_sites_that_mean_different_things_by_one_name_are_two_figures(lite: Server):
    smile, vpcp, five = sample().label_sets
    strict = replace(vpcp, levels=tuple(replace(level, satisfied=level.value == 3) for level in vpcp.levels))
    other = another(lite, replace(sample(), label_sets=(smile, strict, five)), label_set="vpcp")
    days(lite.device, "33222", label_set="vpcp")
    found = read_ratings([lite.site, other], NOVEMBER, LATER).whole(NOVEMBER)
    assert kn(found) == {"vpcp": (5, 5), f"vpcp@{other.pk}": (4, 5)}


def test_a_label_set_that_no_document_knows_has_levels_and_no_rate(lite: Server):
    other = another(lite, None)
    found = read_ratings([other], NOVEMBER, LATER).whole(NOVEMBER)["smile"]
    assert (found.labels, found.rate, found.interval, found.figure.by_level) == (None, None, None, {2: 1, 3: 4})


def test_a_year_takes_as_few_queries_as_a_day(lite: Server):
    days(lite.device, *["33333"] * 40)
    november(lite)
    for period in (around(Kind.DAY, FIRST), parse("2026")):
        memory.clear()
        with CaptureQueriesContext(connection) as asked:
            read = read_ratings([lite.site], period, LATER)
            for part in period.parts():
                read.whole(part)
        assert len(asked) == 5


# --- the interval ---------------------------------------------------------------------------------------------


def test_the_interval_is_wilsons():
    low, high = wilson(9, 10) or (0, 0)
    assert (round(low, 1), round(high, 1)) == (59.6, 98.2)
    assert wilson(0, 0) is None


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_stays_between_none_and_all(kn: tuple[int, int]):
    low, high = wilson(*kn) or (0, 0)
    assert 0 <= low <= 100 * kn[0] / kn[1] + 1e-9
    assert 100 * kn[0] / kn[1] - 1e-9 <= high <= 100
