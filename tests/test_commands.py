"""The command line: documented, and errors in one line."""

import argparse
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import __version__, clock, config
from kiosk.__main__ import main, parser
from kiosk.office import sample
from kiosk.revising import written
from kiosk.store import Store
from kiosk.store.locks import single

ROOT = Path(__file__).parent.parent
DOCS = "\n".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))


def commands() -> dict[str, argparse.ArgumentParser]:
    return dict(below("", parser()))


def below(name: str, command: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Commands, and the tasks of a command that has some: "voice make"."""
    if command._subparsers is None:
        yield name, command
        return
    for task, inner in command._subparsers._group_actions[0].choices.items():  # type: ignore[union-attr]
        yield from below(f"{name} {task}".strip(), inner)


def options() -> Iterator[tuple[str, str]]:
    for name, command in commands().items():
        for action in command._actions:
            for option in action.option_strings or [str(action.metavar)]:
                if option not in ("-h", "--help"):
                    yield name, option


@pytest.mark.parametrize("name", commands())
def test_every_command_is_documented(name: str):
    assert f"`kiosk {name}" in (ROOT / "docs/commands.md").read_text()


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_every_option_is_documented(command: str, option: str):
    assert option in DOCS


def test_the_version_is_the_changelogs_top_heading():
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    headings = [line for line in lines if line.startswith("## ") and line != "## Unreleased"]
    assert headings[0].startswith(f"## {__version__} ")
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


def kiosk(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiosk", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_wrong_key_is_one_clear_line_and_no_traceback(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    file.write_text('language = "en"\n[printer]\npapr_mm = 58\n')
    done = kiosk("config", "--config", str(file))
    assert done.returncode == 1
    assert done.stderr == f'kiosk: {file}: [printer] papr_mm: unknown option. Did you mean "paper_mm"?\n'
    assert "Traceback" in kiosk("config", "--config", str(file), DEBUG="1").stderr
    file.write_text("[printer]\npapr_mm = 58\n")
    says = f"kiosk: {file}: [printer] papr_mm: không có mục này. Có phải là “paper_mm”?\n"
    assert kiosk("config", "--config", str(file)).stderr == says


def test_a_command_with_an_office_that_is_not_there_says_which_file(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    file.write_text('office = "nowhere.toml"\n')
    done = kiosk("quota", "ho-tich", "3", "--config", str(file))
    assert done.returncode == 1
    assert "nowhere.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_names_what_is_wrong_and_leaves_the_rest_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "kiosk.toml"
    file.write_text(
        f'data_dir = "{tmp_path}/data"\n[buttons]\nfactory = "none"\n[printer]\nurl = "tcp://127.0.0.1:9"\n'
    )
    assert main(["check", "--config", str(file)]) == 1
    said = capsys.readouterr().out
    assert "kiosk prepare" in said
    lines = said.splitlines()
    printer = lines.index("LỖI   Máy in: Không kết nối được máy in (tcp://127.0.0.1:9)")
    assert lines[printer + 1].startswith("      → Kiểm tra dây, nguồn của máy in")
    assert "OK    Phím bấm: none" in lines


def test_prepare_backup_restore_and_export_work_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    (tmp_path / "stick").mkdir()
    given = ["--config", str(file)]
    assert main(["prepare", *given]) == 0
    assert main(["backup", *given]) == 0
    saved = capsys.readouterr().out.strip()
    assert main(["restore", saved, *given]) == 0
    assert main(["export", str(tmp_path / "stick"), *given]) == 0
    assert len(list((tmp_path / "stick").glob("kiosk-*.ndjson"))) == 1


def test_a_person_vouches_for_the_clock_and_opens_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    given = ["--config", str(file)]
    assert main(["clock", "2026-11-23T07:12", *given]) == 0
    assert capsys.readouterr().out == "23/11/2026 07:12 (người xác nhận)\n"
    assert main(["day", "2026-11-24", "work", "--reason", "làm bù", *given]) == 0
    assert main(["quota", "dat-dai", "5", "--session", "sang", *given]) == 0
    conn = sqlite3.connect(tmp_path / "data" / "kiosk.db")
    kept = conn.execute("SELECT kind, value FROM overrides ORDER BY kind").fetchall()
    conn.close()
    assert kept == [("day", "work|làm bù"), ("quota", "5")]
    assert main(["quota", "nowhere", "5", *given]) == 1
    assert main(["clock", "noon", *given]) == 1


def test_a_clock_that_nobody_vouches_for_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    monkeypatch.setattr(clock, "RTC", tmp_path / "no-clock-module")
    monkeypatch.setattr(clock.SystemClock, "_synchronised", lambda self: False)
    assert main(["clock", "--config", str(file)]) == 0
    first, todo = capsys.readouterr().out.splitlines()
    assert first.endswith(" (chưa ai xác nhận)")
    assert todo.startswith("→ Chưa ai xác nhận giờ này: nếu đúng, chạy sudo kiosk clock yes; nếu sai, ")
    assert main(["clock", "yes", "--config", str(file)]) == 0
    assert main(["clock", "--config", str(file)]) == 0
    assert "→" not in capsys.readouterr().out


@pytest.mark.parametrize("said", ["0001-01-01T00:00", "9999-12-31T23:59", "0026-11-23T07:30", "2062-11-23T07:30"])
def test_a_time_that_cannot_be_is_refused(tmp_path: Path, said: str):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    assert main(["clock", said, "--config", str(file)]) == 1
    assert main(["clock", "--config", str(file)]) == 0


def test_a_day_is_closed_only_with_a_reason_that_fits_the_screen(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    for reason in ("", "x" * 301, "a\nb"):
        assert main(["day", "2026-12-01", "off", "--reason", reason, "--config", str(file)]) == 1


def test_where_no_kiosk_toml_has_named_the_data_a_command_says_which_it_changes_and_begins_no_kiosk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    shipped = {**config._defaults(), "data_dir": str(tmp_path / "data")}
    monkeypatch.delenv("KIOSK_CONFIG", raising=False)
    monkeypatch.setattr(config, "FILE", str(tmp_path / "kiosk.toml"))
    monkeypatch.setattr(config, "_defaults", lambda: shipped)
    assert main(["day", "2026-11-24", "work"]) == 1
    assert "Máy này chưa cài ki-ốt" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
    (tmp_path / "data").mkdir()
    assert main(["day", "2026-11-24", "work"]) == 0
    assert f"mặc định (chưa có kiosk.toml). Dữ liệu: {tmp_path / 'data'}" in capsys.readouterr().err
    (tmp_path / "kiosk.toml").write_text('data_dir = "data"\n')
    assert main(["day", "2026-11-24", "work"]) == 0
    assert "Dữ liệu" not in capsys.readouterr().err


def test_commands_for_people_answer_and_refuse_in_the_language_of_the_kiosk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    given = ["--config", str(file)]
    person = sample().clerks[0].id

    def answer(*typed: str, pin: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{pin}\n"))
        main([*typed, *given])
        return "".join(capsys.readouterr()).strip()

    assert answer("pin", person, pin="12") == "kiosk: mã PIN phải có 4 đến 12 chữ số"
    assert answer("pin", "ai-do", pin="7391").startswith("kiosk: Không có ai là ai-do. Khai báo đơn vị có: ")
    assert answer("pin", person, pin="7391") == f"{person}: đã đặt mã PIN"
    assert answer("setup-code").startswith("kiosk: Đã cài đặt xong")
    assert answer("pin", person, "--remove") == f"{person}: đã bỏ mã PIN"
    assert answer("dossiers", "a.csv", "--clear").startswith("kiosk: Chỉ nêu một trong ba")
    assert answer("office", "apply").startswith("kiosk: Viết sudo kiosk office show")
    assert answer("office", "restore", "7") == "kiosk: Không có số 7: xem sudo kiosk office history"
    (tmp_path / "office.toml").write_text(written(sample()))
    assert "đang dùng phiên bản 1. Ghi version từ 2" in answer("office", "apply", str(tmp_path / "office.toml"))
    (tmp_path / "office.toml").write_text(written(replace(sample(), version=2)))
    assert answer("office", "apply", str(tmp_path / "office.toml")).startswith("1: đang dùng phiên bản 2 của ")


def test_a_test_sheet_that_a_running_kiosk_does_not_print_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    given = ["--config", str(file)]
    assert main(["prepare", *given]) == 0
    now = clock.SystemClock().now()
    store = Store(tmp_path / "data", sample().rulebook())

    def said(meanwhile: Callable[[], object]) -> str:
        capsys.readouterr()
        monkeypatch.setattr("kiosk.staff_commands.time.sleep", lambda _: meanwhile())
        assert main(["print-test", *given]) == 1
        return capsys.readouterr().err

    with closing(store), single(tmp_path / "data"):
        again = said(lambda: store.orders.give(now, "printer", "test-sheet", by="do-van-h"))
        assert "Có người vừa cho in lại tờ này" in again

        def fails() -> None:
            taken = store.orders.take(now, "printer")
            assert taken
            store.orders.end(now, taken.id, "failed", "cover open")

        failed = said(fails)
        assert "Không in được (cover open): xem sudo kiosk check" in failed
