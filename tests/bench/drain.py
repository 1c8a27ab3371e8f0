"""A province comes back after days without a network: a hundred kiosks bring their backlog at once."""

import heapq
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from server.feed.intake import digest
from server.feed.models import Event
from server.registry.models import Device
from sync import outbox, wire
from sync.client import Client
from sync.outbox import Outbox
from tests.bench.commune import serving
from tests.bench.figures import Figure, Goal
from tests.bench.plan import Plan
from tests.bench.province import Kiosk
from tests.server import kit
from tests.sync_kit import connect

DAYS, TICKETS = 3, 300
SENDERS = 16
"""Connections at once; each kiosk waits as long as its client says."""


class Waiting:
    """A kiosk with its backlog, as it would be on its own board."""

    def __init__(self, folder: Path, n: int, tickets: int, url: str) -> None:
        self.name, self.path = f"k-{n:06d}", folder / f"{n}.db"
        stamp = wire.Stamp(datetime(2026, 1, 5, tzinfo=UTC), "ntp", "b0070001", 1)
        with closing(connect(self.path)) as conn:
            conn.execute("PRAGMA synchronous = OFF")
            with conn:
                conn.execute("BEGIN IMMEDIATE")
                outbox.create(conn)
                outbox.start_epoch(conn, wire.new_epoch(1), stamp)
                self.events = sum(_keep(conn, line) for line in _lines(n, tickets))
        self.outbox = Outbox(lambda: closing(connect(self.path)), lambda conn, after: wire.new_epoch(2), lambda: stamp)
        self.client = Client(url, self.name, self.name)

    def push(self, counts: Counter[str]) -> tuple[int, float]:
        """One push: what still waits, and when to come again."""
        outcome = self.client.push(self.outbox, datetime.now(UTC), {"app": "bench"})
        counts[outcome.state] += 1
        return outcome.backlog, outcome.delay_s


def _lines(n: int, tickets: int) -> list[bytes]:
    kiosk = Kiosk(f"k-{n:06d}", n)
    return [line for day in range(DAYS) for line in kiosk.day(date(2026, 1, 5) + timedelta(days=day), tickets)]


def _keep(conn: object, line: bytes) -> int:
    event = wire.decode_event(line)
    outbox.append(conn, event.type, event.data, event.stamp)  # type: ignore[arg-type]
    return 1


def drain(plan: Plan) -> list[Figure]:
    """Until everything is on the server. Kiosks that are asked to come again do so, by chance spread out."""
    folder = plan.place("drain")
    with kit.fresh_database("sqlite", folder):
        kit.Server(folder)
        site = Device.objects.get().site
        with serving(folder) as port:
            url = f"http://127.0.0.1:{port}"
            kiosks = [Waiting(folder, n, plan.count(TICKETS, 5), url) for n in range(plan.count(100, 3))]
            Device.objects.bulk_create(Device(name=k.name, site=site, token=digest(k.name)) for k in kiosks)
            began, counts = time.monotonic(), Counter[str]()
            _all(kiosks, counts)
            seconds = time.monotonic() - began
        lost = sum(kiosk.events for kiosk in kiosks) - Event.objects.exclude(type__startswith="device.").count()
    detail = {"kiosks": len(kiosks), "answers": dict(counts)}
    return [
        Figure("drain.seconds", f"backlog of {DAYS} days from {len(kiosks)} kiosks", seconds, "s", detail=detail),
        Figure("drain.busy", "pushes that were asked to come again", counts["busy"], ""),
        Figure("drain.lost", "events that did not arrive", lost, "", Goal(0)),
    ]


def _all(kiosks: list[Waiting], counts: Counter[str]) -> None:
    """Each kiosk pushes when its client says so, by as many threads as there are connections at once."""
    due = [(0.0, n) for n in range(len(kiosks))]
    left, turn = len(kiosks), threading.Condition()

    def next_kiosk() -> Waiting | None:
        with turn:
            while left and not (due and due[0][0] <= time.monotonic()):
                turn.wait(max(0.0, due[0][0] - time.monotonic()) if due else None)
            return kiosks[heapq.heappop(due)[1]] if left else None

    def send() -> None:
        nonlocal left
        while kiosk := next_kiosk():
            backlog, delay = kiosk.push(counts)
            with turn:
                if backlog:
                    heapq.heappush(due, (time.monotonic() + delay, kiosks.index(kiosk)))
                else:
                    left -= 1
                turn.notify_all()

    with ThreadPoolExecutor(SENDERS) as senders:
        for sending in [senders.submit(send) for _ in range(SENDERS)]:
            sending.result()
