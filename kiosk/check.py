"""`kiosk check`: looks at every part, without disturbing a kiosk that runs, and says OK or what to do next."""

from collections.abc import Iterator
from pathlib import Path

from kiosk import findings, languages
from kiosk import office as offices
from kiosk.clock import SystemClock, Vouched
from kiosk.config import Config, glass_of, load_config
from kiosk.documents import DocumentError
from kiosk.findings import Finding
from kiosk.setup import load_office
from kiosk.store.look import is_running, noted, quick_look, server_word
from kiosk.texts import Texts
from kiosk.wiring import check_against


def main(config_file: str | None, office_file: str | None) -> int:
    """Print one line per finding, and below it what to do; exit status 1 when something has to be done."""
    bad, t = 0, Texts(glass_of(config_file).language)
    for finding in _findings(config_file, office_file, t):
        bad += not finding.ok
        mark = t("check.note" if finding.note else "check.ok" if finding.ok else "check.wrong")
        print(f"{mark:5} {t(f'start.{finding.part}')}: {finding.line}")
        if finding.advice and (finding.note or not finding.ok):
            print(f"      → {finding.advice}")
    print(t("check.all_ok") if not bad else t("check.some_wrong", n=bad))
    return 1 if bad else 0


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
    yield findings.clock(SystemClock(vouched=Vouched.read(noted(folder, "vouched"))).now(), t)
    yield findings.chip(config, t)
    yield findings.printer(_printer_state(config, folder), config.printer.url, t)
    yield findings.screen(config, t)
    yield from findings.sound(config, t)
    yield from _voice(config, office_file, t)
    yield findings.server(config, server_word(folder), t)


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
    yield findings.document(office, t)
    yield from findings.mistakes("config", check_against(config, office), t("check.config_do"), t)
    yield from findings.pictures(office, Path(office_file or config.office).parent, t)
    yield from findings.hints(config, office, t)


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
