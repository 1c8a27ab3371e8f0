"""Rating rules and published figures: which press counts, what is kept but left out, when figures may move."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.rating import (
    Desk,
    Rating,
    RatingPolicy,
    Tally,
    clerk_figures,
    clerks_may_show,
    figures,
    lit,
    may_show,
    press,
)
from kiosk.store import Store
from kiosk.store.ratings import relabel_ratings
from kiosk.store.rebuild import from_events, from_tables
from kiosk.tickets import Refused
from tests.office import OPENING, moment, open_store, rulebook

POLICY = RatingPolicy()
ARMED = Desk("1", clerk="a", ticket="t1", armed_at=OPENING)


def after(seconds: float):
    return OPENING + timedelta(seconds=seconds)


def rating() -> Rating:
    return Rating("r0", "t0", "1", "a", 3, "smile", "key", (), OPENING, "2026-11-23", "sang")


def tally(n: int, level: int = 3, *, clerk: str = "a", flags: tuple[str, ...] = (), labels: str = "smile") -> Tally:
    return Tally(labels, clerk, level, flags, n)


def flags_of(desk: Desk, seconds: float, policy: RatingPolicy = POLICY) -> list[str]:
    kind, data = press(desk, 3, "smile", "key", policy, after(seconds))
    assert kind == "rating.given"
    return data["flags"]


def test_the_first_press_in_the_window_counts_for_the_armed_ticket():
    kind, data = press(ARMED, 1, "smile", "key", POLICY, after(10))
    assert (kind, data["ticket"], data["clerk"], data["level"], data["flags"]) == ("rating.given", "t1", "a", 1, [])


def test_a_change_of_mind_within_five_seconds_replaces_and_later_ones_are_repeats():
    rated = replace(ARMED, given=replace(rating(), at=after(10)), first_at=after(10))
    kind, data = press(rated, 1, "smile", "key", POLICY, after(14))
    assert (kind, data["of"]) == ("rating.replaced", "r0")
    assert flags_of(rated, 15) == ["repeat"]


def test_a_chain_of_replacements_ends_with_the_first_presss_seconds_and_with_the_window():
    assert flags_of(replace(ARMED, given=replace(rating(), at=after(14)), first_at=after(10)), 16) == ["repeat"]
    assert flags_of(replace(ARMED, given=replace(rating(), at=after(58)), first_at=after(58)), 61) == ["repeat", "late"]


def test_a_small_step_back_of_the_clock_is_inside_the_window_and_a_large_one_is_not():
    assert flags_of(ARMED, -0.3) == []
    assert lit("t1", OPENING, False, POLICY, after(-0.3))
    assert flags_of(ARMED, -3600) == ["late"]
    assert not lit("t1", OPENING, False, POLICY, after(-3600))


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


SMILES = {"smile": frozenset({3})}


def test_flagged_ratings_are_left_out_and_counted_by_kind_and_level():
    tallies = [tally(1, 3), tally(1, 2, clerk="b"), tally(1, 1, flags=("late",)), tally(2, 1, flags=("late", "repeat"))]
    figure = figures(tallies, 4, SMILES)["smile"]
    assert (figure.k, figure.n, figure.by_level) == (1, 2, {2: 1, 3: 1})
    assert figure.left_out == {"late": {1: 3}, "repeat": {1: 2}}
    assert (figure.rate, figure.answer_rate) == (50, 50)


def test_two_label_sets_are_never_merged():
    satisfied = {"smile": frozenset({3}), "vpcp": frozenset({2, 3})}
    result = figures([tally(1, 2), tally(1, 2, labels="vpcp")], 2, satisfied)
    assert (result["smile"].k, result["vpcp"].k) == (0, 1)


def test_a_figure_moves_with_five_new_ratings_of_its_own_and_is_repeated_as_a_whole_before():
    five = figures([tally(5)], 9, SMILES)
    nine = figures([tally(5), tally(4, 1), tally(1, 2, flags=("late",))], 30, SMILES)
    ten = figures([tally(6), tally(4, 1)], 31, SMILES)
    assert may_show({}, figures([tally(4)], 9, SMILES), POLICY) == {}
    assert may_show({}, five, POLICY) == five
    assert may_show(five, nine, POLICY) == five
    assert may_show(five, ten, POLICY) == ten


def test_a_label_set_of_one_rating_is_withheld_beside_one_of_many():
    true = figures([tally(5), tally(1, labels="vpcp")], 9, SMILES)
    assert list(may_show({}, true, POLICY)) == ["smile"]


def test_a_clerks_figure_of_fewer_than_five_ratings_is_withheld():
    true = clerk_figures([tally(4), tally(5, clerk="b")], {"a": 9, "b": 9}, SMILES)
    assert list(clerks_may_show({}, true, POLICY)) == ["b"]


def test_a_clerks_figure_does_not_move_because_others_were_rated():
    shown = clerk_figures([tally(5)], {"a": 5}, SMILES)
    true = clerk_figures([tally(5), tally(1, 1), tally(4, clerk="b")], {"a": 6, "b": 4}, SMILES)
    assert clerks_may_show(shown, true, POLICY) == shown


# --- on the database -----------------------------------------------------------------------------------------


HOUR = 3600
LUNCH, EVENING = 4 * HOUR, 9.5 * HOUR
"""11:30 and 17:00, when the sessions of the sample office end."""


def serve(
    store: Store, seconds: float, level: int | None = 3, *, day: int = 0, counter: str = "1", service: str = "ho-tich"
) -> None:
    store.issuing.issue(moment(seconds, day=day), service, by="staff")
    store.counters.call_next(moment(seconds + 1, day=day), counter)
    store.counters.start(moment(seconds + 2, day=day), counter)
    store.counters.finish(moment(seconds + 60, day=day), counter)
    if level:
        store.ratings.press(moment(seconds + 62, day=day), counter, level, "key")


def shown(store: Store) -> tuple[int, int]:
    """k and n of the published smiles."""
    publication = store.ratings.published()
    figure = publication.figures["smile"] if publication else None
    return (figure.k, figure.n) if figure else (0, 0)


def test_figures_stand_still_during_the_session_and_move_when_it_closes(store: Store):
    for n in range(5):
        serve(store, n * 100, level=3 if n else 1)
    assert not store.ratings.publish(moment(1000))
    assert store.ratings.published() is None
    assert store.ratings.publish(moment(LUNCH))
    figure = store.ratings.published().figures["smile"]  # type: ignore[union-attr]
    assert (figure.k, figure.n, figure.served) == (4, 5, 5)
    assert not store.ratings.publish(moment(LUNCH))


def test_fewer_than_five_new_ratings_wait_for_the_next_session(store: Store):
    for n in range(4):
        serve(store, n * 100)
    assert not store.ratings.publish(moment(LUNCH))
    serve(store, 6 * HOUR + 100)
    assert not store.ratings.publish(moment(8 * HOUR))
    assert store.ratings.publish(moment(EVENING))
    assert store.ratings.published().session == "chieu"  # type: ignore[union-attr]


def test_a_press_after_the_close_waits_for_the_next_one(store: Store):
    for n in range(4):
        serve(store, n * 100)
    store.ratings.publish(moment(LUNCH + 1))
    serve(store, LUNCH + 600, level=1)
    assert not store.ratings.publish(moment(LUNCH + 700))
    assert store.ratings.published() is None
    assert store.ratings.publish(moment(EVENING))
    assert shown(store) == (4, 5)


def test_a_close_while_the_kiosk_is_off_is_judged_when_it_is_on_again(store: Store):
    for n in range(5):
        serve(store, n * 100)
    for n in range(5):
        serve(store, 300 + n * 100, level=1, day=2)
    assert store.ratings.publish(moment(1000, day=2))
    assert (shown(store), store.ratings.published().day) == ((5, 5), "2026-11-23")  # type: ignore[union-attr]
    assert store.ratings.published().period == "2026-11"  # type: ignore[union-attr]


def test_a_clerks_figure_never_moves_by_one(store: Store):
    for n in range(5):
        serve(store, n * 100)
    store.ratings.publish(moment(LUNCH))
    before = store.ratings.published().clerks  # type: ignore[union-attr]
    serve(store, 6 * HOUR, level=1)
    for n in range(4):
        serve(store, 6 * HOUR + 200 + n * 100, counter="3", service="bao-tro")
    assert store.ratings.publish(moment(EVENING))
    assert shown(store) == (9, 10)
    assert store.ratings.published().clerks == before  # type: ignore[union-attr]


def test_the_last_ratings_of_a_month_are_not_filled_up_with_those_of_the_next(store: Store):
    for n in range(4):
        serve(store, n * 100, day=7)
    store.ratings.publish(moment(EVENING, day=7))
    serve(store, 0, level=1, day=8)
    assert not store.ratings.publish(moment(LUNCH, day=8))
    assert store.ratings.published() is None


def test_a_month_that_is_over_is_completed_beside_the_new_one(store: Store):
    store.ratings.publish(moment(EVENING, day=7))
    for n in range(5):
        serve(store, EVENING + n * 100, day=7)
    assert store.ratings.publish(moment(LUNCH, day=8))
    publication = store.ratings.published()
    assert publication and (publication.period, publication.day) == ("2026-11", "2026-12-01")
    for n in range(5):
        serve(store, 6 * HOUR + n * 100, level=1, day=8)
    assert store.ratings.publish(moment(EVENING, day=8))
    assert (store.ratings.published().period, shown(store)) == ("2026-12", (0, 5))  # type: ignore[union-attr]


def test_one_press_that_replaces_a_published_one_does_not_count_as_new(store: Store):
    for n in range(4):
        serve(store, n * 100)
    serve(store, LUNCH - 64)
    assert store.ratings.publish(moment(LUNCH))
    store.ratings.press(moment(LUNCH + 1), "1", 1, "key")
    for n in range(4):
        serve(store, 6 * HOUR + n * 100)
    assert not store.ratings.publish(moment(EVENING))
    assert shown(store) == (5, 5)


def test_judging_takes_the_write_lock_once_for_each_close(store: Store):
    store.ratings.publish(moment(LUNCH))
    other = Store(store.database.folder, store.ratings.book)
    with other.database.writing(moment(LUNCH)):
        for n in range(1, 20):
            assert not store.ratings.publish(moment(LUNCH + 30 * n))
    other.close()
    assert [tuple(row) for row in store.database.rows("SELECT day, session FROM closes")] == [("2026-11-23", "sang")]


def test_presses_on_a_clock_that_is_not_believed_wait_until_the_day_is_over(store: Store):
    serve(store, 0)
    for n in range(6):
        store.issuing.issue(moment(100 + n * 100, day=-300, trusted=False, boot="b0070002"), "ho-tich")
        store.counters.call_next(moment(101 + n * 100, day=-300, trusted=False, boot="b0070002"), "1")
        store.counters.finish(moment(150 + n * 100, day=-300, trusted=False, boot="b0070002"), "1")
        store.ratings.press(moment(152 + n * 100, day=-300, trusted=False, boot="b0070002"), "1", 3, "key")
    # The kiosk had been off since Monday; on Wednesday the true date comes in the middle of the morning.
    assert not store.ratings.publish(moment(2 * HOUR, day=2, boot="b0070002"))
    assert {row["day"] for row in store.database.rows("SELECT day FROM ratings WHERE n > 1")} == {"2026-11-25"}
    assert not store.ratings.publish(moment(LUNCH, day=2))
    assert not store.ratings.publish(moment(EVENING, day=2))
    assert store.ratings.publish(moment(LUNCH, day=3))
    assert shown(store) == (7, 7)
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_presses_of_a_boot_that_never_knew_the_date_wait_one_close_more(store: Store):
    for n in range(6):
        serve(store, n * 100, level=None)
        store.ratings.press(moment(n * 100 + 62, trusted=False, boot="b0070002"), "1", 3, "key")
    assert not store.ratings.publish(moment(2 * HOUR, day=2, boot="b0070003"))
    assert store.ratings.publish(moment(LUNCH, day=2, boot="b0070003"))
    assert shown(store) == (6, 6)


def test_a_relabel_moves_only_what_its_boot_guessed(store: Store):
    serve(store, 0)
    for boot in ("b0070002", "b0070003"):
        store.ratings.press(moment(200, trusted=False, boot=boot), "1", 3, "key")
    with store.database.writing(moment(300, day=1, boot="b0070003")) as w:
        relabel_ratings(w, "2026-11-23", "2026-11-24", "b0070003")
    days = [row["day"] for row in store.database.rows("SELECT day FROM ratings ORDER BY n")]
    assert days == ["2026-11-23", "2026-11-23", "2026-11-24"]
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_the_replacing_seconds_run_from_the_first_press_of_a_ticket(store: Store):
    serve(store, 0)
    pressed = [store.ratings.press(moment(62 + 4.9 * n), "1", 1, "key") for n in range(1, 4)]
    assert [one.flags for one in pressed] == [(), ("repeat",), ("repeat",)]


def test_a_desk_that_was_armed_long_ago_ties_no_press_to_its_ticket(store: Store):
    serve(store, 0, level=None)
    assert store.ratings.press(moment(60 + 300), "1", 3, "key").flags == ("late",)
    assert store.ratings.press(moment(60 + 661), "1", 3, "key").flags == ("unarmed",)
    pressed = store.ratings.press(moment(100, day=2), "1", 3, "key")
    assert (pressed.flags, pressed.ticket) == (("unarmed",), "")


def test_in_free_mode_a_press_after_the_window_is_a_free_one(tmp_path: Path):
    book = rulebook(press_limits=False)
    store = open_store(tmp_path, replace(book, rating=replace(book.rating, free_rating=True)))
    serve(store, 0, level=None)
    tied = store.ratings.press(moment(119), "1", 3, "key")
    free = store.ratings.press(moment(130), "1", 3, "key")
    assert (tied.counts, bool(tied.ticket), free.counts, free.ticket) == (True, True, True, "")
    store.close()


def test_no_question_about_ratings_reads_a_whole_table(store: Store):
    """Every statement of a press, of the lamps and of a publication, as SQLite plans it."""
    asked: list[str] = []
    for n in range(5):
        serve(store, n * 100)
    store.database.conn.set_trace_callback(asked.append)
    store.ratings.press(moment(1000), "1", 3, "key")
    store.ratings.lamps(moment(1000))
    assert store.ratings.publish(moment(LUNCH))
    store.ratings.publish(moment(LUNCH))
    store.database.conn.set_trace_callback(None)
    plans = {
        sql: [row["detail"] for row in store.database.rows(f"EXPLAIN QUERY PLAN {sql}")]
        for sql in asked
        if sql.startswith("SELECT")
    }
    scans = {sql: plan for sql, plan in plans.items() if any(re.match(r"SCAN (ratings|tickets|t)\b", d) for d in plan)}
    assert scans == {}
    assert len(plans) > 8


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
