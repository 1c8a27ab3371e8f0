"""What technicians read of keys and pins: names of the office, never ids."""

import pytest

from kiosk.config import shipped
from kiosk.office import sample
from kiosk.panel_rules import claims
from kiosk.parts import key_pins, lamp_pins
from kiosk.present.keynames import PLAIN, key_name, pin_name
from kiosk.present.words import Words
from kiosk.texts import Texts, languages


def words(language: str = "vi") -> Words:
    return Words(sample(), Texts(language))


@pytest.mark.parametrize(
    ("action", "vi", "en"),
    [
        ("take:dat-dai", "phím lấy số Đất đai", "number key “Land”"),
        ("call:2", "phím gọi số, quầy 2", "call key, counter 2"),
        ("rate:1:happy", "phím đánh giá “Hài lòng”, quầy 1", "rating key “Happy”, counter 1"),
        ("priority", "phím ưu tiên", "priority key"),
        ("gpio", "mọi phím nối chân GPIO", "all keys on GPIO pins"),
    ],
)
def test_a_key_is_named_as_the_office_speaks(action: str, vi: str, en: str):
    assert (key_name(words("vi"), action), key_name(words("en"), action)) == (vi, en)


def test_what_the_office_no_longer_has_keeps_its_id_and_stops_nothing():
    assert key_name(words(), "take:cu") == "phím lấy số cu"
    assert key_name(words(), "call:16") == "phím gọi số, quầy 16"
    assert key_name(words(), "rate:1:very_happy") == "phím đánh giá “rất hài lòng”, quầy 1"
    assert key_name(words(), "something") == "something"


@pytest.mark.parametrize("language", languages())
def test_every_key_and_every_pin_that_can_be_wired_has_a_name(language: str):
    config, spoken = shipped(), words(language)
    actions = [key.action for key in key_pins(config.buttons)] + [lamp.name for lamp in lamp_pins(config.buttons)]
    names = [key_name(spoken, action) for action in [*actions, *config.buttons.keyboard.values(), *PLAIN]]
    pins = [pin_name(spoken, place) for _, place in claims(config.buttons)]
    assert len(set(pins)) == len(pins)
    for name in [*names, *pins]:
        assert ":" not in name, name
        assert "key." not in name, name


def test_a_lamp_is_told_from_its_key():
    assert pin_name(words(), ("buttons", "services", "dat-dai", "pin")) == "phím lấy số Đất đai"
    assert pin_name(words(), ("buttons", "services", "dat-dai", "led")) == "đèn của phím lấy số Đất đai"
    assert pin_name(words(), ("buttons", "counters", "2", "call")) == "phím gọi số, quầy 2"
    assert pin_name(words(), ("buttons", "counters", "1", "happy_led")) == "đèn của phím đánh giá “Hài lòng”, quầy 1"
