"""The pages about kiosks: how each is, letting one in, shutting one out, what is set aside."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from kiosk.store import Store
from server import clock
from server.accounts.models import Audit
from server.facts import projector
from server.feed.models import Event
from server.registry import fleet
from server.registry.enrolment import LIFE
from server.registry.fleet import devices_of, healths
from server.registry.health import CANARY_FAULTS, FAR_OFF, OFF, SILENT, Level
from server.registry.models import Device, EnrolCode, Mode, Site, Unit
from server.words import texts
from server.work import settle
from sync.wire import instant
from tests.server.kit import NOW, Server, batch_of, batches
from tests.server.phone_kit import said
from tests.server.test_facts import a_morning

FINE = {
    "app": "0.3.0", "backlog": 0, "disk_free_mb": 21000, "clock": "ntp", "printer": "ok", "undervoltage": False,
}  # fmt: skip
NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
"""22:00 in Vietnam; NOW is 10:00, in opening hours."""


@pytest.fixture(autouse=True)
def at_ten() -> Any:
    """The server believes that it is NOW."""
    clock.follow(lambda: NOW)
    yield
    clock.follow(None)


def says(device: Device, now: datetime = NOW, ago: timedelta = timedelta(0), **status: Any) -> Device:
    """The kiosk said this so long ago."""
    device.seen, device.status = now - ago, {**FINE, **status}
    device.save()
    return device


def state_of(device: Device, now: datetime = NOW) -> tuple[Level, list[str]]:
    (one,) = healths([device], now)
    return one.level, [finding.key for finding in one.troubles]


# --- how a kiosk is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "level", "troubles"),
    [
        ({}, Level.GOOD, []),
        ({"printer": "paper_out"}, Level.BAD, ["paper_out"]),
        ({"printer": "paper_low"}, Level.LOOK, ["paper_low"]),
        ({"printer": "none"}, Level.GOOD, []),
        ({"clock": "guess"}, Level.LOOK, ["clock"]),
        ({"disk_free_mb": 499}, Level.LOOK, ["disk_low"]),
        ({"disk_free_mb": 49}, Level.BAD, ["disk_low"]),
        ({"undervoltage": True}, Level.LOOK, ["undervoltage"]),
        ({"backlog": 501}, Level.LOOK, ["backlog"]),
        ({"plain_http": True}, Level.LOOK, ["plain_http"]),
        ({"printer": "offline", "clock": "guess"}, Level.BAD, ["offline", "clock"]),
        ({"undervoltage_now": True}, Level.BAD, ["undervoltage_now"]),
        ({"canary": "slow"}, Level.LOOK, ["card_slow"]),
        ({"canary": "stalled"}, Level.BAD, ["card_stalled"]),
        ({"canary": "failed", "read_only": True}, Level.BAD, ["read_only"]),
        ({"canary": "ok", "card_errors": 2, "fs_errors": 9}, Level.BAD, ["card_errors"]),
        ({"fs_errors": 9}, Level.LOOK, ["fs_errors"]),
        ({"card_worn": 90}, Level.LOOK, ["card_worn"]),
        ({"canary": "ok", "card_errors": 0, "fs_errors": 0, "card_worn": 80, "read_only": False}, Level.GOOD, []),
        ({"temperature_c": 79.4}, Level.GOOD, []),
        ({"temperature_c": 79.6}, Level.LOOK, ["hot"]),
        ({"memory_free_mb": 59}, Level.LOOK, ["memory_short"]),
        ({"starts_24h": 4}, Level.GOOD, []),
        ({"starts_24h": 5}, Level.LOOK, ["starts_many"]),
        ({"backup_h": 71}, Level.GOOD, []),
        ({"backup_h": 72}, Level.LOOK, ["backup_old"]),
        ({"backlog": 3, "backlog_s": 3599}, Level.GOOD, []),
        ({"backlog": 3, "backlog_s": 3600}, Level.LOOK, ["backlog_old"]),
        ({"backlog": 0, "backlog_s": 9999}, Level.GOOD, []),
        ({"canary": "from_a_later_version", "never_heard_of": {"x": [1]}}, Level.GOOD, []),
        (
            {
                "canary": 3,
                "card_errors": "?",
                "fs_errors": -1,
                "card_worn": True,
                "temperature_c": 1e300,
                "memory_free_mb": 1.5,
                "starts_24h": None,
                "backup_h": -1,
                "backlog_s": "x",
                "read_only": "yes",
            },
            Level.GOOD,
            [],
        ),
        ({"printer": ["?"], "clock": 7, "disk_free_mb": "x", "undervoltage": None, "backlog": {}}, Level.GOOD, []),
    ],
)
def test_what_a_kiosk_says_is_good_to_be_looked_at_or_a_fault(
    lite: Server, status: dict[str, Any], level: Level, troubles: list[str]
):
    assert state_of(says(lite.device, **status)) == (level, troubles)


@pytest.mark.parametrize(
    ("off", "level", "troubles"),
    [
        (timedelta(minutes=-2), Level.GOOD, []),
        (timedelta(minutes=2), Level.GOOD, []),
        (timedelta(minutes=-2, seconds=-1), Level.LOOK, ["behind_minutes"]),
        (timedelta(hours=23), Level.LOOK, ["ahead_hours"]),
        (timedelta(days=-3, hours=-7), Level.BAD, ["behind_days"]),
        (timedelta(days=400), Level.BAD, ["ahead_days"]),
    ],
)
def test_a_clock_that_is_off_is_to_be_looked_at_and_by_more_than_a_day_a_fault(
    lite: Server, off: timedelta, level: Level, troubles: list[str]
):
    spoke = timedelta(minutes=4)  # what counts is when it spoke, not when somebody looks
    assert state_of(says(lite.device, ago=spoke, at=instant(NOW - spoke + off))) == (level, troubles)


def test_how_far_a_clock_is_off_is_said_in_whole_days(lite: Server):
    (one,) = healths([says(lite.device, at=instant(NOW - timedelta(days=3, hours=7)), clock="guess")], NOW)
    assert fleet.says(one.of("clock"), texts("vi")) == "Đồng hồ chậm 3 ngày so với máy chủ"


@pytest.mark.parametrize("said", [7, "", "?", "2026-11-23T03:00:00", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_is_none_says_nothing_of_the_clock(lite: Server, said: object):
    assert state_of(says(lite.device, at=said)) == (Level.GOOD, [])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_trouble_of_the_card_and_board_has_words_and_says_what_to_do(lite: Server, language: str):
    t = texts(language)
    for status in (
        *({"canary": word} for word in CANARY_FAULTS),
        *({key: 99} for key in ("card_errors", "fs_errors", "card_worn", "temperature_c", "starts_24h", "backup_h")),
        *({"at": instant(NOW + sign * off)} for sign in (-1, 1) for off in (3 * OFF, timedelta(hours=3), 2 * FAR_OFF)),
        {"read_only": True}, {"undervoltage_now": True}, {"memory_free_mb": 3}, {"backlog": 9, "backlog_s": 7300},
    ):  # fmt: skip
        (one,) = healths([says(lite.device, **status)], NOW)
        (trouble,) = one.troubles
        said = fleet.says(trouble, t)
        assert not said.startswith("health.") and "{" not in said, said
        assert f"health.todo_{trouble.kind}" in t
    for finding in one.findings:
        assert f"health.part_{finding.kind}" in t
        assert not fleet.says(finding, t).startswith("health."), finding


def test_silence_is_a_fault_only_after_a_while_in_opening_hours(lite: Server):
    assert state_of(says(lite.device, ago=SILENT)) == (Level.GOOD, [])
    assert state_of(says(lite.device, ago=SILENT + timedelta(seconds=1))) == (Level.BAD, ["silent"])
    assert state_of(says(lite.device, ago=timedelta(days=3)), NIGHT) == (Level.UNKNOWN, [])
    opening = NOW.replace(hour=0, minute=0)
    assert state_of(says(lite.device, opening, timedelta(hours=12)), opening + timedelta(minutes=5)) == (
        Level.UNKNOWN,
        [],
    ), "it has not been open for long enough"


def test_a_kiosk_that_was_not_let_in_is_carried_by_stick_or_is_shut_out_is_not_silent(lite: Server):
    assert state_of(lite.device) == (Level.UNKNOWN, [])
    device = says(lite.device, ago=timedelta(days=9))
    device.mode = Mode.FILE
    assert state_of(device)[0] is Level.GOOD
    device.status = {**FINE, "backlog": 9, "backlog_s": 9 * 86400}
    assert state_of(device) == (Level.GOOD, []), "what a stick carries is old"
    device.mode, device.revoked = Mode.PUSH, True
    assert state_of(says(device, printer="offline")) == (Level.UNKNOWN, [])


def test_a_site_without_an_office_document_has_the_usual_hours_to_be_silent_in(lite: Server):
    lite.site.documents.all().delete()
    assert state_of(says(lite.device, ago=timedelta(days=1))) == (Level.BAD, ["silent"])
    assert state_of(says(lite.device, ago=timedelta(days=3)), NIGHT) == (Level.UNKNOWN, [])


def test_events_set_aside_and_fresh_starts_are_counted(lite: Server, store: Store):
    a_morning(store)
    whole = batches(store.database.conn)[0]
    lite.push(whole)
    lines = [whole.lines[0].replace(b'"v":1', b'"v":9').replace(b'"id":"', b'"id":"a')]
    lite.push(batch_of([], lines, "k-7F3K2M", "0000000fffffffff", clock="ntp"))
    (one,) = healths([lite.device], NOW)
    assert (one.quarantined, one.restarts) == (1, 1)


# --- the list -------------------------------------------------------------------------------------------------


def test_the_list_says_what_is_wrong_in_words_the_worst_first(lite: Server):
    says(lite.device, printer="paper_low")
    says(lite.enrol("k-2", "other"), printer="paper_out", clock="guess")
    page = lite.signed_in("ky-thuat", "technician").get("/kiosks").content.decode()
    assert page.index("k-2") < page.index("k-7F3K2M")
    for words in ("Máy in hết giấy", "Sắp hết giấy in", "chưa ai xác nhận", "Lỗi", "Cần xem", "0.3.0"):
        assert words in page


def test_the_table_alone_is_fetched_again_by_itself(lite: Server):
    says(lite.device)
    browser = lite.signed_in("ky-thuat", "technician")
    assert 'hx-get="/kiosks"' in browser.get("/kiosks").content.decode()
    part = browser.get("/kiosks", headers={"HX-Request": "true"}).content.decode()
    assert "k-7F3K2M" in part
    assert "<html" not in part


def test_only_those_that_need_a_look_can_be_shown(lite: Server):
    says(lite.device)
    says(lite.enrol("k-2", "other"), printer="offline")
    page = lite.signed_in("ky-thuat", "technician").get("/kiosks?only=bad").content.decode()
    assert "k-2" in page
    assert "k-7F3K2M" not in page


def test_what_is_wrong_between_server_and_kiosk_is_said(lite: Server):
    device = says(lite.device)
    device.trouble = {"key": "other_device", "other": "k-X"}
    device.save()
    assert "Máy k-X đang gửi" in lite.signed_in("ky-thuat", "technician").get("/kiosks").content.decode()


def test_the_page_of_a_kiosk_tells_why_it_was_not_reached_the_last_time(lite: Server):
    device = says(lite.device)
    device.trouble, device.mode = {"key": "pull_busy"}, Mode.PULL
    device.save()
    browser = lite.signed_in("ky-thuat", "technician")
    page = browser.get(f"/kiosks/{device.pk}").content.decode()
    assert "Đang kết nối<br>Máy đang bận" in page
    assert state_of(device) == (Level.GOOD, [])
    for other in ({"mode": Mode.FILE}, {"revoked": True}):  # nobody asks it any more
        Device.objects.update(**{"mode": Mode.PULL, **other})
        assert "Máy đang bận" not in browser.get(f"/kiosks/{device.pk}").content.decode()


def test_names_from_outside_are_shown_as_letters(lite: Server):
    says(lite.device, app="<b>1</b>", clock="<i>", printer="<u>")
    lite.device.label = "<script>alert(1)</script>"
    lite.device.save()
    browser = lite.signed_in("ky-thuat", "technician")
    for address in ("/kiosks", f"/kiosks/{lite.device.pk}"):
        page = browser.get(address).content.decode()
        assert not re.search(r"<script>|<b>1|<i>|<u>", page)


# --- who may --------------------------------------------------------------------------------------------------


def of_another_commune(server: Server) -> Device:
    site = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Trụ sở")
    return server.enrol("k-OTHER", "their token", site)


def test_a_kiosk_of_another_commune_is_not_there(lite: Server):
    theirs = of_another_commune(lite)
    browser = lite.signed_in("quan-tri", "admin")
    assert "k-OTHER" not in browser.get("/kiosks").content.decode()
    assert browser.get(f"/kiosks/{theirs.pk}").status_code == 404
    for action in ("change", "renew", "revoke", "rebuild"):
        assert browser.post(f"/kiosks/{theirs.pk}/{action}", {"mode": "push"}).status_code == 404
    assert browser.post("/kiosks/enrol", {"site": theirs.site_id, "mode": "push"}).status_code == 422
    row = EnrolCode.objects.create(site=theirs.site, code="x", made=NOW)
    assert browser.get(f"/kiosks/enrol/{row.pk}/wait").status_code == 404


def test_an_operator_sees_the_kiosks_of_all_communes(lite: Server):
    of_another_commune(lite)
    page = lite.signed_in("van-hanh", "operator").get("/kiosks").content.decode()
    assert "k-OTHER" in page
    assert "xã Khác" in page


@pytest.mark.parametrize("role", ["viewer", "leader"])
def test_leaders_and_province_see_kiosks_and_change_none(lite: Server, role: str):
    browser = lite.signed_in("ai-do", role)
    assert "Thêm máy" not in browser.get("/kiosks").content.decode()
    assert "Thu hồi mã" not in browser.get(f"/kiosks/{lite.device.pk}").content.decode()
    for action in ("change", "renew", "revoke", "rebuild"):
        assert browser.post(f"/kiosks/{lite.device.pk}/{action}").status_code == 403
    assert browser.get("/kiosks/enrol").status_code == 403
    assert browser.get("/quarantine").status_code == 403


def test_clerks_do_not_see_kiosks(lite: Server):
    browser = lite.signed_in("cong-chuc", "clerk", site=lite.site, clerk="nguyen-thi-a")
    assert browser.get("/kiosks").status_code == 403
    assert "/kiosks" not in browser.get("/").content.decode()


# --- letting in and shutting out ------------------------------------------------------------------------------


def code_on(page: str) -> str:
    found = re.search(r'code-big">([A-Z2-9]{4}-[A-Z2-9]{4})<', page)
    assert found
    return found[1]


def comes(server: Server, code: str, name: str) -> Any:
    asked = {"code": code, "device": name, "app": "0.3.0", "office": None}
    return server.client.post("/api/v1/enrol", asked, content_type="application/json").json()


def waiting(browser: Client) -> tuple[int, str]:
    answer = browser.get(f"/kiosks/enrol/{EnrolCode.objects.latest('pk').pk}/wait")
    return answer.status_code, answer.content.decode()


def test_a_code_lets_a_kiosk_in_and_the_page_sees_it_come(lite: Server, store: Store):
    clock.follow(None)  # enrolment looks at the machine's clock
    browser = lite.signed_in("ky-thuat", "technician")
    page = browser.post("/kiosks/enrol", {"site": lite.site.pk, "label": "Cửa chính", "mode": "push"})
    code = code_on(page.content.decode())
    assert f"sudo kiosk enrol http://testserver {code} --allow-plain-http" in said(page)
    assert "<svg" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert "Đang chờ máy" in waiting(browser)[1]
    token = comes(lite, code, "k-NEW")["token"]
    assert "k-NEW đã nhận mã" in waiting(browser)[1]
    a_morning(store)
    lite.push(batches(store.database.conn, "k-NEW")[0], token)
    status, part = waiting(browser)
    assert (status, "Xong: máy k-NEW" in part) == (286, True)
    assert Device.objects.get(name="k-NEW").label == "Cửa chính"
    assert ("kiosk.code", "ky-thuat") in Audit.objects.values_list("what", "who")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8800", "http://localhost", "http://[::1]:8800"])
def test_a_page_with_a_code_says_when_no_other_machine_finds_the_server(lite: Server, url: str):
    leader, technician = lite.signed_in("lanh-dao", "leader"), lite.signed_in("ky-thuat", "technician")

    def pages() -> list[str]:
        answers = (
            technician.post("/kiosks/enrol", {"site": lite.site.pk, "mode": "push"}),
            leader.get("/publication/public"),
        )
        return [answer.content.decode() for answer in answers]

    assert "Máy khác không tìm được máy chủ này" not in "".join(pages())
    with override_settings(CONFIG=replace(settings.CONFIG, url=url)):
        for page in pages():
            assert f"Máy khác không tìm được máy chủ này: địa chỉ đang đặt là {url}" in page
        assert "--allow-plain-http" not in pages()[0]


def test_a_code_that_is_over_or_was_guessed_at_is_said(lite: Server):
    browser = lite.signed_in("ky-thuat", "technician")
    browser.post("/kiosks/enrol", {"site": lite.site.pk, "mode": "push"})
    clock.follow(lambda: NOW + LIFE)
    assert waiting(browser)[0] == 286
    assert "hết hạn" in waiting(browser)[1]
    EnrolCode.objects.update(tries=5)
    assert "nhập sai nhiều lần" in waiting(browser)[1]


def test_a_new_code_for_a_kiosk_that_is_there_gives_it_a_new_token(lite: Server):
    clock.follow(None)
    browser = lite.signed_in("ky-thuat", "technician")
    code = code_on(browser.post(f"/kiosks/{lite.device.pk}/renew").content.decode())
    assert comes(lite, code, "k-7F3K2M")["token"]
    assert Device.objects.get().next_token


def test_a_kiosk_that_is_carried_by_stick_is_entered_by_its_id(lite: Server):
    browser = lite.signed_in("ky-thuat", "technician")
    given = {"site": lite.site.pk, "label": "Vùng cao", "mode": "file"}
    for wrong in ("", "k 1", "../x", "k-7F3K2M"):
        assert browser.post("/kiosks/enrol", {**given, "name": wrong}).status_code == 422
    assert browser.post("/kiosks/enrol", {**given, "name": "k-USB"}).status_code == 302
    assert Device.objects.get(name="k-USB").mode == "file"


def test_shutting_out_is_asked_for_twice_and_keeps_what_came(lite: Server, store: Store):
    a_morning(store)
    (whole,) = batches(store.database.conn)
    lite.push(whole)
    browser = lite.signed_in("ky-thuat", "technician")
    address = f"/kiosks/{lite.device.pk}/revoke"
    assert "Không nhận số liệu" in browser.get(address).content.decode()
    assert not Device.objects.get().revoked
    browser.post(address)
    assert lite.push(whole).status_code == 401
    assert Event.objects.count() == len(whole.lines)
    assert "Đã thu hồi mã" in browser.get(f"/kiosks/{lite.device.pk}").content.decode()


def test_a_kiosk_gets_another_name_and_way_and_is_fetched_from_only_with_an_address(lite: Server):
    browser = lite.signed_in("ky-thuat", "technician")
    address = f"/kiosks/{lite.device.pk}/change"
    browser.post(address, {"label": "Máy số 2", "mode": "file"})
    assert Device.objects.values_list("label", "mode").get() == ("Máy số 2", "file")
    assert browser.post(address, {"label": "x", "mode": "pull"}).status_code == 422
    Device.objects.update(pull_url="https://10.0.0.5")
    assert browser.post(address, {"label": "x", "mode": "pull"}).status_code == 302


# --- set aside ------------------------------------------------------------------------------------------------


def test_events_set_aside_are_shown_with_their_line_and_looked_at_again(
    lite: Server, store: Store, monkeypatch: pytest.MonkeyPatch
):
    a_morning(store)
    monkeypatch.setitem(projector.shapes.SHAPES, "rating.given", {"unknown_key": lambda value: True})
    lite.push(batches(store.database.conn)[0])
    browser = lite.signed_in("ky-thuat", "technician")
    page = browser.get("/quarantine").content.decode()
    assert "rating.given: unknown_key missing" in page
    assert "&#34;level&#34;:3" in page
    monkeypatch.undo()
    browser.post("/quarantine/again")
    settle(NOW)
    assert "Không có sự kiện nào để riêng" in browser.get("/quarantine").content.decode()


def test_looking_again_leaves_the_kiosks_of_other_communes_alone(lite: Server):
    theirs = of_another_commune(lite)
    for number, device in enumerate((theirs, lite.device)):
        Event.objects.create(
            num=number, device=device.name, epoch="1", seq=1, id=str(number), type="x", line=b"{}", quarantined="why",
            received=0,
        )  # fmt: skip
    browser = lite.signed_in("ky-thuat", "technician")
    assert "k-OTHER" not in browser.get("/quarantine").content.decode()
    browser.post("/quarantine/again")
    assert list(Device.objects.filter(rebuild=True)) == [lite.device]


def test_figures_are_made_again_when_somebody_asks_for_it(lite: Server):
    lite.signed_in("ky-thuat", "technician").post(f"/kiosks/{lite.device.pk}/rebuild")
    assert Device.objects.get().rebuild


def test_the_list_asks_the_database_the_same_number_of_times_for_many_kiosks(lite: Server):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    user = lite.user("ky-thuat", "technician")
    healths(devices_of(user), NOW)
    with CaptureQueriesContext(connection) as one:
        healths(devices_of(user), NOW)
    for number in range(20):
        lite.enrol(f"k-{number}", f"token {number}")
    with CaptureQueriesContext(connection) as many:
        assert len(healths(devices_of(user), NOW)) == 21
    assert len(many) == len(one)
