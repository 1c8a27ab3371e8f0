"""One bounded exchange over HTTP: a question and its whole answer, or `Silent`.

It knows requests and what a network can do to it; it refuses to follow redirects, to use proxies, cookies or a .netrc,
to read more than `MAX_ANSWER` bytes, and to wait longer than its deadline however slowly the bytes come.
"""

import ipaddress
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import urlsplit
from weakref import WeakSet

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sync import wire

MAX_ANSWER = 256 * 1024  # bytes of an answer that are read, unless the asker says otherwise


class AddressError(ValueError):
    """A server address or token that cannot be used; the message says what to change."""


class InsecureServer(AddressError):
    """Plain HTTP to another machine, without the setting that allows it."""


class Silent(Exception):
    """No whole answer came."""


class Untrusted(Silent):
    """Nothing was asked: the certificate is not one that this machine believes now for this address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `raw` has one byte more than was to be read when the answer is too long."""

    http: int
    raw: bytes
    headers: Mapping[str, str]
    most: int = MAX_ANSWER

    def parsed(self) -> dict[str, Any]:
        """The JSON object in it. Raises wire.WireError for anything that only looks like one."""
        return wire.parse_object(self.plain())

    def plain(self) -> bytes:
        """The body. Raises wire.WireError when it is too long, or packed."""
        if len(self.raw) > self.most:
            raise wire.WireError(f"more than {self.most} bytes")
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise wire.WireError("it is packed, though that was not asked for")
        return self.raw

    def message(self) -> str:
        """What the server says about a rejection, short enough to show."""
        with suppress(wire.WireError):
            return str(wire.parse_object(self.raw).get("message", ""))[:200]
        return f"HTTP {self.http}"

    def code(self) -> str:
        """The short word of a refusal, "" for none."""
        with suppress(wire.WireError):
            return str(wire.parse_object(self.raw).get("code", ""))[:40]
        return ""

    def odd(self) -> str:
        """What to say of an answer that nobody expected."""
        if 300 <= self.http < 400:
            target = self.headers.get("Location", "?")[:200]
            return f"HTTP {self.http} to {target}: is the address right, is a sign-in page between?"
        return f"HTTP {self.http}: not the answer of a commune server"

    def retry_after(self, now: datetime) -> float | None:
        """Seconds, from either form of the header; the date is held against the server's own Date."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            until = parsedate_to_datetime(text)
            since = parsedate_to_datetime(self.headers["Date"]) if "Date" in self.headers else now
            return max(0.0, (until - since).total_seconds())
        except (TypeError, ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long to wait, in seconds: for a connection, for the next byte, and for the whole exchange."""

    connect_s: float = 10.0
    read_s: float = 20.0
    deadline_s: float = 60.0


BOUNDS = Bounds()


class Line(ABC):
    """Exchanges with one server, one after the other. What a connection is made of is said by a subclass."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        packed: bool = False,
        headers: Mapping[str, str] | None = None,
        most: int = MAX_ANSWER,
    ) -> Answer:
        """At most so many bytes of an answer. Raises Silent."""
        own = {"Content-Type": content_type} | ({"Content-Encoding": "gzip"} if packed else {})
        return self._ask("POST", url, {**own, **(headers or {})}, body, most)

    def put(self, url: str, body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Raises Silent."""
        return self._ask("PUT", url, {"Content-Type": content_type, **(headers or {})}, body)

    def get(self, url: str, headers: Mapping[str, str] | None = None, most: int = MAX_ANSWER) -> Answer:
        """At most so many bytes of an answer. Raises Silent."""
        return self._ask("GET", url, headers or {}, None, most)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int = MAX_ANSWER
    ) -> Answer:
        try:
            with self._cut_off() as was_cut, self._open(method, url, headers, body) as response:
                raw = response.read(most + 1, decode_content=False)
                whole = len(raw) > most or not response.length_remaining
                if was_cut.is_set() or not whole:
                    raise Silent("the answer did not come to its end")
                return Answer(response.status, raw, response.headers, most)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            root = _root(error)
            kind = Untrusted if isinstance(root, ssl.SSLCertVerificationError) else Silent
            raise kind(short(root)) from error

    @abstractmethod
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> AbstractContextManager[urllib3.HTTPResponse]:
        """The answer with its body still to come; the connection is given back or closed at the end."""

    @contextmanager
    def _cut_off(self) -> Iterator[threading.Event]:
        """The time-outs of a connection start again with each byte; this one does not."""
        was_cut = threading.Event()
        timer = threading.Timer(self.bounds.deadline_s, self._cut, (was_cut,))
        timer.daemon = True
        timer.start()
        try:
            yield was_cut
        finally:
            timer.cancel()
            timer.join()

    def abort(self) -> None:
        """Cut what is under way; any thread may call it, and whoever asked hears Silent."""
        self._cut(threading.Event())

    def _cut(self, was_cut: threading.Event) -> None:
        was_cut.set()
        for connection in list(self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Exchange(Line):
    """To a server by its name, with the authorities that the system knows, or the one in `ca_file`.

    `token` "" sends none. Raises AddressError for a token that cannot be one.
    """

    def __init__(self, token: str = "", ca_file: str | None = None, bounds: Bounds = BOUNDS) -> None:
        super().__init__(bounds)
        self.session = _session(check_token(token), ca_file, self._sockets)

    def close(self) -> None:
        self.session.close()

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Iterator[urllib3.HTTPResponse]:
        timeouts = (self.bounds.connect_s, self.bounds.read_s)
        asked = self.session.request(
            method, url, data=body, headers=headers, timeout=timeouts, allow_redirects=False, stream=True
        )
        with closing(asked) as response:
            yield response.raw


class _Pooled(Line):
    """By a connection pool of urllib3; addresses (`url`) of questions are paths."""

    _pool: HTTPConnectionPool
    _headers: dict[str, str]

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Iterator[urllib3.HTTPResponse]:
        response = self._pool.request(
            method,
            url,
            body=body,
            headers={**self._headers, **headers},
            timeout=urllib3.Timeout(self.bounds.connect_s, self.bounds.read_s),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            yield cast(urllib3.HTTPResponse, response)
        finally:
            # A body that was not read to its end leaves the connection unusable.
            if response.length_remaining:
                response.close()
            response.release_conn()


class Pinned(_Pooled):
    """To one address in figures, whose certificate must be signed by one authority (PEM) and no other.

    Names are not compared: that authority signs for one kiosk only. Without an authority anything is believed, which is
    for a first look and nothing else. `token` "" sends none.
    """

    def __init__(self, address: str, port: int, authority: str, token: str = "", bounds: Bounds = BOUNDS) -> None:
        super().__init__(bounds)
        if authority:
            check: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", "ca_cert_data": authority, "assert_hostname": False}
        else:
            check = {"cert_reqs": "CERT_NONE", "assert_hostname": False}
        pool = _watched_pools(self._sockets)["https"]
        self._pool = pool(address, port, maxsize=1, retries=False, **check)
        self._headers = {"Accept-Encoding": "identity"}
        if check_token(token):
            self._headers["Authorization"] = f"Bearer {token}"


class Named(_Pooled):
    """To one address in figures that `host` was found to lead to; the certificate must be that name's.

    It is signed by an authority that the system knows, or by the one in `ca_file`.
    """

    def __init__(self, address: str, host: str, port: int, ca_file: str = "", bounds: Bounds = BOUNDS) -> None:
        super().__init__(bounds)
        check: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", "ca_certs": ca_file or None}
        pool = _watched_pools(self._sockets)["https"]
        self._pool = pool(address, port, maxsize=1, retries=False, server_hostname=host, assert_hostname=host, **check)
        name = f"[{host}]" if ":" in host else host
        self._headers = {"Accept-Encoding": "identity", "Host": name if port == 443 else f"{name}:{port}"}


def check_token(token: str) -> str:
    """The token itself if it can be one. Raises AddressError."""
    if token and (not token.isascii() or not token.isprintable() or " " in token):
        raise AddressError("the token is empty or has characters that no token has: enrol again")
    return token


def check_url(server_url: str, allow_plain_http: bool = False) -> bool:
    """Whether the address is plain HTTP to another machine. Raises AddressError, or InsecureServer unless allowed."""
    try:
        url = urlsplit(server_url)
        host, _ = url.hostname, url.port
    except ValueError as error:
        raise AddressError(f"server address {server_url!r}: {error}") from error
    if url.scheme not in ("http", "https") or not host or url.username is not None or url.query or url.fragment:
        raise AddressError(f"server address {server_url!r}: write it as https://name or https://name/path")
    plain = url.scheme == "http" and not _is_loopback(host)
    if plain and not allow_plain_http:
        raise InsecureServer(f"{server_url}: plain HTTP would show the token to the network; write https:// instead")
    return plain


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def short(error: BaseException) -> str:
    """An error in 200 letters."""
    return f"{type(error).__name__}: {error}"[:200]


def _root(error: BaseException) -> BaseException:
    """What the operating system or TLS said: the libraries wrap it four times."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None follow: requests would read the whole body of a redirect, however large, even if told not to follow."""


def _session(token: str, ca_file: str | None, sockets: "WeakSet[socket.socket]") -> requests.Session:
    session = _Session()
    # A .netrc would replace our token, a proxy of the environment would see it.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
    if token:
        session.headers["Authorization"] = f"Bearer {token}"
    if ca_file:
        session.verify = ca_file
    adapter = HTTPAdapter()
    adapter.poolmanager.pool_classes_by_scheme = _watched_pools(sockets)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _watched_pools(sockets: "WeakSet[socket.socket]") -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's own pools, whose connections also give us their sockets, so that a deadline can cut them."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Secure(HTTPSConnection):
        # TLS takes the socket away before it has shaken hands: until then a second handle of it can be cut.
        handle: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            self.handle = sock.dup()
            sockets.add(self.handle)
            return sock

        def connect(self) -> None:
            try:
                super().connect()
            finally:
                if self.handle:
                    self.handle.close()
            sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

        def _validate_conn(self, conn: HTTPConnection) -> None:  # type: ignore[override]
            """Without a warning for a line that is to believe anything: whoever made it says so."""
            if conn.is_closed:
                conn.connect()

    return {"http": PlainPool, "https": SecurePool}
