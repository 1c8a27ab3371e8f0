"""The feed's shapes: what a line, a chain, a header and a batch are, and what they refuse."""

import gzip
import io
import json
import tracemalloc
import unicodedata
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import wire
from sync.wire import START, ZERO, BadBatch, BadEvent, Batch, BatchTooLarge, EventTooLarge, Header, Position, Stamp

STAMP = Stamp(datetime(2026, 11, 23, 0, 42, 10, 123456, UTC), "ntp", "7f3a9c12", 8123456)
ID = "0b6e0a4e-8f0c-4d2a-9b1e-3f6f0c1d2e3f"
EPOCH = "000000019f0c2b7a"


def batch_of(*lines: bytes, after: Position = START) -> Batch:
    end = wire.chain_all(after.hash, lines)
    return Batch(Header("k-7F3K2M", EPOCH, after, len(lines), after.seq + len(lines), end), lines)


def line_of(number: int) -> bytes:
    return wire.event_line("ticket.issued", {"number": f"{number:04}"}, STAMP)


def test_an_event_is_one_compact_line_with_its_keys_in_order() -> None:
    line = wire.event_line("ticket.issued", {"số": "1001", "n": 3}, STAMP, ID)
    assert line.decode() == (
        '{"id":"0b6e0a4e-8f0c-4d2a-9b1e-3f6f0c1d2e3f","type":"ticket.issued","v":1,"at":"2026-11-23T00:42:10.123Z",'
        '"clock":"ntp","boot":"7f3a9c12","mono":8123456,"data":{"số":"1001","n":3}}'
    )


def test_ids_of_events_follow_the_time_and_are_never_the_same() -> None:
    times = [STAMP.at + timedelta(milliseconds=n // 2) for n in range(200)]
    ids = [json.loads(wire.event_line("x", {}, replace(STAMP, at=at)))["id"] for at in times]
    assert [id[:13] for id in ids] == sorted(id[:13] for id in ids)
    assert len(set(ids)) == 200
    assert {uuid.UUID(id).version for id in ids} == {7}


def test_a_local_time_is_written_in_utc() -> None:
    hanoi = STAMP.at.astimezone(timezone(timedelta(hours=7)))
    assert wire.instant(hanoi) == "2026-11-23T00:42:10.123Z"
    with pytest.raises(BadEvent, match="zone"):
        wire.instant(datetime(2026, 11, 23))  # noqa: DTZ001


def test_text_is_nfc_whatever_came() -> None:
    line = wire.event_line(
        "office.applied", {unicodedata.normalize("NFD", "hộ tịch"): [unicodedata.normalize("NFD", "Ẫ")]}, STAMP
    )
    assert wire.decode_event(line).data == {"hộ tịch": ["Ẫ"]}


def test_a_combining_mark_after_a_line_feed_does_not_break_the_line() -> None:
    data = {"text": "a\n\u0303b\t\u0307"}
    assert wire.decode_event(wire.event_line("a.b", data, STAMP)).data == data


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()) | st.none(), max_size=5))
def test_whatever_can_be_written_is_read_again_as_nfc(data: dict[str, object]) -> None:
    line = wire.event_line("a.b", data, STAMP)
    assert b"\n" not in line
    event = wire.decode_event(line)
    assert event.stamp.mono == STAMP.mono
    assert json.dumps(event.data) == json.dumps(wire._nfc(data))


@pytest.mark.parametrize("data", [{"x": float("nan")}, {"x": "\ud800"}, {"x": object()}, {"x": datetime.now(UTC)}])
def test_what_json_cannot_carry_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadEvent):
        wire.event_line("a.b", data, STAMP)


def test_an_event_of_8_kib_fits_and_a_byte_more_does_not() -> None:
    room = wire.MAX_EVENT - len(wire.event_line("a.b", {"x": ""}, STAMP))
    assert len(wire.event_line("a.b", {"x": "x" * room}, STAMP)) == wire.MAX_EVENT
    with pytest.raises(EventTooLarge, match="8193 bytes"):
        wire.event_line("a.b", {"x": "x" * (room + 1)}, STAMP)


def test_an_unknown_clock_is_refused() -> None:
    with pytest.raises(BadEvent, match="sundial"):
        wire.event_line("a.b", {}, Stamp(STAMP.at, "sundial", "b", 1))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": "1"}, "id"),
        ({"id": ID.upper()}, "id"),
        ({"type": "Ticket"}, "type"),
        ({"v": 0}, "v"),
        ({"v": True}, "v"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-11-23T00:42:10"}, "time zone"),
        ({"at": 3}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"clock": "x"}, "clock"),
        ({"clock": []}, "clock"),
        ({"mono": -1}, "mono"),
        ({"mono": 2**64}, "mono"),
        ({"data": []}, "data"),
    ],
)
def test_a_line_that_is_no_event_says_why(change: dict[str, object], word: str) -> None:
    raw = json.loads(wire.event_line("a.b", {}, STAMP, ID)) | change
    with pytest.raises(BadEvent, match=word):
        wire.decode_event(json.dumps(raw).encode())


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b'{"at":NaN}', b'{"n":' + b"9" * 5000 + b"}"]
)
def test_bytes_that_are_no_json_object_are_refused(line: bytes) -> None:
    with pytest.raises(BadEvent):
        wire.decode_event(line)


def test_the_chain_is_the_first_half_of_sha_256_over_hash_and_line() -> None:
    assert wire.chain(ZERO, b"abc").hex() == "277e7ff6d232b9763f4a66e8d05d210d"
    assert wire.chain_all(ZERO, [b"a", b"b"]) == wire.chain(wire.chain(ZERO, b"a"), b"b")
    assert wire.chain_all(ZERO, [b"a", b"b"]) != wire.chain_all(ZERO, [b"b", b"a"])


def test_epochs_of_a_device_sort_by_their_counter() -> None:
    epochs = [wire.new_epoch(counter) for counter in (1, 2, 15, 16, 2**32 - 1)]
    assert epochs == sorted(epochs)
    assert [wire.epoch_counter(epoch) for epoch in epochs] == [1, 2, 15, 16, 2**32 - 1]
    assert wire.epoch_counter("") == 0
    for counter in (0, -1, 2**32):
        with pytest.raises(wire.WireError):
            wire.new_epoch(counter)


@pytest.mark.parametrize("packed", [True, False])
def test_a_batch_comes_out_as_it_went_in(packed: bool) -> None:
    lines = [line_of(number) for number in range(500)]
    after = Position(1207, bytes(range(16)))
    batch = batch_of(*lines, after=after)
    again = wire.decode_batch(wire.encode_batch(batch, packed), packed)
    assert (again.header, list(again.lines)) == (batch.header, lines)


def test_an_empty_batch_is_a_header_alone() -> None:
    body = wire.encode_batch(batch_of(), packed=False)
    assert body.count(b"\n") == 1
    assert wire.decode_batch(body).lines == []


def test_line_separators_inside_an_event_do_not_split_it() -> None:
    line = wire.event_line("a.b", {"x": "a\u2028b\u0085c\u000bd"}, STAMP)
    assert wire.decode_batch(wire.encode_batch(batch_of(line), packed=False)).lines == [line]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("feed", 2),
        ("device", "../../etc"),
        ("device", ""),
        ("epoch", "XYZ"),
        ("epoch", 7),
        ("after", [1]),
        ("after", [-1, "0" * 32]),
        ("after", [1, "0" * 31]),
        ("after", [True, "0" * 32]),
        ("count", -1),
        ("count", 1.0),
        ("count", None),
        ("end", "zz"),
        ("head", "9"),
        ("status", []),
        ("status", {"disk_free_mb": float("inf")}),
        ("status", {"app": "\ud800"}),
        ("status", {"\udfff": 1}),
        ("status", {"printer": [[[[[[[[]]]]]]]]}),
    ],
)
def test_a_wrong_header_is_refused_and_the_key_named(key: str, value: object) -> None:
    raw = json.loads(batch_of().header.line()) | {key: value}
    with pytest.raises(BadBatch, match=key):
        wire.parse_header(json.dumps(raw).replace("Infinity", "1e999").encode())


def test_an_altered_missing_or_added_line_is_seen() -> None:
    body = wire.encode_batch(batch_of(line_of(1), line_of(2)), packed=False)
    for wrong in (body.replace(b"0001", b"0007"), body + line_of(3) + b"\n", body.rsplit(b"\n", 2)[0] + b"\n"):
        with pytest.raises(BadBatch):
            wire.decode_batch(wrong)


def test_a_batch_cut_at_any_byte_is_refused() -> None:
    body = wire.encode_batch(batch_of(line_of(1), line_of(2)))
    for length in range(len(body)):
        with pytest.raises(BadBatch):
            wire.decode_batch(body[:length], packed=True)


def test_more_than_500_events_or_256_kib_are_too_many() -> None:
    with pytest.raises(BatchTooLarge, match="501 events"):
        wire.decode_batch(wire.encode_batch(batch_of(*[b"{}"] * 501), packed=False))
    big = wire.event_line("a.b", {"x": "x" * 8000}, STAMP)
    with pytest.raises(BatchTooLarge, match="262144"):
        wire.decode_batch(wire.encode_batch(batch_of(*[big] * 40), packed=False))


def test_a_zip_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < wire.MAX_BODY
    tracemalloc.start()
    with pytest.raises(BatchTooLarge, match="decompressed"):
        wire.unpack(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * wire.MAX_BODY


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", gzip.compress(b"x") + b"y", gzip.compress(b"x") * 2],
    ids=["nothing", "plain", "with a rest", "two"],
)
def test_what_is_not_one_gzip_member_is_refused(body: bytes) -> None:
    with pytest.raises(BadBatch):
        wire.unpack(body)


def test_a_status_that_is_too_long_is_refused_before_it_is_sent() -> None:
    with pytest.raises(BadBatch, match="shorten"):
        Header("k", EPOCH, START, 0, 0, ZERO, {"x": "x" * 9000}).line()


def test_a_file_is_read_batch_by_batch() -> None:
    first = batch_of(line_of(1), line_of(2))
    second = batch_of(line_of(3), after=Position(2, first.header.end))
    batches = list(wire.read_batches(io.BytesIO(first.plain() + second.plain())))
    assert [batch.header.after.seq for batch in batches] == [0, 2]


@pytest.mark.parametrize("wrong", [b"\n", b'{"feed":1', b"{}\n", b"x" * 300_000])
def test_a_file_with_something_else_in_it_is_refused(wrong: bytes) -> None:
    good = batch_of(line_of(1)).plain()
    stream = wire.read_batches(io.BytesIO(good + wrong))
    assert len(next(stream).lines) == 1
    with pytest.raises(BadBatch):
        next(stream)


def test_a_file_cut_anywhere_inside_a_batch_is_refused() -> None:
    body = batch_of(line_of(1), line_of(2)).plain()
    for length in range(1, len(body)):
        with pytest.raises(BadBatch):
            list(wire.read_batches(io.BytesIO(body[:length])))
