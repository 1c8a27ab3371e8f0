"""Citizens' pages of the server in a real browser: on a small phone, without a script, without anything of others."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from server import clock as server_clock
from server.facts.models import Comment
from server.publication import freezing
from server.publication.content import Place
from server.publication.models import PARTS, Frozen, Setting
from server.reports import periods
from tests.browser import Watched, code_on, cramped, watched
from tests.office import moment
from tests.server import figures_kit as kit
from tests.server.kit import PASSWORD, Server
from tests.server.phone_kit import Morning, clock, morning
from tests.server.public_kit import standing_at

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


# --- what is published ----------------------------------------------------------------------------------------


@contextmanager
def desk(chromium: Browser, server: Server, username: str, role: str, **fields: object) -> Iterator[Page]:
    """A computer at which such a new account has signed in through the page."""
    server.user(username, role, **fields)
    with watched(chromium, server.url) as seen:
        page = seen.page(f"{server.url}/sign-in")
        page.get_by_label("Tên đăng nhập").fill(username)
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đăng nhập").click()
        expect(page.locator(".who")).to_be_visible()
        yield page


@pytest.fixture
def december(lite: Server) -> Iterator[Server]:
    """A server at noon of the second of December, that speaks of the address under which it is reached."""
    with standing_at(kit.noon(kit.date(2026, 12, 2))):
        yield lite


def test_a_frozen_month_a_late_rating_the_first_adjustment_and_the_code_that_opens_it(
    chromium: Browser, december: Server
):
    kit.days(december.device, "333331", "333312")
    with december.serving() as url, desk(chromium, december, "lanh-dao", "leader") as page:
        page.goto(f"{url}/publication/frozen")
        page.get_by_label("Kỳ", exact=True).select_option(label="tháng 11/2026")
        page.get_by_label("số liệu đã chốt không sửa").check()
        page.get_by_role("button", name="Chốt số liệu").click()
        expect(page.locator(".rate")).to_contain_text("(9/12 lượt đánh giá)")
        first = code_on(page)
        late = [kit.rating(december.device, kit.FIRST, 1) for _ in range(5)]
        kit.keep(december.site, kit.FIRST, [kit.ticket(december.device, kit.FIRST) for _ in late], late)
        page.reload()
        page.get_by_label("Lý do").fill("Điện thoại đánh giá muộn")
        page.get_by_role("button", name="Ghi điều chỉnh lần 1 ngay").click()
        expect(page.locator(".rate")).to_contain_text("(9/17 lượt đánh giá)")
        expect(page.locator(".history")).to_contain_text("Điều chỉnh lần 1")
        second = code_on(page)
        assert first != second
        with phone(chromium, december, script=False) as seen:
            public_page = seen.page()
            public_page.goto(first.replace("http://testserver", url))
            expect(public_page.locator("main")).to_contain_text("(9/12 lượt đánh giá)")
            expect(public_page.locator("main")).to_contain_text("Kỳ này đã có điều chỉnh lần 1.")
            public_page.goto(second.replace("http://testserver", url))
            expect(public_page.locator("main")).to_contain_text("Điện thoại đánh giá muộn")
            assert code_on(public_page) == second
            public_page.get_by_role("link", name="Số này được tính thế nào").first.click()
            expect(public_page.locator("main")).to_contain_text("9 ÷ 17")


def test_every_page_about_a_frozen_period_carries_the_code_that_opens_its_figures(chromium: Browser, december: Server):
    kit.days(december.device, "333331", "333312")
    Setting.objects.create(site=december.site, on=True)
    for month in ("2026-11", "2026-10"):
        freezing.freeze(Place(december.unit), periods.parse(month), "", "", server_clock.now())
    row = Frozen.objects.get(period="2026-11")
    address, code = freezing.address(row, 0), f"/cong-khai/chot/{row.key}/0"
    with december.serving() as url:
        with desk(chromium, december, "lanh-dao", "leader") as page:
            paths = ("/reports", "/reports/print", "/explain")
            for path in (*(f"{each}?period=2026-11" for each in paths), f"/publication/frozen/{row.pk}"):
                page.goto(url + path)
                assert code_on(page) == address, path
            page.goto(f"{url}/explain?period=2026-09")
            expect(page.locator(".symbol")).to_have_count(0)
        with phone(chromium, december, script=False) as seen:
            public_page = seen.page()
            for path in ("/cong-khai/12345", code, f"{code}/giai-trinh"):
                public_page.goto(url + path)
                assert code_on(public_page) == address, path


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_for_everybody_has_an_obstacle_or_is_wider_than_a_phone(
    chromium: Browser, december: Server, language: str
):
    kit.days(december.device, "333331", "333312")
    row = freezing.freeze(Place(december.unit), periods.parse("2026-11"), "", "", server_clock.now())
    Setting.objects.create(site=december.site, on=True, **dict.fromkeys(PARTS, True))
    code = f"/cong-khai/chot/{row.key}"
    with december.serving() as url, phone(chromium, december) as seen:
        page = seen.page()
        for path in ("/cong-khai/12345", "/cong-khai/12345/chinh/giai-trinh", code, f"{code}/0/giai-trinh"):
            page.goto(f"{url}{path}?l={language}")
            has_no_obstacle(page)
        page.goto(f"{url}/cong-khai/12345")
        expect(page.get_by_role("row", name="9/12 hài lòng; 100 % lượt có đánh giá")).to_be_visible()


def test_a_leader_enters_letters_and_reads_a_frozen_period_on_a_phone(chromium: Browser, december: Server):
    row = freezing.freeze(Place(december.unit), periods.parse("2026-11"), "Tháng mười một", "", server_clock.now())
    with december.serving() as url, desk(chromium, december, "lanh-dao", "leader") as page:
        page.set_viewport_size({"width": 390, "height": 844})
        for language, label in (("vi", "Thư xin lỗi"), ("en", "Apology")):
            page.goto(f"{url}/publication/letters?l={language}")
            assert cramped(page) == []
            expect(page.get_by_text(label, exact=True).nth(1)).to_be_visible()
        page.goto(f"{url}/publication/frozen/{row.pk}")
        card = page.locator(".card").first.bounding_box()
        for each in (page.locator("code"), page.get_by_role("link", name=row.key)):
            box = each.bounding_box()
            assert box and card and box["x"] + box["width"] < card["x"] + card["width"]


def test_no_page_of_the_leader_has_an_obstacle_and_a_clerk_sees_no_comment(chromium: Browser, december: Server):
    Comment.objects.create(
        id="c", site=december.site, device=december.device, day=kit.date(2026, 11, 23), ticket="", counter="1",
        clerk="nguyen-thi-a", rating="", sha256="", text="<b>Chờ lâu quá</b>",
    )  # fmt: skip
    row = freezing.freeze(Place(december.unit), periods.parse("2026-11"), "", "", server_clock.now())
    Setting.objects.create(site=december.site, on=True)
    paths = ("public", "frozen", f"frozen/{row.pk}", "comments", "letters", "bulletin")
    with december.serving() as url:
        with desk(chromium, december, "lanh-dao", "leader") as page:
            for path in (*(f"/publication/{each}" for each in paths), "/explain?period=2026-11"):
                page.goto(url + path)
                found = Axe().run(page).response["violations"]
                assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
            page.goto(f"{url}/publication/comments")
            expect(page.locator("blockquote")).to_have_text("<b>Chờ lâu quá</b>")
        with desk(chromium, december, "cong-chuc", "clerk", site=december.site, clerk="nguyen-thi-a") as page:
            assert page.get_by_role("link", name="Công khai").count() == 0
            answer = page.request.get(f"{url}/publication/comments")
            assert (answer.status, "Chờ lâu quá" in answer.text()) == (403, False)
