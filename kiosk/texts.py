"""Sentences in each language, and dates, times and figures as that language writes them. Knows no office and no screen.

Sentences live in kiosk/lang/*.toml; a language is one more file there, or one in a folder of the device, whose
sentences are handed in as `further`. Showing a text never fails: what is missing in a further language is taken from
the office's own language, and what is nowhere is shown as its key.
"""

import datetime as dt
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
VALUE = re.compile(r"\{(\w+)\}")
SECOND = "en"
"""The second language of every screen and slip."""

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
TONES = "\u0300\u0309\u0303\u0301\u0323"
"""Combining marks in the order of Vietnamese dictionaries: huyền hỏi ngã sắc nặng; no mark (ngang) comes first."""


@cache
def sentences(language: str) -> Mapping[str, str]:
    """All sentences of a language by dotted key ("kiosk.title"); none for a language without a file."""
    file = resources.files("kiosk.lang") / f"{language}.toml"
    if not file.is_file():
        return MappingProxyType({})
    groups = tomllib.loads(file.read_text("utf-8"))
    return MappingProxyType(
        {f"{group}.{name}": text for group, texts in groups.items() for name, text in texts.items()}
    )


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a file, Vietnamese first."""
    names = [file.name[:-5] for file in resources.files("kiosk.lang").iterdir() if file.name.endswith(".toml")]
    return tuple(sorted(names, key=lambda name: (name != "vi", name)))


def values(sentence: str) -> frozenset[str]:
    """The names in braces, except the address, which is always known."""
    return frozenset(VALUE.findall(sentence)) - {"ong_ba"}


def override_problems(overrides: Mapping[str, str]) -> dict[str, tuple[str, str] | None]:
    """What is wrong with an office's own sentences, by key.

    None for a key that is unknown, else a value that the kiosk does not give and the values that it gives.
    """
    wrong: dict[str, tuple[str, str] | None] = {}
    for key, own in overrides.items():
        language, _, name = key.partition(".") if key.partition(".")[0] in languages() else ("vi", "", key)
        usual = sentences(language).get(name)
        if usual is None:
            wrong[key] = None
        elif unknown := values(own) - values(usual):
            wrong[key] = min(unknown), ", ".join(sorted(f"{{{value}}}" for value in values(usual)))
    return wrong


class Texts:
    """The sentences of one language: `t("kiosk.ahead", n=5)`.

    `overrides` are an office's own sentences by key; "en." before a key means another language than Vietnamese.
    `address` fills {ong_ba}. `further` are the sentences of languages that the kiosk does not bring along; what they
    lack, names and figures too, is as in `home`, the office's own language (else this one).
    """

    def __init__(
        self,
        language: str = "vi",
        overrides: Mapping[str, str] | None = None,
        address: str = "Ông/Bà",
        further: Mapping[str, Mapping[str, str]] | None = None,
        home: str = "",
    ) -> None:
        self.language = language
        self._own = overrides or {}
        self._further = further or {}
        self._home = home or language
        self.base = language if sentences(language) else self._home
        """This language or, of a further one, the one that stands in for what it lacks."""
        self._known = {**sentences(SECOND), **self._sentences(self.base), **self._sentences(language)}
        self._address = address

    def __call__(self, key: str, /, **given: object) -> str:
        """The sentence with its values; an unknown key or value is shown as it is, and nothing stops."""
        known = {"ong_ba": self._address, **given}
        return VALUE.sub(lambda found: str(known.get(found[1], found[0])), self._known.get(key, key))

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def _sentences(self, language: str) -> dict[str, str]:
        prefix = "" if language == "vi" else f"{language}."
        own = {key.removeprefix(prefix): text for key, text in self._own.items() if key.startswith(prefix)}
        return {**sentences(language), **self._further.get(language, {}), **own}

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages in the order of the language key: Vietnamese, the other shipped ones, further ones."""
        return (*languages(), *sorted(self._further))

    def in_language(self, language: str) -> "Texts":
        """The same office in another language."""
        return Texts(language, self._own, self._address, self._further, self._home)

    def second(self) -> "Texts":
        """The same office in the second language."""
        return self.in_language(SECOND)

    def number(self, value: float, decimals: int | None = None) -> str:
        """1234.5 → "1.234,5". Without `decimals`, none for whole numbers and one otherwise."""
        places = (0 if value == int(value) else 1) if decimals is None else decimals
        english = f"{value:,.{places}f}"
        return english.translate(str.maketrans(",.", ".,")) if self.base == "vi" else english

    def percent(self, part: float, whole: float = 1.0, decimals: int | None = None) -> str:
        """The share of `part` in `whole`: 0.975 → "97,5 %", "–" of nothing. Only all are 100 %, and only none 0 %."""
        if not whole:
            return "–"
        places = 1 if decimals is None else decimals
        share = round(100 * part / whole, places)
        if 0 < part < whole:
            share = min(max(share, 10**-places), 100 - 10**-places)
        figure = self.number(share, decimals)
        return f"{figure}\u00a0%" if self.base == "vi" else f"{figure}%"

    def date(self, day: dt.date) -> str:
        """dd/mm/yyyy, in every language: that is how the reader's papers are dated."""
        return _local(day).strftime("%d/%m/%Y") if isinstance(day, dt.datetime) else f"{day:%d/%m/}{day.year:04d}"

    def weekday(self, day: dt.date) -> str:
        """ "Thứ Hai" … "Chủ nhật"."""
        return self(f"weekday.{(_local(day) if isinstance(day, dt.datetime) else day).weekday()}")

    def day(self, day: dt.date) -> str:
        """Weekday and date: "Thứ Hai, 23/11/2026"."""
        return f"{self.weekday(day)}, {self.date(day)}"

    def clock(self, at: dt.datetime | dt.time) -> str:
        """HH:MM on the office's wall; an aware datetime is brought there, anything else is there already."""
        return (_local(at) if isinstance(at, dt.datetime) else at).strftime("%H:%M")

    def stamp(self, at: dt.datetime) -> str:
        """When something was done, on the office's wall: "23/11/2026 07:31"."""
        return f"{self.date(at)} {self.clock(at)}"

    def short_session(self, name: str, day: dt.date) -> str:
        """A session of a day where there is little room: "Sáng 23/11"."""
        return f"{name} {self.date(day)[:5]}"


def _local(at: dt.datetime) -> dt.datetime:
    return at.astimezone(LOCAL) if at.tzinfo else at


def sort_key(text: str) -> tuple[tuple[tuple[int, ...], tuple[int, ...], str], ...]:
    """Order of Vietnamese dictionaries, word by word: letters (a ă â b c d đ …), then tones, then case."""
    return tuple(_word_key(word) for word in unicodedata.normalize("NFC", text).split())


def _word_key(word: str) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    letters, tones = zip(*map(_letter, word), strict=True)
    return letters, tones, word.swapcase()


@cache
def _letter(char: str) -> tuple[int, int]:
    """Place in the alphabet (other signs before, other letters behind) and the tone, 0 to 5."""
    parts = unicodedata.normalize("NFD", char.lower())
    tone = next((TONES.index(mark) + 1 for mark in parts if mark in TONES), 0)
    plain = unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in TONES))
    if len(plain) == 1 and plain in ALPHABET:
        return 1000 + ALPHABET.index(plain), tone
    return (2000 if char.isalpha() else 0) + min(ord(char), 999), tone


def in_order(texts: Iterable[str]) -> list[str]:
    """Vietnamese texts sorted as a reader expects."""
    return sorted(texts, key=sort_key)
