"""Numbers, days and words that somebody wrote into an address or a form: what no database could keep is none."""

from collections.abc import Mapping
from datetime import date

MOST = 2**63 - 1
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
"""Within the calendar by more than a time zone and a period."""


def number(text: str, most: int = MOST) -> int | None:
    """A whole number from 0 to `most`; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    return found if (found := int(text)) <= most else None


def length(headers: Mapping[str, str]) -> int:
    """How many bytes a request says that it brings; one that says nonsense brings too many."""
    said = headers.get("Content-Length") or "0"
    return MOST if (found := number(said)) is None else found


def word(text: str) -> str:
    """A text to look something up by; "" for one with NUL, which PostgreSQL cannot even be asked for."""
    return "" if "\0" in text else text


def day(text: str) -> date | None:
    """A day as 2026-11-23; None for anything else, and for one that nobody can mean."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None
