"""`kiosk stick`: what a USB stick named KIOSKEXPORT gets, and a slip that says so. `kiosk factory-reset`: forget all.

A person who plugs a stick in sees no terminal: the slip is the answer. It comes when root's helper has let go of the
stick, because it says that it may be pulled out. A part that fails keeps no other one away.
"""

import argparse
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from kiosk import collect, data_commands, sheets
from kiosk.clock import SystemClock
from kiosk.config import Config, load_config
from kiosk.setup import load_device
from kiosk.store.database import Database, StoreError, connect
from kiosk.store.facts import device_id
from kiosk.store.locks import lock
from kiosk.store.look import is_running
from kiosk.store.orders import Orders
from kiosk.telling import reason, sentence
from kiosk.texts import Texts
from sync import outbox

_LAST = "lock"
FORBIDDEN = 3
"""Exit status that says no: any other than 0 means that nobody could say."""


def run(options: argparse.Namespace) -> int:
    """`kiosk stick`: exit status 1 when the stick may not be used, or the events are not on it."""
    config = load_device(options.config)
    if options.may:
        return _may(config, options.may)
    if options.slip:
        _print_slip(config, sys.stdin.read().splitlines() if options.slip == "whole" else [])
        return 0
    if not options.folder:
        raise ValueError("name the folder of the stick: kiosk stick DIR")
    return _fill(options, config)


def _may(config: Config, kind: str) -> int:
    """Asked by root's helper before it touches a stick."""
    if getattr(config.sticks, kind):
        return 0
    print(f"[sticks] {kind} = false in {config.file}: the stick is left alone", file=sys.stderr)
    return FORBIDDEN


def _fill(options: argparse.Namespace, config: Config) -> int:
    """Write what waits for the server, and a support bundle."""
    t = Texts(config.language)
    lines = [_events(config, options.folder, t), _bundle(options.config, options.folder, t)]
    print("\n".join(line for _, line in lines))
    return 0 if lines[0][0] else 1


def _events(config: Config, folder: Path, t: Texts) -> tuple[bool, str]:
    try:
        done = data_commands.exported(config, folder, everything=False)
    except (OSError, sqlite3.DatabaseError) as error:
        return False, t("test_sheet.stick_failed", loi=sentence(error, t))
    if done.path is None and not done.texts:
        return True, t("test_sheet.stick_nothing")
    return True, t("test_sheet.stick_events", n=t.number(done.count, 0))


def _bundle(config_file: str | None, folder: Path, t: Texts) -> tuple[bool, str]:
    try:
        bundle = collect.collect(config_file)
        collect.put(bundle.packed(), bundle.name, str(folder / f"{bundle.name}.tar.gz"))
    except OSError as error:
        return False, t("test_sheet.stick_failed", loi=reason(error, t))
    return True, t("test_sheet.stick_bundle")


def _print_slip(config: Config, lines: list[str]) -> None:
    """By the running kiosk, which owns the printer; no lines: nobody knows what is on the stick."""
    folder, said = Path(config.data_dir), list(filter(None, lines))
    lines = said or [Texts(config.language)("test_sheet.stick_lost")]
    if is_running(folder):
        with closing(Database(folder)) as database:
            Orders(database).give(SystemClock().now(), "printer", sheets.STICK, by="stick", data="\n".join(lines))


def reset(options: argparse.Namespace) -> int:
    """Delete everything in the data folder; kiosk.toml and the program stay. Nothing may run on it meanwhile."""
    config = load_config(options.config)
    folder, t = Path(config.data_dir), Texts(config.language)
    name = device_id(folder, config.device)
    if options.device != name:
        raise ValueError(t("reset.other_name", may=name))
    with lock(folder) as alone:
        if not alone:
            raise ValueError(t("store.running"))
        if not options.even_unsent and (waiting := _unsent(folder)):
            raise ValueError(t("reset.unsent", n=t.number(waiting, 0)))
        _empty(folder)
    print(t("reset.done", noi=folder))
    return 0


def _unsent(folder: Path) -> int:
    """Events that no server has; those of a database that cannot be read are lost already."""
    path = folder / "kiosk.db"
    if not path.exists():
        return 0
    try:
        with closing(connect(path)) as conn:
            return outbox.backlog(conn)
    except (sqlite3.DatabaseError, StoreError):
        return 0


def _empty(folder: Path) -> None:
    """The database last: a power cut in between leaves a kiosk that can be emptied again."""
    for path in sorted(folder.iterdir(), key=lambda path: (path.name == _LAST, path.name.startswith("kiosk.db"))):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
