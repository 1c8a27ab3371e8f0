"""A kiosk gets its token by a one-time code, and nobody else gets one."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from kiosk.office import sample
from server.accounts.models import Audit
from server.feed.intake import device_of, take
from server.office.models import Document
from server.registry import api, enrolment, trouble
from server.registry.enrolment import EnrolError, bring_office, enrol, make_code, open_codes, register, revoke
from server.registry.models import Device, EnrolCode, Mode, Site, Unit
from server.words import texts
from sync import wire
from tests.server.kit import NOW, TOKEN, Server, batch_of, dump
from tests.server.test_room import line

OFFICE = replace(sample(), unit=replace(sample().unit, code="12345"))
LINE = line(1)


@pytest.fixture(autouse=True)
def _nobody_guessed_before() -> Iterator[None]:
    api.guesses = api.Guesses()
    yield
    api.guesses = api.Guesses()


def ask(server: Server, code: str, device: str = "k-NEW001", **more: Any) -> Any:
    body = {"code": code, "device": device, "app": "0.4.0", "office": None, **more}
    return server.client.post("/api/v1/enrol", json.dumps(body), content_type="application/json")


def refusal(code: str, name: str = "k-NEW001", **more: Any) -> str:
    with pytest.raises(EnrolError) as caught:
        enrol(code, name, NOW, **more)
    return caught.value.refusal


# --- codes ----------------------------------------------------------------------------------------------------


def test_a_code_lets_one_new_kiosk_in_once(server: Server):
    code = make_code(server.site, NOW, label="Sảnh tầng 1")
    done = enrol(code, "k-NEW001", NOW)
    assert (done.device.site, done.device.label, done.device.mode) == (server.site, "Sảnh tầng 1", Mode.PUSH)
    assert device_of(done.token) == done.device
    assert refusal(code, "k-NEW002") == "code"
    assert Device.objects.count() == 2


def test_a_code_may_be_typed_in_small_letters_with_or_without_its_hyphen(lite: Server):
    code = make_code(lite.site, NOW)
    assert len(code) == 9 and set(code) - {"-"} <= set(enrolment.ALPHABET)
    assert enrol(code.lower().replace("-", " "), "k-NEW001", NOW).token


def test_neither_code_nor_token_can_be_read_out_of_the_database(lite: Server):
    code = make_code(lite.site, NOW)
    token = enrol(code, "k-NEW001", NOW).token
    held = dump()
    assert token not in held
    assert code not in held and code.replace("-", "") not in held


def test_a_code_is_over_after_an_hour(lite: Server):
    code = make_code(lite.site, NOW - timedelta(hours=1))
    assert refusal(code) == "code"


def test_five_wrong_guesses_end_every_code_that_is_open(server: Server):
    codes = [make_code(server.site, NOW), make_code(server.site, NOW, device=server.device)]
    for _ in range(5):
        assert refusal("2222-2222") == "code"
    assert not open_codes(NOW).exists()
    assert [refusal(code) for code in codes] == ["code", "code"]


def test_four_wrong_guesses_do_not(lite: Server):
    code = make_code(lite.site, NOW)
    for _ in range(4):
        refusal("2222-2222")
    assert enrol(code, "k-NEW001", NOW).token


def test_of_many_kiosks_that_bring_the_same_code_at_once_one_gets_in(server: Server):
    code = make_code(server.site, NOW)

    def try_it(n: int) -> int:
        try:
            return bool(enrol(code, f"k-NEW{n:03}", NOW))
        except EnrolError:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(try_it, range(6))) == 1
    assert Device.objects.count() == 2


def test_codes_of_yesterday_are_thrown_away(lite: Server):
    make_code(lite.site, NOW - timedelta(days=1))
    make_code(lite.site, NOW)
    assert EnrolCode.objects.count() == 1


# --- new tokens -----------------------------------------------------------------------------------------------


def test_the_old_token_is_good_until_the_new_one_is_used(server: Server):
    new = enrol(make_code(server.site, NOW, device=server.device), "k-7F3K2M", NOW).token
    assert device_of(TOKEN) == server.device
    assert device_of(new) == server.device
    assert device_of(TOKEN) is None
    assert device_of(new) == server.device


def test_a_second_new_token_takes_the_place_of_a_first_one_that_got_lost(lite: Server):
    lost, new = (enrol(make_code(lite.site, NOW, device=lite.device), "k-7F3K2M", NOW).token for _ in range(2))
    assert device_of(lost) is None
    assert device_of(TOKEN) == lite.device
    assert device_of(new) == lite.device


def test_a_new_code_for_a_kiosk_ends_the_one_before(lite: Server):
    first = make_code(lite.site, NOW, device=lite.device)
    second = make_code(lite.site, NOW, device=lite.device)
    assert refusal(first, "k-7F3K2M") == "code"
    assert enrol(second, "k-7F3K2M", NOW).device == lite.device


def test_a_revoked_kiosk_is_shut_out_until_it_brings_a_new_code(lite: Server):
    waiting = make_code(lite.site, NOW, device=lite.device)
    revoke(lite.device)
    assert device_of(TOKEN) is None
    assert refusal(waiting, "k-7F3K2M") == "code"
    token = enrol(make_code(lite.site, NOW, device=lite.device), "k-7F3K2M", NOW).token
    assert device_of(TOKEN) is None
    assert device_of(token) == lite.device


def test_a_code_for_one_kiosk_is_no_good_for_another_unless_it_takes_its_place(lite: Server):
    code = make_code(lite.site, NOW, device=lite.device)
    assert refusal(code) == "other_device"
    done = enrol(code, "k-NEW001", NOW, replace=True)
    assert done.device.name == "k-7F3K2M"


def test_a_new_kiosk_cannot_take_the_name_of_another_one(lite: Server):
    code = make_code(lite.site, NOW)
    assert refusal(code, "k-7F3K2M") == "taken"
    assert device_of(TOKEN) == lite.device
    assert enrol(code, "k-NEW001", NOW).token


def test_a_code_is_made_only_for_a_kiosk_of_its_own_site(lite: Server):
    elsewhere = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Khác")
    with pytest.raises(ValueError, match="does not stand"):
        make_code(elsewhere, NOW, device=lite.device)


def test_a_kiosk_without_a_network_is_registered_by_its_name_once(lite: Server):
    assert register(lite.site, "k-STICK1", Mode.FILE, NOW, "Kho").mode == "file"
    with pytest.raises(EnrolError):
        register(lite.site, "k-STICK1", Mode.FILE, NOW)
    with pytest.raises(wire.WireError):
        register(lite.site, "../x", Mode.FILE, NOW)
    assert device_of("") is None


# --- over HTTP ------------------------------------------------------------------------------------------------


def test_a_kiosk_learns_its_token_and_where_it_stands(lite: Server):
    answer = ask(lite, make_code(lite.site, timezone.now()))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["device"], body["unit"], body["site"]) == ("k-NEW001", "xã Mẫu", "Trụ sở xã Mẫu")
    assert (body["epoch"], body["office"]) == ("", "none")
    first = batch_of([], [], "k-NEW001", "0000000112345678")
    assert lite.push(first, body["token"]).status_code == 200
    assert Audit.objects.get().what == "device.enrolled"


def test_a_kiosk_that_comes_again_learns_which_epoch_the_server_has_of_it(lite: Server):
    lite.push(batch_of([], [], "k-7F3K2M", "0000000712345678"))
    answer = ask(lite, make_code(lite.site, timezone.now(), device=lite.device), "k-NEW001", replace=True)
    assert (answer.json()["device"], answer.json()["epoch"]) == ("k-7F3K2M", "0000000712345678")


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("bad_request", "[1, 2]"),
        ("bad_request", "{"),
        ("bad_request", "[" * 100_000),
        ("bad_request", '{"code": 7, "device": "k-1"}'),
        ("bad_request", '{"code": "ABCD-EFGH"}'),
        ("bad_request", '{"code": "ABCD-EFGH", "device": "../../x"}'),
        ("bad_request", '{"code": "ABCD-EFGH", "device": "k-1", "office": {}}'),
        ("code", '{"code": "ABCD-EFGH", "device": "k-1", "office": null}'),
        ("code", '{"code": "", "device": "k-1"}'),
        ("code", '{"code": "\\u0000\\ud800", "device": "k-1"}'),
    ],
)
def test_what_cannot_be_an_enrolment_gets_a_clear_answer_in_json(lite: Server, code: str, body: str):
    answer = lite.client.post("/api/v1/enrol", body, content_type="application/json")
    assert answer.status_code == (403 if code == "code" else 400)
    assert answer.json()["code"] == code
    assert answer.json()["message"]


def test_whoever_guesses_on_and_on_is_told_to_wait_and_no_address_is_kept(lite: Server):
    answers = [ask(lite, f"2222-{n:04}") for n in range(2000, 2012)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "60"
    assert "127.0.0.1" not in dump()


def test_right_codes_are_not_counted_as_guesses(lite: Server):
    for n in range(12):
        assert ask(lite, make_code(lite.site, timezone.now()), f"k-NEW{n:03}").status_code == 200


def test_a_huge_body_is_refused_before_it_is_read(lite: Server):
    answer = lite.client.post("/api/v1/enrol", b" " * (2 * wire.MAX_BODY + 1), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


# --- the office document that comes along ---------------------------------------------------------------------


def test_the_office_document_of_the_first_kiosk_becomes_the_first_version(server: Server):
    site = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    office = OFFICE.to_json().decode()
    body = ask(server, make_code(site, timezone.now()), office=office).json()
    document = Document.objects.get(site=site)
    assert (body["office"], document.version, document.by) == ("taken", 1, "k-NEW001")
    assert bytes(document.content) == OFFICE.to_json()
    assert document.sha256 == OFFICE.sha256
    assert ask(server, make_code(site, timezone.now()), "k-NEW002", office=office).json()["office"] == "kept"
    assert Document.objects.filter(site=site).count() == 1


def test_the_sample_office_of_a_fresh_kiosk_becomes_no_version_of_the_commune(server: Server):
    site = Site.objects.create(unit=server.unit, key="phu", name="Điểm phụ")
    body = ask(server, make_code(site, timezone.now()), office=sample().to_json().decode()).json()
    assert body["token"]
    assert body["office"] == "broken", "a word that kiosks of before know"
    assert "sample office" in body["office_problem"]
    assert not Document.objects.filter(site=site).exists()


def test_a_broken_office_document_is_said_and_stops_no_enrolment(lite: Server):
    for broken in ("{", "{}", "x" * 100, "[" * 50_000, '{"unit": "\\ud800"}'):
        body = ask(lite, make_code(lite.site, timezone.now()), f"k-{len(broken):06}", office=broken).json()
        assert body["office"] == "broken"
        assert body["office_problem"]
        assert body["token"]


def test_a_failure_after_the_exchange_leaves_the_code_as_it_was(server: Server, monkeypatch: pytest.MonkeyPatch):
    code = make_code(server.site, timezone.now())

    def failing(*_: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(enrolment, "bring_office", failing)
        broken.setattr(api, "bring_office", failing, raising=False)
        with pytest.raises(OSError, match="full"):
            ask(server, code)
    assert Device.objects.count() == 1
    assert ask(server, code).status_code == 200
    assert Audit.objects.get(what="device.enrolled").unit == server.unit


def test_a_kiosk_without_a_document_brings_none(lite: Server):
    assert bring_office(lite.site, None, "k-NEW001", NOW).what == "none"


def test_a_new_token_leaves_what_the_kiosk_says_at_the_same_time(server: Server, monkeypatch: pytest.MonkeyPatch):
    code = make_code(server.site, NOW, device=server.device)

    def meanwhile(length: int) -> str:
        Device.objects.filter(pk=server.device.pk).update(epoch="00000002aaaaaaaa", head=7, rebuild=True, seen=NOW)
        return "x" * length

    monkeypatch.setattr(enrolment.secrets, "token_urlsafe", meanwhile)
    enrol(code, "k-7F3K2M", NOW)
    device = Device.objects.get()
    assert (device.epoch, device.head, device.rebuild, device.seen) == ("00000002aaaaaaaa", 7, True, NOW)
    assert device_of("x" * 32) == device


# --- names that another commune has ---------------------------------------------------------------------------


def elsewhere() -> Site:
    unit = Unit.objects.create(code="2", name="xã Khác")
    return Site.objects.create(unit=unit, key="chinh", name="Khác")


def test_a_name_that_another_commune_only_entered_is_nobodys_yet(server: Server):
    stranger = register(elsewhere(), "k-NEW001", Mode.FILE, NOW)
    make_code(stranger.site, NOW, device=stranger)
    assert ask(server, make_code(server.site, timezone.now())).json()["device"] == "k-NEW001"
    assert Device.objects.get(name="k-NEW001").site == server.site
    assert not EnrolCode.objects.filter(device__site=stranger.site).exists()
    told = Audit.objects.get(what="kiosk.given_way")
    assert (told.unit, told.about) == (stranger.site.unit, "k-NEW001")


def test_a_name_that_another_commune_only_entered_may_be_entered_and_stays_with_whoever_hears_of_it(server: Server):
    register(elsewhere(), "k-STICK1", Mode.FILE, NOW)
    mine = register(server.site, "k-STICK1", Mode.FILE, NOW)
    take(mine, batch_of([], [LINE], "k-STICK1", "00000001aaaaaaaa"), NOW)
    with pytest.raises(EnrolError):
        register(Site.objects.exclude(pk=server.site.pk).get(), "k-STICK1", Mode.FILE, NOW)
    assert Device.objects.get(name="k-STICK1").site == server.site


def test_a_new_kiosk_whose_name_a_kiosk_of_another_commune_has_gets_another_one(server: Server):
    there = elsewhere()
    code = make_code(there, timezone.now())
    assert ask(server, code, "k-7F3K2M").json()["code"] == "taken"  # its name stands in its kiosk.toml
    said = ask(server, code, "k-7F3K2M", rename=True).json()
    assert said["device"] != "k-7F3K2M" and wire.check_device(said["device"])
    assert device_of(said["token"]) == Device.objects.get(name=said["device"], site=there)
    own = make_code(server.site, timezone.now())
    assert ask(server, own, "k-7F3K2M", rename=True).json()["code"] == "taken"


# --- two kiosks with one token --------------------------------------------------------------------------------


def test_a_second_kiosk_with_the_same_token_is_refused_and_shown(lite: Server):
    answer = lite.push(batch_of([], [], "k-OTHER1", "0000000112345678"))
    assert (answer.status_code, answer.json()["code"]) == (403, "device")
    lite.device.refresh_from_db()
    for language in ("vi", "en"):
        assert "k-OTHER1" in trouble.in_words(lite.device.trouble, texts(language))


def test_two_cards_of_one_name_and_token_are_shown_and_neither_is_told_to_overtake_the_other(server: Server):
    first, copy = "00000002aaaaaaaa", "00000001bbbbbbbb"
    assert server.push(batch_of([], [], "k-7F3K2M", first)).status_code == 200
    answer = server.push(batch_of([], [LINE], "k-7F3K2M", copy))
    assert (answer.status_code, answer.json()["head"][0], "newest" in answer.json()) == (200, 1, False)
    assert server.push(batch_of([], [], "k-7F3K2M", first)).status_code == 200
    device = Device.objects.get()
    assert (device.epoch, device.trouble) == (first, {"key": "two_cards"})
    assert all("{" not in trouble.in_words(device.trouble, texts(language)) for language in ("vi", "en"))


def test_a_flashed_card_is_told_the_epoch_of_before_as_soon_as_nobody_speaks_in_it(server: Server):
    gone, flashed = "00000007aaaaaaaa", "00000001bbbbbbbb"
    server.push(batch_of([], [], "k-7F3K2M", gone))
    Device.objects.update(seen=timezone.now() - timedelta(minutes=15))
    assert server.push(batch_of([], [LINE], "k-7F3K2M", flashed, app="new")).json()["newest"] == gone
    assert Device.objects.get().trouble == {}
    beyond = server.push(batch_of([], [LINE], "k-7F3K2M", "00000008bbbbbbbb", app="new")).json()
    assert "newest" not in beyond
    assert (Device.objects.get().epoch, Device.objects.get().status) == ("00000008bbbbbbbb", {"app": "new"})


def test_the_trouble_is_over_when_it_was_not_seen_for_an_hour(lite: Server):
    trouble.tell(lite.device, NOW, "other_device", other="k-OTHER1")
    trouble.clear(lite.device, NOW + timedelta(minutes=59))
    assert lite.device.trouble
    trouble.clear(lite.device, NOW + timedelta(hours=1))
    assert Device.objects.get().trouble == {}
