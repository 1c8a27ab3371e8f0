"""Tables as CSV that spreadsheets open safely and with their Vietnamese letters."""

import csv
import io
from collections.abc import Iterable, Sequence

from server.reports.downloads import safe


def csv_of(rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with the mark by which Excel knows it; texts that look like formulas get an apostrophe in front."""
    out = io.StringIO()
    csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")
