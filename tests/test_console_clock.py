"""The question about the clock after a start that nobody vouches for."""

from tests.console_kit import CLERKS, PIN, Hall


def test_the_first_sign_in_on_an_unsure_clock_is_asked_for_the_date_and_yes_makes_it_count(hall: Hall):
    hall.clock.trusted = False
    browser = hall.browser()
    answer = browser.post_page("/sign-in", person=CLERKS["1"], counter="1", pin=PIN)
    assert answer.headers["location"] == "/clock"
    assert "Hôm nay là Thứ Hai, 23/11/2026, 07:31 phải không?" in browser.get("/clock").text
    assert browser.post("/clock", page="/clock", yes="1")["say"] == "Đã ghi nhận: Thứ Hai, 23/11/2026, 07:31"
    assert hall.clock.vouched is not None
    assert [event["actor"] for event in hall.events("device.vouched")] == [CLERKS["1"]]


def test_another_time_can_be_said_and_one_that_cannot_be_is_refused(hall: Hall):
    hall.clock.trusted = False
    clerk = hall.clerk("1")
    assert clerk.post("/clock", page="/clock", day="2019-01-01", time="07:00")["say"].startswith("Ngày 01/01/2019")
    assert clerk.post("/clock", page="/clock", day="x", time="07:00")["say"] == "Giờ phải viết như 14:30"
    assert clerk.post("/clock", page="/clock", day="2026-11-24", time="07:00")["ok"]


def test_nobody_is_asked_on_a_sure_clock(hall: Hall):
    clerk = hall.clerk("1")
    assert clerk.get("/clock").headers["location"] == "/"


def test_a_clock_that_is_sure_is_not_set_by_a_page_that_is_behind(hall: Hall):
    hall.clock.trusted = False
    late = hall.clerk("1")
    csrf = late.csrf("/clock")
    hall.clock.trusted = True
    for said in ({"day": "2027-03-03", "time": "09:00"}, {"yes": "1"}, {"day": "0001-01-01", "time": "00:00"}):
        answer = late.post("/clock", csrf=csrf, **said)
        assert answer["say"] == "Đồng hồ đã được xác nhận. Nếu giờ sai, xin báo kỹ thuật viên"
    assert hall.clock.vouched is None
    assert not hall.events("device.vouched")
