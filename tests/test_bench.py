"""The benchmarks run from end to end in their shortest form. How fast anything is, only `make bench` says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.figures import Figure, Goal, table
from tests.bench.measure import profiled

ROOT = Path(__file__).parent.parent
EXACT = ("crowd.duplicates", "crowd.errors", "burst.limited", "burst.free", "burst.together")
NAMES = {
    *(f"press.{part}" for part in ("floor", "store", "committed", "ratio", "first_byte", "last_byte")),
    *(f"cpu.{part}" for part in ("committed", "message", "gone", "ticket")),
    *(f"slip.{part}" for part in ("cold", "warm", "cached", "narrow")),
    *(f"size.{part}" for part in ("1k", "20k", "100k", "400k", "ratio", "staff")),
    *(f"redraw.{view}.{kind}" for view in ("take", "board", "rate") for kind in ("cold", "full", "partial")),
    *(f"redraw.board.{kind}" for kind in ("card", "card16")),
    *(f"call.{part}" for part in ("committed", "drawn", "late")),
    *(f"start.{part}" for part in ("bare", "frame")),
    *(f"idle.{process}.{part}" for process in ("run", "sync") for part in ("cpu", "wakes", "rss", "pss")),
    *(f"sync.{part}" for part in ("rate", "cpu")),
    *(f"console.{part}" for part in ("rss", "pss", "idle", "cpu", "shown", "shown.late", "click", "click.late")),
    *(f"console.{part}" for part in ("signin", "desk", "board", "fonts")),
    *("crowd.rate", *EXACT),
}


SERVER_NAMES = {
    *(f"commune.{engine}" for engine in ("sqlite", "postgresql")),
    *(f"drain.{part}" for part in ("seconds", "busy", "lost")),
    *(f"province.{part}" for part in ("events", "ingest", "flat", "bytes", "facts")),
    *(
        f"province.{who}.{page}.{engine}"
        for who in ("commune", "province")
        for page in ("today", "month", "year")
        for engine in ("sqlite", "postgresql")
    ),
}


def bench(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", str(folder / "bench.json"), *options]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def figures(folder: Path) -> dict[str, dict[str, Any]]:
    return {figure["name"]: figure for figure in json.loads((folder / "bench.json").read_text())["figures"]}


@pytest.mark.slow
def test_every_figure_is_measured_and_nothing_is_lost_or_doubled(tmp_path: Path):
    done = bench(tmp_path)
    assert done.returncode == 0, done.stderr
    found = figures(tmp_path)
    assert set(found) == NAMES
    assert all(name in done.stdout for name in NAMES)
    assert {name: found[name]["value"] for name in EXACT} == dict.fromkeys(EXACT, 0)
    # In the moment that the short form takes, a process that waits may not wake at all.
    still = {name for name in found if name.endswith((".wakes", ".cpu"))}
    assert all(figure["value"] > 0 for name, figure in found.items() if name not in {*EXACT, *still})
    assert list(tmp_path.glob("kiosk-bench-*")) == []


def test_benchmarks_run_alone_with_the_machine_that_they_ran_on(tmp_path: Path):
    done = bench(tmp_path, "--only", "sync", "--only", "crowd")
    assert done.returncode == 0, done.stderr
    found = figures(tmp_path)
    assert set(found) == {name for name in NAMES if name.startswith(("sync.", "crowd."))}
    assert found["crowd.duplicates"]["value"] == found["crowd.errors"]["value"] == 0
    content = json.loads((tmp_path / "bench.json").read_text())
    assert content["quick"]
    assert {"cpu", "cores", "system", "python", "sqlite", "file system", "load"} == set(content["machine"])


@pytest.mark.slow
def test_the_servers_benchmarks_run_and_nothing_is_lost(tmp_path: Path):
    done = bench(tmp_path, *(option for name in ("commune", "drain", "province") for option in ("--only", name)))
    assert done.returncode == 0, done.stderr
    assert set(figures(tmp_path)) == SERVER_NAMES
    assert figures(tmp_path)["drain.lost"]["value"] == 0


def test_each_figure_stands_in_the_document():
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    assert [name for name in sorted(NAMES | SERVER_NAMES) if f"| {name} " not in text] == []


def test_a_goal_is_met_at_its_bound_and_a_missed_one_stands_out():
    assert Goal(1.5).met(1.5)
    assert not Goal(1.5).met(1.51)
    assert Goal(150, at_most=False).met(150)
    assert not Goal(150, at_most=False).met(149)
    rows = table([Figure("a.b", "says", 2.0, "ms", Goal(1.5)), Figure("c.d", "says", 1.0, "ms")]).splitlines()
    assert "**missed**" in rows[2]
    assert "missed" not in rows[3]


def test_a_profile_names_the_function_in_which_the_time_went():
    def busy() -> None:
        sorted(range(200_000), key=lambda number: -number)

    assert any("test_bench.py" in line or "sorted" in line for line in profiled(busy)())
