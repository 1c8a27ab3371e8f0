"""Texts beside the feed: the same message in a push, in an answer to a pull and in a file."""

import hashlib
import io
import json
from collections.abc import Callable

import pytest

from sync import beside, wire
from sync.beside import MAX_TEXTS, Message, Text, decode, encode, read_messages, settled, text_hash

TEXTS = [Text(3, "a", "5a17", "Chờ lâu quá\u2028nhưng cô làm nhanh"), Text(7, "b", "", "")]
MESSAGE = Message("k-7F3K2M", 2, TEXTS)


def test_what_was_written_is_read_byte_by_byte():
    assert decode(encode(MESSAGE)) == MESSAGE
    assert decode(encode(Message("k-1", 9, []))).last == 9


def test_a_file_holds_many_messages():
    more = Message("k-7F3K2M", 7, [Text(8, "c", "x", "ố" * 500)])
    assert list(read_messages(io.BytesIO(encode(MESSAGE) + encode(more)))) == [MESSAGE, more]


def header(**changes: object) -> bytes:
    return json.dumps({"texts": 1, "device": "k-1", "after": 0, "count": 1, **changes}).encode() + b"\n"


LINE = b'{"n":1,"id":"a","salt":"s","text":"t"}\n'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}\n",
        b"[]\n",
        header(),
        header() + LINE[:-1],
        header() + LINE + b"x",
        header(texts=2) + LINE,
        header(device=7) + LINE,
        header(after=-1) + LINE,
        header(count=True) + LINE,
        header(count=MAX_TEXTS + 1) + LINE * (MAX_TEXTS + 1),
        header() + b'{"n":1,"id":"a","salt":"s"}\n',
        header() + b'{"n":"1","id":"a","salt":"s","text":"t"}\n',
        header(device="a\0") + LINE,
        header() + b'{"n":1,"id":"a\\u0000","salt":"s","text":"t"}\n',
        header() + b'{"n":1,"id":"a","salt":"\\u0000","text":"t"}\n',
        header() + b'{"n":1,"id":"a","salt":"s","text":"\\ud800"}\n',
        header() + b'{"n":1,"id":"a","salt":"s","text":"' + b"x" * wire.MAX_EVENT + b'"}\n',
        b"[" * 5000 + b"\n",
        header() + LINE + header() + LINE,
        b" " * (beside.MAX_BODY + 1),
    ],
)
def test_what_is_no_message_is_refused(body: bytes):
    with pytest.raises(wire.BadBatch):
        decode(body)


def test_salt_and_words_give_the_hash_of_the_event():
    assert text_hash("5a17", "Tốt") == hashlib.sha256("5a17Tốt".encode()).hexdigest()


def test_an_answer_moves_the_cursor_only_to_what_was_sent():
    assert settled(200, {"upto": 7}, MESSAGE) == 7
    assert settled(409, {"code": "later", "upto": 2}, MESSAGE) == 2
    wrong: list[Callable[[], int]] = [
        lambda: settled(200, {"upto": 8}, MESSAGE),
        lambda: settled(200, {"upto": 5}, MESSAGE),
        lambda: settled(200, {"upto": True}, MESSAGE),
        lambda: settled(200, {}, MESSAGE),
        lambda: settled(409, {"code": "gap", "upto": 7}, MESSAGE),
        lambda: settled(404, {"upto": 7}, MESSAGE),
    ]
    for answer in wrong:
        with pytest.raises(wire.WireError):
            answer()
