"""The technician's list at a start as it ought to be, at one that goes wrong, and with files that cannot be used."""

from dataclasses import replace
from pathlib import Path

from kiosk import findings
from kiosk.broken import broken_view
from kiosk.clock import Moment
from kiosk.config import FILE, Config, Sync, load_config, shipped
from kiosk.documents import DocumentError
from kiosk.findings import Finding
from kiosk.present.keynames import key_name
from kiosk.present.words import Words
from kiosk.startup import Checklist
from kiosk.views.model import StartView, View

SERVER = "https://mot-cua.example"
DATA = "/var/lib/kiosk"
MISTAKES = """
languag = "vi"
[printer]
papr_mm = 58
[buttons.counters.1]
happy = 17
call = 17
[sync]
server = "http://mot-cua.example"
"""


def start_views(words: Words, now: Moment, folder: Path) -> dict[str, View]:
    """Pictures by name; `folder` is for files that are only written to be refused."""
    first = Checklist(_config(), words)
    first.found(findings.glass("kmsdrm", [(1280, 800)]))
    return {
        "start-first": first.view(now),
        "start-ok": _list(words, now, *_good(words, now)),
        "start-wrong": _list(words, now, *_good(words, now), *_bad(words, now)),
        "start-broken": _broken(words, now, folder),
    }


def _config() -> Config:
    usual = shipped()
    sync = Sync(server=SERVER, token_file=f"{DATA}/token")
    return replace(usual, file=FILE, sync=sync, buttons=replace(usual.buttons, factory="mock"))


def _list(words: Words, now: Moment, *found: Finding) -> StartView:
    made = Checklist(_config(), words)
    for finding in found:
        made.found(finding)
    return made.view(now)


def _good(words: Words, now: Moment) -> tuple[Finding, ...]:
    t = words.t
    return (
        *findings.font(_config(), t),
        findings.glass("kmsdrm", [(1280, 800)]),
        Finding("database", True, t("check.database", noi=DATA, gb=24)),
        findings.clock(now, t),
        Finding("buttons", True, "/dev/gpiochip0"),
        findings.printer("ok", "file:/dev/kiosk-printer", t),
        Finding("sync", True, SERVER),
    )


def _bad(words: Words, now: Moment) -> tuple[Finding, ...]:
    t = words.t
    return (
        findings.clock(replace(now, quality="guess", trusted=False), t),
        findings.keys(_config(), {key_name(words, f"take:{words.office.services[0].id}"): "GPIOPinInUse"}, (), t),
        findings.printer("paper_out", "file:/dev/kiosk-printer", t),
        Finding("sync", False, t("check.server_lost"), t("check.server_do")),
    )


def _broken(words: Words, now: Moment, folder: Path) -> StartView:
    file = folder / "kiosk.toml"
    file.write_text(MISTAKES)
    try:
        load_config(file)
    except DocumentError as error:
        return broken_view(words.t, now, error)
    raise AssertionError("the mistakes are none")
