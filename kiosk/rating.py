"""Rating rules: which press is whose rating, which is kept but left out, and what may be published. No clock, no SQL.

Misuse is never thrown away: a press that cannot count is stored with its flags and counted apart, so that an office
can be asked about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kiosk.tickets import Data, Decision, Row, passed, text_of, time_of

FLAGS = ("unarmed", "late", "burst", "repeat", "self", "unassigned", "unlinked")
"""Why a rating is left out: no finished service; after the window; more than 3 presses in 5 s; the ticket has one
already; right after the clerk's own click; nobody signed in; not tied to a ticket (poster), so counted apart."""

BURST_PRESSES = 3
BURST_S = 5.0
SELF_S = 5.0


@dataclass(frozen=True, slots=True)
class RatingPolicy:
    """The office's settings of these rules (names and meanings as in docs/office.md, `[rules]`)."""

    rating_window_s: float = 60
    rating_replace_s: float = 5
    rating_min: int = 5
    free_rating: bool = False
    free_interval_s: float = 5


@dataclass(frozen=True, slots=True)
class Rating:
    """One press. `level` means something only together with `label_set`; `replaced_by` names the press that counts."""

    id: str
    ticket: str
    counter: str
    clerk: str
    level: int
    label_set: str
    source: str
    flags: tuple[str, ...]
    at: datetime
    day: str
    session: str
    replaced_by: str = ""

    @property
    def counts(self) -> bool:
        """Whether the figures include it."""
        return not self.flags and not self.replaced_by


@dataclass(frozen=True, slots=True)
class Desk:
    """What the rules look at when a rating key of a counter is pressed.

    `ticket` is the armed one ("" when none), `given` the rating that counts for it so far, in free mode the counter's
    last one; `recent` are the times of all presses at this counter in the last seconds, in any order.
    """

    counter: str
    clerk: str = ""
    ticket: str = ""
    armed_at: datetime | None = None
    clerk_acted_at: datetime | None = None
    given: Rating | None = None
    recent: tuple[datetime, ...] = ()


def press(desk: Desk, level: int, label_set: str, source: str, policy: RatingPolicy, now: datetime) -> Decision:
    """What a press is: `rating.given` with its flags, or `rating.replaced` for a change of mind within seconds."""
    burst = sum(1 for at in desk.recent if not passed(at, BURST_S, now)) >= BURST_PRESSES
    data: Data = {
        "ticket": desk.ticket,
        "counter": desk.counter,
        "clerk": desk.clerk,
        "level": level,
        "label_set": label_set,
        "source": source,
    }
    if burst:
        return "rating.given", {**data, "flags": ["burst"]}
    if desk.ticket:
        return _tied(desk, data, policy, now)
    return "rating.given", {**data, "flags": _untied_flags(desk, policy, now)}


def _tied(desk: Desk, data: Data, policy: RatingPolicy, now: datetime) -> Decision:
    if desk.given is not None and not passed(desk.given.at, policy.rating_replace_s, now):
        return "rating.replaced", {**data, "of": desk.given.id, "flags": []}
    late = passed(desk.armed_at, policy.rating_window_s, now)
    flags = (["repeat"] if desk.given is not None else []) + (["late"] if late else [])
    return "rating.given", {**data, "flags": flags}


def _untied_flags(desk: Desk, policy: RatingPolicy, now: datetime) -> list[str]:
    if not policy.free_rating:
        clicked = desk.clerk_acted_at is not None and not passed(desk.clerk_acted_at, SELF_S, now)
        return ["unarmed", "self"] if clicked else ["unarmed"]
    if not desk.clerk:
        return ["unassigned"]
    if desk.given is not None and not passed(desk.given.at, policy.free_interval_s, now):
        return ["repeat"]
    return []


def lit(armed: str, armed_at: datetime | None, rated: bool, policy: RatingPolicy, now: datetime) -> bool:
    """Whether the counter's rating lamps shine: a press now would be a rating that counts."""
    if policy.free_rating:
        return True
    return bool(armed) and not rated and not passed(armed_at, policy.rating_window_s, now)


def given(data: Mapping[str, Any], at: datetime) -> Rating:
    """The rating of a `rating.given` or `rating.replaced` event."""
    return Rating(
        id=data["rating"],
        ticket=data["ticket"],
        counter=data["counter"],
        clerk=data["clerk"],
        level=data["level"],
        label_set=data["label_set"],
        source=data["source"],
        flags=tuple(data["flags"]),
        at=at,
        day=data["day"],
        session=data["session"],
    )


def rating_of(row: Row) -> Rating:
    """The rating of a table row (flags joined by spaces, time as text)."""
    values = {name: row[name] for name in Rating.__slots__}
    return Rating(**{**values, "flags": tuple(row["flags"].split()), "at": time_of(row["at"])})


def plain(rating: Rating) -> Data:
    """The fields by name as SQLite holds them."""
    values = {name: getattr(rating, name) for name in Rating.__slots__}
    return {**values, "flags": " ".join(rating.flags), "at": text_of(rating.at)}


# --- figures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """Published figures of one label set: k of n ratings are satisfied ones, out of `served` finished services.

    `left_out` counts the flagged ratings by flag, then by level.
    """

    label_set: str
    k: int
    n: int
    served: int
    by_level: dict[int, int] = field(default_factory=dict)
    left_out: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """Satisfaction rate in per cent; None without a rating."""
        return 100 * self.k / self.n if self.n else None

    @property
    def answer_rate(self) -> float | None:
        """Ratings per finished service in per cent; None without a service."""
        return 100 * self.n / self.served if self.served else None


def figures(ratings: Sequence[Rating], served: int, satisfied: Mapping[str, frozenset[int]]) -> dict[str, Figure]:
    """One figure per label set; two sets are never merged, because the same button means different things in them.

    `satisfied` maps a label set to the levels that count as satisfied (Bình thường never does).
    """
    result = {}
    for label_set in sorted({r.label_set for r in ratings}):
        of_set = [r for r in ratings if r.label_set == label_set and not r.replaced_by]
        counted = [r for r in of_set if r.counts]
        result[label_set] = Figure(
            label_set=label_set,
            k=sum(1 for r in counted if r.level in satisfied.get(label_set, frozenset())),
            n=len(counted),
            served=served,
            by_level=_tally(r.level for r in counted),
            left_out={
                flag: _tally(r.level for r in of_set if flag in r.flags)
                for flag in FLAGS
                if any(flag in r.flags for r in of_set)
            },
        )
    return result


def _tally(levels: Any) -> dict[int, int]:
    counts: dict[int, int] = {}
    for level in levels:
        counts[level] = counts.get(level, 0) + 1
    return dict(sorted(counts.items()))


def may_publish(new_ratings: int, policy: RatingPolicy) -> bool:
    """Whether figures may move at the close of a session: with fewer new ratings a step would tell who pressed."""
    return new_ratings >= policy.rating_min


def clerk_figures(
    ratings: Sequence[Rating],
    served: Mapping[str, int],
    satisfied: Mapping[str, frozenset[int]],
    policy: RatingPolicy,
) -> dict[str, dict[str, Figure]]:
    """Figures by clerk and label set; a figure of fewer than `rating_min` ratings is withheld."""
    result = {}
    for clerk in sorted({r.clerk for r in ratings if r.clerk}):
        own = figures([r for r in ratings if r.clerk == clerk], served.get(clerk, 0), satisfied)
        shown = {name: figure for name, figure in own.items() if figure.n >= policy.rating_min}
        if shown:
            result[clerk] = shown
    return result
