"""Signing in, and what every page of the server has."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from tests.server.kit import PASSWORD, Server


def sign_in(client: Client, username: str, password: str, after: str = "") -> int:
    posted = {"username": username, "password": password}
    return int(client.post(f"/sign-in?next={after}", posted).status_code)


def test_a_stranger_is_sent_to_sign_in_and_comes_back_where_he_wanted_to_go(lite: Server):
    lite.user("lanh-dao", "leader")
    assert lite.client.get("/").headers["Location"] == "/sign-in?next=/"
    answer = lite.client.post("/sign-in?next=/", {"username": "Lanh-Dao ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "Hôm nay" in lite.client.get("/").content.decode()


def test_nobody_is_sent_to_another_site_after_signing_in(lite: Server):
    lite.user("lanh-dao", "leader")
    answer = lite.client.post("/sign-in?next=//example.com/", {"username": "lanh-dao", "password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_after_eight_wrong_passwords_the_right_one_does_not_open_for_a_while(lite: Server):
    lite.user("lanh-dao", "leader")
    assert {sign_in(lite.client, "lanh-dao", "wrong") for _ in range(7)} == {403}
    assert sign_in(lite.client, "lanh-dao", "wrong") == 429
    answer = lite.client.post("/sign-in", {"username": "lanh-dao", "password": PASSWORD})
    assert "15 phút" in answer.content.decode()


def test_pages_are_in_the_language_that_was_asked_for_and_stay_in_it(lite: Server):
    browser = lite.signed_in("lanh-dao", "leader")
    assert "Today" in browser.get("/?l=en").content.decode()
    assert "Today" in browser.get("/").content.decode()
    assert "Hôm nay" in browser.get("/?l=vi").content.decode()


def test_a_language_that_was_chosen_in_the_account_stays_though_the_address_asks_for_another(lite: Server):
    browser = lite.signed_in("lanh-dao", "leader")
    browser.get("/account?l=en")
    browser.post("/account?l=en", {"language": "vi"})
    assert "Hôm nay" in browser.get("/").content.decode()


def test_strangers_leave_nothing_in_the_database_whatever_language_they_ask_for(lite: Server):
    lite.user("lanh-dao", "leader")
    for address in ("/sign-in?l=en", "/none?l=en", "/?l=en", "/admin/audit?l=en", "/sign-out?l=en"):
        stranger = Client()
        stranger.get(address)
        stranger.post(address, {"username": "ai-do", "password": "x"})
        assert "sessionid" not in stranger.cookies
    assert not Session.objects.exists()


def test_a_strangers_language_goes_along_to_the_sign_in_and_stays_afterwards(lite: Server):
    lite.user("lanh-dao", "leader")
    browser = Client()
    to = browser.get("/reports?by=hour&l=en").headers["Location"]
    page = browser.get(to).content.decode()
    assert "Sign in" in page
    (link,) = re.findall(r'class="language" href="([^"]+)"', page)
    vietnamese = browser.get("/sign-in" + link.replace("&amp;", "&")).content.decode()
    assert "Đăng nhập" in vietnamese
    assert "next=%2Freports%3Fby%3Dhour%26l%3Den&amp;l=en" in vietnamese
    posted = {"username": "lanh-dao", "password": "wrong"}
    assert "Sign in" in browser.post(to, posted).content.decode()
    answer = browser.post("/sign-in?next=/&l=en", {**posted, "password": PASSWORD})
    assert answer.headers["Location"] == "/"
    assert "Today" in browser.get("/").content.decode()


def test_the_other_language_shows_the_same_report(lite: Server):
    page = lite.signed_in("lanh-dao", "leader").get("/reports?period=2026-11&by=hour").content.decode()
    assert 'href="?period=2026-11&amp;by=hour&amp;l=en"' in page


def test_a_form_without_a_token_changes_nothing_and_says_what_to_do(lite: Server):
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/sign-in", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "Mở lại trang" in answer.content.decode()


@pytest.mark.parametrize("address", ["/kiosks/1/rebuild", "/sign-out", "/cong-khai/12345"])
def test_the_address_of_a_form_that_is_opened_as_a_page_says_what_to_do(lite: Server, address: str):
    browser = lite.signed_in("ky-thuat", "technician")
    answer = browser.post(address) if "cong-khai" in address else browser.get(address)
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, "cong-khai" not in address)
    assert_says(answer, "Mở lại trang đó rồi bấm lại.", "Open that page again")


def test_a_request_that_cannot_be_read_says_what_to_do(lite: Server):
    browser = lite.signed_in("ky-thuat", "technician")
    assert_says(browser.get("/", headers={"Host": "other.example"}), "Quay lại trang trước", "Go back")
    many = {f"field-{n}": "" for n in range(2100)}
    assert_says(browser.post("/account", many), "Quay lại trang trước", "Go back")
    assert browser.post("/api/v1/enrol", many).headers["Content-Type"] == "application/json"


def test_a_fault_of_the_server_says_that_nothing_is_lost(lite: Server, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("a fault")

    browser = lite.signed_in("ky-thuat", "technician")
    browser.raise_request_exception = False
    monkeypatch.setattr("server.reports.views.sites_now", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert_says(answer, "dữ liệu không mất", "no data is lost")


def assert_says(answer: Any, *words: str) -> None:
    """A page in the house's own look, in both languages, with a way on."""
    page = answer.content.decode()
    assert all(each in page for each in ("server.css", 'href="/"', *words)), page


def test_pages_have_a_strict_content_policy_and_no_inline_script(lite: Server):
    answer = lite.signed_in("lanh-dao", "leader").get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.content.decode()


def test_passwords_are_kept_by_scrypt():
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.ScryptPasswordHasher"]


@pytest.mark.parametrize("address", ["/", "/reports", "/reports/csv?period=2026-11", "/publication/comments"])
def test_no_browser_keeps_what_somebody_who_is_signed_in_has_seen(lite: Server, address: str):
    answer = lite.signed_in("lanh-dao", "leader").get(address)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
