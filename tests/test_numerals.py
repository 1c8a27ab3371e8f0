"""How Vietnamese reads numbers."""

import pytest

from kiosk.numerals import MOST_DIGITS, WORDS, read

DIGITS = dict(zip("0123456789", ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"], strict=True))


def said(number: int, missing_ten: str = "linh") -> str:
    return " ".join((DIGITS | WORDS)[word] for word in read(number, missing_ten))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "không"),
        (1, "một"),
        (5, "năm"),
        (10, "mười"),
        (11, "mười một"),
        (14, "mười bốn"),
        (15, "mười lăm"),
        (20, "hai mươi"),
        (21, "hai mươi mốt"),
        (24, "hai mươi bốn"),
        (25, "hai mươi lăm"),
        (55, "năm mươi lăm"),
        (91, "chín mươi mốt"),
        (100, "một trăm"),
        (101, "một trăm linh một"),
        (105, "một trăm linh năm"),
        (110, "một trăm mười"),
        (111, "một trăm mười một"),
        (115, "một trăm mười lăm"),
        (121, "một trăm hai mươi mốt"),
        (999, "chín trăm chín mươi chín"),
        (1000, "một nghìn"),
        (1001, "một nghìn không trăm linh một"),
        (1005, "một nghìn không trăm linh năm"),
        (1010, "một nghìn không trăm mười"),
        (1015, "một nghìn không trăm mười lăm"),
        (1021, "một nghìn không trăm hai mươi mốt"),
        (1100, "một nghìn một trăm"),
        (1105, "một nghìn một trăm linh năm"),
        (5555, "năm nghìn năm trăm năm mươi lăm"),
        (10000, "mười nghìn"),
        (11005, "mười một nghìn không trăm linh năm"),
        (21015, "hai mươi mốt nghìn không trăm mười lăm"),
        (105000, "một trăm linh năm nghìn"),
        (999999, "chín trăm chín mươi chín nghìn chín trăm chín mươi chín"),
    ],
)
def test_numbers_are_read_as_school_teaches(number: int, words: str):
    assert said(number) == words


def test_the_south_says_le_for_a_missing_ten():
    assert said(1005, "le") == "một nghìn không trăm lẻ năm"
    assert said(205, "le") == "hai trăm lẻ năm"
    assert said(5, "le") == "năm"


def test_no_two_numbers_sound_alike():
    assert len({said(number) for number in range(12_000)}) == 12_000


@pytest.mark.parametrize("number", [-1, 10**MOST_DIGITS])
def test_other_numbers_are_refused(number: int):
    with pytest.raises(ValueError, match="is not between"):
        read(number)
