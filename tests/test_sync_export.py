"""The feed by USB stick: whole files or none, the server's word on the way back, and clear words for bad sticks."""

import errno
import gzip
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync import export, importing, wire
from sync.export import ExportError
from sync.importing import Imported
from sync.ingest import SqliteStorage
from sync.receiver import main
from tests.sync_kit import DEVICE, OPENING, Device, stored_ids


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path / "kiosk.db")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SqliteStorage]:
    with closing(sqlite3.connect(tmp_path / "server.db", isolation_level=None)) as conn:
        yield SqliteStorage(conn, lambda: OPENING)


def write(device: Device, stick: Path, **options: bool) -> export.Exported:
    return export.export(device.outbox, stick, DEVICE, {"app": "1"}, **options)


def import_path(server: SqliteStorage, path: Path, now: datetime) -> list[Imported]:
    return importing.import_path(importing.Storing(server), path, now)


def names(stick: Path) -> list[str]:
    return sorted(path.name for path in stick.iterdir())


def test_what_was_not_acknowledged_is_one_file_of_batches(device: Device, stick: Path) -> None:
    ids = device.happen(1200)
    done = write(device, stick)
    assert done.path == stick / f"kiosk-{DEVICE}-{device.epoch}-000000001-000001200.ndjson"
    assert (done.count, names(stick)) == (1200, [done.path.name])
    with done.path.open("rb") as file:
        batches = list(wire.read_batches(file))
    assert [batch.header.count for batch in batches] == [500, 500, 200]
    assert [wire.decode_event(line).id for batch in batches for line in batch.lines] == ids


def test_the_way_there_and_back_moves_the_cursor(device: Device, stick: Path, server: SqliteStorage) -> None:
    ids = device.happen(700)
    write(device, stick)
    assert [(done.code, done.added) for done in import_path(server, stick, OPENING)] == [("ok", 700)]
    assert stored_ids(server._conn) == ids
    assert device.cursor == 0
    ids += device.happen(3)
    done = write(device, stick)
    assert (done.answer, done.count, device.cursor) == ("ok", 3, 700)
    assert [done.added for done in import_path(server, stick, OPENING)] == [0, 3]
    assert (write(device, stick), stored_ids(server._conn)) == (export.Exported(None, 0, "ok"), ids)
    assert device.outbox.backlog() == 0


def test_everything_retained_can_be_written_again(device: Device, stick: Path, server: SqliteStorage) -> None:
    device.happen(10)
    write(device, stick)
    import_path(server, stick, OPENING)
    assert write(device, stick, everything=True).count == 10
    assert [done.added for done in import_path(server, stick, OPENING)] == [0]


def test_a_flashed_card_learns_from_the_stick_of_its_later_epoch(tmp_path: Path, device: Device, stick: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "server.db", isolation_level=None)) as conn:
        now = [OPENING]
        server = SqliteStorage(conn, lambda: now[0])
        device.counter = 8
        device.outbox.renew(device.epoch, "it had many epochs")
        device.happen(2)
        write(device, stick)
        import_path(server, stick, OPENING)
        for file in stick.iterdir():
            file.unlink()
        flashed = Device(tmp_path / "flashed.db")
        ids = flashed.happen(3)
        now[0] += timedelta(days=1)
        for _ in range(2):
            write(flashed, stick)
            import_path(server, stick, now[0])
        assert wire.epoch_counter(flashed.epoch) == 10
        assert server.followed(DEVICE).epoch == flashed.epoch
        assert stored_ids(conn)[2:] == ids


def test_a_packed_file_is_taken_too(device: Device, stick: Path, server: SqliteStorage) -> None:
    device.happen(10)
    path = write(device, stick).path
    assert path
    packed = stick / f"{path.name}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert import_path(server, stick, OPENING)[0].added == 10


def test_a_server_that_was_restored_asks_for_older_events(
    device: Device, stick: Path, server: SqliteStorage, tmp_path: Path
) -> None:
    ids = device.happen(10)
    write(device, stick)
    import_path(server, stick, OPENING)
    ids += device.happen(5)
    path = write(device, stick).path
    assert path
    with closing(sqlite3.connect(tmp_path / "restored.db", isolation_level=None)) as conn:
        restored = SqliteStorage(conn, lambda: OPENING)
        assert import_path(restored, path, OPENING)[0].code == "gap"
        done = write(device, stick)
        assert (done.answer, done.count) == ("gap", 15)
        import_path(restored, stick, OPENING)
        assert stored_ids(conn) == ids


def test_a_fork_starts_a_new_epoch(device: Device, stick: Path, server: SqliteStorage) -> None:
    ids = device.happen(5)
    ack = {"device": DEVICE, "epoch": device.epoch, "code": "fork", "head": [5, "0" * 32]}
    export.ack_path(stick, DEVICE).write_text(json.dumps(ack))
    done = write(device, stick)
    assert (done.answer, done.count, wire.epoch_counter(device.epoch)) == ("fork", 5, 2)
    assert device.ids() == ids


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"device":"k-other","epoch":"{epoch}","head":[5,"{hash}"]}',
        '{"device":"k-7F3K2M","epoch":"0000000700000000","head":[5,"{hash}"]}',
        '{"device":"k-7F3K2M","epoch":"{epoch}","head":[5]}',
        '{"device":"k-7F3K2M","epoch":"{epoch}","head":[5,"{hash}"],"now":"x"}',
        '{"device":"k-7F3K2M","epoch":"{epoch}","code":"x","head":[5,"{hash}"]}',
        "[" * 60000,
    ],
)
def test_an_acknowledgement_that_is_none_moves_nothing(device: Device, stick: Path, text: str) -> None:
    device.happen(5)
    end = device.outbox.feed()[1].hash.hex()
    export.ack_path(stick, DEVICE).write_text(text.replace("{epoch}", device.epoch).replace("{hash}", end))
    assert write(device, stick).count == 5
    assert (device.cursor, wire.epoch_counter(device.epoch)) == (0, 1)


def test_files_of_several_kiosks_share_a_stick(tmp_path: Path, stick: Path, server: SqliteStorage) -> None:
    for number in (1, 2):
        device = Device(tmp_path / f"kiosk{number}.db")
        device.happen(number)
        export.export(device.outbox, stick, f"k-{number}", {})
    (stick / "holiday.jpg").write_bytes(b"x")
    (stick / "kiosk-notes.ndjson").write_bytes(b"x")
    assert [(done.device, done.added) for done in import_path(server, stick, OPENING)] == [
        ("k-1", 1),
        ("k-2", 2),
    ]
    assert export.ack_path(stick, "k-1").exists()
    assert export.ack_path(stick, "k-2").exists()


@pytest.mark.parametrize("damage", ["cut", "altered", "packed and cut"])
def test_a_damaged_file_is_refused_and_what_came_before_is_kept(
    device: Device, stick: Path, server: SqliteStorage, damage: str
) -> None:
    device.happen(700)
    path = write(device, stick).path
    assert path
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-100])
    elif damage == "altered":
        path.write_bytes(whole.replace(b'"0690"', b'"9690"'))
    else:
        path.write_bytes(gzip.compress(whole)[:-100])
    done = import_path(server, path, OPENING)[0]
    assert (done.code, done.added, "export again" in done.detail) == ("damaged", 500, True)
    assert len(stored_ids(server._conn)) == 500
    path.unlink()
    assert write(device, stick).count == 200  # the acknowledgement of the sound part came back
    import_path(server, stick, OPENING)
    assert len(stored_ids(server._conn)) == 700


def test_a_damaged_file_does_not_keep_the_others_out(device: Device, stick: Path, server: SqliteStorage) -> None:
    device.happen(3)
    write(device, stick)
    (stick / "kiosk-a-0000000100000000-000000001-000000002.ndjson").write_bytes(b"")
    (stick / "kiosk-b-0000000100000000-000000001-000000002.ndjson").write_bytes(b"\x1f\x8brubbish")
    codes = [(done.code, done.added) for done in import_path(server, stick, OPENING)]
    assert codes == [("damaged", 0), ("damaged", 0), ("ok", 3)]


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.ENOSPC, "full"), (errno.EROFS, "read-only"), (errno.EIO, "another"), (errno.EACCES, "permission")],
)
def test_a_bad_stick_is_explained_and_leaves_no_half_file(
    device: Device, stick: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str
) -> None:
    """A stick with an error of its own cannot be had in a test: the operating system's answer to fsync is put in."""
    device.happen(5)

    def broken(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(ExportError, match=word):
        write(device, stick)
    assert names(stick) == []
    assert device.cursor == 0


def test_a_full_stick_says_so(device: Device) -> None:
    device.happen(5)
    with (
        pytest.raises(ExportError, match="full"),
        export.explained(Path("/dev/full")),
        Path("/dev/full").open("wb") as file,
    ):
        file.write(b"x")


@pytest.mark.parametrize("folder", ["nowhere", "kiosk.db"])
def test_a_folder_that_is_none_is_explained(device: Device, tmp_path: Path, folder: str) -> None:
    device.happen(1)
    with pytest.raises(ExportError, match="folder"):
        write(device, tmp_path / folder)


def test_a_damaged_event_starts_a_new_epoch_and_asks_to_export_again(device: Device, stick: Path) -> None:
    device.happen(5)
    device.sql("UPDATE events SET line = x'00' WHERE seq = 3")
    with pytest.raises(ExportError, match="export again"):
        write(device, stick)
    assert names(stick) == []
    assert write(device, stick).count == 5


def test_events_that_come_during_an_export_wait_for_the_next(device: Device, stick: Path) -> None:
    device.happen(600)
    reading = export._batches(device.outbox, DEVICE, {}, device.epoch, 0, 600)
    first = next(reading)
    device.happen(10)
    rest = list(reading)
    assert [batch.header.count for batch in [first, *rest]] == [500, 100]


def test_the_servers_days_count_for_retention_here_too(device: Device, stick: Path, server: SqliteStorage) -> None:
    device.happen(5)
    write(device, stick)
    import_path(server, stick, OPENING + timedelta(days=3))
    write(device, stick)
    assert device.sql("SELECT day, seq FROM feed_marks") == [("2026-11-26", 5)]


def test_the_receiver_imports_from_the_command_line(
    device: Device, stick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = device.happen(3)
    write(device, stick)
    assert main(["--db", str(tmp_path / "r.db"), "--import", str(stick)]) == 0
    assert "ok, 3 new events" in capsys.readouterr().out
    assert stored_ids(tmp_path / "r.db") == ids
