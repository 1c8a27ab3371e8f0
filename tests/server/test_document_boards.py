"""What kiosks made of a document, and the document of a site's boards."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from kiosk.board_document import Line
from server import clock
from server.accounts.models import Audit
from server.facts.models import Fact
from server.office.documents import newest
from server.registry.models import Site
from tests.server.document_kit import at, board_of, fields, monday, send
from tests.server.kit import NOW, Server

__all__ = ["monday"]  # a fixture
pytestmark = pytest.mark.usefixtures("monday")


# --- what kiosks made of it -----------------------------------------------------------------------------------


def test_the_page_says_what_each_kiosk_made_of_the_newest_version(lite: Server):
    devices = {
        name: lite.enrol(f"k-{name}", name) for name in ("NONE", "WAITS", "GOOD", "BAD", "AHEAD", "OWN", "OTHER")
    }
    send(lite.signed_in("a", "admin"), at(lite, "/edit/contact"), slogans="Một")

    def tell(name: str, kind: str, version: int, **value: Any) -> None:
        said = {"version": version, "by": "server", **value}
        Fact.objects.create(site=lite.site, device=devices[name], kind=kind, key="office", value=said, at=NOW)

    tell("WAITS", "applied", 1)
    last = newest(lite.site, "office")
    assert last
    tell("GOOD", "applied", 2, sha256=last.sha256)
    tell("OTHER", "applied", 2, sha256="0" * 64)
    tell("BAD", "applied", 1)
    problem = {"path": "x", "where": "kiosk.toml [buttons]", "message": "m", "key": "no_service",
               "values": {"ten": "dat-dai", "co": "ho-tich", "gan": ""}}  # fmt: skip
    tell("BAD", "refused", 2, problems=[problem, {"where": "<b>", "message": "m2", "key": "unheard"}, "x"])
    tell("AHEAD", "applied", 7)
    tell("OWN", "applied", 40, by="do-van-h")
    page = lite.signed_in("b", "leader").get(at(lite)).content.decode()
    told = re.findall(r'class="state (\w+)"', page)
    assert "none" in told
    known = sorted(state for state in told if state != "none")
    assert known == ["ahead", "current", "differs", "own", "refused", "waits"]
    assert "kiosk.toml [buttons]: đơn vị không có lĩnh vực &#34;dat-dai&#34;" in page
    assert "&lt;b&gt;: m2" in page
    assert "03:00" not in page and "10:00 23/11/2026" in page  # the office's wall clock


# --- the board ------------------------------------------------------------------------------------------------

FIGURES = {
    "as_of": "17:00 20/11/2026", "early": "2.530", "on_time": "165", "late": "0", "in_time": "409", "overdue": "3",
}  # fmt: skip


def test_a_leader_publishes_figures_lines_and_days(server: Server):
    client = server.signed_in("lanh-dao", "leader")
    path = at(server, "/board/edit")
    assert client.post(path, {"do": "figures", "seen": "0", **FIGURES}).status_code == 302
    figures = board_of(server).dossiers
    assert figures is not None
    assert (figures.as_of, figures.early) == ("2026-11-20T10:00:00.000Z", 2530)
    lines = {"text-1": "Nghỉ  họp", "until-1": "2026-12-01", "text-2": "", "text-3": "Ba"}
    assert client.post(path, {"do": "lines", "seen": "1", **lines}).status_code == 302
    assert [(one.text, str(one.until)) for one in board_of(server).lines] == [
        ("Nghỉ họp", "2026-12-01"),
        ("Ba", "None"),
    ]
    days = {"day-1": "2026-12-24", "kind-1": "off", "reason-1": "Nghỉ", "day-2": ""}
    assert client.post(path, {"do": "days", "seen": "2", **days}).status_code == 302
    board = board_of(server)
    assert [(str(one.day), one.kind) for one in board.days] == [("2026-12-24", "off")]
    assert board.dossiers == figures and len(board.lines) == 2
    shown = client.get(at(server, "/board/3")).content.decode()
    assert "2.530" in shown and "Thứ Năm, 24/12/2026" in shown
    assert client.post(path, {"do": "clear", "seen": "3"}).status_code == 302
    assert board_of(server).dossiers is None
    assert Audit.objects.filter(what="board.published").count() == 4
    assert client.post(at(server, "/board/1/restore"), {"seen": "4"}).status_code == 302
    assert board_of(server).dossiers == figures


def test_a_day_off_that_a_leader_enters_closes_the_office_on_the_page_of_today(lite: Server):
    client = lite.signed_in("lanh-dao", "leader")
    assert "ngoài giờ làm việc" not in client.get("/").content.decode()
    storm = {"day-1": str(NOW.date()), "kind-1": "off", "reason-1": "Bão số 5"}
    client.post(at(lite, "/board/edit"), {"do": "days", "seen": "0", **storm})
    assert "ngoài giờ làm việc" in client.get("/").content.decode()
    client.post(at(lite, "/board/edit"), {"do": "days", "seen": "1"})
    assert "ngoài giờ làm việc" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"do": "figures", **FIGURES, "late": "vài"}, "Đã giải quyết – Quá hạn: “vài”"),
        ({"do": "figures", **FIGURES, "early": ""}, "Đã giải quyết – Trước hạn: còn thiếu"),
        ({"do": "figures", **FIGURES, "as_of": "hôm qua"}, "phải là giờ và ngày"),
        ({"do": "figures", **FIGURES, "as_of": "17:00 20/11/2036"}, "thời điểm chưa tới"),
        ({"do": "lines", "text-1": "x" * 121}, "một dòng tối đa 120 chữ"),
        ({"do": "lines", **{f"text-{n}": "x" for n in range(1, 10)}}, "Dòng chữ: đang có 9"),
        ({"do": "lines", "text-1": "x", "until-1": "mai"}, "phải là ngày"),
        ({"do": "days", "day-1": "2026-12-24", "kind-1": "off"}, "ghi lý do nghỉ"),
        ({"do": "days", "day-1": "2026-12-24", "kind-1": "gone", "reason-1": "x"}, "không dùng được"),
        (
            {"do": "days", "day-1": "", "kind-1": "work", "reason-1": "Họp dân"},
            'id="undated-1">Có lý do mà chưa có ngày',
        ),
        ({"do": "file"}, "Hãy chọn một tệp CSV"),
    ],
)
def test_what_cannot_be_on_a_board_is_refused_in_words_and_stays_in_the_form(
    lite: Server, form: dict[str, str], says: str
):
    page = lite.signed_in("lanh-dao", "leader").post(at(lite, "/board/edit"), {"seen": "0", **form})
    text = html.unescape(page.content.decode()).replace('"', "“", 1)
    assert page.status_code == 422
    assert says.replace("“vài”", "") in text
    assert all(html.escape(value) in page.content.decode() for value in form.values() if value not in ("gone", "mai"))
    assert newest(lite.site, "board") is None


def test_figures_are_read_from_a_csv_file_and_published_after_a_look(lite: Server):
    client = lite.signed_in("lanh-dao", "leader")
    head = "Trước hạn;Đúng hạn;Đã giải quyết quá hạn;Trong hạn;Đang giải quyết quá hạn"
    file = SimpleUploadedFile("so-lieu.csv", f"\ufeff{head}\n2530;165;0;409;3\n".encode())
    page = client.post(at(lite, "/board/edit"), {"do": "file", "seen": "0", "as_of": FIGURES["as_of"], "file": file})
    assert page.status_code == 200 and "Đã đọc tệp" in page.content.decode()
    assert newest(lite.site, "board") is None
    read = {name: value for name, value in fields(page).items() if name in FIGURES and name != "as_of"}
    assert client.post(at(lite, "/board/edit"), {"do": "figures", "seen": "0", **FIGURES, **read}).status_code == 302
    assert board_of(lite).dossiers is not None
    broken = SimpleUploadedFile("x.csv", b"\xff\xfe")
    wrong = client.post(at(lite, "/board/edit"), {"do": "file", "seen": "1", "file": broken})
    assert "CSV UTF-8" in wrong.content.decode()


def test_of_two_who_edit_the_board_at_once_the_second_is_told_and_overwrites_no_other_part(server: Server):
    one, two = server.signed_in("mot", "leader"), server.signed_in("hai", "admin")
    path = at(server, "/board/edit")
    one.post(path, {"do": "lines", "seen": "0", "text-1": "Của một"})
    met = two.post(path, {"do": "figures", "seen": "0", **FIGURES})
    assert met.status_code == 409
    assert "Người dùng mot đã ban hành phiên bản 1" in met.content.decode() and 'value="2.530"' in met.content.decode()
    assert two.post(path, {"do": "figures", "seen": "1", **FIGURES}).status_code == 302
    assert board_of(server).lines == (Line("Của một"),)
    assert board_of(server).dossiers is not None


def test_a_commune_with_several_sites_chooses_first(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    assert client.get("/documents/").headers["Location"] == at(lite)
    Site.objects.create(unit=lite.unit, key="phu", name="Điểm phụ")
    page = client.get("/documents/").content.decode()
    assert "Điểm phụ" in page and lite.site.name in page
    assert timedelta(0) == clock.now() - NOW
