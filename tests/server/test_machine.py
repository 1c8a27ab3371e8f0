"""The promise of the feed under every fault at once, with the commune server's own ingest on both of its databases."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from server.facts import shapes
from server.feed.intake import take
from server.feed.models import Event
from server.feed.storage import Storage, heads
from server.registry.models import Device
from sync import ingest, wire
from tests.server.kit import ENGINES, server_on
from tests.sync_kit import DEVICE
from tests.sync_machine_kit import Server as Receiver
from tests.test_sync_machine import QUIET, SyncMachine

TABLES = ("feed_event", "feed_head", "feed_counter")
OF_DEVICE = "epoch, head, status, seen, rebuild"


class CommuneServer(Receiver):
    """The real ingest. One database serves all examples: its tables are emptied in between."""

    def __init__(self, machine: SyncMachine) -> None:
        self.machine = machine
        empty: dict[str, list[tuple[Any, ...]]] = {"feed_event": [], "feed_head": [], "feed_counter": [(1, 0)]}
        self.restore((empty, ("", 0, "{}", None, False)))

    def ingest(self, batch: wire.Batch, fail: bool) -> ingest.Result:
        device, now = Device.objects.get(name=DEVICE), self.machine.now
        if not fail:
            return take(device, batch, now)
        storage = Storage(now)
        with storage.writing():
            ingest.ingest(storage, batch, shapes.check)
            raise RuntimeError("before commit")

    def held(self) -> dict[str, bytes]:
        return {id: bytes(line) for id, line in Event.objects.values_list("id", "line")}

    def order(self) -> list[tuple[str, int]]:
        return list(Event.objects.order_by("num").values_list("epoch", "seq"))

    def quarantined(self) -> int:
        return Event.objects.exclude(quarantined=None).count()

    def latest_epoch(self) -> str | None:
        return Device.objects.get(name=DEVICE).epoch or None

    def head(self, epoch: str) -> wire.Position:
        return heads(DEVICE).get(epoch, wire.START)

    def backup(self) -> Any:
        """What a dump of one moment has."""
        with transaction.atomic(), connection.cursor() as cursor:
            tables = {}
            for table in TABLES:
                cursor.execute(f"SELECT * FROM {table}")
                tables[table] = cursor.fetchall()
            cursor.execute(f"SELECT {OF_DEVICE} FROM registry_device WHERE name = %s", [DEVICE])
            return tables, cursor.fetchone()

    def restore(self, backup: Any) -> None:
        tables, of_device = backup
        with transaction.atomic(), connection.cursor() as cursor:
            for table, rows in tables.items():
                cursor.execute(f"DELETE FROM {table}")
                if rows:
                    marks = ", ".join(["%s"] * len(rows[0]))
                    cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            sets = ", ".join(f"{name} = %s" for name in OF_DEVICE.split(", "))
            cursor.execute(f"UPDATE registry_device SET {sets} WHERE name = %s", [*of_device, DEVICE])

    def close(self) -> None:
        pass


class CommuneMachine(SyncMachine):
    def make_server(self, path: Path) -> Receiver:
        return CommuneServer(self)


@contextmanager
def hurried(engine: str) -> Iterator[None]:
    """A server whose SQLite does not wait for the disk: no power fails here."""
    with tempfile.TemporaryDirectory() as folder, server_on(engine, Path(folder)):
        if engine == "sqlite":
            connection.cursor().execute("PRAGMA synchronous = OFF")
        yield


def let_loose(engine: str, examples: int, steps: int) -> None:
    quiet = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=QUIET, database=None
    )
    with hurried(engine):
        run_state_machine_as_test(CommuneMachine, settings=quiet)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_happens_the_commune_server_gets_every_event_once_and_nothing_else(engine: str) -> None:
    let_loose(engine, examples=10, steps=30)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_happens_the_commune_server_gets_every_event_once_and_nothing_else_long(engine: str) -> None:
    let_loose(engine, examples=1000, steps=40)
