"""What the commune server costs: a batch through HTTP on both databases."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path

from sync import wire
from tests.bench.children import Child
from tests.bench.figures import Figure, Goal
from tests.bench.plan import Plan
from tests.bench.province import Kiosk
from tests.ready import listening
from tests.server import kit

GOALS_MS = {"sqlite": 20.0, "postgresql": 40.0}
CONFIG = """
data_dir = "."
port = 0
log_level = "info"
database = "{database}"
"""


def commune(plan: Plan) -> list[Figure]:
    """500 events by one kiosk after another batch, each from the request's first byte to the whole answer."""
    return [figure for engine in kit.ENGINES for figure in _ingest(plan, engine)]


def _ingest(plan: Plan, engine: str) -> list[Figure]:
    folder = plan.place(f"ingest-{engine}")
    times: list[float] = []
    kiosk = Kiosk("k-7F3K2M", 1)
    with kit.fresh_database(engine, folder):
        kit.Server(folder)
        with serving(folder) as port:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            for n in range(plan.count(25, 1)):
                lines = kiosk.day(date(2026, 1, 5) + timedelta(days=n), 200)
                for batch in kiosk.batches(lines):
                    seconds = _push(connection, batch)
                    times += [seconds] if len(batch.lines) == wire.MAX_EVENTS else []
            connection.close()
    says = f"500 events by HTTP into {'SQLite' if engine == 'sqlite' else 'PostgreSQL'}, answered"
    value = statistics.median(times) * 1000
    detail = {"n": len(times), "p99": round(sorted(times)[int(len(times) * 0.99)] * 1000, 1)}
    return [Figure(f"commune.{engine}", says, value, "ms", Goal(GOALS_MS[engine]), detail)]


def _push(connection: HTTPConnection, batch: wire.Batch) -> float:
    body = wire.encode_batch(batch)
    headers = {
        "Authorization": f"Bearer {kit.TOKEN}", "Content-Type": wire.CONTENT_TYPE, "Content-Encoding": "gzip",
    }  # fmt: skip
    began = time.perf_counter()
    connection.request("POST", "/api/v1/feed", body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the server answered {answer.status}")
    return time.perf_counter() - began


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """`kiosk-server run` on the database of the kit, in a process of its own; yields its port."""
    settings = kit.connections.settings["default"]
    postgres = "postgresql" in settings["ENGINE"]
    url = f"postgresql://postgres@127.0.0.1:{settings['PORT']}/{settings['NAME']}" if postgres else ""
    (folder / "server.toml").write_text(CONFIG.format(database=url))
    command = ("-m", "server", "--config", folder / "server.toml", "run")
    with listening() as ready, Child(folder, *command, **ready.environment):
        ready.wait()
        yield int((folder / "port").read_text())
