"""The pure key filter: bounce, lock-out, holds, stuck keys. Times are plain numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.keys import (
    Edge,
    Freed,
    Hold,
    KeyboardSource,
    KeyEvent,
    KeyFilter,
    Press,
    Stuck,
    is_stale,
    key_name,
)

LOCKOUT, SETTLE, HOLD, STUCK = 0.2, 0.03, 1.5, 10.0


def make_filter(hold: bool = False) -> KeyFilter:
    return KeyFilter(LOCKOUT, STUCK, HOLD, ["key"] if hold else [], settle_s=SETTLE)


def run(keys: KeyFilter, edges: list[tuple[float, bool]], ticks: list[float] | None = None) -> list[KeyEvent]:
    """Feed edges of one key, with ticks between, and let the end of time come."""
    steps = [(at, 0 if down else 1, down) for at, down in edges] + [(at, 2, None) for at in ticks or []]
    events: list[KeyEvent] = []
    for at, _, down in sorted(steps, key=lambda step: step[:2]):
        events += keys.tick(at) if down is None else (keys.down if down else keys.up)("key", at)
    return events + keys.tick(1e9)


def bouncing(start: float, held: float) -> list[tuple[float, bool]]:
    """A press that chatters for 12 ms at both ends."""
    edges = []
    for at in (start, start + held):
        for millisecond in range(0, 12, 2):
            edges += [(at + millisecond / 1000, True), (at + (millisecond + 1) / 1000, False)]
    return sorted([*edges, (start + 0.012, True), (start + held + 0.012, False)])


@pytest.mark.parametrize("hold", [False, True])
def test_twenty_bouncing_presses_are_twenty_presses(hold: bool) -> None:
    edges = [edge for number in range(20) for edge in bouncing(number * 0.5, 0.06)]
    events = run(make_filter(hold), edges)
    assert len(events) == 20
    assert all(isinstance(event, Press) for event in events)


def test_the_bounce_after_a_long_press_is_no_second_press() -> None:
    assert run(make_filter(), bouncing(0, 3.0)) == [Press("key", 0, "")]


def test_a_second_press_within_the_lockout_is_ignored_and_counted() -> None:
    keys = make_filter()
    events = run(keys, [(0, True), (0.05, False), (0.15, True), (0.19, False), (0.25, True), (0.3, False)])
    assert [event.at for event in events] == [0, 0.25]
    assert keys.locked_out == 1


def test_different_keys_do_not_lock_each_other() -> None:
    keys = make_filter()
    events = [event for action in ("a", "b", "c") for event in keys.down(action, 5.0)]
    assert events == [Press("a", 5.0, ""), Press("b", 5.0, ""), Press("c", 5.0, "")]


def test_two_contacts_of_one_action_are_judged_alone() -> None:
    keys = make_filter()
    keys.down("key", 0, "gpio5")
    keys.tick(11)
    assert keys.stuck() == ("key",)
    assert keys.down("key", 12, "keyboard") == [Press("key", 12, "keyboard")]


def test_a_stuck_key_is_reported_once_and_works_again_when_freed() -> None:
    keys = make_filter()
    assert keys.down("key", 0) == [Press("key", 0, "")]
    assert keys.tick(9.99) == []
    assert keys.tick(10.0) == [Stuck("key", 10.0, "")]
    assert keys.tick(500) == []
    assert keys.down("key", 600) == [], "a chattering stuck key gives no press"
    assert keys.up("key", 700) == []
    assert keys.tick(700.1) == [Freed("key", 700, "")]
    assert keys.stuck() == ()
    assert keys.down("key", 701) == [Press("key", 701, "")]


def test_a_key_held_at_start_is_ignored_then_stuck_then_free() -> None:
    keys = make_filter(hold=True)
    assert keys.feed(Edge("key", True, 0, "gpio5", at_start=True)) == []
    assert keys.tick(5) == []
    assert keys.tick(10) == [Stuck("key", 10, "gpio5")]
    assert keys.feed(Edge("key", False, 20, "gpio5")) == []
    assert keys.tick(21) == [Freed("key", 20, "gpio5")]


def test_a_call_key_presses_on_release_and_holds_at_hold_s() -> None:
    short = run(make_filter(hold=True), [(0, True), (1.4, False)])
    assert short == [Press("key", 1.4, "")]
    long = run(make_filter(hold=True), [(0, True), (1.6, False)])
    assert long == [Hold("key", 1.5, "")]


def test_a_hold_is_told_while_the_key_is_still_down() -> None:
    keys = make_filter(hold=True)
    keys.down("key", 0)
    assert keys.tick(1.49) == []
    assert keys.tick(1.5) == [Hold("key", 1.5, "")]
    assert keys.tick(10) == [Stuck("key", 10, "")]


def test_a_contact_that_opens_for_a_moment_does_not_end_a_hold() -> None:
    events = run(make_filter(hold=True), [(0, True), (1.48, False), (1.49, True), (3, False)])
    assert events == [Hold("key", 1.5, "")]


def test_an_old_press_is_stale() -> None:
    assert not is_stale(Press("key", 10, ""), 12, 2)
    assert is_stale(Press("key", 10, ""), 12.01, 2)


@pytest.mark.parametrize("times", [(-0.1, 10, 1), (0.2, 1, 1), (0.2, 10, 0)])
def test_key_times_that_make_no_sense_are_refused(times: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="hold_s < stuck_s"):
        KeyFilter(*times)


def trains() -> st.SearchStrategy[list[tuple[float, bool]]]:
    """Any train of edges, repeats included, at moments a millisecond to seconds apart (exact in binary)."""
    gap = st.one_of(st.integers(0, 40), st.integers(0, 400), st.integers(0, 13000)).map(lambda n: n / 1024)
    steps = st.lists(st.tuples(gap, st.booleans()), max_size=40)

    def walk(pairs: list[tuple[float, bool]]) -> list[tuple[float, bool]]:
        at, edges = 0.0, []
        for wait, down in pairs:
            at += wait
            edges.append((at, down))
        return edges

    return steps.map(walk)


@given(trains(), st.booleans())
def test_no_train_of_edges_gives_two_presses_within_the_lockout(edges: list[tuple[float, bool]], hold: bool) -> None:
    taken = [event.at for event in run(make_filter(hold), edges) if isinstance(event, Press | Hold)]
    assert all(later - earlier >= LOCKOUT for earlier, later in pairwise(taken))
    assert len(taken) <= sum(down for _, down in edges)


@given(trains(), st.booleans())
def test_each_stuck_key_is_freed_at_most_once_and_in_turn(edges: list[tuple[float, bool]], hold: bool) -> None:
    told = [type(event) for event in run(make_filter(hold), edges) if isinstance(event, Stuck | Freed)]
    assert told == [Stuck, Freed] * (len(told) // 2) + [Stuck] * (len(told) % 2)


@given(trains(), st.booleans(), st.lists(st.integers(0, 60 * 1024).map(lambda n: n / 1024), max_size=30))
def test_how_often_the_filter_is_ticked_changes_nothing(
    edges: list[tuple[float, bool]], hold: bool, ticks: list[float]
) -> None:
    assert run(make_filter(hold), edges, ticks) == run(make_filter(hold), edges)


@st.composite
def clean_presses(draw: st.DrawFn) -> tuple[int, list[tuple[float, bool]]]:
    """Presses with a pause of the lock-out between them; each chatters for a moment at both ends."""
    at, edges = 0.0, []
    count = draw(st.integers(1, 8))
    for _ in range(count):
        for down, longest in ((True, 1.4), (False, 2.0)):
            chatter = draw(st.lists(st.integers(1, 6), max_size=4))
            edges.append((at, down))
            for milliseconds in chatter:
                edges += [(at + milliseconds / 2048, not down), (at + milliseconds / 1024, down)]
                at += milliseconds / 1024
            at += draw(st.floats(LOCKOUT + SETTLE, longest))
    return count, edges


@given(clean_presses(), st.booleans())
def test_every_clean_press_counts_once(presses: tuple[int, list[tuple[float, bool]]], hold: bool) -> None:
    count, edges = presses
    events = run(make_filter(hold), edges)
    assert [type(event) for event in events].count(Press) + [type(event) for event in events].count(Hold) == count


def test_keyboard_repeats_are_swallowed() -> None:
    board = KeyboardSource({"1": "take:1", "KP Enter": "call:1"})
    assert board.down("1", 5.0) == Edge("take:1", True, 5.0, "keyboard")
    assert board.down("1", 5.5) is None
    assert board.up("1", 6.0) == Edge("take:1", False, 6.0, "keyboard")
    assert board.up("1", 6.1) is None
    assert board.down("enter", 7.0) == Edge("call:1", True, 7.0, "keyboard")
    assert board.down("q", 7.0) is None


def test_a_keyboard_without_focus_has_no_key_down() -> None:
    board = KeyboardSource({"1": "take:1", "2": "take:2"})
    board.down("1", 5.0)
    board.down("2", 5.0)
    assert board.release_all(6.0) == [Edge("take:1", False, 6.0, "keyboard"), Edge("take:2", False, 6.0, "keyboard")]
    assert board.release_all(7.0) == []
    assert board.down("1", 8.0) is not None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("F1", "f1"),
        ("KP 1", "[1]"),
        ("Keypad +", "[+]"),
        ("kp enter", "enter"),
        ("[1]", "[1]"),
        ("Page  Up", "page up"),
    ],
)
def test_key_names_have_one_spelling(written: str, name: str) -> None:
    assert key_name(written) == name
