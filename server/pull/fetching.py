"""One question to one kiosk: what follows in its feed, then the words of its comments. Bounded in bytes and seconds."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings

from server.facts import texts
from server.feed.intake import WrongDevice, take
from server.feed.storage import heads
from server.office.delivery import Answered, deliver
from server.pull import secrets
from server.pull.addresses import AddressRefused, checked
from server.registry import trouble
from server.registry.models import Device
from sync import beside, wire
from sync.exchange import Answer, Bounds, Pinned, Silent
from sync.fetched import Asked
from sync.wire import START

CONNECT_S = 5.0
SLOW_S = 15.0
"""An answer may come so much later than the question lets it wait."""
MOST_MESSAGES = 20
"""Messages of words after one batch."""


class Trouble(Exception):
    """Why nothing was fetched: a key under [trouble] with its values. `lasting`: only a person can change it."""

    def __init__(self, key: str, lasting: bool = False, **values: str | int) -> None:
        super().__init__(key)
        self.key, self.lasting, self.values = key, lasting, values


@contextmanager
def line_to(device: Device, wait_s: float) -> Iterator[Pinned]:
    """A line to a paired kiosk, for questions that are held back so long. Raises Trouble."""
    bounds = Bounds(CONNECT_S, wait_s + SLOW_S, wait_s + 2 * SLOW_S)
    try:
        kept = json.loads(secrets.opened(device.pull_token))
        target = checked(device.pull_url, settings.CONFIG.pull_loopback)
        line = Pinned(target.address, target.port, kept["authority"], kept["token"], bounds)
    except AddressRefused as error:
        raise Trouble(f"pull_{error.key}", lasting=error.key == "forbidden", url=device.pull_url) from error
    except (ValueError, KeyError) as error:
        raise Trouble("pull_again", lasting=True) from error
    with closing(line):
        yield line


def fetch(device: Device, line: Pinned, now: datetime, wait_s: float) -> bool:
    """Take the next batch in, and the words when that was the last one; whether there is more. Raises Trouble.

    Nothing is taken of a kiosk that was shut out while it was asked.
    """
    known = heads(device.name)
    asked = Asked(device.epoch, known.get(device.epoch, START), wait_s=wait_s, now=now)
    answer = _ask(line, f"/api/v1/feed?{urlencode(asked.words)}", wire.MAX_BODY)
    if _shut_out(device):
        return False
    try:
        batch = wire.decode_batch(answer.plain())
        result = take(device, batch, now)
    except WrongDevice as error:
        raise Trouble("other_kiosk", lasting=True, other=batch.header.device) from error
    except wire.WireError as error:
        raise Trouble("pull_garbage") from error
    forward = result.head.seq > known.get(batch.header.epoch, START).seq
    if result.code != "ok" or (batch.lines and not forward):
        raise Trouble("pull_garbage")  # it was told where we stand, and answers from elsewhere
    more = forward and result.head.seq < batch.header.head
    device.refresh_from_db()
    trouble.clear(device, now, stays=timedelta(0))
    if not more:
        fetch_words(device, line, now)
    return more


def _shut_out(device: Device) -> bool:
    device.refresh_from_db()
    return device.revoked


def bring(device: Device, line: Pinned) -> None:
    """Put the documents there that the kiosk has not judged yet. Raises Trouble."""

    def put(path: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        answer = _whole(lambda: line.put(f"/api/v1/{path}", body, "application/octet-stream", headers))
        try:
            return Answered(answer.http, answer.parsed(), answer.headers.get("ETag", ""))
        except wire.WireError as error:
            raise Trouble("pull_garbage") from error

    deliver(device, put)


def fetch_words(device: Device, line: Pinned, now: datetime) -> None:
    """The words of comments, after their events. Raises Trouble."""
    after = ""
    for _ in range(MOST_MESSAGES):
        answer = _ask(line, f"/api/v1/comments{after}", beside.MAX_BODY)
        try:
            message = beside.decode(answer.plain())
        except wire.WireError as error:
            raise Trouble("pull_garbage") from error
        if message.device != device.name or not message.texts:
            return
        taken = texts.take(device, message, now)
        after = f"?after={taken.upto}"
        if taken.later:
            _ask(line, f"/api/v1/comments{after}", beside.MAX_BODY)
            return


def _ask(line: Pinned, path: str, most: int) -> Answer:
    answer = _whole(lambda: line.get(path, most=most))
    if answer.http == 200:
        return answer
    if answer.http in (401, 403):
        raise Trouble("pull_again", lasting=True)
    if answer.http in (429, 503):
        raise Trouble("pull_busy")
    raise Trouble("pull_garbage")


def _whole(exchange: Callable[[], Answer]) -> Answer:
    try:
        return exchange()
    except Silent as error:
        said = str(error)
        raise Trouble("pull_certificate" if "CERTIFICATE" in said.upper() else "pull_silent") from error
