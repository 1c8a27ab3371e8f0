"""What is said of each part, by `kiosk check` and on the start screen: every fault comes with what to do."""

import grp
import os
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import findings
from kiosk.config import Config, Sync, shipped
from kiosk.devices import Reach, User
from kiosk.findings import Finding, Graphics
from kiosk.office import SAMPLE_CODE, sample
from kiosk.printer_device import PrinterState
from kiosk.texts import Texts, languages
from tests.office import moment
from tests.test_voice import record

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
        findings.chip(gpio(), t, locked(tmp_path / "gpio", "gpiochip0"), STRANGER),
        findings.keys(shipped_without_chip(), {"take:ho-tich": "PinInUse"}, (), t),
        *(findings.printer(state, "tcp://192.0.2.7", t) for state in PrinterState if not good(state)),
        *(findings.printer(state, "file:/dev/usb/lp0", t, reach) for state, reach in PRINTERS),
        *(findings.screen(shipped(), t, graphics, STRANGER) for graphics in screens(tmp_path)),
        findings.server(with_server(tmp_path / "token"), {}, t),
    ]


PRINTERS = (
    ("offline", Reach("/dev/usb/lp0")),
    ("offline", Reach("/dev/usb/lp0", there=True, group="lp")),
    ("offline", Reach("/dev/usb/lp0", there=True)),
    ("offline", Reach("/dev/usb/lp0", there=True, allowed=True)),
)
STRANGER = User("kiosk", 4242, frozenset({4242}), own=False)


VIDEO = grp.getgrnam("video").gr_gid if os.geteuid() == 0 else os.getegid()
"""Who is not root can give files to own groups alone."""


def locked(folder: Path, *names: str, mode: int = 0o660) -> Path:
    """Device files of a group."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
        (folder / name).chmod(mode)
        os.chown(folder / name, -1, VIDEO)
    return folder


def connectors(folder: Path, status: str) -> Path:
    (folder / "card1-HDMI-A-1").mkdir(parents=True)
    (folder / "card1-HDMI-A-1" / "status").write_text(f"{status}\n")
    return folder


def screens(tmp_path: Path) -> list[Graphics]:
    """No card; one that is locked, by its group and by its mode; no driver for it; nothing plugged in."""
    cards, dark = locked(tmp_path / "open", "card0", mode=0o666), connectors(tmp_path / "dark", "disconnected")
    nothing = tmp_path / "nothing"
    return [
        Graphics(nothing, nothing, nothing),
        Graphics(locked(tmp_path / "video", "card0"), nothing, nothing),
        Graphics(locked(tmp_path / "root", "card0", mode=0o600), nothing, nothing),
        Graphics(cards, nothing, nothing, ("x11", "dummy")),
        Graphics(cards, dark, nothing, ("kmsdrm",)),
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
        assert finding.code, finding
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
    assert findings.chip(gpio(), T, tmp_path, STRANGER).code == "no_rights"
    assert findings.chip(gpio(), T, locked(tmp_path, "gpiochip0"), STRANGER).code == "group_missing"
    member = replace(STRANGER, groups=frozenset({VIDEO}))
    assert findings.chip(gpio(), T, locked(tmp_path, "gpiochip0"), member).ok


def test_no_card_a_missing_group_a_missing_driver_and_no_display_are_told_apart(tmp_path: Path):
    found = [findings.screen(shipped(), T, graphics, STRANGER) for graphics in screens(tmp_path)]
    assert [one.code for one in found] == ["no_dri", "group_missing", "no_rights", "no_kmsdrm", "no_display"]
    group = grp.getgrgid(VIDEO).gr_name
    assert group in found[1].says and f"usermod -aG {group} kiosk" in found[1].advice
    assert "x11, dummy" in found[3].says


def test_each_device_of_the_picture_and_the_touch_panel_must_be_open(tmp_path: Path):
    cards = locked(tmp_path / "dri", "card0", "card1", mode=0o666)
    here = Graphics(cards, tmp_path / "none", tmp_path / "input", ("kmsdrm",))
    touch, keys = shipped(), replace(shipped(), screen=replace(shipped().screen, touch=False))
    assert findings.screen(touch, T, here, STRANGER).ok
    locked(tmp_path / "input", "event0")
    assert findings.screen(touch, T, here, STRANGER).code == "group_missing"
    assert findings.screen(keys, T, here, STRANGER).ok
    locked(cards, "renderD128")
    assert findings.screen(keys, T, here, STRANGER).code == "group_missing"


def test_a_display_that_is_plugged_in_is_in_order_and_a_kiosk_that_may_be_blind_needs_none(tmp_path: Path):
    cards = locked(tmp_path / "dri", "card1", mode=0o666)
    lit = connectors(tmp_path / "lit", "connected")
    assert findings.screen(shipped(), T, Graphics(cards, lit, lit, ("kmsdrm",)), STRANGER).ok
    blind = replace(shipped(), screen=replace(shipped().screen, blind_ok=True))
    dark = connectors(tmp_path / "dark", "disconnected")
    assert findings.screen(blind, T, Graphics(cards, dark, dark, ("kmsdrm",)), STRANGER).ok


def test_a_printer_that_is_away_locked_or_mute_is_told_apart():
    found = [findings.printer(state, "file:/dev/usb/lp0", T, reach) for state, reach in PRINTERS]
    assert [one.code for one in found] == ["printer_absent", "group_missing", "no_rights", "printer_mute"]
    assert not any(one.ok for one in found)


def test_a_printer_that_never_answered_is_a_note_unless_it_is_known_to_be_one_way():
    mute = findings.printer("unknown", "tcp://192.0.2.7", T, None, asks=True)
    assert (mute.ok, mute.note, mute.code) == (True, True, "printer_mute")
    assert findings.printer("unknown", "tcp://192.0.2.7", T).code == ""


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
    assert sample().unit.code == SAMPLE_CODE
    found = findings.document(shipped(), sample(), T)
    assert found.note
    assert ":8443" in found.advice
    other = replace(sample(), unit=replace(sample().unit, code="12345"))
    assert findings.document(shipped(), other, T) == Finding("office", True, sample().site.name)


# --- the voice ---------------------------------------------------------------------------------------------------


def voice(config: Config, t: Texts = T) -> list[Finding]:
    return list(findings.voice(config, sample(), {}, t))


@pytest.fixture
def calling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A kiosk that calls in Vietnamese, without any pack or program yet."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return replace(shipped(), voice=replace(shipped().voice, packs=str(tmp_path / "voices")))


def with_espeak(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "espeak-ng").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "espeak-ng").chmod(0o755)


@pytest.mark.parametrize("language", languages())
def test_a_voice_without_clips_and_without_a_program_is_a_fault(calling: Config, language: str):
    (found,) = voice(calling, Texts(language))
    assert (found.ok, found.note) == (False, False)
    assert "espeak-ng" in found.advice
    assert "check." not in found.says + found.advice


def test_clips_that_the_computer_can_say_meanwhile_are_a_note(tmp_path: Path, calling: Config):
    with_espeak(tmp_path)
    (found,) = voice(calling)
    assert (found.ok, found.note, found.says) == (True, True, "vi: thiếu 22 trong 22 mẫu")
    assert "kiosk voice make" in found.advice


def test_a_whole_pack_says_how_much_of_it_was_recorded_here(calling: Config):
    record(Path(calling.voice.packs), Texts("vi"))
    assert voice(calling) == [Finding("voice", True, "vi: 22 mẫu, trong đó 22 mẫu tự ghi âm")]


def test_a_language_without_sentences_and_a_damaged_pack_say_what_to_do(calling: Config):
    Path(calling.voice.packs, "vi").mkdir(parents=True)
    Path(calling.voice.packs, "vi", "voice.json").write_text("{")
    both = replace(calling, voice=replace(calling.voice, languages=("vi", "xx")))
    damaged, unknown = voice(both)
    assert not damaged.ok and "kiosk voice make" in damaged.advice
    assert not unknown.ok and "lang_dir" in unknown.advice and "xx" in unknown.says


def test_a_kiosk_that_calls_nobody_is_in_order(calling: Config):
    silent = replace(calling, voice=replace(calling.voice, enabled=False))
    mute = replace(calling, sound=replace(calling.sound, enabled=False))
    assert voice(silent) == voice(mute) == [Finding("voice", True, T("check.none"))]
