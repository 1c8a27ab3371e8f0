"""Keys and lamps on GPIO pins, through gpiozero: the only module that knows it.

Pins give raw edges and nothing else: the handlers run in the one callback thread of the GPIO library, where an error or
a slow line would silence every key. Bounce, lock-out, holds and stuck keys are judged by `kiosk.keys`; what a key means
is the caller's matter.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gpiozero import LED, Device, DigitalInputDevice, GPIOZeroError

from kiosk.keys import Edge, Outlet, Raw

logger = logging.getLogger(__name__)

# lgpio reports a level once it has been the same for this long: more than 0.03 s loses short taps, and with none every
# bounce comes through.
BOUNCE_S = 0.03


class ButtonsError(OSError):
    """The GPIO chip cannot be used at all; the message says what to do."""


@dataclass(frozen=True, slots=True)
class KeyPin:
    """A key between GPIO `pin` (BCM number) and ground."""

    action: str
    pin: int


@dataclass(frozen=True, slots=True)
class LampPin:
    """A lamp that lights while GPIO `pin` (BCM number) is high."""

    name: str
    pin: int


class Pins:
    """All keys on GPIO. Edges go to `offer`, which must not wait (a queue's put_nowait).

    A key that cannot be set up is in `broken` (action → reason) and the others work. With no keys nothing is opened.
    Raises ButtonsError when the GPIO chip itself cannot be used.
    """

    def __init__(
        self,
        keys: Iterable[KeyPin],
        offer: Callable[[Raw], object],
        *,
        bounce_s: float = BOUNCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outlet = Outlet(offer)
        self._clock = clock
        self._inputs: list[tuple[KeyPin, Any]] = []
        self.broken: dict[str, str] = {}
        wanted = list(keys)
        if wanted:
            _open_chip()
        for key in wanted:
            self._add(key, bounce_s)
        self._held = tuple(key for key, device in self._inputs if device.is_active)
        for key in self._held:
            self._outlet.put(Edge(key.action, True, clock(), _source(key), at_start=True))

    @property
    def failures(self) -> int:
        """Edges that `offer` refused."""
        return self._outlet.failures

    def held_at_start(self) -> tuple[str, ...]:
        """Actions whose key was down at the start: no edge tells of it, so each was offered once, marked `at_start`."""
        return tuple(key.action for key in self._held)

    def thread_alive(self) -> bool:
        """Whether edges can still arrive: lgpio has one thread for all, and nothing else notices its death."""
        if not self._inputs or type(Device.pin_factory).__name__ != "LGPIOFactory":
            return True
        thread = getattr(sys.modules.get("lgpio"), "_notify_thread", None)
        return thread is None or bool(thread.is_alive())

    def close(self) -> None:
        _close([device for _, device in self._inputs])
        self._inputs.clear()

    def _add(self, key: KeyPin, bounce_s: float) -> None:
        # Not gpiozero's Button: each has a thread that wakes ten times a second for holds, which we judge ourselves
        # (20 keys: 337 wake-ups a second and 0.75 % of a core for nothing).
        try:
            device = DigitalInputDevice(key.pin, pull_up=True, bounce_time=bounce_s)
        except _hardware_errors() as error:
            self.broken[key.action] = _say(error)
            logger.warning("key %s on GPIO%s does not work: %s", key.action, key.pin, _say(error))
            return
        device.when_activated = partial(self._edge, key, True)
        device.when_deactivated = partial(self._edge, key, False)
        self._inputs.append((key, device))

    def _edge(self, key: KeyPin, down: bool) -> None:
        self._outlet.put(Edge(key.action, down, self._clock(), _source(key)))


class Lamps:
    """Lamps by name, on or off. A name without a pin is a lamp that nobody built: setting it does nothing.

    A lamp that cannot be set up or written is in `broken` (name → reason) and logged once; the others work. A failed
    write is made good by the next `set`, which raises nothing. Raises ButtonsError when the GPIO chip cannot be used.
    """

    def __init__(self, lamps: Iterable[LampPin]) -> None:
        self._leds: dict[str, Any] = {}
        self._on: dict[str, bool] = {}
        self.broken: dict[str, str] = {}
        wanted = list(lamps)
        if wanted:
            _open_chip()
        for lamp in wanted:
            self._add(lamp)

    def set(self, name: str, on: bool) -> None:
        """Switch a lamp; the pin is written only when this changes it."""
        led = self._leds.get(name)
        if led is None or self._on.get(name) == on:
            return
        try:
            led.on() if on else led.off()
        except _hardware_errors() as error:
            self._break(name, error)
            return
        self._on[name] = on
        self.broken.pop(name, None)

    def close(self) -> None:
        """All dark, pins free."""
        _close(list(self._leds.values()))
        self._leds.clear()

    def _add(self, lamp: LampPin) -> None:
        try:
            self._leds[lamp.name] = LED(lamp.pin, initial_value=False)
        except _hardware_errors() as error:
            self._break(lamp.name, error)
            return
        self._on[lamp.name] = False

    def _break(self, name: str, error: Exception) -> None:
        if name not in self.broken:
            logger.warning("lamp %s does not work: %s", name, _say(error))
        self.broken[name] = _say(error)


def use_mock_factory() -> None:
    """Pins of air for the simulator and the tests: gpiozero's own mock. It does not bounce and does not debounce."""
    from gpiozero.pins.mock import MockFactory

    if Device.pin_factory is not None:
        Device.pin_factory.close()
    Device.pin_factory = MockFactory()


def mock_press(pin: int) -> None:
    """Close the key on a mock pin; its handler runs here, in the caller's thread."""
    Device.pin_factory.pin(pin).drive_low()


def mock_release(pin: int) -> None:
    Device.pin_factory.pin(pin).drive_high()


def lamp_states(lamps: Iterable[LampPin]) -> dict[str, bool]:
    """What the pins of these lamps show now: name → lit."""
    return {lamp.name: bool(Device.pin_factory.pin(lamp.pin).state) for lamp in lamps}


def _source(key: KeyPin) -> str:
    return f"gpio{key.pin}"


def _open_chip() -> None:
    """Open the GPIO chip once for all devices.

    Where no pin factory is named it is lgpio or an error: gpiozero alone would try one library after the other.
    """
    if Device.pin_factory is not None:
        return
    try:
        if "GPIOZERO_PIN_FACTORY" in os.environ:
            Device.ensure_pin_factory()
        else:
            from gpiozero.pins.lgpio import LGPIOFactory

            Device.pin_factory = LGPIOFactory()
    except Exception as error:
        raise ButtonsError(f"the GPIO pins cannot be used ({_say(error)}): {_advice(error)}") from error


def _advice(error: Exception) -> str:
    text = str(error)
    if ".lgd-nfy" in text:
        return "set LG_WD to a directory that this user can write, such as /run/kiosk"
    if "Pi revision" in text:
        return "this is no Raspberry Pi; set GPIOZERO_PIN_FACTORY=mock, or take the keys and lamps out of kiosk.toml"
    if isinstance(error, ImportError):
        return "install python3-lgpio with apt, and check the name in GPIOZERO_PIN_FACTORY (lgpio on a Raspberry Pi)"
    return "check that /dev/gpiochip* exists and that this user is in the group gpio"


def _hardware_errors() -> tuple[type[Exception], ...]:
    """What one pin can answer with: gpiozero's errors, the system's, and lgpio's own, which is neither."""
    own = getattr(sys.modules.get("lgpio"), "error", None)
    return (GPIOZeroError, OSError, ValueError, RuntimeError, *((own,) if own else ()))


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _close(devices: list[Any]) -> None:
    for device in devices:
        try:
            device.close()
        except _hardware_errors() as error:
            logger.warning("a pin did not close: %s", _say(error))
