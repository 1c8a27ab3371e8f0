"""Letters of a commune to its citizens, as counts that somebody enters by hand each month."""

from collections.abc import Mapping
from datetime import date

from django.db import transaction
from django.db.models import Sum

from server.publication.models import Letters
from server.registry.models import Unit
from server.reports.periods import Period

KINDS = ("thanks", "congratulation", "condolence", "apology")
"""Thư cảm ơn, chúc mừng, chia buồn, xin lỗi: `letters.*` in the language files."""
MOST = 99_999


def counted(unit: Unit, period: Period) -> dict[str, int]:
    """Letters by kind of the months that lie wholly in a period; nothing when none was entered for them."""
    rows = Letters.objects.filter(unit=unit, month__gte=period.first, month__lte=period.last)
    months = [month for month in rows.values_list("month", flat=True).distinct() if _end(month) <= period.last]
    sums = dict(rows.filter(month__in=months).values_list("kind").annotate(sum=Sum("n")))
    return {kind: sums[kind] for kind in KINDS if kind in sums}


def enter(unit: Unit, month: date, counts: Mapping[str, int]) -> None:
    """Write the counts of a month (its first day) over the ones before. Raises ValueError for an impossible one."""
    if any(kind not in KINDS or not 0 <= n <= MOST for kind, n in counts.items()):
        raise ValueError("letters: counts from 0 on")
    with transaction.atomic():
        for kind, n in counts.items():
            Letters.objects.update_or_create(unit=unit, month=month, kind=kind, defaults={"n": n})


def _end(month: date) -> date:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)
