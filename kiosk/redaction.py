"""What of a device's files and logs may leave it in a support bundle: only what is known to be harmless.

Pure. Of sentences only the program's own words stay, so that names, comments, tokens and PINs cannot come along,
whatever line they got into.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import kiosk
from kiosk.documents import plain
from kiosk.office import Office

GONE = "…"
SHORT_NUMBER = 3
"""Digits of a number that may stay: no PIN, code, number of a ticket or telephone is so short."""
OTHERS = ("simulator", "gallery")
"""Packages whose sources hold invented people and their words."""
SYSTEMD = """
systemd started starting stopped stopping reloading reloaded failed main process exited code status result signal
killed core dump watchdog timeout deactivated successfully scheduled restart job counter service unit consumed cpu time
memory peak oom kill exit dumped success abrt term segv control group left over start operation timed out state final
sigkill sigterm sigabrt entered dependency because
"""
KERNEL_TOPICS = re.compile(
    r"\b(?:mmc\w*|ext4-fs|jbd2\S*|i/o error|buffer i/o|usblp|usb|hub|cdc_acm|ch341\S*|ftdi_sio|pl2303|hid-generic|"
    r"input|drm|vc4\S*|v3d|hdmi\S*|simple-framebuffer|snd\S*|gpio\S*|rtc\S*|i2c\S*|hwmon\S*|thermal|cpufreq|"
    r"under-?voltage\S*|oom\S*|out of memory|killed process|watchdog\S*|bcm2835\S*|random|machine model|"
    r"linux version|memory|eth\d|wlan\d)\b",
    re.IGNORECASE,
)
_FRAME = re.compile(r'^(\s*)File "[^"]*?([\w.-]{1,60}/[\w.-]{1,60}\.py)", line (\d{1,6}), in ([\w<>.]{1,80})')
_QUOTED = re.compile(r"""'[^']*'|"[^"]*(?:"|$)|“[^”]*(?:”|$)|‘[^’]*(?:’|$)|«[^»]*(?:»|$)|`[^`]*(?:`|$)""")
_GROUPS = re.compile(r"(?<![\w.:])\+?\d{2,4}(?:[ .-]\d{2,4})+(?![\w:])")
_LONG = re.compile(r"[A-Za-z0-9_+/=-]{20,}")
_ADDRESS = re.compile(r"\S+@\S+|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\bserial\s?number\b.*", re.IGNORECASE)
_PHONE = re.compile(r"\+?\d(?:[ .-]?\d){6,}")
_LINK = re.compile(r"(?:https?://|www\.|mailto:|zalo|facebook)\S*", re.IGNORECASE)


@cache
def vocabulary() -> frozenset[str]:
    """The words of the program's own sources and of its English sentences, in lower case."""
    own = Path(kiosk.__file__).parent
    files = [path for path in own.rglob("*.py") if not set(OTHERS) & set(path.relative_to(own).parts)]
    files += [*(own.parent / "sync").glob("*.py"), own / "lang/en.toml"]
    return words_of([SYSTEMD, *(path.read_text("utf-8") for path in files)])


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words in ASCII letters of texts, those joined by _ as one and apart."""
    found: set[str] = set()
    for text in texts:
        joined = set(re.findall(r"(?<!\w)[A-Za-z_]+(?!\w)", text))
        found |= {word.lower() for one in joined for word in (one, *one.split("_")) if word}
    return frozenset(found)


def line(text: str, known: frozenset[str]) -> str:
    """A line of a log with `known` words and short numbers alone; quoted texts go whole. Where code stood is kept."""
    if frame := _FRAME.match(text):
        return f'{frame[1]}File "{frame[2]}", line {frame[3]}, in {frame[4]}'
    text = _GROUPS.sub(_unless_short, _LONG.sub(_long(known), _QUOTED.sub(GONE, text)))
    return re.sub(r"\w+", lambda found: found[0] if _harmless(found[0], known) else GONE, text)


def _harmless(word: str, known: frozenset[str]) -> bool:
    return word.lower() in known or (word.isascii() and word.isdigit() and len(word) <= SHORT_NUMBER)


def _long(known: frozenset[str]) -> Any:
    """A long run of letters and signs stays when it is made of known words, as a path is."""

    def judged(found: re.Match[str]) -> str:
        parts = [part for part in re.split(r"[^A-Za-z0-9_]+", found[0]) if part]
        return found[0] if all(_harmless(part, known) for part in parts) else GONE

    return judged


def _unless_short(found: re.Match[str]) -> str:
    """Groups of digits that make a telephone number or a code read out in threes."""
    return GONE if sum(char.isdigit() for char in found[0]) >= 6 else found[0]


def kernel(text: str) -> str:
    """A message of the kernel about hardware; "" for one about anything else."""
    if "command line" in text.lower() or not KERNEL_TOPICS.search(text):
        return ""
    return _LONG.sub(lambda found: GONE if re.search(r"\d", found[0]) else found[0], _ADDRESS.sub(GONE, text))


def outline(value: Any) -> Any:
    """A document that cannot be used: its shape and figures; of texts their length."""
    if isinstance(value, dict):
        return {str(name): outline(item) for name, item in value.items()}
    if isinstance(value, list):
        return [outline(item) for item in value]
    return value if isinstance(value, bool | int | float) else length(str(value))


def length(text: str) -> str:
    """What stands for a text that was left out."""
    return f"<{len(text)} letters>" if text else ""


def office(document: Office) -> dict[str, Any]:
    """The office document without people: clerks are their ids, numbers and addresses go, free texts are lengths."""
    whole: dict[str, Any] = plain(document)
    names = {clerk.name: clerk.id for clerk in document.clerks}
    rules = {**whole["rules"], "priority_who": length(document.rules.priority_who)}
    kept = {name: whole[name] for name in ("format", "version", "counters", "label_sets", "sessions", "look")}
    return {
        **_scrubbed(kept, names),
        "unit": {"code": document.unit.code, **_scrubbed({"name": document.unit.name}, names)},
        "site": _scrubbed(whole["site"], names),
        "services": _scrubbed(whole["services"], names),
        "clerks": [
            {
                "id": one.id,
                "name": one.id,
                "title": length(one.title),
                "photo": bool(one.photo),
                "roles": list(one.roles),
            }
            for one in document.clerks
        ],
        "calendar": [{**day, "reason": length(day["reason"])} for day in whole["calendar"]],
        "rules": rules,
        "texts": {key: length(text) for key, text in document.texts.items()},
        "slogans": [length(text) for text in document.slogans],
        "hotlines": [{"name": length(one.name), "number": GONE} for one in document.hotlines],
        "channels": [{"kind": one.kind} for one in document.channels],
    }


def _scrubbed(value: Any, names: Mapping[str, str]) -> Any:
    """Names, telephone numbers and addresses out of every text below."""
    if isinstance(value, dict):
        return {name: _scrubbed(item, names) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item, names) for item in value]
    if not isinstance(value, str):
        return value
    for name, id in sorted(names.items(), key=lambda pair: -len(pair[0])):
        value = re.sub(re.escape(name), id, value, flags=re.IGNORECASE)
    return _PHONE.sub(GONE, _LINK.sub(GONE, _ADDRESS.sub(GONE, value)))
