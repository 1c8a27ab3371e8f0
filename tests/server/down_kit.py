"""A real kiosk's upload beside a real server: documents that go down between them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kiosk.board_document import BoardDocument, Day
from kiosk.config import Config, load_config
from kiosk.office import Office
from kiosk.setup import load_office
from kiosk.store import Store
from kiosk.store.downloads import Looked
from kiosk.uplink import Uplink
from server.office.documents import newest, publish
from server.office.models import Document
from sync import outbox
from sync.client import Outcome
from tests.console_kit import HandClock
from tests.office import open_store
from tests.server.kit import NOW, TOKEN, Server


class Down:
    """A kiosk in a folder, `store` its database for another process, `push` one step of its upload."""

    def __init__(self, folder: Path, url: str, more: str = "") -> None:
        (folder / "token").write_text(TOKEN)
        file = folder / "kiosk.toml"
        file.write_text(
            f'data_dir = "{folder}/data"\ndevice = "k-7F3K2M"\n{more}[printer]\nurl = "none"\n'
            f'[sync]\nserver = "{url}"\ntoken_file = "{folder}/token"\n'
        )
        self.config: Config = load_config(file)
        self.store: Store = open_store(folder / "data")
        self.clock = HandClock()
        self.uplink = Uplink(self.config, self.clock)
        self.photos = folder / "data" / "photos"

    def push(self) -> Outcome:
        outcome = self.uplink.push()
        assert outcome.state == "ok", outcome
        return outcome

    @property
    def office(self) -> Office:
        """What is in force."""
        return load_office(self.config)

    def looked(self, kind: str = "office") -> Looked:
        return self.uplink.downlink.receiver.downloads.looked(kind)

    def events(self, kind: str) -> list[Any]:
        return [dict(event.data) for event in outbox.events(self.store.database.conn) if event.type == kind]


@contextmanager
def down(server: Server, folder: Path, more: str = "") -> Iterator[Down]:
    """A kiosk that is enrolled at this server."""
    with server.serving() as url:
        kiosk = Down(folder, url, more)
        try:
            yield kiosk
        finally:
            kiosk.uplink.close()


def publish_office(server: Server, **changes: Any) -> Document:
    """The next version: the newest with these changes."""
    last = newest(server.site, "office")
    assert last is not None
    office = replace(Office.from_json(bytes(last.content)), **changes)
    return publish(server.site, office, seen=last.version, by="ky-thuat", note="", now=NOW)


def publish_days(server: Server, *days: Day) -> Document:
    """The next version of the board, with these days alone."""
    last = newest(server.site, "board")
    board = BoardDocument(version=1, days=days)
    return publish(server.site, board, seen=last.version if last else 0, by="lanh-dao", note="", now=NOW)


def put(server: Server, version: int, content: bytes, kind: str = "office") -> Document:
    """A version with any bytes, as only a faulty server offers it."""
    sha256 = hashlib.sha256(content).hexdigest()
    fields = {"version": version, "sha256": sha256, "content": content, "at": NOW, "by": "x"}
    return Document.objects.create(site=server.site, kind=kind, **fields)
