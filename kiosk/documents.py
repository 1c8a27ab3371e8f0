"""Documents as bytes and as plain values: TOML and JSON in, TOML and JSON out, all text in NFC.

It says what cannot be read; what a document may contain is declared elsewhere (`schema`).
"""

import dataclasses
import errno
import json
import os
import re
import stat
import tomllib
import typing
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

MAX_BYTES = 1 << 20
"""No document of a kiosk comes near it; a wrong file is refused before it is parsed."""
MOST_WORK = 4_000_000
"""Steps of tomllib over the parts of keys: half a second. A document of the kiosk takes some thousand."""
MOST_MARKS = 30
"""Longest run of combining marks in a text (UAX #15, stream-safe text): putting n of them into order takes n² steps."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file, in one line. `path` is dotted, as "printer.paper_mm" or "services.3.digit".

    `message` is for the log. Where people read it, `key` names the same sentence under [problem] in the language files,
    and `values` fill it; "" where there is none.
    """

    file: str
    path: str
    where: str
    message: str
    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        line = ": ".join(part for part in (self.file, self.where, self.message) if part)
        return printable(line)


def printable(text: str) -> str:
    """Text of a document from elsewhere, which must not move the cursor of a terminal, nor vanish on a screen."""
    return "".join(char if char.isprintable() and char != "\ufffc" else f"\\u{ord(char):04x}" for char in text)


def mistake(problem: Problem, t: Callable[..., str]) -> str:
    """What is wrong, in the reader's language where there is a sentence for it; `t` gives sentences by their key."""
    if not problem.key:
        return printable(problem.message)
    meant = problem.values.get("gan", "")
    values = {**problem.values, "gan": f" {t('problem.near', gan=meant)}" if meant else ""}
    if form := problem.values.get("dang"):
        values["cho_phep"] = t(f"form.{form}")
    return printable(t(f"problem.{problem.key}", **values))


class DocumentError(ValueError):
    """A document that cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def failed(file: str, message: str, key: str = "", **values: object) -> DocumentError:
    """A document that cannot even be read."""
    return DocumentError([Problem(file, "", "", message, key, values)])


def parse(data: bytes, file: str) -> dict[str, Any]:
    """TOML or JSON bytes (told apart by the first character) as plain values, all text in NFC."""
    if len(data) > MAX_BYTES:
        raise failed(
            file, f"is larger than {MAX_BYTES} bytes: this is no document of the kiosk", "too_big", n=MAX_BYTES
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise failed(file, "is not UTF-8: save it as UTF-8", "utf8") from error
    is_json = text.lstrip()[:1] == "{"
    if not is_json and _is_tangled(text):
        raise failed(file, "has keys of far too many parts: this is no document of the kiosk", "tangled")
    try:
        plain = json.loads(text, object_pairs_hook=_once) if is_json else tomllib.loads(text)
        return typing.cast(dict[str, Any], nfc(plain))
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, error) from error


def _is_tangled(text: str) -> bool:
    """Whether keys of very many parts (a.b.c…) would keep tomllib busy for minutes, and its memory for gigabytes.

    It works on each part of a key for all parts before it, and for each line below a heading on all of the heading's.
    """
    lines = text.split("\n")
    dots = [line.count(".") for line in lines]
    deepest = max((n for n, line in zip(dots, lines, strict=True) if line.lstrip().startswith("[")), default=0)
    return sum(n * n for n in dots) + deepest * len(lines) > MOST_WORK


def _unreadable(file: str, error: Exception) -> DocumentError:
    """A text that is neither TOML nor JSON; where tomllib or json name a place, so does the sentence."""
    place = re.fullmatch(r"(.*?):? \(?(?:at )?line (\d+),? column (\d+).*", str(error), re.DOTALL)
    if place is None:
        return failed(file, f"cannot be read: {error}", "syntax", loi=error)
    says, line, column = place.groups()
    message = f"cannot be read: line {line}, column {column}: {says}"
    return failed(file, message, "place", dong=line, cot=column, loi=says)


def parse_file(path: Path) -> dict[str, Any]:
    """The same for a file; one that is missing or unreadable is a DocumentError too."""
    try:
        return parse(_content(path), str(path))
    except OSError as error:
        key = {errno.ENOENT: "no_file", errno.EACCES: "no_access"}.get(error.errno or 0, "syntax")
        raise failed(str(path), f"cannot be read: {error.strerror}", key, loi=error.strerror) from error


def _content(path: Path) -> bytes:
    """What a file holds, as far as a document may go. O_NONBLOCK: a pipe would wait for somebody to write into it."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            raise failed(str(path), "cannot be read: it is no file")
        return file.read(MAX_BYTES + 1)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) < len(pairs):
        twice = {name for name, n in Counter(name for name, _ in pairs).items() if n > 1}
        raise ValueError(f"given twice: {', '.join(sorted(twice))}")
    return plain


def nfc(value: Any) -> Any:
    """Every text in a document in NFC: typed on a Mac or pasted from a PDF, "hộ tịch" must equal "hộ tịch"."""
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, list):
        return [nfc(item) for item in value]
    if isinstance(value, dict):
        return _once([(nfc(name), nfc(item)) for name, item in value.items()])
    return value


def composed(text: str) -> str:
    """A text in NFC. Raises ValueError for more marks on one letter than any language has."""
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > MOST_MARKS:
            raise ValueError(f"more than {MOST_MARKS} marks on one letter")
    return unicodedata.normalize("NFC", text)


def mask(value: Any) -> Any:
    """The same value without the password of a URL."""
    return re.sub(r"//[^/@\s]*@", "//***@", value) if isinstance(value, str) else value


def shown(value: Any) -> str:
    """A value as an error message may show it: short and masked."""
    text = str(mask(json.dumps(value, ensure_ascii=False, default=str)))
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def plain(value: Any) -> Any:
    """A declared object as plain JSON values; what is None is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if "doc" in f.metadata}
        return {name: plain(item) for name, item in named.items() if item is not None}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, time):
        return value.isoformat("minutes" if value == value.replace(second=0, microsecond=0) else "auto")
    return value.isoformat() if isinstance(value, date) else value


def exchanged(declared: Any) -> bytes:
    """A document as two machines exchange it: JSON in UTF-8, keys sorted, every value written out."""
    return json.dumps(plain(declared), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def toml(declared: Any, comment: Callable[[str], str]) -> str:
    """A declared object as TOML, each line with `comment(dotted key)` behind it; passwords in URLs are masked."""
    return "\n".join(_toml_lines(plain(declared), (), comment)) + "\n"


def _toml_lines(table: Mapping[str, Any], above: tuple[str, ...], comment: Callable[[str], str]) -> Iterator[str]:
    for name, value in table.items():
        if not isinstance(value, dict):
            yield f"{_toml_key(name)} = {toml_value(value)}  # {comment('.'.join((*above, name)))}"
    for name, value in table.items():
        if isinstance(value, dict):
            if not value or not all(isinstance(item, dict) for item in value.values()):
                yield f"\n[{'.'.join(map(_toml_key, (*above, name)))}]"
            yield from _toml_lines(value, (*above, name), comment)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def toml_value(value: Any) -> str:
    """A plain value as TOML, in one line; passwords in URLs are masked."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(name)} = {toml_value(item)}" for name, item in value.items()) + " }"
    return json.dumps(mask(value), ensure_ascii=False)
