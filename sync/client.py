"""The push: one step that sends what waits, takes over whatever the server answers, and says when to try again.

It knows the answer table of docs/feed.md. It refuses to know SQL (the Outbox has it), sockets (`exchange` has them),
and to sleep (the caller does). No transaction is open while it waits for the network.
"""

import logging
import random
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from sync import beside, wire
from sync.beside import Message, Texts
from sync.exchange import AddressError, Answer, Bounds, Exchange, Silent, check_url, short
from sync.outbox import Code, NeedsNewEpoch, Outbox, Overtaken, Reading

logger = logging.getLogger(__name__)

HEARTBEAT_S = 300.0  # an empty batch at least this often
BACKLOG_S = 60.0  # a try at least this often while the server answers and events wait
LONGEST_S = 900.0  # the widest range of a jittered wait
SLOW_S = 900.0  # after an answer that only a person can change
REFUSED_S = 3600.0  # after a token was refused
_MORE = 10  # events by which a halved batch grows again with each success

State = Literal["ok", "resend", "offline", "fault", "busy", "refused", "rejected", "storage"]


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


@dataclass(frozen=True, slots=True)
class Sent:
    """How many words of comments the server has now; whether it waits for the event of one, or what was wrong."""

    count: int
    later: bool = False
    problem: str = ""


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
        if not token:
            raise AddressError("the token is empty: enrol again")
        self._device = wire.check_device(device)
        self._api = f"{server_url.rstrip('/')}/api/v1"
        self._exchange = Exchange(token, ca_file, Bounds(connect_s, read_s, deadline_s))
        self._rng = rng or random.Random()
        self._failures, self._limit = 0, wire.MAX_EVENTS
        self._state: State | None = None

    def close(self) -> None:
        self._exchange.close()

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
            outcome = Outcome("storage", f"our own disk: {short(error)}")
        return self._finish(outcome)

    def get(self, path: str, most: int, etag: str = "") -> Answer:
        """Fetch something of the server's interface, as "office"; 304 if it is what `etag` names. Raises Silent."""
        return self._exchange.get(f"{self._api}/{path}", {"If-None-Match": etag} if etag else None, most)

    def send_texts(self, texts: Texts) -> Sent:
        """Send the words of comments that wait. Raises what `texts` raises; all else becomes a Sent.

        One whose event is not there yet holds the cursor, and not the others.
        """
        after, waiting = texts.waiting()
        count, later = 0, False
        while waiting:
            message = Message(self._device, after, waiting)
            try:
                upto = self._send(message)
            except (Silent, wire.WireError) as error:
                return Sent(count, later, str(error))
            if not later:
                texts.settle(upto)
                count += sum(text.n <= upto for text in waiting)
            later = later or upto < message.last
            after, waiting = texts.waiting(message.last)
        return Sent(count, later)

    def _send(self, message: Message) -> int:
        answer = self._exchange.post(f"{self._api}/comments", beside.encode(message), wire.CONTENT_TYPE)
        body = answer.parsed()
        if body.get("refused"):
            logger.error("the server says that words do not fit their comments: %s", str(body["refused"])[:200])
        return beside.settled(answer.http, body, message)

    def _step(self, outbox: Outbox, now: datetime, status: Mapping[str, Any]) -> Outcome:
        reading: Reading | None = None
        name = ""
        try:
            name = outbox.feed()[0].epoch
            reading = outbox.read(limit=self._limit)
            answer = self._post(self._body(reading, status))
            return self._take(outbox, reading, answer, now)
        except NeedsNewEpoch as error:
            outbox.renew(reading.epoch if reading else name, str(error), error.beyond)
            return Outcome("resend", str(error), backlog=outbox.backlog())
        except _Unsound as error:
            return Outcome("fault", str(error), error.http, backlog=_waiting(reading))
        except Silent as error:
            return Outcome("offline", str(error), backlog=_waiting(reading))

    def _body(self, reading: Reading, status: Mapping[str, Any]) -> bytes:
        own: dict[str, Any] = {"backlog": _waiting(reading)}
        if self.plain_http:
            own["plain_http"] = True
        return wire.encode_batch(reading.batch(self._device, {**status, **own}))

    def _post(self, body: bytes) -> Answer:
        return self._exchange.post(f"{self._api}/feed", body, wire.CONTENT_TYPE, packed=True)

    def _take(self, outbox: Outbox, reading: Reading, answer: Answer, now: datetime) -> Outcome:
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

    def _accepted(self, outbox: Outbox, reading: Reading, answer: Answer, now: datetime) -> Outcome:
        body = _parsed(answer)
        if body.epoch != reading.epoch:
            raise _Unsound(200, "the server answers about another epoch")
        outcome = replace(body.outcome, sent=len(reading.lines), http=200)
        moved = outbox.settle(reading.epoch, "ok", body.head, outcome.server_now, _noted(outcome, now))
        self._limit = min(wire.MAX_EVENTS, self._limit + _MORE)
        if body.newest > reading.epoch:
            raise Overtaken(body.newest)
        return replace(outcome, moved=moved or not reading.lines, backlog=outbox.backlog())

    def _moved_back(self, outbox: Outbox, reading: Reading, answer: Answer) -> Outcome:
        body = _parsed(answer)
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
            self._exchange.close()  # networks forget a silent connection without telling: begin with a new one
        return replace(outcome, delay_s=delay, eager=outcome.state == "ok", plain_http=self.plain_http)


class _Unsound(Exception):
    """An answer that is none of the table."""

    def __init__(self, http: int, message: str) -> None:
        super().__init__(message)
        self.http = http


@dataclass(frozen=True, slots=True)
class _Body:
    """The checked parts of a 200 or 409. `newest`: a later epoch that the server has of us, "" for none."""

    code: str
    epoch: str
    head: wire.Position
    outcome: Outcome
    newest: str = ""


def _parsed(answer: Answer) -> _Body:
    """The answer's parts; _Unsound for anything that only looks like one (a sign-in page of a Wi-Fi, say)."""
    try:
        return _body_of(answer)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Unsound(answer.http, f"the server's answer makes no sense: {short(error)}") from error


def _body_of(answer: Answer) -> _Body:
    raw = answer.parsed()
    code = "ok" if answer.http == 200 else raw.get("code")
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
    newest = wire.likely_epoch(raw.get("newest"))
    return _Body(code, str(raw.get("epoch", "")), wire.parse_position(raw.get("head")), outcome, newest)


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
