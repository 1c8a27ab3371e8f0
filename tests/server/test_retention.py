"""What is too old goes, and no sum changes by it: not at once, not by what comes late, not by a rebuild."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import override_settings

from kiosk.store import Store
from server.accounts.models import Audit
from server.config import load
from server.facts import projector, retention
from server.facts.models import (
    Comment,
    Cursor,
    Desk,
    Dirty,
    Fact,
    Rating,
    RatingRollup,
    ReasonRollup,
    Refusal,
    Rollup,
    Ticket,
)
from server.feed.models import Event, Head
from server.registry.models import Device
from tests.office import moment, open_store
from tests.server.figures_kit import FIRST
from tests.server.kit import NOW, Server, batches
from tests.server.test_facts import a_morning, push_all

LATER = datetime(2028, 12, 1, 3, 0, tzinfo=UTC)
"""More than 24 months after the first day, and less than that after the second."""
SECOND = 14
"""The second day, in days after the first."""


def drop(now: datetime = LATER) -> None:
    while retention.drop_old(now):
        continue


def sums() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for model in (Rollup, RatingRollup, ReasonRollup, Refusal):
        rows = model._default_manager.order_by("day", "pk").values()
        found += [{key: value for key, value in row.items() if key != "id"} for row in rows]
    return found


def push_on(server: Server, store: Store, day: int) -> None:
    """Push all, as it would have come on that day: what was there before keeps its time."""
    received = int((NOW + timedelta(days=day)).timestamp() * 1000)
    known = set(Event.objects.values_list("num", flat=True))
    push_all(server, store)
    Event.objects.exclude(num__in=known).update(received=received)


def two_days(server: Server, store: Store) -> None:
    """A morning of which one ticket is closed and one poster made on the next day, a refusal, and a second morning."""
    a_morning(store)
    store.issuing.refuse(moment(600), "dat-dai", "quota")
    store.posters.renew(moment(700), "1")
    push_on(server, store, 0)
    store.counters.call_next(moment(60, day=SECOND), "1")
    for at in range(3):
        store.issuing.issue(moment(100 + at * 10, day=SECOND), "ho-tich")
    store.counters.call_next(moment(200, day=SECOND), "1")
    push_on(server, store, SECOND)
    server.settle()


def test_rows_and_events_of_old_days_go_and_sums_heads_and_what_is_known_of_the_device_stay(
    server: Server, store: Store
):
    two_days(server, store)
    before, events, heads = sums(), Event.objects.count(), list(Head.objects.values())
    posters = list(Fact.objects.filter(kind="poster").values())
    assert {row.day for row in Ticket.objects.all()} == {date(2026, 11, 23), date(2026, 12, 7)}
    drop()
    assert {row.day for row in Ticket.objects.all()} == {date(2026, 12, 7)}
    assert not Rating.objects.exists()
    assert 0 < Event.objects.count() < events
    assert sums() == before
    assert list(Head.objects.values()) == heads
    assert list(Fact.objects.filter(kind="poster").values()) == posters


def test_facts_that_are_made_again_after_it_change_no_sum_and_put_nothing_into_quarantine(server: Server, store: Store):
    two_days(server, store)
    before = sums()
    desks = list(Desk.objects.values_list("counter", "ticket"))
    drop()
    projector.rebuild(Device.objects.get(), LATER)
    server.settle(LATER)
    assert sums() == before
    assert not Event.objects.exclude(quarantined=None).exists()
    assert Fact.objects.filter(kind="poster").count() == 1
    assert list(Desk.objects.values_list("counter", "ticket")) == desks


def test_the_feed_goes_on_after_it(server: Server, store: Store):
    two_days(server, store)
    drop()
    store.issuing.issue(moment(9000, day=SECOND), "ho-tich")
    answer = server.push(batches(store.database.conn)[-1])
    assert answer.status_code == 200
    server.settle(LATER)
    assert Ticket.objects.count() == 4


def another_kiosk_comes_late(server: Server, folder: Path) -> None:
    """A second kiosk of the site sends its first morning only now."""
    late = open_store(folder / "late")
    a_morning(late)
    late.issuing.refuse(moment(900), "dat-dai", "quota")
    server.enrol("k-LATE", "its token")
    for batch in batches(late.database.conn, "k-LATE"):
        assert server.push(batch, "its token").status_code == 200
    server.settle(LATER)


def test_what_comes_late_for_a_day_that_is_closed_changes_no_sum(server: Server, store: Store, tmp_path: Path):
    two_days(server, store)
    before = sums()
    drop()
    another_kiosk_comes_late(server, tmp_path)
    assert sums() == before
    drop()
    assert {row.day for row in Ticket.objects.all()} == {date(2026, 12, 7)}


def test_sums_that_still_wait_are_made_before_their_rows_go(server: Server, store: Store):
    a_morning(store)
    push_on(server, store, 0)
    while projector.project(NOW):
        continue
    assert Dirty.objects.exists()
    drop()
    assert Rollup.objects.get(dim="all").issued == 5
    assert not Ticket.objects.exists()


def test_events_that_were_not_folded_yet_or_are_in_quarantine_stay(server: Server, store: Store):
    a_morning(store)
    push_on(server, store, 0)
    drop()
    everything = Event.objects.count()
    assert everything > 0
    Cursor.objects.update(num=Event.objects.order_by("-num")[2].num)
    first = Event.objects.order_by("num")[0]
    Event.objects.filter(num=first.num).update(quarantined="why")
    drop()
    assert list(Event.objects.order_by("num").values_list("num", flat=True)) == [first.num, everything - 1, everything]


def test_nothing_goes_before_its_time(server: Server, store: Store):
    two_days(server, store)
    Audit.objects.create(at=NOW, who="a", what="b", about="c")
    counts = [model._default_manager.count() for model in (Ticket, Rating, Event, Audit)]
    drop(datetime(2028, 11, 30, 16, 59, tzinfo=UTC))
    assert [model._default_manager.count() for model in (Ticket, Rating, Event, Audit)] == counts


def test_a_shorter_time_that_is_made_longer_again_opens_no_closed_day(
    lite: Server, store: Store, settings_of: Any, tmp_path: Path
):
    two_days(lite, store)
    before = sums()
    settings_of(ticket_months=14)
    drop(datetime(2028, 2, 1, 3, 0, tzinfo=UTC))
    settings_of(ticket_months=24)
    drop(datetime(2028, 2, 1, 3, 0, tzinfo=UTC))
    another_kiosk_comes_late(lite, tmp_path)
    assert sums() == before


@pytest.fixture
def settings_of() -> Any:
    """Change [keep] of server.toml until the end of the test."""
    with ExitStack() as stack:

        def change(**keep: int) -> None:
            config = replace(settings.CONFIG, keep=replace(settings.CONFIG.keep, **keep))
            stack.enter_context(override_settings(CONFIG=config))

        yield change


def test_much_goes_in_small_steps(lite: Server, store: Store, monkeypatch: pytest.MonkeyPatch):
    two_days(lite, store)
    before = sums()
    monkeypatch.setattr(retention, "STEP", 2)
    steps = 0
    while retention.drop_old(LATER):
        steps += 1
    assert steps > 5
    assert {row.day for row in Ticket.objects.all()} == {date(2026, 12, 7)}
    assert sums() == before


def test_the_audit_goes_after_its_months_and_sessions_when_they_are_over(lite: Server):
    for at in (NOW, LATER - timedelta(days=30)):
        Audit.objects.create(at=at, who="a", what="b", about="c")
    for key, at in (("old", NOW), ("new", LATER + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=at)
    drop()
    assert Audit.objects.get().at == LATER - timedelta(days=30)
    assert Session.objects.get().session_key == "new"


def test_what_is_left_of_comments_goes_with_the_tickets_of_their_day(server: Server):
    for id, day, more in (
        ("old", FIRST, {"answer": "Xã đã làm"}), ("worked-on", FIRST, {"kept_by": "Nguyễn Văn A", "text": "Chờ lâu"}),
        ("done", FIRST, {"kept_by": "Nguyễn Văn A", "result": "Đã xong"}), ("new", date(2026, 12, 1), {}),
    ):  # fmt: skip
        Comment.objects.create(id=id, site=server.site, device=server.device, day=day, **more)
    drop()
    assert set(Comment.objects.values_list("id", flat=True)) == {"worked-on", "new"}
    drop()
    assert Comment.objects.count() == 2


def test_months_are_kept_or_gone_as_a_whole():
    assert retention.months_before(date(2028, 12, 31), 24) == date(2026, 12, 1)
    assert retention.months_before(date(2028, 1, 31), 1) == date(2027, 12, 1)


def test_a_time_that_is_shorter_than_a_kiosk_keeps_its_events_is_refused(tmp_path: Any):
    (tmp_path / "server.toml").write_text("[keep]\nticket_months = 13\n")
    with pytest.raises(ValueError, match="14–120"):
        load(tmp_path / "server.toml")
