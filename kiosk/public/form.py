"""What a phone posts, made clean. It refuses to know whom it is about, and never raises: a problem has a name."""

import re
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

MOST_BYTES = 64 * 1024
"""Of what a phone posts: a comment of ten times the allowed length still comes back to be shortened."""
MOST_FIELDS = 40
REASONS = ("wait", "slow", "attitude", "guide", "trips", "extra", "trouble", "place", "other")
"""Names of the reasons that can be ticked, in the order of the list: `reason.*` of the language files."""
COMMENT_LETTERS = 500
MARKS = 2
"""So many combining marks may follow each other in composed text: more are a tower over other people's lines."""
MOST_MARKS = 30
"""Longest run of combining marks that is looked at at all (UAX #15, stream-safe text): putting n of them into order
takes n² steps, and a phone may send 30,000.
"""
MASK = "•••"
LEAST_DIGITS = 9
"""Telephone numbers have 9 to 11 digits, identity cards 9 or 12."""

_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]"
_TOWER = re.compile(f"({_MARK}{{{MARKS}}}){_MARK}+")
_DIGITS = re.compile(rf"\+?\d{{{LEAST_DIGITS},}}")
_GROUPS = re.compile(r"(?<![\w.-])\+?\d{1,5}(?:[ .-]\d{1,5})+(?!\w|[/:]\d)")
_MONEY = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says: a level or None, reasons by name, a comment or "". `problem` is choose, long or "".

    `letters` is the comment's length, for who has to shorten it.
    """

    level: int | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    letters: int = 0
    problem: str = ""


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a posted form; none of a body that is no form or too long."""
    if len(body) > MOST_BYTES:
        return []
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return []


def read(fields: Iterable[tuple[str, str]], levels: Container[int]) -> Given:
    """The form's fields by name; `levels` are those that were asked. Anything else that is posted is passed over."""
    posted = list(fields)
    values = dict(reversed(posted))
    level = values.get("level", "")
    number = int(level) if re.fullmatch("[1-9]", level) and int(level) in levels else None
    ticked = {value for name, value in posted if name == "reason"}
    comment = clean(values.get("comment", ""))
    reasons = tuple(name for name in REASONS if name in ticked) if number is not None else ()
    problem = "long" if len(comment) > COMMENT_LETTERS else "choose" if number is None and not comment else ""
    return Given(number, reasons, comment if problem else masked(comment), len(comment), problem)


def clean(text: str) -> str:
    """One spelling (NFC), lines ended by a line feed, and nothing that is not seen or turns the text around."""
    composed = unicodedata.normalize("NFC", _without_long_runs(text))
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", composed).replace("\t", " ")
    seen = "".join(char for char in text if char == "\n" or unicodedata.category(char)[0] != "C")
    lines = "\n".join(line.strip() for line in _TOWER.sub(r"\1", seen).split("\n"))
    return re.sub("\n{3,}", "\n\n", lines).strip()


def _without_long_runs(text: str) -> str:
    """The text with no more than `MOST_MARKS` combining marks in a row."""
    kept, run = [], 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def masked(text: str) -> str:
    """The text with telephone and identity numbers hidden: 9 digits or more, also in groups ("0912 345 678").

    Sums of money ("1.500.000.000") stay, and so do dossier codes, which have letters in front.
    """
    return _GROUPS.sub(_hidden, _DIGITS.sub(MASK, text))


def _hidden(found: re.Match[str]) -> str:
    digits = sum(char.isdigit() for char in found[0])
    return found[0] if digits < LEAST_DIGITS or _MONEY.fullmatch(found[0]) else MASK
