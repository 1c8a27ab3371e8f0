"""What time it is for the server: the machine's clock, unless it is told to follow another one, as the demo does."""

from collections.abc import Callable
from datetime import UTC, datetime


def _machine() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _machine


def now() -> datetime:
    """The present moment, aware."""
    return _source()


def follow(source: Callable[[], datetime] | None) -> None:
    """Take the time from elsewhere from now on; None: from the machine again."""
    global _source
    _source = source or _machine
