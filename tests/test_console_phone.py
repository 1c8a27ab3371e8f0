"""Citizens' pages over a real socket: what a phone is told, what it may send, and what it never learns."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import requests

from kiosk.config import Public
from kiosk.console import phone
from kiosk.public.form import COMMENT_LETTERS, LEAST_DIGITS
from kiosk.public.pages import HEADERS, REFRESH_S
from kiosk.public.state import SOON_AHEAD
from kiosk.store.board import ticket_by_id
from kiosk.store.comments import COMMENT_DAYS
from kiosk.store.counters import PHONE_REJOINS
from kiosk.store.database import StoreError
from kiosk.store.phones import Phones
from kiosk.tickets import Ticket
from tests.console_kit import Hall

SAY = {"do": "rate", "level": "1", "comment": "Chờ lâu quá"}


def ticket(hall: Hall, number: str) -> Ticket:
    row = hall.store.database.row("SELECT id FROM tickets WHERE number = ?", number)
    assert row
    found = ticket_by_id(hall.store.database, row["id"])
    assert found
    return found


def slip(hall: Hall, service: str = "ho-tich") -> str:
    """The address behind the code of a new number's slip."""
    return f"/T/{ticket(hall, hall.take(service)).token}"


def served(hall: Hall) -> str:
    path = slip(hall)
    hall.store.counters.call_next(hall.now(), "1")
    hall.clock.seconds += 40
    hall.store.counters.finish(hall.now(), "1")
    return path


def get(hall: Hall, path: str, **headers: str) -> requests.Response:
    return requests.get(hall.url + path, headers=headers, allow_redirects=False, timeout=10)


def post(hall: Hall, path: str, fields: dict[str, str] | str) -> requests.Response:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return requests.post(hall.url + path, fields, headers=kind, allow_redirects=False, timeout=10)


def said(answer: requests.Response) -> str:
    """The page's text without marks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def rows(hall: Hall, table: str) -> list[dict[str, object]]:
    return [dict(row) for row in hall.store.database.rows(f"SELECT * FROM {table}")]


# --- what is told ----------------------------------------------------------------------------------------------


def test_a_phone_follows_its_number_from_the_line_to_the_rating(hall: Hall):
    others = [slip(hall) for _ in range(3)]
    path = slip(hall)
    assert "Phía trước còn 3 người" in said(get(hall, path))
    for _ in others:
        hall.store.counters.call_next(hall.now(), "1")
    assert "Sắp đến lượt, mời vào khu vực chờ Đang phục vụ: 1003 · Chưa có ai chờ trước Ông/Bà" in said(get(hall, path))
    hall.store.counters.call_next(hall.now(), "1")
    assert "Số 1004 – Hộ tịch 1004 Đến lượt: mời đến quầy 1" in said(get(hall, path))
    hall.store.counters.start(hall.now(), "1")
    assert "Đang được phục vụ tại quầy 1" in said(get(hall, path))
    hall.store.counters.finish(hall.now(), "1")
    page = get(hall, path)
    assert "Ông/Bà có hài lòng với việc phục vụ vừa rồi không?" in said(page)
    assert re.findall(r'name="level" value="(\d)"', page.text) == ["3", "2", "1"]


def test_an_address_in_small_letters_leads_to_the_one_in_capitals(hall: Hall):
    path = slip(hall)
    answer = get(hall, path.lower() + "?l=en")
    assert (answer.status_code, answer.headers["location"]) == (308, path + "?l=en")
    assert get(hall, "/c/abc").headers["location"] == "/C/ABC"


@pytest.mark.parametrize("code", ["0" * 16, "X", "%00", "A/B", "..%2F..", "'OR'1'='1", "Ệ" * 40, "0" * 16 + "/LIVE"])
def test_every_code_that_opens_nothing_is_answered_alike(hall: Hall, code: str):
    usual = get(hall, "/T/" + "Z" * 16)
    for letter in "TC":
        answer = get(hall, f"/{letter}/{code}")
        assert (answer.status_code, answer.text) == (404, usual.text)
    assert post(hall, f"/T/{code}", SAY).text == usual.text
    assert "Chưa có thông tin cho mã này" in said(usual)


def test_a_phone_gets_no_cookie_and_the_strict_headers_with_every_answer(hall: Hall):
    path = served(hall)
    for address in (path, f"{path}?l=en", f"{path}?part=1", "/T/X?l=en", "/phone/phone.css", "/t/x", "/phone/no"):
        answer = get(hall, address)
        assert not answer.cookies, address
        for name in ("Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"):
            assert answer.headers[name] == HEADERS[name], address
    assert not post(hall, path, SAY).cookies


def test_the_page_and_all_that_it_names_weigh_less_than_30_kb(hall: Hall):
    for path in (slip(hall, "dat-dai"), served(hall)):
        page = get(hall, path)
        named = re.findall(r'(?:href|src)="(/phone/[^"]+)"', page.text)
        assert named
        files = [get(hall, name) for name in named]
        assert all("immutable" in file.headers["Cache-Control"] for file in files)
        assert sum(len(each.content) for each in (page, *files)) < 30_000
        assert page.headers["Cache-Control"] == "no-store"


def test_the_page_speaks_the_language_that_is_asked_for_and_keeps_it(hall: Hall):
    path = served(hall)
    page = get(hall, path + "?l=en")
    assert '<html lang="en">' in page.text
    assert "Were you satisfied" in said(page)
    assert f'action="{path}?l=en"' in page.text
    assert f'href="{path}?l=vi"' in page.text
    assert post(hall, path + "?l=en", SAY).headers["location"] == f"{path}?l=en&done=1"
    assert '<html lang="vi">' in get(hall, path + "?l=xx").text


def test_the_stream_brings_the_part_that_changes(hall: Hall):
    path = slip(hall)
    with hall.browser().stream(path + "/LIVE") as events:
        first = next(data for kind, data in events if kind == "fragment")
        assert first.startswith("live\n<section")
        assert "Chưa có ai chờ trước Ông/Bà" in first
        hall.store.counters.call_next(hall.now(), "1")
        second = next(data for kind, data in events if kind == "fragment" and "Đến lượt" in data)
    assert get(hall, path + "?part=1").text.strip() == second.removeprefix("live\n").strip()


def test_more_streams_than_the_kiosk_can_keep_are_refused_and_those_that_end_make_room(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(phone, "MOST_STREAMS", 1)
    path = slip(hall) + "/LIVE"
    with hall.browser().stream(path) as events:
        next(events)
        assert get(hall, path).status_code == 503
    assert any(hall.browser().get(path, stream=True).status_code == 200 for _ in range(50))


# --- what is sent ----------------------------------------------------------------------------------------------


def test_a_rating_is_kept_once_with_its_reasons_and_comment_and_thanked_for_the_same_way(hall: Hall):
    thanks = set()
    for level in "321":
        path = served(hall)
        answer = post(hall, path, f"do=rate&level={level}&reason=wait&reason=guide&comment=C%E1%BA%A3m+%C6%A1n")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=1")
        thanks.add(get(hall, f"{path}?done=1").text.replace(path, ""))
        assert "Lượt giao dịch này đã được đánh giá" in said(get(hall, path))
    assert len(thanks) == 1
    assert "Cảm ơn Ông/Bà đã đánh giá!" in thanks.pop()
    assert [(r["level"], r["reasons"], r["source"]) for r in rows(hall, "ratings")] == [
        (level, "wait guide", "phone") for level in (3, 2, 1)
    ]
    assert [c["text"] for c in rows(hall, "comments")] == ["Cảm ơn"] * 3
    assert post(hall, path, SAY).headers["location"] == path, "already rated and commented"


def test_what_is_wrong_with_a_form_is_said_and_nothing_that_was_written_is_lost(hall: Hall):
    path = served(hall)
    empty = post(hall, path, {"do": "rate", "level": "", "comment": "  "})
    assert (empty.status_code, "Xin chọn một mức độ" in said(empty)) == (422, True)
    written = "Dài <b>quá</b> " * 50
    long = post(hall, path, {"do": "rate", "level": "2", "reason": "other", "comment": written})
    assert long.status_code == 422
    assert "Góp ý dài 749 chữ, tối đa 500 chữ" in said(long)
    assert "Dài &lt;b&gt;quá&lt;/b&gt; Dài" in long.text
    assert 'value="2" checked' in long.text
    assert 'value="other" checked' in long.text
    assert rows(hall, "ratings") == []


@pytest.mark.parametrize("body", ["", "level=9", "level=%F0%9F", "&" * 1000, "a=1&" * 41, "level=3" + "x" * 70_000])
def test_a_body_that_is_no_answer_changes_nothing(hall: Hall, body: str):
    path = served(hall)
    assert post(hall, path, body).status_code == 422
    assert rows(hall, "ratings") == []


def test_nothing_can_be_said_of_a_number_that_is_not_finished(hall: Hall):
    path = slip(hall)
    assert post(hall, path, SAY).headers["location"] == path
    assert (rows(hall, "ratings"), rows(hall, "comments")) == ([], [])


def test_a_missed_number_rejoins_with_one_press(hall: Hall):
    path = slip(hall)
    hall.store.counters.call_next(hall.now(), "1")
    hall.clock.seconds += 130
    hall.store.counters.no_show(hall.now(), "1")
    page = get(hall, path)
    assert "Số của Ông/Bà đã được gọi. Mời liên hệ quầy 1" in said(page)
    assert 'value="rejoin"' in page.text
    assert post(hall, path, {"do": "rejoin"}).headers["location"] == path
    assert "Sắp đến lượt" in said(get(hall, path))
    assert [event["by"] for event in hall.events("ticket.rejoined")] == ["phone"]
    assert "actor" not in hall.events("ticket.rejoined")[0]


def test_who_sends_again_and_again_is_asked_to_wait_and_keeps_what_was_written(hall: Hall):
    hall.clerk("1")
    token = hall.store.posters.token(hall.now(), "1")
    codes = [post(hall, f"/C/{token}", SAY).status_code for _ in range(phone.PER_COUNTER.burst + 1)]
    assert codes == [303] * phone.PER_COUNTER.burst + [429]
    busy = post(hall, f"/C/{token}", SAY)
    assert ("Chờ lâu quá" in busy.text, busy.headers["Retry-After"]) == (True, "60")
    hall.clock.seconds += phone.PER_COUNTER.every_s
    assert post(hall, f"/C/{token}", SAY).status_code == 303


def test_when_nothing_can_be_stored_it_is_said_and_the_form_stays_filled(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    path = served(hall)

    def full(*given: object) -> bool:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Phones, "rate", full)
    answer = post(hall, path, SAY)
    assert (answer.status_code, "Chờ lâu quá" in answer.text) == (503, True)
    assert "Chưa lưu được đánh giá" in said(answer)
    monkeypatch.setattr(Phones, "ticket", full)
    assert get(hall, path).status_code == 503
    assert not get(hall, path + "?l=en").cookies


# --- posters ---------------------------------------------------------------------------------------------------


def test_the_page_behind_a_poster_rates_whoever_is_there_apart_from_the_numbers(hall: Hall):
    hall.clerk("1")
    path = f"/C/{hall.store.posters.token(hall.now(), '1')}"
    page = get(hall, path)
    assert "Đánh giá tại quầy 1" in said(page)
    assert "không gắn với số phiếu và được tính riêng" in said(page)
    assert post(hall, path, SAY).headers["location"] == f"{path}?done=1"
    assert [(r["clerk"], r["flags"], r["source"]) for r in rows(hall, "ratings")] == [
        ("nguyen-thi-a", "unlinked", "poster")
    ]


def test_staff_prints_a_counters_poster_and_its_code_opens_the_page(hall: Hall):
    hall.words = replace(hall.words, public_url="http://kiosk.example")
    hall.restart()
    sheet = hall.clerk("1").get("/poster/1")
    assert sheet.status_code == 200
    address = re.search(r"HTTP://KIOSK\.EXAMPLE(/C/[0-9A-Z]{16})", sheet.text)
    assert address
    assert get(hall, address[1]).status_code == 200
    assert "<svg" in sheet.text
    assert "<script" not in sheet.text
    assert get(hall, "/poster/1", Accept="text/html").headers["location"] == "/sign-in"


def test_the_host_in_the_slips_code_is_ours_and_no_other_is(tmp_path: Path):
    hall = Hall(tmp_path, public=Public("http://kiosk.example"))
    try:
        asked = [get(hall, "/T/X", Host=host).status_code for host in ("KIOSK.EXAMPLE", "elsewhere.example")]
    finally:
        hall.close()
    assert asked == [404, 421]


def test_without_an_address_for_phones_the_poster_page_says_what_to_do(hall: Hall):
    answer = hall.clerk("1").get("/poster/1")
    assert (answer.status_code, "[public] url" in said(answer)) == (404, True)
    assert hall.clerk("1").get("/poster/99").status_code == 404


def test_the_limits_and_figures_in_the_document_are_the_codes():
    page = " ".join((Path(__file__).parents[1] / "docs" / "phone.md").read_text().split())
    for words in (
        f"at most {SOON_AHEAD} people are ahead",
        f"asking every {REFRESH_S} s",
        f"at most {COMMENT_LETTERS} letters",
        f"{LEAST_DIGITS} digits or more",
        f"deleted after {COMMENT_DAYS} days",
        f"A number takes {phone.PER_TICKET.burst} answers at once and then one a minute",
        f"a counter's poster {phone.PER_COUNTER.burst} and then one each {phone.PER_COUNTER.every_s} s",
        f"all together {phone.TOGETHER.burst} and then {1 / phone.TOGETHER.every_s:.0f} a second",
    ):
        assert words in page, words
    assert (phone.PER_TICKET.every_s, PHONE_REJOINS) == (60, 2)
