"""Reports as page, chart, CSV, XLSX and print: the same figures everywhere, and no name that does anything."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from xml.etree import ElementTree

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kiosk.office import sample
from kiosk.tickets import State
from server.accounts.models import Audit
from server.office.models import Document
from server.registry.models import Site, Unit, UnitName
from server.reports.downloads import safe
from server.reports.tables import Minutes, Percent, Share, Table, said, with_units
from server.words import texts
from tests.server.figures_kit import FIRST, days, it_is, keep, noon, rating, ticket
from tests.server.kit import Server

__all__ = ["it_is"]

Clock = Callable[[datetime], None]
NOVEMBER = "/reports?period=2026-11"


@pytest.fixture
def november(lite: Server, it_is: Clock) -> Client:
    """A leader's browser on 10 November, after a week with 21 visits and 21 ratings."""
    days(lite.device, "33333", "33322", "3333331")
    days(lite.device, "3321", service="dat-dai", counter="2", clerk="tran-van-b", reasons="wait")
    lost = ticket(lite.device, FIRST, state=State.NO_SHOW, lasts=None, priority=True, at="10:00")
    keep(lite.site, FIRST, [lost], [rating(lite.device, FIRST, 1, flags="burst")])
    it_is(noon(date(2026, 11, 10)))
    return lite.signed_in("lanh-dao", "leader")


def text(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def cells(page: str, key: str) -> list[list[str]]:
    """The rows of a table of the page as plain texts."""
    table = page.split(f'id="table-{key}"')[1].split("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [[re.sub("<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_a_period_that_has_not_begun_is_not_said_to_run(november: Client):
    page = text(november, "/reports?period=2027")
    assert "Kỳ này chưa bắt đầu" in page
    assert "chưa hết" not in page


def test_a_month_is_told_with_the_month_before_beside_it(november: Client):
    page = text(november, NOVEMBER)
    assert "BÁO CÁO TIẾP NHẬN VÀ MỨC ĐỘ HÀI LÒNG – THÁNG 11/2026" in page
    assert "Kỳ này chưa hết: số liệu đến ngày 11/11/2026" in page
    assert "không thay số liệu của Bộ chỉ số theo Quyết định 766/QĐ-TTg" in page
    summary = cells(page, "summary")
    assert summary[0] == ["", "tháng 11/2026", "tháng 10/2026"]
    assert ["Đã lấy số", "22", "0"] in summary
    assert ["Quá lượt", "1", "0"] in summary
    assert ["Thời gian chờ thường gặp", "10 phút", "–"] in summary
    assert ["Tỷ lệ hài lòng – Mặt cười", "76,2\u00a0%", "–"] in summary


def test_numbers_without_an_end_have_a_row_so_that_the_sum_is_right(lite: Server, it_is: Clock):
    it_is(noon(FIRST))
    ends = (State.SERVED, State.NO_SHOW, State.CANCELLED, State.CLOSED, State.WAITING, State.CALLED)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST, state=state, lasts=None) for state in ends])
    page = text(lite.signed_in("lanh-dao", "leader"), f"/reports?period={FIRST}")
    assert ["Chưa kết thúc (máy lấy số chưa khép ngày)", "2", "0"] in cells(page, "summary")


def test_beside_totals_of_a_commune_stands_on_how_many_days_of_each_period_anybody_came(november: Client, lite: Server):
    other = Site.objects.create(unit=lite.unit, key="hai", name="Điểm hai")
    device = lite.enrol("k-OTHER1", "another-token", other)
    october = date(2026, 10, 5)
    days(lite.device, "3", "", "3", "3", "3", first=october)
    days(device, "3", "", "", "", "", "3", first=october)
    shown = cells(text(november, NOVEMBER), "summary")
    assert shown[1] == ["Số ngày có khách", "3", "5"]
    one = cells(text(november, f"{NOVEMBER}&site={lite.site.pk}"), "summary")
    assert one[1] == ["Số ngày có khách", "3", "4"]
    everywhere = cells(text(lite.signed_in("tinh", "viewer"), NOVEMBER), "summary")
    assert "Số ngày có khách" not in [row[0] for row in everywhere]


def test_the_breakdown_has_names_in_the_offices_order(november: Client):
    by = cells(text(november, NOVEMBER), "by")
    assert [row[:4] for row in by[1:]] == [["Hộ tịch", "18", "1", "17"], ["Đất đai – Xây dựng", "4", "0", "4"]]
    clerks = cells(text(november, NOVEMBER + "&by=clerk"), "by")
    assert [row[0] for row in clerks[1:]] == ["Nguyễn Thị A", "Trần Văn B"]
    hours = cells(text(november, NOVEMBER + "&by=hour"), "by")
    assert [row[:2] for row in hours[1:]] == [["8 giờ", "21"], ["10 giờ", "1"]]
    assert cells(text(november, NOVEMBER), "arrivals")[1] == ["Thứ Hai", "9", "0", "1"]


def test_a_report_by_hour_says_that_it_has_no_ratings_by_hour(november: Client):
    said = "Đánh giá không chia theo giờ"
    for page in ("/reports", "/reports/csv", "/reports/print"):
        assert said in text(november, f"{page}?period=2026-11&by=hour")
        assert said not in text(november, f"{page}?period=2026-11")


def test_the_arrivals_are_a_map_of_figures_by_weekday_and_hour_the_more_the_warmer(november: Client, lite: Server):
    tuesday = FIRST + timedelta(days=1)
    for hour, visits in (("09:00", 3), ("10:00", 5), ("11:00", 7)):
        keep(lite.site, tuesday, [ticket(lite.device, tuesday, at=hour) for _ in range(visits)])
    page = text(november, NOVEMBER)
    assert cells(page, "arrivals") == [
        ["Ngày trong tuần", "8 giờ", "9 giờ", "10 giờ", "11 giờ"],
        ["Thứ Hai", "9", "0", "1", "0"],
        ["Thứ Ba", "5", "3", "5", "7"],
        ["Thứ Tư", "7", "0", "0", "0"],
    ]
    shown = page.split('id="table-arrivals"')[1].split("</table>")[0]
    assert '<table class="heat">' in shown
    # Of nine at most: a fifth of them is one step.
    assert [int(step) for step in re.findall(r'<td class="right heat(\d)"', shown)] == [
        5, 0, 1, 0,
        3, 2, 3, 4,
        4, 0, 0, 0,
    ]  # fmt: skip


def test_ratings_are_shown_with_interval_answer_rate_levels_reasons_and_what_is_left_out(november: Client):
    page = text(november, NOVEMBER)
    row = cells(page, "ratings")[1]
    assert row == ["Mặt cười", "76,2\u00a0%", "16", "21", "54,9\u00a0%", "89,4\u00a0%", "21", "100\u00a0%", "1"]
    assert cells(page, "levels")[1:] == [
        ["Mặt cười", "Hài lòng", "16", "76,2\u00a0%"],
        ["Mặt cười", "Bình thường", "3", "14,3\u00a0%"],
        ["Mặt cười", "Không hài lòng", "2", "9,5\u00a0%"],
    ]
    assert cells(page, "left_out")[1:] == [["Mặt cười", "Bấm liên tiếp quá nhanh", "Không hài lòng", "1"]]
    assert cells(page, "reasons")[1:] == [["Mặt cười", "Chờ đợi lâu", "4"]]


def test_a_row_of_fewer_than_five_is_withheld_and_so_is_what_would_give_it_away(november: Client):
    """Four of one service: with all of the other one beside the whole they could be worked out."""
    page = text(november, NOVEMBER)
    assert [row[0::4] for row in cells(page, "rated_by")[1:]] == [["Hộ tịch", "12"]]


def test_ratings_that_are_not_shown_yet_are_not_said_to_be_none(lite: Server, it_is: Clock):
    days(lite.device, "33333")
    day, leader = f"period={FIRST}", lite.signed_in("lanh-dao", "leader")
    it_is(noon(FIRST) + timedelta(hours=23))
    for page in (text(leader, f"/reports?{day}"), text(leader, f"/reports/csv?{day}"), text(leader, f"/explain?{day}")):
        assert "Chưa hiện đánh giá nào của kỳ này" in page or "Chưa đủ lượt đánh giá" in page
        assert "Không có lượt đánh giá nào" not in page
    assert leader.get(f"/reports/xlsx?{day}").status_code == 200
    it_is(noon(FIRST) + timedelta(days=1))
    assert "Chưa hiện đánh giá nào" not in text(leader, f"/reports?{day}")


def test_late_ratings_that_wait_are_not_said_to_be_none(lite: Server, it_is: Clock):
    heard = FIRST + timedelta(days=5)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)], [rating(lite.device, FIRST, 3, late=heard) for _ in range(6)])
    leader = lite.signed_in("lanh-dao", "leader")
    it_is(noon(heard) + timedelta(hours=23))
    assert "Chưa hiện đánh giá nào của kỳ này" in text(leader, f"/reports?period={FIRST}")
    assert "Không có lượt đánh giá nào" not in text(leader, f"/explain?period={FIRST}")
    it_is(noon(heard) + timedelta(days=1))
    assert cells(text(leader, f"/reports?period={FIRST}"), "ratings")[1][3] == "6"


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("kind=week&day=2026-11-04", "TUẦN 45/2026 (02/11/2026 – 08/11/2026)"),
        ("kind=day&day=2026-11-04", "NGÀY 04/11/2026"),
        ("kind=quarter&day=2026-11-04", "QUÝ IV/2026"),
        ("kind=year&day=2026-11-04", "NĂM 2026"),
        ("kind=range&day=2026-11-02&last=2026-11-03", "TỪ 02/11/2026 ĐẾN 03/11/2026"),
        ("period=2026-Q4", "QUÝ IV/2026"),
        ("", "THÁNG 11/2026"),
    ],
)
def test_any_period_can_be_asked_for(november: Client, asked: str, title: str):
    assert f"– {title}" in text(november, f"/reports?{asked}")


BAD = [
    ("period=2026-13", "Không có kỳ này"),
    ("kind=day&day=x", "Không có kỳ này"),
    ("kind=range&day=2026-11-03&last=2026-11-02", "Ngày cuối đứng trước ngày đầu"),
    ("kind=range&day=2022-11-03&last=2026-11-02", "Kỳ tự chọn dài nhất ba năm"),
]


@pytest.mark.parametrize(("asked", "why"), BAD)
def test_why_a_period_cannot_be_shown_is_said_and_this_month_is_shown(november: Client, asked: str, why: str):
    page = text(november, f"/reports?{asked}")
    assert [each for each in {why for _, why in BAD} if each in page] == [why]
    assert "THÁNG 11/2026" in page


@pytest.mark.parametrize(("asked", "why"), BAD)
def test_a_file_or_print_of_a_period_that_cannot_be_shown_is_refused_with_the_sentence(
    november: Client, asked: str, why: str
):
    for address in ADDRESSES[1:]:
        answer = november.get(f"{address}?{asked}")
        assert (answer.status_code, why in answer.content.decode()) == (400, True), address
    assert not Audit.objects.filter(what="report.saved").exists()


def test_the_form_keeps_a_period_that_does_not_exist_so_that_it_can_be_corrected(november: Client):
    page = text(november, "/reports?kind=range&day=2022-11-03&last=2026-11-02")
    assert all(kept in page for kept in ('value="range" selected', 'value="2022-11-03"', 'value="2026-11-02"'))


def test_a_period_without_a_visit_says_so(november: Client):
    page = text(november, "/reports?period=2025-03")
    assert cells(page, "summary")[1:3] == [["Số ngày có khách", "0", "0"], ["Đã lấy số", "0", "0"]]
    assert "<img" not in page


def test_a_report_carries_the_name_that_the_commune_had_then(november: Client, lite: Server):
    UnitName.objects.create(unit=lite.unit, name="xã Cũ", valid_from=date(2020, 1, 1))
    UnitName.objects.create(unit=lite.unit, name="phường Mới", valid_from=date(2026, 11, 1))
    assert "phường Mới" in text(november, NOVEMBER).split("<main")[1]
    assert "xã Cũ" in text(november, "/reports?period=2026-10").split("<main")[1]


def test_a_report_takes_few_queries_however_long_it_is(november: Client):
    november.get("/reports")
    for asked in ("period=2026-11-03", "period=2026-11", "period=2026", "period=2024-01-01..2026-11-10"):
        with CaptureQueriesContext(connection) as made:
            november.get(f"/reports?{asked}")
        assert len(made) <= 43, asked


# --- who may see what -----------------------------------------------------------------------------------------


ADDRESSES = ("/reports", "/reports/csv", "/reports/xlsx", "/reports/print", "/reports/chart/by.svg")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("role", ["clerk", "technician"])
def test_clerks_and_technicians_see_no_reports(lite: Server, role: str, address: str):
    assert lite.signed_in("nguoi", role).get(address).status_code == 403
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_commune_sees_its_own_figures_alone(november: Client, lite: Server, address: str):
    unit = Unit.objects.create(code="99999", name="xã Khác")
    other = Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác")
    days(lite.enrol("k-OTHER1", "another-token", other), "3" * 30)
    assert november.get(address + "?period=2026-11&unit=99999").status_code == 404
    assert november.get(address + f"?period=2026-11&site={other.pk}").status_code == 404
    assert november.get(address + "?period=2026-11&by=unit").status_code == 200
    assert "48" not in [row[1] for row in cells(text(november, NOVEMBER), "by")[1:]]


def test_the_province_compares_communes_and_can_look_into_each(november: Client, lite: Server):
    unit = Unit.objects.create(code="99999", name="xã Khác")
    other = Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác")
    second = Site.objects.create(unit=unit, key="phu", name="Điểm phụ xã Khác")
    days(lite.enrol("k-OTHER1", "another-token", other), "33333")
    days(lite.enrol("k-OTHER2", "a-third-token", second), "33332")
    viewer = lite.signed_in("tinh", "viewer")
    page = text(viewer, NOVEMBER)
    assert [row[:2] for row in cells(page, "by")[1:]] == [["xã Khác", "10"], ["xã Mẫu", "22"]]
    assert next(row[:5] for row in cells(page, "rated_by")[1:]) == ["xã Khác", "smile", "–", "–", "10"]
    assert "Mọi xã, phường" in page
    inside = text(viewer, NOVEMBER + "&unit=99999&by=counter")
    assert [row[:2] for row in cells(inside, "by")[1:]] == [
        ["Quầy 1 – Trụ sở xã Khác", "5"],
        ["Quầy 1 – Điểm phụ xã Khác", "5"],
    ]
    one = text(viewer, NOVEMBER + f"&unit=99999&by=counter&site={second.pk}")
    assert [row[:2] for row in cells(one, "by")[1:]] == [["Quầy 1", "5"]]


# --- charts ---------------------------------------------------------------------------------------------------


def test_charts_are_pictures_of_their_own_without_a_script(november: Client):
    page = text(november, NOVEMBER)
    sources = re.findall(r'<img class="chart" src="([^"]+)" alt="([^"]+)"', page)
    assert [source.split("/")[3].split(".")[0] for source, _ in sources] == [
        "by",
        "by_wait",
        "visits",
        "waits",
        "ratings",
    ]
    for source, alt in sources:
        answer = november.get(source.replace("&amp;", "&"))
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert "'unsafe-inline'" in answer.headers["Content-Security-Policy"]
        root = ElementTree.fromstring(answer.content)
        names = {each.tag.rpartition("}")[2] for each in root.iter()}
        assert "script" not in names
        assert not [name for each in root.iter() for name in each.attrib if name.lower().startswith("on")]
        assert alt


def test_an_axis_of_few_people_has_no_tenths_of_a_person(lite: Server):
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)])
    leader = lite.signed_in("lanh-dao", "leader")
    svg = leader.get("/reports/chart/visits.svg?period=2026-11").content
    root = ElementTree.fromstring(svg)
    axis = [each for each in root.iter() if "axis y" in each.get("class", "")]
    assert [label.text for of in axis for label in of.iter() if label.tag.endswith("text")] == ["0", "1"]


def test_there_is_no_chart_of_nothing(november: Client):
    assert november.get("/reports/chart/visits.svg?period=2025-03-03").status_code == 404
    assert november.get("/reports/chart/nonsense.svg").status_code == 404


# --- files ----------------------------------------------------------------------------------------------------


def test_the_csv_has_the_figures_of_the_page_and_is_read_by_any_program(november: Client):
    answer = november.get("/reports/csv?period=2026-11")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bao-cao-12345-2026-11.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["BÁO CÁO TIẾP NHẬN VÀ MỨC ĐỘ HÀI LÒNG – THÁNG 11/2026"]
    assert rows[1] == ["xã Mẫu"]
    assert any("766/QĐ-TTg" in row[0] for row in rows if row)
    assert ["Đã lấy số", "22", "0"] in rows
    assert ["Thời gian chờ thường gặp (phút)", "10", ""] in rows
    assert ["Hộ tịch", "18", "1", "17", "1", "0", "0", "0", "0", "10", "10", "5", "5"] in rows


def test_the_workbook_has_figures_that_can_be_counted_with(november: Client):
    answer = november.get("/reports/xlsx?period=2026-11")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames[:2] == ["Tổng hợp, so với kỳ trước", "Theo lĩnh vực"]
    sheet = book["Theo lĩnh vực"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0][0] == "BÁO CÁO TIẾP NHẬN VÀ MỨC ĐỘ HÀI LÒNG – THÁNG 11/2026"
    assert rows[1][0] == "xã Mẫu"
    assert ["Hộ tịch", 18, 1, 17, 1, 0, 0, 0, 0, 10, 10, 5, 5] in rows
    head = next(row for row in rows if row[0] == "Lĩnh vực")
    assert head[9] == "Thời gian chờ thường gặp (phút)"
    rates = next(row for row in book["Mức độ hài lòng"].iter_rows() if row[0].value == "Mặt cười")
    assert rates[1].value == pytest.approx(16 / 21)
    assert rates[1].number_format == "0.0%"
    assert sheet.column_dimensions["A"].width >= 18
    assert all(cell.data_type in ("s", "n") for each in book for row in each.iter_rows() for cell in row)


def test_what_somebody_saved_is_noted(november: Client):
    november.get("/reports/xlsx?period=2026-11")
    noted = Audit.objects.get(what="report.saved")
    assert (noted.who, noted.about) == ("lanh-dao", "2026-11 service xlsx")


HOSTILE = (
    '=HYPERLINK("http://example.com/";"x")', "+1+1", "-2+3", "@SUM(A1)", "<script>alert(1)</script>", "{=1+1}",
    unicodedata.normalize("NFC", "Ổ Ẵ") + " " + "Rất dài " * 36, "a\"b,c;d'",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_text_everywhere(november: Client, lite: Server, name: str):
    first, *others = sample().services
    office = replace(sample(), version=2, services=(replace(first, name=name.strip()), *others))
    fields = {"sha256": office.sha256, "content": office.to_json(), "at": noon(FIRST), "by": "quan-tri"}
    Document.objects.create(site=lite.site, kind="office", version=2, **fields)
    assert "<script>alert" not in text(november, NOVEMBER)
    plain = list(csv.reader(io.StringIO(november.get("/reports/csv?period=2026-11").content.decode("utf-8-sig"))))
    named = next(row for row in plain if row[1:3] == ["18", "1"])
    assert named[0].removeprefix("'") == name.strip()
    assert not named[0].startswith(("=", "+", "-", "@"))
    book = openpyxl.load_workbook(io.BytesIO(november.get("/reports/xlsx?period=2026-11").content))
    found = next(row[0] for row in book["Theo lĩnh vực"].iter_rows() if row[1].value == 18)
    assert (found.value, found.data_type) == (name.strip(), "s")
    assert found.hyperlink is None
    svg = november.get("/reports/chart/by.svg?period=2026-11").content
    assert b"<script" not in svg
    ElementTree.fromstring(svg)


def test_an_unknown_id_of_a_kiosk_is_a_text_too(november: Client, lite: Server):
    keep(lite.site, FIRST, [ticket(lite.device, FIRST, service="=1+1", counter="-1", clerk="@x")])
    for by, said_as in (("service", "'=1+1"), ("clerk", "'@x")):
        plain = november.get(f"/reports/csv?period=2026-11&by={by}").content.decode("utf-8-sig")
        assert said_as in {row[0] for row in csv.reader(io.StringIO(plain)) if row}


def test_services_have_their_english_names_on_english_pages(november: Client, lite: Server):
    for path in ("/reports", "/reports/csv"):
        address = f"{path}?period=2026-11&by=service"
        assert "Civil status" in text(november, f"{address}&l=en")
        assert "Civil status" not in text(november, f"{address}&l=vi")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_what_an_office_program_would_run_gets_an_apostrophe(text: str):
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Họ; =1+1", "Họ; '=1+1"), ("a;@x", "a;'@x"), ("=a;=b", "'=a;'=b"), ("a; b = c", "a; b = c"),
     ("a\n=b;c", "a\n'=b;c"), ("a\r\n\n @b", "a\r\n\n '@b"), ("a\nb = c", "a\nb = c"),
     (";=1", ";'=1"), ("; =1", "; '=1")],
)  # fmt: skip
def test_what_would_be_a_formula_where_semicolons_divide_cells_gets_one_too(text: str, kept: str):
    assert safe(text) == kept


def test_cells_are_said_as_each_language_writes_them():
    values = (1234, Minutes(7), Share(39, 40), Share(0, 0), Percent(12.345), "x", None)
    assert [said(texts("vi"), value) for value in values] == [
        "1.234",
        "7 phút",
        "97,5\u00a0%",
        "–",
        "12,3\u00a0%",
        "x",
        "–",
    ]
    assert [said(texts("en"), value) for value in values] == ["1,234", "7 min", "97.5%", "–", "12.3%", "x", "–"]


def test_files_say_the_unit_once_in_the_heading():
    t = texts("vi")
    made = with_units(t, Table("x", "X", ("Tên", "Số", "Chờ"), (("a", 1, Minutes(3)), ("b", 2, None))))
    assert made.columns == ("Tên", "Số", "Chờ (phút)")
    mixed = with_units(t, Table("x", "X", ("", "Kỳ"), (("Số", 1), ("Chờ", Minutes(3)))))
    assert [row[0] for row in mixed.rows] == ["Số", "Chờ (phút)"]


def test_a_report_of_today_has_no_ratings_of_today(lite: Server, it_is: Clock):
    days(lite.device, "3" * 9)
    it_is(noon(FIRST) + timedelta(hours=6))
    page = text(lite.signed_in("lanh-dao", "leader"), f"/reports?period={FIRST}")
    assert ["Đã phục vụ", "9", "0"] in cells(page, "summary")
    assert cells(page, "ratings") == []
    assert "Chưa hiện đánh giá nào của kỳ này" in page
