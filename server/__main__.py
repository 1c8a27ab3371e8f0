"""The command line: `kiosk-server`, or `python -m server`."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from getpass import getpass
from types import FrameType

from kiosk.documents import DocumentError
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
    work.set_defaults(run=_work)
    commands.add_parser("prepare", help="make or migrate the database").set_defaults(run=_prepare)
    operator = commands.add_parser("operator", help="make an account for whoever runs this server")
    operator.add_argument("username")
    operator.add_argument("--name", default="")
    operator.set_defaults(run=_operator)
    return parser


def _setup() -> None:
    import django

    django.setup()


def _prepare(options: argparse.Namespace) -> int:
    configuration.make_folder(configuration.load())
    _setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    return 0


def _operator(options: argparse.Namespace) -> int:
    _prepare(options)
    from server.accounts.models import Role, User

    password = getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    User.objects.create_user(options.username, password, name=options.name or options.username, role=Role.OPERATOR)
    return 0


def _run(options: argparse.Namespace) -> int:
    _prepare(options)
    from django.conf import settings
    from waitress.server import create_server

    from server.jobs import Jobs
    from server.wsgi import application

    web = create_server(
        application,
        host=settings.CONFIG.listen,
        port=settings.CONFIG.port,
        threads=settings.CONFIG.threads,
        max_request_body_size=8 * 1024 * 1024,
        channel_timeout=60,
        ident="",
    )
    jobs = Jobs([sys.executable, "-m", "server", "--config", settings.CONFIG.file, "work"])
    logger.info("the commune server answers on http://%s:%s", settings.CONFIG.listen, web.effective_port)
    (settings.CONFIG.folder / "port").write_text(str(web.effective_port))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        web.run()
    finally:
        jobs.stop()
    return 0


def _work(options: argparse.Namespace) -> int:
    _setup()
    from server.work import Worker

    parent, worker = os.getppid(), Worker()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    worker.run(lambda: os.getppid() == parent)
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
