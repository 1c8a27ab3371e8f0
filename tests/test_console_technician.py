"""The technician's pages over a real socket: health, tries, restarts, the office document, PINs, backups, the log."""

import html
import io
import json
import sqlite3
import struct
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kiosk.clock import SystemClock
from kiosk.config import load_config, shipped
from kiosk.console import logtail, offices
from kiosk.office import Office, sample
from kiosk.revising import written
from kiosk.simulator.printer import EmulatedPrinter
from kiosk.store import Store
from kiosk.texts import Texts
from kiosk.uplink import Uplink
from kiosk.wiring import check_against
from sync import wire
from tests.app_kit import Kiosk, config, kiosk, paper, receiver  # noqa: F401
from tests.console_kit import CLERKS, HELPER, LEADER, PIN, TECHNICIAN, Browser, Hall
from tests.test_office_versions import changed

OFFICE = "/technician/office"


def technician(hall: Hall) -> Browser:
    return hall.browser(TECHNICIAN)


def post(browser: Browser, path: str, **how: object) -> dict[str, object]:
    return browser.post(path, "/technician", **how)  # type: ignore[arg-type]


def check(browser: Browser, text: str, do: str = "check", **fields: str):
    page = browser.get(OFFICE).text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    values = {"seen": seen, "csrf": browser.csrf(OFFICE), **fields}
    return browser.post_page(f"{OFFICE}/check", text=text, do=do, **values)


# --- whose pages they are ------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [CLERKS["1"], HELPER, LEADER])
def test_only_technicians_get_in(hall: Hall, person: str):
    browser = hall.browser(person, "1" if person == CLERKS["1"] else "")
    for path in ("", "/live", "/log", "/export", "/backup/x", "/office", "/office/office.toml", "/people"):
        assert browser.get(f"/technician{path}").status_code == 403, path
    csrf = browser.csrf("/technician")
    for path in ("print", "keys", "clock", "restart", "sign-out", "backup", "office/restore", "people/pin"):
        assert not browser.post(f"/technician/{path}", csrf=csrf)["ok"], path
    assert browser.post_page(f"{OFFICE}/check", csrf=csrf, text=changed(), do="apply").status_code == 403
    assert hall.store.offices.newest() is None


def test_the_band_marks_the_page_and_those_below_it(hall: Hall):
    browser = technician(hall)
    assert '<a href="/technician" aria-current="page">' in browser.get("/technician").text
    assert '<a href="/technician" aria-current="true">' in browser.get(OFFICE).text


# --- health --------------------------------------------------------------------------------------------------


def test_the_page_says_how_every_part_is_and_what_to_do(hall: Hall):
    hall.store.note(hall.now(), "printer", "paper_out")
    hall.store.note(hall.now(), "keys", "take:ho-tich")
    page = technician(hall).get("/technician").text
    for said in ("Máy in hết giấy", "Thay cuộn giấy", "phím lấy số Hộ tịch", "Không chạy", "kết nối không mã hóa"):
        assert said in page
    assert "BCM 17" in page
    assert "phím gọi số, quầy 2" in page
    assert "take:" not in page


def test_what_changes_is_on_the_open_page_at_once(hall: Hall):
    browser = technician(hall)
    hall.store.note(hall.now(), "printer", "ok")
    with browser.stream("/technician/live") as events:
        for kind, data in events:
            if kind == "fragment" and data.startswith("health"):
                if "Nắp máy in đang mở" in data:
                    break
                hall.store.note(hall.now(), "printer", "cover_open")


def test_a_person_says_the_true_time(hall: Hall):
    hall.clock.trusted = False
    assert post(technician(hall), "/technician/clock", day="2026-11-23", time="07:40")["ok"]
    assert json.loads(hall.store.fact("vouched"))["at"].startswith("2026-11-23T07:40")
    assert not post(technician(hall), "/technician/clock", day="1999-01-01", time="07:40")["ok"]


# --- tries, with a kiosk that runs ---------------------------------------------------------------------------


def test_a_test_sheet_comes_out_of_the_kiosks_own_printer(kiosk: Kiosk, paper: EmulatedPrinter):
    store, now = kiosk.app.store, kiosk.app.clock.now()
    id = store.orders.give(now, "printer", "test-sheet", by="do-van-h")
    kiosk.until(lambda: _state(store, id) == "done")
    assert len(paper.wait_for_slips(1)) == 1


def test_a_key_test_notes_presses_and_gives_no_numbers_until_it_ends(kiosk: Kiosk):
    store, now = kiosk.app.store, kiosk.app.clock.now()
    id = store.orders.give(now, "kiosk", "keys", by="do-van-h")
    kiosk.until(lambda: _state(store, id) == "running")
    kiosk.press("take:ho-tich")
    kiosk.press("rate:1:happy")
    order = store.orders.get(now, id)
    assert order is not None
    assert [press[0] for press in json.loads(order.answer)] == ["take:ho-tich", "rate:1:happy"]
    assert (kiosk.numbers(), kiosk.notice()) == ([], "testing")
    store.orders.stop(now, "kiosk", "keys")
    kiosk.press("take:ho-tich")
    assert kiosk.numbers() == ["1001"]


def test_a_forgotten_key_test_ends_by_itself(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kiosk.orders.KEY_TEST_S", -1)
    store = kiosk.app.store
    id = store.orders.give(kiosk.app.clock.now(), "kiosk", "keys", by="do-van-h")
    kiosk.until(lambda: _state(store, id) == "running")
    kiosk.press("take:ho-tich")
    assert kiosk.numbers() == ["1001"]


def test_a_kiosk_that_is_asked_to_restart_ends_in_order(kiosk: Kiosk):
    kiosk.app.store.orders.give(kiosk.app.clock.now(), "kiosk", "restart", by="do-van-h")
    kiosk.until(lambda: kiosk.app.stopping)


def test_an_upload_that_is_asked_to_restart_ends(kiosk: Kiosk):
    uplink = Uplink(kiosk.config, kiosk.app.clock)
    kiosk.app.store.orders.give(kiosk.app.clock.now(), "sync", "restart", by="do-van-h")
    thread = threading.Thread(target=uplink.run)
    thread.start()
    thread.join(15)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("sync", "says"),
    [
        ("", "no server is configured"),
        ('[sync]\nserver = "https://127.0.0.1:9"\n', "events wait here until there is one"),
    ],
)
def test_without_a_server_or_a_token_too_the_upload_ends_when_it_is_asked_to_restart(
    store: Store, tmp_path: Path, sync: str, says: str
):
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}"\n{sync}')
    command = [sys.executable, "-m", "kiosk", "sync", "--config", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(100):  # an order from before its start is over
            store.orders.give(SystemClock().now(), "sync", "restart", by="do-van-h")
            with suppress(subprocess.TimeoutExpired):
                assert process.wait(0.3) == 0
                break
        else:
            process.kill()
        assert process.stderr and says in process.stderr.read()
        assert process.returncode == 0


def test_an_order_that_nobody_takes_is_over_after_a_minute(hall: Hall):
    id = hall.store.orders.give(hall.now(), "kiosk", "restart", by="do-van-h")
    hall.clock.seconds += 61
    assert hall.store.orders.take(hall.now(), "kiosk") is None
    assert _state(hall.store, id) == "failed"


def _state(store: Store, id: int) -> str:
    row = store.database.row("SELECT state FROM orders WHERE id = ?", id)
    return str(row["state"]) if row else ""


def test_presses_of_the_test_are_on_the_page_as_they_come(hall: Hall):
    browser = technician(hall)
    assert post(browser, "/technician/keys")["ok"]
    order = hall.store.orders.take(hall.now(), "kiosk")
    assert order is not None
    hall.store.orders.answer(hall.now(), order.id, json.dumps([["call:2", "key", "07:31:00"]]))
    shown = browser.fragment("/technician/live", "presses", until="07:31:00")
    assert "phím gọi số, quầy 2" in shown
    assert "bấm phím" in shown
    assert post(browser, "/technician/keys", stop="1")["ok"]
    assert _state(hall.store, order.id) == "done"


# --- the office document -------------------------------------------------------------------------------------


def test_a_document_is_checked_compared_and_applied_with_its_version_raised(hall: Hall):
    browser = technician(hall)
    text = changed().replace("version = 2", "version = 1")
    seen = check(browser, text)
    assert "<b>Khai sinh</b>" in seen.text
    assert hall.store.offices.newest() is None
    done = check(browser, text, "apply", note="đổi tên")
    assert "Đã áp dụng phiên bản 2" in done.text
    newest = hall.store.offices.newest()
    assert newest is not None
    assert (newest.text, newest.by, newest.note) == (changed(), TECHNICIAN, "đổi tên")
    assert hall.events("office.applied")[0]["actor"] == TECHNICIAN
    assert "<td>Đỗ Văn H</td>" in browser.get(OFFICE).text, "people are named, not their ids"


def test_every_mistake_stands_on_the_page_with_its_line_and_nothing_is_applied(hall: Hall):
    text = changed().replace('digit = "3"', 'digit = "2"').replace('icon = "stamp"', 'icon = "stmp"')
    answer = check(technician(hall), text, "apply")
    assert answer.status_code == 422
    for old in ('digit = "2"\nname = "Đất', 'icon = "stmp"'):
        line = text[: text.index(old)].count("\n") + 1
        assert f"Dòng {line}" in answer.text
    assert "icon = &#34;stmp&#34;" in answer.text, "what was entered stays there"
    assert hall.store.offices.newest() is None


def test_a_document_that_came_as_json_is_edited_as_toml_and_its_mistakes_have_lines(hall: Hall):
    office = replace(hall.office, version=2)
    hall.store.offices.apply(hall.clock.now(), office.to_json().decode(), office.sha256, 2, by="server")
    browser = technician(hall)
    area = browser.get(OFFICE).text.partition('name="text"')[2].partition("</textarea>")[0]
    text = html.unescape(area.partition(">")[2])
    assert "[[services]]" in text
    assert browser.get(f"{OFFICE}/office.toml").text.strip() == text.strip()
    assert Office.from_json(text.encode()) == office
    assert "Dòng " in check(browser, text.replace('icon = "stamp"', 'icon = "stmp"')).text


def test_a_service_that_a_key_is_wired_to_is_kept_and_the_page_says_what_to_do_first(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    file.write_text("[buttons.services.ho-tich]\npin = 5\n[buttons.counters.1]\nhappy = 6\n")
    rest = tuple(replace(one, id="khac") if one.id == "ho-tich" else one for one in sample().services)
    (problem,) = check_against(load_config(file), replace(sample(), services=rest))
    mistake = offices._mistake("", problem, Texts("vi"))
    assert mistake.where == "kiosk.toml [buttons.services] ho-tich"
    assert "sửa [buttons.services] ho-tich trong kiosk.toml" in mistake.says


def test_who_edits_an_older_page_is_told_and_overwrites_nothing(hall: Hall):
    one, other = technician(hall), technician(hall)
    check(one, changed("Một"), "apply")
    page = one.get(OFFICE).text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    check(other, changed("Hai", 3), "apply")
    late = check(one, changed("Ba", 4), "apply", seen=seen)
    assert "Có người vừa áp dụng một phiên bản khác" in late.text
    newest = hall.store.offices.newest()
    assert newest is not None
    assert "Hai" in newest.text
    first = check(one, changed("Bốn", 5), "apply", seen="0")
    assert "Có người vừa áp dụng một phiên bản khác" in first.text


def test_an_earlier_version_comes_back_under_a_new_number(hall: Hall):
    browser = technician(hall)
    check(browser, changed("Một"), "apply")
    check(browser, changed("Hai", 3), "apply")
    assert post(browser, f"{OFFICE}/restore", id="1")["say"] == "Đã áp dụng phiên bản 4. Mọi màn hình tự cập nhật"
    assert "Một" in browser.get(f"{OFFICE}/office.toml").text
    assert browser.session.post(
        hall.url + f"{OFFICE}/restore", data={"id": "99", "csrf": browser.csrf("/technician")}, timeout=10
    ).status_code in (403, 404)


def test_numbers_that_would_be_left_alone_are_counted_before(hall: Hall):
    hall.take("huong-dan")
    text = changed()
    start = text.index('[[services]]\nid = "huong-dan"')
    text = text[:start] + text[text.index("# --- Quầy") :]
    text = text.replace(', "huong-dan"]', "]")
    assert "Còn 1 số đang chờ" in check(technician(hall), text).text


def test_text_of_a_document_cannot_become_part_of_the_page(hall: Hall):
    evil = "</textarea><script>alert(1)</script>"
    answer = check(technician(hall), changed().replace('hint = "Khai sinh, kết hôn, khai tử"', f"hint = '{evil}'"))
    assert "<script>alert" not in answer.text
    assert check(technician(hall), f"{evil} = 1").text.count("<script>alert") == 0


# --- pictures ------------------------------------------------------------------------------------------------


def picture(size: tuple[int, int] = (1600, 2400), kind: str = "JPEG") -> bytes:
    data = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(data, kind, quality=95)
    return data.getvalue()


def bomb() -> bytes:
    """A small PNG that says it is 40,000 × 40,000."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(40001))) + chunk(b"IEND", b"")


def send(browser: Browser, whose: str, name: str, data: bytes) -> dict[str, object]:
    return post(browser, f"{OFFICE}/photo", whose=whose, files={"file": (name, data)})


def test_a_portrait_of_five_megabytes_is_kept_small_and_named_by_the_document(hall: Hall):
    browser, data = technician(hall), picture((2000, 3000))
    assert 4_000_000 < len(data) < 8_000_000
    check(browser, "# our own words\n" + changed(), "apply")
    assert send(browser, "nguyen-thi-a", "Chân dung.jpg", data)["ok"]
    newest = hall.store.offices.newest()
    assert newest is not None
    assert newest.text.startswith("# our own words\n")
    kept = list((hall.folder / "photos").iterdir())
    assert [path.name for path in kept] == [newest.text.partition('photo = "')[2].partition('"')[0]]
    with Image.open(kept[0]) as small:
        assert max(small.size) == 800


@pytest.mark.parametrize(
    ("name", "data"),
    [("bomb.png", bomb()), ("a.jpg", b"no picture"), ("a.jpg", picture()[:4000]), ("../../x.svg", b"<svg/>")],
)
def test_what_is_no_harmless_picture_is_refused_with_a_sentence(hall: Hall, name: str, data: bytes):
    answer = send(technician(hall), "", name, data)
    assert not answer["ok"]
    assert "ảnh" in str(answer["say"]) or "hỏng" in str(answer["say"])
    assert not list(hall.folder.glob("photos/*"))
    assert hall.store.offices.newest() is None


def test_an_upload_without_end_is_refused_before_it_is_read(hall: Hall):
    browser = technician(hall)
    files = {"file": ("a.jpg", bytes(8_100_000))}
    answer = browser.session.post(hall.url + f"{OFFICE}/photo", files=files, headers=browser.headers, timeout=10)
    assert answer.status_code == 413


# --- PINs ----------------------------------------------------------------------------------------------------


def test_a_new_pin_signs_the_person_out_and_is_the_one_that_counts(hall: Hall):
    clerk, browser = hall.clerk("1"), technician(hall)
    assert post(browser, "/technician/people/pin", person=CLERKS["1"], pin="9753")["ok"]
    assert clerk.get("/desk").status_code == 303
    again = hall.browser()
    assert again.post_page("/sign-in", person=CLERKS["1"], counter="1", pin=PIN).status_code == 403
    assert again.post_page("/sign-in", person=CLERKS["1"], counter="1", pin="9753").status_code == 303
    assert hall.events("person.pin_set")[-1]["by"] == TECHNICIAN


@pytest.mark.parametrize("pin", ["", "12", "1234", "abcd", "0000"])
def test_a_pin_that_may_not_be_is_refused(hall: Hall, pin: str):
    assert not post(technician(hall), "/technician/people/pin", person=CLERKS["1"], pin=pin)["ok"]


def test_the_last_technician_keeps_the_pin(hall: Hall):
    browser = technician(hall)
    assert post(browser, "/technician/people/remove", person=CLERKS["2"])["ok"]
    last = post(browser, "/technician/people/remove", person=TECHNICIAN)
    assert not last["ok"]
    assert "kỹ thuật viên cuối cùng" in str(last["say"])


def test_everybody_is_signed_out_but_who_asked(hall: Hall):
    clerk, browser = hall.clerk("1"), technician(hall)
    assert post(browser, "/technician/sign-out")["ok"]
    assert clerk.get("/desk").status_code == 303
    assert browser.get("/technician").status_code == 200


# --- what is carried away ------------------------------------------------------------------------------------


def test_a_backup_is_made_listed_and_downloaded_whole(hall: Hall, tmp_path: Path):
    hall.take()
    browser = technician(hall)
    assert post(browser, "/technician/backup")["say"] == "Đã sao lưu: 23/11/2026 07:31"
    page = browser.get("/technician").text
    assert ">23/11/2026 07:31</a>" in page, "the file's name is in UTC, the page is not"
    name = page.partition('href="/technician/backup/')[2].partition('"')[0]
    copy = tmp_path / "copy.db"
    copy.write_bytes(browser.get(f"/technician/backup/{name}").content)
    conn = sqlite3.connect(copy)
    assert conn.execute("SELECT count(*) FROM tickets").fetchone()[0] == 1
    conn.close()


@pytest.mark.parametrize("name", ["..%2fkiosk.db", "%2e%2e%2fkiosk.db", "kiosk.db", "lock", "x"])
def test_nothing_but_backups_can_be_downloaded(hall: Hall, name: str):
    browser = technician(hall)
    post(browser, "/technician/backup")
    assert browser.get(f"/technician/backup/{name}").status_code == 404


def test_waiting_events_are_exported_as_a_stick_would_carry_them(hall: Hall):
    hall.take()
    answer = technician(hall).get("/technician/export")
    assert answer.status_code == 200
    assert b"ticket.issued" in answer.content
    (batch,) = wire.read_batches(io.BytesIO(answer.content))
    assert "clock" in batch.header.status
    assert "at" not in batch.header.status, "nobody knows when a stick arrives"
    assert ".ndjson" in answer.headers["content-disposition"]


def test_the_end_of_the_log_is_shown_without_secrets(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logtail, "JOURNAL", ["false"])
    secret = "abcDEF0123456789abcDEF0123456789"
    lines = (
        f"printer: offline\ntoken {secret}\nhttps://user:pass@xa-mau.example\n<script>x</script>\nset-up code 123456\n"
    )
    (hall.folder / "kiosk.log").write_text(lines)
    page = technician(hall).get("/technician/log").text
    assert "kiosk: printer: offline" in page
    for hidden in (secret, "user:pass", "<script>x", "123456"):
        assert hidden not in page


def test_without_any_log_the_page_says_where_it_is(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logtail, "JOURNAL", ["/nowhere/journalctl"])
    assert "journalctl -u kiosk" in technician(hall).get("/technician/log").text


def test_the_document_can_be_taken_to_the_next_kiosk(hall: Hall):
    browser = technician(hall)
    check(browser, changed(), "apply")
    assert browser.get(f"{OFFICE}/office.toml").text == changed()
    assert written(hall.office)
    assert shipped()
