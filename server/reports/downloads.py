"""A report as a file for office programs: CSV and XLSX with the figures of the page, and nothing that is run there."""

import csv
import io
import re
from datetime import datetime
from textwrap import shorten

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from kiosk.texts import LOCAL, Texts
from server.publication.of_reports import Stamp
from server.reports.report import Report
from server.reports.tables import Minutes, Percent, Share, Table, Value, said, with_units

STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes an office program take a text for a formula."""
AFTER_BREAK = re.compile(r"((?:;|(?<!^)[\r\n])\s*)(?=[=+@-])")
WIDEST = 48
CELL_LETTERS = 32_767
"""Excel's most letters in a cell."""


def safe(text: str) -> str:
    """A text that no office program takes for a formula: with an apostrophe in front where it would.

    Where Excel divides cells by semicolons, as in Vietnam, a text with one is two cells; and since it heeds quotation
    marks only where a cell begins, a text with a line break is two rows.
    """
    apart = AFTER_BREAK.sub(r"\1'", text)
    return f"'{apart}" if apart.startswith(STARTS_FORMULA) else apart


def as_csv(report: Report, t: Texts, made: datetime, stamp: Stamp | None = None) -> bytes:
    """UTF-8 with a mark that Excel needs; counts are plain digits, shares as said. `stamp`: of the frozen figures."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\r\n")
    for line in _head(report, t, made, stamp):
        out.writerow([safe(line)])
    for table in (with_units(t, each) for each in report.tables):
        out.writerow([])
        out.writerow([safe(table.title)])
        out.writerow([safe(name) for name in table.columns])
        out.writerows([_plain(t, value) for value in row] for row in table.rows)
        if table.note:
            out.writerow([safe(table.note)])
    return file.getvalue().encode("utf-8-sig")


def _plain(t: Texts, value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            return safe(value)
        case int():
            return str(value)
        case Minutes(n):
            return str(n)
        case _:
            return safe(said(t, value))


def _head(report: Report, t: Texts, made: datetime, stamp: Stamp | None) -> list[str]:
    local = made.astimezone(LOCAL)
    at = t("reports.made", gio=t.clock(local), ngay=t.date(local))
    frozen = [stamp.line(t)] if stamp else []
    return [report.title, report.of, *([report.until] if report.until else []), at, report.note, *frozen]


def as_xlsx(report: Report, t: Texts, made: datetime, stamp: Stamp | None = None) -> bytes:
    """A workbook with a sheet for each table; `stamp` in the head of each, and as a QR code below its table.

    Texts stay texts, figures are figures that can be counted on with.
    """
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": report.title, "subject": report.of, "comments": report.note})
        looks = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "head": book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "vcenter"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "count": book.add_format({"num_format": "#,##0"}),
            "note": book.add_format({"italic": True, "font_color": "#4a5a74"}),
        }
        picture = stamp.picture if stamp else b""
        for table in (with_units(t, each) for each in report.tables):
            sheet = book.add_worksheet(_sheet_name(table.title, book))
            below = _sheet(sheet, table, looks, _head(report, t, made, stamp))
            if stamp:
                look = {"image_data": io.BytesIO(picture), "description": t("frozen.symbol")}
                sheet.insert_image(below, 0, "frozen.png", look)
    return file.getvalue()


def _sheet(sheet: Worksheet, table: Table, looks: dict[str, Format], head: list[str]) -> int:
    """Fill a sheet; the row below all that is in it, with one left free."""
    sheet.write_string(0, 0, head[0][:CELL_LETTERS], looks["title"])
    for at, line in enumerate(head[1:], 1):
        sheet.write_string(at, 0, line[:CELL_LETTERS], looks["note"])
    first = len(head) + 1
    sheet.write_string(first, 0, table.title, looks["title"])
    for column, name in enumerate(table.columns):
        sheet.write_string(first + 1, column, name[:CELL_LETTERS], looks["head"])
        sheet.set_column(column, column, _width(table, column))
    for at, row in enumerate(table.rows):
        for column, value in enumerate(row):
            _write(sheet, first + 2 + at, column, value, looks)
    if table.note:
        sheet.write_string(first + 3 + len(table.rows), 0, table.note, looks["note"])
    sheet.freeze_panes(first + 2, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(first + 1)
    return first + 5 + len(table.rows)


def _write(sheet: Worksheet, row: int, column: int, value: Value, looks: dict[str, Format]) -> None:
    match value:
        case None:
            pass
        case str():
            sheet.write_string(row, column, value[:CELL_LETTERS])
        case Share(part, whole):
            if whole:
                sheet.write_number(row, column, part / whole, looks["share"])
        case Percent(figure):
            sheet.write_number(row, column, figure / 100, looks["share"])
        case Minutes(n):
            sheet.write_number(row, column, n, looks["count"])
        case _:
            sheet.write_number(row, column, value, looks["count"])


def _width(table: Table, column: int) -> int:
    """Wide enough for a row's name; figures need little, and their headings wrap."""
    if column:
        return 14
    longest = max((len(str(row[0])) for row in table.rows), default=0)
    return min(max(longest, 16) + 2, WIDEST)


def _sheet_name(title: str, book: xlsxwriter.Workbook) -> str:
    """Excel's rules: 31 letters, none of []:*?/\\, no two alike."""
    plain = "".join("–" if letter in "[]:*?/\\" else letter for letter in title)
    name = shorten(plain, 28, placeholder="…").strip("' ")
    taken = {sheet.get_name().casefold() for sheet in book.worksheets()}
    return name if name.casefold() not in taken else f"{name[:26]} {len(taken) + 1}"
