"""Inside the machine: carries bytes between the USB printer's own side and the virtio port of its emulation."""

import contextlib
import os
import select
import time
from pathlib import Path

PORT = "/dev/virtio-ports/appliance.printer"
GADGET = "/dev/g_printer0"
CHUNK = 8192


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
    if port in ready:
        try:
            answer = os.read(port, CHUNK)
        except BlockingIOError:
            answer = b""
        if answer:
            written(gadget, answer)
        else:
            time.sleep(0.02)  # nobody is connected
    if gadget in ready:
        try:
            data = os.read(gadget, CHUNK)
        except BlockingIOError:
            data = b""
        if data:
            written(port, data)
        else:
            time.sleep(0.02)  # nobody prints


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
