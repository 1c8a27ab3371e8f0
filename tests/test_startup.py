"""The technician's list while the kiosk starts: what is on it, and when it gives way."""

import subprocess
import sys
from dataclasses import replace

import pytest

from kiosk.config import Config, shipped
from kiosk.findings import Finding
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.startup import PARTS, PATIENCE_S, Checklist
from kiosk.texts import Texts
from tests.office import moment

T0 = 1000.0
OFFICE = replace(sample(), unit=replace(sample().unit, code="12345"))
WORDS = Words(OFFICE, Texts("vi"))
BROKEN = Finding("printer", False, "Máy in hết giấy", "Thay cuộn giấy")


def config(start_s: float = 5.0) -> Config:
    made = shipped()
    return replace(made, screen=replace(made.screen, start_s=start_s), buttons=replace(made.buttons, factory="none"))


def checklist(*but: str, start_s: float = 5.0, words: Words = WORDS) -> Checklist:
    """A list on which everything is in order, but for parts of which nothing is known."""
    made = Checklist(config(start_s), words)
    made.found(*(Finding(part, True, "tốt") for part in PARTS if part not in (*but, "config", "office")))
    made.open(T0)
    return made


def test_every_part_waits_until_something_was_found_of_it():
    rows = Checklist(config(), WORDS).rows()
    assert [row.state for row in rows] == ["ok", "ok"] + ["wait"] * (len(PARTS) - 2)
    assert rows[3].name == "Cơ sở dữ liệu"
    assert rows[3].text == "đang kiểm tra…"


def test_nothing_is_shown_by_it_before_the_parts_are_open():
    assert not Checklist(config(), WORDS).shows(0.0)


def test_a_list_on_which_all_is_in_order_gives_way_at_once():
    assert not checklist().shows(T0)


def test_a_printer_that_says_nothing_is_waited_for_a_moment_and_no_longer():
    silent = checklist("printer")
    assert silent.shows(T0 + PATIENCE_S - 0.1)
    assert not silent.shows(T0 + PATIENCE_S)


def test_a_printer_that_says_that_it_is_well_ends_the_waiting():
    silent = checklist("printer")
    assert silent.shows(T0)
    silent.found(Finding("printer", True, "Máy in sẵn sàng"))
    assert not silent.shows(T0 + 0.1)


def test_what_is_wrong_can_be_read_for_a_while_and_does_not_come_back():
    wrong = checklist("printer")
    wrong.found(BROKEN)
    assert wrong.shows(T0 + 4.9)
    assert not wrong.shows(T0 + 5)
    wrong.found(BROKEN)
    assert not wrong.shows(T0 + 4)


def test_somebody_who_is_there_ends_it():
    wrong = checklist("printer")
    wrong.found(BROKEN)
    wrong.end()
    assert not wrong.shows(T0 + 0.1)


def test_an_office_that_wants_no_list_has_none():
    wrong = checklist("printer", start_s=0)
    assert not wrong.shows(T0)
    wrong.found(BROKEN)
    assert not wrong.shows(T0)


def test_a_row_says_the_worst_of_its_part_and_what_to_do():
    wrong = checklist()
    wrong.found(Finding("config", True, "kiosk.toml"), Finding("config", True, "thừa", note=True), BROKEN)
    rows = {row.name: row for row in wrong.rows()}
    assert (rows["Máy in"].state, rows["Máy in"].text, rows["Máy in"].advice) == (
        "error",
        "Máy in hết giấy",
        "Thay cuộn giấy",
    )
    assert (rows["Cấu hình"].state, rows["Cấu hình"].text) == ("warn", "thừa")


def test_what_keeps_nobody_from_a_number_is_a_warning():
    wrong = checklist()
    wrong.found(Finding("clock", False, "guess"), Finding("sync", False, "offline"), Finding("database", False, "full"))
    assert {row.name: row.state for row in wrong.rows() if row.state != "ok"} == {
        "Cơ sở dữ liệu": "error",
        "Đồng hồ": "warn",
        "Máy chủ xã": "warn",
    }


def test_a_note_is_shown_and_waited_for_by_nobody():
    noted = checklist(words=Words(sample(), Texts("vi")))
    assert next(row for row in noted.rows() if row.name == "Đơn vị").state == "warn"
    assert not noted.shows(T0)


def test_the_list_stands_under_the_office_s_clock_and_names_the_next_step():
    view = checklist().view(moment(60))
    assert (view.header.title, view.header.clock) == ("Đang khởi động", "07:31")
    assert "kiosk check" in view.footer


@pytest.mark.parametrize("slow", ["escpos", "requests", "gpiozero", "qrcode"])
def test_the_first_picture_needs_no_library_that_is_slow_to_import(slow: str):
    code = f"import sys, kiosk.setup, kiosk.app, kiosk.startup; sys.exit({slow!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
