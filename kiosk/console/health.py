"""How every part of the device is, as far as the console can know it: what only the kiosk sees, it has noted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kiosk import __version__, findings, machine, vitals
from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.feed import oldest_waiting
from kiosk.findings import Finding
from kiosk.present.keynames import key_name
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.backup import hours_without
from kiosk.store.starts import starts_lately
from kiosk.texts import Texts
from kiosk.vitals import ROOT

MANY_STARTS = 5
"""So many in 24 hours are no technician any more."""


def found(
    store: Store,
    now: Moment,
    config: Config,
    words: Words,
    *,
    runs: bool,
    kernel: Sequence[str] | None = None,
    root: Path = ROOT,
) -> Iterator[Finding]:
    """A row for each part, `kiosk run` first; while it does not run (`runs`), what it saw is as it was last seen.

    `kernel` are the messages of the kernel, None when they may not be read.
    """
    t = words.t
    folder = Path(store.database.folder)
    yield _kiosk(runs, words)
    yield from _starts(store, now, t)
    yield findings.document(config, words.office, t)
    yield from _from_server(store, t)
    yield findings.database(folder, "", t)
    yield from machine.backup(hours_without(folder, store.database.conn, now), t)
    yield findings.clock(now, t)
    for one in _noted(store, config, words):
        yield one if runs else _last_known(one, words)
    yield from _upload(store, config, words)
    yield from _uptime(t, root)
    yield from machine.found(folder, kernel, t, root)


def _kiosk(runs: bool, words: Words) -> Finding:
    t = words.t
    if not runs:
        return Finding("kiosk", False, t("technician.not_running"), t("technician.not_running_do"))
    return Finding("kiosk", True, t("technician.running"), detail=f"{t('technician.version').lower()} {__version__}")


def _starts(store: Store, now: Moment, t: Texts) -> Iterator[Finding]:
    n = starts_lately(store.database, now)
    if n >= MANY_STARTS:
        yield Finding("starts", False, t("machine.starts_n", n=n), t("machine.starts_do"), code="starts")


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
    if tried := machine.canary(store.fact("canary"), t):
        yield tried


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
        yield Finding("backlog", not store.waiting_long(), _waits(store, t), t("check.server_do"), code="backlog")


def _waits(store: Store, t: Texts) -> str:
    n, oldest = t.number(store.backlog()), oldest_waiting(store.database)
    if oldest is None:
        return t("technician.backlog_n", n=n)
    return t("machine.backlog_since", n=n, luc=t.stamp(oldest.stamp.at))


def _uptime(t: Texts, root: Path) -> Iterator[Finding]:
    hours = vitals.uptime_h(root)
    if hours is not None:
        yield Finding("machine", True, t("technician.uptime", gio=t.number(hours, 0)))
