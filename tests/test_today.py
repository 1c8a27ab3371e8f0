"""The day in figures: right by the rules of the queue, and cheap however many years lie in the table."""

import pytest

from kiosk.store import Store
from kiosk.store.today import LISTED, ServiceDay
from tests.office import moment

YEARS = 400_000


def take(store: Store, at: float, service: str = "ho-tich") -> str:
    return store.issuing.issue(moment(at), service, by="staff").ticket.id


def day(store: Store, at: float, service: str = "ho-tich", **how: object) -> ServiceDay:
    facts = store.today(moment(at, **how))  # type: ignore[arg-type]
    return next(each for each in facts.services if each.service == service)


def test_waits_are_those_until_the_first_call_and_the_median_minds_no_single_long_one(store: Store):
    for k, wait in enumerate((60, 120, 3000)):
        take(store, 0)
        store.counters.call_next(moment(wait + k), "1")
    assert day(store, 3100).wait_s == pytest.approx(121)
    assert day(store, 3100, "dat-dai").wait_s is None


def test_who_waits_longest_is_somebody_whom_nobody_has_called_yet(store: Store):
    take(store, 0)
    store.counters.call_next(moment(10), "1")
    store.counters.transfer(moment(20), "1", service="ho-tich")
    take(store, 100)
    now = day(store, 400)
    assert (now.waiting, now.longest_s) == (2, 300)


def test_a_clock_that_was_set_makes_no_wait_of_years(store: Store):
    take(store, 0)
    store.database.conn.execute("UPDATE tickets SET issued_at = '2020-01-01T00:00:00.000Z'")
    store.counters.call_next(moment(60), "1")
    assert day(store, 100).wait_s is None


def test_states_are_counted_for_the_service_that_gave_the_number(store: Store):
    ids = [take(store, k) for k in range(4)]
    store.counters.cancel(moment(10), ids[3], "về")
    store.counters.call_next(moment(11), "1")
    store.counters.no_show(moment(200), "1")
    store.counters.call_next(moment(201), "1")
    store.counters.finish(moment(210), "1")
    now = day(store, 300)
    assert (now.issued, now.served, now.no_show, now.cancelled, now.waiting) == (4, 1, 1, 1, 1)


def test_yesterday_counts_for_nothing_even_before_todays_first_number(store: Store):
    take(store, 0)
    assert store.today(moment(0, day=1)).hours == {}
    assert store.help_desk(moment(0, day=1), 5).recent == ()


def test_on_an_unsure_clock_the_running_day_is_shown(store: Store):
    take(store, 0)
    assert day(store, 0, day=40, trusted=False).issued == 1


def test_a_service_that_the_office_no_longer_has_keeps_its_figures(store: Store):
    take(store, 0)
    store.database.conn.execute("UPDATE tickets SET service = 'cu', queue = 'cu'")
    assert day(store, 10, "cu").issued == 1


def test_a_search_looks_for_its_text_and_nothing_else(store: Store):
    for k in range(12):
        take(store, k)
    found = store.help_desk(moment(20), 5, "12").recent
    assert [ticket.number for ticket in found] == ["1012"]
    assert store.help_desk(moment(20), 5, "%").recent == ()


def test_the_list_ends_and_older_ones_are_found_by_number(store: Store):
    for k in range(LISTED + 1):
        take(store, k)
    recent = store.help_desk(moment(100), 5).recent
    assert (len(recent), recent[-1].number) == (LISTED, "1002")
    assert [t.number for t in store.help_desk(moment(100), 5, "1001").recent] == ["1001"]


def test_at_400000_tickets_the_pages_read_only_the_days_rows(store: Store):
    """Counted in steps of SQLite's machine, which is the same on every computer."""
    take(store, 0)
    few = steps(store)
    columns = [row["name"] for row in store.database.rows("PRAGMA table_info(tickets)")]
    values = {
        "arrival": "n + 10", "id": "'i' || n", "token": "'t' || n", "series": "'d' || (n / 400)", "seq": "n",
        "number": "1000 + n", "state": "'served'", "started_at": "issued_at", "ended_at": "issued_at",
    }  # fmt: skip
    with store.database.writing(moment(1)) as w:
        w.conn.execute("INSERT INTO series SELECT 'd' || 0, '2020-01-01', '', 1, '', 0, '', 0")
        w.conn.execute(
            f"WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {YEARS})"
            f" INSERT INTO tickets ({', '.join(columns)})"
            f" SELECT {', '.join(values.get(name, f'tickets.{name}') for name in columns)} FROM many, tickets"
        )
    assert steps(store) < few + 500


def steps(store: Store) -> int:
    """Hundreds of instructions for both pages, once each."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    store.database.conn.set_progress_handler(tick, 100)
    store.today(moment(60))
    store.help_desk(moment(60), 5)
    store.help_desk(moment(60), 5, "1001")
    store.desk(moment(60), "1")
    store.database.conn.set_progress_handler(None, 0)
    return count
