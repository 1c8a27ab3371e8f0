"""Sums of whole months, so that a year of a province is read as quickly as a week."""

from typing import ClassVar

from django.db import models

from server.facts.models import Sums
from server.registry.models import Site


class MonthSum(Sums):
    """What the days of a past month at a site add up to, by the same `dim` and `key` as `facts.Rollup`.

    Of `dim` arrivals the `key` is weekday and hour ("0.08"). `ratings` are those that may be shown of the row, by label
    set; see `server.reports.months`. A row is dropped when a day of its month is summed again, or when the ratings that
    were heard on the day `again` may be shown, and made anew later: it is there for speed, and for `v_ratings`.
    """

    site = models.ForeignKey(Site, models.CASCADE)
    month = models.DateField()
    ratings = models.JSONField()
    again = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "dim", "month", "key"], name="one_month_sum_a_key")
        ]
