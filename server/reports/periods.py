"""Periods of reports: a day, week, month, quarter, year or own range, and how they are called. No clock, no SQL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from kiosk.texts import Texts

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
MOST_DAYS = 3 * 366
"""Longest own range: what a person reads at once, and what a page can carry."""
QUARTERS = ("I", "II", "III", "IV")

_KEY = re.compile(
    r"(?P<year>\d{4})(?:-(?:W(?P<week>\d\d)|Q(?P<quarter>[1-4])|(?P<month>\d\d)(?:-(?P<day>\d\d))?))?", re.ASCII
)


class BadPeriod(ValueError):
    """No period that can be shown. `key` of the language files says why: it does not exist (`unknown`), ends before it
    begins (`reversed`), or is too long (`too_long`)."""

    def __init__(self, message: str, reason: str = "unknown") -> None:
        super().__init__(message)
        self.key = f"period.{reason}"


class Kind(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RANGE = "range"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole local days from `first` to `last`, both included. Made by `around`, `between` or `parse`."""

    first: date
    last: date
    kind: Kind

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_weekend(self) -> bool:
        """Whether no day of it is from Monday to Friday."""
        return self.first.weekday() >= 5 and self.last - self.first <= timedelta(days=6 - self.first.weekday())

    @property
    def key(self) -> str:
        """The same period as text for addresses and file names: 2026-11-23, 2026-W48, 2026-11, 2026-Q4, 2026, or
        2026-11-01..2026-11-15. `parse` reads it."""
        week = self.first.isocalendar()
        return {
            Kind.DAY: f"{self.first}",
            Kind.WEEK: f"{week.year:04d}-W{week.week:02d}",
            Kind.MONTH: f"{self.first:%Y-%m}",
            Kind.QUARTER: f"{self.first.year}-Q{_quarter(self.first)}",
            Kind.YEAR: f"{self.first.year}",
            Kind.RANGE: f"{self.first}..{self.last}",
        }[self.kind]

    def before(self) -> "Period":
        """The period directly before: the same kind, or as many days."""
        end = self.first - timedelta(days=1)
        if self.kind is Kind.RANGE:
            return Period(end - timedelta(days=self.days - 1), end, Kind.RANGE)
        return around(self.kind, end)

    def after(self) -> "Period":
        """The period directly after."""
        start = self.last + timedelta(days=1)
        if self.kind is Kind.RANGE:
            return Period(start, start + timedelta(days=self.days - 1), Kind.RANGE)
        return around(self.kind, start)

    def parts(self) -> tuple["Period", ...]:
        """The points of a line over the period: its days up to a month, its weeks up to half a year, else its months.

        Parts at an edge are cut there; a day has one part, itself.
        """
        kind = Kind.DAY if self.days <= 31 else Kind.WEEK if self.days <= 184 else Kind.MONTH
        found, day = [], self.first
        while day <= self.last:
            whole = around(kind, day)
            found.append(Period(day, min(whole.last, self.last), kind))
            day = whole.last + timedelta(days=1)
        return tuple(found)


def around(kind: Kind, day: date) -> Period:
    """The period of a kind that a day lies in; weeks begin on Monday. A range of one day for RANGE."""
    if kind in (Kind.DAY, Kind.RANGE):
        return Period(day, day, kind)
    if kind is Kind.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6), kind)
    months = {Kind.MONTH: 1, Kind.QUARTER: 3, Kind.YEAR: 12}[kind]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(first, _next_month(first, months) - timedelta(days=1), kind)


def between(first: date, last: date) -> Period:
    """An own range. Raises BadPeriod."""
    if last < first:
        raise BadPeriod("the period ends before it begins", "reversed")
    if (last - first).days >= MOST_DAYS:
        raise BadPeriod(f"at most {MOST_DAYS} days", "too_long")
    return _sensible(Period(first, last, Kind.RANGE))


def parse(key: str) -> Period:
    """The period of a `Period.key`. Raises BadPeriod."""
    try:
        first, dots, last = key.partition("..")
        if dots:
            return between(date.fromisoformat(first), date.fromisoformat(last))
        return _sensible(_named(key))
    except BadPeriod:
        raise
    except (ValueError, OverflowError) as error:
        raise BadPeriod(f"{key[:40]!r} is no period") from error


def _named(key: str) -> Period:
    found = _KEY.fullmatch(key)
    if found is None:
        raise BadPeriod(f"{key[:40]!r} is no period")
    year = int(found["year"])
    if found["week"]:
        return around(Kind.WEEK, date.fromisocalendar(year, int(found["week"]), 1))
    if found["quarter"]:
        return around(Kind.QUARTER, date(year, int(found["quarter"]) * 3, 1))
    kind = Kind.DAY if found["day"] else Kind.MONTH if found["month"] else Kind.YEAR
    return around(kind, date(year, int(found["month"] or 1), int(found["day"] or 1)))


def words(t: Texts, period: Period) -> str:
    """The period in a sentence: "tháng 11/2026", "quý IV/2026"."""
    first, week = period.first, period.first.isocalendar()
    edges = {"tu": t.date(first), "den": t.date(period.last)}
    values: Mapping[Kind, Mapping[str, object]] = {
        Kind.DAY: {"ngay": t.date(first)},
        Kind.WEEK: {"tuan": week.week, "nam": week.year, **edges},
        Kind.MONTH: {"thang": first.month, "nam": first.year},
        Kind.QUARTER: {"quy": QUARTERS[_quarter(first) - 1], "nam": first.year},
        Kind.YEAR: {"nam": first.year},
        Kind.RANGE: edges,
    }
    kind = Kind.DAY if period.kind is Kind.RANGE and period.days == 1 else period.kind
    return t(f"period.{kind}", **values[kind])


def short_words(t: Texts, period: Period) -> str:
    """The period where there is little room, as under a chart: "23/11", "11/2026"; a week by its first day."""
    if period.kind in (Kind.DAY, Kind.WEEK, Kind.RANGE):
        return t.date(period.first)[:5]
    if period.kind is Kind.MONTH:
        return f"{period.first.month}/{period.first.year}"
    return words(t, period)


def title_words(t: Texts, period: Period) -> str:
    """The period in a heading of capitals: "THÁNG 11/2026"."""
    return words(t, period).upper()


def _quarter(day: date) -> int:
    return (day.month - 1) // 3 + 1


def _next_month(first: date, months: int) -> date:
    at = first.year * 12 + first.month - 1 + months
    return date(at // 12, at % 12 + 1, 1)


def _sensible(period: Period) -> Period:
    if period.first < EARLIEST or period.last > LATEST:
        raise BadPeriod(f"only from {EARLIEST.year} to {LATEST.year}")
    return period
