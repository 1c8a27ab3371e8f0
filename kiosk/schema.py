"""Checks documents (kiosk.toml, the office document) against declared data classes, and names every mistake at once.

A document is declared once: a frozen data class whose fields carry default, check and one sentence (`key`). From the
same declaration come the reader, the tables in docs/ and the printed configuration. It knows no kiosk and opens no
hardware.
"""

import dataclasses
import difflib
import json
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, TypeVar

from kiosk.documents import DocumentError, Problem, shown

T = TypeVar("T")
Place = tuple[str | int, ...]
"""Where something stands in a document: keys, and positions in lists (from 1)."""

REQUIRED: Any = dataclasses.MISSING
MAX_TEXT = 300
KINDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date, as 2026-11-24",
    time: "a time of day, as 07:30:00",
}
ZEROS: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, date: date.min, time: time.min}


@dataclass(frozen=True, slots=True)
class Check:
    """What a value has to be: `says` is the sentence for the docs and the error, `ok` decides.

    `form` names the same sentence under [form] in the language files; "" where it is no sentence.
    """

    says: str
    ok: Callable[[Any], bool]
    choices: tuple[str, ...] = ()
    form: str = ""


def between(low: float, high: float, unit: str = "") -> Check:
    """Numbers from `low` to `high`, both included."""
    return Check(f"{low}–{high} {unit}".strip(), lambda value: low <= value <= high)


def one_of(*choices: str | int) -> Check:
    """One of a few words or numbers."""
    says = ", ".join(str(choice) for choice in choices)
    return Check(says, lambda value: value in choices, tuple(str(choice) for choice in choices))


def matches(pattern: str, says: str, form: str = "") -> Check:
    """Text of a given form, as a whole."""
    return Check(says, lambda value: re.fullmatch(pattern, value) is not None, form=form)


def key(doc: str, default: Any = REQUIRED, check: Check | None = None, names: Check | None = None) -> Any:
    """Declare a key of a document; without a default it must be given. `names` checks the free names of a table."""
    metadata = {"doc": doc, "check": check, "names": names}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def keys(declared: type) -> tuple[dataclasses.Field[Any], ...]:
    """The declared keys of a data class; fields without a sentence are no part of the document."""
    return tuple(f for f in dataclasses.fields(declared) if "doc" in f.metadata)


def near(word: str, words: Iterable[str]) -> str:
    """The known word that is most like this one, "" when none is."""
    return "".join(difflib.get_close_matches(word, list(words), 1, 0.6))


def nearest(word: str, words: Iterable[str]) -> str:
    """` Did you mean "…"?`, or nothing when no known word is near."""
    return did_you_mean(near(word, words))


def did_you_mean(word: str) -> str:
    """The end of a message, with the space before it."""
    return f' Did you mean "{word}"?' if word else ""


class Reader:
    """Turns plain values into declared classes and collects what is wrong on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[tuple[Place, Problem]] = []
        self.ids: dict[Place, str] = {}

    def add(self, place: Place, message: str, key: str = "", **values: object) -> None:
        """Report a mistake, unless the same place is wrong already: one cause, one line.

        `key` and `values` as in a Problem; the value `gan`, a word that may be meant, is added to the message.
        """
        if self.sound(*place):
            dotted, message = ".".join(map(str, place)), message + did_you_mean(str(values.get("gan", "")))
            self.found.append((place, Problem(self.file, dotted, self._where(place), message, key, values)))

    def refuse(self, place: Place, value: object, only: str, meant: str = "", form: str = "") -> None:
        """Report a value that is not among those that may be here; `form` as in a Check."""
        if value == "":
            self.add(place, f"is empty, must be: {only}.", "empty", cho_phep=only, dang=form, gan=meant)
            return
        says = f"{shown(value)} is not allowed, only {only}."
        self.add(place, says, "not_allowed", gia_tri=shown(value), cho_phep=only, dang=form, gan=meant)

    def sound(self, *place: str | int) -> bool:
        """Whether nothing is wrong at this place or below it."""
        return all(known[: len(place)] != place for known, _ in self.found)

    def places(self) -> set[Place]:
        """Where something is wrong."""
        return {place for place, _ in self.found}

    def finish(self) -> None:
        """Raise DocumentError if anything was wrong."""
        if self.found:
            raise DocumentError(problem for _, problem in self.found)

    def _where(self, place: Place) -> str:
        parts: list[str] = []
        for depth, part in enumerate(place, 1):
            if isinstance(part, int):
                name = self.ids.get(place[:depth])
                parts[-1] += f" {part}" + (f" {shown(name)}" if name else "")
            else:
                parts.append(part if len(part) < 60 else shown(part))
        if isinstance(place[-1], int):
            return f"[{'.'.join(parts)}]"
        return f"[{'.'.join(parts[:-1])}] {parts[-1]}" if parts[:-1] else parts[-1]

    def table(self, declared: type[T], plain: Mapping[str, Any], place: Place = ()) -> T:
        """A declared class from a table; wrong or missing values are reported and replaced by something harmless."""
        hints, known = typing.get_type_hints(declared), {f.name: f for f in keys(declared)}
        for name in [name for name in plain if name not in known]:
            self.add((*place, name), "unknown option.", "unknown", gan=near(name, known.keys() - plain.keys()))
        values: dict[str, Any] = {}
        for name, f in known.items():
            if name in plain:
                values[name] = self._value(f, hints[name], plain[name], (*place, name))
            elif f.default is REQUIRED and f.default_factory is REQUIRED:
                self.add((*place, name), f"is missing: {f.metadata['doc']}", "missing", y_nghia=f.metadata["doc"])
                values[name] = _zero(hints[name])
        return declared(**values)

    def _value(self, f: dataclasses.Field[Any], hint: Any, plain: Any, place: Place) -> Any:
        before = len(self.found)
        value = self._convert(hint, plain, place, f.metadata["names"])
        check: Check | None = f.metadata["check"]
        if check and len(self.found) == before:
            for at, item in _each(value, place):
                if not check.ok(item):
                    self.refuse(at, item, check.says, near(str(item), check.choices), check.form)
        return value

    def _convert(self, hint: Any, plain: Any, place: Place, names: Check | None = None) -> Any:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is types.UnionType:
            return self._convert(args[0], plain, place)
        if origin is typing.Literal:
            return self._scalar(str, plain, place)
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            if isinstance(plain, dict):
                return self.table(hint, plain, place)
            self.add(place, "must be a table", "table")
            return Reader("").table(hint, {})
        if origin is tuple:
            return self._list(args[0], plain, place)
        if origin is Mapping:
            return self._named(args[1], plain, place, names)
        return self._scalar(hint, plain, place)

    def _list(self, hint: Any, plain: Any, place: Place) -> tuple[Any, ...]:
        if not isinstance(plain, list):
            self.add(place, "must be a list", "list")
            return ()
        for at, item in enumerate(plain, 1):
            if isinstance(item, dict):
                self.ids[(*place, at)] = str(item.get("id", ""))
        return tuple(self._convert(hint, item, (*place, at)) for at, item in enumerate(plain, 1))

    def _named(self, hint: Any, plain: Any, place: Place, names: Check | None) -> dict[str, Any]:
        if not isinstance(plain, dict):
            self.add(place, "must be a table", "table")
            return {}
        for name in plain:
            if names and not names.ok(name):
                says, meant = f"is not allowed as a name here, only {names.says}.", near(name, names.choices)
                self.add((*place, name), says, "name", cho_phep=names.says, dang=names.form, gan=meant)
        return {name: self._convert(hint, item, (*place, name)) for name, item in plain.items()}

    def _scalar(self, hint: Any, plain: Any, place: Place) -> Any:
        value = _cast(hint, plain)
        if value is None:
            self.add(place, f"{shown(plain)} must be {KINDS[hint]}", f"type_{hint.__name__}", gia_tri=shown(plain))
            return ZEROS[hint]
        if isinstance(value, str) and (len(value) > MAX_TEXT or not value.isprintable()):
            says = f"must be one line of at most {MAX_TEXT} characters without control characters"
            self.add(place, says, "one_line", n=MAX_TEXT)
        return value


def _each(value: Any, place: Place) -> list[tuple[Place, Any]]:
    """The values that a check looks at: those in a list or a table, else the value itself."""
    if isinstance(value, tuple):
        return [((*place, at), item) for at, item in enumerate(value, 1)]
    if isinstance(value, dict):
        return [((*place, name), item) for name, item in value.items()]
    return [(place, value)]


def _cast(hint: Any, plain: Any) -> Any:
    """The value in its declared type, or None. JSON has no dates, so ISO text is taken for them."""
    try:
        if hint in (date, time) and isinstance(plain, str):
            plain = hint.fromisoformat(plain)
        elif hint is float and type(plain) is int:
            plain = float(plain)
    except (ValueError, OverflowError):
        return None
    # bool is an int and datetime a date to Python, but neither is meant where the other is asked for.
    if type(plain) is not hint or (hint is float and not math.isfinite(plain)):
        return None
    return None if hint is time and plain.tzinfo else plain


def _zero(hint: Any) -> Any:
    """Something harmless of a type, where the document has nothing usable."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return Reader("").table(hint, {})
    choices = typing.get_args(hint)
    return choices[0] if typing.get_origin(hint) is typing.Literal else ZEROS.get(hint, ())


def markdown(declared: type) -> str:
    """The table of the docs: one line per key, with what it may be, its default and its sentence."""
    hints = typing.get_type_hints(declared)
    lines = ["| Key | Value | Default | Meaning |", "| --- | --- | --- | --- |"]
    for f in keys(declared):
        value = _described(hints[f.name], f.metadata["check"]).replace("|", "\\|")
        lines.append(f"| `{f.name}` | {value} | {_default(f)} | {f.metadata['doc']} |")
    return "\n".join(lines)


def _described(hint: Any, check: Check | None) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return _described(args[0], check)
    if origin is tuple:
        return "list of " + _described(args[0], check).replace("table", "tables")
    if origin is Mapping:
        return "table of " + _described(args[1], check).replace("table", "tables")
    return check.says if check else KINDS.get(hint, "table")


def _default(f: dataclasses.Field[Any]) -> str:
    if f.default is REQUIRED:
        return "**required**" if f.default_factory is REQUIRED else "none"
    if f.default is None or f.default == ():
        return "none"
    if dataclasses.is_dataclass(f.default[0] if isinstance(f.default, tuple) else f.default):
        return "see below"
    return f"`{json.dumps(f.default, ensure_ascii=False)}`"
