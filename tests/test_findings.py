"""What is said of each part, by `kiosk check` and on the start screen: every fault comes with what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import findings
from kiosk.config import Config, Sync, shipped
from kiosk.findings import Finding
from kiosk.office import sample
from kiosk.printer_device import PrinterState
from kiosk.texts import Texts, languages
from tests.office import moment

T = Texts("vi")


def gpio(**buttons: object) -> Config:
    made = shipped()
    return replace(made, buttons=replace(made.buttons, factory="gpio", **buttons))


def with_server(token_file: Path) -> Config:
    return replace(shipped(), sync=Sync(server="https://mot-cua.example", token_file=str(token_file)))


def faults(tmp_path: Path, t: Texts) -> list[Finding]:
    """One of each kind."""
    return [
        findings.database(tmp_path / "nowhere", "", t),
        findings.database(tmp_path, "kiosk.db is damaged", t),
        findings.clock(moment(trusted=False), t),
        findings.chip(gpio(), t, tmp_path),
        findings.keys(shipped_without_chip(), {"take:ho-tich": "PinInUse"}, (), t),
        *(findings.printer(state, "tcp://192.0.2.7", t) for state in PrinterState if not good(state)),
        findings.screen(shipped(), t, tmp_path),
        findings.server(with_server(tmp_path / "token"), {}, t),
    ]


def shipped_without_chip() -> Config:
    return replace(shipped(), buttons=replace(shipped().buttons, factory="mock"))


def good(state: PrinterState) -> bool:
    return state.prints


@pytest.fixture(autouse=True)
def _no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.mark.parametrize("language", languages())
def test_every_fault_says_what_to_do(tmp_path: Path, language: str):
    for finding in faults(tmp_path, Texts(language)):
        assert not finding.ok, finding
        assert finding.says, finding
        assert finding.advice, finding
        assert "check." not in finding.advice + finding.says


def test_a_folder_that_can_be_used_is_in_order_and_says_how_much_is_free(tmp_path: Path):
    found = findings.database(tmp_path, "", T)
    assert (found.ok, found.advice) == (True, "")
    assert str(tmp_path) in found.says


def test_a_folder_that_cannot_even_be_looked_at_is_a_fault_and_no_crash(tmp_path: Path):
    found = findings.database(tmp_path / ("x" * 300), "", T)
    assert not found.ok
    assert found.advice


def test_only_a_chip_that_may_be_written_can_be_used(tmp_path: Path):
    (tmp_path / "gpiochip0").touch()
    assert findings.chip(gpio(), T, tmp_path) == Finding("buttons", True, str(tmp_path / "gpiochip0"))


def test_a_broken_key_is_named_with_the_reason():
    found = findings.keys(shipped_without_chip(), {"take:ho-tich": "PinInUse: 17"}, (), T)
    assert found.line == "lỗi: take:ho-tich (PinInUse: 17)"


def test_a_key_that_is_held_at_the_start_is_a_note():
    found = findings.keys(shipped_without_chip(), {}, ("call:1",), T)
    assert (found.ok, found.note, found.says) == (True, True, "Phím bị kẹt: call:1")


@pytest.mark.parametrize("state", [state for state in PrinterState if state.prints])
def test_a_printer_that_prints_is_in_order(state: PrinterState):
    assert findings.printer(state, "file:/dev/usb/lp0", T).ok


def test_an_office_that_has_no_printer_is_in_order_and_one_whose_printer_is_gone_is_not():
    assert findings.printer("none", "none", T).ok
    assert not findings.printer("none", "file:/dev/usb/lp0", T).ok


def test_the_server_s_last_answer_is_told(tmp_path: Path):
    (tmp_path / "token").write_text("secret-token\n")
    config = with_server(tmp_path / "token")
    assert findings.server(config, {"state": "ok"}, T) == Finding("sync", True, "https://mot-cua.example")
    refused = findings.server(config, {"state": "refused", "detail": "the token is not known"}, T)
    assert not refused.ok
    assert refused.line == "chưa gửi được (refused: the token is not known)"
    assert "secret-token" not in refused.line + refused.advice


def test_the_sample_office_is_known_by_its_code():
    assert sample().unit.code == findings.SAMPLE_CODE
    assert findings.document(sample(), T).note
    other = replace(sample(), unit=replace(sample().unit, code="12345"))
    assert findings.document(other, T) == Finding("office", True, sample().site.name)
