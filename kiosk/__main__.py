"""The command line. Commands make their parts and run them; an error is one line and exit 1 (DEBUG=1: traceback)."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

from kiosk import __version__

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
        from kiosk.telling import reader, sentence

        print(f"kiosk: {sentence(error, reader(getattr(options, 'config', None)))}", file=sys.stderr)
        return 1


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
    demo = add("demo", _in("simulator.demo:main"), "the whole appliance in a browser, without hardware", config=False)
    from kiosk.simulator import options as demo_options

    demo_options.add_to(demo)
    check = add("check", _in("check:run"), "look at every part and say what to do about what is wrong")
    check.add_argument("--office", metavar="FILE", help="check this office document instead of the configured one")
    check.add_argument("--lang", metavar="CODE", choices=("vi", "en"), default="", help="say it in vi or en")
    check.add_argument("--json", action="store_true", help="say it for programs")
    bundle = add("collect", _in("collect:run"), "write a support bundle: how this device is, without anybody's data")
    bundle.add_argument(
        "--out", metavar="FILE", default="", help="file or folder to write it to, - for standard output (else /tmp)"
    )
    add("config", show_config, "print the configuration in force, with where each value comes from")
    add("console", console_run, "the LAN's web pages: clerks, board, rating panels, phones")
    office = add(
        "office",
        _in("office_command:run"),
        "show the office document in force, replace it, or bring an earlier one back",
    )
    office.add_argument("action", metavar="ACTION", choices=("show", "apply", "history", "restore"))
    office.add_argument(
        "what", metavar="FILE|N", nargs="?", default="", help="apply: a document; restore: a number of the history"
    )
    office.add_argument("--note", metavar="TEXT", default="", help="what the new version is about, for the history")
    add(
        "setup-code",
        _in("staff_commands:setup_code"),
        "print the code of the guided set-up, while nobody has a PIN",
    )
    pin = add(
        "pin", _in("staff_commands:pin_run"), "give somebody of the office a PIN for the console, or take it away"
    )
    pin.add_argument("person", metavar="PERSON", help="id of the person in the office document")
    pin.add_argument("--remove", action="store_true", help="take the PIN away: no more signing in")
    sync = add("sync", _in("data_commands:sync_run"), "carry events to the commune server")
    sync.add_argument("--once", action="store_true", help="push until nothing waits, then end")
    enrol = add("enrol", _in("enrol_command:run"), "join a commune server with a one-time code from its page")
    enrol.add_argument(
        "url", metavar="URL", nargs="?", default="", help="address of the server, as https://may-chu.example"
    )
    enrol.add_argument("code", metavar="CODE", nargs="?", default="", help="the code, as ABCD-EFGH")
    enrol.add_argument("--replace", action="store_true", help="take the place of the kiosk that the code is for")
    enrol.add_argument("--leave", action="store_true", help="have no server any more")
    enrol.add_argument("--ca-file", metavar="FILE", type=Path, help="certificate authority of the server")
    enrol.add_argument("--allow-plain-http", action="store_true", help="allow http:// beyond this machine")
    export = add("export", _in("data_commands:export_run"), "write events that wait for the server to a USB stick")
    export.add_argument("folder", metavar="DIR", type=Path, help="folder of the stick")
    export.add_argument("--all", action="store_true", help="all events that are kept, not only those that wait")
    stick = add("stick", _in("stick_command:run"), "fill a USB stick named KIOSKEXPORT, and print what became of it")
    stick.add_argument("folder", metavar="DIR", type=Path, nargs="?", help="folder of the stick")
    stick.add_argument("--may", choices=("export", "backup"), help="only say whether kiosk.toml allows it")
    stick.add_argument(
        "--slip", choices=("whole", "lost"), help="only print the slip: the lines of standard input, or that it failed"
    )
    reset = add("factory-reset", _in("stick_command:reset"), "forget all data of this kiosk, for another office")
    reset.add_argument("device", metavar="DEVICE", help="the id of this kiosk, so that none is emptied by mistake")
    reset.add_argument("--even-unsent", action="store_true", help="also events that no server has taken")
    sheet = add("print-test", _in("staff_commands:print_test"), "print a calibration sheet")
    sheet.add_argument("--printer", metavar="URL", help="this printer instead of the configured one")
    sheet.add_argument("--picture", metavar="FILE", type=Path, help="write the sheet to a PNG file instead")
    sheet.add_argument("--console", action="store_true", help="the address of the pages for staff, with its code")
    handover = add("handover", _in("handover:run"), "write the hand-over record (biên bản bàn giao) to print and sign")
    handover.add_argument("--out", metavar="FILE", type=Path, help="the HTML file (else ban-giao-DEVICE.html here)")
    day = add("day", _in("staff_commands:day_run"), "open or close the office for a day, whatever its calendar says")
    day.add_argument("day", metavar="DATE", type=_day, help="the day, as 2026-11-24")
    day.add_argument("kind", metavar="KIND", choices=("off", "work", "half", "usual"), help="off, work, half or usual")
    day.add_argument("--reason", metavar="TEXT", default="", help="why, as citizens read it")
    quota = add("quota", _in("staff_commands:quota_run"), "give more numbers of a service today than its quota")
    quota.add_argument("service", metavar="SERVICE", help="id of the service")
    quota.add_argument("numbers", metavar="N", type=int, help="how many more; 0 takes it back")
    quota.add_argument("--session", metavar="ID", help="id of the session (else the running one)")
    figures = add(
        "dossiers",
        _in("staff_commands:dossiers_run"),
        "show or enter the figures of dossiers (công khai tiến độ) on the board",
    )
    figures.add_argument("file", metavar="FILE", type=Path, nargs="?", help="a CSV file with one row of figures")
    figures.add_argument("--as-of", metavar="TIME", default="", help="from when the figures are, as 2026-11-20T17:00")
    for option, says in DOSSIER_OPTIONS.items():
        figures.add_argument(option, metavar="N", default="", help=says)
    figures.add_argument("--clear", action="store_true", help="take the figures off the board")
    clock = add(
        "clock",
        _in("staff_commands:clock_run"),
        "say what time it is, and vouch for it on a kiosk that has no sure clock",
    )
    clock.add_argument(
        "time",
        metavar="TIME",
        nargs="?",
        help="the true local time, as 2026-11-23T07:12; or yes: the one shown is right",
    )
    voice = add(
        "voice",
        _in("voice.command:main"),
        "the voice that calls people: its clips, recordings, and a call to hear",
        config=False,
    )
    from kiosk.voice import options as voice_options

    voice_options.add_to(voice)
    screens = add(
        "screens",
        _in("gallery.command:main"),
        "pictures of every view and slip, with a page to look at them",
        config=False,
    )
    from kiosk.gallery import options as screens_options

    screens_options.add_to(screens)
    add(
        "prepare",
        _in("data_commands:prepare_run"),
        "check the database, restore the newest backup if it is damaged",
    )
    add("backup", _in("data_commands:backup_run"), "make a backup of the database; the newest seven are kept")
    restore = add("restore", _in("data_commands:restore_run"), "put a backup in place of the database")
    restore.add_argument("file", metavar="FILE", type=Path, help="a file of the folder backup/")
    restore.add_argument(
        "--other-kiosk", action="store_true", help="it may be of another kiosk, for which this one stands in"
    )
    update = add(
        "update",
        _in("update_command:update_run"),
        "install a signed release, go back to the one before, or say what became of the last one",
        config=False,
    )
    update.add_argument("what", metavar="FILE|URL", nargs="?", default="", help="the release; its .sig lies beside it")
    update.add_argument("--rollback", action="store_true", help="go back to the release before")
    update.add_argument("--status", action="store_true", help="what runs, and what became of the last update")
    update.add_argument("--allow-downgrade", action="store_true", help="install an older release too")
    update.add_argument("--again", action="store_true", help="install a release that was taken back once")
    fetch = add(
        "fetch-update",
        _in("update_command:fetch_run"),
        "fetch a newer release, and say whether it may be installed now",
    )
    fetch.add_argument("url", metavar="URL", nargs="?", default="", help="this release, whatever [update] says")
    add("fits", _in("update_command:fits_run"), "say whether this program can go on with the device's files")
    return top


# --- commands ------------------------------------------------------------------------------------------------


def _in(place: str) -> Command:
    """The function at "module:name" below kiosk, read only when it is called: no command loads what another needs."""
    module, _, name = place.partition(":")
    return lambda options: int(getattr(import_module(f"kiosk.{module}"), name)(options))


def run(options: argparse.Namespace) -> int:
    """`kiosk run`."""
    from kiosk.setup import load

    try:
        setup = load(options.config)
    except ValueError:
        from kiosk.broken import say_until_changed

        if os.environ.get("DEBUG"):
            raise
        say_until_changed(options.config)
        return 1
    from kiosk.app import App  # only now: a wrong configuration is said before any hardware is touched
    from kiosk.clock import SystemClock
    from kiosk.signals import on_signals

    app = App(setup.config, setup.office, setup.words, SystemClock())
    on_signals(app.stop)
    app.run()
    return 0


def show_config(options: argparse.Namespace) -> int:
    """`kiosk config`."""
    from kiosk.config import effective, load_config

    print(effective(load_config(options.config)), end="")
    return 0


def console_run(options: argparse.Namespace) -> int:
    """`kiosk console`."""
    from kiosk.clock import SystemClock
    from kiosk.console.server import Console
    from kiosk.setup import load
    from kiosk.signals import on_signals
    from kiosk.standby import loaded

    setup = loaded(load, options.config)
    if setup is None:
        return 1
    console = Console(setup.config, setup.words, SystemClock())
    on_signals(console.stop)
    console.run()
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-24") from error


if __name__ == "__main__":
    logging.captureWarnings(True)
    sys.exit(main())
