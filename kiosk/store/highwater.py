"""The high-water file: what must outlive the database, so that a restored one never repeats a printed number.

A small JSON file beside the database, replaced whole and fsynced. It holds a ceiling per series and service, raised
well ahead (an fsync per ticket would cost as much as the commit), and the count of the feed's epochs. Whoever raises
it holds the database's write lock, so two processes never write it at once.
"""

import json
import logging
from pathlib import Path
from typing import Any

from kiosk.store.durable import write_durably

AHEAD = 50
HIGHEST = 10**6
"""No office gives so many numbers of a service in a day."""
SERIES_KEPT = 12

_EMPTY: dict[str, Any] = {"epoch": 0, "feed": "", "seq": 0, "series": {}}

logger = logging.getLogger(__name__)


class HighWater:
    """The file, read when needed and kept in memory between raises."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content: dict[str, Any] = {}
        self.reload()

    def reload(self) -> None:
        """Read what another process may have raised. An unreadable file counts as absent: the database still knows."""
        try:
            self._content = _checked(json.loads(self.path.read_text()))
        except FileNotFoundError:
            self._content = _EMPTY
        except (OSError, ValueError, RecursionError) as error:
            logger.error("%s cannot be read (%s): ceilings start from the database", self.path, error)
            self._content = _EMPTY

    def ceiling(self, series: str, service: str) -> int:
        """The highest number that may already be on paper."""
        return int(self._content["series"].get(series, {}).get(service, 0))

    def cover(self, series: str, numbers: dict[str, int]) -> None:
        """Make sure that each number (by service) lies at or below its ceiling, before it is committed.

        A card that takes no more writes must not stop the queue: then the ceiling stays, and the log says so.
        """
        if all(n <= self.ceiling(series, service) for service, n in numbers.items()):
            return
        self.reload()
        short = {service: n + AHEAD for service, n in numbers.items() if n > self.ceiling(series, service)}
        if short:
            kept = dict(list(self._content["series"].items())[-SERIES_KEPT:])
            kept[series] = {**kept.pop(series, {}), **short}
            self._try_write({**self._content, "series": kept})

    @property
    def series(self) -> dict[str, dict[str, int]]:
        """Series → service → ceiling."""
        return dict(self._content["series"])

    @property
    def latest_series(self) -> str:
        """The series that was running last; "" when none ever was."""
        return next(reversed(self._content["series"]), "")

    @property
    def epoch(self) -> int:
        """How many epochs the feed has had."""
        return int(self._content["epoch"])

    @property
    def feed(self) -> str:
        """The epoch that the database had when it was last opened; another one means another database."""
        return str(self._content["feed"])

    def next_epoch(self, after: int = 0) -> int:
        """Count one epoch more, beyond `after` too; durable on return. Raises OSError when it cannot be written."""
        self.reload()
        self._write({**self._content, "epoch": max(self.epoch, after) + 1})
        return self.epoch

    @property
    def seq(self) -> int:
        """The feed's last event when the database was last prepared; one that ends before it is an older copy."""
        return int(self._content["seq"])

    def remember_feed(self, epoch: str, seq: int = 0) -> None:
        """Note the database's epoch and its last event."""
        self.reload()
        if (epoch, seq) != (self.feed, self.seq):
            self._write({**self._content, "feed": epoch, "seq": seq})

    def _try_write(self, content: dict[str, Any]) -> None:
        try:
            self._write(content)
        except OSError as error:
            logger.error("%s cannot be written (%s): the disk is full or read-only", self.path, error)

    def _write(self, content: dict[str, Any]) -> None:
        write_durably(self.path, json.dumps(content))
        self._content = content


def _checked(content: Any) -> dict[str, Any]:
    """The content if it has the shape that is written here; ValueError otherwise."""
    match content:
        case {"epoch": int(epoch), "feed": str(feed), "series": dict(series)} if 0 <= epoch < 2**31:
            if all(_are_ceilings(ceilings) for ceilings in series.values()):
                seq = content.get("seq", 0)
                return {"epoch": epoch, "feed": feed, "seq": seq if type(seq) is int else 0, "series": series}
    raise ValueError("it has another shape")


def _are_ceilings(value: Any) -> bool:
    return isinstance(value, dict) and all(type(n) is int and 0 <= n < HIGHEST for n in value.values())
