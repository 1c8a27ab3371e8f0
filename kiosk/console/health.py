"""How every part of the device is, as far as the console can know it: what only the kiosk sees, it has noted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kiosk import __version__, findings, vitals
from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.findings import Finding
from kiosk.present.keynames import key_name
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.texts import Texts


def found(store: Store, now: Moment, config: Config, words: Words, *, runs: bool) -> Iterator[Finding]:
    """A row for each part, `kiosk run` first; while it does not run (`runs`), what it saw is as it was last seen."""
    t = words.t
    yield _kiosk(runs, words)
    yield findings.document(words.office, t)
    yield from _from_server(store, t)
    yield findings.database(Path(store.database.folder), "", t)
    yield findings.clock(now, t)
    for one in _noted(store, config, words):
        yield one if runs else _last_known(one, words)
    yield from _upload(store, config, words)
    yield from _board(words)


def _kiosk(runs: bool, words: Words) -> Finding:
    t = words.t
    if not runs:
        return Finding("kiosk", False, t("technician.not_running"), t("technician.not_running_do"))
    return Finding("kiosk", True, t("technician.running"), detail=f"{t('technician.version').lower()} {__version__}")


def _from_server(store: Store, t: Texts) -> Iterator[Finding]:
    """An office document of the commune server that is not in force."""
    looked = store.downloads.looked("office")
    if looked.refused:
        detail = "; ".join(str(one["where"]) for one in looked.problems)
        yield Finding("office", False, t("technician.office_refused", n=looked.version), detail=detail)
    if looked.behind:
        yield Finding("office", True, t("technician.office_behind", n=looked.offered, co=looked.version), note=True)


def _noted(store: Store, config: Config, words: Words) -> Iterator[Finding]:
    t = words.t
    printer = (store.fact("printer") or "unknown") if config.printer.url != "none" else "none"
    yield findings.printer(printer, config.printer.url, t)
    yield _keys(store.fact("keys"), words)
    if keypad := store.fact("keypad"):
        here = keypad == "back"
        yield Finding("keypad", here, t("technician.keypad_back" if here else "technician.keypad_lost"))
    yield findings.screen_noted(config, store.fact("screen"), t)
    yield findings.sound_noted(config, store.fact("sound"), t)


def _keys(broken: str, words: Words) -> Finding:
    """`broken` as noted: actions with commas between them."""
    t = words.t
    if not broken:
        return Finding("buttons", True, t("technician.keys_ok"))
    named = ", ".join(key_name(words, action) for action in broken.split(", "))
    return Finding("buttons", False, t("technician.keys_broken", phim=named), t("check.key_broken_do"))


def _last_known(one: Finding, words: Words) -> Finding:
    t = words.t
    if one.says in (t("check.none"), t("printer.none"), t("printer.unknown"), t("technician.not_said")):
        return one
    said = t("technician.last_known")
    return replace(one, note=one.ok, detail=f"{one.detail}; {said}" if one.detail else said)


def _upload(store: Store, config: Config, words: Words) -> Iterator[Finding]:
    t = words.t
    yield findings.server(config, store.server_word(), t)
    if config.sync.server:
        waits = t("technician.backlog_n", n=t.number(store.backlog()))
        yield Finding("backlog", not store.waiting_long(), waits, t("check.server_do"))


def _board(words: Words) -> Iterator[Finding]:
    t, low, heat, hours = words.t, vitals.undervoltage(), vitals.temperature_c(), vitals.uptime_h()
    if hours is not None:
        yield Finding("machine", True, t("technician.uptime", gio=t.number(hours, 0)))
    if low is not None:
        yield Finding("power", not low, t("technician.undervoltage" if low else "technician.voltage_ok"))
    if heat is not None:
        hot, shown = heat >= vitals.HOT_C, t.number(heat, 0)
        yield Finding("heat", not hot, t("technician.hot" if hot else "technician.degrees", do=shown))
