"""Rating rules: which press is whose rating, which is kept but left out, and what may be published. No clock, no SQL.

Misuse is never thrown away: a press that cannot count is stored with its flags and counted apart, so that an office
can be asked about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kiosk.tickets import Data, Decision, Row, Ticket, text_of, time_of

FLAGS = ("unarmed", "late", "burst", "repeat", "self", "unassigned", "unlinked")
"""Why a rating is left out: no finished service; after the window; more than 3 presses in 5 s; the ticket has one
already; right after the clerk's own click; nobody signed in; not tied to a ticket (poster), so counted apart."""

PHONES = ("phone", "poster")
"""Sources away from the counter: the page behind a slip's code, and the one behind a counter's poster. They go behind
the counter's keys and tablets, and neither light nor block these."""

REASONS_S = 60.0
"""So long after its press a tablet's rating takes reasons."""
BURST_PRESSES = 3
BURST_S = 5.0
SELF_S = 5.0
LATE_S = 600.0
"""So long after the window a press is still about the served ticket, only too late; then it is about nothing."""
STEP_BACK_S = 5.0
"""A clock that is being disciplined steps back by less than this; by more, nobody knows how much time went by."""


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
    """One press. `level` means something only together with `label_set`; `replaced_by` names the press that counts.

    `guess_boot` is the boot in which it was pressed on a clock that was not believed, until its day is known.
    `reasons` are those ticked on a phone or tablet, by their names in the language files (`reason.*`).
    """

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
    guess_boot: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the figures include it."""
        return not self.flags and not self.replaced_by


@dataclass(frozen=True, slots=True)
class Desk:
    """What the rules look at when a rating key of a counter is pressed.

    `ticket` is the armed one ("" when none, or no longer `tied`), `given` the rating that counts for it so far and
    `first_at` the time of the first press that did; without a ticket in free mode the counter's last one. `recent` are
    the times of all presses at this counter in the last seconds, in any order. Phones press nothing.
    """

    counter: str
    clerk: str = ""
    ticket: str = ""
    armed_at: datetime | None = None
    clerk_acted_at: datetime | None = None
    given: Rating | None = None
    first_at: datetime | None = None
    recent: tuple[datetime, ...] = ()


def within(since: datetime | None, seconds: float, now: datetime) -> bool:
    """Whether less than `seconds` went by since then, on a clock that may have stepped back a little."""
    return since is not None and timedelta(seconds=-STEP_BACK_S) <= now - since < timedelta(seconds=seconds)


def tied(armed_at: datetime | None, policy: RatingPolicy, now: datetime) -> bool:
    """Whether a press is about the ticket that was armed then: in its window, and for some minutes as a late one.

    In free mode only in the window: a later press is about whoever is served now.
    """
    return within(armed_at, policy.rating_window_s + (0 if policy.free_rating else LATE_S), now)


def press(desk: Desk, level: int, label_set: str, source: str, policy: RatingPolicy, now: datetime) -> Decision:
    """What a press is: `rating.given` with its flags, or `rating.replaced` for a change of mind within seconds."""
    burst = sum(1 for at in desk.recent if within(at, BURST_S, now)) >= BURST_PRESSES
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
    in_window = within(desk.armed_at, policy.rating_window_s, now)
    if desk.given is not None and desk.given.source in PHONES:
        if in_window:
            return "rating.replaced", {**data, "of": desk.given.id, "flags": []}
        # Not "repeat": what the key answers would tell whoever stands there that a phone has rated.
        return "rating.given", {**data, "flags": ["late"]}
    # Counted from the first press: a chain of replacements would keep the rating open for the clerk's own hand.
    if desk.given is not None and in_window and within(desk.first_at, policy.rating_replace_s, now):
        return "rating.replaced", {**data, "of": desk.given.id, "flags": []}
    flags = (["repeat"] if desk.given is not None else []) + ([] if in_window else ["late"])
    return "rating.given", {**data, "flags": flags}


def _untied_flags(desk: Desk, policy: RatingPolicy, now: datetime) -> list[str]:
    if not policy.free_rating:
        return ["unarmed", "self"] if within(desk.clerk_acted_at, SELF_S, now) else ["unarmed"]
    if not desk.clerk:
        return ["unassigned"]
    if desk.given is not None and within(desk.given.at, policy.free_interval_s, now):
        return ["repeat"]
    return []


def counting(ratings: Iterable[Rating]) -> Rating | None:
    """Which of one ticket's ratings counts, in whatever order they became known: keys and tablets before phones, then
    the earliest. A server that hears late of a press asks again.
    """
    sound = [each for each in ratings if each.counts]
    return min(sound, key=lambda each: (each.source in PHONES, each.at, each.id), default=None)


def by_phone(ticket: Ticket, level: int, label_set: str, reasons: Sequence[str]) -> Decision:
    """The rating, on the page behind the slip's code, of a finished ticket that none counts for yet (`counting`)."""
    about: Data = {"ticket": ticket.id, "counter": ticket.counter, "clerk": ticket.clerk}
    answer: Data = {"level": level, "label_set": label_set, "source": "phone", "reasons": list(reasons)}
    return "rating.given", {**about, **answer, "flags": []}


def by_poster(counter: str, clerk: str, level: int, label_set: str, reasons: Sequence[str]) -> Decision:
    """A rating of whoever works at a counter now, from the page behind its poster: counted apart from the tickets'."""
    about: Data = {"ticket": "", "counter": counter, "clerk": clerk}
    answer: Data = {"level": level, "label_set": label_set, "source": "poster", "reasons": list(reasons)}
    return "rating.given", {**about, **answer, "flags": ["unlinked"] if clerk else ["unlinked", "unassigned"]}


def takes_reasons(rating: Rating, now: datetime) -> bool:
    """Whether reasons that are ticked now on the tablet belong to this rating: it counts, and has none yet."""
    is_open = rating.counts and rating.source == "tablet" and not rating.reasons
    return is_open and within(rating.at, REASONS_S, now)


def lit(armed: str, armed_at: datetime | None, rated: bool, policy: RatingPolicy, now: datetime) -> bool:
    """Whether the counter's rating lamps shine: a press now would be a rating that counts."""
    if policy.free_rating:
        return True
    return bool(armed) and not rated and within(armed_at, policy.rating_window_s, now)


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
        guess_boot=data["guess_boot"],
        reasons=tuple(data.get("reasons", ())),
    )


def rating_of(row: Row) -> Rating:
    """The rating of a table row (flags and reasons joined by spaces, time as text)."""
    values = {name: row[name] for name in Rating.__slots__}
    lists = {name: tuple(row[name].split()) for name in ("flags", "reasons")}
    return Rating(**{**values, **lists, "at": time_of(row["at"])})


def plain(rating: Rating) -> Data:
    """The fields by name as SQLite holds them."""
    values = {name: getattr(rating, name) for name in Rating.__slots__}
    lists = {name: " ".join(values[name]) for name in ("flags", "reasons")}
    return {**values, **lists, "at": text_of(rating.at)}


# --- figures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """How many ratings are alike, replaced ones left out."""

    label_set: str
    clerk: str
    level: int
    flags: tuple[str, ...]
    n: int


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


Figures = Mapping[str, Figure]
"""By label set."""


def figures(tallies: Sequence[Tally], served: int, satisfied: Mapping[str, frozenset[int]]) -> dict[str, Figure]:
    """One figure per label set; two sets are never merged, because the same button means different things in them.

    `satisfied` maps a label set to the levels that count as satisfied (Bình thường never does).
    """
    result = {}
    for label_set in sorted({t.label_set for t in tallies}):
        of_set = [t for t in tallies if t.label_set == label_set]
        by_level = _by_level(t for t in of_set if not t.flags)
        left_out = {flag: _by_level(t for t in of_set if flag in t.flags) for flag in FLAGS}
        result[label_set] = Figure(
            label_set=label_set,
            k=sum(n for level, n in by_level.items() if level in satisfied.get(label_set, frozenset())),
            n=sum(by_level.values()),
            served=served,
            by_level=by_level,
            left_out={flag: levels for flag, levels in left_out.items() if levels},
        )
    return result


def clerk_figures(
    tallies: Sequence[Tally], served: Mapping[str, int], satisfied: Mapping[str, frozenset[int]]
) -> dict[str, dict[str, Figure]]:
    """The same by clerk; `served` too is by clerk."""
    return {
        clerk: figures([t for t in tallies if t.clerk == clerk], served.get(clerk, 0), satisfied)
        for clerk in sorted({t.clerk for t in tallies if t.clerk})
    }


def may_show(shown: Figures, true: Figures, policy: RatingPolicy) -> dict[str, Figure]:
    """What may be shown now, given what is `shown` and what is `true`.

    A figure moves only when at least `rating_min` ratings of its own came in: with fewer, what moved would tell who
    pressed. Until then it is repeated as a whole, with its services and with what was left out, or stays withheld.
    """
    moved = {name: new for name, new in true.items() if new.n - _n(shown.get(name)) >= policy.rating_min}
    return {**shown, **moved}


def own_may_show(whole: Figure, own: Figure, policy: RatingPolicy) -> bool:
    """Whether a clerk may see the own figure beside the office's: what is left when one is taken from the other is
    somebody else's, and must be nobody's or at least `rating_min`."""
    others = whole.n - own.n
    return own.n >= policy.rating_min and (others <= 0 or others >= policy.rating_min)


def clerks_may_show(
    shown: Mapping[str, Figures], true: Mapping[str, Figures], policy: RatingPolicy
) -> dict[str, dict[str, Figure]]:
    """The same for each clerk; one without any figure to show is left out."""
    result = {clerk: may_show(shown.get(clerk, {}), true.get(clerk, {}), policy) for clerk in sorted({*shown, *true})}
    return {clerk: own for clerk, own in result.items() if own}


def _n(figure: Figure | None) -> int:
    return figure.n if figure else 0


def _by_level(tallies: Iterable[Tally]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for tally in tallies:
        counts[tally.level] = counts.get(tally.level, 0) + tally.n
    return dict(sorted(counts.items()))
