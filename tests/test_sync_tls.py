"""The push over TLS: a server's own authority, a certificate that nobody vouches for, and the deadline."""

import gc
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.client import Client
from sync.receiver import Receiver
from tests.sync_kit import DEVICE, TOKEN, Device, stored_ids
from tests.sync_net import Script, http


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate for localhost in one file."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "3650",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    both = folder / "both"
    both.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return both


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


@pytest.fixture
def receiver(tmp_path: Path, certificate: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "receiver.db", TOKEN)
    listening = receiver._server.socket
    receiver._server.socket = server_context(certificate).wrap_socket(listening, server_side=True)
    with warnings.catch_warnings():
        # CPython leaves a connection open that was reset before its handshake.
        warnings.simplefilter("ignore", ResourceWarning)
        receiver.start()
        yield receiver
        receiver.stop()
        gc.collect()


def test_a_server_with_its_own_authority_is_trusted_by_its_file(
    device: Device, receiver: Receiver, certificate: Path
) -> None:
    ids = device.happen(10)
    with closing(Client(f"https://localhost:{receiver.port}", TOKEN, DEVICE, ca_file=str(certificate))) as client:
        assert client.push(device.outbox, device.now, {}).state == "ok"
        ids += device.happen(5)
        assert client.push(device.outbox, device.now, {}).state == "ok"
    assert stored_ids(receiver.storage._conn) == ids


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    device: Device, receiver: Receiver, certificate: Path, host: str, trusted: bool
) -> None:
    device.happen(1)
    ca_file = str(certificate) if trusted else None
    with closing(Client(f"https://{host}:{receiver.port}", TOKEN, DEVICE, ca_file=ca_file)) as client:
        outcome = client.push(device.outbox, device.now, {})
    assert (outcome.state, "certificate" in outcome.detail.lower()) == ("offline", True)
    assert stored_ids(receiver.storage._conn) == []


def test_an_answer_that_drips_over_tls_is_cut_off(device: Device, certificate: Path) -> None:
    never = threading.Event()

    class Dripping(Script):
        def serve(self, conn: socket.socket) -> None:
            with server_context(certificate).wrap_socket(conn, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")
                while not self.ended.is_set():
                    secure.sendall(b" ")
                    never.wait(0.02)

    device.happen(1)
    with Dripping(http(200)) as server:
        url = f"https://localhost:{server.port}"
        with closing(Client(url, TOKEN, DEVICE, ca_file=str(certificate), read_s=5, deadline_s=0.4)) as client:
            assert client.push(device.outbox, device.now, {}).state == "offline"


def test_a_handshake_that_drips_is_cut_off(device: Device) -> None:
    """Each byte starts the time-outs again, and TLS has the socket to itself meanwhile."""
    never = threading.Event()

    class Dripping(Script):
        def serve(self, conn: socket.socket) -> None:
            conn.recv(65536)
            conn.sendall(b"\x16\x03\x03\x40\x00")
            while not self.ended.is_set():
                conn.sendall(b"\x02")
                never.wait(0.02)

    with (
        Dripping(http(200)) as server,
        closing(Client(f"https://localhost:{server.port}", TOKEN, DEVICE, read_s=5, deadline_s=0.4)) as client,
    ):
        assert client.push(device.outbox, device.now, {}).state == "offline"
