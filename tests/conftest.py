"""Fixtures that several test files share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.store import Store
from tests.office import open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of the sample office without limits on pressing."""
    opened = open_store(tmp_path)
    yield opened
    opened.close()
