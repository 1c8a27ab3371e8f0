"""`kiosk screens`: the day that it tells, the pictures that it draws, and the page that shows them."""

import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
from PIL import Image

from kiosk.__main__ import main
from kiosk.gallery.page import Shown, page
from kiosk.gallery.pictures import Painter, Picture
from kiosk.gallery.scene import Scene
from kiosk.gallery.story import HALL, Told, tell
from kiosk.office import Office, sample
from kiosk.present.words import Words
from kiosk.printer_device import PrinterState
from kiosk.texts import Texts, languages, sentences
from kiosk.views.model import BoardView, IdleView, RateView, StartView, TakeView
from kiosk.views.text import Typesetter
from kiosk.views.theme import THEMES

SIZES = ((1920, 1080), (1280, 800))
NOTICES = {
    "take-closed": "closed",
    "take-morning": "",
    "take-busy": "",
    "take-priority": "",
    "take-cancelled": "cancelled",
    "take-slip": "slip",
    "take-slip-priority": "slip",
    "take-too-fast": "too_fast",
    "take-no-paper": "glass",
    "take-printer-error": "glass",
    "take-quota": "quota",
    "take-stopped": "stopped",
    "take-session-over": "session_over",
    "take-holiday": "holiday",
}


def told_in(language: str, folder: Path, office: Office | None = None) -> Told:
    told = office or sample()
    return tell(told, Words(told, Texts(language), "https://mot-cua.example"), folder)


DRAWN = ("standard",)
"""All themes go the same way; views are measured in each of them elsewhere."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """The sample office's day in every language."""
    return {language: told_in(language, tmp_path_factory.mktemp(language)) for language in languages()}


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    made = Painter()
    yield made
    made.close()


# --- the day -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
def test_the_day_comes_about_as_the_names_of_its_pictures_say(told: dict[str, Told], language: str):
    views = told[language].views
    notices = {name: view.notice for name, view in views.items() if isinstance(view, TakeView)}
    assert {name: notice.kind if notice else "" for name, notice in notices.items()} == NOTICES | {
        "take-keys": "",
        "take-staff": "",
    }
    rated = {name: view.state for name, view in views.items() if isinstance(view, RateView)}
    assert rated == {
        "rate-idle": "idle",
        "rate-not-open": "not_open",
        "rate-ask": "ask",
        "rate-thanks": "thanks",
        "rate-already": "already",
        "rate-lost": "not_open",
    }
    assert [name for name, view in views.items() if isinstance(view, IdleView)] == [
        "idle-morning",
        "idle-closed",
        "idle-holiday",
    ]


@pytest.mark.parametrize("language", languages())
def test_the_pictures_for_taking_a_number_have_all_that_the_kiosk_has(told: dict[str, Told], language: str):
    following = {"vi": "English", "en": "Tiếng Việt"}[language]
    views = {name: view for name, view in told[language].views.items() if isinstance(view, TakeView)}
    assert {view.language.text if view.language else "" for view in views.values()} == {following}
    keys = views["take-keys"]
    assert keys.mode == "keys"
    assert keys.panel != ""
    assert keys.priority is not None
    assert keys.priority.digit == {"vi": "ƯT", "en": "P"}[language]
    assert keys.language is not None
    assert keys.language.digit == "VI/EN"
    assert views["take-no-paper"].staff_icons == ("paper_out",)


def test_paper_that_runs_low_still_prints(tmp_path: Path):
    office = sample()
    scene = Scene(office, Words(office, Texts("vi")), tmp_path)
    scene.printer(PrinterState.PAPER_LOW)
    scene.press(f"take:{office.services[0].id}")
    view = scene.take()
    scene.close()
    assert view.notice is not None
    assert view.notice.kind == "slip"
    assert view.staff_icons == ("paper_low",)


def test_the_boards_show_calls_figures_and_a_large_hall(told: dict[str, Told]):
    boards = {name: view for name, view in told["vi"].views.items() if isinstance(view, BoardView)}
    busy = boards["board-busy"]
    assert [card.state for card in busy.cards] == ["serving", "called", "paused", "free"]
    assert busy.missed != ()
    assert (busy.satisfaction, busy.progress) == (None, None)
    lost, dossiers = boards["board-lost"], boards["board-dossiers"]
    assert lost.header.lost.startswith("Mất kết nối với ")
    assert (lost.cards, lost.called) == (busy.cards, busy.called), "what was read last stands"
    assert dossiers.progress is not None
    assert (dossiers.progress.total, dossiers.progress.stale) == ("2.707", False)
    rated = told["vi"].views["rate-lost"]
    assert isinstance(rated, RateView)
    assert rated.header.lost == lost.header.lost
    assert boards["board-figures"].satisfaction is not None
    assert len(boards["board-hall"].cards) == HALL


def test_waiting_people_have_an_expected_time_once_enough_were_served(told: dict[str, Told]):
    take = told["vi"].views["take-busy"]
    assert isinstance(take, TakeView)
    assert sum("phút" in tile.waiting_text for tile in take.tiles) >= 3


def test_the_start_that_goes_wrong_has_each_state_and_the_broken_one_its_mistakes(told: dict[str, Told]):
    views = told["en"].views
    wrong, broken = views["start-wrong"], views["start-broken"]
    assert isinstance(wrong, StartView)
    assert {check.state for check in wrong.checks} == {"ok", "warn", "error"}
    assert all(check.advice for check in wrong.checks if check.state != "ok")
    assert isinstance(broken, StartView)
    assert [check.text for check in broken.checks] == [
        "languag",
        "[printer] papr_mm",
        "[buttons.counters.1] call",
        "[sync] server",
    ]


def test_each_picture_has_its_sentence_in_each_language_and_no_sentence_is_left_over(told: dict[str, Told]):
    names = {*told["vi"].views, *told["vi"].slips}
    page_itself = {"title", "contents", "total", "holiday"}
    for language in languages():
        described = {key.partition(".")[2] for key in sentences(language) if key.startswith("gallery.")}
        assert described == names | page_itself


def test_an_office_of_one_counter_that_opens_one_morning_a_week_has_its_day_too(tmp_path: Path):
    usual = sample()
    small = replace(
        usual,
        services=usual.services[:1],
        counters=(replace(usual.counters[0], services=(usual.services[0].id,), clerk=""),),
        clerks=(),
        sessions=(replace(usual.sessions[0], weekdays=(2,)),),
        calendar=(),
    )
    views = told_in("vi", tmp_path, small).views
    assert views["idle-closed"].header.date == "Thứ Tư, 25/11/2026"
    closed = views["take-holiday"]
    assert isinstance(closed, TakeView)
    assert closed.notice is not None
    assert closed.notice.title == "Hôm nay đơn vị nghỉ: Ngày nghỉ của đơn vị"


def test_an_office_that_never_opens_is_told_what_it_lacks(tmp_path: Path):
    never = replace(sample(), sessions=(replace(sample().sessions[0], weekdays=()),), calendar=())
    with pytest.raises(ValueError, match="give it sessions on some weekday"):
        told_in("vi", tmp_path, never)


# --- pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("language", ["vi", *(pytest.param(one, marks=pytest.mark.slow) for one in languages()[1:])])
def test_no_text_of_the_sample_office_is_cut(
    told: dict[str, Told], painter: Painter, language: str, size: tuple[int, int]
):
    cut = {
        (name, box.text)
        for name, view in told[language].views.items()
        for box in painter.frame(view, size, next(iter(THEMES))).texts()
        if box.cut
    }
    assert cut == set()


class Links(HTMLParser):
    """What a page points to, and the tags it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.targets: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.targets.append(value or "")
            elif name == "id":
                self.ids.add(value or "")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run in one size, without anything of this machine's temporary folders."""
    folder = tmp_path_factory.mktemp("gallery")
    assert main(["screens", "--dir", str(folder), "--size", "800x480", "--theme", *DRAWN]) == 0
    return folder


def test_each_file_is_on_the_page_and_each_link_leads_to_a_file(gallery: Path):
    links = Links((gallery / "index.html").read_text("utf-8"))
    files = {str(path.relative_to(gallery)) for path in gallery.rglob("*") if path.is_file()} - {"index.html"}
    inside = {target.removeprefix("#") for target in links.targets if target.startswith("#")}
    assert {target for target in links.targets if not target.startswith("#")} == files
    assert inside == links.ids


def test_the_page_has_no_script_no_other_host_and_no_place_of_this_machine(gallery: Path):
    html = (gallery / "index.html").read_text("utf-8")
    assert "script" not in Links(html).tags
    assert "://" not in html
    assert str(gallery) not in html
    assert not [target for target in Links(html).targets if target.startswith(("/", "..", "file:"))]


def test_pictures_are_named_after_view_size_theme_and_language_and_have_that_size(gallery: Path, told: dict[str, Told]):
    names = {path.name for path in gallery.glob("*.png")}
    wanted = {f"{view}-800x480-{theme}-{code}.png" for view in told["vi"].views for theme in DRAWN for code in told}
    wanted |= {f"{slip}-{dots}-{code}.png" for slip in told["vi"].slips for dots in (576, 384) for code in told}
    assert names == wanted
    with Image.open(gallery / f"board-busy-800x480-{next(iter(THEMES))}-vi.png") as picture:
        assert picture.size == (800, 480)
    with Image.open(gallery / "paper-long-384-en.png") as slip:
        assert slip.width == 384


def test_a_group_or_a_single_view_can_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wanted = ["--view", "rate-ask", "idle", "--size", "640x400", "--lang", "vi", "--theme", next(iter(THEMES))]
    assert main(["screens", "--dir", str(tmp_path), *wanted]) == 0
    views = {path.name.partition("-640x400")[0] for path in tmp_path.glob("*.png")}
    assert views == {"rate-ask", "idle-morning", "idle-closed", "idle-holiday"}
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == str(tmp_path / "index.html")
    assert [line.split()[1] for line in said[:-1]] == ["idle-morning", "idle-closed", "idle-holiday", "rate-ask"]


def test_an_office_of_one_s_own_is_on_the_page(tmp_path: Path):
    own = replace(sample(), unit=replace(sample().unit, name="xã <Chân Mây> & Lăng Cô"))
    (tmp_path / "office.json").write_bytes(own.to_json())
    office = ["--office", str(tmp_path / "office.json"), "--view", "rate-idle", "--size", "640x400", "--lang", "vi"]
    assert main(["screens", "--dir", str(tmp_path / "out"), *office]) == 0
    assert "xã &lt;Chân Mây&gt; &amp; Lăng Cô" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_letters_of_other_scripts_are_set_in_the_fonts_of_a_given_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    own = replace(sample(), unit=replace(sample().unit, name="xã Riêng", short="UBND xã Riêng"))
    (tmp_path / "office.json").write_bytes(own.to_json())
    bundled = resources.files("kiosk.assets") / "fonts" / "BeVietnamPro-Bold.ttf"
    (tmp_path / "own.ttf").write_bytes(bundled.read_bytes())
    config = tmp_path / "kiosk.toml"
    config.write_text('office = "office.json"\n[screen]\nfonts = ["own.ttf"]\n')
    used: list[Sequence[Path]] = []
    monkeypatch.setattr("kiosk.typeset.use", used.append)
    monkeypatch.setattr("kiosk.gallery.pictures.Typesetter", lambda fonts: used.append(fonts) or Typesetter(fonts))
    chosen = ["--view", "rate-idle", "--size", "640x400", "--lang", "vi", "--theme", "standard"]
    assert main(["screens", "--dir", str(tmp_path / "out"), "--config", str(config), *chosen]) == 0
    assert used == [[tmp_path / "own.ttf"]] * 2
    assert "xã Riêng" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_pictures_that_cannot_be_shown_are_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "emblem.png").write_text("no picture")
    clerks = (replace(sample().clerks[0], photo="gone.jpg"), *sample().clerks[1:])
    own = replace(sample(), unit=replace(sample().unit, emblem="emblem.png"), clerks=clerks)
    (tmp_path / "office.json").write_bytes(own.to_json())
    chosen = ["--view", "rate-idle", "--size", "640x400", "--lang", "vi", "--theme", "standard"]
    office = ["--office", str(tmp_path / "office.json")]
    assert main(["screens", "--dir", str(tmp_path / "out"), *office, *chosen]) == 0
    emblem, photo = [line for line in capsys.readouterr().err.splitlines() if " → " in line]
    assert emblem == f"biểu trưng: {tmp_path}/emblem.png không phải là ảnh → Lưu lại thành JPEG hoặc PNG"
    assert photo.startswith(f"{clerks[0].name}: không mở được {tmp_path}/gone.jpg → Chép ảnh vào ")


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--size", "1280*800", "as 1920x1080, 1280x800"),
        ("--theme", "neon", "there is no theme 'neon', only standard"),
        ("--lang", "fr", "there is no language 'fr', only vi, en"),
        ("--view", "attic", "there is no view 'attic', only take-"),
        ("--office", "nowhere.toml", "nowhere.toml: không tìm thấy tệp"),
    ],
)
def test_what_is_not_known_is_said_in_one_sentence_with_what_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, says: str
):
    assert main(["screens", "--dir", str(tmp_path / "out"), option, value]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    assert main(["screens", "--dir", str(tmp_path / "file"), "--view", "rate-ask", "--lang", "vi"]) == 1
    assert re.search(r"kiosk: .*/file.* cannot be written \(.*\): choose another --dir\n", capsys.readouterr().err)


def test_a_run_that_is_killed_leaves_no_process_behind(tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "kiosk",
        "screens",
        "--dir",
        str(tmp_path),
        "--size",
        "1280x800",
        "--theme",
        "standard",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout
        assert run.stdout.readline().startswith("1/")
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        watched = [os.pidfd_open(int(child)) for child in children]
        run.kill()
    ended = select.poll()
    for descriptor in watched:
        ended.register(descriptor, select.POLLIN)
    while watched:
        found = [descriptor for descriptor, _ in ended.poll(30_000)]
        assert found, "a process lives on"
        for descriptor in found:
            ended.unregister(descriptor)
            os.close(descriptor)
            watched.remove(descriptor)


def test_the_page_says_in_each_language_what_a_view_is():
    shown = {"rate-ask": [Shown(Picture("a.png", 10, 10), "10×10")]}
    html = page(shown, [Texts("en"), Texts("vi")], "xã Mẫu")
    assert '<html lang="en">' in html
    assert "The service is done: how was it?" in html
    assert "Phục vụ xong: mời đánh giá" in html
