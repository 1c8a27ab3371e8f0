"""The accept rules: what is new, what is known, what is missing, what is a fork, what does not fit."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sync import ingest, wire
from sync.ingest import SqliteStorage, judge
from sync.wire import START, Batch, Event, Header, Position, Stamp
from tests.sync_kit import DEVICE, OPENING

FIRST, SECOND = "00000001aaaaaaaa", "00000002bbbbbbbb"
STAMP = Stamp(OPENING, "ntp", "7f3a9c12", 1)
LINES = [wire.event_line("ticket.issued", {"number": number}, STAMP) for number in range(10)]


def hash_after(count: int, lines: Sequence[bytes] = LINES) -> bytes:
    return wire.chain_all(wire.ZERO, lines[:count])


def batch(first: int, last: int, epoch: str = FIRST, lines: Sequence[bytes] = LINES, device: str = DEVICE) -> Batch:
    """The lines with the numbers first+1 … last of a feed that holds `lines`."""
    after = Position(first, hash_after(first, lines))
    header = Header(device, epoch, after, last - first, len(lines), hash_after(last, lines), {"app": "1"})
    return Batch(header, lines[first:last])


class Server:
    def __init__(self, path: Path) -> None:
        self.conn, self.now = sqlite3.connect(path, isolation_level=None), OPENING
        self.storage = SqliteStorage(self.conn, lambda: self.now)

    def take(self, batch: Batch, check: ingest.Check | None = None) -> ingest.Result:
        with self.storage.writing():
            return ingest.ingest(self.storage, batch, check)

    def rows(self, columns: str) -> list[tuple[object, ...]]:
        return self.conn.execute(f"SELECT {columns} FROM events ORDER BY num").fetchall()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "server.db")
    with closing(server.conn):
        yield server


HEAD = Position(5, hash_after(5))


@pytest.mark.parametrize(
    ("head", "sent", "code", "fresh"),
    [
        (START, batch(0, 3), "ok", LINES[:3]),
        (START, batch(0, 0), "ok", []),
        (HEAD, batch(5, 8), "ok", LINES[5:8]),
        (HEAD, batch(5, 5), "ok", []),
        (HEAD, batch(2, 8), "ok", LINES[5:8]),
        (HEAD, batch(0, 5), "ok", []),
        (HEAD, batch(0, 3), "ok", []),
        (HEAD, batch(2, 2), "ok", []),
        (HEAD, batch(6, 8), "gap", []),
        (START, batch(1, 1), "gap", []),
        (HEAD, batch(5, 8, lines=LINES[::-1]), "fork", []),
        (HEAD, batch(0, 8, lines=LINES[::-1]), "fork", []),
        (HEAD, batch(4, 5, lines=LINES[:4] + LINES[9:]), "fork", []),
    ],
)
def test_a_batch_is_judged_by_number_and_hash(head: Position, sent: Batch, code: str, fresh: list[bytes]) -> None:
    assert judge(head, sent) == (code, fresh) or (judge(head, sent)[0], list(judge(head, sent)[1])) == (code, fresh)


def test_events_are_stored_as_they_came_and_numbered_by_the_server(server: Server) -> None:
    assert server.take(batch(0, 4)).head == (4, hash_after(4))
    assert server.take(batch(4, 6)).added == 2
    assert server.rows("num, seq, line") == [(n + 1, n + 1, line) for n, line in enumerate(LINES[:6])]


def test_sending_again_changes_nothing(server: Server) -> None:
    server.take(batch(0, 6))
    for again in (batch(0, 6), batch(2, 4), batch(0, 2)):
        result = server.take(again)
        assert (result.code, result.added, result.head) == ("ok", 0, (6, hash_after(6)))
    assert len(server.rows("id")) == 6


def test_a_gap_and_a_fork_store_nothing_and_tell_the_head(server: Server) -> None:
    server.take(batch(0, 2))
    assert server.take(batch(5, 6)).code == "gap"
    result = server.take(batch(2, 4, lines=LINES[::-1]))
    assert (result.code, result.head) == ("fork", (2, hash_after(2)))
    assert ingest.answer(result, FIRST, OPENING) == (
        409,
        {"code": "fork", "epoch": FIRST, "head": [2, hash_after(2).hex()]},
    )
    assert len(server.rows("id")) == 2


def test_an_id_that_the_server_has_moves_the_head_of_a_new_epoch_without_a_row(server: Server) -> None:
    server.take(batch(0, 4))
    result = server.take(batch(0, 7, epoch=SECOND, lines=LINES))
    assert (result.added, result.head.seq) == (3, 7)
    assert server.rows("epoch, seq") == [(FIRST, n) for n in (1, 2, 3, 4)] + [(SECOND, n) for n in (5, 6, 7)]


def test_two_devices_do_not_meet(server: Server) -> None:
    other = [wire.event_line("a.b", {}, STAMP)]
    server.take(batch(0, 3))
    assert server.take(batch(0, 1, lines=other, device="k-2")).added == 1
    assert server.take(batch(3, 5)).head.seq == 5


def test_the_server_follows_the_latest_epoch_whatever_comes_late(server: Server) -> None:
    server.take(batch(0, 2, epoch=SECOND))
    server.take(batch(0, 4, epoch=FIRST))
    assert server.storage.followed(DEVICE).epoch == SECOND
    assert len(server.rows("id")) == 4
    assert server.storage.followed("nobody").epoch == ""


def test_an_epoch_behind_is_told_the_newest_one_only_when_nobody_speaks_in_it(server: Server) -> None:
    server.take(batch(0, 2, epoch=SECOND))
    assert server.take(batch(2, 3, epoch=SECOND)).newest == ""
    for minutes, contested in ((0, True), (14, True), (15, False), (-1, False)):
        server.now = OPENING + timedelta(minutes=minutes)
        late = server.take(batch(0, 1, epoch=FIRST, lines=LINES[5:]))
        assert (late.code, late.newest, late.contested) == ("ok", SECOND, contested)
        assert ingest.answer(late, FIRST, OPENING)[1].get("newest") == (None if contested else SECOND)


def test_what_is_no_event_is_kept_raw_marked_and_told_and_blocks_nothing(server: Server) -> None:
    odd = [LINES[0], b"", b"\xff\x00", b"[" * 5000, b'{"id":1}', LINES[1]]
    result = server.take(batch(0, 6, lines=odd))
    assert (result.code, result.added, result.head.seq) == ("ok", 6, 6)
    assert [seq for seq, _ in result.quarantined] == [2, 3, 4, 5]
    assert [row[0] for row in server.rows("line")] == odd
    assert server.storage.stats()["quarantined"] == 4
    body = ingest.answer(result, FIRST, OPENING, office=1, board=2, next_s=60)[1]
    assert [item["seq"] for item in body["quarantined"]] == [2, 3, 4, 5]
    assert server.take(batch(0, 6, epoch=SECOND, lines=odd)).added == 0


def test_an_event_over_8_kib_is_quarantined(server: Server) -> None:
    big = LINES[0].replace(b'"number":0', b'"number":"' + b"x" * 9000 + b'"')
    assert server.take(batch(0, 2, lines=[big, LINES[1]])).quarantined == [(1, f"{len(big)} bytes, at most 8192")]


def test_an_event_that_does_not_fit_its_own_schema_is_quarantined(server: Server) -> None:
    def check(event: Event) -> str | None:
        return None if event.data["number"] != 1 else "number 1 is not served here"

    assert server.take(batch(0, 3), check).quarantined == [(2, "number 1 is not served here")]
    assert len(server.rows("id")) == 3


def test_an_id_that_comes_with_other_bytes_is_kept_beside_the_first(server: Server) -> None:
    twin = LINES[0].replace(b'"number":0', b'"number":7')
    result = server.take(batch(0, 3, lines=[LINES[0], twin, LINES[1]]))
    assert (result.added, [seq for seq, _ in result.quarantined]) == (3, [2])
    assert [row[0] for row in server.rows("line")] == [LINES[0], twin, LINES[1]]
    assert server.take(batch(0, 2, epoch=SECOND, lines=[twin, LINES[0]])).added == 0


def test_an_id_twice_in_one_batch_is_one_row(server: Server) -> None:
    assert server.take(batch(0, 3, lines=[LINES[0], LINES[0], LINES[1]])).added == 2


def test_a_transaction_that_fails_leaves_no_trace(server: Server) -> None:
    server.take(batch(0, 2))
    with pytest.raises(RuntimeError), server.storage.writing():
        ingest.ingest(server.storage, batch(2, 6))
        raise RuntimeError
    assert server.take(batch(2, 4)).head.seq == 4
    assert [row[0] for row in server.rows("num")] == [1, 2, 3, 4]


def test_the_status_page_tells_events_devices_and_what_is_still_to_come(server: Server) -> None:
    server.take(batch(0, 4))
    assert server.storage.stats() == {
        "events": 4,
        "quarantined": 0,
        "devices": [
            {
                "device": DEVICE,
                "epoch": FIRST,
                "received": 4,
                "head": 10,
                "status": {"app": "1"},
                "seen": "2026-11-23T00:30:00.000Z",
            }
        ],
    }


def test_500_new_events_fit_in_one_question_to_the_database(server: Server) -> None:
    lines = [wire.event_line("a.b", {"n": n}, STAMP) for n in range(500)]
    assert server.take(batch(0, 500, lines=lines)).added == 500
