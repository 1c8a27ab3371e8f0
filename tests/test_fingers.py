"""Fingers on the glass: two that are held together are the two keys that ask for the diagnosis."""

from kiosk.fingers import LOST_S, Fingers
from kiosk.keys import Chord

TILE = "take:ho-tich"


def test_two_fingers_held_for_five_seconds_are_said_once() -> None:
    fingers = Fingers()
    fingers.down(1, TILE, 10.0)
    fingers.down(2, "", 10.5)
    said = [fingers.tick(at) for at in (15.4, 15.5, 15.6, 20.0)]
    assert said == [[], [Chord((TILE, ""), 15.5)], [], []]


def test_who_lifts_one_of_them_begins_anew() -> None:
    fingers = Fingers()
    fingers.down(1, "", 10.0)
    fingers.down(2, "", 10.0)
    fingers.up(2)
    assert fingers.tick(15.0) == []
    fingers.down(2, "", 11.0)
    fingers.down(1, "", 12.0)
    assert fingers.tick(16.9) == []
    assert fingers.tick(17.0) == [Chord(("", ""), 17.0)]


def test_one_finger_a_hand_and_a_second_one_that_comes_late_are_nothing() -> None:
    one, late, hand = Fingers(), Fingers(), Fingers()
    one.down(1, TILE, 0.0)
    late.down(1, TILE, 0.0)
    late.down(2, TILE, 2.5)
    for finger in range(3):
        hand.down(finger, TILE, 0.0)
    assert [fingers.tick(at) for fingers in (one, late, hand) for at in (5.0, 8.0)] == [[]] * 6


def test_a_finger_that_was_lifted_unseen_is_forgotten() -> None:
    fingers = Fingers()
    fingers.down(1, TILE, 0.0)
    fingers.tick(LOST_S)
    fingers.down(2, "", LOST_S)
    fingers.down(3, "", LOST_S)
    assert fingers.tick(LOST_S + 5) == [Chord(("", ""), LOST_S + 5)]
