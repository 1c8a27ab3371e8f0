"""From an empty database to a working office in a browser: nine pages, then the first number is called."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from kiosk.config import load_config
from kiosk.drafting import STEPS
from kiosk.setup import load_office
from tests.browser import watched
from tests.test_console_setup import New


@pytest.fixture
def new(tmp_path: Path) -> Iterator[New]:
    kiosk = New(tmp_path)
    yield kiosk
    kiosk.close()


def is_usable(page: Page) -> None:
    """No serious trouble for people who cannot see or use a mouse, and nothing beyond the edge."""
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [(1366, 768), pytest.param((390, 844), marks=pytest.mark.slow)])
def test_nine_pages_make_an_office_whose_clerk_calls_the_first_number(
    new: New,
    chromium: Browser,
    size: tuple[int, int],
):
    url = new.browser.url
    with watched(chromium, url, size) as seen:
        page = seen.page(f"{url}/")
        page.fill("#code", new.code)
        page.keyboard.press("Enter")
        for step in STEPS:
            page.wait_for_url(f"**/setup/{step}")
            is_usable(page)
            if step == "unit":
                page.fill("#name", "xã Thử Nghiệm")
                page.fill("#code", "12345")
            if step == "people":
                page.fill("[name=name-1]", "Đỗ Văn H")
                page.fill("[name=pin-1]", "8642")
                page.fill("[name=name-2]", "Nguyễn Thị A")
                page.fill("[name=pin-2]", "9753")
                page.check("[data-reveal]")
                assert page.get_attribute("[name=pin-2]", "type") == "text"
            if step == "printer":
                page.check("[name=printer][value=none]")
            page.click("button[value=next]")
        page.wait_for_url("**/technician")
        is_usable(page)
        assert "Đỗ Văn H" in page.inner_text(".who")
        page.click(".who button")
        page.wait_for_url("**/sign-in")
        page.select_option("#person", label="Nguyễn Thị A")
        page.select_option("#counter", "1")
        page.fill("#pin", "9753")
        page.click("button.big")
        page.wait_for_url("**/desk")
        office = load_office(load_config(new.config.file))
        new.store.use(office.rulebook())
        new.store.issuing.issue(new.clock.now(), "ho-tich", by="staff")
        page.wait_for_selector("text=1001")
        page.keyboard.press("F2")
        page.wait_for_selector(".number.called:has-text('1001')")
