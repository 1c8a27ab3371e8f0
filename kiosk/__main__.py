"""The command line. Commands make their parts and run them; an error is one line and exit 1 (DEBUG=1: traceback)."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import __version__

if TYPE_CHECKING:
    from kiosk.clock import Moment
    from kiosk.dossiers import Dossiers
    from kiosk.present.words import Words
    from kiosk.store import Store
    from kiosk.uplink import Uplink
    from kiosk.waiting import Waiting

Command = Callable[[argparse.Namespace], int]

DOSSIER_OPTIONS = {
    "--early": "settled before their day (trước hạn)",
    "--on-time": "settled on their day (đúng hạn)",
    "--late": "settled after their day (đã giải quyết quá hạn)",
    "--in-time": "open and not yet due (trong hạn)",
    "--overdue": "open and past their day (đang giải quyết quá hạn)",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    options = parser().parse_args(argv)
    try:
        return int(options.command(options))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        return 1
    except (OSError, ValueError, RuntimeError) as error:
        if os.environ.get("DEBUG"):
            raise
        print(f"kiosk: {_sentence(error)}", file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    """Our own errors say what to do; of the system's, the file and the reason are what matters."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the device'}: {error.strerror}"
    return str(error)


def parser() -> argparse.ArgumentParser:
    """All commands and options; docs/commands.md explains each, and a test compares the two."""
    top = argparse.ArgumentParser(prog="kiosk", description="Queue numbers, slips and ratings of a one-stop office.")
    top.add_argument("--version", action="version", version=f"kiosk {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Command, says: str, *, config: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=says, description=says)
        sub.set_defaults(command=command)
        if config:
            sub.add_argument(
                "--config", metavar="FILE", help="kiosk.toml (else $KIOSK_CONFIG, else /etc/kiosk/kiosk.toml)"
            )
        return sub

    add("run", run, "the kiosk itself: keys, printer, screen")
    demo = add("demo", _demo, "the whole appliance in a browser, without hardware", config=False)
    from kiosk.simulator import options as demo_options

    demo_options.add_to(demo)
    check = add("check", _check, "look at every part and say what to do about what is wrong")
    check.add_argument("--office", metavar="FILE", help="check this office document instead of the configured one")
    add("config", show_config, "print the configuration in force, with where each value comes from")
    add("console", console_run, "the LAN's web pages: clerks, board, rating panels, phones")
    office = add("office", _office, "show the office document in force, replace it, or bring an earlier one back")
    office.add_argument("action", metavar="ACTION", choices=("show", "apply", "history", "restore"))
    office.add_argument(
        "what", metavar="FILE|N", nargs="?", default="", help="apply: a document; restore: a number of the history"
    )
    office.add_argument("--note", metavar="TEXT", default="", help="what the new version is about, for the history")
    add("setup-code", setup_code, "print the code of the guided set-up, while nobody has a PIN")
    pin = add("pin", pin_run, "give somebody of the office a PIN for the console, or take it away")
    pin.add_argument("person", metavar="PERSON", help="id of the person in the office document")
    pin.add_argument("--remove", action="store_true", help="take the PIN away: no more signing in")
    sync = add("sync", sync_run, "carry events to the commune server")
    sync.add_argument("--once", action="store_true", help="push until nothing waits, then end")
    enrol = add("enrol", _enrol, "join a commune server with a one-time code from its page")
    enrol.add_argument(
        "url", metavar="URL", nargs="?", default="", help="address of the server, as https://may-chu.example"
    )
    enrol.add_argument("code", metavar="CODE", nargs="?", default="", help="the code, as ABCD-EFGH")
    enrol.add_argument("--replace", action="store_true", help="take the place of the kiosk that the code is for")
    enrol.add_argument("--leave", action="store_true", help="have no server any more")
    enrol.add_argument("--ca-file", metavar="FILE", type=Path, help="certificate authority of the server")
    enrol.add_argument("--allow-plain-http", action="store_true", help="allow http:// beyond this machine")
    export = add("export", export_run, "write events that wait for the server to a USB stick")
    export.add_argument("folder", metavar="DIR", type=Path, help="folder of the stick")
    export.add_argument("--all", action="store_true", help="all events that are kept, not only those that wait")
    sheet = add("print-test", print_test, "print a calibration sheet")
    sheet.add_argument("--printer", metavar="URL", help="this printer instead of the configured one")
    sheet.add_argument("--picture", metavar="FILE", type=Path, help="write the sheet to a PNG file instead")
    day = add("day", day_run, "open or close the office for a day, whatever its calendar says")
    day.add_argument("day", metavar="DATE", type=_day, help="the day, as 2026-11-24")
    day.add_argument("kind", metavar="KIND", choices=("off", "work", "half", "usual"), help="off, work, half or usual")
    day.add_argument("--reason", metavar="TEXT", default="", help="why, as citizens read it")
    quota = add("quota", quota_run, "give more numbers of a service today than its quota")
    quota.add_argument("service", metavar="SERVICE", help="id of the service")
    quota.add_argument("numbers", metavar="N", type=int, help="how many more; 0 takes it back")
    quota.add_argument("--session", metavar="ID", help="id of the session (else the running one)")
    figures = add("dossiers", dossiers_run, "show or enter the figures of dossiers (công khai tiến độ) on the board")
    figures.add_argument("file", metavar="FILE", type=Path, nargs="?", help="a CSV file with one row of figures")
    figures.add_argument("--as-of", metavar="TIME", default="", help="from when the figures are, as 2026-11-20T17:00")
    for option, says in DOSSIER_OPTIONS.items():
        figures.add_argument(option, metavar="N", default="", help=says)
    figures.add_argument("--clear", action="store_true", help="take the figures off the board")
    clock = add("clock", clock_run, "say what time it is, and vouch for it on a kiosk that has no sure clock")
    clock.add_argument(
        "time",
        metavar="TIME",
        nargs="?",
        help="the true local time, as 2026-11-23T07:12; or yes: the one shown is right",
    )
    voice = add("voice", _voice, "the voice that calls people: its clips, recordings, and a call to hear", config=False)
    from kiosk.voice import options as voice_options

    voice_options.add_to(voice)
    screens = add("screens", _screens, "pictures of every view and slip, with a page to look at them", config=False)
    from kiosk.gallery import options as screens_options

    screens_options.add_to(screens)
    add("prepare", prepare_run, "check the database, restore the newest backup if it is damaged")
    add("backup", backup_run, "make a backup of the database; the newest seven are kept")
    restore = add("restore", restore_run, "put a backup in place of the database")
    restore.add_argument("file", metavar="FILE", type=Path, help="a file of the folder backup/")
    return top


# --- commands ------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """`kiosk run`."""
    from kiosk.setup import load

    try:
        setup = load(options.config)
    except ValueError:
        from kiosk.broken import say_until_changed

        if os.environ.get("DEBUG") or not say_until_changed(options.config):
            raise
        return 1
    from kiosk.app import App  # only now: a wrong configuration is said before any hardware is touched
    from kiosk.clock import SystemClock

    app = App(setup.config, setup.office, setup.words, SystemClock())
    _on_signals(app.stop)
    app.run()
    return 0


def show_config(options: argparse.Namespace) -> int:
    """`kiosk config`."""
    from kiosk.config import effective, load_config

    print(effective(load_config(options.config)), end="")
    return 0


def _check(options: argparse.Namespace) -> int:
    from kiosk.check import main as check

    return check(options.config, options.office)


def _demo(options: argparse.Namespace) -> int:
    from kiosk.simulator.demo import main as demo

    return demo(options)


def _voice(options: argparse.Namespace) -> int:
    from kiosk.voice.command import main as voice

    return voice(options)


def _screens(options: argparse.Namespace) -> int:
    from kiosk.gallery.command import main as screens

    return screens(options)


def _office(options: argparse.Namespace) -> int:
    from kiosk.office_command import run as office

    return office(options)


def _enrol(options: argparse.Namespace) -> int:
    from kiosk.enrol_command import run as enrol

    return enrol(options)


def setup_code(options: argparse.Namespace) -> int:
    """`kiosk setup-code`."""
    with _open_store(options.config) as (store, now, *_):
        code = store.setting_up.code(now)
    if not code:
        raise ValueError("the set-up is over: somebody has a PIN (kiosk pin PERSON gives another one)")
    print(code)
    return 0


def console_run(options: argparse.Namespace) -> int:
    """`kiosk console`."""
    from kiosk.clock import SystemClock
    from kiosk.console.server import Console
    from kiosk.setup import load

    setup = load(options.config)
    console = Console(setup.config, setup.words, SystemClock())
    _on_signals(console.stop)
    console.run()
    return 0


def pin_run(options: argparse.Namespace) -> int:
    """`kiosk pin`: asked twice at a terminal, else read from standard input."""
    from kiosk.setup import load

    people = [person.id for person in load(options.config).office.clerks]
    if options.person not in people:
        raise ValueError(f"nobody is called {options.person!r}: the office document has {', '.join(people)}")
    pin = "" if options.remove else _asked_pin()
    with _open_store(options.config) as (store, now, _):
        if options.remove:
            store.people.remove(now, options.person, "command line")
        else:
            store.people.set_pin(now, options.person, pin, "command line")
    print(f"{options.person}: {'no PIN' if options.remove else 'PIN set'}")
    return 0


def _asked_pin() -> str:
    from getpass import getpass

    from kiosk.pins import BadPin, check

    pin = getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if sys.stdin.isatty() and getpass("PIN again: ") != pin:
        raise ValueError("the two are not the same")
    try:
        return check(pin)
    except BadPin as error:
        says = {"digits": "4 to 12 digits", "easy": "not a row of equal or counting digits"}
        raise ValueError(f"this PIN may not be: {says[error.reason]}") from error


def sync_run(options: argparse.Namespace) -> int:
    """`kiosk sync`: until it is stopped; without a server it waits, so that one can be configured later."""
    from kiosk.clock import SystemClock
    from kiosk.setup import load_device
    from kiosk.store.prepare import prepare

    config, clock = load_device(options.config), SystemClock()
    folder = Path(config.data_dir)
    if not config.sync.server:
        print("kiosk: no server is configured (kiosk enrol, or [sync] server): events wait here", file=sys.stderr)
        if options.once:
            return 0
    prepare(folder, clock.now())
    if not config.sync.server:
        from kiosk.waiting import Waiting

        return _until_stopped(Waiting(folder, clock))
    from kiosk.uplink import Uplink

    uplink = Uplink(config, clock)
    return _push_once(uplink) if options.once else _until_stopped(uplink)


def _until_stopped(process: "Waiting") -> int:
    _on_signals(process.stop)
    process.run()
    return 0


def _push_once(uplink: "Uplink") -> int:
    while True:
        outcome = uplink.push()
        if outcome.state not in ("ok", "resend"):
            print(f"kiosk: {outcome.detail}; {outcome.backlog} events wait", file=sys.stderr)
            return 1
        if not outcome.backlog:
            return 0


def export_run(options: argparse.Namespace) -> int:
    """`kiosk export`."""
    from kiosk.clock import SystemClock
    from kiosk.feed import make_outbox, status
    from kiosk.setup import load_device
    from kiosk.store.comments import CommentTexts
    from kiosk.store.database import Database
    from kiosk.store.facts import device_id
    from kiosk.store.prepare import prepare
    from sync.export import export

    config, clock = load_device(options.config), SystemClock()
    folder = Path(config.data_dir)
    prepare(folder, clock.now())
    database = Database(folder)
    outbox, device = make_outbox(database, clock), device_id(folder, config.device)
    state, texts = status(database, clock.now()), CommentTexts(database, clock.now)
    done = export(outbox, options.folder, device, state, everything=options.all, texts=texts)
    database.close()
    waits = done.path or done.texts
    print(f"{done.count} event{'s' * (done.count != 1)} → {done.path}" if done.path else "no event waits")
    print(f"the words of {done.texts} comments" if waits else "the server has everything")
    return 0


def print_test(options: argparse.Namespace) -> int:
    """`kiosk print-test`."""
    from kiosk.calibration import calibration
    from kiosk.parts import printer_profile
    from kiosk.printer import Printer, open_transport
    from kiosk.setup import load_device

    config = load_device(options.config)
    sheet = calibration(config.printer.dots)
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
    print(f"printed on {url}" + ("" if receipt.confirmed else " (the printer did not confirm)"))
    return 0


def day_run(options: argparse.Namespace) -> int:
    """`kiosk day`."""
    kind = "" if options.kind == "usual" else options.kind
    with _open_store(options.config) as (store, now, _):
        store.overrides.set_day(now, options.day, kind, options.reason)
    print(f"{options.day}: {options.kind} {options.reason}".rstrip())
    return 0


def quota_run(options: argparse.Namespace) -> int:
    """`kiosk quota`."""
    with _open_store(options.config) as (store, now, _):
        if not options.session and store.opening(now).status != "open":
            raise ValueError("no session is running now: name one with --session")
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

    texts = {name: getattr(options, name) for name in dossiers.COUNTS}
    by_hand = any(texts.values())
    if sum((bool(options.file), by_hand, options.clear)) > 1 or (options.clear and options.as_of):
        raise ValueError("give a FILE, or the figures one by one, or --clear: only one of them")
    if options.file:
        return dossiers.read_file(options.file, options.as_of)
    if not by_hand and not options.as_of:
        return None
    return dossiers.read({**texts, "as_of": options.as_of}, lambda name: f"--{name.replace('_', '-')}")


@contextmanager
def _open_store(config_file: str | None) -> Iterator[tuple["Store", "Moment", "Words"]]:
    """The database beside a kiosk that may be running, with the office's rules; the time, and the office's words."""
    from kiosk.clock import SystemClock, Vouched
    from kiosk.setup import load
    from kiosk.store import Store
    from kiosk.store.prepare import prepare

    setup, clock = load(config_file), SystemClock()
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
        if options.time:
            said = now.at if options.time == "yes" else _site_time(options.time)
            if not believable(said, RELEASED):
                raise ValueError(f"{said:%d/%m/%Y} cannot be: this version is of {RELEASED:%d/%m/%Y}")
            store.note(now, "vouched", Vouched("manual", said, now.boot, now.mono).text())
            print(f"{said.astimezone(SITE_TIME):%d/%m/%Y %H:%M} (manual)")
        else:
            print(f"{now.local:%d/%m/%Y %H:%M} ({now.quality})")
            if not now.trusted:
                print(f"→ {words.t('clock.untrusted')}")
    return 0


def _site_time(text: str) -> datetime:
    from kiosk.clock import SITE_TIME

    try:
        said = datetime.fromisoformat(text)
        return said if said.tzinfo else said.replace(tzinfo=SITE_TIME)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: write it as 2026-11-23T07:12, or yes") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-24") from error


def prepare_run(options: argparse.Namespace) -> int:
    """`kiosk prepare`."""
    from kiosk.clock import SystemClock
    from kiosk.setup import load_device
    from kiosk.store.prepare import prepare

    done = prepare(Path(load_device(options.config).data_dir), SystemClock().now())
    if done.set_aside:
        print(f"the database was damaged: set aside as {done.set_aside}, restored: {done.restored or 'nothing'}")
    return 0


def backup_run(options: argparse.Namespace) -> int:
    """`kiosk backup`."""
    from kiosk.clock import SystemClock
    from kiosk.setup import load_device
    from kiosk.store.prepare import backup

    print(backup(Path(load_device(options.config).data_dir), SystemClock().now()))
    return 0


def restore_run(options: argparse.Namespace) -> int:
    """`kiosk restore`."""
    from kiosk.clock import SystemClock
    from kiosk.setup import load_device
    from kiosk.store.prepare import restore

    done = restore(Path(load_device(options.config).data_dir), options.file, SystemClock().now())
    print(f"restored {done.restored}; the database before it is {done.set_aside or 'gone'}")
    return 0


def _on_signals(stop: Callable[[], None]) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop())


if __name__ == "__main__":
    logging.captureWarnings(True)
    sys.exit(main())
