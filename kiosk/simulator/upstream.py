"""The servers that the demo's kiosk can push to: the commune server where its packages are, else the small receiver."""

import sqlite3
from pathlib import Path
from typing import Protocol

from kiosk.simulator.democlock import DemoClock
from kiosk.simulator.folder import Folder
from sync.receiver import Receiver


class Upstream(Protocol):
    """A server that can be cut off and come back under the same address.

    `door` is where a browser looks at it, "" where there is nothing to see; `file` and `table` hold its events.
    """

    @property
    def url(self) -> str: ...

    @property
    def door(self) -> str: ...

    @property
    def file(self) -> Path: ...

    @property
    def table(self) -> str: ...

    def start(self) -> None:
        """Listen. Raises OSError when that cannot be."""

    def stop(self) -> None:
        """Answer nothing more; what was received stays."""


class SmallServer:
    """The receiver in this process, on the demo's clock."""

    door = ""
    table = "events"

    def __init__(self, folder: Folder, token: str, clock: DemoClock) -> None:
        self.file = folder.receiver
        self._token, self._clock, self._port = token, clock, 0
        self._receiver: Receiver | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        try:
            self._receiver = Receiver(self.file, self._token, port=self._port, now=self._clock.now).start()
        except sqlite3.DatabaseError as error:
            raise OSError(f"{self.file} cannot be used ({error}): delete it, or choose another --dir") from error
        self._port = self._receiver.port

    def stop(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver:
            receiver.stop()


def received_events(upstream: Upstream) -> int:
    """How many events the server keeps; read from its file, so that it counts while the network is cut."""
    conn = sqlite3.connect(f"file:{upstream.file}?mode=ro", uri=True)
    try:
        return int(conn.execute(f"SELECT count(*) FROM {upstream.table}").fetchone()[0])
    finally:
        conn.close()
