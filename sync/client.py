"""The push: one step that sends what waits, takes over whatever the server answers, and says when to try again.

It knows HTTP and the answer table of docs/feed.md. It refuses to know SQL (the Outbox has it), to sleep (the caller
does), to follow redirects, and to send a token over plain HTTP. No transaction is open while it waits for the network.
"""

import ipaddress
import logging
import random
import socket
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from weakref import WeakSet

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sync import wire
from sync.outbox import Code, NeedsNewEpoch, Outbox, Reading

logger = logging.getLogger(__name__)

HEARTBEAT_S = 300.0  # an empty batch at least this often
BACKLOG_S = 60.0  # a try at least this often while the server answers and events wait
LONGEST_S = 900.0  # the widest range of a jittered wait
SLOW_S = 900.0  # after an answer that only a person can change
REFUSED_S = 3600.0  # after a token was refused
MAX_ANSWER = 256 * 1024  # bytes of an answer that are read
_MORE = 10  # events by which a halved batch grows again with each success

State = Literal["ok", "resend", "offline", "fault", "busy", "refused", "rejected", "storage"]


class ClientError(ValueError):
    """A server address or token that cannot be used; the message says what to change."""


class InsecureServer(ClientError):
    """Plain HTTP to another machine, without the setting that allows it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one push came to.

    `state`: ok; resend (older events, smaller batches or a new epoch are needed); offline (no answer); fault (an answer
    that makes no sense, 5xx, a redirect); busy (429, 503); refused (401, 403: token); rejected (400, 422, or one event
    too large: a person must look); storage (our own disk or database is in the way).
    `delay_s`: when to push again; `eager`: a new event may be pushed before that. `server_now`: the server's time, from
    an acceptance only. `office`, `board`: versions that the server offers. `quarantined`: what it could not read.
    """

    state: State
    detail: str = ""
    http: int | None = None
    delay_s: float = 0.0
    eager: bool = False
    sent: int = 0
    backlog: int = 0
    server_now: datetime | None = None
    office: int | None = None
    board: int | None = None
    quarantined: tuple[Mapping[str, Any], ...] = ()
    plain_http: bool = False
    next_s: float | None = None
    retry_after: float | None = None
    moved: bool = False


def next_delay(
    state: State,
    *,
    failures: int,
    backlog: int,
    rng: random.Random,
    next_s: float | None = None,
    retry_after: float | None = None,
) -> float:
    """Seconds until the next try; always finite, so the kiosk never gives up.

    `failures` counts the pushes since the last one that brought anything forward (0 for one that just did).
    """
    jitter = rng.uniform(0, min(LONGEST_S, 2.0 * 2 ** min(failures, 10)))
    if state == "ok" and backlog:
        return min(BACKLOG_S, jitter) if failures else 0.0
    if state == "ok":
        return min(HEARTBEAT_S, max(1.0, next_s or HEARTBEAT_S))
    if state == "refused":
        return REFUSED_S
    if state == "rejected":
        return SLOW_S
    return min(retry_after or 0.0, LONGEST_S) + jitter


def check_url(server_url: str, allow_plain_http: bool = False) -> bool:
    """Whether the address is plain HTTP to another machine. Raises ClientError, or InsecureServer unless allowed."""
    try:
        url = urlsplit(server_url)
        host, _ = url.hostname, url.port
    except ValueError as error:
        raise ClientError(f"server address {server_url!r}: {error}") from error
    if url.scheme not in ("http", "https") or not host or url.username is not None or url.query or url.fragment:
        raise ClientError(f"server address {server_url!r}: write it as https://name or https://name/path")
    plain = url.scheme == "http" and not _is_loopback(host)
    if plain and not allow_plain_http:
        raise InsecureServer(f"{server_url}: plain HTTP would show the token to the network; write https:// instead")
    return plain


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


class Client:
    """Pushes one device's feed to one server. Keep it for the process's life: it remembers failures and batch size.

    `ca_file` names the authority of a server with its own certificate. `deadline_s` bounds a whole exchange, so that a
    server that answers one byte at a time cannot hold the process.
    """

    def __init__(
        self,
        server_url: str,
        token: str,
        device: str,
        *,
        allow_plain_http: bool = False,
        ca_file: str | None = None,
        connect_s: float = 10.0,
        read_s: float = 20.0,
        deadline_s: float = 60.0,
        rng: random.Random | None = None,
    ) -> None:
        self.plain_http = check_url(server_url, allow_plain_http)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ClientError("the token is empty or has characters that no token has: enrol again")
        self._device = wire.check_device(device)
        self._api = f"{server_url.rstrip('/')}/api/v1"
        self._timeouts, self._deadline_s = (connect_s, read_s), deadline_s
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._session = _session(token, ca_file, self._sockets)
        self._rng = rng or random.Random()
        self._failures, self._limit = 0, wire.MAX_EVENTS
        self._state: State | None = None

    def close(self) -> None:
        self._session.close()

    def push(self, outbox: Outbox, now: datetime, status: Mapping[str, Any]) -> Outcome:
        """Send the next batch (an empty one is the heartbeat) and take over the answer.

        Every trouble of network, server and disk space becomes an Outcome; what is left to the caller is a corrupt
        database (sqlite3.DatabaseError) and a feed without an epoch (outbox.OutboxError).
        """
        try:
            outcome = self._step(outbox, now, status)
            if outcome.state != self._state:
                self._note(outbox, outcome, now)
        except (sqlite3.OperationalError, OSError) as error:
            outcome = Outcome("storage", f"our own disk: {_short(error)}")
        return self._finish(outcome)

    def get(self, path: str, most: int, etag: str = "") -> "Answer":
        """Fetch something of the server's interface, as "office"; 304 if it is what `etag` names.

        Raises NoAnswer when none came, or one of more than `most` bytes.
        """
        headers = {"Content-Type": None, "Content-Encoding": None, "If-None-Match": etag or None}
        answer = self._exchange("GET", path, most, headers=headers)
        if len(answer.raw) > most:
            raise NoAnswer(f"the answer has more than {most} bytes")
        return answer

    def _step(self, outbox: Outbox, now: datetime, status: Mapping[str, Any]) -> Outcome:
        reading: Reading | None = None
        name = ""
        try:
            name = outbox.feed()[0].epoch
            reading = outbox.read(limit=self._limit)
            answer = self._exchange("POST", "feed", MAX_ANSWER, data=self._body(reading, status))
            return self._take(outbox, reading, answer, now)
        except NeedsNewEpoch as error:
            outbox.renew(reading.epoch if reading else name, str(error))
            return Outcome("resend", str(error), backlog=outbox.backlog())
        except _Unsound as error:
            return Outcome("fault", str(error), error.http, backlog=_waiting(reading))
        except NoAnswer as error:
            return Outcome("offline", str(error), backlog=_waiting(reading))

    def _body(self, reading: Reading, status: Mapping[str, Any]) -> bytes:
        own: dict[str, Any] = {"backlog": _waiting(reading)}
        if self.plain_http:
            own["plain_http"] = True
        return wire.encode_batch(reading.batch(self._device, {**status, **own}))

    def _exchange(self, method: str, path: str, most: int, **how: Any) -> "Answer":
        try:
            with self._cut_off() as was_cut, closing(self._request(method, path, **how)) as response:
                raw = response.raw.read(most + 1, decode_content=False)
                whole = len(raw) > most or not response.raw.length_remaining
                if was_cut.is_set() or not whole:
                    raise NoAnswer("the answer did not come to its end")
                return Answer(response.status_code, raw, response.headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(_short(_root(error))) from error

    def _request(self, method: str, path: str, **how: Any) -> requests.Response:
        url, timeouts = f"{self._api}/{path}", self._timeouts
        return self._session.request(method, url, timeout=timeouts, allow_redirects=False, stream=True, **how)

    @contextmanager
    def _cut_off(self) -> Iterator[threading.Event]:
        """The time-outs of requests start again with each byte; this one does not."""
        was_cut = threading.Event()
        timer = threading.Timer(self._deadline_s, self._cut, (was_cut,))
        timer.daemon = True
        timer.start()
        try:
            yield was_cut
        finally:
            timer.cancel()
            timer.join()

    def _cut(self, was_cut: threading.Event) -> None:
        was_cut.set()
        for connection in list(self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _take(self, outbox: Outbox, reading: Reading, answer: "Answer", now: datetime) -> Outcome:
        """One row of the answer table."""
        waiting, http = _waiting(reading), answer.http
        if http == 200:
            return self._accepted(outbox, reading, answer, now)
        if http == 409:
            return self._moved_back(outbox, reading, answer)
        if http == 413 and len(reading.lines) > 1:
            self._limit = len(reading.lines) // 2
            return Outcome("resend", f"the server takes no batch of {len(reading.lines)} events", http, backlog=waiting)
        if http in (400, 413, 422):
            return Outcome("rejected", f"the server rejects the batch: {answer.message()}", http, backlog=waiting)
        if http in (401, 403):
            return Outcome("refused", "the server refuses the token: enrol this kiosk again", http, backlog=waiting)
        if http in (429, 503):
            delay = answer.retry_after(now)
            return Outcome("busy", "the server asks to wait", http, backlog=waiting, retry_after=delay)
        raise _Unsound(http, answer.odd())

    def _accepted(self, outbox: Outbox, reading: Reading, answer: "Answer", now: datetime) -> Outcome:
        body = answer.parsed()
        if body.epoch != reading.epoch:
            raise _Unsound(200, "the server answers about another epoch")
        outcome = replace(body.outcome, sent=len(reading.lines), http=200)
        moved = outbox.settle(reading.epoch, "ok", body.head, outcome.server_now, _noted(outcome, now))
        self._limit = min(wire.MAX_EVENTS, self._limit + _MORE)
        return replace(outcome, moved=moved or not reading.lines, backlog=outbox.backlog())

    def _moved_back(self, outbox: Outbox, reading: Reading, answer: "Answer") -> Outcome:
        body = answer.parsed()
        outbox.settle(reading.epoch, cast(Code, body.code), body.head, None)
        return Outcome("resend", "the server was restored and asks for older events", 409, backlog=outbox.backlog())

    def _note(self, outbox: Outbox, outcome: Outcome, now: datetime) -> None:
        """A change of state is logged and kept once; the tries that repeat it are not."""
        logger.info("server: %s, %d events waiting. %s", outcome.state, outcome.backlog, outcome.detail)
        self._state = outcome.state
        if outcome.state != "ok":  # an acceptance is noted with the cursor
            outbox.note(_noted(outcome, now))

    def _finish(self, outcome: Outcome) -> Outcome:
        forward = outcome.state == "ok" and outcome.moved
        self._failures = 0 if forward else self._failures + 1
        delay = next_delay(
            outcome.state,
            failures=self._failures,
            backlog=outcome.backlog,
            rng=self._rng,
            next_s=outcome.next_s,
            retry_after=outcome.retry_after,
        )
        if delay > BACKLOG_S / 4:
            self._session.close()  # networks forget a silent connection without telling: begin with a new one
        return replace(outcome, delay_s=delay, eager=outcome.state == "ok", plain_http=self.plain_http)


class NoAnswer(Exception):
    """No whole answer came."""


class _Unsound(Exception):
    """An answer that is none of the table."""

    def __init__(self, http: int, message: str) -> None:
        super().__init__(message)
        self.http = http


@dataclass(frozen=True, slots=True)
class _Body:
    """The checked parts of a 200 or 409."""

    code: str
    epoch: str
    head: wire.Position
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, as it came: the status, the body, and the headers."""

    http: int
    raw: bytes
    headers: Mapping[str, str]

    def parsed(self) -> _Body:
        """The answer's parts; _Unsound for anything that only looks like one (a sign-in page of a Wi-Fi, say)."""
        try:
            return self._parsed()
        except (TypeError, ValueError, OverflowError) as error:
            raise _Unsound(self.http, f"the server's answer makes no sense: {_short(error)}") from error

    def _parsed(self) -> _Body:
        if len(self.raw) > MAX_ANSWER:
            raise wire.WireError(f"more than {MAX_ANSWER} bytes")
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise wire.WireError("it is packed, though that was not asked for")
        raw = wire.parse_object(self.raw)
        code = "ok" if self.http == 200 else raw.get("code")
        if code not in ("ok", "gap", "fork"):
            raise wire.WireError("409 without the code gap or fork")
        outcome = Outcome(
            "ok",
            server_now=wire.parse_instant(raw["now"]) if raw.get("now") is not None else None,
            office=_count(raw, "office"),
            board=_count(raw, "board"),
            next_s=_count(raw, "next_s"),
            quarantined=_quarantined(raw.get("quarantined")),
        )
        return _Body(code, str(raw.get("epoch", "")), wire.parse_position(raw.get("head")), outcome)

    def message(self) -> str:
        """What the server says about a rejection, short enough to show."""
        with suppress(wire.WireError):
            return str(wire.parse_object(self.raw).get("message", ""))[:200]
        return f"HTTP {self.http}"

    def odd(self) -> str:
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


def _count(raw: Mapping[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise wire.WireError(f"{key} is no number")
    return value


def _quarantined(value: Any) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wire.WireError("quarantined is no list")
    return tuple(item for item in value if isinstance(item, dict))


def _noted(outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What the technician's page shows of the last answer."""
    shown = {"state": outcome.state, "at": wire.instant(now), "http": outcome.http, "detail": outcome.detail}
    return {**shown, "office": outcome.office, "board": outcome.board, "quarantined": list(outcome.quarantined[:20])}


def _waiting(reading: Reading | None) -> int:
    return reading.head - reading.after.seq if reading else 0


def _root(error: BaseException) -> BaseException:
    """What the operating system or TLS said: the libraries wrap it four times."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None follow: requests would read the whole body of a redirect, however large, even if told not to follow."""


def _session(token: str, ca_file: str | None, sockets: "WeakSet[socket.socket]") -> requests.Session:
    session = _Session()
    # A .netrc would replace our token, a proxy of the environment would see it.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "Authorization": f"Bearer {token}",
            "Content-Type": wire.CONTENT_TYPE,
            "Content-Encoding": "gzip",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
    )
    if ca_file:
        session.verify = ca_file
    adapter = HTTPAdapter()
    adapter.poolmanager.pool_classes_by_scheme = _watched_pools(sockets)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _watched_pools(sockets: "WeakSet[socket.socket]") -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's own pools, whose connections also tell us their sockets, so that a deadline can cut them."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
