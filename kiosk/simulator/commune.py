"""The commune server of the demo, as a child process on loopback: the real one, on the demo's clock."""

import importlib.util
import json
import logging
import secrets
import sys
import threading
from pathlib import Path

from kiosk.office import Office
from kiosk.simulator.children import Child, Message
from kiosk.simulator.folder import DEVICE, Folder, free_port

logger = logging.getLogger(__name__)

START_S = 60.0
"""So long it may take until it answers: a new database takes seconds on a slow machine."""


def available() -> bool:
    """Whether the server's packages are here (`pip install mot-cua-kiosk[server]`)."""
    return all(importlib.util.find_spec(name) for name in ("server", "django", "waitress"))


class Commune:
    """Runs from `start` to `stop`, and again; see `upstream.Upstream`."""

    table = "feed_event"

    def __init__(self, folder: Folder, token: str, office: Office) -> None:
        self._folder, self._token = folder, token
        self.file = folder.commune / "server.db"
        self.port = free_port()
        self._key = secrets.token_urlsafe(12)
        self._child: Child | None = None
        self._ready = threading.Event()
        self._write(office)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def door(self) -> str:
        """The address that signs a browser in as the demo's leader. It works on loopback alone, and with this key."""
        return f"{self.url}/demo/{self._key}"

    def start(self) -> None:
        """Returns when it answers. Raises OSError when it does not."""
        self._ready.clear()
        folder = self._folder.commune
        command = [sys.executable, "-m", "kiosk.simulator.commune_child", str(folder / "demo.json")]
        self._child = Child(command, self._folder.log("commune"), self._hear, self._ended)
        if not self._ready.wait(START_S) or self._child is None:
            self.stop()
            raise OSError(f"the commune server did not start: see {self._folder.log('commune')}")

    def stop(self) -> None:
        """As if the network were cut: it answers nothing more, and keeps what it has."""
        child, self._child = self._child, None
        if child:
            child.close()

    def kill(self) -> None:
        """Its process dies, and nothing else; `start` brings it back."""
        child, self._child = self._child, None
        if child:
            child.kill()

    def _hear(self, message: Message) -> None:
        if message.get("ready"):
            self._ready.set()

    def _ended(self, status: int) -> None:
        if self._child is not None:
            logger.error("the commune server ended with status %s", status)
            self._child = None
        self._ready.set()

    def _write(self, office: Office) -> None:
        folder = self._folder.commune
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "server.toml").write_text(f'data_dir = "."\nurl = "{self.url}"\nport = {self.port}\n')
        told = {
            "config": str((folder / "server.toml").resolve()),
            "office": str(self._folder.office.resolve()),
            "clock": str(self._folder.clock.resolve()),
            "device": DEVICE,
            "token": self._token,
            "key": self._key,
            "unit": office.unit.code,
        }
        _write_secret(folder / "demo.json", json.dumps(told))


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
