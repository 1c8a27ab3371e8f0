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
import tomllib
import types
import typing
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Place = tuple[str | int, ...]
"""Where something stands in a document: keys, and positions in lists (from 1)."""

REQUIRED: Any = dataclasses.MISSING
MAX_BYTES = 1 << 20
MAX_TEXT = 300
KINDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "date",
    time: "time",
}
ZEROS: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, date: date.min, time: time.min}


@dataclass(frozen=True, slots=True)
class Check:
    """What a value has to be: `says` is the sentence for the docs and the error, `ok` decides."""

    says: str
    ok: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


def between(low: float, high: float, unit: str = "") -> Check:
    """Numbers from `low` to `high`, both included."""
    return Check(f"{low}–{high} {unit}".strip(), lambda value: low <= value <= high)


def one_of(*choices: str | int) -> Check:
    """One of a few words or numbers."""
    says = ", ".join(str(choice) for choice in choices)
    return Check(says, lambda value: value in choices, tuple(str(choice) for choice in choices))


def matches(pattern: str, says: str) -> Check:
    """Text of a given form, as a whole."""
    return Check(says, lambda value: re.fullmatch(pattern, value) is not None)


def key(doc: str, default: Any = REQUIRED, check: Check | None = None, names: Check | None = None) -> Any:
    """Declare a key of a document; without a default it must be given. `names` checks the free names of a table."""
    metadata = {"doc": doc, "check": check, "names": names}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def keys(declared: type) -> tuple[dataclasses.Field[Any], ...]:
    """The declared keys of a data class; fields without a sentence are no part of the document."""
    return tuple(f for f in dataclasses.fields(declared) if "doc" in f.metadata)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file, in one line. `path` is dotted, as "printer.paper_mm" or "services.3.digit"."""

    file: str
    path: str
    where: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.where, self.message) if part)


class DocumentError(ValueError):
    """A document that cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def failed(file: str, message: str) -> DocumentError:
    """A document that cannot even be read."""
    return DocumentError([Problem(file, "", "", message)])


def parse(data: bytes, file: str) -> dict[str, Any]:
    """TOML or JSON bytes (told apart by the first character) as plain values, all text in NFC."""
    if len(data) > MAX_BYTES:
        raise failed(file, f"is larger than {MAX_BYTES} bytes: this is no document of the kiosk")
    try:
        text = data.decode("utf-8-sig")
        plain = json.loads(text, object_pairs_hook=_once) if text.lstrip()[:1] == "{" else tomllib.loads(text)
        return typing.cast(dict[str, Any], nfc(plain))
    except UnicodeDecodeError as error:
        raise failed(file, "is not UTF-8: save it as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise failed(file, f"cannot be read: {error}") from error


def parse_file(path: Path) -> dict[str, Any]:
    """The same for a file; one that is missing or unreadable is a DocumentError too."""
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise failed(str(path), f"cannot be read: {error.strerror}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) < len(pairs):
        twice = {name for name, _ in pairs if [n for n, _ in pairs].count(name) > 1}
        raise ValueError(f"given twice: {', '.join(sorted(twice))}")
    return plain


def nfc(value: Any) -> Any:
    """Every text in a document in NFC: typed on a Mac or pasted from a PDF, "hộ tịch" must equal "hộ tịch"."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [nfc(item) for item in value]
    if isinstance(value, dict):
        return _once([(nfc(name), nfc(item)) for name, item in value.items()])
    return value


def nearest(word: str, words: Iterable[str]) -> str:
    """` Did you mean "…"?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(words), 1, 0.6)
    return f' Did you mean "{near[0]}"?' if near else ""


def mask(value: Any) -> Any:
    """The same value without the password of a URL."""
    return re.sub(r"//[^/@\s]*@", "//***@", value) if isinstance(value, str) else value


def shown(value: Any) -> str:
    """A value as an error message may show it: short and masked."""
    text = str(mask(json.dumps(value, ensure_ascii=False, default=str)))
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


class Reader:
    """Turns plain values into declared classes and collects what is wrong on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[tuple[Place, Problem]] = []
        self.ids: dict[Place, str] = {}

    def add(self, place: Place, message: str) -> None:
        """Report a mistake, unless the same place is wrong already: one cause, one line."""
        if self.sound(*place):
            dotted = ".".join(map(str, place))
            self.found.append((place, Problem(self.file, dotted, self._where(place), message)))

    def sound(self, *place: str | int) -> bool:
        """Whether nothing is wrong at this place or below it."""
        return all(known[: len(place)] != place for known, _ in self.found)

    def finish(self) -> None:
        """Raise DocumentError if anything was wrong."""
        if self.found:
            raise DocumentError(problem for _, problem in self.found)

    def _where(self, place: Place) -> str:
        parts: list[str] = []
        for depth, part in enumerate(place, 1):
            name = self.ids.get(place[:depth])
            if isinstance(part, int) and parts:
                parts[-1] += f" {part}" + (f' "{name}"' if name else "")
            else:
                parts.append(str(part))
        if not parts or isinstance(place[-1], int):
            return f"[{'.'.join(parts)}]" if parts else ""
        return f"[{'.'.join(parts[:-1])}] {parts[-1]}" if parts[:-1] else parts[-1]

    def table(self, declared: type[T], plain: Mapping[str, Any], place: Place = ()) -> T:
        """A declared class from a table; wrong or missing values are reported and replaced by something harmless."""
        hints, known = typing.get_type_hints(declared), {f.name: f for f in keys(declared)}
        for name in plain.keys() - known.keys():
            self.add((*place, name), "unknown option." + nearest(name, known.keys() - plain.keys()))
        values: dict[str, Any] = {}
        for name, f in known.items():
            if name in plain:
                values[name] = self._value(f, hints[name], plain[name], (*place, name))
            elif f.default is REQUIRED and f.default_factory is REQUIRED:
                self.add((*place, name), f"is missing: {f.metadata['doc']}")
                values[name] = _zero(hints[name])
        return declared(**values)

    def _value(self, f: dataclasses.Field[Any], hint: Any, plain: Any, place: Place) -> Any:
        before = len(self.found)
        value = self._convert(hint, plain, place, f.metadata["names"])
        check: Check | None = f.metadata["check"]
        if check and len(self.found) == before:
            for at, item in enumerate(value, 1) if isinstance(value, tuple) else [(0, value)]:
                if not check.ok(item):
                    where = (*place, at) if at else place
                    self.add(where, f"{shown(item)} cannot be: {check.says}.{nearest(str(item), check.choices)}")
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
            self.add(place, "must be a table")
            return Reader("").table(hint, {})
        if origin is tuple:
            return self._list(args[0], plain, place)
        if origin is Mapping:
            return self._named(args[1], plain, place, names)
        return self._scalar(hint, plain, place)

    def _list(self, hint: Any, plain: Any, place: Place) -> tuple[Any, ...]:
        if not isinstance(plain, list):
            self.add(place, "must be a list")
            return ()
        for at, item in enumerate(plain, 1):
            if isinstance(item, dict):
                self.ids[(*place, at)] = str(item.get("id", ""))
        return tuple(self._convert(hint, item, (*place, at)) for at, item in enumerate(plain, 1))

    def _named(self, hint: Any, plain: Any, place: Place, names: Check | None) -> dict[str, Any]:
        if not isinstance(plain, dict):
            self.add(place, "must be a table")
            return {}
        for name in plain:
            if names and not names.ok(name):
                self.add((*place, name), f"cannot be a name here: {names.says}.{nearest(name, names.choices)}")
        return {name: self._convert(hint, item, (*place, name)) for name, item in plain.items()}

    def _scalar(self, hint: Any, plain: Any, place: Place) -> Any:
        value = _cast(hint, plain)
        if value is None:
            self.add(place, f"{shown(plain)} must be a {KINDS[hint]}".replace("be a true", "be true"))
            return ZEROS[hint]
        if isinstance(value, str) and (len(value) > MAX_TEXT or not value.isprintable()):
            self.add(place, f"must be one line of at most {MAX_TEXT} characters without control characters")
        return value


def _cast(hint: Any, plain: Any) -> Any:
    """The value in its declared type, or None. JSON has no dates, so ISO text is taken for them."""
    if hint in (date, time) and isinstance(plain, str):
        try:
            plain = hint.fromisoformat(plain)
        except ValueError:
            return None
    if hint is float and type(plain) is int:
        plain = float(plain)
    if hint is float and (not isinstance(plain, float) or not math.isfinite(plain)):
        return None
    # bool is an int and datetime a date to Python, but neither is meant where the other is asked for.
    return plain if type(plain) is hint else None


def _zero(hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)[0]
    if hint in ZEROS:
        return ZEROS[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return Reader("").table(hint, {})
    return () if typing.get_origin(hint) is tuple else None


def plain(value: Any) -> Any:
    """A declared object as plain JSON values; what is None is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {f.name: getattr(value, f.name) for f in keys(type(value))}
        return {name: plain(item) for name, item in named.items() if item is not None}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, time):
        return value.isoformat("minutes" if value == value.replace(second=0, microsecond=0) else "auto")
    return value.isoformat() if isinstance(value, date) else value


def toml(declared: Any, comment: Callable[[str], str]) -> str:
    """A declared object as TOML, each line with `comment(dotted key)` behind it; passwords in URLs are masked."""
    return "\n".join(_toml_lines(plain(declared), "", comment)) + "\n"


def _toml_lines(table: Mapping[str, Any], above: str, comment: Callable[[str], str]) -> Iterator[str]:
    for name, value in table.items():
        if not isinstance(value, dict):
            yield f"{_toml_key(name)} = {_toml_value(value)}  # {comment(above + name)}"
    for name, value in table.items():
        if isinstance(value, dict) and value:
            if not all(isinstance(item, dict) for item in value.values()):
                header = ".".join(_toml_key(part) for part in (above + name).split("."))
                yield f"\n[{header}]"
            yield from _toml_lines(value, f"{above}{name}.", comment)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(name)} = {_toml_value(item)}" for name, item in value.items()) + " }"
    return json.dumps(mask(value), ensure_ascii=False)
