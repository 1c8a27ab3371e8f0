"""Sheets that are no slips: two keys held together print the diagnosis; the console's address; the hand-over record."""

import platform
import time
from datetime import timedelta
from pathlib import Path

import pytest
import zxingcpp

from kiosk import keys, parts, sheets, vitals
from kiosk.__main__ import main
from kiosk.buttons import mock_press, mock_release
from kiosk.clock import set_simulated
from kiosk.config import Config
from kiosk.findings import Finding
from kiosk.keys import Chord, KeyFilter
from kiosk.office import sample
from kiosk.screen import Touch
from kiosk.texts import Texts
from tests.app_kit import Kiosk, calling, config, kiosk, paper, programs, receiver
from tests.office import BOOT, OPENING
from tests.printing import read_qr

__all__ = ["calling", "config", "kiosk", "paper", "programs", "receiver"]

FOUND = [
    Finding("font", True, "BeVietnamPro"),
    Finding("sound", True, "no card", "plug in a loudspeaker", note=True, code="no_card"),
    Finding("printer", False, "absent", "check the cable", code="absent"),
]


# --- two keys held together ----------------------------------------------------------------------------------


def held(*downs: tuple[float, str]) -> KeyFilter:
    made = KeyFilter()
    for at, action in downs:
        made.down(action, at)
    return made


def chords(made: KeyFilter, *at: float) -> list[Chord]:
    return [event for when in at for event in made.tick(when) if isinstance(event, Chord)]


def test_two_keys_that_are_held_together_for_five_seconds_are_told_once() -> None:
    made = held((0, "priority"), (0.4, "take:ho-tich"))
    assert chords(made, 5.3) == []
    assert chords(made, 5.5, 6, 60) == [Chord(("priority", "take:ho-tich"), 5.4)]
    made.up("priority", 61)
    made.tick(62)
    made.up("take:ho-tich", 62)
    made.tick(63)
    made.down("priority", 64)
    made.down("take:ho-tich", 64)
    assert len(chords(made, 70)) == 1


@pytest.mark.parametrize(
    "downs",
    [
        [(0, "priority")],
        [(0, "priority"), (2.5, "take:ho-tich")],
        [(0, "priority"), (0, "take:ho-tich"), (0, "take:dat-dai")],
    ],
    ids=["one key", "one after the other", "a whole hand"],
)
def test_nothing_else_is(downs: list[tuple[float, str]]) -> None:
    assert chords(held(*downs), 6, 9) == []


def test_a_hand_that_is_lifted_key_by_key_is_nothing() -> None:
    made = held((0, "priority"), (0, "take:ho-tich"), (0, "take:dat-dai"))
    assert chords(made, 8) == []
    made.up("take:dat-dai", 8.1)
    assert chords(made, 8.2, 9, 20) == []


def hold_down(kiosk: Kiosk, *actions: str) -> None:
    pins = {key.action: key.pin for key in parts.key_pins(kiosk.config.buttons)}
    for action in actions:
        mock_press(pins[action])


def state_of_all(kiosk: Kiosk) -> list[tuple[str, str]]:
    rows = kiosk.app.store.database.rows("SELECT state, why FROM tickets ORDER BY arrival")
    return [(row["state"], row["why"]) for row in rows]


def diagnosed(kiosk: Kiosk) -> str:
    """How far the diagnosis is, "" when none was asked for."""
    order = kiosk.app.store.orders.last(kiosk.app.clock.now(), "printer", sheets.DIAGNOSIS)
    return order.state if order else ""


def test_two_keys_of_the_panel_print_the_diagnosis_and_the_number_that_they_gave_is_cancelled(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CHORD_S", 0.1)
    kiosk.press("take:chung-thuc")
    set_simulated(kiosk.clock_file, OPENING + timedelta(minutes=1), boot=BOOT)
    hold_down(kiosk, "take:ho-tich", "take:dat-dai")  # the second comes too soon after the first for a number
    kiosk.until(lambda: diagnosed(kiosk) == "done")
    why = Texts("vi")("test_sheet.diagnosis")
    assert state_of_all(kiosk) == [("waiting", ""), ("cancelled", why)]


def test_two_fingers_held_on_the_glass_print_the_diagnosis_too(kiosk: Kiosk) -> None:
    now = time.monotonic()
    kiosk.app.inbox.put(Touch("take", "take:ho-tich", now))
    kiosk.app.inbox.put(Chord(("", "take:ho-tich"), now))
    kiosk.until(lambda: diagnosed(kiosk) == "done")
    assert state_of_all(kiosk) == [("cancelled", Texts("vi")("test_sheet.diagnosis"))]


def test_keys_of_a_counter_print_nothing(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "CHORD_S", 0.05)
    asked: list[tuple[str, ...]] = []
    real = sheets.diagnose

    def noted(store: object, t: object, now: object, actions: tuple[str, ...]) -> bool:
        done = real(store, t, now, actions)  # type: ignore[arg-type]
        asked.append((*actions, str(done)))
        return done

    monkeypatch.setattr(sheets, "diagnose", noted)
    hold_down(kiosk, "rate:1:happy", "rate:1:unhappy")
    kiosk.until(lambda: asked)
    assert asked == [("rate:1:happy", "rate:1:unhappy", "False")]
    assert diagnosed(kiosk) == ""
    mock_release(18)
    mock_release(24)


# --- what they say -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [576, 384])
def test_the_code_of_the_diagnosis_says_what_is_wrong_on_either_paper(width: int) -> None:
    drawn = sheets.diagnosis("k-7F3K2M", FOUND, Texts("vi"), width)
    [read] = read_qr(drawn)
    assert read == sheets.code("k-7F3K2M", FOUND)
    assert read.startswith("KIOSK K-7F3K2M ")
    assert read.endswith("BAD PRINTER:ABSENT NOTE SOUND:NO-CARD OK FONT")


@pytest.mark.parametrize("width", [576, 384])
def test_a_kiosk_in_which_everything_is_wrong_still_has_a_code_that_can_be_read(width: int) -> None:
    found = [Finding("printer", False, "x" * 200, "y" * 200, code=f"something_{n}") for n in range(40)]
    [read] = read_qr(sheets.diagnosis("k-7F3K2M", found, Texts("en"), width))
    assert len(read) == sheets.MOST_CODE


def test_the_diagnosis_says_on_what_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    real = sheets.Column.text

    def noted(self: sheets.Column, name: str, text: str, *more: object) -> None:
        written.append(text)
        real(self, name, text, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(sheets.Column, "text", noted)
    monkeypatch.setattr(vitals, "board", lambda: "Raspberry Pi 4 Model B Rev 1.5")
    monkeypatch.setattr(vitals, "system", lambda: "Debian GNU/Linux 13 (trixie)")
    sheets.diagnosis("k-7F3K2M", FOUND, Texts("vi"), 576)
    under = f"Linux {platform.release()} · Python {platform.python_version()}"
    assert f"Raspberry Pi 4 Model B Rev 1.5 · Debian GNU/Linux 13 (trixie) · {under}" in written
    assert sheets.versions("", "") == under


@pytest.mark.parametrize("width", [576, 384])
def test_the_slip_with_the_consoles_address_leads_there(width: int) -> None:
    [read] = read_qr(sheets.console("https://192.0.2.7:8443", Texts("vi"), width))
    assert read == "HTTPS://192.0.2.7:8443"


def test_the_slip_is_drawn_without_a_kiosk_too(config: Config, tmp_path: Path) -> None:
    out = tmp_path / "slip.png"
    assert main(["print-test", "--config", str(tmp_path / "kiosk.toml"), "--console", "--picture", str(out)]) == 0
    from PIL import Image

    [code] = zxingcpp.read_barcodes(Image.open(out).convert("L"))
    assert code.text.startswith("HTTPS://")


def test_the_record_names_device_parts_and_signers_and_is_safe_html(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kiosk.toml"
    office = tmp_path / "office.json"
    office.write_bytes(sample().to_json().replace("xã Mẫu".encode(), b"x\\u00e3 <b>M\\u1eabu"))
    file.write_text(f'office = "office.json"\n{file.read_text()}')
    out = tmp_path / "record.html"
    assert main(["handover", "--config", str(file), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    written = out.read_text(encoding="utf-8")
    assert "xã &lt;b&gt;Mẫu" in written
    assert "<b>" not in written
    for sentence in ("Biên bản bàn giao", "Bên giao", "Bên nhận", "Máy in", "tcp://127.0.0.1"):
        assert sentence in written
    assert "token" not in written
