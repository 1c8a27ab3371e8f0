"""What was read of a site is used again until a day of it is summed again; what nobody asked for longest goes first.

A province asks for the same days of a hundred sites again and again, and but for today's hardly one changes meanwhile.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from django.db.models import Count, Max

from server.facts.models import Rollup
from server.registry.models import Site
from server.reports.models import MonthSum
from server.reports.monthly import Parts, at

V = TypeVar("V")

Mark = tuple[str | int, ...]
"""Of the days and months that were read: another one as soon as one of them was summed again."""


@dataclass(frozen=True, slots=True)
class _Key:
    site: int
    parts: Parts
    what: Hashable


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    mark: Mark
    value: V
    weight: int


_all: list["Memory[Any]"] = []


def clear_all() -> None:
    """Forget everything of this process."""
    for memory in _all:
        memory.clear()


def keep_nothing() -> None:
    """From now on, in this process: for one that asks for everything once."""
    for memory in _all:
        memory.most = 0
    clear_all()


class Memory(Generic[V]):
    """It keeps as much as weighs `most` by `weigh`, which counts what is around a value too. Threads may share it."""

    def __init__(self, most: int, weigh: Callable[[V], int]) -> None:
        self.most, self.weigh = most, weigh
        self.weight = 0
        self._kept: OrderedDict[_Key, _Kept[V]] = OrderedDict()
        self._lock = Lock()
        _all.append(self)

    def read(
        self, sites: Sequence[Site], parts: Parts, what: Hashable, read: Callable[[list[Site]], Mapping[int, V]],
        still: Callable[[dict[int, V]], dict[int, V]] | None = None,
    ) -> dict[int, V]:  # fmt: skip
        """By the site's primary key: what is kept of these parts under this name, and what `read` reads of the others.

        `still` leaves out what is no longer true for another reason than its days.
        """
        marks = _marks(sites, parts)  # before the rows: what changes meanwhile is read again the next time
        known = self._known(parts, what, marks)
        found = still(known) if still else known
        new = [site for site in sites if site.pk not in found]
        for pk, value in read(new).items() if new else ():
            found[pk] = value
            self._keep(_Key(pk, parts, what), _Kept(marks[pk], value, self.weigh(value)))
        return dict(sorted(found.items()))

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self.weight = 0

    def _known(self, parts: Parts, what: Hashable, marks: Mapping[int, Mark]) -> dict[int, V]:
        found = {}
        with self._lock:
            for pk, mark in marks.items():
                key = _Key(pk, parts, what)
                kept = self._kept.get(key)
                if kept and kept.mark == mark:
                    self._kept.move_to_end(key)
                    found[pk] = kept.value
        return found

    def _keep(self, key: _Key, kept: _Kept[V]) -> None:
        with self._lock:
            self._drop(key)
            if kept.weight > self.most:
                return  # all else would go for it
            self._kept[key] = kept
            self.weight += kept.weight
            while self.weight > self.most:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        found = self._kept.pop(key, None)
        self.weight -= found.weight if found else 0


def _marks(sites: Sequence[Site], parts: Parts) -> dict[int, Mark]:
    """How many sums there are and which is the newest. Sums are replaced, never changed: a new one has a new key."""
    found: dict[int, Mark] = {site.pk: () for site in sites}
    days = Rollup.objects.filter(at(sites), parts.days(), dim="all")
    months = MonthSum.objects.filter(at(sites), month__in=parts.months, dim="all")
    for table, sums in (("day", days), ("month", months)):
        for site, count, newest in sums.values_list("site_id").annotate(count=Count("pk"), newest=Max("pk")):
            found[site] = (*found[site], table, count, newest)
    return found
