"""What a row of the audit is about, in its reader's words: it is kept in the words of the program.

A row of another form, of an older release or cut at its end, stays as it is, and so does a word that has no sentence.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

from kiosk.texts import Texts
from server import asking
from server.reports import periods
from server.reports.periods import BadPeriod

Word = Callable[[Texts, str], str]

_ACCOUNT = (r"(?P<name>.*) \((?P<role>\w+)(?P<rest>(, [^()]*)?)\)", "{name} ({role}{rest})")
_FORMS: Mapping[str, tuple[str, str]] = {
    "account.made": _ACCOUNT,
    "account.changed": _ACCOUNT,
    "alarms.target": (r"(?P<mails>\d+) mails, (?P<address>.*)", "{mails}{address}"),
    "alarms.test": (r"(?P<ways>\w+(, \w+)*)", "{ways}"),
    "audit.saved": (r"(?P<query>.+)", "{query}"),
    "feed.imported": (r"(?P<name>\S+): (?P<events>\d+) new, (?P<rest>.*)", "{name}: {events}, {rest}"),
    "figures.adjusted": (r"(?P<period>\S+): (?P<revision>\d+)", "{period}: {revision}"),
    "figures.frozen": (r"(?P<name>.*), (?P<period>\S+)", "{name}, {period}"),
    "kiosk.changed": (r"(?P<name>.*) \((?P<mode>\w+)\)", "{name} ({mode})"),
    "publication.set": (r"(?P<name>.*): (?P<parts>–|\w+(, \w+)*)", "{name}: {parts}"),
    "report.saved": (r"(?P<period>\S+) (?P<by>\w+) (?P<ending>\w+)", "{period}, {by}, {ending}"),
}
"""By what was done: how a row is written, and how it is shown. All that is written is in a group."""


def about_in_words(t: Texts, what: str, about: str) -> str:
    """What a row is about (`about`), whose kind is `what`."""
    written, shown = _FORMS.get(what, ("", ""))
    found = re.fullmatch(written, about)
    if not found or not about:
        return about
    return shown.format(**{name: _WORDS[name](t, text) for name, text in found.groupdict().items()})


def _as_it_is(_: Texts, text: str) -> str:
    return text


def _key(pattern: str) -> Word:
    def word(t: Texts, text: str) -> str:
        key = pattern.format(text)
        return t(key) if key in t else text

    return word


def _each(word: Word, between: str) -> Word:
    return lambda t, text: between.join(word(t, one) for one in text.split(", "))


def _part(t: Texts, text: str) -> str:
    switches = {"on": "public.on", "–": "public.off"}
    return t(switches[text]) if text in switches else _key("public.part_{}")(t, text)


def _parts(t: Texts, text: str) -> str:
    """What is shown to everybody; with the page switched off nothing of it is, whatever is ticked."""
    named = text.split(", ")
    parts = named if named[0] in ("on", "–") else ["–", *named]
    return "; ".join(_part(t, part) for part in parts)


def _period(t: Texts, text: str) -> str:
    try:
        return periods.words(t, periods.parse(text))
    except BadPeriod:
        return text


def _query(t: Texts, text: str) -> str:
    """Which rows were asked for, as the address says it."""
    pairs = parse_qsl(text)
    if urlencode(pairs) != text:
        return text
    return "; ".join(f"{_key('audits.{}')(t, name)}: {_asked(t, name, value)}" for name, value in pairs)


def _asked(t: Texts, name: str, value: str) -> str:
    day = asking.day(value) if name in ("from", "to") else None
    return t.date(day) if day else _key("audit.{}")(t, value) if name == "kind" else value


_WORDS: Mapping[str, Word] = {
    "address": lambda t, text: text and f", {text}",
    "by": _key("reports.by_{}"),
    "ending": _as_it_is,
    "events": lambda t, text: t("audits.events", n=text),
    "mails": lambda t, text: t("audits.mails", n=text),
    "mode": _key("kiosks.by_{}"),
    "name": _as_it_is,
    "parts": _parts,
    "period": _period,
    "query": _query,
    "rest": _as_it_is,
    "revision": lambda t, text: t("frozen.adjusted", n=text),
    "role": _key("server_role.{}"),
    "ways": _each(_key("alarms.way_{}"), ", "),
}
