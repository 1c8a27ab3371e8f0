"""The processes as they run on a device: what they use while nothing happens, and what the first picture costs."""

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.appliance import Appliance
from tests.bench.children import Child
from tests.bench.figures import Explain, Figure, Goal
from tests.bench.measure import Usage, mappings, median, profiled, spread, usage
from tests.bench.plan import Plan

READY_S = 30.0
MB_MOST = 75
CPU_MOST = 0.5

CONFIG = """
data_dir = "data"
[buttons]
factory = "mock"
[printer]
url = "tcp://127.0.0.1:{printer}"
[screen]
blind_ok = true
fullscreen = false
[sync]
server = "{server}"
"""


def idle(plan: Plan) -> list[Figure]:
    """`kiosk run` with a printer, one picture of 1920×1080 and mock pins; `kiosk sync` with a server."""
    folder = plan.place("idle")
    token = folder / "data" / "token"
    token.parent.mkdir()
    token.write_text("token\n")
    receiver = ("-m", "sync.receiver", "--db", folder / "receiver.db", "--token-file", token)
    config = folder / "kiosk.toml"
    with Child(folder, "-m", "tests.bench.paper") as paper, Child(folder, *receiver) as server:
        config.write_text(CONFIG.format(printer=paper.hear(), server=server.hear().split()[-1]))
        with _running(folder, config) as run, Child(folder, "-m", "kiosk", "sync", "--config", config) as sync:
            time.sleep(plan.seconds(6, 0.5))
            seconds = plan.seconds(20, 0.6)
            before = [_usage(child) for child in (run, sync)]
            time.sleep(seconds)
            after = [_usage(child) for child in (run, sync)]
            memory = mappings(run.pid)
    return [
        *_used("run", "kiosk run", before[0], after[0], seconds, MB_MOST, profiled(lambda: _idle_turns(plan)), memory),
        *_used("sync", "kiosk sync", before[1], after[1], seconds),
    ]


def _usage(child: Child) -> Usage:
    child.must_run()
    return usage(child.pid)


def _idle_turns(plan: Plan) -> None:
    with Appliance(plan.place("idle-turns")) as kiosk:
        for _ in range(100):
            kiosk.app.turn(0.01)


def _running(folder: Path, config: Path) -> Child:
    """`kiosk run`, once it says that it is ready."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # An abstract name: the folder's path may be longer than a socket's may be.
        name = f"kiosk-bench-{os.getpid()}"
        channel.bind(f"\0{name}")
        channel.settimeout(READY_S)
        run = Child(folder, "-m", "kiosk", "run", "--config", config, NOTIFY_SOCKET=f"@{name}")
        while channel.recv(100) != b"READY=1":
            pass
    return run


def _used(
    name: str,
    says: str,
    before: Usage,
    after: Usage,
    seconds: float,
    mb: float | None = None,
    why: Explain | None = None,
    memory: Sequence[str] = (),
) -> list[Figure]:
    share = (after.cpu_ms - before.cpu_ms) / seconds / 10
    wakes = (after.wakes - before.wakes) / seconds
    return [
        Figure(f"idle.{name}.cpu", f"{says}, idle", share, "% of a core", Goal(CPU_MOST), profile=why),
        Figure(f"idle.{name}.wakes", f"{says}, idle: wake-ups", wakes, "/s"),
        Figure(f"idle.{name}.rss", f"{says}: memory with all libraries (RSS)", after.rss_mb, "MB",
               Goal(mb) if mb else None, profile=lambda: list(memory)),
        Figure(f"idle.{name}.pss", f"{says}: memory, shared parts divided (PSS)", after.pss_mb, "MB"),
    ]  # fmt: skip


def start(plan: Plan) -> list[Figure]:
    """`kiosk run` up to its first picture, with the interpreter's own start; bare pygame in turns with it."""
    folder = plan.place("start")
    config = folder / "kiosk.toml"
    config.write_text(CONFIG.format(printer=9, server=""))
    whole: list[float] = []
    bare: list[float] = []
    for n in range(plan.count(9, 2) + 1):
        with Child(folder, "-m", "tests.bench.firstframe", config) as child:
            whole.append(float(child.hear()))
        with Child(folder, "-c", BARE) as child:
            bare.append(float(child.hear()))
        if n == 0:  # compiles what is not compiled
            whole.clear()
            bare.clear()

    return [
        Figure("start.bare", "CPU to a bare pygame window of 1920×1080", median(bare), "ms", detail=spread(bare)),
        Figure("start.frame", "CPU to the first picture of kiosk run", median(whole), "ms", Goal(400), spread(whole),
               lambda: _slow_imports(folder, config)),
    ]  # fmt: skip


BARE = """
import time, pygame
pygame.display.init()
pygame.display.set_mode((1920, 1080))
pygame.display.flip()
print(time.process_time() * 1000, flush=True)
"""


def _slow_imports(folder: Path, config: Path) -> list[str]:
    """What the interpreter says of the modules that took longest to import: own µs | with what they import | name."""
    with Child(folder, "-X", "importtime", "-m", "tests.bench.firstframe", config) as child:
        child.hear()
        child.process.wait()
        lines = child.errors().splitlines()
    times = [line.removeprefix("import time:") for line in lines if line.startswith("import time:")]
    return sorted(times[1:], key=lambda line: -int(line.split("|")[0]))[:25]
