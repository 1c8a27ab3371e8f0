"""The guided set-up over a real socket: whose it is, what it refuses, what survives, and what comes of it."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from kiosk.__main__ import main
from kiosk.config import load_config
from kiosk.console.server import Console
from kiosk.drafting import STEPS, Draft, set_people, set_unit, slug
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.revising import written
from kiosk.schema import MAX_TEXT
from kiosk.setup import load_office
from kiosk.store import Store
from kiosk.texts import Texts
from tests.app_kit import Kiosk, config, kiosk, paper, receiver  # noqa: F401
from tests.console_kit import Browser, HandClock
from tests.office import moment, open_store

CONFIG = """
data_dir = "data"
[console]
address = "127.0.0.1"
port = 0
plain_port = 0
plain = true
"""
UNIT = {"name": "xã Thử Nghiệm", "code": "12345", "hotline": "0234 111 222"}
HOURS = {"start-sang": "07:00", "end-sang": "11:30", "start-chieu": "13:00", "end-chieu": "16:30"}
PEOPLE = {
    "name-1": "Đỗ Văn H",
    "role-1-technician": "1",
    "pin-1": "8642",
    "name-2": "Nguyễn Thị A",
    "role-2-clerk": "1",
    "counter-2": "1",
    "title-2": "Công chức",
}


class New:
    """A console of a kiosk that nobody has set up, and a browser."""

    def __init__(self, folder: Path) -> None:
        file = folder / "kiosk.toml"
        file.write_text(CONFIG)
        self.folder = folder / "data"
        self.config = load_config(file)
        self.store: Store = open_store(self.folder)
        self.clock = HandClock()
        self.start()

    def start(self) -> None:
        words = Words(sample(), Texts("vi"), "", str(self.folder))
        self.console = Console(self.config, words, self.clock)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self.console.run, daemon=True)
        self._thread.start()
        self.browser = Browser(f"http://127.0.0.1:{self.console.ports[0]}")

    def close(self) -> None:
        self.console.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def code(self) -> str:
        return self.store.setting_up.code(self.clock.now())

    def begin(self) -> None:
        assert self.browser.post_page("/setup/code", code=self.code).headers["location"] == "/setup"

    def send(self, step: str, do: str = "next", **fields: str) -> requests.Response:
        """Fill a page in and press a button."""
        csrf = self.browser.csrf(f"/setup/{step}")
        return self.browser.post_page(f"/setup/{step}", do=do, csrf=csrf, **fields)

    def usual(self, step: str) -> dict[str, str]:
        """The fields of a page as they stand there."""
        page = self.browser.get(f"/setup/{step}").text
        fields = dict(re.findall(r'<input name="([^"]+)" value="([^"]*)"', page))
        fields |= dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        fields |= dict.fromkeys(re.findall(r'type="checkbox" name="([^"]+)" value="1" checked', page), "1")
        fields |= dict(re.findall(r'<input id="[^"]+" name="([^"]+)"[^>]*? value="([^"]*)"', page))
        return fields

    def go(self, until: str, **changes: dict[str, str]) -> None:
        """All pages before this one, filled in."""
        given: dict[str, dict[str, str]] = {"unit": UNIT, "people": PEOPLE, "language": {"language": "vi"}, **changes}
        for step in STEPS[: STEPS.index(until)]:
            fields = {**self.usual(step), **given.get(step, {"printer": "none"} if step == "printer" else {})}
            fields.pop("csrf", None)
            answer = self.send(step, **fields)
            assert answer.status_code == 303, (step, answer.text)


@pytest.fixture
def new(tmp_path: Path) -> Iterator[New]:
    kiosk = New(tmp_path)
    yield kiosk
    kiosk.close()


# --- whose it is ---------------------------------------------------------------------------------------------


def test_before_anybody_has_a_pin_every_way_leads_to_the_set_up(new: New):
    for path in ("/", "/desk", "/technician"):
        answer = new.browser.get(path)
        while answer.status_code == 303 and answer.headers["location"] != "/setup":
            answer = new.browser.get(answer.headers["location"])
        assert answer.headers["location"] == "/setup"


def test_nobody_gets_in_without_the_code_and_wrong_ones_cost_time(new: New):
    assert new.browser.get("/setup/unit").headers["location"] == "/setup"
    wrong = "000000" if new.code != "000000" else "111111"
    for _ in range(3):
        assert "Mã cài đặt không đúng" in new.browser.post_page("/setup/code", code=wrong).text
    assert "Xin chờ 5 giây" in new.browser.post_page("/setup/code", code=new.code).text
    new.clock.seconds += 6
    new.begin()
    assert new.browser.get("/setup").headers["location"] == "/setup/language"


def test_a_form_from_elsewhere_or_without_the_pages_token_changes_nothing(new: New):
    new.begin()
    assert new.browser.post_page("/setup/unit", do="next", **UNIT).headers["location"] == "/setup"
    csrf = new.browser.csrf("/setup/unit")
    new.browser.headers["Origin"] = "http://elsewhere.example"
    assert new.browser.post_page("/setup/unit", do="next", csrf=csrf, **UNIT).headers["location"] == "/setup"
    assert new.store.setting_up.draft() == ""


def test_the_code_is_in_no_event_and_is_printed_by_the_command(new: New, capsys: pytest.CaptureFixture[str]):
    code = new.code
    assert main(["setup-code", "--config", str(new.config.file)]) == 0
    assert capsys.readouterr().out.strip() == code
    new.begin()
    new.go("done")
    finish(new)
    lines = [row["line"] for row in new.store.database.rows("SELECT line FROM events")]
    assert not any(code in str(line) for line in lines)


# --- what it refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "fields", "says"),
    [
        ("unit", {"name": "", "code": "12345"}, "Tên đơn vị: đang trống"),
        ("unit", {**UNIT, "code": "12 345"}, "Mã đơn vị: &#34;12 345&#34; không dùng được, chỉ nhận chữ không dấu"),
        (
            "services",
            {"name-1": "Một", "digit-1": "1", "name-3": "Hai", "digit-3": "1"},
            "Dòng 3 – Ký hiệu: trùng với “Một”",
        ),
        ("services", {}, "Lĩnh vực: đang có 0"),
        ("counters", {"count": "1", "label-1": "1"}, "Hộ tịch: chưa có quầy nào phục vụ"),
        ("unit", {**UNIT, **HOURS, "end-sang": "07:00"}, "Sáng – Giờ làm việc: phải sau giờ bắt đầu"),
        ("unit", {**UNIT, **HOURS, "start-chieu": "11:00"}, "Chiều – Giờ làm việc: trùng giờ với buổi 1 “Sáng”"),
        ("unit", {**UNIT, **HOURS, "start-chieu": ""}, "phải là giờ"),
        ("people", {"name-1": "Đỗ Văn H", "role-1-technician": "1"}, "Cần ít nhất một người có vai trò Kỹ thuật"),
        ("people", {**PEOPLE, "pin-1": "1234"}, "mã PIN quá dễ đoán"),
        ("printer", {"printer": "other", "other": "lpt1"}, "file:/dev/usb/lp0"),
    ],
)
def test_a_page_with_a_mistake_says_what_is_wrong_and_stays(new: New, step: str, fields: dict[str, str], says: str):
    new.begin()
    new.go(step)
    answer = new.send(step, **fields)
    assert answer.status_code == 422
    assert says in answer.text


def test_a_page_with_a_mistake_keeps_its_rows_as_they_were_typed(new: New):
    new.begin()
    new.go("services")
    assert new.send("services", **{"name-2": "Một", "digit-2": "1", "name-4": "Hai", "digit-4": "1"}).status_code == 422
    fields = {"name-2": "Một", "digit-2": "1", "name-4": "Hai", "digit-4": "1", "digit-1": "", "name-3": ""}
    page = new.send("services", **fields).text
    assert re.findall(r'name="name-(\d)" value="([^"]+)"', page) == [("2", "Một"), ("4", "Hai")]
    assert re.findall(r'name="digit-(\d)" value="([^"]+)"', page) == [("2", "1"), ("4", "1")]


def test_a_failed_page_of_people_keeps_its_blank_rows_seats_and_pins(new: New):
    new.begin()
    new.go("people")
    shown = new.browser.get("/setup/people").text
    rows = len(re.findall(r'name="name-\d+"', shown))
    typed = {f"name-{n}": "" for n in range(1, rows + 1)} | {f"counter-{n}": str(n - 1) for n in range(2, 6)}
    typed |= {f"role-{n}-clerk": "1" for n in range(2, 6)}
    typed |= {"name-1": "Đỗ Văn H", "role-1-technician": "1", "pin-1": "8642", "name-3": "Trần Văn B", "pin-3": "1111"}
    page = new.send("people", **typed)
    assert page.status_code == 422
    assert len(re.findall(r'name="name-\d+"', page.text)) == rows
    assert re.findall(r'<option value="(\d)" selected>', page.text) == ["1", "2", "3", "4"]
    assert page.text.count('placeholder="đã đặt"') == 1
    assert 'name="name-3" value="Trần Văn B"' in page.text


SHARED = {**PEOPLE, "name-3": "Trần Văn B", "role-3-clerk": "1", "counter-3": "1", "pin-3": "9753"}


@pytest.mark.parametrize(
    ("language", "asks"),
    [("vi", "Quầy 1 có Nguyễn Thị A, Trần Văn B: có đúng không?"), ("en", "Counter 1 has Nguyễn Thị A, Trần Văn B")],
)
def test_two_people_at_one_counter_are_asked_about_and_may_stay(new: New, language: str, asks: str):
    new.begin()
    new.go("people")
    new.browser.get(f"/setup/people?l={language}")
    asked = new.send("people", **SHARED)
    assert (asked.status_code, asks in asked.text) == (200, True)
    assert re.findall(r'<option value="(\d)" selected>', asked.text) == ["1", "1"]
    assert asked.text.count('placeholder="') - asked.text.count('placeholder="Nguyễn') == 2, "PINs are kept"
    ids = dict(re.findall(r'name="(id-\d)" value="([^"]+)"', asked.text))
    assert new.send("people", shared="1", **SHARED, **ids).headers["location"] == "/setup/printer"
    seats = {one["id"]: one["clerk"] for one in Draft.read(new.store.setting_up.draft()).office["counters"]}
    assert seats["1"] == "nguyen-thi-a"


def test_what_was_said_of_one_counter_answers_for_no_other_and_a_mistake_is_told_first(new: New):
    new.begin()
    new.go("people")
    two = {"name-4": "Lê Thị C", "counter-4": "2", "name-5": "Phạm Văn D", "counter-5": "2"}
    two |= {"role-4-clerk": "1", "role-5-clerk": "1"}
    assert "Quầy 2 có Lê Thị C" in new.send("people", shared="1", **SHARED, **two).text
    assert new.send("people", do="back", **SHARED).headers["location"] == "/setup/counters"
    wrong = new.send("people", **{**SHARED, "pin-3": "1111"})
    assert (wrong.status_code, "có đúng không?" in wrong.text) == (422, False)


def test_more_rows_are_for_those_whom_the_office_still_lacks(new: New):
    new.begin()
    new.go("people")
    assert new.send("people", do="stay", **PEOPLE).status_code == 303
    page = new.browser.get("/setup/people").text
    assert re.findall(r'<option value="(\d)" selected>', page) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"format = 1\nversion = ", b"x" * 2_000_000])
def test_a_file_that_is_no_office_document_changes_nothing(new: New, content: bytes):
    new.begin()
    new.go("services")
    before = new.store.setting_up.draft()
    url, csrf = f"{new.browser.url}/setup/upload", new.browser.csrf("/setup/unit")
    files = {"file": ("office.toml", content)}
    answer = new.browser.session.post(url, data={"csrf": csrf}, files=files, headers=new.browser.headers, timeout=10)
    assert answer.status_code == 422
    assert new.store.setting_up.draft() == before


# --- what survives -------------------------------------------------------------------------------------------


def test_a_console_that_ends_and_another_browser_lose_nothing(new: New):
    new.begin()
    new.go("people")
    new.close()
    new.start()
    new.begin()
    assert new.browser.get("/setup").headers["location"] == "/setup/people"
    assert 'value="xã Thử Nghiệm"' in new.browser.get("/setup/unit").text


def test_the_earlier_browser_is_let_go_when_another_one_enters_the_code(new: New):
    new.begin()
    first = new.browser
    new.browser = Browser(first.url)
    new.begin()
    assert first.get("/setup/unit").headers["location"] == "/setup"


def test_going_back_keeps_what_was_entered_even_if_it_is_not_complete(new: New):
    new.begin()
    new.go("unit")
    assert new.send("unit", do="back", name="xã Dở Dang").headers["location"] == "/setup/time"
    assert 'value="xã Dở Dang"' in new.browser.get("/setup/unit").text


# --- what comes of it ----------------------------------------------------------------------------------------


def finish(new: New) -> requests.Response:
    answer = new.send("done")
    assert answer.headers.get("location") == "/technician", answer.text
    return answer


def test_the_pages_make_an_office_that_works_and_sign_the_technician_in(new: New):
    new.begin()
    new.go("done")
    finish(new)
    assert "Đỗ Văn H" in new.browser.get("/technician").text
    office = load_office(load_config(new.config.file))
    assert (office.unit.name, office.unit.head1) == ("xã Thử Nghiệm", "ỦY BAN NHÂN DÂN XÃ THỬ NGHIỆM")
    assert [one.id for one in office.clerks] == ["do-van-h", "nguyen-thi-a"]
    assert office.counters[0].clerk == "nguyen-thi-a"
    assert len(office.services) == 6
    kinds = [row["t"] for row in new.store.database.rows("SELECT json_extract(line, '$.type') AS t FROM events")]
    assert kinds.count("office.applied") == 1
    assert kinds.count("person.pin_set") == 1
    assert new.store.database.rows("SELECT * FROM setup") == []


def test_hours_are_asked_quotas_are_none_and_the_last_page_tells_both(new: New):
    new.begin()
    new.go("done", unit={**UNIT, **HOURS, "saturday": "none"})
    page = new.browser.get("/setup/done").text
    assert "Sáng: 07:00–11:30 (Thứ Hai – Thứ Sáu) · Chiều: 13:00–16:30 (Thứ Hai – Thứ Sáu)" in page
    assert "Không giới hạn số" in page
    assert f"{len(sample().calendar)} ngày trong lịch" in page
    finish(new)
    office = load_office(load_config(new.config.file))
    morning, afternoon = office.sessions
    assert (f"{morning.take_from:%H:%M}", f"{morning.last_number:%H:%M}") == ("06:30", "11:15")
    assert (f"{afternoon.start:%H:%M}", 5 in morning.weekdays) == ("13:00", False)
    assert not any(service.quota for service in office.services)


def test_an_office_that_works_mornings_only_has_one_session(new: New):
    new.begin()
    new.go("services", unit={**UNIT, **HOURS, "start-chieu": "", "end-chieu": "", "saturday": "all"})
    office = Draft.read(new.store.setting_up.draft()).checked()
    assert [(one.id, 5 in one.weekdays) for one in office.sessions] == [("sang", True)]
    assert all(day.sessions in ((), ("sang",)) for day in office.calendar)


def test_a_name_without_its_kind_of_unit_is_pointed_out_at_the_end(new: New):
    new.begin()
    new.go("done", unit={**UNIT, "name": "Thử Nghiệm"})
    assert "Tên đơn vị chưa có “xã”" in new.browser.get("/setup/done").text


def test_the_usual_printer_is_called_what_people_call_it(new: New):
    new.begin()
    new.go("printer")
    page = new.browser.get("/setup/printer").text
    assert 'value="file:/dev/kiosk-printer" checked> Máy in USB<' in page.replace("\n", "")


def test_a_kiosk_that_a_server_set_up_meanwhile_says_how_pins_are_given_and_keeps_the_servers_document(new: New):
    new.begin()
    new.go("done")
    office = replace(sample(), version=9)
    new.store.downloads.apply_office(moment(), 9, "a" * 64, office.to_json().decode(), office.sha256, "1234")
    assert "sudo kiosk pin" in new.send("done").text
    newest = new.store.offices.newest()
    assert newest is not None and newest.version == 9


def test_it_cannot_be_done_twice(new: New):
    new.begin()
    new.go("done")
    csrf = new.browser.csrf("/setup/done")
    finish(new)
    assert new.browser.post_page("/setup/done", do="next", csrf=csrf).headers["location"] == "/setup"
    assert new.browser.get("/setup").headers["location"] == "/sign-in"
    assert new.store.setting_up.code(new.clock.now()) == ""
    assert main(["setup-code", "--config", str(new.config.file)]) == 1


def test_one_office_file_leaves_only_pins_to_be_set_and_is_kept_as_it_was_written(new: New):
    text = "# our own words\n" + written(sample())
    new.begin()
    url, csrf = f"{new.browser.url}/setup/upload", new.browser.csrf("/setup/unit")
    files = {"file": ("office.toml", text.encode())}
    how: dict[str, Any] = {"files": files, "headers": new.browser.headers, "allow_redirects": False, "timeout": 10}
    assert new.browser.session.post(url, data={"csrf": csrf}, **how).headers["location"] == "/setup/people"
    fields = new.usual("people")
    row = next(name.removeprefix("id-") for name, value in fields.items() if value == "do-van-h")
    page = new.browser.get("/setup/people").text
    seats = {f"counter-{n}": counter for n, counter in enumerate("1234", 1)}
    assert page.count("selected") == 4
    fields |= {**seats, f"pin-{row}": "8642"}
    fields.pop("csrf")
    assert new.send("people", **fields).headers["location"] == "/setup/printer"
    new.send("printer", printer="none")
    finish(new)
    kept = new.store.offices.newest()
    assert kept is not None
    assert kept.text == text.replace("version = 1", "version = 2")


def test_the_chosen_printer_is_in_force_and_kiosk_toml_goes_before_it(new: New):
    new.begin()
    new.go("printer")
    assert new.send("printer", printer="tcp://192.168.1.50:9100", paper="58").status_code == 303
    config = load_config(new.config.file)
    assert (config.printer.url, config.printer.paper_mm) == ("tcp://192.168.1.50:9100", 58)
    Path(new.config.file).write_text(CONFIG + '[printer]\nurl = "none"\n')
    config = load_config(new.config.file)
    assert (config.printer.url, config.printer.paper_mm) == ("none", 58)


def test_on_a_clock_that_nobody_vouches_for_the_time_is_asked_and_believed(new: New):
    new.clock.trusted = False
    new.begin()
    new.go("time")
    assert "Hôm nay là Thứ Hai, 23/11/2026, 07:31 phải không?" in new.browser.get("/setup/time").text
    assert new.send("time", day="2026-11-23", time="07:45").headers["location"] == "/setup/unit"
    assert json.loads(new.store.fact("vouched"))["at"].startswith("2026-11-23T07:45")
    assert new.send("time", day="1999-01-01", time="07:45").status_code == 422


def test_a_new_kiosk_shows_where_and_with_which_code_until_somebody_has_a_pin(kiosk: Kiosk):
    store, now = kiosk.app.store, kiosk.app.clock.now()
    code = store.setting_up.code(now)
    shown = f"{code[:3]} {code[3:]}"
    kiosk.app.turn(0)
    assert any(shown in text for text in kiosk.shown("take")), "on the start list"
    kiosk.app.start.end()
    assert any(shown in text for text in kiosk.shown("take")), "in the ticker"
    store.people.set_pin(now, "do-van-h", "8642", "test")
    kiosk.app._next_housekeeping = 0
    kiosk.app.turn(0)
    assert not any(shown in text for text in kiosk.shown("take"))


# --- the draft -----------------------------------------------------------------------------------------------


def test_names_become_ids_and_a_taken_one_gets_a_number():
    assert slug("Đỗ Thị Ánh Tuyết", []) == "do-thi-anh-tuyet"
    assert slug("Nguyễn Văn A", ["nguyen-van-a"]) == "nguyen-van-a-2"
    assert slug("???", []) == "muc"


def test_ids_and_pins_stay_with_a_person_whose_name_is_corrected():
    draft = Draft()
    set_unit(draft, UNIT)
    set_people(draft, {"name-1": "Nguyen A", "role-1-clerk": "1"}, {1: "hash"})
    set_people(draft, {"id-1": "nguyen-a", "name-1": "Nguyễn Thị A", "role-1-clerk": "1"}, {})
    assert draft.office["clerks"][0]["id"] == "nguyen-a"
    assert draft.pins == {"nguyen-a": "hash"}


def test_marks_without_end_on_one_letter_are_cut_off_before_they_are_put_into_order():
    draft = Draft.read("")
    set_unit(draft, {"name": "Xã e" + "\u0301\u0323" * 1_000_000})
    assert len(draft.office["unit"]["name"]) == MAX_TEXT


def test_a_draft_of_another_program_is_begun_anew():
    assert Draft.read('{"colour": 1}') == Draft()
    assert Draft.read("no json") == Draft()
    assert Draft.read(Draft(step="unit").kept()).step == "unit"
