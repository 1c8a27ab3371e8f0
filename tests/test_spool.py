"""The queue of slips: printed once, again after a crash, never when nobody needs them any more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from kiosk import RELEASED
from kiosk.clock import Moment, Vouched
from kiosk.store import Store
from kiosk.store.database import Database
from kiosk.store.spool import SlipJob, Spool
from tests.office import OPENING, moment


@dataclass
class SetClock:
    """A clock that stands where the test put it."""

    moment: Moment
    floor: datetime = RELEASED
    vouched: Vouched | None = None

    def now(self) -> Moment:
        return self.moment


@pytest.fixture
def spool(store: Store, tmp_path: Path) -> Iterator[Spool]:
    made = Spool(Database(tmp_path), SetClock(moment(0)), expires_min=5)
    yield made
    made.database.close()


def claim(spool: Spool) -> SlipJob | None:
    return spool.claim(OPENING)


def ends(store: Store) -> list[str]:
    sql = "SELECT json_extract(line, '$.type') AS kind FROM events WHERE kind LIKE 'slip.%' ORDER BY seq"
    return [row["kind"] for row in store.database.rows(sql)]


def test_slips_come_in_the_order_of_their_numbers_with_the_line_as_it_was(store: Store, spool: Spool):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    first, second = claim(spool), claim(spool)
    assert first and second
    assert [(job.payload.ticket.number, job.payload.ahead, job.reprint) for job in (first, second)] == [
        ("1001", 0, False),
        ("1002", 1, False),
    ]
    assert claim(spool) is None


def test_a_slip_is_done_once_and_told_once(store: Store, spool: Spool):
    store.issuing.issue(moment(0), "ho-tich")
    job = claim(spool)
    assert job
    spool.done(job)
    spool.done(job)
    assert ends(store) == ["slip.printed"]


def test_a_slip_under_way_when_the_power_went_is_printed_again_as_a_copy(store: Store, spool: Spool):
    store.issuing.issue(moment(0), "ho-tich")
    assert claim(spool)
    assert spool.recover() == 1
    again = claim(spool)
    assert again
    assert again.reprint
    assert again.payload.copy


def test_a_broken_slip_is_a_copy_the_next_time_and_an_unsent_one_is_not(store: Store, spool: Spool):
    store.issuing.issue(moment(0), "ho-tich")
    job = claim(spool)
    assert job
    spool.release(job, "hết giấy")
    job = claim(spool)
    assert job
    assert not job.reprint
    spool.retry(job, "kẹt giấy")
    job = claim(spool)
    assert job
    assert job.reprint


def test_a_slip_older_than_five_minutes_waits_on_the_helpers_list_instead(store: Store, spool: Spool):
    store.issuing.issue(moment(0), "ho-tich")
    store.issuing.issue(moment(200), "ho-tich")
    spool.clock = SetClock(moment(301))
    job = claim(spool)
    assert job
    assert job.payload.ticket.number == "1002"
    assert ends(store) == ["slip.expired"]


def test_a_clock_that_jumps_does_not_expire_the_slips_of_this_boot(store: Store, spool: Spool):
    store.issuing.issue(moment(0), "ho-tich")
    now = moment(1)
    spool.clock = SetClock(Moment(moment(10**7).at, "ntp", True, now.boot, now.mono))
    assert claim(spool)


def test_a_slip_whose_number_was_called_meanwhile_is_not_printed(store: Store, spool: Spool):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.call_next(moment(1), "1")
    assert claim(spool) is None
    assert ends(store) == ["slip.expired"]


def test_a_slip_that_cannot_be_drawn_does_not_block_the_ones_behind_it(store: Store, spool: Spool):
    for n in range(2):
        store.issuing.issue(moment(n), "ho-tich")
    job = claim(spool)
    assert job
    spool.fail(job, "phông chữ")
    following = claim(spool)
    assert following
    assert following.payload.ticket.number == "1002"
    assert ends(store) == ["slip.failed"]
