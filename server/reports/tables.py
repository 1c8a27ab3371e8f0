"""Tables of a report as data: pages, charts, CSV and XLSX show the same figures, each in its own way. No SQL."""

from dataclasses import dataclass, replace
from enum import StrEnum

from kiosk.texts import Texts


@dataclass(frozen=True, slots=True)
class Minutes:
    """A time in whole minutes."""

    n: int


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole: "–" of nothing."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Percent:
    """A figure from 0 to 100."""

    value: float


Value = str | int | Minutes | Share | Percent | None
"""A cell; None is where there is nothing to say."""


class Look(StrEnum):
    """How a page shows a table: `heat` colours its counts by their size."""

    PLAIN = "plain"
    HEAT = "heat"


@dataclass(frozen=True, slots=True)
class Table:
    """Figures with their names in the reader's language. The first column names the row."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    look: Look = Look.PLAIN

    def heat(self, value: Value) -> int:
        """How warm a count is beside the largest of the table: 0 for none, then 1 to 5."""
        if not isinstance(value, int) or not value:
            return 0
        return -(-5 * value // max(cell for row in self.rows for cell in row if isinstance(cell, int)))


def with_units(t: Texts, table: Table) -> Table:
    """The table with its unit in the name of a column of minutes, else of a row: files hold bare figures."""
    if not table.rows:
        return table
    of_minutes = [
        any(isinstance(cell, Minutes) for cell in cells) and all(isinstance(cell, Minutes | None) for cell in cells)
        for cells in zip(*table.rows, strict=True)
    ]
    unit = f" ({t('reports.minutes')})"
    columns = tuple(name + unit * is_it for name, is_it in zip(table.columns, of_minutes, strict=True))
    if any(of_minutes):
        return replace(table, columns=columns)
    rows = (
        (f"{row[0]}{unit}", *row[1:]) if any(isinstance(cell, Minutes) for cell in row) else row for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def said(t: Texts, value: Value) -> str:
    """The cell as people read it."""
    match value:
        case None:
            return "–"
        case str():
            return value
        case Minutes(n):
            return t("unit.minutes", n=t.number(n))
        case Share(part, whole):
            return t.percent(part, whole)
        case Percent(figure):
            return t.percent(figure, 100)
        case _:
            return t.number(value)
