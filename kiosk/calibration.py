"""The sheet of `kiosk print-test`: it shows what a printer can do, and how to set it. Pure picture, no printer.

A technician sees from it: both edges there (width), the ruler right (dots a millimetre), grey patches even (heat and
speed), all Vietnamese letters, which QR size a phone can read, and where the knife cuts.
"""

from __future__ import annotations

import unicodedata

from PIL import Image, ImageDraw

from kiosk.column import Column, Style, paint
from kiosk.symbol import qr
from kiosk.typeset import WHITE, strip

DOTS_PER_MM = 8
SAMPLE = "HTTPS://EXAMPLE.VN/T/0123456789ABCDEF"
VOWELS = "aăâeêioôơuưy"
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")  # ngang huyền hỏi ngã sắc nặng
LETTERS = "".join(unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES) + "đ"
STACKED = "ẰẲẴẮẶ ẦẨẪẤẬ ỀỂỄẾỆ ỒỔỖỐỘ ỜỞỠỚỢ ỪỬỮỨỰ"
PATCHES = (12, 25, 50, 75, 100)  # per cent of black
BAYER = (0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5)  # 4 × 4 ordered grid

HEAD = Style("Bold", 30, 25)
TEXT = Style("Medium", 23, 21)
ABC = Style("Medium", 28, 25)
CAPITALS = Style("Bold", 30, 27)
LABEL = 20


def calibration(width: int) -> Image.Image:
    """Draw the sheet in mode "1", `width` dots wide (a multiple of 8, 576 for 80 mm paper, 384 for 58 mm)."""
    column = Column(width)
    column.text("title", "THỬ MÁY IN · PRINT TEST", HEAD, 0)
    column.text("width", f"{width} điểm = {width // DOTS_PER_MM} mm. Phải thấy cả hai vạch ở mép.", TEXT, 16)
    column.text("width", f"{width} dots. Both bars at the edges must be visible.", TEXT, 14)
    column.art("ruler", ruler(width), 14)
    column.text("grey", "Độ đậm · Density (%)", TEXT, 24)
    column.art("grey", densities(width), 12)
    column.art("lines", lines(width), 16)
    _letters(column)
    column.text("qr", "Mã QR 4, 5, 6 điểm · QR of 4, 5, 6 dots", TEXT, 22)
    for row in _rows([(f"qr{dots}", _labelled(dots, width)) for dots in (4, 5, 6)], width):
        column.row(row, 8)
    column.parts("cut", ["Dao cắt ở dưới vạch này", "The knife cuts below this bar"], TEXT, 16)
    column.art("cut", Image.new("1", (width, 4), 0), 14)
    return paint(column.layout())


def _letters(column: Column) -> None:
    column.text("stacked", STACKED, CAPITALS, 26)
    column.text("upper", _spaced(LETTERS.upper()), ABC, 24)
    column.text("lower", _spaced(LETTERS), ABC, 22)
    for size in (20, 22, 24):
        column.text("size", f"{size}: Chứng thực, hộ tịch", Style("Medium", size, size, 0), 18)


def _spaced(letters: str) -> str:
    """Groups of one vowel, which keep together."""
    return " ".join(letters[at : at + len(TONES)] for at in range(0, len(letters), len(TONES)))


def ruler(width: int) -> Image.Image:
    """Millimetres along the paper's width, between bars at both edges."""
    image = Image.new("1", (width, 64), WHITE)
    draw = ImageDraw.Draw(image)
    for mm in range(width // DOTS_PER_MM + 1):
        tall = 26 if mm % 10 == 0 else 18 if mm % 5 == 0 else 10
        left = min(mm * DOTS_PER_MM, width - 1)
        draw.line((left, 0, left, tall), fill=0)
        if mm % 10 == 0 and 0 < left < width - 20:
            label = strip(str(mm), "Bold", LABEL).image
            image.paste(label, (left - label.width // 2, 36))
    draw.rectangle((0, 0, 2, 63), fill=0)
    draw.rectangle((width - 3, 0, width - 1, 63), fill=0)
    return image


def densities(width: int) -> Image.Image:
    """Patches of ordered dots: streaks show dead dots, filled-up ones too much heat."""
    image = Image.new("1", (width, 96), WHITE)
    side = width // len(PATCHES)
    for at, percent in enumerate(PATCHES):
        image.paste(_patch(side - 8, 64, percent), (at * side + 4, 0))
        label = strip(str(percent), "Bold", LABEL).image
        image.paste(label, (at * side + (side - label.width) // 2, 74))
    return image


def _patch(width: int, height: int, percent: int) -> Image.Image:
    image = Image.new("1", (width, height), WHITE)
    black = round(percent * len(BAYER) / 100)
    image.putdata(
        [0 if BAYER[row % 4 * 4 + column % 4] < black else WHITE for row in range(height) for column in range(width)]
    )
    return image


def lines(width: int) -> Image.Image:
    """Lines one, two and three dots thick, along and across: thin ones must not break."""
    image = Image.new("1", (width, 48), WHITE)
    draw = ImageDraw.Draw(image)
    for thick in (1, 2, 3):
        top = 16 * (thick - 1)
        draw.rectangle((0, top, width // 2 - 16, top + thick - 1), fill=0)
        part = width // 6
        for at in range(6):
            left = width // 2 + part * (thick - 1) + at * part // 6
            draw.rectangle((left, 0, left + thick - 1, 40), fill=0)
    return image


def _labelled(dots: int, width: int) -> Image.Image:
    code = qr(SAMPLE, width, dots)
    label = strip(str(dots), "Bold", LABEL).image
    image = Image.new("1", (code.width, code.height + label.height), WHITE)
    image.paste(code)
    image.paste(label, ((code.width - label.width) // 2, code.height - 8))
    return image


def _rows(pictures: list[tuple[str, Image.Image]], width: int) -> list[list[tuple[str, Image.Image]]]:
    """As many pictures side by side as fit."""
    rows: list[list[tuple[str, Image.Image]]] = [[]]
    for picture in pictures:
        if sum(image.width + 16 for _, image in [*rows[-1], picture]) > width:
            rows.append([])
        rows[-1].append(picture)
    return [row for row in rows if row]
