"""The demo without a person: citizens for some seconds, then wait until all is out and sent, then count."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from kiosk.simulator.appliance import Appliance
from kiosk.simulator.audit import audit
from kiosk.simulator.citizens import Crowd, prints
from kiosk.store import Store

PER_HOUR = 3600.0
"""Citizens an hour, if nobody says how many."""
DRAIN_S = 20.0
SHOT_S = 5.0


def run(
    appliance: Appliance, per_hour: float, seconds: float, seed: int | None, stop: threading.Event
) -> dict[str, Any]:
    """Run `seconds` of real time, or until `stop`; the totals of the audit and the measured times."""
    crowd = Crowd(appliance, per_hour, seed).start() if per_hour else None
    stop.wait(seconds)
    _screenshots(appliance)
    if crowd:
        crowd.stop()
    problems = drain(appliance)
    appliance.close()
    totals = audit(appliance.plan.folder.path, slips=bool(appliance.printer), received=bool(appliance.upstream))
    if totals["received"] is None:
        totals["received"] = appliance.seen.figures.get("received", 0)  # what the real server has acknowledged
    problems += totals.pop("problems")
    if not appliance.seen.taken:
        problems.insert(0, "nobody took a number, so nothing is proved: more --seconds or more --per-hour")
    return {**totals, **_times(appliance), "problems": problems[:20]}


def _screenshots(appliance: Appliance) -> None:
    views = len(appliance.plan.config.screen.outputs)
    if appliance.shoot():
        appliance.wait_for(lambda seen: seen.shots >= views, SHOT_S)


def drain(appliance: Appliance) -> list[str]:
    """Wait until all is printed and sent: first the printer, then the device ends with its last events, then the feed.

    A sentence for each of the two that took longer than `DRAIN_S`.
    """
    with closing(appliance.store()) as store:
        left = []
        if jobs := _rest(lambda: _open_jobs(appliance, store)):
            left.append(f"slips not printed after {DRAIN_S:g} s: {jobs}; {_printer(appliance)}")
        appliance.stop_device()
        if events := _rest(lambda: appliance.figures(store)["waiting"]):
            left.append(f"events not sent after {DRAIN_S:g} s: {events}; {_server(appliance)}")
        return left


def _open_jobs(appliance: Appliance, store: Store) -> int:
    if appliance.plan.config.printer.url == "none":
        return 0
    return int(store.database.rows("SELECT count(*) FROM jobs WHERE state IN ('queued', 'sending')")[0][0])


def _rest(count: Callable[[], int]) -> int:
    """What is left of it when it is 0, or `DRAIN_S` later."""
    until = time.monotonic() + DRAIN_S
    while (left := count()) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def _printer(appliance: Appliance) -> str:
    url, state = appliance.plan.config.printer.url, appliance.seen.printer
    if state == "offline":
        return f"the printer at {url} cannot be reached"
    return f"the printer at {url} is slow" if prints(appliance.seen) else f"the printer at {url} says {state}"


def _server(appliance: Appliance) -> str:
    url, state = appliance.plan.config.sync.server, appliance.seen.server
    return (
        f"the server at {url} cannot be reached" if state == "offline" else f"the server at {url} says {state or '-'}"
    )


def _times(appliance: Appliance) -> dict[str, Any]:
    seen = appliance.seen
    return {
        "press_to_committed_ms": summary([taken["ms"] for taken in seen.taken]),
        "press_to_last_byte_ms": summary([done["ms"] for done in seen.printed if done["ms"] is not None]),
    }


def summary(values: Sequence[float]) -> dict[str, float] | None:
    """Median and 99th percentile in ms; None without a measurement."""
    if not values:
        return None
    ordered = sorted(values)
    return {"median": statistics.median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]}
