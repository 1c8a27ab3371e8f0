"""Frozen periods: they never change, later differences are told, and everybody who has the code sees the same."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.test import Client

from kiosk.office import sample
from kiosk.texts import LOCAL
from server import clock
from server.accounts.models import Audit
from server.facts.models import Dirty, Fact, Rating
from server.facts.rollups import sum_day
from server.office.models import Document
from server.publication import content, freezing, letters
from server.publication.content import Place
from server.publication.freezing import Already, NotOver
from server.publication.models import Frozen, Revision
from server.publication.wording import history
from server.registry.models import Site, Unit
from server.reports import periods
from server.words import texts
from tests.server import figures_kit as kit
from tests.server.freezing_kit import DECEMBER, NOVEMBER, december, dossiers, frozen, k_n, late, november, page
from tests.server.kit import Server
from tests.server.phone_kit import said

__all__ = ["december"]

UNREADABLE = {
    "nonsense": "Không có kỳ này",
    "2026-13": "Không có kỳ này",
    "2026-11-30..2026-11-01": "Ngày cuối đứng trước ngày đầu",
    "2022-11-01..2026-11-01": "Kỳ tự chọn dài nhất ba năm",
}


def test_frozen_figures_stay_as_they_were_and_what_comes_late_is_the_first_adjustment(server: Server):
    november(server)
    row = frozen(server)
    assert k_n(freezing.shown(row)) == (9, 12)
    before = bytes(row.revisions.get().content)
    late(server, "11111")
    made = freezing.adjust(row, DECEMBER + timedelta(hours=1), "Nguyễn Văn A", "đánh giá về muộn")
    assert made
    assert (made.number, made.by) == (1, "Nguyễn Văn A")
    assert bytes(row.revisions.get(number=0).content) == before
    assert k_n(freezing.shown(row, 0)) == (9, 12)
    assert k_n(freezing.shown(row)) == (9, 17)
    assert freezing.adjust(row, DECEMBER) is None


def test_fewer_than_five_late_ratings_do_not_move_a_frozen_rate_but_their_services_are_told(lite: Server):
    november(lite)
    row = frozen(lite)
    late(lite, "1111")
    assert freezing.adjust(row, DECEMBER)
    shown = freezing.shown(row)
    assert k_n(shown) == (9, 12)
    assert shown
    assert shown.content["visits"]["served"] == 16
    late(lite, "1")
    assert freezing.adjust(row, DECEMBER)
    assert k_n(freezing.shown(row)) == (9, 17)


def test_a_late_rating_is_not_what_two_frozen_periods_of_the_same_days_differ_by(lite: Server):
    november(lite)
    month = frozen(lite)
    late(lite, "1111")
    wider = [
        freezing.freeze(Place(lite.unit), periods.parse(key), "", "", DECEMBER)
        for key in ("2026-10-01..2026-11-30", "2026-11-01..2026-11-29")
    ]
    everything = [month, *wider]
    assert [k_n(freezing.shown(each)) for each in everything] == [(9, 12)] * 3
    late(lite, "1")
    for each in everything:
        freezing.adjust(each, DECEMBER)
    assert [k_n(freezing.shown(each)) for each in everything] == [(9, 17)] * 3


def test_two_points_that_mean_different_things_by_one_name_have_a_heading_each(lite: Server):
    kit.days(lite.device, "33222", label_set="vpcp")
    smile, vpcp, five = sample().label_sets
    strict = replace(vpcp, levels=tuple(replace(level, satisfied=level.value == 3) for level in vpcp.levels))
    office = replace(sample(), label_sets=(smile, strict, five))
    site = Site.objects.create(unit=lite.unit, key="hai", name="Điểm hai")
    fields = {"sha256": office.sha256, "content": office.to_json(), "at": DECEMBER - timedelta(days=300)}
    Document.objects.create(site=site, kind="office", version=1, by="", **fields)
    kit.days(lite.enrol("k-OTHER1", "another-token", site), "33322", label_set="vpcp")
    shown = freezing.shown(frozen(lite))
    assert shown
    assert [each["name"] for each in shown.content["ratings"]] == ["VPCP", "VPCP (Điểm hai)"]


def test_ratings_that_count_no_more_are_taken_back_when_they_are_five(lite: Server):
    november(lite)
    row = frozen(lite)
    gone = list(Rating.objects.filter(day=kit.FIRST))
    for count, left in ((4, (9, 12)), (5, (4, 7))):
        Rating.objects.filter(pk__in=[each.pk for each in gone[:count]]).update(counting=False, flags="burst")
        sum_day(lite.site, kit.FIRST)
        freezing.adjust(row, DECEMBER)
        assert k_n(freezing.shown(row)) == left


def test_a_longer_usual_service_is_an_adjustment_and_is_named(lite: Server):
    kit.keep(lite.site, kit.FIRST, [kit.ticket(lite.device, kit.FIRST)])
    row = frozen(lite)
    kit.keep(lite.site, kit.FIRST, [kit.ticket(lite.device, kit.FIRST, lasts=65) for _ in range(2)])
    freezing.adjust(row, DECEMBER)
    [_, (_, changed)] = history(texts("vi"), freezing.revisions(row))
    assert ("Một lượt phục vụ thường mất", "5", "65") in [(each.what, each.was, each.now) for each in changed]


def test_the_server_looks_for_differences_once_a_day(lite: Server):
    november(lite)
    row = frozen(lite)
    assert freezing.adjust_due(DECEMBER) == 1
    late(lite, "11111")
    assert freezing.adjust_due(DECEMBER) == 0
    half_summed = Dirty.objects.create(site=lite.site, day=kit.FIRST)
    assert freezing.adjust_due(DECEMBER + timedelta(days=1)) == 0
    half_summed.delete()
    assert freezing.adjust_due(DECEMBER + timedelta(days=1)) == 1
    made = row.revisions.order_by("-number")[0]
    assert (made.number, made.by) == (1, "")


def test_a_period_that_is_frozen_twice_is_frozen_once(server: Server):
    first = frozen(server)
    with pytest.raises(Already) as again:
        frozen(server, "Trần Thị B")
    assert again.value.frozen == first
    assert Revision.objects.get().by == "Nguyễn Văn A"
    site = freezing.freeze(Place(server.unit, server.site), NOVEMBER, "", "", DECEMBER)
    assert site != first
    assert len({first.key, site.key}) == 2


def test_a_period_that_is_not_over_cannot_be_frozen(lite: Server):
    with pytest.raises(NotOver):
        freezing.freeze(Place(lite.unit), periods.parse("2026-12"), "", "", DECEMBER)
    with pytest.raises(NotOver) as found:
        freezing.freeze(Place(lite.unit), periods.parse("2026-12-01"), "", "", DECEMBER)
    assert found.value.since == DECEMBER + timedelta(days=1)
    assert freezing.freeze(Place(lite.unit), periods.parse("2026-12-01"), "", "", found.value.since)


def test_a_revision_is_never_written_over(lite: Server):
    frozen(lite)
    with pytest.raises(TypeError):
        Revision.objects.get().save()


def test_names_stay_as_they_were_when_the_period_was_frozen(lite: Server):
    november(lite)
    row = frozen(lite)
    Unit.objects.update(name="phường Mới")
    row.refresh_from_db()
    late(lite, "11111")
    freezing.adjust(Frozen.objects.select_related("unit").get(), DECEMBER)
    shown = freezing.shown(row)
    assert shown
    assert shown.content["unit"]["name"] == "xã Mẫu"


def test_letters_are_frozen_with_the_months_that_they_belong_to(lite: Server):
    letters.enter(lite.unit, date(2026, 11, 1), {"thanks": 3, "apology": 1})
    letters.enter(lite.unit, date(2026, 12, 1), {"thanks": 9})
    row = frozen(lite)
    shown = freezing.shown(row)
    assert shown
    assert shown.content["letters"] == {"thanks": 3, "apology": 1}
    letters.enter(lite.unit, date(2026, 11, 1), {"thanks": 4})
    after = freezing.differences(row, DECEMBER)
    assert after
    assert content.changes(shown.content, after) == [(("letters", "thanks"), 3, 4)]
    half = freezing.freeze(Place(lite.unit), periods.parse("2026-11-01..2026-11-15"), "", "", DECEMBER)
    found = freezing.shown(half)
    assert found
    assert found.content["letters"] == {}


@pytest.mark.parametrize(
    ("as_of", "belongs"),
    [
        ("2026-10-31T16:59:59.999Z", False),
        ("2026-10-31T17:00:00.000Z", True),
        ("2026-11-30T16:59:59.999Z", True),
        ("2026-12-05T16:59:59.999Z", True),
        ("2026-12-05T17:00:00.000Z", False),
        ("2027-01-25T02:00:00.000Z", False),
    ],
)
def test_dossier_figures_are_a_periods_own_when_they_are_of_its_days_or_of_the_five_after_it(
    lite: Server, as_of: str, belongs: bool
):
    november(lite)
    dossiers(lite, as_of, early=7)
    row = freezing.freeze(Place(lite.unit), NOVEMBER, "", "", datetime(2027, 1, 26, 12, tzinfo=LOCAL))
    shown = freezing.shown(row)
    assert shown
    assert (shown.content["dossiers"] or {}).get("early") == (7 if belongs else None)
    text = page(f"/cong-khai/chot/{row.key}")
    assert ("HỒ SƠ ĐÃ GIẢI QUYẾT" in text, "Lĩnh vực" in text) == (belongs, True)


def test_the_newest_dossier_figures_that_belong_to_a_period_are_its_own_whatever_another_kiosk_told_since(
    server: Server,
):
    dossiers(server, "2026-11-30T09:00:00.000Z", early=7)
    other = server.enrol("k-2222", "another-token")
    newer = {"as_of": "2027-01-25T02:00:00.000Z", "early": 9}
    Fact.objects.create(site=server.site, device=other, kind="dossiers", key="", value=newer, at=DECEMBER)
    found = content.content_of(Place(server.unit), NOVEMBER, DECEMBER)["dossiers"]
    assert found and found["early"] == 7


def test_dossier_figures_that_are_told_later_leave_those_of_a_frozen_period_as_they_were(lite: Server):
    november(lite)
    dossiers(lite, "2026-12-01T02:00:00.000Z", early=7)
    row = frozen(lite)
    for as_of in ("2026-12-04T02:00:00.000Z", "2027-01-25T02:00:00.000Z"):
        dossiers(lite, as_of, early=9)
        assert freezing.adjust(row, DECEMBER) is None
        late(lite, "11111")
        assert freezing.adjust(row, DECEMBER)
        shown = freezing.shown(row)
        assert shown and shown.content["dossiers"]["early"] == 7


def post(browser: Client, **fields: Any) -> Any:
    return browser.post("/publication/frozen", {"sure": "1"} | fields)


def test_a_leader_freezes_a_period_and_that_is_noted(lite: Server):
    november(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    assert "tháng 11/2026" in said(leader.get("/publication/frozen"))
    answer = post(leader, period="2026-11", title="Giao ban <b>tháng 11</b>")
    row = Frozen.objects.get()
    assert answer["Location"] == f"/publication/frozen/{row.pk}"
    text = leader.get(answer["Location"]).content.decode()
    assert "Giao ban &lt;b&gt;tháng 11" in text
    assert f"http://testserver/cong-khai/chot/{row.key}/0" in text
    assert Audit.objects.get().what == "figures.frozen"
    assert row.revisions.get().by == "Người dùng lanh-dao"


def test_who_freezes_a_period_again_is_told_when_it_was_frozen_and_nothing_is_noted(lite: Server):
    november(lite)
    row = frozen(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    answer = post(leader, period="2026-11")
    assert answer["Location"] == f"/publication/frozen/{row.pk}"
    assert "Kỳ này đã chốt ngày 02/12/2026" in said(leader.get(answer["Location"]))
    assert not Audit.objects.exists()


def test_before_the_first_day_can_be_frozen_the_page_says_from_when_on_in_place_of_the_form(lite: Server):
    leader = lite.signed_in("lanh-dao", "leader")

    def shown() -> tuple[bool, str]:
        answer = leader.get("/publication/frozen")
        return 'name="sure"' in answer.content.decode(), said(answer)

    has_form, text = shown()
    assert not has_form
    assert "Chưa có số liệu nào để chốt" in text
    begun = datetime(2026, 12, 1, 12, tzinfo=LOCAL)
    kit.keep(lite.site, begun.date(), [kit.ticket(lite.device, begun.date())])
    has_form, text = shown()
    assert not has_form
    assert "Chốt được sớm nhất từ 12:00 ngày 03/12/2026" in text
    assert "01/12/2026" not in text
    assert "30/11/2026" not in text
    clock.follow(lambda: begun + timedelta(days=2))
    has_form, text = shown()
    assert has_form
    assert "sớm nhất" not in text


def test_the_code_on_the_page_opens_the_same_figures(lite: Server):
    november(lite)
    row = frozen(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    late(lite, "11111")
    assert "lượt đánh giá 12 17" in said(leader.get(f"/publication/frozen/{row.pk}"))
    assert leader.post(f"/publication/frozen/{row.pk}/adjust", {"reason": "máy gửi muộn"}).status_code == 302
    text = said(leader.get(f"/publication/frozen/{row.pk}?n=0"))
    assert "máy gửi muộn" in text
    assert "(9/12 lượt đánh giá)" in text
    leader.post(f"/publication/frozen/{row.pk}/adjust")
    assert "Không có khác biệt" in said(leader.get(f"/publication/frozen/{row.pk}"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"period": "2026-12"}, "Chốt được từ 12:00 ngày 02/01/2027"),
        ({"period": "2026-10"}, "số liệu bắt đầu từ ngày 02/11/2026"),
        ({"period": "nonsense"}, "Không có kỳ này"),
        ({}, "Không có kỳ này"),
        ({"from": "2026-11-30", "to": "2026-11-01"}, "Ngày cuối đứng trước ngày đầu"),
        ({"from": "2022-11-01", "to": "2026-11-01"}, "Kỳ tự chọn dài nhất ba năm"),
        ({"from": "2026-11-30"}, "Không có kỳ này"),
        ({"period": "2026-11", "from": "2026-11-02", "to": "2026-11-06"}, "Vừa chọn kỳ vừa chọn ngày"),
        ({"period": "2026-11", "sure": ""}, "Chưa chốt gì: đánh dấu"),
    ],
)
def test_a_period_that_cannot_be_frozen_is_said(lite: Server, fields: dict[str, str], problem: str):
    november(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    post(leader, **fields)
    assert problem in said(leader.get("/publication/frozen"))
    assert not Frozen.objects.exists()


@pytest.mark.parametrize("period", ["2026-11", "2026-12"])
def test_a_form_that_comes_where_there_are_no_figures_is_told_so_and_no_day_of_theirs(lite: Server, period: str):
    leader = lite.signed_in("lanh-dao", "leader")
    answer = leader.post("/publication/frozen", {"sure": "1", "period": period}, follow=True)
    assert said(answer).count("Chưa có số liệu nào để chốt") == 2
    assert "bắt đầu từ ngày" not in said(answer)
    assert not Frozen.objects.exists()


def test_days_of_ones_own_are_frozen_and_only_periods_with_figures_are_offered(lite: Server):
    november(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    text = said(leader.get("/publication/frozen"))
    assert "Số liệu bắt đầu có từ ngày" in text
    assert "tháng 11/2026" in text
    assert "tháng 10/2026" not in text
    post(leader, **{"period": "", "from": "2026-11-02", "to": "2026-11-06"})
    assert Frozen.objects.get().period == "2026-11-02..2026-11-06"


@pytest.mark.parametrize("role", ["clerk", "technician", "viewer", "operator"])
def test_nobody_but_leaders_and_administrators_freezes(lite: Server, role: str):
    row = frozen(lite)
    browser = lite.signed_in("ai-do", role)
    for path in ("frozen", f"frozen/{row.pk}", "public", "letters", "bulletin"):
        assert browser.get(f"/publication/{path}").status_code == 403, path
    assert post(browser, period="2026-11").status_code == 403
    assert browser.post(f"/publication/frozen/{row.pk}/adjust").status_code == 403
    assert browser.post("/publication/public", {"site": lite.site.pk, "on": "on"}).status_code == 403
    assert Frozen.objects.count() == 1


def test_another_communes_frozen_periods_and_sites_are_not_there(lite: Server):
    unit = Unit.objects.create(code="54321", name="xã Khác")
    site = Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác")
    row = freezing.freeze(Place(unit), NOVEMBER, "", "", DECEMBER)
    leader = lite.signed_in("lanh-dao", "leader")
    assert "xã Khác" not in said(leader.get("/publication/frozen"))
    assert leader.get(f"/publication/frozen/{row.pk}").status_code == 404
    assert leader.post(f"/publication/frozen/{row.pk}/adjust").status_code == 404
    assert post(leader, period="2026-11", site=site.pk).status_code == 404
    assert leader.get(f"/explain?site={site.pk}").status_code == 404
    assert leader.get("/explain?unit=54321").status_code == 404
    assert leader.get(f"/publication/bulletin?site={site.pk}").status_code == 404
    assert leader.post("/publication/public", {"site": site.pk, "on": "on"}).status_code == 404


def test_those_who_see_figures_see_how_they_come_about(lite: Server):
    november(lite)
    viewer = lite.signed_in("tinh", "viewer")
    assert "9 ÷ 12" in said(viewer.get("/explain?unit=12345&period=2026-11"))
    leader = lite.signed_in("lanh-dao", "leader")
    assert "tháng 11/2026" in said(leader.get(f"/explain?site={lite.site.pk}"))
    row = frozen(lite)
    assert f"/cong-khai/chot/{row.key}/0" in said(leader.get("/explain?period=2026-11"))
    assert viewer.get("/explain").status_code == 404
    assert lite.signed_in("cong-chuc", "clerk").get("/explain").status_code == 403


def test_a_page_of_a_period_that_cannot_be_read_says_so_and_shows_no_other(lite: Server):
    november(lite)
    leader = lite.signed_in("lanh-dao", "leader")
    for path, (asked, problem) in product(("/explain", "/publication/bulletin"), UNREADABLE.items()):
        answer = leader.get(path, {"period": asked})
        assert answer.status_code == 400, (path, asked)
        assert problem in said(answer), (path, asked)


def test_where_services_are_missing_no_page_tells_an_answer_rate(lite: Server):
    kit.days(lite.device, "33333")
    kit.keep(lite.site, kit.FIRST, [], [kit.rating(lite.device, kit.FIRST)])
    leader = lite.signed_in("lanh-dao", "leader")
    assert "Không tính được tỷ lệ tham gia đánh giá" in said(leader.get("/explain?period=2026-11"))
    row = frozen(lite)
    for text in (page(f"/cong-khai/chot/{row.key}/0"), said(leader.get(f"/publication/frozen/{row.pk}"))):
        assert "6/6" in text
        assert not re.search(r"\b6/0\b", text), "its address may end so"
        assert "Tỷ lệ tham gia đánh giá" not in text
