"""Slips that did not come out, and slips that are asked for again."""

from pathlib import Path

import pytest

from kiosk.store import Store
from kiosk.store.database import Database
from kiosk.store.spool import SlipJob, Spool
from kiosk.tickets import Refused
from tests.office import moment

LATE_MIN = 5.0


class At:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds: float = 0

    def now(self):
        return moment(self.seconds)


@pytest.fixture
def paper(store: Store, tmp_path: Path):
    """The printer's side of the store: `paper(seconds)` prints all that it finds; its jobs."""
    clock = At()
    spool = Spool(Database(tmp_path), clock)  # type: ignore[arg-type]

    def run(seconds: float) -> list[SlipJob]:
        clock.seconds = seconds
        printed = []
        while job := spool.claim(moment(seconds).at):
            spool.done(job)
            printed.append(job)
        return printed

    yield run
    spool.database.close()


def take(store: Store, at: float = 0) -> str:
    return store.issuing.issue(moment(at), "ho-tich", by="staff").ticket.id


def lost(store: Store, at: float) -> list[tuple[str, bool]]:
    return [(slip.ticket.number, slip.tried) for slip in store.slips.lost(moment(at), LATE_MIN)]


def test_a_slip_that_came_out_is_printed_again_as_a_copy(store: Store, paper):
    ticket = take(store)
    paper(1)
    store.slips.reprint(moment(60), ticket)
    (job,) = paper(61)
    assert (job.payload.ticket.id, job.payload.copy) == (ticket, True)


def test_slips_from_a_long_time_without_paper_wait_on_the_list_and_come_out_when_asked_for(store: Store, paper):
    take(store)
    take(store, 1)
    assert lost(store, 100) == [], "the printer may still manage"
    assert lost(store, 400) == [("1001", False), ("1002", False)]
    assert paper(500) == [], "too old to come out by themselves"
    assert lost(store, 500) == [("1001", True), ("1002", True)]
    assert store.slips.reprint_all(moment(510), LATE_MIN) == 2
    assert [(job.payload.ticket.number, job.payload.copy) for job in paper(511)] == [("1001", False), ("1002", False)]
    assert lost(store, 520) == []


def test_asking_again_while_there_is_no_paper_makes_one_slip(store: Store, paper):
    ticket = take(store)
    for at in (400, 410, 420):
        store.slips.reprint(moment(at), ticket)
    assert len(paper(430)) == 1


def test_a_slip_that_is_coming_out_right_now_is_not_asked_for_twice(store: Store, tmp_path: Path):
    ticket = take(store)
    clock = At()
    spool = Spool(Database(tmp_path), clock)  # type: ignore[arg-type]
    job = spool.claim(moment(0).at)
    store.slips.reprint(moment(1), ticket)
    assert job is not None
    spool.done(job)
    assert spool.claim(moment(1).at) is None
    spool.database.close()


def test_whoever_is_called_needs_no_slip_any_more(store: Store, paper):
    ticket = take(store)
    store.counters.call_next(moment(400), "1")
    assert lost(store, 401) == []
    with pytest.raises(Refused, match="wrong_state"):
        store.slips.reprint(moment(402), ticket)


def test_a_number_of_a_roll_gets_a_slip_when_somebody_asks_and_is_on_no_list(store: Store, paper):
    take(store)
    store.rolls.start(moment(1), "ho-tich", "1500")
    ticket = take(store, 2)
    paper(3)
    assert lost(store, 4000) == []
    store.slips.reprint(moment(10), ticket)
    (job,) = paper(11)
    assert (job.payload.ticket.number, job.payload.ahead, job.payload.copy) == ("1500", 1, True)


def test_a_slip_that_is_asked_for_again_moves_no_promise(store: Store, paper):
    ticket = take(store)
    with store.database.writing(moment(0)) as w:
        w.conn.execute("UPDATE jobs SET wait_low = 1, wait_high = 10")
    store.slips.reprint(moment(500), ticket)
    assert not store.board(moment(599)).kept_waiting
    assert store.board(moment(601)).kept_waiting
