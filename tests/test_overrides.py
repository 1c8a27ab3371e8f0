"""What staff changes for a while: lines of the ticker, days, and the events that tell it all."""

import unicodedata
from datetime import date, timedelta

import pytest

from kiosk.office import sample
from kiosk.present.board import board_view
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.overrides import TICKER_LINES
from kiosk.store.rebuild import from_events, from_tables
from kiosk.texts import Texts
from kiosk.tickets import Refused
from tests.office import moment

TODAY = date(2026, 11, 23)


def shown(store: Store, day: int = 0, **how: bool) -> tuple[str, ...]:
    return store.board(moment(60, day=day, **how)).lines


def test_a_line_takes_its_turn_on_the_board_after_the_hotlines(store: Store):
    store.overrides.add_line(moment(0), "Chiều nay nghỉ họp từ 15:00")
    words = Words(sample(), Texts("vi"))
    pages = {board_view(words, moment(at), store.board(moment(at)), None).ticker for at in range(0, 300, 10)}
    assert "Chiều nay nghỉ họp từ 15:00" in pages
    assert set(words.office.slogans) <= pages


def test_a_line_ends_with_its_last_day_unless_nobody_knows_the_date(store: Store):
    store.overrides.add_line(moment(0), "Hôm nay", TODAY)
    store.overrides.add_line(moment(1), "Mãi mãi")
    assert shown(store) == ("Hôm nay", "Mãi mãi")
    assert shown(store, 1) == ("Mãi mãi",)
    assert shown(store, 1, trusted=False) == ("Hôm nay", "Mãi mãi")


def test_a_line_is_one_line_of_few_letters_in_nfc(store: Store):
    store.overrides.add_line(moment(0), f"  {unicodedata.normalize('NFD', 'Hộ tịch')} ")
    assert shown(store) == ("Hộ tịch",)
    for text in ("", "   ", "x" * 121, "hai\ndòng", "a\u202eb"):
        with pytest.raises(Refused) as wrong:
            store.overrides.add_line(moment(1), text)
        assert wrong.value.reason == "one_line"
    with pytest.raises(Refused, match="is over"):
        store.overrides.add_line(moment(1), "Hôm qua", TODAY - timedelta(days=1))


def test_the_ticker_is_full_of_lines_that_are_still_shown_and_those_that_are_over_make_room(store: Store):
    for n in range(TICKER_LINES):
        store.overrides.add_line(moment(n), f"Dòng {n}", TODAY)
    with pytest.raises(Refused) as full:
        store.overrides.add_line(moment(20), "Một dòng nữa")
    assert full.value.reason == "ticker_full"
    store.overrides.add_line(moment(20, day=1), "Một dòng nữa")
    assert [line.text for line in store.overrides.lines()] == ["Một dòng nữa"]
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_a_line_can_hold_the_sign_that_divides_it_from_its_day(store: Store):
    store.overrides.add_line(moment(0), "A | B", TODAY)
    (line,) = store.overrides.lines()
    assert (line.text, line.until) == ("A | B", TODAY)


def test_removing_what_is_gone_already_changes_nothing(store: Store):
    store.overrides.add_line(moment(0), "Một dòng")
    key = store.overrides.lines()[0].key
    store.overrides.remove_line(moment(1), key)
    before = store.change()
    store.overrides.remove_line(moment(2), key)
    assert store.change() == before


def test_days_and_extra_numbers_are_told_by_their_events(store: Store):
    store.overrides.set_day(moment(0), TODAY, "half", "họp chiều")
    store.overrides.set_day(moment(1), TODAY + timedelta(days=1), "off", "mất điện")
    store.overrides.set_day(moment(2), TODAY, "")
    store.overrides.add_quota(moment(3), "dat-dai", "sang", 5)
    assert [(day.day, day.kind, day.reason) for day in store.overrides.days()] == [
        (date(2026, 11, 24), "off", "mất điện")
    ]
    (extra,) = store.overrides.extra(TODAY)
    assert (extra.service, extra.session, extra.numbers) == ("dat-dai", "sang", 5)
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_what_is_wrong_with_a_day_has_a_sentence_for_people_and_one_for_the_log(store: Store):
    with pytest.raises(Refused, match="say why") as wrong:
        store.overrides.set_day(moment(0), TODAY, "off", " ")
    assert wrong.value.reason == "day_reason"
