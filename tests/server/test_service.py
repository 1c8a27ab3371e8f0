"""The server as a service: its unit, its start and end, the proxy in front, and copies of its database."""

import gc
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from kiosk.store import Store
from server.__main__ import _parser
from server.backup import backup, restore
from server.config import FILE, SECRET, Config, kept_key, make_folder, secret
from server.facts.models import Ticket
from server.feed.models import Event
from server.pull.secrets import KEY, opened, seal
from server.web import listening
from server.wsgi import application
from tests.office import moment
from tests.server.kit import NOW, Server, batches
from tests.server.test_facts import a_morning, push_all
from tests.test_units import analyze

FOLDER = Path(__file__).parents[2] / "systemd/server"
UNIT = FOLDER / "kiosk-server.service"


# --- the unit -------------------------------------------------------------------------------------------------


def option(name: str) -> str:
    """The only value of a key of the unit."""
    (found,) = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    return str(found)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the unit, a program that it can start, and empty targets."""
    root = tmp_path_factory.mktemp("root")
    for name in ("sysinit", "basic", "shutdown", "multi-user", "network", "sockets", "paths", "slices", "timers"):
        target = root / f"usr/lib/systemd/system/{name}.target"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("[Unit]\nDescription=stand-in\n")
    (root / "usr/lib/systemd/system" / UNIT.name).write_text(UNIT.read_text())
    program = root / option("ExecStart").split()[0].lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    return root


def test_systemd_accepts_the_unit_without_a_word(root: Path):
    answer = analyze("verify", f"--root={root}", "--man=no", UNIT.name)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_service_is_closed_up(root: Path):
    answer = analyze("security", "--offline=true", f"--root={root}", "--threshold=20", UNIT.name)
    assert answer.returncode == 0, answer.stdout[-200:]


def test_the_unit_says_what_the_code_and_the_docs_say():
    assert option("Environment") == f"KIOSK_SERVER_CONFIG={FILE}"
    assert Config().data_dir == f"/var/lib/{option('StateDirectory')}" == option("WorkingDirectory")
    assert f"u {option('User')} " in (FOLDER / "kiosk-server.sysusers").read_text()
    docs = (FOLDER.parents[1] / "docs/server.md").read_text()
    for named in (option("ExecStart").split()[0], UNIT.name, "kiosk-server.sysusers", "kiosk-server backup"):
        assert named in docs


def test_every_command_is_documented():
    (commands,) = [action for action in _parser()._actions if action.dest == "command"]
    docs = (FOLDER.parents[1] / "docs/server.md").read_text()
    assert commands.choices
    assert [
        name
        for name in commands.choices
        if f"| `kiosk-server {name}" not in docs and f"`kiosk-server {name} FILE`" not in docs
    ] == []


# --- start, proxy, end ----------------------------------------------------------------------------------------


@contextmanager
def running(folder: Path, settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`kiosk-server run` with these settings, after it has told systemd that it is ready."""
    (folder / "server.toml").write_text(f'data_dir = "data"\nport = 0\n{settings}')
    told = folder / "notify"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(str(told))
        systemd.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": str(told)}
        command = [sys.executable, "-m", "server", "--config", str(folder / "server.toml"), "run"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert systemd.recv(100) == b"READY=1"
                yield f"http://127.0.0.1:{(folder / 'data/port').read_text()}", process
            finally:
                process.kill()


def test_it_says_when_it_is_ready_believes_the_proxy_in_front_and_ends_when_asked(tmp_path: Path):
    settings = 'url = "https://may-chu.example"\nbehind_proxy = true\n'
    with running(tmp_path, settings) as (url, process):
        headers = {"Host": "may-chu.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.77"}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/sign-in", headers=headers), timeout=60) as answer:
            assert "max-age" in answer.headers["Strict-Transport-Security"]
            assert "Secure" in answer.headers["Set-Cookie"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        said = process.stderr.read()
        assert "Traceback" not in said
        assert "203.0.113.77" not in said


def test_nobody_is_believed_to_be_a_proxy_unless_the_settings_say_so(tmp_path: Path):
    with running(tmp_path, 'url = "https://may-chu.example"\n') as (url, _):
        headers = {"Host": "may-chu.example", "X-Forwarded-Proto": "https"}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/sign-in", headers=headers), timeout=60) as answer:
            assert answer.headers["Strict-Transport-Security"] is None


# --- keys -----------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_said_with_what_to_do():
    with warnings.catch_warnings(), socket.create_server(("127.0.0.1", 0)) as taken:
        warnings.simplefilter("ignore", ResourceWarning)  # waitress leaves what it could not bind
        config = replace(Config(), listen="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(OSError, match=f"port {config.port} of 127.0.0.1 is taken: another server answers there"):
            listening(application, config)
        gc.collect()


def test_a_key_is_on_the_disk_before_it_has_its_name_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config, file = replace(Config(), data_dir=str(tmp_path / "data")), tmp_path / "data" / SECRET
    synced: list[tuple[bool, bytes]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        what = Path(f"/proc/self/fd/{handle}")
        synced.append((file.exists(), b"" if what.is_dir() else what.read_bytes()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    make_folder(config)
    made = secret(config)
    assert synced == [(False, made.encode()), (True, b"")], "the file, then its name"
    assert file.stat().st_mode & 0o777 == 0o600
    make_folder(config)
    assert secret(config) == made
    assert list(config.folder.iterdir()) == [file]


def test_a_key_that_a_power_cut_left_empty_is_made_again(tmp_path: Path, lite: Server):
    config, file = replace(Config(), data_dir=str(tmp_path)), tmp_path / SECRET
    file.write_text("")
    assert secret(config) != secret(config) != ""
    make_folder(config)
    assert secret(config) == secret(config) == file.read_text() != ""
    (lite.folder / KEY).write_text("")
    sealed = seal("token")
    assert opened(sealed) == "token"


def test_of_two_processes_that_make_a_key_at_once_one_wins(tmp_path: Path):
    file = tmp_path / SECRET

    def make() -> str:
        file.write_text("of the other")
        return "own"

    assert kept_key(file, make) == "of the other"
    assert list(tmp_path.iterdir()) == [file]


# --- copies ---------------------------------------------------------------------------------------------------


def config_of(server: Server, language: str = "en") -> Config:
    return replace(Config(), data_dir=str(server.folder), language=language)


def test_a_copy_made_while_the_server_works_is_whole_and_after_bringing_it_back_the_kiosk_sends_the_rest_again(
    filed: Server, store: Store, tmp_path: Path
):
    a_morning(store)
    push_all(filed, store)
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(filed.folder / "server.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # somebody writes just now
        backup(config_of(filed), copy)
        other.execute("ROLLBACK")
    store.issuing.issue(moment(900), "ho-tich")
    push_all(filed, store)
    filed.settle()
    everything, tickets = Event.objects.count(), Ticket.objects.count()
    connection.close()
    said = restore(config_of(filed), copy, NOW)
    assert Event.objects.count() < everything
    assert "server.db.before-20261123-100000" in said
    assert filed.push(batches(store.database.conn)[0]).status_code == 200
    filed.settle()
    assert (Event.objects.count(), Ticket.objects.count()) == (everything, tickets)


@pytest.mark.parametrize("damage", ["text", "head", "middle", "empty", "missing"])
def test_a_copy_is_brought_back_in_place_of_a_damaged_database_which_is_kept_as_it_is(
    filed: Server, tmp_path: Path, damage: str
):
    present, copy = filed.folder / "server.db", tmp_path / "copy.db"
    backup(config_of(filed), copy)
    filed.user("sau-nay", "leader")
    connection.close()
    sound = present.read_bytes()
    spoilt = {
        "text": b"no database " * 5000,
        "head": bytes(4096) + sound[4096:],
        "middle": sound[:4096] + bytes(len(sound) - 4096),
        "empty": b"",
    }
    present.unlink()
    if damage in spoilt:
        present.write_bytes(spoilt[damage])
    present.with_name("server.db-wal").write_bytes(b"left over from the database before")
    said = restore(config_of(filed), copy, NOW)
    with closing(sqlite3.connect(present)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert conn.execute("SELECT username FROM accounts_user").fetchall() == []
        assert conn.execute("SELECT name FROM registry_device").fetchall() == [("k-7F3K2M",)]
    aside = filed.folder / "server.db.before-20261123-100000"
    assert (str(aside) in said) == aside.exists() == (damage != "missing")
    if damage in ("text", "head"):
        assert aside.read_bytes() == spoilt[damage]


def test_a_database_that_somebody_else_holds_is_not_taken_for_a_damaged_one(
    filed: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy = tmp_path / "copy.db"
    backup(config_of(filed), copy)
    filed.user("sau-nay", "leader")
    connection.close()
    monkeypatch.setattr("server.backup.WAIT_S", 0.0)
    with closing(sqlite3.connect(filed.folder / "server.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="in use: stop the server"):
            restore(config_of(filed), copy, NOW)
        other.execute("ROLLBACK")
        assert other.execute("SELECT username FROM accounts_user").fetchall() == [("sau-nay",)]


def test_a_copy_is_readable_by_its_owner_alone_and_overwrites_nothing(filed: Server, tmp_path: Path):
    copy = tmp_path / "copy.db"
    said = backup(config_of(filed), copy)
    assert [name for name in (SECRET, KEY) if str(filed.folder / name) not in said] == []
    assert copy.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="there already"):
        backup(config_of(filed), copy)
    assert list(tmp_path.glob("copy*.part")) == []


def test_copies_are_spoken_of_in_the_servers_language(filed: Server, tmp_path: Path):
    copy, config = tmp_path / "copy.db", config_of(filed, "vi")
    assert f"{copy} là bản sao đầy đủ. Cất kèm {filed.folder / SECRET} và {filed.folder / KEY}:" in backup(config, copy)
    with pytest.raises(ValueError, match=f"đã có tệp {copy}: đặt tên khác"):
        backup(config, copy)
    with pytest.raises(ValueError, match="không có tệp"):
        restore(config, tmp_path / "x", NOW)
    connection.close()
    assert f"nay là {copy}; bản trước giữ ở {filed.folder}" in restore(config, copy, NOW)
    (filed.folder / "server.db").unlink()
    (filed.folder / "server.db.before-20261123-100000").unlink()
    assert f"{copy}; trước đó chưa có. Khởi động máy chủ" in restore(config, copy, NOW)
    with pytest.raises(ValueError, match="cơ sở dữ liệu là PostgreSQL: dùng pg_dump"):
        backup(replace(config, database="postgresql://localhost/kiosk"), tmp_path / "x")


@pytest.mark.parametrize("what", ["missing", "text", "other", "damaged"])
def test_what_is_no_copy_of_a_servers_database_is_not_brought_back(filed: Server, tmp_path: Path, what: str):
    file = tmp_path / "file.db"
    if what == "text":
        file.write_text("no database " * 1000)
    elif what == "other":
        with closing(sqlite3.connect(file)) as conn:
            conn.execute("CREATE TABLE x (y)")
    elif what == "damaged":
        backup(config_of(filed), file)
        content = bytearray(file.read_bytes())
        content[8192:40960] = bytes(32768)
        file.write_bytes(content)
    before = Event.objects.count()
    with pytest.raises(ValueError, match=str(file)):
        restore(config_of(filed), file, NOW)
    assert Event.objects.count() == before
    assert not list(filed.folder.glob("*.before-*"))


def test_with_postgresql_the_commands_name_its_own_tools(tmp_path: Path):
    config = replace(Config(), data_dir=str(tmp_path), database="postgresql://kiosk:geheim@localhost/kiosk")
    with pytest.raises(ValueError, match="pg_dump") as refused:
        backup(config, tmp_path / "x")
    assert "geheim" not in str(refused.value)
    with pytest.raises(ValueError, match="pg_restore"):
        restore(config, tmp_path / "x", NOW + timedelta())
