"""Queue rules without a database: who is next, who must wait, what may be promised."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.tickets import (
    PLACE_STEP,
    Counter,
    Load,
    Policy,
    Refused,
    State,
    Ticket,
    apply,
    finish,
    label,
    limit_press,
    no_show,
    passed,
    recall,
    start,
)
from kiosk.turns import choose, people_ahead, place_near_head, wait_range
from tests.office import OPENING

POLICY = Policy()


def ticket(n: int, *, priority: bool = False, minute: float = 0, queue: str = "a") -> Ticket:
    return Ticket(
        id=f"t{n}", token="", series="s", session="", service=queue, seq=n, number=f"1{n:03d}", priority=priority,
        issued_at=OPENING + timedelta(minutes=minute), boot="b", trusted=True, place=n * PLACE_STEP, queue=queue,
    )  # fmt: skip


def call_all(line: list[Ticket], policy: Policy, minute: float = 1) -> list[str]:
    """The order in which one counter calls everybody, all within a moment."""
    order, last = [], {}
    line = sorted(line, key=lambda t: t.place)
    while line:
        heads = [next((t for t in line if t.priority == kind), None) for kind in (True, False)]
        chosen = choose([t for t in heads if t], last, policy, OPENING + timedelta(minutes=minute))
        assert chosen is not None
        line.remove(chosen)
        last[chosen.queue] = chosen.priority
        order.append(chosen.id)
    return order


def test_ordinary_and_priority_tickets_take_turns():
    line = [ticket(1), ticket(2), ticket(3, priority=True), ticket(4, priority=True)]
    assert call_all(line, POLICY) == ["t3", "t1", "t4", "t2"]


def test_strict_priority_goes_first_when_the_office_says_so():
    line = [ticket(1), ticket(2), ticket(3, priority=True), ticket(4, priority=True)]
    assert call_all(line, replace(POLICY, priority="strict")) == ["t3", "t4", "t1", "t2"]


def test_an_ordinary_ticket_that_waited_half_an_hour_goes_before_priority():
    line = [ticket(1, minute=0), ticket(2, priority=True, minute=20)]
    assert call_all(line, POLICY, minute=30)[0] == "t1"


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 60))
def test_nobody_is_overtaken_by_more_than_one_priority_ticket_each_turn(kinds: list[bool], minute: int):
    line = [ticket(n, priority=kind) for n, kind in enumerate(kinds)]
    order = call_all(line, POLICY, minute=minute)
    for position, name in enumerate(order):
        n = int(name[1:])
        same_before = sum(1 for k in kinds[:n] if k == kinds[n])
        # By turns: at most one of the other kind before each of one's own, and one more at the start.
        assert position <= max(2 * same_before + 1, n)


def test_a_counter_with_two_queues_serves_the_longest_wait_first():
    heads = [ticket(2, queue="a"), ticket(1, queue="b")]
    assert choose(heads, {}, POLICY, OPENING).id == "t1"  # type: ignore[union-attr]


def test_a_ticket_that_missed_its_call_is_not_offered_for_five_minutes_unless_nobody_else_waits():
    missed = replace(ticket(1), missed_at=OPENING)
    for minutes, chosen in ((4, "t2"), (5, "t1")):
        now = OPENING + timedelta(minutes=minutes)
        assert choose([missed, ticket(2)], {}, POLICY, now).id == chosen  # type: ignore[union-attr]
    assert choose([missed], {}, POLICY, OPENING) is missed


@given(st.lists(st.booleans(), max_size=12), st.booleans(), st.booleans())
def test_a_returned_ticket_stands_behind_the_next_two(kinds: list[bool], own: bool, last: bool):
    line = [ticket(n + 1, priority=kind) for n, kind in enumerate(kinds)]
    back = ticket(0, priority=own)
    back = replace(back, place=place_near_head(line, back, last, POLICY, OPENING))
    order, turn, rest = [], {"a": last}, sorted([*line, back], key=lambda t: t.place)
    while rest:
        heads = [next((t for t in rest if t.priority == kind), None) for kind in (True, False)]
        chosen = choose([t for t in heads if t], turn, POLICY, OPENING)
        assert chosen is not None
        turn["a"] = chosen.priority
        rest.remove(chosen)
        order.append(chosen.id)
    position = order.index("t0")
    assert min(2, len(line)) <= position or all(k != own for k in kinds)
    assert position <= 5


def test_numbers_run_past_999_and_never_wrap():
    assert [label("1", n) for n in (1, 12, 999, 1000)] == ["1001", "1012", "1999", "11000"]


def test_a_second_press_within_the_cool_down_is_refused_and_a_clock_set_back_never_locks_the_kiosk():
    limit_press(Load(), POLICY, OPENING)
    with pytest.raises(Refused, match="too_fast"):
        limit_press(Load(OPENING, 1), POLICY, OPENING + timedelta(seconds=1))
    limit_press(Load(OPENING + timedelta(days=3), 1), POLICY, OPENING)


@pytest.mark.parametrize(("ahead", "has"), [(0.005, False), (14, False), (15, True)])
def test_a_time_just_ahead_has_not_passed_and_one_far_ahead_is_of_a_clock_that_was_set_back(ahead: float, has: bool):
    assert passed(OPENING + timedelta(seconds=ahead), 15, OPENING) is has


def test_more_numbers_a_minute_than_allowed_are_a_flood():
    with pytest.raises(Refused, match="flood"):
        limit_press(Load(OPENING - timedelta(seconds=9), 40), POLICY, OPENING)


def test_an_absence_needs_two_minutes_and_three_for_a_priority_ticket():
    counter = Counter("1", "open", "a", ticket="t1")
    for priority, seconds in ((False, 120), (True, 180)):
        called = replace(ticket(1, priority=priority), state=State.CALLED, first_called_at=OPENING)
        with pytest.raises(Refused, match="too_early_absent"):
            no_show(called, counter, POLICY, OPENING + timedelta(seconds=seconds - 1))
        assert no_show(called, counter, POLICY, OPENING + timedelta(seconds=seconds))[0] == "ticket.no_show"


@pytest.mark.parametrize(("gone", "left"), [(0, 120), (19.2, 101), (119.9, 1)])
def test_a_refused_absence_tells_the_whole_seconds_that_remain(gone: float, left: int):
    called = replace(ticket(1), state=State.CALLED, first_called_at=OPENING)
    with pytest.raises(Refused) as refused:
        no_show(called, Counter("1", "open", "a", ticket="t1"), POLICY, OPENING + timedelta(seconds=gone))
    assert refused.value.values["seconds"] == left


def test_a_number_whose_start_was_only_implied_can_be_called_again_and_is_then_called():
    counter = Counter("1", "open", "a", ticket="t1")
    called = replace(ticket(1), state=State.CALLED, calls=1, first_called_at=OPENING, last_called_at=OPENING)
    implied = apply(called, *start(called, counter, implied=True), OPENING + timedelta(seconds=15))
    again = apply(
        implied, *recall(implied, counter, POLICY, OPENING + timedelta(seconds=30)), OPENING + timedelta(seconds=30)
    )
    assert (again.state, again.started_at, again.implied, again.calls) == (State.CALLED, None, False, 2)
    pressed = apply(called, *start(called, counter), OPENING + timedelta(seconds=15))
    with pytest.raises(Refused, match="wrong_state"):
        recall(pressed, counter, POLICY, OPENING + timedelta(seconds=30))


def test_a_start_that_was_only_implied_leaves_an_absence_possible_and_one_that_was_pressed_does_not():
    counter, now = Counter("1", "open", "a", ticket="t1"), OPENING + timedelta(seconds=120)
    called = replace(ticket(1), state=State.CALLED, first_called_at=OPENING, last_called_at=OPENING)
    implied, pressed = (
        apply(called, *start(called, counter, implied=by_itself), OPENING + timedelta(seconds=15))
        for by_itself in (True, False)
    )
    with pytest.raises(Refused, match="too_early_absent"):
        no_show(implied, counter, POLICY, now - timedelta(seconds=1))
    missed = apply(implied, *no_show(implied, counter, POLICY, now), now)
    assert (missed.state, missed.started_at, missed.implied) == (State.NO_SHOW, None, False)
    done = apply(implied, *finish(implied, counter), now)
    for wrong in (pressed, done):
        with pytest.raises(Refused, match="wrong_state"):
            no_show(wrong, counter, POLICY, now)


def test_a_number_is_called_three_times_at_the_most_and_half_a_minute_apart():
    counter = Counter("1", "open", "a", ticket="t1")
    called = replace(ticket(1), state=State.CALLED, calls=1, last_called_at=OPENING)
    with pytest.raises(Refused, match="called_just_now"):
        recall(called, counter, POLICY, OPENING + timedelta(seconds=29))
    assert recall(called, counter, POLICY, OPENING + timedelta(seconds=30))[0] == "ticket.recalled"
    with pytest.raises(Refused, match="called_enough"):
        recall(replace(called, calls=3), counter, POLICY, OPENING + timedelta(hours=1))


def test_no_wait_is_promised_below_the_sample_and_one_forgotten_click_does_not_move_it():
    assert wait_range(4, [300] * 4, 2, POLICY) is None
    assert wait_range(4, [300] * 5, 0, POLICY) is None
    assert wait_range(4, [300] * 8, 2, POLICY) == (8, 13)
    assert wait_range(4, [300] * 7 + [7200], 2, POLICY) == (8, 13)


def test_a_priority_ticket_waits_for_its_kind_and_the_turns_between():
    assert people_ahead(True, 5, 2, 0, False, POLICY) == 4
    assert people_ahead(True, 5, 2, 0, True, POLICY) == 5
    assert people_ahead(True, 5, 2, 3, False, POLICY) == 7
    assert people_ahead(True, 5, 2, 0, True, replace(POLICY, priority="strict")) == 2
    assert people_ahead(False, 5, 2, 0, False, POLICY) == 7
