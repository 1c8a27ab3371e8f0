"""Numbers and days of addresses and forms that no database could keep: every page answers, and takes them for none."""

import re
from datetime import date

import pytest

from server import asking
from tests.server.document_kit import at, office_of, send
from tests.server.kit import TOKEN, Server

HUGE = ("9" * 5000, "9" * 30, f"{2**63}")
DAYS = ("0001-01-01", "9999-12-31", "9999-12-31T00:00", "x")
"""The first midnight of the calendar, and the one after its last, are in no time zone of Vietnam's."""


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (f"{2**63 - 1}", 2**63 - 1)])
def test_what_a_database_can_keep_is_a_number(text: str, number: int):
    assert asking.number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", " 1", "٣", "¹", *HUGE])
def test_anything_else_is_no_number(text: str):
    assert asking.number(text) is None


def test_a_number_may_have_a_limit_of_its_own():
    assert (asking.number("99", 99), asking.number("100", 99), asking.number("00000000000100", 99)) == (99, None, None)


@pytest.mark.parametrize("said", ["x", "-1", "٣", "1e3", *HUGE])
def test_a_request_that_says_nonsense_of_its_length_is_told_that_it_is_too_long(lite: Server, said: str):
    token = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
    for address in ("/api/v1/feed", "/api/v1/comments", "/api/v1/enrol"):
        answer = lite.client.post(address, b"{}", "application/json", CONTENT_LENGTH=said, **token)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), address


def test_days_are_those_that_somebody_can_mean():
    assert asking.day("2026-11-23") == date(2026, 11, 23)
    assert [asking.day(text) for text in DAYS] == [None] * 4


@pytest.mark.parametrize(
    "address",
    ["/admin/audit?before=", "/admin/audit.csv?before=", "/admin/people?unit=", "/admin/people/new?unit=",
     "/alarms/target?unit=", "/publication/comments?page=", "/documents/1/office/1?with=", "/publication/frozen/",
     "/kiosks/", "/documents/"],
)  # fmt: skip
def test_pages_answer_whatever_number_the_address_asks_for(server: Server, address: str):
    role = "operator" if "unit" in address else "admin"
    browser = server.signed_in("ai-do", role)
    answers = {browser.get(address.replace("documents/1", f"documents/{server.site.pk}") + n).status_code for n in HUGE}
    assert answers <= {200, 404}


@pytest.mark.parametrize("address", ["/admin/audit", "/admin/audit.csv", "/publication/comments"])
def test_pages_answer_whatever_days_the_address_asks_for(server: Server, address: str):
    browser = server.signed_in("lanh-dao", "leader")
    for day in DAYS:
        assert browser.get(f"{address}?from={day}").status_code == 200
        assert browser.get(f"{address}?to={day}").status_code == 200


def test_pages_answer_though_the_address_has_a_character_that_no_database_keeps(server: Server):
    for role in ("operator", "leader"):
        browser = server.signed_in(f"la-{role}", role)
        for address in ("/admin/audit?who=%00", "/admin/audit.csv?kind=x%00", "/reports?unit=%00", "/explain?unit=%00"):
            assert browser.get(address).status_code in (200, 403, 404), address
        assert browser.post("/publication/comments/%00", {"do": "keep"}).status_code in (403, 404)


def test_a_quota_that_is_no_number_is_refused_in_words(lite: Server):
    admin, before = lite.signed_in("quan-tri", "admin"), office_of(lite)
    field = f"quota-{before.services[0].id}-{before.sessions[0].id}"
    for n in (*HUGE, "٣"):
        answer = send(admin, at(lite, "/edit/quotas"), **{field: n})
        assert answer.status_code == 422
    assert office_of(lite) == before


def test_a_count_of_letters_that_is_no_number_is_refused_in_words(server: Server):
    admin = server.signed_in("quan-tri", "admin")
    for n in (*HUGE, "000000001" + "9" * 20):
        fields = dict.fromkeys(_letters(admin.get("/publication/letters").content.decode()), n)
        assert admin.post("/publication/letters", fields).status_code == 422


def _letters(page: str) -> list[str]:
    return re.findall(r'name="(\d{4}-\d\d\.[a-z]+)"', page)[:1]
