"""The QR symbol: the mask that readers like best, sharp modules, and white around it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import qrcode
import zxingcpp
from qrcode.constants import ERROR_CORRECT_Q

from kiosk.symbol import MASKS, QUIET, Symbol, encoded, penalty, qr, quiet_zone
from kiosk.typeset import TypesetError
from tests.printing import read_qr, url

TEXTS = [url("1012"), url("40125"), "A", "https://motcua.xa-mau.gov.vn/t/abcdefgh", "X" * 150, "Số 1012"]


def drawn(text: str, mask: int) -> list[list[bool]]:
    """The symbol by qrcode alone under one mask."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=mask)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(dark) for dark in row] for row in code.modules]


def symbol(rows: list[list[bool]]) -> Symbol:
    return Symbol(int("".join("01"[dark] for row in rows for dark in row), 2), len(rows))


def counted(rows: list[list[bool]]) -> int:
    """The four rules of the standard, counted module by module."""
    lines = [*rows, *([row[at] for row in rows] for at in range(len(rows)))]
    points = 0
    for line in lines:
        run = 1
        for before, now in zip(line, [*line[1:], None], strict=True):
            if before is now:
                run += 1
                continue
            points += run - 2 if run >= 5 else 0
            run = 1
        said = "".join("01"[dark] for dark in line)
        for like in ("10111010000", "00001011101"):
            points += 40 * sum(said.startswith(like, at) for at in range(len(said)))
    for above, below in pairwise(rows):
        for at in range(len(rows) - 1):
            points += 3 * (len({above[at], above[at + 1], below[at], below[at + 1]}) == 1)
    dark = 100 * sum(map(sum, rows)) / len(rows) ** 2
    return points + 10 * int(abs(dark - 50) / 5)


@pytest.mark.parametrize("text", TEXTS)
def test_a_symbol_is_the_one_that_the_standard_takes_for_the_best_of_eight(text: str):
    made = [drawn(text, mask) for mask in range(MASKS)]
    assert [penalty(symbol(rows)) for rows in made] == [counted(rows) for rows in made]
    best = min(counted(rows) for rows in made)
    assert encoded(text) in [symbol(rows) for rows in made if counted(rows) == best]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dots", [4, 5, 6])
def test_every_module_is_a_sharp_square_within_four_modules_of_white(text: str, dots: int):
    picture = qr(text, 800, dots)
    side = encoded(text).side
    assert picture.width == picture.height == (side + 2 * QUIET) * dots
    assert quiet_zone(text, picture) == QUIET * dots
    small = picture.resize((side + 2 * QUIET,) * 2, box=(0, 0, *picture.size), resample=0)
    assert small.resize(picture.size, resample=0).tobytes() == picture.tobytes()
    white = [small.getpixel((at, row)) for at in range(side + 8) for row in range(QUIET)]
    assert set(white) == {255}


@pytest.mark.parametrize("text", TEXTS)
def test_the_symbol_says_its_text_at_level_q(text: str):
    (code,) = zxingcpp.read_barcodes(qr(text, 800).convert("L"))
    assert (code.text, code.ec_level) == (text, "Q")


@pytest.mark.parametrize("length", range(1, 200, 7))
def test_addresses_of_any_length_are_read_on_wide_paper(length: int):
    text = ("HTTPS://" + "A1B2C3D4" * 30)[:length]
    assert read_qr(qr(text, 576)) == [text]


def test_six_dots_a_module_are_kept_up_to_25_mm_and_five_beyond():
    assert {qr(url("1"), 576).width % 6, qr("A" * 60, 576).width % 6} == {0}
    assert qr("A" * 80, 576).width == (37 + 2 * QUIET) * 5
    assert qr(url("1"), 576, largest=5).width == (29 + 2 * QUIET) * 5
    with pytest.raises(TypesetError, match="shorten public_url"):
        qr("A" * 1000, 384)
