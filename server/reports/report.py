"""A report: what was asked for, put into tables in the reader's language.

Names are those of the period's last day, so that a report of last year reads as it did then.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from kiosk.office import LabelSet
from kiosk.rating import FLAGS
from kiosk.texts import LOCAL, Texts
from server.office.names import Names, unit_name
from server.publication import letters
from server.reports import periods
from server.reports.choosing import Choice
from server.reports.figures import Cell, Days, Visits, arrivals, days_visited, read_days, refusals
from server.reports.monthly import Parts, as_months
from server.reports.naming import names_on, set_name
from server.reports.opinions import DIMS as RATED_BY
from server.reports.opinions import SECOND, Opinion, Opinions, RatingDays, read_ratings
from server.reports.periods import Kind, Period
from server.reports.tables import Look, Minutes, Percent, Share, Table, Value

SUMMED = ("issued", "priority", "served", "no_show", "cancelled", "closed", "unfinished", "transfers", "holds")
VISITS = tuple(key for key in SUMMED if key != "unfinished")
TIMES = ("wait_median", "wait_p90", "service_median", "service_p90")
MADE_OF_MONTHS = frozenset({Kind.MONTH, Kind.QUARTER, Kind.YEAR})
LEFT_OUT = (*FLAGS, SECOND)


@dataclass(frozen=True, slots=True)
class Report:
    """`of` names whose figures they are, `until` says up to which day there can be any, "" when the period is over."""

    title: str
    of: str
    period: str
    note: str
    until: str
    tables: tuple[Table, ...]

    def table(self, key: str) -> Table | None:
        """The table with this key, None where the report has none."""
        return next((table for table in self.tables if table.key == key), None)


class _Read:
    """All that a report is made of, for the period and the one before; read when a table wants it."""

    def __init__(self, choice: Choice, t: Texts, now: datetime) -> None:
        self.choice, self.t, self.now = choice, t, now
        self.sites, self.period, self.dim = choice.place.sites, choice.period, choice.dim
        self.day = min(self.period.last, now.astimezone(LOCAL).date())
        # What is not over yet has no points of the future.
        self.parts = tuple(part for part in self.period.parts() if part.first <= self.day)
        self.before = self.period.before()

    @cached_property
    def names(self) -> Mapping[int, Names]:
        return names_on(self.sites, self.day)

    @cached_property
    def order_of_sites(self) -> Mapping[int, int]:
        return {site.pk: at for at, site in enumerate(self.sites)}

    @cached_property
    def whole_months(self) -> Parts | None:
        """How a period that is made of months is read where nothing is asked of its days."""
        return as_months(self.sites, self.period) if self.period.kind in MADE_OF_MONTHS else None

    @cached_property
    def by_parts(self) -> Parts | None:
        """The same where each part of the period is asked for."""
        return self.whole_months if self.period.kind is Kind.YEAR else None

    @cached_property
    def by_site(self) -> Days:
        return read_days(self.sites, self.period, by_site=True, parts=self.by_parts)

    @cached_property
    def whole(self) -> Days:
        if self.dim == "unit":
            return self.by_site.together()
        return read_days(self.sites, self.period, parts=self.by_parts)

    @cached_property
    def whole_before(self) -> Visits:
        months = as_months(self.sites, self.before) if self.before.kind in MADE_OF_MONTHS else None
        return read_days(self.sites, self.before, parts=months).whole(self.before)

    @cached_property
    def by(self) -> dict[Cell, Visits]:
        if self.dim != "unit":
            return read_days(self.sites, self.period, self.dim, parts=self.whole_months).over(self.period)
        units = {Cell("", site): Cell("", first) for site, first in _first_sites(self).items()}
        return self.by_site.over(self.period, units)

    @cached_property
    def ratings(self) -> RatingDays:
        return read_ratings(self.sites, self.period, self.now, months=self.period.kind is Kind.YEAR)

    @cached_property
    def opinions(self) -> Opinions:
        return self.ratings.whole(self.period)

    @cached_property
    def opinions_before(self) -> Opinions:
        months = self.before.kind in MADE_OF_MONTHS
        return read_ratings(self.sites, self.before, self.now, months=months).whole(self.before)

    @cached_property
    def rated_by(self) -> dict[Cell, Opinions]:
        if self.dim == "unit":
            return _rated_by_unit(self)
        if self.dim not in RATED_BY:
            return {}
        months = self.period.kind in MADE_OF_MONTHS
        return read_ratings(self.sites, self.period, self.now, self.dim, months=months).over(self.period)


def report(choice: Choice, t: Texts, now: datetime, only: Collection[str] = ()) -> Report:
    """The report that was asked for, with the tables of these keys, or all; those without a row are left out."""
    read = _Read(choice, t, now)
    today = now.astimezone(LOCAL).date()
    made = (make(read) for key, make in _TABLES.items() if key in only or not only)
    return Report(
        title=t("report.title", ky=periods.title_words(t, choice.period)),
        of=_of(read),
        period=periods.words(t, choice.period),
        note=t("report.note"),
        until=_until(t, choice.period, today),
        tables=_told(list(made)),
    )


def _until(t: Texts, period: Period, today: date) -> str:
    if today < period.first:
        return t("reports.not_begun")
    return t("reports.until", ngay=t.date(today)) if today <= period.last else ""


def _told(made: Sequence[Table]) -> tuple[Table, ...]:
    """Those with rows, and of the others those that say why; nothing where nothing happened."""
    found = any(table.rows for table in made)
    return tuple(table for table in made if table.rows or (found and table.note))


def _of(read: _Read) -> str:
    """Whose figures they are: the commune as it was called then, and its site when only some were chosen."""
    place = read.choice.place
    if place.unit is None:
        return read.t("server.all_units")
    whose = unit_name(place.unit, read.day)
    return f"{whose}: {', '.join(site.name for site in place.sites)}" if len(place.offered) > 1 else whose


# --- visits ---------------------------------------------------------------------------------------------------


def times(visits: Visits) -> tuple[Value, ...]:
    """The cells of TIMES."""
    spreads = (visits.wait.median, visits.wait.p90, visits.service.median, visits.service.p90)
    return tuple(None if each is None else Minutes(each) for each in spreads)


def _summary(read: _Read) -> Table:
    t = read.t
    visits = [read.whole.whole(read.period), read.whole_before]
    keys = [key for key in SUMMED if key != "unfinished" or any(v.unfinished for v in visits)]
    rows = _summary_of_days(read)
    rows += [(t(f"reports.{key}"), *(getattr(v, key) for v in visits)) for key in keys]
    rows += [(t(f"reports.{key}"), *cells) for key, *cells in zip(TIMES, *(times(v) for v in visits), strict=True)]
    opinions = [read.opinions, read.opinions_before]
    for name in sorted({*opinions[0], *opinions[1]}):
        rows += _summary_of(read, name, [each.get(name) for each in opinions])
    columns = ("", periods.words(t, read.period), periods.words(t, read.before))
    return Table("summary", t("reports.summary"), columns, tuple(rows))


def _summary_of_days(read: _Read) -> list[tuple[Value, ...]]:
    """Totals of two periods are not alike where one of them had days off. Of several communes it would say nothing:
    hardly a day goes by without a visit to one of them."""
    if read.choice.place.unit is None:
        return []
    days = days_visited(read.sites, read.before.first, read.period.last)
    return [(read.t("reports.days_visited"), *(sum(day in of for day in days) for of in (read.period, read.before)))]


def _summary_of(read: _Read, name: str, pair: Sequence[Opinion | None]) -> Iterable[tuple[Value, ...]]:
    t = read.t
    labels = set_words(read, name, next((each.labels for each in pair if each), None))
    yield t("reports.rate_of", bo=labels), *(rate(each) if each else None for each in pair)
    yield t("reports.ratings_of", bo=labels), *(each.figure.n if each else None for each in pair)
    answers = (Share(each.figure.n, each.figure.served) if each else None for each in pair)
    yield t("reports.answer_of", bo=labels), *answers


def _by(read: _Read) -> Table:
    t, dim = read.t, read.dim
    ordered = sorted(read.by.items(), key=lambda item: _place(read, item[0]))
    rows = tuple((row_words(read, cell), *(getattr(v, key) for key in VISITS), *times(v)) for cell, v in ordered)
    columns = (t(f"reports.{dim}"), *(t(f"reports.{key}") for key in (*VISITS, *TIMES)))
    return Table("by", t(f"reports.by_{dim}"), columns, rows)


def _first_sites(read: _Read) -> dict[int, int]:
    first: dict[int, int] = {}
    for site in read.sites:
        first.setdefault(site.unit_id, site.pk)
    return {site.pk: first[site.unit_id] for site in read.sites}


def _time(read: _Read) -> Table:
    t, keys = read.t, ("issued", "served", "no_show")
    visits = {part: read.whole.whole(part) for part in read.parts}
    rows = tuple(
        (periods.short_words(t, part), *(getattr(v, key) for key in keys), *times(v))
        for part, v in visits.items()
        if v.issued or not part.is_weekend
    )
    is_line = len(visits) > 1 and any(v.issued for v in visits.values())
    columns = (t("reports.period"), *(t(f"reports.{key}") for key in (*keys, *TIMES)))
    return Table("time", t("reports.over_time"), columns, rows if is_line else ())


def _arrivals(read: _Read) -> Table:
    t, found = read.t, arrivals(read.sites, read.period, read.whole_months)
    hours = sorted({hour for _, hour in found})
    columns = (t("reports.weekday"), *(t("leader.hour", n=hour) for hour in _every(hours)))
    days = sorted({day for day, _ in found})
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (t(f"weekday.{day}"), *(found.get((day, hour), 0) for hour in _every(hours))) for day in _every(days)
    )
    return Table("arrivals", t("reports.arrivals"), columns, rows, look=Look.HEAT)


def _every(found: Sequence[int]) -> range:
    """From the first to the last, so that a quiet hour shows."""
    return range(found[0], found[-1] + 1) if found else range(0)


def _refusals(read: _Read) -> Table:
    t, found = read.t, refusals(read.sites, read.period)
    rows = tuple((_known(t, f"refusal.{reason}", reason), n) for reason, n in found.items())
    return Table("refusals", t("reports.refusals"), (t("reports.reason"), t("reports.presses")), rows)


# --- ratings --------------------------------------------------------------------------------------------------


def rate(opinion: Opinion) -> Share | None:
    """Satisfied ratings; None where nobody knows what the levels mean."""
    return Share(opinion.figure.k, opinion.figure.n) if opinion.labels else None


def _ends(opinion: Opinion) -> tuple[Value, Value]:
    interval = opinion.interval
    return (Percent(interval[0]), Percent(interval[1])) if interval else (None, None)


def _ratings(read: _Read) -> Table:
    t = read.t
    rows = tuple(
        (set_words(read, name, o.labels), rate(o), o.figure.k if o.labels else None, o.figure.n, *_ends(o),
         o.figure.served, Share(o.figure.n, o.figure.served), o.left_out)
        for name, o in read.opinions.items()
    )  # fmt: skip
    keys = ("label_set", "rate", "k", "n", "low", "high", "rated_served", "answered", "left_out")
    note = t("reports.ratings_hint") if rows else ""
    if read.ratings.withholds(read.period):
        note = f"{t('reports.withheld')} {t('reports.ratings_hint')}"
    return Table("ratings", t("reports.ratings"), tuple(t(f"reports.{key}") for key in keys), rows, note)


def _levels(read: _Read) -> Table:
    t = read.t
    rows = tuple(
        (set_words(read, name, opinion.labels), words, n, Share(n, opinion.figure.n))
        for name, opinion in read.opinions.items()
        for words, n in level_counts(t, opinion.labels, opinion.figure.by_level)
    )
    keys = ("label_set", "level", "n", "of_all")
    return Table("levels", t("reports.levels"), tuple(t(f"reports.{key}") for key in keys), rows)


def _left_out(read: _Read) -> Table:
    t = read.t
    rows = tuple(
        (set_words(read, name, opinion.labels), t(f"flag.{flag}"), words, n)
        for name, opinion in read.opinions.items()
        for flag in LEFT_OUT
        for words, n in level_counts(t, opinion.labels, opinion.figure.left_out.get(flag, {}))
        if n
    )
    keys = ("label_set", "flag", "level", "n")
    return Table("left_out", t("reports.left_out_by"), tuple(t(f"reports.{key}") for key in keys), rows,
                 t("explain.left_out_note") if rows else "")  # fmt: skip


def _rated_by(read: _Read) -> Table:
    t, dim = read.t, read.dim
    rows = tuple(
        (row_words(read, cell), set_words(read, name, o.labels), rate(o), o.figure.k if o.labels else None, o.figure.n,
         o.figure.served, Share(o.figure.n, o.figure.served))
        for cell, opinions in sorted(read.rated_by.items(), key=lambda item: _place(read, item[0]))
        for name, o in opinions.items()
    )  # fmt: skip
    keys = (dim, "label_set", "rate", "k", "n", "rated_served", "answered")
    columns = tuple(t(f"reports.{key}") for key in keys)
    note = t("reports.withheld_rows") if rows else ""
    if dim == "hour" and read.opinions:
        note = t("reports.not_by_hour")
    return Table("rated_by", t(f"reports.rated_by_{dim}"), columns, rows, note)


def _rated_by_unit(read: _Read) -> dict[Cell, Opinions]:
    sites: dict[int, list[int]] = defaultdict(list)
    for site, first in _first_sites(read).items():
        sites[first].append(site)
    found = {Cell("", first): read.ratings.of(of_unit).whole(read.period) for first, of_unit in sites.items()}
    return {cell: opinions for cell, opinions in found.items() if opinions}


def _ratings_time(read: _Read) -> Table:
    t, parts = read.t, read.parts
    rows = tuple(
        (periods.short_words(t, part), set_words(read, name, o.labels), rate(o), o.figure.n, *_ends(o))
        for part, opinions in zip(parts, read.ratings.whole_in_each(parts), strict=True)
        for name, o in opinions.items()
    )
    keys = ("period", "label_set", "rate", "n", "low", "high")
    columns = tuple(t(f"reports.{key}") for key in keys)
    rows = rows if len(parts) > 1 else ()
    return Table("ratings_time", t("reports.ratings_time"), columns, rows, t("reports.withheld_parts") if rows else "")


def _reasons(read: _Read) -> Table:
    t = read.t
    rows = tuple(
        (
            set_words(read, name, read.ratings.labels(name)),
            t(f"reason.{reason}") if f"reason.{reason}" in t else reason,
            n,
        )
        for name, reasons in read.ratings.reasons(read.period).items()
        for reason, n in reasons.items()
    )
    keys = ("label_set", "reason", "n")
    return Table("reasons", t("reports.reasons"), tuple(t(f"reports.{key}") for key in keys), rows)


def level_counts(t: Texts, labels: LabelSet | None, counts: Mapping[int, int]) -> list[tuple[str, int]]:
    """Counts by level in words, the best first; levels that no set knows by their number."""
    known = {} if labels is None else {level.value: level for level in labels.levels}
    words = {value: level.text if t.base == "vi" else level.text_en for value, level in known.items()}
    order = [*words, *sorted(counts.keys() - words.keys(), reverse=True)]
    return [(words.get(value, t("reports.level_n", n=value)), counts.get(value, 0)) for value in order]


def _letters(read: _Read) -> Table:
    """What the commune counted by hand."""
    t, unit = read.t, read.choice.place.unit
    found = letters.counted(unit, read.period) if unit else {}
    rows = tuple((t(f"letters.{kind}"), n) for kind, n in found.items())
    return Table("letters", t("letters.title"), (t("letters.kind"), t("letters.n")), rows)


_TABLES: Mapping[str, Callable[[_Read], Table]] = {
    "summary": _summary,
    "by": _by,
    "time": _time,
    "arrivals": _arrivals,
    "refusals": _refusals,
    "ratings": _ratings,
    "levels": _levels,
    "left_out": _left_out,
    "rated_by": _rated_by,
    "ratings_time": _ratings_time,
    "reasons": _reasons,
    "letters": _letters,
}


# --- names ----------------------------------------------------------------------------------------------------


def set_words(read: _Read, name: str, labels: LabelSet | None) -> str:
    return set_name(name, labels, read.sites)


def _known(t: Texts, key: str, otherwise: str) -> str:
    """The sentence, else what stands in for a word that a newer kiosk says."""
    return t(key) if key in t else otherwise


def row_words(read: _Read, cell: Cell) -> str:
    """What a row is about, as it was called then."""
    t, dim, many = read.t, read.dim, len(read.sites) > 1
    if dim == "hour":
        return t("leader.hour", n=int(cell.key))
    if dim == "unit":
        return read.names[cell.site].unit
    if dim == "service":
        return next((n.service(cell.key, t.base) for n in read.names.values() if cell.key in n.services), cell.key)
    names = read.names[cell.site]
    word = t("today.counter", quay=names.counter(cell.key)) if dim == "counter" else names.clerk(cell.key)
    return f"{word} – {names.site}" if many else word


def _place(read: _Read, cell: Cell) -> tuple[int, int, str]:
    """Rows stand in the office's own order; site after site."""
    names = read.names[cell.site] if cell.site else next(iter(read.names.values()))
    known = {"service": names.services, "counter": names.counters, "clerk": names.clerks}.get(read.dim, {})
    order = list(known)
    at = order.index(cell.key) if cell.key in order else len(order)
    return read.order_of_sites.get(cell.site, 0), at, cell.key
