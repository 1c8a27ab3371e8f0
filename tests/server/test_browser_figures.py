"""Today and the reports in a real browser: wide and on a phone, in both languages, and on paper."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from kiosk.store import Store
from server.registry.models import Device
from tests.browser import Watched, watched
from tests.office import moment
from tests.server.figures_kit import it_is
from tests.server.kit import PASSWORD, Server
from tests.server.test_facts import a_morning, push_all
from tests.server.test_today import told, wait_for_somebody

__all__ = ["it_is"]

Clock = Callable[[datetime], None]
SIZES = {"desktop": (1366, 768), "phone": (390, 844)}
SHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder for pictures to look at; none are made without it."""


@contextmanager
def browsing(chromium: Browser, lite: Server, username: str, size: str = "desktop") -> Iterator[tuple[Watched, Page]]:
    """A browser in which this account has signed in through the page."""
    with lite.serving() as url, watched(chromium, url, SIZES[size]) as seen:
        page = seen.page(url + "/sign-in")
        page.get_by_label("Tên đăng nhập").fill(username)
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đăng nhập").click()
        expect(page.locator("header nav")).to_be_visible()
        yield seen, page


def look(page: Page, name: str) -> None:
    """No obstacle for people who see little, nothing that moves the page sideways; a picture if they are wanted."""
    page.evaluate("() => document.fonts.ready.then(() => true)")
    if SHOTS:
        page.screenshot(path=Path(SHOTS, f"{name}.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


@pytest.mark.parametrize("size", SIZES)
def test_today_follows_by_itself_and_says_when_the_server_is_gone(
    chromium: Browser, lite: Server, store: Store, it_is: Clock, size: str
):
    a_morning(store)
    told(lite, store, moment(600).at)
    it_is(moment(601).at)
    lite.user("lanh-dao", "leader")
    with browsing(chromium, lite, "lanh-dao", size) as (seen, page):
        waiting = page.locator(".totals div", has_text="Đang chờ").locator("dd")
        expect(waiting).to_have_text("2")
        look(page, f"today-{size}-vi")
        page.clock.install()
        page.goto(lite.url)
        store.issuing.issue(moment(640), "dat-dai", priority=False)
        push_all(lite, store)
        lite.settle(moment(660).at)
        page.clock.run_for(6_000)
        expect(waiting).to_have_text("3")
        page.goto(lite.url + "/?l=en")
        look(page, f"today-{size}-en")
        page.route("**/live*", lambda route: route.abort())
        page.clock.run_for(6_000)
        expect(page.locator("[data-lost]")).to_contain_text("cannot be reached")
        page.unroute("**/live*")
        page.clock.run_for(6_000)
        expect(page.locator("[data-lost]")).to_be_hidden()
        seen.complaints.clear()


def test_an_alarm_and_a_silent_kiosk_are_seen(chromium: Browser, lite: Server, store: Store, it_is: Clock):
    wait_for_somebody(store)
    told(lite, store, moment(1010).at)
    it_is(moment(1000 + 16 * 60).at)
    lite.user("lanh-dao", "leader")
    with browsing(chromium, lite, "lanh-dao") as (_, page):
        expect(page.locator(".problem")).to_contain_text("Hãy mở thêm quầy: 4")
        expect(page.locator(".silent")).to_contain_text("không gửi dữ liệu từ 07:46")
        look(page, "today-alarm")
        Device.objects.update(seen=moment(1000 + 16 * 60).at)
        page.reload()
        expect(page.locator(".silent")).to_have_count(0)
        look(page, "today-alarm-heard")
