"""What presses lead to, on a real store: numbers, messages, the priority choice, ratings and one-key calls."""

from pathlib import Path

import pytest

from kiosk.front import GLASS_S, Front, Taken
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.store import Store, StoreCorrupt
from kiosk.store.prepare import prepare
from kiosk.texts import Texts
from tests.office import moment, open_store, rulebook

T0 = 1000.0


@pytest.fixture
def front(store: Store) -> Front:
    return make(store)


def make(store: Store) -> Front:
    made = Front(store, Words(sample(), Texts("vi"), "http://xa-mau.example"))
    made.printer_is("ok", True, T0)
    return made


def kind(front: Front) -> str:
    return front.notice.kind if front.notice else ""


def test_a_press_gives_a_number_says_it_and_pokes_the_printer(front: Front):
    taken: list[Taken] = []
    front.on_taken = taken.append
    front.press("take:ho-tich", T0, moment(0))
    assert (kind(front), front.notice.number if front.notice else "") == ("slip", "1001")
    assert [t.issued.ticket.number for t in taken] == ["1001"]
    front.tick(T0 + 5.9)
    assert kind(front) == "slip"
    front.tick(T0 + 6)
    assert kind(front) == ""


def test_without_paper_the_number_and_its_code_stay_on_the_glass_until_the_slip_is_out(front: Front):
    front.printer_is("paper_out", False, T0)
    front.press("take:ho-tich", T0, moment(0))
    assert front.notice is not None
    assert (front.notice.kind, front.notice.number) == ("glass", "1001")
    assert front.notice.qr_url.startswith("HTTP://XA-MAU.EXAMPLE/T/")
    front.tick(T0 + GLASS_S - 1)
    assert kind(front) == "glass"
    front.slip_is_out(1, T0 + 20)
    assert kind(front) == "slip"


def test_paper_that_runs_out_under_the_slip_brings_its_number_onto_the_glass(front: Front):
    front.press("take:ho-tich", T0, moment(0))
    front.printer_is("paper_out", False, T0 + 0.5)
    assert front.notice is not None
    assert (front.notice.kind, front.notice.number) == ("glass", "1001")


def test_priority_is_two_steps_and_ends_by_itself(front: Front):
    front.press("priority", T0, moment(0))
    assert front.priority
    front.press("take:ho-tich", T0 + 3, moment(3))
    assert front.store.issuing.database.rows("SELECT priority FROM tickets")[0]["priority"] == 1
    assert not front.priority
    front.press("priority", T0 + 10, moment(10))
    front.tick(T0 + 24.9)
    assert front.priority
    front.tick(T0 + 25)
    assert not front.priority


def test_the_cancel_key_takes_the_priority_back_and_says_so(front: Front):
    front.press("priority", T0, moment(0))
    front.press("cancel", T0 + 1, moment(1))
    assert (front.priority, kind(front)) == (False, "cancelled")


@pytest.mark.parametrize(
    ("seconds", "day", "says"),
    [
        (-3600, 0, "Chưa đến giờ lấy số. Giờ lấy số: 07:00 – 11:15"),
        (4 * 3600, 0, "Đã hết giờ lấy số buổi sáng. Mời Ông/Bà quay lại lúc 13:00, hôm nay"),
        (0, 1, "Hôm nay đơn vị nghỉ: "),
    ],
)
def test_each_refusal_says_what_to_do_next(front: Front, seconds: float, day: int, says: str):
    front.press("take:ho-tich", T0, moment(seconds, day=day))
    assert front.notice is not None
    assert front.notice.title.startswith(says)


def test_a_used_up_quota_names_the_service_and_the_next_session(front: Front):
    for n in range(30):
        front.press("take:dat-dai", T0 + n, moment(n))
    front.press("take:dat-dai", T0 + 40, moment(40))
    assert front.notice is not None
    assert front.notice.title == (
        "Xin lỗi Ông/Bà, Đất đai – Xây dựng đã nhận đủ số buổi sáng. "
        "Xin gặp bàn hướng dẫn hoặc quay lại lúc 13:00, hôm nay"
    )


def test_an_impatient_press_leaves_the_number_before_it_readable(tmp_path: Path):
    front = make(open_store(tmp_path, rulebook()))
    front.press("take:ho-tich", T0, moment(0))
    front.press("take:ho-tich", T0 + 1, moment(1))
    assert front.notice is not None
    assert (front.notice.kind, front.notice.number) == ("slip", "1001")
    front.tick(T0 + 6)
    assert kind(front) == ""


def test_a_foreign_key_changes_nothing(front: Front):
    for action in ("take:nowhere", "rate:9:happy", "call:17", "rate:1:angry", "nonsense", ""):
        front.press(action, T0, moment(0))
    assert front.store.issuing.database.rows("SELECT count(*) AS n FROM tickets")[0]["n"] == 0


def test_one_key_calls_and_finishes_and_a_long_press_is_a_no_show(front: Front):
    front.press("take:ho-tich", T0, moment(0))
    front.press("call:1", T0, moment(5))
    assert front.store.counters.counter("1").ticket
    front.hold("call:1", T0, moment(60))
    assert front.store.counters.counter("1").ticket, "a minute is too early for an absence"
    front.hold("call:1", T0, moment(130))
    assert front.store.counters.counter("1").ticket == ""


def test_the_answer_to_a_rating_is_the_same_for_each_face(front: Front):
    for n, face in enumerate(("happy", "neutral", "unhappy")):
        start = n * 200
        front.press("take:ho-tich", T0 + start, moment(start))
        front.press("call:1", T0, moment(start + 5))
        front.press("call:1", T0, moment(start + 60))
        front.press(f"rate:1:{face}", T0 + start, moment(start + 65))
        assert front.rate_answers["1"][0] == "thanks"
    front.tick(T0 + 1000)
    assert front.rate_answers == {}


def test_a_second_rating_is_answered_as_already_given_and_one_before_the_end_as_not_open(front: Front):
    front.press("rate:1:happy", T0, moment(0))
    assert front.rate_answers["1"][0] == "not_open"
    front.press("take:ho-tich", T0, moment(20))
    front.press("call:1", T0, moment(25))
    front.press("call:1", T0, moment(60))
    front.press("rate:1:happy", T0, moment(62))
    front.press("rate:1:unhappy", T0, moment(68))
    assert front.rate_answers["1"][0] == "already"


def test_a_disk_that_cannot_be_written_is_said_and_ends_with_the_trouble(front: Front):
    front.store.database.conn.execute("PRAGMA query_only = 1")
    front.press("take:ho-tich", T0, moment(0))
    assert (kind(front), front.disk_ok) == ("stopped", False)
    front.store.database.conn.execute("PRAGMA query_only = 0")
    front.press("take:ho-tich", T0 + 5, moment(5))
    assert (kind(front), front.disk_ok) == ("slip", True)


def test_a_damaged_database_ends_the_process_so_that_it_is_restored(front: Front, tmp_path: Path):
    front.store.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "kiosk.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * 200_000)
    with pytest.raises(StoreCorrupt):
        for n in range(50):
            front.press("take:ho-tich", T0 + n, moment(n))
    front.store.close()
    assert prepare(tmp_path, moment(100)).set_aside


def test_a_press_that_waited_too_long_is_only_counted(front: Front):
    front.drop_stale("take:ho-tich", moment(0))
    front.drop_stale("rate:1:happy", moment(0))
    rows = front.store.database.rows("SELECT service, reason, n FROM refusals")
    assert [tuple(row) for row in rows] == [("ho-tich", "stale", 1), ("rate:1:happy", "stale", 1)]
