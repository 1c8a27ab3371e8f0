"""The audit: who sees which rows, how they are found, and that every noted word has its sentence."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest

import server as package
from server.accounts.models import Audit, User
from server.accounts.noted import about_in_words
from server.registry.models import Unit
from server.words import LANGUAGES, texts
from tests.server.kit import NOW, Server


def row(
    server: Server, what: str, who: str = "lanh-dao", about: str = "", days: int = 0, unit: Unit | None = None
) -> None:
    Audit.objects.create(at=NOW + timedelta(days=days), who=who, what=what, about=about, unit=unit or server.unit)


def listed(page: str) -> list[str]:
    """What the rows of the page are about."""
    return re.findall(r'<td class="words">(?:<span.*?</span>)?(.*?)</td>', page)


def test_rows_are_found_by_person_kind_and_day_the_newest_first(lite: Server):
    row(lite, "comment.read", about="một")
    row(lite, "comment.keep", about="hai", days=1)
    row(lite, "account.made", "quan-tri", about="ba", days=2)
    row(lite, "device.enrolled", "k-7F3K2M", about="bốn", days=3)
    admin = lite.signed_in("xem", "admin")

    def found(query: str) -> list[str]:
        return listed(admin.get(f"/admin/audit?{query}").content.decode())

    assert found("") == ["bốn", "ba", "hai", "một"]
    assert found("who=quan-tri") == ["ba"]
    assert found("who=k-7F3K2M") == ["bốn"]
    assert found("who=Quan-Tri") == ["ba"]
    assert found("kind=comment") == ["hai", "một"]
    assert found("from=2026-11-24&to=2026-11-24") == ["hai"]
    assert found("from=x&to=y&before=z") == ["bốn", "ba", "hai", "một"]
    assert "Đọc góp ý" in admin.get("/admin/audit").content.decode()


def test_nobody_sees_rows_of_another_commune_but_operators(lite: Server):
    row(lite, "comment.read", about="của họ", unit=Unit.objects.create(code="2", name="xã Khác"))
    Audit.objects.create(at=NOW, who="van-hanh", what="unit.made", about="chung")
    admin = lite.signed_in("quan-tri", "admin")
    for address in ("/admin/audit", "/admin/audit.csv"):
        page = admin.get(address).content.decode()
        assert "của họ" not in page
        assert "chung" not in page
    assert listed(lite.signed_in("xem", "operator").get("/admin/audit").content.decode())[1:] == ["chung", "của họ"]


@pytest.mark.parametrize(("role", "status"), [("leader", 200), ("viewer", 403), ("technician", 403), ("clerk", 403)])
def test_leaders_read_it_too_and_others_do_not(lite: Server, role: str, status: int):
    browser = lite.signed_in("ai-do", role)
    assert browser.get("/admin/audit").status_code == status
    assert browser.get("/admin/audit.csv").status_code == status


def test_a_long_audit_is_read_page_by_page(lite: Server):
    for number in range(205):
        row(lite, "comment.read", about=str(number))
    admin = lite.signed_in("quan-tri", "admin")
    address, seen = "/admin/audit?kind=comment", []
    while address:
        page = admin.get(address).content.decode()
        seen += listed(page)
        older = re.search(r'href="(\?kind=comment&amp;before=\d+)"', page)
        address = f"/admin/audit{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == [str(number) for number in reversed(range(205))]


def test_the_csv_is_safe_for_office_programs_and_noted_itself(lite: Server):
    row(lite, "account.made", about="=HYPERLINK(1)")
    answer = lite.signed_in("quan-tri", "admin").get("/admin/audit.csv?kind=account")
    text = b"".join(answer) if answer.streaming else answer.content
    head, *rows = csv.reader(io.StringIO(text.decode("utf-8-sig")))
    assert head == ["Thời điểm", "Người thực hiện", "Việc đã làm", "Đối tượng", "Xã, phường"]
    assert rows == [["2026-11-23 10:00:00", "lanh-dao", "Thêm tài khoản", "'=HYPERLINK(1)", "xã Mẫu"]]
    assert Audit.objects.filter(what="audit.saved", about="kind=account").exists()


NOTED = {
    ("account.made", "lan (leader)"): "lan (Lãnh đạo)",
    ("account.changed", "lan (clerk, nguyen-thi-a)"): "lan (Công chức, nguyen-thi-a)",
    ("alarms.target", "2 mails, https://tram.example/bao"): "2 địa chỉ thư, https://tram.example/bao",
    ("alarms.target", "0 mails, "): "0 địa chỉ thư",
    ("alarms.test", "mail, webhook"): "Thư, Webhook",
    ("audit.saved", "who=lan&kind=comment&from=2026-11-01"):
        "Người thực hiện: lan; Loại việc: Góp ý; Từ ngày: 01/11/2026",
    ("feed.imported", "k-7F3K2M: 12 new, kiosk-1.ndjson, kiosk-2.ndjson"):
        "k-7F3K2M: 12 sự kiện mới, kiosk-1.ndjson, kiosk-2.ndjson",
    ("figures.frozen", "Trụ sở, 2026-Q4"): "Trụ sở, quý IV/2026",
    ("figures.adjusted", "2026-11: 2"): "tháng 11/2026: Điều chỉnh lần 2",
    ("kiosk.changed", "k-7F3K2M (pull)"): "k-7F3K2M (Máy chủ đến lấy)",
    ("publication.set", "Trụ sở: on, waits"): "Trụ sở: Mở trang công khai của điểm này; Thời gian chờ",
    ("publication.set", "Trụ sở: –"): "Trụ sở: Trang đang tắt",
    ("publication.set", "Trụ sở: waits"): "Trụ sở: Trang đang tắt; Thời gian chờ",
    ("report.saved", "2026-11 service csv"): "tháng 11/2026, Theo lĩnh vực, csv",
}  # fmt: skip
AS_THEY_ARE = (
    ("account.made", "lan (leader, nguyen-th"),
    ("account.made", "lan (knight)"),
    ("audit.saved", "who=lan&kin"),
    ("audit.saved", ""),
    ("figures.frozen", "Trụ sở, 2026-99"),
    ("report.saved", "2026-11 service"),
    ("comment.read", "12: Trụ sở, 2026-11-01–2026-11-30"),
    ("of.another.release", "{name} on, waits"),
)


def test_what_a_row_is_about_is_said_in_words_on_the_page_and_in_the_csv(lite: Server):
    for what, about in NOTED:
        row(lite, what, about=about)
    admin = lite.signed_in("quan-tri", "admin")
    assert listed(admin.get("/admin/audit").content.decode()) == list(NOTED.values())[::-1]
    text = admin.get("/admin/audit.csv").content.decode("utf-8-sig")
    assert [line[3] for line in csv.reader(io.StringIO(text))][2:] == list(NOTED.values())[::-1]


@pytest.mark.parametrize(("what", "about"), AS_THEY_ARE)
def test_nothing_of_a_row_without_words_is_hidden(what: str, about: str):
    assert about_in_words(texts("vi"), what, about) == about


def test_every_word_that_the_server_notes_has_its_sentence_and_its_kind():
    sources = [path.read_text() for path in Path(package.__file__).parent.glob("**/*.py")]
    noted = {word for source in sources for word in re.findall(r'note\(\s*request,\s*"([a-z.]+)"', source)}
    noted |= {word for source in sources for word in re.findall(r'what="([a-z]+\.[a-z]+)"', source)}
    noted |= {"account.on", "account.off", "comment.keep", "comment.finish", "comment.answer", "board.published"}
    assert len(noted) > 25
    for language in LANGUAGES:
        missing = {
            key for word in noted for key in (word, word.partition(".")[0]) if f"audit.{key}" not in texts(language)
        }
        assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_of_the_server_say_the_same(language: str):
    from server.words import _own

    assert _own()[language].keys() == _own()["vi"].keys()


def test_nothing_is_changed_without_its_row(server: Server, monkeypatch: pytest.MonkeyPatch):
    user = server.user("thu-nghiem", "leader")
    admin = server.signed_in("quan-tri", "admin")
    admin.raise_request_exception = False

    def broken(**fields: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Audit.objects, "create", broken)
    given = {"username": "moi", "name": "Nguyễn Văn A", "role": "leader"}
    assert admin.post("/admin/people/new", given).status_code == 500
    assert admin.post(f"/admin/people/{user.pk}/switch").status_code == 500
    assert not User.objects.filter(username="moi").exists()
    assert User.objects.get(pk=user.pk).is_active
    monkeypatch.undo()
    assert admin.post("/admin/people/new", given).status_code == 200
    assert User.objects.filter(username="moi").exists()
