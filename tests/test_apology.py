"""An apology on the board: somebody waits longer than the slip promised."""

from dataclasses import replace

import pytest

from kiosk.clock import elapsed_s
from kiosk.office import sample
from kiosk.present.board import board_view
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.board import kept_waiting
from kiosk.texts import Texts
from kiosk.turns import LONGEST_WAIT_S, promise_passed
from tests.office import OPENING, moment

SORRY = "Xin lỗi Ông/Bà vì phải chờ lâu hơn dự kiến. Đơn vị đang bố trí thêm quầy"
SERVED_S = 600
GIVEN = 5 * SERVED_S
"""When the number of the tests below is given."""


@pytest.fixture
def promised(store: Store) -> Store:
    """Five services of ten minutes are done; the next number is promised to be called within five minutes."""
    serve_five(store)
    assert store.issuing.issue(moment(GIVEN), "ho-tich").wait == (0, 5)
    return store


def serve_five(store: Store) -> None:
    for n in range(5):
        start = n * SERVED_S
        store.issuing.issue(moment(start), "ho-tich")
        store.counters.call_next(moment(start + 1), "1")
        store.counters.start(moment(start + 2), "1")
        store.counters.finish(moment(start + SERVED_S - 10), "1")


def late(store: Store, minutes: float, **now: object) -> bool:
    return kept_waiting(store.database, moment(GIVEN + minutes * 60, **now))  # type: ignore[arg-type]


def test_a_promise_is_passed_after_its_last_minute_and_nobody_waits_for_days():
    assert not promise_passed(13, 13 * 60)
    assert promise_passed(13, 13 * 60 + 1)
    assert promise_passed(13, LONGEST_WAIT_S)
    assert not promise_passed(13, LONGEST_WAIT_S + 1)
    assert not promise_passed(13, None)
    assert not promise_passed(13, -60)


def test_within_a_boot_its_own_clock_tells_and_between_boots_only_believed_clocks_do():
    then = moment(0)

    def since(now_s: float, *, trusted: bool = True, boot: str = then.boot, believed: bool = True) -> float | None:
        now = moment(now_s, trusted=trusted, boot=boot)
        return elapsed_s(now, OPENING, then.boot, then.mono, believed=believed)

    assert since(90) == since(90, trusted=False, believed=False) == 90
    assert since(90, boot="b2") == 90
    assert since(90, boot="b2", trusted=False) is None
    assert since(90, boot="b2", believed=False) is None


def test_the_board_apologises_by_time_alone_once_the_range_is_passed(promised: Store):
    words = Words(sample(), Texts("vi"))
    change = promised.change()
    at = {seconds: moment(GIVEN + seconds) for seconds in (300, 301)}
    said = {seconds: board_view(words, now, promised.board(now), None).apology for seconds, now in at.items()}
    assert said == {300: "", 301: SORRY}
    assert promised.change() == change


def test_outside_the_sessions_nobody_is_kept_waiting_unless_the_clock_is_not_believed(promised: Store):
    hour = 3600
    lunch = {at: promised.board(moment(at)).kept_waiting for at in (4 * hour - 1, 4 * hour, 5.5 * hour - 1)}
    assert lunch == {4 * hour - 1: True, 4 * hour: False, 5.5 * hour - 1: False}
    assert promised.board(moment(4 * hour, trusted=False)).kept_waiting
    assert promised.board(moment(5.5 * hour)).kept_waiting, "numbers are given again"
    assert promised.board(moment(9.5 * hour - 1)).kept_waiting, "none is given any more, but the session runs"
    assert not promised.board(moment(9.5 * hour)).kept_waiting
    promised.overrides.set_day(moment(hour), OPENING.date(), "off", "mất điện")
    assert not promised.board(moment(hour)).kept_waiting


def test_each_number_has_its_own_promise_and_a_call_keeps_it_for_good(promised: Store):
    assert promised.issuing.issue(moment(GIVEN), "ho-tich").wait == (7, 13)
    assert late(promised, 6)
    first = promised.counters.call_next(moment(GIVEN + 360), "1")
    assert first is not None
    assert [late(promised, minutes) for minutes in (6, 13, 14)] == [False, False, True]
    promised.counters.hold(moment(GIVEN + 400), "1")
    promised.counters.call_next(moment(GIVEN + 840), "1")
    promised.counters.come_back(moment(GIVEN + 850), first.id)
    assert not late(promised, 60), "who was called and comes back was not kept waiting"


def test_below_the_sample_nothing_was_promised(store: Store):
    assert store.issuing.issue(moment(GIVEN), "ho-tich").wait is None
    assert not late(store, 60)


def test_a_number_without_a_slip_was_promised_nothing(promised: Store):
    promised.database.conn.execute("DELETE FROM jobs")
    assert not late(promised, 60)


def test_a_wall_clock_that_jumps_breaks_no_promise_and_hides_none(promised: Store):
    mono = {minutes: moment(GIVEN + minutes * 60).mono for minutes in (1, 6)}
    ahead = replace(moment(0, day=3), mono=mono[1])
    back = replace(moment(-3600, trusted=False), mono=mono[6])
    assert (kept_waiting(promised.database, ahead), kept_waiting(promised.database, back)) == (False, True)


def test_after_a_restart_only_a_believed_clock_can_tell(promised: Store):
    assert late(promised, 6, boot="b2")
    assert not late(promised, 6, boot="b2", trusted=False)
    assert not late(promised, 4, boot="b2")
    assert not late(promised, 13 * 60, boot="b2"), "forgotten, or given by a clock that was wrong"


def test_a_number_of_an_unbelieved_clock_tells_nothing_to_the_next_boot(store: Store):
    serve_five(store)
    store.issuing.issue(moment(GIVEN, trusted=False), "ho-tich")
    assert late(store, 6)
    assert not late(store, 6, boot="b2")


def test_the_question_stays_small_among_many_tickets(promised: Store):
    asked: list[str] = []
    promised.database.conn.set_trace_callback(asked.append)
    kept_waiting(promised.database, moment(GIVEN))
    promised.database.conn.set_trace_callback(None)
    (sql,) = asked
    plan = [row["detail"] for row in promised.database.rows(f"EXPLAIN QUERY PLAN {sql}")]
    assert plan == [
        "SCAN tickets USING INDEX tickets_waiting",
        "SEARCH jobs USING INDEX jobs_ticket (ticket=?)",
    ]
