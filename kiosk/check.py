"""`kiosk check`: looks at every part, without disturbing a kiosk that runs, and says OK or what to do next."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kiosk import __version__, devices, findings, kernel_log, languages, machine
from kiosk import office as offices
from kiosk.clock import SystemClock, Vouched
from kiosk.config import Config, glass_of, load_config
from kiosk.documents import DocumentError
from kiosk.findings import Finding, Graphics
from kiosk.setup import load_office
from kiosk.store.look import hours_without_backup, is_running, noted, quick_look, server_word
from kiosk.texts import Texts
from kiosk.wiring import check_against


def run(options: argparse.Namespace) -> int:
    """`kiosk check`."""
    return main(options.config, options.office, options.lang, as_json=options.json)


def main(config_file: str | None, office_file: str | None, language: str = "", *, as_json: bool = False) -> int:
    """Say what was found, and what to do; exit status 1 when something has to be done."""
    t = Texts(language or glass_of(config_file).language)
    found = _findings(config_file, office_file, t)
    return _print_json(found) if as_json else _print(found, t)


def _print(found: Iterable[Finding], t: Texts) -> int:
    """One line per finding, as soon as it is known, and below it what to do."""
    bad = 0
    for finding in found:
        bad += not finding.ok
        mark = t("check.note" if finding.note else "check.ok" if finding.ok else "check.wrong")
        print(f"{mark:5} {findings.title(finding.part, t)}: {finding.line}", flush=True)
        if finding.advice and (finding.note or not finding.ok):
            print(f"      → {finding.advice}")
    print(t("check.all_ok") if not bad else t("check.some_wrong", n=bad))
    return 1 if bad else 0


def _print_json(found: Iterable[Finding]) -> int:
    listed = list(found)
    ok = all(finding.ok for finding in listed)
    json.dump({"ok": ok, "version": __version__, "findings": [plain(one) for one in listed]}, sys.stdout,
              ensure_ascii=False, indent=1)  # fmt: skip
    print()
    return 0 if ok else 1


def plain(finding: Finding) -> dict[str, str | bool]:
    """A finding for programs; what to do only where there is something to do."""
    return {
        "part": finding.part,
        "ok": finding.ok,
        "note": finding.note,
        "code": finding.code,
        "says": finding.says,
        "advice": finding.advice if finding.note or not finding.ok else "",
        "detail": finding.detail,
    }


def _findings(config_file: str | None, office_file: str | None, t: Texts) -> Iterator[Finding]:
    """All parts; of a kiosk.toml that cannot be used only what is wrong in it, because it says where the others are."""
    try:
        config = load_config(config_file)
    except DocumentError as error:
        yield from findings.mistakes("config", error.problems, t("check.config_do"), t)
        return
    yield from look(config, office_file, t)


def look(config: Config, office_file: str | None, t: Texts) -> Iterator[Finding]:
    """All parts, the ones that others need first."""
    folder = Path(config.data_dir)
    yield from _documents(config, office_file, t)
    yield from findings.font(config, t)
    yield from findings.languages(config, t)
    yield findings.database(folder, quick_look(folder), t)
    yield from machine.found(folder, kernel_log.messages(), t)
    now = SystemClock(vouched=Vouched.read(noted(folder, "vouched"))).now()
    yield from machine.backup(hours_without_backup(folder, now), t)
    yield from _kiosk(folder, t)
    yield findings.clock(now, t)
    yield from machine.clock_module(t)
    yield findings.chip(config, t)
    yield _printer(config, folder, t)
    yield _screen(config, folder, t)
    yield from findings.sound(config, t)
    yield from _voice(config, office_file, t)
    yield from findings.firewall(config, os.environ.get(findings.FIREWALL, ""), t)
    yield findings.server(config, server_word(folder), t)


def _kiosk(folder: Path, t: Texts) -> Iterator[Finding]:
    """Whether it runs, and what it alone can try."""
    if not is_running(folder):
        says, todo = t("machine.not_running"), t("machine.not_running_do")
        yield Finding("kiosk", True, says, todo, note=True, code="not_running")
        return
    yield Finding("kiosk", True, t("technician.running"))
    if tried := machine.canary(noted(folder, "canary"), t):
        yield tried


def _voice(config: Config, office_file: str | None, t: Texts) -> Iterator[Finding]:
    """The voice; of a wrong office document nothing can be said, and that is named already."""
    try:
        office = offices.load(office_file) if office_file else load_office(config)
    except ValueError:
        return
    yield from findings.voice(config, office, languages.read(Path(config.screen.lang_dir)).sentences, t)


def _documents(config: Config, office_file: str | None, t: Texts) -> Iterator[Finding]:
    """kiosk.toml, the office document, and what of the one does not fit the other."""
    yield findings.device(config, t)
    try:
        office = offices.load(office_file) if office_file else load_office(config)
    except DocumentError as error:
        yield from findings.mistakes("office", error.problems, t("check.office_do"), t)
        return
    yield findings.document(config, office, t)
    yield from findings.mistakes("config", check_against(config, office), t("check.config_do"), t)
    yield from findings.pictures(office, Path(office_file or config.office).parent, t)
    yield from findings.hints(config, office, t)


def _printer(config: Config, folder: Path, t: Texts) -> Finding:
    device = devices.printer(config.printer.url, devices.user())
    # A device that is away or locked needs no try, which would only wait for it.
    state = _printer_state(config, folder) if device is None or device.allowed else "offline"
    return findings.printer(state, config.printer.url, t, device, asks=config.printer.status)


def _printer_state(config: Config, folder: Path) -> str:
    """A running kiosk owns the printer: then its last word counts, and the device is left alone."""
    from kiosk.parts import printer_profile
    from kiosk.printer import Printer, open_transport

    if is_running(folder):
        return noted(folder, "printer") or "unknown"
    profile = printer_profile(config)
    printer = Printer(lambda: open_transport(config.printer.url, profile), profile)
    try:
        return str(printer.state())
    finally:
        printer.close()


def _screen(config: Config, folder: Path, t: Texts) -> Finding:
    """As it looks from outside; where that is well, what a running kiosk has noted of it counts for more."""
    found = findings.screen(config, t, Graphics(drivers=_drivers()) if config.screen.enabled else Graphics())
    word = noted(folder, "screen") if found.ok and is_running(folder) else ""
    return findings.screen_noted(config, word, t) if word in ("lost", "blind") else found


def _drivers() -> tuple[str, ...] | None:
    """What SDL was built to drive; none where there is no pygame at all."""
    try:
        from kiosk.windows import compiled_in
    except ImportError:
        return ()
    return compiled_in()
