"""Figures of ratings as people may see them.

Whoever could compare two figures that differ by a few ratings would learn who gave them. So ratings are shown in
bundles, within a month, of at least `rating_min` (docs/server.md): a day whose ratings are fewer waits for the next
days, and what is left at the end of the month is never shown. Every figure, of whatever period, is a sum of whole
bundles. A day's ratings are shown from noon of the next day on, when its kiosks have told everything; never live.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import sqrt

from django.db.models import Sum

from kiosk.office import LabelSet
from kiosk.rating import Figure, Tally, figures
from kiosk.texts import LOCAL
from server.facts.models import RatingRollup, ReasonRollup, Rollup
from server.registry.models import Site
from server.reports.figures import ALL, Cell, cell_of
from server.reports.naming import Asking, asking_of
from server.reports.periods import Kind, Period, around

SETTLES = timedelta(hours=12)
"""So long after its end a day's ratings are shown: a kiosk that was switched off tells the rest in the morning."""
DIMS = ("all", "service", "counter", "clerk")
"""What figures of ratings are broken down by."""
SECOND = "second"
"""Why a rating without a flag is left out: its ticket has another one that goes before it."""
Z = 1.959964
"""Of the normal distribution, for 95 %."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is shown of one label set. `labels` is None when no office document knows the set: then nobody can say what
    its levels mean, and it has no rate. `left_out` counts each flagged rating once, however many flags it has."""

    labels: LabelSet | None
    figure: Figure
    left_out: int

    @property
    def rate(self) -> float | None:
        """Satisfied ratings in per cent."""
        return self.figure.rate if self.labels else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """In which range the rate of all who were served may well lie, in per cent (Wilson, 95 %)."""
        return wilson(self.figure.k, self.figure.n) if self.labels else None


Opinions = dict[str, Opinion]
"""By label set. Where two sites mean different things by one id there are two: "smile" and, of site 7, "smile@7"."""


def wilson(k: int, n: int) -> tuple[float, float] | None:
    """The 95 % score interval of k in n, in per cent; None of nothing (E. B. Wilson, JASA 22, 1927)."""
    if not n:
        return None
    share, spare = k / n, Z * Z / n
    middle = (share + spare / 2) / (1 + spare)
    half = Z * sqrt(share * (1 - share) / n + spare / (4 * n)) / (1 + spare)
    return max(100 * (middle - half), 0.0), min(100 * (middle + half), 100.0)


def settled(now: datetime) -> date:
    """The last day whose ratings may be shown."""
    return (now - SETTLES).astimezone(LOCAL).date() - timedelta(days=1)


def bundles(counts: Mapping[date, int], period: Period, least: int) -> list[tuple[date, ...]]:
    """The bundles that lie wholly in a period: each is the fewest days, within a month, that have enough ratings.

    `counts` are the counting ratings by day, from the first of the period's first month on.
    """
    found: list[tuple[date, ...]] = []
    bundle: tuple[date, ...] = ()
    total = 0
    for day in sorted(day for day, n in counts.items() if n and day <= period.last):
        if bundle and (bundle[0].year, bundle[0].month) != (day.year, day.month):
            bundle, total = (), 0
        bundle, total = (*bundle, day), total + counts[day]
        if total >= least:
            found += [bundle] if bundle[0] in period else []
            bundle, total = (), 0
    return found


def held_back(counts: Mapping[date, int], period: Period, least: int) -> set[date]:
    """Days of ratings that a figure of this period leaves out: their bundle is unfinished, or reaches over its edge."""
    shown = {day for bundle in bundles(counts, period, least) for day in bundle}
    return {day for day, n in counts.items() if n and day in period} - shown


# --- reading --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stack:
    """The ratings of one site, key and label set by day."""

    by_day: Mapping[date, tuple[Tally, ...]]
    counts: Mapping[date, int]
    """Those that count."""

    @classmethod
    def of(cls, by_day: Mapping[date, Sequence[Tally]]) -> "_Stack":
        counts = {day: sum(t.n for t in tallies if not t.flags) for day, tallies in by_day.items()}
        return cls({day: tuple(tallies) for day, tallies in by_day.items()}, counts)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one site's cell adds to a figure."""

    tallies: tuple[Tally, ...]
    served: int

    @property
    def n(self) -> int:
        return sum(tally.n for tally in self.tallies if not tally.flags)


Place = tuple[str, str]
"""The key of a row, "" for all, and the label set."""


@dataclass(frozen=True, slots=True)
class _SiteRatings:
    """One site's ratings by key and label set, finished services by key and day, and reasons by label set and day."""

    asking: Asking
    stacks: Mapping[str, Mapping[str, _Stack]]
    served: Mapping[str, Mapping[date, int]]
    ticked: Mapping[str, Mapping[date, Mapping[str, int]]]
    asked: tuple[tuple[date, frozenset[str]], ...]
    """The label sets that were asked, by day of ratings."""

    def held(self, label_set: str, key: str, period: Period) -> set[date]:
        stack = self.stacks.get(key, {}).get(label_set)
        return held_back(stack.counts, period, self.asking.least) if stack else set()

    def seen(self, place: Place, held: Collection[date], period: Period) -> _Seen:
        """A row without the days that are held back. Services of a day count for the set that was asked then."""
        key, label_set = place
        by_day, served = self.stacks[key][label_set].by_day, self.served.get(key, {})
        tallies = [t for day, each in by_day.items() if day in period and day not in held for t in each]
        days = (day for day in served if day in period and day not in held and label_set in self._asked_on(day))
        return _Seen(tuple(tallies), sum(served[day] for day in days))

    def all_seen(self, period: Period, apart: bool) -> dict[Place, _Seen]:
        """The rows that may be shown; `apart`: as a breakdown of what is shown as a whole."""
        places = [(key, label_set) for key, sets in self.stacks.items() for label_set in sets if key or not apart]
        held = {(key, label_set): self.held(label_set, key, period) for key, label_set in places}
        if apart:
            self._hold_more(held, period)
        seen = {place: self.seen(place, held[place], period) for place in places}
        return {place: each for place, each in seen.items() if each.n}

    def label_sets(self) -> set[str]:
        return {label_set for sets in self.stacks.values() for label_set in sets}

    def _hold_more(self, held: dict[Place, set[date]], period: Period) -> None:
        """Hold the smallest bundles back while what is withheld could be worked out from its neighbours: what is left
        when all rows are taken from the whole must be nobody's, or enough."""
        for label_set in self.label_sets():
            whole, least = self._whole(label_set), self.asking.least
            rest = _n_of(whole, bundles(whole, period, least))
            own: list[tuple[int, tuple[date, ...], Place]] = []
            for place in (place for place in held if place[1] == label_set):
                counts = self.stacks[place[0]][label_set].counts
                own += [(_n_of(counts, [bundle]), bundle, place) for bundle in bundles(counts, period, least)]
            own.sort(reverse=True)
            rest -= sum(n for n, _, _ in own)
            while own and 0 < abs(rest) < least:
                n, bundle, place = own.pop()
                held[place] |= set(bundle)
                rest += n

    def _whole(self, label_set: str) -> dict[date, int]:
        counts: Counter[date] = Counter()
        for sets in self.stacks.values():
            if label_set in sets:
                counts.update(sets[label_set].counts)
        return counts

    def _asked_on(self, day: date) -> frozenset[str]:
        """The sets that were asked last, up to this day; before the first rating, the first one."""
        at = bisect_right(self.asked, day, key=lambda each: each[0])
        return self.asked[max(at - 1, 0)][1] if self.asked else frozenset()


def _n_of(counts: Mapping[date, int], found: Iterable[tuple[date, ...]]) -> int:
    return sum(counts[day] for bundle in found for day in bundle)


@dataclass(frozen=True, slots=True)
class Span:
    """Ratings of one site and label set that are told together: days without a gap."""

    site: int
    days: Period
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class RatingDays:
    """Ratings by day, read by `read_ratings`; `upto` is the last day that may be shown."""

    dim: str
    upto: date
    sites: Mapping[int, _SiteRatings]

    def over(self, period: Period) -> dict[Cell, Opinions]:
        """What may be shown of a period, by row and label set; what is withheld is not there."""
        merged: dict[Cell, dict[str, list[_Seen]]] = defaultdict(lambda: defaultdict(list))
        for site, ratings in self.sites.items():
            for (key, label_set), seen in ratings.all_seen(period, self.dim != "all").items():
                merged[cell_of(self.dim, site, key)][self._name(site, label_set)].append(seen)
        return {
            cell: {name: _opinion(self.labels(name), name, seen) for name, seen in sorted(sets.items())}
            for cell, sets in sorted(merged.items())
        }

    def whole(self, period: Period) -> Opinions:
        """The same of everything. Only of ratings by `all`."""
        return self.over(period).get(ALL, {})

    def of(self, sites: Iterable[int]) -> "RatingDays":
        """Those of some of the sites alone, by their primary keys."""
        return replace(self, sites={site: self.sites[site] for site in sites if site in self.sites})

    def spans(self, period: Period) -> Iterator["Span"]:
        """The smallest parts of which all figures are made, each with the days since the one before. Only by `all`."""
        for site, ratings in self.sites.items():
            for label_set, stack in ratings.stacks.get("", {}).items():
                since = period.first
                for bundle in bundles(stack.counts, period, ratings.asking.least):
                    since = max(since, around(Kind.MONTH, bundle[-1]).first)
                    span = Period(since, bundle[-1], Kind.RANGE)
                    seen = ratings.seen(("", label_set), (), span)
                    yield Span(site, span, _opinion(ratings.asking.sets.get(label_set), label_set, [seen]))
                    since = bundle[-1] + timedelta(days=1)

    def reasons(self, period: Period) -> dict[str, dict[str, int]]:
        """How often each reason was ticked with the ratings that are shown, by label set, the most frequent first."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for site, ratings in self.sites.items():
            for label_set, by_day in ratings.ticked.items():
                held = ratings.held(label_set, "", period)
                for day, reasons in by_day.items():
                    if day in period and day not in held:
                        counts[self._name(site, label_set)].update(reasons)
        return {name: dict(sorted(of.items(), key=lambda item: (-item[1], item[0]))) for name, of in counts.items()}

    def withholds(self, period: Period) -> bool:
        """Whether there are ratings of the period, up to `upto`, and none of them may be shown."""
        stacks = (
            stack for ratings in self.sites.values() for sets in ratings.stacks.values() for stack in sets.values()
        )
        given = any(n and day in period for stack in stacks for day, n in stack.counts.items())
        return given and not self.over(period)

    def least(self, site: int) -> int:
        """The fewest ratings that a site shows."""
        return (self.sites[site].asking if site in self.sites else Asking()).least

    def labels(self, name: str) -> LabelSet | None:
        """What a label set's levels mean, by its name in these figures; None when no office document says it."""
        label_set, _, site = name.partition("@")
        return self.sites[int(site) if site else self._first(label_set)].asking.sets.get(label_set)

    def _name(self, site: int, label_set: str) -> str:
        first = self.sites[self._first(label_set)].asking
        same = first.meaning(label_set) == self.sites[site].asking.meaning(label_set)
        return label_set if same else f"{label_set}@{site}"

    def _first(self, label_set: str) -> int:
        return next(site for site, ratings in self.sites.items() if label_set in ratings.label_sets())


def _opinion(labels: LabelSet | None, name: str, seen: Sequence[_Seen]) -> Opinion:
    label_set = name.partition("@")[0]
    tallies, served = [t for each in seen for t in each.tallies], sum(each.served for each in seen)
    satisfied = frozenset(level.value for level in labels.levels if level.satisfied) if labels else frozenset()
    figure = figures(tallies, served, {label_set: satisfied})[label_set]
    second = Counter[int]()
    for tally in tallies:
        second[tally.level] += tally.n if SECOND in tally.flags else 0
    left_out = figure.left_out | ({SECOND: dict(sorted((+second).items()))} if +second else {})
    return Opinion(labels, replace(figure, left_out=left_out), sum(t.n for t in tallies if t.flags))


def read_ratings(sites: Sequence[Site], period: Period, now: datetime, dim: str = "all") -> RatingDays:
    """The ratings of these sites over a period by `dim`, one of DIMS. A few queries whatever its length."""
    if dim not in DIMS:
        raise ValueError(f"{dim!r}: one of {', '.join(DIMS)}")
    upto = min(period.last, settled(now))
    if upto < period.first:
        return RatingDays(dim, upto, {})
    # Bundles begin with the month: what came before the period tells which of its days are in one.
    days = (around(Kind.MONTH, period.first).first, upto)
    stacks, served = _read_stacks(sites, days, dim), _read_served(sites, days, dim)
    ticked = _read_reasons(sites, days) if dim == "all" else {}
    asking = asking_of(
        sites, {site: {each for sets in keys.values() for each in sets} for site, keys in stacks.items()}
    )
    made = {
        site: _SiteRatings(asking[site], keys, served.get(site, {}), ticked.get(site, {}), _asked(keys))
        for site, keys in sorted(stacks.items())
    }
    return RatingDays(dim, upto, made)


def _asked(stacks: Mapping[str, Mapping[str, _Stack]]) -> tuple[tuple[date, frozenset[str]], ...]:
    asked: dict[date, set[str]] = defaultdict(set)
    for sets in stacks.values():
        for label_set, stack in sets.items():
            for day in stack.by_day:
                asked[day].add(label_set)
    return tuple((day, frozenset(sets)) for day, sets in sorted(asked.items()))


def _read_stacks(sites: Sequence[Site], days: tuple[date, date], dim: str) -> dict[int, dict[str, dict[str, _Stack]]]:
    named = [] if dim == "all" else [dim]
    found = RatingRollup.objects.filter(site__in=sites, day__range=days)
    rows = found.values_list("site_id", "label_set", "day", "level", "flags", *named).annotate(sum=Sum("n"))
    by_day: dict[tuple[int, str, str], dict[date, list[Tally]]] = defaultdict(lambda: defaultdict(list))
    for site, label_set, day, level, flags, *key, n in rows.order_by("day", "level", "flags"):
        tally = Tally(label_set, "", level, tuple(flags.split()), n)
        by_day[site, key[0] if key else "", label_set][day].append(tally)
    stacks: dict[int, dict[str, dict[str, _Stack]]] = defaultdict(lambda: defaultdict(dict))
    for (site, of, label_set), days_of in sorted(by_day.items()):
        stacks[site][of][label_set] = _Stack.of(days_of)
    return stacks


def _read_served(sites: Sequence[Site], days: tuple[date, date], dim: str) -> dict[int, dict[str, dict[date, int]]]:
    found = Rollup.objects.filter(site__in=sites, dim=dim, day__range=days, served__gt=0)
    served: dict[int, dict[str, dict[date, int]]] = defaultdict(lambda: defaultdict(dict))
    for site, key, day, n in found.values_list("site_id", "key", "day", "served"):
        served[site][key][day] = n
    return served


def _read_reasons(sites: Sequence[Site], days: tuple[date, date]) -> dict[int, dict[str, dict[date, dict[str, int]]]]:
    found = ReasonRollup.objects.filter(site__in=sites, day__range=days)
    ticked: dict[int, dict[str, dict[date, dict[str, int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for site, label_set, day, reason, n in found.values_list("site_id", "label_set", "day", "reason", "n"):
        ticked[site][label_set][day][reason] = n
    return ticked
