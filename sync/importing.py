"""The other end of a USB stick: files that `kiosk export` wrote are taken in, and the answer is left for the kiosk.

It knows files and their formats. What becomes of a batch is for an `Intake` to say: it has a database, and knows whose
files may come in.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

from sync import beside, ingest, wire
from sync.export import FEED_NAME, TEXTS_NAME, ack_path, appearing, explained

MAX_PLAIN = 1 << 30
"""Bytes of one file, unpacked: some years of events. A packed file can claim to hold more than any disk."""


class NotTaken(ValueError):
    """A file of a device from which this server takes none; `why` is a short word for it."""

    def __init__(self, device: str, why: str, message: str) -> None:
        super().__init__(message)
        self.device, self.why = device, why


class Intake(Protocol):
    """Where files go. Both raise NotTaken."""

    def take(self, batch: wire.Batch) -> ingest.Result:
        """Take a checked batch in, in one durable transaction."""

    def take_texts(self, message: beside.Message) -> int:
        """Keep the words of comments; up to which number they are here."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: the `code` of its last batch or what was wrong, and how many rows are new.

    `answer` is what the kiosk is to be told of it; empty for a file of which nothing was read. `why` is the short word
    for a refusal.
    """

    name: str
    device: str
    code: ingest.Code | Literal["damaged", "refused"]
    added: int
    detail: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


def import_path(intake: Intake, path: Path, now: datetime) -> list[Imported]:
    """Take in one exported file, or all of a folder in order, and leave an acknowledgement for each device.

    What the server has already is skipped. Of a damaged file the sound batches before the damage are kept, and the
    other files are taken all the same. Raises ExportError when the stick itself cannot be read or written.
    """
    with explained(path):
        done = [_import_file(intake, file, now) for file in (_files(path) if path.is_dir() else [path])]
        folder = path if path.is_dir() else path.parent
        for device, ack in acknowledgements(done, now).items():
            with appearing(ack_path(folder, device)) as file:
                file.write(ack)
        return done


def _files(folder: Path) -> list[Path]:
    """Events first: words are taken only after their event."""
    files = sorted(folder.iterdir())
    return [file for name in (FEED_NAME, TEXTS_NAME) for file in files if name.fullmatch(file.name)]


def _import_file(intake: Intake, path: Path, now: datetime) -> Imported:
    with path.open("rb") as file:
        return import_file(intake, path.name, file, now)


def import_file(intake: Intake, name: str, file: BinaryIO, now: datetime) -> Imported:
    """Take in one file, packed or plain, of events or of words. Never more than one batch of it is in memory."""
    done = Imported(name, "", "damaged", 0, "it is empty: export again")
    try:
        stream = _Counted(_unpacked(file))
        takes = _texts if _holds_texts(stream) else _events
        for step in takes(intake, stream, now):
            done = replace(step, name=name, added=done.added + step.added)
            if done.code != "ok":
                break
    except NotTaken as error:
        done = replace(done, device=error.device, code="refused", detail=str(error), why=error.why)
    except (wire.WireError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        done = replace(done, code="damaged", detail=f"{error}; what came before is kept: export again")
    return done


def _events(intake: Intake, stream: "_Counted", now: datetime) -> Iterator[Imported]:
    for batch in wire.read_batches(cast(BinaryIO, stream)):
        result = intake.take(batch)
        _, body = ingest.answer(result, batch.header.epoch, now)
        yield Imported("", batch.header.device, result.code, result.added, answer=body)


def _texts(intake: Intake, stream: "_Counted", now: datetime) -> Iterator[Imported]:
    stuck: int | None = None
    for message in beside.read_messages(cast(BinaryIO, stream)):
        upto = intake.take_texts(message)
        told = upto if stuck is None else stuck
        yield Imported("", message.device, "ok", 0, answer={"epoch": message.epoch, "texts": told})
        stuck = told if stuck is not None or upto < message.last else None


def acknowledgements(files: list[Imported], now: datetime) -> dict[str, bytes]:
    """What the server leaves on the stick for each device: the answer to its last file of events, and the words."""
    answers: dict[str, dict[str, Any]] = {}
    for done in files:
        if done.answer:
            about = {"feed": wire.FEED, "device": done.device, "now": wire.instant(now)}
            before = answers.get(done.device, {})
            words = {"texts": before["texts"]} if "texts" in before else {}
            # An answer about words adds to the one about events; a new one about events takes the place of the last.
            answers[done.device] = {**about, **words, **(before if "texts" in done.answer else {}), **done.answer}
    return {device: json.dumps(answer, ensure_ascii=False).encode() + b"\n" for device, answer in answers.items()}


# --- reading --------------------------------------------------------------------------------------------------


def _unpacked(file: BinaryIO) -> BinaryIO:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file


def _holds_texts(stream: "_Counted") -> bool:
    first = stream.readline(wire.MAX_EVENT + 1)
    stream.rewind()
    return first.startswith(b'{"texts"')


class _Counted:
    """A file of which only so many bytes are read, however many it claims to hold."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, MAX_PLAIN

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise wire.BatchTooLarge(f"more than {MAX_PLAIN} bytes")
        return line

    def rewind(self) -> None:
        self._file.seek(0)


class Storing:
    """The intake of a server that takes whatever comes: the receiver's."""

    def __init__(self, storage: ingest.SqliteStorage) -> None:
        self._storage = storage

    def take(self, batch: wire.Batch) -> ingest.Result:
        with self._storage.writing():
            return ingest.ingest(self._storage, batch)

    def take_texts(self, message: beside.Message) -> int:
        raise NotTaken(message.device, "texts", "this server keeps no words of comments")
