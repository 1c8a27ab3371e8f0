"""Clocks, medians, profiles, and what /proc says of another process. Knows nothing of the kiosk."""

import cProfile
import pstats
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Work = Callable[[], object]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def late(values: Sequence[float], share: float = 0.99) -> float:
    """The 99th percentile, or another; with few values the greatest."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def spread(values: Sequence[float]) -> dict[str, Any]:
    """What a median leaves out."""
    return {"n": len(values), "p99": round(late(values), 4), "least": round(min(values), 4)}


def wall_ms(work: Work) -> float:
    """How long it took."""
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


def cpu_ms(work: Work) -> float:
    """What this thread computed meanwhile, kernel included."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def profiled(work: Work) -> Callable[[], list[str]]:
    """Does the work once more when asked, and says in which of this thread's functions the time went."""
    return lambda: _profile(work)


def _profile(work: Work, lines: int = 25) -> list[str]:
    """Most own time first: calls, own ms, total ms, where."""
    profile = cProfile.Profile()
    profile.runcall(work)
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    longest = sorted(stats.items(), key=lambda item: -item[1][2])[:lines]
    return [
        f"{calls:6d} {own * 1000:8.1f} {total * 1000:8.1f}  {_short(file)}:{line} {function}"
        for (file, line, function), (_, calls, own, total, _) in longest
    ]


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-3:])


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used since it began, and the memory it has now."""

    cpu_ms: float
    wakes: int
    rss_mb: float
    pss_mb: float


def usage(pid: int) -> Usage:
    """Read from /proc, all threads together. Memory shared with other processes counts in part in `pss_mb`."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    ran_ns = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    wakes = sum(_number((task / "status").read_text(), "voluntary_ctxt_switches") for task in tasks)
    memory = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return Usage(ran_ns / 1e6, wakes, _number(memory, "Rss") / 1024, _number(memory, "Pss") / 1024)


def mappings(pid: int, lines: int = 25) -> list[str]:
    """What the memory of a process is made of, largest first: resident MB, file or kind of memory."""
    sizes: dict[str, int] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = line.split(maxsplit=5)
        if "-" in head[0]:
            name = _short(head[5]) if len(head) > 5 else "anonymous"
        elif head[0] == "Rss:":
            sizes[name] = sizes.get(name, 0) + int(head[1])
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:lines]
    return [f"{size / 1024:7.1f}  {name}" for name, size in largest]


def _number(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0
