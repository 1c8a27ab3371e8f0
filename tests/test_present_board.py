"""A board at its edges: no counters at all, a source that is lost."""

from dataclasses import replace

import pytest

from kiosk.office import sample
from kiosk.present.board import board_view
from kiosk.present.words import TICKER_PAGE_S, Words
from kiosk.store import Store
from kiosk.texts import Texts
from tests.office import moment


@pytest.mark.parametrize(
    ("language", "says"), [("vi", "Chưa khai báo quầy phục vụ"), ("en", "No counter is set up yet")]
)
def test_a_board_without_counters_says_so(store: Store, language: str, says: str):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(1), "1")
    words = Words(replace(sample(), counters=(), clerks=(), hotlines=(), channels=(), slogans=()), Texts(language))
    view = board_view(words, moment(2), store.board(moment(2)), None)
    assert (view.message, view.cards, view.ticker) == (says, (), "")
    assert [called.number for called in view.called] == ["1001"]
    assert board_view(Words(sample(), Texts(language)), moment(2), store.board(moment(2)), None).message == ""


def test_a_lost_source_is_named_over_the_last_facts(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    facts = store.board(moment(1))
    view = board_view(Words(sample(), Texts("vi")), moment(60), facts, None, "Mất kết nối")
    assert (view.header.lost, view.header.clock) == ("Mất kết nối", "07:31")
    assert view.cards[0].waiting == "1"


def test_a_card_knows_how_often_its_number_was_called(store: Store):
    words = Words(sample(), Texts("vi"))

    def calls(seconds: float) -> int:
        return board_view(words, moment(seconds), store.board(moment(seconds)), None).cards[0].calls

    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(1), "1")
    assert calls(2) == 1
    store.counters.recall(moment(40), "1")
    assert calls(41) == 2
    store.counters.finish(moment(50), "1")
    assert calls(51) == 0


def test_the_ticker_names_every_other_way_to_send_feedback_as_people_write_it_down():
    words = Words(replace(sample(), hotlines=(), slogans=()), Texts("vi"))
    pages = [words.ticker(moment(n * TICKER_PAGE_S)) for n in range(4)]
    assert set(pages) == {
        "Cổng Dịch vụ công quốc gia: dichvucong.gov.vn",
        "Trang thông tin điện tử xã Mẫu: xa-mau.example",
        "Zalo xã Mẫu: zalo.example/xa-mau",
        "Thư điện tử: mot-cua@xa-mau.example",
    }
