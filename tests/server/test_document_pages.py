"""The pages on which a commune's documents are changed: who may, what is refused in words, and that nothing is lost."""

import html
import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from kiosk.board_document import BoardDocument, Line
from kiosk.office import Office, sample
from kiosk.revising import written
from server import clock
from server.accounts.models import Audit, User
from server.facts.models import Fact
from server.office.documents import newest, publish
from server.office.models import Blob, Document
from server.registry.models import Site, Unit
from tests.server.kit import NOW, Server

ROLES = ("operator", "viewer", "admin", "leader", "technician", "clerk")


@pytest.fixture(autouse=True)
def _it_is_monday() -> Any:
    clock.follow(lambda: NOW)
    yield
    clock.follow(None)


def office_of(server: Server, site: Site | None = None) -> Office:
    found = newest(site or server.site, "office")
    assert found is not None
    return Office.from_json(bytes(found.content))


def board_of(server: Server) -> BoardDocument:
    found = newest(server.site, "board")
    assert found is not None
    return BoardDocument.from_json(bytes(found.content))


def at(server: Server, path: str = "", site: Site | None = None) -> str:
    return f"/documents/{(site or server.site).pk}{path}"


def fields(page: Any) -> dict[str, str]:
    """The fields of a page's last form, as a browser would send them unchanged."""
    text = page.content.decode()
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]+>", text):
        said = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if said.get("type") == "file" or (said.get("type") == "checkbox" and " checked" not in tag):
            continue
        if "name" in said and said["name"] != "csrfmiddlewaretoken":
            found[said["name"]] = html.unescape(said.get("value", ""))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    for name, inner in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        found[name] = html.unescape(inner.removeprefix("\n"))
    return found


def send(client: Client, path: str, **changes: Any) -> Any:
    """Open a form, change some fields, and send it."""
    return client.post(path, {**fields(client.get(path)), **changes})


def said(client: Client, server: Server) -> str:
    return re.findall(r'role="status"[^>]*>([^<]*)<', client.get(at(server)).content.decode())[-1]


# --- who may --------------------------------------------------------------------------------------------------


def test_each_role_opens_and_changes_what_is_its_own(lite: Server):
    sees = {"admin", "leader", "technician"}
    edits = {"office": {"admin", "technician"}, "board": {"admin", "leader"}}
    for role in ROLES:
        client = lite.signed_in(role, role)
        assert client.get(at(lite)).status_code == (200 if role in sees else 403), role
        assert ("/documents/" in client.get("/").content.decode()) == (role in sees), role
        for path in ("/text", "/edit/people", "/edit/quotas", "/edit/contact", "/edit/calendar"):
            assert client.get(at(lite, path)).status_code == (200 if role in edits["office"] else 403), role
        assert client.get(at(lite, "/board/edit")).status_code == (200 if role in edits["board"] else 403), role
        restored = client.post(at(lite, "/office/1/restore"), {"seen": "1"}).status_code
        assert restored == (302 if role in edits["office"] else 403), role
        copied = client.post(at(lite, "/copy")).status_code
        assert copied == (302 if role in edits["office"] else 403), role
    assert Client().get(at(lite)).status_code == 302


def test_another_communes_documents_are_not_there(lite: Server):
    other = Unit.objects.create(code="2", name="xã Khác")
    site = Site.objects.create(unit=other, key="chinh", name="Khác")
    publish(site, sample(), seen=0, by="x", note="", now=NOW)
    client = lite.signed_in("quan-tri", "admin")
    for path in ("", "/text", "/edit/people", "/board/edit", "/office/1", "/office.toml"):
        assert client.get(at(lite, path, site)).status_code == 404, path
    for path in ("/text", "/edit/quotas", "/board/edit", "/office/1/restore", "/copy"):
        assert client.post(at(lite, path, site), {"seen": "1", "site": lite.site.pk}).status_code == 404, path
    client.post(at(lite, "/copy"), {"site": site.pk})
    assert Document.objects.filter(site=site).count() == 1
    assert "Khác" not in client.get("/documents/", follow=True).content.decode()


# --- the text -------------------------------------------------------------------------------------------------


def test_a_changed_text_is_compared_and_then_published_with_its_author_and_note(server: Server):
    client = server.signed_in("ky-thuat", "technician")
    text = fields(client.get(at(server, "/text")))["text"].replace("Hộ tịch", "Khai sinh")
    seen = send(client, at(server, "/text"), text=text, do="check", note="đổi tên").content.decode()
    assert "<ins>Khai sinh</ins>" in seen
    assert office_of(server).version == 1
    assert send(client, at(server, "/text"), text=text, do="publish", note="đổi tên").status_code == 302
    made = newest(server.site, "office")
    assert made is not None
    assert (made.version, made.by, made.note) == (2, "ky-thuat", "đổi tên")
    assert office_of(server).services[0].name == "Khai sinh"
    assert said(client, server) == "Đã ban hành phiên bản 2. Máy lấy số sẽ tự nhận"
    row = Audit.objects.get(what="office.published")
    assert (row.who, row.unit, "đổi tên" in row.about) == ("ky-thuat", server.unit, True)


def test_mistakes_stand_with_their_lines_in_the_readers_language_and_what_was_entered_stays(lite: Server):
    client = lite.signed_in("ky-thuat", "technician")
    text = written(sample()).replace('icon = "stamp"', 'icon = "stmp"')
    line = text[: text.index('"stmp"')].count("\n") + 1
    page = send(client, at(lite, "/text"), text=text, do="publish", note="ghi chú")
    assert page.status_code == 422
    assert f"Dòng {line}" in page.content.decode() and "Có phải là" in page.content.decode()
    assert "icon = &#34;stmp&#34;" in page.content.decode() and 'value="ghi chú"' in page.content.decode()
    english = client.post(at(lite, "/text") + "?l=en", {"text": "a = ?\n", "do": "publish", "seen": "1"})
    assert "Line 1" in english.content.decode()
    assert office_of(lite).version == 1


def test_text_of_a_document_cannot_become_part_of_the_page(lite: Server):
    evil = "</textarea><script>alert(1)</script>"
    client = lite.signed_in("ky-thuat", "technician")
    office = replace(sample(), slogans=(evil,))
    for text in (written(office), f"{evil} = 1"):
        page = client.post(at(lite, "/text"), {"text": text, "do": "check", "seen": "1", "note": evil})
        assert "<script>alert" not in page.content.decode()
    client.post(at(lite, "/text"), {"text": written(office), "do": "publish", "seen": "1", "note": evil})
    for path in ("", "/office/2", "/edit/contact"):
        assert "<script>alert" not in client.get(at(lite, path)).content.decode()


def test_of_two_who_edit_at_once_the_second_is_told_and_both_changes_are_kept(server: Server):
    one, two = server.signed_in("mot", "technician"), server.signed_in("hai", "admin")
    first, second = (fields(client.get(at(server, "/text"))) for client in (one, two))
    changed = first["text"].replace("Chứng thực", "Sao y")
    assert one.post(at(server, "/text"), {**first, "text": changed, "do": "publish"}).status_code == 302
    mine = second["text"].replace("Hộ tịch", "Khai sinh")
    met = two.post(at(server, "/text"), {**second, "text": mine, "do": "publish", "note": "của tôi"})
    page = met.content.decode()
    assert met.status_code == 409
    assert "Người dùng mot đã ban hành phiên bản 2" in page
    assert "<ins>Khai sinh</ins>" in page and "<ins>Chứng thực</ins>" not in page
    assert office_of(server).services[0].name == "Hộ tịch"
    assert two.post(at(server, "/text"), {**fields(met), "do": "publish"}).status_code == 302
    assert [one.name for one in office_of(server).services[:2]] == ["Khai sinh", "Sao y"]
    made = newest(server.site, "office")
    assert made is not None and (made.version, made.note) == (3, "của tôi")


def test_a_document_for_another_site_or_unit_is_refused_in_words(lite: Server):
    client = lite.signed_in("ky-thuat", "technician")
    real = replace(sample(), unit=replace(sample().unit, code="12345"))
    assert client.post(at(lite, "/text"), {"text": written(real), "do": "publish", "seen": "1"}).status_code == 302
    for office, says in (
        (replace(real, site=replace(real.site, id="phu")), "nhưng đây là điểm tiếp nhận trung-tam"),
        (replace(real, unit=replace(real.unit, code="99")), "nhưng đây là đơn vị 12345"),
    ):
        page = client.post(at(lite, "/text"), {"text": written(office), "do": "publish", "seen": "2"})
        assert says in page.content.decode()
    assert office_of(lite).version == 2


def test_a_new_site_begins_with_a_whole_document_under_its_own_names(lite: Server):
    site = Site.objects.create(unit=lite.unit, key="phu", name="Điểm tiếp nhận số 2")
    client = lite.signed_in("ky-thuat", "technician")
    assert client.get(at(lite, "/edit/people", site)).headers["Location"] == at(lite, "/text", site)
    assert send(client, at(lite, "/text", site), do="publish").status_code == 302
    office = office_of(lite, site)
    assert (office.unit.code, office.site.id, office.site.name) == ("12345", "phu", "Điểm tiếp nhận số 2")
    wrong = send(client, at(lite, "/text", site), text=written(replace(sample(), version=9)), do="publish")
    assert "nhưng đây là điểm tiếp nhận phu" in wrong.content.decode()


def test_nothing_is_published_when_nothing_changes(lite: Server):
    client = lite.signed_in("ky-thuat", "technician")
    assert send(client, at(lite, "/text"), do="publish").status_code == 302
    assert said(client, lite) == "Không có thay đổi nào"
    assert send(client, at(lite, "/edit/people")).status_code == 302
    assert send(client, at(lite, "/edit/contact")).status_code == 302
    assert send(client, at(lite, "/edit/calendar")).status_code == 302
    assert send(client, at(lite, "/edit/quotas")).status_code == 302
    assert Document.objects.count() == 1


def test_open_tickets_that_would_be_left_alone_are_counted_before(lite: Server, store: Any):
    from tests.office import moment
    from tests.server.test_facts import push_all

    store.issuing.issue(moment(10), "huong-dan")
    push_all(lite, store)
    lite.settle()
    office = sample()
    less = replace(
        office,
        services=tuple(one for one in office.services if one.id != "huong-dan"),
        counters=tuple(
            replace(one, services=tuple(id for id in one.services if id != "huong-dan")) for one in office.counters
        ),
    )
    client = lite.signed_in("ky-thuat", "technician")
    page = client.post(at(lite, "/text"), {"text": written(less), "do": "check", "seen": "1"})
    assert "Còn 1 số đang chờ" in page.content.decode()


# --- the forms ------------------------------------------------------------------------------------------------


def test_somebody_comes_somebody_leaves_and_old_figures_keep_their_names(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    n = len(sample().clerks)
    new_row = {f"name-{n + 1}": "Trần Văn B", f"role-{n + 1}-helper": "1"}
    changes = {"name-1": "  Nguyễn Thị  Ánh ", "gone-2": "1", **new_row}
    assert send(client, at(lite, "/edit/people"), **changes).status_code == 302
    office = office_of(lite)
    assert office.clerks[0].name == "Nguyễn Thị Ánh" and office.clerks[0].id == "nguyen-thi-a"
    assert office.clerk("tran-van-b") is None
    new = office.clerks[-1]
    assert (new.id, new.name, new.roles) == ("tran-van-b-2", "Trần Văn B", ("clerk", "helper"))
    assert "tran-van-b" not in [one.clerk for one in office.counters]


def test_a_quota_is_changed_and_a_wrong_one_is_refused_with_its_place(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    path = at(lite, "/edit/quotas")
    wrong = send(client, path, **{"quota-dat-dai-sang": "ba mươi", "quota-ho-tich-sang": "99999"})
    page = wrong.content.decode()
    assert wrong.status_code == 422
    assert "Đất đai – Xây dựng › số lượng giới hạn › Sáng" in page or "Đất đai" in page
    assert 'value="ba mươi"' in page
    assert send(client, path, **{"quota-dat-dai-sang": "25", "quota-ho-tich-sang": ""}).status_code == 302
    service = office_of(lite).service("dat-dai")
    assert service is not None and service.quota["sang"] == 25


def test_hotlines_and_slogans_are_changed(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    path = at(lite, "/edit/contact")
    wrong = send(client, path, **{"number-1": "không có số"})
    assert wrong.status_code == 422 and "Đường dây nóng" in wrong.content.decode()
    assert send(client, path, **{"number-1": "0234 111 222", "slogans": "Một\r\n\r\n  Hai  "}).status_code == 302
    office = office_of(lite)
    assert (office.hotlines[0].number, office.slogans) == ("0234 111 222", ("Một", "Hai"))


def test_a_day_off_is_added_and_needs_its_reason(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    path = at(lite, "/edit/calendar")
    row = max(int(name[4:]) for name in fields(client.get(path)) if name.startswith("day-"))
    off = {f"day-{row}": "2026-12-29", f"kind-{row}": "off"}
    wrong = send(client, path, **off)
    assert wrong.status_code == 422 and "ghi lý do nghỉ" in wrong.content.decode()
    done = send(client, path, **off, **{f"reason-{row}": "Họp"})
    assert done.status_code == 302, done.content.decode()
    assert ("2026-12-29", "off", "Họp") in [(str(d.day), d.kind, d.reason) for d in office_of(lite).calendar]


def test_a_form_of_an_older_version_changes_only_what_was_changed_in_it(lite: Server):
    one, two = lite.signed_in("mot", "technician"), lite.signed_in("hai", "admin")
    older = fields(two.get(at(lite, "/edit/quotas")))
    assert send(one, at(lite, "/edit/quotas"), **{"quota-dat-dai-sang": "11"}).status_code == 302
    met = two.post(at(lite, "/edit/quotas"), {**older, "quota-chung-thuc-sang": "22"})
    assert met.status_code == 409 and "Người dùng mot đã ban hành phiên bản 2" in met.content.decode()
    assert two.post(at(lite, "/text"), {**fields(met), "do": "publish"}).status_code == 302
    quotas = {one.id: one.quota.get("sang") for one in office_of(lite).services}
    assert (quotas["dat-dai"], quotas["chung-thuc"]) == (11, 22)


def test_a_new_person_whom_another_one_seats_meanwhile_keeps_the_seat(lite: Server):
    one, two = lite.signed_in("mot", "technician"), lite.signed_in("hai", "admin")
    older = fields(two.get(at(lite, "/edit/people")))
    n = len(sample().clerks) + 1
    send(one, at(lite, "/edit/people"), **{f"name-{n}": "Trần Thị M"})
    text = written(office_of(lite)).replace('clerk = "nguyen-thi-a"', 'clerk = "tran-thi-m"')
    one.post(at(lite, "/text"), {"text": text, "do": "publish", "seen": "2"})
    met = two.post(at(lite, "/edit/people"), {**older, "name-2": "Trần Văn Bình"})
    two.post(at(lite, "/text"), {**fields(met), "do": "publish"})
    office = office_of(lite)
    assert (office.clerks[1].name, office.counters[0].clerk) == ("Trần Văn Bình", "tran-thi-m")


def test_texts_in_pieces_are_put_together(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    send(client, at(lite, "/edit/contact"), slogans="Hộ tịch")
    assert office_of(lite).slogans == ("Hộ tịch",)
    send(client, at(lite, "/edit/people"), **{"name-1": "Nguyễn"})
    assert office_of(lite).clerks[0].name == "Nguyễn"


# --- photos ---------------------------------------------------------------------------------------------------


def picture(kind: str = "JPEG", size: tuple[int, int] = (1600, 2000)) -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(data, kind)
    return SimpleUploadedFile(f"a.{kind.lower()}", data.getvalue(), "application/octet-stream")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_any_photo_is_made_small_kept_by_its_hash_and_shown(lite: Server, kind: str):
    client = lite.signed_in("quan-tri", "admin")
    assert send(client, at(lite, "/edit/people"), **{"file-1": picture(kind)}).status_code == 302
    name = office_of(lite).clerks[0].photo
    blob = Blob.objects.get()
    assert name == f"{blob.sha256}.jpg"
    assert max(Image.open(io.BytesIO(bytes(blob.content))).size) == 800
    shown = client.get(f"/documents/photo/{name}")
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/jpeg")
    assert f"/documents/photo/{name}" in client.get(at(lite, "/edit/people")).content.decode()
    send(client, at(lite, "/edit/people"), **{"nophoto-1": "1"})
    assert office_of(lite).clerks[0].photo == ""
    assert client.get(f"/documents/photo/{name}").status_code == 404


def test_a_photo_of_another_commune_is_not_there(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    send(client, at(lite, "/edit/people"), **{"file-1": picture()})
    other = Unit.objects.create(code="2", name="xã Khác")
    stranger = lite.signed_in("la", "admin")
    User.objects.filter(username="la").update(unit=other)
    name = office_of(lite).clerks[0].photo
    assert stranger.get(f"/documents/photo/{name}").status_code == 404
    assert stranger.get("/documents/photo/../../etc").status_code == 404


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\xff\xd8\xff\xe0 half a", b"<svg onload=alert(1)>"])
def test_a_file_that_is_no_picture_is_refused_in_words_and_the_rest_stays(lite: Server, content: bytes):
    client = lite.signed_in("quan-tri", "admin")
    file = SimpleUploadedFile("ảnh.jpg", content, "image/jpeg")
    page = send(client, at(lite, "/edit/people"), **{"file-1": file, "name-1": "Tên mới"})
    assert page.status_code == 422
    assert "ảnh.jpg" in page.content.decode() and 'value="Tên mới"' in page.content.decode()
    assert not Blob.objects.exists() and office_of(lite).version == 1


def test_an_emblem_is_uploaded_and_taken_away(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    send(client, at(lite, "/edit/contact"), file=picture("PNG", (300, 300)))
    assert office_of(lite).unit.emblem.endswith(".jpg")
    send(client, at(lite, "/edit/contact"), nophoto="1")
    assert office_of(lite).unit.emblem == ""


def test_a_text_that_names_a_photo_which_nobody_uploaded_is_refused(lite: Server):
    clerks = (replace(sample().clerks[0], photo=f"{'a' * 64}.jpg"), *sample().clerks[1:])
    client = lite.signed_in("ky-thuat", "technician")
    text = written(replace(sample(), clerks=clerks))
    page = client.post(at(lite, "/text"), {"text": text, "do": "publish", "seen": "1"})
    assert "không có ảnh" in page.content.decode()


# --- versions -------------------------------------------------------------------------------------------------


def test_versions_are_listed_compared_and_brought_back_under_a_new_number(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    send(client, at(lite, "/edit/contact"), slogans="Một", note="lần một")
    send(client, at(lite, "/edit/contact"), slogans="Hai")
    page = client.get(at(lite)).content.decode()
    assert "lần một" in page and "<td>Người dùng quan-tri</td>" in page
    shown = client.get(at(lite, "/office/3")).content.decode()
    assert "<del>Một</del>" in shown and "<ins>Hai</ins>" in shown and "Khẩu hiệu" in shown
    against = client.get(at(lite, "/office/3") + "?with=1").content.decode()
    assert "<del>Một</del>" not in against
    assert client.get(at(lite, "/office/99")).status_code == 404
    assert client.get(at(lite, "/office/3") + "?with=99").status_code == 404
    assert client.get(at(lite, "/paper/1")).status_code == 404
    client.post(at(lite, "/office/2/restore"), {"seen": "3"})
    made = newest(lite.site, "office")
    assert made is not None and (made.version, made.note) == (4, "= 2")
    assert office_of(lite).slogans == ("Một",)


def test_bringing_back_is_refused_when_somebody_published_meanwhile(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    send(client, at(lite, "/edit/contact"), slogans="Một")
    client.post(at(lite, "/office/1/restore"), {"seen": "1"})
    assert "Vừa có người ban hành phiên bản 2" in said(client, lite)
    assert office_of(lite).slogans == ("Một",)


def test_a_version_of_another_release_is_listed_and_said_to_be_unreadable(lite: Server):
    Document.objects.create(
        site=lite.site, kind="office", version=2, sha256="x", content=b'{"format":9}', at=NOW, by="x"
    )
    client = lite.signed_in("quan-tri", "admin")
    assert client.get(at(lite)).status_code == 200
    assert "không đọc được" in client.get(at(lite, "/office/2")).content.decode()
    assert client.get(at(lite, "/text")).status_code == 200


def test_a_document_is_copied_to_other_sites_of_the_commune_under_their_names(server: Server):
    site = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    third = Site.objects.create(unit=server.unit, key="ba", name="Điểm ba")
    Document.objects.filter(site=server.site).delete()
    office = replace(sample(), unit=replace(sample().unit, code="12345"), slogans=("Chung",))
    publish(server.site, office, seen=0, by="x", note="", now=NOW)
    client = server.signed_in("quan-tri", "admin")
    client.post(at(server, "/copy"), {"site": [site.pk, server.site.pk]})
    assert said(client, server) == "Đã chép sang: Điểm phụ"
    copied = office_of(server, site)
    assert (copied.site.id, copied.site.name, copied.slogans) == ("phu", "Điểm phụ", ("Chung",))
    assert newest(third, "office") is None and newest(server.site, "office").version == 1  # type: ignore[union-attr]
    assert Audit.objects.filter(what="office.published").count() == 1


# --- what kiosks made of it -----------------------------------------------------------------------------------


def test_the_page_says_what_each_kiosk_made_of_the_newest_version(lite: Server):
    devices = {name: lite.enrol(f"k-{name}", name) for name in ("NONE", "WAITS", "GOOD", "BAD", "AHEAD", "OWN")}
    send(lite.signed_in("a", "admin"), at(lite, "/edit/contact"), slogans="Một")

    def tell(name: str, kind: str, version: int, **value: Any) -> None:
        said = {"version": version, "by": "server", **value}
        Fact.objects.create(site=lite.site, device=devices[name], kind=kind, key="office", value=said, at=NOW)

    tell("WAITS", "applied", 1)
    tell("GOOD", "applied", 2)
    tell("BAD", "applied", 1)
    problem = {"path": "x", "where": "kiosk.toml [buttons]", "message": "m", "key": "no_service",
               "values": {"ten": "dat-dai", "co": "ho-tich", "gan": ""}}  # fmt: skip
    tell("BAD", "refused", 2, problems=[problem, {"where": "<b>", "message": "m2", "key": "unheard"}, "x"])
    tell("AHEAD", "applied", 7)
    tell("OWN", "applied", 40, by="do-van-h")
    page = lite.signed_in("b", "leader").get(at(lite)).content.decode()
    for state in ("none", "waits", "current", "refused", "ahead", "own"):
        assert f'class="state {state}"' in page, state
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
