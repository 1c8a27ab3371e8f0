"""What the sync machine sets against each other: a network with faults, a receiver that restores, a kiosk's card."""

import hashlib
import io
import json
import random
import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import BaseAdapter

from sync import ingest, wire
from sync.client import Client
from sync.ingest import SqliteStorage
from sync.outbox import Outbox
from tests.sync_kit import DEVICE

if TYPE_CHECKING:
    from tests.test_sync_machine import SyncMachine


class Network(BaseAdapter):
    """Carries one request at a time, with the fault that is set."""

    def __init__(self, server: "Server") -> None:
        super().__init__()
        self.server, self.fault = server, "none"
        self.late: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body
        assert isinstance(body, bytes)
        if self.fault == "delayed":
            self.late.append(body)
        if self.fault in ("request lost", "delayed"):
            raise requests.ConnectionError("lost")
        if self.fault == "duplicate":
            self.late.append(body)
            self.server.take(body)
        status, answer = self.server.take(body, fail=self.fault == "error before commit", token=self.fault != "refused")
        if self.fault == "response lost":
            raise requests.ReadTimeout("lost")
        return _response(request, status, answer)

    def close(self) -> None:
        pass


def _response(request: requests.PreparedRequest, status: int, answer: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code, response.request = status, request
    response.raw = urllib3.HTTPResponse(io.BytesIO(json.dumps(answer).encode()), status=status, preload_content=False)
    return response


class Server:
    """The receiver's storage behind the rules; other servers give the same answers from their own databases."""

    def __init__(self, path: Path, machine: "SyncMachine") -> None:
        self.conn = sqlite3.connect(path, isolation_level=None)
        self.storage = SqliteStorage(self.conn, lambda: machine.now)
        self.conn.execute("PRAGMA synchronous = OFF")
        self.machine = machine

    def take(self, body: bytes, fail: bool = False, token: bool = True) -> tuple[int, dict[str, Any]]:
        if not token:
            return 401, {}
        batch = wire.decode_batch(body, packed=True)
        try:
            result = self.ingest(batch, fail)
        except RuntimeError:
            return 500, {}
        return ingest.answer(result, batch.header.epoch, self.machine.now, office=1, board=1, next_s=60)

    def ingest(self, batch: wire.Batch, fail: bool) -> ingest.Result:
        with self.storage.writing():
            result = ingest.ingest(self.storage, batch)
            if fail:
                raise RuntimeError("before commit")
        return result

    def held(self) -> dict[str, bytes]:
        """Id → line of all that it has."""
        return dict(self.conn.execute("SELECT id, line FROM events"))

    def order(self) -> list[tuple[str, int]]:
        """Epoch and number of all, in the order for its readers."""
        return self.conn.execute("SELECT epoch, seq FROM events ORDER BY num").fetchall()

    def quarantined(self) -> int:
        return int(self.storage.stats()["quarantined"])

    def latest_epoch(self) -> str | None:
        return self.storage.followed(DEVICE).epoch or None

    def head(self, epoch: str) -> wire.Position:
        with self.storage.writing():
            return self.storage.locked_head(DEVICE, epoch)

    def backup(self) -> Any:
        return copy_of(self.conn)

    def restore(self, backup: Any) -> None:
        backup.backup(self.conn)

    def close(self) -> None:
        self.conn.close()


class Card:
    """What a kiosk has on its memory card: its database, the count of its epochs, and the last one that it began.

    A copy of another's card has the same name and token, and counts on by itself.
    """

    def __init__(self, conn: sqlite3.Connection, machine: "SyncMachine", counter: int = 0, begun: str = "") -> None:
        self.conn, self.counter, self.begun, self.machine = conn, counter, begun, machine
        self.outbox = Outbox(lambda: nullcontext(conn), self.next_epoch, machine.stamp)
        self.client = Client("http://127.0.0.1", "token", DEVICE, rng=random.Random(1))
        self.client._exchange.session.mount("http://", machine.network)

    def next_epoch(self, conn: sqlite3.Connection, after: int) -> str:
        self.counter = max(self.counter, after) + 1
        self.machine.epochs += 1
        # Of two cards with the same count either may be the greater one, and in each run of an example the same.
        self.begun = f"{self.counter:08x}{hashlib.sha256(bytes([self.machine.epochs % 256])).hexdigest()[:8]}"
        return self.begun

    def rows(self) -> dict[str, bytes]:
        """What it holds and could send: id → line, damaged rows left out."""
        rows = {}
        for seq, line in self.conn.execute("SELECT seq, line FROM events"):
            try:
                rows[wire.decode_event(line, seq).id] = line
            except wire.BadEvent:
                continue
        return rows

    def close(self) -> None:
        self.client.close()
        self.conn.close()


def opened(path: Path | str) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = OFF")
    return conn


def copy_of(conn: sqlite3.Connection) -> sqlite3.Connection:
    backup = sqlite3.connect(":memory:")
    conn.backup(backup)
    return backup
