"""The server fetches from kiosks: only where it may connect, only with what was pinned, and none slows the others."""

import json
import re
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from kiosk.store.offices import OfficeVersions
from server import clock
from server.facts.models import Comment
from server.feed.models import Event
from server.office.applied import applied
from server.office.documents import newest
from server.pull import fetching, secrets
from server.pull.fetching import Trouble, bring, fetch, line_to
from server.pull.pairing import PairError, Seen, look, pair
from server.pull.worker import Puller
from server.registry import trouble
from server.registry.enrolment import register, revoke
from server.registry.health import SILENT, silent
from server.registry.models import Device, Mode, Site, Unit
from server.words import texts
from sync import wire
from tests.server.down_kit import publish_office
from tests.server.kiosk_kit import Kiosk
from tests.server.kit import Server, batch_of, dump
from tests.server.pull_kit import (
    Tls,
    code_of,
    drip,
    fetch_all,
    held,
    kiosk,
    look_until,
    megabytes,
    near,
    paired,
    says,
    silence,
    strange_certificate,
    target,
    trouble_of,
)
from tests.server.test_room import line
from tests.sync_kit import DEVICE
from tests.sync_net import http

__all__ = ["kiosk", "near"]


# --- pairing --------------------------------------------------------------------------------------------------


def test_an_admin_pairs_a_kiosk_on_the_page(near: Server, kiosk: Kiosk):
    kiosk.happen(3)
    browser = near.signed_in("quan-tri", "admin")
    with kiosk.console() as console:
        address = f"127.0.0.1:{console.ports[0]}"
        look_until(address)
        fields = {"site": str(near.site.pk), "label": "Sảnh", "address": address}
        page = browser.post("/kiosks/pull", fields).content.decode()
        assert console_fingerprint(kiosk) in page
        shown = re.search(r'name="fingerprint" value="([^"]+)"', page)
        assert shown
        fields |= {"fingerprint": shown[1], "code": code_of(kiosk)}
        wrong = browser.post("/kiosks/pull", {**fields, "code": "0000 0000"})
        assert (wrong.status_code, "Mã sai" in wrong.content.decode()) == (422, True)
        changed = browser.post("/kiosks/pull", {**fields, "fingerprint": "ZZ" + shown[1][2:]})
        assert "vừa đổi" in changed.content.decode()
        fields["code"] = code_of(kiosk)
        done = browser.post("/kiosks/pull", fields)
        device = Device.objects.get(name=DEVICE)
        assert done.headers["Location"] == f"/kiosks/{device.pk}"
        fetch_all(device)
    assert (device.mode, device.label) == (Mode.PULL, "Sảnh")
    assert held() == set(kiosk.ids())


def console_fingerprint(kiosk: Kiosk) -> str:
    return secrets.fingerprint(kiosk.authority())


@pytest.mark.parametrize("role", ["viewer", "leader", "technician", "clerk"])
def test_others_may_not_set_an_address_to_fetch_from(lite: Server, role: str):
    browser = lite.signed_in("ai-do", role)
    assert browser.get("/kiosks/pull").status_code == 403
    assert 'href="/kiosks/pull"' not in browser.get("/kiosks").content.decode()


def test_the_list_leads_an_admin_to_the_page_for_addresses(lite: Server):
    assert 'href="/kiosks/pull"' in lite.signed_in("quan-tri", "admin").get("/kiosks").content.decode()


def test_a_kiosk_of_another_site_is_not_taken_away_from_it(near: Server, kiosk: Kiosk):
    other = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Khác")
    with kiosk.console() as console:
        seen = look_until(f"127.0.0.1:{console.ports[0]}")
        with pytest.raises(PairError) as refused:
            pair(other, seen, code_of(kiosk), clock.now())
    assert refused.value.key == "elsewhere"
    near.device.refresh_from_db()
    assert near.device.mode == Mode.PUSH


def test_a_kiosk_that_another_commune_only_entered_may_be_paired(near: Server, kiosk: Kiosk):
    other = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Khác")
    Device.objects.all().delete()
    register(other, DEVICE, Mode.FILE, clock.now())
    with paired(near, kiosk) as device:
        assert (device.site, Device.objects.get().site) == (near.site, near.site)


def test_pairing_again_leaves_what_came_of_the_kiosk_at_the_same_time(
    near: Server, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
):
    with paired(near, kiosk) as device:
        sealed = secrets.seal

        def meanwhile(text: str) -> str:
            Device.objects.filter(pk=device.pk).update(epoch="00000002aaaaaaaa", head=7, rebuild=True)
            return sealed(text)

        monkeypatch.setattr(secrets, "seal", meanwhile)
        pair(near.site, look(device.pull_url), code_of(kiosk), clock.now())
        again = Device.objects.get(pk=device.pk)
        assert (again.epoch, again.head, again.rebuild) == ("00000002aaaaaaaa", 7, True)
        assert again.pull_token != device.pull_token


def test_the_token_lies_sealed_and_its_key_apart(near: Server, kiosk: Kiosk):
    with paired(near, kiosk) as device:
        token = json.loads(secrets.opened(device.pull_token))["token"]
        assert token not in dump()
        key = near.folder / secrets.KEY
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        key.unlink()
        assert trouble_of(device) == "pull_again"


# --- fetching -------------------------------------------------------------------------------------------------


def test_all_events_and_words_are_fetched_and_acknowledged(near: Server, kiosk: Kiosk):
    kiosk.happen(1100)
    id = kiosk.comment("Chờ lâu quá")
    with paired(near, kiosk) as device:
        fetch_all(device)
        assert held() == set(kiosk.ids())
        near.settle(clock.now())
        fetch_all(device)
        assert Comment.objects.get(id=id).text == "Chờ lâu quá"
        assert kiosk.outbox.backlog() == 0
    device.refresh_from_db()
    assert device.seen
    assert device.status["backlog"] == 0


def test_a_restored_server_fetches_what_it_lost(near: Server, kiosk: Kiosk):
    kiosk.happen(20)
    with paired(near, kiosk) as device:
        fetch_all(device)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM feed_event WHERE seq > 5")
            cursor.execute("SELECT id, line FROM feed_event ORDER BY seq")
            lines = [bytes(line) for _, line in cursor.fetchall()]
            cursor.execute("UPDATE feed_head SET seq = 5, hash = %s", [wire.chain_all(wire.ZERO, lines)])
            cursor.execute("UPDATE feed_counter SET num = 5")
        fetch_all(device)
    assert held() == set(kiosk.ids())


def test_a_kiosk_with_a_new_card_is_followed_in_its_new_epoch(near: Server, kiosk: Kiosk, tmp_path: Path):
    kiosk.happen(5)
    with paired(near, kiosk) as device:
        fetch_all(device)
    new = Kiosk(tmp_path / "new card")
    new.happen(2)
    with paired(near, new) as device:
        fetch_all(device)
        assert new.outbox.backlog() == 0
    assert held() == {*kiosk.ids(), *new.ids()}
    device.refresh_from_db()
    assert device.epoch == new.outbox.feed()[0].epoch
    new.close()


def test_a_kiosk_that_was_paired_and_is_never_reached_is_silent_from_then_on(near: Server, kiosk: Kiosk):
    with paired(near, kiosk):
        device = Device.objects.get(name=DEVICE)
    assert device.enrolled and not device.seen
    assert not silent(device, device.enrolled + SILENT)
    assert silent(device, device.enrolled + SILENT + timedelta(seconds=1))


def test_a_kiosk_whose_certificate_changed_hears_no_token(near: Server, kiosk: Kiosk, tmp_path: Path):
    with paired(near, kiosk) as device:
        with line_to(device, 0):
            pass
        other = strange_certificate(tmp_path / "other")
        with Tls(other, lambda secure: None) as impostor:
            device.pull_url = f"https://127.0.0.1:{impostor.port}"
            device.save()
            assert trouble_of(device) == "pull_certificate"
            assert impostor.heard == []


def test_another_kiosk_at_the_address_is_told_apart(near: Server, kiosk: Kiosk):
    with paired(near, kiosk) as device:
        Device.objects.filter(pk=device.pk).update(name="k-OTHER1")
        assert trouble_of(device) == "other_kiosk"
    assert not Event.objects.exists()


# --- targets that do harm -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("does", "key"),
    [
        (megabytes, "pull_garbage"),
        (drip, "pull_silent"),
        (silence, "pull_silent"),
        (says(http(200, b"<html>")), "pull_garbage"),
        (says(http(200, b"\n" * 1000)), "pull_garbage"),
        (says(http(200, b"[" * 100_000)), "pull_garbage"),
        (says(http(302, b"", "Location: https://192.168.1.1/")), "pull_garbage"),
        (says(http(401, b"{}")), "pull_again"),
        (says(http(503, b"{}", "Retry-After: 5")), "pull_busy"),
        (says(http(500, b"")), "pull_garbage"),
        (says(b"\x00\xff" * 500 + b"\r\n\r\n"), "pull_silent"),
        (lambda secure: secure.close(), "pull_silent"),
    ],
)
def test_a_target_that_does_harm_is_bounded_and_shown(
    near: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: Callable[[ssl.SSLSocket], None], key: str
):
    monkeypatch.setattr(fetching, "SLOW_S", 0.3)
    begun = time.monotonic()
    with target(near, tmp_path, does) as device:
        assert trouble_of(device) == key
    assert time.monotonic() - begun < 5
    assert not Event.objects.exists()


def test_a_kiosk_that_repeats_known_events_under_a_high_head_is_not_asked_again_at_once(near: Server, tmp_path: Path):
    answers: list[bytes] = []
    with target(near, tmp_path, lambda secure: secure.sendall(answers[0])) as device:
        batch = batch_of([], [line(1)], device.name, "0000000112345678", head=10**6)
        answers.append(http(200, batch.plain()))
        with line_to(device, 0) as way:
            assert fetch(device, way, clock.now(), 0)
            with pytest.raises(Trouble) as found:
                fetch(device, way, clock.now(), 0)
    assert (found.value.key, len(held())) == ("pull_garbage", 1)


def test_nothing_is_taken_of_a_kiosk_that_was_shut_out_while_it_was_asked(
    near: Server, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
):
    kiosk.happen(1100)
    asked = fetching._ask

    def meanwhile(*question: Any) -> Any:
        answer = asked(*question)
        revoke(Device.objects.get(name=DEVICE))
        return answer

    monkeypatch.setattr(fetching, "_ask", meanwhile)
    with paired(near, kiosk) as device, line_to(device, 0) as way:
        assert not fetch(device, way, clock.now(), 0)
    assert held() == set()


def test_a_large_office_document_does_not_use_the_code_up_in_vain(near: Server, tmp_path: Path):
    certificate = strange_certificate(tmp_path / "large")
    said = {"device": "k-LARGE1", "token": "t0", "app": "0.4.0", "office": {"pad": "x" * 1_500_000}}
    with Tls(certificate, says(http(200, json.dumps(said).encode()))) as kiosk:
        authority = certificate.authority.read_text()
        seen = Seen(f"https://127.0.0.1:{kiosk.port}", authority, secrets.fingerprint(authority))
        done = pair(near.site, seen, "12345678", clock.now())
    assert (done.device.name, done.brought.what) == ("k-LARGE1", "broken")


def test_nobody_there_is_shown(near: Server):
    kept = json.dumps({"token": "token", "authority": ""})
    device = Device.objects.create(
        name="k-GONE01", site=near.site, mode=Mode.PULL, pull_url="https://127.0.0.1:1", pull_token=secrets.seal(kept)
    )
    assert trouble_of(device) == "pull_silent"


def test_a_failed_try_is_news_once_and_hides_nothing_that_somebody_has_to_mend(lite: Server):
    tries = ["pull_silent", "pull_silent", "pull_busy", "pull_again", "pull_silent", "pull_silent", "pull_certificate"]
    news = [trouble.tell(lite.device, clock.now(), key) for key in tries]
    assert news == [True, False, True, True, False, False, True]
    assert Device.objects.get().trouble == {"key": "pull_certificate"}


def test_an_address_that_leads_elsewhere_now_is_not_connected_to(lite: Server):
    kept = json.dumps({"token": "token", "authority": ""})
    device = Device.objects.create(
        name="k-REBND1",
        site=lite.site,
        mode=Mode.PULL,
        pull_url="https://localhost:8443",
        pull_token=secrets.seal(kept),
    )
    assert trouble_of(device) == "pull_forbidden"


# --- the threads ----------------------------------------------------------------------------------------------


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def until_here(kiosk: Kiosk) -> None:
    """Until all that the kiosk has now is here."""
    ids = set(kiosk.ids())
    until(lambda: ids <= held())


@contextmanager
def pulling(threads: int, wait_s: float) -> Iterator[Puller]:
    puller = Puller(threads, wait_s).start()
    try:
        yield puller
    finally:
        puller.stop()


def test_what_happens_at_a_kiosk_is_here_at_once(near: Server, kiosk: Kiosk):
    with paired(near, kiosk), pulling(2, 10.0):
        until_here(kiosk)
        kiosk.happen(1)
        begun = time.monotonic()
        until_here(kiosk)
        assert time.monotonic() - begun < 8  # it does not wait for the end of a question


def test_a_target_that_never_answers_slows_no_other_one(near: Server, kiosk: Kiosk, tmp_path: Path):
    kiosk.happen(5)
    with target(near, tmp_path, silence) as bad, paired(near, kiosk), pulling(2, 0.0):
        until_here(kiosk)
        assert not bad.seen


def test_a_kiosk_that_does_not_know_us_any_more_is_shown_on_its_page(near: Server, tmp_path: Path):
    with target(near, tmp_path, says(http(401, b"{}"))) as bad, pulling(2, 0.0):
        until(lambda: Device.objects.get(pk=bad.pk).trouble)
    page = near.signed_in("ky-thuat", "technician").get(f"/kiosks/{bad.pk}").content.decode()
    assert "Kết nối lại với máy" in page


def test_the_end_of_the_worker_waits_for_no_question(near: Server, kiosk: Kiosk):
    with paired(near, kiosk):
        with pulling(1, 20.0):
            until_here(kiosk)
            begun = time.monotonic()
        assert time.monotonic() - begun < 8
        device = Device.objects.get(name=DEVICE)
    assert device.trouble == {}


# --- documents ------------------------------------------------------------------------------------------------


def test_documents_of_the_server_are_put_to_a_kiosk_that_it_fetches_from(near: Server, kiosk: Kiosk):
    with paired(near, kiosk) as device:
        publish_office(near, slogans=("Nhanh gọn",))
        with line_to(device, 0) as line:
            bring(device, line)
        fetch_all(device)
        near.settle()
        [kiosk_now] = [
            one
            for one in applied(near.site, "office", newest(near.site, "office"), texts("vi"))
            if one.device == device
        ]
        assert (kiosk_now.state, kiosk_now.version) == ("current", 2)
        with line_to(device, 0) as line:
            bring(device, line)
    there = OfficeVersions(kiosk.database).newest()
    assert there is not None and (there.by, there.version) == ("server", 2)
    assert Event.objects.filter(type="office.applied").count() == 1
