"""Webhooks: who signed them can be checked, and they go nowhere but to the internet and named networks."""

import hashlib
import hmac
import ipaddress
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from server import config as configuration
from server.watch import alarms, telling, webhook
from server.watch.models import Alarm, Notice, Target
from tests.server.kit import NOW, Server
from tests.server.test_kiosks import says
from tests.server.watch_kit import tell
from tests.sync_net import Script, http
from tests.test_sync_tls import certificate, server_context

assert certificate

DOCS = Path(__file__).parents[2] / "docs" / "server.md"


class Receiver(Script):
    """Answers over TLS."""

    def __init__(self, chain: Path, *answers: bytes) -> None:
        super().__init__(*answers)
        self._context = server_context(chain)

    def serve(self, conn: socket.socket) -> None:
        with self._context.wrap_socket(conn, server_side=True) as secure:
            super().serve(secure)


@contextmanager
def allowing(chain: Path | None, *networks: str) -> Iterator[None]:
    alarms = replace(settings.CONFIG.alarms, networks=networks, ca_file=str(chain or ""))
    with override_settings(CONFIG=replace(settings.CONFIG, alarms=alarms)):
        yield


LOOPBACK = ("127.0.0.0/8", "::1/128")


def problem_of(server: Server, url: str) -> str:
    """What is wrong with a notice that goes to this address; "" when it went out."""
    Notice.objects.all().delete()
    Alarm.objects.all().delete()
    Target.objects.all().delete()
    Target.objects.create(unit=server.unit, url=url)
    says(server.device, disk_free_mb=10)
    alarms.look(NOW)
    telling.tell_next(NOW)
    return str(Notice.objects.get().problem)


def test_a_message_says_what_is_wrong_and_its_signature_can_be_checked(server: Server, certificate: Path):
    with Receiver(certificate, http(204, b"")) as receiver, allowing(certificate, *LOOPBACK):
        assert problem_of(server, f"https://localhost:{receiver.port}/nhan?x=1") == ""
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /nhan?x=1 HTTP/1.1"
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    stamp = headers["x-kiosk-timestamp"]
    secret = webhook.secret_of(Target.objects.get())
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-kiosk-signature"] == f"sha256={expected}"
    assert abs(int(stamp) - NOW.timestamp()) < 1
    said = json.loads(body)
    assert (said["event"], said["kind"], said["kiosk"]["id"], said["unit"]["code"]) == (
        "begun", "disk", "k-7F3K2M", "12345",
    )  # fmt: skip
    assert said["text"] == {"vi": "Sắp đầy: còn trống 10 MB", "en": "Nearly full: 10 MB free"}


def test_another_round_is_another_secret_and_no_secret_is_in_the_database(lite: Server):
    target = Target.objects.create(unit=lite.unit, url="https://tin.example/")
    secret = webhook.secret_of(target)
    assert secret in lite.signed_in("quan-tri", "admin").get("/alarms/target").content.decode()
    lite.signed_in("quan-tri-2", "admin").post("/alarms/target/secret")
    target.refresh_from_db()
    assert webhook.secret_of(target) != secret
    assert secret not in str(Target.objects.values().get())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "fe80::1", "fd00:ec2::254", "100.100.100.200", "224.0.0.1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "255.255.255.255", "192.0.2.1", "64:ff9b::a00:1", "2002:7f00:1::", "::127.0.0.1",
    ],
)  # fmt: skip
def test_no_address_of_our_own_machine_its_neighbours_or_a_clouds_metadata_is_asked(lite: Server, address: str):
    with pytest.raises(webhook.Refused, match="not on the internet"):
        webhook.check(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert "not on the internet" in problem_of(lite, f"https://{host}/")


def test_the_internet_and_networks_that_the_operator_named_are_asked(lite: Server):
    webhook.check(ipaddress.ip_address("1.1.1.1"))
    webhook.check(ipaddress.ip_address("2606:4700:4700::1111"))
    with allowing(None, "10.20.0.0/16"):
        webhook.check(ipaddress.ip_address("10.20.1.2"))
        with pytest.raises(webhook.Refused):
            webhook.check(ipaddress.ip_address("10.21.1.2"))


def test_a_name_that_leads_to_our_own_machine_is_refused_before_anything_is_sent(lite: Server, certificate: Path):
    with Receiver(certificate, http(204, b"")) as receiver, allowing(certificate):
        assert "not on the internet" in problem_of(lite, f"https://localhost:{receiver.port}/")
    assert receiver.requests == []


def test_a_name_is_looked_up_once_and_what_was_checked_is_what_is_asked(
    lite: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    look_up = socket.getaddrinfo

    def counted(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return look_up(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    with Receiver(certificate, http(204, b"")) as receiver, allowing(certificate, *LOOPBACK):
        assert problem_of(lite, f"https://localhost:{receiver.port}/") == ""
    assert asked.count("localhost") == 1


def test_redirects_are_not_followed(lite: Server, certificate: Path):
    with Receiver(certificate, http(307, b"", "Location: https://127.0.0.1:1/")) as receiver:
        with allowing(certificate, *LOOPBACK):
            assert problem_of(lite, f"https://localhost:{receiver.port}/") == "redirect: 307"
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("answer", [http(500), http(404), b"nonsense\r\n\r\n"])
def test_an_answer_that_is_no_yes_is_tried_again(lite: Server, certificate: Path, answer: bytes):
    with Receiver(certificate, answer) as receiver, allowing(certificate, *LOOPBACK):
        assert problem_of(lite, f"https://localhost:{receiver.port}/")
        notice = Notice.objects.get()
        assert notice.due == NOW + telling.FIRST


def test_a_certificate_that_nobody_vouches_for_gets_nothing(lite: Server, certificate: Path):
    with Receiver(certificate, http(204, b"")) as receiver, allowing(None, *LOOPBACK):
        assert "certificate" in problem_of(lite, f"https://localhost:{receiver.port}/").lower()
    assert receiver.requests == []


def test_the_certificate_must_be_that_of_the_name(lite: Server, certificate: Path):
    with Receiver(certificate, http(204, b"")) as receiver, allowing(certificate, *LOOPBACK):
        assert "127.0.0.1" in problem_of(lite, f"https://127.0.0.1:{receiver.port}/")
    assert receiver.requests == []


def drips(conn: socket.socket) -> None:
    while True:
        conn.sendall(b"x")
        threading.Event().wait(0.02)


def says_nothing(conn: socket.socket) -> None:
    while conn.recv(65536):
        continue


@pytest.mark.parametrize("behaves", [drips, says_nothing])
def test_an_answer_that_never_comes_to_its_end_is_cut_off(
    lite: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch, behaves: Callable[[socket.socket], None]
):
    class Slow(Receiver):
        def serve(self, conn: socket.socket) -> None:
            with self._context.wrap_socket(conn, server_side=True) as secure:
                behaves(secure)

    monkeypatch.setattr(webhook, "BOUNDS", replace(webhook.BOUNDS, deadline_s=0.5))
    started = time.monotonic()
    with Slow(certificate, b"") as receiver, allowing(certificate, *LOOPBACK):
        assert problem_of(lite, f"https://localhost:{receiver.port}/")
    assert time.monotonic() - started < 8


def test_a_handshake_that_drips_is_cut_off(lite: Server, monkeypatch: pytest.MonkeyPatch):
    class Dripping(Script):
        def serve(self, conn: socket.socket) -> None:
            conn.recv(65536)
            conn.sendall(b"\x16\x03\x03\x40\x00")
            while not self.ended.is_set():
                conn.sendall(b"\x02")
                self.ended.wait(0.02)

    monkeypatch.setattr(webhook, "BOUNDS", replace(webhook.BOUNDS, deadline_s=0.5))
    with Dripping(b"") as server, allowing(None, *LOOPBACK):
        assert problem_of(lite, f"https://localhost:{server.port}/")


def test_an_end_is_told_only_to_whom_the_beginning_was(lite: Server, certificate: Path):
    with Receiver(certificate, http(204, b"")) as receiver, allowing(certificate, *LOOPBACK):
        says(lite.device, disk_free_mb=10)
        alarms.look(NOW)
        Target.objects.create(unit=lite.unit, url=f"https://localhost:{receiver.port}/")
        says(lite.device)
        alarms.look(NOW + telling.FIRST)
        tell(NOW + telling.FIRST)
    assert receiver.requests == []


def test_networks_that_cannot_be_are_named_at_the_start(tmp_path: Path):
    (tmp_path / "server.toml").write_text('[alarms]\nnetworks = ["10.0.0.1/8"]\n')
    with pytest.raises(ValueError, match="a network"):
        configuration.load(tmp_path / "server.toml")


@pytest.mark.parametrize("host", ["a..b", ".example.vn", f"{'x' * 70}.vn"])
def test_a_name_that_no_network_has_is_a_mistake_of_that_commune_and_stops_nobody_else(lite: Server, host: str):
    with pytest.raises(webhook.Refused):
        webhook.parts(f"https://{host}/")
    assert problem_of(lite, f"https://{host}/")


def test_the_address_that_the_system_prefers_is_asked(monkeypatch: pytest.MonkeyPatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("8.8.8.8", "1.1.1.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert webhook._resolved("may-chu.example", 443) == "8.8.8.8"


def test_every_kind_that_is_sent_is_documented_and_no_other():
    (named,) = re.findall(r"; `kind` is ([^.]+)\.", DOCS.read_text())
    assert tuple(re.findall("`([a-z]+)`", named)) == alarms.KINDS
