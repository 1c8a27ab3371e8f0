"""Root's helper that sets the computer's clock and its clock module, after `sudo kiosk clock TIME`."""

import fcntl
import importlib.util
import os
import struct
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

HERE = Path(__file__).parent.parent
HELPER = HERE / "systemd/kiosk_clock.py"


class Clocks:
    """What was set: the computer's clock, and the fields that the module was given."""

    def __init__(self) -> None:
        self.computer: list[float] = []
        self.module: list[tuple[int, ...]] = []


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    found = Clocks()
    monkeypatch.setattr(time, "clock_settime", lambda _, seconds: found.computer.append(seconds))
    monkeypatch.setattr(fcntl, "ioctl", lambda _, __, fields: found.module.append(struct.unpack("9i", fields)))
    return found


def helper(monkeypatch: pytest.MonkeyPatch, root: Path, *words: str, kernel: int = 5) -> ModuleType:
    """The helper as a module that looks below `root`, started with these words; the kernel says 5, not synchronised."""
    monkeypatch.setenv("ROOT", str(root))
    monkeypatch.setattr(sys, "argv", ["kiosk_clock", *words])
    spec = importlib.util.spec_from_file_location("kiosk_clock", HELPER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LIBC", SimpleNamespace(adjtimex=lambda _: kernel))
    return module


def with_module(root: Path) -> Path:
    (root / "dev").mkdir()
    (root / "dev/rtc0").touch()
    return root


def test_a_time_goes_into_the_computer_and_its_clock_module_in_utc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clocks: Clocks, capsys: pytest.CaptureFixture[str]
):
    assert helper(monkeypatch, with_module(tmp_path), "set", "2026-11-23T06:12").main() == 0
    assert clocks.computer == [datetime(2026, 11, 22, 23, 12, tzinfo=UTC).timestamp()]
    assert clocks.module == [(0, 12, 23, 22, 10, 126, 0, 0, 0)]
    assert "Đã đặt mô-đun đồng hồ" in capsys.readouterr().out


def test_without_a_clock_module_the_computers_clock_is_set_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clocks: Clocks, capsys: pytest.CaptureFixture[str]
):
    assert helper(monkeypatch, tmp_path, "set", "2026-11-23 06:12:30").main() == 0
    assert len(clocks.computer) == 1
    assert "sau khi mất điện phải nói lại giờ" in capsys.readouterr().out


def test_where_the_network_keeps_the_time_no_clock_is_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clocks: Clocks
):
    mark = tmp_path / "run/systemd/timesync/synchronized"
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert helper(monkeypatch, with_module(tmp_path), "set", "2026-11-23T06:12").main() == 0
    assert (clocks.computer, clocks.module) == ([], [])


def test_a_clock_that_chrony_keeps_is_not_touched_either(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clocks: Clocks
):
    assert helper(monkeypatch, with_module(tmp_path), "set", "2026-11-23T06:12", kernel=0).main() == 0
    assert (clocks.computer, clocks.module) == ([], [])


@pytest.mark.parametrize("text", ["20261123T0612", "2026-11-23T06:12:00.5", "2026-11-22T23:12+00:00"])
def test_it_takes_what_the_kiosk_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clocks: Clocks, text: str):
    assert helper(monkeypatch, with_module(tmp_path), "set", text).main() == 0
    assert clocks.module == [(0, 12, 23, 22, 10, 126, 0, 0, 0)]


@pytest.mark.parametrize("text", ["2026-13-01T00:00", "06:12", "$(reboot)", ""])
def test_what_is_no_time_sets_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clocks: Clocks, capsys: pytest.CaptureFixture[str], text: str
):
    assert helper(monkeypatch, with_module(tmp_path), "set", text).main() == 1
    assert "ghi như 2026-11-23T07:12" in capsys.readouterr().err
    assert (clocks.computer, clocks.module) == ([], [])


@pytest.mark.parametrize(
    ("words", "status", "asked"),
    [
        (["2026-11-23T06:12"], 0, ["set 2026-11-23T06:12"]),
        (["2026-11-23T06:12"], 1, []),
        (["yes"], 0, []),
        ([], 0, []),
    ],
)
def test_as_root_the_command_sets_what_the_kiosk_has_taken_over(
    tmp_path: Path, words: list[str], status: int, asked: list[str]
):
    log = tmp_path / "log"
    fakes = {"id": "echo 0", "runuser": f"exit {status}", "helper": f'echo "$@" >>{log}'}
    for name, body in fakes.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    command = tmp_path / "kiosk"
    script = (HERE / "systemd/kiosk-command").read_text()
    command.write_text(script.replace("/usr/local/lib/kiosk/kiosk_clock.py", str(tmp_path / "helper")))
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(["sh", str(command), "clock", *words], env={"PATH": path}, check=False)
    assert done.returncode == status
    assert (log.read_text().splitlines() if log.exists() else []) == asked
