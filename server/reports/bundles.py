"""Which ratings may be told together: bundles of days that hold enough of them. Pure: no SQL, no clock.

Two figures that differ by a few ratings would tell whose these are. So all figures are sums of the same bundles.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from server.reports.naming import Asking
from server.reports.periods import Period

Alike = tuple[int, str]
"""Level and flags (joined by spaces; "" for those that count) of ratings that are alike."""
Place = tuple[str, str]
"""The key of a row ("" for all) and the label set."""
ByDay = Mapping[date, Mapping[Alike, int]]


def bundles(counts: Mapping[date, int], least: int) -> list[tuple[date, ...]]:
    """The fewest days each, within a month, that have enough ratings.

    `counts` are the counting ratings by day, from the first of a month on; a day with others alone has 0 and waits with
    those around it. The last days of a month may be left over.
    """
    found: list[tuple[date, ...]] = []
    bundle: tuple[date, ...] = ()
    total = 0
    for day in sorted(counts):
        if bundle and (bundle[0].year, bundle[0].month) != (day.year, day.month):
            bundle, total = (), 0
        bundle, total = (*bundle, day), total + counts[day]
        if total >= least:
            found.append(bundle)
            bundle, total = (), 0
    return found


@dataclass(frozen=True, slots=True)
class Piece:
    """Days that are told together, or one day without a rating: `n` count, `served` were served."""

    days: tuple[date, ...]
    n: int
    alike: Mapping[Alike, int]
    served: int

    @property
    def month(self) -> tuple[int, int]:
        return self.days[0].year, self.days[0].month

    def lies_in(self, period: Period) -> bool:
        return period.first <= self.days[0] and self.days[-1] <= period.last


def pieces(by_day: ByDay, served: Mapping[date, int], least: int) -> tuple[Piece, ...]:
    """The pieces of a row, in the order of their last day."""
    counts = {day: sum(n for (_, flags), n in alike.items() if not flags) for day, alike in by_day.items()}
    quiet = ((day,) for day in served.keys() - by_day.keys())
    found = sorted([*bundles(counts, least), *quiet], key=lambda days: days[-1])
    return tuple(
        Piece(
            days,
            sum(counts.get(day, 0) for day in days),
            _together(by_day.get(day, {}) for day in days),
            sum(served.get(day, 0) for day in days),
        )
        for days in found
    )


def _together(alike: Iterable[Mapping[Alike, int]]) -> Counter[Alike]:
    total: Counter[Alike] = Counter()
    for each in alike:
        total.update(each)
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
        return Piece((self.period.first, self.period.last), self.seen.n, self.seen.alike, self.seen.served)


@dataclass(frozen=True, slots=True)
class SiteRatings:
    """One site's ratings: pieces by row, and of everything by label set; reasons by label set and day."""

    asking: Asking
    rows: Mapping[Place, tuple[Piece, ...]]
    whole: Mapping[str, tuple[Piece, ...]]
    ticked: Mapping[str, Mapping[date, Mapping[str, int]]]
    rated: frozenset[date]
    """Days with ratings that count, shown or not."""

    def seen(self, period: Period, *, apart: bool) -> dict[Place, Seen]:
        """The rows that may be shown; `apart`: as a breakdown beside the whole."""
        return {place: seen for place, seen in self.sums(period, apart=apart).items() if seen.n}

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
        ticked = {label_set: dict(by_day) for label_set, by_day in self.ticked.items()}
        rated = set(self.rated)
        for month in months:
            if month.own:
                rows.setdefault((month.key, month.label_set), []).append(month.piece())
            if month.of_all:
                whole.setdefault(month.label_set, []).append(month.piece())
                ticked.setdefault(month.label_set, {})[month.period.first] = month.reasons
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
        when all rows are taken from the whole must be nobody's, or enough. By month, so that a year is its months."""
        for label_set, whole in self.whole.items():
            rest: Counter[tuple[int, int]] = Counter()
            for piece in whole:
                rest[piece.month] += piece.n if piece.lies_in(period) else 0
            own: dict[tuple[int, int], list[tuple[int, tuple[date, ...], Place]]] = defaultdict(list)
            for place, row in rows.items():
                for piece in row if place[1] == label_set else ():
                    own[piece.month].append((piece.n, piece.days, place))
                    rest[piece.month] -= piece.n
            for month, found in own.items():
                _hold(rows, sorted(each for each in found if each[0]), rest[month], self.asking.least)

    def spans(self, period: Period) -> Iterator[tuple[str, Period, Seen]]:
        """Each bundle with the days since the one before in its month, by label set."""
        for label_set, row in self.whole.items():
            inside = [each for each in row if each.lies_in(period)]
            since = period.first
            for bundle in (each for each in inside if each.n):
                last = bundle.days[-1]
                span = Period(max(since, last.replace(day=1)), last, period.kind)
                yield label_set, span, _seen(each for each in inside if each.lies_in(span))
                since = date.fromordinal(last.toordinal() + 1)

    def reasons(self, period: Period) -> dict[str, Counter[str]]:
        """How often each reason was ticked with the ratings of everything that are shown, by label set."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for label_set, by_day in self.ticked.items():
            for piece in self.whole.get(label_set, ()):
                for day in piece.days if piece.n and piece.lies_in(period) else ():
                    counts[label_set].update(by_day.get(day, {}))
        return counts


def _hold(
    rows: dict[Place, list[Piece]], smallest: Iterable[tuple[int, tuple[date, ...], Place]], rest: int, least: int
) -> None:
    for n, days, place in smallest:
        if not 0 < abs(rest) < least:
            return
        rows[place] = [each for each in rows[place] if each.days != days]
        rest += n


def _seen(row: Iterable[Piece]) -> Seen:
    kept = list(row)
    return Seen(_together(each.alike for each in kept), sum(each.served for each in kept), sum(each.n for each in kept))


def site_ratings(
    asking: Asking,
    rows: Mapping[Place, ByDay],
    served: Mapping[str, Mapping[date, int]],
    ticked: Mapping[str, Mapping[date, Mapping[str, int]]],
) -> SiteRatings:
    """The pieces of a site; `served` are finished services by key and day. A day's services count for the label set
    that was asked then."""
    asked = _Asked(rows)
    made = {
        (key, label_set): pieces(by_day, asked.served(label_set, served.get(key, {})), asking.least)
        for (key, label_set), by_day in rows.items()
    }
    whole = {label_set: made.get(("", label_set), ()) for label_set in asked.label_sets}
    if any(key for key, _ in rows):
        whole = {label_set: pieces(_of_all(rows, label_set), {}, asking.least) for label_set in asked.label_sets}
    counted = (day for by_day in rows.values() for day, alike in by_day.items() if any(not flags for _, flags in alike))
    return SiteRatings(asking, made, whole, ticked, frozenset(counted))


def _of_all(rows: Mapping[Place, ByDay], label_set: str) -> ByDay:
    total: dict[date, Counter[Alike]] = defaultdict(Counter)
    for (_, of), by_day in rows.items():
        for day, alike in by_day.items() if of == label_set else ():
            total[day].update(alike)
    return total


class _Asked:
    """Which label sets were asked on a day: those of its ratings, else of the last day before in its month that has
    some, else of the first. A month without a rating asked for none, so that a year is its months."""

    def __init__(self, rows: Mapping[Place, ByDay]) -> None:
        self._on: dict[date, set[str]] = defaultdict(set)
        for (_, label_set), by_day in rows.items():
            for day in by_day:
                self._on[day].add(label_set)
        self._days: dict[tuple[int, int], list[date]] = defaultdict(list)
        for day in sorted(self._on):
            self._days[day.year, day.month].append(day)
        self.label_sets = sorted({label_set for sets in self._on.values() for label_set in sets})

    def served(self, label_set: str, served: Mapping[date, int]) -> Mapping[date, int]:
        """The services of the days on which this set was asked."""
        return {day: n for day, n in served.items() if label_set in self._sets(day)}

    def _sets(self, day: date) -> set[str]:
        days = self._days.get((day.year, day.month))
        return self._on[days[max(bisect_right(days, day) - 1, 0)]] if days else set()
