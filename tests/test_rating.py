"""Rating rules and published figures: which press counts, what is kept but left out, when figures may move."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.rating import Desk, Rating, RatingPolicy, clerk_figures, figures, lit, press
from kiosk.store import Store
from kiosk.tickets import Refused
from tests.office import OPENING, moment, open_store, rulebook

POLICY = RatingPolicy()
ARMED = Desk("1", clerk="a", ticket="t1", armed_at=OPENING)


def after(seconds: float):
    return OPENING + timedelta(seconds=seconds)


def rating(
    level: int = 3, *, n: int = 0, clerk: str = "a", flags: tuple[str, ...] = (), labels: str = "smile"
) -> Rating:
    return Rating(f"r{n}", f"t{n}", "1", clerk, level, labels, "key", flags, OPENING, "2026-11-23", "sang")


def flags_of(desk: Desk, seconds: float, policy: RatingPolicy = POLICY) -> list[str]:
    kind, data = press(desk, 3, "smile", "key", policy, after(seconds))
    assert kind == "rating.given"
    return data["flags"]


def test_the_first_press_in_the_window_counts_for_the_armed_ticket():
    kind, data = press(ARMED, 1, "smile", "key", POLICY, after(10))
    assert (kind, data["ticket"], data["clerk"], data["level"], data["flags"]) == ("rating.given", "t1", "a", 1, [])


def test_a_change_of_mind_within_five_seconds_replaces_and_later_ones_are_repeats():
    first = replace(rating(), at=after(10))
    kind, data = press(replace(ARMED, given=first), 1, "smile", "key", POLICY, after(14))
    assert (kind, data["of"]) == ("rating.replaced", "r0")
    assert flags_of(replace(ARMED, given=first), 15) == ["repeat"]


def test_after_the_window_a_press_is_late_and_without_a_finished_service_it_is_unarmed():
    assert flags_of(ARMED, 60) == ["late"]
    assert flags_of(Desk("1"), 0) == ["unarmed"]


def test_the_fourth_press_within_five_seconds_is_a_burst():
    recent = tuple(after(n) for n in (1, 2, 3))
    assert flags_of(replace(ARMED, recent=recent), 4) == ["burst"]
    assert flags_of(replace(ARMED, recent=recent), 6.5) == []


def test_a_press_right_after_the_clerks_own_click_is_suspected_to_be_the_clerks():
    assert flags_of(Desk("1", clerk_acted_at=OPENING), 4) == ["unarmed", "self"]
    assert flags_of(Desk("1", clerk_acted_at=OPENING), 5) == ["unarmed"]


def test_free_mode_counts_for_whoever_sits_there_with_an_interval():
    free = replace(POLICY, free_rating=True)
    assert flags_of(Desk("1", clerk="a"), 0, free) == []
    assert flags_of(Desk("1", clerk=""), 0, free) == ["unassigned"]
    assert flags_of(Desk("1", clerk="a", given=rating()), 4, free) == ["repeat"]
    assert flags_of(Desk("1", clerk="a", given=rating()), 5, free) == []


def test_lamps_shine_while_a_press_would_count():
    assert lit("t1", OPENING, False, POLICY, after(59))
    assert not lit("t1", OPENING, False, POLICY, after(60))
    assert not lit("t1", OPENING, True, POLICY, after(1))
    assert not lit("", None, False, POLICY, after(1))


def test_flagged_and_replaced_ratings_are_left_out_and_counted_by_kind_and_level():
    ratings = [rating(3, n=1), rating(2, n=2), rating(1, n=3, flags=("late",)), replace(rating(n=4), replaced_by="r5")]
    figure = figures(ratings, 4, {"smile": frozenset({3})})["smile"]
    assert (figure.k, figure.n, figure.by_level, figure.left_out) == (1, 2, {2: 1, 3: 1}, {"late": {1: 1}})
    assert (figure.rate, figure.answer_rate) == (50, 50)


def test_two_label_sets_are_never_merged():
    ratings = [rating(2, n=1), rating(2, n=2, labels="vpcp")]
    satisfied = {"smile": frozenset({3}), "vpcp": frozenset({2, 3})}
    result = figures(ratings, 2, satisfied)
    assert (result["smile"].k, result["vpcp"].k) == (0, 1)


def test_a_clerks_figure_of_fewer_than_five_ratings_is_withheld():
    few = [rating(n=n) for n in range(4)]
    many = [rating(n=n + 10, clerk="b") for n in range(5)]
    assert list(clerk_figures(few + many, {"a": 9, "b": 9}, {"smile": frozenset({3})}, POLICY)) == ["b"]


# --- on the database -----------------------------------------------------------------------------------------


def serve(store: Store, seconds: float, level: int | None = 3) -> None:
    store.issuing.issue(moment(seconds), "ho-tich")
    store.counters.call_next(moment(seconds + 1), "1")
    store.counters.start(moment(seconds + 2), "1")
    store.counters.finish(moment(seconds + 60), "1")
    if level:
        store.ratings.press(moment(seconds + 62), "1", level, "key")


def test_figures_stand_still_during_the_session_and_move_when_it_closes(store: Store):
    for n in range(5):
        serve(store, n * 100, level=3 if n else 1)
    assert not store.ratings.publish(moment(1000))
    assert store.ratings.published() is None
    closed = moment(4 * 3600)
    assert store.ratings.publish(closed)
    figure = store.ratings.published().figures["smile"]  # type: ignore[union-attr]
    assert (figure.k, figure.n, figure.served) == (4, 5, 5)
    assert not store.ratings.publish(closed)


def test_fewer_than_five_new_ratings_wait_for_the_next_session(store: Store):
    for n in range(4):
        serve(store, n * 100)
    assert not store.ratings.publish(moment(4 * 3600))
    serve(store, 6 * 3600 + 100)
    assert not store.ratings.publish(moment(8 * 3600))
    assert store.ratings.publish(moment(9.5 * 3600))
    assert store.ratings.published().session == "chieu"  # type: ignore[union-attr]


def test_what_was_left_unpublished_in_the_evening_is_published_the_next_morning(store: Store):
    for n in range(5):
        serve(store, n * 100)
    assert store.ratings.publish(moment(0, day=2))
    assert store.ratings.published().period == "2026-11"  # type: ignore[union-attr]


def test_a_rating_is_kept_with_its_label_set_and_its_session(store: Store):
    serve(store, 0)
    row = store.database.rows("SELECT * FROM ratings")[0]
    assert (row["label_set"], row["session"], row["day"], row["clerk"]) == (
        "smile", "sang", "2026-11-23", "nguyen-thi-a",
    )  # fmt: skip


def test_a_foreign_counter_is_refused_by_name(store: Store):
    with pytest.raises(Refused, match="no_counter"):
        store.ratings.press(moment(0), "17", 3, "key")


def test_free_mode_needs_no_ticket(tmp_path: Path):
    book = rulebook()
    store = open_store(tmp_path, replace(book, rating=replace(book.rating, free_rating=True)))
    assert store.ratings.press(moment(0), "1", 3, "key").counts
    assert store.ratings.press(moment(1), "1", 3, "key").flags == ("repeat",)
    assert store.ratings.lamps(moment(2))["1"]
