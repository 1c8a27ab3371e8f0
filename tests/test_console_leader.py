"""The leader's pages over a real socket: the day, notices, dossier figures, and what is not shown."""

import unicodedata

import pytest

from kiosk.store.rebuild import from_events, from_tables
from tests.console_kit import CLERKS, HELPER, LEADER, Browser, Hall

GOOD = {"as_of": "07:30 23/11/2026", "early": "2.530", "on_time": "165", "late": "0", "in_time": "409", "overdue": "3"}


@pytest.fixture
def leader(hall: Hall) -> Browser:
    return hall.browser(LEADER)


def ask(leader: Browser, name: str, page: str = "/leader/notices", **fields: str) -> dict[str, object]:
    return leader.post(f"/leader/{name}", page=page, **fields)


def upload(leader: Browser, data: bytes, **fields: str) -> str:
    """Send a CSV file for a look; the page afterwards."""
    files = {"file": ("bieu-06.csv", data, "text/csv")}
    leader.post("/leader/figures", page="/leader/dossiers", files=files, **fields)
    return leader.get("/leader/dossiers").text


def test_the_day_in_figures_follows_what_happens(hall: Hall, leader: Browser):
    hall.take()
    hall.take()
    hall.clock.seconds += 600
    hall.store.counters.call_next(hall.now(), "1")
    row = leader.fragment("/leader/live", "services", "10 phút")
    assert "Hộ tịch" in row
    assert "<b>2</b><span>Đã lấy số" in leader.get("/leader").text
    hall.store.counters.finish(hall.now(), "1")
    assert "<b>1</b><span>Đã phục vụ" in leader.fragment("/leader/live", "totals", "<b>1</b><span>Đã phục vụ")


def test_the_hours_have_a_bar_each_also_the_quiet_ones(hall: Hall, leader: Browser):
    hall.take()
    hall.clock.seconds += 2 * 3600
    hall.take()
    page = leader.get("/leader").text
    assert page.count("<rect") == 3
    assert 'aria-label="7 giờ: 1 số; 8 giờ: 0 số; 9 giờ: 1 số"' in page


def test_yesterday_is_not_in_todays_figures(hall: Hall, leader: Browser):
    hall.take()
    hall.clock.seconds += 86400
    leader = hall.browser(LEADER)
    assert "<b>0</b><span>Đã lấy số" in leader.get("/leader").text


def test_a_wait_beyond_the_promise_is_said_with_the_counters_that_would_help(hall: Hall, leader: Browser):
    hall.store.counters.open(hall.now(), "1")
    hall.take("ho-tich")
    hall.take("dat-dai")
    hall.store.database.conn.execute(
        "UPDATE jobs SET wait_low = 1, wait_high = 5 WHERE ticket IN (SELECT id FROM tickets WHERE service = 'dat-dai')"
    )
    assert "chờ lâu hơn dự kiến" not in leader.get("/leader").text
    hall.clock.seconds += 301
    page = leader.get("/leader").text
    assert "Có công dân chờ lâu hơn dự kiến: Đất đai – Xây dựng" in page
    assert "Hãy mở thêm quầy: Quầy 2" in page
    hall.store.counters.open(hall.now(), "2")
    assert "Mọi quầy của lĩnh vực này đều đang mở" in leader.get("/leader").text


def test_ratings_are_shown_only_as_published_and_none_by_clerk(hall: Hall, leader: Browser):
    hall.store.counters.open(hall.now(), "1", CLERKS["1"])
    for _ in range(6):
        hall.take()
        hall.store.counters.call_next(hall.now(), "1")
        hall.store.counters.finish(hall.now(), "1")
        hall.clock.seconds += 10
        hall.store.ratings.press(hall.now(), "1", 3, "key")
        hall.clock.seconds += 30
    assert "Chưa đủ lượt đánh giá để công bố" in leader.get("/leader").text
    hall.clock.seconds = 4.5 * 3600
    hall.store.ratings.publish(hall.now())
    page = leader.get("/leader").text
    assert "6/6 lượt đánh giá hài lòng" in page
    assert "Đến hết buổi sáng ngày 23/11/2026" in page
    (published,) = hall.store.ratings.publications()
    assert published.clerks, "the clerk's own figures are published to the clerk"
    assert "Nguyễn Văn A" not in leader.get("/leader").text.split('id="ratings"')[1]


def test_only_leaders_see_these_pages(hall: Hall):
    for browser in (hall.clerk("1"), hall.browser(HELPER)):
        for path in ("/leader", "/leader/notices", "/leader/dossiers", "/leader/live", "/leader/notices/live"):
            with browser.get(path, stream=True) as answer:
                assert answer.status_code == 403, path
        csrf = browser.csrf("/leader")
        assert not browser.post("/leader/line", csrf=csrf, text="x")["ok"]
    assert hall.events("override.set") == []


# --- notices -------------------------------------------------------------------------------------------------


def test_a_line_goes_to_the_boards_and_can_be_taken_off(hall: Hall, leader: Browser):
    assert ask(leader, "line", text="Chiều nay nghỉ họp <b>", until="2026-11-23")["ok"]
    assert hall.store.board(hall.now()).lines == ("Chiều nay nghỉ họp <b>",)
    page = leader.get("/leader/notices").text
    assert "Chiều nay nghỉ họp &lt;b&gt;" in page
    assert "đến hết ngày 23/11/2026" in page
    assert hall.events("override.set")[0]["actor"] == LEADER
    key = hall.store.overrides.lines()[0].key
    assert ask(leader, "line-off", key=key)["ok"]
    assert hall.store.board(hall.now()).lines == ()


def test_what_is_wrong_with_a_line_is_said(leader: Browser):
    assert ask(leader, "line", text="x" * 200)["say"] == "Hãy ghi một dòng, tối đa 120 chữ, không có dấu |"
    assert ask(leader, "line", text="x", until="mai")["say"] == "Hãy chọn ngày"
    assert ask(leader, "line", text="x", until="2026-11-22")["say"].startswith("Ngày này đã qua")  # type: ignore[attr-defined]


def test_a_day_is_closed_with_its_reason_and_opened_again(hall: Hall, leader: Browser):
    assert ask(leader, "day", day="2026-11-23", kind="off", reason="")["say"].startswith("Hãy ghi lý do nghỉ")  # type: ignore[attr-defined]
    assert ask(leader, "day", day="2026-11-20", kind="off", reason="bão")["say"].startswith("Ngày này đã qua")  # type: ignore[attr-defined]
    assert ask(leader, "day", day="2026-11-23", kind="off", reason="mất điện")["ok"]
    assert hall.store.opening(hall.now()).status == "holiday"
    assert "Thứ Hai, 23/11/2026: nghỉ: mất điện" in leader.get("/leader/notices").text
    assert ask(leader, "day", day="2026-11-23", kind="")["ok"]
    assert hall.store.opening(hall.now()).status == "open"


def test_numbers_are_added_to_a_session_of_today(hall: Hall, leader: Browser):
    assert "Đất đai – Xây dựng, buổi sáng: đã lấy 0/30" in leader.get("/leader/notices").text
    assert ask(leader, "extra", quota="sang/dat-dai", numbers="5")["say"] == "Đã thêm 5 số"
    assert "đã lấy 0/35" in leader.get("/leader/notices").text
    for wrong in ("-1", "năm", "", "10000"):
        assert "số nguyên từ 0 đến 9999" in str(ask(leader, "extra", quota="sang/dat-dai", numbers=wrong)["say"])
    assert "không giới hạn" in str(ask(leader, "extra", quota="sang/ho-tich", numbers="5")["say"])
    assert from_events(hall.store.database.conn) == from_tables(hall.store.database.conn)


# --- dossiers ------------------------------------------------------------------------------------------------


def test_figures_are_looked_at_before_they_are_saved(hall: Hall, leader: Browser):
    assert ask(leader, "figures", "/leader/dossiers", **GOOD)["go"] == "/leader/dossiers"
    assert hall.store.dossiers.current() is None
    page = leader.get("/leader/dossiers").text
    assert "HỒ SƠ ĐÃ GIẢI QUYẾT: 2.695 (Trước hạn 2.530 · Đúng hạn 165 · Quá hạn 0)" in page
    assert "Số liệu đến 07:30 ngày 23/11/2026" in page
    exact = {**GOOD, "as_of": "2026-11-23T07:30", "early": "2530"}
    assert ask(leader, "figures-save", "/leader/dossiers", **exact)["say"] == "Số liệu hồ sơ đã hiện trên màn hình"
    saved = hall.store.dossiers.current()
    assert saved is not None
    assert (saved.early, saved.overdue) == (2530, 3)
    assert hall.events("dossiers.set")[0]["actor"] == LEADER


def test_figures_are_taken_off_the_boards(hall: Hall, leader: Browser):
    ask(leader, "figures-save", "/leader/dossiers", **GOOD)
    assert ask(leader, "figures-clear", "/leader/dossiers")["ok"]
    assert hall.store.dossiers.current() is None
    assert from_events(hall.store.database.conn) == from_tables(hall.store.database.conn)


def test_everything_that_is_wrong_is_said_at_its_field_with_what_to_do(leader: Browser):
    wrong = {**GOOD, "as_of": "hôm qua", "early": "=1+1", "late": "-3", "in_time": ""}
    assert ask(leader, "figures", "/leader/dossiers", **wrong)["say"] == "Có 4 chỗ cần sửa"
    page = leader.get("/leader/dossiers").text
    assert "Số liệu đến: &#34;hôm qua&#34; phải là giờ và ngày" in page
    assert "Đã giải quyết – Trước hạn: &#34;=1+1&#34; phải là số nguyên" in page
    assert "Đang giải quyết – Trong hạn: còn thiếu" in page
    assert 'value="=1+1" aria-invalid="true"' in page, "what was written stays, to be put right"


def test_figures_of_a_time_to_come_are_refused(hall: Hall, leader: Browser):
    late = {**GOOD, "as_of": "17:00 24/11/2026"}
    assert "thời điểm chưa tới" in str(ask(leader, "figures", "/leader/dossiers", **late)["say"])
    assert "thời điểm chưa tới" in str(ask(leader, "figures-save", "/leader/dossiers", **late)["say"])
    assert hall.store.dossiers.current() is None


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("divider", [",", ";"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_from_excel_is_read_whatever_its_form(leader: Browser, mark: bytes, divider: str, form: str):
    rows = [["Trước hạn", "Đúng hạn", "Quá hạn", "Trong hạn", "Quá hạn"], ["2.530", "165", "0", "409", "3"]]
    table = unicodedata.normalize(form, "\r\n".join(divider.join(row) for row in rows))  # type: ignore[arg-type]
    page = upload(leader, mark + table.encode(), as_of="07:30 23/11/2026")
    assert "2.695 (Trước hạn 2.530" in page
    assert "Trong hạn 409 · Quá hạn 3" in page


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "tệp có 0 dòng số liệu"),
        ("Trước hạn;Đúng hạn\n1;2\n3;4".encode(), "tệp có 2 dòng số liệu"),
        ("Trước hạn".encode("utf-16"), "CSV UTF-8"),
        ("Trước hạn;Trước hạn\n1;2".encode(), "trùng nhau"),
        ("Trước hạn;Đúng hạn;Quá hạn;Trong hạn\n=1+1;2;3;4".encode(), "&#34;=1+1&#34; phải là số nguyên"),
        ("Tên;Tuổi\na;b".encode(), "Đã giải quyết – Trước hạn: còn thiếu"),
        (b"x" * 70_000, "tệp lớn quá"),
        (b"\x00\xff\xfe", "CSV UTF-8"),
        (("Trước hạn\n1" + "\u0301\u0323" * 16000).encode(), "chữ mang quá nhiều dấu"),
        (b"x;" * 30_000 + b"\n1", "hơn 100 cột"),
        (b"x" * 60_000 + b"\n1", "ô dài hơn 200 chữ"),
    ],
    ids=[
        "empty",
        "two rows",
        "UTF-16",
        "twice",
        "formula",
        "other columns",
        "large",
        "binary",
        "tower",
        "wide",
        "long",
    ],
)
def test_a_file_that_cannot_be_used_says_why(leader: Browser, data: bytes, says: str):
    page = upload(leader, data, as_of="07:30 23/11/2026")
    assert says in page
    assert "Chưa dùng được, hãy sửa" in page


def test_the_time_may_stand_in_the_file_but_not_in_two_places(leader: Browser):
    data = "Trước hạn;Đúng hạn;Quá hạn;Trong hạn;Quá hạn;Số liệu đến\n1;2;3;4;5;07:15 23/11/2026".encode()
    assert "Số liệu đến 07:15 ngày 23/11/2026" in upload(leader, data)
    assert "tệp đã có cột thời điểm" in upload(leader, data, as_of="07:30 23/11/2026")


def test_names_in_a_file_are_shown_as_text(leader: Browser):
    page = upload(leader, "<script>x</script>;Quá hạn\n1;2".encode())
    assert "<script>x" not in page


def test_in_english_the_pages_are_english(hall: Hall, leader: Browser):
    hall.take()
    leader.get("/leader?l=en")
    assert "Usual wait (median)" in leader.get("/leader").text
    assert ask(leader, "line", text="")["say"] == "Write one line of at most 120 letters, without |"


def test_an_untrusted_clock_shows_the_running_series_day(hall: Hall, leader: Browser):
    hall.take()
    hall.clock.trusted = False
    hall.clock.seconds += 600
    assert "<b>1</b><span>Đã lấy số" in leader.get("/leader").text
