"""The server's processes are killed again and again while a kiosk pushes: nothing is lost, nothing is there twice."""

import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kiosk.clock import SystemClock
from kiosk.feed import make_outbox
from kiosk.store import Store
from server import clock
from sync.client import Client
from tests.office import moment
from tests.ready import listening
from tests.server.day_kit import all_is_here
from tests.server.kit import TOKEN, Server, _free_port, address
from tests.sync_kit import DEVICE

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def running(toml: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server's process that answers; it and what it started are gone at the end of the block."""
    command = [sys.executable, "-m", "server", "--config", str(toml), "run"]
    with listening() as ready:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **ready.environment})
        try:
            ready.wait()
            yield process
        finally:
            workers = workers_of(process)  # none of them works on while what is there is counted
            process.kill()
            process.wait()
            for worker in workers:
                _gone(worker)


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """What a process started, as file descriptors that can be read from its end on; none of one that was killed."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [os.pidfd_open(int(child)) for child in found.read_text().split()] if found.exists() else []


def killing(server: Server, store: Store, rounds: int) -> None:
    rng, outbox = random.Random(7), make_outbox(store.database, SystemClock())
    port = _free_port()
    url, toml = f"http://127.0.0.1:{port}", server.folder / "server.toml"
    toml.write_text(f'data_dir = "{server.folder}"\ndatabase = "{address()}"\nport = {port}\nurl = "{url}"\n')
    for at in range(rounds):
        with running(toml) as process, closing(Client(url, TOKEN, DEVICE, rng=rng)) as client:
            workers = workers_of(process)
            killer = threading.Timer(rng.uniform(0.05, 0.6), process.kill)
            if at % 2:  # the one that makes facts of events goes first
                for worker in workers:
                    signal.pidfd_send_signal(worker, signal.SIGKILL)
            killer.start()
            client._limit = rng.randint(1, 5)
            while process.poll() is None:
                store.issuing.issue(moment(at * 100 + rng.random() * 100), "ho-tich")
                client.push(outbox, clock.now(), {})
            killer.join()
        for worker in workers:
            _gone(worker)
    with running(toml), closing(Client(url, TOKEN, DEVICE, rng=rng)) as client:
        while client.push(outbox, clock.now(), {}).backlog:
            pass
    all_is_here(store, clock.now())


def _gone(worker: int) -> None:
    """A worker ends by itself when the process that started it is gone."""
    with os.fdopen(worker) as process:
        assert select.select([process], [], [], 30)[0]


def test_a_server_killed_at_any_moment_loses_and_doubles_nothing(server: Server, store: Store):
    killing(server, store, rounds=2)


@pytest.mark.slow
def test_a_server_killed_at_any_moment_loses_and_doubles_nothing_long(server: Server, store: Store):
    killing(server, store, rounds=40)
