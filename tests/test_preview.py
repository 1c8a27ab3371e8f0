"""What citizens will see by a document that is not in force yet: its pictures, and how the page gets them."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops

from kiosk.config import Config, Output, Public, shipped
from kiosk.console import preview
from kiosk.gallery.preview import draw
from kiosk.office import Office, sample
from tests.browser import watched
from tests.console_kit import CLERKS, TECHNICIAN, Browser, Hall
from tests.test_console_technician import OFFICE, check
from tests.test_office_versions import changed, sample_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium

MONDAY = date(2026, 11, 23)
CHECK = "Kiểm tra và xem thay đổi"


def pictures(folder: Path, config: Config | None = None, office: Office | None = None) -> dict[str, Image.Image]:
    return dict(draw(config or shipped(), office or sample(), folder / "day", MONDAY))


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


# --- what is drawn -------------------------------------------------------------------------------------------


def test_the_screen_and_the_slip_show_the_new_document(tmp_path: Path):
    for name in ("old", "again", "new"):
        (tmp_path / name).mkdir()
    old, again = pictures(tmp_path / "old"), pictures(tmp_path / "again")
    new = pictures(tmp_path / "new", office=Office.from_json(changed().encode()))
    assert set(old) == set(new) == {"take", "slip"}
    for name in old:
        assert same(old[name], again[name]), "the same document is drawn alike"
        assert not same(old[name], new[name]), name


def test_it_is_drawn_as_this_device_shows_and_prints_it(tmp_path: Path):
    usual = shipped()
    screen = replace(usual.screen, outputs=(Output("board"), Output("take", "1080x1920")), touch=False)
    printer = replace(usual.printer, paper_mm=58)
    found = pictures(tmp_path, replace(usual, screen=screen, printer=printer, public=Public("https://mot-cua.example")))
    assert (found["take"].size, found["slip"].width) == ((1080, 1920), 384)


def test_where_nothing_is_printed_there_is_no_slip(tmp_path: Path):
    usual = shipped()
    assert set(pictures(tmp_path, replace(usual, printer=replace(usual.printer, url="none")))) == {"take"}


def drawn(folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kiosk.gallery.preview", str(folder)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("text", "says"),
    [("format = 99\n", "format"), (sample_text().replace("[[calendar]]", "[[x]]", 1), "x")],
)
def test_what_is_no_document_is_said_in_a_line_and_leaves_no_picture(tmp_path: Path, text: str, says: str):
    done = drawn(tmp_path, text)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.png"))


# --- how the page gets it ------------------------------------------------------------------------------------


def asked(hall: Hall) -> tuple[Browser, str]:
    """A technician's browser that had a changed document checked, and the address of the preview."""
    browser = hall.browser(TECHNICIAN)
    page = check(browser, changed()).text
    assert "Đang vẽ hình xem trước" in page
    return browser, page.partition(' data-live="')[2].partition('/live"')[0]


def test_the_pictures_come_to_the_checked_page_and_to_the_technician_alone(hall: Hall):
    browser, address = asked(hall)
    shown = browser.fragment(f"{address}/live", "preview", until="<img")
    for name in ("take", "slip"):
        assert f'src="{address}/{name}.png"' in shown
        answer = browser.get(f"{address}/{name}.png")
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/png", "no-store")
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.format == "PNG"
        assert hall.browser(CLERKS["1"], "1").get(f"{address}/{name}.png").status_code == 403
        assert hall.browser().get(f"{address}/{name}.png").status_code == 303
    assert browser.get(f"{address}/other.png").status_code == 404
    assert browser.get(f"{preview.PATH}/0123456789abcdef/take.png").status_code == 404
    assert hall.store.offices.newest() is None, "looking applies nothing"


def test_a_document_with_mistakes_is_not_drawn(hall: Hall):
    page = check(hall.browser(TECHNICIAN), changed().replace('icon = "stamp"', 'icon = "stmp"')).text
    assert "data-live" not in page
    assert "Công dân sẽ thấy" not in page


def test_drawing_that_takes_too_long_is_ended_and_said_and_tried_again_with_the_next_check(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(preview, "LIMIT_S", 0.01)
    browser, address = asked(hall)
    assert CHECK in browser.fragment(f"{address}/live", "preview", until="Chưa vẽ được")
    assert "was not done in 0.01 s" in caplog.text
    monkeypatch.undo()
    check(browser, changed())
    assert browser.fragment(f"{address}/live", "preview", until="<img")


def test_only_the_latest_documents_are_kept_and_older_ones_are_drawn_no_further(hall: Hall):
    browser, first = asked(hall)
    for version in range(3, 3 + preview.KEPT):
        check(browser, changed("Khác", version))
    assert CHECK in browser.fragment(f"{first}/live", "preview", until="Chưa vẽ được")


def drawing(folder: Path) -> int:
    """The process that draws into a folder below this one, as soon as there is one."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if str(folder).encode() in command.read_bytes():
                    return int(command.parent.name)
    raise AssertionError("nothing is drawn")


def test_a_console_that_ends_waits_for_no_picture_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    hall = Hall(tmp_path / "data")
    asked(hall)
    process = drawing(folder)
    os.kill(process, signal.SIGSTOP)  # it hangs
    began = time.monotonic()
    hall.close()
    assert time.monotonic() - began < 8
    assert not Path(f"/proc/{process}").exists()
    assert not list(folder.glob("kiosk-preview-*"))


def test_the_console_needs_nothing_that_draws():
    code = "import sys, kiosk.console.web; sys.exit('pygame' in sys.modules or 'kiosk.gallery' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0


@pytest.mark.parametrize("size", [pytest.param((1366, 768), marks=pytest.mark.slow), (360, 740)])
def test_a_browser_shows_both_pictures_on_a_phone_too(hall: Hall, chromium: "Chromium", size: tuple[int, int]):
    with watched(chromium, hall.url, size) as seen:
        seen.use_cookies(hall.browser(TECHNICIAN).session.cookies)
        page = seen.page(hall.url + OFFICE)
        page.fill("#text", changed())
        page.get_by_role("button", name=CHECK).click()
        for name in ("take", "slip"):
            page.wait_for_function(f"() => document.querySelector('figure.{name} img')?.naturalWidth > 300")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        page.get_by_role("button", name="Áp dụng").click()
        page.get_by_text("Đã áp dụng phiên bản 2").wait_for()
