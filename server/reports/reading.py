"""Ratings of sites as the database has them, put into pieces (`bundles`). A few queries whatever the sites and days.

What was read is kept in memory: a province asks for the same days of a hundred sites again and again, and from one noon
to the next nothing of them changes but what is told late. A site's days are read again as soon as one was summed again.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import Lock

from django.db.models import Count, Max, Q, Sum

from server.facts.models import RatingRollup, ReasonRollup, Rollup
from server.registry.models import Site
from server.reports.bundles import Alike, Month, Place, Seen, SiteRatings, Told, site_ratings
from server.reports.models import MonthSum
from server.reports.monthly import Parts, at
from server.reports.naming import asking_of
from server.reports.periods import Kind, around

MOST = 300_000
"""So much is kept, by `_Kept.weight`, whose unit takes 100 to 230 bytes: 70 MB at most."""

Mark = tuple[int, ...]
"""Of the days and months that were read: another one as soon as one of them was summed again."""


@dataclass(frozen=True, slots=True)
class _Key:
    site: int
    parts: Parts
    dim: str
    known: date


@dataclass(frozen=True, slots=True)
class _Kept:
    """A site may have no ratings."""

    mark: Mark
    ratings: SiteRatings | None

    @property
    def weight(self) -> int:
        """About how much memory it takes: what its pieces, and the reasons beside them, were made of."""
        if self.ratings is None:
            return 1
        rows = (*self.ratings.rows.values(), *self.ratings.whole.values())
        pieces = sum(1 + len(piece.told) for row in rows for piece in row)
        return 1 + pieces + sum(1 + len(each) for told in self.ratings.ticked.values() for each in told.values())


@dataclass(slots=True)
class _Memory:
    """What was asked for last stays, until another day is known: then nobody asks for it any more. Threads may share
    it."""

    kept: OrderedDict[_Key, _Kept] = field(default_factory=OrderedDict)
    known: date = date.min
    weight: int = 0
    lock: Lock = field(default_factory=Lock)

    def get(self, key: _Key, mark: Mark) -> _Kept | None:
        with self.lock:
            found = self.kept.get(key)
            if found is None or found.mark != mark:
                return None
            self.kept.move_to_end(key)
            return found

    def keep(self, key: _Key, what: _Kept) -> None:
        with self.lock:
            if key.known != self.known:
                self._clear()
                self.known = key.known
            self._drop(key)
            self.kept[key] = what
            self.weight += what.weight
            while self.weight > MOST:
                self._drop(next(iter(self.kept)))

    def _drop(self, key: _Key) -> None:
        found = self.kept.pop(key, None)
        self.weight -= found.weight if found else 0

    def clear(self) -> None:
        with self.lock:
            self._clear()

    def _clear(self) -> None:
        self.kept.clear()
        self.weight = 0


memory = _Memory()


def read_sites(sites: Sequence[Site], parts: Parts, dim: str, known: date, now: datetime) -> dict[int, SiteRatings]:
    """The ratings of these sites that were heard of no later than on the day `known`, by the site's primary key.

    Sites without a rating are left out.
    """
    keys = {site.pk: _Key(site.pk, parts, dim, known) for site in sites}
    marks = _marks(sites, parts)  # before the rows: what changes meanwhile is read again the next time
    kept = {pk: found for pk, key in keys.items() if (found := memory.get(key, marks[pk]))}
    kept = _asked_alike([site for site in sites if site.pk in kept], kept, now)
    new = [site for site in sites if site.pk not in kept]
    read = _read(new, parts, dim, known, now) if new else {}
    for site in new:
        ratings = read.get(site.pk)
        kept[site.pk] = _Kept(marks[site.pk], ratings)
        memory.keep(keys[site.pk], kept[site.pk])
    return {pk: ratings for pk in sorted(kept) if (ratings := kept[pk].ratings)}


def _asked_alike(sites: Sequence[Site], kept: Mapping[int, _Kept], now: datetime) -> dict[int, _Kept]:
    """Without those of which a document says something else by now: how many ratings are told together, or which."""
    sets = {pk: each.ratings.whole.keys() for pk, each in kept.items() if each.ratings}
    asking = asking_of(sites, sets, now) if sets else {}
    return {pk: each for pk, each in kept.items() if each.ratings is None or each.ratings.asking == asking[pk]}


def _marks(sites: Sequence[Site], parts: Parts) -> dict[int, Mark]:
    """How many sums there are and which is the newest. Sums are replaced, never changed: a new one has a new key."""
    found: dict[int, Mark] = {site.pk: () for site in sites}
    days = Rollup.objects.filter(at(sites), parts.days(), dim="all")
    months = MonthSum.objects.filter(at(sites), month__in=parts.months, dim="all")
    for sums in (days, months):
        for site, count, newest in sums.values_list("site_id").annotate(count=Count("pk"), newest=Max("pk")):
            found[site] = (*found[site], count, newest)
    return found


def _read(sites: Sequence[Site], parts: Parts, dim: str, known: date, now: datetime) -> dict[int, SiteRatings]:
    rows, served = _read_rows(sites, parts, dim, known), _read_served(sites, parts, dim)
    ticked = _read_reasons(sites, parts) if dim == "all" else {}
    summed = _read_months(sites, parts, dim)
    sets = {site.pk: _sets(rows.get(site.pk, {}), summed.get(site.pk, [])) for site in sites}
    asking = asking_of(sites, sets, now)
    made = {
        pk: site_ratings(asking[pk], rows.get(pk, {}), served.get(pk, {}), ticked.get(pk, {}))
        for pk in rows.keys() | summed.keys()
    }
    return {pk: ratings.with_months(summed.get(pk, [])) for pk, ratings in made.items()}


def _sets(rows: Mapping[Place, object], months: Iterable[Month]) -> set[str]:
    return {label_set for _, label_set in rows} | {month.label_set for month in months}


def _read_months(sites: Sequence[Site], parts: Parts, dim: str) -> dict[int, list[Month]]:
    """What is shown of summed months, by site: of the rows of `dim`, and of everything."""
    if not parts.months:
        return {}
    found = MonthSum.objects.filter(at(sites), month__in=parts.months, dim__in={dim, "all"}).exclude(ratings={})
    months: dict[int, list[Month]] = defaultdict(list)
    for site, first, of, key, ratings in found.values_list("site_id", "month", "dim", "key", "ratings"):
        for label_set, plain in ratings.items():
            alike = {(level, flags): n for level, flags, n in plain["alike"]}
            seen, reasons = Seen(alike, plain["served"], plain["n"]), plain.get("reasons", {})
            month = Month(around(Kind.MONTH, first), key, label_set, seen, reasons, plain["rated"])
            months[site].append(replace(month, own=of == dim, of_all=of == "all"))
    return months


def _read_rows(
    sites: Sequence[Site], parts: Parts, dim: str, known: date
) -> dict[int, dict[Place, dict[Told, dict[Alike, int]]]]:
    """How many ratings are alike, by site, row and when they were told: no later than on the day `known`."""
    named = [] if dim == "all" else [dim]
    found = RatingRollup.objects.filter(at(sites), parts.days(), Q(late=None) | Q(late__lte=known))
    values = found.values_list("site_id", "label_set", "day", "late", "level", "flags", *named).annotate(sum=Sum("n"))
    rows: dict[int, dict[Place, dict[Told, dict[Alike, int]]]] = {}
    for site, label_set, day, late, level, flags, *key, n in values:
        row = rows.setdefault(site, {}).setdefault((key[0] if key else "", label_set), {})
        row.setdefault((late or day, day), {})[level, flags] = n
    return rows


def _read_served(sites: Sequence[Site], parts: Parts, dim: str) -> dict[int, dict[str, dict[date, int]]]:
    found = Rollup.objects.filter(at(sites), parts.days(), dim=dim, served__gt=0)
    served: dict[int, dict[str, dict[date, int]]] = {}
    for site, key, day, n in found.values_list("site_id", "key", "day", "served"):
        served.setdefault(site, {}).setdefault(key, {})[day] = n
    return served


def _read_reasons(sites: Sequence[Site], parts: Parts) -> dict[int, dict[str, dict[Told, dict[str, int]]]]:
    found = ReasonRollup.objects.filter(at(sites), parts.days())
    ticked: dict[int, dict[str, dict[Told, dict[str, int]]]] = {}
    values = found.values_list("site_id", "label_set", "day", "late", "reason", "n")
    for site, label_set, day, late, reason, n in values:
        ticked.setdefault(site, {}).setdefault(label_set, {}).setdefault((late or day, day), {})[reason] = n
    return ticked
