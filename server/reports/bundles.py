"""Which ratings may be told together: bundles of days that hold enough of them. Pure: no SQL, no clock.

Two figures that differ by a few ratings would tell whose these are. So all figures are sums of the same bundles, and a
bundle that is made stays: what is told later makes bundles of its own.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from server.reports.naming import Asking
from server.reports.periods import Kind, Period, around

Alike = tuple[int, str]
"""Level and flags (joined by spaces; "" for those that count) of ratings that are alike."""
Place = tuple[str, str]
"""The key of a row ("" for all) and the label set."""
Told = tuple[date, date]
"""When ratings were told, and their day: the same for those in time; late ones were told on the day they were heard."""
ByTold = Mapping[Told, Mapping[Alike, int]]
Least = Callable[[date], int]
"""The fewest ratings of a bundle, by the day on which the last of them were told."""


def bundles(counts: Mapping[Told, int], least: Least) -> list[tuple[Told, ...]]:
    """The fewest days each, within a month and in the order in which they were told, that have enough ratings.

    `counts` are the counting ratings of whole months; days with others alone have 0 and wait with those around them.
    The last days of a month may be left over. What is told later than all the rest changes no bundle.
    """
    found: list[tuple[Told, ...]] = []
    bundle: tuple[Told, ...] = ()
    total = 0
    for told in sorted(counts, key=lambda told: (_month(told[1]), told)):
        if bundle and _month(bundle[0][1]) != _month(told[1]):
            bundle, total = (), 0
        bundle, total = (*bundle, told), total + counts[told]
        if total >= least(told[0]):
            found.append(bundle)
            bundle, total = (), 0
    return found


def _month(day: date) -> date:
    return day.replace(day=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """Days that are told together, or one day without a rating: `n` count, `served` were served.

    `first` and `last` are its earliest and latest day. The services of a day stand with what was told of it in time, or
    while that is withheld with the first that was told late.
    """

    told: tuple[Told, ...]
    first: date
    last: date
    n: int
    alike: Mapping[Alike, int]
    served: int

    @property
    def month(self) -> date:
        return _month(self.first)

    @property
    def is_late(self) -> bool:
        return self.told[0][0] != self.told[0][1]

    def lies_in(self, period: Period) -> bool:
        return period.first <= self.first and self.last <= period.last


def pieces(by_told: ByTold, served: Mapping[date, int], least: Least) -> tuple[Piece, ...]:
    """The pieces of a row, in the order of their last day."""
    counts = {told: sum(n for (_, flags), n in alike.items() if not flags) for told, alike in by_told.items()}
    in_time = {told: n for told, n in counts.items() if told[0] == told[1]}
    late = {told: n for told, n in counts.items() if told not in in_time}
    quiet = [((day, day),) for day in served if (day, day) not in in_time]
    # Apart, so that a late rating takes no day's own bundle along.
    found = [*bundles(in_time, least), *quiet, *bundles(late, least)]
    left = dict(served)
    made = [_piece(told, counts, by_told, left) for told in found]
    return tuple(sorted(made, key=lambda piece: (piece.last, piece.told)))


def _piece(told: tuple[Told, ...], counts: Mapping[Told, int], by_told: ByTold, left: dict[date, int]) -> Piece:
    """It takes its services out of `left`, those that no piece has yet."""
    days = {day for _, day in told}
    return Piece(
        told,
        min(days),
        max(days),
        sum(counts.get(each, 0) for each in told),
        together(by_told.get(each, {}) for each in told),
        sum(left.pop(day, 0) for day in days),
    )


def together(alike: Iterable[Mapping[Alike, int]]) -> dict[Alike, int]:
    """The sum. Written out, because it is made some thousand times for a page and Counter is slow with mappings."""
    total: dict[Alike, int] = {}
    for each in alike:
        for kind, n in each.items():
            total[kind] = total.get(kind, 0) + n
    return total


@dataclass(frozen=True, slots=True)
class Seen:
    """What one row of a site adds to a figure."""

    alike: Mapping[Alike, int]
    served: int
    n: int


@dataclass(frozen=True, slots=True)
class Month:
    """A whole month that is summed already: `own` of a row of this breakdown, `of_all` of everything."""

    period: Period
    key: str
    label_set: str
    seen: Seen
    reasons: Mapping[str, int]
    rated: bool
    own: bool = True
    of_all: bool = True

    def piece(self) -> Piece:
        first, last = self.period.first, self.period.last
        return Piece(((first, first), (last, last)), first, last, self.seen.n, self.seen.alike, self.seen.served)


@dataclass(frozen=True, slots=True)
class SiteRatings:
    """One site's ratings: pieces by row, and of everything by label set; reasons as they were told, by label set."""

    asking: Asking
    rows: Mapping[Place, tuple[Piece, ...]]
    whole: Mapping[str, tuple[Piece, ...]]
    ticked: Mapping[str, Mapping[Told, Mapping[str, int]]]
    rated: frozenset[date]
    """Days with ratings that count, shown or not."""

    def seen(self, period: Period, *, apart: bool) -> dict[Place, Seen]:
        """The rows that may be shown; `apart`: as a breakdown beside the whole."""
        return _with_ratings(self.sums(period, apart=apart))

    def seen_in_each(self, parts: Sequence[Period]) -> list[dict[Place, Seen]]:
        """`seen` of each of these periods, which are in their order and have no day in common; not apart."""
        found: list[dict[Place, list[Piece]]] = [defaultdict(list) for _ in parts]
        firsts = [part.first for part in parts]
        for place, row in self.rows.items():
            for piece in row:
                at = bisect_right(firsts, piece.first) - 1
                if at >= 0 and piece.lies_in(parts[at]):
                    found[at][place].append(piece)
        return [_with_ratings({place: _seen(row) for place, row in rows.items()}) for rows in found]

    def sums(self, period: Period, *, apart: bool) -> dict[Place, Seen]:
        """The same with rows of which no rating may be shown: services, and what was left out on quiet days."""
        rows = {place: [each for each in row if each.lies_in(period)] for place, row in self.rows.items()}
        if apart:
            rows = {place: row for place, row in rows.items() if place[0]}
            self._hold_more(rows, period)
        return {place: _seen(row) for place, row in rows.items()}

    def with_months(self, months: Sequence[Month]) -> "SiteRatings":
        """With months that are summed already, each of them one piece."""
        if not months:
            return self
        rows = {place: list(row) for place, row in self.rows.items()}
        whole = {label_set: list(row) for label_set, row in self.whole.items()}
        ticked = {label_set: dict(by_told) for label_set, by_told in self.ticked.items()}
        rated = set(self.rated)
        for month in months:
            if month.own:
                rows.setdefault((month.key, month.label_set), []).append(month.piece())
            if month.of_all:
                whole.setdefault(month.label_set, []).append(month.piece())
                ticked.setdefault(month.label_set, {})[month.piece().told[0]] = month.reasons
                rated.update({month.period.first} if month.rated else ())
        return replace(
            self,
            rows={place: tuple(row) for place, row in rows.items()},
            whole={label_set: tuple(row) for label_set, row in whole.items()},
            ticked=ticked,
            rated=frozenset(rated),
        )

    def _hold_more(self, rows: dict[Place, list[Piece]], period: Period) -> None:
        """Hold the smallest bundles back while what is withheld could be worked out from its neighbours: what is left
        when all rows are taken from the whole must be nobody's, or enough. By month, so that a year is its months, and
        late ones apart: they would show by how many are left what those in time withhold."""
        for label_set, whole in self.whole.items():
            rest: Counter[tuple[date, bool]] = Counter()
            for piece in whole:
                rest[piece.month, piece.is_late] += piece.n if piece.lies_in(period) else 0
            own: dict[tuple[date, bool], list[tuple[int, tuple[Told, ...], Place]]] = defaultdict(list)
            for place, row in rows.items():
                for piece in row if place[1] == label_set else ():
                    own[piece.month, piece.is_late].append((piece.n, piece.told, place))
                    rest[piece.month, piece.is_late] -= piece.n
            for (month, is_late), found in own.items():
                least = self.asking.least(around(Kind.MONTH, month).last)
                _hold(rows, sorted(each for each in found if each[0]), rest[month, is_late], least)

    def spans(self, period: Period) -> Iterator[tuple[str, Period, Seen]]:
        """Each bundle with the days since the one before in its month, and each of late ratings, by label set."""
        for label_set, row in self.whole.items():
            inside = [each for each in row if each.lies_in(period)]
            in_time = [each for each in inside if not each.is_late]
            since = period.first
            for bundle in (each for each in in_time if each.n):
                span = Period(max(since, _month(bundle.last)), bundle.last, period.kind)
                yield label_set, span, _seen(each for each in in_time if each.lies_in(span))
                since = date.fromordinal(bundle.last.toordinal() + 1)
            for late in (each for each in inside if each.is_late):
                yield label_set, Period(late.first, late.last, period.kind), _seen([late])

    def reasons(self, period: Period) -> dict[str, Counter[str]]:
        """How often each reason was ticked with the ratings of everything that are shown, by label set."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for label_set, by_told in self.ticked.items():
            for piece in self.whole.get(label_set, ()):
                for told in piece.told if piece.n and piece.lies_in(period) else ():
                    counts[label_set].update(by_told.get(told, {}))
        return counts


def _hold(
    rows: dict[Place, list[Piece]], smallest: Iterable[tuple[int, tuple[Told, ...], Place]], rest: int, least: int
) -> None:
    for n, told, place in smallest:
        if not 0 < abs(rest) < least:
            return
        rows[place] = [each for each in rows[place] if each.told != told]
        rest += n


def _with_ratings(rows: Mapping[Place, Seen]) -> dict[Place, Seen]:
    return {place: seen for place, seen in rows.items() if seen.n}


def _seen(row: Iterable[Piece]) -> Seen:
    kept = list(row)
    if len(kept) == 1:  # nearly all rows of days: by far the most that there are
        return Seen(kept[0].alike, kept[0].served, kept[0].n)
    return Seen(together(each.alike for each in kept), sum(each.served for each in kept), sum(each.n for each in kept))


def site_ratings(
    asking: Asking,
    rows: Mapping[Place, ByTold],
    served: Mapping[str, Mapping[date, int]],
    ticked: Mapping[str, Mapping[Told, Mapping[str, int]]],
) -> SiteRatings:
    """The pieces of a site; `served` are finished services by key and day. A day's services count for the label set
    that was asked then."""
    asked = _Asked(rows)
    made = {
        (key, label_set): pieces(by_told, asked.served(label_set, served.get(key, {})), asking.least)
        for (key, label_set), by_told in rows.items()
    }
    whole = {label_set: made.get(("", label_set), ()) for label_set in asked.label_sets}
    if any(key for key, _ in rows):
        whole = {label_set: pieces(_of_all(rows, label_set), {}, asking.least) for label_set in asked.label_sets}
    counted = (day for row in rows.values() for (_, day), alike in row.items() if any(not flags for _, flags in alike))
    return SiteRatings(asking, made, whole, ticked, frozenset(counted))


def _of_all(rows: Mapping[Place, ByTold], label_set: str) -> ByTold:
    total: dict[Told, Counter[Alike]] = defaultdict(Counter)
    for (_, of), by_told in rows.items():
        for told, alike in by_told.items() if of == label_set else ():
            total[told].update(alike)
    return total


class _Asked:
    """Which label sets were asked on a day: those of its ratings, else of the last day before in its month that has
    some, else of the first. A month without a rating asked for none, so that a year is its months.

    Late ratings are asked only in a month without others: a single one would be seen to move services to its set."""

    def __init__(self, rows: Mapping[Place, ByTold]) -> None:
        told = [(*told, label_set) for (_, label_set), by_told in rows.items() for told in by_told]
        months = {_month(day) for heard, day, _ in told if heard == day}
        self._on: dict[date, set[str]] = defaultdict(set)
        for heard, day, label_set in told:
            if heard == day or _month(day) not in months:
                self._on[day].add(label_set)
        self._days: dict[tuple[int, int], list[date]] = defaultdict(list)
        for day in sorted(self._on):
            self._days[day.year, day.month].append(day)
        self.label_sets = sorted({label_set for _, _, label_set in told})

    def served(self, label_set: str, served: Mapping[date, int]) -> Mapping[date, int]:
        """The services of the days on which this set was asked."""
        return {day: n for day, n in served.items() if label_set in self._sets(day)}

    def _sets(self, day: date) -> set[str]:
        days = self._days.get((day.year, day.month))
        return self._on[days[max(bisect_right(days, day) - 1, 0)]] if days else set()
