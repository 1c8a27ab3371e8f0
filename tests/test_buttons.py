"""Keys and lamps on gpiozero's own mock pins: the real input and LED objects, with no electricity.

The mock calls handlers in the caller's thread, does not bounce and does not debounce.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from kiosk.buttons import (
    ButtonsError,
    KeyPin,
    LampPin,
    Lamps,
    Pins,
    lamp_states,
    mock_press,
    mock_release,
    use_mock_factory,
)
from kiosk.keys import Edge, KeyFilter, Press, Raw, Stuck

SIX = [KeyPin(f"take:{number}", 16 + number) for number in range(6)]


class Clock:
    """Monotonic seconds that move only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def mock_pins() -> Iterator[None]:
    use_mock_factory()
    yield
    Device.pin_factory.close()
    Device.pin_factory = None


def drain(inbox: queue.SimpleQueue[Raw]) -> list[Raw]:
    items = []
    while not inbox.empty():
        items.append(inbox.get_nowait())
    return items


def actions(inbox: queue.SimpleQueue[Raw]) -> list[tuple[str, bool]]:
    return [(item.action, item.down) for item in drain(inbox) if isinstance(item, Edge)]


def test_sixty_presses_in_ten_seconds_over_six_keys_are_sixty_presses() -> None:
    inbox: queue.SimpleQueue[Raw] = queue.SimpleQueue()
    clock = Clock()
    pins = Pins(SIX, inbox.put_nowait, clock=clock)
    for number in range(60):
        pin = SIX[number % 6].pin
        for _ in range(3):  # every contact bounces on its way down and on its way up
            mock_press(pin)
            clock.now += 0.001
            mock_release(pin)
            clock.now += 0.001
        mock_press(pin)
        clock.now += 0.08
        for _ in range(3):
            mock_release(pin)
            clock.now += 0.001
            mock_press(pin)
            clock.now += 0.001
        mock_release(pin)
        clock.now += 10 / 60 - 0.092
    keys = KeyFilter()
    events = [event for item in drain(inbox) if isinstance(item, Edge) for event in keys.feed(item)]
    assert clock.now == pytest.approx(1010)
    assert [event.action for event in events] == [f"take:{number % 6}" for number in range(60)]
    assert all(isinstance(event, Press) for event in events)
    pins.close()


def test_an_edge_carries_its_action_time_and_pin() -> None:
    inbox: queue.SimpleQueue[Raw] = queue.SimpleQueue()
    clock = Clock()
    pins = Pins([KeyPin("priority", 5)], inbox.put_nowait, clock=clock)
    mock_press(5)
    clock.now = 1000.4
    mock_release(5)
    assert drain(inbox) == [Edge("priority", True, 1000.0, "gpio5"), Edge("priority", False, 1000.4, "gpio5")]
    pins.close()


def test_keys_pressed_together_all_count() -> None:
    inbox: queue.SimpleQueue[Raw] = queue.SimpleQueue()
    pins = Pins(SIX, inbox.put_nowait)
    start = threading.Barrier(6)

    def finger(pin: int) -> None:
        start.wait(5)
        mock_press(pin)

    fingers = [threading.Thread(target=finger, args=(key.pin,)) for key in SIX]
    for each in fingers:
        each.start()
    for each in fingers:
        each.join(5)
    assert sorted(actions(inbox)) == [(key.action, True) for key in SIX]
    pins.close()


def test_an_offer_that_raises_does_not_silence_the_keys(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Raw] = []

    def offer(item: Raw) -> None:
        if isinstance(item, Edge) and item.action == "take:0":
            raise queue.Full
        seen.append(item)

    pins = Pins(SIX, offer)
    for _ in range(3):
        for key in SIX[:2]:
            mock_press(key.pin)
            mock_release(key.pin)
    assert pins.failures == 6
    assert [item.action for item in seen if isinstance(item, Edge)] == ["take:1"] * 6
    assert len(caplog.records) == 1, "one line in the log, not one a press"
    assert caplog.records[0].exc_info
    pins.close()


def test_a_key_held_at_start_gives_no_press_and_becomes_stuck() -> None:
    inbox: queue.SimpleQueue[Raw] = queue.SimpleQueue()
    clock = Clock()
    Device.pin_factory.pin_class = HeldDown
    pins = Pins([KeyPin("take:0", 5)], inbox.put_nowait, clock=clock)
    Device.pin_factory.pin_class = MockPin
    assert pins.held_at_start() == ("take:0",)
    keys = KeyFilter(stuck_s=10)
    items = drain(inbox)
    assert items == [Edge("take:0", True, 1000.0, "gpio5", at_start=True)]
    assert [event for item in items if isinstance(item, Edge) for event in keys.feed(item)] == []
    assert keys.tick(1009.9) == []
    assert keys.tick(1010.0) == [Stuck("take:0", 1010.0, "gpio5")]
    mock_release(5)
    assert actions(inbox) == [("take:0", False)]
    pins.close()


class HeldDown(MockPin):
    """A key that someone leans on: the pull-up does not lift it."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.drive_low()


class FailingFactory(MockFactory):
    """Pin 6 answers as lgpio does when another program holds the line. Nothing else of lgpio is imitated."""

    def pin(self, name: object, **kwargs: object) -> object:
        if name == 6:
            raise OSError("GPIO busy")
        return super().pin(name, **kwargs)


def test_a_broken_pin_is_named_and_the_others_work() -> None:
    Device.pin_factory = FailingFactory()
    inbox: queue.SimpleQueue[Raw] = queue.SimpleQueue()
    keys = [KeyPin("take:0", 5), KeyPin("take:1", 6), KeyPin("take:2", 99), KeyPin("take:3", 5), KeyPin("take:4", 7)]
    pins = Pins(keys, inbox.put_nowait)
    assert sorted(pins.broken) == ["take:1", "take:2", "take:3"]
    assert pins.broken["take:1"] == "OSError: GPIO busy"
    assert "99" in pins.broken["take:2"]
    assert "in use" in pins.broken["take:3"]
    mock_press(5)
    mock_press(7)
    assert actions(inbox) == [("take:0", True), ("take:4", True)]
    pins.close()


def test_keys_have_a_pull_up_and_the_bounce_time() -> None:
    pins = Pins([KeyPin("take:0", 5)], lambda item: None)
    pin = Device.pin_factory.pin(5)
    assert (pin.pull, pin.bounce, pin.function) == ("up", 0.03, "input")
    pins.close()


def test_twenty_keys_cost_no_thread() -> None:
    before = threading.active_count()
    pins = Pins([KeyPin(f"take:{pin}", pin) for pin in range(4, 24)], lambda item: None)
    assert threading.active_count() == before
    pins.close()


def test_after_close_a_key_says_nothing_and_its_pin_is_free() -> None:
    inbox: queue.SimpleQueue[Raw] = queue.SimpleQueue()
    pins = Pins(SIX, inbox.put_nowait)
    pins.close()
    mock_press(SIX[0].pin)
    assert drain(inbox) == []
    again = Pins(SIX, inbox.put_nowait)
    assert again.broken == {}
    again.close()


class DyingPin(MockPin):
    """An output that counts its writes and can stop answering."""

    dead = False
    writes = 0

    def _set_state(self, value: float) -> None:
        DyingPin.writes += 1
        if DyingPin.dead:
            raise OSError("Input/output error")
        super()._set_state(value)


def test_lamps_follow_and_pins_are_written_only_on_change() -> None:
    Device.pin_factory.pin_class = DyingPin
    wired = [LampPin("rate:1:happy", 12), LampPin("take:ho-tich", 13)]
    lamps = Lamps(wired)
    assert lamp_states(wired) == {"rate:1:happy": False, "take:ho-tich": False}
    before = DyingPin.writes
    for _ in range(5):
        lamps.set("rate:1:happy", True)
        lamps.set("take:ho-tich", False)
    assert DyingPin.writes == before + 1
    assert lamp_states(wired) == {"rate:1:happy": True, "take:ho-tich": False}
    lamps.set("rate:1:happy", False)
    assert lamp_states(wired) == {"rate:1:happy": False, "take:ho-tich": False}
    lamps.set("a lamp that nobody built", True)
    lamps.close()


def test_a_lamp_that_fails_is_reported_once_and_recovers(caplog: pytest.LogCaptureFixture) -> None:
    Device.pin_factory.pin_class = DyingPin
    wired = [LampPin("rate:1:happy", 12)]
    lamps = Lamps(wired)
    DyingPin.dead = True
    for _ in range(3):
        lamps.set("rate:1:happy", True)
    assert lamps.broken == {"rate:1:happy": "OSError: Input/output error"}
    assert len(caplog.records) == 1
    DyingPin.dead = False
    lamps.set("rate:1:happy", True)
    assert lamps.broken == {}
    assert lamp_states(wired) == {"rate:1:happy": True}
    lamps.close()


def test_a_lamp_on_a_pin_in_use_leaves_the_others_working() -> None:
    pins = Pins([KeyPin("take:0", 12)], lambda item: None)
    wired = [LampPin("take:0", 12), LampPin("take:1", 13)]
    lamps = Lamps(wired)
    assert list(lamps.broken) == ["take:0"]
    lamps.set("take:0", True)
    lamps.set("take:1", True)
    assert lamp_states(wired[1:]) == {"take:1": True}
    lamps.close()
    pins.close()


def test_without_keys_and_lamps_no_chip_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    pins, lamps = Pins([], lambda item: None), Lamps([])
    lamps.set("take:0", True)
    assert pins.thread_alive()
    assert Device.pin_factory is None
    pins.close()
    lamps.close()
    use_mock_factory()


@pytest.mark.parametrize(
    ("named", "advice"),
    [
        (None, "python3-lgpio"),
        ("lgpoi", "GPIOZERO_PIN_FACTORY"),
        ("native", "no Raspberry Pi"),
    ],
)
def test_a_chip_that_cannot_be_used_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, named: str | None, advice: str
) -> None:
    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setitem(sys.modules, "lgpio", None)  # as where it is not installed
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    if named:
        monkeypatch.setenv("GPIOZERO_PIN_FACTORY", named)
    else:
        monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    with pytest.raises(ButtonsError, match=advice):
        Pins(SIX, lambda item: None)
    with pytest.raises(OSError, match=advice):
        Lamps([LampPin("take:0", 12)])
    use_mock_factory()


def test_a_dead_callback_thread_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class LGPIOFactory(MockFactory):
        """Mock pins under the name of lgpio's factory; the thread below stands for lgpio's only callback thread."""

    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    lgpio = type(sys)("lgpio")
    lgpio._notify_thread = thread  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    Device.pin_factory = LGPIOFactory()
    pins = Pins(SIX, lambda item: None)
    assert pins.thread_alive()
    stop.set()
    thread.join(5)
    assert not pins.thread_alive()
    pins.close()


def test_pins_log_nothing_when_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pins = Pins(SIX, lambda item: None)
        mock_press(SIX[0].pin)
        mock_release(SIX[0].pin)
        pins.close()
    assert not caplog.records
