"""The child process of the demo that is `kiosk sync`: the real uplink on the simulated clock."""

import argparse
import sys
from pathlib import Path

from kiosk.clock import SimulatedClock
from kiosk.setup import load_device
from kiosk.simulator.children import RESTART, Parent, end_with_the_demo
from kiosk.uplink import Uplink
from sync.client import Outcome


def main() -> int:
    """Push until the demo is gone."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.simulator.carrier")
    parser.add_argument("--config", required=True)
    parser.add_argument("--clock", required=True, type=Path)
    options = parser.parse_args()
    parent = Parent()
    uplink = Uplink(load_device(options.config), SimulatedClock(options.clock))
    end_with_the_demo(parent, uplink.stop, 2.0)

    def told(outcome: Outcome) -> None:
        parent.tell(push=outcome.state, sent=outcome.sent, backlog=outcome.backlog)

    uplink.run(told)
    return RESTART if uplink.asked_to_restart else 0


if __name__ == "__main__":
    sys.exit(main())
