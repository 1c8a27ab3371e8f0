"""A morning in Debian's Chromium: a helper gives numbers, two clerks call them, the console dies and is back.

Pages run as in the office, with their content security policy; what they complain of fails the test.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watched, watched
from tests.console_kit import CLERKS, HELPER, LEADER, PIN, TECHNICIAN, Hall

PAGES = {
    "/desk": CLERKS["1"],
    "/desk/window": CLERKS["1"],
    "/help": HELPER,
    "/leader": LEADER,
    "/leader/notices": LEADER,
    "/leader/dossiers": LEADER,
    "/technician": TECHNICIAN,
    "/technician/panels": TECHNICIAN,
}
MAIN = ("/desk", "/help", "/leader", "/technician")
"""The pages that each role works on; the others, and English, are looked at by the slow tests."""
SERIOUS = {"serious", "critical"}


@pytest.fixture
def office(chromium: Browser, hall: Hall) -> Iterator[Watched]:
    """One computer of the office."""
    with watched(chromium, hall.url) as seen:
        yield seen


@pytest.fixture
def other(chromium: Browser, hall: Hall) -> Iterator[Watched]:
    with watched(chromium, hall.url) as seen:
        yield seen


def signed_in(seen: Watched, hall: Hall, person: str, counter: str = "") -> Page:
    """Somebody signs in as people do, without a mouse."""
    page = seen.page(f"{hall.url}/sign-in")
    people, counters = [p.id for p in hall.office.clerks], ["", *(c.id for c in hall.office.counters)]
    page.locator("#person").focus()
    for _ in range(people.index(person) + 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    for _ in range(counters.index(counter)):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def test_a_helper_and_two_clerks_work_a_morning_by_keyboard_alone(
    chromium: Browser, hall: Hall, office: Watched, other: Watched
):
    first, second = signed_in(office, hall, CLERKS["1"], "1"), signed_in(other, hall, CLERKS["2"], "2")
    with watched(chromium, hall.url) as desk:
        helper = signed_in(desk, hall, HELPER)
        helper.keyboard.press("F1")
        expect(helper.locator("main")).to_contain_text("1001")
        helper.keyboard.press("F3")
        expect(helper.locator("main")).to_contain_text("3001")
        expect(first.locator("#line")).to_contain_text("1001")
        expect(second.locator("#line")).to_contain_text("3001")

        first.keyboard.press("F2")
        second.keyboard.press("F2")
        expect(first.locator("#now .number")).to_have_text("1001")
        expect(second.locator("#now .number")).to_have_text("3001")

        first.keyboard.press("F10")
        first.keyboard.type("Thiếu giấy tờ")
        first.keyboard.press("Enter")
        expect(first.locator("#line")).to_contain_text("Thiếu giấy tờ")

        second.keyboard.press("F7")
        second.locator("#transfer-to").select_option("counter:1")
        second.locator("#transfer dialog, #transfer").locator("button.main").press("Enter")
        expect(first.locator("#line")).to_contain_text("3001")
        expect(second.locator("#now .number")).to_have_text("–")
        second.keyboard.press("Escape")
        expect(second.locator("#now .number")).to_have_text("3001")
    assert [t.number for t in hall.store.board(hall.now()).at_counter.values()] == ["3001"]


def test_a_page_says_at_once_that_the_kiosk_is_lost_and_goes_on_when_it_is_back(hall: Hall, office: Watched):
    page = signed_in(office, hall, CLERKS["1"], "1")
    expect(page.locator("#lost")).to_be_hidden()
    port = hall.console.ports[0]
    hall.close()
    expect(page.locator("#lost")).to_contain_text("Mất kết nối")
    page.keyboard.press("F2")
    expect(page.locator("#said")).to_contain_text("Chưa gửi được")
    number = hall.take()
    hall._start(port)
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#line")).to_contain_text(number)
    page.keyboard.press("F2")
    expect(page.locator("#now .number")).to_have_text(number)
    office.complaints.clear()  # the browser itself notes each request that failed


def test_the_small_window_shows_all_of_it_in_320_by_140_pixels(hall: Hall, office: Watched):
    number = hall.take()
    signed_in(office, hall, CLERKS["1"], "1")
    window = office.page(f"{hall.url}/desk/window")
    window.set_viewport_size({"width": 320, "height": 140})
    window.keyboard.press("F2")
    expect(window.locator("#window")).to_contain_text(number)
    expect(window.locator("#said")).to_be_empty(timeout=15_000)
    assert window.evaluate("document.documentElement.scrollHeight <= 140 && document.body.scrollWidth <= 320")


def test_a_page_of_another_tab_that_is_behind_is_told_what_happened(hall: Hall, office: Watched):
    hall.take()
    page = signed_in(office, hall, CLERKS["1"], "1")
    page.keyboard.press("F2")
    expect(page.locator("#now .number")).to_have_text("1001")
    page.keyboard.press("F10")
    hall.store.counters.finish(hall.now(), "1")
    page.keyboard.press("Enter")
    expect(page.locator("#hold").get_by_role("alert")).to_contain_text("Số 1001 đã “hoàn tất”. Chưa thay đổi gì")
    office.complaints.clear()  # a refusal is an answer with status 409, which the browser notes


def test_a_dialog_names_its_number_and_keeps_neither_reason_nor_error_of_the_one_before(hall: Hall, office: Watched):
    hall.take()
    hall.take()
    page = signed_in(office, hall, HELPER)
    dialog = page.locator("#cancel")
    page.get_by_role("button", name="Hủy số 1001").click()
    expect(dialog.get_by_role("heading")).to_have_text("Hủy số 1001?")
    dialog.locator("#cancel-reason").fill(" ")
    dialog.get_by_role("button", name="Hủy số").click()
    expect(dialog.get_by_role("alert")).to_have_text("Hãy ghi lý do")
    dialog.locator("#cancel-reason").fill("Công dân đã về")
    dialog.get_by_role("button", name="Thôi").click()

    page.get_by_role("button", name="Hủy số 1002").click()
    expect(dialog.get_by_role("heading")).to_have_text("Hủy số 1002?")
    expect(dialog.locator("[role=alert]")).to_be_empty()
    expect(dialog.locator("#cancel-reason")).to_have_value("")
    dialog.locator("#cancel-reason").fill("Lấy thừa số")
    dialog.get_by_role("button", name="Hủy số").click()
    expect(page.locator("#said")).to_have_text("Đã hủy số 1002")
    office.complaints.clear()  # a refusal is an answer with status 409, which the browser notes


@pytest.mark.parametrize(
    ("language", "paths"),
    [("vi", MAIN), *(pytest.param(language, tuple(PAGES), marks=pytest.mark.slow) for language in ("vi", "en"))],
)
def test_staff_pages_have_no_serious_fault_of_accessibility(
    chromium: Browser, hall: Hall, language: str, paths: tuple[str, ...]
):
    for n in range(3):
        hall.take("ho-tich", priority=n == 1)
    hall.clerk("1").post("/desk/next", ticket="")
    faults = []
    for path in paths:
        person = PAGES[path]
        with watched(chromium, hall.url, bypass_csp=True) as seen:
            seen.use_cookies(hall.browser(person, "1" if person == CLERKS["1"] else "").session.cookies)
            page = seen.page(f"{hall.url}{path}?l={language}")
            assert page.locator("html").get_attribute("lang") == language
            violations = Axe().run(page).response["violations"]
            faults += [f"{path}: {v['id']}: {v['help']}" for v in violations if v["impact"] in SERIOUS]
    assert faults == []


@pytest.mark.parametrize("path", PAGES)
def test_staff_pages_fit_a_phone(hall: Hall, chromium: Browser, path: str):
    hall.take()
    with watched(chromium, hall.url, size=(360, 740)) as seen:
        person = PAGES[path]
        seen.use_cookies(hall.browser(person, "1" if person == CLERKS["1"] else "").session.cookies)
        page = seen.page(f"{hall.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
