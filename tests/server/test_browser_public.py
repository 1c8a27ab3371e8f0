"""Citizens' pages of the server in a real browser: on a small phone, without a script, without anything of others."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watched, watched
from tests.office import moment
from tests.server.kit import Server
from tests.server.test_phones import Morning, clock, morning

__all__ = ["clock", "morning"]
PHONE = (360, 740)


@contextmanager
def phone(chromium: Browser, server: Server, script: bool = True) -> Iterator[Watched]:
    """A phone whose pages complain of nothing, ask no other host and get no cookie."""
    with watched(chromium, server.url, PHONE, java_script_enabled=script) as seen:
        yield seen
        assert seen.context.cookies() == []


def has_no_obstacle(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], page.url


def test_a_phone_follows_its_number_and_rates_by_way_of_the_server(chromium: Browser, morning: Morning):
    path = morning.take()
    morning.tell()
    with morning.server.serving() as url, phone(chromium, morning.server) as seen:
        page = seen.context.new_page()
        page.clock.install()
        page.goto(url + path)
        expect(page.locator("main")).to_contain_text("Chưa có ai chờ trước Ông/Bà")
        expect(page.locator("#asof")).to_have_text("Số liệu đến 07:30")
        has_no_obstacle(page)
        morning.store.counters.open(moment(30), "1", "clerk-1")
        morning.store.counters.call_next(moment(60), "1")
        morning.clock.at = 60
        morning.tell()
        page.clock.run_for(21_000)
        expect(page.locator(".says")).to_have_text("Đến lượt: mời đến quầy 1")
        morning.store.counters.finish(moment(400), "1")
        morning.clock.at = 400
        morning.tell()
        page.clock.run_for(21_000)
        page.get_by_label("Không hài lòng").check(force=True)
        page.get_by_label("Góp ý thêm").fill("Cảm ơn")
        has_no_obstacle(page)
        page.get_by_role("button").click()
        expect(page.locator("main")).to_contain_text("Cảm ơn Ông/Bà đã đánh giá!")
        page.goto(url + path + "?l=en")
        expect(page.locator(".says")).to_contain_text("already")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_without_a_script_phones_rate_tickets_and_counters(chromium: Browser, morning: Morning, language: str):
    token = morning.store.posters.token(moment(0), "1")
    paths = [morning.served(), f"/C/{token}"]
    morning.tell()
    with morning.server.serving() as url, phone(chromium, morning.server, script=False) as seen:
        page = seen.context.new_page()
        for path in paths:
            page.goto(f"{url}{path}?l={language}")
            page.locator("input[value='3']").check(force=True)
            page.get_by_role("button").click()
            expect(page.locator(".thanks")).to_be_visible()
            assert f"l={language}" in page.url or language == "vi"
        seen.complaints.clear()


def test_a_code_that_is_not_known_yet_is_looked_for_again_and_no_page_has_an_obstacle(
    chromium: Browser, morning: Morning
):
    token = morning.store.posters.token(moment(0), "1")
    with morning.server.serving() as url, phone(chromium, morning.server) as seen:
        page = seen.context.new_page()
        for path in (f"/C/{token}", f"/C/{token}?l=en"):
            page.goto(url + path)
            expect(page.locator("h1")).to_contain_text("máy lấy số" if path.endswith(token) else "kiosk")
            has_no_obstacle(page)
        morning.tell()
        page.reload()
        expect(page.locator("h1")).to_contain_text("counter 1")
        has_no_obstacle(page)
        seen.complaints.clear()  # the browser itself complains of a 404
