"""The child process of the demo that is `kiosk run`: the real App on mock pins, with somebody who moves the pins.

The rig obeys lines of JSON from the demo and tells what can be seen or measured at the device: lamps, pictures, and
the times from a press to the commit and to the printer's last byte. The App knows nothing of it.
"""

import argparse
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kiosk.app import WAIT_S, App
from kiosk.buttons import lamp_states, mock_press, mock_release
from kiosk.clock import SimulatedClock
from kiosk.front import Taken
from kiosk.parts import key_pins, lamp_pins
from kiosk.printer import JobDone, PrinterState
from kiosk.setup import load
from kiosk.simulator.camera import Camera
from kiosk.simulator.children import RESTART, Parent, leave_by

TAP_S = 0.06
"""How long a finger stays on a key."""
CLOSE_S = 2.0


class Inbox(queue.SimpleQueue[Any]):
    """The App's inbox, with a look at what the printer thread puts in."""

    def __init__(self, rig: "Rig") -> None:
        super().__init__()
        self._rig = rig

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item)
        self._rig.saw(item)


class Device(App):
    """The kiosk with its rig."""

    rig: "Rig"

    def turn(self, wait_s: float = WAIT_S) -> None:
        super().turn(wait_s)
        self.rig.after_turn()

    def lit(self) -> dict[str, bool]:
        """Counter → whether its rating keys are armed."""
        return self.showing.lit


class Rig:
    """Fingers on the keys and eyes on the lamps of one App."""

    def __init__(self, app: Device, parent: Parent, camera: Camera) -> None:
        self.app = app
        self.parent = parent
        self.camera = camera
        self.pins = {key.action: key.pin for key in key_pins(app.config.buttons)}
        self.keys = {action: name for name, action in reversed(list(app.config.buttons.keyboard.items()))}
        self._lamp_pins = lamp_pins(app.config.buttons)
        self._mock = app.config.buttons.factory == "mock"
        self._pressed: dict[int, float] = {}
        self._seen: tuple[Any, ...] | None = None
        app.inbox = Inbox(self)
        app.rig = self

    # --- fingers ---------------------------------------------------------------------------------------------

    def obey(self) -> None:
        """Do what the demo says until it is gone, then end the App."""
        for order in self.parent.lines():
            match order["do"]:
                case "down":
                    self._key(order["action"], True)
                case "up":
                    self._key(order["action"], False)
                case "tap":
                    self._key(order["action"], True)
                    time.sleep(TAP_S)
                    self._key(order["action"], False)
                case "touch":
                    self.camera.touch(order["view"], order["x"], order["y"])
                case "shoot":
                    self.camera.shoot()
        leave_by(CLOSE_S)
        self.app.stop()

    def _key(self, action: str, down: bool) -> None:
        """By its pin; a counter without pins has its keys on the keyboard. Before the kiosk is open it has no keys."""
        if self._seen is None:
            return
        if self._mock and action in self.pins:
            (mock_press if down else mock_release)(self.pins[action])
        elif action in self.keys:
            self.camera.key(self.keys[action], down)

    # --- eyes ------------------------------------------------------------------------------------------------

    def after_turn(self) -> None:
        """What the loop has just done."""
        if self._seen is None:
            self._first_turn()
        lamps = lamp_states(self._lamp_pins) if self._mock else {}
        seen = (lamps, self.app.lit())
        if seen != self._seen:
            self._seen = seen
            self.parent.tell(say="lamps", lamps=seen[0], armed=seen[1])
        self.camera.after_turn()

    def _first_turn(self) -> None:
        front = self.app.front
        also = front.on_taken

        def taken(taken: Taken) -> None:
            committed = time.monotonic()
            also(taken)
            self._taken(taken, committed)

        front.on_taken = taken
        self.parent.tell(say="ready")

    def _taken(self, taken: Taken, committed: float) -> None:
        issued = taken.issued
        self._pressed[issued.job] = taken.pressed_at
        ticket = issued.ticket
        self.parent.tell(
            say="taken",
            number=ticket.number,
            ticket=ticket.id,
            service=ticket.service,
            priority=ticket.priority,
            job=issued.job,
            ms=round((committed - taken.pressed_at) * 1000, 2),
        )

    def saw(self, item: Any) -> None:
        """From the printer thread, too."""
        if isinstance(item, PrinterState):
            self.parent.tell(say="printer", state=str(item))
        elif isinstance(item, JobDone):
            pressed = self._pressed.pop(item.job.id, None)
            ms = None if pressed is None or item.job.reprint else round((item.last_byte - pressed) * 1000, 2)
            self.parent.tell(say="printed", job=item.job.id, ms=ms, copy=item.job.reprint)


def main() -> int:
    """Run the kiosk until the demo is gone."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.simulator.device")
    parser.add_argument("--config", required=True)
    parser.add_argument("--clock", required=True, type=Path)
    parser.add_argument("--dir", required=True, type=Path)
    parser.add_argument("--live", action="store_true", help="keep pictures of the screens up to date")
    options = parser.parse_args()
    parent = Parent()
    setup = load(options.config)
    app = Device(setup.config, setup.office, setup.words, SimulatedClock(options.clock))
    rig = Rig(app, parent, Camera(app, parent, options.dir, live=options.live))
    signal.signal(signal.SIGTERM, lambda *_: app.stop())
    threading.Thread(target=rig.obey, name="rig", daemon=True).start()
    app.run()
    rig.camera.close()
    return RESTART if app.asked_to_restart else 0


if __name__ == "__main__":
    sys.exit(main())
