"""The console's doors: HTTPS with a certificate of its own, plain HTTP for what anybody may see."""

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
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
from kiosk.console.certificates import ensure
from kiosk.console.server import Console
from kiosk.console.tls import Certificate, Keeper
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.texts import Texts
from tests.console_kit import PIN, TECHNICIAN, HandClock, memory_mb
from tests.office import open_store

NAMES = ["kiosk-1", "kiosk-1.local"]
HERE = ipaddress.ip_address("192.168.1.20")
NOW = RELEASED + timedelta(days=100)
CONNECTIONS = 40
MOST_MB_EACH = 0.2
"""Both ends are in this process."""


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


def console_in(folder: Path, **console: object) -> Console:
    made = ConsoleConfig(**{"address": "127.0.0.1", "port": 0, "plain_port": free_port(), **console})  # type: ignore[arg-type]
    config = replace(shipped(), data_dir=str(folder), console=made)
    words = Words(sample(), Texts("vi"), "", str(folder))
    return Console(config, words, HandClock())  # type: ignore[arg-type]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Console]]:
    running: list[tuple[Console, threading.Thread]] = []

    def start(**console: object) -> Console:
        one = console_in(tmp_path, **console)
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


def test_an_answer_by_https_does_not_wait_for_the_browsers_acknowledgement(
    tmp_path: Path, serve: Callable[..., Console]
):
    secure, plain = serve().ports
    trusted = authority(tmp_path, plain)
    with requests.Session() as session:
        session.trust_env = False
        took = []
        for _ in range(11):
            began = time.monotonic()
            session.get(f"https://127.0.0.1:{secure}/healthz", verify=trusted, timeout=10)
            took.append(time.monotonic() - began)
    assert sorted(took)[5] < 0.03


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
    until = time.monotonic() + 20
    while time.monotonic() < until:
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


# --- when it is made -----------------------------------------------------------------------------------------


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """One that has made a certificate, and from now on cannot make another."""
    keeper = Keeper(tmp_path / "tls")
    keeper.certificate(NAMES, [HERE], NOW)
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    return keeper


def test_what_another_process_made_is_what_this_one_would_have_made(tmp_path: Path):
    assert Keeper(tmp_path).certificate(NAMES, [HERE], NOW) == made(tmp_path)


def test_nothing_is_made_while_nothing_has_changed(keeper: Keeper):
    assert keeper.certificate(NAMES, [HERE], NOW + timedelta(days=300)).names[0] == "kiosk-1"


@pytest.mark.parametrize(
    ("names", "address", "later"),
    [
        (["kiosk-2"], HERE, {}),
        (NAMES, ipaddress.ip_address("10.1.2.3"), {}),
        (NAMES, HERE, {"days": 370}),
        (NAMES, HERE, {"days": -50}),
    ],
)
def test_it_is_made_anew_for_another_name_or_address_near_its_end_and_on_a_clock_set_back(
    keeper: Keeper, names: list[str], address: object, later: dict[str, float]
):
    with pytest.raises(OSError, match="the certificate cannot be made: /nonexistent/python: No such file"):
        keeper.certificate(names, [address], NOW + timedelta(**later))  # type: ignore[list-item]


def test_it_is_made_anew_when_a_file_is_gone(keeper: Keeper):
    (keeper.folder / "console.key").unlink()
    with pytest.raises(OSError, match="the certificate cannot be made"):
        keeper.certificate(NAMES, [HERE], NOW)


def test_a_console_that_can_make_no_certificate_says_why_and_ends(tmp_path: Path):
    (tmp_path / "tls").write_text("in the way")
    console = console_in(tmp_path)
    with (
        ThreadPoolExecutor(1) as thread,
        pytest.raises(OSError, match=f"the certificate cannot be made: {tmp_path}/tls: File exists"),
    ):
        thread.submit(console.run).result(60)


def test_an_open_connection_keeps_no_large_buffer(serve: Callable[..., Console]):
    secure, _ = serve(plain=True).ports
    context = ssl._create_unverified_context()
    with ExitStack() as opened:

        def connect() -> None:
            raw = opened.enter_context(socket.create_connection(("127.0.0.1", secure), timeout=10))
            opened.enter_context(context.wrap_socket(raw))

        connect()
        before = memory_mb()
        for _ in range(CONNECTIONS):
            connect()
        assert memory_mb() - before < CONNECTIONS * MOST_MB_EACH


# --- what it is worth ----------------------------------------------------------------------------------------


def test_the_authority_is_worth_nothing_for_other_names(tmp_path: Path):
    authority = x509.load_pem_x509_certificate(made(tmp_path).authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    names = [str(limit.value) for limit in limits.value.permitted_subtrees or []]
    assert {"local", "kiosk-1", "192.168.0.0/16"} <= set(names)
    assert not any(name.endswith((".vn", ".com")) or name == "0.0.0.0/0" for name in names)
