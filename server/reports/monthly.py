"""Which whole months of a period are summed already, and which days are to be read one by one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from server.registry.models import Site
from server.reports.models import MonthSum
from server.reports.periods import Kind, Period, around


@dataclass(frozen=True, slots=True)
class Parts:
    """A period in two: months that are read as one, by their first day, and ranges of days that are read singly."""

    months: tuple[date, ...]
    ranges: tuple[tuple[date, date], ...]

    def parted(self, day: date) -> "list[Parts]":
        """What lies before a day, and the days from it on; without a part in which there is nothing."""
        before = tuple((first, min(last, day - timedelta(days=1))) for first, last in self.ranges if first < day)
        after = tuple((max(first, day), last) for first, last in self.ranges if last >= day)
        return [part for part in (Parts(self.months, before), Parts((), after)) if part.months or part.ranges]

    def days(self) -> Q:
        """The condition for rows of the days; matches nothing when there are none."""
        found = Q(pk__in=[])
        for edges in self.ranges:
            found |= Q(day__range=edges)
        return found


def at(sites: Iterable[Site]) -> Q:
    """The condition for rows of these sites. By their keys: of a hundred models Django takes long to find these out."""
    return Q(site__in=[site.pk for site in sites])


def as_days(period: Period) -> Parts:
    """The whole period day by day."""
    return Parts((), ((period.first, period.last),))


def as_months(sites: Sequence[Site], period: Period) -> Parts:
    """As many whole months as are summed for all these sites; only for what is asked of whole months. One query."""
    inside = [month.first for month in _months(period) if month.first in period and month.last in period]
    found = MonthSum.objects.filter(at(sites), dim="all", month__in=inside)
    counts = dict(found.values_list("month").annotate(n=Count("pk")))
    months = {month for month in inside if counts.get(month) == len(sites)}
    return Parts(tuple(sorted(months)), tuple(_ranges(period, months)))


def _months(period: Period) -> Iterable[Period]:
    month = around(Kind.MONTH, period.first)
    while month.first <= period.last:
        yield month
        month = month.after()


def _ranges(period: Period, without: Iterable[date]) -> list[tuple[date, date]]:
    """The days of the period outside of these months, in as few ranges as there can be."""
    found, since = [], period.first
    for first in sorted(without):
        if since < first:
            found.append((since, first - timedelta(days=1)))
        since = around(Kind.MONTH, first).last + timedelta(days=1)
    return [*found, (since, period.last)] if since <= period.last else found
