"""A call as one hears it: the sentence of a language cut into clips. Knows no sound files and no loudspeaker.

A sentence of the language file is cut where it has a comma, a colon or a full stop, and where a number goes in. So
"Mời công dân có số {so}, đến quầy số {quay}." wants two recorded phrases and the digits, and an office that words its
call differently needs no other program, only other clips.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from kiosk import numerals
from kiosk.calls import SpokenCall
from kiosk.office import Office
from kiosk.present.spoken import aloud
from kiosk.texts import Texts

CHIME = "chime"
"""The clip before each call: no word, but an office may record its own."""
PART = re.compile(r"\{\w+\}|[^{}.,:;!?…]+|[.,:;!?…]")
CODE = re.compile(r"[^\W\d_]?(?:[-.]?[0-9]+[^\W\d_]?)?")
"""What is spelled: 1001, A001, A-025, 2B."""
PAUSES_S = {",": 0.25, ":": 0.3, ";": 0.3}
STOP_S = 0.45
DIGIT_S = 0.1
"""Between the digits of a number that are read one by one."""
NUMBER_S = 0.12
"""Between a phrase and the number in it."""
WORD_S = 0.02
"""Between the words of a number that is read as a whole."""


@dataclass(frozen=True, slots=True)
class Word:
    """One clip: its name, the text that a voice reads for it, and the seconds of silence after it."""

    clip: str
    text: str
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How numbers are read: `whole` as one number, which Vietnamese alone can here; else digit by digit."""

    whole: bool = False
    missing_ten: str = "linh"


def reading(numbers: str, missing_ten: str) -> Reading:
    """The manner of kiosk.toml: `numbers` is digits or whole, `missing_ten` linh or lẻ."""
    return Reading(numbers == "whole", clip_name(missing_ten))


def names_of(office: Office) -> tuple[str, ...]:
    """What an office's calls say beside words and digits: how its numbers begin, what its counters are called."""
    return (*(service.digit for service in office.services), *(counter.label for counter in office.counters))


def sentence(t: Texts, call: SpokenCall, counter: str, reading: Reading) -> tuple[Word, ...]:
    """What is said for a call; `counter` is what the counter is called."""
    so, quay, n = "{so}", "{quay}", "{n}"  # kept as they are, so that the sentence can be cut there
    if call.ticket is None:
        return _words(t, aloud(t, t("apology.wait")), {}, reading)
    values = {so: call.ticket.number, quay: counter, n: str(call.ticket.calls)}
    if call.kind == "no_show":
        return _words(t, t("voice.no_show", so=so, quay=quay, n=n), values, reading)
    if call.kind == "recall":
        return _words(t, t("voice.recall", so=so, quay=quay), values, reading)
    key = "voice.call_priority" if call.ticket.priority else "voice.call"
    return _words(t, t(key, so=so, quay=quay), values, reading)


def vocabulary(t: Texts, reading: Reading, names: Iterable[str] = ()) -> tuple[Word, ...]:
    """Every clip that the voice of this language needs, in the order in which one records them.

    `names` are what the office adds (`names_of`).
    """
    so, quay, n = "{so}", "{quay}", "{n}"
    sentences = [
        t("voice.call", so=so, quay=quay),
        t("voice.call_priority", so=so, quay=quay),
        t("voice.recall", so=so, quay=quay),
        t("voice.no_show", so=so, quay=quay, n=n),
        aloud(t, t("apology.wait")),
    ]
    words = [word for text in sentences for word in _words(t, text, {}, reading)]
    words += [_sign(t, digit) for digit in "0123456789"]
    if _whole(t, reading):
        words += [_number_word(t, name) for name in numerals.WORDS if name not in ("linh", "le")]
        words.append(_number_word(t, reading.missing_ten))
    words += [word for name in names for word in _number(t, name, reading)]
    words.append(Word(CHIME, ""))
    first: dict[str, Word] = {}
    for word in words:
        first.setdefault(word.clip, replace(word, pause_s=0.0))
    return tuple(first.values())


def clip_name(phrase: str) -> str:
    """The name of a phrase's clip: "Mời công dân có số" → moi-cong-dan-co-so. Other scripts keep their letters."""
    plain = unicodedata.normalize("NFD", phrase.lower().replace("đ", "d"))
    latin = "".join(sign for sign in plain if not "\u0300" <= sign <= "\u036f")
    composed = unicodedata.normalize("NFC", latin)
    # Vowel signs of Khmer and other scripts are marks (M), which isalnum() does not count.
    kept = (sign if sign.isalnum() or unicodedata.category(sign)[0] == "M" else " " for sign in composed)
    return "-".join("".join(kept).split())


def _words(t: Texts, text: str, values: dict[str, str], reading: Reading) -> tuple[Word, ...]:
    words: list[Word] = []
    for part in PART.findall(text):
        if part in values:
            words += _number(t, values[part], reading)
        elif part in ".,:;!?…":
            if words:
                words[-1] = replace(words[-1], pause_s=PAUSES_S.get(part, STOP_S))
        elif part[0] != "{" and clip_name(part):
            words.append(Word(clip_name(part), part.strip(), NUMBER_S))
    return tuple(words)


def _number(t: Texts, number: str, reading: Reading) -> Iterator[Word]:
    """The number sign by sign, or its figures as a whole; the last word has the pause of a phrase.

    A counter that is called by a name, and not by a number or a letter, is a phrase.
    """
    if not CODE.fullmatch(number):
        yield from [Word(clip_name(number), number, NUMBER_S)] if clip_name(number) else []
        return
    words: list[Word] = []
    for run in re.findall(r"[0-9]+|[^\W\d_]", number):
        # A number that begins with 0 is a name made of digits.
        if _whole(t, reading) and run.isdigit() and len(run) <= numerals.MOST_DIGITS and str(int(run)) == run:
            names = numerals.read(int(run), reading.missing_ten)
            words += [replace(_number_word(t, name), pause_s=WORD_S) for name in names]
        else:
            words += [replace(_sign(t, sign), pause_s=DIGIT_S) for sign in run]
    yield from words[:-1]
    yield from (replace(word, pause_s=NUMBER_S) for word in words[-1:])


def _whole(t: Texts, reading: Reading) -> bool:
    return reading.whole and t.language == "vi"


def _sign(t: Texts, sign: str) -> Word:
    """A digit, or a letter by the name that it has in this language."""
    if sign.isdigit():
        return Word(sign, t(f"prompt.{sign}"))
    names = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", t("voice.letters").split(), strict=False))
    return Word(clip_name(sign), names.get(sign.upper(), sign).replace("-", " "))


def _number_word(t: Texts, name: str) -> Word:
    return _sign(t, name) if name in "0123456789" else Word(name, numerals.WORDS[name])
