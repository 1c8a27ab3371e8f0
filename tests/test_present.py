"""From facts to words: what the board says about counters and figures, and what a slip says."""

from dataclasses import replace
from datetime import date

import pytest

from kiosk.clock import Moment
from kiosk.hours import Opening
from kiosk.office import sample
from kiosk.present.board import board_view
from kiosk.present.idle import LEFT_S, idle_view, nobody_serves
from kiosk.present.slips import slip_content
from kiosk.present.words import Words
from kiosk.rating import Figure
from kiosk.store import Publication, Store
from kiosk.store.spool import SlipFacts
from kiosk.texts import Texts
from kiosk.views.model import IdleView
from tests.office import moment

WORDS = Words(sample(), Texts("vi"), "https://xa-mau.example")
HOUR = 3600
FIGURE = Figure("smile", 46, 50, 118, {1: 1, 2: 3, 3: 46})
NOVEMBER = Publication("2026-11", "2026-11-23", "sang", {"smile": FIGURE}, {})


def test_the_board_shows_each_counter_as_it_is(store: Store):
    for n in range(3):
        store.issuing.issue(moment(n), "ho-tich")
    store.counters.call_next(moment(10), "1")
    store.counters.open(moment(11), "2")
    store.counters.pause(moment(12), "3", "10:00")
    cards = board_view(WORDS, moment(13), store.board(moment(13)), None).cards
    assert [(card.state, card.number, card.plate) for card in cards] == [
        ("called", "1001", ""),
        ("free", "", "Chưa có số"),
        ("paused", "", "Tạm dừng"),
        ("closed", "", "Quầy đóng"),
    ]
    assert cards[0].highlighted
    assert (cards[0].waiting, cards[0].clerk) == ("2", "Nguyễn Thị A")
    assert cards[2].state_text == "Phục vụ lại lúc 10:00"


def test_the_newest_call_leads_the_list_and_a_missed_number_stays_readable(store: Store):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    store.counters.call_next(moment(10), "1")
    store.counters.no_show(moment(200), "1")
    store.counters.call_next(moment(210), "1")
    view = board_view(WORDS, moment(211), store.board(moment(211)), None)
    assert [(called.number, called.highlighted) for called in view.called] == [("1002", True), ("1001", False)]
    assert view.missed == ("1001",)


def test_published_satisfaction_is_k_of_n_with_the_answer_rate(store: Store):
    panel = board_view(WORDS, moment(0), store.board(moment(0)), NOVEMBER).satisfaction
    assert panel is not None
    assert (panel.percent_text, [count.text for count in panel.counts]) == ("92\u00a0%", ["46", "3", "1"])
    assert panel.line == "46/50 lượt đánh giá hài lòng; 42,4 % lượt giao dịch có đánh giá"


def test_a_board_full_of_counters_says_the_figures_in_its_ticker(store: Store):
    desks = tuple(replace(WORDS.office.counters[0], id=str(n), label=str(n)) for n in range(1, 13))
    words = replace(WORDS, office=replace(WORDS.office, counters=desks, hotlines=(), slogans=()))
    view = board_view(words, moment(0), store.board(moment(0)), NOVEMBER)
    assert view.ticker == "Tỷ lệ hài lòng tháng 11: 92 % (46/50 lượt đánh giá; 42,4 % lượt giao dịch có đánh giá)"


def test_figures_of_another_label_set_are_not_shown(store: Store):
    other = replace(NOVEMBER, figures={"vpcp": FIGURE})
    assert board_view(WORDS, moment(0), store.board(moment(0)), other).satisfaction is None


@pytest.mark.parametrize(("url", "code"), [("https://xa-mau.example", True), ("", False)])
def test_a_slip_has_a_code_only_when_phones_can_reach_an_address(store: Store, url: str, code: bool):
    issued = store.issuing.issue(moment(0), "ho-tich", priority=True)
    slip = slip_content(replace(WORDS, public_url=url), SlipFacts(issued.ticket, 0, None, False))
    assert (bool(slip.qr_url), bool(slip.qr_caption)) == (code, code)
    assert (slip.number, slip.priority, slip.place) == ("1001", "ƯU TIÊN", "Quầy 1 · Buổi sáng")
    assert slip.qr_url == slip.qr_url.upper()


def test_a_copy_of_a_slip_is_marked(store: Store):
    issued = store.issuing.issue(moment(0), "ho-tich")
    assert slip_content(WORDS, SlipFacts(issued.ticket, 0, None, True)).reprint == "IN LẠI"
    assert slip_content(WORDS, SlipFacts(issued.ticket, 0, None, False)).reprint == ""


def test_a_slip_also_speaks_the_language_that_was_chosen_and_otherwise_english(store: Store):
    words = replace(WORDS, t=Texts("vi", further={"km": {"language.name": "Khmer", "slip.guide_1": "{so} (km)"}}))
    issued = store.issuing.issue(moment(0), "ho-tich")
    facts = SlipFacts(issued.ticket, 0, None, False)
    usual = slip_content(words, facts)
    assert usual.second == ("Number 1001 – Civil status", "Please wait until your number is called")
    chosen = slip_content(words, replace(facts, language="km"))
    assert chosen.second == ("1001 (km)", "Mời Ông/Bà chờ gọi số"), "what is missing is as the office says it"
    assert replace(chosen, second=()) == replace(usual, second=())


def test_a_session_has_its_english_name_on_an_english_slip_and_screen(store: Store):
    issued = store.issuing.issue(moment(0), "ho-tich")
    facts = SlipFacts(issued.ticket, 0, None, False)
    english = replace(WORDS, t=Texts("en"))
    assert slip_content(english, facts).place == "Counter 1 · morning"
    assert calm(moment(-3600), store, english).lines == ("Morning: 07:00 – 11:15", "Afternoon: 13:00 – 16:45")
    unnamed = tuple(replace(session, name_en="") for session in sample().sessions)
    bare = replace(english, office=replace(sample(), sessions=unnamed))
    assert slip_content(bare, facts).place == "Counter 1 · sáng"


def test_a_slip_of_an_english_office_also_speaks_vietnamese_when_that_was_chosen(store: Store):
    words = replace(WORDS, t=Texts("en"))
    facts = SlipFacts(store.issuing.issue(moment(0), "ho-tich").ticket, 0, None, False)
    assert slip_content(words, facts).second == ()
    assert slip_content(words, replace(facts, language="vi")).second[0] == "Số 1001 – Hộ tịch"


# --- the calm screen -----------------------------------------------------------------------------------------


def calm(now: Moment, store: Store, words: Words = WORDS) -> IdleView:
    door = store.opening(now)
    return idle_view(words, now, door, store.sessions((door.resumes or now.local).date()))


def test_before_the_office_opens_it_says_from_when_numbers_are_given_and_the_hours_of_the_day(store: Store):
    view = calm(moment(-3600), store)
    assert view.message == "Lấy số từ 07:00, hôm nay"
    assert view.lines == ("Sáng: 07:00 – 11:15", "Chiều: 13:00 – 16:45")
    assert (view.header.unit, view.header.clock, view.header.date) == ("UBND xã Mẫu", "06:30", "Thứ Hai, 23/11/2026")


def test_at_lunch_and_in_the_evening_it_says_when_numbers_are_given_again(store: Store):
    assert calm(moment(4.5 * HOUR), store).message == "Lấy số lại từ 13:00, hôm nay"
    # The 24th is a holiday.
    assert calm(moment(10 * HOUR), store).message == "Lấy số lại từ 07:00, Thứ Tư, 25/11/2026"


def test_the_hours_are_those_of_the_day_on_which_numbers_are_given_again(store: Store):
    friday_evening = moment(10 * HOUR, day=4)
    view = calm(friday_evening, store)
    assert view.message == "Lấy số lại từ 07:00, Thứ Bảy, 28/11/2026"
    assert view.lines == ("Sáng: 07:00 – 11:15",)


def test_a_holiday_says_its_reason_and_a_day_without_hours_that_it_is_one(store: Store):
    holiday = calm(moment(day=1), store)
    assert holiday.message == "Hôm nay đơn vị nghỉ: Ngày Văn hóa Việt Nam 24/11"
    assert holiday.lines[0] == "Lấy số lại từ 07:00, Thứ Tư, 25/11/2026", "the hours below are of that day"
    assert holiday.header.title == "Ngày nghỉ"
    assert calm(moment(day=6), store).message == "Hôm nay đơn vị không làm việc"


def test_a_day_that_staff_closed_or_opened_counts(store: Store):
    store.overrides.set_day(moment(), date(2026, 11, 24), "work", "làm bù")
    view = calm(moment(10 * HOUR), store)
    assert view.message == "Lấy số lại từ 07:00, Thứ Ba, 24/11/2026"
    assert view.lines == ("Sáng: 07:00 – 11:15", "Chiều: 13:00 – 16:45")
    store.overrides.set_day(moment(), date(2026, 11, 23), "off", "mất điện")
    assert calm(moment(), store).message == "Hôm nay đơn vị nghỉ: mất điện"


def test_an_office_that_opens_no_more_sends_people_to_the_help_desk(store: Store):
    view = idle_view(WORDS, moment(), Opening("holiday"), ())
    assert view.message == "Hôm nay đơn vị không làm việc"
    assert view.lines == ("Hiện chưa nhận lấy số. Xin gặp bàn hướng dẫn",)


def test_the_calm_screen_moves_every_five_minutes(store: Store):
    assert calm(moment(10 * HOUR), store).drift == calm(moment(10 * HOUR + 299), store).drift
    assert calm(moment(10 * HOUR + 300), store).drift == calm(moment(10 * HOUR), store).drift + 1


def test_the_calm_screen_speaks_the_language_of_the_screens(store: Store):
    english = Words(sample(), Texts("en"))
    assert calm(moment(4.5 * HOUR), store, english).message == "Numbers again from 13:00, today"


def test_nobody_serves_once_the_counters_are_closed_or_left(store: Store):
    assert nobody_serves(store.board(moment()), moment())
    store.counters.open(moment(), "2")
    assert not nobody_serves(store.board(moment(60)), moment(60))
    store.counters.pause(moment(60), "2")
    assert nobody_serves(store.board(moment(61)), moment(61))
    store.issuing.issue(moment(70), "ho-tich")
    store.counters.one_key(moment(80), "1")
    assert not nobody_serves(store.board(moment(HOUR)), moment(HOUR)), "a ticket is at the counter"
    store.counters.one_key(moment(HOUR), "1")
    assert not nobody_serves(store.board(moment(HOUR + LEFT_S - 1)), moment(HOUR + LEFT_S - 1))
    assert nobody_serves(store.board(moment(HOUR + LEFT_S)), moment(HOUR + LEFT_S)), "with one key nobody closes it"


def test_a_counter_that_was_left_open_yesterday_is_at_work_for_nobody(store: Store):
    store.counters.open(moment(), "2")
    assert nobody_serves(store.board(moment(day=1)), moment(day=1))


def test_a_counter_s_line_has_the_short_names_of_the_language(store: Store):
    line = [card.service_line for card in board_view(WORDS, moment(), store.board(moment()), None).cards][3]
    assert line == "Trả kết quả · Chứng thực · Việc khác"
    english = Words(sample(), Texts("en"))
    line = [card.service_line for card in board_view(english, moment(), store.board(moment()), None).cards][3]
    assert line == "Results · Certify · Help"
