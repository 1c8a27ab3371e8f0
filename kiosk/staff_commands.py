"""The commands that people of the office and technicians type: PINs, days, quotas, figures, the clock, a test sheet.

Each takes the options of the command line, works beside a kiosk that runs, and returns an exit status.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk.clock import Moment
    from kiosk.dossiers import Dossiers
    from kiosk.present.words import Words
    from kiosk.store import Store
    from kiosk.texts import Texts


PRINTED_S = 30.0


def setup_code(options: argparse.Namespace) -> int:
    """`kiosk setup-code`."""
    with _open_store(options.config) as (store, now, words):
        code = store.setting_up.code(now)
    if not code:
        raise ValueError(words.t("typed.set_up"))
    print(code)
    return 0


def pin_run(options: argparse.Namespace) -> int:
    """`kiosk pin`: asked twice at a terminal, else read from standard input."""
    from kiosk.documents import printable
    from kiosk.setup import load

    setup = load(options.config)
    t, people = setup.words.t, [person.id for person in setup.office.clerks]
    if options.person not in people:
        raise ValueError(t("typed.nobody", ai=printable(options.person), co=", ".join(people)))
    pin = "" if options.remove else _asked_pin(t)
    with _open_store(options.config) as (store, now, _):
        if options.remove:
            store.people.remove(now, options.person, "command line")
        else:
            store.people.set_pin(now, options.person, pin, "command line")
    print(t("typed.no_pin" if options.remove else "typed.pin_set", ai=options.person))
    return 0


def _asked_pin(t: "Texts") -> str:
    from getpass import getpass

    from kiosk.pins import check

    pin = getpass(t("typed.pin") + " ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if sys.stdin.isatty() and getpass(t("typed.pin_again") + " ") != pin:
        raise ValueError(t("typed.pins_differ"))
    return check(pin)


def print_test(options: argparse.Namespace) -> int:
    """`kiosk print-test`: by the running kiosk, which owns the printer; else, or on another printer, by itself."""
    from kiosk import sheets
    from kiosk.parts import printer_profile
    from kiosk.printer import Printer, open_transport
    from kiosk.setup import load_device
    from kiosk.store.look import is_running
    from kiosk.texts import Texts

    config, kind = load_device(options.config), sheets.CONSOLE if options.console else "test-sheet"
    if not (options.picture or options.printer) and is_running(Path(config.data_dir)):
        return _print_by_kiosk(options.config, kind)
    t = Texts(config.language)
    sheet = sheets.draw(kind, config, t, config.printer.dots)
    if options.picture:
        sheet.save(options.picture)
        print(options.picture)
        return 0
    profile, url = printer_profile(config), options.printer or config.printer.url
    printer = Printer(lambda: open_transport(url, profile), profile)
    try:
        receipt = printer.print(sheet)
    finally:
        printer.close()
    print(t("typed.printed" if receipt.confirmed else "typed.printed_unsure", noi=url))
    return 0


def _print_by_kiosk(config_file: str | None, kind: str) -> int:
    from kiosk.clock import SystemClock
    from kiosk.store.orders import REPLACED

    with _open_store(config_file) as (store, now, words):
        order = store.orders.give(now, "printer", kind, by="command line")
        until, clock = time.monotonic() + PRINTED_S, SystemClock()
        while time.monotonic() < until:
            done = store.orders.get(clock.now(), order)
            if done and done.state == "done":
                print(words.t("typed.printed_by_kiosk"))
                return 0
            if done and done.state == "failed":
                key = "asked_again" if done.answer == REPLACED else "not_printed"
                raise ValueError(words.t(f"typed.{key}", loi=done.answer))
            time.sleep(0.2)
    raise ValueError(words.t("typed.not_yet_printed"))


def day_run(options: argparse.Namespace) -> int:
    """`kiosk day`."""
    kind = "" if options.kind == "usual" else options.kind
    with _open_store(options.config) as (store, now, _):
        store.overrides.set_day(now, options.day, kind, options.reason)
    print(f"{options.day}: {options.kind} {options.reason}".rstrip())
    return 0


def quota_run(options: argparse.Namespace) -> int:
    """`kiosk quota`."""
    with _open_store(options.config) as (store, now, words):
        if not options.session and store.opening(now).status != "open":
            raise ValueError(words.t("typed.no_session"))
        session = options.session or store.next_session(now)[0]
        store.overrides.add_quota(now, options.service, session, options.numbers)
    print(f"{options.service}, {session}: {options.numbers:+d}")
    return 0


def dossiers_run(options: argparse.Namespace) -> int:
    """`kiosk dossiers`: enter figures, take them back, or print those in force."""
    from kiosk.present import progress

    new = _dossiers(options)
    with _open_store(options.config) as (store, now, words):
        if options.clear:
            store.dossiers.clear(now)
        elif new:
            store.dossiers.set(now, new)
        print("\n".join(progress.report(words, now, store.dossiers.current())))
    return 0


def _dossiers(options: argparse.Namespace) -> "Dossiers | None":
    """The figures that the command line gives, None for none."""
    from kiosk import dossiers
    from kiosk.telling import reader

    texts = {name: getattr(options, name) for name in dossiers.COUNTS}
    by_hand = any(texts.values())
    if sum((bool(options.file), by_hand, options.clear)) > 1 or (options.clear and options.as_of):
        raise ValueError(reader(options.config)("typed.dossiers"))
    if options.file:
        return dossiers.read_file(options.file, options.as_of)
    if not by_hand and not options.as_of:
        return None
    return dossiers.read({**texts, "as_of": options.as_of}, lambda name: f"--{name.replace('_', '-')}")


@contextmanager
def _open_store(config_file: str | None) -> Iterator[tuple["Store", "Moment", "Words"]]:
    """The database beside a kiosk that may be running, with the office's rules; the time, and the office's words."""
    from kiosk.clock import SystemClock, Vouched
    from kiosk.setup import load, say_defaults
    from kiosk.store import Store
    from kiosk.store.prepare import prepare

    setup, clock = load(config_file), SystemClock()
    say_defaults(setup.config)
    folder = Path(setup.config.data_dir)
    prepare(folder, clock.now())
    store = Store(folder, setup.office.rulebook())
    clock.vouched = Vouched.read(store.fact("vouched"))
    try:
        yield store, clock.now(), setup.words
    finally:
        store.close()


def clock_run(options: argparse.Namespace) -> int:
    """`kiosk clock`: what a person says counts until the next boot, or until the network knows better."""
    from kiosk import RELEASED
    from kiosk.clock import SITE_TIME, Vouched, believable

    with _open_store(options.config) as (store, now, words):
        t = words.t
        if options.time:
            said = now.at if options.time == "yes" else _site_time(options.time, t)
            if not believable(said, RELEASED):
                raise ValueError(t("clock.cannot", ngay=t.date(said.date()), tu=t.date(RELEASED)))
            store.note(now, "vouched", Vouched("manual", said, now.boot, now.mono).text())
            print(f"{said.astimezone(SITE_TIME):%d/%m/%Y %H:%M} ({t('quality.manual')})")
        else:
            print(f"{now.local:%d/%m/%Y %H:%M} ({t(f'quality.{now.quality}')})")
            if not now.trusted:
                print(f"→ {t('clock.untrusted')}")
    return 0


def _site_time(text: str, t: "Texts") -> datetime:
    from kiosk.clock import SITE_TIME
    from kiosk.documents import printable

    try:
        said = datetime.fromisoformat(text)
        return said if said.tzinfo else said.replace(tzinfo=SITE_TIME)
    except ValueError as error:
        raise ValueError(t("clock.no_time", gio=printable(text))) from error
