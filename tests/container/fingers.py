"""`kiosk run` where there are no pins: on mock ones, whose keys are pressed by writing their actions into a FIFO.

A container has no GPIO. All but the pins is the installed kiosk: its unit, its user, its sandbox.
"""

import os
import sys
import threading
import time
from pathlib import Path

from kiosk.__main__ import main
from kiosk.buttons import mock_press, mock_release
from kiosk.config import load_config
from kiosk.parts import key_pins

FIFO = Path("/run/kiosk/fingers")
PRESS_S = 0.1
APART_S = 1.5
"""More than the lock-out between two presses of one key."""


def press_what_comes() -> None:
    """One action a line, as "take:ho-tich"."""
    pins = {key.action: key.pin for key in key_pins(load_config(os.environ["KIOSK_CONFIG"]).buttons)}
    FIFO.unlink(missing_ok=True)
    os.mkfifo(FIFO)
    while True:
        with FIFO.open() as orders:
            for line in orders:
                mock_press(pins[line.strip()])
                time.sleep(PRESS_S)
                mock_release(pins[line.strip()])
                time.sleep(APART_S)


if __name__ == "__main__":
    threading.Thread(target=press_what_comes, daemon=True).start()
    sys.exit(main(["run"]))
