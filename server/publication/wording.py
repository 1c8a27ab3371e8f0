"""Frozen figures and their differences in words, for pages with and without a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.texts import Texts
from kiosk.tickets import time_of
from server.publication.content import Content, changes
from server.publication.explaining import satisfaction
from server.publication.freezing import Shown
from server.reports.figures import COUNTS, Visits


@dataclass(frozen=True, slots=True)
class Changed:
    """A number that differs: what it counts, what it was, what it is; "–" for none."""

    what: str
    was: str
    now: str


def history(t: Texts, shown: Sequence[Shown]) -> list[tuple[Shown, list[Changed]]]:
    """Revisions, the first one first, each with what it changed."""
    pairs = zip([None, *shown[:-1]], shown, strict=True)
    return [(each, differing(t, before.content, each.content) if before else []) for before, each in pairs]


def differing(t: Texts, before: Content, after: Content) -> list[Changed]:
    """What differs between two contents of the same place and period."""
    return [
        Changed(_what(t, path, after, before), _number(t, was), _number(t, now))
        for path, was, now in changes(before, after)
    ]


def _number(t: Texts, n: int | None) -> str:
    return "–" if n is None else t.number(n)


def _what(t: Texts, path: tuple[str, ...], *contents: Content) -> str:
    match path:
        case ("visits", *rest):
            return _count(t, rest)
        case ("services", id, *rest):
            field = "name" if t.base == "vi" else "name_en"
            return f"{_name('services', 'id', id, contents, field)}: {_count(t, rest)}"
        case ("ratings", label_set, "level", level):
            name = _name("ratings", "set", label_set, contents)
            return f"{name}: {_level(t, label_set, level, contents)}"
        case ("ratings", label_set, "reason", reason):
            return f"{_name('ratings', 'set', label_set, contents)}: {reason_words(t, reason)}"
        case ("ratings", label_set, field):
            return f"{_name('ratings', 'set', label_set, contents)}: {t(f'frozen.rating_{field}')}"
        case ("letters", kind):
            return t(f"letters.{kind}")
        case _:
            return " ".join(path)


def _count(t: Texts, rest: Sequence[str]) -> str:
    return t(f"frozen.{rest[0]}_{rest[1]}" if len(rest) > 1 else f"reports.{rest[0]}")


def _name(kind: str, key: str, id: str, contents: Sequence[Content], field: str = "name") -> str:
    return next((str(each.get(field) or each["name"]) for of in contents for each in of[kind] if each[key] == id), id)


def _level(t: Texts, label_set: str, level: str, contents: Sequence[Content]) -> str:
    levels = [each for of in contents for rating in of["ratings"] if rating["set"] == label_set
              for each in rating["levels"] if str(each["value"]) == level]  # fmt: skip
    return str(levels[0]["text" if t.base == "vi" else "text_en"]) if levels else level


def values_of(content: Content) -> dict[str, Any]:
    """What templates/publication/content.html shows of a content."""
    dossiers = content["dossiers"]
    return {
        "content": content,
        "unfinished": Visits(**{name: content["visits"][name] for name in COUNTS}).unfinished,
        "ratings": [satisfaction(each) for each in content["ratings"]],
        "reasons": {name: sorted(ticked.items(), key=_often) for name, ticked in content["reasons"].items()},
        "dossiers_as_of": time_of(dossiers["as_of"]) if dossiers else None,
    }


def reason_words(t: Texts, reason: str) -> str:
    """What was ticked; one that only a newer kiosk knows by its name."""
    return t(f"reason.{reason}") if f"reason.{reason}" in t else reason


def _often(ticked: tuple[str, int]) -> tuple[int, str]:
    """The most frequent reason first."""
    return -ticked[1], ticked[0]
