"""A clerk's process: `python -m tests.bench.caller FOLDER CLOCK`. Each line on its input is a pause in seconds.

After the pause it calls the next number and says as JSON when that began and when it was committed (CLOCK_MONOTONIC).
"""

import json
import sys
import time
from pathlib import Path

from kiosk.clock import SimulatedClock
from kiosk.store import Store
from tests.office import rulebook


def main(folder: Path, clock_file: Path) -> None:
    store, clock = Store(folder, rulebook()), SimulatedClock(clock_file)
    store.counters.open(clock.now(), "1")
    print("ready", flush=True)
    for line in sys.stdin:
        time.sleep(float(line))
        before = time.monotonic()
        store.counters.call_next(clock.now(), "1")
        print(json.dumps({"before": before, "after": time.monotonic()}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
