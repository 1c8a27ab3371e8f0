"""Letters that the bundled font lacks come from another font or are left out and named, and never print as boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from kiosk import fonts as font_files
from kiosk import parts, typeset
from kiosk.calibration import LETTERS
from kiosk.clock import SystemClock
from kiosk.config import load_config
from kiosk.fonts import Face, Faces, letters
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.slip import SlipContent, layout, render
from kiosk.store import Store
from kiosk.texts import Texts
from kiosk.typeset import clean, font_file, length, strip, wrap
from tests.printing import forget_letters, slip, url

KHMER = "\u179f\u17c6"
"""Two letters that neither the bundled font nor DejaVu has."""


LINES = sorted({field.name for field in fields(SlipContent) if field.type == "str"})


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where installed fonts of other scripts are looked for."""
    monkeypatch.setattr(font_files, "SYSTEM", tmp_path / "truetype")
    forget_letters()
    folder = tmp_path / "truetype" / "noto"
    folder.mkdir(parents=True)
    yield folder
    typeset.use([])
    forget_letters()


def make_font(path: Path, drawn: str, height: int = 700) -> None:
    """A font whose letters are solid boxes."""
    names = {letter: f"u{ord(letter):04X}" for letter in drawn}
    square = TTGlyphPen(None)
    for corner in ((0, 0), (0, height), (500, height), (500, 0)):
        (square.lineTo if corner != (0, 0) else square.moveTo)(corner)
    square.closePath()
    full, empty = square.glyph(), TTGlyphPen(None).glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(letter): name for letter, name in names.items()})
    builder.setupGlyf({".notdef": empty} | dict.fromkeys(names.values(), full))
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
        assert not letters(font_file(weight)).lacks(LETTERS + LETTERS.upper() + " 0123456789 ·–-…×:,.!/()")


def test_letters_that_no_font_has_are_left_out_and_named_once(fonts: Path, caplog: pytest.LogCaptureFixture):
    for number in ("1001", "1002", "1003"):
        strange = render(slip(number, service=f"Hộ tịch {KHMER}"))
        assert strange.tobytes() == render(slip(number)).tobytes()
    (record,) = caplog.records
    assert "U+179F KHMER LETTER SA" in record.message
    assert "left out. Install a font" in record.message


def test_letters_that_another_font_has_are_drawn_with_it(fonts: Path):
    make_font(fonts / "NotoSansKhmer-Regular.ttf", KHMER)
    assert clean(f"Hộ tịch {KHMER}") == f"Hộ tịch {KHMER}"
    plain, more = strip("Hộ tịch", "Bold", 40), strip(f"Hộ tịch {KHMER}", "Bold", 40)
    assert ink(more.image) - ink(plain.image) == pytest.approx(2 * 20 * 28, rel=0.1)
    assert more.image.width <= length(f"Hộ tịch {KHMER}", "Bold", 40)


def test_a_font_that_cannot_be_read_or_drawn_with_is_passed_over(
    fonts: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    opened = typeset.ImageFont.truetype

    def refusing(path: str, *args: object, **options: object) -> object:
        if "NotoSansA" in path:
            raise OSError("invalid pixel size")
        return opened(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(typeset.ImageFont, "truetype", refusing)
    make_font(fonts / "NotoSansA-Regular.ttf", KHMER)
    (fonts / "NotoSansB-Regular.ttf").write_bytes(b"no font")
    assert clean(KHMER) == ""
    assert "NotoSansA-Regular.ttf cannot be drawn with (invalid pixel size)" in caplog.text
    forget_letters()
    make_font(fonts / "NotoSansC-Regular.ttf", KHMER)
    assert clean(KHMER) == KHMER


def test_bold_letters_come_from_a_bold_font_if_there_is_one(fonts: Path):
    for name, height in (("NotoSansK-Regular", 400), ("NotoSansK-Bold", 700)):
        make_font(fonts / f"{name}.ttf", KHMER, height=height)
    assert [strip(KHMER, weight, 40).image.height for weight in ("Medium", "Bold", "ExtraBold")] == [16, 28, 28]


def test_the_fonts_of_the_configuration_are_asked_before_the_installed_ones(fonts: Path, tmp_path: Path):
    make_font(fonts / "NotoSansK-Regular.ttf", KHMER, height=400)
    make_font(tmp_path / "mine.ttf", KHMER, height=700)
    assert strip(KHMER, "Medium", 40).image.height == 16
    typeset.use([tmp_path / "mine.ttf"])
    assert strip(KHMER, "Medium", 40).image.height == 28


def test_the_printer_is_given_the_fonts_of_the_screens(fonts: Path, tmp_path: Path, store: Store):
    make_font(tmp_path / "mine.ttf", KHMER)
    assert clean(KHMER) == ""
    (tmp_path / "kiosk.toml").write_text(
        f'data_dir = "{tmp_path}"\n[printer]\nurl = "none"\n[screen]\nfonts = ["mine.ttf"]\n'
    )
    config = load_config(tmp_path / "kiosk.toml")
    parts.open_printing(config, Words(sample(), Texts("vi")), store, SystemClock(), lambda _: None).close()
    assert clean(KHMER) == KHMER


def test_slips_and_screens_set_each_word_with_the_same_font(fonts: Path):
    """A word of two scripts stays whole where one font has all of it, and a slip cuts it as a screen does."""
    make_font(fonts / "NotoSansA-Regular.ttf", KHMER[0])
    make_font(fonts / "NotoSansB-Regular.ttf", KHMER + "So")
    screens = Faces()
    for word in (KHMER, KHMER[0], f"So{KHMER}", f"Số{KHMER}", f"{KHMER[1]}a{KHMER[0]}"):
        shown = [(run, face and face.regular) for run, face in screens.pieces(word)]
        assert shown == [(run, face and face.regular) for run, face in runs(word)]


def runs(word: str) -> list[tuple[str, Face | None]]:
    """What the slip draws at a time, single letters of the bundled font put together."""
    found: list[tuple[str, Face | None]] = []
    for piece in typeset._pieces(word):
        if not isinstance(piece, str):
            found.append(piece)
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0] + piece, None)
        else:
            found.append((piece, None))
    return found


def test_a_letter_that_no_font_has_is_looked_for_once(fonts: Path, monkeypatch: pytest.MonkeyPatch):
    make_font(fonts / "NotoSansA-Regular.ttf", "A")
    asked: list[Path] = []
    monkeypatch.setattr(typeset, "_opens", lambda path: asked.append(path) or True)
    for number in "123":
        assert clean(f"{KHMER} {number}") == number
    assert asked == [fonts / "NotoSansA-Regular.ttf"] * 2, "its bold one is itself"


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
    make_font(fonts / "NotoSansKhmer-Regular.ttf", KHMER)
    lines = wrap(KHMER * 60, "Medium", 24, 300, 2)
    assert len(lines) == 2
    assert all(length(line, "Medium", 24) <= 300 for line in lines)
    assert layout(replace(slip(), service=KHMER * 200)).height <= 840
