"""What an integrator's token reads: what changed, in order, of the own commune; never a code, a word or one rating."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kiosk.store import Store
from server.backup import backup, restore
from server.config import Config
from server.facts import projector
from server.facts.models import RatingRollup, Rollup, Ticket
from server.facts.rollups import sum_day
from server.feed.intake import digest
from server.registry.models import Device, Integrator, Site, Unit
from server.reports.opinions import read_ratings
from server.reports.periods import parse
from tests.office import moment, open_store
from tests.server.figures_kit import FIRST, days, it_is, keep, noon, rating, ticket
from tests.server.kit import NOW, Server, address, batches, postgres_programs
from tests.server.test_facts import a_morning, push_all

__all__ = ["it_is"]

Clock = Callable[[datetime], None]
TOKEN = "token-of-an-integrator"
READ = {
    "/api/v1/tickets?limit=500": "tickets",
    "/api/v1/days?limit=50": "days",
    "/api/v1/ratings?month=2026-11": "ratings",
}
"""All that is read, and under which name."""


def integrator(server: Server, token: str = TOKEN, unit: Unit | None = None) -> Integrator:
    return Integrator.objects.create(name="Cổng tỉnh", unit=unit or server.unit, token=digest(token), made=NOW)


def get(path: str, token: str = TOKEN) -> Any:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"})


def read(address: str, token: str = TOKEN) -> dict[str, Any]:
    answer = get(address, token)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def all_tickets(limit: int = 2) -> list[dict[str, Any]]:
    """Read to the end, a few at a time."""
    found, after = [], ""
    while True:
        page = read(f"/api/v1/tickets?limit={limit}&after={after}")
        found += page["tickets"]
        after = page["next"]
        if not page["more"]:
            return found


def test_tickets_come_in_pages_and_again_when_they_change(server: Server, store: Store):
    integrator(server)
    a_morning(store)
    push_all(server, store)
    server.settle()
    found = all_tickets()
    assert len(found) == len({each["id"] for each in found}) == 5
    assert [each["num"] for each in found] == sorted(each["num"] for each in found)
    after = read("/api/v1/tickets")["next"]
    assert read(f"/api/v1/tickets?after={after}")["tickets"] == []
    store.counters.finish(moment(700), "1")
    push_all(server, store)
    server.settle()
    changed = read(f"/api/v1/tickets?after={after}")["tickets"]
    assert [(each["state"], each["counter"]) for each in changed] == [("served", "1")]


def test_tickets_that_one_event_changed_come_all_however_small_the_pages(server: Server):
    integrator(server)
    rows = [ticket(server.device, FIRST) for _ in range(7)]
    keep(server.site, FIRST, rows)
    Ticket.objects.update(num=5)
    for limit in (1, 2, 3):
        found = all_tickets(limit)
        assert [each["id"] for each in found] == sorted(row.id for row in rows)
    after = read("/api/v1/tickets?limit=3")["next"]
    Ticket.objects.filter(pk=min(row.id for row in rows)).update(num=6)
    assert len(read(f"/api/v1/tickets?after={after}")["tickets"]) == 5
    assert read("/api/v1/tickets?after=0.5.ff00")["tickets"]  # of no ticket that there is
    assert len(read("/api/v1/tickets?after=0.4")["tickets"]) == 7  # as a release before gave it


def test_facts_that_were_made_again_are_told_again(server: Server, store: Store):
    integrator(server)
    a_morning(store)
    push_all(server, store)
    server.settle()
    after = read("/api/v1/tickets")["next"]
    projector.rebuild(Device.objects.get(name="k-7F3K2M"), NOW)
    assert len(read(f"/api/v1/tickets?after={after}")["tickets"]) == 5


class Copy:
    """A copy of the server's database, made and brought back as docs/server.md says for its engine."""

    def __init__(self, server: Server) -> None:
        self._config, self._file = replace(Config(), data_dir=str(server.folder)), server.folder / "copy"
        if address():
            self._run("pg_dump", "--format=custom", "--file", self._file, address())
        else:
            backup(self._config, self._file)

    def bring_back(self) -> None:
        connection.close()
        if address():
            self._run("pg_restore", "--clean", "--if-exists", "--dbname", address(), self._file)
        else:
            restore(self._config, self._file, NOW)

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run([postgres_programs() / program, *arguments], check=True)


def issue(server: Server, store: Store, kiosk: str, times: int) -> set[str]:
    """Let a kiosk, whose token is its name, issue so many tickets and send all that it has; the ids of these."""
    found = {store.issuing.issue(moment(at), "ho-tich").ticket.id for at in range(times)}
    for batch in batches(store.database.conn, kiosk):
        assert server.push(batch, kiosk).status_code == 200
    server.settle()
    return found


def test_nothing_is_missed_when_kiosks_send_in_another_order_after_a_copy_was_brought_back(
    server: Server, tmp_path: Path
):
    integrator(server)
    for kiosk in ("k-AAAA", "k-BBBB"):
        server.enrol(kiosk, kiosk)
    first, second = open_store(tmp_path / "a"), open_store(tmp_path / "b")
    told = issue(server, first, "k-AAAA", 1)
    copy = Copy(server)
    told |= issue(server, first, "k-AAAA", 2)
    page, of_days = read("/api/v1/tickets"), read("/api/v1/days")
    assert {each["id"] for each in page["tickets"]} == told
    copy.bring_back()
    told |= issue(server, second, "k-BBBB", 4) | issue(server, first, "k-AAAA", 0)
    again = read(f"/api/v1/tickets?after={page['next']}")
    assert {each["id"] for each in again["tickets"]} == told
    (day,) = read(f"/api/v1/days?after={of_days['next']}")["days"]
    assert day["sums"][0]["issued"] == len(told) == 7
    assert read(f"/api/v1/tickets?after={again['next']}")["tickets"] == []


def test_each_time_that_a_copy_is_brought_back_all_is_told_again(server: Server, it_is: Clock):
    integrator(server)
    days(server.device, "33333", "33333")
    it_is(noon(date(2026, 12, 5)))
    copy, held = Copy(server), []
    for _ in range(3):
        for path, key in READ.items():
            page = read(path)
            assert read(f"{path}&after={page['next']}")[key] == []
            held.append((path, page["next"], key))
        copy.bring_back()
        for path, after, key in held:
            assert read(f"{path}&after={after}")[key] == read(path)[key] != []


def test_whoever_read_further_than_there_is_begins_again(server: Server, it_is: Clock):
    integrator(server)
    days(server.device, "33333", "33333", "33333")
    it_is(noon(date(2026, 12, 5)))
    last = {path: read(path)["next"] for path in READ}
    Ticket.objects.filter(day__gt=FIRST).delete()
    Rollup.objects.filter(day__gt=FIRST).delete()
    RatingRollup.objects.filter(day__gt=FIRST).delete()
    for path, key in READ.items():
        there = read(path)
        assert read(f"{path}&after={last[path]}")[key] == there[key] != []
        assert read(f"{path}&after={there['next']}")[key] == []


def test_a_ticket_has_no_code_no_words_and_nothing_that_ties_it_to_another(lite: Server, store: Store):
    integrator(lite)
    a_morning(store)
    push_all(lite, store)
    lite.settle()
    body = get("/api/v1/tickets").content.decode()
    assert not {"token", "why", "linked", "boot"} & set(json.loads(body)["tickets"][0])
    assert not [row.token for row in Ticket.objects.all() if row.token in body]
    assert "thiếu giấy tờ" not in body


def test_times_are_utc_and_null_before_they_happen(lite: Server):
    integrator(lite)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST, at="08:15"), ticket(lite.device, FIRST, wait=None, lasts=None)])
    first, second = read("/api/v1/tickets")["tickets"]
    assert (first["issued_at"], first["called_at"]) == ("2026-11-02T01:15:00.000Z", "2026-11-02T01:25:00.000Z")
    assert (second["called_at"], second["started_at"]) == (None, None)
    assert (first["unit"], first["site"], first["device"], first["day"]) == ("12345", "chinh", "k-7F3K2M", "2026-11-02")


def test_a_day_is_told_whole_and_again_when_something_changed_it(server: Server):
    integrator(server)
    days(server.device, "33333", "333")
    page = read("/api/v1/days?limit=1")
    assert page["more"]
    assert [(day["day"], day["sums"][0]["dim"], day["sums"][0]["issued"]) for day in page["days"]] == [
        ("2026-11-02", "all", 5)
    ]
    assert {row["dim"] for row in page["days"][0]["sums"]} == {"all", "service", "counter", "clerk", "hour"}
    page = read(f"/api/v1/days?after={page['next']}")
    assert [day["day"] for day in page["days"]] == ["2026-11-03"]
    keep(server.site, FIRST, [ticket(server.device, FIRST)])
    (again,) = read(f"/api/v1/days?after={page['next']}")["days"]
    assert (again["day"], again["sums"][0]["issued"], again["sums"][0]["wait"]["median_min"]) == ("2026-11-02", 6, 10)


def test_a_day_whose_tickets_went_to_another_one_is_told_with_zeros(lite: Server):
    integrator(lite)
    days(lite.device, "3")
    after = read("/api/v1/days")["next"]
    Ticket.objects.update(day=FIRST + timedelta(days=1))
    for day in (FIRST, FIRST + timedelta(days=1)):
        sum_day(lite.site, day)
    found = read(f"/api/v1/days?after={after}")["days"]
    assert [(day["day"], day["sums"][0]["issued"]) for day in found] == [("2026-11-02", 0), ("2026-11-03", 1)]


def test_ratings_come_as_the_smallest_sums_that_may_be_shown(server: Server, it_is: Clock):
    integrator(server)
    days(server.device, "33333", "33", "", "321", "1")
    keep(server.site, FIRST, [], [rating(server.device, FIRST, 1, flags="burst")])
    it_is(noon(date(2026, 12, 5)))
    page = read("/api/v1/ratings?month=2026-11")
    assert [(each["first"], each["last"], each["n"], each["served"]) for each in page["ratings"]] == [
        ("2026-11-01", "2026-11-02", 5, 5),
        ("2026-11-03", "2026-11-05", 5, 5),
    ]
    assert page["ratings"][0]["left_out"] == [{"flag": "burst", "level": 1, "n": 1}]
    assert page["ratings"][1]["levels"] == [
        {"level": 1, "n": 1, "satisfied": False},
        {"level": 2, "n": 1, "satisfied": False},
        {"level": 3, "n": 3, "satisfied": True},
    ]
    whole = (
        read_ratings([server.site], parse("2026-11"), noon(date(2026, 12, 5))).whole(parse("2026-11"))["smile"].figure
    )
    assert sum(each["n"] for each in page["ratings"]) == whole.n
    names = {"clerk", "counter", "ticket", "session", "at"}
    assert not names & set(page["ratings"][0])


def test_ratings_of_today_are_not_told(lite: Server, it_is: Clock):
    integrator(lite)
    days(lite.device, "33333", "33333")
    it_is(noon(FIRST + timedelta(days=1)))
    page = read("/api/v1/ratings?month=2026-11")
    assert (page["until"], len(page["ratings"])) == ("2026-11-02", 1)


def test_ratings_come_in_pages(lite: Server, it_is: Clock):
    integrator(lite)
    days(lite.device, "33333", "33333", "33333")
    it_is(noon(date(2026, 12, 5)))
    first = read("/api/v1/ratings?month=2026-11&limit=2")
    second = read(f"/api/v1/ratings?month=2026-11&limit=2&after={first['next']}")
    assert [len(first["ratings"]), len(second["ratings"])] == [2, 1]
    assert (first["more"], second["more"]) == (True, False)


ADDRESSES = ("/api/v1/tickets", "/api/v1/days", "/api/v1/ratings?month=2026-11")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_program_reads_the_own_commune_alone(lite: Server, it_is: Clock, address: str):
    other = Unit.objects.create(code="99999", name="xã Khác")
    site = Site.objects.create(unit=other, key="chinh", name="Trụ sở xã Khác")
    days(lite.enrol("k-OTHER1", "another-token", site), "33333")
    days(lite.device, "33333")
    integrator(lite)
    Integrator.objects.create(name="Tỉnh", unit=None, token=digest("all"), made=NOW)
    it_is(noon(date(2026, 12, 5)))
    key = address.split("/")[3].split("?")[0]
    assert {row["unit"] for row in read(address)[key]} == {"12345"}
    assert {row["unit"] for row in read(address, "all")[key]} == {"12345", "99999"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_known_token_nothing_is_read(lite: Server, address: str):
    known = integrator(lite)
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Basic {TOKEN}"},
    ):
        answer = Client().get(address, headers=headers)
        assert (answer.status_code, answer.json()["code"], answer.headers["WWW-Authenticate"]) == (
            401,
            "token",
            "Bearer",
        )
    assert get(address).status_code == 200
    assert lite.signed_in("lanh-dao", "leader").get(address).status_code == 401
    Integrator.objects.filter(pk=known.pk).update(revoked=True)
    assert get(address).status_code == 401


def test_a_kiosks_token_reads_nothing_here_and_an_integrators_pushes_nothing(lite: Server):
    integrator(lite)
    assert get("/api/v1/tickets", "token-of-the-kiosk-in-tests").status_code == 401
    assert Client().post("/api/v1/feed", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=99999999999", "limit=%D9%A1", "after=1", "after=x.y",
     "after=-1.2", "after=1.2.3", "after=0.2.0", "after=0.2.xx", "after=1.2.", "after=%00"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_it_should_be(lite: Server, query: str):
    integrator(lite)
    answer = get(f"/api/v1/tickets?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "query")
    assert answer.json()["message"].startswith(("limit:", "after:"))


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-11-02", "2026-Q1", "x"])
def test_ratings_are_asked_for_by_month(lite: Server, month: str):
    integrator(lite)
    answer = get(f"/api/v1/ratings?month={month}")
    assert (answer.status_code, answer.json()["message"]) == (400, "month: as 2026-11")


def test_nothing_can_be_written(lite: Server):
    integrator(lite)
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(Client(), method)("/api/v1/tickets", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 405


def test_a_thousand_rows_take_as_few_queries_as_one(lite: Server):
    integrator(lite)
    keep(lite.site, FIRST, [ticket(lite.device, FIRST) for _ in range(30)])
    for path in ("/api/v1/tickets?limit=1", "/api/v1/tickets?limit=1000", "/api/v1/days"):
        with CaptureQueriesContext(connection) as made:
            get(path)
        assert len(made) <= 6
