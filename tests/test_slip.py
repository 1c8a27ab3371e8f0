"""The slip as a picture: nothing cut off, nothing overlapping, the right words large, the code readable."""

from __future__ import annotations

import itertools
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kiosk import fonts
from kiosk.calibration import LETTERS, calibration
from kiosk.column import Box, Layout
from kiosk.slip import SlipContent, layout, render
from kiosk.typeset import FontMissing, TypesetError, best_size, length, strip, wrap
from tests.printing import LONG_OFFICE, forget_letters, read_qr, slip, url, worst

WIDTHS = [576, 384]


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    return image.point(lambda value: 255 - value).getbbox()


def overlap(one: Box, other: Box) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def check(plan: Layout) -> None:
    """Every box inside the paper, none over another, and each paragraph's ink apart from the next one's."""
    for box in plan.boxes:
        assert box.left >= 0, box.name
        assert box.right <= plan.width, box.name
        assert box.top >= 0, box.name
        assert box.bottom <= plan.height, box.name
    for one, other in itertools.combinations(plan.boxes, 2):
        assert not overlap(one, other), (one.name, other.name)


def named(plan: Layout, name: str) -> list[Box]:
    return [box for box in plan.boxes if box.name == name]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("content", [slip(), worst(), SlipContent("7", "Đất đai")])
def test_nothing_is_cut_off_and_nothing_overlaps(content: SlipContent, width: int) -> None:
    check(layout(content, width))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("field", [field.name for field in fields(SlipContent) if field.type == "str"])
def test_any_line_may_be_long(field: str, width: int) -> None:
    if field == "qr_url":
        return
    check(layout(replace(worst(), **{field: f"{LONG_OFFICE} ẲỔẪỬỖ gjqpy"}), width))


VIETNAMESE = st.text(alphabet=LETTERS + LETTERS.upper() + " 0123456789-–·:,.", max_size=120)


@settings(max_examples=40, deadline=None)
@given(st.lists(VIETNAMESE, min_size=6, max_size=6), st.sampled_from(WIDTHS))
def test_whatever_the_words_nothing_is_cut_off_and_nothing_overlaps(words: list[str], width: int) -> None:
    service, place, ahead, papers, header, number = words
    content = slip(
        number[:12] or "1", service=service, place=place, ahead=ahead, papers=papers, header=(header, service)
    )
    check(layout(replace(content, qr_url=url("1")), width))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_picture_holds_all_the_ink_of_its_boxes(width: int) -> None:
    plan = layout(worst(), width)
    picture = render(worst(), width)
    assert picture.mode == "1"
    assert picture.size == (plan.width, plan.height)
    for box in plan.boxes:
        drawn = picture.crop((box.left, box.top, box.right, box.bottom))
        assert drawn.tobytes() == box.image.tobytes(), box.name


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("content", [slip(), worst()])
def test_the_code_can_be_read(content: SlipContent, width: int) -> None:
    assert read_qr(render(content, width)) == [content.qr_url]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_code_has_modules_of_six_dots_four_modules_of_white_and_level_q(width: int) -> None:
    (box,) = named(layout(slip(), width), "qr")
    left, top, right, bottom = ink(box.image) or (0, 0, 0, 0)
    assert (left, top, box.image.width - right, box.image.height - bottom) == (24, 24, 24, 24)
    modules = (right - left) // 6
    assert modules * 6 == right - left
    assert modules == 29  # version 3: upper case keeps it small
    (code,) = zxingcpp.read_barcodes(box.image.convert("L"))
    assert code.ec_level == "Q"


def test_a_long_address_gets_smaller_modules_and_an_endless_one_is_refused() -> None:
    plan = layout(
        slip(qr_url="HTTPS://MOTCUA.XA-CHAN-MAY-LANG-CO.HUE.GOV.VN/DIEM-TIEP-NHAN-SO-HAI/T/0123456789ABCDEF"), 384
    )
    check(plan)
    assert read_qr(named(plan, "qr")[0].image)


def test_an_endless_address_costs_the_code_and_not_the_slip(caplog: pytest.LogCaptureFixture) -> None:
    for endless in ("X" * 1000, "X" * 9000, "X" * 9000):
        plan = layout(slip(qr_url=endless), 384)
        assert named(plan, "qr") + named(plan, "qr_caption") == []
        assert named(plan, "number")
    assert caplog.text.count("shorten public_url") == 2


@pytest.mark.parametrize(("width", "digit"), [(576, 130), (384, 95)])
@pytest.mark.parametrize("number", ["1012", "40125", "A-025", "88888"])
def test_the_number_is_as_large_as_the_paper_allows(number: str, width: int, digit: int) -> None:
    (box,) = named(layout(slip(number), width), "number")
    assert box.image.height >= digit or box.image.width >= 0.9 * width
    assert box.image.height >= 0.15 * width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_office_name_takes_three_lines_on_narrow_paper_and_fewer_on_wide(width: int) -> None:
    boxes = named(layout(SlipContent("1", "Hộ tịch", header=("UBND", LONG_OFFICE)), width), "header")
    assert len(boxes) - 1 == (3 if width == 384 else 2)
    assert all(box.image.height >= 18 for box in boxes)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_is_left_alone_on_the_last_line(width: int) -> None:
    for text in ("Phía trước còn 5 người · chờ khoảng 10–20 phút", LONG_OFFICE, slip().qr_caption, slip().not_receipt):
        lines = wrap(text, "Medium", 27, width)
        widths = [length(line, "Medium", 27) for line in lines]
        assert len(lines) == 1 or min(widths) > 0.5 * max(widths), lines


def test_lines_break_before_no_dash_and_within_no_quantity() -> None:
    for width in range(120, 500, 7):
        lines = wrap("XÃ CHÂN MÂY - LĂNG CÔ chờ khoảng 20 phút", "Medium", 24, width)
        assert not any(line.startswith(("-", "phút")) for line in lines), lines


def test_a_word_wider_than_the_paper_is_cut_and_not_lost() -> None:
    lines = wrap("x" * 100, "Medium", 24, 200)
    assert "".join(lines) == "x" * 100
    assert all(length(line, "Medium", 24) <= 200 for line in lines)


def test_type_shrinks_only_where_that_saves_a_line() -> None:
    assert best_size("Hộ tịch", "Bold", 564, 46, 35) == 46
    assert best_size("Bảo trợ xã hội – Người có công", "Bold", 564, 46, 35) < 46
    assert best_size("a b c d e f g " * 9, "Bold", 90, 46, 45) == 46


def test_decomposed_letters_are_composed_before_they_are_drawn() -> None:
    decomposed = replace(slip(), service=unicodedata.normalize("NFD", "Hộ tịch"))
    assert render(decomposed).tobytes() == render(slip()).tobytes()


def test_all_vietnamese_letters_differ_at_the_smallest_size() -> None:
    letters = sorted(set(LETTERS + LETTERS.upper()))
    assert len([letter for letter in letters if not letter.isascii()]) == 134
    for weight in ("Regular", "Medium", "Bold", "ExtraBold"):
        drawn = {(strip(letter, weight, 21).image.tobytes(), strip(letter, weight, 21).ascent) for letter in letters}
        assert len(drawn) == len(letters), weight


def test_marks_are_shown_only_when_they_are_said() -> None:
    assert [box.name for box in layout(slip()).boxes if box.name in ("priority", "reprint")] == []
    marked = layout(slip(priority="ƯU TIÊN", reprint="IN LẠI"))
    (black,), (framed,) = named(marked, "priority"), named(marked, "reprint")
    assert black.top == framed.top
    assert share_of_ink(black.image) > 0.6 > 0.4 > share_of_ink(framed.image)


def share_of_ink(image: Image.Image) -> float:
    return image.convert("L").histogram()[0] / (image.width * image.height)


def test_without_an_address_there_is_no_code_and_no_caption() -> None:
    names = {box.name for box in layout(slip(qr_url="")).boxes}
    assert not names & {"qr", "qr_caption"}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_logo_stands_in_the_head(width: int, tmp_path: Path) -> None:
    mark = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    ImageDraw.Draw(mark).ellipse((10, 10, 290, 190), fill="red")
    mark.save(tmp_path / "logo.png")
    plan = layout(worst(), width)
    with_logo = layout(replace(worst(), logo=tmp_path / "logo.png"), width)
    check(with_logo)
    (box,) = named(with_logo, "logo")
    assert ink(box.image)
    assert box.top < named(with_logo, "number")[0].top
    assert with_logo.height - plan.height < 100


def test_an_unreadable_logo_costs_the_logo_and_not_the_slip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "logo.png").write_bytes(b"no picture")
    for _ in range(3):
        assert named(layout(slip(logo=tmp_path / "logo.png")), "logo") == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("width", [0, 100, 575, 4096])
def test_a_width_that_no_printer_has_is_refused(width: int) -> None:
    with pytest.raises(TypesetError, match="576"):
        render(slip(), width)


@pytest.fixture
def fresh_fonts() -> Iterator[None]:
    forget_letters()
    yield
    forget_letters()


def test_a_missing_font_is_named_if_there_is_no_other(
    fresh_fonts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "BUNDLED", tmp_path)
    monkeypatch.setattr(fonts, "SYSTEM", tmp_path)
    with pytest.raises(FontMissing, match=r"BeVietnamPro-\w+\.ttf cannot be read .* fonts-dejavu-core"):
        render(slip())
    assert issubclass(FontMissing, FileNotFoundError)


def test_a_missing_font_is_replaced_with_one_warning_for_each_weight(
    fresh_fonts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "dejavu").mkdir()
    for name, weight in (("DejaVuSans.ttf", "Regular"), ("DejaVuSans-Bold.ttf", "Bold")):
        shutil.copy(fonts.bundled(weight), tmp_path / "dejavu" / name)
    monkeypatch.setattr(fonts, "SYSTEM", tmp_path)
    monkeypatch.setattr(fonts, "BUNDLED", tmp_path)
    check(layout(slip()))
    check(layout(slip("1013")))
    assert len(caplog.records) == len(fonts.WEIGHTS)
    assert "nstall the program again" in caplog.text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_calibration_sheet_has_both_edges_and_codes_of_three_sizes(width: int) -> None:
    sheet = calibration(width)
    assert sheet.width == width
    assert ink(sheet) == (0, (ink(sheet) or (0, 0))[1], width, sheet.height)
    found = zxingcpp.read_barcodes(sheet.convert("L"))
    sides = sorted(round((code.position.top_right.x - code.position.top_left.x) / 29) for code in found)
    assert sides == [4, 5, 6]
