"""Any `kiosk` command at the test's hour: `python -m tests.crash.fingers CLOCK COMMAND …`.

The command is the real one; only its clock is that of a file, since a kiosk gives no number at night. `run` is on mock
pins and has somebody at its keys: each line of standard input names some (`take:ho-tich take:dat-dai`), which are
pressed one after the other, and its end ends the kiosk as systemd does.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from kiosk import clock
from kiosk.__main__ import main
from kiosk.buttons import mock_press, mock_release
from kiosk.config import load_config
from kiosk.parts import key_pins

TAP_S = 0.03
"""Longer than a contact bounces."""


def fingers(config: Path) -> None:
    """Press what standard input says, then end this process in order."""
    pins = {key.action: key.pin for key in key_pins(load_config(config).buttons)}
    for line in sys.stdin:
        for action in line.split():
            mock_press(pins[action])
            time.sleep(TAP_S)
            mock_release(pins[action])
            time.sleep(TAP_S)
    os.kill(os.getpid(), signal.SIGTERM)


class OfficeHours(clock.SystemClock):
    """The kiosk's clock, following a file."""

    def now(self) -> clock.Moment:
        return simulated.now()


if __name__ == "__main__":
    simulated = clock.SimulatedClock(Path(sys.argv[1]))
    clock.SystemClock = OfficeHours  # type: ignore[misc]
    command = sys.argv[2:]
    if command[0] == "run":
        threading.Thread(target=fingers, args=[Path(command[-1])], daemon=True).start()
    sys.exit(main(command))
