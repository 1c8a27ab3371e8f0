"""The demo without a person: citizens for some seconds, then wait until all is out and sent, then count."""

import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any

from kiosk.simulator.appliance import Appliance
from kiosk.simulator.audit import audit
from kiosk.simulator.citizens import Crowd

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
    drained = drain(appliance)
    appliance.close()
    totals = audit(appliance.plan.folder.path, slips=bool(appliance.printer), received=bool(appliance.receiver))
    if totals["received"] is None:
        totals["received"] = appliance.seen.figures.get("received", 0)  # what the real server has acknowledged
    problems = totals.pop("problems") + ([] if drained else ["not everything was printed and sent in time"])
    return {**totals, **_times(appliance), "problems": problems[:20]}


def _screenshots(appliance: Appliance) -> None:
    views = len(appliance.plan.config.screen.outputs)
    if appliance.shoot():
        appliance.wait_for(lambda seen: seen.shots >= views, SHOT_S)


def drain(appliance: Appliance) -> bool:
    """Wait until all is printed and sent: first the printer, then the device ends with its last events, then the feed.

    False when that took longer than `DRAIN_S` each.
    """
    store = appliance.store()
    try:
        open_jobs = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'sending')"
        paperless = appliance.plan.config.printer.url == "none"
        printed = paperless or _until(lambda: store.database.rows(open_jobs)[0][0] == 0)
        appliance.stop_device()
        return _until(lambda: appliance.figures(store)["waiting"] == 0) and printed
    finally:
        store.close()


def _until(done: Any, limit_s: float = DRAIN_S) -> bool:
    until = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


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
