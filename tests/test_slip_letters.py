"""Letters that the bundled font lacks come from another font or are left out and named, and never print as boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from kiosk import typeset
from kiosk.calibration import LETTERS
from kiosk.slip import SlipContent, layout, render
from kiosk.typeset import clean, font_file, length, letters, strip, wrap
from tests.printing import forget_letters, slip, url

KHMER = "\u179f\u17c6"
"""Two letters that neither the bundled font nor DejaVu has."""


LINES = sorted({field.name for field in fields(SlipContent) if field.type == "str"})


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where other fonts are looked for."""
    monkeypatch.setattr(typeset, "FONT_FOLDERS", (tmp_path,))
    forget_letters()
    yield tmp_path
    forget_letters()


def make_font(path: Path, drawn: str, blank: str = "") -> None:
    """A font whose letters are solid squares, or have no outline."""
    names = {letter: f"u{ord(letter):04X}" for letter in drawn + blank}
    square = TTGlyphPen(None)
    for corner in ((0, 0), (0, 700), (500, 700), (500, 0)):
        (square.lineTo if corner != (0, 0) else square.moveTo)(corner)
    square.closePath()
    full, empty = square.glyph(), TTGlyphPen(None).glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(letter): name for letter, name in names.items()})
    builder.setupGlyf({".notdef": empty} | {names[letter]: full if letter in drawn else empty for letter in names})
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(str(path))


def ink(image: Image.Image) -> int:
    return image.convert("L").histogram()[0]


def test_the_font_has_every_vietnamese_letter_and_what_slips_say_else():
    for weight in ("Regular", "Medium", "Bold", "ExtraBold"):
        assert letters(font_file(weight)).issuperset(LETTERS + LETTERS.upper() + " 0123456789 ·–-…×:,.!/()")


def test_letters_that_no_font_has_are_left_out_and_named_once(fonts: Path, caplog: pytest.LogCaptureFixture):
    for number in ("1001", "1002", "1003"):
        strange = render(slip(number, service=f"Hộ tịch {KHMER}"))
        assert strange.tobytes() == render(slip(number)).tobytes()
    (record,) = caplog.records
    assert "U+179F KHMER LETTER SA" in record.message
    assert "left out: install a font" in record.message


def test_letters_that_another_font_has_are_drawn_with_it(fonts: Path, caplog: pytest.LogCaptureFixture):
    make_font(fonts / "Khmer.ttf", KHMER)
    assert clean(f"Hộ tịch {KHMER}") == f"Hộ tịch {KHMER}"
    plain, more = strip("Hộ tịch", "Bold", 40), strip(f"Hộ tịch {KHMER}", "Bold", 40)
    assert ink(more.image) - ink(plain.image) == pytest.approx(2 * 20 * 28, rel=0.1)
    assert more.image.width <= length(f"Hộ tịch {KHMER}", "Bold", 40)
    assert "printed with another font" in caplog.text


def test_a_font_that_has_a_letter_but_does_not_draw_it_is_passed_over(fonts: Path):
    make_font(fonts / "A-Empty.ttf", drawn="", blank=KHMER)
    (fonts / "B-Broken.ttf").write_bytes(b"no font")
    assert clean(KHMER) == ""
    forget_letters()
    make_font(fonts / "C-Khmer.ttf", KHMER)
    assert clean(KHMER) == KHMER


def test_bold_letters_come_from_a_bold_font_if_there_is_one(fonts: Path):
    for name in ("Khmer-Regular", "Khmer-Bold", "Khmer-BoldItalic"):
        make_font(fonts / f"{name}.ttf", KHMER)
    assert typeset.other_font(KHMER[0], heavy=True) == fonts / "Khmer-Bold.ttf"
    assert typeset.other_font(KHMER[0], heavy=False) == fonts / "Khmer-Regular.ttf"


def test_a_service_without_a_printable_letter_costs_its_name_and_not_the_slip(fonts: Path):
    plan = layout(slip(service=KHMER))
    assert [box for box in plan.boxes if box.name == "number"]
    assert not [box for box in plan.boxes if box.name == "service"]


@pytest.mark.parametrize("width", [576, 384])
def test_a_slip_of_which_only_the_number_can_be_printed_is_the_number_and_the_code(fonts: Path, width: int):
    strange = replace(SlipContent(KHMER, KHMER), **dict.fromkeys(LINES, KHMER))  # type: ignore[arg-type]
    strange = replace(strange, number="1012", qr_url=url("1012"), header=(KHMER,) * 2, second=(KHMER,) * 2)
    assert [box.name for box in layout(strange, width).boxes] == ["number", "qr"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hộ\ttịch\n", "Hộ tịch"),
        ("  Hộ   tịch ", "Hộ tịch"),
        ("Ho\u0302\u0323 ti\u0323ch", "Hộ tịch"),
        ("Hộ\u200b tịch\ufeff\ufe0f", "Hộ tịch"),
        ("10\u202fphút", "10\u00a0phút"),
        ("a\ud800b", "ab"),
        ("", ""),
    ],
)
def test_what_is_no_letter_is_no_mark_on_paper_either(fonts: Path, text: str, shown: str):
    assert clean(text) == shown


def test_a_line_of_letters_is_as_wide_as_it_was_reckoned():
    for text in ("Bảo trợ xã hội – Người có công", "ỦY BAN NHÂN DÂN XÃ MẪU", "1012"):
        for weight, size in (("Medium", 22), ("Bold", 48), ("ExtraBold", 200)):
            assert (
                0.9 * length(text, weight, size) < strip(text, weight, size).image.width <= length(text, weight, size)
            )


def test_letters_set_one_by_one_look_like_the_line_that_pillow_draws():
    text, size = "Quầy 1, 2 · Buổi sáng", 28
    face = typeset.font("Medium", size)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(text, anchor="ls"))
    whole = Image.new("L", (right - left, bottom - top), 0)
    typeset.ImageDraw.Draw(whole).text((-left, -top), text, fill=255, font=face, anchor="ls")
    mine = strip(text, "Medium", size).image
    theirs = whole.convert("1", dither=Image.Dither.NONE)
    theirs = theirs.crop(theirs.getbbox())
    assert abs(ink(mine) - theirs.convert("L").histogram()[255]) <= 0.01 * ink(mine)
    assert abs(mine.width - theirs.width) <= 1


def test_a_word_of_another_font_may_be_wrapped_and_cut(fonts: Path):
    make_font(fonts / "Khmer.ttf", KHMER)
    lines = wrap(KHMER * 60, "Medium", 24, 300, 2)
    assert len(lines) == 2
    assert all(length(line, "Medium", 24) <= 300 for line in lines)
    assert layout(replace(slip(), service=KHMER * 200)).height <= 840
