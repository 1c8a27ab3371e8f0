"""A new version of the office document: read and checked as a whole, its version raised, what it changes.

Pure: texts in, offices and sentences out. Who applies it, and where versions are kept, is elsewhere (`store.offices`).
"""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk import documents
from kiosk.config import Config
from kiosk.documents import DocumentError, Problem
from kiosk.office import SAMPLE_CODE, LabelSet, Office
from kiosk.schema import keys
from kiosk.wiring import check_against

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r'\s*("[^"]+"|[A-Za-z0-9_.-]+)\s*=')
_VERSION = re.compile(r"(?m)^(\s*version\s*=\s*)\d+")
_PHOTO = re.compile(r"([0-9a-f]{64})\.(?:jpg|png)")
_AT_LINE = re.compile(r"cannot be read: line (\d+)")
NAMED_BY = ("id", "day", "name", "value", "text")
"""Keys by which an item of a list is known again; the first that all have."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs: where (keys, and names of items), what it was and what it is to be ("" = not there)."""

    parts: tuple[str, ...]
    old: str
    new: str

    @property
    def place(self) -> str:
        return " ".join(self.parts)


def read(text: str, config: Config, file: str = "office.toml") -> Office:
    """The office of a TOML or JSON text, checked against the keys of this device too.

    Raises DocumentError with everything that is wrong.
    """
    office = Office.from_json(text.encode(), file)
    if wrong := check_against(config, office):
        raise DocumentError(wrong)
    return office


def raised(text: str, above: int) -> str:
    """The text with a `version` above the one in force; as it is where its author raised it already."""
    plain = documents.parse(text.encode(), "")
    version = plain.get("version")
    if type(version) is not int or version > above:
        return text
    if text.lstrip()[:1] == "{":
        return json.dumps({**plain, "version": above + 1}, ensure_ascii=False, indent=1)
    head = next((found.start() for found in re.finditer(r"(?m)^\s*\[", text)), len(text))
    return _VERSION.sub(rf"\g<1>{above + 1}", text[:head], count=1) + text[head:]


def moved(old: Office, new: Office) -> list[Problem]:
    """Why a new version is none of this office's: it is for another site, or for another unit.

    A unit may get another code, but then from a later day on (`valid_from`), for units merge. The sample office is
    nobody's.
    """
    if old.unit.code == SAMPLE_CODE:
        return []
    if old.site.id != new.site.id:
        says = f"is {new.site.id}, but this is the site {old.site.id}"
        return [Problem("", "site.id", "[site] id", says, "other_site", {"moi": new.site.id, "cu": old.site.id})]
    later = new.unit.valid_from and new.unit.valid_from > (old.unit.valid_from or date.min)
    if old.unit.code != new.unit.code and not later:
        values = {"moi": new.unit.code, "cu": old.unit.code}
        says = (
            f"is {new.unit.code}, but this is the unit {old.unit.code}:"
            " if the unit got another code, say in valid_from from which day on"
        )
        return [Problem("", "unit.code", "[unit] code", says, "other_unit", values)]
    return []


def remeant(known: Mapping[str, LabelSet], new: Office) -> list[Problem]:
    """Label sets that mean something else than the `known` ones of their ids: their old ratings would be read anew."""
    found = []
    for number, labels in enumerate(new.label_sets, 1):
        old = known.get(labels.id)
        if old is not None and _meaning(old) != _meaning(labels):
            says = (
                f"has other levels, or other ones that satisfy, than the ratings that were given under {labels.id}:"
                " give the changed set an id of its own"
            )
            path = f"label_sets.{number}.id"
            found.append(Problem("", path, f"[[label_sets]] {number} id", says, "remeant", {"ma": labels.id}))
    return found


def _meaning(labels: LabelSet) -> set[tuple[int, bool]]:
    return {(level.value, level.satisfied) for level in labels.levels}


def readable(text: str) -> str:
    """The text for people to read: JSON indented, with letters as letters; TOML as its author wrote it."""
    if text.lstrip()[:1] != "{":
        return text
    return json.dumps(documents.parse(text.encode(), ""), ensure_ascii=False, indent=2) + "\n"


def changes(old: Any, new: Any) -> list[Change]:
    """All values of two documents that differ, in the order of the new one; the version itself is not told."""
    return [change for change in _compared(documents.plain(old), documents.plain(new), ()) if change.place != "version"]


def _compared(old: Any, new: Any, place: tuple[str, ...]) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*new, *(name for name in old if name not in new)]:
            yield from _compared(old.get(name), new.get(name), (*place, name))
    elif (name := named_by(old, new)) is not None:
        before, after = ({str(item[name]): item for item in items} for items in (old, new))
        if list(before) != list(after) and sorted(before) == sorted(after):
            yield Change(place, ", ".join(before), ", ".join(after))
        yield from _compared(before, after, place)
    elif old != new:
        yield Change(place, _shown(old), _shown(new))


def named_by(*lists: Any) -> str | None:
    """The key by which items of these lists are known again, None when there is none (or they are no lists)."""
    items = [item for one in lists if isinstance(one, list) for item in one]
    if not items or not all(isinstance(one, list) for one in lists):
        return None
    named = (name for name in NAMED_BY if all(isinstance(item, dict) and name in item for item in items))
    return next(named, None)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def line_of(text: str, problem: Problem) -> int:
    """The line of a TOML text that a mistake is about, the nearest line above it where it has none; 0 = unknown."""
    if found := _AT_LINE.search(problem.message):
        return int(found[1])
    if not problem.path or text.lstrip()[:1] == "{":
        return 0
    lines = _lines(text)
    parts = problem.path.split(".")
    return next((lines[path] for n in range(len(parts), 0, -1) if (path := ".".join(parts[:n])) in lines), 0)


def _lines(text: str) -> dict[str, int]:
    """Dotted places, as problems name them, and their lines, from 1."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.fullmatch(line):
            table = found[2]
            if found[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = f"{table}.{counts[table]}"
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            name = found[1].strip('"')
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def pictures(office: Office) -> list[tuple[str, str]]:
    """The picture files that the document names, each behind its place."""
    named = [(f"clerks.{at}.photo", clerk.photo) for at, clerk in enumerate(office.clerks, 1)]
    return [(place, name) for place, name in [("unit.emblem", office.unit.emblem), *named] if name]


def photo_hash(name: str) -> str:
    """The hash in the name of a photo of the commune server; "" for a file that somebody put on the device."""
    found = _PHOTO.fullmatch(name)
    return found[1] if found else ""


def missing_photo(place: str, name: str) -> Problem:
    """A photo that the commune server should have."""
    says = f"the server does not have the photo {name}: upload it again"
    return Problem("", place, place, says, "no_photo", {"tep": name})


def with_value(text: str, table: str, key: str, value: str) -> str:
    """A TOML text with one more or another text value in a table (dotted, "clerks.2"); other texts as they are."""
    lines, known = text.splitlines(), _lines(text)
    line = f"{key} = {documents.toml_value(value)}"
    if at := known.get(f"{table}.{key}"):
        lines[at - 1] = line
    elif at := known.get(table):
        lines.insert(at, line)
    return "\n".join(lines) + "\n"


def written(office: Office) -> str:
    """The document as TOML that people can go on with: what is as usual is left out, tables come last."""
    values, tables = [], []
    for field, value in _given(office):
        if dataclasses.is_dataclass(value):
            tables += ["", f"[{field}]", *_lines_of(value)]
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            for item in value:
                tables += ["", f"[[{field}]]", *_lines_of(item)]
        else:
            values.append(f"{field} = {documents.toml_value(documents.plain(value))}")
    return "\n".join([f"format = {office.format}", *values, *tables]) + "\n"


def as_toml(text: str, office: Office) -> str:
    """The text of a document for people to edit: as it was written, or as TOML where it came as JSON."""
    return written(office) if text.lstrip()[:1] == "{" else text


def _lines_of(declared: Any) -> list[str]:
    return [f"{name} = {documents.toml_value(documents.plain(value))}" for name, value in _given(declared)]


def _given(declared: Any) -> Iterator[tuple[str, Any]]:
    """The keys whose values differ from the usual ones."""
    for field in keys(type(declared)):
        value = getattr(declared, field.name)
        made = field.default_factory
        usual = made() if callable(made) else field.default
        if value != usual:
            yield field.name, value
