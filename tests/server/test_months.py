"""Months that are summed ahead say what their days say, and are dropped when a day changes."""

import random
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from server.facts.models import Dirty, Refusal
from server.registry.models import Device, Site
from server.reports import periods
from server.reports.choosing import Choice, Place
from server.reports.figures import read_days
from server.reports.models import MonthSum
from server.reports.months import _mark, sum_months
from server.reports.report import Report, report
from server.words import texts
from tests.server.figures_kit import keep, noon, rating, ticket
from tests.server.kit import Server

NOW = noon(date(2026, 5, 20))
PERIODS = ("2026", "2026-Q1", "2026-02", "2025", "2026-01-10..2026-03-20")


def some_months(device: Device, seed: int) -> None:
    """Every third day from January to May, with two label sets, flags, reasons, no-shows and quiet days."""
    roll = random.Random(seed)
    for n in range(0, 140, 3):
        day = date(2026, 1, 2) + timedelta(days=n)
        tickets, ratings = [], []
        for _ in range(roll.choice([0, 1, 2, 7])):
            where = {
                "service": roll.choice(["ho-tich", "dat-dai"]),
                "counter": roll.choice("12"),
                "clerk": roll.choice("bc"),
            }
            at = f"{roll.randint(7, 16):02d}:10"
            tickets.append(ticket(device, day, at=at, wait=roll.randint(0, 40), **where))  # type: ignore[arg-type]
            if roll.random() < 0.8:
                flags, reasons = roll.choice(["", "", "", "burst"]), roll.choice(["", "wait"])
                label_set = "smile" if day.month < 3 else "vpcp"
                ratings.append(
                    rating(device, day, roll.randint(1, 3), flags=flags, reasons=reasons, label_set=label_set, **where)
                )
        keep(device.site, day, tickets, ratings)
        Refusal.objects.create(site=device.site, device=device, day=day, service="ho-tich", reason="quota", n=1)


@pytest.fixture
def filled(server: Server) -> list[Site]:
    """Two sites with some months each."""
    second = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    some_months(server.device, 1)
    some_months(server.enrol("k-OTHER1", "another-token", second), 2)
    return list(Site.objects.select_related("unit").order_by("pk"))


def made(sites: list[Site], key: str, dim: str, now: datetime = NOW) -> Report:
    place = Place(sites[0].unit, tuple(sites), tuple(sites))
    return report(Choice(place, periods.parse(key), dim), texts("vi"), now)


def everything(sites: list[Site]) -> dict[tuple[str, str], Report]:
    return {
        (key, dim): made(sites, key, dim) for key in PERIODS for dim in ("service", "counter", "clerk", "hour", "unit")
    }


def test_reports_are_the_same_with_summed_months_and_without(filled: list[Site]):
    before = everything(filled)
    while sum_months(NOW):
        pass
    assert set(MonthSum.objects.values_list("month", flat=True)) == {date(2026, month, 1) for month in range(1, 5)}
    after = everything(filled)
    assert {asked: report.tables for asked, report in after.items()} == {
        asked: report.tables for asked, report in before.items()
    }


def test_what_was_read_of_months_is_what_was_summed(filled: list[Site]):
    while sum_months(NOW):
        pass
    MonthSum.objects.filter(dim="all").update(issued=1000)
    summary = made(filled, "2026", "service").table("summary")
    assert summary is not None
    assert summary.rows[1][1] >= 8000  # type: ignore[operator]


def test_a_late_event_drops_its_month_and_the_report_is_right_at_once(filled: list[Site], server: Server):
    while sum_months(NOW):
        pass
    whole = periods.parse("2026")
    n, late = read_days(filled, whole).whole(whole).issued, made(filled, "2026", "service")
    keep(server.site, date(2026, 2, 3), [ticket(server.device, date(2026, 2, 3))])
    assert not MonthSum.objects.filter(site=server.site, month=date(2026, 2, 1)).exists()
    summary = made(filled, "2026", "service").table("summary")
    assert summary is not None
    assert summary.rows[1][1] == n + 1
    assert sum_months(NOW) == 1
    assert made(filled, "2026", "service").table("levels") == late.table("levels")


def test_a_month_is_summed_again_when_its_late_ratings_may_be_shown_and_then_with_them(server: Server):
    day, heard, march = date(2026, 3, 3), date(2026, 5, 18), periods.parse("2026-03")
    keep(server.site, day, [ticket(server.device, day)], [rating(server.device, day, late=heard) for _ in range(5)])
    shown = noon(heard + timedelta(days=1))
    sites = [Site.objects.select_related("unit").get(pk=server.site.pk)]
    for now, n in ((shown - timedelta(seconds=1), None), (shown, 5)):
        while sum_months(now):
            pass
        assert MonthSum.objects.filter(month=march.first).exists()
        ratings = made(sites, "2026", "service", now).table("ratings")
        assert ratings, "what waits is not said to be none, in a summed month neither"
        assert (ratings.rows[0][3] if ratings.rows else None) == n


def test_a_day_that_is_summed_again_is_noticed_while_its_month_is_being_summed(server: Server):
    day, month = date(2026, 4, 7), periods.parse("2026-04")
    assert _mark(server.site, month) is None
    keep(server.site, day, [ticket(server.device, day)])
    before = _mark(server.site, month)
    keep(server.site, day)
    assert _mark(server.site, month) != before


def test_a_month_is_summed_when_it_is_settled_and_only_once(lite: Server):
    keep(lite.site, date(2026, 4, 7), [ticket(lite.device, date(2026, 4, 7))])
    assert sum_months(noon(date(2026, 5, 1)) - timedelta(seconds=1)) == 0
    assert sum_months(noon(date(2026, 5, 1))) == 1
    assert sum_months(noon(date(2026, 5, 1))) == 0


def test_a_month_is_not_summed_while_one_of_its_days_waits_to_be(server: Server):
    keep(server.site, date(2026, 4, 7), [ticket(server.device, date(2026, 4, 7))])
    waiting = Dirty.objects.create(site=server.site, day=date(2026, 4, 8))
    assert sum_months(NOW) == 0
    waiting.delete()
    assert sum_months(NOW) == 1


def test_a_site_without_a_visit_does_not_keep_the_others_from_being_quick(lite: Server):
    new = Site.objects.create(unit=lite.unit, key="moi", name="Điểm mới")
    keep(lite.site, date(2026, 4, 7), [ticket(lite.device, date(2026, 4, 7))])
    assert sum_months(NOW) == 2
    assert MonthSum.objects.get(site=new, dim="all").issued == 0


def test_a_past_year_of_summed_months_reads_no_day(lite: Server):
    for month in range(1, 13):
        keep(lite.site, date(2025, month, 7), [ticket(lite.device, date(2025, month, 7))])
    while sum_months(NOW):
        pass
    with CaptureQueriesContext(connection) as asked:
        made([Site.objects.select_related("unit").get(pk=lite.site.pk)], "2025", "service")
    assert not [each["sql"] for each in asked if "facts_ratingrollup" in each["sql"] and "2025" in each["sql"]]
