# ruff: noqa: RUF009 - `key` is our `dataclasses.field`
"""The board document that a server sends: dossier figures, lines of the ticker, days that differ.

Its form for other programs is docs/board.schema.json. It knows no database and not what time it is.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Self

from kiosk import documents
from kiosk.dossiers import COUNTS, MOST, Dossiers, dossiers_of
from kiosk.schema import Check, Reader, between, key, matches, one_of
from kiosk.tickets import REASON_LETTERS, text_of, time_of

FORMAT = 1
TICKER_LETTERS = 120
"""As much as stands on one line of the board."""
TICKER_LINES = 8
"""Each line stands for ten seconds: nobody waits for the ninth."""
MOST_DAYS = 60

COUNT = between(0, MOST)


def _is_instant(text: str) -> bool:
    try:
        return text_of(time_of(text)) == text
    except ValueError:
        return False


INSTANT = Check("a time in UTC, as 2026-11-20T10:00:00.000Z", _is_instant)
LINE = matches(
    rf"\S(?:.{{0,{TICKER_LETTERS - 2}}}\S)?",
    f"one line of at most {TICKER_LETTERS} letters, without spaces around it",
    "ticker_line",
)
REASON = Check(
    f"one line of at most {REASON_LETTERS} letters, without |",
    lambda text: len(text) <= REASON_LETTERS and "|" not in text,
    form="day_reason",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The dossier figures: see `kiosk.dossiers`, which explains the counts."""

    as_of: str = key("from when the figures are, in UTC", check=INSTANT)
    early: int = key("settled before their day", check=COUNT)
    on_time: int = key("settled on their day", check=COUNT)
    late: int = key("settled after their day", check=COUNT)
    in_time: int = key("open and not yet due", check=COUNT)
    overdue: int = key("open and past their day", check=COUNT)

    @classmethod
    def of(cls, figures: Dossiers) -> Self:
        return cls(text_of(figures.as_of), *(getattr(figures, name) for name in COUNTS))

    def as_dossiers(self) -> Dossiers:
        """The figures as the board shows them."""
        return dossiers_of(documents.plain(self))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ticker."""

    text: str = key("what it says", check=LINE)
    until: date | None = key("its last day; without one it stays", None)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which the office is open or closed whatever its calendar says."""

    day: date = key("the day")
    kind: Literal["off", "work", "half"] = key("off, work, or half", check=one_of("off", "work", "half"))
    reason: str = key("why, as citizens read it; needed for off", "", REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardDocument:
    """The document. `read` saw to it that no day stands twice and that closed days say why."""

    format: int = key("format of this document", FORMAT, Check("1 (a newer one needs a newer kiosk)", FORMAT.__eq__))
    version: int = key("raised with every change", check=between(1, 10**9))
    dossiers: Figures | None = key("dossier figures; none leaves the board without them", None)
    lines: tuple[Line, ...] = key(f"lines of the ticker, at most {TICKER_LINES}", ())
    days: tuple[Day, ...] = key(f"days that differ, at most {MOST_DAYS}", ())

    @property
    def sha256(self) -> str:
        """Fingerprint of the content."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """The document as kiosk and server exchange it."""
        return documents.exchanged(self)

    @classmethod
    def from_json(cls, data: bytes, file: str = "board.json") -> Self:
        """The other way. Raises DocumentError with everything that is wrong."""
        return cls.read(documents.parse(data, file), file)

    @classmethod
    def read(cls, plain: Mapping[str, Any], file: str = "board.json") -> Self:
        """A document from plain values. Raises DocumentError with everything that is wrong."""
        reader = Reader(file)
        document = reader.table(cls, plain)
        _check(document, reader)
        reader.finish()
        return document


def _check(document: BoardDocument, reader: Reader) -> None:
    for place, items, most in (("lines", document.lines, TICKER_LINES), ("days", document.days, MOST_DAYS)):
        if len(items) > most:
            reader.add(
                (place,),
                f"there are {len(items)}: from 0 to {most} can be used",
                "count",
                co=len(items),
                tu=0,
                den=most,
            )
    days = [day.day for day in document.days]
    for at, day in enumerate(document.days, 1):
        first = days.index(day.day) + 1
        if first < at and reader.sound("days", first, "day"):
            says = f'is the same as that of "{day.day}" ({first})'
            reader.add(("days", at, "day"), says, "twin", ten=day.day, thu=first)
        if day.kind == "off" and not day.reason.strip():
            reader.add(("days", at, "reason"), "say why the office is closed: citizens read it", "off_reason")
