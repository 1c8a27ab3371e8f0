"""`python -m tests.bench`: run the benchmarks, show a table, and write JSON."""

import argparse
import compileall
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.bench import commune, commune_scale, drain, feed, figures, lan, processes, screens, slips, tickets
from tests.bench.children import ROOT
from tests.bench.figures import Figure
from tests.bench.plan import Plan

Bench = Callable[[Plan], list[Figure]]

BENCHES: dict[str, Bench] = {
    bench.__name__: bench
    for bench in (
        tickets.press,
        tickets.cpu,
        slips.slip,
        tickets.size,
        tickets.crowd,
        screens.redraw,
        screens.call,
        screens.burst,
        processes.start,
        processes.idle,
        feed.sync,
        lan.console,
        commune.commune,
        drain.drain,
        commune_scale.province,
    )
}
OF_THE_SERVER = frozenset({"commune", "drain", "province"})
"""Another machine's matter, and minutes long."""
HALVES = {"kiosk": BENCHES.keys() - OF_THE_SERVER, "server": OF_THE_SERVER}


def main() -> int:
    options = _options()
    logging.basicConfig(level=logging.ERROR)
    _compile()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder:
        machine = figures.machine(Path(folder))
        plan = Plan(Path(folder), options.quick)
        found = [
            figure
            for name in options.only or [n for n in BENCHES if n in HALVES.get(options.of, BENCHES)]
            for figure in _run(name, plan, options.profile)
        ]
    print(figures.table(found))
    missed = sum(figure.met is False for figure in found)
    seconds = time.monotonic() - began
    print(f"\n{len(found)} figures in {seconds:.0f} s, {missed} goals missed; {_line(machine)}")
    if options.json:
        content = {
            "machine": machine,
            "load_after": [round(load, 2) for load in os.getloadavg()],
            "quick": options.quick,
            "seconds": round(seconds, 1),
            "figures": [figure.plain() for figure in found],
        }
        figures.write(options.json, content)
    return 0


def _compile() -> None:
    """As pip leaves the kiosk on a device. A Python that may not write beside its sources compiles at each start."""
    for package in ("kiosk", "sync"):
        compileall.compile_dir(ROOT / package, quiet=2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What kiosk and server cost.")
    parser.add_argument("--only", action="append", choices=BENCHES, help="run this one; may be given again")
    parser.add_argument("--of", choices=HALVES, help="run those of this half")
    parser.add_argument("--quick", action="store_true", help="few repetitions: shows that it runs, not how fast")
    parser.add_argument("--profile", action="store_true", help="add to each missed goal where its time goes (to JSON)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures with their spread to a file")
    return parser.parse_args()


def _run(name: str, plan: Plan, profile: bool) -> list[Figure]:
    began = time.monotonic()
    found = BENCHES[name](plan)
    print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    if not profile:
        return found
    return [_explained(figure) for figure in found]


def _explained(figure: Figure) -> Figure:
    if figure.met is not False or figure.profile is None:
        return figure
    return replace(figure, detail={**figure.detail, "profile": figure.profile()})


def _line(machine: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in machine.items())


if __name__ == "__main__":
    raise SystemExit(main())
