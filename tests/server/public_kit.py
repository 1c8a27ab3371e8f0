"""Pages for everybody at a moment: none of them made before, and nobody near a limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.core.cache import cache

from server import clock
from server.making import Making
from server.publication import public


@contextmanager
def standing_at(now: datetime) -> Iterator[None]:
    """The server's clock stands still."""
    with pytest.MonkeyPatch.context() as fresh:
        fresh.setattr(public, "making", Making())
        clock.follow(lambda: now)
        cache.clear()
        yield
        cache.clear()
        clock.follow(None)
