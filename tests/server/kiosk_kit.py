"""A kiosk beside the server: its folder, configuration, database and the real upload."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from kiosk.clock import Clock, Moment, SystemClock
from kiosk.config import Config, load_config
from kiosk.config import Console as ConsoleConfig
from kiosk.console.server import Console
from kiosk.feed import make_outbox
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.store.comments import keep_comment
from kiosk.store.database import Database
from kiosk.store.prepare import prepare
from kiosk.texts import Texts
from kiosk.uplink import Uplink
from sync import wire
from sync.client import Outcome
from sync.outbox import Outbox
from tests.server.kit import TOKEN
from tests.sync_kit import DEVICE


class Kiosk:
    """No screen and no keys: what carries events is real."""

    def __init__(
        self, folder: Path, url: str = "", token: str = TOKEN, device: str = DEVICE, clock: Clock | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.clock = folder, clock or SystemClock()
        self.toml = folder / "kiosk.toml"
        self.configure(url, device)
        (folder / "token").write_text(token)
        prepare(folder, self.now())
        self.database = Database(folder)

    def configure(self, url: str, device: str = DEVICE) -> None:
        server = f'\n[sync]\nserver = "{url}"\n' if url else ""
        self.toml.write_text(f'data_dir = "."\ndevice = "{device}"\n{server}')

    @property
    def config(self) -> Config:
        return load_config(self.toml)

    def now(self) -> Moment:
        return self.clock.now()

    def happen(self, count: int = 1) -> None:
        with self.database.writing(self.now()) as w:
            for n in range(count):
                w.emit("thing.happened", {"n": n})

    def comment(self, text: str, day: str = "") -> str:
        """Somebody writes on the poster's page of counter 1; the comment's id."""
        with self.database.writing(self.now()) as w:
            keep_comment(w, text, day or str(self.now().day), ticket="", counter="1", clerk="", rating="")
        return str(self.database.rows("SELECT id FROM comments ORDER BY n DESC LIMIT 1")[0]["id"])

    def push(self) -> Outcome:
        """Until nothing waits or it cannot go on. Without a clock of its own it notes the server's time, once."""
        with closing(Uplink(self.config, self.clock)) as uplink:
            while (outcome := uplink.push()).state in ("ok", "resend") and self.outbox.backlog():
                pass
            return outcome

    def ids(self) -> list[str]:
        rows = self.database.rows("SELECT line FROM events ORDER BY seq")
        return [wire.decode_event(bytes(row["line"])).id for row in rows]

    @property
    def outbox(self) -> Outbox:
        return make_outbox(self.database, self.clock)

    @contextmanager
    def console(self) -> Iterator[Console]:
        """Its console by HTTPS on loopback, until the end of the block."""
        door = ConsoleConfig(address="127.0.0.1", port=0, plain_port=0)
        config = replace(self.config, console=door)
        console = Console(config, Words(sample(), Texts("vi"), "", str(self.folder)), self.clock)
        thread = threading.Thread(target=console.run, daemon=True)
        thread.start()
        try:
            yield console
        finally:
            console.stop()
            thread.join(10)

    def authority(self) -> str:
        """Its certificate's authority, as PEM."""
        return (self.folder / "tls" / "ca.crt").read_text()

    def close(self) -> None:
        self.database.close()
