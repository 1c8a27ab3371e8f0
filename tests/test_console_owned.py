"""A kiosk whose office document comes from the commune server: the technician's page shows it and changes nothing."""

from dataclasses import replace

from kiosk.office import Office
from tests.console_kit import PIN, TECHNICIAN, Browser, Hall

OFFICE = "/technician/office"
PROBLEM = {
    "path": "buttons.services.dat-dai",
    "where": "[buttons.services.dat-dai]",
    "message": "the office has no service",
    "key": "no_service",
    "values": {"ten": "dat-dai", "co": "ho-tich"},
}


def owned(hall: Hall) -> Browser:
    """A technician's browser, after the server's first document came."""
    office = replace(hall.office, version=7)
    hall.store.downloads.apply_office(hall.now(), 7, "a" * 64, office.to_json().decode(), office.sha256, "1234")
    return hall.browser(TECHNICIAN)


def test_the_page_shows_the_document_and_says_where_it_is_changed(hall: Hall):
    page = owned(hall).get(OFFICE).text
    assert "được sửa trên máy chủ xã" in page
    assert "readonly" in page and "Hộ tịch" in page
    for gone in ('name="do"', "/technician/office/photo", "/technician/office/restore"):
        assert gone not in page


def test_a_form_of_an_older_page_changes_nothing(hall: Hall):
    browser = hall.browser(TECHNICIAN)
    csrf = browser.csrf(OFFICE)
    owned(hall)
    text = replace(hall.office, version=8).to_json().decode()
    said = browser.post_page(f"{OFFICE}/check", csrf=csrf, text=text, do="apply", note="", seen="0")
    assert "Máy chủ xã quản lý khai báo này" in said.text
    assert not browser.post(f"{OFFICE}/restore", csrf=csrf, id="1")["ok"]
    newest = hall.store.offices.newest()
    assert newest is not None and Office.from_json(newest.text.encode()).version == 7


def test_a_version_that_does_not_fit_this_kiosk_is_said_with_its_place(hall: Hall):
    browser = owned(hall)
    hall.store.downloads.refuse(hall.now(), "office", 8, "b" * 64, [PROBLEM])
    page = browser.get(OFFICE).text
    assert "Phiên bản 8 của máy chủ xã chưa dùng được trên máy này" in page
    assert "đơn vị không có lĩnh vực &#34;dat-dai&#34;" in page
    assert "Phiên bản 8 của máy chủ xã chưa dùng được" in browser.get("/technician").text


def test_a_server_that_has_less_is_said(hall: Hall):
    browser = owned(hall)
    hall.store.downloads.note_offered(hall.now(), "office", 5)
    assert "Máy chủ xã đang có phiên bản 5, cũ hơn phiên bản 7" in browser.get(OFFICE).text


def test_the_history_names_the_server(hall: Hall):
    assert "máy chủ xã</td>" in owned(hall).get(OFFICE).text


def test_pins_and_the_rest_of_the_page_work_as_before(hall: Hall):
    browser = owned(hall)
    assert PIN and "Xem khai báo đơn vị" in browser.get("/technician").text
    assert browser.get(f"{OFFICE}/office.toml").text.startswith("format = 1")
