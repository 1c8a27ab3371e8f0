"""The page for files from a USB stick in a real browser: choose, send, save the answer."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser import PHONE, bare, watched
from tests.server.kit import PASSWORD, Server, batch_of
from tests.sync_kit import DEVICE


def test_a_technician_brings_files_and_saves_the_answer(chromium: Browser, lite: Server, tmp_path: Path):
    lite.user("ky-thuat", "technician")
    good, strange = tmp_path / "kiosk-a.ndjson", tmp_path / "kiosk-b.ndjson"
    good.write_bytes(batch_of([], [b"{}"], DEVICE, "0000000112345678").plain())
    strange.write_bytes(batch_of([], [], "k-NOBODY", "0000000112345678").plain())
    with lite.serving() as url, watched(chromium, url) as seen:
        page = seen.page(f"{url}/import")
        page.get_by_label("Tên đăng nhập").fill("ky-thuat")
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        page.get_by_role("button", name="Đăng nhập").click()
        page.get_by_label("Tệp trên USB").set_input_files([good, strange])
        page.get_by_role("button", name="Nhập").click()
        expect(page.get_by_role("row", name="kiosk-a.ndjson")).to_contain_text("Đã nhận")
        expect(page.get_by_role("row", name="kiosk-b.ndjson")).to_contain_text("Chưa có máy k-NOBODY")
        page.set_viewport_size(dict(zip(("width", "height"), PHONE, strict=True)))  # type: ignore[arg-type]
        assert bare(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        with page.expect_download() as saved:
            page.get_by_role("link", name="ack.json").click()
        assert saved.value.suggested_filename == f"kiosk-{DEVICE}.ack.json"
        assert '"head": [1,' in Path(saved.value.path()).read_text()
