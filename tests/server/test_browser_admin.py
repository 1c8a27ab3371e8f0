"""Administration in a real browser: the first password, a kiosk that comes, a list that follows."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from kiosk.__main__ import main
from kiosk.clock import SystemClock
from kiosk.config import load_config
from kiosk.uplink import Uplink
from server import clock
from server.accounts.models import Audit
from server.feed.models import Event
from server.registry import api
from server.registry.models import Device, Integrator
from server.watch import alarms
from server.watch.models import Notice, Target
from tests.browser import PHONE, Watched, bare, code_on, watched
from tests.server.kit import NOW, PASSWORD, Server
from tests.server.test_kiosks import says

OWN = "bốn con trâu xanh"


@pytest.fixture(autouse=True)
def _at_ten() -> Iterator[None]:
    """The server's clock is the machine's again after each test; nobody guessed codes before."""
    api.guesses = api.Guesses()
    yield
    clock.follow(None)


def sign_in(page: Page, username: str, password: str = PASSWORD) -> Page:
    page.get_by_label("Tên đăng nhập").fill(username)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()
    return page


def obstacles(page: Page) -> list[tuple[str, str]]:
    """What hinders people who cannot see well (axe-core)."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


def whole(page: Page) -> bool:
    """Whether nothing stands out to the right of the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_an_account_from_its_making_to_the_first_page(chromium: Browser, lite: Server):
    lite.user("quan-tri", "admin")
    with lite.serving() as url, watched(chromium, url) as seen:
        page = sign_in(seen.page(f"{url}/admin/people"), "quan-tri")
        page.get_by_role("link", name="Thêm tài khoản").click()
        page.get_by_label("Tên đăng nhập").fill("lanh-dao")
        page.get_by_label("Họ và tên").fill("Nguyễn Văn A")
        page.get_by_label("Quyền").select_option(label="Lãnh đạo")
        page.get_by_role("button", name="Lưu").click()
        first = page.locator("dd.secret").nth(1).inner_text()
        assert obstacles(page) == []
        page.get_by_role("link", name="Đã ghi lại").click()
        expect(page.get_by_role("row", name="Nguyễn Văn A")).to_contain_text("Chưa đổi mật khẩu lần đầu")
        page.get_by_role("button", name="Đăng xuất").click()

        sign_in(page, "lanh-dao", first)
        expect(page.get_by_text("Đây là mật khẩu do người khác đặt")).to_be_visible()
        for new in ("ngan", OWN):
            page.get_by_label("Mật khẩu mới", exact=True).fill(new)
            page.get_by_label("Nhập lại mật khẩu mới").fill(new)
            page.get_by_role("button", name="Đặt mật khẩu").click()
            if new == "ngan":
                expect(page.get_by_role("alert")).to_contain_text("ít nhất 10 ký tự")
                assert obstacles(page) == []
        expect(page.get_by_role("heading", name="Hôm nay")).to_be_visible()
        only_refusals(seen)


def test_a_kiosk_comes_while_somebody_watches(chromium: Browser, lite: Server, tmp_path: Path):
    lite.user("ky-thuat", "technician")
    toml = tmp_path / "kiosk.toml"
    toml.write_text('data_dir = "data"\n')
    with lite.serving() as url, watched(chromium, url) as seen:
        page = sign_in(seen.page(f"{url}/kiosks"), "ky-thuat")
        page.get_by_role("link", name="Thêm máy", exact=True).click()
        page.get_by_label("Tên gọi của máy").fill("Cửa chính")
        page.get_by_role("button", name="Tiếp tục").click()
        expect(page.get_by_text("Đang chờ máy")).to_be_visible()
        assert obstacles(page) == []
        code = page.locator(".code-big").inner_text()
        typed = " ".join(page.locator(".command .word").all_inner_texts())
        assert code_on(page) == typed
        assert typed.startswith("sudo kiosk enrol ") and code in typed.split()
        assert main(["enrol", url, code, "--config", str(toml)]) == 0
        expect(page.get_by_text("đã nhận mã")).to_be_visible(timeout=10_000)
        with closing(Uplink(load_config(toml), SystemClock())) as uplink:
            assert uplink.push().state == "ok"
        page.get_by_role("link", name="Cửa chính").click(timeout=10_000)
        expect(page.get_by_role("heading", name="Cửa chính")).to_be_visible()
        expect(page.get_by_role("row", name="Kết nối")).to_contain_text("Đang kết nối")


def test_the_list_follows_by_itself(chromium: Browser, lite: Server):
    clock.follow(lambda: NOW)
    lite.user("ky-thuat", "technician")
    says(lite.device)
    with lite.serving() as url, watched(chromium, url) as seen:
        page = sign_in(seen.page(f"{url}/sign-in"), "ky-thuat")
        page.clock.install()
        page.goto(f"{url}/kiosks")
        expect(page.get_by_role("row", name="k-7F3K2M")).to_contain_text("Tốt")
        page.get_by_role("link", name="k-7F3K2M").focus()
        says(lite.device, printer="paper_out")
        page.clock.run_for(11_000)
        expect(page.get_by_role("row", name="k-7F3K2M")).to_contain_text("Máy in hết giấy")
        expect(page.get_by_role("link", name="k-7F3K2M")).to_be_focused()


def fill(server: Server) -> None:
    """Something of everything that these pages show."""
    clock.follow(lambda: NOW)
    says(server.device, clock="guess", plain_http=True)
    says(server.enrol("k-2", "token"), ago=timedelta(hours=1), printer="paper_out")
    Event.objects.create(
        num=1, device="k-7F3K2M", epoch="1", seq=7, id="1", type="ticket.strange", line=b'{"id":"1"}' * 40,
        quarantined="ticket.strange v9: this server knows v1", received=int(NOW.timestamp() * 1000),
    )  # fmt: skip
    Target.objects.create(unit=server.unit, mails="lanh-dao@xa-mau.example", url="https://tin.example/nhan")
    alarms.look(NOW)
    Notice.objects.create(unit=server.unit, way="webhook", edge="test", made=NOW, problem="http: 500")
    Audit.objects.create(at=NOW, who="lanh-dao", unit=server.unit, what="comment.read", about="x" * 200)


ADMIN = (
    "/admin/people", "/admin/people/new", "/admin/people/1", "/admin/integrators", "/admin/audit", "/account",
    "/account/password", "/kiosks", "/kiosks/1", "/kiosks/1/revoke", "/kiosks/enrol", "/alarms", "/alarms/target",
    "/quarantine", "/admin/communes", "/kiosks/999",
)  # fmt: skip
OPERATOR = ("/admin/people", "/admin/communes", "/admin/communes/1", "/alarms/target", "/kiosks")


@pytest.mark.parametrize(
    ("role", "addresses"), [("admin", ADMIN), pytest.param("operator", OPERATOR, marks=pytest.mark.slow)]
)
def test_the_pages_hinder_nobody_and_fit_their_screens(
    chromium: Browser, lite: Server, role: str, addresses: tuple[str, ...]
):
    lite.user("ai-do", role)
    fill(lite)
    with lite.serving() as url, watched(chromium, url) as seen:
        page = sign_in(seen.page(f"{url}/sign-in"), "ai-do")
        for address in addresses:
            for language, size in (("vi", (1366, 768)), ("en", (390, 844))):
                page.set_viewport_size({"width": size[0], "height": size[1]})
                page.goto(f"{url}{address}?l={language}")
                assert whole(page), (address, size)
            assert obstacles(page) == [], address
        only_refusals(seen)


def test_every_value_of_a_list_is_named_on_a_phone(chromium: Browser, lite: Server):
    lite.user("quan-tri", "admin")
    fill(lite)
    with lite.serving() as url, watched(chromium, url, PHONE) as seen:
        page = sign_in(seen.page(f"{url}/sign-in"), "quan-tri")
        for address, last in (("/kiosks?l=en", "Version"), ("/admin/audit?l=vi", "Đối tượng")):
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(f"{url}{address}")
            values = page.locator(".stack tbody tr").first.locator("td")
            assert all(each.locator(".narrow-only").is_visible() for each in values.all())
            expect(values.last.locator(".narrow-only")).to_have_text(last)
            page.set_viewport_size({"width": 1280, "height": 844})
            expect(values.last.locator(".narrow-only")).to_be_hidden()


LISTS = (
    "/kiosks", "/alarms", "/alarms/target", "/quarantine", "/admin/people", "/admin/integrators", "/admin/audit",
)  # fmt: skip


def test_no_list_of_an_administrator_has_a_bare_value_on_a_phone(chromium: Browser, lite: Server):
    lite.user("quan-tri", "admin")
    fill(lite)
    says(lite.device)
    alarms.look(NOW + timedelta(hours=1))
    Integrator.objects.create(name="Báo cáo của tỉnh", unit=lite.unit, token="1", made=NOW)
    with lite.serving() as url, watched(chromium, url, PHONE) as seen:
        page = sign_in(seen.page(f"{url}/sign-in"), "quan-tri")
        for address in LISTS:
            page.goto(f"{url}{address}")
            expect(page.locator(".stack tbody td").first).to_be_visible()
            assert bare(page) == [], address
            assert whole(page), address


def only_refusals(seen: Watched) -> None:
    """The browser notes answers 403, 404 and 422; nothing else is to be complained of."""
    seen.complaints = [said for said in seen.complaints if not re.search("status of (403|404|422)", said)]


LINKS = {
    "operator": {"Hôm nay", "Báo cáo", "Máy", "Quản trị"},
    "viewer": {"Hôm nay", "Báo cáo", "Máy"},
    "admin": {"Hôm nay", "Báo cáo", "Công khai", "Tài liệu", "Máy", "Quản trị"},
    "leader": {"Hôm nay", "Báo cáo", "Công khai", "Tài liệu", "Máy", "Quản trị"},
    "technician": {"Hôm nay", "Tài liệu", "Máy"},
    "clerk": {"Số liệu của tôi"},
}
ADDRESSES = {
    "Hôm nay": "/live",
    "Báo cáo": "/reports",
    "Công khai": "/publication/public",
    "Tài liệu": "/documents",
    "Máy": "/kiosks",
    "Quản trị": "/admin/audit",
    "Số liệu của tôi": "/mine",
}


@pytest.mark.parametrize("role", LINKS)
def test_each_role_is_led_to_its_pages_and_told_so_at_all_others(chromium: Browser, lite: Server, role: str):
    of_clerk = {"site": lite.site, "clerk": "nguyen-thi-a"} if role == "clerk" else {}
    lite.user("ai-do", role, **of_clerk)
    with lite.serving() as url, watched(chromium, url) as seen:
        page = sign_in(seen.page(f"{url}/sign-in"), "ai-do")
        links = page.locator("header nav a")
        expect(links.first).to_be_visible()
        assert set(links.all_inner_texts()) == LINKS[role] | {"English"}
        for name, address in ADDRESSES.items():
            answer = page.goto(url + address)
            assert answer and answer.ok == (name in LINKS[role]), name
        only_refusals(seen)


def test_a_page_that_somebody_may_not_see_says_whom_to_ask(chromium: Browser, lite: Server):
    lite.user("cong-chuc", "clerk", site=lite.site, clerk="nguyen-thi-a")
    with lite.serving() as url, watched(chromium, url) as seen:
        page = sign_in(seen.page(f"{url}/kiosks"), "cong-chuc")
        expect(page.get_by_text("hỏi quản trị viên của xã")).to_be_visible()
        expect(page.get_by_role("link", name="Máy", exact=True)).to_have_count(0)
        only_refusals(seen)
    assert Device.objects.count() == 1
