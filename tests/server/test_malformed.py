"""Events whose values no table can hold, or no rule can work with: each is set aside, and stops nothing else."""

import json
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from kiosk.store import Store
from server import work
from server.facts import projector, rollups
from server.facts.models import Dirty, Fact, Rollup, Ticket
from server.feed.models import Event
from server.registry.models import Device
from tests.server.kit import NOW, Server, batch_of
from tests.server.test_facts import a_morning, facts, own, push_all

EPOCH = "00000001aaaaaaaa"
FAR = "9999-12-31T23:59:59.000Z"
ISSUED = {
    "ticket": "T1", "token": "tok1", "series": "2026-11-23", "session": "sang", "service": "ho-tich", "seq": 1,
    "number": "1001", "priority": False, "boot": "b1", "trusted": True, "arrival": 1, "by": "kiosk",
}  # fmt: skip
RATED = {
    "rating": "R1", "ticket": "", "counter": "1", "clerk": "", "level": 3, "label_set": "smile", "source": "key",
    "flags": [], "day": "2026-11-23", "session": "sang", "guess_boot": "",
}  # fmt: skip


def line(n: int, type: str, data: dict[str, Any], **stamp: Any) -> bytes:
    """An event line as anybody could send it: nothing here checks it."""
    when = {"at": "2026-11-23T01:00:00.000Z", "clock": "ntp", "boot": "b1", "mono": 1000 + n, **stamp}
    event = {"id": f"00000000-0000-4000-8000-{n:012d}", "type": type, "v": 1, **when, "data": data}
    return json.dumps(event).encode()


BAD: dict[str, list[bytes]] = {
    "half a letter": [line(1, "ticket.issued", {**ISSUED, "session": "\ud800"})],
    "half a letter as a ticket": [line(2, "ticket.closed", {"ticket": "\ud800", "counter": "", "why": ""})],
    "a place beyond all numbers": [
        line(3, "ticket.issued", {**ISSUED, "ticket": "T3"}),
        line(4, "ticket.returned", {"ticket": "T3", "place": 10**30}),
    ],
    "a day that is none": [line(5, "rating.relabelled", {"from": "2026-13-45", "day": "2026-11-23", "boot": "b1"})],
    "a state that is none": [
        line(6, "ticket.issued", {**ISSUED, "ticket": "T6"}),
        line(7, "ticket.undone", {"ticket": "T6", "counter": "1", "restore": {"state": ["x"]}, "desk": {}}),
    ],
    "calls that are letters": [
        line(8, "ticket.issued", {**ISSUED, "ticket": "T8"}),
        line(9, "ticket.undone", {"ticket": "T8", "counter": "1", "restore": {"calls": "abc"}, "desk": {}}),
    ],
    "another ticket's id": [
        line(10, "ticket.issued", {**ISSUED, "ticket": "T10"}),
        line(11, "ticket.undone", {"ticket": "T10", "counter": "1", "restore": {"id": 7}, "desk": {}}),
    ],
    "the end of the calendar": [line(12, "ticket.issued", {**ISSUED, "ticket": "T12"}, at=FAR)],
    "the end of the calendar, taken back": [
        line(13, "ticket.issued", {**ISSUED, "ticket": "T13"}),
        line(14, "ticket.undone", {"ticket": "T13", "counter": "", "restore": {"issued_at": FAR}, "desk": {}}),
    ],
    "a day at the end of the calendar": [
        line(15, "ticket.issued", {**ISSUED, "ticket": "T15", "series": "9999-12-31"})
    ],
    "NUL in a boot": [line(16, "device.clock", {}, boot="b\0")],
    "NUL in a ticket": [line(17, "ticket.closed", {"ticket": "T\0", "counter": "", "why": ""})],
    "NUL in a counter": [line(18, "counter.paused", {"counter": "1\0", "until": ""})],
    "a mono that is no time": [
        line(19, "device.clock", {}, boot="b2", mono=2**62), line(20, "device.printer", {}, boot="b2", clock="guess"),
    ],
    "a reason that is a story": [line(21, "rating.given", {**RATED, "reasons": ["x" * 190]})],
    "a level beyond its column": [line(22, "rating.given", {**RATED, "rating": "R2", "level": 2**31 - 1})],
}  # fmt: skip
"""What is wrong, and the events that show it: all but the last line of each are good."""


@pytest.fixture
def with_other(server: Server, store: Store) -> Server:
    """A server with a second kiosk of the site, whose events are bad."""
    server.enrol("k-BAD", "its token")
    return server


def send(server: Server, lines: list[bytes]) -> Any:
    answer = server.push(batch_of([], lines, "k-BAD", EPOCH), "its token")
    assert answer.status_code == 200
    return answer.json()["quarantined"]


def of_good_kiosk() -> dict[str, dict[str, Any]]:
    """Its facts alone."""
    found = facts()
    own_tickets = set(Ticket.objects.filter(device__name="k-7F3K2M").values_list("pk", flat=True))
    return {**found, "tickets": {id: row for id, row in found["tickets"].items() if id in own_tickets}}


@pytest.mark.parametrize("wrong", BAD)
def test_a_malformed_event_is_set_aside_as_it_comes_in(lite: Server, wrong: str):
    lite.enrol("k-BAD", "its token")
    held = [found["seq"] for found in send(lite, BAD[wrong])]
    assert len(BAD[wrong]) in held or wrong == "a mono that is no time"
    assert len(held) == 1


def taken_by_an_older_release(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything, of a release that knew no shapes: each is stored as a good event."""
    with monkeypatch.context() as before:
        before.setattr("server.facts.shapes.check", lambda event: None)
        assert send(server, [each for lines in BAD.values() for each in lines]) == []


def test_malformed_events_that_an_older_release_took_stop_neither_facts_nor_sums(
    with_other: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    taken_by_an_older_release(with_other, monkeypatch)
    a_morning(store)
    push_all(with_other, store)
    for _ in range(2):
        with_other.settle()
        held = set(Event.objects.exclude(quarantined=None).values_list("seq", flat=True))
        assert held == {int(json.loads(lines[-1])["id"][-12:]) for lines in BAD.values()} - {20} | {19}
        assert of_good_kiosk()["tickets"] == own(store)["tickets"]
        assert Rollup.objects.get(dim="all").issued == 10
        projector.rebuild(Device.objects.get(name="k-BAD"), NOW)


def test_whatever_else_an_event_does_to_folding_and_writing_only_it_is_set_aside(
    with_other: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.facts.shapes.check", lambda event: None)
    taken_by_an_older_release(with_other, monkeypatch)
    a_morning(store)
    push_all(with_other, store)
    for _ in range(2):
        while projector.project(NOW):
            continue
        held = set(Event.objects.exclude(quarantined=None).values_list("seq", flat=True))
        assert {1, 2, 4, 5, 7, 9} <= held <= {int(json.loads(lines[-1])["id"][-12:]) for lines in BAD.values()}
        assert of_good_kiosk()["tickets"] == own(store)["tickets"]
        projector.rebuild(Device.objects.get(name="k-BAD"), NOW)


def test_a_day_that_cannot_be_summed_keeps_its_mark_and_holds_up_no_other_day(server: Server, store: Store):
    a_morning(store)
    push_all(server, store)
    while projector.project(NOW):
        continue
    far = datetime(9999, 12, 31, 23, tzinfo=UTC)
    Ticket.objects.filter(pk=Ticket.objects.first().pk).update(day=date(2026, 11, 25), issued_at=far)  # type: ignore[union-attr]
    Dirty.objects.create(site=server.site, day=date(2026, 11, 25))
    assert rollups.roll_up(NOW) == 1
    assert [row.day for row in Rollup.objects.filter(dim="all")] == [date(2026, 11, 23)]
    assert [row.day for row in Dirty.objects.all()] == [date(2026, 11, 25)]
    assert rollups.roll_up(NOW + timedelta(minutes=59)) == 0
    Ticket.objects.filter(issued_at=far).update(issued_at=NOW)
    assert rollups.roll_up(NOW + timedelta(minutes=61)) == 1
    assert not Dirty.objects.exists()


def test_today_does_not_wait_for_days_of_years_ago_that_are_to_be_summed_again(server: Server):
    days = [date(2026, 11, 23), date(2025, 11, 24), date(2026, 11, 20)]
    Dirty.objects.bulk_create(Dirty(site=server.site, day=day) for day in days)
    for left in ([date(2025, 11, 24), date(2026, 11, 20)], [date(2025, 11, 24)]):
        assert rollups.roll_up(NOW, most=1) == 1
        assert sorted(row.day for row in Dirty.objects.all()) == left
    assert rollups.roll_up(NOW, most=1, oldest_first=True) == 1


def test_what_the_database_cannot_do_just_now_sets_nothing_aside(
    lite: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    a_morning(store)
    push_all(lite, store)

    def full(self: object, at: datetime) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as broken, pytest.raises(OperationalError):
        broken.setattr("server.facts.rows.Rows.save", full)
        projector.project(NOW)
    assert not Event.objects.exclude(quarantined=None).exists()
    lite.settle()
    assert facts() == own(store)


def test_a_job_that_fails_is_logged_and_the_others_are_done(caplog: pytest.LogCaptureFixture):
    done: list[datetime] = []

    def fails(now: datetime) -> bool:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "half a letter")

    def works(now: datetime) -> bool:
        done.append(now)
        return False

    worker = work.Worker((work.Job("first", 0.0, fails), work.Job("second", 0.0, works)))
    with caplog.at_level(logging.ERROR):
        worker.run(lambda: not done)
    assert len(done) == 1
    assert "'first' failed" in caplog.text


def test_events_that_halves_are_folded_of_ask_for_their_facts_again_too(
    lite: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    lite.enrol("k-BAD", "its token")
    monkeypatch.setattr("server.facts.shapes.check", lambda event: None)
    # A boot of which a release before kept only that its time is not known.
    Fact.objects.create(
        device=Device.objects.get(name="k-BAD"),
        site=lite.site,
        kind="boot",
        key="b9",
        value={"offset_ms": None},
        at=NOW,
    )
    send(lite, [line(31, "device.clock", {}, boot="b9"), *BAD["half a letter"]])
    projector.project(NOW)
    assert [device.name for device in Device.objects.filter(rebuild=True)] == ["k-BAD"]
