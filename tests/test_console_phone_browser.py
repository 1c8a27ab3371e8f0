"""The phone page in a real browser: its script follows the line, it works without one, and everybody can use it."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.console_kit import Hall
from tests.test_console_phone import served, slip

WAIT_MS = 20_000


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    yield chromium
    for context in chromium.contexts:
        context.close()


def phone(browser: Browser, hall: Hall, path: str, **how: bool) -> Page:
    """A small phone with this page; whatever its console complains about fails the test."""
    page = browser.new_context(viewport={"width": 320, "height": 640}, **how).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(hall.url + path)
    return page


def test_the_page_follows_its_number_and_ends_with_the_form(browser: Browser, hall: Hall):
    slip(hall)
    path = slip(hall)
    page = phone(browser, hall, path)
    expect(page.locator("main")).to_contain_text("Phía trước còn 1 người")
    hall.store.counters.call_next(hall.now(), "1")
    expect(page.locator("main")).to_contain_text("Chưa có ai chờ trước Ông/Bà")
    hall.store.counters.call_next(hall.now(), "1")
    expect(page.locator(".says")).to_have_text("Đến lượt: mời đến quầy 1")
    hall.store.counters.finish(hall.now(), "1")
    page.get_by_label("Không hài lòng").check(force=True)
    page.get_by_label("Chờ đợi lâu").check()
    page.get_by_label("Góp ý thêm").fill("Cảm ơn")
    page.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("Cảm ơn Ông/Bà đã đánh giá!")
    row = hall.store.database.row("SELECT level, reasons FROM ratings")
    assert row
    assert tuple(row) == (1, "wait")


def test_a_lost_kiosk_is_said_and_found_again(browser: Browser, hall: Hall):
    path = slip(hall)
    page = phone(browser, hall, path)
    lost = page.get_by_text("Mất kết nối")
    expect(lost).to_be_hidden()
    port = hall.console.ports[0]
    hall.close()
    expect(lost).to_be_visible()
    hall._start(port)
    expect(lost).to_be_hidden()
    hall.store.counters.call_next(hall.now(), "1")
    expect(page.locator(".says")).to_have_text("Đến lượt: mời đến quầy 1")


def test_where_there_is_no_stream_the_script_asks_again(browser: Browser, hall: Hall):
    path = slip(hall)
    page = browser.new_context().new_page()
    page.add_init_script("delete window.EventSource")
    page.clock.install()
    page.goto(hall.url + path)
    hall.store.counters.call_next(hall.now(), "1")
    page.clock.run_for(21_000)
    expect(page.locator(".says")).to_have_text("Đến lượt: mời đến quầy 1", timeout=WAIT_MS)


def test_without_a_script_a_rating_is_sent_all_the_same(browser: Browser, hall: Hall):
    page = phone(browser, hall, served(hall), java_script_enabled=False)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Xin chọn một mức độ")
    page.get_by_label("Hài lòng", exact=True).check(force=True)
    page.get_by_role("button").click()
    expect(page.locator("main")).to_contain_text("Cảm ơn Ông/Bà đã đánh giá!")


def test_a_rating_can_be_given_with_the_keyboard_alone(browser: Browser, hall: Hall):
    page = phone(browser, hall, served(hall))
    page.locator("input[name=level]").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("input[value='2']").is_checked()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Cảm ơn Ông/Bà đã đánh giá!")


def test_no_page_has_an_obstacle_or_is_wider_than_a_small_phone(browser: Browser, hall: Hall):
    hall.clerk("1")
    paths = [slip(hall, "dat-dai"), served(hall), f"/C/{hall.store.posters.token(hall.now(), '1')}", "/T/X"]
    for path in (*paths, f"{paths[1]}?done=1", f"{paths[1]}?l=en"):
        page = phone(browser, hall, path)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.close()
