"""What a clerk may see: own sums, month by month, later, and never a single rating."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kiosk.rating import RatingPolicy, own_may_show
from kiosk.texts import LOCAL
from server.registry.models import Site
from server.reports.figures import Cell, Visits, read_days
from server.reports.opinions import Opinions, read_ratings
from server.reports.periods import Kind, Period, around

MONTHS = 6
"""How far back the page goes."""


@dataclass(frozen=True, slots=True)
class OwnMonth:
    """One month of a clerk: the tickets that were last at this clerk, and the ratings as far as they may be shown."""

    period: Period
    visits: Visits
    opinions: Opinions


def own_months(site: Site, clerk: str, now: datetime) -> list[OwnMonth]:
    """The latest months of a clerk, the newest first."""
    months = _months(around(Kind.MONTH, now.astimezone(LOCAL).date()))
    long = Period(months[-1].first, months[0].last, Kind.RANGE)
    visits = read_days([site], long, "clerk")
    own, whole = read_ratings([site], long, now, "clerk"), read_ratings([site], long, now)
    cell = Cell(clerk, site.pk)
    return [
        OwnMonth(
            month,
            visits.over(month).get(cell, Visits()),
            _showable(own.over(month).get(cell, {}), whole.whole(month), own.least(site.pk, month.last)),
        )
        for month in months
    ]


def _months(last: Period) -> Sequence[Period]:
    months = [last]
    while len(months) < MONTHS:
        months.append(months[-1].before())
    return months


def _showable(own: Opinions, whole: Opinions, least: int) -> Opinions:
    """Beside the office's figures, which everybody knows, nobody else's may be left over."""
    policy = RatingPolicy(rating_min=least)
    return {
        name: each
        for name, each in own.items()
        if name in whole and own_may_show(whole[name].figure, each.figure, policy)
    }
