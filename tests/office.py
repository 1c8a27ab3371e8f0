"""Helpers for tests of the queue: a store in a folder, and moments of a Monday in the sample office."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from kiosk.clock import Moment
from kiosk.office import sample
from kiosk.rulebook import Rulebook
from kiosk.store import Store
from kiosk.store.prepare import prepare

OPENING = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
"""07:30 on Monday 23/11/2026 in Vietnam."""

BOOT = "b0070001"

OPENED: list[Store] = []
"""Stores of the running test."""


def moment(seconds: float = 0, *, trusted: bool = True, boot: str = BOOT, day: int = 0) -> Moment:
    """So many seconds after the office opened."""
    at = OPENING + timedelta(days=day, seconds=seconds)
    mono = int((seconds + day * 86400 + 10**8) * 1000)
    return Moment(at, "ntp" if trusted else "guess", trusted, boot, mono)


def rulebook(**rules: object) -> Rulebook:
    """The sample office's rules with some of the queue's changed."""
    book = _sample_book()
    return replace(book, policy=replace(book.policy, **rules))  # type: ignore[arg-type]


@cache
def _sample_book() -> Rulebook:
    return sample().rulebook()


def open_store(folder: Path, book: Rulebook | None = None) -> Store:
    """A prepared store in this folder; closed at the end of the test, whoever forgets it."""
    prepare(folder, moment(-3600))
    store = Store(folder, book or rulebook(press_limits=False))
    OPENED.append(store)
    return store
