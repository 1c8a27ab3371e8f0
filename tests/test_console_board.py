"""The web board over a real socket: it says what the kiosk's board says, to many, and what a LED controller reads."""

import re
from dataclasses import replace
from importlib import resources
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from kiosk.console.look import for_old_browsers
from kiosk.console.site import HERE
from kiosk.office import load
from kiosk.present.board import board_view
from kiosk.present.led import without_marks
from kiosk.store import StoreError
from tests.board_scenes import fill, office_of, photo, publish
from tests.console_kit import Hall

SCRIPTS = ("screen.js", "board.js", "panel.js")


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def take_and_look(hall: Hall) -> None:
    """Another process gives a number, and the console has seen it: any question to the database shows it the change."""
    hall.take()
    hall.browser().get("/sign-in")


def test_the_web_board_says_what_the_kiosks_own_board_says(hall: Hall):
    fill(hall)
    page = text_of(hall.browser().get("/board").text)
    view = board_view(hall.words, hall.now(), hall.store.board(hall.now()), hall.store.ratings.published())
    assert view.progress and view.satisfaction
    said = [view.header.title, view.called_title, view.progress.asof, view.satisfaction.line, *view.missed]
    for card in view.cards:
        said += [card.counter_label, card.number, card.clerk, card.plate, card.waiting]
    for line in view.called:
        said += [line.number, line.counter, line.clock]
    assert [text for text in said if text not in page] == []


def test_a_call_reaches_a_board_that_looks(hall: Hall):
    number = hall.take()
    hall.clerk("1")
    with hall.browser().stream("/board/live") as events:
        assert next(events)[0] == "version"
        hall.store.counters.call_next(hall.now(), "1")
        for kind, data in events:
            if kind == "fragment" and data.startswith("card-1\n") and number in data:
                assert "newest" in data
                return


def test_many_boards_ask_the_database_once(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    asked = []
    usual = type(hall.store).board
    monkeypatch.setattr(type(hall.store), "board", lambda self, now: asked.append(now) or usual(self, now))
    for _ in range(12):
        assert hall.browser().get("/board").status_code == 200
        hall.browser().get("/board.json")
    # Time alone may ask again.
    assert 1 <= len(asked) <= 3


def test_what_the_database_says_no_more_is_shown_as_lost_and_comes_back(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    number = hall.take()
    hall.clerk("1").post("/desk/next", ticket="")
    board = hall.browser()
    assert number in board.get("/board").text

    def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(type(hall.store), "board", broken)
        take_and_look(hall)
        lost = board.fragment("/board/live", "strips", "data-stale")
        assert "Mất kết nối với dữ liệu số thứ tự" in lost
        assert number in board.get("/board").text
        assert board.get("/board.json").json()["lost"] is True
    hall.take()
    with board.stream("/board/live") as events:
        assert any(kind == "fragment" and data == "strips\n" for kind, data in events)


def test_a_board_that_never_read_anything_says_where_to_ask(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(type(hall.store), "board", broken)
        page = hall.browser().get("/board").text
    assert hall.words.t("kiosk.help") in page
    assert "QUẦY 1" not in page


def test_sixteen_counters_leave_the_panels_to_the_ticker(tmp_path: Path):
    hall = Hall(tmp_path, office_of(16))
    try:
        fill(hall)
        page = hall.browser().get("/board").text
        assert page.count('class="cell"') == 16
        assert 'id="side"' not in page
        assert "HỒ SƠ ĐÃ GIẢI QUYẾT: 112.707" in page
    finally:
        hall.close()


def test_a_clerks_photo_is_served_small_and_one_that_is_none_is_drawn(hall: Hall):
    clerks = tuple(
        replace(clerk, photo={"nguyen-thi-a": "a.png", "tran-van-b": "b.jpg"}.get(clerk.id, ""))
        for clerk in hall.office.clerks
    )
    photo(hall.folder / "a.png")
    (hall.folder / "b.jpg").write_text("no picture")
    office = replace(hall.office, clerks=clerks)
    hall.words = hall.console.words = replace(hall.words, office=office)
    hall.restart()
    hall.clerk("1")
    hall.clerk("2")
    browser = hall.browser()
    page = browser.get("/board").text
    small = re.search(r'src="(/pictures/file/[0-9a-f]{16}\.jpg)"', page)
    assert small and "/pictures/person/1.svg" in page
    answer = browser.get(small[1])
    assert answer.headers["content-type"] == "image/jpeg" and "immutable" in answer.headers["cache-control"]
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.size == (256, 256) and len(answer.content) < 30_000
    photo(hall.folder / "a.png", (200, 30, 30))
    take_and_look(hall)
    assert small[1] not in browser.get("/board").text


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/file/../kiosk.db",
        "/pictures/file/kiosk.db",
        "/pictures/file/",
        "/pictures/face/odd/standard.svg",
        "/pictures/face/happy/odd.svg",
        "/pictures/sign/odd/standard.svg",
        "/look/board/odd.css",
        "/look/odd/standard.css",
    ],
)
def test_no_other_file_is_a_picture(hall: Hall, path: str):
    assert hall.browser().get(path).status_code == 404


def test_drawn_pictures_are_whole_svg(hall: Hall):
    faces = [f"face/{kind}/contrast" for kind in ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")]
    signs = ["sign/info/standard", "sign/warn/standard", "people/standard", "star", *(f"person/{n}" for n in range(12))]
    for name in (*faces, *signs):
        answer = hall.browser().get(f"/pictures/{name}.svg")
        assert answer.headers["content-type"] == "image/svg+xml", name
        assert len(list(ElementTree.fromstring(answer.content))) > 1, name


def test_the_figures_for_a_led_controller_keep_their_shape(hall: Hall):
    fill(hall)
    found = hall.browser().get("/board.json").json()
    assert set(found) == {
        "format", "site", "lost", "counters", "services", "called", "missed", "apology", "dossiers", "satisfaction",
    }  # fmt: skip
    first, paused = found["counters"][0], found["counters"][3]
    assert first == {
        "id": "1", "label": "1", "state": "called", "number": "1001", "calls": 1, "back_at": "",
        "called_at": "2026-11-23T07:31:20+07:00", "services": ["ho-tich", "chung-thuc"], "waiting": 6,
    }  # fmt: skip
    assert (paused["state"], paused["number"], paused["back_at"]) == ("paused", "", "10:00")
    assert found["called"][0] == {"number": "3002", "counter": "2", "at": "2026-11-23T07:35:45+07:00"}
    assert found["services"][2]["waiting"] == 2
    assert found["satisfaction"] == {"period": "2026-10", "k": 460, "n": 500, "served": 1180}
    assert found["dossiers"]["as_of"] == "2026-11-20T17:00:00+07:00"


def test_who_has_the_figures_already_gets_no_body(hall: Hall):
    fill(hall)
    browser = hall.browser()
    first = browser.get("/board.json")
    browser.headers["If-None-Match"] = first.headers["etag"]
    assert browser.get("/board.json").status_code == 304
    take_and_look(hall)
    again = browser.get("/board.json")
    assert again.status_code == 200 and again.headers["etag"] != first.headers["etag"]
    assert "access-control-allow-origin" not in again.headers


def test_the_lines_are_vietnamese_or_ascii(hall: Hall):
    fill(hall)
    browser = hall.browser()
    lines = browser.get("/board.txt").content.decode().splitlines()
    assert lines[:2] == ["Quầy 1: 1001 Mời đến quầy", "Quầy 2: 3002 Mời đến quầy"]
    assert lines[-1] == "MỜI CÔNG DÂN CÓ SỐ 3002 — ĐẾN QUẦY 2"
    plain = browser.get("/board.txt?ascii=1").content
    assert plain.isascii()
    assert plain.decode().splitlines()[-1] == "MOI CONG DAN CO SO 3002 - DEN QUAY 2"
    assert browser.get("/board.txt?l=en").text.startswith("Counter 1: 1001")


def test_marks_are_taken_off_every_vietnamese_letter():
    assert without_marks("Đặng Ngọc Ẫn – “đủ, Ữ” · 97,5 %…") == 'Dang Ngoc An - "du, U" - 97,5 %...'


def test_published_figures_are_the_same_after_a_press(hall: Hall):
    publish(hall)
    board = hall.browser()
    before = board.get("/board.json").json()["satisfaction"]
    hall.store.ratings.press(hall.now(), "1", 1, "key")
    take_and_look(hall)
    assert board.get("/board.json").json()["satisfaction"] == before


def test_a_theme_and_a_language_are_chosen_by_the_address(hall: Hall):
    browser = hall.browser()
    assert "/look/board/standard.css" in browser.get("/board").text
    page = browser.get("/board?theme=contrast&l=en").text
    assert "/look/board/contrast.css" in page and "QUEUE NUMBERS" in page
    assert "theme=contrast" in page and "l=en" in page
    assert "#000000" in browser.get("/look/board/contrast.css").text
    assert "/look/board/standard.css" in browser.get("/board?theme=nonsense").text


def test_old_browsers_get_the_names_that_they_know():
    sheet = for_old_browsers(
        ".a { display: flex; align-items: center; text-transform: none; } @keyframes x { 0% { top: 0; } }"
    )
    assert "display: -webkit-flex; display: flex" in sheet
    assert "-webkit-align-items: center; align-items: center" in sheet
    assert "-webkit-text" not in sheet and "text-transform: none" in sheet
    assert sheet.count("{ 0% { top: 0; } }") == 2


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_screens_script_is_of_the_year_2009(name: str):
    """A Smart TV of 2016 has no arrow functions, no let, no templates, no fetch, and lists that are no arrays."""
    text = (HERE / "static" / name).read_text("utf-8")
    code = re.sub(r"//[^\n]*|\"[^\"\n]*\"", "''", text)
    newer = (
        r"=>|\blet\b|\bconst\b|`|\bfetch\(|\basync\b|\bclass\b|\.\.\.|\bof\b|\?\.|\?\?|"
        r"\.(?:closest|append|includes|replaceChildren)\(|\.remove\(\)"
    )
    assert re.findall(newer, code) == []


@pytest.mark.parametrize("name", ["screen.css", "board.css", "panel.css"])
def test_a_screens_style_has_no_words_that_old_browsers_do_not_know(name: str):
    text = (HERE / "templates" / name).read_text("utf-8")
    assert (
        re.findall(
            r"var\(|\bgap:|clamp\(|\bmin\(|\bmax\(|display: grid|aspect-ratio|\binset:|rgb\([0-9]+ |:is\(|:where\(",
            text,
        )
        == []
    )


@pytest.mark.parametrize("path", ["/board", "/board.json", "/board.txt", "/static/board.js"])
def test_boards_are_served_without_signing_in(hall: Hall, path: str):
    answer = hall.browser().get(path)
    assert answer.status_code == 200
    assert not answer.cookies


def test_what_the_leader_wrote_is_in_the_ticker_of_every_board(hall: Hall):
    hall.store.overrides.add_line(hall.now(), "Sáng mai nghỉ học tập")
    assert "Sáng mai nghỉ học tập" in text_of(hall.browser().get("/board").text)


def test_a_board_that_looks_hears_that_the_office_document_was_changed(hall: Hall):
    text = (resources.files("kiosk.assets") / "office.sample.toml").read_text("utf-8")
    text = text.replace('name = "Nguyễn Thị A"', 'name = "Nguyễn Thị Mới"').replace("version = 1", "version = 2")
    file = hall.folder / "office.toml"
    file.write_text(text, "utf-8")
    office = load(file)
    browser = hall.browser()
    shown = re.search(r'<div id="office" hidden>(\w+)<', browser.get("/board").text)
    assert shown
    with browser.stream("/board/live") as events:
        assert next(events)[0] == "version"
        hall.store.offices.apply(hall.now(), text, office.sha256, office.version, by="do-van-h")
        fresh = (data for kind, data in events if kind == "fragment" and data.startswith("office\n"))
        assert any(shown[1] not in data for data in fresh)


def test_the_docs_know_every_field_and_no_other(hall: Hall):
    fill(hall)
    found = hall.browser().get("/board.json").json()
    text = (Path(__file__).parents[1] / "docs" / "board.md").read_text("utf-8")
    section = text[text.index("## LED controllers") : text.index("Times are the office's")]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {*found, *found["counters"][0]}
    inner = [found["services"][0], found["called"][0], found["dossiers"], found["satisfaction"]]
    assert all(f"`{name}`" in section for fields in inner for name in fields)
