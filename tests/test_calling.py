"""Calls as one hears them: the sentences of the language files, cut into clips."""

from dataclasses import replace

import pytest

from kiosk.calls import SpokenCall
from kiosk.office import sample
from kiosk.present.calling import (
    CHIME,
    DIGIT_S,
    NUMBER_S,
    PAUSES_S,
    STOP_S,
    Reading,
    Word,
    clip_name,
    names_of,
    reading,
    sentence,
    vocabulary,
)  # fmt: skip
from kiosk.texts import Texts
from kiosk.tickets import Ticket
from tests.office import BOOT, moment

VI, EN = Texts("vi"), Texts("en")
DIGITS, WHOLE, SOUTH = Reading(), Reading(whole=True), Reading(whole=True, missing_ten="le")


def ticket(number: str = "1002", priority: bool = False, calls: int = 3) -> Ticket:
    return Ticket(
        "a", "t", "2026-11-23", "sang", "ho-tich", 1, number, priority, moment().at, BOOT, True, 1, "ho-tich",
        counter="2", calls=calls,
    )  # fmt: skip


def words(t: Texts, kind: str, about: Ticket | None, manner: Reading = DIGITS, counter: str = "2") -> tuple[Word, ...]:
    return sentence(t, SpokenCall(1, kind, counter, about), counter, manner)


def heard(*given: object, **more: object) -> str:
    return " ".join(word.text for word in words(*given, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "about", "vi", "en"),
    [
        (
            "call", ticket(),
            "Mời công dân có số một không không hai đến quầy số hai",
            "Number one zero zero two please go to counter two",
        ),
        (
            "call", ticket(priority=True),
            "Mời công dân có số ưu tiên một không không hai đến quầy số hai",
            "Priority number one zero zero two please go to counter two",
        ),
        (
            "recall", ticket(priority=True),
            "Xin nhắc lại mời công dân có số một không không hai đến quầy số hai",
            "Again number one zero zero two please go to counter two",
        ),
        (
            "no_show", ticket(),
            "Số một không không hai đã được gọi ba lần Mời công dân liên hệ quầy số hai khi có mặt",
            "Number one zero zero two has been called three times Please ask at counter two when you are here",
        ),
        (
            "apology", None,
            "Xin lỗi Ông Bà vì phải chờ lâu hơn dự kiến Đơn vị đang bố trí thêm quầy",
            "We are sorry that you have to wait longer than expected Another counter is being opened",
        ),
    ],
)  # fmt: skip
def test_each_sentence_is_said_word_for_word(kind: str, about: Ticket | None, vi: str, en: str):
    assert heard(VI, kind, about) == vi
    assert heard(EN, kind, about) == en


def test_the_clips_of_a_call_have_the_names_that_an_office_records():
    names = [word.clip for word in words(VI, "call", ticket())]
    assert names == ["moi-cong-dan-co-so", "1", "0", "0", "2", "den-quay-so", "2"]
    assert words(VI, "recall", ticket())[1].clip == "moi-cong-dan-co-so", "one recording serves both sentences"


def test_digits_have_short_pauses_and_signs_longer_ones():
    pauses = [word.pause_s for word in words(VI, "call", ticket())]
    assert pauses == [NUMBER_S, DIGIT_S, DIGIT_S, DIGIT_S, PAUSES_S[","], NUMBER_S, STOP_S]


@pytest.mark.parametrize(
    ("number", "manner", "vi"),
    [
        ("1002", WHOLE, "một nghìn không trăm linh hai"),
        ("1002", SOUTH, "một nghìn không trăm lẻ hai"),
        ("2015", WHOLE, "hai nghìn không trăm mười lăm"),
        ("0012", WHOLE, "không không một hai"),
        ("A012", WHOLE, "a không một hai"),
        ("B21", WHOLE, "bê hai mươi mốt"),
        ("A-025", DIGITS, "a không hai năm"),
        ("W1", DIGITS, "vê kép một"),
        ("1234567", WHOLE, "một hai ba bốn năm sáu bảy"),
    ],
)
def test_numbers_are_read_in_the_manner_of_the_device(number: str, manner: Reading, vi: str):
    assert heard(VI, "call", ticket(number), manner) == f"Mời công dân có số {vi} đến quầy số hai"


def test_other_languages_read_digits_always():
    assert heard(EN, "call", ticket("1015"), WHOLE).startswith("Number one zero one five")


def test_a_counter_may_have_a_name():
    assert heard(VI, "call", ticket("7"), counter="Tiếp dân") == "Mời công dân có số bảy đến quầy số Tiếp dân"
    assert words(VI, "call", ticket("7"), counter="Tiếp dân")[-1].clip == "tiep-dan"
    assert heard(VI, "call", ticket("7"), counter="12").endswith("quầy số một hai")
    assert heard(VI, "call", ticket("7"), WHOLE, counter="12").endswith("quầy số mười hai")


def test_an_office_may_word_its_call_differently():
    own = Texts("vi", {"voice.call": "Số {so} tới quầy {quay}"})
    assert [word.clip for word in words(own, "call", ticket("7"))] == ["so", "7", "toi-quay", "2"]


@pytest.mark.parametrize("t", [VI, EN], ids=["vi", "en"])
@pytest.mark.parametrize("manner", [DIGITS, WHOLE, SOUTH], ids=["digits", "whole", "south"])
def test_the_vocabulary_is_all_that_is_ever_said(t: Texts, manner: Reading):
    office = sample()
    office = replace(office, services=(*office.services, replace(office.services[0], id="x", digit="B")))
    known = {(word.clip, word.text.casefold()) for word in vocabulary(t, manner, names_of(office))}
    for number in [*map(str, range(0, 9000, 7)), "B021"]:
        for kind in ("call", "recall", "no_show", "apology"):
            for priority in (False, True):
                about = None if kind == "apology" else ticket(number, priority)
                said = {(word.clip, word.text.casefold()) for word in words(t, kind, about, manner)}
                assert said <= known


def test_an_office_records_some_thirty_clips():
    assert len(vocabulary(VI, DIGITS, names_of(sample()))) == 22
    assert len(vocabulary(VI, WHOLE, names_of(sample()))) == 29
    names = [word.clip for word in vocabulary(VI, WHOLE, names_of(sample()))]
    assert len(set(names)) == len(names)
    assert names[-1] == CHIME


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("Mời công dân có số", "moi-cong-dan-co-so"),
        ("Đến quầy số", "den-quay-so"),
        (" xin  nhắc lại ", "xin-nhac-lai"),
        ("Ông/Bà", "ong-ba"),
        ("លេខ", "លេខ"),
        ("–", ""),
    ],
)
def test_names_of_clips_are_plain_and_keep_other_scripts(phrase: str, name: str):
    assert clip_name(phrase) == name


def test_the_settings_of_kiosk_toml_are_a_manner():
    assert reading("digits", "linh") == DIGITS
    assert reading("whole", "linh") == WHOLE
    assert reading("whole", "lẻ") == SOUTH
