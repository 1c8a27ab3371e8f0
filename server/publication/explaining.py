"""How a figure comes about (giải trình số liệu), worked out of the figures themselves. No words, no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.reports.opinions import wilson

NEUTRAL = "neutral"
"""The face of the level in the middle (Bình thường)."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the label set with how many ratings chose it."""

    value: int
    text: str
    text_en: str
    satisfied: bool
    n: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Ratings that do not count, for one reason (a flag): how many of each level, the levels in order."""

    flag: str
    by_level: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.by_level)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """A satisfaction rate with all that it is made of. `without` is k of n without the level in the middle, None in a
    label set that has none. `left_out_total` counts a rating with two flags once; None when nobody knows."""

    set: str
    name: str
    k: int
    n: int
    served: int
    levels: tuple[Level, ...]
    left_out: tuple[LeftOut, ...]
    left_out_total: int | None
    interval: tuple[float, float] | None
    without: tuple[int, int] | None


def satisfaction(rating: Mapping[str, Any]) -> Satisfaction:
    """Of one entry of a content's "ratings" (content.py). Levels that no office document knows have their number."""
    known = [Level(each["value"], each["text"], each["text_en"], each["satisfied"], _of(rating, each["value"]))
             for each in rating["levels"]]  # fmt: skip
    others = sorted({*rating["by_level"]} - {str(level.value) for level in known}, reverse=True)
    levels = [*known, *(Level(int(value), value, value, False, _of(rating, int(value))) for value in others)]
    middle = [each["value"] for each in rating["levels"] if each["face"] == NEUTRAL and not each["satisfied"]]
    k, n = rating["k"], rating["n"]
    return Satisfaction(
        rating["set"], rating["name"], k, n, rating["served"], tuple(levels),
        tuple(_left_out(flag, by_level, levels) for flag, by_level in rating["left_out"].items()),
        rating.get("left_out_total"), wilson(k, n) if known else None,
        (k, n - sum(_of(rating, value) for value in middle)) if middle else None,
    )  # fmt: skip


def _of(rating: Mapping[str, Any], value: int) -> int:
    return int(rating["by_level"].get(str(value), 0))


def _left_out(flag: str, by_level: Mapping[str, int], levels: list[Level]) -> LeftOut:
    return LeftOut(flag, tuple(by_level.get(str(level.value), 0) for level in levels))
