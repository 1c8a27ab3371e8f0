"""Charts of a report's tables as SVG without any script. The table beside it says the same in figures."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from kiosk.texts import Texts
from server.reports.report import Report
from server.reports.tables import Minutes, Percent, Share, Table, Value, said, with_units

# pygal puts a finder of its own into Python's imports, for plug-ins that nobody has here and in a way that is outdated.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

COLOURS = ("#0e4c87", "#c87f00", "#0a5438", "#c8102e", "#6b3fa0")
LOOK = {
    "background": "#ffffff", "plot_background": "#ffffff", "foreground": "#4a5a74", "foreground_strong": "#0d213e",
    "foreground_subtle": "#d6deea", "opacity": "1", "opacity_hover": "1", "transition": "0s", "stroke_width": "3",
    "guide_stroke_color": "#d6deea", "major_guide_stroke_color": "#d6deea", "guide_stroke_dasharray": "1,0",
    "major_guide_stroke_dasharray": "1,0", "value_colors": ("#ffffff",),
    "font_family": "'Be Vietnam Pro', 'Segoe UI', Roboto, Arial, sans-serif", "label_font_size": 15,
    "major_label_font_size": 15, "legend_font_size": 16, "value_font_size": 13, "no_data_font_size": 20,
}  # fmt: skip
WIDTH = 1000
ROWS_AT_MOST = 24
"""More bars than that are no picture any more: the table has them all."""


Rows = Sequence[tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Which columns of which table are drawn, and how. `key` is in its address."""

    key: str
    table: str
    kind: str
    columns: tuple[int, ...]


CHARTS = (
    Chart("visits", "time", "bar", (1, 2, 3)),
    Chart("waits", "time", "line", (4, 5)),
    Chart("by", "by", "flat", (1, 3)),
    Chart("by_wait", "by", "flat", (9, 10)),
    Chart("ratings", "ratings_time", "interval", (2, 4, 5)),
)


def charts_of(report: Report) -> list[Chart]:
    """The charts that this report has."""
    return [chart for chart in CHARTS if report.table(chart.table)]


def alt(report: Report, chart: Chart) -> str:
    """What a chart shows, for those who do not see it: its title and its series; the figures are in the table."""
    table = report.table(chart.table)
    assert table is not None
    return f"{table.title}: {', '.join(table.columns[column] for column in chart.columns)}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A series: its name, a height for each label below, and how it is drawn."""

    name: str
    heights: tuple[float | None, ...]
    colour: str
    is_end: bool = False


def draw(report: Report, chart: Chart, t: Texts) -> bytes:
    """The chart as an SVG file. Raises LookupError when the report has none."""
    found = report.table(chart.table)
    if found is None:
        raise LookupError(chart.key)
    table = with_units(t, found)
    # Bars that lie are drawn from below.
    rows = table.rows[:ROWS_AT_MOST][::-1] if chart.kind == "flat" else table.rows
    lines = _by_label_set(table, chart) if chart.kind == "interval" else _columns(table, chart, rows)
    made = _empty(chart, t, lines, len(rows))
    for line in lines:
        dashed = {"stroke_style": {"dasharray": "6, 6"}, "show_dots": False} if line.is_end else {}
        made.add(line.name, line.heights, **dashed)
    if chart.kind != "interval" and (most := _few(lines)):
        made.y_labels = range(most + 1)
    made.x_labels = _parts(rows) if chart.kind == "interval" else [said(t, row[0]) for row in rows]
    svg: bytes = made.render()
    return svg


def _empty(chart: Chart, t: Texts, lines: Sequence[_Line], rows: int) -> Any:
    flat = chart.kind == "flat"
    kinds = {"bar": pygal.Bar, "line": pygal.Line, "flat": pygal.HorizontalBar, "interval": pygal.Line}
    made = kinds[chart.kind](
        style=Style(**LOOK, colors=tuple(line.colour for line in lines)), js=(), width=WIDTH,
        height=_height(chart, rows), margin=12, legend_at_bottom=True, legend_at_bottom_columns=len(lines),
        truncate_label=34 if flat else -1, truncate_legend=-1, dots_size=4, print_values=flat, no_data_text="–",
        x_label_rotation=45 if rows > 14 and not flat else 0, range=(0, 100) if chart.kind == "interval" else None,
        value_formatter=lambda value: "" if value is None else t.number(round(value, 1)), include_x_axis=True,
    )  # fmt: skip
    made.add_xml_filter(without_scripts)
    return made


def _few(lines: Sequence[_Line]) -> int:
    """The most of counts so low that an axis would be divided into tenths of a person; 0 for anything else."""
    heights = [height for line in lines for height in line.heights if height is not None]
    whole = all(height == int(height) for height in heights)
    most = int(max(heights, default=0))
    return most if whole and most < 8 else 0


def _height(chart: Chart, rows: int) -> int:
    return 90 + 58 * min(rows, ROWS_AT_MOST) if chart.kind == "flat" else 420


def size(report: Report, chart: Chart) -> tuple[int, int]:
    """Width and height of a chart, so that a page does not jump when it comes."""
    table = report.table(chart.table)
    return WIDTH, _height(chart, len(table.rows) if table else 0)


def _columns(table: Table, chart: Chart, rows: Rows) -> list[_Line]:
    """A series for each column."""
    return [
        _Line(table.columns[column], tuple(number(row[column]) for row in rows), COLOURS[at])
        for at, column in enumerate(chart.columns)
    ]


def _by_label_set(table: Table, chart: Chart) -> list[_Line]:
    """A line for each label set, with its interval: two sets are never one line."""
    parts, sets = _parts(table.rows), list(dict.fromkeys(str(row[1]) for row in table.rows))
    lines = []
    for at, label_set in enumerate(sets):
        points = {str(row[0]): row for row in table.rows if row[1] == label_set}
        for column in chart.columns:
            heights = tuple(number(points[part][column]) if part in points else None for part in parts)
            name = table.columns[column] if len(sets) == 1 else f"{label_set}: {table.columns[column]}"
            lines.append(_Line(name, heights, COLOURS[at % len(COLOURS)], column != chart.columns[0]))
    return lines


def _parts(rows: Rows) -> list[str]:
    return list(dict.fromkeys(str(row[0]) for row in rows))


def number(value: Value) -> float | None:
    """The height of a cell."""
    match value:
        case Minutes(n):
            return n
        case Share(part, whole):
            return 100 * part / whole if whole else None
        case Percent(figure):
            return figure
        case int():
            return value
        case _:
            return None


def without_scripts(root: Element) -> Element:
    """pygal writes its settings as a script into each picture, whatever it is told; pictures here have none."""
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).rpartition("}")[2] == "script":
                parent.remove(child)
    return root


BY_KEY: Mapping[str, Chart] = {chart.key: chart for chart in CHARTS}
