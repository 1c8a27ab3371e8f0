"""Sentences, figures and dates as people read them."""

import ast
import datetime as dt
import unicodedata
from pathlib import Path

import pytest

import kiosk
from kiosk.texts import Texts, in_order, languages, override_problems, sentences, sort_key, values

MONDAY = dt.date(2026, 11, 23)


@pytest.mark.parametrize("language", [name for name in languages() if name != "vi"])
def test_every_language_has_the_sentences_of_vietnamese_with_the_same_values(language):
    vietnamese, other = sentences("vi"), sentences(language)
    assert vietnamese.keys() == other.keys()
    assert {key: values(text) for key, text in vietnamese.items()} == {key: values(text) for key, text in other.items()}


@pytest.mark.parametrize("language", languages())
def test_sentences_are_nfc_and_one_line_without_spaces_around(language):
    for key, text in sentences(language).items():
        assert text == unicodedata.normalize("NFC", text).strip(), key
        assert text.isprintable(), key
        assert text.count("{") == text.count("}") == len(values(text)) + text.count("{ong_ba}"), key


def test_a_sentence_takes_its_values():
    assert Texts("vi")("kiosk.ahead", n=5) == "Phía trước còn 5 người"
    assert Texts("en")("kiosk.ahead", n=5) == "5 people ahead of you"


def test_the_address_is_one_setting():
    assert Texts("vi", address="Quý khách")("kiosk.ahead_0") == "Chưa có ai chờ trước Quý khách"


def test_when_something_was_done_is_told_by_the_clock_on_the_wall():
    late = dt.datetime(2026, 11, 22, 20, 31, tzinfo=dt.UTC)
    assert Texts("vi").stamp(late) == Texts("en").stamp(late) == "23/11/2026 03:31"


def test_an_office_may_have_its_own_sentences_per_language():
    own = {"kiosk.title": "XIN MỜI LẤY SỐ", "en.kiosk.title": "YOUR NUMBER, PLEASE"}
    assert Texts("vi", own)("kiosk.title") == "XIN MỜI LẤY SỐ"
    assert Texts("vi", own).second()("kiosk.title") == "YOUR NUMBER, PLEASE"
    assert Texts("en", {"kiosk.title": "XIN MỜI"})("kiosk.title") == "TAKE A QUEUE NUMBER"


def test_a_missing_sentence_language_or_value_is_shown_and_stops_nothing():
    assert Texts("vi")("kiosk.nonsense") == "kiosk.nonsense"
    assert Texts("kmr")("kiosk.title") == "TAKE A QUEUE NUMBER"
    assert Texts("vi")("kiosk.ahead") == "Phía trước còn {n} người"


def test_a_value_with_braces_is_not_filled_in_again():
    assert Texts("vi")("kiosk.holiday", ly_do="{ong_ba} {0.__class__}") == "Hôm nay đơn vị nghỉ: {ong_ba} {0.__class__}"


def test_own_sentences_with_unknown_keys_or_values_are_named():
    wrong = override_problems(
        {"kiosk.titel": "A", "en.kiosk.ahead": "{so}", "kiosk.ahead": "{ong_ba}: {n}", "slip.qr": "{n}"}
    )
    assert wrong == {
        "kiosk.titel": None,
        "en.kiosk.ahead": ("so", "{n}"),
        "slip.qr": ("n", ""),
    }


@pytest.mark.parametrize(
    ("value", "decimals", "vi", "en"),
    [
        (1234.5, None, "1.234,5", "1,234.5"),
        (2695, None, "2.695", "2,695"),
        (1_000_000, None, "1.000.000", "1,000,000"),
        (0, None, "0", "0"),
        (92.0, 1, "92,0", "92.0"),
        (3.14159, None, "3,1", "3.1"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(value, decimals, vi, en):
    assert Texts("vi").number(value, decimals) == vi
    assert Texts("en").number(value, decimals) == en


def test_percent_stands_off_with_a_space_that_does_not_break():
    assert Texts("vi").percent(0.975) == "97,5\u00a0%"
    assert Texts("vi").percent(460, 500) == "92\u00a0%"
    assert Texts("en").percent(460, 500, 1) == "92.0%"


def test_a_share_of_nothing_is_a_dash():
    assert Texts("vi").percent(0, 0) == "–"


def test_only_the_whole_is_a_hundred_percent():
    assert Texts("vi").percent(1999, 2000, 0) == "99\u00a0%"
    assert Texts("vi").percent(99_999, 100_000) == "99,9\u00a0%"
    assert Texts("vi").percent(1, 100_000) == "0,1\u00a0%"
    assert Texts("vi").percent(7, 7) == "100\u00a0%"


def test_dates_and_times_are_those_of_the_office():
    late = dt.datetime(2026, 11, 22, 23, 5, tzinfo=dt.UTC)
    t = Texts("vi")
    assert (t.date(late), t.clock(late), t.weekday(late)) == ("23/11/2026", "06:05", "Thứ Hai")
    assert t.day(MONDAY) == "Thứ Hai, 23/11/2026"
    assert t.clock(dt.time(7, 30)) == "07:30"
    assert Texts("en").weekday(dt.date(2026, 11, 29)) == "Sunday"
    assert t.short_session("Sáng", MONDAY) == "Sáng 23/11"


def test_vietnamese_sorts_by_its_alphabet_then_by_tone():
    letters = list("aăâbcdđeêghiklmnoôơpqrstuưvxy")
    assert in_order(reversed(letters)) == letters
    tones = ["ma", "mà", "mả", "mã", "má", "mạ"]
    assert in_order(reversed(tones)) == tones


def test_vietnamese_sorts_word_by_word_and_nfd_like_nfc():
    assert in_order(["bà ba", "ba bi", "Đỗ", "Dương", "10", "9a"]) == ["10", "9a", "ba bi", "bà ba", "Dương", "Đỗ"]
    assert sort_key(unicodedata.normalize("NFD", "Hộ tịch")) == sort_key("Hộ tịch")


def test_any_text_can_be_sorted():
    assert in_order(["", "\u0301", "Ω", "😀", "İ", "a\u0301"])[0] == ""


def calls_in_the_code(*names):
    """Every call of one of these functions: file and line, texts in its first argument, names of its values.

    The names are None where `**` hides them.
    """
    for path in sorted(Path(kiosk.__file__).parent.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and call.args and ast.unparse(call.func).split(".")[-1] in names:
                found = [node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
                known = None if any(value.arg is None for value in call.keywords) else {v.arg for v in call.keywords}
                yield f"{path.name}:{call.lineno}", [text for text in found if isinstance(text, str)], known


def test_every_sentence_that_the_code_asks_for_exists_and_gets_its_values():
    usual = sentences("vi")
    for where, texts, given in calls_in_the_code("t", "texts"):
        keys = [text for text in texts if "." in text.strip(".")]
        assert set(keys) <= usual.keys(), where
        for key in keys if given is not None else []:
            assert values(usual[key]) <= given, f"{where}: {key}"


def test_every_refusal_has_a_sentence_and_gives_its_values():
    for where, reasons, given in calls_in_the_code("Refused"):
        for reason in reasons:
            assert f"refused.{reason}" in sentences("vi"), where
            assert values(sentences("vi")[f"refused.{reason}"]) <= given, where
