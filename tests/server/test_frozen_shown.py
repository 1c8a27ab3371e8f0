"""Where frozen figures are shown: to everybody who has the code, on reports, explanations and files."""

import io
import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from openpyxl import load_workbook
from PIL import Image

from kiosk.tickets import State
from server.publication import content, freezing, letters
from server.publication.content import Place
from server.publication.models import Revision
from server.publication.of_reports import Stamp, stamp
from server.registry.models import Site
from tests.printing import read_qr
from tests.server import figures_kit as kit
from tests.server.freezing_kit import DECEMBER, NOVEMBER, december, frozen, late, november, page
from tests.server.kit import Server
from tests.server.phone_kit import said

__all__ = ["december"]


def test_what_shows_the_same_place_and_period_gets_the_address_of_its_frozen_figures(lite: Server):
    def stamped(place: Place) -> Stamp | None:
        return stamp(place, NOVEMBER, lambda: content.content_of(place, NOVEMBER, DECEMBER))

    assert stamped(Place(lite.unit)) is None
    row = frozen(lite)
    address = f"http://testserver/cong-khai/chot/{row.key}/0"
    assert stamped(Place(lite.unit)) == Stamp(address, 0, differs=False)
    assert stamped(Place(lite.unit, lite.site)) is None


def test_an_explanation_of_a_frozen_period_says_so_and_when_its_figures_are_others_by_now(lite: Server):
    november(lite)
    leader, is_frozen, differs = lite.signed_in("lanh-dao", "leader"), "Kỳ này đã chốt số liệu", "hiện nay đã khác"

    def told() -> tuple[bool, bool]:
        text = said(leader.get("/explain?period=2026-11"))
        return is_frozen in text, differs in text

    assert told() == (False, False)
    frozen(lite)
    assert told() == (True, False)
    late(lite, "1")
    assert told() == (True, True)


def test_each_sheet_of_a_workbook_carries_the_code_of_its_frozen_figures_below_its_table(lite: Server):
    november(lite)
    leader = lite.signed_in("lanh-dao", "leader")

    def sheets() -> list[Any]:
        found: list[Any] = load_workbook(io.BytesIO(leader.get("/reports/xlsx?period=2026-11").content)).worksheets
        return found

    assert [sheet._images for sheet in sheets()] == [[] for _ in sheets()]
    row = frozen(lite)
    assert sheets()
    for sheet in sheets():
        (picture,) = sheet._images
        assert read_qr(Image.open(io.BytesIO(picture._data()))) == [freezing.address(row, 0)]
        assert picture.anchor._from.row >= sheet.max_row


def test_a_report_carries_the_code_of_its_frozen_figures_the_way_to_its_explanation_and_the_letters(lite: Server):
    november(lite)
    letters.enter(lite.unit, date(2026, 11, 1), {"thanks": 3})
    leader, code = lite.signed_in("lanh-dao", "leader"), "Kỳ này đã chốt số liệu"
    query = "kind=month&day=2026-11-05"
    assert code not in leader.get(f"/reports?{query}").content.decode()
    row = frozen(lite)
    for path in ("/reports", "/reports/print"):
        text = leader.get(f"{path}?{query}").content.decode()
        assert f"/cong-khai/chot/{row.key}/0" in text, path
        assert f"{code} (chốt lần đầu)" in text
        assert re.search(r"Thư cảm ơn</th><td[^>]*>3<", text)
        link = re.search(r'href="(/explain[?][^"]+)"', text)
        assert link
        assert "9 ÷ 12" in said(leader.get(link[1].replace("&amp;", "&")))
    Site.objects.create(unit=lite.unit, key="hai", name="Điểm hai")
    assert code not in leader.get(f"/reports?{query}&site={lite.site.pk}").content.decode()
    assert code not in lite.signed_in("tinh", "viewer").get(f"/reports?{query}").content.decode()


def test_a_report_of_several_points_says_why_it_has_no_frozen_figures(lite: Server):
    keys = [Site.objects.create(unit=lite.unit, key=key, name=f"Điểm {key}").pk for key in ("hai", "ba")]
    leader, several = lite.signed_in("lanh-dao", "leader"), "không cho nhiều nơi gộp lại"
    for path in ("/reports", "/reports/print"):
        for sites, is_said in (((), False), (keys[:1], False), (keys, True)):
            text = leader.get(path, {"kind": "month", "day": "2026-11-05", "site": sites}).content.decode()
            assert (several in text, "/explain?" in text) == (is_said, not is_said), (path, sites)


def test_a_report_and_its_files_say_when_what_was_frozen_is_another_figure_by_now(lite: Server):
    november(lite)
    row = frozen(lite)
    leader, query = lite.signed_in("lanh-dao", "leader"), "kind=month&day=2026-11-05"
    address, differs = f"http://testserver/cong-khai/chot/{row.key}/0", "và số liệu hiện nay đã khác"

    def told() -> list[str]:
        pages = [leader.get(f"{path}?{query}").content.decode() for path in ("/reports", "/reports/print")]
        book = load_workbook(io.BytesIO(leader.get(f"/reports/xlsx?{query}").content))
        sheets = "\n".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row)
        return [*pages, leader.get(f"/reports/csv?{query}").content.decode("utf-8-sig"), sheets]

    assert [(address in text, differs in text) for text in told()] == [(True, False)] * 4
    late(lite, "1")
    assert [(address in text, differs in text) for text in told()] == [(True, True)] * 4


# --- what everybody sees --------------------------------------------------------------------------------------


def test_everybody_who_has_the_code_sees_the_frozen_figures_and_their_adjustments(server: Server):
    november(server)
    row = frozen(server)
    late(server, "11111")
    freezing.adjust(row, DECEMBER)
    newest, first = page(f"/cong-khai/chot/{row.key}"), page(f"/cong-khai/chot/{row.key}/0")
    assert "BÁO CÁO TIẾP NHẬN VÀ MỨC ĐỘ HÀI LÒNG – THÁNG 11/2026" in newest
    assert "(9/17 lượt đánh giá)" in newest
    assert "Điều chỉnh lần 1 : 12:00 ngày 02/12/2026, máy chủ tự ghi số liệu về muộn" in newest
    assert re.search(r"lượt đánh giá 12 17", newest)
    assert "(9/12 lượt đánh giá)" in first
    assert "Kỳ này đã có điều chỉnh lần 1." in first
    assert "không thay số liệu của Bộ chỉ số theo Quyết định 766/QĐ-TTg" in first
    assert "Adjustment 1" in page(f"/cong-khai/chot/{row.key}?l=en")


def test_frozen_figures_say_which_reasons_were_ticked_the_most_frequent_first(lite: Server):
    kit.days(lite.device, "3331111", reasons="attitude wait")
    kit.days(lite.device, "33311", first=date(2026, 11, 10), reasons="wait")
    row = frozen(lite)
    shown = page(f"/cong-khai/chot/{row.key}")
    assert "Lý do công dân chọn" in shown
    assert shown.index("Chờ đợi lâu") < shown.index("Thái độ phục vụ chưa tốt")
    assert "Chờ đợi lâu" in lite.signed_in("lanh-dao", "leader").get(f"/publication/frozen/{row.pk}").content.decode()


def test_an_adjustment_says_that_reasons_came_late(lite: Server):
    november(lite)
    row = frozen(lite)
    late(lite, "11111", reasons="wait of-a-newer-kiosk")
    freezing.adjust(row, DECEMBER)
    shown = page(f"/cong-khai/chot/{row.key}")
    assert "Mặt cười: Chờ đợi lâu 0 5" in shown
    assert "Mặt cười: of-a-newer-kiosk 0 5" in shown


def test_numbers_without_an_end_have_a_row_of_their_own(lite: Server):
    november(lite)
    assert "Chưa kết thúc" not in page(f"/cong-khai/chot/{frozen(lite).key}")
    kit.keep(lite.site, kit.FIRST, [kit.ticket(lite.device, kit.FIRST, state=State.WAITING, wait=None, lasts=None)])
    late = freezing.freeze(Place(lite.unit, lite.site), NOVEMBER, "", "Nguyễn Văn A", DECEMBER)
    assert "Chưa kết thúc (máy lấy số chưa khép ngày) 1" in page(f"/cong-khai/chot/{late.key}")


def test_what_somebody_signs_in_with_is_not_on_the_page_for_everybody(lite: Server):
    november(lite)
    lite.user("quan-tri-12345", "admin")
    row = frozen(lite, "quan-tri-12345")
    late(lite, "11111")
    freezing.adjust(row, DECEMBER, "quan-tri-12345")
    text = page(f"/cong-khai/chot/{row.key}")
    assert "quan-tri-12345" not in text
    assert "máy chủ tự ghi" not in text
    assert "quan-tri-12345" in said(lite.signed_in("lanh-dao", "leader").get(f"/publication/frozen/{row.pk}"))
    named = freezing.freeze(Place(lite.unit, lite.site), NOVEMBER, "", "Nguyễn Văn A", DECEMBER)
    assert "12:00 ngày 02/12/2026, Nguyễn Văn A" in page(f"/cong-khai/chot/{named.key}")


def test_figures_that_were_changed_in_the_database_are_shown_to_be_so(lite: Server):
    november(lite)
    row = frozen(lite)
    data = bytes(Revision.objects.get().content).replace(b'"served":12', b'"served":99')
    with connection.cursor() as cursor:
        cursor.execute("UPDATE publication_revision SET content = %s", [data])
    assert "không còn khớp dấu chốt" in page(f"/cong-khai/chot/{row.key}")


@pytest.mark.parametrize(
    "path", ["X", "0" * 20, "0" * 20 + "/0", "%00" * 20, "a" * 500, "'" * 20, "0" * 20 + "/0/giai-trinh"]
)
def test_a_code_that_nobody_gave_out_opens_nothing(server: Server, path: str):
    frozen(server)
    answer = Client().get(f"/cong-khai/chot/{path}")
    assert answer.status_code == 404
    assert "Không có trang này" in said(answer)


def test_a_revision_that_there_is_not_opens_nothing(lite: Server):
    row = frozen(lite)
    assert Client().get(f"/cong-khai/chot/{row.key}/1").status_code == 404
    assert Client().get(f"/cong-khai/chot/{row.key}/99999999999999999999999").status_code == 404


def test_how_a_frozen_figure_comes_about_is_explained(lite: Server):
    kit.days(lite.device, "333331", "222312")
    late(lite, "", kit.FIRST)
    kit.keep(lite.site, kit.FIRST, (), [kit.rating(lite.device, kit.FIRST, 1, flags="burst late")])
    row = frozen(lite)
    text = page(f"/cong-khai/chot/{row.key}/0/giai-trinh")
    assert "lượt hài lòng ÷ lượt đánh giá = 6 ÷ 12 = 50 %" in text
    assert "Tính cả Bình thường: 6 ÷ 12 = 50 %" in text
    assert "Không tính Bình thường: 6 ÷ 8 = 75 %" in text
    assert re.search(r"Hài lòng Có 6 Bình thường Không 4 Không hài lòng Không 2", text)
    assert "Bấm liên tiếp quá nhanh 0 0 1 1" in text
    assert "Tất cả 1 lượt" in text
    assert "Thời gian chờ của một phiếu = lúc được gọi lần đầu" in text


def test_of_figures_that_were_frozen_before_is_said_what_missed_numbers_were_counted_as(
    lite: Server, monkeypatch: pytest.MonkeyPatch
):
    kit.keep(lite.site, kit.FIRST, [kit.ticket(lite.device, kit.FIRST, state=State.CLOSED)])
    with monkeypatch.context() as then:
        then.setattr(content, "FORMAT", 1)
        row = frozen(lite)
    text = page(f"/cong-khai/chot/{row.key}/0/giai-trinh")
    assert "và cả số đã gọi mà không ai đến" in text
    kit.keep(lite.site, kit.FIRST, [kit.ticket(lite.device, kit.FIRST, state=State.NO_SHOW)])
    freezing.adjust(row, kit.noon(kit.FIRST))
    text = page(f"/cong-khai/chot/{row.key}/1/giai-trinh")
    assert "và cả số đã gọi mà không ai đến" not in text


def test_how_the_counts_come_about_is_explained_and_they_add_up(lite: Server):
    ends = (State.SERVED, State.SERVED, State.NO_SHOW, State.CANCELLED, State.CLOSED, State.WAITING)
    kit.keep(lite.site, kit.FIRST, [kit.ticket(lite.device, kit.FIRST, state=state) for state in ends])
    row = frozen(lite)
    text = page(f"/cong-khai/chot/{row.key}/0/giai-trinh")
    assert "chưa kết thúc: 6 = 2 + 1 + 1 + 1 + 1" in text
    assert "Quá lượt – 1: đã gọi đủ lần mà không ai đến" in text
    leader = lite.signed_in("lanh-dao-2", "leader")
    assert "chưa kết thúc: 6 = 2 + 1 + 1 + 1 + 1" in said(leader.get("/explain?period=2026-11"))


# --- who may --------------------------------------------------------------------------------------------------
