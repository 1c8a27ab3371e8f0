"""Further languages: one file of sentences each, in a folder of the device. Knows no office and no screen.

A file that cannot be read is left out, and so is a single sentence that cannot be used (it is then shown in the
office's own language); each is named with what is wrong.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import category

from kiosk import documents
from kiosk.documents import DocumentError, Problem
from kiosk.schema import MAX_TEXT, nearest
from kiosk.texts import languages, sentences, values

NAME = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
OWN_NAME = "language.name"
"""What the language calls itself: the key to it shows that."""
MOST_NAME = 30
NO_TEXT = ("Cc", "Zl", "Zp", "Cs")
"""Unicode categories of what is no letter of a line: control characters, line ends, halves of letters."""


@dataclass(frozen=True, slots=True)
class Further:
    """Sentences by language and dotted key, and what is wrong with the files, line by line."""

    sentences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read(folder: Path) -> Further:
    """All language files (km.toml) of a folder; none where there is no such folder."""
    found: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            plain = _parsed(path)
        except DocumentError as error:
            problems += error.problems
            continue
        usable = {key: text for key, text in _texts(plain) if not _problem(key, text)}
        wrong = [(key, _problem(key, text)) for key, text in _texts(plain)]
        problems += [Problem(str(path), key, key, f"is left out: {why}") for key, why in wrong if why]
        if OWN_NAME in usable:
            found[path.stem] = usable
        else:
            says = "is missing, so the file is left out: the key to the language shows what it calls itself"
            problems.append(Problem(str(path), OWN_NAME, OWN_NAME, says))
    return Further(found, tuple(problems))


def _parsed(path: Path) -> dict[str, Any]:
    if path.stem in languages():
        says = "is left out: the kiosk has this language; an office's own sentences stand in its document under [texts]"
        raise documents.failed(str(path), says)
    if not NAME.fullmatch(path.stem):
        raise documents.failed(str(path), "is left out: it is not named by a language's code, as km.toml")
    return documents.parse_file(path)


def _texts(plain: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every sentence of a file with its dotted key; what stands outside a group keeps its name."""
    for group, texts in plain.items():
        if isinstance(texts, dict):
            yield from ((f"{group}.{name}", text) for name, text in texts.items())
        else:
            yield group, texts


def _problem(key: str, text: Any) -> str:
    """Why a sentence cannot be used, "" when it can."""
    usual = sentences("vi")
    if key not in usual:
        return f"there is no such sentence.{nearest(key, usual)}"
    # No-break spaces and joiners are letters of a text: Khmer cannot be written without them.
    if not isinstance(text, str) or not text.strip() or any(category(letter) in NO_TEXT for letter in text):
        return "must be one line of text"
    if len(text) > (MOST_NAME if key == OWN_NAME else MAX_TEXT):
        return f"is longer than {MOST_NAME if key == OWN_NAME else MAX_TEXT} letters"
    if unknown := values(text) - values(usual[key]):
        known = ", ".join(sorted(f"{{{value}}}" for value in values(usual[key]))) or "none"
        return f"{{{min(unknown)}}} is no value of this sentence, which has: {known}"
    return ""
