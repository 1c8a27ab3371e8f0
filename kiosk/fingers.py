"""Fingers that are held on the glass: two of them for 5 s are what two keys of the panel are.

Pure: places are names of actions, times monotonic seconds. What a touch does at once is not its matter.
"""

from collections.abc import Hashable

from kiosk.keys import Chord, Together

LOST_S = 30.0
"""A finger that is said to be down for so long was lifted unseen."""


class Fingers:
    """Those that are down now."""

    def __init__(self) -> None:
        self._down: dict[Hashable, tuple[float, str]] = {}
        self._together = Together()

    def down(self, finger: Hashable, action: str, at: float) -> None:
        """A finger touches the place of an action, "" beside all of them."""
        self._down[finger] = at, action

    def up(self, finger: Hashable) -> None:
        """It is lifted."""
        self._down.pop(finger, None)

    def tick(self, now: float) -> list[Chord]:
        """Two fingers that have been held together by `now`, said once."""
        self._down = {finger: held for finger, held in self._down.items() if now < held[0] + LOST_S}
        return self._together.tick(self._down.values(), now)
