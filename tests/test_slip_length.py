"""How long a slip may be and what gives way first: no more paper than 105 mm, and never the number or the code."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise, product
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from kiosk.column import Box, Layout
from kiosk.office import Office, sample
from kiosk.present.slips import slip_content
from kiosk.present.words import Words
from kiosk.slip import FORMS, LIMIT_NARROW, LIMIT_WIDE, SlipContent, composed, layout, render
from kiosk.store import Store
from kiosk.store.spool import SlipFacts
from kiosk.texts import Texts
from tests.office import moment
from tests.printing import LONG_OFFICE, read_qr, slip, url, worst

PLAIN_URL = url("40125")
LONG_URL = "HTTPS://MOTCUA.XA-CHAN-MAY-LANG-CO.THUATHIENHUE.GOV.VN/T/ABCDEFGHJKLMNPQR"
PAPERS = "Giấy tờ cần có: căn cước công dân, giấy chứng nhận quyền sử dụng đất, tờ khai theo mẫu, ảnh 4×6, " * 2
FULL = replace(
    worst(),
    ahead="Số người chờ trước: 10.234",
    wait="Chờ khoảng 120–150 phút",
    papers=PAPERS.strip(", "),
    qr_url=LONG_URL,
    second=("Number 40125 – Social support for people of merit", "Please wait until your number is called"),
)
LIMITS = {576: LIMIT_WIDE, 384: LIMIT_NARROW}
WORDY = " ".join(["Bảo trợ xã hội"] * 50)


@pytest.fixture
def emblem(tmp_path: Path) -> Path:
    mark = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    ImageDraw.Draw(mark).ellipse((5, 5, 395, 395), fill="red")
    mark.save(tmp_path / "emblem.png")
    return tmp_path / "emblem.png"


def combinations(emblem: Path) -> list[SlipContent]:
    """The longest real names with and without each part that a slip may have."""
    choices: list[tuple[str, tuple[object, object]]] = [
        ("priority", ("ƯU TIÊN", "")),
        ("reprint", ("IN LẠI", "")),
        ("second", (FULL.second, ())),
        ("logo", (emblem, None)),
        ("papers", (FULL.papers, "")),
        ("qr_url", (LONG_URL, PLAIN_URL)),
    ]
    names = [name for name, _ in choices]
    return [
        replace(FULL, **dict(zip(names, values, strict=True)))  # type: ignore[arg-type]
        for values in product(*(values for _, values in choices))
    ]


def boxes(plan: Layout, name: str) -> list[Box]:
    return [box for box in plan.boxes if box.name == name]


def test_with_the_longest_names_every_combination_fits_105_mm_of_80_mm_paper_and_its_code_can_be_read(emblem: Path):
    assert LIMIT_WIDE == 105 * 8
    for content in combinations(emblem):
        picture = render(content, 576)
        assert picture.height <= LIMIT_WIDE, content
        assert read_qr(picture) == [content.qr_url], content


def test_on_58_mm_paper_the_same_stays_within_125_mm_and_its_code_can_be_read(emblem: Path):
    for content in combinations(emblem):
        picture = render(content, 384)
        assert picture.height <= 125 * 8, content
        assert read_qr(picture) == [content.qr_url], content


@pytest.mark.parametrize("width", [576, 384])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_sample_offices_slips_are_within_the_limit_of_their_paper(store: Store, language: str, width: int):
    words = Words(sample(), Texts(language), "https://motcua.xa-mau.gov.vn")
    for service in words.office.services:
        issued = store.issuing.issue(moment(0), service.id, priority=True)
        content = slip_content(words, SlipFacts(issued.ticket, 10_234, (120, 150), copy=False))
        assert layout(content, width).height <= LIMITS[width]


def test_an_office_with_the_longest_names_of_its_own_is_within_the_limit(store: Store):
    office = sample()
    long = Words(_long(office), Texts("vi"), "https://motcua.xa-chan-may-lang-co.thuathienhue.gov.vn")
    issued = store.issuing.issue(moment(0), "bao-tro", priority=True)
    content = slip_content(long, SlipFacts(issued.ticket, 10_234, (120, 150), copy=True))
    assert content.ahead.endswith("10.234")
    assert content.place.startswith("Quầy 1, 2, 3, 4, 5, 6, 7, 8 ·")
    assert layout(content, 576).height <= LIMIT_WIDE


def _long(office: Office) -> Office:
    unit = replace(office.unit, head1="ỦY BAN NHÂN DÂN XÃ CHÂN MÂY - LĂNG CÔ", head2=LONG_OFFICE)
    counters = tuple(replace(office.counters[0], id=f"{n}", label=f"{n}", services=("bao-tro",)) for n in range(1, 9))
    return replace(office, unit=unit, counters=counters)


@pytest.mark.parametrize("width", [576, 384])
def test_whatever_gives_way_number_service_people_ahead_and_code_stay(width: int, emblem: Path):
    plan = layout(replace(FULL, logo=emblem), width)
    for name in ("logo", "number", "service", "ahead", "qr", "priority", "reprint", "papers", "hotline", "second"):
        assert boxes(plan, name), name
    (number,) = boxes(plan, "number")
    tallest = max(box.image.height for box in plan.boxes if box.name not in ("number", "qr", "logo"))
    assert number.image.height > 1.5 * tallest
    (code,) = boxes(plan, "qr")
    assert code.image.width == (37 + 8) * 5  # five dots a module


@pytest.mark.parametrize("width", [576, 384])
def test_a_short_slip_gives_way_in_nothing(width: int):
    short = SlipContent("1012", "Hộ tịch", title="PHIẾU SỐ THỨ TỰ", priority="ƯU TIÊN", qr_url=PLAIN_URL)
    plan = layout(short, width)
    (mark,), (number,), (code,) = boxes(plan, "priority"), boxes(plan, "number"), boxes(plan, "qr")
    assert mark.top > number.bottom
    assert code.image.width == (29 + 8) * 6


def test_the_marks_go_up_beside_the_title_before_the_number_shrinks():
    low, high = layout(slip(priority="ƯU TIÊN")), layout(slip(priority="ƯU TIÊN", second=("One", "Two")))
    (mark,), (title,) = boxes(high, "priority"), boxes(high, "title")
    assert title.right < mark.left
    assert title.top < mark.bottom
    assert mark.top < title.bottom
    assert boxes(low, "number")[0].image.height >= boxes(high, "number")[0].image.height
    assert high.height <= LIMIT_WIDE


@pytest.mark.parametrize("width", [576, 384])
def test_each_further_form_is_at_most_as_long_as_the_one_before(width: int, emblem: Path):
    """The search for the first form that fits takes this for granted."""
    for content in (slip(), FULL, replace(FULL, logo=emblem, papers="")):
        heights = [composed(content, width, form).height(form.squeeze) for form in FORMS]
        assert all(later <= earlier + 2 for earlier, later in pairwise(heights)), heights


@pytest.mark.parametrize("width", [576, 384])
@pytest.mark.parametrize(
    "field", sorted({f.name for f in fields(SlipContent) if f.type == "str"} - {"number", "qr_url"})
)
def test_a_line_of_two_hundred_words_is_cut_and_not_printed_by_the_metre(field: str, width: int):
    assert layout(replace(FULL, **{field: WORDY}), width).height <= 1.35 * LIMITS[width]  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [576, 384])
def test_when_all_lines_are_absurd_the_slip_has_at_most_twice_its_length(width: int, emblem: Path):
    names = [field.name for field in fields(SlipContent) if field.type == "str" and field.name != "qr_url"]
    absurd = replace(FULL, **dict.fromkeys(names, WORDY))  # type: ignore[arg-type]
    absurd = replace(absurd, number="1234567890" * 6, header=(WORDY,) * 9, second=(WORDY,) * 9, logo=emblem)
    assert layout(absurd, width).height <= 2 * LIMITS[width]


@pytest.mark.parametrize("width", [576, 384])
@pytest.mark.parametrize("length", [1, 5, 8, 12, 25, 60])
def test_a_number_of_any_length_is_printed_whole_on_lines_as_long_as_each_other(length: int, width: int):
    number = ("1234567890" * 6)[:length]
    rows = boxes(layout(slip(number), width), "number")
    assert len(rows) == 1 or length > 8
    assert all(box.image.height >= 0.07 * width for box in rows)
    assert max(box.image.width for box in rows) <= width
    assert len(rows) * -(-length // len(rows)) - length < len(rows)
    for one, other in pairwise(rows):
        assert other.top > one.bottom


def test_no_digit_of_a_long_number_is_lost():
    rows = boxes(layout(slip("1" * 60), 576), "number")
    bars = [_bars(box.image) for box in rows]
    assert sum(bars) == 60


def _bars(image: Image.Image) -> int:
    """Separate strokes in the lowest row of a line of ones."""
    foot = [image.getpixel((at, image.height - 2)) == 0 for at in range(image.width)]
    return sum(now and not before for before, now in pairwise([False, *foot]))
