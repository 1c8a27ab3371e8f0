"""The views for BI tools: the documented columns, local days and times, and the figures of the reports."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from kiosk.tickets import State
from server.reports import sql_views
from server.reports.figures import read_days
from server.reports.months import sum_months
from server.reports.periods import parse
from tests.server.figures_kit import FIRST, days, keep, noon, rating, ticket
from tests.server.kit import Server

DOCS = Path(__file__).parent.parent.parent / "docs" / "server.md"


def rows(statement: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def documented(view: str) -> list[str]:
    """The columns in the table below the view's heading."""
    part = DOCS.read_text().split(f"#### {view}\n")[1].split("\n#")[0]
    lines = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", part, re.MULTILINE)
    return [name for line in lines for name in re.findall(r"`(\w+)`", line)]


@pytest.mark.parametrize("view", sql_views.NAMES)
def test_the_documents_name_the_columns_of_each_view_in_their_order(server: Server, view: str):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view}")
        assert [column[0] for column in cursor.description] == documented(view)


def test_a_ticket_is_a_row_with_local_times(server: Server):
    keep(server.site, FIRST, [ticket(server.device, FIRST, at="08:15", wait=10, lasts=5, priority=True)])
    (row,) = rows("SELECT * FROM v_tickets")
    assert (row["unit"], row["site"], row["device"], str(row["day"])) == ("12345", "chinh", "k-7F3K2M", "2026-11-02")
    assert [str(row[name]) for name in ("issued", "called", "ended")] == [
        "2026-11-02 08:15:00", "2026-11-02 08:25:00", "2026-11-02 08:30:00",
    ]  # fmt: skip
    assert (row["wait_s"], row["service_s"], row["state"], bool(row["priority"])) == (600, 300, "served", True)


def test_what_did_not_happen_is_null(server: Server):
    waiting = ticket(server.device, FIRST, wait=None, lasts=None, state=State.WAITING)
    implied = ticket(server.device, FIRST, implied=True)
    keep(server.site, FIRST, [waiting, implied])
    found = {row["state"]: row for row in rows("SELECT * FROM v_tickets")}
    assert [found["waiting"][name] for name in ("called", "wait_s", "service_s")] == [None] * 3
    assert found["served"]["service_s"] is None


def test_the_day_sums_are_those_of_the_reports(server: Server):
    for minutes in (0, 3, 3, 9, 30, 31):
        keep(server.site, FIRST, [ticket(server.device, FIRST, wait=minutes, lasts=minutes)])
    whole = read_days([server.site], parse(str(FIRST))).whole(parse(str(FIRST)))
    (row,) = rows("SELECT * FROM v_days WHERE dim = 'all'")
    assert (row["issued"], row["served"]) == (whole.issued, whole.served)
    assert (row["wait_n"], row["wait_median_min"], row["wait_p90_min"]) == (6, whole.wait.median, whole.wait.p90)
    assert (row["service_n"], row["service_median_min"], row["service_p90_min"]) == (6, 3, 31)
    assert row["wait_total_min"] == 76
    assert {r["key"] for r in rows("SELECT * FROM v_days WHERE dim = 'hour'")} == {"08"}


def test_ratings_are_what_reports_show_of_a_past_month_and_never_those_of_a_day(server: Server):
    days(server.device, "33", "3311", "", "13")
    keep(server.site, FIRST, [], [rating(server.device, FIRST, 1, flags="burst")])
    days(server.device, "3333", label_set="vpcp")
    sum_months(noon(date(2026, 12, 20)))
    found = rows("SELECT * FROM v_ratings")
    assert {(str(row["day"]), row["unit"], row["label_set"]) for row in found} == {("2026-11-01", "12345", "smile")}
    assert {(row["level"], row["flags"]): row["n"] for row in found} == {(3, ""): 4, (1, ""): 2, (1, "burst"): 1}


def test_the_views_outlive_a_migration_of_the_tables_behind_them(server: Server):
    keep(server.site, date(2026, 11, 2), [ticket(server.device, FIRST)])
    call_command("migrate", "facts", "0003", verbosity=0)
    call_command("migrate", verbosity=0)
    assert len(rows("SELECT * FROM v_tickets")) == 1
    call_command("migrate", verbosity=0)
    assert len(rows("SELECT * FROM v_days WHERE dim = 'all'")) == 1
