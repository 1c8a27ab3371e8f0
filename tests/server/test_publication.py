"""The public page: nothing is public before a leader has said so, and then what was switched on and no more."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kiosk.public.pages import HEADERS
from kiosk.texts import LOCAL
from server import clock
from server.accounts.models import Audit
from server.facts.models import Comment, Fact
from server.publication import freezing, letters, public
from server.publication.bulletin import Spoken
from server.publication.content import Place
from server.publication.models import PARTS, Letters, Setting
from server.registry.models import Device, Site
from server.reports import periods
from server.words import _own, texts
from tests.server import figures_kit as kit
from tests.server.kit import Server
from tests.server.phone_kit import said
from tests.server.public_kit import standing_at

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 10, tzinfo=LOCAL)
PAGE = "/cong-khai/12345"


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    """Ten o'clock on a Tuesday."""
    with standing_at(NOW):
        yield


def switch(server: Server, on: bool = True, **parts: bool) -> None:
    Setting.objects.update_or_create(site=server.site, defaults={"on": on, **parts})
    cache.clear()


def fact(server: Server, kind: str, value: dict[str, Any], key: str = "") -> None:
    Fact.objects.create(site=server.site, device=server.device, kind=kind, key=key, value=value, at=NOW)


def office(server: Server) -> None:
    """A morning at the office, with all that can be published."""
    Device.objects.update(seen=NOW)
    kit.keep(server.site, TODAY, [kit.ticket(server.device, TODAY, wait=w) for w in (4, 8, 12)])
    kit.keep(server.site, TODAY, [kit.ticket(server.device, TODAY, state=kit.State.WAITING, wait=None)])
    kit.days(server.device, "3333", "3321", first=TODAY - timedelta(days=5))
    flagged = [kit.rating(server.device, TODAY - timedelta(days=4), 1, flags="burst") for _ in range(4)]
    kit.keep(server.site, TODAY - timedelta(days=4), [], flagged)
    fact(server, "dossiers", {"as_of": "2026-11-24T01:00:00.000Z", "early": 2530, "on_time": 165, "late": 0,
                              "in_time": 300, "overdue": 2})  # fmt: skip
    Comment.objects.create(
        id="c", site=server.site, device=server.device, day=TODAY, ticket="", counter="1", clerk="", rating="",
        sha256="", text="Ghế <b>ít</b>", answer="Đã thêm ghế <i>", answered_at=NOW,
    )  # fmt: skip


def page(query: str = "", path: str = PAGE) -> str:
    cache.clear()
    answer = Client().get(path + query)
    assert answer.status_code == 200
    return said(answer)


# --- the page -------------------------------------------------------------------------------------------------


def test_nothing_is_public_before_a_leader_has_switched_it_on(server: Server):
    office(server)
    for path in (PAGE, f"{PAGE}/chinh", f"{PAGE}/chinh/giai-trinh"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert "xã Mẫu" not in said(answer)
    switch(server)
    assert "xã Mẫu" in page()


def test_the_page_shows_counts_waits_dossiers_satisfaction_answers_and_hotlines(server: Server):
    office(server)
    switch(server)
    text = page()
    assert "Hôm nay, Thứ Ba, 24/11/2026 Số liệu đến 10:00 ngày 24/11/2026" in text
    assert "Đang chờ 1 Đã lấy số 4 Đã phục vụ 3" in text
    assert "Hộ tịch 1 3 8 phút" in text
    assert "Trong 7 ngày qua: 8 lượt gọi, thời gian chờ thường gặp 10 phút" in text
    assert "HỒ SƠ ĐÃ GIẢI QUYẾT: 2.695 Trước hạn 2.530 · Đúng hạn 165 · Quá hạn 0" in text
    assert "Số liệu đến 08:00 ngày 24/11/2026" in text
    assert "Từ 01/11/2026 đến hết ngày 21/11/2026" in text
    assert "75 % (6/8 lượt đánh giá) 100 % lượt phục vụ có đánh giá (8/8)" in text
    assert "Đã thêm ghế <i> (24/11/2026)" in text
    assert "Ghế" not in text.replace("Đã thêm ghế", "")
    assert "Đường dây nóng" in text
    assert "nguyen-thi-a" not in text
    english = page("?l=en")
    assert "75% (6 of 8 ratings)" in english
    assert "The one-stop office in public" in english


def test_what_is_switched_off_is_not_on_the_page(lite: Server):
    office(lite)
    freezing.freeze(Place(lite.unit), periods.parse("2026-10"), "", "", NOW)
    shown = {
        "counts": "Đã lấy số",
        "waits": "Trong 7 ngày qua",
        "dossiers": "2.695",
        "satisfaction": "6/8",
        "frozen": "tháng 10/2026",
        "answers": "Đã thêm ghế",
    }
    for part, words in shown.items():
        switch(lite, **dict.fromkeys(PARTS, True))
        assert words in page(), part
        switch(lite, **{**dict.fromkeys(PARTS, True), part: False})
        assert words not in page(), part


def test_clerks_are_off_by_default_and_then_only_a_month_that_is_over_and_five_ratings(lite: Server):
    october = date(2026, 10, 5)
    kit.days(lite.device, "33333", "33331", first=october)
    kit.days(lite.device, "333", first=october, clerk="tran-van-b")
    kit.days(lite.device, "33", first=october, clerk="le-thi-c")
    switch(lite)
    assert "Nguyễn Thị A" not in page()
    assert Setting.objects.get().clerks is False
    switch(lite, clerks=True)
    text = page()
    assert "9/10 hài lòng" in text
    assert "Trần Văn B" not in text
    assert "tháng 10/2026" in text


def test_a_clerk_whose_question_changed_has_a_line_for_each(lite: Server):
    october = date(2026, 10, 5)
    kit.days(lite.device, "33333", first=october)
    kit.days(lite.device, "33332", first=october + timedelta(days=1), label_set="vpcp")
    switch(lite, clerks=True)
    text = page()
    assert "Nguyễn Thị A – Mặt cười 5/5 hài lòng" in text
    assert "Nguyễn Thị A – VPCP 5/5 hài lòng" in text


def test_a_clerks_line_tells_no_answer_rate_where_services_are_missing(lite: Server):
    october = date(2026, 10, 5)
    kit.days(lite.device, "33333", first=october)
    switch(lite, clerks=True)
    assert "5/5 hài lòng; 100 % lượt có đánh giá" in page()
    kit.keep(lite.site, october, [], [kit.rating(lite.device, october)])
    cache.clear()
    text = page()
    assert "6/6 hài lòng" in text
    assert "lượt có đánh giá" not in text


def test_old_dossier_figures_and_a_silent_kiosk_are_said_to_be_so(lite: Server):
    office(lite)
    switch(lite)
    assert "Số liệu đã cũ" not in page()
    clock.follow(lambda: NOW + timedelta(days=4))
    assert page().count("Số liệu đã cũ") == 2
    Fact.objects.filter(kind="dossiers").update(value={})
    assert "Chưa có số liệu hồ sơ" in page()


def test_a_month_of_which_nothing_may_be_shown_gives_way_to_the_one_before(lite: Server):
    office(lite)
    switch(lite)
    clock.follow(lambda: NOW + timedelta(days=10))
    assert "Từ 01/11/2026 đến hết ngày 30/11/2026" in page()
    clock.follow(lambda: NOW + timedelta(days=50))
    assert "Chưa đủ lượt đánh giá để công bố" in page()


def test_satisfaction_of_one_day_is_of_that_day(lite: Server):
    office(lite)
    switch(lite)
    first = date(2026, 12, 1)
    kit.days(lite.device, "33333", first=first)
    clock.follow(lambda: kit.noon(first + timedelta(days=1)))
    today = said(lite.signed_in("lanh-dao", "leader").get("/"))
    for text in (page(), today):
        assert "Ngày 01/12/2026" in text
        assert "Từ 01/12/2026" not in text


def test_the_page_and_a_frozen_month_never_tell_by_their_difference_what_each_withholds(lite: Server):
    kit.days(lite.device, "33333", "31", first=date(2026, 11, 1))
    switch(lite)
    month = periods.parse("2026-11")
    clock.follow(lambda: kit.noon(date(2026, 12, 3)))
    frozen = freezing.shown(freezing.freeze(Place(lite.unit), month, "", "", clock.now()))
    assert [(each["k"], each["n"]) for each in frozen.content["ratings"]] == [(5, 5)]
    assert "(5/5 lượt đánh giá)" in page()


def test_a_point_that_has_told_nothing_yet_says_so(lite: Server):
    switch(lite)
    assert "Chưa đủ lượt đánh giá để công bố" in page()
    assert "Máy lấy số chưa gửi số liệu" in page()


def test_a_commune_with_several_points_lists_those_that_are_public(lite: Server):
    switch(lite)
    other = Site.objects.create(unit=lite.unit, key="hai", name="Điểm <hai>")
    Site.objects.create(unit=lite.unit, key="ba", name="Điểm ba")
    Setting.objects.create(site=other, on=True)
    text = page()
    assert "Trụ sở xã Mẫu Điểm <hai>" in text
    assert "Điểm ba" not in text
    assert "Điểm <hai>" in page(path=f"{PAGE}/hai")
    assert Client().get(f"{PAGE}/ba").status_code == 404


def test_how_the_published_rate_comes_about_is_explained(lite: Server):
    office(lite)
    switch(lite)
    text = page(path=f"{PAGE}/chinh/giai-trinh")
    assert "6 ÷ 8 = 75 %" in text
    assert "Không tính Bình thường: 6 ÷ 7" in text
    assert "Bấm liên tiếp quá nhanh 0 0 4 4" in text


def test_all_that_is_public_is_explained_and_nothing_else(lite: Server):
    office(lite)
    parts = {"counts": "Đã lấy số = ", "waits": "Thời gian chờ của một phiếu = ",
             "dossiers": "trước hạn + đúng hạn + quá hạn = 2.530 + 165 + 0 = 2.695",
             "satisfaction": "Tỷ lệ hài lòng = "}  # fmt: skip
    kit.keep(lite.site, TODAY - timedelta(days=1), [kit.ticket(lite.device, TODAY - timedelta(days=1), wait=9)])
    for name in parts:
        switch(lite, **{each: each == name for each in PARTS})
        assert f"{PAGE}/chinh/giai-trinh" in Client().get(PAGE).content.decode()
        text = page(path=f"{PAGE}/chinh/giai-trinh")
        assert [each for each, words in parts.items() if words in text] == [name]
        cache.clear()
    switch(lite, **dict.fromkeys(PARTS, False))
    assert Client().get(f"{PAGE}/chinh/giai-trinh").status_code == 404


def test_every_page_weighs_less_than_30_kb_and_has_no_cookie_and_strict_headers(lite: Server):
    office(lite)
    switch(lite, clerks=True)
    row = freezing.freeze(Place(lite.unit), periods.parse("2026-11-01..2026-11-20"), "", "", NOW)
    leader = lite.signed_in("lanh-dao", "leader")
    code = f"/cong-khai/chot/{row.key}"
    for path in (PAGE, f"{PAGE}/chinh/giai-trinh", code, f"{code}/0/giai-trinh", "/cong-khai/X"):
        for browser in (Client(), leader):
            answer = browser.get(path)
            assert not answer.cookies, path
            assert "Cookie" not in answer.get("Vary", "")
            for name in set(HEADERS) - {"Cache-Control", "X-Robots-Tag"}:
                assert answer[name] == HEADERS[name]
            # What is public may be found; the address of frozen figures is for those who were given it.
            assert ("X-Robots-Tag" in answer) == (path not in (PAGE, f"{PAGE}/chinh/giai-trinh")), path
            files = [b"".join(browser.get("/static/public.css").streaming_content)]
            assert len(answer.content) + sum(map(len, files)) < 30_000, path
        assert re.findall(r'(?:src|href)="(?:https?:)?//', answer.content.decode()) == []


def test_a_page_is_made_once_a_minute_however_many_open_it(lite: Server):
    office(lite)
    switch(lite, clerks=True)
    with CaptureQueriesContext(connection) as first:
        Client().get(PAGE)
    with CaptureQueriesContext(connection) as others:
        for n in range(100):
            answer = Client().get(f"{PAGE}?x={n}")
    assert answer["Cache-Control"] == "public, max-age=60"
    assert 0 < len(first) <= 40
    assert len(others) == 0


def in_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no time passes for the limits."""
    monkeypatch.setattr("server.making.time", SimpleNamespace(monotonic=lambda: 100.0))


def test_guessing_costs_little_and_is_slowed_down(lite: Server, monkeypatch: pytest.MonkeyPatch):
    in_one_moment(monkeypatch)
    answers = [Client().get(f"/cong-khai/U{n}") for n in range(200)]
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {404, 429}
    assert {answer["Retry-After"] for answer in slowed} == {"30"}
    with CaptureQueriesContext(connection) as none:
        assert Client().get("/cong-khai/" + "x" * 30).status_code == 404
        assert Client().get("/cong-khai/%00").status_code == 404
    assert len(none) == 0


def test_guessing_keeps_no_page_away_that_was_looked_at_before(lite: Server, monkeypatch: pytest.MonkeyPatch):
    switch(lite)
    before = Client().get(PAGE)
    assert cache.delete(public.cache_key("unit/12345", "vi"))  # a minute later
    in_one_moment(monkeypatch)
    assert [Client().get(f"/cong-khai/U{n}").status_code for n in range(200)][-1] == 429
    after = Client().get(PAGE)
    assert (after.status_code, after.content) == (200, before.content)


def test_a_page_can_only_be_read(lite: Server):
    switch(lite)
    assert Client().post(PAGE).status_code == 405


# --- the leader's page ----------------------------------------------------------------------------------------


def test_a_leader_switches_and_the_page_follows_at_once(lite: Server):
    office(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    before = leader.get("/publication/public").content.decode()
    assert "Chưa bật thì không ai xem được" in before
    assert "Chỉ bật khi lãnh đạo đã quyết định" in before
    assert "<svg" not in before
    assert Client().get(PAGE).status_code == 404
    leader.post("/publication/public", {"site": lite.site.pk, "on": "on", "counts": "on"})
    assert "Đã lấy số 4" in said(Client().get(PAGE))
    after = leader.get("/publication/public").content.decode()
    assert "http://testserver/cong-khai/12345/chinh" in after
    assert "<svg" in after
    assert Audit.objects.get().about == "Trụ sở xã Mẫu: on, counts"
    leader.post("/publication/public", {"site": lite.site.pk})
    assert Client().get(PAGE).status_code == 404


# --- letters --------------------------------------------------------------------------------------------------


def test_letters_are_entered_by_month_and_an_empty_field_changes_nothing(lite: Server):
    leader = lite.signed_in("lanh-dao", "leader")
    assert leader.post("/publication/letters", {"2026-11.thanks": "3", "2026-10.apology": "1"}).status_code == 302
    leader.post("/publication/letters", {"2026-11.thanks": "", "2026-11.condolence": "2", "1999-01.thanks": "7"})
    assert letters.counted(lite.unit, periods.parse("2026-Q4")) == {"thanks": 3, "condolence": 2, "apology": 1}
    assert Letters.objects.count() == 3
    page = leader.get("/publication/letters").content.decode()
    assert re.search(r'name="2026-11.thanks" value="3"', page)
    assert letters.counted(lite.unit, periods.parse("2026-11-10..2026-12-20")) == {}


@pytest.mark.parametrize("text", ["-1", "1.5", "nhiều", "100000", "٣", "9" * 40, "<b>"])
def test_a_count_that_is_none_is_not_kept_and_comes_back(lite: Server, text: str):
    leader = lite.signed_in("lanh-dao", "leader")
    answer = leader.post("/publication/letters", {"2026-11.thanks": text, "2026-10.thanks": "5"})
    assert answer.status_code == 422
    assert "Chưa lưu gì" in said(answer)
    assert not Letters.objects.exists()
    assert 'value="5"' in answer.content.decode()


# --- the bulletin ---------------------------------------------------------------------------------------------


def test_the_bulletin_is_read_aloud_as_it_stands(lite: Server):
    office(lite)
    kit.days(lite.device, "3" * 60, first=date(2026, 11, 17), service="dat-dai")
    text = lite.signed_in("lanh-dao", "leader").get("/publication/bulletin?period=2026-W47").content.decode()
    text = re.sub(r"\s+", " ", text)
    assert "từ ngày mười sáu tháng mười một đến ngày hai mươi hai tháng mười một" in text
    assert "Có sáu mươi tám lượt bà con đến lấy số, sáu mươi tám lượt đã được phục vụ xong" in text
    assert "Đất đai – Xây dựng, sáu mươi lượt" in text
    assert "Cứ mười lượt thì chín lượt chờ không quá mười phút" in text
    assert "đã giải quyết hai nghìn sáu trăm chín mươi lăm hồ sơ" in text
    assert "quá hạn không có. Đang" in text
    assert "Trong đó sáu mươi sáu lượt hài lòng, đạt chín mươi bảy phẩy một phần trăm" in text
    assert "{" not in text.partition("<textarea")[2]


def test_the_bulletin_of_a_past_week_leaves_out_dossier_figures_of_now_and_the_public_page_shows_them(lite: Server):
    office(lite)
    switch(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    told = {week: said(leader.get(f"/publication/bulletin?period={week}")) for week in ("2026-W47", "2026-W46")}
    assert {week: "Về hồ sơ" in text for week, text in told.items()} == {"2026-W47": True, "2026-W46": False}
    assert "2.695" in page()


def test_the_english_bulletin_names_services_in_english(lite: Server):
    office(lite)
    kit.days(lite.device, "3" * 60, first=date(2026, 11, 17), service="dat-dai")
    leader = lite.signed_in("lanh-dao", "leader")
    text = leader.get("/publication/bulletin?period=2026-W47&l=en").content.decode().partition("<textarea")[2]
    assert "Land" in text
    assert "Đất đai" not in text


def test_two_label_sets_are_told_apart_in_the_bulletin(lite: Server):
    week = date(2026, 11, 16)
    kit.days(lite.device, "33333", first=week)
    kit.days(lite.device, "44444", first=week + timedelta(days=1), label_set="vpcp")
    leader = lite.signed_in("lanh-dao", "leader")
    text = said(leader.get("/publication/bulletin?period=2026-W47"))
    sets = sorted(re.findall(r"Về mức độ hài lòng, theo cách hỏi ([^:]+):", text))
    assert len(set(sets)) == 2


def test_a_week_without_anybody_has_a_bulletin_too(lite: Server):
    leader = lite.signed_in("lanh-dao", "leader")
    for language in ("vi", "en"):
        text = said(leader.get(f"/publication/bulletin?l={language}&site={lite.site.pk}"))
        assert ("Thời gian này không có lượt lấy số nào" if language == "vi" else "Nobody took a number") in text


@pytest.mark.parametrize(
    ("said_as", "words"),
    [
        (lambda s: s.number(0), "không"),
        (lambda s: s.number(1005), "một nghìn không trăm linh năm"),
        (lambda s: s.number(21), "hai mươi mốt"),
        (lambda s: s.number(1_234_567), "1.234.567"),
        (lambda s: s.percent(39, 40), "chín mươi bảy phẩy năm phần trăm"),
        (lambda s: s.percent(9, 9), "một trăm phần trăm"),
        (lambda s: s.percent(0, 9), "không phần trăm"),
        (lambda s: s.day(date(2026, 4, 2)), "mùng hai tháng tư"),
        (lambda s: s.day(date(2026, 11, 11)), "mười một tháng mười một"),
    ],
)
def test_numbers_shares_and_days_are_spoken_as_people_say_them(said_as: Any, words: str):
    assert said_as(Spoken(texts("vi"))) == words


# --- sentences ------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_sentences_with_the_same_values():
    vi, en = _own()["vi"], _own()["en"]
    assert vi.keys() == en.keys()
    values = re.compile(r"\{(\w+)\}")
    differing = [key for key in vi if set(values.findall(vi[key])) != set(values.findall(en[key]))]
    assert differing == []


def test_a_week_of_ratings_without_calls_has_a_bulletin_and_a_wait_of_nothing_is_less_than_a_minute(lite: Server):
    monday = date(2026, 11, 16)
    waiting = [kit.ticket(lite.device, monday, wait=0, lasts=None, state=kit.State.CALLED) for _ in range(2)]
    kit.keep(lite.site, monday, waiting, [kit.rating(lite.device, monday) for _ in range(9)])
    leader = lite.signed_in("lanh-dao", "leader")
    for language, words in (("vi", "chín lượt đánh giá. Trong đó"), ("en", "9 ratings were given. 9")):
        text = re.sub(r"\s+", " ", leader.get(f"/publication/bulletin?period=2026-W47&l={language}").content.decode())
        assert words in text
        assert ("thường chờ chưa đến một phút" if language == "vi" else "usual wait was less than a minute") in text


def test_a_page_of_a_commune_is_never_taken_for_that_of_a_site_with_a_dot_in_its_code(lite: Server):
    switch(lite)
    code = lite.unit.code
    assert lite.client.get(f"/cong-khai/{code}.chinh").status_code == 404
    assert lite.client.get(f"/cong-khai/{code}/chinh").status_code == 200
