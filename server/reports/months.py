"""The job that sums past months, of the same figures that people see. It is there for speed alone.

A month is summed for every site as soon as it is settled, for a site without a visit with zeros; and again when one of
its days was, or when late ratings may be shown that it left out.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Min

from server.facts.models import Dirty, RatingRollup, Rollup
from server.facts.projector import locked_cursor
from server.facts.settling import settled
from server.registry.models import Site
from server.reports.bundles import Seen
from server.reports.figures import ALL, COUNTS, DIMS, Day, arrivals, read_days
from server.reports.models import MonthSum
from server.reports.opinions import DIMS as RATED_BY
from server.reports.opinions import read_ratings
from server.reports.periods import Kind, Period, around
from server.reports.spreads import unpacked

BACK = 37
"""So many months back: the longest period that can be asked for."""


Row = tuple[str, str]
"""`dim` and key."""


def forget(site: Site, day: date, **_: Any) -> None:
    """A day was summed again: its month is no longer what its days add up to. In that transaction."""
    MonthSum.objects.filter(site=site, month=day.replace(day=1)).delete()


def sum_months(now: datetime, most: int = 5) -> int:
    """Sum past months of sites that lack them, at most so many; how many there were.

    Not while one of its days waits to be summed: that would drop the month again.
    """
    _drop_due(settled(now))
    done = 0
    sites = list(Site.objects.order_by("pk"))
    for month in _past(now):
        have = set(MonthSum.objects.filter(month=month.first, dim="all").values_list("site_id", flat=True))
        unsummed = Dirty.objects.filter(day__range=(month.first, month.last), failed=None)
        waiting = set(unsummed.values_list("site_id", flat=True))
        missing = [site for site in sites if site.pk not in have | waiting]
        if not missing or (not have and not _has_visits(sites, month)):
            continue
        for site in missing[: most - done]:
            _sum(site, month, now)
            done += 1
        if done >= most:
            break
    return done


def _past(now: datetime) -> Iterator[Period]:
    month = around(Kind.MONTH, settled(now) + timedelta(days=1)).before()
    for _ in range(BACK):
        yield month
        month = month.before()


def _drop_due(known: date) -> None:
    due = MonthSum.objects.filter(dim="all", again__lte=known).values_list("site_id", "month")
    for site, month in list(due):
        MonthSum.objects.filter(site=site, month=month).delete()


def _has_visits(sites: list[Site], month: Period) -> bool:
    return Rollup.objects.filter(site__in=sites, dim="all", day__range=(month.first, month.last)).exists()


def _sum(site: Site, month: Period, now: datetime) -> None:
    mark = _mark(site, month)
    days, ratings = _days(site, month), _ratings(site, month, now)
    places = days.keys() | ratings.keys()
    again = _next_late(site, month, settled(now))
    rows = [_row(site, month, place, days.get(place), ratings.get(place, {}), again) for place in sorted(places)]
    with transaction.atomic():
        locked_cursor()  # whoever sums a day holds it too
        # Read before the lock, so that pushes need not wait for it; in vain if a day was summed meanwhile.
        if _mark(site, month) == mark:
            MonthSum.objects.filter(site=site, month=month.first).delete()
            MonthSum.objects.bulk_create(rows)


def _mark(site: Site, month: Period) -> int | None:
    """Another number after any day of the month was summed again."""
    found = Rollup.objects.filter(site=site, dim="all", day__range=(month.first, month.last))
    newest: int | None = found.aggregate(newest=Max("pk"))["newest"]
    return newest


def _next_late(site: Site, month: Period, known: date) -> date | None:
    """When the next late ratings of a month were heard that are not shown yet."""
    late = RatingRollup.objects.filter(site=site, day__range=(month.first, month.last), late__gt=known)
    found: date | None = late.aggregate(next=Min("late"))["next"]
    return found


def _row(
    site: Site, month: Period, place: Row, day: Day | None, ratings: dict[str, Any], again: date | None
) -> MonthSum:
    dim, key = place
    counts = day.counts if day else (0,) * len(COUNTS)
    fields = dict(zip(COUNTS, counts, strict=True))
    waits, services = (unpacked(day.waits), unpacked(day.services)) if day else ({}, {})
    return MonthSum(
        site=site, month=month.first, dim=dim, key=key, **fields, waits=waits, services=services, ratings=ratings,
        again=again,
    )  # fmt: skip


def _days(site: Site, month: Period) -> dict[Row, Day | None]:
    found: dict[Row, Day | None] = {("all", ""): None}
    for dim in DIMS:
        found |= {(dim, day.cell.key): day for day in read_days([site], month, dim).summed()}
    for (weekday, hour), n in arrivals([site], month).items():
        counts = tuple(n if name == "issued" else 0 for name in COUNTS)
        found["arrivals", f"{weekday}.{hour}"] = Day(month.first, ALL, counts, 0, 0)
    return found


def _ratings(site: Site, month: Period, now: datetime) -> dict[Row, dict[str, Any]]:
    """What may be shown, by label set; of everything also the reasons."""
    found: dict[Row, dict[str, Any]] = defaultdict(dict)
    for dim in RATED_BY:
        ratings = read_ratings([site], month, now, dim).sites.get(site.pk)
        if ratings is None:
            continue
        for (key, label_set), seen in ratings.sums(month, apart=dim != "all").items():
            found[dim, key][label_set] = plain(seen, bool(ratings.rated))
        for label_set, reasons in ratings.reasons(month).items() if dim == "all" else ():
            found["all", ""][label_set]["reasons"] = dict(reasons)
    return found


def plain(seen: Seen, rated: bool) -> dict[str, Any]:
    """As JSON holds it; `server.reports.opinions` reads it. `rated`: some counted, shown or not."""
    alike = [[level, flags, n] for (level, flags), n in sorted(seen.alike.items())]
    return {"alike": alike, "served": seen.served, "n": seen.n, "rated": rated}
