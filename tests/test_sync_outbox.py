"""The outbox: append, read, acknowledge, rewind, prune, new epochs, damage. Real SQLite files."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sync import outbox, wire
from sync.outbox import Damaged, Forked, OutboxError, RolledBack
from sync.wire import START, ZERO, Position
from tests.sync_kit import OPENING, Device, connect


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


@pytest.fixture
def conn(device: Device) -> Iterator[sqlite3.Connection]:
    with closing(connect(device.path)) as conn:
        yield conn


def acknowledge(device: Device, seq: int, days: float = 0) -> bool:
    with closing(connect(device.path)) as conn:
        hash = outbox.hash_at(conn, seq)
    assert hash is not None
    return device.outbox.settle(device.epoch, "ok", Position(seq, hash), OPENING + timedelta(days=days))


def prune(device: Device, days: float, keep: int = 10) -> int:
    with closing(connect(device.path)) as conn, conn:
        conn.execute("BEGIN IMMEDIATE")
        return outbox.prune(conn, keep, OPENING + timedelta(days=days))


def test_events_are_numbered_from_one_and_chained(device: Device, conn: sqlite3.Connection) -> None:
    device.happen(3)
    rows = conn.execute("SELECT seq, line, hash FROM events").fetchall()
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[2][2] == wire.chain_all(ZERO, [row[1] for row in rows])
    assert outbox.head(conn) == (3, rows[2][2])


def test_an_event_vanishes_with_the_transaction_that_it_belongs_to(device: Device, conn: sqlite3.Connection) -> None:
    conn.execute("BEGIN IMMEDIATE")
    outbox.append(conn, "ticket.issued", {}, device.stamp())
    conn.execute("ROLLBACK")
    assert outbox.head(conn) == START
    assert device.happen(1) == device.ids()


def test_an_event_that_is_too_large_leaves_the_transaction_usable(device: Device, conn: sqlite3.Connection) -> None:
    conn.execute("BEGIN IMMEDIATE")
    with pytest.raises(wire.EventTooLarge):
        outbox.append(conn, "ticket.issued", {"x": "x" * 9000}, device.stamp())
    outbox.append(conn, "ticket.issued", {}, device.stamp())
    conn.execute("COMMIT")
    assert outbox.head(conn).seq == 1


def test_several_processes_append_without_a_gap(device: Device) -> None:
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(25):
                device.happen(1)
        except sqlite3.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert device.head == 100
    assert len(device.outbox.read().lines) == 100


def test_a_reading_starts_at_the_cursor_and_keeps_to_both_limits(device: Device) -> None:
    device.happen(20, pad="x" * 1000)
    acknowledge(device, 4)
    assert len(device.outbox.read(limit=3).lines) == 3
    reading = device.outbox.read(max_bytes=3500)
    assert (reading.after.seq, len(reading.lines), reading.end.seq, reading.head) == (4, 2, 6, 20)
    assert sum(len(line) + 1 for line in reading.lines) <= 3500
    assert len(device.outbox.read(max_bytes=1).lines) == 1


def test_a_feed_without_an_epoch_cannot_be_read(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "new.db")) as conn:
        outbox.create(conn)
        with pytest.raises(OutboxError, match="start_epoch"):
            outbox.read_batch(conn)


def test_the_cursor_moves_forward_only(device: Device) -> None:
    device.happen(10)
    assert acknowledge(device, 7)
    assert not acknowledge(device, 3)
    assert not acknowledge(device, 7)
    assert (device.cursor, device.outbox.backlog()) == (7, 3)


def test_an_answer_about_another_epoch_changes_nothing(device: Device) -> None:
    device.happen(3)
    for code in ("ok", "gap", "fork"):
        assert not device.outbox.settle(wire.new_epoch(9), code, Position(3, ZERO), OPENING)  # type: ignore[arg-type]
    assert device.cursor == 0


def test_a_head_beyond_our_last_event_means_a_disk_rolled_back(device: Device) -> None:
    device.happen(2)
    for code in ("ok", "gap"):
        with pytest.raises(RolledBack):
            device.outbox.settle(device.epoch, code, Position(3, ZERO), OPENING)  # type: ignore[arg-type]
    assert device.cursor == 0


def test_a_hash_that_is_not_ours_is_a_fork(device: Device) -> None:
    device.happen(2)
    for code in ("ok", "gap", "fork"):
        with pytest.raises(Forked):
            device.outbox.settle(device.epoch, code, Position(2, ZERO), OPENING)  # type: ignore[arg-type]
    assert device.cursor == 0


def test_a_server_that_fell_behind_is_sent_everything_after_its_head(device: Device, conn: sqlite3.Connection) -> None:
    device.happen(9)
    acknowledge(device, 9)
    hash = outbox.hash_at(conn, 4)
    assert hash
    device.outbox.settle(device.epoch, "gap", Position(4, hash), None)
    assert device.outbox.read().after == (4, hash)
    device.outbox.settle(device.epoch, "gap", START, None)
    assert len(device.outbox.read().lines) == 9


def test_only_what_was_acknowledged_long_enough_ago_is_pruned(device: Device, conn: sqlite3.Connection) -> None:
    device.happen(10)
    acknowledge(device, 4, days=0)
    acknowledge(device, 8, days=5)
    acknowledge(device, 9, days=12)
    before = outbox.hash_at(conn, 4)
    assert prune(device, days=12) == 4
    assert outbox.feed(conn).base == (4, before)
    assert outbox.hash_at(conn, 3) is None
    assert outbox.hash_at(conn, 4) == before
    assert prune(device, days=12) == 0
    assert [event.seq for event in outbox.events(conn)] == [5, 6, 7, 8, 9, 10]


def test_unacknowledged_events_are_never_pruned(device: Device) -> None:
    device.happen(10)
    assert prune(device, days=10_000) == 0


def test_a_clock_that_jumps_ahead_prunes_nothing_early(device: Device) -> None:
    device.happen(10)
    acknowledge(device, 10, days=0)
    assert prune(device, days=10_000) == 0


def test_a_server_that_fell_behind_takes_its_marks_back(device: Device) -> None:
    device.happen(10)
    acknowledge(device, 10, days=0)
    device.outbox.settle(device.epoch, "gap", START, None)
    acknowledge(device, 5, days=30)
    assert prune(device, days=30) == 0
    assert len(device.ids()) == 10


def test_everything_pruned_keeps_number_and_hash_for_the_next_event(device: Device, conn: sqlite3.Connection) -> None:
    device.happen(5)
    acknowledge(device, 5, days=0)
    head = outbox.head(conn)
    acknowledge(device, 5, days=30)
    assert prune(device, days=30) == 5
    assert outbox.head(conn) == head
    device.happen(1)
    reading = device.outbox.read()
    assert (reading.after, reading.end.seq) == (head, 6)
    assert reading.end.hash == wire.chain(head.hash, reading.lines[0])


def test_a_server_before_what_is_retained_gets_a_new_epoch(device: Device) -> None:
    device.happen(5)
    acknowledge(device, 5, days=0)
    acknowledge(device, 5, days=30)
    prune(device, days=30)
    with pytest.raises(Forked, match="only events after 5"):
        device.outbox.settle(device.epoch, "gap", START, None)


def test_a_new_epoch_sends_what_is_retained_again_with_the_same_ids(device: Device, conn: sqlite3.Connection) -> None:
    device.happen(5)
    acknowledge(device, 2, days=0)
    acknowledge(device, 2, days=30)
    prune(device, days=30)
    ids, old = device.ids(), device.epoch
    device.outbox.renew(old, "test")
    reading = device.outbox.read()
    assert reading.epoch > old
    assert reading.after == START
    assert [wire.decode_event(line).id for line in reading.lines] == ids
    assert reading.end == outbox.head(conn) == (3, wire.chain_all(ZERO, reading.lines))
    assert_whole(device)


def assert_whole(device: Device) -> None:
    """Every retained event can be read in its place in the chain."""
    after = device.outbox.feed()[0].base
    while (reading := device.outbox.read(after.seq)).lines:
        assert reading.after == after
        after = reading.end
    assert after == device.outbox.feed()[1]


def test_a_new_epoch_counts_retention_from_its_own_acknowledgements(device: Device) -> None:
    device.happen(5)
    acknowledge(device, 5, days=0)
    device.outbox.renew(device.epoch, "test")
    acknowledge(device, 5, days=30)
    assert prune(device, days=30) == 0


def test_a_new_epoch_must_be_newer(device: Device, conn: sqlite3.Connection) -> None:
    with pytest.raises(OutboxError, match="raise the counter"):
        outbox.start_epoch(conn, wire.new_epoch(1), device.stamp())


def test_only_one_of_two_finders_starts_the_new_epoch(device: Device) -> None:
    old = device.epoch
    device.outbox.renew(old, "first")
    device.outbox.renew(old, "second")
    assert wire.epoch_counter(device.epoch) == 2


def altered(line: bytes) -> bytes:
    return line.replace(b"ticket", b"picket")


@pytest.mark.parametrize("seq", [1, 5, 10])
def test_a_damaged_line_is_found_before_it_is_sent(device: Device, seq: int) -> None:
    device.happen(10)
    line = device.sql("SELECT line FROM events WHERE seq = ?", seq)[0][0]
    assert isinstance(line, bytes)
    device.sql("UPDATE events SET line = ? WHERE seq = ?", altered(line), seq)
    with pytest.raises(Damaged) as found:
        device.outbox.read()
    assert found.value.seq == seq


def test_a_damaged_event_is_set_aside_and_told_and_the_rest_goes_on(device: Device, conn: sqlite3.Connection) -> None:
    ids = device.happen(10)
    old = device.epoch
    device.sql("UPDATE events SET line = ? WHERE seq = 5", b"rubbish")
    device.outbox.renew(old, "damaged")
    events = list(outbox.events(conn))
    assert [event.id for event in events[:-1]] == ids[:4] + ids[5:]
    assert (events[-1].type, events[-1].data) == ("event.damaged", {"epoch": old, "seq": 5, "count": 1})
    assert device.sql("SELECT epoch, seq, line FROM events_damaged") == [(old, 5, b"rubbish")]
    assert len(device.outbox.read().lines) == 10


def test_missing_events_are_told_as_one_stretch(device: Device, conn: sqlite3.Connection) -> None:
    ids = device.happen(10)
    device.sql("DELETE FROM events WHERE seq BETWEEN 4 AND 6")
    with pytest.raises(Damaged):
        device.outbox.read()
    device.outbox.renew(device.epoch, "damaged")
    events = list(outbox.events(conn))
    assert [event.id for event in events[:-1]] == ids[:3] + ids[6:]
    assert (events[-1].data["seq"], events[-1].data["count"]) == (4, 3)


def test_a_damaged_hash_costs_no_event(device: Device, conn: sqlite3.Connection) -> None:
    ids = device.happen(10)
    device.sql("UPDATE events SET hash = ? WHERE seq = 5", bytes(16))
    with pytest.raises(Damaged):
        device.outbox.read()
    device.outbox.renew(device.epoch, "damaged")
    assert [event.id for event in outbox.events(conn)] == ids


@pytest.mark.parametrize("value", [None, 7, "text"])
@pytest.mark.parametrize("column", ["line", "hash"])
def test_a_row_of_another_kind_stops_nothing(device: Device, column: str, value: object) -> None:
    device.happen(3)
    device.sql("ALTER TABLE events RENAME TO old")
    device.sql("CREATE TABLE events (seq INTEGER PRIMARY KEY, line, hash)")
    device.sql("INSERT INTO events SELECT * FROM old")
    device.sql(f"UPDATE events SET {column} = ? WHERE seq = 3", value)
    late = device.sql("SELECT count(*) FROM events")
    with closing(connect(device.path)) as conn, conn:
        conn.execute("BEGIN IMMEDIATE")
        outbox.append(conn, "ticket.issued", {}, device.stamp())
    assert late == [(3,)]
    with pytest.raises(Damaged):
        device.outbox.read()
    device.outbox.renew(device.epoch, "damaged")
    assert device.types() == ["ticket.issued"] * 3 + ["event.damaged"]


def test_a_database_that_ends_before_its_cursor_was_rolled_back(device: Device) -> None:
    device.happen(10)
    acknowledge(device, 8)
    device.sql("DELETE FROM events WHERE seq > 5")
    with pytest.raises(RolledBack):
        device.outbox.read()


def test_events_come_back_by_type_and_from_a_number_on(device: Device, conn: sqlite3.Connection) -> None:
    device.happen(3)
    conn.execute("BEGIN IMMEDIATE")
    outbox.append(conn, "rating.given", {"level": 3}, device.stamp())
    conn.execute("COMMIT")
    assert [event.seq for event in outbox.events(conn, after=2)] == [3, 4]
    assert [event.data for event in outbox.events(conn, types={"rating.given"})] == [{"level": 3}]
    conn.execute("UPDATE events SET line = x'00' WHERE seq = 2")
    with pytest.raises(Damaged, match="event 2"):
        list(outbox.events(conn))


def test_more_than_a_chunk_is_renumbered_in_order(device: Device, conn: sqlite3.Connection) -> None:
    ids = device.happen(2500)
    device.sql("DELETE FROM events WHERE seq IN (1, 1000, 1001, 2001)")
    device.outbox.renew(device.epoch, "damaged")
    kept = [id for seq, id in enumerate(ids, 1) if seq not in (1, 1000, 1001, 2001)]
    assert device.ids()[:2496] == kept
    assert device.types()[2496:] == ["event.damaged"] * 3
    assert_whole(device)


def test_the_last_answer_is_kept(device: Device, conn: sqlite3.Connection) -> None:
    assert outbox.last_answer(conn) == {}
    device.outbox.note({"state": "refused", "detail": "mã sai"})
    assert outbox.last_answer(conn) == {"state": "refused", "detail": "mã sai"}
