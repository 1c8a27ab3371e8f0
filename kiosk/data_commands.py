"""The commands that keep and carry the data: upload, export, preparation, backup, restore.

Each takes the options of the command line and returns an exit status; systemd runs most of them.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.notify import notify
from kiosk.signals import on_signals

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.uplink import Uplink
    from kiosk.waiting import Waiting
    from sync.export import Exported


def sync_run(options: argparse.Namespace) -> int:
    """`kiosk sync`: until it is stopped; without a server or a token it waits, so that they can be configured later."""
    from kiosk.clock import SystemClock
    from kiosk.setup import load_device
    from kiosk.standby import loaded
    from kiosk.store.prepare import prepare

    config = load_device(options.config) if options.once else loaded(load_device, options.config)
    if config is None:
        return 1
    clock, folder = SystemClock(), Path(config.data_dir)
    if not config.sync.server:
        print("kiosk: no server is configured (kiosk enrol, or [sync] server): events wait here", file=sys.stderr)
        if options.once:
            return 0
    prepare(folder, clock.now())
    if not config.sync.server:
        from kiosk.waiting import Waiting

        return _until_stopped(Waiting(folder, clock))
    if not options.once and (problem := _token_problem(config)):
        from kiosk.waiting import Waiting

        print(f"kiosk: {problem}: events wait here until there is one", file=sys.stderr)
        return _until_stopped(Waiting(folder, clock, lambda: not _token_problem(config)))
    from kiosk.uplink import Uplink

    uplink = Uplink(config, clock)
    return _push_once(uplink) if options.once else _until_stopped(uplink)


def _token_problem(config: "Config") -> str:
    from kiosk.config import read_token

    try:
        read_token(Path(config.sync.token_file))
    except ValueError as error:
        return str(error)
    return ""


def _until_stopped(process: "Waiting") -> int:
    on_signals(process.stop)
    notify("READY=1")
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
    from kiosk.setup import load_device
    from kiosk.telling import reader

    done, t = exported(load_device(options.config), options.folder, everything=options.all), reader(options.config)
    print(t("export.events", n=t.number(done.count, 0), tep=done.path) if done.path else t("export.no_events"))
    print(t("export.texts", n=t.number(done.texts, 0)) if done.path or done.texts else t("export.all_sent"))
    return 0


def exported(config: "Config", to: Path, *, everything: bool) -> "Exported":
    """Write what waits for the server (or all that is kept) into a folder. Raises ExportError and StoreError."""
    from kiosk.clock import SystemClock
    from kiosk.feed import make_outbox, status
    from kiosk.store.comments import CommentTexts
    from kiosk.store.database import Database
    from kiosk.store.facts import device_id
    from kiosk.store.prepare import prepare
    from sync.export import export

    clock, folder = SystemClock(), Path(config.data_dir)
    prepare(folder, clock.now())
    database = Database(folder)
    try:
        outbox, device = make_outbox(database, clock), device_id(folder, config.device)
        state, texts = status(database, clock.now()), CommentTexts(database, clock.now)
        return export(outbox, to, device, state, everything=everything, texts=texts)
    finally:
        database.close()


def prepare_run(options: argparse.Namespace) -> int:
    """`kiosk prepare`."""
    from kiosk.clock import SystemClock
    from kiosk.setup import load_device
    from kiosk.store.prepare import prepare
    from kiosk.telling import reader

    done = prepare(Path(load_device(options.config).data_dir), SystemClock().now())
    if done.set_aside:
        key = "store.set_aside" if done.restored else "store.set_aside_empty"
        print(reader(options.config)(key, tep=done.set_aside, ban=done.restored))
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
    from kiosk.store.facts import device_id
    from kiosk.store.prepare import restore
    from kiosk.telling import reader

    config = load_device(options.config)
    folder = Path(config.data_dir)
    device = "" if options.other_kiosk else device_id(folder, config.device)
    done = restore(folder, options.file, SystemClock().now(), device)
    key = "store.restored" if done.set_aside else "store.restored_alone"
    print(reader(options.config)(key, ban=done.restored, tep=done.set_aside))
    return 0
