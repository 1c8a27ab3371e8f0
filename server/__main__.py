"""The command line: `kiosk-server`, or `python -m server`."""

import argparse
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from kiosk.documents import DocumentError
from kiosk.notify import notify
from server import config as configuration

logger = logging.getLogger("server")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; errors are one line and status 1, with the traceback if DEBUG is set."""
    options = _parser().parse_args(argv)
    if options.config:
        os.environ[configuration.ENVIRONMENT] = options.config
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
    try:
        return int(options.run(options))
    except (DocumentError, OSError, ValueError) as error:
        if os.environ.get("DEBUG"):
            raise
        print(f"kiosk-server: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk-server", description="The commune server.")
    parser.add_argument("--config", help="server.toml; else $KIOSK_SERVER_CONFIG or /etc/kiosk-server/server.toml")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="serve, and do what is to be done in between").set_defaults(run=_run)
    work = commands.add_parser("work", help="do what is to be done in between; `run` starts it")
    work.add_argument("--parent", type=int, default=0, help="end with the process of this number")
    work.set_defaults(run=_work)
    commands.add_parser("prepare", help="make or migrate the database").set_defaults(run=_prepare)
    files = commands.add_parser("import", help="take in files that kiosks exported to a USB stick")
    files.add_argument("path", metavar="PATH", type=Path, help="a file, or the folder of the stick")
    files.set_defaults(run=_import)
    operator = commands.add_parser(
        "operator", help="make an account for whoever runs this server, or give it a new password"
    )
    operator.add_argument("username")
    operator.add_argument("--name", default="")
    operator.set_defaults(run=_operator)
    setup = commands.add_parser("setup", help="make a commune with its administrator and a code for its first kiosk")
    setup.add_argument("--code", required=True, help="official code of the commune")
    setup.add_argument("--name", required=True, help='its full name, as "xã Mẫu"')
    setup.add_argument("--site", default="chinh", help="id of its reception point in the office document")
    setup.add_argument("--site-name", default="", help="name of the reception point; else “Trụ sở” and the commune's")
    setup.add_argument("--admin", default="", help="name of its administrator's account; else quan-tri-CODE")
    setup.set_defaults(run=_set_up)
    backup = commands.add_parser("backup", help="copy the database to a new file, also while it is in use (SQLite)")
    backup.add_argument("file", metavar="FILE", type=Path)
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put such a copy in place of the database; stop the server before")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.set_defaults(run=_restore)
    return parser


def _setup() -> None:
    import django

    django.setup()


def _prepare(options: argparse.Namespace) -> int:
    config = configuration.load()
    configuration.check_meant(config)
    configuration.make_folder(config)
    _setup()
    from django.core.management import call_command

    with (config.folder / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a command beside a server that starts: one of them migrates, the other waits
        call_command("migrate", verbosity=0, interactive=False)
    return 0


def _operator(options: argparse.Namespace) -> int:
    _prepare(options)
    from server import clock
    from server.commands import make_operator

    print(make_operator(options.username, options.name, clock.now()))
    return 0


def _set_up(options: argparse.Namespace) -> int:
    _prepare(options)
    from server import clock
    from server.commands import set_up

    print(set_up(options.code, options.name, options.site, options.site_name, options.admin, clock.now()))
    return 0


def _import(options: argparse.Namespace) -> int:
    _prepare(options)
    from server import clock
    from server.commands import take_in
    from server.work import settle

    now = clock.now()
    said, whole = take_in(options.path, now)
    print(said)
    settle(now)
    return 0 if whole else 1


def _backup(options: argparse.Namespace) -> int:
    from server.backup import backup

    print(backup(configuration.load(), options.file))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from server import clock
    from server.backup import restore

    print(restore(configuration.load(), options.file, clock.now()))
    return 0


def _run(options: argparse.Namespace) -> int:
    _prepare(options)
    from django.conf import settings

    from server.jobs import Jobs
    from server.web import keep_still, listening
    from server.wsgi import application

    web = listening(application, settings.CONFIG)
    command = [sys.executable, "-m", "server", "--config", settings.CONFIG.file, "work"]
    jobs = Jobs([*command, "--parent", str(os.getpid())])
    logger.info("the commune server answers on http://%s:%s", settings.CONFIG.listen, web.effective_port)
    if settings.CONFIG.only_here:
        logger.warning("no other machine finds it: set url in %s, now %s", settings.CONFIG.file, settings.CONFIG.url)
    (settings.CONFIG.folder / "port").write_text(str(web.effective_port))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    keep_still()
    notify("READY=1")
    try:
        web.run()
    finally:
        jobs.stop()
    return 0


def _work(options: argparse.Namespace) -> int:
    _setup()
    from server.pull.worker import Puller
    from server.reports.memory import keep_nothing
    from server.work import ASIDE, Worker

    keep_nothing()
    # Told by the parent itself: the end of one that was killed while this process began could not be seen here.
    parent = options.parent or os.getppid()
    worker, aside, puller = Worker(), Worker(ASIDE).start(), Puller().start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    try:
        worker.run(lambda: os.getppid() == parent and aside.is_alive())
    finally:
        puller.stop()
        aside.stop()
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
