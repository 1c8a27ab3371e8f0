"""The page of today: who waits, which counters are open, and what may be shown. Each role sees what it may."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kiosk.board_document import Day
from kiosk.rating import Figure
from kiosk.store import Store
from server.registry.models import Device, Site, Unit
from server.reports.opinions import Opinion, read_ratings
from server.reports.own import _showable
from server.reports.periods import Kind, around
from server.reports.today import SiteNow, sites_now
from tests.office import moment
from tests.server.down_kit import publish_days
from tests.server.figures_kit import FIRST, days, it_is, keep, noon, ticket
from tests.server.kit import Server, batches
from tests.server.test_facts import a_morning

__all__ = ["it_is"]

Clock = Callable[[datetime], None]


def told(server: Server, store: Store, now: datetime) -> SiteNow:
    """The site now, after the kiosk has told everything."""
    for batch in batches(store.database.conn):
        assert server.push(batch).status_code == 200
    Device.objects.update(seen=now)
    server.settle(now)
    return sites_now([server.site], now)[0]


def test_a_morning_is_told_as_it_stands(server: Server, store: Store):
    a_morning(store)
    shown = told(server, store, moment(600).at)
    assert (shown.waiting, shown.longest, shown.open, len(shown.desks)) == (2, 9, 2, 4)
    assert (shown.visits.issued, shown.visits.served) == (5, 1)
    assert (shown.queues[0].id, shown.queues[0].waiting) == ("ho-tich", 2)
    assert [desk.state for desk in shown.desks] == ["open", "open", "closed", "closed"]
    assert shown.working
    assert not shown.stale


def serve(store: Store, n: int, levels: Sequence[int] = ()) -> None:
    """So many quick services at counter 1, so that slips promise a wait; `levels` are the ratings given after them."""
    for at in range(n):
        store.issuing.issue(moment(at * 200), "chung-thuc", priority=False)
        if not at:
            store.counters.open(moment(5), "1", "nguyen-thi-a")
        store.counters.call_next(moment(at * 200 + 10), "1")
        store.counters.start(moment(at * 200 + 15), "1")
        store.counters.finish(moment(at * 200 + 100), "1")
        for level in levels[at : at + 1]:
            store.ratings.press(moment(at * 200 + 105), "1", level, "key")


def wait_for_somebody(store: Store) -> None:
    """Three people whom nobody calls."""
    serve(store, 5)
    for at in range(3):
        store.issuing.issue(moment(1000 + at), "chung-thuc", priority=False)


def test_a_wait_beyond_what_the_slip_promised_is_an_alarm_and_says_which_counters_help(lite: Server, store: Store):
    wait_for_somebody(store)
    soon = told(lite, store, moment(1200).at)
    assert soon.late == ()
    late = sites_now([lite.site], moment(1000 + 16 * 60).at)[0]
    assert (late.late_in("vi"), late.late_in("en")) == (["Chứng thực"], ["Certification"])
    assert late.idle == ("4",)


def test_the_longest_wait_is_red_where_its_service_is_and_not_for_a_shorter_wait_elsewhere(
    lite: Server, store: Store, it_is: Clock
):
    def red(page: str) -> list[str]:
        return re.findall(r'<div class="card late"><dt>([^<]+)</dt>', page)

    wait_for_somebody(store)
    late = moment(1000 + 16 * 60)
    told(lite, store, late.at)
    it_is(late.at)
    browser = lite.signed_in("lanh-dao", "leader")
    assert red(text(browser)) == ["Đang chờ", "Chờ lâu nhất"]
    store.issuing.issue(moment(900), "ho-tich", priority=False)
    shown = told(lite, store, late.at)
    assert [(each.id, each.longest, each.late) for each in shown.queues if each.waiting] == [
        ("ho-tich", 17, False),
        ("chung-thuc", 16, True),
    ]
    assert red(text(browser)) == ["Đang chờ"]


def test_outside_office_hours_nobody_is_kept_waiting_by_the_office(lite: Server, store: Store):
    wait_for_somebody(store)
    evening = told(lite, store, moment(11 * 3600).at)
    assert (evening.working, evening.late) == (False, ())


def test_on_a_day_off_that_stands_on_the_board_nobody_is_kept_waiting_by_the_office(lite: Server, store: Store):
    wait_for_somebody(store)
    late = moment(1000 + 16 * 60).at
    assert told(lite, store, late).late
    publish_days(lite, Day(late.date(), "off", "Bão số 5"))
    (shown,) = sites_now([lite.site], late)
    assert (shown.working, shown.late) == (False, ())


def test_on_a_working_saturday_that_stands_on_the_board_the_office_is_at_work(server: Server):
    saturday = moment(8 * 3600).at + timedelta(days=5)  # the sample office works on Saturday mornings
    assert [one.working for one in sites_now([server.site], saturday)] == [False]
    publish_days(server, Day(saturday.date(), "work"))
    assert [one.working for one in sites_now([server.site], saturday)] == [True]


def test_a_silent_kiosk_is_said_and_greyed(lite: Server, store: Store, it_is: Clock):
    a_morning(store)
    told(lite, store, moment(600).at)
    browser = lite.signed_in("lanh-dao", "leader")
    it_is(moment(600).at + timedelta(minutes=11))
    assert "không gửi dữ liệu" not in text(browser)
    it_is(moment(600).at + timedelta(minutes=13))
    page = text(browser)
    assert "k-7F3K2M không gửi dữ liệu từ 07:40 ngày 23/11/2026" in page
    assert 'class="site old"' in page


def test_a_counter_that_was_left_open_yesterday_is_not_open_today(lite: Server, store: Store):
    a_morning(store)
    shown = told(lite, store, moment(0, day=2).at)
    assert (shown.open, shown.waiting, shown.visits.issued) == (0, 0, 0)


def test_ratings_are_those_of_reports_and_never_live(lite: Server, it_is: Clock):
    month = around(Kind.MONTH, FIRST)
    days(lite.device, "3333", "331", "3")
    leader = lite.signed_in("lanh-dao", "leader")
    for later, shown in ((1, ""), (2, "6/7"), (4, "6/7")):
        now = noon(FIRST + timedelta(days=later))
        it_is(now)
        page = text(leader)
        assert (shown or "Chưa đủ lượt đánh giá") in page
        found = read_ratings([lite.site], month, now).whole(month)
        assert [f"{each.figure.k}/{each.figure.n}" for each in found.values()] == [shown] * bool(shown)


# --- pages ----------------------------------------------------------------------------------------------------


def text(browser: Client, address: str = "/") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_asks_for_what_changed_and_gets_nothing_while_nothing_did(lite: Server, store: Store, it_is: Clock):
    a_morning(store)
    told(lite, store, moment(600).at)
    it_is(moment(601).at)
    browser = lite.signed_in("lanh-dao", "leader")
    version = re.search(r'name="version" value="(\w+)"', text(browser))
    assert version
    assert browser.get(f"/live?version={version[1]}").status_code == 204
    store.issuing.issue(moment(640), "dat-dai", priority=False)
    told(lite, store, moment(660).at)
    it_is(moment(661).at)
    changed = browser.get(f"/live?version={version[1]}")
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()


def another_commune() -> Site:
    unit = Unit.objects.create(code="99999", name="xã Khác")
    return Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác")


@pytest.mark.parametrize("role", ["admin", "leader", "technician"])
def test_a_person_of_a_commune_sees_its_sites_and_no_others(lite: Server, role: str):
    other = another_commune()
    browser = lite.signed_in("nguoi", role)
    page = text(browser)
    assert "Trụ sở xã Mẫu" in page
    assert "xã Khác" not in page
    assert browser.get("/?unit=99999").status_code == 404
    assert browser.get(f"/live?site={other.pk}").status_code == 404
    assert browser.get("/?unit=nonsense").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_the_province_sees_all_communes_and_can_open_each(lite: Server, role: str):
    another_commune()
    keep(lite.site, FIRST, [ticket(lite.device, FIRST)])
    browser = lite.signed_in("tinh", role)
    page = text(browser)
    assert 'href="/?unit=12345"' in page
    assert "xã Khác" in page
    assert "Trụ sở xã Khác" in text(browser, "/?unit=99999")
    assert "Trụ sở xã Mẫu" not in text(browser, "/?unit=99999")


def test_a_place_without_a_kiosk_leads_whoever_may_to_adding_one(lite: Server):
    lite.device.delete()
    assert '" href="/kiosks/enrol"' in lite.signed_in("quan-tri", "admin").get("/").content.decode()
    assert 'href="/kiosks/enrol"' not in lite.signed_in("lanh-dao", "leader").get("/").content.decode()


def test_a_clerk_is_sent_to_own_figures_and_may_see_nothing_else(lite: Server):
    clerk = lite.signed_in("cong-chuc", "clerk", site=lite.site, clerk="nguyen-thi-a")
    assert clerk.get("/").headers["Location"] == "/mine"
    assert clerk.get("/live").status_code == 403
    assert lite.signed_in("lanh-dao", "leader").get("/mine").status_code == 403


def test_ten_sites_take_as_few_queries_as_one(lite: Server, store: Store):
    a_morning(store)
    told(lite, store, moment(600).at)
    more = [Site.objects.create(unit=lite.unit, key=f"d{n}", name=f"Điểm {n}") for n in range(9)]
    counts = []
    for sites in ([lite.site], [lite.site, *more]):
        sites_now(sites, moment(600).at)
        with CaptureQueriesContext(connection) as asked:
            sites_now(sites, moment(600).at)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 10


# --- a clerk's own --------------------------------------------------------------------------------------------


def own_page(lite: Server, it_is: Clock) -> str:
    it_is(noon(FIRST + timedelta(days=7)))
    return text(lite.signed_in("cong-chuc", "clerk", site=lite.site, clerk="nguyen-thi-a"), "/mine")


def test_a_clerk_sees_own_sums_of_at_least_five_ratings(lite: Server, it_is: Clock):
    days(lite.device, "33332")
    days(lite.device, "33333", clerk="b")
    page = own_page(lite, it_is)
    assert "(4/5)" in page
    assert "tháng 11/2026" in page


def test_a_clerk_who_was_asked_about_in_two_ways_sees_which_sum_is_of_which(lite: Server, it_is: Clock):
    days(lite.device, "33332")
    assert "Mặt cười" not in own_page(lite, it_is)
    days(lite.device, "33333", first=FIRST + timedelta(days=1), label_set="vpcp")
    page = own_page_again(lite)
    assert [words in page for words in ("Mặt cười: ", "VPCP: ", "(4/5)", "(5/5)")] == [True] * 4


@pytest.mark.parametrize(("own", "others"), [("3333", "33333"), ("33333", "333")])
def test_a_clerk_sees_nothing_while_own_or_the_others_are_fewer(lite: Server, it_is: Clock, own: str, others: str):
    days(lite.device, own)
    days(lite.device, others, clerk="b")
    assert "Chưa đủ lượt đánh giá để hiện" in own_page(lite, it_is)
    assert "(5/5)" not in own_page_again(lite)


def own_page_again(lite: Server) -> str:
    return text(lite.signed_in("cong-chuc-2", "clerk", site=lite.site, clerk="nguyen-thi-a"), "/mine")


def test_beside_the_offices_figures_nobody_elses_are_left_over():
    def alone(n: int) -> Opinion:
        return Opinion(None, Figure("smile", n, n, 20), 0)

    assert _showable({"smile": alone(8)}, {"smile": alone(11)}, 5) == {}
    assert _showable({"smile": alone(8)}, {"smile": alone(13)}, 5) == {"smile": alone(8)}
    assert _showable({"smile": alone(8)}, {"smile": alone(8)}, 5) == {"smile": alone(8)}
    assert _showable({"smile": alone(8)}, {}, 5) == {}


def test_a_clerk_never_sees_ratings_of_today(lite: Server, it_is: Clock):
    days(lite.device, "33333", first=FIRST + timedelta(days=7))
    assert "(5/5)" not in own_page(lite, it_is)


def test_an_account_without_a_clerk_is_told_whom_to_ask(lite: Server):
    assert "Nhờ quản trị viên" in text(lite.signed_in("moi", "clerk"), "/mine")
