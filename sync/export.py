"""The feed by hand: events as files in a folder (a USB stick), and the server's acknowledgement on the same stick.

A file is one batch after another, each with the header that a push would have. It knows files and the outbox, no
network. A file appears under its name only when all of it is on the stick.
"""

import errno
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from sync import ingest, wire
from sync.outbox import Code, NeedsNewEpoch, Outbox
from sync.wire import Position

_NAME = re.compile(r"kiosk-(?P<device>.+)-[0-9a-f]{16}-[0-9]{9,}-[0-9]{9,}\.ndjson(\.gz)?")
_MAX_ACK = 64 * 1024
_WHY = {
    errno.ENOSPC: "the stick is full: delete other files from it, or use a larger one",
    errno.EDQUOT: "the stick is full: delete other files from it, or use a larger one",
    errno.EROFS: "the stick is read-only: slide its lock, or use another one",
    errno.EACCES: "no permission to write there: mount the stick for the kiosk's user",
    errno.EPERM: "no permission to write there: mount the stick for the kiosk's user",
    errno.ENOENT: "there is no such folder: plug the stick in and look where it is mounted",
    errno.ENOTDIR: "that is no folder: give the folder where the stick is mounted",
    errno.EIO: "the stick cannot be read or written: use another one",
    errno.ENODEV: "the stick was pulled out: plug it in and try again",
    errno.EFBIG: "the file is too large for the stick's file system: push or export more often",
}


class ExportError(OSError):
    """A folder or file that cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: the file (None if there was nothing to write), its events, and what the stick had to say.

    `answer` is the server's word found on the stick: "ok", "gap", "fork", or None.
    """

    path: Path | None
    count: int
    answer: Code | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: `code` of its last batch or "damaged" with `detail`, and how many rows are new."""

    path: Path
    device: str
    code: ingest.Code | Literal["damaged"]
    added: int
    detail: str = ""


def export(
    outbox: Outbox, folder: Path, device: str, status: Mapping[str, Any], *, everything: bool = False
) -> Exported:
    """Write the events that no server acknowledged (or all retained ones) to one new file in `folder`.

    An acknowledgement that the server left there is taken over first. Raises ExportError; sqlite3 errors pass.
    """
    wire.check_device(device)
    with _explained(folder):
        code = read_acknowledgement(outbox, folder, device)
        (feed, head) = outbox.feed()
        first = feed.base.seq if everything else feed.cursor
        if head.seq <= first:
            return Exported(None, 0, code)
        path = folder / f"kiosk-{device}-{feed.epoch}-{first + 1:09}-{head.seq:09}.ndjson"
        with _appearing(path) as file:
            for batch in _batches(outbox, device, status, feed.epoch, first, head.seq):
                file.write(batch.plain())
    return Exported(path, head.seq - first, code)


def _batches(
    outbox: Outbox, device: str, status: Mapping[str, Any], epoch: str, after: int, last: int
) -> Iterator[wire.Batch]:
    """Batches up to the event that was the last one at the start; each is one short read of the database."""
    while after < last:
        try:
            reading = outbox.read(after, limit=min(wire.MAX_EVENTS, last - after))
        except NeedsNewEpoch as error:
            outbox.renew(epoch, str(error))
            raise ExportError(f"{error}: a new epoch was started, please export again") from error
        if reading.epoch != epoch or reading.after.seq != after:
            raise ExportError("the feed was renumbered meanwhile, please export again")
        yield reading.batch(device, status)
        after = reading.end.seq


def read_acknowledgement(outbox: Outbox, folder: Path, device: str) -> Code | None:
    """Take over what the server wrote onto the stick for this device; None if it wrote nothing that can be read.

    It is held against our own chain like every answer, so that an old or foreign file moves nothing.
    """
    try:
        ack = _acknowledgement(folder, device)
    except (FileNotFoundError, wire.WireError):
        return None
    epoch, code, position, at = ack
    try:
        outbox.settle(epoch, code, position, at)
    except NeedsNewEpoch as error:
        outbox.renew(epoch, str(error))
        return "fork"
    return code


def _acknowledgement(folder: Path, device: str) -> tuple[str, Code, Position, datetime | None]:
    with ack_path(folder, device).open("rb") as file:
        raw = wire.parse_object(file.read(_MAX_ACK))
    code = raw.get("code", "ok")
    if raw.get("device") != device or code not in ("ok", "gap", "fork") or not isinstance(raw.get("epoch"), str):
        raise wire.WireError("not an acknowledgement for this device")
    try:
        at = wire.parse_instant(raw["now"]) if "now" in raw else None
    except (TypeError, ValueError, OverflowError) as error:
        raise wire.WireError(f"now: {error}") from error
    return raw["epoch"], cast(Code, code), wire.parse_position(raw.get("head")), at


def ack_path(folder: Path, device: str) -> Path:
    """Where the server leaves its answer for a device."""
    return folder / f"kiosk-{device}.ack.json"


def import_path(storage: ingest.SqliteStorage, path: Path, now: datetime) -> list[Imported]:
    """Take in one exported file, or all of a folder in order, and leave an acknowledgement for each device.

    What the server has already is skipped. Of a damaged file the sound batches before the damage are kept, and the
    other files are taken all the same. Raises ExportError when the stick itself cannot be read or written.
    """
    with _explained(path):
        files = sorted(file for file in path.iterdir() if _NAME.fullmatch(file.name)) if path.is_dir() else [path]
        return [_import_file(storage, file, now) for file in files]


def _import_file(storage: ingest.SqliteStorage, path: Path, now: datetime) -> Imported:
    done = Imported(path, "", "damaged", 0, "it is empty: export again")
    last: tuple[wire.Header, ingest.Result] | None = None
    try:
        for batch in _read_file(path):
            with storage.writing():
                result = ingest.ingest(storage, batch)
            done = Imported(path, batch.header.device, result.code, done.added + result.added)
            last = batch.header, result
            if result.code != "ok":
                break
    except (wire.WireError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        done = replace(done, code="damaged", detail=f"{error}; what came before is kept: export again")
    if last:
        _acknowledge(path.parent, *last, now)
    return done


def _acknowledge(folder: Path, header: wire.Header, result: ingest.Result, now: datetime) -> None:
    _, body = ingest.answer(result, header.epoch, now)
    body = {"feed": wire.FEED, "device": header.device, "now": wire.instant(now), **body}
    with _appearing(ack_path(folder, header.device)) as file:
        file.write(json.dumps(body, ensure_ascii=False).encode() + b"\n")


def _read_file(path: Path) -> Iterator[wire.Batch]:
    """The batches of a file, packed or not."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
        yield from wire.read_batches(stream)


@contextmanager
def _appearing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when it is whole and on the disk, and leaves nothing behind when it is not."""
    part = path.with_name(f".{path.name}.part")
    with ExitStack() as left:
        left.callback(_forget, part)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        left.pop_all()
        _sync_folder(path.parent)


def _forget(part: Path) -> None:
    with suppress(OSError):
        part.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an operating system's error into one that says what to do."""
    try:
        yield
    except ExportError:
        raise
    except OSError as error:
        why = _WHY.get(error.errno or 0, error.strerror or str(error))
        raise ExportError(f"{path}: {why}") from error
