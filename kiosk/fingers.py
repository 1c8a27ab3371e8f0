"""Fingers that are held on the glass: two hands for 5 s are what two keys of the panel are.

Pure: places are names of actions and shares (0–1) of a window's width and height, times monotonic seconds. What a touch
does at once is not its matter.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from kiosk.keys import Chord, Together

APART = 0.5
"""Two fingers so far from each other, across or down, are not of one hand: a citizen may rest one on the glass."""
LOST_S = 30.0
"""A finger that is said to be down for so long was lifted unseen."""


@dataclass(frozen=True, slots=True)
class _Finger:
    since: float
    action: str
    x: float
    y: float


class Fingers:
    """Those that are down now."""

    def __init__(self) -> None:
        self._down: dict[Hashable, _Finger] = {}
        self._together = Together()

    def down(self, finger: Hashable, action: str, place: tuple[float, float], at: float) -> None:
        """A finger touches the place of an action, "" beside all of them."""
        self._down[finger] = _Finger(at, action, *place)

    def up(self, finger: Hashable) -> None:
        """It is lifted."""
        self._down.pop(finger, None)

    def tick(self, now: float) -> list[Chord]:
        """Two fingers, far from each other, that have been held together by `now`, said once."""
        self._down = {finger: held for finger, held in self._down.items() if now < held.since + LOST_S}
        held = list(self._down.values())
        if len(held) == 2 and not _are_apart(*held):
            return []
        return self._together.tick(((each.since, each.action) for each in held), now)


def _are_apart(one: _Finger, other: _Finger) -> bool:
    return max(abs(one.x - other.x), abs(one.y - other.y)) >= APART
