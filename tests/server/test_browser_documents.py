"""A technician changes a quota on the server in a real browser, and sees that the kiosk works by it."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from kiosk.board_document import BoardDocument, Line
from server.office.documents import publish
from server.registry.models import Site
from tests.browser import bare, cramped, watched
from tests.server.document_kit import picture
from tests.server.down_kit import down
from tests.server.kit import NOW, PASSWORD, Server

WIDE, NARROW = (1366, 768), (390, 844)


def sign_in(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/documents/")
    page.get_by_label("Tên đăng nhập").fill(name)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tài liệu")


def has_no_obstacle(page: Page, width: int) -> None:
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_a_quota_that_is_published_is_seen_as_a_difference_and_then_as_applied_by_the_kiosk(
    chromium: Browser, lite: Server, tmp_path: Path
):
    lite.user("ky-thuat", "technician")
    with down(lite, tmp_path) as kiosk, watched(chromium, lite.url, WIDE) as seen:
        kiosk.push()
        kiosk.push()  # what became of the first document is told with the next one
        page = seen.page()
        sign_in(page, lite.url, "ky-thuat")
        page.get_by_role("link", name="Số lượng giới hạn").click()
        page.get_by_label("Đất đai – Xây dựng, Sáng").fill("nhiều")
        page.get_by_role("button", name="Ban hành").click()
        expect(page.get_by_role("alert")).to_contain_text("phải là số nguyên")
        seen.complaints.clear()  # the answer was 422
        page.get_by_label("Đất đai – Xây dựng, Sáng").fill("12")
        page.get_by_label("Ghi chú về thay đổi").fill("mùa thu hoạch")
        page.get_by_role("button", name="Ban hành").click()
        expect(page.get_by_role("status")).to_have_text("Đã ban hành phiên bản 2. Máy lấy số sẽ tự nhận")
        lite.settle()
        page.reload()
        state = page.locator("#office .state")
        expect(state).to_have_text("Chờ máy nhận")
        page.get_by_role("link", name="2", exact=True).click()
        row = page.locator(".differences tbody tr")
        expect(row).to_have_text("Lĩnh vực › Đất đai – Xây dựng › số lượng giới hạn › SángTrước30Sau12")
        kiosk.push()
        kiosk.push()
        lite.settle()
        page.get_by_role("link", name=lite.site.name).click()
        expect(state).to_have_text("Đã áp dụng")
        service = kiosk.office.service("dat-dai")
        assert service is not None and service.quota["sang"] == 12


def test_of_two_browsers_the_second_is_told_and_its_change_is_published_on_top(chromium: Browser, lite: Server):
    lite.user("mot", "technician")
    lite.user("hai", "admin")
    with lite.serving() as url, watched(chromium, url, WIDE) as one, watched(chromium, url, NARROW) as two:
        first, second = one.page(), two.page()
        for page, name in ((first, "mot"), (second, "hai")):
            sign_in(page, url, name)
            page.get_by_role("link", name="Đường dây nóng, khẩu hiệu").click()
        first.get_by_label("Số điện thoại 1").fill("0234 111 111")
        first.get_by_role("button", name="Ban hành").click()
        second.get_by_label("Khẩu hiệu").fill("Nhanh gọn")
        second.get_by_role("button", name="Ban hành").click()
        expect(second.get_by_role("alert")).to_contain_text("Người dùng mot đã ban hành phiên bản 2")
        two.complaints.clear()  # the answer was 409
        has_no_obstacle(second, NARROW[0])
        second.get_by_role("button", name="Ban hành").click()
        expect(second.get_by_role("status")).to_contain_text("Đã ban hành phiên bản 3")
        second.goto(second.url.rstrip("/") + "/office/3?with=1")
        expect(second.locator(".differences")).to_contain_text("0234 111 111")
        expect(second.locator(".differences")).to_contain_text("Nhanh gọn")


def test_every_field_of_a_form_has_its_label_on_a_phone(chromium: Browser, lite: Server):
    lite.user("quan-tri", "admin")
    with lite.serving() as url, watched(chromium, url, NARROW) as seen:
        page = seen.page()
        sign_in(page, url, "quan-tri")
        for path in ("edit/calendar", "edit/people", "edit/quotas", "board/edit"):
            page.goto(f"{url}/documents/{lite.site.pk}/{path}")
            assert cramped(page) == [], path


@pytest.mark.parametrize("size", [pytest.param(WIDE, marks=pytest.mark.slow), NARROW], ids=["wide", "narrow"])
def test_no_page_has_an_obstacle_and_none_is_wider_than_the_window(
    chromium: Browser, lite: Server, tmp_path: Path, size: tuple[int, int]
):
    Site.objects.create(unit=lite.unit, key="phu", name="Điểm tiếp nhận số 2, thôn Đông")
    publish(lite.site, BoardDocument(version=1, lines=(Line("Một"),)), seen=0, by="lanh-dao", note="", now=NOW)
    lite.user("quan-tri", "admin")
    photo = tmp_path / "a.jpg"
    photo.write_bytes(picture().read())
    with lite.serving() as url, watched(chromium, url, size) as seen:
        page = seen.page()
        sign_in(page, url, "quan-tri")
        here = f"{url}/documents/{lite.site.pk}"
        page.goto(f"{here}/edit/people")
        page.get_by_label("Tệp ảnh: Nguyễn Thị A").set_input_files(photo)
        page.get_by_role("button", name="Ban hành").click()
        expect(page.get_by_role("status")).to_contain_text("Đã ban hành phiên bản 2")
        for path in ("", "/office/2?with=1", "/board/1", "/text", "/board/edit"):
            page.goto(f"{here}{path}")
            has_no_obstacle(page, size[0])
            assert size == WIDE or bare(page) == [], path
        for part in ("people", "quotas", "contact", "calendar"):
            page.goto(f"{here}/edit/{part}?l=en")
            has_no_obstacle(page, size[0])
        page.goto(f"{here}/edit/people")
        assert page.locator("img").evaluate("image => image.naturalWidth") > 0
        page.goto(f"{url}/documents/")
        has_no_obstacle(page, size[0])
