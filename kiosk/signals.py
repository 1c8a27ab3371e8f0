"""Ending in an orderly way when systemd or a person says so."""

import signal
from collections.abc import Callable


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and SIGINT."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop())
