"""The store on a real database: numbers, moves, series under a doubtful clock, restores, several processes."""

import multiprocessing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.store import Store, StoreCorrupt, StoreError
from kiosk.store.rebuild import from_events, from_tables
from kiosk.store.series import give_number
from kiosk.tickets import Refused, State
from tests.office import moment, open_store, rulebook

DAY = 24 * 3600


def numbers(store: Store) -> list[str]:
    return [row["number"] for row in store.database.rows("SELECT number FROM tickets ORDER BY arrival")]


def events(store: Store) -> list[str]:
    sql = "SELECT json_extract(line, '$.type') AS kind FROM events WHERE kind LIKE 'ticket.%' ORDER BY seq"
    return [row["kind"] for row in store.database.rows(sql)]


def test_each_service_counts_for_itself_without_gaps(store: Store):
    for n, service in enumerate(["ho-tich", "dat-dai", "ho-tich", "ho-tich"]):
        store.issuing.issue(moment(n), service)
    assert numbers(store) == ["1001", "3001", "1002", "1003"]


def test_a_refused_press_takes_no_number_and_is_counted_with_its_reason(tmp_path: Path):
    store = open_store(tmp_path, rulebook())
    store.issuing.issue(moment(0), "ho-tich")
    with pytest.raises(Refused, match="too_fast"):
        store.issuing.issue(moment(1), "ho-tich")
    assert store.issuing.issue(moment(2), "ho-tich").ticket.number == "1002"
    assert [tuple(r) for r in store.database.rows("SELECT reason, n FROM refusals")] == [("too_fast", 1)]
    assert events(store) == ["ticket.issued", "ticket.refused", "ticket.issued"]


@pytest.mark.parametrize(
    ("seconds", "day", "reason"),
    [
        (-3600, 0, "closed"),
        (4 * 3600, 0, "session_over"),
        (0, 1, "holiday"),
        (0, 6, "holiday"),
        (10 * 3600, 0, "session_over"),
    ],
)
def test_outside_opening_hours_the_reason_is_said_and_staff_passes(store: Store, seconds: float, day: int, reason: str):
    with pytest.raises(Refused, match=reason) as refused:
        store.issuing.issue(moment(seconds, day=day), "ho-tich")
    assert refused.value.values["opening"].resumes is not None
    assert store.issuing.issue(moment(seconds, day=day), "ho-tich", by="staff").ticket.number == "1001"


def test_a_quota_ends_the_numbers_of_its_session_and_not_of_the_next(tmp_path: Path):
    book = rulebook(press_limits=False)
    land = replace(book.services["dat-dai"], quota={"sang": 2})
    store = open_store(tmp_path, replace(book, services={**book.services, "dat-dai": land}))
    for n in range(2):
        store.issuing.issue(moment(n), "dat-dai")
    with pytest.raises(Refused, match="quota"):
        store.issuing.issue(moment(5), "dat-dai")
    assert store.issuing.issue(moment(6), "ho-tich").ticket.number == "1001"
    assert store.issuing.issue(moment(6 * 3600), "dat-dai").ticket.number == "3003"


def test_staff_gives_more_numbers_than_the_quota_and_opens_a_holiday(tmp_path: Path):
    book = rulebook(press_limits=False)
    land = replace(book.services["dat-dai"], quota={"sang": 1})
    store = open_store(tmp_path, replace(book, services={**book.services, "dat-dai": land}))
    store.issuing.issue(moment(0), "dat-dai")
    with pytest.raises(ValueError, match="no quota"):
        store.overrides.add_quota(moment(1), "ho-tich", "sang", 1)
    store.overrides.add_quota(moment(1), "dat-dai", "sang", 1)
    assert store.issuing.issue(moment(2), "dat-dai").ticket.number == "3002"
    with pytest.raises(Refused, match="quota"):
        store.issuing.issue(moment(3), "dat-dai")
    holiday = moment(0, day=1)
    store.overrides.set_day(moment(4), holiday.day, "work", "làm bù")
    assert store.issuing.issue(holiday, "ho-tich").ticket.number == "1001"
    store.overrides.set_day(moment(5), holiday.day, "")
    with pytest.raises(Refused, match="holiday"):
        store.issuing.issue(holiday, "ho-tich")
    with pytest.raises(ValueError, match="no kind of day"):
        store.overrides.set_day(moment(6), holiday.day, "closed")


def test_next_finishes_the_open_ticket_and_arms_its_rating(store: Store):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    first = store.counters.call_next(moment(10), "1")
    second = store.counters.call_next(moment(60), "1")
    assert first and second and (first.number, second.number) == ("1001", "1002")
    assert store.counters.counter("1").armed == first.id
    assert store.ratings.lamps(moment(61))["1"]


def test_a_service_counts_as_started_15_s_after_the_call_and_that_disarms_the_rating_before(store: Store):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    store.counters.call_next(moment(10), "1")
    store.counters.call_next(moment(30), "1")
    assert store.counters.tick(moment(44)) == 0
    assert store.counters.tick(moment(45)) == 1
    assert not store.ratings.lamps(moment(46))["1"]


def test_undo_takes_back_a_call_and_the_finish_that_came_with_it(store: Store):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    store.counters.call_next(moment(10), "1")
    before = from_tables(store.database.conn)
    store.counters.call_next(moment(60), "1")
    store.counters.undo(moment(64), "1")
    assert from_tables(store.database.conn).tickets == before.tickets
    assert store.counters.counter("1").ticket == before.counters["1"].ticket
    with pytest.raises(Refused, match="undo_too_late"):
        store.counters.undo(moment(65), "1")


def test_undo_is_refused_after_five_seconds_and_once_the_citizen_has_rated(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(10), "1")
    with pytest.raises(Refused, match="undo_too_late"):
        store.counters.undo(moment(15), "1")
    store.counters.finish(moment(60), "1")
    store.ratings.press(moment(61), "1", 3, "key")
    with pytest.raises(Refused, match="undo_rated"):
        store.counters.undo(moment(62), "1")


def test_a_held_ticket_returns_with_its_number_behind_the_next_two(store: Store):
    for n in range(4):
        store.issuing.issue(moment(n), "dat-dai")
    held = store.counters.call_next(moment(10), "2")
    assert held
    store.counters.hold(moment(20), "2", "thiếu giấy tờ")
    store.counters.come_back(moment(30), held.id)
    called = [store.counters.call_next(moment(40 + n), "2").number for n in range(4)]  # type: ignore[union-attr]
    assert called == ["3002", "3003", "3001", "3004"]


def test_a_transfer_to_a_counter_where_somebody_sits_is_called_there_only_and_keeps_its_place(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.issuing.issue(moment(1), "bao-tro")
    store.counters.call_next(moment(10), "1")
    with pytest.raises(Refused, match="counter_shut"):
        store.counters.transfer(moment(15), "1", to_counter="3")
    store.counters.open(moment(16), "3")
    store.counters.transfer(moment(20), "1", to_counter="3")
    assert store.counters.call_next(moment(30), "1") is None
    assert store.counters.call_next(moment(31), "3").number == "1001"  # type: ignore[union-attr]


def test_a_chosen_call_needs_a_reason_and_keeps_it(store: Store):
    for n in range(3):
        store.issuing.issue(moment(n), "ho-tich")
    with pytest.raises(Refused, match="reason_missing"):
        store.counters.call_chosen(moment(5), "1", "1003", " ")
    assert store.counters.call_chosen(moment(6), "1", "1003", "hẹn trước").why == "hẹn trước"
    with pytest.raises(Refused, match="no_ticket"):
        store.counters.call_chosen(moment(7), "1", "1999", "hẹn trước")


def test_a_new_day_starts_again_at_one_and_closes_what_was_left_open(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.issuing.issue(moment(1), "ho-tich")
    store.counters.call_next(moment(2), "1")
    assert store.issuing.issue(moment(0, day=2), "ho-tich").ticket.number == "1001"
    states = [row["state"] for row in store.database.rows("SELECT state FROM tickets ORDER BY arrival")]
    assert states == ["closed", "closed", "waiting"]
    assert store.counters.counter("1").ticket == ""
    assert store.counters.counter("1").state == "closed"


def test_an_office_that_numbers_by_session_starts_again_after_lunch_and_keeps_who_waits(tmp_path: Path):
    store = open_store(tmp_path, replace(rulebook(press_limits=False), numbering="session"))
    store.issuing.issue(moment(0), "ho-tich")
    assert store.issuing.issue(moment(6 * 3600), "ho-tich").ticket.number == "1001"
    assert store.board(moment(6 * 3600)).waiting == {"ho-tich": 2}


def test_a_wrong_clock_goes_on_with_the_running_series_and_closes_nobody(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    back = moment(-40 * DAY, trusted=False, boot="b0070002")
    assert store.issuing.issue(back, "ho-tich").ticket.number == "1002"
    assert store.board(back).waiting == {"ho-tich": 2}


def test_numbers_of_an_unbelieved_clock_are_relabelled_when_the_true_date_comes(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    boot = "b0070002"
    store.issuing.issue(moment(-DAY, trusted=False, boot=boot), "ho-tich")
    third = store.issuing.issue(moment(0, day=2, boot=boot), "ho-tich").ticket
    rows = store.database.rows("SELECT number, series, state FROM tickets ORDER BY arrival")
    assert [tuple(row) for row in rows] == [
        ("1001", "2026-11-23", "closed"),
        ("1002", "2026-11-25", "waiting"),
        ("1003", "2026-11-25", "waiting"),
    ]
    assert third.series == "2026-11-25"
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_a_full_disk_is_said_and_its_reserve_lets_numbers_go_on(store: Store):
    pages = store.database.conn.execute("PRAGMA page_count").fetchone()[0]
    store.database.conn.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full"):
        for n in range(1000):
            store.issuing.issue(moment(n), "ho-tich")
    assert not (store.database.folder / "ballast").exists()
    store.database.conn.execute("PRAGMA max_page_count = 1000000")
    given = len(numbers(store))
    assert store.issuing.issue(moment(2000), "ho-tich").ticket.seq == given + 1


def test_a_read_only_database_is_a_sentence_and_not_a_crash(store: Store):
    store.database.conn.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError, match="memory card"):
        store.issuing.issue(moment(0), "ho-tich")


def _issue_many(folder: Path, count: int) -> None:
    store = Store(folder, rulebook(press_limits=False))
    for n in range(count):
        store.issuing.issue(moment(n), "ho-tich")


def test_four_processes_share_one_sequence_without_gap_or_error(tmp_path: Path):
    open_store(tmp_path).close()
    spawn = multiprocessing.get_context("spawn")
    crowd = [spawn.Process(target=_issue_many, args=(tmp_path, 25)) for _ in range(4)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(60)
    assert [process.exitcode for process in crowd] == [0, 0, 0, 0]
    store = open_store(tmp_path)
    assert [row["seq"] for row in store.database.rows("SELECT seq FROM tickets ORDER BY seq")] == list(range(1, 101))


def test_the_first_move_of_a_clerk_opens_the_day_too(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.open(moment(-600, day=2), "1")
    assert store.counters.call_next(moment(-60, day=2), "1") is None
    store.issuing.issue(moment(0, day=2), "ho-tich")
    assert store.counters.counter("1").state == "open"


def test_true_time_that_comes_during_work_leaves_clerks_and_citizens_where_they_are(store: Store):
    boot = "b0070002"
    early = {"trusted": False, "boot": boot}
    store.issuing.issue(moment(0), "ho-tich")
    for n in range(2):
        store.issuing.issue(moment(-DAY + n, **early), "ho-tich")
    for n in range(2):
        store.counters.call_next(moment(-DAY + 5 + n, **early), "1")
    store.issuing.issue(moment(100, day=2, boot=boot), "ho-tich")
    assert store.counters.counter("1").state == "open"
    states = [row["state"] for row in store.database.rows("SELECT state FROM tickets ORDER BY arrival")]
    assert states == ["served", "called", "waiting", "waiting"]
    store.issuing.issue(moment(200, day=4, boot=boot), "ho-tich")
    assert numbers(store)[-1] == "1001", "the day after begins at one again"


def test_a_believed_clock_that_showed_a_day_before_again_repeats_no_number_and_closes_nobody(store: Store):
    store.issuing.issue(moment(0), "dat-dai")
    wrong = replace(moment(0, day=2), at=moment(60).at)
    assert store.issuing.issue(wrong, "ho-tich").ticket.number == "1001"
    assert store.issuing.issue(moment(600, day=2), "ho-tich").ticket.number == "1002"
    assert store.desk(moment(601, day=2), "1").waiting_all == 2
    assert store.issuing.issue(moment(0, day=3), "ho-tich").ticket.number == "1001"


def test_a_believed_clock_that_was_wrong_repeats_no_number_of_today_and_closes_nobody(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    wrong = moment(60)
    wrong = replace(wrong, at=wrong.at + timedelta(days=40))
    store.issuing.issue(wrong, "ho-tich", by="staff")
    store.issuing.issue(moment(120), "ho-tich")
    assert numbers(store) == ["1001", "1002", "1003"]
    assert store.board(moment(121)).waiting == {"ho-tich": 3}
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_a_failed_commit_leaves_no_gap_at_the_start_of_the_day(store: Store):
    with pytest.raises(RuntimeError), store.database.writing(moment(0)) as w:
        give_number(w, store.database, "2026-11-23", "ho-tich", 1)
        raise RuntimeError
    assert store.issuing.issue(moment(1), "ho-tich").ticket.number == "1001"


def test_undo_gives_the_turn_back_and_the_slip(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.issuing.issue(moment(1), "ho-tich", priority=True)
    store.database.conn.execute("UPDATE jobs SET state = 'expired', why = 'called' WHERE id = 2")
    assert store.counters.call_next(moment(5), "1").number == "1002"  # type: ignore[union-attr]
    store.counters.undo(moment(7), "1")
    assert store.database.rows("SELECT state FROM jobs WHERE id = 2")[0]["state"] == "queued"
    assert store.counters.call_next(moment(8), "1").number == "1002"  # type: ignore[union-attr]


def test_undo_leaves_the_turn_to_a_counter_that_has_called_since(store: Store):
    for second in range(4):
        store.issuing.issue(moment(second), "chung-thuc", priority=second < 2, by="staff")
    store.counters.call_next(moment(10), "1")
    store.counters.finish(moment(20), "1")
    assert store.counters.call_next(moment(21), "4").priority is False
    store.counters.undo(moment(22), "1")
    store.counters.finish(moment(30), "1")
    assert store.counters.call_next(moment(31), "1").priority is True


def test_a_next_that_found_nobody_leaves_the_undo_of_the_finish(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(5), "1")
    store.counters.finish(moment(60), "1")
    assert store.counters.call_next(moment(61), "1") is None
    store.counters.undo(moment(63), "1")
    assert store.counters.counter("1").ticket


def test_a_paused_counter_finishes_its_ticket_and_stays_paused_until_it_calls(store: Store):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    store.counters.call_next(moment(5), "1")
    store.counters.pause(moment(20), "1", "10:00")
    store.counters.finish(moment(30), "1")
    assert store.counters.counter("1").state == "paused"
    store.counters.call_next(moment(40), "1")
    assert store.counters.counter("1").state == "open"


def test_a_clerk_cannot_leave_an_open_ticket_behind(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(5), "1")
    with pytest.raises(Refused, match="clerk_busy"):
        store.counters.open(moment(6), "2", "nguyen-thi-a")
    with pytest.raises(Refused, match="counter_busy"):
        store.counters.close(moment(7), "1")


def test_who_was_sent_to_a_counter_that_closes_may_be_called_by_the_others(store: Store):
    store.issuing.issue(moment(0), "chung-thuc")
    store.counters.call_next(moment(5), "1")
    store.counters.open(moment(6), "4")
    store.counters.transfer(moment(7), "1", to_counter="4")
    assert store.counters.call_next(moment(8), "1") is None
    store.counters.close(moment(9), "4")
    assert store.counters.call_next(moment(10), "1").number == "2001"  # type: ignore[union-attr]


def test_who_never_came_is_missed_although_the_service_seemed_to_start_by_itself(store: Store):
    number = store.issuing.issue(moment(0), "ho-tich").ticket.number
    store.counters.call_next(moment(10), "1")
    assert store.counters.tick(moment(25)) == 1
    with pytest.raises(Refused, match="too_early_absent"):
        store.counters.no_show(moment(129), "1")
    store.counters.no_show(moment(130), "1")
    facts = store.board(moment(130))
    assert [ticket.number for ticket in facts.missed] == [number]
    assert facts.at_counter == {}
    store.counters.undo(moment(131), "1")
    assert store.board(moment(131)).at_counter["1"].implied
    assert store.counters.finish(moment(132), "1").implied


def test_a_rejoined_ticket_is_not_called_before_its_time_while_others_wait(store: Store):
    for n in range(6):
        store.issuing.issue(moment(n), "dat-dai")
    missed = store.counters.call_next(moment(10), "2")
    assert missed
    store.counters.no_show(moment(130), "2")
    store.counters.come_back(moment(131), missed.id)
    called = [store.counters.call_next(moment(140 + n), "2").number for n in range(5)]  # type: ignore[union-attr]
    assert "3001" not in called
    assert store.counters.call_next(moment(150), "2").number == "3001"  # type: ignore[union-attr]


def test_staff_does_not_use_up_the_citizens_limits(tmp_path: Path):
    book = rulebook()
    land = replace(book.services["dat-dai"], quota={"sang": 1})
    store = open_store(tmp_path, replace(book, services={**book.services, "dat-dai": land}))
    store.issuing.issue(moment(0), "dat-dai", by="staff")
    assert store.issuing.issue(moment(0.5), "dat-dai").ticket.number == "3002"


def test_a_reason_as_long_as_a_novel_is_refused(store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(5), "1")
    with pytest.raises(Refused, match="reason_long"):
        store.counters.hold(moment(6), "1", "x" * 9000)


def test_a_clock_set_during_a_service_promises_no_nonsense(store: Store):
    for n in range(6):
        store.issuing.issue(moment(n), "ho-tich")
    for n in range(5):
        store.counters.call_next(moment(1000), "1")
        store.counters.start(moment(1000), "1")
        store.counters.finish(moment(-600 * n), "1")
    assert store.issuing.issue(moment(1100), "ho-tich").wait is None


def test_one_key_finishes_first_and_calls_with_the_next_press(store: Store):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    assert store.counters.one_key(moment(10), "1").state is State.CALLED  # type: ignore[union-attr]
    assert store.counters.one_key(moment(60), "1").state is State.SERVED  # type: ignore[union-attr]
    assert store.counters.one_key(moment(70), "1").number == "1002"  # type: ignore[union-attr]


def test_a_database_that_is_taken_away_is_noticed(store: Store):
    store.database.check_mark()
    store.database.path.unlink()
    with pytest.raises(StoreCorrupt, match="taken away"):
        store.database.check_mark()
