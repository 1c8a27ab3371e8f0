"""docs/feed.md and the golden files say what the code does."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from sync import client, exchange, ingest, receiver, wire
from sync.wire import Position

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
DOC = (HERE.parent / "docs" / "feed.md").read_text()
BATCH = (GOLDEN / "feed-batch.ndjson").read_bytes()
ANSWERS = ["accepted", "quarantined", "gap", "fork", "refused", "ack"]


def golden(name: str) -> dict[str, object]:
    return dict(json.loads((GOLDEN / f"feed-{name}.json").read_text()))


def test_the_document_shows_every_golden_file() -> None:
    assert BATCH.decode() in DOC
    assert f"```json\n{(GOLDEN / 'feed-dossiers.ndjson').read_text()}```" in DOC
    for name in ANSWERS:
        assert f"```json\n{(GOLDEN / f'feed-{name}.json').read_text()}```" in DOC


def test_the_golden_batch_is_read_and_written_byte_by_byte() -> None:
    batch = wire.decode_batch(BATCH)
    assert batch.plain() == BATCH
    for line in batch.lines:
        event = wire.decode_event(line)
        assert wire.event_line(event.type, event.data, event.stamp, event.id, event.v) == line


def test_the_golden_answers_are_what_ingest_says() -> None:
    header = wire.decode_batch(BATCH).header
    now = wire.decode_event(BATCH.split(b"\n")[-2]).stamp.at + timedelta(seconds=1)
    head = Position(1244, header.end)
    more = {"office": 17, "board": 903, "next_s": 60}
    taken = ingest.Result("ok", head, 3)
    odd = ingest.Result("ok", head, 3, [(1243, "id: not as the feed's format says")])
    assert ingest.answer(taken, header.epoch, now, **more) == (200, golden("accepted"))
    assert ingest.answer(odd, header.epoch, now, **more) == (200, golden("quarantined"))
    behind = wire.parse_position(golden("gap")["head"])
    assert ingest.answer(ingest.Result("gap", behind), header.epoch, now) == (409, golden("gap"))
    assert ingest.answer(ingest.Result("fork", head), header.epoch, now) == (409, golden("fork"))
    assert set(golden("ack")) == {"feed", "device", "now", "epoch", "head", "quarantined"}


def test_the_documents_own_check_accepts_the_golden_batch_and_no_other() -> None:
    code = re.search(r"```python\n(.*?)```", DOC, re.DOTALL)
    assert code
    names: dict[str, object] = {}
    exec(code[1], names)
    check = names["check"]
    assert callable(check)
    assert len(check(BATCH)) == 3
    with pytest.raises(AssertionError):
        check(BATCH.replace(b'"1001"', b'"1002"'))


def test_the_document_tells_every_limit_clock_and_header_key() -> None:
    for fact in (
        f"{wire.MAX_EVENTS} events",
        f"{wire.MAX_BATCH // 1024} KiB",
        f"{wire.MAX_EVENT // 1024} KiB",
        "1 MiB",
        f"at most {wire.MAX_TYPE} letters",
        f"more than {wire.MAX_DEPTH} objects",
    ):
        assert fact in DOC
    for word in [*wire.CLOCKS, *json.loads(BATCH.split(b"\n")[0])]:
        assert f"`{word}`" in DOC
    assert f"every {client.SLOW_S / 60:.0f} min, shows" in DOC
    assert f"more than {exchange.MAX_ANSWER // 1024} KiB" in DOC


def test_the_document_tells_every_option_of_the_receiver(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        receiver.main(["--help"])
    for option in set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}:
        assert option in DOC
