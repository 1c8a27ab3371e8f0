"""Figures of ratings as people may see them.

Whoever could compare two figures that differ by a few ratings would learn who gave them. So ratings are shown in
bundles, within a month, of at least `rating_min` (docs/server.md): a day whose ratings are fewer waits for the next
days, and what is left at the end of the month is never shown. Every figure, of whatever period, is a sum of whole
bundles. A day's ratings are shown from noon of the day after next on, when phones and kiosks have told all; never live.
What comes later is shown as if it were of the day on which it was heard, in bundles of late ratings alone.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import sqrt

from kiosk.office import LabelSet
from kiosk.rating import Figure, Tally, figures
from server.facts.models import RatingRollup
from server.facts.settling import settled
from server.registry.models import Site
from server.reports.bundles import Place, Seen, SiteRatings, together
from server.reports.figures import ALL, Cell, cell_of
from server.reports.models import MonthSum
from server.reports.monthly import Parts, as_days, as_months, at
from server.reports.naming import Asking
from server.reports.periods import Kind, Period, around
from server.reports.reading import read_sites

DIMS = ("all", "service", "counter", "clerk")
"""What figures of ratings are broken down by."""
SECOND = "second"
"""Why a rating without a flag is left out: its ticket has another one that goes before it."""
Z = 1.959964
"""Of the normal distribution, for 95 %."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is shown of one label set. `labels` is None when no office document knows the set: then nobody can say what
    its levels mean, and it has no rate. `left_out` counts each flagged rating once, however many flags it has. A figure
    of more ratings than services lacks some of their services: it has none then, and no answer rate."""

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


# --- figures --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """Ratings of one site and label set that are told together: days without a gap."""

    site: int
    days: Period
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class RatingDays:
    """Ratings by day, read by `read_ratings`; `upto` is the last day that may be shown. `are_waiting` asks whether some
    were heard of after their day was shown, and are not shown yet."""

    dim: str
    upto: date
    sites: Mapping[int, SiteRatings]
    are_waiting: Callable[[], bool] = lambda: False

    def over(self, period: Period) -> dict[Cell, Opinions]:
        """What may be shown of a period, by row and label set; what is withheld is not there."""
        apart = self.dim != "all"
        found = ((site, ratings.seen(period, apart=apart)) for site, ratings in self.sites.items())
        return self._shown(found, self._names())

    def whole_in_each(self, parts: Sequence[Period]) -> list[Opinions]:
        """`whole` of each of these periods, which are in their order and have no day in common."""
        of_sites, names = [(site, ratings.seen_in_each(parts)) for site, ratings in self.sites.items()], self._names()
        return [
            self._shown(((site, seen[n]) for site, seen in of_sites), names).get(ALL, {}) for n in range(len(parts))
        ]

    def _shown(
        self, found: Iterable[tuple[int, Mapping[Place, Seen]]], names: Mapping[tuple[int, str], str]
    ) -> dict[Cell, Opinions]:
        merged: dict[Cell, dict[str, list[Seen]]] = defaultdict(lambda: defaultdict(list))
        for site, rows in found:
            for (key, label_set), seen in rows.items():
                merged[cell_of(self.dim, site, key)][names[site, label_set]].append(seen)
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

    def spans(self, period: Period) -> Iterator[Span]:
        """The smallest parts of which all figures are made, each with the days since the one before."""
        for site, ratings in self.sites.items():
            for label_set, days, seen in ratings.spans(period):
                yield Span(site, days, _opinion(ratings.asking.sets.get(label_set), label_set, [seen]))

    def reasons(self, period: Period) -> dict[str, dict[str, int]]:
        """How often each reason was ticked with the ratings that are shown, by label set, the most frequent first."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for site, ratings in self.sites.items():
            for label_set, ticked in ratings.reasons(period).items():
                counts[self._name(site, label_set)].update(ticked)
        ordered = sorted(counts.items())
        return {name: dict(sorted(of.items(), key=lambda item: (-item[1], item[0]))) for name, of in ordered}

    def withholds(self, period: Period) -> bool:
        """Whether nothing is shown of a period that has ratings, or may have: its last days are never looked at."""
        if self.over(period):
            return False
        given = (day for ratings in self.sites.values() for day in ratings.rated)
        return period.last > self.upto or any(day in period for day in given) or self.are_waiting()

    def least(self, site: int, day: date) -> int:
        """The fewest ratings that a site shows, by the rules of a day."""
        return (self.sites[site].asking if site in self.sites else Asking()).least(day)

    def labels(self, name: str) -> LabelSet | None:
        """What a label set's levels mean, by its name in these figures; None when no office document says it."""
        label_set, _, site = name.partition("@")
        return self.sites[int(site) if site else self._first(label_set)].asking.sets.get(label_set)

    def _names(self) -> dict[tuple[int, str], str]:
        """What each site's label sets are called in these figures."""
        found = ((site, name) for site, ratings in self.sites.items() for name in ratings.whole)
        return {(site, name): self._name(site, name) for site, name in found}

    def _name(self, site: int, label_set: str) -> str:
        first = self._first(label_set)
        if first == site:
            return label_set
        same = self.sites[first].asking.meaning(label_set) == self.sites[site].asking.meaning(label_set)
        return label_set if same else f"{label_set}@{site}"

    def _first(self, label_set: str) -> int:
        return next(site for site, ratings in self.sites.items() if label_set in ratings.whole)


@dataclass(frozen=True, slots=True)
class Latest:
    """What may be shown of a site's newest month of which anything may: its `days` up to the last one that counts."""

    days: Period
    opinions: Opinions


def latest(sites: Sequence[Site], now: datetime) -> dict[int, Latest]:
    """The newest figures of each site, by its primary key: of this month, else of the one before. The same bundles as
    in reports: two ways to withhold would tell by their difference what each of them withholds."""
    this = around(Kind.MONTH, settled(now))
    read = read_ratings(sites, Period(this.before().first, this.last, Kind.RANGE), now, months=True)
    found: dict[int, Latest] = {}
    for site in sites:
        own = read.of([site.pk])
        for month in (this.before(), this):
            if opinions := own.whole(month):
                days = Period(month.first, min(month.last, read.upto), Kind.RANGE)
                found[site.pk] = Latest(days, opinions)
    return found


def _opinion(labels: LabelSet | None, name: str, seen: Sequence[Seen]) -> Opinion:
    label_set = name.partition("@")[0]
    alike = together(each.alike for each in seen)
    tallies = [Tally(label_set, "", level, tuple(flags.split()), n) for (level, flags), n in sorted(alike.items())]
    satisfied = frozenset(level.value for level in labels.levels if level.satisfied) if labels else frozenset()
    served, n = sum(each.served for each in seen), sum(each.n for each in seen)
    figure = figures(tallies, served if n <= served else 0, {label_set: satisfied})[label_set]
    second = {level: n for (level, flags), n in sorted(alike.items()) if flags == SECOND}
    left_out = {**figure.left_out, **({SECOND: second} if second else {})}
    return Opinion(labels, replace(figure, left_out=left_out), sum(t.n for t in tallies if t.flags))


# --- reading --------------------------------------------------------------------------------------------------


def read_ratings(
    sites: Sequence[Site], period: Period, now: datetime, dim: str = "all", *, months: bool = False
) -> RatingDays:
    """The ratings of these sites over a period by `dim`, one of DIMS. A few queries whatever its length.

    `months`: whole months may be read as one, because nothing is asked of single days.
    """
    if dim not in DIMS:
        raise ValueError(f"{dim!r}: one of {', '.join(DIMS)}")
    known = settled(now)
    upto = min(period.last, known)
    if upto < period.first:
        return RatingDays(dim, upto, {})
    # Bundles are those of whole months: days around the period tell which of its own are in one.
    month = around(Kind.MONTH, upto)
    read = Period(around(Kind.MONTH, period.first).first, min(month.last, known), Kind.RANGE)
    parts = as_months(sites, read) if months else as_days(read)
    whole = read_sites(sites, parts, dim, known, now)
    within = Period(period.first, upto, Kind.RANGE)
    return RatingDays(dim, upto, whole, lambda: _are_waiting(sites, parts, within, known))


def _are_waiting(sites: Sequence[Site], parts: Parts, period: Period, known: date) -> bool:
    """Whether some ratings of the period were heard of late, and after the day `known`."""
    within = RatingRollup.objects.filter(at(sites), parts.days(), day__range=(period.first, period.last))
    summed = MonthSum.objects.filter(at(sites), month__in=parts.months, dim="all", again__gt=known)
    return within.filter(flags="", late__gt=known).exists() or (bool(parts.months) and summed.exists())
