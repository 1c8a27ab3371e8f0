"""The clerk's page in words: what it offers at each moment, and when the own figures are shown."""

from dataclasses import replace

import pytest

from kiosk.office import sample
from kiosk.present.desk import DeskPage, desk_page
from kiosk.present.words import Words
from kiosk.rating import Figure
from kiosk.store import Publication, Store
from kiosk.texts import Texts
from tests.office import moment

WORDS = Words(sample(), Texts("vi"), "")
CLERK, OTHER = "nguyen-thi-a", "tran-van-b"
ALWAYS = {"next", "call"}


def page(store: Store, seconds: float, published: Publication | None = None, clerk: str = CLERK) -> DeskPage:
    now = moment(seconds)
    return desk_page(WORDS, now, store.desk(now, "1"), published, clerk)


def published(own: int, whole: int) -> Publication:
    """A month in which a clerk has so many ratings of the office's."""
    smile = Figure("smile", own, own, 2 * own)
    return Publication("2026-11", "2026-11-23", "sang", {"smile": replace(smile, n=whole)}, {CLERK: {"smile": smile}})


def test_the_page_offers_what_makes_sense_from_the_call_to_the_end(store: Store):
    for n in range(3):
        store.issuing.issue(moment(n), "ho-tich", by="staff")
    assert page(store, 5).can == {"open"}
    store.counters.open(moment(5), "1", CLERK)
    assert page(store, 6).can == ALWAYS | {"pause"}
    store.counters.call_next(moment(10), "1")
    with_number = ALWAYS | {"finish", "hold", "transfer"}
    assert page(store, 11).can == with_number | {"start", "recall", "absent", "undo"}
    store.counters.tick(moment(30))
    assert page(store, 31).can == with_number | {"recall", "absent"}
    store.counters.recall(moment(45), "1")
    store.counters.start(moment(50), "1")
    assert page(store, 60).can == with_number
    store.counters.finish(moment(100), "1")
    store.counters.pause(moment(110), "1")
    assert page(store, 120).can == ALWAYS | {"resume"}
    assert page(store, 120, clerk=OTHER).can == {"open"}


def test_how_long_a_number_can_be_taken_back_is_said_in_whole_seconds_that_are_left(store: Store):
    store.issuing.issue(moment(0), "ho-tich", by="staff")
    store.counters.call_next(moment(10), "1")
    assert [page(store, 10 + s).undo_s for s in (0, 0.4, 4.9, 5)] == [5, 5, 1, 0]


@pytest.mark.parametrize(("own", "whole"), [(4, 50), (5, 6), (5, 9)])
def test_figures_of_few_ratings_or_beside_few_of_others_are_not_shown(store: Store, own: int, whole: int):
    assert page(store, 0, published(own, whole)).figures == ()


@pytest.mark.parametrize(("own", "whole"), [(5, 5), (5, 10), (40, 45)])
def test_a_clerk_sees_the_own_sums_of_closed_sessions_and_nobody_elses(store: Store, own: int, whole: int):
    shown = page(store, 0, published(own, whole)).figures
    assert shown[1] == f"Hài lòng 100\N{NO-BREAK SPACE}% ({own}/{own})"
    assert page(store, 0, published(own, whole), OTHER).figures == ()
    assert page(store, 0).figures == ()
