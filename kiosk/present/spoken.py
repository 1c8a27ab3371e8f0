"""What the kiosk says after a press: the sentence on the glass as one reads it aloud. Knows no loudspeaker."""

import re
from dataclasses import dataclass

from kiosk.present.words import Words
from kiosk.store import Issued
from kiosk.texts import Texts
from kiosk.views.model import Notice

EITHER = re.compile(r"(?<=[^\W\d])/(?=[^\W\d])")
SPAN = re.compile(r"(\d\d:\d\d)\s*–\s*(?=\d\d:\d\d)")
CLOCK = re.compile(r"\b(\d\d):(\d\d)\b")
DATE = re.compile(r"\b(\d\d)/(\d\d)/\d{4}\b")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sentence to say, in the language it is written in. `kind`: taken, no_paper, priority or refused."""

    kind: str
    sentence: str
    language: str


def taken(words: Words, issued: Issued) -> Prompt:
    """The number, digit by digit."""
    t, so = words.t, digits(words.t, issued.ticket.number)
    key = "prompt.taken_priority" if issued.ticket.priority else "prompt.taken"
    return _prompt("taken", t, t(key, so=so))


def no_paper(words: Words, issued: Issued, printer: str) -> Prompt:
    """The number that is on no paper, and why (the printer's state)."""
    t, so = words.t, digits(words.t, issued.ticket.number)
    return _prompt("no_paper", t, t("prompt.no_paper" if printer == "paper_out" else "prompt.printer_error", so=so))


def priority_chosen(words: Words) -> Prompt:
    """What to do after the priority key."""
    return _prompt("priority", words.t, words.t("kiosk.priority_chosen"))


def refused(words: Words, notice: Notice) -> Prompt:
    """Why there is no number."""
    return _prompt("refused", words.t, notice.title)


def digits(t: Texts, number: str) -> str:
    """ "1013" → "một, không, một, ba": one by one with a pause, never as a number; letters stay letters."""
    return ", ".join(t(f"prompt.{sign}") if sign.isdigit() else sign for sign in number if sign.isalnum())


def aloud(t: Texts, sentence: str) -> str:
    """A sentence without the signs that nobody reads: "Ông/Bà", "07:00 – 16:45", "23/11/2026"."""
    spoken = EITHER.sub(" ", sentence)
    spoken = SPAN.sub(lambda found: f"{found[1]} {t('prompt.until')} ", spoken)
    spoken = CLOCK.sub(lambda found: _clock(t, int(found[1]), int(found[2])), spoken)
    return DATE.sub(lambda found: t("prompt.date", ngay=int(found[1]), thang=int(found[2])), spoken)


def _clock(t: Texts, hour: int, minute: int) -> str:
    return t("prompt.clock", gio=hour, phut=minute) if minute else t("prompt.hour", gio=hour)


def _prompt(kind: str, t: Texts, sentence: str) -> Prompt:
    return Prompt(kind, aloud(t, sentence), t.language)
