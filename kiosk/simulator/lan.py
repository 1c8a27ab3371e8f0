"""The child process of the demo that is `kiosk console`: the real console on the simulated clock."""

import argparse
import sys
from pathlib import Path

from kiosk.clock import SimulatedClock
from kiosk.console.server import Console
from kiosk.setup import load
from kiosk.simulator.children import RESTART, Parent, end_with_the_demo


def main() -> int:
    """Answer browsers until the demo is gone."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.simulator.lan")
    parser.add_argument("--config", required=True)
    parser.add_argument("--clock", required=True, type=Path)
    options = parser.parse_args()
    parent = Parent()
    setup = load(options.config)
    console = Console(setup.config, setup.words, SimulatedClock(options.clock))
    end_with_the_demo(parent, console.stop, 4.0)
    console.run()
    return RESTART if console.asked_to_restart else 0


if __name__ == "__main__":
    sys.exit(main())
