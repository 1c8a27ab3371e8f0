"""Whether numbers are given, as systemd hears it: open, open with faults, or not open and why."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

os.environ["SDL_VIDEODRIVER"] = "dummy"

from kiosk.app import App
from kiosk.clock import SimulatedClock
from kiosk.config import Config
from kiosk.setup import load_office, words
from kiosk.simulator.printer import EmulatedPrinter, Mode
from kiosk.standing import opened, shut
from tests.app_kit import Kiosk, config, paper, receiver  # noqa: F401

REFUSED = ("2026-11-20T00:00:00Z", "x" * 64, 9, "a program of another release wrote this", "", "")


class Systemd:
    """The socket of systemd: what it was told of numbers so far, each line once as it came."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def told(self) -> list[str]:
        heard = []
        while True:
            try:
                heard += self._channel.recv(1000).decode().splitlines()
            except BlockingIOError:
                return [line.removeprefix("STATUS=") for line in heard if line.startswith("STATUS=")]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield Systemd(channel)


@pytest.fixture
def kiosk(systemd: Systemd, tmp_path: Path, config: Config) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path, config)
    yield made
    made.app.close()


def turned(kiosk: Kiosk) -> None:
    """A turn that pings and keeps house."""
    kiosk.app._next_ping = kiosk.app._next_housekeeping = 0.0
    kiosk.app.turn(0)


def test_the_line_is_read_by_helpers_of_other_releases_and_stays_as_it_is():
    assert opened() == "open"
    assert opened(["take:ho-tich", "gpio"], True) == (
        "open; take:ho-tich is broken; gpio is broken; the newest office document is refused"
    )
    assert shut("the disk is full; delete\n what is not needed") == (
        "not open: the disk is full, delete what is not needed"
    )


def test_a_kiosk_that_gives_numbers_says_so_once(kiosk: Kiosk, systemd: Systemd):
    turned(kiosk)
    turned(kiosk)
    assert systemd.told() == ["open"]


def test_paper_that_is_out_and_a_screen_that_is_lost_keep_nobody_from_a_number(
    kiosk: Kiosk,
    systemd: Systemd,
    paper: EmulatedPrinter,
):
    paper.switch(Mode.PAPER_OUT)
    kiosk.app.printing.poke()
    kiosk.until(lambda: kiosk.app.front.printer == "paper_out")
    kiosk.app.glass.close()
    turned(kiosk)
    assert systemd.told() == ["open"]


def test_keys_that_do_not_work_are_said(kiosk: Kiosk, systemd: Systemd):
    kiosk.app.panel.broken["take:ho-tich"] = "GPIO5 is in use"
    turned(kiosk)
    assert systemd.told()[-1] == "open; take:ho-tich is broken"


def test_an_office_document_that_this_release_cannot_use_is_said(
    systemd: Systemd,
    tmp_path: Path,
    config: Config,
):
    before = Kiosk(tmp_path, config)
    before.app.close()
    systemd.told()
    with closing(sqlite3.connect(tmp_path / "data/kiosk.db", isolation_level=None)) as conn:
        columns = "at, sha256, version, text, by, note"
        conn.execute(f"INSERT INTO office_versions ({columns}) VALUES (?, ?, ?, ?, ?, ?)", REFUSED)
    kiosk = Kiosk(tmp_path, config)
    turned(kiosk)
    kiosk.app.close()
    assert systemd.told() == ["open; the newest office document is refused"]


def test_a_database_that_cannot_be_written_is_said_until_it_can_though_nobody_presses(kiosk: Kiosk, systemd: Systemd):
    kiosk.app.store.database.conn.execute("PRAGMA query_only = 1")
    kiosk.press("take:ho-tich")
    turned(kiosk)
    assert systemd.told()[-1] == "not open: the database cannot be used"
    kiosk.app.store.database.conn.execute("PRAGMA query_only = 0")
    turned(kiosk)
    assert systemd.told() == ["open"]


def test_a_kiosk_that_waits_for_its_database_says_why(systemd: Systemd, tmp_path: Path, config: Config):
    folder = Path(config.data_dir)
    folder.rename(tmp_path / "away")
    folder.write_text("no folder")
    app = App(config, load_office(config), words(config, load_office(config)), SimulatedClock(tmp_path / "clock.json"))
    app._wait = lambda seconds: folder.unlink()  # type: ignore[method-assign]
    app._open_store()
    app.close()
    (line,) = systemd.told()
    assert line.startswith("not open: ")
