"""Phones by way of the server: what they are told, and whose they are."""

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kiosk.public.limits import Rate
from kiosk.public.pages import HEADERS
from server.facts.models import Comment, Rating, Ticket
from server.feed.models import Event
from server.making import Making
from server.office.models import Document
from server.phones import kept
from server.registry import enrolment
from server.registry.enrolment import EnrolError
from server.registry.models import Device, Site, Unit
from sync import wire
from tests.office import moment
from tests.server.kit import batch_of
from tests.server.phone_kit import SAY, Morning, both, clock, get, later, morning, post, said

__all__ = ["both", "clock", "morning"]  # fixtures


@pytest.fixture
def in_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no time passes for the limits."""
    monkeypatch.setattr("server.making.time", SimpleNamespace(monotonic=lambda: 100.0))


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
    poster = morning.store.posters.token(moment(0), "1")
    paths = [morning.take("dat-dai"), morning.served(), f"/C/{poster}"]
    morning.tell()
    for path in paths:
        answer = get(path)
        page = answer.content
        assert answer.status_code == 200, path
        names = re.findall(r'(?:href|src)="(/static/phone/[^"]+)"', page.decode())
        assert names
        assert len(page) + sum(len(b"".join(get(name).streaming_content)) for name in names) < 30_000, path


def test_a_hundred_phones_cost_one_look_at_the_line_and_one_query_each(
    morning: Morning,
):
    paths = [morning.take() for _ in range(100)]
    morning.tell()
    with CaptureQueriesContext(connection) as first:
        get(paths[0])
    with CaptureQueriesContext(connection) as all_others:
        for path in paths[1:]:
            assert get(path).status_code == 200
    assert len(first) <= 6
    assert len(all_others) == 99


def queries(paths: Sequence[str]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert {get(path).status_code for path in paths} == {200}
    return len(asked)


def test_a_posters_page_is_made_once_in_half_a_minute_however_many_open_it(morning: Morning):
    path = f"/C/{morning.store.posters.token(moment(0), '2')}"
    morning.tell()
    assert 0 < queries([path]) <= 6
    assert queries([f"{path}?x={n}" for n in range(50)]) == 0
    assert get(path)["Cache-Control"] == "public, max-age=30"
    assert "quầy 2" in said(get(path))
    assert "counter 2" in said(get(f"{path}?l=en")), "each language is a page of its own"
    morning.clock.at += 31
    assert queries([path]) > 0


def test_a_numbers_page_that_is_opened_again_and_again_is_made_once_in_a_moment(morning: Morning):
    path = morning.take()
    morning.tell()
    assert queries([path]) > 0
    assert queries([f"{path}?x={n}" for n in range(50)]) == 0


def test_a_call_shows_within_seconds_on_the_phone_of_whoever_waits(morning: Morning):
    path = morning.take()
    morning.tell()
    assert "Sắp đến lượt" in said(get(path))
    assert "Sắp đến lượt" in said(get(f"{path}?part=1"))
    morning.store.counters.open(moment(10), "1", "clerk-1")
    morning.store.counters.call_next(moment(10), "1")
    morning.push()
    morning.server.settle(morning.clock.now())
    morning.clock.at += 4
    assert "Đến lượt: mời đến quầy 1" in said(get(path))
    assert "Đến lượt: mời đến quầy 1" in said(get(f"{path}?part=1"))


# --- who guesses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [get, lambda path: post(path, SAY)])
def test_guessing_codes_is_slowed_down_and_costs_no_further_look(morning: Morning, in_one_moment: None, ask: Any):
    with CaptureQueriesContext(connection) as asked:
        answers = [ask(f"/{'TC'[n % 2]}/{n:016}") for n in range(kept.TOGETHER.burst + 60)]
    slowed = answers[kept.TOGETHER.burst :]
    assert {answer.status_code for answer in answers[: kept.TOGETHER.burst]} == {404}
    assert {(answer.status_code, answer["Retry-After"], answer["Refresh"]) for answer in slowed} == {(429, "20", "20")}
    assert len(asked) == kept.TOGETHER.burst


def test_guessers_keep_nobody_away_whose_code_opened_its_page_before(morning: Morning, in_one_moment: None):
    path, new = morning.served(), morning.served()
    morning.tell()
    get(path)
    assert [get(f"/T/{n:016}").status_code for n in range(200)][-1] == 429
    morning.clock.at += 3600
    assert get(path).status_code == 200
    assert post(path, SAY).status_code == 303
    assert get(new).status_code == 429


def test_codes_that_open_a_page_use_up_nothing_of_what_guessers_have(
    morning: Morning, in_one_moment: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept, "looking", Making(together=Rate(burst=2, every_s=1)))
    paths = [morning.take() for _ in range(4)]
    morning.tell()
    assert [get(path).status_code for path in paths] == [200] * 4
    assert [get(f"/T/{n:016}").status_code for n in range(3)] == [404, 404, 429]


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
    later()
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
