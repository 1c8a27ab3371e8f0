"""The console's doors: HTTPS with a certificate of its own, plain HTTP for what anybody may see."""

import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509

from kiosk import RELEASED
from kiosk.config import Console as ConsoleConfig
from kiosk.config import shipped
from kiosk.console import certificates, server
from kiosk.console.certificates import Certificate, ensure
from kiosk.console.server import Console
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.texts import Texts
from tests.console_kit import PIN, TECHNICIAN, HandClock
from tests.office import open_store

NAMES = ["kiosk-1", "kiosk-1.local"]
HERE = ipaddress.ip_address("192.168.1.20")
NOW = RELEASED + timedelta(days=100)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Console]]:
    running: list[tuple[Console, threading.Thread]] = []

    def start(**console: object) -> Console:
        made = ConsoleConfig(**{"address": "127.0.0.1", "port": 0, "plain_port": free_port(), **console})  # type: ignore[arg-type]
        config = replace(shipped(), data_dir=str(tmp_path), console=made)
        words = Words(sample(), Texts("vi"), "", str(tmp_path))
        one = Console(config, words, HandClock())  # type: ignore[arg-type]
        thread = threading.Thread(target=one.run, daemon=True)
        thread.start()
        running.append((one, thread))
        return one

    yield start
    for one, thread in running:
        one.stop()
        thread.join(10)
        assert not thread.is_alive()


def get(url: str, **how: object) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, allow_redirects=False, timeout=10, **how)  # type: ignore[arg-type]


def is_trusted(port: int) -> bool:
    """Whether a browser that installed nothing believes the certificate."""
    try:
        return get(f"https://127.0.0.1:{port}/healthz").ok
    except requests.exceptions.SSLError:
        return False


def let_go(plain: int) -> None:
    """The console has seen that the connections of before are over: what it sees at its own end may stay open."""
    get(f"http://127.0.0.1:{plain}/healthz")


def authority(folder: Path, plain: int) -> str:
    """Installed as a clerk installs it: downloaded from the plain port."""
    path = folder / "installed.crt"
    path.write_bytes(get(f"http://127.0.0.1:{plain}/ca.crt").content)
    return str(path)


def sign_in(folder: Path, url: str, browser: requests.Session, trusted: str) -> requests.Response:
    """The technician signs in with this browser, which has installed the authority."""
    with closing(open_store(folder)) as store:
        store.people.set_pin(HandClock().now(), TECHNICIAN, PIN, by=TECHNICIAN)
    browser.trust_env, browser.verify = False, trusted
    fields = {"person": TECHNICIAN, "counter": "", "pin": PIN}
    return browser.post(f"{url}/sign-in", data=fields, allow_redirects=False, timeout=10)


# --- the doors -----------------------------------------------------------------------------------------------


def test_a_browser_that_installed_the_authority_signs_in_by_https(tmp_path: Path, serve: Callable[..., Console]):
    secure, plain = serve().ports
    trusted = authority(tmp_path, plain)
    answer = get(f"https://127.0.0.1:{secure}/setup", verify=trusted)
    assert answer.status_code == 200
    assert "strict-transport-security" not in answer.headers


def test_both_cookies_of_a_sign_in_by_https_stay_on_https(tmp_path: Path, serve: Callable[..., Console]):
    secure, plain = serve().ports
    with requests.Session() as browser:
        answer = sign_in(tmp_path, f"https://127.0.0.1:{secure}", browser, authority(tmp_path, plain))
    let_go(plain)
    cookies = answer.raw.headers.getlist("set-cookie")
    assert [line.partition("=")[0] for line in cookies] == ["__Host-kiosk", f"__Secure-kiosk-known-{TECHNICIAN}"]
    assert all("Secure" in line.split("; ") for line in cookies)


def test_a_browser_that_installed_nothing_does_not_believe_it(serve: Callable[..., Console]):
    assert not is_trusted(serve().ports[0])


@pytest.mark.parametrize("path", ["/", "/sign-in", "/desk", "/desk?l=en"])
def test_plain_http_sends_staff_to_the_door_that_is_theirs(serve: Callable[..., Console], path: str):
    secure, plain = serve().ports
    answer = get(f"http://127.0.0.1:{plain}{path}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"https://127.0.0.1:{secure}{path}")


def test_plain_http_takes_no_pin(serve: Callable[..., Console]):
    _, plain = serve().ports
    url = f"http://127.0.0.1:{plain}/sign-in"
    answer = requests.post(url, data={"pin": "2468"}, allow_redirects=False, timeout=10)
    assert answer.status_code == 405


def test_staff_by_plain_http_is_a_setting_and_is_warned_of(
    serve: Callable[..., Console], caplog: pytest.LogCaptureFixture
):
    console = serve(plain=True)
    _, plain = console.ports
    assert get(f"http://127.0.0.1:{plain}/setup").status_code == 200
    assert "everybody on the LAN can read PINs" in caplog.text


def test_without_a_plain_port_there_is_https_alone(serve: Callable[..., Console]):
    assert len(serve(plain_port=0).ports) == 1


def test_the_page_about_the_certificate_shows_the_fingerprint_of_the_file_that_it_gives(
    tmp_path: Path, serve: Callable[..., Console]
):
    secure, plain = serve().ports
    given = Path(authority(tmp_path, plain)).read_bytes()
    shown = get(f"http://127.0.0.1:{plain}/certificate").text
    fingerprint = x509.load_pem_x509_certificate(given).fingerprint(certificates.hashes.SHA256()).hex(":").upper()
    assert fingerprint in shown
    assert f"https://127.0.0.1:{secure}/" in shown


def test_a_name_that_came_later_is_said_and_a_technician_has_a_certificate_made_that_has_it(
    tmp_path: Path, serve: Callable[..., Console], caplog: pytest.LogCaptureFixture
):
    ensure(tmp_path / "tls", ["old-name"], [], NOW)
    secure, plain = serve(hosts=("kiosk.xa-mau.example",)).ports
    url = f"https://127.0.0.1:{secure}"
    with requests.Session() as browser:
        sign_in(tmp_path, url, browser, authority(tmp_path, plain))
        page = browser.get(f"{url}/technician", timeout=10).text
        assert re.search(r"Chứng thư không có tên [^:]*kiosk\.xa-mau\.example", page)
        assert [r.levelname for r in caplog.records if "kiosk.xa-mau.example" in r.getMessage()] == ["WARNING"]
        form = {"csrf": page.partition('name="csrf" value="')[2].partition('"')[0]}
        json = {"Accept": "application/json"}
        made = browser.post(f"{url}/technician/certificate", data=form, headers=json, timeout=20)
        assert made.json()["ok"]
    assert not is_trusted(secure)
    page = get(f"{url}/technician", verify=authority(tmp_path, plain), cookies=browser.cookies).text
    let_go(plain)
    assert "kiosk.xa-mau.example, " in page
    assert "Chứng thư không có tên" not in page


def test_new_addresses_are_in_the_certificate_without_a_restart(
    tmp_path: Path, serve: Callable[..., Console], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "RENEW_LOOK_S", 0.05)
    secure, plain = serve().ports
    trusted = authority(tmp_path, plain)
    monkeypatch.setattr(server, "addresses", lambda: [HERE])
    context = ssl.create_default_context(cafile=trusted)
    for _ in range(200):
        with (
            socket.create_connection(("127.0.0.1", secure), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
        ):
            found = connection.getpeercert()
        if found and ("IP Address", str(HERE)) in found["subjectAltName"]:
            return
    raise AssertionError("the old certificate is still served")


def test_a_port_in_use_is_said_before_anything_runs(serve: Callable[..., Console]):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 cannot be used"):
            serve(port=port)


# --- the certificate -----------------------------------------------------------------------------------------


def made(folder: Path, names: list[str] = NAMES, address: object = HERE, **later: float) -> Certificate:
    return ensure(folder, names, [address], NOW + timedelta(**later))  # type: ignore[list-item]


def test_keys_are_for_the_kiosk_alone(tmp_path: Path):
    certificate = made(tmp_path / "tls")
    for key in (certificate.key, tmp_path / "tls" / "ca.key"):
        assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


def test_the_certificate_names_host_and_addresses_and_stays_while_nothing_changes(tmp_path: Path):
    first = made(tmp_path)
    assert first.names == ("kiosk-1", "kiosk-1.local", "localhost", "127.0.0.1", "::1", "192.168.1.20")
    assert made(tmp_path, days=300) == first


@pytest.mark.parametrize("later", [{"days": 370}, {"days": -50}])
def test_it_is_renewed_before_its_end_and_when_the_clock_was_wrong(tmp_path: Path, later: dict[str, float]):
    first, second = made(tmp_path), made(tmp_path, **later)
    assert second.fingerprint != first.fingerprint
    assert second.authority_fingerprint == first.authority_fingerprint


def test_another_address_is_another_leaf_of_the_same_authority(tmp_path: Path):
    first, second = made(tmp_path), made(tmp_path, address=ipaddress.ip_address("10.1.2.3"))
    assert "10.1.2.3" in second.names
    assert second.authority_fingerprint == first.authority_fingerprint


def test_what_the_authority_may_not_sign_is_left_out_and_spoils_nothing(tmp_path: Path):
    made(tmp_path)
    second = made(tmp_path, [*NAMES, "new.example"], ipaddress.ip_address("203.0.113.7"))
    assert "new.example" not in second.names
    assert "203.0.113.7" not in second.names
    assert "kiosk-1.local" in second.names


@pytest.mark.parametrize("name", ["console.crt", "console.key", "ca.crt", "ca.key"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n", None])
def test_a_damaged_or_missing_file_is_made_again(tmp_path: Path, name: str, content: bytes | None):
    made(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    again = made(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(again.chain, again.key)
    assert made(tmp_path) == again


def test_the_authority_is_worth_nothing_for_other_names(tmp_path: Path):
    authority = x509.load_pem_x509_certificate(made(tmp_path).authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    names = [str(limit.value) for limit in limits.value.permitted_subtrees or []]
    assert {"local", "kiosk-1", "192.168.0.0/16"} <= set(names)
    assert not any(name.endswith((".vn", ".com")) or name == "0.0.0.0/0" for name in names)
