"""Names of services, counters, clerks and communes as they were when something happened."""

import logging
from dataclasses import replace
from datetime import date, datetime

import pytest

from kiosk.office import Office, sample
from kiosk.texts import LOCAL
from server.office import reading
from server.office.models import Document
from server.office.names import names_of
from server.office.opening import hours_of, open_since
from server.registry.health import SILENT
from server.registry.models import UnitName
from server.watch import alarms
from tests.server.down_kit import put
from tests.server.kit import NOW, Server

OF_A_NEWER_RELEASE = sample().to_json().replace(b"{", b'{"wishes": [], ', 1)


def add(server: Server, office: Office, version: int, day: date) -> None:
    at = datetime(day.year, day.month, day.day, 9, tzinfo=LOCAL)
    fields = {"sha256": office.sha256, "content": office.to_json(), "at": at, "by": "quan-tri"}
    Document.objects.create(site=server.site, kind="office", version=version, **fields)


def test_a_report_of_last_year_has_the_names_of_last_year(lite: Server):
    first, *others = sample().services
    add(lite, replace(sample(), version=2, services=(replace(first, name="Tư pháp"), *others)), 2, date(2026, 6, 1))
    assert names_of(lite.site, date(2026, 5, 31)).service(first.id) == first.name
    assert names_of(lite.site, date(2026, 6, 1)).service(first.id) == "Tư pháp"
    assert names_of(lite.site).service(first.id) == "Tư pháp"


def test_a_clerk_who_left_keeps_the_name_and_an_unknown_id_is_shown_as_it_is(lite: Server):
    gone = sample().clerks[-1]
    add(lite, replace(sample(), version=2, clerks=sample().clerks[:-1]), 2, date(2026, 6, 1))
    names = names_of(lite.site)
    assert names.clerk(gone.id) == gone.name
    assert list(names.clerks)[-1] == gone.id
    assert names.clerk("nobody") == "nobody"


def test_a_commune_is_called_as_it_was_called_on_that_day(lite: Server):
    UnitName.objects.create(unit=lite.unit, name="xã Cũ", valid_from=date(2025, 7, 1))
    UnitName.objects.create(unit=lite.unit, name="phường Mới", valid_from=date(2026, 9, 1))
    assert names_of(lite.site, date(2026, 8, 31)).unit == "xã Cũ"
    assert names_of(lite.site, date(2026, 9, 1)).unit == "phường Mới"


def test_a_document_that_this_release_cannot_read_breaks_neither_page_nor_alarm_and_the_one_before_stays_in_force(
    server: Server, caplog: pytest.LogCaptureFixture
):
    reading.read.cache_clear()
    put(server, 2, OF_A_NEWER_RELEASE)
    clerk = sample().clerks[0]
    assert names_of(server.site).clerk(clerk.id) == clerk.name
    assert names_of(server.site, date(2026, 11, 23)).clerk(clerk.id) == clerk.name
    assert open_since(hours_of([server.site])[server.site.pk], NOW, SILENT)
    server.device.seen = NOW - 2 * SILENT
    server.device.save()
    assert alarms.look(NOW) > 0
    admin, leader = server.signed_in("quan-tri", "admin"), server.signed_in("lanh-dao", "leader")
    with caplog.at_level(logging.WARNING):
        for address in ("/kiosks", "/admin/people/new", f"/documents/{server.site.pk}/text", "/reports", "/"):
            assert admin.get(address).status_code == 200, address
        assert leader.get("/publication/comments").status_code == 200
    assert sample().clerks[0].name in admin.get(f"/documents/{server.site.pk}/text").content.decode()
    Document.objects.filter(version=1).delete()
    assert names_of(server.site).clerk(clerk.id) == clerk.id
    assert open_since(hours_of([server.site])[server.site.pk], NOW, SILENT)
    assert admin.get("/kiosks").status_code == 200


def test_a_document_that_cannot_be_read_is_logged_once(lite: Server, caplog: pytest.LogCaptureFixture):
    reading.read.cache_clear()
    put(lite, 2, OF_A_NEWER_RELEASE)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            names_of(lite.site)
            hours_of([lite.site])
    assert [record.name for record in caplog.records] == ["server.office.reading"]
