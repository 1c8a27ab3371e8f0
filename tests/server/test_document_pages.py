"""Pages on which a commune's documents are changed as text: who may, and that of two nobody overwrites the other."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from kiosk.config import shipped
from kiosk.office import sample
from kiosk.revising import read, written
from server.accounts.models import Audit
from server.facts.models import RatingRollup
from server.office.documents import newest, publish
from server.office.models import Document
from server.registry.models import Site, Unit
from tests.server.document_kit import at, fields, monday, office_of, said, send
from tests.server.figures_kit import FIRST, keep, rating
from tests.server.kit import NOW, Server

__all__ = ["monday"]  # a fixture
pytestmark = pytest.mark.usefixtures("monday")
ROLES = ("operator", "viewer", "admin", "leader", "technician", "clerk")


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


def test_an_operator_is_told_whose_account_opens_a_communes_pages(lite: Server):
    operator, told = lite.signed_in("operator", "operator"), "Quản trị máy chủ không mở được {}: đăng nhập bằng"
    assert told.format("Tài liệu") in operator.get("/documents/").content.decode()
    assert told.format("Công khai") in operator.get("/publication/frozen").content.decode()
    viewer = lite.signed_in("viewer", "viewer").get("/documents/").content.decode()
    assert "hỏi quản trị viên của xã" in viewer
    assert "hỏi quản trị viên của xã" in operator.get("/mine").content.decode()


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


def test_that_a_version_is_published_is_said_though_another_window_fetches_its_part_again(lite: Server):
    client = lite.signed_in("ky-thuat", "technician")
    text = fields(client.get(at(lite, "/text")))["text"].replace("Hộ tịch", "Khai sinh")
    send(client, at(lite, "/text"), text=text, do="publish")
    assert client.get("/live", headers={"HX-Request": "true"}).status_code == 200
    assert said(client, lite) == "Đã ban hành phiên bản 2. Máy lấy số sẽ tự nhận"


def test_the_first_document_begins_with_the_communes_name_and_nobody_elses_people_or_numbers(lite: Server):
    Document.objects.all().delete()
    shown = read(fields(lite.signed_in("ky-thuat", "technician").get(at(lite, "/text")))["text"], shipped())
    assert (shown.unit.code, shown.unit.name, shown.unit.head1) == ("12345", "xã Mẫu", "ỦY BAN NHÂN DÂN XÃ MẪU")
    assert (shown.clerks, shown.hotlines, shown.channels) == ((), (), ())


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


def test_what_was_rated_keeps_its_meaning_a_changed_label_set_needs_an_id_of_its_own(lite: Server):
    client = lite.signed_in("ky-thuat", "technician")
    smile = sample().label_sets[0]
    two = replace(smile, levels=(smile.levels[0], smile.levels[-1]))
    changed = replace(sample(), label_sets=(two, *sample().label_sets[1:]))
    keep(lite.site, FIRST, [], [rating(lite.device, FIRST, label_set=smile.id)])
    page = client.post(at(lite, "/text"), {"text": written(changed), "do": "publish", "seen": "1"})
    assert f"khác với các lượt đánh giá đã nhận theo mã {smile.id}: hãy đặt mã mới" in page.content.decode()
    assert office_of(lite).version == 1
    RatingRollup.objects.all().delete()
    assert client.post(at(lite, "/text"), {"text": written(changed), "do": "publish", "seen": "1"}).status_code == 302


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


# --- versions -------------------------------------------------------------------------------------------------


def test_versions_are_listed_compared_and_brought_back_under_a_new_number(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    send(client, at(lite, "/edit/contact"), slogans="Một", note="lần một")
    send(client, at(lite, "/edit/contact"), slogans="Hai")
    page = client.get(at(lite)).content.decode()
    assert "lần một" in page and "Người dùng quan-tri</td>" in page
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
