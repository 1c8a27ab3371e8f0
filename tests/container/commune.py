"""A commune's server on this machine, at its end of the cable: `python -m server` as it is operated."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from tests.container.base import ROOT
from tests.container.telling import NotAsPromised
from tests.ready import listening

PORT = 8800
UNIT = "00123"


class Commune:
    """Its folder, its process, and what it knows."""

    def __init__(self, address: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="commune-"))
        self.url = f"http://{address}:{PORT}"
        self._toml = self.folder / "server.toml"
        self._toml.write_text(f'data_dir = "."\nurl = "{self.url}"\nlisten = "{address}"\nport = {PORT}\n')
        self._process: subprocess.Popen[bytes] | None = None

    def code(self) -> str:
        """A one-time code for the kiosk's office. Raises NotAsPromised."""
        done = self._do("setup", "--code", UNIT, "--name", "xã Mẫu", "--site", "trung-tam")
        found = re.search(r"kiosk enrol \S+ (\S+)", done)
        if not found:
            raise NotAsPromised(f"the server gives a code for a kiosk\n{done}")
        return found[1].rstrip(".,;)”")

    def start(self) -> None:
        """Until it answers."""
        with listening() as ready, (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._words("run")],
                cwd=ROOT,
                env=os.environ | ready.environment,
                stdout=log,
                stderr=log,
            )
            ready.wait()

    def remove(self) -> None:
        """Nothing is left of it."""
        if self._process:
            self._process.terminate()
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def tickets(self) -> set[str]:
        """Ids of the numbers that it was told of."""
        with closing(sqlite3.connect(f"file:{self.folder / 'server.db'}?mode=ro", uri=True)) as database:
            return {
                row[0]
                for row in database.execute(
                    "SELECT json_extract(CAST(line AS TEXT), '$.data.ticket') "
                    "FROM feed_event WHERE type = 'ticket.issued'"
                )
            }

    def events(self) -> int:
        with closing(sqlite3.connect(f"file:{self.folder / 'server.db'}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM feed_event").fetchone()[0])

    def page(self, url: str) -> str:
        """A page as a phone gets it, "" where there is none."""
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError:
            return ""

    def _words(self, *command: str) -> list[str]:
        return [sys.executable, "-m", "server", "--config", str(self._toml), *command]

    def _do(self, *command: str) -> str:
        done = subprocess.run(self._words(*command), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise NotAsPromised(f"python -m server {command[0]}\n{done.stdout}{done.stderr}")
        return done.stdout
