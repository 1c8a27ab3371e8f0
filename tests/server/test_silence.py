"""When a kiosk that is not heard of is an alarm: in opening hours, after its minutes, however it ought to speak."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from kiosk.board_document import Day
from server.office.models import Document
from server.phones.models import OwnFeed
from server.registry import trouble
from server.registry.enrolment import enrol, make_code, register, revoke
from server.registry.fleet import healths
from server.registry.health import SILENT, Level
from server.registry.models import Device, Mode, Site
from server.watch import alarms
from server.watch.models import Alarm
from tests.server.down_kit import publish_days, put
from tests.server.kit import NOW, Server
from tests.server.test_kiosks import says
from tests.server.watch_kit import MINUTE, lasting

NIGHT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 22:00 in Vietnam
FOR_SOMEBODY = (
    "other_device", "two_cards", "other_kiosk", "pull_certificate", "pull_again", "pull_garbage", "pull_forbidden",
    "pull_bad_address",
)  # fmt: skip
SATURDAY = NOW + timedelta(days=5, hours=5)
"""15:00 in Vietnam; the sample office works on Saturday mornings."""


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
