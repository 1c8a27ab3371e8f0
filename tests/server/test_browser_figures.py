"""Today and the reports in a real browser: wide and on a phone, in both languages, and on paper."""

import csv
import io
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from kiosk.store import Store
from kiosk.tickets import State
from server.facts.models import Refusal, Ticket
from server.registry.models import Device
from tests.browser import Watched, watched
from tests.office import moment
from tests.server.figures_kit import it_is, keep, noon, rating, ticket
from tests.server.kit import PASSWORD, Server
from tests.server.test_facts import a_morning, push_all
from tests.server.test_today import told, wait_for_somebody

__all__ = ["it_is"]

Clock = Callable[[datetime], None]
SIZES = {"desktop": (1366, 768), "phone": (390, 844)}
CLERKS = {"1": "nguyen-thi-a", "2": "tran-van-b", "3": "le-thi-c"}
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


def leader_of_a_quarter(lite: Server, it_is: Clock) -> None:
    """A busy quarter, and somebody who looks at it on 10 November."""
    a_busy_quarter(lite)
    it_is(noon(date(2026, 11, 10)))
    lite.user("lanh-dao", "leader")


def look(page: Page, name: str) -> None:
    """No obstacle for people who see little, nothing that moves the page sideways; a picture if they are wanted."""
    page.evaluate("() => document.fonts.ready.then(() => true)")
    if SHOTS:
        page.screenshot(path=Path(SHOTS, f"{name}.png"), full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


@pytest.mark.parametrize("size", ["desktop", pytest.param("phone", marks=pytest.mark.slow)])
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


# --- reports --------------------------------------------------------------------------------------------------


def a_busy_quarter(server: Server) -> None:
    """Some weeks of visits at three counters, in two services and at all hours, with ratings of most of them."""
    roll = random.Random(7)
    for at in range(60):
        day = date(2026, 9, 7) + timedelta(days=at)
        if day.weekday() > 4:
            continue
        tickets, ratings = [], []
        for _ in range(roll.randint(15, 40)):
            hour = roll.choice([7, 8, 8, 8, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16])
            service, counter = roll.choice([("ho-tich", "1"), ("dat-dai", "2"), ("bao-tro", "3")])
            where = {"service": service, "counter": counter, "clerk": CLERKS[counter]}
            state = State.SERVED if roll.random() < 0.9 else State.NO_SHOW
            times = {"at": f"{hour:02d}:{roll.randint(0, 59):02d}", "wait": int(roll.expovariate(1 / 12))}
            tickets.append(ticket(server.device, day, **times, lasts=roll.randint(2, 15), state=state, **where))  # type: ignore[arg-type]
            if roll.random() < 0.6:
                level = roll.choices([3, 2, 1], [85, 10, 5])[0]
                flags = roll.choices(["", "burst", "late"], [94, 3, 3])[0]
                reasons = "wait" if level == 1 else ""
                ratings.append(rating(server.device, day, level, flags=flags, reasons=reasons, **where))
        keep(server.site, day, tickets, ratings)
        of = {"site": server.site, "device": server.device, "day": day, "service": "dat-dai", "reason": "quota"}
        Refusal.objects.create(**of, n=roll.randint(1, 4))


@pytest.mark.parametrize("size", ["desktop", pytest.param("phone", marks=pytest.mark.slow)])
def test_a_report_is_chosen_read_and_looked_at(chromium: Browser, lite: Server, it_is: Clock, size: str):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao", size) as (_, page):
        page.get_by_role("link", name="Báo cáo").click()
        page.get_by_label("Loại kỳ").select_option("quarter")
        page.get_by_label("Ngày trong kỳ").fill("2026-10-15")
        page.get_by_label("Chia theo").select_option("counter")
        page.get_by_role("button", name="Xem").click()
        expect(page.get_by_role("heading", level=2).first).to_contain_text("QUÝ IV/2026")
        pictures_are_there(page)
        look(page, f"report-{size}-vi")
        page.get_by_role("link", name="Kỳ trước").click()
        expect(page.get_by_role("heading", level=2).first).to_contain_text("QUÝ III/2026")
        page.goto(lite.url + "/reports?period=2026-10&by=hour&l=en")
        pictures_are_there(page)
        look(page, f"report-{size}-en")


KINDS = {
    "day": ("NGÀY 15/10/2026", "2026-10-15"),
    "week": ("TUẦN 42/2026 (12/10/2026 – 18/10/2026)", "2026-W42"),
    "month": ("THÁNG 10/2026", "2026-10"),
    "quarter": ("QUÝ IV/2026", "2026-Q4"),
    "year": ("NĂM 2026", "2026"),
    "range": ("TỪ 15/10/2026 ĐẾN 21/10/2026", "2026-10-15..2026-10-21"),
}
FIRST_ROWS = {
    "service": ("Lĩnh vực", "Hộ tịch"),
    "counter": ("Quầy", "Quầy 1"),
    "clerk": ("Công chức", "Nguyễn Thị A"),
    "hour": ("Giờ", "7 giờ"),
}


def test_each_kind_of_report_is_chosen_read_and_saved(chromium: Browser, lite: Server, it_is: Clock):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao") as (_, page):
        page.goto(lite.url + "/reports")
        for kind, (title, name) in KINDS.items():
            page.get_by_label("Loại kỳ").select_option(kind)
            page.get_by_label("Ngày trong kỳ").fill("2026-10-15")
            page.get_by_label("Đến ngày").fill("2026-10-21" if kind == "range" else "")
            page.get_by_role("button", name="Xem").click()
            expect(page.locator("h2.title")).to_contain_text(title)
            assert saved(page, "Tệp Excel") == ("xlsx", name, title), kind
            assert saved(page, "Tệp CSV") == ("csv", name, title), kind
        for dim, (column, first) in FIRST_ROWS.items():
            page.get_by_label("Chia theo").select_option(dim)
            page.get_by_role("button", name="Xem").click()
            table = page.locator("#table-by + .charts ~ .scroll table, #table-by ~ .scroll table").first
            expect(table.locator("thead th").first).to_have_text(column)
            expect(table.locator("tbody th").first).to_have_text(first)


def saved(page: Page, link: str) -> tuple[str, str, str]:
    """A file as the browser saves it, read by another program: what it is, of which period, and the period in words."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    name, content = download.value.suggested_filename, download.value.path().read_bytes()
    period, _, kind = name.removeprefix("bao-cao-12345-").rpartition(".")
    if kind == "xlsx":
        title = str(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]["A1"].value)
    else:
        title = next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[0]
    return kind, period, title.partition(" – ")[2]


def edge(region: Locator) -> int:
    """How light the right edge of a region is, above its letters: 255 is white."""
    picture = Image.open(io.BytesIO(region.screenshot())).convert("L")
    light = picture.getpixel((picture.width - 4, 2))
    assert isinstance(light, int)
    return light


def test_a_table_that_is_wider_than_a_phone_keeps_its_first_column_and_says_that_there_is_more(
    chromium: Browser, lite: Server, it_is: Clock
):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao", "phone") as (_, page):
        for path, name in (
            ("/", "Theo lĩnh vực – Trụ sở xã Mẫu"),
            ("/reports?period=2026-10&by=service", "Theo lĩnh vực"),
        ):
            page.goto(lite.url + path)
            region = page.get_by_role("region", name=name, exact=True)
            begun = edge(region)
            assert region.evaluate("e => { e.scrollLeft = 9999; return e.scrollLeft }") > 50
            assert begun < edge(region) - 20
            first = region.locator("tbody th").first
            assert (
                first.evaluate(
                    "e => e.getBoundingClientRect().left - e.closest('.scroll').getBoundingClientRect().left"
                )
                == 0
            )


def pictures_are_there(page: Page) -> None:
    """Every chart was drawn by the browser; they load when they come into sight."""
    for picture in page.locator("img.chart").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("img => img.naturalWidth") > 0, picture.get_attribute("src")


def test_a_report_on_paper_is_some_pages_of_a4(chromium: Browser, lite: Server, it_is: Clock, tmp_path: Path):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao") as (_, page):
        page.goto(lite.url + "/reports/print?period=2026-10&by=service")
        pictures_are_there(page)
        look(page, "print-page")
        file = Path(SHOTS or tmp_path, "report.pdf")
        page.pdf(path=file, prefer_css_page_size=True, print_background=True)
    content = file.read_bytes()
    assert content.startswith(b"%PDF")
    boxes = re.findall(rb"/MediaBox\s*\[([^\]]+)\]", content)
    sizes = {tuple(round(float(edge)) for edge in box.split()) for box in boxes}
    assert sizes == {(0, 0, 842, 595)}
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", content)) <= 9


def test_the_files_are_saved_by_the_browser_and_open_as_what_they_are(chromium: Browser, lite: Server, it_is: Clock):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao") as (_, page):
        page.goto(lite.url + "/reports?period=2026-10")
        with page.expect_download() as saved:
            page.get_by_role("link", name="Tệp Excel").click()
        assert saved.value.suggested_filename == "bao-cao-12345-2026-10.xlsx"
        assert (
            openpyxl.load_workbook(io.BytesIO(saved.value.path().read_bytes())).sheetnames[0]
            == "Tổng hợp, so với kỳ trước"
        )
        with page.expect_download() as saved:
            page.get_by_role("link", name="Tệp CSV").click()
        assert saved.value.suggested_filename == "bao-cao-12345-2026-10.csv"
        rows = list(csv.reader(io.StringIO(saved.value.path().read_bytes().decode("utf-8-sig"))))
        assert rows[0] == ["BÁO CÁO TIẾP NHẬN VÀ MỨC ĐỘ HÀI LÒNG – THÁNG 10/2026"]
        table = rows[rows.index(["Tổng hợp, so với kỳ trước"]) + 1 :]
        assert table[0] == ["", "tháng 10/2026", "tháng 9/2026"]
        taken = [str(Ticket.objects.filter(day__month=month).count()) for month in (10, 9)]
        assert ["Đã lấy số", *taken] in table


def test_the_map_of_arrivals_is_warmer_where_more_came(chromium: Browser, lite: Server, it_is: Clock):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao") as (_, page):
        page.goto(lite.url + "/reports?period=2026-10")
        read = "cells => cells.map(cell => [+cell.innerText, getComputedStyle(cell).backgroundColor])"
        shown = page.locator("table.heat td.right").evaluate_all(read)
        most = max(n for n, _ in shown)
        steps = {colour: {-(-5 * n // most) for n, at in shown if at == colour} for _, colour in shown}
        assert sorted(steps.values(), key=min) == [{step} for step in range(6)]


def test_a_chart_that_is_opened_by_itself_has_its_colours(chromium: Browser, lite: Server, it_is: Clock):
    leader_of_a_quarter(lite, it_is)
    with browsing(chromium, lite, "lanh-dao") as (_, page):
        page.goto(lite.url + "/reports/chart/visits.svg?period=2026-10")
        fill = page.locator(".series.serie-0 rect").first.evaluate("bar => getComputedStyle(bar).fill")
        assert fill == "rgb(14, 76, 135)"


def test_the_province_and_a_clerk_have_their_pages(chromium: Browser, lite: Server, it_is: Clock):
    a_busy_quarter(lite)
    it_is(noon(date(2026, 11, 10)))
    lite.user("tinh", "viewer")
    lite.user("cong-chuc", "clerk", site=lite.site, clerk="nguyen-thi-a")
    with browsing(chromium, lite, "tinh", "phone") as (_, page):
        look(page, "province-phone")
        page.get_by_role("link", name="Báo cáo").click()
        pictures_are_there(page)
        look(page, "province-report-phone")
    with browsing(chromium, lite, "tinh") as (_, page):
        look(page, "province")
    with browsing(chromium, lite, "cong-chuc", "phone") as (_, page):
        expect(page.locator("section", has_text="tháng 10/2026")).to_contain_text("Hài lòng")
        look(page, "clerk-phone")
