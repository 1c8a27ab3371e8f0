"""Waiting for a process that says READY=1 when it answers, as systemd would hear it."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Ready:
    """What a child's environment needs to say so, and the wait for it."""

    def __init__(self, channel: socket.socket, address: str) -> None:
        self._channel = channel
        self.environment = {"NOTIFY_SOCKET": address}

    def wait(self, seconds: float = 60) -> None:
        """Returns when the process is ready, and hears nothing more. Raises TimeoutError."""
        # Closed: whoever goes on telling that it is alive would wait for somebody who reads it.
        with self._channel as channel:
            channel.settimeout(seconds)
            while b"READY=1" not in channel.recv(4096):
                continue


@contextmanager
def listening() -> Iterator[Ready]:
    """Hears what processes with this environment say, until the end of the block."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        address = str(Path(folder, "notify"))
        channel.bind(address)
        yield Ready(channel, address)
