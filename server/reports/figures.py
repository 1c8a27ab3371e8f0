"""Figures of visits, made of the sums of days: how many, how long, by what. Ratings are in `opinions`.

A `Days` is read once, in a few queries whatever the period's length, and then summed over any periods within it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import partial
from itertools import chain
from sys import getsizeof
from typing import Any

from django.db.models import Min, Sum

from kiosk.texts import LOCAL
from server import clock
from server.facts.models import Refusal, Rollup
from server.registry.models import Site, Unit
from server.reports.memory import Memory
from server.reports.models import MonthSum
from server.reports.monthly import Parts, as_days, at
from server.reports.periods import Period
from server.reports.spreads import NEVER, Spread, packed, spread

DIMS = ("all", "service", "counter", "clerk", "hour")
"""What figures are broken down by. `all` has one row; a visit without a counter or clerk stands under none of them."""
OF_A_SITE = frozenset({"counter", "clerk"})
"""Counter 1 of one site is not counter 1 of another; services and hours of several sites are one row."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A row of a breakdown: the id of a service, counter or clerk, or an hour ("07"); "" for all.

    `site` is the primary key of the site that a counter or clerk belongs to, else 0.
    """

    key: str = ""
    site: int = 0


ALL = Cell()
"""The one row of everything."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Figures of the tickets of a cell. `wait` is from the number to the first call, `service` from start to end;
    services whose start was only implied have no length."""

    issued: int = 0
    priority: int = 0
    served: int = 0
    no_show: int = 0
    cancelled: int = 0
    closed: int = 0
    transfers: int = 0
    holds: int = 0
    wait: Spread = NEVER
    service: Spread = NEVER

    @property
    def unfinished(self) -> int:
        """Tickets without an end: today's, and those of a day that the kiosk closes at the next one's first press."""
        return self.issued - self.served - self.no_show - self.cancelled - self.closed


COUNTS = tuple(f.name for f in fields(Visits) if f.type == "int" or f.type is int)
"""The fields of Visits that are plain counts, as `Rollup` names them."""


@dataclass(frozen=True, slots=True)
class Day:
    """The sums of one day, site and key; `waits` and `services` are packed times."""

    day: date
    cell: Cell
    counts: tuple[int, ...]
    waits: int
    services: int


@dataclass(frozen=True, slots=True)
class Days:
    """Sums by day, read by `read_days`."""

    rows: tuple[Day, ...] = field(default=())

    def over(self, period: Period, to: Mapping[Cell, Cell] | None = None) -> dict[Cell, Visits]:
        """Figures by cell over a period; cells without a visit in it are not there. `to` tells cells as others."""
        by_cell: dict[Cell, list[Day]] = defaultdict(list)
        for row in self.rows:
            if row.day in period:
                by_cell[to[row.cell] if to else row.cell].append(row)
        return {cell: _visits(rows) for cell, rows in sorted(by_cell.items())}

    def together(self) -> "Days":
        """The same in one row: each day is summed once, whatever is asked of it then."""
        by_day: dict[date, list[Day]] = defaultdict(list)
        for row in self.rows:
            by_day[row.day].append(row)
        return Days(tuple(_day(day, ALL, rows) for day, rows in by_day.items()))

    def summed(self) -> list[Day]:
        """All days of each row as one."""
        by_cell: dict[Cell, list[Day]] = defaultdict(list)
        for row in self.rows:
            by_cell[row.cell].append(row)
        return [_day(rows[0].day, cell, rows) for cell, rows in sorted(by_cell.items())]

    def whole(self, period: Period) -> Visits:
        """Figures of everything over a period; zeros where nobody came. Only of a `Days` by `all`."""
        return self.over(period).get(ALL, Visits())


def _weight(rows: Sequence[Day]) -> int:
    """In bytes; what is around the times of a day takes some 400."""
    return 400 + sum(400 + getsizeof(row.waits) + getsizeof(row.services) for row in rows)


days_memory: Memory[tuple[Day, ...]] = Memory(60_000_000, _weight)
arrivals_memory: Memory[Mapping[tuple[int, int], int]] = Memory(100_000, lambda found: 4 + len(found))
"""14 MB at most."""


def read_days(
    sites: Sequence[Site], period: Period, dim: str = "all", *, by_site: bool = False, parts: Parts | None = None
) -> Days:
    """The sums of these sites from the period's first to its last day by `dim`, one of DIMS.

    `by_site` keeps the sites apart whatever the `dim`. `parts` may read whole months as one, where nothing is asked of
    single days.
    """
    if dim not in DIMS:
        raise ValueError(f"{dim!r}: one of {', '.join(DIMS)}")
    rows: list[Day] = []
    for part in _at_rest(parts or as_days(period)):
        read = partial(_read_days, parts=part, dim=dim, by_site=by_site)
        rows += chain.from_iterable(days_memory.read(sites, part, (dim, by_site), read).values())
    return Days(tuple(rows))


def _at_rest(parts: Parts) -> list[Parts]:
    """Today apart from the days before, which are hardly ever summed again."""
    return parts.parted(clock.now().astimezone(LOCAL).date())


def _read_days(sites: Sequence[Site], parts: Parts, dim: str, *, by_site: bool) -> dict[int, tuple[Day, ...]]:
    days = Rollup.objects.filter(at(sites), parts.days(), dim=dim)
    months = MonthSum.objects.filter(at(sites), month__in=parts.months, dim=dim)
    found: dict[int, list[Day]] = {site.pk: [] for site in sites}
    for sums, since in ((days, "day"), (months, "month")):
        rows = sums.values_list(since, "site_id", "key", "waits", "services", *COUNTS)
        for day, site, key, waits, services, *counts in rows:
            cell = Cell(key, site) if by_site else cell_of(dim, site, key)
            found[site].append(Day(day, cell, tuple(counts), packed(waits), packed(services)))
    return {site: tuple(rows) for site, rows in found.items()}


def cell_of(dim: str, site: int, key: str) -> Cell:
    """The row in which a key of a site stands."""
    return Cell(key, site if dim in OF_A_SITE else 0)


def _visits(rows: Sequence[Day]) -> Visits:
    counts = [sum(column) for column in zip(*(row.counts for row in rows), strict=True)]
    named: dict[str, Any] = dict(zip(COUNTS, counts, strict=True))
    waits, services = sum(row.waits for row in rows), sum(row.services for row in rows)
    return Visits(**named, wait=spread(waits), service=spread(services))


def _day(day: date, cell: Cell, rows: Sequence[Day]) -> Day:
    counts = tuple(sum(column) for column in zip(*(row.counts for row in rows), strict=True))
    return Day(day, cell, counts, sum(row.waits for row in rows), sum(row.services for row in rows))


# --- others ---------------------------------------------------------------------------------------------------


def arrivals(sites: Sequence[Site], period: Period, parts: Parts | None = None) -> dict[tuple[int, int], int]:
    """How many numbers were taken by weekday (0 = Monday) and hour of the wall clock; only where there are any."""
    counts: Counter[tuple[int, int]] = Counter()
    for part in _at_rest(parts or as_days(period)):
        for site in arrivals_memory.read(sites, part, None, partial(_read_arrivals, parts=part)).values():
            counts.update(site)
    return dict(sorted(counts.items()))


def _read_arrivals(sites: Sequence[Site], parts: Parts) -> dict[int, Counter[tuple[int, int]]]:
    counts: dict[int, Counter[tuple[int, int]]] = {site.pk: Counter() for site in sites}
    days = Rollup.objects.filter(at(sites), parts.days(), dim="hour")
    for site, day, hour, n in days.values_list("site_id", "day", "key", "issued"):
        counts[site][day.weekday(), int(hour)] += n
    months = MonthSum.objects.filter(at(sites), month__in=parts.months, dim="arrivals")
    for site, key, n in months.values_list("site_id", "key", "issued"):
        weekday, _, hour = key.partition(".")
        counts[site][int(weekday), int(hour)] += n
    return counts


def begin(units: Iterable[Unit]) -> date | None:
    """The first day with figures of these communes; None while there is none."""
    found: date | None = Rollup.objects.filter(site__unit__in=units, dim="all").aggregate(first=Min("day"))["first"]
    return found


def days_visited(sites: Sequence[Site], first: date, last: date) -> list[date]:
    """The days from the first to the last one on which somebody took a number at any of these sites."""
    found = Rollup.objects.filter(at(sites), dim="all", day__range=(first, last), issued__gt=0)
    return list(found.values_list("day", flat=True).distinct())


def refusals(sites: Sequence[Site], period: Period) -> dict[str, int]:
    """How many presses got no number, by reason (`refused.*` in the language files), the most frequent first."""
    found = Refusal.objects.filter(at(sites), day__range=(period.first, period.last))
    counts = dict(found.values_list("reason").annotate(n=Sum("n")))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
