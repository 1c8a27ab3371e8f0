"""The feed by hand: events as files in a folder (a USB stick), and the server's acknowledgement on the same stick.

A file is one batch after another, each with the header that a push would have; the words of comments are a second file.
It knows files and the outbox, no network. A file appears under its name only when all of it is on the stick.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from sync import beside, wire
from sync.beside import Message, Texts
from sync.outbox import Code, NeedsNewEpoch, Outbox, Overtaken
from sync.wire import Position

FEED_NAME = re.compile(r"kiosk-.+-[0-9a-f]{16}-[0-9]{9,}-[0-9]{9,}\.ndjson(\.gz)?")
TEXTS_NAME = re.compile(r"kiosk-.+-texts\.ndjson(\.gz)?")
_MAX_ACK = 64 * 1024
_WHY = {
    errno.ENOSPC: ("full", "the stick is full: delete other files from it, or use a larger one"),
    errno.EDQUOT: ("full", "the stick is full: delete other files from it, or use a larger one"),
    errno.EROFS: ("read_only", "the stick is read-only: slide its lock, or use another one"),
    errno.EACCES: ("no_access", "no permission to write there: mount the stick for the kiosk's user"),
    errno.EPERM: ("no_access", "no permission to write there: mount the stick for the kiosk's user"),
    errno.ENOENT: ("no_folder", "there is no such folder: plug the stick in and look where it is mounted"),
    errno.ENOTDIR: ("no_folder", "that is no folder: give the folder where the stick is mounted"),
    errno.EIO: ("broken", "the stick cannot be read or written: use another one"),
    errno.ENODEV: ("pulled_out", "the stick was pulled out: plug it in and try again"),
    errno.EFBIG: ("too_large", "the file is too large for the stick's file system: push or export more often"),
}


class ExportError(OSError):
    """A folder or file that cannot be used; the message says what to do.

    `code` names the same for whoever says it in another language, "" where it has no name; `path` is what it is about.
    """

    def __init__(self, message: str, code: str = "", path: Path | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.path = path


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: the file (None if there was nothing to write), its events, and what the stick had to say.

    `answer` is the server's word found on the stick: "ok", "gap", "fork", or None. `texts` counts words of comments.
    """

    path: Path | None
    count: int
    answer: Code | None
    texts: int = 0


def export(
    outbox: Outbox,
    folder: Path,
    device: str,
    status: Mapping[str, Any],
    *,
    everything: bool = False,
    texts: Texts | None = None,
) -> Exported:
    """Write the events that no server acknowledged (or all retained ones) to one new file in `folder`.

    The words of comments go into a second one, which is taken away when nothing waits. An acknowledgement that the
    server left there is taken over first. Raises ExportError; what outbox and texts raise of their own passes.
    """
    wire.check_device(device)
    with explained(folder):
        code = read_acknowledgement(outbox, folder, device, texts)
        (feed, head) = outbox.feed()
        words = _write_texts(texts, folder, device, feed.epoch, everything) if texts else 0
        first = feed.base.seq if everything else feed.cursor
        if head.seq <= first:
            return Exported(None, 0, code, words)
        path = folder / f"kiosk-{device}-{feed.epoch}-{first + 1:09}-{head.seq:09}.ndjson"
        with appearing(path) as file:
            for batch in _batches(outbox, device, status, feed.epoch, first, head.seq):
                file.write(batch.plain())
    return Exported(path, head.seq - first, code, words)


def _write_texts(texts: Texts, folder: Path, device: str, epoch: str, everything: bool) -> int:
    """The file of words, whole or away; how many there are."""
    path, count = folder / f"kiosk-{device}-texts.ndjson", 0
    after, waiting = texts.waiting(0 if everything else None)
    if not waiting:
        path.unlink(missing_ok=True)
        return 0
    with appearing(path) as file:
        while waiting:
            message = Message(device, after, waiting, epoch)
            file.write(beside.encode(message))
            count += len(waiting)
            after, waiting = texts.waiting(message.last)
    return count


def _batches(
    outbox: Outbox, device: str, status: Mapping[str, Any], epoch: str, after: int, last: int
) -> Iterator[wire.Batch]:
    """Batches up to the event that was the last one at the start; each is one short read of the database."""
    while after < last:
        try:
            reading = outbox.read(after, limit=min(wire.MAX_EVENTS, last - after))
        except NeedsNewEpoch as error:
            outbox.renew(epoch, str(error))
            raise ExportError(f"{error}: a new epoch was started, please export again", "again") from error
        if reading.epoch != epoch or reading.after.seq != after:
            raise ExportError("the feed was renumbered meanwhile, please export again", "again")
        yield reading.batch(device, status)
        after = reading.end.seq


def read_acknowledgement(outbox: Outbox, folder: Path, device: str, texts: Texts | None = None) -> Code | None:
    """Take over what the server wrote onto the stick for this device; None if it wrote nothing that can be read.

    It is held against our own chain like every answer, so that an old or foreign file moves nothing.
    """
    try:
        ack = _acknowledgement(folder, device)
    except (FileNotFoundError, wire.WireError):
        return None
    code = ack.code
    try:
        if ack.position:
            outbox.settle(ack.epoch, code, ack.position, ack.at)
        if ack.newest > ack.epoch == outbox.feed()[0].epoch:
            raise Overtaken(ack.newest)
    except NeedsNewEpoch as error:
        outbox.renew(ack.epoch, str(error), error.beyond)
        code = "fork"
    if texts:
        _settle_texts(texts, ack, code, outbox.feed()[0].epoch)
    return code if ack.position else None


def _settle_texts(texts: Texts, ack: "_Ack", code: Code, epoch: str) -> None:
    """Only forward: a stick can bring an answer of long ago. A server that was restored gets all words again."""
    if code != "ok":
        texts.settle(0)
    elif ack.epoch == epoch and ack.texts > texts.waiting(limit=0)[0]:
        texts.settle(ack.texts)


@dataclass(frozen=True, slots=True)
class _Ack:
    epoch: str
    code: Code
    position: Position | None
    at: datetime | None
    texts: int
    newest: str


def _acknowledgement(folder: Path, device: str) -> _Ack:
    with ack_path(folder, device).open("rb") as file:
        raw = wire.parse_object(file.read(_MAX_ACK))
    code, texts = raw.get("code", "ok"), raw.get("texts", 0)
    if raw.get("device") != device or code not in ("ok", "gap", "fork") or not isinstance(raw.get("epoch"), str):
        raise wire.WireError("not an acknowledgement for this device")
    try:
        at = wire.parse_instant(raw["now"]) if "now" in raw else None
    except (TypeError, ValueError, OverflowError) as error:
        raise wire.WireError(f"now: {error}") from error
    # An answer to words alone says nothing of events.
    position = None if "texts" in raw and "head" not in raw else wire.parse_position(raw.get("head"))
    said = texts if wire.is_count(texts) else 0
    return _Ack(raw["epoch"], cast(Code, code), position, at, said, wire.likely_epoch(raw.get("newest")))


def ack_path(folder: Path, device: str) -> Path:
    """Where the server leaves its answer for a device."""
    return folder / ack_name(device)


def ack_name(device: str) -> str:
    """What that file is called."""
    return f"kiosk-{device}.ack.json"


@contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
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
def explained(path: Path) -> Iterator[None]:
    """Turn an operating system's error into one that says what to do."""
    try:
        yield
    except ExportError:
        raise
    except OSError as error:
        code, why = _WHY.get(error.errno or 0, ("", error.strerror or str(error)))
        raise ExportError(f"{path}: {why}", code, path) from error
