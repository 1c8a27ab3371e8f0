"""`kiosk check`: looks at every part, without disturbing a kiosk that runs, and says OK or what to do next."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk import office as offices
from kiosk.clock import Moment, SystemClock
from kiosk.config import Config, advice, check_against, load_config
from kiosk.office import Office
from kiosk.setup import load_office
from kiosk.store.database import LOW_DISK_MB
from kiosk.texts import Texts


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what it is (a key of `start.*`), whether it is in order, what was found or what to do.

    A `note` is in order as long as somebody means it so.
    """

    part: str
    ok: bool
    says: str
    note: bool = False


def main(config_file: str | None, office_file: str | None) -> int:
    """Print one line per finding; exit status 1 when something has to be done."""
    config = load_config(config_file)
    t = Texts(config.language)
    bad = 0
    for finding in findings(config, office_file):
        bad += not finding.ok
        mark = t("check.note" if finding.note else "check.ok" if finding.ok else "check.wrong")
        print(f"{mark:5} {t(f'start.{finding.part}')}: {finding.says}")
    print(t("check.all_ok") if not bad else t("check.some_wrong", n=bad))
    return 1 if bad else 0


def findings(config: Config, office_file: str | None = None) -> Iterator[Finding]:
    """All parts, the ones that others need first."""
    t = Texts(config.language)
    now = SystemClock().now()
    yield Finding("config", True, config.file or t("check.defaults"))
    yield from _office(config, office_file, t)
    for look in (_font, _database, _clock, _buttons, _printer, _screen, _sync):
        yield from look(config, t, now)


def _office(config: Config, office_file: str | None, t: Texts) -> Iterator[Finding]:
    try:
        office: Office = offices.load(office_file) if office_file else load_office(config)
    except (OSError, ValueError) as error:
        yield Finding("office", False, str(error))
        return
    wrong = check_against(config, office)
    yield Finding("office", True, office.site.name)
    if office.unit.code == offices.sample().unit.code:
        yield Finding("office", True, t("check.sample"), note=True)
    yield from (Finding("office", False, problem) for problem in wrong)
    if config.buttons.factory == "gpio":
        yield from (Finding("config", True, hint, note=True) for hint in advice(config, office))


def _font(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    from kiosk import fonts

    try:
        chosen = [fonts.choose(weight) for weight in fonts.WEIGHTS]
    except fonts.FontError as error:
        yield Finding("font", False, str(error))
        return
    if all(not choice.problem for choice in chosen):
        yield Finding("font", True, ", ".join(choice.path.stem for choice in chosen))
    for choice in chosen:
        if choice.problem:
            yield Finding("font", False, t("check.font_stand_in", tep=choice.path.name, loi=choice.problem))
    for path in config.screen.fonts:
        try:
            fonts.letters(Path(path))
        except fonts.FontError as error:
            yield Finding("font", False, str(error))


def _database(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    from kiosk.store.look import quick_look

    folder = Path(config.data_dir)
    if not folder.exists():
        yield Finding("database", False, t("check.no_folder", noi=folder))
        return
    problem = quick_look(folder)
    free = shutil.disk_usage(folder).free // 1024 // 1024
    yield Finding("database", not problem, problem or t("check.database", noi=folder, gb=t.number(free / 1024, 0)))
    if not os.access(folder, os.W_OK):
        yield Finding("database", False, t("check.not_writable", noi=folder))
    elif free < LOW_DISK_MB:
        yield Finding("database", False, t("staff.disk_low"))


def _clock(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    says = f"{t.day(now.local)}, {t.clock(now.local)} ({now.quality})"
    yield Finding("clock", now.trusted, says if now.trusted else f"{says}. {t('clock.untrusted')}")


def _buttons(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    if config.buttons.factory != "gpio":
        yield Finding("buttons", True, config.buttons.factory)
        return
    chips = sorted(Path("/dev").glob("gpiochip*"))
    usable = [chip for chip in chips if os.access(chip, os.R_OK | os.W_OK)]
    if not chips:
        yield Finding("buttons", False, t("check.no_gpio"))
    else:
        yield Finding("buttons", bool(usable), str(usable[0]) if usable else t("check.gpio_group", noi=chips[0]))


def _printer(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    """A running kiosk owns the printer: then its last word counts, and the device is left alone."""
    from kiosk.parts import printer_profile
    from kiosk.printer import Printer, open_transport
    from kiosk.store.look import is_running, noted

    folder = Path(config.data_dir)
    if folder.exists() and is_running(folder):
        state = noted(folder, "printer") or "unknown"
    else:
        profile = printer_profile(config)
        printer = Printer(lambda: open_transport(config.printer.url, profile), profile)
        state = str(printer.state())
        printer.close()
    good = state in ("ok", "paper_low", "unknown") or (state == "none" and config.printer.url == "none")
    yield Finding("printer", good, f"{t(f'printer.{state}')} ({config.printer.url})")


def _screen(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    if not config.screen.enabled:
        yield Finding("screen", True, t("check.none"))
        return
    cards = sorted(Path("/dev/dri").glob("card*"))
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if shown:
        yield Finding("screen", True, shown)
    elif cards:
        allowed = os.access(cards[0], os.R_OK | os.W_OK)
        yield Finding("screen", allowed, str(cards[0]) if allowed else t("check.video_group", noi=cards[0]))
    else:
        yield Finding("screen", config.screen.blind_ok, t("check.no_screen"))


def _sync(config: Config, t: Texts, now: Moment) -> Iterator[Finding]:
    from kiosk.store.look import server_word
    from kiosk.uplink import read_token

    if not config.sync.server:
        yield Finding("sync", True, t("check.no_server"))
        return
    yield _tried("sync", lambda: read_token(Path(config.sync.token_file)) and config.sync.server, (ValueError,))
    folder = Path(config.data_dir)
    word = server_word(folder) if folder.exists() else {}
    if word and word.get("state") != "ok":
        yield Finding("sync", False, f"{word.get('state')}: {word.get('detail', '')}")


def _tried(part: str, look: Callable[[], object], errors: tuple[type[Exception], ...]) -> Finding:
    try:
        return Finding(part, True, str(look()))
    except errors as error:
        return Finding(part, False, str(error))
