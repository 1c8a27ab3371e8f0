"""Phones by way of the server: what they are told, what they may say, and that it becomes events like all else."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kiosk.public.form import COMMENT_LETTERS, Given
from kiosk.public.limits import PER_COUNTER, PER_TICKET
from kiosk.public.pages import HEADERS
from kiosk.store import Store
from server import clock as server_clock
from server.facts import projector
from server.facts.models import Comment, Rating, RatingRollup, Ticket
from server.feed.models import Event
from server.office.models import Document
from server.phones import look, say, views
from server.registry import enrolment
from server.registry.enrolment import EnrolError
from server.registry.models import Device, Site, Unit
from sync import wire
from sync.beside import text_hash
from tests.office import moment
from tests.server.kit import Server, batch_of, batches

SAY = {"do": "rate", "level": "1", "reason": "wait", "comment": "Chờ lâu quá"}


class Morning:
    """A kiosk and a server at the same hour: `at` seconds after the office opened; `tell` pushes all that is new."""

    def __init__(self, server: Server, store: Store, clock: "Clock", device: str = "k-7F3K2M") -> None:
        self.server, self.store, self.clock = server, store, clock
        self._told = 0
        self._device = device
        Device.objects.update(name=device)

    def take(self, service: str = "ho-tich") -> str:
        """The address behind the code of a new number's slip."""
        self.clock.at += 1
        issued = self.store.issuing.issue(moment(self.clock.at), service)
        return f"/T/{issued.ticket.token}"

    def served(self) -> str:
        path = self.take()
        self.store.counters.open(moment(self.clock.at), "1", "clerk-1")
        self.store.counters.call_next(moment(self.clock.at), "1")
        self.clock.at += 60
        self.store.counters.finish(moment(self.clock.at), "1")
        return path

    def tell(self) -> None:
        whole = [line for batch in batches(self.store.database.conn) for line in batch.lines]
        epoch = self.store.database.conn.execute("SELECT epoch FROM feed").fetchone()[0]
        if whole[self._told :]:
            answer = self.server.push(batch_of(whole[: self._told], whole[self._told :], self._device, epoch))
            assert answer.status_code == 200, answer.content
        self._told = len(whole)
        self.settle()

    def settle(self) -> None:
        self.server.settle(self.clock.now())
        cache.clear()


class Clock:
    """What time it is in a test."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return moment(self.at).at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(views, "limits", views._Limits())
    server_clock.follow(made.now)
    cache.clear()
    yield made
    cache.clear()
    server_clock.follow(None)


@pytest.fixture
def morning(lite: Server, store: Store, clock: Clock) -> Morning:
    return Morning(lite, store, clock)


@pytest.fixture
def both(server: Server, store: Store, clock: Clock) -> Morning:
    """The same on each engine."""
    return Morning(server, store, clock)


def get(path: str) -> Any:
    return Client().get(path)


def post(path: str, fields: Any) -> Any:
    return Client().post(path, urlencode(fields), "application/x-www-form-urlencoded")


def said(answer: Any) -> str:
    """The page's text without marks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def ratings() -> list[tuple[str, int, bool]]:
    return [(row.source, row.level, row.counting) for row in Rating.objects.order_by("at", "id")]


# --- what is told ---------------------------------------------------------------------------------------------


def test_a_phone_follows_its_number_as_far_as_the_kiosk_has_told(morning: Morning):
    others = [morning.take() for _ in range(3)]
    path = morning.take()
    morning.tell()
    assert "Phía trước còn 3 người" in said(get(path))
    assert "Số liệu đến 07:30" in said(get(path))
    morning.store.counters.open(moment(60), "1", "clerk-1")
    for _ in others:
        morning.store.counters.call_next(moment(morning.clock.at), "1")
    assert "Phía trước còn 3 người" in said(get(path))
    morning.clock.at = 120
    morning.tell()
    page = said(get(path))
    assert "Sắp đến lượt, mời vào khu vực chờ Đang phục vụ: 1003 · Chưa có ai chờ trước Ông/Bà" in page
    assert "Số liệu đến 07:32" in page
    morning.store.counters.call_next(moment(130), "1")
    morning.tell()
    assert "Số 1004 – Hộ tịch 1004 Đến lượt: mời đến quầy 1" in said(get(path))


def test_the_server_promises_no_wait_and_offers_no_way_back_into_the_line(morning: Morning):
    for _ in range(6):
        morning.served()
    for _ in range(4):
        morning.take()
    path = morning.take()
    morning.tell()
    assert "dự kiến" not in said(get(path))
    missed = morning.take()
    row = Ticket.objects.get(token=path.removeprefix("/T/"))
    morning.tell()
    Ticket.objects.filter(token=missed.removeprefix("/T/")).update(state="no_show", counter="1")
    page = get(missed).content.decode()
    assert "Mời liên hệ quầy 1" in page
    assert "rejoin" not in page
    assert post(missed, {"do": "rejoin"}).status_code == 303
    assert Event.objects.filter(type="ticket.rejoined").count() == 0
    assert Ticket.objects.get(pk=row.pk).state == "waiting"


def test_a_kiosk_that_is_silent_is_said_to_be_so(morning: Morning):
    path = morning.take()
    morning.tell()
    morning.clock.at += 599
    assert "chưa gửi số liệu mới" not in said(get(path))
    morning.clock.at += 60
    assert "Máy lấy số chưa gửi số liệu mới từ 07:30 ngày 23/11/2026" in said(get(path))
    assert "has sent nothing new since 07:30" in said(get(path + "?l=en"))


def test_an_address_in_small_letters_leads_to_the_one_in_capitals(morning: Morning):
    path = morning.take()
    morning.tell()
    answer = get(path.lower() + "?l=en")
    assert (answer.status_code, answer["Location"]) == (308, path + "?l=en")
    assert get("/c/abc")["Location"] == "/C/ABC"
    assert get("/t//evil.example/")["Location"] == "/T//EVIL.EXAMPLE/"


@pytest.mark.parametrize("code", ["0" * 16, "X", "%00", "A/B", "..%2F..", "'OR'1'='1", "Ệ" * 40, "0" * 16 + "/LIVE"])
def test_every_code_that_opens_nothing_is_answered_alike(both: Morning, code: str):
    def page(path: str, answer: Any) -> str:
        assert (answer.status_code, answer["Refresh"]) == (404, "20")
        return re.sub(r'href="/[TC]/[^"]*"', "", answer.content.decode())

    usual = page("", get("/T/" + "Z" * 16))
    for letter in "TC":
        assert page(code, get(f"/{letter}/{code}")) == usual
        assert page(code, post(f"/{letter}/{code}", SAY)) == usual
    assert "Có thể máy lấy số chưa gửi số liệu về: trang sẽ tự tải lại" in usual
    assert "The kiosk may not have reported" in get("/T/X?l=en").content.decode()


def test_no_code_of_a_slip_is_logged(morning: Morning, caplog: pytest.LogCaptureFixture):
    path = morning.served()
    get(path)
    morning.tell()
    for _ in range(9):
        post(path, {"do": "rate"})
        post(path, SAY)
    assert path.removeprefix("/T/") not in caplog.text


def test_a_code_that_two_tickets_have_opens_neither(morning: Morning):
    path = morning.take()
    morning.take()
    morning.tell()
    Ticket.objects.update(token=path.removeprefix("/T/"))
    assert get(path).status_code == 404


def test_a_phone_gets_no_cookie_and_the_strict_headers_even_if_somebody_is_signed_in(morning: Morning):
    path = morning.served()
    morning.tell()
    leader = morning.server.signed_in("lanh-dao", "leader")
    for browser in (Client(), leader):
        for address in (path, f"{path}?l=en", f"{path}?part=1", "/T/X?l=en", "/t/x"):
            answer = browser.get(address)
            assert not answer.cookies, address
            assert "Cookie" not in answer.get("Vary", ""), address
            for name, value in HEADERS.items():
                assert answer[name] == value, address
    assert not leader.post(path, urlencode(SAY), "application/x-www-form-urlencoded").cookies


def test_the_page_and_all_that_it_names_weigh_less_than_30_kb(morning: Morning):
    paths = [morning.take("dat-dai"), morning.served()]
    morning.tell()
    for path in paths:
        page = get(path).content
        names = re.findall(r'(?:href|src)="(/static/phone/[^"]+)"', page.decode())
        assert names
        assert len(page) + sum(len(b"".join(get(name).streaming_content)) for name in names) < 30_000


def test_a_hundred_phones_cost_one_look_at_the_line_and_one_query_each(morning: Morning):
    paths = [morning.take() for _ in range(100)]
    morning.tell()
    with CaptureQueriesContext(connection) as first:
        get(paths[0])
    with CaptureQueriesContext(connection) as all_others:
        for path in paths[1:]:
            assert get(path).status_code == 200
    assert len(first) <= 6
    assert len(all_others) == 99


# --- what is said ---------------------------------------------------------------------------------------------


def test_a_rating_by_phone_is_an_event_of_the_servers_own_and_counts(both: Morning):
    path = both.served()
    both.tell()
    answer = post(path, SAY)
    assert (answer.status_code, answer["Location"]) == (303, f"{path}?done=1")
    assert "Cảm ơn Ông/Bà đã đánh giá!" in said(get(answer["Location"]))
    both.settle()
    row, ticket = Rating.objects.get(), Ticket.objects.get()
    assert (row.ticket, row.counter, row.clerk, row.service) == (ticket.pk, "1", "clerk-1", "ho-tich")
    assert (row.level, row.label_set, row.source, row.reasons, row.counting) == (1, "smile", "phone", "wait", True)
    assert (str(row.day), row.session) == ("2026-11-23", "sang")
    assert "đã được đánh giá" in said(get(path))
    kinds = [event.type for event in Event.objects.exclude(device="k-7F3K2M").order_by("num")]
    assert kinds == ["rating.given", "comment.given"]


def test_what_phones_said_can_be_made_again_from_the_events(both: Morning):
    path = both.served()
    both.tell()
    post(path, SAY)
    both.settle()
    before = (ratings(), list(RatingRollup.objects.values_list("level", "flags", "n")), Comment.objects.get().text)
    assert before[1] == [(1, "", 1)]
    for device in Device.objects.all():
        Device.objects.filter(pk=device.pk).update(rebuild=True)
        both.settle()
        now = (ratings(), list(RatingRollup.objects.values_list("level", "flags", "n")), Comment.objects.get().text)
        assert now == before


def test_a_key_goes_before_a_phone_whichever_was_heard_of_first(both: Morning):
    path = both.served()
    both.tell()
    post(path, {"level": "1"})
    both.settle()
    assert ratings() == [("phone", 1, True)]
    both.clock.at += 10
    both.store.ratings.press(moment(both.clock.at), "1", 3, "key")
    both.tell()
    assert sorted(ratings()) == [("key", 3, True), ("phone", 1, False)]
    assert sorted(RatingRollup.objects.values_list("level", "flags", "n")) == [(1, "second", 1), (3, "", 1)]
    for device in Device.objects.order_by("-pk"):
        projector.rebuild(device, both.clock.now())
        assert sorted(ratings()) == [("key", 3, True), ("phone", 1, False)]


@pytest.mark.parametrize("kiosk", ["a-kiosk", "z-kiosk"])
def test_a_key_goes_before_a_phone_also_when_both_are_folded_at_once(
    lite: Server, store: Store, clock: Clock, kiosk: str
):
    morning = Morning(lite, store, clock, kiosk)
    path = morning.served()
    morning.tell()
    post(path, {"level": "1"})
    morning.store.ratings.press(moment(morning.clock.at), "1", 3, "key")
    morning.tell()
    assert sorted(ratings()) == [("key", 3, True), ("phone", 1, False)]
    assert sorted(RatingRollup.objects.values_list("level", "flags", "n")) == [(1, "second", 1), (3, "", 1)]


def test_beside_a_rating_a_phone_adds_only_its_comment_and_only_once(morning: Morning):
    path = morning.served()
    morning.store.ratings.press(moment(morning.clock.at), "1", 3, "key")
    morning.tell()
    assert 'name="level"' not in get(path).content.decode()
    post(path, SAY)
    post(path, {**SAY, "comment": "Lần nữa"})
    morning.settle()
    assert ratings() == [("key", 3, True)]
    assert [(row.text, row.rating) for row in Comment.objects.all()] == [("Chờ lâu quá", "")]


def test_a_form_that_is_sent_twice_before_anything_was_folded_is_kept_once(both: Morning):
    path = both.served()
    both.tell()
    assert [post(path, SAY).status_code for _ in range(3)] == [303] * 3
    both.settle()
    assert ratings() == [("phone", 1, True)]
    assert Comment.objects.count() == 1


def test_forms_that_come_at_the_same_moment_are_kept_once(both: Morning):
    path = both.served()
    both.tell()
    row = look.ticket(path.removeprefix("/T/"))
    assert row

    def rate(_: int) -> bool:
        try:
            return say.of_ticket(row, Given(level=2), both.clock.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(rate, range(16))) == 1
    both.settle()
    assert ratings() == [("phone", 2, True)]
    assert Event.objects.exclude(quarantined=None).count() == 0


def test_a_ticket_can_be_rated_until_the_end_of_the_next_day(morning: Morning):
    path = morning.served()
    morning.tell()
    morning.clock.at = 86400 + 16.4 * 3600
    assert 'name="level"' in get(path).content.decode()
    morning.clock.at = 86400 + 16.6 * 3600
    assert "Phiếu đã hết hạn đánh giá" in said(get(path))
    assert post(path, SAY)["Location"] == path
    row = look.ticket(path.removeprefix("/T/"))
    assert row
    assert not say.of_ticket(row, Given(level=2, comment="Muộn"), morning.clock.now())
    morning.settle()
    assert ratings() == []
    assert not Comment.objects.exists()


def test_a_number_that_is_not_served_yet_takes_nothing(morning: Morning):
    path = morning.take()
    morning.tell()
    assert post(path, SAY)["Location"] == path
    morning.settle()
    assert not Event.objects.exclude(device="k-7F3K2M").exists()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"do": "rate"}, "Xin chọn một mức độ"),
        ({"level": "7"}, "Xin chọn một mức độ"),
        ({"level": "3", "comment": "a" * (COMMENT_LETTERS + 1)}, "Xin rút gọn"),
        ({"level": "3", "comment": "a" * 70_000}, "Xin chọn một mức độ"),
        ({f"x{n}": "1" for n in range(90)} | {"level": "3"}, "Xin chọn một mức độ"),
    ],
)
def test_a_form_that_cannot_be_kept_says_why(morning: Morning, fields: dict[str, str], problem: str):
    path = morning.served()
    morning.tell()
    answer = post(path, fields)
    assert answer.status_code == 422
    assert problem in said(answer)


def test_html_and_split_letters_in_a_comment_are_kept_as_words_alone(morning: Morning):
    path = morning.served()
    morning.tell()
    # "hộ tịch" with its marks apart; a bell, a mark that turns the text around, and a telephone number
    post(path, {"comment": "<script>alert(1)</script> ho\u0323\u0302 ti\u0323ch\a \u202e0912 345 678"})
    kept = Comment.objects.get()
    assert kept.text == "<script>alert(1)</script> hộ tịch •••"
    assert kept.sha256 == text_hash(kept.salt, kept.text)
    again = post(path, {"level": "", "comment": "<b>" * 400})
    assert b"<b><b>" not in again.content


def test_many_forms_are_turned_away_with_all_that_was_written(morning: Morning):
    path, other = morning.served(), morning.served()
    morning.tell()
    answers = [post(path, {"comment": f"lần {n}"}) for n in range(50)]
    assert [answer.status_code for answer in answers].count(303) == PER_TICKET.burst
    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "60"
    assert "lần 49" in said(answers[-1])
    assert post(other, {"level": "3"}).status_code == 303
    assert Comment.objects.count() == 1


def test_one_offices_crowd_shuts_no_other_offices_page(morning: Morning):
    assert not all(views.limits.ticket(1, f"t{n}") for n in range(100))
    assert views.limits.ticket(2, "t")


# --- posters --------------------------------------------------------------------------------------------------


def test_a_poster_rates_who_works_there_and_belongs_to_no_ticket(both: Morning):
    token = both.store.posters.token(moment(0), "2")
    both.store.counters.open(moment(5), "2", "clerk-2")
    both.tell()
    page = get(f"/C/{token}")
    assert "Đánh giá tại quầy 2" in said(page)
    answer = post(f"/C/{token}?l=en", {"level": "3", "comment": "Tốt"})
    assert answer["Location"] == f"/C/{token}?l=en&done=1"
    both.settle()
    row = Rating.objects.get()
    assert (row.ticket, row.counter, row.clerk, row.source, row.flags) == ("", "2", "clerk-2", "poster", "unlinked")
    assert not row.counting
    assert Comment.objects.get().clerk == "clerk-2"


def test_a_poster_of_a_counter_where_nobody_signed_in_today_is_about_nobody(morning: Morning):
    token = morning.store.posters.token(moment(0), "2")
    morning.store.counters.open(moment(5), "2", "clerk-2")
    morning.tell()
    morning.clock.at = 86400
    post(f"/C/{token}", {"level": "1"})
    morning.settle()
    row = Rating.objects.get()
    assert (row.clerk, row.flags) == ("", "unlinked unassigned")


def test_an_old_poster_leads_nowhere(morning: Morning):
    old = morning.store.posters.token(moment(0), "2")
    morning.store.posters.renew(moment(1), "2")
    morning.tell()
    assert get(f"/C/{old}").status_code == 404


def test_a_posters_button_that_is_tapped_twice_is_one_rating(morning: Morning):
    token = morning.store.posters.token(moment(0), "2")
    morning.tell()
    for level in ("3", "3", "1"):
        assert post(f"/C/{token}", {"level": level})["Location"].endswith("done=1")
    morning.settle()
    assert sorted(row.level for row in Rating.objects.all()) == [1, 3]


def test_fifty_forms_a_second_on_a_poster_leave_ten(morning: Morning):
    token = morning.store.posters.token(moment(0), "2")
    morning.tell()
    codes = [post(f"/C/{token}", {"comment": f"số {n}"}).status_code for n in range(50)]
    assert codes.count(303) == PER_COUNTER.burst == Comment.objects.count()


# --- other communes -------------------------------------------------------------------------------------------


def test_another_communes_kiosk_cannot_rate_our_ticket(both: Morning):
    path = both.served()
    both.tell()
    post(path, {"level": "3"})
    both.settle()
    ticket = Ticket.objects.get()
    unit = Unit.objects.create(code="54321", name="xã Khác")
    site = Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác")
    both.server.enrol("k-OTHER1", "another-token", site)
    rating = Rating.objects.get()
    data = {"rating": "r-of-another", "ticket": ticket.pk, "counter": "1", "clerk": "clerk-1", "level": 1,
            "label_set": "smile", "source": "key", "flags": [], "day": "2026-11-23", "session": "sang",
            "guess_boot": ""}  # fmt: skip
    stamp = wire.Stamp(both.clock.now(), "ntp", "b0000009", 1)
    batch = batch_of([], [wire.event_line("rating.given", data, stamp)], "k-OTHER1", wire.new_epoch(1))
    assert both.server.push(batch, "another-token").status_code == 200
    both.settle()
    assert Rating.objects.get(pk=rating.pk).counting
    assert Rating.objects.get(pk="r-of-another").site == site


def test_another_communes_kiosk_cannot_take_our_tickets_and_comments_by_their_ids(both: Morning):
    path = both.served()
    both.tell()
    post(path, {"comment": "Của chúng tôi"})
    both.settle()
    unit = Unit.objects.create(code="54321", name="xã Khác")
    both.server.enrol("k-OTHER1", "another-token", Site.objects.create(unit=unit, key="chinh", name="Trụ sở xã Khác"))
    issued = wire.decode_event(bytes(Event.objects.filter(type="ticket.issued")[0].line)).data
    given = wire.decode_event(bytes(Event.objects.filter(type="comment.given")[0].line)).data
    stamp = wire.Stamp(both.clock.now(), "ntp", "b0000009", 1)
    lines = [wire.event_line("ticket.issued", {**issued, "token": "STOLENTOKEN00000"}, stamp)]
    lines += [wire.event_line("comment.given", {**given, "sha256": "0"}, stamp)]
    assert both.server.push(batch_of([], lines, "k-OTHER1", wire.new_epoch(1)), "another-token").status_code == 200
    both.settle()
    assert {row.site for row in (*Ticket.objects.all(), *Comment.objects.all())} == {both.server.site}
    assert get("/T/STOLENTOKEN00000").status_code == 404
    assert "Số 1001" in said(get(path))


def test_each_office_speaks_with_its_own_names(morning: Morning):
    path = morning.take()
    morning.tell()
    document = Document.objects.get()
    Document.objects.filter(pk=document.pk).update(
        content=bytes(document.content).replace("xã Mẫu".encode(), "xã <i>".encode())
    )
    cache.clear()
    page = get(path).content.decode()
    assert "xã &lt;i&gt;" in page
    assert "<i>" not in page


def test_nobody_can_speak_for_the_servers_own_feed(morning: Morning):
    path = morning.served()
    morning.tell()
    post(path, {"level": "3"})
    device = Device.objects.exclude(name="k-7F3K2M").get()
    assert (device.revoked, device.token) == (True, "")
    technician, now = morning.server.signed_in("ky-thuat", "technician"), morning.clock.now()
    assert device.name not in technician.get("/kiosks").content.decode()
    batch = batch_of([], [], device.name, device.epoch)
    assert morning.server.push(batch, "").status_code == 401
    assert morning.server.push(batch).status_code == 403
    with pytest.raises(EnrolError):
        enrolment.enrol(enrolment.make_code(morning.server.site, now), device.name, now)
