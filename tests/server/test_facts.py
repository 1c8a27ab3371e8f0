"""The server's facts are the kiosk's: the same rows come of the events, whatever happened and however they came."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from kiosk.rating import Rating as RatingFacts
from kiosk.store import Store
from kiosk.store.rebuild import from_tables
from kiosk.tickets import Counter, Ticket
from server.facts import fold, projector
from server.facts.models import Cursor, Desk, Fact, Rating, RatingRollup, Rollup
from server.facts.models import Ticket as TicketRow
from server.facts.rows import Rows
from server.feed.models import Event
from server.feed.storage import Storage
from server.registry.models import Device
from sync import ingest, wire
from tests.office import BOOT, moment
from tests.server.figures_kit import rating
from tests.server.kit import ENGINES, NOW, Server, batch_of, batches, server_on
from tests.test_queue_machine import QueueMachine


def push_all(server: Server, store: Store) -> None:
    for batch in batches(store.database.conn):
        assert server.push(batch).status_code == 200


def facts() -> dict[str, dict[str, Any]]:
    """All that the server believes, in the kiosk's own words."""
    return {
        "tickets": {row.id: fold.facts_of(row) for row in TicketRow.objects.all()},
        "ratings": {row.id: fold._rating_facts(row) for row in Rating.objects.all()},
        "desks": {
            row.counter: Counter(id=row.counter, **{name: getattr(row, name) for name in fold.DESK})
            for row in Desk.objects.all()
        },
    }


def own(store: Store) -> dict[str, dict[str, Any]]:
    """The same from the kiosk's tables."""
    tables = from_tables(store.database.conn)
    return {"tickets": tables.tickets, "ratings": tables.ratings, "desks": tables.counters}


def without_times(state: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """On a guessed clock the server knows better when something was; everything else is the same."""
    times = {Ticket: ("issued_at", "first_called_at", "last_called_at", "started_at", "ended_at", "missed_at")}
    times |= {Counter: ("armed_at", "acted_at"), RatingFacts: ("at",)}  # type: ignore[dict-item]
    return {
        kind: {id: replace(row, **dict.fromkeys(times[type(row)])) for id, row in rows.items()}
        for kind, rows in state.items()
    }


def a_morning(store: Store) -> None:
    """Five people at two counters: served, rated, held, missed, transferred."""
    for at in range(5):
        store.issuing.issue(moment(at * 10), "ho-tich", priority=at == 4)
    for counter in ("1", "2"):
        store.counters.open(moment(60), counter, f"clerk-{counter}")
    store.counters.call_next(moment(120), "1")
    store.counters.start(moment(130), "1")
    store.counters.finish(moment(430), "1")
    store.ratings.press(moment(440), "1", 3, "key")
    store.counters.call_next(moment(450), "1")
    store.counters.hold(moment(500), "1", "thiếu giấy tờ")
    store.counters.call_next(moment(520), "1")


def test_facts_made_of_the_events_are_the_tables_of_the_kiosk(server: Server, store: Store):
    a_morning(store)
    push_all(server, store)
    server.settle()
    assert facts() == own(store)
    assert projector.project(NOW) == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("examples", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_whatever_happens_to_a_queue_the_facts_are_those_of_the_kiosk(engine: str, examples: int):
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Observed(engine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Observed(QueueMachine):
    """The queue with a server that is told everything at the end, in two parts, and makes its facts twice."""

    def __init__(self, engine: str) -> None:
        super().__init__()
        self.engine = engine

    def teardown(self) -> None:
        self.everybody_is_served()
        with tempfile.TemporaryDirectory() as folder, server_on(self.engine, Path(folder)) as server:
            for batch in batches(self.store.database.conn, size=37):
                assert server.push(batch).status_code == 200
                projector.project(NOW)
            server.settle()
            assert not Event.objects.exclude(quarantined=None).exists()
            found = facts()
            assert without_times(found) == without_times(own(self.store))
            assert Cursor.objects.get().rebuilds == 0
            projector.rebuild(Device.objects.get(), NOW)
            assert facts() == found
        super().teardown()


def test_sums_are_those_of_the_rows_and_stay_when_nothing_is_new(server: Server, store: Store):
    a_morning(store)
    push_all(server, store)
    server.settle()
    everything = Rollup.objects.get(dim="all")
    assert (everything.issued, everything.priority, everything.served, everything.holds) == (5, 1, 1, 1)
    assert everything.waits == {"1": 1, "7": 1, "8": 1}
    assert everything.services == {"5": 1}
    assert [(r.level, r.flags, r.n) for r in RatingRollup.objects.all()] == [(3, "", 1)]


def test_a_rating_stands_under_the_service_that_the_number_was_taken_for_as_the_visit_does(
    server: Server, store: Store
):
    store.issuing.issue(moment(0), "ho-tich")
    for counter in ("1", "2"):
        store.counters.open(moment(60), counter, f"clerk-{counter}")
    store.counters.call_next(moment(120), "1")
    store.counters.transfer(moment(130), "1", service="dat-dai")
    store.counters.call_next(moment(140), "2")
    store.counters.start(moment(150), "2")
    store.counters.finish(moment(430), "2")
    store.ratings.press(moment(440), "2", 3, "key")
    push_all(server, store)
    server.settle()
    visits = {row.key: row.served for row in Rollup.objects.filter(dim="service")}
    assert visits == {row.service: row.n for row in RatingRollup.objects.all()} == {"ho-tich": 1}


def test_an_event_that_fits_nothing_is_kept_marked_and_does_not_stop_the_others(server: Server, store: Store):
    a_morning(store)
    whole = batches(store.database.conn)[0]
    strange = whole.lines[3].replace(b'"ticket":"', b'"ticket":"x', 1)
    lines = [*whole.lines[:3], strange, *whole.lines[4:]]
    answer = server.push(batch_of([], lines, "k-7F3K2M", whole.header.epoch))
    assert answer.json()["head"][0] == len(lines)
    server.settle()
    assert Cursor.objects.get().num == len(lines)
    assert Event.objects.count() == len(lines)


def test_values_that_the_database_refuses_go_into_quarantine_and_the_others_are_folded(server: Server, store: Store):
    a_morning(store)
    whole = batches(store.database.conn)[0]
    strange = [line.replace(b'"session":"', b'"session":"\\u0000' + b"x" * 60, 1) for line in whole.lines[:1]]
    answer = server.push(batch_of([], [*strange, *whole.lines[1:]], "k-7F3K2M", whole.header.epoch, printer="\0ok"))
    assert answer.status_code == 200
    server.settle()
    assert TicketRow.objects.count() >= 4
    assert Device.objects.get().status == {"printer": "ok"}


def test_a_guessed_time_is_corrected_when_the_boot_learns_the_true_one(server: Server, store: Store):
    wrong = replace(moment(0, trusted=False, boot="b0070009"), at=moment(-86400 * 30).at)
    store.issuing.issue(wrong, "ho-tich")
    push_all(server, store)
    server.settle()
    store.issuing.issue(moment(600, boot="b0070009"), "ho-tich")
    push_all(server, store)
    server.settle()
    assert [row.issued_at for row in TicketRow.objects.order_by("seq")] == [moment(0).at, moment(600).at]
    assert {row.day for row in TicketRow.objects.all()} == {date(2026, 11, 23)}


def a_guessed_morning(store: Store) -> None:
    """A number that was taken, called, served and rated before the network told the time, and one that waits."""
    for at, act in enumerate(
        (
            lambda now: store.issuing.issue(now, "ho-tich"),
            lambda now: store.issuing.issue(now, "dat-dai"),
            lambda now: store.counters.open(now, "1", "clerk-1"),
            lambda now: store.posters.renew(now, "1"),
            lambda now: store.counters.call_next(now, "1"),
            lambda now: store.counters.start(now, "1"),
            lambda now: store.counters.finish(now, "1"),
            lambda now: store.ratings.press(now, "1", 3, "key"),
        )
    ):
        true = moment(2000 + at * 60, trusted=False, boot="b0070009")
        act(replace(true, at=true.at - timedelta(days=30)))


def test_the_true_time_of_a_boot_changes_its_own_rows_alone(server: Server, store: Store):
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.open(moment(60), "1", "clerk-1")
    store.counters.call_next(moment(120), "1")
    store.counters.finish(moment(300), "1")
    push_all(server, store)
    server.settle()
    before = Cursor.objects.get().num
    a_guessed_morning(store)
    push_all(server, store)
    server.settle()
    store.issuing.issue(moment(4000, boot="b0070009"), "ho-tich")
    push_all(server, store)
    server.settle()
    served = TicketRow.objects.get(boot="b0070009", state="served")
    times = [served.issued_at, served.reached_at, served.started_at, served.ended_at]
    assert times == [moment(2000 + at * 60).at for at in (0, 4, 5, 6)]
    assert Rating.objects.get(ticket=served.pk).at == moment(2420).at
    assert Desk.objects.get(counter="1").armed_at == moment(2360).at
    assert Fact.objects.get(kind="poster").at == moment(2180).at
    assert Rollup.objects.get(dim="all").waits["4"] == 1
    assert Cursor.objects.get().rebuilds == 0
    assert {row.boot for row in TicketRow.objects.filter(num__gt=before)} == {"b0070009"}
    found = facts()
    projector.rebuild(Device.objects.get(), NOW)
    assert facts() == found


def test_guesses_that_a_release_before_folded_are_put_right_by_making_the_facts_again(lite: Server, store: Store):
    a_guessed_morning(store)
    push_all(lite, store)
    lite.settle()
    Fact.objects.filter(kind="boot").update(value={"offset_ms": None})
    store.issuing.issue(moment(4000, boot="b0070009"), "ho-tich")
    push_all(lite, store)
    lite.settle()
    assert TicketRow.objects.get(state="served").issued_at == moment(2000).at
    assert Cursor.objects.get().rebuilds == 1


def test_events_of_an_older_epoch_that_come_late_are_folded_in_their_place(server: Server, store: Store):
    a_morning(store)
    whole = batches(store.database.conn)[0]
    cut = len(whole.lines) // 2
    assert server.push(batch_of([], whole.lines[cut:], "k-7F3K2M", "00000002" + "b" * 8)).status_code == 200
    server.settle()
    assert server.push(batch_of([], whole.lines[:cut], "k-7F3K2M", "00000001" + "a" * 8)).status_code == 200
    server.settle()
    assert facts() == own(store)
    assert not Event.objects.exclude(quarantined=None).exists()


def test_older_events_that_come_while_facts_are_made_again_have_them_made_again_once_more(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    """They come after the last look at new events, and before the cursor is locked."""
    a_morning(store)
    whole = batches(store.database.conn)[0]
    cut = len(whole.lines) // 2
    server.push(batch_of([], whole.lines[cut:], "k-7F3K2M", "00000002" + "b" * 8))
    server.settle()
    lock = projector.locked_cursor

    def late_events_come() -> Cursor:
        monkeypatch.setattr(projector, "locked_cursor", lock)
        add_late(whole.lines[:cut])
        return lock()

    Device.objects.update(rebuild=True)
    monkeypatch.setattr(projector, "locked_cursor", late_events_come)
    assert projector.rebuild_asked(NOW) == 1
    assert Device.objects.get().rebuild
    server.settle()
    assert not Device.objects.get().rebuild
    assert facts() == own(store)


def add_late(lines: Sequence[bytes]) -> None:
    """Store events of an older epoch as ingest does, inside the transaction that is open."""
    storage = Storage(NOW)
    storage.add("k-7F3K2M", "00000001" + "a" * 8, [ingest.to_row(seq, line) for seq, line in enumerate(lines, 1)])


def test_facts_of_one_kiosk_that_cannot_be_made_again_hold_up_no_other_kiosk(
    lite: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    lite.enrol("k-OTHER1", "its token")
    Device.objects.update(rebuild=True)
    real = projector._forget

    def fails(device: Device, since: date | None) -> None:
        if device.name == "k-7F3K2M":
            raise ValueError("no reason")
        real(device, since)

    monkeypatch.setattr(projector, "_forget", fails)
    assert projector.rebuild_asked(NOW) == 1
    assert [device.name for device in Device.objects.filter(rebuild=True)] == ["k-7F3K2M"]


def test_quarantined_events_are_folded_after_a_fix_also_the_newest(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    for type in ("rating.given", "ticket.called"):
        monkeypatch.setitem(projector.shapes.SHAPES, type, {"unknown_key": lambda value: True})
    a_morning(store)
    answer = server.push(batches(store.database.conn)[0])
    assert answer.json()["quarantined"][-1]["seq"] == answer.json()["head"][0]
    server.settle()
    assert not Rating.objects.exists()
    monkeypatch.undo()
    assert server.signed_in("ky-thuat", "technician").post("/quarantine/again").status_code == 302
    server.settle()
    assert not Event.objects.exclude(quarantined=None).exists()
    assert facts() == own(store)


def test_a_rating_whose_true_day_has_come_is_asked_again_whether_it_counts(lite: Server):
    guessed, phone = rating(lite.device, date(2026, 11, 1), late=NOW.date()), rating(lite.device, NOW.date())
    guessed.guess_boot, guessed.counting, phone.source = BOOT, False, "phone"
    for row in (guessed, phone):
        row.ticket = "ticket"
        row.save()
    rows = Rows(lite.device)
    data = {"from": "2026-11-01", "day": "2026-11-23", "boot": BOOT}
    fold.fold(rows, wire.Event("1", "rating.relabelled", 1, wire.Stamp(NOW, "ntp", BOOT, 0), data), 9, NOW)
    assert {row.pk: row.counting for row in rows.known(Rating)} == {guessed.pk: True, phone.pk: False}
