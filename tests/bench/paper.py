"""The emulated printer as a process of its own, which says when the bytes of each slip arrived.

`python -m tests.bench.paper` prints its port, then for each slip a line of JSON: `first` and `last`, the times
(CLOCK_MONOTONIC, which all processes share) of its first and last bytes. Ends with its input.
"""

import json
import sys
import time
from collections.abc import Callable

from kiosk.simulator.printer import EmulatedPrinter, Slip

QUERIES = (b"\x10\x04", b"\x1dr")
"""DLE EOT and GS r: questions, not part of a slip."""


class TimedPrinter(EmulatedPrinter):
    """Notes when bytes come in, before it looks at them."""

    def __init__(self, on_slip: Callable[[float, float], None]) -> None:
        super().__init__(on_slip=self._cut)
        self._heard = on_slip
        self._first = self._last = 0.0

    def receive(self, data: bytes, reply: Callable[[bytes], None]) -> None:
        if not (data.startswith(QUERIES) and len(data) <= 3):
            self._last = time.monotonic()
            self._first = self._first or self._last
        super().receive(data, reply)

    def _cut(self, slip: Slip) -> None:
        self._heard(self._first, self._last)
        self._first = 0.0
        self.slips.clear()


def main() -> None:
    printer = TimedPrinter(lambda first, last: print(json.dumps({"first": first, "last": last}), flush=True))
    print(printer.listen()[1], flush=True)
    sys.stdin.read()
    printer.close()


if __name__ == "__main__":
    main()
