"""The feed's shapes: event lines, the hash chain, epochs, batches. Both ends use it.

It knows no database, no network and no clock. It refuses to interpret an event's data: a line is bytes that are stored,
sent and hashed as they are.
"""

import gzip
import hashlib
import json
import math
import re
import secrets
import unicodedata
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple, NoReturn, TypeGuard

from sync.ids import ordered_id

FEED = 1
CONTENT_TYPE = "application/x-ndjson"
MAX_EVENT = 8 * 1024  # bytes of one line, without its line feed
MAX_EVENTS = 500  # events of one batch
MAX_BATCH = 256 * 1024  # bytes of all event lines of one batch, with their line feeds
MAX_TYPE = 60  # letters of an event's type
MAX_DEPTH = 8  # objects and lists within each other in a status
MAX_BODY = 1024 * 1024  # bytes that a receiver takes, packed or plain
MOST_EPOCHS = 10**6  # no kiosk begins so many
HASH_BYTES = 16
ZERO = bytes(HASH_BYTES)
CLOCKS = frozenset({"ntp", "rtc", "server", "manual", "guess"})

_EPOCH = re.compile(r"[0-9a-f]{16}")
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{32}")
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_MAX_SEQ = 2**63 - 1


class WireError(ValueError):
    """Bytes or values that do not fit the feed."""


class EventTooLarge(WireError):
    """An event line over 8 KiB. Put long texts beside the feed and only their hash into the event."""


class BadEvent(WireError):
    """A line that is not an event, or data that cannot become one."""


class BadBatch(WireError):
    """A batch that cannot be read; `code` is the short word that a server answers with."""

    code = "bad_batch"


class BatchTooLarge(BadBatch):
    """A batch over one of the limits: send half of it."""

    code = "too_large"


class Position(NamedTuple):
    """A place in a device's feed: the number of the last event before it, and the chain's hash there."""

    seq: int
    hash: bytes

    def wire(self) -> list[int | str]:
        return [self.seq, self.hash.hex()]


START = Position(0, ZERO)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When an event happened: wall clock with its quality, and the boot's own clock, which never jumps.

    `at` is aware; `clock` is one of CLOCKS; `boot` names the boot (8 hex digits); `mono` is CLOCK_BOOTTIME in ms.
    """

    at: datetime
    clock: str
    boot: str
    mono: int


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded event line; `seq` is its number in the feed (0 if it did not come from one)."""

    id: str
    type: str
    v: int
    stamp: Stamp
    data: Mapping[str, Any]
    seq: int = 0


# One encoder for the module's life: json.dumps with own separators would build a new one for each event.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def event_line(type: str, data: Mapping[str, Any], stamp: Stamp, id: str | None = None, v: int = 1) -> bytes:
    """The bytes of one event, NFC, without the line feed.

    Raises EventTooLarge over 8 KiB; BadEvent for values that JSON or UTF-8 cannot carry and for an unknown clock.
    """
    if stamp.clock not in CLOCKS:
        raise BadEvent(f"clock {stamp.clock!r} is none of {', '.join(sorted(CLOCKS))}")
    event = {
        "id": id or ordered_id(int(stamp.at.timestamp() * 1000)),
        "type": type,
        "v": v,
        "at": instant(stamp.at),
        "clock": stamp.clock,
        "boot": stamp.boot,
        "mono": stamp.mono,
        "data": data,
    }
    line = _nfc_json(event)
    if len(line) > MAX_EVENT:
        raise EventTooLarge(f"{type}: {len(line)} bytes, at most {MAX_EVENT}; put long texts beside the feed")
    return line


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-11-23T00:42:10.123Z."""
    if at.tzinfo is None:
        raise BadEvent("a time without a zone: give an aware datetime")
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_instant(text: str) -> datetime:
    """The aware datetime of an RFC 3339 text; ValueError when it is none or has no zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise BadEvent(f"{text!r} has no time zone")
    return at.astimezone(UTC)


def _nfc_json(value: Mapping[str, Any]) -> bytes:
    try:
        text = _encode(value)
        if not unicodedata.is_normalized("NFC", text):
            # Not the whole text: a line feed is the letters "\n" here, and a combining mark after it would join the n.
            text = _encode(_nfc(value))
        return text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise BadEvent(f"cannot be written as JSON: {error}") from error


def _nfc(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {_nfc(key): _nfc(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nfc(item) for item in value]
    return value


def decode_event(line: bytes, seq: int = 0) -> Event:
    """The event in a line; BadEvent says what does not fit."""
    raw = _object(line, BadEvent)
    try:
        stamp = Stamp(parse_instant(raw["at"]), raw["clock"], raw["boot"], raw["mono"])
        event = Event(raw["id"], raw["type"], raw["v"], stamp, raw["data"], seq)
    except KeyError as error:
        raise BadEvent(f"the key {error} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise BadEvent(f"at: {error}") from error
    _check_event(event)
    return event


def _check_event(event: Event) -> None:
    stamp = event.stamp
    checks = {
        "id": isinstance(event.id, str) and _is_uuid(event.id),
        "type": isinstance(event.type, str) and len(event.type) <= MAX_TYPE and _TYPE.fullmatch(event.type),
        "v": is_count(event.v) and event.v >= 1,
        "clock": isinstance(stamp.clock, str) and stamp.clock in CLOCKS,
        "boot": isinstance(stamp.boot, str) and len(stamp.boot) <= 64,
        "mono": is_count(stamp.mono),
        "data": isinstance(event.data, dict),
    }
    wrong = [key for key, fits in checks.items() if not fits]
    if wrong:
        raise BadEvent(f"{', '.join(wrong)}: not as the feed's format says")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value of JSON is a whole number from 0 on, as numbers of events are."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_SEQ


def _object(line: bytes, error_type: type[WireError]) -> dict[str, Any]:
    """The JSON object in a line. A deep nest of brackets ends in RecursionError, which is no ValueError."""
    try:
        value = json.loads(line.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise error_type(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise error_type("not a JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; WireError when it is none."""
    return _object(body, WireError)


def chain(previous: bytes, line: bytes) -> bytes:
    """h(n) = the first 16 bytes of SHA-256(h(n-1) ‖ line(n)); h(0) = ZERO."""
    return hashlib.sha256(previous + line).digest()[:HASH_BYTES]


def chain_all(previous: bytes, lines: Sequence[bytes]) -> bytes:
    """The chain's hash after the last of these lines."""
    for line in lines:
        previous = chain(previous, line)
    return previous


def new_epoch(counter: int) -> str:
    """8 hex digits of the device's epoch counter, so that its epochs sort, and 8 random ones."""
    if not 0 < counter < 2**32:
        raise WireError(f"epoch counter {counter}: from 1 to {2**32 - 1}")
    return f"{counter:08x}{secrets.token_hex(4)}"


def is_epoch(text: str) -> bool:
    """Whether this is an epoch's name."""
    return _EPOCH.fullmatch(text) is not None


def is_likely(epoch: str) -> bool:
    """Whether this may be an epoch of some kiosk: one with a greater counter would use up all that follow."""
    return is_epoch(epoch) and epoch_counter(epoch) < MOST_EPOCHS


def likely_epoch(value: object) -> str:
    """An epoch in somebody's answer; "" for anything that can be none."""
    return value if isinstance(value, str) and is_likely(value) else ""


def epoch_counter(epoch: str) -> int:
    """The counter in an epoch's name (0 for the empty name of a feed that has not begun)."""
    return int(epoch[:8], 16) if epoch else 0


def check_device(device: str) -> str:
    """The name itself if it may name a device; it becomes part of file names. Raises WireError."""
    if not _DEVICE.fullmatch(device):
        raise WireError(f"device {device!r}: 1 to 64 letters, digits, dots, dashes")
    return device


def parse_position(value: object) -> Position:
    """[1244, "32 hex digits"] → Position; WireError otherwise."""
    if not (isinstance(value, list) and len(value) == 2 and is_count(value[0])):
        raise WireError('a position is [number, "32 hex digits"]')
    if not (isinstance(value[1], str) and _HASH.fullmatch(value[1])):
        raise WireError("a position's hash is 32 hex digits")
    return Position(value[0], bytes.fromhex(value[1]))


@dataclass(frozen=True, slots=True)
class Header:
    """A batch's first line: whose events, after which position, how many, and the chain after the last of them.

    `head` is the device's last number at that moment; `status` says how the device is.
    """

    device: str
    epoch: str
    after: Position
    count: int
    head: int
    end: bytes
    status: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        """The header's bytes, without the line feed; BadBatch when the status makes it too long."""
        keys = {"device": self.device, "epoch": self.epoch, "after": self.after.wire(), "count": self.count}
        line = _nfc_json({"feed": FEED, **keys, "head": self.head, "end": self.end.hex(), "status": self.status})
        if len(line) > MAX_EVENT:
            raise BadBatch(f"the header is {len(line)} bytes long, at most {MAX_EVENT}: shorten the status")
        return line


def parse_header(line: bytes) -> Header:
    """The header in a batch's first line; BadBatch names the key that does not fit."""
    if len(line) > MAX_EVENT:
        raise BadBatch(f"the first line has more than {MAX_EVENT} bytes")
    raw = _object(line, BadBatch)
    if raw.get("feed") != FEED:
        raise BadBatch(f"feed {raw.get('feed')!r}: this end reads {FEED}")
    checks: dict[str, Callable[[Any], bool]] = {
        "device": lambda value: isinstance(value, str) and bool(_DEVICE.fullmatch(value)),
        "epoch": lambda value: isinstance(value, str) and is_epoch(value),
        "count": is_count,
        "head": is_count,
        "end": lambda value: isinstance(value, str) and bool(_HASH.fullmatch(value)),
        "status": lambda value: isinstance(value, dict) and _storable(value),
    }
    wrong = [key for key, fits in checks.items() if not fits(raw.get(key, {} if key == "status" else None))]
    if wrong:
        raise BadBatch(f"header: {', '.join(wrong)} missing or not as the format says")
    try:
        after = parse_position(raw.get("after"))
    except WireError as error:
        raise BadBatch(f"header: after: {error}") from error
    end = bytes.fromhex(raw["end"])
    return Header(raw["device"], raw["epoch"], after, raw["count"], raw["head"], end, raw.get("status", {}))


def _storable(value: object, depth: int = 0) -> bool:
    """Whether a database can keep a status as JSON: it has no infinite numbers, halves of letters, or deep nests."""
    if isinstance(value, str):
        return is_text(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, dict | list):
        return True
    items = [*value, *value.values()] if isinstance(value, dict) else value
    return depth < MAX_DEPTH and all(_storable(item, depth + 1) for item in items)


def is_text(text: str) -> bool:
    """Whether UTF-8 can carry it: JSON can hold halves of letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Batch:
    """A header and the event lines that it announces."""

    header: Header
    lines: Sequence[bytes]

    def plain(self) -> bytes:
        """The batch as NDJSON: each line ended by one line feed."""
        return b"\n".join([self.header.line(), *self.lines, b""])


def encode_batch(batch: Batch, packed: bool = True) -> bytes:
    """The request body or file part of a batch: NDJSON, gzip when `packed`."""
    # The fastest level is within a tenth of the best on these lines; mtime 0 keeps equal batches equal.
    return gzip.compress(batch.plain(), compresslevel=1, mtime=0) if packed else batch.plain()


def decode_batch(body: bytes, packed: bool = False) -> Batch:
    """The batch in a body, checked: limits, number of lines, chain. BadBatch or BatchTooLarge otherwise."""
    plain = unpack(body) if packed else body
    if len(plain) > MAX_BODY:
        raise BatchTooLarge(f"more than {MAX_BODY} bytes")
    # Never splitlines(): an event may hold U+2028 and the like.
    first, *lines = plain.split(b"\n")
    if not lines or lines.pop() != b"":
        raise BadBatch("the last line does not end: the batch was cut")
    batch = Batch(parse_header(first), lines)
    check_batch(batch)
    return batch


def check_batch(batch: Batch) -> None:
    """Raise BadBatch unless number of lines, limits and chain are as the header says."""
    header, lines = batch.header, batch.lines
    if len(lines) > MAX_EVENTS:
        raise BatchTooLarge(f"{len(lines)} events, at most {MAX_EVENTS}")
    if sum(map(len, lines)) + len(lines) > MAX_BATCH:
        raise BatchTooLarge(f"more than {MAX_BATCH} bytes of events")
    if len(lines) != header.count:
        raise BadBatch(f"the header announces {header.count} events, {len(lines)} came")
    if chain_all(header.after.hash, lines) != header.end:
        raise BadBatch("the lines do not give the header's end hash: the batch was damaged on its way")


def unpack(body: bytes, limit: int = MAX_BODY) -> bytes:
    """Decompress one gzip member and never make more than `limit` + 1 bytes of it."""
    packer = zlib.decompressobj(wbits=31)
    try:
        plain = packer.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadBatch(f"not gzip: {error}") from error
    if len(plain) > limit:
        raise BatchTooLarge(f"more than {limit} bytes when decompressed")
    if not packer.eof or packer.unused_data:
        raise BadBatch("the gzip data is cut or has something behind it")
    return plain


def read_batches(stream: BinaryIO) -> Iterator[Batch]:
    """The batches of a file, one after another, each checked; never more than one batch in memory."""
    while (line := _line(stream)) is not None:
        header = parse_header(line)
        if header.count > MAX_EVENTS:
            raise BatchTooLarge(f"{header.count} events, at most {MAX_EVENTS}")
        batch = Batch(header, [_event_of(stream) for _ in range(header.count)])
        check_batch(batch)
        yield batch


def _event_of(stream: BinaryIO) -> bytes:
    line = _line(stream)
    if line is None:
        raise BadBatch("the file ends before the events that its header announces")
    return line


def _line(stream: BinaryIO) -> bytes | None:
    """The next line without its line feed; None at the end."""
    line = stream.readline(MAX_BATCH + 1)
    if line and not line.endswith(b"\n"):
        raise BadBatch("the file was cut in the middle of a line")
    return line[:-1] if line else None
