"""Keeps what was drawn before, up to a number of pixels, and forgets what was used longest ago.

Knows nothing of views.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Cache(Generic[Kept]):
    """Values by key, with a bound on the sum of their weights."""

    def __init__(self, limit: int, weigh: Callable[[Kept], int]) -> None:
        self._limit = limit
        self._weigh = weigh
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self.weight = 0

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """The value kept for the key, made now if there is none."""
        found = self.find(key)
        if found is not None:
            return found
        value = make()
        self.put(key, value)
        return value

    def find(self, key: Hashable) -> Kept | None:
        """The value kept for the key; none is made."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, value: Kept) -> None:
        """Keep a value in place of the key's last one."""
        last = self._kept.pop(key, None)
        self.weight += self._weigh(value) - (self._weigh(last) if last is not None else 0)
        self._kept[key] = value
        while self.weight > self._limit and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self.weight -= self._weigh(old)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.weight = 0

    def __len__(self) -> int:
        return len(self._kept)
