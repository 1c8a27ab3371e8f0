"""The help desk's page over a real socket: numbers, slips, linked tickets, rolls, and who may do it."""

from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.config import shipped
from kiosk.store.database import Database
from kiosk.store.rebuild import from_events, from_tables
from kiosk.store.spool import Spool
from tests.console_kit import HELPER, LEADER, Browser, Hall


@pytest.fixture
def helper(hall: Hall) -> Browser:
    return hall.browser(HELPER)


def ticket(hall: Hall, number: str) -> str:
    """The id of a number."""
    return str(hall.store.database.rows("SELECT id FROM tickets WHERE number = ?", number)[0]["id"])


def ask(helper: Browser, name: str, **fields: str) -> dict[str, object]:
    return helper.post(f"/help/{name}", page="/help", **fields)


def test_one_click_gives_a_number_that_stands_big_on_the_page_and_prints_by_itself(hall: Hall, helper: Browser):
    hall.take()
    assert ask(helper, "issue", service="ho-tich") == {"ok": True, "say": "Đã lấy số 1002", "go": None}
    page = helper.get("/help").text
    assert '<p class="number">1002' in page
    assert "Phía trước còn 1 người" in page
    (event,) = [event for event in hall.events("ticket.issued") if event["number"] == "1002"]
    assert (event["by"], event["actor"], event["priority"]) == ("staff", HELPER, False)
    spool = Spool(Database(hall.folder), hall.clock)  # type: ignore[arg-type]
    numbers = [job.payload.ticket.number for _ in range(2) if (job := spool.claim(hall.now().at))]
    spool.database.close()
    assert numbers == ["1001", "1002"]


def test_the_priority_toggle_gives_a_priority_number(hall: Hall, helper: Browser):
    ask(helper, "issue", service="ho-tich", priority="1")
    assert hall.events("ticket.issued")[0]["priority"]
    assert "ƯT" in helper.get("/help").text


def test_numbers_of_the_help_desk_pass_hours_and_quota(hall: Hall, helper: Browser):
    hall.clock.seconds = 12 * 3600 - 600
    assert ask(helper, "issue", service="dat-dai")["ok"], "the office closed hours ago"


def test_the_stream_brings_the_new_number_and_the_count_of_the_tile(hall: Hall, helper: Browser):
    hall.take()
    assert "1001" in helper.fragment("/help/live", "recent", "1001")
    assert helper.fragment("/help/live", "note-ho-tich", "1") == "Đang chờ: 1"


def test_only_helpers_give_numbers_here(hall: Hall):
    for browser in (hall.clerk("1"), hall.browser(LEADER)):
        for path in ("/help", "/help/live"):
            with browser.get(path, stream=True) as answer:
                assert answer.status_code == 403, path
        csrf = browser.csrf("/desk" if browser.get("/desk").status_code == 200 else "/help")
        assert not browser.post("/help/issue", csrf=csrf, service="ho-tich")["ok"]
    assert hall.events("ticket.issued") == []
    assert hall.browser().get("/help").headers["location"] == "/sign-in"


def test_a_number_is_found_by_its_last_digits(hall: Hall, helper: Browser):
    for _ in range(12):
        hall.take()
    hall.take("dat-dai")
    found = helper.get("/help?q=12").text
    assert ">1012" in found
    assert ">1011" not in found
    assert ">3001" in helper.get("/help?q=3001").text
    assert "Không có số nào" in helper.get("/help?q=9999").text


def test_a_slip_is_printed_again_as_a_copy(hall: Hall, helper: Browser):
    number = hall.take()
    hall.store.database.conn.execute("UPDATE jobs SET state = 'done'")
    assert ask(helper, "reprint", ticket=ticket(hall, number))["say"] == "Đang in lại phiếu 1001"
    (asked,) = hall.events("slip.asked")
    assert asked["actor"] == HELPER
    row = hall.store.database.rows("SELECT copy FROM jobs WHERE id = ?", asked["job"])[0]
    assert row["copy"] == 1, "the slip says IN LẠI"


def test_slips_that_did_not_come_out_are_listed_and_printed_with_one_click(hall: Hall, helper: Browser):
    hall.take()
    hall.take()
    hall.store.note(hall.now(), "printer", "paper_out")
    assert "Máy in hết giấy" in helper.get("/help").text
    hall.clock.seconds += 400
    assert "Phiếu chưa in được: 2" in helper.get("/help").text
    assert ask(helper, "reprint-all")["say"] == "Đang in 2 phiếu"
    assert "Phiếu chưa in được" not in helper.get("/help").text


@pytest.mark.parametrize(
    ("state", "says"), [("done", "Phiếu đã in"), ("sending", "Phiếu đang in"), ("expired", "Phiếu chưa in được: ghi")]
)
def test_the_number_just_given_tells_what_became_of_its_slip(hall: Hall, helper: Browser, state: str, says: str):
    ask(helper, "issue", service="ho-tich")
    page = helper.get("/help").text
    assert "Phiếu đang in ở máy lấy số" in page
    assert "Chưa có ai chờ trước công dân" in page
    hall.store.database.conn.execute("UPDATE jobs SET state = ?", (state,))
    assert says in helper.fragment("/help/live", "given", says)


def test_no_slip_is_promised_for_a_number_that_is_called_already(hall: Hall, helper: Browser):
    ask(helper, "issue", service="ho-tich")
    hall.store.counters.call_next(hall.now(), "1")
    hall.store.database.conn.execute("UPDATE jobs SET state = 'expired'")
    assert "Phiếu" not in helper.fragment("/help/live", "given", "1001")


def test_where_no_printer_is_the_number_is_to_be_written_down(tmp_path: Path):
    hall = Hall(tmp_path, printer=replace(shipped().printer, url="none"))
    try:
        helper = hall.browser(HELPER)
        ask(helper, "issue", service="ho-tich")
        page = helper.get("/help").text
        assert "ghi số này ra giấy cho công dân" in page
        assert "Phiếu đang in" not in page
    finally:
        hall.close()
        hall.store.close()


def test_a_number_is_cancelled_with_a_reason_that_is_kept(hall: Hall, helper: Browser):
    id = ticket(hall, hall.take())
    assert ask(helper, "cancel", ticket=f"{id}:waiting", reason=" ")["say"] == "Hãy ghi lý do"
    assert ask(helper, "cancel", ticket=f"{id}:waiting", reason="Công dân đã về")["ok"]
    assert hall.events("ticket.cancelled")[0]["why"] == "Công dân đã về"


def test_a_number_that_was_called_meanwhile_is_not_cancelled_from_an_old_page(hall: Hall, helper: Browser):
    id = ticket(hall, hall.take())
    hall.clerk("1").post("/desk/next", ticket="")
    assert ask(helper, "cancel", ticket=f"{id}:waiting", reason="về")["say"].startswith("Số 1001 đã “đã gọi”")
    assert hall.events("ticket.cancelled") == []


def test_who_missed_the_call_stands_in_line_again(hall: Hall, helper: Browser):
    id = ticket(hall, hall.take())
    hall.store.counters.call_next(hall.now(), "1")
    hall.clock.seconds += 130
    hall.store.counters.no_show(hall.now(), "1")
    assert ask(helper, "return", ticket=id)["say"] == "Số 1001 chờ lại"
    assert hall.events("ticket.rejoined")[0]["actor"] == HELPER


def test_two_numbers_of_one_person_are_linked_and_the_clerk_reads_why_one_is_passed_over(hall: Hall, helper: Browser):
    id, _ = ticket(hall, hall.take("ho-tich")), hall.take("chung-thuc")
    assert ask(helper, "link", ticket=f"{id}:waiting", number="2001")["say"] == "Đã nối số 1001 với số 2001"
    assert "cùng người với 2001" in helper.get("/help").text
    hall.store.counters.call_chosen(hall.now(), "1", "1001", "đã hẹn")
    other = hall.clerk("4")
    assert other.post("/desk/next", ticket="")["say"] == "Không có công dân đang chờ"
    assert "người này đang ở quầy 1" in other.get("/desk").text
    assert ask(helper, "unlink", ticket=ticket(hall, "2001"))["ok"]
    assert other.post("/desk/next", ticket="")["say"] == "Đã gọi số 2001"
    assert from_events(hall.store.database.conn) == from_tables(hall.store.database.conn)


def test_what_cannot_be_linked_is_said(hall: Hall, helper: Browser):
    id = ticket(hall, hall.take())
    assert ask(helper, "link", ticket=id, number="1001")["say"].startswith("Hãy nhập số khác")
    assert ask(helper, "link", ticket=id, number="9999")["say"] == "Không tìm thấy số này trong ngày"


def test_numbers_of_a_roll_are_entered_click_by_click(hall: Hall, helper: Browser):
    hall.take()
    assert ask(helper, "roll", service="ho-tich", number="1001")["say"].startswith("Số 1001 đã phát hôm nay")
    assert ask(helper, "roll", service="ho-tich", number="mười")["say"] == "Hãy ghi đúng số in trên cuộn, như 1001"
    assert ask(helper, "roll", service="ho-tich", number="1201")["ok"]
    assert "số tiếp theo 1201" in helper.get("/help").text
    assert ask(helper, "issue", service="ho-tich")["say"] == "Đã lấy số 1201"
    assert "Xé số này" in helper.get("/help").text
    assert hall.events("ticket.issued")[-1]["by"] == "roll"
    assert ask(helper, "roll-end", service="ho-tich")["ok"]
    assert ask(helper, "issue", service="ho-tich")["say"] == "Đã lấy số 1202"


def test_the_tiles_have_shortcuts_but_not_the_key_that_loads_a_page(helper: Browser):
    page = helper.get("/help").text
    assert 'data-key="F1"' in page
    assert 'data-key="F5"' not in page


def test_the_number_pads_enter_gives_no_number_while_one_is_looked_for(helper: Browser):
    assert "data-numpad" not in helper.get("/help").text


def test_without_our_script_the_page_works_too(hall: Hall, helper: Browser):
    helper.headers["Referer"] = f"{hall.url}/help"
    answer = helper.post_page("/help/issue", csrf=helper.csrf("/help"), service="ho-tich")
    assert (answer.status_code, answer.headers["location"]) == (303, "/help")
    assert "Đã lấy số 1001" in helper.get("/help").text


def test_a_service_that_the_office_does_not_have_is_refused(hall: Hall, helper: Browser):
    assert ask(helper, "issue", service="nope")["say"] == "Không có lĩnh vực này"


def test_a_printer_that_is_taken_away_while_the_console_runs_is_gone_from_the_page(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    hall = Hall(tmp_path, file=str(file))
    hall.take()
    helper = hall.browser(HELPER)
    assert "In lại" in helper.get("/help").text
    file.write_text('printer = "none"\n')  # a mistake first: it is said, and the console goes on
    hall.store.orders.give(hall.now(), "console", "settings", by="do-van-h")
    while hall.store.orders.waits("console"):
        helper.get("/help")
    file.write_text('[printer]\nurl = "none"\n')
    hall.store.orders.give(hall.now(), "console", "settings", by="do-van-h")
    with helper.stream("/help/live") as events:
        assert any(data.startswith("recent\n") and "In lại" not in data for kind, data in events if kind == "fragment")
    hall.close()
