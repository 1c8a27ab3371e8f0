"""The office's dossier figures in the words of the statutory form (Biểu 06, TT 01/2020/TT-VPCP), and reading them.

A province's system keeps them and has no known interface, so a person brings them: as texts or as a CSV file of one
row. Knows no queue, no database, and not what time it is now. The `key` of its problems is one of the language files'
`figures.*`.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.clock import SITE_TIME
from kiosk.documents import DocumentError, Problem, composed, failed, shown
from kiosk.tickets import Data, text_of, time_of

COUNTS: Mapping[str, str] = {
    "early": "settled before their day (đã giải quyết trước hạn)",
    "on_time": "settled on their day (đã giải quyết đúng hạn)",
    "late": "settled after their day (đã giải quyết quá hạn)",
    "in_time": "open and not yet due (đang giải quyết trong hạn)",
    "overdue": "open and past their day (đang giải quyết quá hạn)",
}
MOST = 9_999_999
"""More dossiers than a province has in a year."""
YEARS = range(2000, 2100)
SLACK = timedelta(hours=1)
"""A clock that was put right since the figures were entered may stand a little behind them."""
MAX_BYTES = 1 << 16
"""One row of figures; anything longer is another file."""
MOST_COLUMNS, LONGEST_CELL = 100, 200
"""The form has a dozen columns, and names of them of some forty letters."""

_FIGURE = re.compile(r"[0-9]{1,3}(?:([., \u00a0\u202f])[0-9]{3}(?:\1[0-9]{3}){0,2})?|[0-9]{1,9}")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}\S*")
_DAY = r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})"
_TIME = r"(?P<hour>[0-9]{1,2})[:h](?P<minute>[0-9]{2})(?::[0-9]{2})?"
_WRITTEN = (re.compile(rf"{_DAY}\s+{_TIME}"), re.compile(rf"{_TIME}\s+(?:ngày\s+)?{_DAY}"))

_COLUMNS = {
    "early": ("early", "settled early", "truoc han", "giai quyet truoc han", "da giai quyet truoc han"),
    "on_time": ("on time", "settled on time", "dung han", "giai quyet dung han", "da giai quyet dung han"),
    "late": ("late", "settled late", "giai quyet qua han", "da giai quyet qua han"),
    "in_time": ("in time", "open in time", "trong han", "dang giai quyet trong han"),
    "overdue": ("overdue", "open overdue", "dang giai quyet qua han"),
    "as_of": ("as of", "so lieu den", "so lieu den ngay", "thoi diem", "thoi diem so lieu"),
}
_NAMES = {header: name for name, headers in _COLUMNS.items() for header in headers}
_BOTH = "qua han"
"""The form has two columns of this name: the settled ones first, then the open ones."""


@dataclass(frozen=True, slots=True)
class Dossiers:
    """How many dossiers were settled and how many were open at `as_of`; the counts are explained in COUNTS."""

    as_of: datetime
    early: int
    on_time: int
    late: int
    in_time: int
    overdue: int

    @property
    def settled(self) -> int:
        return self.early + self.on_time + self.late

    @property
    def in_good_time(self) -> int:
        """Of the settled ones, those that were not late."""
        return self.early + self.on_time

    @property
    def unsettled(self) -> int:
        return self.in_time + self.overdue

    def older_than(self, hours: float, now: datetime) -> bool:
        """Whether the figures were taken more than so many hours ago."""
        return now - self.as_of > timedelta(hours=hours)

    def ahead_of(self, now: datetime) -> bool:
        """Whether they are from a time that has not come: entered, or dated, by a clock that was wrong."""
        return self.as_of - now > SLACK


def plain(dossiers: Dossiers) -> Data:
    """The figures as the database and the event hold them: time as text in UTC."""
    return {"as_of": text_of(dossiers.as_of), **{name: getattr(dossiers, name) for name in COUNTS}}


def dossiers_of(data: Mapping[str, Any]) -> Dossiers:
    """The other way."""
    return Dossiers(time_of(data["as_of"]), **{name: data[name] for name in COUNTS})


def problem(dossiers: Dossiers, latest: datetime) -> str:
    """Why these figures cannot be, "" when they can; `latest` is the time that none of them can be from after."""
    for name, says in COUNTS.items():
        if not 0 <= getattr(dossiers, name) <= MOST:
            return f"{getattr(dossiers, name)} dossiers {says}: it must be a number from 0 to {MOST}"
    if dossiers.as_of > latest:
        asked, last = (at.astimezone(SITE_TIME) for at in (dossiers.as_of, latest))
        return (
            f"figures of {asked:%d/%m/%Y %H:%M} cannot be known at {last:%d/%m/%Y %H:%M}:"
            " say from when they are, or see what kiosk clock says"
        )
    return ""


# --- from texts ----------------------------------------------------------------------------------------------


def read(texts: Mapping[str, str], where: Callable[[str], str], file: str = "") -> Dossiers:
    """Figures from what a person wrote, by name (those of COUNTS, and as_of).

    `where` says where the text of a name stands. Raises DocumentError with all that is missing or wrong.
    """
    found: list[Problem] = []

    def value(name: str, parse: Callable[[str], Any], says: str) -> Any:
        text = unicodedata.normalize("NFC", texts.get(name, "")).strip()
        if not text:
            found.append(Problem(file, name, where(name), f"is missing: {says}", "missing"))
            return None
        try:
            return parse(text)
        except ValueError as error:
            key = "time" if name == "as_of" else "count"
            found.append(Problem(file, name, where(name), str(error), key, {"gia_tri": shown(text), "n": MOST}))
            return None

    counts = {name: value(name, _count, f"dossiers {says}") for name, says in COUNTS.items()}
    as_of = value("as_of", _time, "from when the figures are, as 2026-11-20T17:00")
    if found:
        raise DocumentError(found)
    return Dossiers(as_of, **counts)


def _count(text: str) -> int:
    """Dots, commas or spaces between thousands may stand in it."""
    number = int(re.sub(r"[^0-9]", "", text)) if _FIGURE.fullmatch(text) else -1
    if not 0 <= number <= MOST:
        raise ValueError(f"{shown(text)} must be a whole number from 0 to {MOST}, as 1234 or 1.234")
    return number


def _time(text: str) -> datetime:
    """ISO, or day and hour as Vietnamese writes them; the office's wall clock where no zone stands."""
    try:
        said = datetime.fromisoformat(text) if _ISO.fullmatch(text) else _written(text)
        if said.year not in YEARS:
            raise ValueError(f"the year {said.year}")
    except ValueError as error:
        says = "is no day with its hour: write it as 2026-11-20T17:00 or 17:00 20/11/2026"
        raise ValueError(f"{shown(text)} {says}") from error
    return said if said.tzinfo else said.replace(tzinfo=SITE_TIME)


def _written(text: str) -> datetime:
    match = next((found for form in _WRITTEN if (found := form.fullmatch(text))), None)
    if match is None:
        raise ValueError(text)
    parts = {name: int(part) for name, part in match.groupdict().items()}
    return datetime(**parts, tzinfo=SITE_TIME)


# --- from a file ---------------------------------------------------------------------------------------------


def read_file(path: Path, as_of: str = "") -> Dossiers:
    """Figures from a CSV file: names of columns, then one row. `as_of` where no column says from when they are.

    Raises DocumentError with everything that is wrong in it.
    """
    return read_csv(_bytes(path), str(path), as_of)


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise failed(str(path), "is no file: name the CSV file with the figures")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise failed(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise _too_large(str(path))
    return data


def _too_large(file: str) -> DocumentError:
    return failed(file, f"is larger than {MAX_BYTES} bytes: it should hold one row of figures", "large")


def read_csv(data: bytes, file: str, as_of: str = "") -> Dossiers:
    """The same from the file's bytes: UTF-8 with or without a mark, columns divided by semicolons or commas."""
    if len(data) > MAX_BYTES:
        raise _too_large(file)
    header, rows = _table(data, file)
    if len(rows) != 1:
        says = f"holds {len(rows)} rows of figures below the names of the columns: leave one"
        raise failed(file, says, "rows", n=len(rows))
    if any(cell.strip() for cell in rows[0][len(header) :]):
        says = "has more cells than names of columns: put figures with a comma in them into quotation marks"
        raise failed(file, says, "cells")
    found: list[Problem] = []
    columns = _columns(header, file, found)
    if as_of and "as_of" in columns:
        where = _where(header, columns, "as_of")
        found.append(Problem(file, "as_of", where, "stands in --as-of too: give it once", "as_of"))
    texts = {name: rows[0][at] if at < len(rows[0]) else "" for name, at in columns.items()}
    try:
        dossiers = read({"as_of": as_of, **texts}, lambda name: _where(header, columns, name), file)
    except DocumentError as error:
        found += [problem for problem in error.problems if problem.path not in {known.path for known in found}]
    if found:
        raise DocumentError(found)
    return dossiers


def _table(data: bytes, file: str) -> tuple[list[str], list[list[str]]]:
    """Names of the columns, and the rows that are not blank."""
    try:
        text = composed(data.decode("utf-8-sig")).lstrip()
        # Excel writes, and obeys, a first line that names the divider.
        said = re.match(r"sep=([;,])\s*", text)
        text = text[said.end() :] if said else text
        divider = said[1] if said else max(",;", key=text.count)
        table = csv.reader(io.StringIO(text, newline=""), delimiter=divider, strict=True)
        header, *rows = [row for row in table if any(cell.strip() for cell in row)] or [[]]
    except UnicodeDecodeError as error:
        raise failed(file, "is not UTF-8: save it as “CSV UTF-8”", "utf8") from error
    except csv.Error as error:
        raise failed(file, f"is no CSV file: {error}", "csv") from error
    except ValueError as error:
        raise failed(file, f"has {error}: it is no table of figures", "marks") from error
    if len(header) > MOST_COLUMNS:
        raise failed(
            file, f"has more than {MOST_COLUMNS} columns: leave those of the figures", "columns", n=MOST_COLUMNS
        )
    if any(len(cell) > LONGEST_CELL for row in (header, *rows) for cell in row):
        says = f"has a cell of more than {LONGEST_CELL} letters: leave the figures"
        raise failed(file, says, "long", n=LONGEST_CELL)
    return header, rows


def _columns(header: Sequence[str], file: str, found: list[Problem]) -> dict[str, int]:
    """Where each name stands; columns that are no figures of the form are passed over."""
    folded = [_fold(name) for name in header]
    names = [_NAMES.get(name, "") for name in folded]
    bare = [at for at, name in enumerate(folded) if name == _BOTH]
    left = [name for name in ("late", "overdue") if name not in names]
    if len(bare) == len(left):
        for at, name in zip(bare, left, strict=True):
            names[at] = name
    elif bare:
        both = "“Đã giải quyết quá hạn” or “Đang giải quyết quá hạn”"
        named = shown(header[bare[0]])
        says = f"is it {both}? Name it so"
        found.append(Problem(file, _BOTH, f"column {named}", says, "both", {"cot": named}))
    for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
        where = " and ".join(shown(header[at]) for at, other in enumerate(names) if other == name)
        says, named = f"are both {COUNTS.get(name, 'the time')}: leave one", where.replace(" and ", ", ")
        found.append(Problem(file, name, f"columns {where}", says, "twice", {"cot": named}))
    return {name: names.index(name) for name in names if name}


def _where(header: Sequence[str], columns: Mapping[str, int], name: str) -> str:
    if name in columns:
        return f"column {shown(header[columns[name]])}"
    return "column as_of or --as-of" if name == "as_of" else f"column {name}"


def _fold(name: str) -> str:
    """A column's name without marks, case and signs: “Số hồ sơ: Trước hạn” and “truoc_han” are the same."""
    plain = unicodedata.normalize("NFD", name.casefold()).replace("đ", "d")
    letters = "".join(char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return re.sub(r"^(?:so )?ho so ", "", " ".join(letters.split()))
