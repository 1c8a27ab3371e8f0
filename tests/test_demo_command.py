"""`kiosk demo` as people start it: the first lines, the count without a person, and that it leaves nothing behind."""

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.config import load_config
from kiosk.simulator import headless
from kiosk.simulator.demo import built, citizens
from kiosk.simulator.folder import Folder
from kiosk.simulator.options import add_to
from tests.test_demo import WAIT_S, options

STEPS = ("number 1001", "slip ", "ticket.issued", "counter 1", "ticket.finished", "rated", "rating.given")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kiosk", "demo", *arguments]


@contextmanager
def demo(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A demo that is ended at the end, whatever happened."""
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command(*arguments), stdout=pipe, stderr=pipe, text=True, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def processes_of(folder: Path) -> list[int]:
    """Every process with this folder in its command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def all_gone(folder: Path, timeout_s: float) -> bool:
    """Whether every process of the folder ends in time; waits on the processes themselves."""
    until = time.monotonic() + timeout_s
    for pid in processes_of(folder):
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([process], [], [], max(0.0, until - time.monotonic()))[0]:
                return False
        finally:
            os.close(process)
    return True


def test_without_a_person_it_ends_with_one_line_of_json_and_nothing_is_lost(tmp_path: Path) -> None:
    arguments = ["--headless", "--seconds", "4", "--per-hour", "7200", "--seed", "1", "--dir", str(tmp_path)]
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["lost"], found["duplicates"], found["problems"]) == (0, 0, [])
    assert found["tickets"] > 0
    assert found["slips"] > 0
    assert found["received"] == found["events"] > found["tickets"]
    for name in ("press_to_committed_ms", "press_to_last_byte_ms"):
        assert 0 < found[name]["median"] <= found[name]["p99"], name
    slips = sorted((tmp_path / "slips").glob("*.png"))
    assert len(slips) == found["slips"]
    assert all(slip.with_suffix(".bin").stat().st_size > 10_000 for slip in slips)
    assert sorted(file.name for file in (tmp_path / "screenshots").iterdir()) == ["board.png", "rate-1.png", "take.png"]
    assert (tmp_path / "kiosk.db").exists()
    assert (tmp_path / "receiver.db").exists()


def read_until(process: "subprocess.Popen[str]", text: str) -> list[str]:
    """The lines that it says, up to one with this text."""
    assert process.stdout
    said: list[str] = []
    while text not in "".join(said[-1:]):
        line = process.stdout.readline()
        assert line, f"it ended after {said}"
        said.append(line)
    return said


def test_it_says_where_it_is_and_ends_with_ctrl_c_leaving_nothing_behind(tmp_path: Path) -> None:
    with demo("--port", "0", "--dir", str(tmp_path)) as process:
        said = read_until(process, "ticket.issued")
        assert "http://127.0.0.1:" in said[0]
        assert str(tmp_path) in said[1]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "ended: numbers 1, " in rest.splitlines()[-1]
        assert rest.splitlines()[-1].endswith(str(tmp_path))
        assert "Traceback" not in errors
        assert all_gone(tmp_path, 0)


@pytest.mark.slow
def test_untouched_it_shows_the_whole_job_in_a_terminal(tmp_path: Path) -> None:
    with demo("--port", "0", "--per-hour", "40", "--dir", str(tmp_path)) as process:
        said = read_until(process, "simulated citizens come from now on, 40 an hour")
    at = [next(n for n, line in enumerate(said) if step in line) for step in STEPS]
    assert at == sorted(at)


def test_its_children_end_when_it_is_killed(tmp_path: Path) -> None:
    with demo("--port", "0", "--dir", str(tmp_path)) as process:
        assert process.stdout
        process.stdout.readline()
        assert len(processes_of(tmp_path)) == 5
        process.kill()
        assert all_gone(tmp_path, WAIT_S)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--speed", "0"], "--speed"),
        (["--per-hour", "-1"], "--per-hour"),
        (["--seconds", "0"], "--seconds"),
        (["--server", "https://server.example"], "--token-file"),
        (["--device", "kiosk-01"], "--server"),
        (["--office", "/does/not/exist.toml"], "exist.toml: không tìm thấy tệp"),
        (["--language", "xx"], "language"),
        (["--printer", "lpt1"], "tcp://MÁY-IN:9100"),
        (["--port", "99999"], "--port"),
        (["--port", "-1"], "--port"),
        (["--config", "/does/not/exist.toml"], "exist.toml: không tìm thấy tệp"),
        (["--dir", "/proc/x"], "the folder /proc/x cannot be used"),
        (["--dir", "/dev/null"], "the folder /dev/null cannot be used"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_cannot_be_met_is_refused_in_one_line(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--headless", "--dir", str(tmp_path), *arguments]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    [line] = capsys.readouterr().err.splitlines()
    return str(line)


def test_what_it_cannot_be_made_from_is_refused_and_no_folder_is_left_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert main(["demo", "--language", "fr"]) == 1
    assert capsys.readouterr().err == "kiosk: --language: there is no 'fr', only en, vi\n"
    assert main(["demo", "--office", str(tmp_path / "none.toml")]) == 1
    assert str(tmp_path / "none.toml") in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_second_demo_on_a_folder_in_use_is_refused_and_changes_nothing_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path / "new")
    with folder.held():
        folder.clock.write_text("the first one's")
        before = sorted(folder.path.rglob("*"))
        assert main(["demo", "--headless", "--dir", str(folder.path)]) == 1
        assert one_line(capsys) == f"kiosk: another demo uses {folder.path}: end it, or give another --dir"
        assert sorted(folder.path.rglob("*")) == before
        assert folder.clock.read_text() == "the first one's"
    with folder.held():
        pass  # whoever comes after the first one may


def test_the_folder_of_a_real_kiosk_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kiosk.db").touch()
    assert main(["demo", "--headless", "--dir", str(tmp_path)]) == 1
    assert "the data of a kiosk" in one_line(capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["kiosk.db"]


def test_without_a_figure_citizens_come_when_nobody_is_there_to_press() -> None:
    assert [citizens(options(*given)) for given in ([], ["--headless"], ["--headless", "--per-hour", "0"])] == [
        0,
        3600,
        0,
    ]


def test_a_count_of_nothing_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--headless", "--per-hour", "0", "--seconds", "0.1", "--dir", str(tmp_path)]) == 1
    said = capsys.readouterr()
    [problem] = json.loads(said.out)["problems"]
    assert "nobody took a number" in problem
    assert problem in said.err


def test_a_printer_that_cannot_be_reached_is_named_as_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(headless, "DRAIN_S", 3.0)
    arguments = ["--seconds", "2", "--per-hour", "36000", "--printer", dead, "--dir", str(tmp_path)]
    assert main(["demo", "--headless", *arguments]) == 1
    problem = json.loads(capsys.readouterr().out)["problems"][0]
    assert f"the printer at {dead} cannot be reached" in problem


def test_the_office_of_a_given_configuration_is_used_unless_another_one_is_given(tmp_path: Path) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text('office = "own.toml"\n[buttons]\nfactory = "mock"\n[printer]\nurl = "none"\n')
    sample = resources.files("kiosk.assets").joinpath("office.sample.toml").read_text()
    (tmp_path / "own.toml").write_text(sample.replace('"UBND xã Mẫu"', '"UBND xã Khác"'))
    (tmp_path / "sample.toml").write_text(sample)
    given = ["--headless", "--config", str(config)]
    with built(options(*given), Folder(tmp_path / "a")) as appliance:
        assert appliance.plan.office.unit.short == "UBND xã Khác"
    with built(options(*given, "--office", str(tmp_path / "sample.toml")), Folder(tmp_path / "b")) as appliance:
        assert appliance.plan.office.unit.short == "UBND xã Mẫu"
    (tmp_path / "own.toml").unlink()
    with pytest.raises(ValueError, match=r"own\.toml"), built(options(*given), Folder(tmp_path / "c")):
        pass


def test_a_real_server_hears_the_name_that_it_enrolled(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a token")
    given = ["--server", "http://127.0.0.1:9", "--token-file", str(tmp_path / "token")]
    with built(options("--headless", *given, "--device", "kiosk-01"), Folder(tmp_path / "a")) as appliance:
        assert load_config(appliance.plan.folder.config).device == "kiosk-01"


def test_a_kiosk_that_cannot_open_is_not_started_again_and_its_last_word_is_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = [sys.executable, "-c", "import sys; sys.exit('the screen is missing')"]
    monkeypatch.setattr("kiosk.simulator.appliance.module", lambda *command: dies)
    assert main(["demo", "--headless", "--dir", str(tmp_path)]) == 1
    assert "the screen is missing" in capsys.readouterr().err
    assert Folder(tmp_path).log("kiosk").read_text().count("missing") == 1


def test_every_option_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "simulator.md").read_text()
    parser = argparse.ArgumentParser(add_help=False)
    add_to(parser)
    assert [name for action in parser._actions for name in action.option_strings if f"| `{name}" not in page] == []
