"""One person with two errands: two linked tickets, of which one is passed over while the other is served."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.store import Store
from kiosk.store.prepare import prepare
from kiosk.store.rebuild import from_events, from_tables
from kiosk.tickets import Refused, State
from tests.office import moment, open_store


def take(store: Store, service: str, at: float = 0, **how: bool) -> str:
    """A new ticket's id."""
    return store.issuing.issue(moment(at), service, by="staff", **how).ticket.id


@pytest.fixture
def mother(store: Store) -> tuple[Store, str, str]:
    """1001 (counter 1) and 2001 (counters 1 and 4) are one person's; 2002 is somebody else's."""
    first, second = take(store, "ho-tich"), take(store, "chung-thuc", 1)
    take(store, "chung-thuc", 2)
    store.counters.link(moment(3), first, "2001")
    return store, first, second


def test_the_linked_ticket_is_passed_over_while_the_other_is_at_a_counter(mother: tuple[Store, str, str]):
    store, first, second = mother
    assert store.counters.call_chosen(moment(10), "1", "1001", "đã hẹn").id == first
    called = store.counters.call_next(moment(11), "4")
    assert called is not None
    assert called.number == "2002"
    assert store.counters.call_next(moment(12), "4") is None, "she is still at counter 1"
    store.counters.finish(moment(20), "1")
    again = store.counters.call_next(moment(21), "4")
    assert again is not None
    assert again.id == second, "the place in line was kept"


def test_who_was_passed_over_goes_before_those_who_came_later(mother: tuple[Store, str, str]):
    store, _, second = mother
    take(store, "chung-thuc", 5)
    store.counters.call_chosen(moment(10), "1", "1001", "đã hẹn")
    store.counters.call_next(moment(11), "4")
    store.counters.finish(moment(20), "1")
    called = store.counters.call_next(moment(21), "4")
    assert called is not None
    assert called.id == second


def test_a_ticket_that_is_held_or_missed_does_not_block_the_other(mother: tuple[Store, str, str]):
    store, _, second = mother
    store.counters.call_chosen(moment(10), "1", "1001", "đã hẹn")
    store.counters.hold(moment(11), "1", "thiếu giấy")
    called = store.counters.call_next(moment(12), "4")
    assert called is not None
    assert called.id == second


def test_one_clerk_who_serves_both_calls_them_one_after_the_other(mother: tuple[Store, str, str]):
    store, first, second = mother
    calls = [store.counters.call_next(moment(10 + k), "1") for k in range(2)]
    assert {ticket.id for ticket in calls if ticket} == {first, second}


def test_a_third_ticket_joins_and_all_three_know_each_other(mother: tuple[Store, str, str]):
    store, first, _ = mother
    third = take(store, "dat-dai", 4)
    store.counters.link(moment(5), third, "1001")
    state = from_tables(store.database.conn)
    assert [t.number for t in state.tickets.values() if t.linked == first] == ["1001", "2001", "3001"]
    assert state == from_events(store.database.conn)


def test_what_cannot_be_linked_says_why(mother: tuple[Store, str, str]):
    store, first, _ = mother
    with pytest.raises(Refused, match="link_itself"):
        store.counters.link(moment(4), first, "1001")
    with pytest.raises(Refused, match="linked_already"):
        store.counters.link(moment(4), first, "2001")
    with pytest.raises(Refused, match="no_ticket"):
        store.counters.link(moment(4), first, "9999")
    with pytest.raises(Refused, match="not_linked"):
        store.counters.unlink(moment(4), take(store, "dat-dai", 4))


def test_unlinked_tickets_are_called_like_any_others(mother: tuple[Store, str, str]):
    store, _, second = mother
    store.counters.unlink(moment(4), second)
    store.counters.call_chosen(moment(10), "1", "1001", "đã hẹn")
    called = store.counters.call_next(moment(11), "4")
    assert called is not None
    assert called.id == second
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_a_move_is_not_taken_back_over_a_link_that_came_since(store: Store):
    first, _ = take(store, "ho-tich"), take(store, "chung-thuc")
    store.counters.call_next(moment(1), "1")
    store.counters.link(moment(2), first, "2001")
    with pytest.raises(Refused, match="undo_too_late"):
        store.counters.undo(moment(3), "1")
    assert from_tables(store.database.conn).tickets[first].state is State.CALLED


def test_a_database_from_before_links_gets_them_and_keeps_its_tickets(tmp_path: Path):
    store = open_store(tmp_path)
    ticket = take(store, "ho-tich")
    store.close()
    with closing(sqlite3.connect(tmp_path / "kiosk.db")) as conn:
        conn.executescript(
            "DROP INDEX tickets_linked; ALTER TABLE tickets DROP COLUMN linked; DROP TABLE rolls;"
            " DELETE FROM _sqlite_migrations WHERE name = 'm006_hall';"
        )
    prepare(tmp_path, moment(10))
    assert from_tables(open_store(tmp_path).database.conn).tickets[ticket].linked == ""
