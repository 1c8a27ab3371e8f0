"""Letters that the bundled font lacks: set by one that has them, measured as they are drawn, and never as boxes."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pygame
import pytest
from fontTools.ttLib import TTFont

from kiosk import fonts
from kiosk.__main__ import main
from kiosk.screen import Output, Screen
from kiosk.views.canvas import Canvas, Frame, Kit, Record, Region, Style
from kiosk.views.text import Typesetter
from tests.test_fonts import CHINESE, foreign
from tests.views_samples import TAKE

INK = (0, 0, 0)


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No installed font but what a test installs."""
    monkeypatch.setattr(fonts, "SYSTEM", tmp_path / "system" / "truetype")
    fonts.choose.cache_clear()
    pygame.font.init()
    yield
    fonts.choose.cache_clear()
    pygame.font.quit()


@pytest.fixture
def chinese(tmp_path: Path) -> Path:
    """A font with two Chinese letters and no other; both look like A."""
    return foreign(fonts.bundled("Bold"), tmp_path / "chinese.ttf", CHINESE)


def ink(setter: Typesetter, text: str, size: int = 100) -> pygame.Rect:
    return setter.sprite(text, "Regular", size, INK).ink


def test_a_foreign_word_is_drawn_and_measured_with_the_font_that_has_it(chinese: Path):
    setter = Typesetter([chinese])
    own = pygame.font.Font(str(chinese), 100)
    line = setter.line(CHINESE, "Regular", 100)
    assert line.width == own.size(CHINESE)[0]
    assert line.above == max(metric[3] for metric in own.metrics(CHINESE))
    sprite = setter.sprite(CHINESE, "Regular", 100, INK)
    assert sprite.ink.w == own.render(CHINESE, True, INK).get_bounding_rect(min_alpha=40).w


def test_words_of_both_scripts_stand_on_one_baseline_with_a_space_between_them(chinese: Path):
    with TTFont(chinese) as font:  # its lines are higher than ours
        font["hhea"].ascent += 400
        font["OS/2"].sTypoAscender += 400
        font.save(chinese)
    fonts.letters.cache_clear()
    setter = Typesetter([chinese])
    both, first, second = (setter.line(text, "Regular", 100).width for text in (f"Số {CHINESE}", "Số", CHINESE))
    assert both == first + second + 26
    sprite = setter.sprite(f"A {CHINESE}", "Regular", 100, INK)
    middle = setter.line("A", "Regular", 100).width + 13 - sprite.left
    room = sprite.surface.get_rect()
    for half in (pygame.Rect(0, 0, middle, room.h), pygame.Rect(middle, 0, room.w - middle, room.h)):
        assert sprite.surface.subsurface(half).get_bounding_rect(min_alpha=40).bottom == sprite.baseline


def test_letters_that_no_font_has_leave_nothing_behind():
    setter = Typesetter()
    assert setter.line(f"Số {CHINESE} 7", "Regular", 100).width == setter.line("Số 7", "Regular", 100).width
    assert ink(setter, f"Số{CHINESE}") == ink(setter, "Số")
    assert not ink(setter, CHINESE)
    assert setter.sprite("", "Regular", 20, INK).surface.get_size() == (0, 0)


@pytest.mark.parametrize("size", [20, 60, 120])
def test_a_text_of_lost_letters_alone_can_be_set_anywhere(size: int):
    canvas = Canvas(Kit(), pygame.Surface((600, 300), 0, 32), Record())
    room = pygame.Rect(10, 10, 500, 200)
    for text in (CHINESE, f"{CHINESE} {CHINESE}"):
        canvas.text(room, text, Style(size, lines=2))
        canvas.number(room, text, Style(size))
        canvas.cells(500, 200, text, Style(size))
    assert canvas.surface.get_bounding_rect().size == (600, 300)
    assert len(set(canvas.surface.get_view("2").raw)) == 1


def test_a_number_with_a_foreign_letter_is_drawn_as_one(chinese: Path):
    setter = Typesetter([chinese])
    ((left, sprite),) = setter.signs(f"{CHINESE[0]}12", "Bold", 120, INK)
    assert left == 0
    assert sprite.width == setter.line(f"{CHINESE[0]}12", "Bold", 120).width
    assert len(setter.signs("1012", "Bold", 120, INK)) == 4


LONG = "Đăngkýkếthôncóyếutốnướcngoài"


def rows(setter: Typesetter, text: str, room: tuple[int, int], lines: int, size: int = 20) -> tuple[list[str], bool]:
    """What stands on each line, and whether anything was left out."""
    block = setter.fit(text, "Regular", size, size, room, lines, 1.0)
    assert block.width <= room[0]
    return [line.text for line in block.lines], block.cut


def test_a_long_word_of_which_every_row_fits_has_no_dots():
    setter = Typesetter()
    shown, cut = rows(setter, LONG, (120, 400), 6)
    assert len(shown) > 2
    assert ("".join(shown), cut) == (LONG, False)
    shown, cut = rows(setter, LONG, (120, 400), 2)
    assert (len(shown), shown[-1][-1], cut) == (2, "…", True)
    shown, cut = rows(setter, LONG, (120, 50), 6)
    assert (shown[-1][-1], cut) == ("…", True), "too low for all its rows"


PARTS = ["Đăngký", "kếthôn", "cóyếutố", "nướcngoài"]


@pytest.mark.parametrize(
    "text", ["\u200b".join(PARTS), "Đăngký\u200bkếthôn \u200b cóyếutố\u200b\u200b nướcngoài\u200b"]
)
def test_a_line_may_end_at_a_zero_width_space_and_at_no_letter(text: str):
    setter = Typesetter()
    widest = max(setter.line(part, "Regular", 20).width for part in PARTS)
    for width in range(int(widest) + 1, 400, 7):
        shown, cut = rows(setter, text, (width, 400), 4)
        left = list(PARTS)
        for row in shown:
            words = [word for word in row.replace("\u00a0", " ").replace("\u200b", " ").split(" ") if word]
            assert words == left[: len(words)], width
            del left[: len(words)]
        assert (left, cut) == ([], False)


def test_a_zero_width_space_draws_nothing():
    setter = Typesetter()
    text = "Đăngký\u200bkếthôn"
    assert setter.line(text, "Regular", 100).width == setter.line("Đăngkýkếthôn", "Regular", 100).width
    assert ink(setter, text) == ink(setter, "Đăngkýkếthôn")
    ((row, *more), _) = rows(setter, "Đăngký \u200b kếthôn cóyếutố", (170, 400), 4)
    assert row == "Đăngký kếthôn"
    assert len(more) == 1
    ((row, *more), _) = rows(setter, f"{text} cóyếutố", (170, 400), 4)
    assert (row.replace("\u200b", ""), more) == ("Đăngkýkếthôn", ["cóyếutố"])
    assert not ink(setter, "\u200b")


def test_a_text_of_zero_width_spaces_alone_can_be_set_where_there_is_no_room():
    block = Typesetter().fit("\u200b \u200b\u200b", "Regular", 20, 20, (0, 0), 2, 1.0)
    assert [line.text.strip("\u200b…") for line in block.lines] == [""]


@pytest.mark.parametrize("joiner", ["\u2060", "\u200d", "\u0303"])
def test_a_word_is_parted_neither_at_a_joiner_nor_before_a_mark(joiner: str):
    setter = Typesetter()
    text = "Đăngkýk" + joiner + "ếthôn"
    for width in range(30, 130):
        shown, _ = rows(setter, text, (width, 900), 20)
        assert len(shown) == 1 or all(row[0] != joiner for row in shown), width
        assert joiner == "\u0303" or len(shown) == 1 or all(row[-1] != joiner for row in shown), width


def test_a_view_of_known_letters_opens_no_other_font(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")

    def never() -> list[tuple[Path, Path]]:
        raise AssertionError("other fonts were looked for")

    monkeypatch.setattr(fonts, "installed", never)
    with Screen([Output("take", (1280, 800))], blind_ok=True) as screen:
        assert screen.show("take", TAKE)


def test_a_font_that_sdl_cannot_open_stands_in_for_nothing(
    tmp_path: Path, chinese: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    opened = pygame.font.Font

    def refusing(path: str, size: int) -> pygame.font.Font:
        if path == str(chinese):
            raise pygame.error("it has pictures of one size only")
        return opened(path, size)

    monkeypatch.setattr(pygame.font, "Font", refusing)
    setter = Typesetter([chinese])
    assert setter.line(f"7 {CHINESE}", "Regular", 100).width == setter.line("7", "Regular", 100).width
    assert "it has pictures of one size only" in caplog.text


def test_a_screen_opens_with_a_font_that_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    place = fonts.SYSTEM / "dejavu"
    place.mkdir(parents=True)
    for name, weight in (("DejaVuSans.ttf", "Regular"), ("DejaVuSans-Bold.ttf", "Bold")):
        shutil.copy(fonts.bundled(weight), place / name)
    monkeypatch.setattr(fonts, "BUNDLED", tmp_path / "nothing")
    with Screen([Output("take", (1280, 800))], blind_ok=True) as screen:
        assert screen.show("take", TAKE)
        assert "Hộ tịch" in {box.text for box in screen.texts("take")}


# --- kiosk check


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """What `kiosk check` says of fonts."""

    def lines(*fonts_of_screen: str) -> list[str]:
        file = tmp_path / "kiosk.toml"
        file.write_text(f'data_dir = "data"\nlanguage = "en"\n[screen]\nfonts = {list(fonts_of_screen)}\n')
        main(["check", "--config", str(file)])
        return [line for line in capsys.readouterr().out.splitlines() if "Font:" in line]

    return lines


def test_check_names_a_broken_font_and_its_stand_in(
    check: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert check() == ["OK    Font: BeVietnamPro"]
    place = fonts.SYSTEM / "dejavu"
    place.mkdir(parents=True)
    shutil.copy(fonts.bundled("Regular"), place / "DejaVuSans.ttf")
    own = tmp_path / "own"
    own.mkdir()
    for weight in fonts.WEIGHTS[1:]:
        shutil.copy(fonts.bundled(weight), own)
    monkeypatch.setattr(fonts, "BUNDLED", own)
    fonts.choose.cache_clear()
    (line,) = check()
    assert line.startswith("TO DO Font: DejaVuSans.ttf stands in")
    assert "BeVietnamPro-Regular.ttf cannot be read" in line
    shutil.rmtree(place)
    fonts.choose.cache_clear()
    (line,) = check()
    assert "fonts-dejavu-core" in line


def test_check_names_a_font_of_the_office_that_is_not_there(
    check: Callable[..., list[str]], tmp_path: Path, chinese: Path
):
    assert len(check("chinese.ttf")) == 1
    _, wrong = check("chinese.ttf", "khmer.ttf")
    assert wrong.startswith(f"TO DO Font: {tmp_path}/khmer.ttf cannot be read")


@pytest.mark.parametrize("letter", ["\ufffc", "\u034f", "\u17b4", "\u180b", "\U00011d45"])
@pytest.mark.parametrize("text", ["{}", "Xin {} chào", "Chứng thực {}", "{} 1013"])
def test_an_invisible_letter_that_somebody_pasted_costs_no_picture(letter: str, text: str):
    surface = pygame.Surface((600, 200), 0, 32)
    canvas = Canvas(Kit(), surface, Record())
    canvas.text(pygame.Rect(0, 0, 600, 100), text.format(letter), Style(40, "Bold"))
    canvas.number(pygame.Rect(0, 100, 600, 100), text.format(letter), Style(40, "Bold"))


def test_a_part_that_cannot_be_drawn_leaves_the_others_and_is_named_once(caplog: pytest.LogCaptureFixture):
    def fails(canvas: Canvas, rect: pygame.Rect) -> None:
        raise pygame.error("Text has zero width")

    def paints(canvas: Canvas, rect: pygame.Rect) -> None:
        canvas.fill(rect, (1, 2, 3))

    frame = Frame(Kit(), (200, 100))
    for key in (1, 2):
        left = Region("left", pygame.Rect(0, 0, 100, 100), key, fails)
        frame.show([left, Region("right", pygame.Rect(100, 0, 100, 100), key, paints)])
    assert tuple(frame.surface.get_at((150, 50)))[:3] == (1, 2, 3)
    assert [record.getMessage() for record in caplog.records if record.name == "kiosk.views.canvas"] == [
        "the part “left” of a picture cannot be drawn: Text has zero width"
    ]


def test_a_text_that_towers_over_its_room_stays_in_it():
    canvas = Canvas(Kit(), pygame.Surface((600, 200), 0, 32), Record())
    room = pygame.Rect(0, 40, 500, 30)
    box = canvas.text(room, "a" + "\u0301" * 30, Style(40, "Bold"))
    assert box.h <= 2 * room.h
    assert canvas.text(pygame.Rect(0, 0, -18, 35), "Hộ tịch", Style(20, "Bold")).size == (0, 0)
