"""Alarms: when they begin and end, and that each is told once at either end, whatever fails on the way."""

from datetime import timedelta

import pytest
from django.test import override_settings

from kiosk.store import Store
from server import clock, work
from server.accounts.models import Audit
from server.registry.models import Site, Unit
from server.watch import alarms, telling
from server.watch.models import Alarm, Edge, Notice, Target, Way
from sync.wire import instant
from tests.server.kit import NOW, Server, batch_of, batches
from tests.server.smtp import PostOffice
from tests.server.test_facts import a_morning
from tests.server.test_kiosks import FINE, says
from tests.server.watch_kit import MINUTE, lasting, post_office, target, tell

__all__ = ["post_office"]


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
