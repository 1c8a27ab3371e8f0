"""What a technician tries out beside the kiosk: the printer by a test sheet, and the keys one by one."""

import json
from dataclasses import dataclass
from pathlib import Path

from kiosk.clock import Moment
from kiosk.orders import KEY_TEST_S
from kiosk.store import Store
from kiosk.store.look import is_running
from kiosk.store.orders import Order


@dataclass(frozen=True, slots=True)
class Press:
    """A press during the test: what the key does, where it came from, and when."""

    action: str
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class Bench:
    """State of both tests. `sheet` is queued, running, done, failed, or "" for none; `why` is what it failed by."""

    runs: bool
    printer: str
    sheet: str
    why: str
    testing: bool
    presses: tuple[Press, ...]


def bench(store: Store, now: Moment) -> Bench:
    """As it is now; `runs` tells whether there is a `kiosk run` that could do it."""
    sheet = store.orders.last(now, "printer", "test-sheet")
    keys = store.orders.last(now, "kiosk", "keys")
    recent = sheet if sheet and sheet.age_s < 600 else None
    return Bench(
        is_running(Path(store.database.folder)),
        store.fact("printer") or "unknown",
        recent.state if recent else "",
        recent.answer if recent else "",
        bool(keys and keys.state in ("queued", "running") and keys.age_s < KEY_TEST_S),
        _presses(keys),
    )


def print_sheet(store: Store, now: Moment, by: str) -> None:
    """Ask for a test sheet."""
    store.orders.give(now, "printer", "test-sheet", by=by)


def test_keys(store: Store, now: Moment, by: str) -> None:
    """Let the kiosk note presses for a while in place of obeying them."""
    store.orders.give(now, "kiosk", "keys", by=by)


def end_test(store: Store, now: Moment) -> None:
    """Keys mean again what they mean."""
    store.orders.stop(now, "kiosk", "keys")


def _presses(order: Order | None) -> tuple[Press, ...]:
    """The newest first."""
    if order is None or not order.answer.startswith("["):
        return ()
    return tuple(Press(*press) for press in reversed(json.loads(order.answer)))
