"""Names of services, counters, clerks and communes as they were when something happened."""

from dataclasses import replace
from datetime import date, datetime

from kiosk.office import Office, sample
from kiosk.texts import LOCAL
from server.office.models import Document
from server.office.names import names_of
from server.registry.models import UnitName
from tests.server.kit import Server


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
