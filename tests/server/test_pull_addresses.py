"""Where the server may connect when it fetches from kiosks."""

import ipaddress
import socket
from typing import Any

import pytest

from server.pull import addresses
from server.pull.addresses import AddressRefused, checked, is_own, may_connect, normal
from server.pull.pairing import PairError, look
from tests.server.kit import Server


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("192.168.1.20", "https://192.168.1.20:8443"),
        (" https://192.168.1.20:9000/ ", "https://192.168.1.20:9000"),
        ("kiosk-1.local:8443", "https://kiosk-1.local:8443"),
        ("https://[fd00::20]", "https://[fd00::20]:8443"),
    ],
)
def test_an_address_may_be_typed_short(text: str, url: str):
    assert normal(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "http://192.168.1.20", "https://a:b@192.168.1.20", "https://x/path", "https://x?q=1", "https://x:0",
     "https://x:99999", "file:///etc/passwd", "https://", "https://kí-ốt", "https://[::1", "x" * 300],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(AddressRefused):
        normal(text)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
     "169.254.169.254", "169.254.1.1", "fe80::1", "::ffff:169.254.169.254", "100.100.100.200", "fd00:ec2::254",
     "192.0.0.192", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"],
)  # fmt: skip
def test_the_server_never_connects_to_itself_its_link_or_a_clouds_own(address: str):
    assert not may_connect(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["192.168.1.20", "10.1.2.3", "172.16.0.9", "203.113.131.1", "fd00::20"])
def test_kiosks_stand_in_private_networks_and_elsewhere(address: str):
    assert may_connect(ipaddress.ip_address(address))


def test_this_machine_only_with_the_setting(lite: Server):
    with pytest.raises(PairError) as refused:
        look("127.0.0.1:8443")
    assert refused.value.key == "forbidden"
    with pytest.raises(AddressRefused):
        checked("https://localhost:8443")
    assert checked("https://localhost:8443", allow_loopback=True).port == 8443


def test_a_name_is_looked_up_once_and_all_that_it_leads_to_must_be_allowed(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    answers = [["192.168.1.20"], ["192.168.1.20", "127.0.0.1"], ["169.254.169.254"]]

    def resolve(host: str, port: int, type: int) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, type, 6, "", (address, port)) for address in answers[len(asked) - 1]]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    assert checked("https://kiosk.example:8443").address == "192.168.1.20"
    assert len(asked) == 1
    for _ in range(2):
        with pytest.raises(AddressRefused):
            checked("https://kiosk.example:8443")


def test_an_address_that_this_machine_has_itself_only_with_the_setting(monkeypatch: pytest.MonkeyPatch):
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    assert not is_own(ipaddress.ip_address("192.168.1.20"))
    monkeypatch.setattr(addresses, "is_own", lambda address: str(address) == "192.168.1.20")
    for own in ("192.168.1.20", "[::ffff:192.168.1.20]"):
        with pytest.raises(AddressRefused) as refused:
            checked(f"https://{own}:8443")
        assert refused.value.key == "forbidden"
        assert checked(f"https://{own}:8443", allow_loopback=True).port == 8443
    assert checked("https://192.168.1.21:8443").address == "192.168.1.21"
