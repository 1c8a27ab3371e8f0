"""The board and the rating panel in Debian's Chromium: every letter is on the screen, and they follow and recover."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.board_scenes import fill, office_of, serve
from tests.browser import Watched, measured, watched
from tests.console_kit import TECHNICIAN, Hall

SIZES = ((1920, 1080), (1366, 768), (1280, 720), (1024, 600), (3840, 2160), (1080, 1920))
STRIPS = """
() => Kiosk.put("strips", ["Mất kết nối với dữ liệu số thứ tự. Số liệu có thể đã cũ",
  "Xin lỗi Ông/Bà vì phải chờ lâu hơn dự kiến. Đơn vị đang bố trí thêm quầy"].map(text =>
  `<div class="strip" data-stale><div class="fit"><span>${text}</span></div></div>`).join(""))
"""
"""What the board shows at worst above its counters."""
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def screen(chromium: Browser, hall: Hall) -> Iterator[Watched]:
    """A TV in the sample office's hall."""
    with watched(chromium, hall.url) as seen:
        yield seen


def look_at_all_sizes(page: Page, what: str, least: float = 1 / 55) -> None:
    """At each size every text lies in its room, and none is smaller than this share of the shorter edge."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
        found = measured(page)
        assert found["problems"] == [], f"{what} at {width}×{height}"
        assert found["texts"] > 5
        assert found["smallest"] >= min(width, height) * least, f"{what} at {width}×{height}"


def look_at_board(chromium: Browser, folder: Path, counters: int, themes: tuple[str, ...]) -> None:
    hall = Hall(folder, office_of(counters))
    try:
        fill(hall)
        for theme in themes:
            with watched(chromium, hall.url) as seen:
                page = seen.page(f"{hall.url}/board?theme={theme}")
                look_at_all_sizes(page, f"{counters} counters, {theme}")
                page.evaluate(STRIPS)
                look_at_all_sizes(page, f"{counters} counters, {theme}, lost and apologising")
    finally:
        hall.close()


@pytest.mark.parametrize("counters", [pytest.param(4, marks=pytest.mark.slow), 16])
def test_every_text_of_the_board_lies_in_its_room_with_long_names(chromium: Browser, tmp_path: Path, counters: int):
    look_at_board(chromium, tmp_path, counters, ("standard",))


@pytest.mark.slow
@pytest.mark.parametrize("counters", range(1, 17))
def test_every_board_in_every_theme_fits(chromium: Browser, tmp_path: Path, counters: int):
    look_at_board(chromium, tmp_path, counters, ("standard", "large", "contrast", "contrast-large"))


def test_a_call_lights_its_card_up_and_shows_without_loading_the_page_again(screen: Watched, hall: Hall):
    number = hall.take()
    hall.clerk("1")
    page = screen.page(f"{hall.url}/board")
    page.evaluate("window.same = true")
    hall.store.counters.call_next(hall.now(), "1")
    expect(page.locator("#card-1 .number")).to_have_text(number)
    expect(page.locator("#card-1")).to_have_class("cell flash")
    assert page.evaluate("window.same")
    hall.take()
    expect(page.locator("#card-1 .wait .n")).to_have_text("1")
    expect(page.locator("#card-1")).to_have_class("cell")
    expect(page.locator("#card-1 .newest")).to_have_count(1)


def test_who_wants_no_motion_sees_none(chromium: Browser, hall: Hall):
    hall.take()
    hall.clerk("1")
    with watched(chromium, hall.url, reduced_motion="reduce") as seen:
        page = seen.page(f"{hall.url}/board")
        hall.store.counters.call_next(hall.now(), "1")
        expect(page.locator("#card-1")).to_have_class("cell flash")
        still = page.locator("#card-1 .card").evaluate("card => getComputedStyle(card).animationName")
        assert still == "none"


def test_a_lost_kiosk_is_said_at_once_and_the_board_goes_on_by_itself(screen: Watched, hall: Hall):
    number = hall.take()
    hall.clerk("1")
    page = screen.page(f"{hall.url}/board")
    expect(page.locator("#card-1 .plate .word")).to_have_text("Chưa có số")
    hall.close()
    expect(page.locator("#lost")).to_contain_text("Mất kết nối")
    assert "is-lost" in str(page.locator("body").get_attribute("class"))
    expect(page.locator("#card-1 .plate .word")).to_have_text("Chưa có số")
    assert measured(page)["problems"] == []
    hall.store.counters.call_next(hall.now(), "1")
    hall.start_again()
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#card-1 .number")).to_have_text(number)
    screen.complaints.clear()  # a refused connection is an error of the page


def test_a_browser_without_streams_loads_the_board_again(screen: Watched, hall: Hall):
    number = hall.take()
    hall.clerk("1")
    screen.context.add_init_script("delete window.EventSource")
    page = screen.context.new_page()
    page.clock.install()
    page.goto(f"{hall.url}/board")
    hall.store.counters.call_next(hall.now(), "1")
    page.clock.run_for(11_000)
    expect(page.locator("#card-1 .number")).to_have_text(number)


def test_clock_and_ticker_go_on_between_two_looks(screen: Watched, hall: Hall):
    page = screen.context.new_page()
    page.clock.install()
    page.goto(f"{hall.url}/board")
    expect(page.locator("#clock b")).to_have_text("07:31")
    shown = page.locator("#ticker li:not(.off)")
    before = shown.inner_text()
    page.route("**/live*", lambda route: route.abort())
    page.clock.run_for(12_000)
    assert shown.inner_text() != before
    page.clock.run_for(50_000)
    expect(page.locator("#clock b")).to_have_text("07:32")


def test_another_office_document_loads_the_board_anew(screen: Watched, hall: Hall):
    page = screen.page(f"{hall.url}/board")
    office = replace(hall.office, counters=hall.office.counters[:2])
    hall.words = hall.console.words = replace(hall.words, office=office)
    hall.restart()
    expect(page.locator(".cell")).to_have_count(2)
    screen.complaints.clear()


# --- the rating panel ---


def pair(page: Page, hall: Hall, counter: str = "1") -> None:
    page.goto(f"{hall.url}/rate")
    page.fill("#code", hall.store.panels.new_code(hall.now(), counter))
    page.get_by_role("button").click()
    page.wait_for_url(f"**/rate/{counter}")


def test_a_tablet_is_paired_asks_thanks_and_greets_again(screen: Watched, hall: Hall):
    page = screen.page()
    pair(page, hall)
    expect(page.locator(".message")).to_contain_text("Quầy đóng")
    number = serve(hall)
    expect(page.locator(".ticket .number")).to_have_text(number)
    page.get_by_role("button", name="Không hài lòng").click()
    expect(page.locator(".message.thanks")).to_contain_text("Cảm ơn Ông/Bà đã đánh giá!")
    expect(page.locator(".message.idle")).to_be_visible()
    assert [event["level"] for event in hall.events("rating.given")] == [1]


def test_a_press_while_the_kiosk_is_lost_is_said(screen: Watched, hall: Hall):
    page = screen.page()
    pair(page, hall)
    serve(hall)
    face = page.get_by_role("button", name="Hài lòng", exact=True)
    expect(face).to_be_visible()
    hall.close()
    face.click()
    expect(page.locator("#said")).to_contain_text("Chưa gửi được")
    hall.start_again()
    expect(page.locator("#lost")).to_be_hidden()
    face.click()
    expect(page.locator(".message.thanks")).to_be_visible()
    screen.complaints.clear()


@pytest.mark.parametrize("levels", [*(pytest.param(levels, marks=pytest.mark.slow) for levels in (2, 3)), 5])
def test_every_text_of_the_panel_lies_in_its_room_and_all_faces_are_alike(
    chromium: Browser, tmp_path: Path, levels: int
):
    hall = Hall(tmp_path, office_of(4, label_set=f"levels-{levels}"))
    try:
        with watched(chromium, hall.url) as seen:
            page = seen.page()
            pair(page, hall)
            look_at_all_sizes(page, "closed")
            serve(hall)
            expect(page.locator(".face")).to_have_count(levels)
            look_at_all_sizes(page, f"{levels} faces")
            sizes = page.locator(".face .name").evaluate_all("all => all.map(one => getComputedStyle(one).fontSize)")
            boxes = page.locator(".face").evaluate_all("all => all.map(one => Math.round(one.offsetHeight / 4))")
            assert len(set(sizes)) == len(set(boxes)) == 1
    finally:
        hall.close()


def test_reasons_fit_too_and_the_ticked_ones_are_kept(chromium: Browser, tmp_path: Path):
    hall = Hall(tmp_path, office_of(4, ask_reasons=True))
    try:
        with watched(chromium, hall.url, (1280, 800)) as seen:
            page = seen.page()
            pair(page, hall)
            serve(hall)
            page.get_by_role("button", name="Hài lòng", exact=True).click()
            expect(page.locator(".tick")).to_have_count(9)
            look_at_all_sizes(page, "reasons")
            assert obstacles(page) == []
            page.get_by_text("Chờ đợi lâu").click()
            page.get_by_label("Lý do khác").check(force=True)
            page.get_by_role("button", name="Xong").click()
            expect(page.locator(".message.thanks")).to_be_visible()
        assert [event["reasons"] for event in hall.events("rating.reasons")] == [["wait", "other"]]
    finally:
        hall.close()


def test_the_panel_can_be_used_by_keyboard_and_screen_reader(screen: Watched, hall: Hall):
    page = screen.page(f"{hall.url}/rate")
    assert obstacles(page) == []
    pair(page, hall)
    serve(hall)
    expect(page.locator(".face")).to_have_count(3)
    assert obstacles(page) == []
    page.locator(".face").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".message.thanks")).to_be_visible()
    assert obstacles(page) == []
    assert [event["level"] for event in hall.events("rating.given")] == [2]


def test_the_board_and_the_technicians_list_have_no_obstacles(screen: Watched, hall: Hall):
    fill(hall)
    for theme in ("standard", "contrast"):
        assert obstacles(screen.page(f"{hall.url}/board?theme={theme}")) == []
    screen.use_cookies(hall.browser(TECHNICIAN).session.cookies)
    page = screen.page(f"{hall.url}/technician/panels")
    page.get_by_role("button", name="Lấy mã mới: Quầy 2").click()
    expect(page.locator(".code b")).to_have_count(1)
    assert obstacles(page) == []


def obstacles(page: Page) -> list[tuple[str, str]]:
    """What hinders people who cannot see well (axe-core)."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]
