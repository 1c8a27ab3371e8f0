"""Alarms: when they begin and end, and that each is told once at either end, whatever fails on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.test import override_settings

from kiosk.board_document import Day
from kiosk.store import Store
from server import clock, work
from server.accounts.models import Audit
from server.office.models import Document
from server.phones.models import OwnFeed
from server.registry import trouble
from server.registry.enrolment import enrol, make_code, register, revoke
from server.registry.fleet import healths
from server.registry.health import SILENT, Level
from server.registry.models import Device, Mode, Site, Unit
from server.watch import alarms, telling
from server.watch.models import Alarm, Edge, Notice, Target, Way
from sync.wire import instant
from tests.server.down_kit import publish_days, put
from tests.server.kit import NOW, Server, batch_of, batches
from tests.server.smtp import PostOffice
from tests.server.test_facts import a_morning
from tests.server.test_kiosks import FINE, says

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 22:00 in Vietnam
FOR_SOMEBODY = (
    "other_device", "two_cards", "other_kiosk", "pull_certificate", "pull_again", "pull_garbage", "pull_forbidden",
    "pull_bad_address",
)  # fmt: skip
SATURDAY = NOW + timedelta(days=5, hours=5)
"""15:00 in Vietnam; the sample office works on Saturday mornings."""


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """A mail server on loopback, which the server knows."""
    with PostOffice() as office:
        config = replace(settings.CONFIG, mail=replace(settings.CONFIG.mail, host="127.0.0.1", port=office.port))
        where = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": office.port, "EMAIL_USE_TLS": False}
        with override_settings(CONFIG=config, DEFAULT_FROM_EMAIL="may-chu@xa-mau.example", **where):
            yield office


def target(server: Server, mails: str = "lanh-dao@xa-mau.example", url: str = "") -> Target:
    return Target.objects.create(unit=server.unit, mails=mails, url=url)


def tell(now: datetime) -> None:
    while telling.tell_next(now):
        continue


def lasting() -> list[str]:
    return sorted(Alarm.objects.filter(ended=None).values_list("kind", flat=True))


# --- beginning and end ----------------------------------------------------------------------------------------


def test_each_trouble_is_one_alarm_from_its_beginning_to_its_end(server: Server):
    says(server.device, clock="guess", disk_free_mb=10, undervoltage=True)
    for minute in range(5):
        alarms.look(NOW + minute * MINUTE)
    assert lasting() == ["clock", "disk", "power"]
    assert {alarm.began for alarm in Alarm.objects.all()} == {NOW}
    says(server.device)
    alarms.look(NOW + 6 * MINUTE)
    assert lasting() == []
    assert {alarm.ended for alarm in Alarm.objects.all()} == {NOW + 6 * MINUTE}
    says(server.device, clock="guess")
    alarms.look(NOW + 7 * MINUTE)
    assert Alarm.objects.filter(kind="clock").count() == 2


def test_a_clock_that_is_off_is_an_alarm_until_it_is_set(lite: Server):
    says(lite.device, at=instant(NOW - timedelta(days=3)))
    alarms.look(NOW)
    assert Alarm.objects.values_list("kind", "key").get(ended=None) == ("clock", "behind_days")
    says(lite.device, at=instant(NOW + MINUTE))
    alarms.look(NOW + MINUTE)
    assert lasting() == []


def test_a_kiosk_that_learns_the_time_from_the_first_answer_wakes_nobody(lite: Server):
    says(lite.device, at=instant(NOW - timedelta(days=3)), clock="guess")
    alarms.look(NOW)
    alarms.look(NOW + MINUTE)
    says(lite.device, NOW + 2 * MINUTE, at=instant(NOW + 2 * MINUTE), clock="server")
    alarms.look(NOW + 2 * MINUTE)
    assert not Alarm.objects.exists(), "neither an alarm nor one that has ended"
    says(lite.device, NOW + 3 * MINUTE, at=instant(NOW - timedelta(days=3)), clock="guess")
    alarms.look(NOW + 3 * MINUTE)
    alarms.look(NOW + 6 * MINUTE)
    assert Alarm.objects.values_list("kind", "told").get() == ("clock", True)


def test_a_card_that_fails_is_an_alarm_and_heat_only_when_it_lasts(server: Server):
    says(server.device, canary="failed", temperature_c=85.0)
    alarms.look(NOW)
    alarms.look(NOW + MINUTE)
    told = dict(Alarm.objects.values_list("kind", "told"))
    assert told == {"card": True, "heat": False}
    says(server.device, NOW + 10 * MINUTE, canary="ok", temperature_c=70.0)
    alarms.look(NOW + 10 * MINUTE)
    assert lasting() == []
    assert list(Alarm.objects.values_list("kind", flat=True)) == ["card"]


def test_a_kiosk_is_silent_only_in_opening_hours_and_closing_the_office_does_not_end_it(lite: Server):
    says(lite.device)
    closed = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)  # 06:00 on the day after a holiday
    for now in (NOW + SILENT, closed, closed + timedelta(minutes=70)):
        alarms.look(now)
        assert lasting() == []
    alarms.look(closed + timedelta(minutes=76))
    assert lasting() == ["contact"]
    alarms.look(NOW + timedelta(days=2, hours=12))
    assert lasting() == ["contact"]
    says(lite.device, NOW + timedelta(days=3))
    alarms.look(NOW + timedelta(days=3))
    assert lasting() == []


@pytest.mark.parametrize("key", sorted(trouble.PASSING))
def test_a_kiosk_that_the_server_cannot_reach_is_silent_as_one_that_sends(lite: Server, key: str):
    says(lite.device)
    Device.objects.update(mode=Mode.PULL)
    lite.device.refresh_from_db()
    for now in (NOW + MINUTE, NOW + SILENT):
        trouble.tell(lite.device, now, key, url="https://10.0.0.5:8443")
        alarms.look(now)
        assert (lasting(), healths([lite.device], now)[0].level) == ([], Level.GOOD)
    alarms.look(NOW + SILENT + MINUTE)
    assert Alarm.objects.values_list("kind", "key").get() == ("contact", "silent")
    says(lite.device, NOW + 20 * MINUTE)
    trouble.clear(lite.device, NOW + 20 * MINUTE, stays=timedelta(0))
    trouble.tell(lite.device, NOW + 21 * MINUTE, key, url="https://10.0.0.5:8443")
    alarms.look(NOW + 21 * MINUTE)
    assert lasting() == [], "it was reached, though not at the last try"


def test_a_kiosk_that_is_switched_off_each_evening_wakes_nobody(lite: Server):
    lite.device.mode = Mode.PULL
    for day in range(2, 5):  # Wednesday to Friday
        begins = datetime(2026, 11, 23, 0, 0, tzinfo=UTC) + timedelta(days=day)  # 07:00
        says(lite.device, begins + timedelta(hours=10))
        for hour in range(11, 24):
            now = begins + timedelta(hours=hour)
            trouble.tell(lite.device, now, "pull_silent")
            alarms.look(now)
            assert (Alarm.objects.count(), healths([lite.device], now)[0].level) == (0, Level.UNKNOWN)
        trouble.clear(lite.device, begins + timedelta(hours=24), stays=timedelta(0))


@pytest.mark.parametrize("key", FOR_SOMEBODY)
def test_what_somebody_has_to_mend_is_an_alarm_at_any_hour_and_not_over_when_the_kiosk_is_off(lite: Server, key: str):
    says(lite.device, NIGHT)
    trouble.tell(lite.device, NIGHT, key, url="https://10.0.0.5:8443", other="k-X")
    alarms.look(NIGHT)
    assert Alarm.objects.values_list("kind", "key", "told").get() == ("contact", "trouble", True)
    trouble.tell(lite.device, NIGHT + MINUTE, "pull_silent")
    alarms.look(NIGHT + MINUTE)
    assert Alarm.objects.get(ended=None).values["key"] == key


def let_in(server: Server, now: datetime, name: str = "k-NEW", device: Device | None = None) -> Device:
    return enrol(make_code(server.site, now, device=device), name, now).device


def test_a_kiosk_that_got_its_token_and_is_not_heard_of_is_an_alarm(server: Server):
    device = let_in(server, NOW)
    alarms.look(NOW + SILENT)
    assert (lasting(), healths([device], NOW + SILENT)[0].level) == ([], Level.UNKNOWN)
    late = NOW + SILENT + MINUTE
    alarms.look(late)
    assert Alarm.objects.values_list("device__name", "kind", "key").get() == ("k-NEW", "contact", "never")
    assert healths([device], late)[0].level is Level.BAD
    says(device, NOW + 20 * MINUTE)
    alarms.look(NOW + 20 * MINUTE)
    assert lasting() == []


def test_a_kiosk_that_was_let_in_after_hours_is_waited_for_until_the_office_is_at_work(lite: Server):
    let_in(lite, NIGHT + timedelta(days=1))
    opens = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)  # 07:00
    for now in (NIGHT + timedelta(days=1, hours=2), opens + 14 * MINUTE):
        alarms.look(now)
        assert lasting() == []
    alarms.look(opens + 16 * MINUTE)
    assert lasting() == ["contact"]


def test_a_kiosk_that_was_only_entered_or_has_an_unused_code_is_waited_for_by_nobody(lite: Server):
    device = register(lite.site, "k-USB", Mode.FILE, NOW)
    make_code(lite.site, NOW, device=device)
    make_code(lite.site, NOW)
    Device.objects.filter(pk=device.pk).update(mode=Mode.PUSH)
    alarms.look(NOW + timedelta(days=3))
    assert lasting() == []


def test_a_kiosk_that_is_let_in_again_gets_its_minutes_anew(lite: Server):
    says(lite.device, ago=timedelta(days=9))
    revoke(lite.device)
    let_in(lite, NOW, lite.device.name, lite.device)
    alarms.look(NOW + SILENT)
    assert lasting() == []
    alarms.look(NOW + SILENT + MINUTE)
    assert Alarm.objects.values_list("kind", "key").get() == ("contact", "silent")


def test_a_silent_kiosk_that_is_let_in_again_stays_silent_until_it_speaks(lite: Server):
    says(lite.device, ago=timedelta(days=9))
    alarms.look(NOW)
    assert lasting() == ["contact"]
    let_in(lite, NOW, lite.device.name, lite.device)
    alarms.look(NOW + MINUTE)
    assert lasting() == ["contact"]
    says(lite.device, NOW + 2 * MINUTE)
    alarms.look(NOW + 2 * MINUTE)
    assert lasting() == []


def test_nobody_waits_for_a_kiosk_that_never_spoke_and_brings_its_events_on_a_stick_now(lite: Server):
    let_in(lite, NOW)
    alarms.look(NOW + SILENT + MINUTE)
    assert lasting() == ["contact"]
    Device.objects.filter(name="k-NEW").update(mode=Mode.FILE)
    alarms.look(NOW + SILENT + 2 * MINUTE)
    assert lasting() == []


def test_kiosks_that_were_let_in_by_an_earlier_version_count_from_the_upgrade_on(lite: Server):
    says(lite.enrol("k-2", "it has spoken"))
    revoke(lite.enrol("k-3", "it is shut out"))
    register(lite.site, "k-USB", Mode.FILE, NOW)
    import_module("server.registry.migrations.0003_enrolled").count_from_now(apps, None)
    assert list(Device.objects.exclude(enrolled=None)) == [lite.device]


def test_on_a_day_off_that_stands_on_the_board_no_kiosk_is_silent_until_it_is_taken_back(server: Server):
    says(server.device, ago=timedelta(days=1))
    publish_days(server, Day(NOW.date(), "off", "Bão số 5"))
    alarms.look(NOW)
    assert lasting() == []
    publish_days(server, Day(SATURDAY.date(), "work"))
    alarms.look(NOW)
    assert lasting() == ["contact"]


def test_on_a_half_day_that_stands_on_the_board_only_the_morning_counts(lite: Server):
    says(lite.device, ago=timedelta(days=1))
    publish_days(lite, Day(NOW.date(), "half"))
    alarms.look(NOW + timedelta(hours=5))
    assert lasting() == []
    alarms.look(NOW)
    assert lasting() == ["contact"]


def test_on_a_working_saturday_that_stands_on_the_board_a_kiosk_can_be_silent(server: Server):
    other = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    for device in (server.device, server.enrol("k-OTHER", "token", other)):
        says(device)
    alarms.look(SATURDAY)
    assert lasting() == []
    publish_days(server, Day(SATURDAY.date(), "work"))
    alarms.look(SATURDAY)
    assert list(Alarm.objects.values_list("kind", "device")) == [("contact", server.device.pk)]


def test_a_board_that_this_release_cannot_read_changes_no_hours(lite: Server):
    put(lite, 1, b'{"wishes": []}', "board")
    says(lite.device, ago=timedelta(days=1))
    alarms.look(NOW)
    assert lasting() == ["contact"]


def test_a_kiosk_whose_office_document_never_came_is_silent_in_the_usual_hours(lite: Server):
    Document.objects.all().delete()
    says(lite.device, ago=timedelta(days=3))
    alarms.look(NOW - timedelta(days=2))  # a Saturday morning: not every office works then
    assert lasting() == []
    alarms.look(NOW)
    assert lasting() == ["contact"]


def test_a_silent_kiosk_keeps_the_alarms_of_its_last_words(lite: Server):
    says(lite.device, clock="guess")
    alarms.look(NOW)
    alarms.look(NOW + SILENT + MINUTE)
    assert lasting() == ["clock", "contact"]


def test_a_kiosk_that_is_carried_by_stick_or_shut_out_has_no_alarm(lite: Server):
    says(lite.device, ago=timedelta(days=1))
    Device.objects.update(mode=Mode.FILE)
    alarms.look(NOW)
    assert lasting() == []
    Device.objects.update(mode=Mode.PUSH)
    alarms.look(NOW)
    Device.objects.update(revoked=True)
    alarms.look(NOW + MINUTE)
    assert lasting() == []


def test_the_servers_own_feeds_are_no_kiosks_that_could_be_silent(lite: Server):
    says(lite.device, ago=timedelta(days=1))
    OwnFeed.objects.create(site=lite.site, device=lite.device)
    alarms.look(NOW)
    assert lasting() == []


def test_events_set_aside_are_an_alarm(lite: Server, store: Store):
    a_morning(store)
    (whole,) = batches(store.database.conn)
    strange = [next(line for line in whole.lines if b"ticket.issued" in line).replace(b'"v":1', b'"v":9')]
    lite.push(batch_of([], strange, "k-7F3K2M", whole.header.epoch, **FINE))
    lite.device.refresh_from_db()
    says(lite.device)
    alarms.look(NOW)
    assert lasting() == ["quarantine"]


def test_paper_that_is_changed_within_minutes_is_told_to_nobody(lite: Server):
    target(lite)
    says(lite.device, printer="paper_out")
    alarms.look(NOW)
    alarms.look(NOW + 2 * MINUTE)
    says(lite.device)
    alarms.look(NOW + 2.5 * MINUTE)
    assert not Alarm.objects.exists()
    says(lite.device, printer="paper_out")
    alarms.look(NOW + 3 * MINUTE)
    says(lite.device, printer="cover_open")
    alarms.look(NOW + 6 * MINUTE)
    assert list(Notice.objects.values_list("edge", "way")) == [("begun", "mail")]


def test_a_trouble_that_lasts_is_said_as_it_is_now(lite: Server, post_office: PostOffice):
    target(lite)
    says(lite.device, disk_free_mb=400, printer="paper_out")
    alarms.look(NOW)
    says(lite.device, disk_free_mb=20, printer="cover_open")
    alarms.look(NOW + 4 * MINUTE)
    page = lite.signed_in("quan-tri", "admin").get("/alarms").content.decode()
    assert "còn trống 20 MB" in page and "400 MB" not in page
    tell(NOW + 5 * MINUTE)
    assert any("nắp" in mail.subject.lower() for mail in post_office.mails)
    assert Alarm.objects.count() == 2
    says(lite.device)
    alarms.look(NOW + 6 * MINUTE)
    assert dict(Alarm.objects.values_list("kind", "key")) == {"disk": "disk_low", "printer": "cover_open"}


def test_alarms_and_trial_messages_go_two_years_after_they_were_over(lite: Server):
    two_years = timedelta(days=731)
    for ended in (NOW - two_years - MINUTE, NOW - MINUTE, None):
        alarm = Alarm.objects.create(device=lite.device, kind="disk", key="disk_low", began=NOW, ended=ended, told=True)
        Notice.objects.create(unit=lite.unit, alarm=alarm, way=Way.MAIL, edge=Edge.BEGUN, made=NOW - 2 * two_years)
    for made in (NOW - two_years - MINUTE, NOW):
        Notice.objects.create(unit=lite.unit, way=Way.MAIL, edge=Edge.TEST, made=made)
    alarms.look(NOW)  # whoever looks deletes nothing: the clock may be wrong
    assert Alarm.objects.count() == 3
    alarms.forget_old(NOW)
    assert Alarm.objects.count() == 2
    assert sorted(Notice.objects.values_list("edge", flat=True)) == ["begun", "begun", "test"]
    assert alarms.forget_old in [job.run for job in work.JOBS if job.deletes]


def test_low_paper_a_backlog_and_plain_http_wake_nobody(lite: Server):
    says(lite.device, printer="paper_low", backlog=9999, plain_http=True)
    alarms.look(NOW)
    assert not Alarm.objects.exists()


# --- telling --------------------------------------------------------------------------------------------------


def test_a_mail_goes_out_at_the_beginning_and_one_at_the_end(server: Server, post_office: PostOffice):
    target(server, "lanh-dao@xa-mau.example\nky-thuat@xa-mau.example")
    says(server.device, disk_free_mb=10)
    for minute in range(3):
        alarms.look(NOW + minute * MINUTE)
        tell(NOW + minute * MINUTE)
    says(server.device)
    alarms.look(NOW + 10 * MINUTE)
    tell(NOW + 10 * MINUTE)
    begun, ended = post_office.mails
    assert begun.to == ["lanh-dao@xa-mau.example", "ky-thuat@xa-mau.example"]
    assert begun.subject == "[xã Mẫu] k-7F3K2M: Sắp đầy: còn trống 10 MB"
    assert "Từ 10:00 23/11/2026" in begun.text
    assert f"http://testserver/kiosks/{server.device.pk}" in begun.text
    assert ended.subject == "[xã Mẫu] k-7F3K2M: đã hết – Sắp đầy: còn trống 10 MB"
    assert "đến 10:10" in ended.text


def test_a_mail_that_fails_is_tried_again_with_longer_waits_and_the_end_waits_for_the_beginning(
    server: Server, post_office: PostOffice
):
    target(server)
    post_office.refuses = True
    says(server.device, disk_free_mb=10)
    alarms.look(NOW)
    dues = []
    now = NOW
    for _ in range(4):
        tell(now)
        now = Notice.objects.get().due or now
        dues.append(now - NOW)
    assert dues == [1 * MINUTE, 3 * MINUTE, 7 * MINUTE, 15 * MINUTE]
    assert "SMTP" in Notice.objects.get().problem
    says(server.device)
    alarms.look(NOW + 8 * MINUTE)
    post_office.refuses = False
    tell(NOW + 8 * MINUTE)
    assert post_office.mails == []
    tell(now)
    assert ["đã hết" in mail.subject for mail in post_office.mails] == [False, True]
    assert not Notice.objects.filter(done=None).exists()


def test_what_cannot_be_told_for_days_is_given_up_and_shown(lite: Server, post_office: PostOffice):
    target(lite)
    post_office.refuses = True
    says(lite.device, disk_free_mb=10)
    alarms.look(NOW)
    now, tries = NOW, 0
    while Notice.objects.get().due:
        tell(now)
        now, tries = Notice.objects.get().due or now, tries + 1
    assert timedelta(days=3) <= now - NOW < timedelta(days=3, hours=1)
    assert tries < 90
    clock.follow(lambda: NOW)
    page = lite.signed_in("quan-tri", "admin").get("/alarms/target").content.decode()
    clock.follow(None)
    assert "Không gửi được" in page


def test_a_notice_that_somebody_else_has_claimed_is_not_told_twice(
    lite: Server, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
):
    target(lite)
    says(lite.device, disk_free_mb=10)
    alarms.look(NOW)
    seen_before = telling._in_turn()
    tell(NOW)
    monkeypatch.setattr(telling, "_in_turn", lambda: seen_before)
    telling.tell_next(NOW)
    assert len(post_office.mails) == 1


def test_a_way_that_fails_does_not_hold_up_another_commune_or_way(lite: Server, post_office: PostOffice):
    target(lite, url="https://localhost:1/")
    other = Unit.objects.create(code="2", name="xã Khác")
    site = Site.objects.create(unit=other, key="chinh", name="Trụ sở")
    Target.objects.create(unit=other, mails="ho@xa-khac.example")
    says(lite.device, disk_free_mb=10)
    says(lite.enrol("k-OTHER", "token", site), disk_free_mb=10)
    alarms.look(NOW)
    tell(NOW)
    assert sorted(mail.to[0] for mail in post_office.mails) == ["ho@xa-khac.example", "lanh-dao@xa-mau.example"]
    assert Notice.objects.get(way=Way.WEBHOOK).problem


def test_without_a_mail_server_the_notice_says_so(lite: Server):
    target(lite)
    says(lite.device, disk_free_mb=10)
    alarms.look(NOW)
    with override_settings(EMAIL_HOST=""):
        tell(NOW)
    assert "names no mail server" in Notice.objects.get().problem


def test_a_commune_that_wants_no_more_messages_gets_none(lite: Server, post_office: PostOffice):
    whom = target(lite)
    says(lite.device, disk_free_mb=10)
    alarms.look(NOW)
    whom.mails = ""
    whom.save()
    tell(NOW)
    says(lite.device)
    alarms.look(NOW + MINUTE)
    tell(NOW + MINUTE)
    assert post_office.mails == []
    assert not Notice.objects.exclude(due=None).exists()


def test_names_with_line_breaks_make_no_further_mail_headers(lite: Server, post_office: PostOffice):
    target(lite)
    lite.device.label = "Máy\r\nBcc: ai-do@example.com"
    says(lite.device, disk_free_mb=10)
    alarms.look(NOW)
    tell(NOW)
    (mail,) = post_office.mails
    assert mail.to == ["lanh-dao@xa-mau.example"]
    assert mail.subject.startswith("[xã Mẫu] Máy Bcc: ai-do@example.com")


def test_the_worker_looks_and_tells_by_itself_beside_its_other_jobs(lite: Server, post_office: PostOffice):
    assert [job.name for job in work.ASIDE] == ["notices"]
    target(lite)
    clock.follow(lambda: NOW)
    says(lite.device, disk_free_mb=10)
    workers = [work.Worker().start(), work.Worker(work.ASIDE).start()]
    post_office.wait(1)
    for worker in workers:
        worker.stop()
    clock.follow(None)


# --- pages ----------------------------------------------------------------------------------------------------


def test_alarms_are_listed_for_the_own_commune(lite: Server):
    site = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Trụ sở")
    says(lite.enrol("k-OTHER", "token", site), disk_free_mb=10)
    says(lite.device, disk_free_mb=10)
    alarms.look(NOW)
    says(lite.device)
    alarms.look(NOW + MINUTE)
    browser = lite.signed_in("ky-thuat", "technician")
    for headers in ({}, {"HX-Request": "true"}):
        page = browser.get("/alarms", headers=headers).content.decode()
        assert "còn trống 10 MB" in page
        assert "k-OTHER" not in page
    assert "k-OTHER" in lite.signed_in("van-hanh", "operator").get("/alarms").content.decode()


def test_an_administrator_sets_whom_to_tell_and_sends_a_trial(lite: Server, post_office: PostOffice):
    clock.follow(lambda: NOW)
    admin = lite.signed_in("quan-tri", "admin")
    admin.post("/alarms/target", {"mails": "a@xa-mau.example, b@xa-mau.example", "url": "https://tin.example/nhan"})
    found = Target.objects.get()
    assert (found.mails, found.url) == ("a@xa-mau.example\nb@xa-mau.example", "https://tin.example/nhan")
    admin.post("/alarms/target/test")
    assert list(Notice.objects.values_list("way", "edge")) == [("mail", "test"), ("webhook", "test")]
    Notice.objects.filter(way="webhook").delete()
    tell(NOW)
    assert "Thử gửi" in post_office.mails[0].subject
    assert "Đã gửi" in admin.get("/alarms/target/told").content.decode()
    clock.follow(None)
    assert list(Audit.objects.order_by("id").values_list("what", flat=True)) == ["alarms.target", "alarms.test"]


def test_a_trial_that_fails_is_not_tried_again(lite: Server, post_office: PostOffice):
    whom = target(lite)
    post_office.refuses = True
    Notice.objects.create(unit=whom.unit, way=Way.MAIL, edge=Edge.TEST, made=NOW, due=NOW)
    tell(NOW)
    assert Notice.objects.get().due is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"mails": "lanh-dao"},
        {"mails": "\n".join(f"a{n}@xa-mau.example" for n in range(11))},
        {"url": "http://tin.example/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://[::1]/"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://ten:mat-khau@tin.example/"},
        {"url": "ftp://tin.example/"},
        {"url": "https://"},
    ],
)
def test_addresses_that_cannot_be_are_refused_and_said(lite: Server, wrong: dict[str, str]):
    answer = lite.signed_in("quan-tri", "admin").post("/alarms/target", wrong)
    assert answer.status_code == 422
    assert 'class="problem" id="id_' in answer.content.decode()
    assert not Target.objects.exists()


def test_an_operator_sets_it_for_each_commune_and_others_may_not(lite: Server):
    operator = lite.signed_in("van-hanh", "operator")
    assert lite.unit.name in operator.get("/alarms/target").content.decode()
    operator.post(f"/alarms/target?unit={lite.unit.pk}", {"mails": "a@xa-mau.example"})
    assert Target.objects.get().unit == lite.unit
    for role in ("viewer", "leader", "technician"):
        browser = lite.signed_in(f"{role}-x", role)
        assert browser.get("/alarms").status_code == 200
        assert browser.get("/alarms/target").status_code == 403
        assert browser.post("/alarms/target/test").status_code == 403
    assert lite.signed_in("cong-chuc", "clerk").get("/alarms").status_code == 403


def test_an_administrator_cannot_reach_the_settings_of_another_commune(lite: Server):
    other = Unit.objects.create(code="2", name="xã Khác")
    theirs = Target.objects.create(unit=other, mails="ho@xa-khac.example", url="https://tin.example/")
    admin = lite.signed_in("quan-tri", "admin")
    assert "ho@xa-khac.example" not in admin.get(f"/alarms/target?unit={other.pk}").content.decode()
    assert admin.post(f"/alarms/target/secret?unit={other.pk}").status_code == 404
    admin.post(f"/alarms/target?unit={other.pk}", {"mails": "a@xa-mau.example"})
    theirs.refresh_from_db()
    assert (theirs.mails, theirs.round) == ("ho@xa-khac.example", 1)
