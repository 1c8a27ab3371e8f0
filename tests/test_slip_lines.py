"""How paragraphs break: even lines, no short word alone at the end, nothing torn apart that belongs together."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.column import Layout
from kiosk.office import sample
from kiosk.slip import layout
from kiosk.typeset import NBSP, length, wrap
from tests.printing import LONG_OFFICE, slip, worst

LANGUAGES = Path(__file__).parent.parent / "kiosk" / "lang"
VALUES = {
    "linh_vuc": "Bảo trợ xã hội – Người có công", "quay": "1, 2, 3, 4, 5, 6, 7, 8", "buoi": "chiều", "n": "10.234",
    "tu": "120", "den": "150", "giay_to": "CCCD, giấy chứng sinh (nếu khai sinh)", "gio": "08:42",
    "ngay": "23/11/2026", "so_dt": "0234 3456 789", "so": "40125", "ong_ba": "Ông/Bà",
}  # fmt: skip
LOOKS = "Phía trước còn 5 người · chờ khoảng 10–20 phút"
"""A line of which a break before the last word would leave that word alone."""
SIZES = [("Medium", 20), ("Medium", 22), ("Medium", 24), ("Bold", 28)]


def sentences() -> list[str]:
    """All that slips say in both languages, with values of every day, and the longest names."""
    said = [
        text.format(**VALUES)
        for language in ("vi", "en")
        for text in tomllib.loads((LANGUAGES / f"{language}.toml").read_text())["slip"].values()
    ]
    names = [service.name for service in sample().services]
    papers = ["Giấy tờ cần có: " + ", ".join(service.papers) for service in sample().services if service.papers]
    return [*said, *names, *papers, LOOKS, LONG_OFFICE, worst().header[0], worst().papers, worst().place]


def is_widow(lines: tuple[str, ...], weight: str, size: int, width: int) -> bool:
    """A last line of one short word, although a word of the line before could have come with it."""
    if len(lines) == 1 or " " in lines[-1] or length(lines[-1], weight, size) >= 0.4 * width:
        return False
    before, _, last = lines[-2].rpartition(" ")
    return bool(before) and length(f"{last} {lines[-1]}", weight, size) <= width


@pytest.mark.parametrize(("weight", "size"), SIZES)
def test_no_sentence_of_a_slip_ends_in_a_short_word_alone_on_any_paper(weight: str, size: int):
    for text in sentences():
        for width in range(12 * size, 576, 5):
            lines = wrap(text, weight, size, width)
            assert not is_widow(lines, weight, size, width), lines
            assert len(lines) == 1 or len(lines[-1]) > 5, lines


@pytest.mark.parametrize(("weight", "size"), SIZES)
def test_no_line_of_a_slips_sentence_is_less_than_a_third_as_long_as_another(weight: str, size: int):
    for text in sentences():
        for width in range(14 * size, 576, 5):
            widths = [length(line, weight, size) for line in wrap(text, weight, size, width)]
            assert min(widths) > max(widths) / 3, (text, width, wrap(text, weight, size, width))


WORDS = st.lists(st.text(alphabet="aàảhiệnưỡgpx", min_size=1, max_size=9), min_size=1, max_size=30)


@settings(max_examples=300, deadline=None)
@given(WORDS, st.integers(200, 564), st.sampled_from(SIZES))
def test_whatever_the_words_every_one_is_printed_in_the_fewest_lines_and_none_is_a_widow(
    words: list[str], width: int, style: tuple[str, int]
):
    weight, size = style
    lines = wrap(" ".join(words), weight, size, width)
    assert " ".join(lines).split() == words
    assert all(length(line, weight, size) <= width for line in lines)
    assert len(lines) == fewest(words, weight, size, width)
    assert not is_widow(lines, weight, size, width), lines


def fewest(words: list[str], weight: str, size: int, width: int) -> int:
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if length(longer, weight, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return len(lines)


def test_lines_break_behind_a_comma_or_before_a_places_name_where_they_may():
    assert wrap("Giấy tờ cần có: CCCD, bản chính và bản sao", "Medium", 24, 400)[0].endswith("CCCD,")
    assert wrap(LONG_OFFICE, "Medium", 24, 564)[1].replace(NBSP, " ") == "XÃ CHÂN MÂY - LĂNG CÔ"


@pytest.mark.parametrize("width", range(200, 560, 9))
def test_a_figure_stays_with_its_word_and_its_unit_and_a_telephone_number_in_one_piece(width: int):
    lines = wrap("Quầy 12 · chờ khoảng 120–150 phút · gọi 0234 3456 789 ngày 23/11/2026", "Medium", 24, width)
    whole = " / ".join(line.replace(NBSP, " ") for line in lines)
    for together in ("Quầy 12 ·", "khoảng 120–150 phút ·", "0234 3456 789", "ngày 23/11/2026"):
        assert length(together, "Medium", 24) > width or together in whole, whole


@pytest.mark.parametrize("width", [576, 384])
def test_facts_stand_on_one_line_or_break_at_their_dot(width: int):
    short, long = "Chờ trước: 5", "Chờ khoảng 120–150 phút"
    lines = [box.image.width for box in layout(slip(ahead=short, wait=long), width).boxes if box.name == "ahead"]
    assert len(lines) == (1 if width == 576 else 2)
    part = length(short, "Bold", 26) / length(long, "Bold", 26)
    assert lines[0] / lines[-1] == pytest.approx(part if width == 384 else 1, abs=0.05)


def test_what_does_not_fit_ends_in_an_ellipsis_behind_a_whole_item_if_it_can():
    text = "Giấy tờ cần có: căn cước công dân, giấy chứng nhận quyền sử dụng đất, tờ khai theo mẫu, ảnh 4×6"
    one, two = wrap(text, "Medium", 22, 564, 1), wrap(text, "Medium", 22, 564, 2)
    assert [line.replace(NBSP, " ") for line in one] == ["Giấy tờ cần có: căn cước công dân, …"]
    assert two[1].endswith(f"ảnh{NBSP}4×6")
    assert wrap(f"{text}, quyết định đang có", "Medium", 22, 564, 2)[1].replace(NBSP, " ").endswith("theo mẫu, …")
    assert wrap(text, "Medium", 22, 564, 3)[-1].endswith(f"ảnh{NBSP}4×6")
    (cut,) = wrap("Vui lòng giữ phiếu và chờ gọi số cho đến khi Ông/Bà được gọi", "Medium", 22, 300, 1)
    assert cut.endswith("…")
    assert length(cut, "Medium", 22) <= 300


@settings(max_examples=100, deadline=None)
@given(WORDS, st.integers(80, 400), st.integers(1, 4))
def test_a_cut_paragraph_keeps_to_its_lines_and_to_its_width(words: list[str], width: int, most: int):
    lines = wrap(", ".join(words), "Medium", 24, width, most)
    assert len(lines) <= most
    assert all(length(line, "Medium", 24) <= width for line in lines)
    assert "…" not in "".join(lines[:-1])


def rows_of_white(plan: Layout, name: str) -> list[tuple[int, int]]:
    """Dots of white above and below each box of this name."""
    found = []
    for rule in (box for box in plan.boxes if box.name == name):
        others = [box for box in plan.boxes if box is not rule]
        above = max((box.bottom for box in others if box.bottom <= rule.top), default=0)
        below = min((box.top for box in others if box.top >= rule.bottom), default=plan.height)
        found.append((rule.top - above, below - rule.bottom))
    return found


@pytest.mark.parametrize("width", [576, 384])
@pytest.mark.parametrize("content", [slip(), worst(), replace(worst(), papers="", hotline="gjpqy ỬỔ")])
def test_no_rule_touches_a_text_and_the_code_keeps_its_white(content, width: int):
    plan = layout(content, width)
    (code,) = (box for box in plan.boxes if box.name == "qr")
    for above, below in rows_of_white(plan, "rule"):
        assert below >= 9
        assert above >= 9 or above == plan_gap_below(plan, code)
    assert not [box for box in plan.boxes if box.name == "rule" and code.top - 4 < box.top < code.bottom]


def plan_gap_below(plan: Layout, code) -> int:
    """White between the code's box, which brings its own quiet zone, and the rule that follows."""
    return min((box.top - code.bottom for box in plan.boxes if box.top >= code.bottom), default=0)


@pytest.mark.parametrize("width", [576, 384])
def test_what_stands_beside_the_code_is_no_taller_than_it_and_on_no_quiet_zone(width: int):
    plan = layout(worst(), width)
    (code,) = (box for box in plan.boxes if box.name == "qr")
    beside = [box for box in plan.boxes if box.left >= code.right and code.top <= box.top < code.bottom]
    assert {box.name for box in beside} >= {"qr_caption"}
    assert all(box.bottom <= code.bottom for box in beside)
    for one, other in pairwise(beside):
        assert other.top > one.bottom
