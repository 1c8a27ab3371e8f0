"""Citizens' comments: who may read them, what is noted, what becomes of them, and when they go."""

import csv
import io
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from server.accounts.models import Audit
from server.facts.models import Comment
from server.publication import comments, sheets
from server.publication.models import Setting
from server.registry.models import Site, Unit
from tests.office import moment
from tests.server.kit import Server, server_on
from tests.server.phone_kit import Morning, clock, morning, said

__all__ = ["clock", "morning"]


def comment(server: Server, text: str | None = "Chờ lâu quá", site: Site | None = None, **more: object) -> Comment:
    fields = {"day": date(2026, 11, 23), "ticket": "", "counter": "1", "clerk": "clerk-1", "rating": ""} | more
    number = Comment.objects.count()
    where = {"site": site or server.site, "device": server.device}
    return Comment.objects.create(id=f"c-{number}", sha256="", text=text, **where, **fields)


NOVEMBER = "?from=2026-11-01&to=2026-11-30"


def page(browser: Client, query: str = NOVEMBER) -> str:
    answer = browser.get(f"/publication/comments{query}")
    assert answer.status_code == 200
    return said(answer)


def do(browser: Client, found: Comment, what: str, words: str) -> int:
    return written(browser, found, what, **{{"keep": "handler", "finish": "result"}.get(what, what): words})


def written(browser: Client, found: Comment, do: str, **words: str) -> int:
    found.refresh_from_db()
    boxes = {"do": do, "result_was": found.result, "answer_was": found.answer}
    return int(browser.post(f"/publication/comments/{found.pk}", boxes | words).status_code)


def test_a_leader_reads_what_phones_wrote_and_that_is_noted(morning: Morning):
    path = morning.served()
    morning.tell()
    Client().post(path, "comment=T%E1%BB%91t+l%E1%BA%AFm", "application/x-www-form-urlencoded")
    leader = morning.server.signed_in("lanh-dao", "leader")
    text = page(leader)
    assert "Tốt lắm" in text
    assert "Sẽ xóa sau 90 ngày" in text
    noted = Audit.objects.get(what="comment.read")
    assert (noted.who, noted.about.startswith("1: Trụ sở xã Mẫu")) == ("lanh-dao", True)


@pytest.mark.parametrize("role", ["clerk", "technician", "viewer", "operator"])
def test_nobody_but_leaders_and_administrators_reads_comments(lite: Server, role: str):
    found = comment(lite)
    browser = lite.signed_in("ai-do", role, **({"clerk": "clerk-1", "site": lite.site} if role == "clerk" else {}))
    for path in ("", ".csv"):
        answer = browser.get(f"/publication/comments{path}")
        assert answer.status_code == 403
        assert "Chờ lâu quá" not in answer.content.decode()
    assert do(browser, found, "answer", "x") == 403
    assert lite.client.get("/publication/comments").status_code == 302
    assert not Audit.objects.exists()


def test_a_leader_who_serves_at_a_counter_does_not_see_what_is_written_about_that(lite: Server):
    own, other = comment(lite), comment(lite, "Của người khác", clerk="clerk-2")
    leader = lite.signed_in("lanh-dao", "leader", clerk="clerk-1", site=lite.site)
    assert "Chờ lâu quá" not in page(leader)
    assert "Của người khác" in page(leader)
    assert "Chờ lâu quá" not in leader.get(f"/publication/comments.csv{NOVEMBER}").content.decode()
    assert do(leader, own, "answer", "Xã đã làm") == 404
    assert do(leader, other, "answer", "Xã đã làm") == 302


def test_another_communes_comments_are_not_there(lite: Server):
    unit = Unit.objects.create(code="54321", name="xã Khác")
    site = Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác")
    foreign = comment(lite, "Của xã khác", site)
    leader = lite.signed_in("lanh-dao", "leader")
    assert "Của xã khác" not in page(leader, f"?site={site.pk}&from=2026-11-01&to=2026-11-30")
    assert do(leader, foreign, "keep", "Nguyễn Văn A") == 404
    assert Comment.objects.get().kept_by == ""


def test_comments_are_listed_by_site_days_and_state(lite: Server):
    other = Site.objects.create(unit=lite.unit, key="hai", name="Điểm hai")
    comment(lite, "một")
    comment(lite, "hai", other, day=date(2026, 11, 2))
    comment(lite, "ba", kept_by="Nguyễn Văn A", kept_at=moment(0).at)
    leader, november = lite.signed_in("lanh-dao", "leader"), "from=2026-11-01&to=2026-11-30"

    def listed(query: str) -> set[str]:
        page = leader.get(f"/publication/comments?{query}").content.decode()
        return {text for text in ("một", "hai", "ba") if f"<blockquote>{text}<" in page}

    assert listed(november) == {"một", "hai", "ba"}
    assert listed(f"{november}&site={other.pk}") == {"hai"}
    assert listed("from=2026-11-23&to=2026-11-23") == {"một", "ba"}
    assert listed(f"{november}&state=kept") == {"ba"}
    assert listed(f"{november}&state=new") == {"một", "hai"}
    assert listed(f"{november}&from=nonsense&site=-1&state=x&page=99") == {"một", "hai", "ba"}


def test_a_comment_is_kept_to_be_worked_on_until_there_is_a_result(lite: Server):
    found = comment(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    assert do(leader, found, "keep", " Nguyễn Văn A ") == 302
    assert "người xử lý: Nguyễn Văn A" in page(leader)
    assert comments.forget_old(moment(day=300).at) == 0
    assert do(leader, found, "finish", "") == 302
    assert "Chưa có gì thay đổi" in page(leader)
    do(leader, found, "finish", "Đã thêm ghế")
    assert comments.forget_old(moment(day=90).at) == 0
    assert comments.forget_old(moment(day=91).at) == 1
    found.refresh_from_db()
    assert (found.text, found.salt, found.gone, found.result) == (None, "", True, "Đã thêm ghế")
    assert "đã hết hạn lưu và đã xóa" in page(leader)
    assert [row.what for row in Audit.objects.exclude(what="comment.read")] == ["comment.keep", "comment.finish"]


def test_either_button_keeps_everything_that_was_written(lite: Server):
    found, leader = comment(lite), lite.signed_in("lanh-dao", "leader")
    written(leader, found, "keep", handler="Nguyễn Văn A", answer="Xã thêm ghế")
    found.refresh_from_db()
    assert (found.kept_by, found.answer) == ("Nguyễn Văn A", "Xã thêm ghế")
    written(leader, found, "save", result="Đã thêm ghế", answer="Xã đã thêm ghế")
    found.refresh_from_db()
    assert (found.result, found.answer) == ("Đã thêm ghế", "Xã đã thêm ghế")
    written(leader, found, "save", result="Đã thêm ghế", answer="Xã đã thêm ghế")
    assert "Chưa có gì thay đổi" in page(leader)
    noted = [row.what for row in Audit.objects.exclude(what="comment.read").order_by("pk")]
    assert noted == ["comment.keep", "comment.answer", "comment.finish", "comment.answer"]


def test_what_somebody_else_wrote_meanwhile_stays(lite: Server):
    found, leader = comment(lite, kept_by="Nguyễn Văn A"), lite.signed_in("lanh-dao", "leader")
    boxes = {"result": "", "result_was": "", "answer": "", "answer_was": ""}
    written(leader, found, "save", **boxes | {"answer": "Xã đã thêm ghế"})
    written(leader, found, "save", **boxes | {"result": "Đã thêm ghế"})
    found.refresh_from_db()
    assert (found.result, found.answer) == ("Đã thêm ghế", "Xã đã thêm ghế")


def test_whoever_keeps_a_comment_second_is_told_who_was_first(server: Server):
    found, leader = comment(server), server.signed_in("lanh-dao", "leader")
    do(leader, found, "keep", "Nguyễn Văn A")
    written(leader, found, "keep", handler="Nguyễn Văn B", answer="Xã đã thêm ghế")
    assert "Nguyễn Văn A đã nhận xử lý góp ý này trước" in page(leader)
    found.refresh_from_db()
    assert (found.kept_by, found.answer) == ("Nguyễn Văn A", "Xã đã thêm ghế")


def test_when_one_part_is_too_long_nothing_of_the_form_is_kept(lite: Server):
    found, leader = comment(lite), lite.signed_in("lanh-dao", "leader")
    written(leader, found, "keep", handler="Nguyễn Văn A", answer="dài " * 200)
    found.refresh_from_db()
    assert (found.kept_by, found.answer) == ("", "")


def test_words_that_are_gone_and_led_to_nothing_are_listed_no_more(lite: Server):
    comment(lite)
    comments.forget_old(moment(day=91).at)
    assert "Không có góp ý nào" in page(lite.signed_in("lanh-dao", "leader"))


def test_words_that_are_deleted_are_not_left_in_the_file(server: Server):
    comment(server, "câu-bí-mật-" * 40)
    assert "câu-bí-mật".encode() in file_of_comments(server)
    comments.forget_old(moment(day=91).at)
    comments.write_anew(moment(day=91).at)
    assert "câu-bí-mật".encode() not in file_of_comments(server)


def file_of_comments(server: Server) -> bytes:
    """The file that the words of comments are in, with all that was written before now."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return (server.folder / "server.db").read_bytes()
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT current_setting('data_directory'), pg_relation_filepath('facts_comment')")
        return Path(*cursor.fetchone()).read_bytes()


@pytest.mark.parametrize("reads", ["facts_comment", "registry_site"])
def test_words_that_an_open_transaction_may_look_at_leave_the_file_with_the_next_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reads: str
):
    monkeypatch.setattr(comments, "LOCK_MS", 50)
    with server_on("postgresql", tmp_path) as server:
        comment(server, "câu-bí-mật-" * 40)
        other = connection.copy("other")
        with closing(other), other.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SELECT count(*) FROM {reads}")
            comments.forget_old(moment(day=91).at)
            comments.write_anew(moment(day=91).at)
            assert "câu-bí-mật".encode() in file_of_comments(server)
        assert ("keeps deleted words until tomorrow" in caplog.text) == (reads == "facts_comment")
        comments.write_anew(moment(day=92).at)
        assert "câu-bí-mật".encode() not in file_of_comments(server)


def test_html_split_letters_and_long_texts_stay_words(lite: Server):
    found = comment(lite, "<script>alert(1)</script>\n" + "a" * 500)
    leader = lite.signed_in("lanh-dao", "leader")
    assert "&lt;script&gt;alert(1)" in leader.get(f"/publication/comments{NOVEMBER}").content.decode()
    do(leader, found, "answer", "<b>ho\u0323\u0302 ti\u0323ch</b>")
    found.refresh_from_db()
    assert found.answer == "<b>hộ tịch</b>"
    assert "&lt;b&gt;hộ tịch" in leader.get(f"/publication/comments{NOVEMBER}").content.decode()
    do(leader, found, "answer", "dài " * 200)
    assert "Dài quá 500 ký tự nên chưa lưu" in page(leader)
    found.refresh_from_db()
    assert found.answer == "<b>hộ tịch</b>"
    do(leader, found, "answer", "")
    found.refresh_from_db()
    assert (found.answer, found.answered_at) == ("", None)


def test_a_public_line_that_is_changed_stands_on_the_public_page_at_once(lite: Server):
    Setting.objects.create(site=lite.site, on=True, answers=True)
    found = comment(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    public_page = "/cong-khai/12345"
    assert "Đã thêm ghế" not in Client().get(public_page).content.decode()
    do(leader, found, "answer", "Đã thêm ghế")
    assert "Đã thêm ghế" in Client().get(public_page).content.decode()


def test_an_unknown_step_changes_nothing(lite: Server):
    found = comment(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    do(leader, found, "delete", "x")
    assert "Chưa có gì thay đổi" in page(leader)
    assert leader.get(f"/publication/comments/{found.pk}").status_code == 405


def test_the_sheet_opens_in_a_spreadsheet_and_holds_no_formula(lite: Server):
    comment(lite, '=HYPERLINK("http://evil.example")', clerk="+84")
    comment(lite, 'hai\ndòng, "trích"')
    answer = lite.signed_in("lanh-dao", "leader").get(f"/publication/comments.csv{NOVEMBER}")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:2] == ["Ngày", "Điểm tiếp nhận"]
    cells = {row[4] for row in rows[1:]}
    assert cells == {'\'=HYPERLINK("http://evil.example")', 'hai\ndòng, "trích"'}
    assert {row[3] for row in rows[1:]} >= {"'+84"}
    assert Audit.objects.get().about.startswith("CSV 2")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str):
    assert list(csv.reader(io.StringIO(sheets.csv_of([[cell]]).decode("utf-8-sig"), newline=""))) == [[f"'{cell}"]]


def test_many_comments_are_on_several_pages(lite: Server):
    for n in range(60):
        comment(lite, f"lời {n}", day=date(2026, 11, 23) - timedelta(days=n % 5))
    leader = lite.signed_in("lanh-dao", "leader")
    first = leader.get(f"/publication/comments{NOVEMBER}").content.decode()
    second = leader.get(f"/publication/comments{NOVEMBER}&page=2").content.decode()
    assert (first.count("<blockquote>"), second.count("<blockquote>")) == (50, 10)
