"""A commune server for tests: a real database of either engine, Django's client or a real socket, a known kiosk."""

import atexit
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(tempfile.mkdtemp(prefix="commune-server-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
(_FOLDER / "server.toml").write_text('data_dir = "data"\nurl = "http://testserver"\n')
os.environ["KIOSK_SERVER_CONFIG"] = str(_FOLDER / "server.toml")
os.environ["DJANGO_SETTINGS_MODULE"] = "server.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright has a loop of its own in the thread of the tests

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402
import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.cache import caches  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from waitress import wasyncore  # noqa: E402

from kiosk.office import sample  # noqa: E402
from server import config as configuration  # noqa: E402
from server import work  # noqa: E402
from server.accounts.models import User  # noqa: E402
from server.feed.intake import digest  # noqa: E402
from server.office.models import Document  # noqa: E402
from server.registry.models import Device, Site, Unit  # noqa: E402
from server.reports import memory, naming  # noqa: E402
from server.web import listening  # noqa: E402
from server.wsgi import application  # noqa: E402
from sync import wire  # noqa: E402

ENGINES = ("sqlite", "postgresql")
TOKEN = "token-of-the-kiosk-in-tests"
PASSWORD = "a-long-password-for-tests"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Server:
    """A server with one commune, one site and one kiosk, `k-7F3K2M`, that knows TOKEN. `url` only while it serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        caches["sign-in"].clear()
        self.client = Client()
        self.unit = Unit.objects.create(code="12345", name="xã Mẫu")
        self.site = Site.objects.create(unit=self.unit, key="chinh", name="Trụ sở xã Mẫu")
        Document.objects.create(
            site=self.site, kind="office", version=1, sha256=sample().sha256, content=sample().to_json(),
            at=NOW - timedelta(days=400), by="k-7F3K2M",
        )  # fmt: skip
        self.device = self.enrol("k-7F3K2M", TOKEN)
        self.url = ""

    def enrol(self, name: str, token: str, site: Site | None = None) -> Device:
        return Device.objects.create(name=name, site=site or self.site, token=digest(token))

    def push(self, batch: wire.Batch, token: str = TOKEN, packed: bool = True) -> Any:
        """The answer to a batch, as the kiosk's client would send it."""
        headers = {"Authorization": f"Bearer {token}"} | ({"Content-Encoding": "gzip"} if packed else {})
        body = wire.encode_batch(batch, packed)
        return self.client.post("/api/v1/feed", body, content_type=wire.CONTENT_TYPE, headers=headers)

    def settle(self, now: datetime = NOW) -> None:
        work.settle(now)

    def user(self, username: str, role: str, **fields: Any) -> User:
        """An account with PASSWORD; of the commune unless the role is for all."""
        unit = None if role in ("operator", "viewer") else self.unit
        return User.objects.create_user(
            username, PASSWORD, name=f"Người dùng {username}", role=role, unit=unit, **fields
        )

    def signed_in(self, username: str, role: str, **fields: Any) -> Client:
        """A browser in which such a new account is signed in."""
        client = Client()
        client.force_login(self.user(username, role, **fields), "django.contrib.auth.backends.ModelBackend")
        return client

    @contextmanager
    def serving(self, with_worker: bool = False) -> Iterator[str]:
        """The same server behind a real socket on loopback; yields its address."""
        web = listening(application, replace(settings.CONFIG, listen="127.0.0.1", port=0, threads=4))
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                wasyncore.loop(0.2, use_poll=True, map=web._map, count=1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        worker = work.Worker().start() if with_worker else None
        self.url = f"http://127.0.0.1:{web.effective_port}"
        try:
            yield self.url
        finally:
            if worker:
                worker.stop()
            ended.set()
            web.pull_trigger()
            thread.join(10)
            web.task_dispatcher.shutdown()
            wasyncore.close_all(web._map)


# --- databases ------------------------------------------------------------------------------------------------


def _use(database: dict[str, Any]) -> None:
    with suppress(AttributeError):
        connections["default"].close()
        del connections["default"]
    connections.settings = connections.configure_settings({"default": database})


def _sqlite(file: Path) -> dict[str, Any]:
    return {**configuration.database(replace(configuration.Config(), data_dir=str(file.parent))), "NAME": str(file)}


@cache
def _migrated_file() -> Path:
    """A migrated SQLite database to copy: migrating takes a second, copying does not."""
    file = _FOLDER / "migrated.db"
    _use(_sqlite(file))
    call_command("migrate", verbosity=0)
    connections["default"].close()
    return file


def postgres_programs() -> Path:
    """The folder of PostgreSQL's own programs, of the newest version that is here."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


@cache
def _cluster() -> str:
    """A PostgreSQL cluster of an ordinary user on loopback, for this process; its address without a database's name."""
    folder = Path(tempfile.mkdtemp(prefix="commune-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    who: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses root; Debian's package brings this user
        shutil.chown(folder, "postgres", "postgres")
        who = {"user": "postgres", "group": "postgres", "extra_groups": []}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **who}
    data, port = folder / "data", _free_port()
    bin = postgres_programs()
    subprocess.run(
        [bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True, **quiet
    )
    options = f"-p {port} -h 127.0.0.1 -c unix_socket_directories= -c fsync=off"
    ctl = [bin / "pg_ctl", "-D", data]
    subprocess.run([*ctl, "start", "-w", "-t", "60", "-o", options, "-l", folder / "log"], check=True, **quiet)
    atexit.register(subprocess.run, [*ctl, "stop", "-m", "immediate"], check=False, **quiet)
    return f"postgresql://postgres@127.0.0.1:{port}"


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def _sql(statement: str) -> None:
    with psycopg.connect(f"{_cluster()}/postgres", autocommit=True) as conn:
        conn.execute(statement)  # type: ignore[call-overload]


def _postgres(name: str) -> dict[str, Any]:
    made = configuration.database(replace(configuration.Config(), database=f"{_cluster()}/{name}"))
    return {**made, "CONN_MAX_AGE": 0}


def address() -> str:
    """The database in use as server.toml names it for a process of its own; "" for SQLite in the server's folder."""
    used = connections["default"]
    return f"{_cluster()}/{used.settings_dict['NAME']}" if used.vendor == "postgresql" else ""


@cache
def _migrated_name() -> str:
    _sql("CREATE DATABASE migrated")
    _use(_postgres("migrated"))
    call_command("migrate", verbosity=0)
    connections["default"].close()
    return "migrated"


@contextmanager
def fresh_database(engine: str, folder: Path) -> Iterator[None]:
    """Django on a new migrated database of this engine, until the end of the block."""
    if engine == "sqlite":
        shutil.copy(_migrated_file(), folder / "server.db")
        _use(_sqlite(folder / "server.db"))
        try:
            yield
        finally:
            connections["default"].close()
        return
    _migrated_name()
    name = f"test_{time.monotonic_ns()}"
    _sql(f"CREATE DATABASE {name} TEMPLATE migrated")
    _use(_postgres(name))
    try:
        yield
    finally:
        connections["default"].close()
        _sql(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[None]:
    """Django on a database of this engine without a single table, until the end of the block."""
    name = f"empty_{time.monotonic_ns()}"
    if engine == "postgresql":
        _sql(f"CREATE DATABASE {name}")
    _use(_sqlite(folder / "server.db") if engine == "sqlite" else _postgres(name))
    try:
        yield
    finally:
        connections["default"].close()
        if engine == "postgresql":
            _sql(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def server_on(engine: str, folder: Path) -> Iterator[Server]:
    """A server with an empty database, its data in `folder`."""
    config = replace(settings.CONFIG, data_dir=str(folder))
    # Passwords are hashed in no time: how well they are hashed is not what these tests are about.
    quick = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    for remembered in (naming._office, naming._asking, naming._names):  # of another test's site with the same key
        remembered.cache_clear()
    naming._minimum.clear()
    memory.clear_all()
    with fresh_database(engine, folder), override_settings(CONFIG=config, **quick):
        yield Server(folder)


@pytest.fixture(params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server on each of the two engines."""
    with server_on(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Server]:
    """A server on SQLite; `make test-slow` takes the same tests to PostgreSQL."""
    with server_on(os.environ.get("KIOSK_TEST_LITE", "sqlite"), tmp_path) as made:
        yield made


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[Server]:
    """A server on SQLite always, for what is about the database's file."""
    with server_on("sqlite", tmp_path) as made:
        yield made


def dump() -> str:
    """Everything that the database holds, as text."""
    rows: list[str] = []
    with connections["default"].cursor() as cursor:
        for table in connections["default"].introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")
            rows += map(str, cursor.fetchall())
    return "\n".join(rows)


# --- what kiosks send -----------------------------------------------------------------------------------------


def batches(conn: sqlite3.Connection, device: str = "k-7F3K2M", size: int = 500) -> list[wire.Batch]:
    """All events of a kiosk's database as the batches of a first push."""
    epoch = conn.execute("SELECT epoch FROM feed").fetchone()[0]
    lines = [bytes(row[0]) for row in conn.execute("SELECT line FROM events ORDER BY seq")]
    return [batch_of(lines[:at], lines[at : at + size], device, epoch, len(lines)) for at in range(0, len(lines), size)]


def batch_of(
    before: Sequence[bytes], lines: Sequence[bytes], device: str, epoch: str, head: int = 0, **status: Any
) -> wire.Batch:
    """A batch of these lines after those."""
    after = wire.Position(len(before), wire.chain_all(wire.ZERO, before))
    end = wire.chain_all(after.hash, lines)
    header = wire.Header(device, epoch, after, len(lines), head or len(before) + len(lines), end, status)
    return wire.Batch(header, lines)
