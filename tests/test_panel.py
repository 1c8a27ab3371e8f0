"""Lamps that answer a press: on gpiozero's mock pins, with the time as an argument."""

from collections.abc import Iterator

import pytest
from gpiozero import Device

from kiosk.buttons import LampPin, Lamps, lamp_states, use_mock_factory
from kiosk.parts import BLINK_S, FACES, Panel

T0 = 1000.0
PINS = [
    LampPin("take:ho-tich", 5),
    LampPin("priority", 6),
    *(LampPin(f"rate:1:{face}", pin) for face, pin in zip(FACES, (13, 19, 26), strict=True)),
    LampPin("rate:11:happy", 12),
]


@pytest.fixture
def panel() -> Iterator[Panel]:
    use_mock_factory()
    made = Panel(lamps=Lamps(PINS))
    yield made
    made.close()
    Device.pin_factory.close()
    Device.pin_factory = None


def lit() -> set[str]:
    return {name for name, on in lamp_states(PINS).items() if on}


def test_a_lit_key_that_is_pressed_goes_dark_for_a_moment_and_comes_back(panel: Panel):
    panel.lamp("take:ho-tich", True)
    panel.pressed("take:ho-tich", T0)
    assert lit() == set()
    panel.lamp("take:ho-tich", True)  # what is drawn meanwhile says the same again
    panel.tick(T0 + BLINK_S - 0.01)
    assert lit() == set()
    panel.tick(T0 + BLINK_S)
    assert lit() == {"take:ho-tich"}


def test_a_dark_key_that_is_pressed_flashes(panel: Panel):
    panel.lamp("take:ho-tich", False)
    panel.pressed("take:ho-tich", T0)
    assert lit() == {"take:ho-tich"}
    panel.tick(T0 + BLINK_S)
    assert lit() == set()


def test_what_changes_meanwhile_is_shown_after_the_blink(panel: Panel):
    panel.pressed("priority", T0)
    panel.lamp("priority", True)  # chosen
    panel.tick(T0 + BLINK_S)
    assert lit() == {"priority"}
    panel.pressed("priority", T0 + 10)
    panel.lamp("priority", False)  # taken back
    assert lit() == set()
    panel.tick(T0 + 10 + BLINK_S)
    assert lit() == set()


def test_a_press_during_a_blink_prolongs_it(panel: Panel):
    panel.lamp("take:ho-tich", True)
    panel.pressed("take:ho-tich", T0)
    panel.pressed("take:ho-tich", T0 + 0.2)
    panel.tick(T0 + BLINK_S)
    assert lit() == set()
    panel.tick(T0 + 0.2 + BLINK_S)
    assert lit() == {"take:ho-tich"}


@pytest.mark.parametrize("armed", [True, False])
def test_the_three_faces_of_a_counter_blink_alike_whichever_was_pressed(panel: Panel, armed: bool):
    seen = []
    for n, face in enumerate(FACES):
        at = T0 + n * 100
        for name in FACES:
            panel.lamp(f"rate:1:{name}", armed)
        panel.pressed(f"rate:1:{face}", at)
        during = lit()
        panel.tick(at + BLINK_S)
        seen.append((during, lit()))
    three = {f"rate:1:{face}" for face in FACES}
    assert seen == [(set(), three) if armed else (three, set())] * 3


def test_a_press_without_a_lamp_lights_nothing(panel: Panel):
    for action in ("cancel", "call:1", "take:nowhere", "rate:9:happy", ""):
        panel.pressed(action, T0)
    assert lit() == set()
    panel.tick(T0 + BLINK_S)
    assert lit() == set()


def test_a_kiosk_without_lamps_takes_presses():
    bare = Panel()
    bare.pressed("take:ho-tich", T0)
    bare.tick(T0 + 1)
    bare.lamp("take:ho-tich", True)
