"""Fixtures that several test files share."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.store import Store
from tests.browser import chromium as chromium
from tests.console_kit import Hall
from tests.office import OPENED, open_store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is begun first: else one worker is at it when the others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of the sample office without limits on pressing."""
    return open_store(tmp_path)


@pytest.fixture(autouse=True)
def _no_log_is_left_open() -> Iterator[None]:
    """A command that set logging up wrote to this test's standard error, which is closed after it."""
    yield
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if type(handler) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _stores_are_closed() -> Iterator[None]:
    """Python 3.13 complains about connections that are only forgotten."""
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A console on loopback with the sample office."""
    running = Hall(tmp_path)
    yield running
    running.close()
