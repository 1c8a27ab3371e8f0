"""Fingers on the glass: two that are held far apart are the two keys that ask for the diagnosis."""

import pytest

from kiosk.fingers import LOST_S, Fingers
from kiosk.keys import Chord

TILE = "take:ho-tich"
LEFT, RIGHT = (0.1, 0.5), (0.9, 0.5)


def both(first_at: float = 0.0, second_at: float = 0.0, second: tuple[float, float] = RIGHT) -> Fingers:
    fingers = Fingers()
    fingers.down(1, TILE, LEFT, first_at)
    fingers.down(2, "", second, second_at)
    return fingers


def test_two_fingers_held_for_five_seconds_are_said_once() -> None:
    fingers = both(10.0, 10.5)
    said = [fingers.tick(at) for at in (15.4, 15.5, 15.6, 20.0)]
    assert said == [[], [Chord((TILE, ""), 15.5)], [], []]


def test_who_lifts_one_of_them_begins_anew() -> None:
    fingers = both(10.0, 10.0)
    fingers.up(2)
    assert fingers.tick(15.0) == []
    fingers.down(2, "", RIGHT, 11.0)
    fingers.down(1, "", LEFT, 12.0)
    assert fingers.tick(16.9) == []
    assert fingers.tick(17.0) == [Chord(("", ""), 17.0)]


@pytest.mark.parametrize(("second", "said"), [((0.5, 0.6), 0), ((0.6, 0.5), 1), ((0.1, 0.0), 1), ((0.2, 0.9), 0)])
def test_two_fingers_of_one_hand_are_a_citizen(second: tuple[float, float], said: int) -> None:
    assert len(both(second=second).tick(5.0)) == said


def test_one_finger_and_a_second_one_that_comes_late_are_nothing() -> None:
    one = Fingers()
    one.down(1, TILE, LEFT, 0.0)
    assert [fingers.tick(at) for fingers in (one, both(0.0, 2.5)) for at in (5.0, 8.0)] == [[]] * 4


def test_hands_that_lie_on_the_glass_are_nothing_also_while_they_are_lifted() -> None:
    fingers = both()
    fingers.down(3, TILE, (0.4, 0.5), 0.0)
    said = [fingers.tick(8.0)]
    fingers.up(3)
    said += [fingers.tick(at) for at in (8.1, 14.0)]
    fingers.up(1)
    said += [fingers.tick(14.1)]
    assert said == [[]] * 4


def test_a_finger_that_was_lifted_unseen_is_forgotten() -> None:
    fingers = Fingers()
    fingers.down(1, TILE, LEFT, 0.0)
    fingers.tick(LOST_S)
    fingers.down(2, "", LEFT, LOST_S)
    fingers.down(3, "", RIGHT, LOST_S)
    assert fingers.tick(LOST_S + 5) == [Chord(("", ""), LOST_S + 5)]
