"""How fast a backlog reaches the server: after a day without a network."""

import time
from contextlib import closing
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.config import load_config
from kiosk.uplink import Uplink
from tests.bench.children import Child
from tests.bench.figures import Figure
from tests.bench.plan import Plan
from tests.office import moment, open_store

CONFIG = """
data_dir = "data"
[sync]
server = "{server}"
"""


def sync(plan: Plan) -> list[Figure]:
    """A backlog pushed to a receiver in a process of its own."""
    folder = plan.place("sync")
    data = folder / "data"
    _fill(plan, data)
    (data / "token").write_text("token\n")
    receiver = ("-m", "sync.receiver", "--db", folder / "receiver.db", "--token-file", data / "token")
    with Child(folder, *receiver) as server:
        (folder / "kiosk.toml").write_text(CONFIG.format(server=server.hear().split()[-1]))
        with closing(Uplink(load_config(folder / "kiosk.toml"), SystemClock())) as uplink:
            began, cpu = time.monotonic(), time.process_time()
            sent = 0
            while (outcome := uplink.push()).backlog:
                sent += outcome.sent
            sent += outcome.sent
            seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    return [
        Figure("sync.rate", "events pushed and acknowledged", sent / seconds, "/s", detail={"n": sent}),
        Figure("sync.cpu", "CPU of 1,000 events at the kiosk", cpu / sent * 1e6, "ms"),
    ]


def _fill(plan: Plan, folder: Path) -> None:
    with closing(open_store(folder)) as store, store.database.writing(moment(0)) as w:
        for n in range(plan.count(20_000, 600)):
            w.emit("ticket.called", {"ticket": f"{n:036}", "counter": "1", "clerk": "nguyen-thi-a", "why": "next"})
