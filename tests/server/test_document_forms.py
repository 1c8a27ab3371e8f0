"""Forms for what changes most often in an office document, photos with them."""

import io
import re
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from kiosk.office import sample
from kiosk.revising import written
from server.accounts.models import User
from server.office.models import Blob
from server.registry.models import Unit
from tests.server.document_kit import at, fields, monday, office_of, picture, send
from tests.server.kit import Server

__all__ = ["monday"]  # a fixture
pytestmark = pytest.mark.usefixtures("monday")


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
    assert "Đất đai – Xây dựng › số lượng giới hạn › Sáng: &#34;ba mươi&#34; phải là số nguyên" in page
    assert 'value="ba mươi"' in page
    below = send(client, path, **{"quota-dat-dai-sang": "-5"}).content.decode()
    assert "-5 không dùng được, chỉ nhận 0–9999" in below and 'value="-5"' in below
    assert send(client, path, **{"quota-dat-dai-sang": "25", "quota-ho-tich-sang": ""}).status_code == 302
    service = office_of(lite).service("dat-dai")
    assert service is not None and service.quota["sang"] == 25


def test_quotas_are_asked_for_by_the_english_names_that_the_office_gave(lite: Server):
    client, office = lite.signed_in("quan-tri", "admin"), office_of(lite)
    service, session = office.services[0], office.sessions[0]
    assert service.name_en and session.name_en
    page = client.get(at(lite, "/edit/quotas") + "?l=en").content.decode()
    assert f'aria-label="{service.name_en}, {session.name_en}"' in page


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


def test_a_reason_without_a_day_is_refused_beside_its_day_and_everything_that_was_typed_stays(lite: Server):
    client = lite.signed_in("quan-tri", "admin")
    path = at(lite, "/edit/calendar")
    old, before = office_of(lite), fields(client.get(path))
    row = max(int(name[4:]) for name in before if name.startswith("day-"))
    typed = {f"reason-{row}": "Họp dân", f"kind-{row}": "work", "note": "vì họp", "day-1": "2026-12-28"}
    wrong = send(client, path, **typed)
    assert wrong.status_code == 422
    assert re.findall(r'<p class="problem" id="undated-(\d+)">Có lý do mà chưa có ngày', wrong.content.decode()) == [
        f"{row}"
    ]
    assert fields(wrong) == {**before, **typed}
    assert office_of(lite) == old
    gone = {name: "" for name in before if name.startswith(("day-", "reason-"))}
    assert send(client, path, **gone).status_code == 302
    assert office_of(lite).calendar == ()


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
