"""Ratings of sites as the database has them, put into pieces (`bundles`). A few queries whatever the sites and days."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db.models import Q, Sum

from server.facts.models import RatingRollup, ReasonRollup, Rollup
from server.registry.models import Site
from server.reports.bundles import Alike, Month, Place, Seen, SiteRatings, Told, site_ratings
from server.reports.memory import Memory
from server.reports.models import MonthSum
from server.reports.monthly import Parts, at
from server.reports.naming import asking_of
from server.reports.periods import Kind, around


def _weight(ratings: SiteRatings | None) -> int:
    """What its pieces, and the reasons beside them, were made of: each takes 100 to 230 bytes, and an empty one 460."""
    if ratings is None:
        return 4
    rows = (*ratings.rows.values(), *ratings.whole.values())
    pieces = sum(1 + len(piece.told) for row in rows for piece in row)
    return 4 + pieces + sum(1 + len(each) for told in ratings.ticked.values() for each in told.values())


memory: Memory[SiteRatings | None] = Memory(300_000, _weight)
"""70 MB at most. A site may have no ratings."""


def read_sites(sites: Sequence[Site], parts: Parts, dim: str, known: date, now: datetime) -> dict[int, SiteRatings]:
    """The ratings of these sites that were heard of no later than on the day `known`, by the site's primary key.

    Sites without a rating are left out.
    """

    def read(new: list[Site]) -> dict[int, SiteRatings | None]:
        found = _read(new, parts, dim, known, now)
        return {site.pk: found.get(site.pk) for site in new}

    def still(kept: dict[int, SiteRatings | None]) -> dict[int, SiteRatings | None]:
        return _asked_alike([site for site in sites if site.pk in kept], kept, now)

    found = memory.read(sites, parts, (dim, known), read, still)
    return {pk: ratings for pk, ratings in found.items() if ratings}


def _asked_alike(
    sites: Sequence[Site], kept: Mapping[int, SiteRatings | None], now: datetime
) -> dict[int, SiteRatings | None]:
    """Without those of which a document says something else by now: how many ratings are told together, or which."""
    sets = {pk: each.whole.keys() for pk, each in kept.items() if each}
    asking = asking_of(sites, sets, now) if sets else {}
    return {pk: each for pk, each in kept.items() if each is None or each.asking == asking[pk]}


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
