"""How long the kiosk keeps what it knows: rows of 24 months, counted from the numbers that it gave itself."""

from pathlib import Path

import pytest

from kiosk.store import Store
from kiosk.store.backup import backup
from kiosk.store.retention import PROOF
from kiosk.tickets import Refused
from tests.office import moment, open_store

LATER = 800
"""Days: more than 24 months, from whatever day of a month."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A number that was served and rated, and presses for which there was none, long before the days that follow."""
    opened = open_store(tmp_path)
    a_visit(opened, 0)
    with pytest.raises(Refused):
        opened.issuing.issue(moment(60, day=-1), "ho-tich")  # a Sunday
    return opened


def a_visit(store: Store, day: int) -> str:
    """The id of a ticket that was served and rated on that day."""
    issued = store.issuing.issue(moment(day=day), "ho-tich", by="staff")
    store.counters.open(moment(60, day=day), "1", "nguyen-thi-a")
    store.counters.call_next(moment(120, day=day), "1")
    store.counters.start(moment(130, day=day), "1")
    store.counters.finish(moment(430, day=day), "1")
    store.ratings.press(moment(440, day=day), "1", 3, "key")
    return issued.ticket.id


def counts(store: Store) -> tuple[int, int, int, int]:
    """Tickets, their slips, ratings, and refusals."""
    conn = store.database.conn
    tables = ("tickets", "jobs", "ratings", "refusals")
    return tuple(conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables)  # type: ignore[return-value]


def night(store: Store, day: int) -> None:
    backup(store.database.folder, moment(40_000, day=day))


def test_after_24_months_tickets_slips_ratings_and_refusals_are_gone(store: Store) -> None:
    kept = {a_visit(store, LATER + day) for day in range(PROOF)}
    night(store, LATER + PROOF)
    assert counts(store) == (PROOF, PROOF, PROOF, 0)
    assert {row["id"] for row in store.database.rows("SELECT id FROM tickets")} == kept


def test_what_is_younger_stays(store: Store) -> None:
    for day in range(PROOF):
        a_visit(store, 690 + day)
    before = counts(store)
    night(store, 690 + PROOF)
    assert counts(store) == before


def test_a_clock_that_is_years_ahead_for_some_days_takes_nothing_away(store: Store) -> None:
    for day in range(PROOF - 2):
        a_visit(store, 5000 + day)
    before = counts(store)
    night(store, 5000 + PROOF)
    assert counts(store) == before


def test_numbers_go_on_after_old_ones_are_gone(store: Store) -> None:
    last = [store.issuing.issue(moment(60, day=LATER + day), "ho-tich", by="staff") for day in range(PROOF)][-1]
    night(store, LATER + PROOF)
    following = store.issuing.issue(moment(120, day=LATER + PROOF - 1), "ho-tich", by="staff")
    assert following.ticket.seq == last.ticket.seq + 1
