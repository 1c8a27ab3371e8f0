"""`kiosk check` as people and scripts use it: languages, JSON, exit status, and what it does beside a running kiosk."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from kiosk import check, findings, machine
from kiosk.__main__ import main
from kiosk.canary import CanaryState
from kiosk.clock import SystemClock
from kiosk.config import load_config
from kiosk.printer_device import PrinterState
from kiosk.simulator.printer import EmulatedPrinter, Mode
from kiosk.store.locks import single
from kiosk.store.prepare import prepare
from kiosk.texts import Texts
from tests.app_kit import paper  # noqa: F401
from tests.board import KERNEL, board, put
from tests.office import moment, open_store

Capture = pytest.CaptureFixture[str]


def device(tmp_path: Path, printer: str = "none", more: str = "") -> str:
    file = tmp_path / "kiosk.toml"
    file.write_text(
        f'data_dir = "{tmp_path}/data"\n{more}\n[buttons]\nfactory = "none"\n[screen]\nenabled = false\n'
        f'[sound]\nenabled = false\n[printer]\nurl = "{printer}"\n'
    )
    return str(file)


@pytest.fixture(autouse=True)
def pi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine is a Raspberry Pi in order, with a sure clock."""
    root = board(tmp_path / "board")
    monkeypatch.setattr("kiosk.clock.SystemClock._synchronised", lambda self: True)
    monkeypatch.setattr("kiosk.kernel_log.messages", lambda: KERNEL)
    monkeypatch.setattr(machine, "found", partial(machine.found, root=root))
    monkeypatch.setattr(machine, "clock_module", partial(machine.clock_module, root=root))
    return root


def said(tmp_path: Path, capsys: Capture, file: str, *more: str) -> tuple[int, dict[str, list[dict[str, object]]]]:
    """Exit status, and the findings by part."""
    status = main(["check", "--json", "--config", file, *more])
    whole = json.loads(capsys.readouterr().out)
    assert set(whole) == {"ok", "version", "findings"}
    assert whole["ok"] == (status == 0)
    by_part: dict[str, list[dict[str, object]]] = {}
    for finding in whole["findings"]:
        by_part.setdefault(finding["part"], []).append(finding)
    return status, by_part


def test_scripts_get_every_finding_with_a_code_and_a_status(tmp_path: Path, capsys: Capture):
    file = device(tmp_path)
    status, found = said(tmp_path, capsys, file)
    assert status == 1
    (database,) = found["database"]
    assert database == {
        "part": "database", "ok": False, "note": False, "code": "no_folder", "says": f"chưa có thư mục {tmp_path}/data",
        "advice": "Chạy sudo kiosk prepare", "detail": "",
    }  # fmt: skip
    prepare(tmp_path / "data", SystemClock().now())
    status, found = said(tmp_path, capsys, file)
    assert (status, found["database"][0]["ok"], found["database"][0]["advice"]) == (0, True, "")
    faulty = [one for each in found.values() for one in each if not one["ok"] or one["note"]]
    assert all(one["code"] and one["advice"] for one in faulty)


def test_what_is_wrong_with_the_machine_stands_beside_the_parts(tmp_path: Path, pi: Path, capsys: Capture):
    prepare(tmp_path / "data", moment())
    put(pi, "sys/fs/ext4/mmcblk0p2/errors_count", "3")
    status, found = said(tmp_path, capsys, device(tmp_path))
    assert (status, found["card"][0]["code"]) == (1, "fs_errors")
    assert main(["check", "--config", device(tmp_path)]) == 1
    assert "LỖI   Thẻ nhớ: hệ thống tệp đã ghi nhận 3 lỗi (mmcblk0p2)\n      → Sao lưu ngay" in capsys.readouterr().out


def test_it_speaks_the_language_that_is_asked_for(tmp_path: Path, capsys: Capture):
    file = device(tmp_path, more='language = "en"')
    assert main(["check", "--config", file]) == 1
    assert "there is no folder" in capsys.readouterr().out
    assert main(["check", "--config", file, "--lang", "vi"]) == 1
    spoken = capsys.readouterr().out
    assert "chưa có thư mục" in spoken
    assert "there is" not in spoken


def test_a_broken_configuration_is_json_too(tmp_path: Path, capsys: Capture):
    (tmp_path / "kiosk.toml").write_text("[printer]\npapr_mm = 58\n")
    status, found = said(tmp_path, capsys, str(tmp_path / "kiosk.toml"))
    assert (status, list(found), found["config"][0]["code"]) == (1, ["config"], "unknown")


def test_a_kiosk_that_does_not_run_is_a_note_and_one_that_runs_tells_of_its_trials(tmp_path: Path, capsys: Capture):
    file = device(tmp_path)
    prepare(tmp_path / "data", moment())
    assert said(tmp_path, capsys, file)[1]["kiosk"][0]["code"] == "not_running"
    store = open_store(tmp_path / "data")
    with single(tmp_path / "data"):
        assert "canary" not in said(tmp_path, capsys, file)[1]
        store.note(moment(), "canary", "slow")
        status, found = said(tmp_path, capsys, file)
    assert (status, found["kiosk"][0]["ok"], found["canary"][0]["code"]) == (1, True, "canary_slow")


def test_days_without_a_backup_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture):
    file = device(tmp_path)
    for hours, codes in ((None, []), (71, [""]), (72, ["backup_old"])):
        monkeypatch.setattr(check, "hours_without_backup", lambda folder, now, hours=hours: hours)
        assert [one["code"] for one in said(tmp_path, capsys, file)[1].get("backup", [])] == codes


@pytest.mark.parametrize(
    ("word", "console", "codes"),
    [
        ("", "", []),  # who is not root cannot see it
        ("loaded", "", [""]),
        ("missing", "", ["no_firewall"]),
        ("missing", '[console]\naddress = "127.0.0.1"\n', []),
    ],
)
def test_a_console_without_its_firewall_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, word: str, console: str, codes: list[str]
):
    file = Path(device(tmp_path))
    file.write_text(file.read_text() + console)
    monkeypatch.setenv(findings.FIREWALL, word)
    assert [one["code"] for one in said(tmp_path, capsys, str(file))[1].get("firewall", [])] == codes


def test_a_printer_is_absent_mute_or_answers(tmp_path: Path, capsys: Capture, paper: EmulatedPrinter):
    prepare(tmp_path / "data", moment())
    address = f"tcp://127.0.0.1:{paper.address[1]}"  # type: ignore[attr-defined]
    assert said(tmp_path, capsys, device(tmp_path, address))[1]["printer"][0]["code"] == ""
    paper.switch(Mode.MUTE)
    (mute,) = said(tmp_path, capsys, device(tmp_path, address))[1]["printer"]
    assert (mute["code"], mute["note"]) == ("printer_mute", True)
    (absent,) = said(tmp_path, capsys, device(tmp_path, f"file:{tmp_path}/lp0"))[1]["printer"]
    assert absent["code"] == "printer_absent"


def test_a_screen_that_the_running_kiosk_has_lost_is_a_fault_however_it_looks_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DISPLAY", ":7")
    config = load_config(None)
    store = open_store(tmp_path)
    assert check._screen(config, tmp_path, Texts("vi")).detail == ""
    store.note(moment(), "screen", "lost")
    assert check._screen(config, tmp_path, Texts("vi")).ok
    with single(tmp_path):
        assert check._screen(config, tmp_path, Texts("vi")).code == "no_display"


def test_sdl_says_what_it_was_built_with_and_no_pygame_has_no_driver(monkeypatch: pytest.MonkeyPatch):
    drivers = check._drivers()
    assert drivers is not None
    assert "dummy" in drivers
    monkeypatch.setitem(__import__("sys").modules, "kiosk.windows", None)
    assert check._drivers() == ()


DOCS = Path(__file__).parent.parent / "docs/commands.md"


def documented() -> set[str]:
    """Codes in the second column of the table."""
    table = DOCS.read_text().partition("## What `kiosk check` says")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`(\w+)`", row[1])}


def in_the_code() -> set[str]:
    """Codes as they are written in the modules that find something."""
    found: set[str] = set()
    for module in ("findings", "machine", "check"):
        text = (Path(check.__file__).parent / f"{module}.py").read_text()
        found |= set(re.findall(r'code="(\w+)"', text)) | set(re.findall(r'_parted\(.*, "(\w+)"', text))
    return found - {"mistake"}


def test_every_code_is_documented_and_every_documented_one_is_said():
    told = {"memory", "hint"} | {f"printer_{state}" for state in PrinterState if not state.prints}
    told |= {f"canary_{state}" for state in CanaryState if state.bad} | {"printer_paper_low", "no_player", "no_card"}
    assert documented() == in_the_code() | told


ROOT = DOCS.parent.parent
NEEDS_ROOT = re.compile(
    r"(?<!sudo )\b(kiosk (?:prepare|backup|restore|clock|check|voice|export|enrol|collect|pin|print-test|setup-code"
    r"|office|dossiers)\b|systemctl (?:start|stop|restart)|journalctl|usermod|apt |reboot)"
)
"""The data and the log are the kiosk's: who types the command without sudo is told that he may not."""


@pytest.mark.parametrize(
    "text",
    ["kiosk/lang/vi.toml", "kiosk/lang/en.toml", "server/lang/vi.toml", "server/lang/en.toml", "docs/trouble.md"],
)
def test_a_command_in_a_hint_works_as_it_stands_there(text: str):
    assert NEEDS_ROOT.findall((ROOT / text).read_text()) == []


def test_a_clock_that_is_right_is_vouched_for_by_the_same_words_in_both_languages():
    vi, en = DOCS.with_name("trouble.md").read_text().split("## By symptom")
    assert vi.count("`sudo kiosk clock yes`") == en.count("`sudo kiosk clock yes`") == 1
