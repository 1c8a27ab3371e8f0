"""Keys as events: raw edges of a pin, a keyboard or a USB keypad become presses, holds and stuck keys.

The filter is pure: monotonic seconds are arguments, and an action (`take:ho-tich`, `rate:1:happy`, `call:1`) is only a
string that is handed on. This module refuses to know pins, services, counters and the database; what a press means is
the caller's matter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

# A contact open for less than this is still bouncing: switches settle in 1–10 ms, worn arcade keys in up to 20 ms.
SETTLE_S = 0.03
CHORD_S = 5.0
TOGETHER_S = 2.0
"""Keys that go down within this time are pressed together; a stuck key and a finger are not."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A contact closed (down) or opened. `at_start`: it was closed already when we began to look."""

    action: str
    down: bool
    at: float
    source: str
    at_start: bool = False


@dataclass(frozen=True, slots=True)
class KeysLost:
    """A keypad is not there (any more). Said once for each loss."""

    source: str
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class KeysBack:
    """A lost keypad works again."""

    source: str
    at: float


Raw = Edge | KeysLost | KeysBack


@dataclass(frozen=True, slots=True)
class Press:
    action: str
    at: float
    source: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A key of `hold_actions` was kept down for `hold_s`; `at` is the moment it became a hold."""

    action: str
    at: float
    source: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """A key has been down for `stuck_s` and is ignored until it is released."""

    action: str
    at: float
    source: str


@dataclass(frozen=True, slots=True)
class Freed:
    action: str
    at: float
    source: str


@dataclass(frozen=True, slots=True)
class Chord:
    """Two keys, or two fingers far apart, went down together and have been held for CHORD_S: no citizen does that."""

    actions: tuple[str, str]
    at: float


class Together:
    """Says once that two went down together and are held; where there were more, nothing until all but one are up."""

    def __init__(self) -> None:
        self._said = False

    def tick(self, down: Iterable[tuple[float, str]], now: float) -> list[Chord]:
        """`down` is what is held, each since when and of which action."""
        held = sorted(down)
        if len(held) != 2:
            self._said = len(held) > 2
            return []
        (first, one), (second, other) = held
        if self._said or second - first > TOGETHER_S or now < second + CHORD_S:
            return []
        self._said = True
        return [Chord((one, other), second + CHORD_S)]


KeyEvent = Press | Hold | Stuck | Freed | Chord


def is_stale(event: Press | Hold, now: float, stale_s: float = 2.0) -> bool:
    """Whether a press comes so late (seconds) that its slip would surprise whoever stands there now."""
    return now - event.at > stale_s


@dataclass(slots=True)
class _Key:
    """One contact as the filter believes it to be: it closes at once and opens only after it has settled."""

    action: str
    source: str
    can_hold: bool
    since: float | None = None  # closed since
    opened: float | None = None  # open since, but perhaps only bouncing
    accepted: float = field(default=float("-inf"))  # the last press or hold
    spent: bool = False  # this closing can give no press and no hold (any more)
    stuck: bool = False


class KeyFilter:
    """Edges in, presses out: at most one press a key in `lockout_s`, however the contact bounces.

    Each contact (action and source) is judged alone, so keys pressed together all count. Times are monotonic seconds.
    A key of `hold_actions` gives its Press when it is released, or a Hold at `hold_s`, never both. Hand in all waiting
    edges before `tick`: a tick that runs ahead of an unread release would see a key held that was not.
    """

    def __init__(
        self,
        lockout_s: float = 0.2,
        stuck_s: float = 10.0,
        hold_s: float = 1.5,
        hold_actions: Collection[str] = (),
        *,
        settle_s: float = SETTLE_S,
    ) -> None:
        if lockout_s < 0 or settle_s < 0 or not 0 < hold_s < stuck_s:
            raise ValueError("key times: lockout_s and settle_s must not be negative, and 0 < hold_s < stuck_s")
        self._lockout_s = lockout_s
        self._stuck_s = stuck_s
        self._hold_s = hold_s
        self._settle_s = settle_s
        self.hold_actions = frozenset(hold_actions)
        self._keys: dict[tuple[str, str], _Key] = {}
        self._together = Together()
        self.locked_out = 0
        """Presses ignored because they came within `lockout_s` of one before."""

    def feed(self, edge: Edge) -> list[KeyEvent]:
        """Take an edge as the sources offer it."""
        if edge.at_start and edge.down:
            self.down_at_start(edge.action, edge.at, edge.source)
            return []
        return (self.down if edge.down else self.up)(edge.action, edge.at, edge.source)

    def down(self, action: str, at: float, source: str = "") -> list[KeyEvent]:
        """A contact closed at `at`; a plain key gives its Press here."""
        key = self._key(action, source)
        events = self._advance(key, at)
        if key.since is not None:
            key.opened = None
            return events
        key.since = at
        key.spent = at - key.accepted < self._lockout_s
        if key.spent:
            self.locked_out += 1
        elif not key.can_hold:
            events.append(self._press(key, at))
        return events

    def up(self, action: str, at: float, source: str = "") -> list[KeyEvent]:
        """A contact opened at `at`; what follows from it comes with a later edge or tick, once it has settled."""
        key = self._key(action, source)
        events = self._advance(key, at)
        if key.since is not None and key.opened is None:
            key.opened = at
        return events

    def down_at_start(self, action: str, at: float, source: str = "") -> None:
        """A contact was closed when we began: nobody pressed it for us, so it only can become Stuck."""
        key = self._key(action, source)
        if key.since is None:
            key.since = at
            key.spent = True

    def tick(self, now: float) -> list[KeyEvent]:
        """What time alone brings by `now`: holds, stuck keys, settled releases, two keys held together."""
        events = [event for key in self._keys.values() for event in self._advance(key, now)]
        held = ((key.since, key.action) for key in self._keys.values() if key.since is not None)
        return [*events, *self._together.tick(held, now)]

    def stuck(self) -> tuple[str, ...]:
        """The actions whose key is stuck now."""
        return tuple(key.action for key in self._keys.values() if key.stuck)

    def _key(self, action: str, source: str) -> _Key:
        key = self._keys.get((action, source))
        if key is None:
            key = self._keys[action, source] = _Key(action, source, action in self.hold_actions)
        return key

    def _advance(self, key: _Key, now: float) -> list[KeyEvent]:
        if key.since is None:
            return []
        if key.opened is not None:
            return self._release(key, key.since, key.opened) if now - key.opened >= self._settle_s else []
        return self._still_down(key, key.since, now)

    def _still_down(self, key: _Key, since: float, now: float) -> list[KeyEvent]:
        events: list[KeyEvent] = []
        if key.can_hold and not key.spent and now >= since + self._hold_s:
            key.spent = True
            key.accepted = since + self._hold_s
            events.append(Hold(key.action, key.accepted, key.source))
        if not key.stuck and now >= since + self._stuck_s:
            key.stuck = True
            events.append(Stuck(key.action, since + self._stuck_s, key.source))
        return events

    def _release(self, key: _Key, since: float, opened: float) -> list[KeyEvent]:
        events: list[KeyEvent] = []
        if key.can_hold and not key.spent:
            events.append(self._press(key, opened))
        if key.stuck:
            events.append(Freed(key.action, opened, key.source))
        key.since = key.opened = None
        key.spent = key.stuck = False
        return events

    @staticmethod
    def _press(key: _Key, at: float) -> Press:
        key.accepted = at
        key.spent = True
        return Press(key.action, at, key.source)


class Outlet:
    """Hands raw events on and never raises: it is the top of threads of gpiozero and evdev, which an error would end.

    `offer` must not wait (a queue's put_nowait). What it refuses is counted in `failures`, and logged the first time.
    """

    def __init__(self, offer: Callable[[Raw], object]) -> None:
        self._offer = offer
        self.failures = 0

    def put(self, item: Raw) -> None:
        try:
            self._offer(item)
        except Exception:
            self.failures += 1
            if self.failures == 1:
                logger.exception("a key event could not be handed on; later ones are only counted")


def key_name(name: str) -> str:
    """One spelling for a key: that of pygame.key.name in lower case ("kp 1" is "[1]", "kp enter" is "enter")."""
    plain = " ".join(name.lower().split())
    for prefix in ("keypad ", "kp "):
        if plain.startswith(prefix):
            rest = plain.removeprefix(prefix)
            return rest if rest == "enter" else "equals" if rest == "=" else f"[{rest}]"
    return plain


class KeyboardSource:
    """Keys of a window (names as pygame.key.name gives them) as edges; auto-repeat is swallowed."""

    def __init__(self, mapping: Mapping[str, str], source: str = "keyboard") -> None:
        self._actions = {key_name(name): action for name, action in mapping.items()}
        self._down: set[str] = set()
        self._source = source

    def down(self, name: str, at: float) -> Edge | None:
        """None for a key that means nothing here, and for the repeats of one that is down."""
        key = key_name(name)
        if key not in self._actions or key in self._down:
            return None
        self._down.add(key)
        return Edge(self._actions[key], True, at, self._source)

    def up(self, name: str, at: float) -> Edge | None:
        key = key_name(name)
        if key not in self._down:
            return None
        self._down.discard(key)
        return Edge(self._actions[key], False, at, self._source)

    def release_all(self, at: float) -> list[Edge]:
        """For a window that lost the focus: it will not be told of the releases."""
        held, self._down = sorted(self._down), set()
        return [Edge(self._actions[key], False, at, self._source) for key in held]
