"""Numbers of a pre-printed roll: they come out of the service's one sequence, so that none is out twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.office import sample
from kiosk.present.take import refusal_notice
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.store.prepare import backup, prepare, restore
from kiosk.store.rebuild import from_events, from_tables
from kiosk.texts import Texts
from kiosk.tickets import Refused
from tests.office import moment, open_store


def staff(store: Store, at: float, service: str = "ho-tich", day: int = 0) -> str:
    return store.issuing.issue(moment(at, day=day), service, by="staff").ticket.number


def test_numbers_follow_the_roll_without_a_slip_and_their_events_say_so(store: Store):
    staff(store, 0)
    store.rolls.start(moment(1), "ho-tich", "1501")
    issued = store.issuing.issue(moment(2), "ho-tich", by="staff")
    assert (issued.ticket.number, issued.ticket.issuer, issued.job) == ("1501", "roll", 0)
    assert staff(store, 3) == "1502"
    assert store.rolls.next_numbers(moment(3)) == {"ho-tich": "1503"}
    assert store.database.rows("SELECT count(*) FROM jobs")[0][0] == 1
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_other_services_go_on_as_usual(store: Store):
    store.rolls.start(moment(1), "ho-tich", "1501")
    assert staff(store, 2, "dat-dai") == "3001"


def test_the_keys_give_no_number_of_a_service_that_has_a_roll(store: Store):
    store.rolls.start(moment(1), "ho-tich", "1501")
    with pytest.raises(Refused, match="roll"):
        store.issuing.issue(moment(2), "ho-tich")


def test_after_the_roll_the_kiosk_goes_on_above_it(store: Store):
    store.rolls.start(moment(1), "ho-tich", "1501")
    staff(store, 2)
    assert store.rolls.end(moment(3), "ho-tich")
    assert not store.rolls.end(moment(3), "ho-tich")
    assert store.issuing.issue(moment(4), "ho-tich").ticket.number == "1502"


def test_a_number_that_is_out_already_is_refused_and_says_from_where_on(store: Store):
    for at in range(3):
        staff(store, at)
    with pytest.raises(Refused) as refused:
        store.rolls.start(moment(5), "ho-tich", "1003")
    assert (refused.value.reason, refused.value.values) == ("roll_given", {"number": "1003", "first": "1004"})
    assert store.rolls.next_numbers(moment(6)) == {}


@pytest.mark.parametrize("number", ["", "501", "2501", "1", "1abc", "10001", "115000", "1٣٣٣", "1-500", "100"])
def test_what_is_no_number_of_the_service_is_refused(store: Store, number: str):
    with pytest.raises(Refused, match="roll_number"):
        store.rolls.start(moment(1), "ho-tich", number)


def test_the_roll_ends_with_its_day_and_goes_on_when_somebody_says_so(store: Store):
    store.rolls.start(moment(1), "ho-tich", "1501")
    staff(store, 2)
    assert store.rolls.next_numbers(moment(0, day=2)) == {}
    assert staff(store, 2, day=2) == "1001"
    assert store.issuing.issue(moment(5, day=2), "ho-tich").job
    store.rolls.start(moment(6, day=2), "ho-tich", "1502")
    assert staff(store, 7, day=2) == "1502"
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_a_roll_goes_on_over_noon_where_each_session_has_its_own_numbers(tmp_path: Path):
    office = sample()
    store = open_store(tmp_path, replace(office.rulebook(), numbering="session"))
    store.rolls.start(moment(1), "ho-tich", "1501")
    staff(store, 2)
    assert staff(store, 6 * 3600) == "1502"


def test_a_roll_of_this_morning_goes_on_when_the_true_date_comes(store: Store):
    staff(store, 0)
    store.rolls.start(moment(0, day=1, trusted=False, boot="b0070002"), "ho-tich", "1501")
    assert store.issuing.issue(moment(1, day=1, trusted=False, boot="b0070002"), "ho-tich", by="staff").job == 0
    assert store.issuing.issue(moment(60, day=1, boot="b0070002"), "ho-tich", by="staff").ticket.number == "1502"
    assert from_events(store.database.conn) == from_tables(store.database.conn)


def test_after_a_restore_the_roll_has_to_be_set_above_what_may_be_out(store: Store):
    store.rolls.start(moment(1), "ho-tich", "1501")
    staff(store, 2)
    folder, kept = store.database.folder, backup(store.database.folder, moment(3))
    assert staff(store, 4) == "1502"
    store.close()
    restore(folder, kept, moment(10))
    again = open_store(folder)
    with pytest.raises(Refused) as refused:
        staff(again, 20)
    assert refused.value.reason == "roll_given"
    again.rolls.start(moment(21), "ho-tich", str(refused.value.values["first"]))
    assert int(staff(again, 22)) > 1502
    prepare(folder, moment(30))
    assert from_events(again.database.conn) == from_tables(again.database.conn)


def test_the_kiosk_sends_citizens_to_the_help_desk_meanwhile():
    words = Words(sample(), Texts("vi"))
    notice = refusal_notice(words, Refused("roll"), "ho-tich", moment(0).day)
    assert (notice.title, notice.pill) == (words.t("kiosk.other"), words.t("kiosk.to_desk"))
