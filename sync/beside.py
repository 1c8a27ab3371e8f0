"""Texts that travel beside the feed: the words of comments, whose events carry only an id and a hash.

The feed is never changed, and words are deleted after some months: so they go apart, after their event, by the same
message in a push, in an answer to a pull and in a file. It knows no database, no network and no clock.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from sync import wire

TEXTS = 1
MAX_TEXTS = 50
"""Texts of one message."""
MAX_BODY = (MAX_TEXTS + 1) * (wire.MAX_EVENT + 1)
"""Bytes of one message: each line is as long as an event's at most."""


@dataclass(frozen=True, slots=True)
class Text:
    """The words of one comment. `n` is their number on the device, which grows; `salt` went into the event's hash."""

    n: int
    id: str
    salt: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """Texts of a device after number `after`, in their order.

    `epoch` is that of the device's feed, in a file: an answer that comes back long after is told by it.
    """

    device: str
    after: int
    texts: Sequence[Text]
    epoch: str = ""

    @property
    def last(self) -> int:
        """The number of its last text."""
        return self.texts[-1].n if self.texts else self.after


class Texts(Protocol):
    """What a device has to send: the one cursor that says how far the server has them is kept behind it."""

    def waiting(self, after: int | None = None, limit: int = MAX_TEXTS) -> tuple[int, list[Text]]:
        """The texts after number `after` (default: the cursor), and that number itself."""

    def settle(self, upto: int) -> None:
        """The server has all up to this number: move the cursor there, also backwards."""


def text_hash(salt: str, text: str) -> str:
    """What a comment's event says of its words: SHA-256 of salt and text in UTF-8, as hex digits.

    The salt is deleted with the text: a short sentence could be guessed from its plain hash.
    """
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def encode(message: Message) -> bytes:
    """The message as lines of JSON: a header, then one line a text."""
    header = {"texts": TEXTS, "device": message.device, "after": message.after, "count": len(message.texts)}
    lines: list[dict[str, Any]] = [{**header, "epoch": message.epoch} if message.epoch else header]
    lines += [{"n": text.n, "id": text.id, "salt": text.salt, "text": text.text} for text in message.texts]
    return b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)


def decode(body: bytes) -> Message:
    """The one message in a body. Raises wire.BadBatch, or wire.BatchTooLarge."""
    if len(body) > MAX_BODY:
        raise wire.BatchTooLarge(f"more than {MAX_BODY} bytes")
    stream = io.BytesIO(body)
    message = next(read_messages(stream), None)
    if message is None or stream.read(1):
        raise wire.BadBatch("there is not one message in it")
    return message


def read_messages(stream: BinaryIO) -> Iterator[Message]:
    """The messages of a file, one after another; never more than one in memory. Raises wire.BadBatch."""
    while (line := _line(stream)) is not None:
        device, after, count, epoch = _header(line)
        yield Message(device, after, [_text(_line(stream)) for _ in range(count)], epoch)


def _line(stream: BinaryIO) -> bytes | None:
    line = stream.readline(wire.MAX_EVENT + 1)
    if line and not line.endswith(b"\n"):
        raise wire.BadBatch("a line is too long, or was cut")
    return line or None


def _header(line: bytes) -> tuple[str, int, int, str]:
    raw = _object(line)
    if raw.get("texts") != TEXTS:
        raise wire.BadBatch(f"texts {raw.get('texts')!r}: this end reads {TEXTS}")
    device, after, count = raw.get("device"), raw.get("after"), raw.get("count")
    if not isinstance(device, str) or not wire.is_count(after) or not wire.is_count(count):
        raise wire.BadBatch("header: device, after or count missing or not as the format says")
    try:
        wire.check_device(device)
    except wire.WireError as error:
        raise wire.BadBatch(f"header: {error}") from error
    if count > MAX_TEXTS:
        raise wire.BatchTooLarge(f"{count} texts, at most {MAX_TEXTS}")
    return device, after, count, str(raw.get("epoch", ""))[:16]


def _text(line: bytes | None) -> Text:
    if line is None:
        raise wire.BadBatch("it ends before the texts that its header announces")
    raw = _object(line)
    values = [raw.get(name) for name in ("id", "salt", "text")]
    sound = all(isinstance(value, str) and wire.is_text(value) for value in values)
    # Of the three only the words may hold the letter NUL, which no database keeps as text.
    if not wire.is_count(raw.get("n")) or not sound or any("\0" in str(value) for value in values[:2]):
        raise wire.BadBatch("a text: n, id, salt or text missing or not as the format says")
    return Text(raw["n"], *map(str, values))


def _object(line: bytes) -> dict[str, Any]:
    try:
        return wire.parse_object(line)
    except wire.WireError as error:
        raise wire.BadBatch(str(error)) from error


def answer(upto: int, later: bool, refused: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """HTTP status and JSON body for a message: how far a server has the texts, and whose hash does not fit."""
    if later:
        return 409, {"code": "later", "upto": upto, "message": "the event of a comment is not there yet"}
    return 200, {"upto": upto, "refused": list(refused)}


def settled(http: int, raw: dict[str, Any], message: Message) -> int:
    """How far the server has our texts, by its answer to a message. Raises wire.WireError for one of no sense."""
    upto = raw.get("upto")
    known = {message.after, *(text.n for text in message.texts)}
    if http not in (200, 409) or (http == 409 and raw.get("code") != "later") or upto not in known:
        raise wire.WireError(f"HTTP {http}, upto {upto!r}: not the answer to our texts")
    return int(upto)
