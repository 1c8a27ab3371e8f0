"""Inside the machine: carries bytes between the USB printer's own side and the virtio port of its emulation."""

import contextlib
import os
import select
import time
from pathlib import Path

PORT = "/dev/virtio-ports/appliance.printer"
GADGET = "/dev/g_printer0"
CHUNK = 8192
IDLE_S = 0.02
"""A side on which nobody is always counts as ready, and has nothing: there is no event to wait for."""


def opened(path: str) -> int:
    """The device, as soon as it is there."""
    while True:
        with contextlib.suppress(OSError):
            return os.open(path, os.O_RDWR | os.O_NONBLOCK)
        time.sleep(0.1)


def written(file: int, data: bytes) -> None:
    """All of it, however long the other side takes."""
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(file, data) :]
            continue
        select.select([], [file], [], 0.2)


def carried(gadget: int, port: int) -> None:
    """One turn; raises OSError when the printer was unplugged."""
    ready, _, _ = select.select([port, gadget], [], [], 0.2)
    for source, sink in ((port, gadget), (gadget, port)):
        if source not in ready:
            continue
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(source, CHUNK)
        if data:
            written(sink, data)
        else:
            time.sleep(IDLE_S)


def main() -> None:
    """Until the machine goes down, whatever is unplugged and plugged in meanwhile."""
    port = opened(PORT)
    while True:
        gadget = opened(GADGET)
        with contextlib.suppress(OSError):
            while Path(GADGET).exists():
                carried(gadget, port)
        os.close(gadget)


if __name__ == "__main__":
    main()
