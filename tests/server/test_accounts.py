"""Accounts: who makes which, first passwords, what is counted when a password is wrong."""

import logging
import re
from datetime import UTC, date, datetime

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.core.cache import caches
from django.db import connection
from django.test import Client

from kiosk.office import sample
from server.accounts.devices import cookie_of
from server.accounts.models import Audit, User
from server.accounts.people import NewAccountForm
from server.facts.models import Comment
from server.publication.comments import readable
from server.registry.models import Site, Unit
from tests.server.kit import PASSWORD, Server

OWN = "bốn con trâu xanh"


def sign_in(browser: Client, username: str, password: str) -> int:
    return int(browser.post("/sign-in", {"username": username, "password": password}).status_code)


def fail(browser: Client, username: str, times: int = 8) -> int:
    return [sign_in(browser, username, "wrong") for _ in range(times)][-1]


def first_password(answer: object) -> str:
    found = re.search(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", answer.content.decode())  # type: ignore[attr-defined]
    assert found
    return found[0]


def make(browser: Client, username: str, role: str, **more: str) -> str:
    """An account made on the page: its first password."""
    given = {"username": username, "name": "Nguyễn Văn A", "role": role, **more}
    return first_password(browser.post("/admin/people/new", given))


# --- who makes whom -------------------------------------------------------------------------------------------


def test_an_administrator_makes_an_account_whose_first_password_is_shown_once_and_must_be_changed(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    first = make(admin, "lanh-dao", "leader")
    assert first not in admin.get("/admin/people").content.decode()
    browser = Client()
    assert sign_in(browser, "lanh-dao", first) == 302
    assert browser.get("/").headers["Location"] == "/account/password"
    assert browser.post("/account/password", {"new": OWN, "again": OWN}).status_code == 302
    assert browser.get("/").status_code == 200
    assert sign_in(Client(), "lanh-dao", first) == 403
    assert sign_in(Client(), "lanh-dao", OWN) == 302
    assert [(row.who, row.what) for row in Audit.objects.order_by("id")] == [
        ("quan-tri", "account.made"),
        ("lanh-dao", "account.password"),
    ]


def test_a_clerk_gets_a_name_of_the_office_document_and_without_one_there_is_no_account(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    clerk = sample().clerks[0]
    page = admin.get("/admin/people/new").content.decode()
    assert f"{clerk.name} – {lite.site.name}" in page
    given = {"username": "cong-chuc", "name": clerk.name, "role": "clerk"}
    assert admin.post("/admin/people/new", given).status_code == 422
    admin.post("/admin/people/new", {**given, "clerk": f"{lite.site.pk}:{clerk.id}"})
    user = User.objects.get(username="cong-chuc")
    assert (user.unit, user.site, user.clerk) == (lite.unit, lite.site, clerk.id)


def test_of_an_account_that_is_sent_twice_at_once_the_second_is_told_that_it_is_there(
    lite: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(NewAccountForm, "clean_username", lambda form: form.text("username"))  # looked before both came
    admin = lite.signed_in("quan-tri", "admin")
    given = {"username": "cong-chuc-2", "name": "A\u202eB", "role": "leader"}
    assert [admin.post("/admin/people/new", given).status_code for _ in range(2)] == [200, 422]
    assert User.objects.get(username="cong-chuc-2").name == "AB"
    assert Audit.objects.filter(what="account.made").count() == 1


def test_a_clerk_of_another_commune_or_an_invented_one_is_refused(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    other = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Trụ sở")
    for wrong in (f"{other.pk}:nguyen-thi-a", f"{lite.site.pk}:ai-do"):
        given = {"username": "cong-chuc", "name": "A", "role": "clerk", "clerk": wrong}
        assert admin.post("/admin/people/new", given).status_code == 422
    assert not User.objects.filter(username="cong-chuc").exists()


@pytest.mark.parametrize("role", ["leader", "admin"])
def test_whoever_reads_comments_and_serves_at_a_counter_too_is_kept_from_the_own_ones_by_the_account(
    lite: Server, role: str
):
    admin = lite.signed_in("quan-tri", "admin")
    clerk, other = sample().clerks[:2]
    for id, about in (("own", clerk.id), ("other", other.id)):
        Comment.objects.create(
            id=id, site=lite.site, device=lite.device, day=date(2026, 11, 20), ticket="t", counter="1", clerk=about,
            rating="", sha256="0" * 64, text=f"Góp ý {id}",
        )  # fmt: skip
    make(admin, "hai-viec", role)
    user = User.objects.get(username="hai-viec")
    assert readable(user).count() == 2
    given = {"name": "Nguyễn Văn A", "role": role, "clerk": f"{lite.site.pk}:{clerk.id}"}
    assert admin.post(f"/admin/people/{user.pk}", given).status_code == 302
    user.refresh_from_db()
    assert (user.role, user.site, user.clerk) == (role, lite.site, clerk.id)
    assert [comment.pk for comment in readable(user)] == ["other"]
    assert Audit.objects.latest("pk").about == f"hai-viec ({role}, {clerk.id})"
    assert admin.post(f"/admin/people/{user.pk}", {**given, "clerk": ""}).status_code == 302
    user.refresh_from_db()
    assert (user.site, user.clerk) == (None, "")


def test_an_administrator_neither_sees_nor_changes_accounts_of_another_commune_or_of_the_server(lite: Server):
    other = Unit.objects.create(code="2", name="xã Khác")
    theirs = User.objects.create_user("ho", PASSWORD, name="Trần Thị B", role="admin", unit=other)
    operator = lite.user("van-hanh", "operator")
    admin = lite.signed_in("quan-tri", "admin")
    assert "Trần Thị B" not in admin.get(f"/admin/people?unit={other.pk}").content.decode()
    for user in (theirs, operator):
        assert admin.get(f"/admin/people/{user.pk}").status_code == 404
        for action in ("password", "switch"):
            assert admin.post(f"/admin/people/{user.pk}/{action}").status_code == 404
    assert admin.post("/admin/people/new", {"username": "x-y-z", "name": "A", "role": "operator"}).status_code == 422
    admin.post(f"/admin/people/new?unit={other.pk}", {"username": "moi", "name": "A", "role": "leader"})
    assert User.objects.get(username="moi").unit == lite.unit


def test_an_operator_makes_accounts_of_every_commune_and_of_the_server(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    operator.post(f"/admin/people/new?unit={lite.unit.pk}", {"username": "quan-tri", "name": "A", "role": "admin"})
    operator.post("/admin/people/new", {"username": "tinh", "name": "B", "role": "viewer"})
    assert User.objects.get(username="quan-tri").unit == lite.unit
    assert User.objects.get(username="tinh").unit is None
    assert operator.get("/admin/people?unit=999").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "leader", "technician", "clerk"])
def test_others_may_not_see_accounts(lite: Server, role: str):
    browser = lite.signed_in("ai-do", role)
    assert browser.get("/admin/people").status_code == 403
    assert browser.post("/admin/people/new", {}).status_code == 403
    assert "/admin/people" not in browser.get("/").content.decode()


def test_names_that_are_taken_or_hard_to_type_are_refused_and_said(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    for username in ("Nguyễn A", "ab", "quan-tri", "a" * 61, "<script>", ""):
        answer = admin.post("/admin/people/new", {"username": username, "name": "A", "role": "leader"})
        assert answer.status_code == 422, username
        assert 'class="problem"' in answer.content.decode()
    assert User.objects.count() == 1


def test_an_account_that_is_switched_off_is_signed_out_at_once_and_can_be_switched_on_again(lite: Server):
    admin, leader = lite.signed_in("quan-tri", "admin"), lite.signed_in("lanh-dao", "leader")
    user = User.objects.get(username="lanh-dao")
    admin.post(f"/admin/people/{user.pk}/switch", {"to": "off"})
    assert leader.get("/").status_code == 302
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 403
    admin.post(f"/admin/people/{user.pk}/switch", {"to": "on"})
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 302


def test_nobody_takes_the_own_account_or_role_away(lite: Server):
    admin = lite.signed_in("quan-tri", "admin")
    own = User.objects.get()
    assert admin.post(f"/admin/people/{own.pk}/switch", {"to": "off"}).status_code == 404
    admin.post(f"/admin/people/{own.pk}", {"name": "Nguyễn Văn C", "role": "leader"})
    own.refresh_from_db()
    assert (own.name, own.role, own.is_active) == ("Nguyễn Văn C", "admin", True)


def test_a_new_first_password_signs_out_whoever_uses_the_account(lite: Server):
    admin, leader = lite.signed_in("quan-tri", "admin"), lite.signed_in("lanh-dao", "leader")
    user = User.objects.get(username="lanh-dao")
    first = first_password(admin.post(f"/admin/people/{user.pk}/password"))
    assert leader.get("/").headers["Location"].startswith("/sign-in")
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 403
    assert sign_in(Client(), "lanh-dao", first) == 302


# --- the own account ------------------------------------------------------------------------------------------


def test_the_own_language_goes_along_to_other_browsers(lite: Server):
    browser = lite.signed_in("lanh-dao", "leader")
    browser.post("/account", {"language": "en"})
    assert "Today" in browser.get("/").content.decode()
    other = Client()
    sign_in(other, "lanh-dao", PASSWORD)
    assert "Today" in other.get("/").content.decode()


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("ngan", "ít nhất 10 ký tự"),
        ("0912345678", "chỉ có chữ số"),
        ("password123", "Nhiều người dùng"),
        ("nguoi-dung-lanh-dao", "giống tên"),
        (PASSWORD, "phải khác"),
    ],
)
def test_a_weak_password_is_refused_in_plain_words(lite: Server, new: str, says: str):
    browser = lite.signed_in(
        "lanh-dao",
        "leader",
    )
    answer = browser.post("/account/password", {"old": PASSWORD, "new": new, "again": new})
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_password_is_changed_only_by_whoever_knows_the_old_one(lite: Server):
    browser = lite.signed_in("lanh-dao", "leader")
    answer = browser.post("/account/password", {"old": "wrong", "new": OWN, "again": OWN})
    assert "đang dùng không đúng" in answer.content.decode()
    assert (
        "không giống nhau"
        in browser.post("/account/password", {"old": PASSWORD, "new": OWN, "again": OWN + "x"}).content.decode()
    )
    assert browser.post("/account/password", {"old": PASSWORD, "new": OWN, "again": OWN}).status_code == 302
    assert browser.get("/").status_code == 200


def test_guessing_the_old_password_in_a_stolen_session_ends_after_eight_tries(lite: Server):
    browser = lite.signed_in("lanh-dao", "leader")
    guess = {"old": "wrong", "new": OWN, "again": OWN}
    assert [browser.post("/account/password", guess).status_code for _ in range(8)] == [422] * 7 + [429]
    assert browser.post("/account/password", {**guess, "old": PASSWORD}).status_code == 429


def test_a_part_of_a_page_that_is_fetched_after_the_session_takes_the_page_to_the_sign_in(lite: Server):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/account"}
    answer = lite.client.get("/account", headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/sign-in?next=/account")


# --- wrong passwords ------------------------------------------------------------------------------------------


def test_a_name_with_a_character_that_no_database_keeps_is_a_wrong_name(server: Server):
    server.user("lanh-dao", "leader")
    assert sign_in(Client(), "lanh-dao\0", PASSWORD) == 403
    assert fail(Client(), "\0", 8) == 429
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 302


def test_strangers_cannot_keep_somebody_out_whose_browser_is_known(lite: Server):
    lite.user("lanh-dao", "leader")
    own = Client()
    assert sign_in(own, "lanh-dao", PASSWORD) == 302
    assert fail(Client(), "lanh-dao") == 429
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 429
    assert sign_in(own, "lanh-dao", PASSWORD) == 302
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 429, "the strangers' count stays"


def test_a_known_browser_has_eight_tries_of_its_own_and_leaves_strangers_theirs(lite: Server):
    lite.user("lanh-dao", "leader")
    own = Client()
    sign_in(own, "lanh-dao", PASSWORD)
    assert fail(own, "lanh-dao", 7) == 403
    assert fail(own, "lanh-dao", 1) == 429
    assert sign_in(own, "lanh-dao", PASSWORD) == 429
    assert sign_in(Client(), "lanh-dao", PASSWORD) == 302


def test_a_browser_that_is_known_for_one_name_is_a_stranger_for_another(lite: Server):
    lite.user("lanh-dao", "leader")
    lite.user("ke-gian", "clerk")
    browser = Client()
    sign_in(browser, "ke-gian", PASSWORD)
    assert fail(Client(), "lanh-dao") == 429
    assert sign_in(browser, "lanh-dao", PASSWORD) == 429
    for forged in (browser.cookies[cookie_of("ke-gian")].value, "made:up", ""):
        browser.cookies[cookie_of("lanh-dao")] = forged
        assert sign_in(browser, "lanh-dao", PASSWORD) == 429


def test_invented_names_do_not_push_out_the_counts_of_real_ones(lite: Server):
    counts = caches["sign-in"]
    for number in range(20):
        counts.set(f"a-real-{number}", 7)
    for number in range(400):
        counts.set(f"invented-{number}", 1)
    assert [counts.get(f"a-real-{number}") for number in range(20)] == [7] * 20


def test_no_address_is_kept_or_logged_of_whoever_signs_in(lite: Server, caplog: pytest.LogCaptureFixture):
    lite.user("lanh-dao", "leader")
    address, agent = "203.0.113.77", "Browser of somebody"
    browser = Client(headers={"X-Forwarded-For": address, "User-Agent": agent}, REMOTE_ADDR=address)
    with caplog.at_level(logging.DEBUG):
        fail(browser, "mật khẩu gõ nhầm chỗ", 9)
        fail(browser, "lanh-dao", 3)
        assert sign_in(browser, "lanh-dao", PASSWORD) == 302
        browser.get("/")
        browser.post("/sign-out")
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        assert not model._default_manager.exists()
    everything = _whole_database() + caplog.text
    assert address not in everything
    assert agent not in everything
    assert "mật khẩu gõ nhầm chỗ" not in caplog.text


def _whole_database() -> str:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [repr(row) for row in cursor.fetchall()]
    return "\n".join(found)


def test_an_audit_row_says_who_when_and_what(lite: Server):
    before = datetime.now(UTC)
    make(lite.signed_in("quan-tri", "admin"), "lanh-dao", "leader")
    row = Audit.objects.get()
    assert (row.who, row.unit, row.what, row.about) == ("quan-tri", lite.unit, "account.made", "lanh-dao (leader)")
    assert row.at >= before
