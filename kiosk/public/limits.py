"""How often phones may write: token buckets by what is written about. No address of anybody is known here.

Nothing is kept on disk, and a bucket that is full again is forgotten.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then one each `every_s` seconds."""

    burst: int
    every_s: float


PER_TICKET = Rate(burst=5, every_s=60)
PER_COUNTER = Rate(burst=10, every_s=10)
TOGETHER = Rate(burst=60, every_s=0.5)
"""Of one office."""
BUSY_S = 60
"""So long somebody over the limit is asked to wait."""


def spend(full_at: float, rate: Rate, now: float) -> float | None:
    """When a bucket that is full again at `full_at` will be so after one more is taken now; None when it is empty.

    Times are seconds of one clock that never goes back.
    """
    begins = max(full_at, now)
    return begins + rate.every_s if begins - now <= (rate.burst - 1) * rate.every_s else None


@dataclass
class Limiter:
    """One bucket for each key, and one for all together, so that many keys cannot drown the office either."""

    each: Rate
    together: Rate
    _full_at: dict[str, float] = field(default_factory=dict)
    _all_full_at: float = 0.0

    def may(self, key: str, now: float) -> bool:
        """Whether `allow` would; nothing is counted."""
        return None not in self._after(key, now)

    def allow(self, key: str, now: float) -> bool:
        """Whether one more may be written about `key`; if so, it is counted."""
        one, everybody = self._after(key, now)
        if one is None or everybody is None:
            return False
        self._full_at = {name: at for name, at in self._full_at.items() if at > now} | {key: one}
        self._all_full_at = everybody
        return True

    def _after(self, key: str, now: float) -> tuple[float | None, float | None]:
        return spend(self._full_at.get(key, now), self.each, now), spend(self._all_full_at, self.together, now)
