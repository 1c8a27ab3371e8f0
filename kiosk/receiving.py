"""Judges documents of the commune server as a technician's are judged, and puts them in force, however they came.

What cannot be used leaves in force what was there, and is reported in the feed. It knows no network.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256 as digest
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kiosk import documents, revising, setup
from kiosk.board_document import BoardDocument
from kiosk.clock import BELIEVABLE, Moment
from kiosk.config import Config
from kiosk.documents import DocumentError, Problem
from kiosk.dossiers import problem as figures_problem
from kiosk.office import Office
from kiosk.store.database import Database
from kiosk.store.downloads import Downloads, Looked, Said
from kiosk.store.durable import sync_folder
from kiosk.store.offices import owned_by_server
from sync.offers import Kind, Offer, etag

LETTERS = 300

Photos = Callable[[str], bytes | None]
"""A photo by its hash, None when there is none."""

logger = logging.getLogger(__name__)


class Receiver:
    """Judges documents and puts them in force, however they came."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.downloads = Downloads(database)
        self.photos = Path(config.data_dir) / setup.PHOTOS

    def take(self, kind: Kind, found: Offer, photo: Photos, now: Moment) -> Looked:
        """Judge a document and put it in force, photos first; what became of it.

        Raises StoreError, and OSError when a photo cannot be kept: then nothing happened.
        """
        try:
            if kind == "office":
                self._take_office(found, photo, now)
            else:
                self._take_board(found, now)
            logger.info("version %d of the server's %s document is in force", found.version, kind)
        except DocumentError as error:
            logger.error("version %d of the server's %s document: %s", found.version, kind, error)
            problems = [plain(one) for one in error.problems]
            self.downloads.refuse(now, kind, found.version, found.sha256, problems)
        return self.downloads.looked(kind)

    def _take_office(self, found: Offer, photo: Photos, now: Moment) -> None:
        office = self._office(found.content)
        missing = list(self._fetch_photos(office, photo))
        for one in missing:
            logger.warning("%s", one)
        self.downloads.apply_office(
            now,
            found.version,
            found.sha256,
            office.to_json().decode(),
            office.sha256,
            [one.id for one in office.counters],
            [plain(one) for one in missing],
        )

    def _office(self, content: bytes) -> Office:
        """Checked as a technician's text is, and as the next version of this office. Raises DocumentError."""
        documents.parse(content, "")  # says so where it is no UTF-8
        office = revising.read(content.decode("utf-8-sig"), self.config, "")
        before = setup.load_office(self.config) if owned_by_server(self.downloads.database.conn) else office
        if wrong := revising.moved(before, office):
            raise DocumentError(wrong)
        return office

    def _take_board(self, found: Offer, now: Moment) -> None:
        document = BoardDocument.from_json(found.content, "")
        if document.dossiers:
            # A clock that is not believed tells no future from the past.
            latest = now.at if now.trusted else now.at + BELIEVABLE
            if says := figures_problem(document.dossiers.as_dossiers(), latest):
                raise DocumentError([Problem("", "dossiers.as_of", "[dossiers] as_of", says)])
        self.downloads.apply_board(now, found.version, found.sha256, document)

    def _fetch_photos(self, office: Office, photo: Photos) -> Iterator[Problem]:
        """Keep the photos that the document names and the device does not have; those that nobody has are told."""
        for path, name in revising.pictures(office):
            if (sha256 := revising.photo_hash(name)) and not (self.photos / name).exists():
                content = photo(sha256)
                if content is None:
                    yield revising.missing_photo(path, name)
                else:
                    keep_photo(self.photos, name, content)

    def missing_photos(self, office: Office) -> list[str]:
        """Hashes of the photos that a document names and the device does not have."""
        named = [name for _, name in revising.pictures(office) if not (self.photos / name).exists()]
        return [sha256 for name in named if (sha256 := revising.photo_hash(name))]


def keep_photo(folder: Path, name: str, content: bytes) -> None:
    """Whole or not at all, so that a file with this name is the photo."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.part"
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / name)
    sync_folder(folder)


def plain(problem: Problem) -> Said:
    """A problem as the feed tells it; the server has the same sentences."""
    values = {name: str(value)[:LETTERS] for name, value in problem.values.items()}
    where = " ".join(part for part in (Path(problem.file).name, problem.where) if part)
    texts: Mapping[str, Any] = {"path": problem.path, "where": where, "message": problem.message}
    return {**{name: text[:LETTERS] for name, text in texts.items()}, "key": problem.key, "values": values}


# --- a server that brings them itself -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a server that puts a document: HTTP status, JSON object, and the etag of what was judged last."""

    status: HTTPStatus
    body: Mapping[str, Any]
    etag: str = ""


def put_document(
    receiver: Receiver, kind: Kind, content: bytes, if_match: str, now: Moment, *, photos_sent: bool = False
) -> Reply:
    """PUT of a document: `if_match` names the one that the server believes to be here ("*": whatever it is).

    `photos_sent`: the server has no more photos than it put. docs/feed.md has the answers. Raises StoreError.
    """
    looked = receiver.downloads.looked(kind)
    here = etag(looked.version, looked.sha256)
    try:
        version = documents.parse(content, "").get("version")
    except DocumentError as error:
        return Reply(HTTPStatus.BAD_REQUEST, {"code": "bad_request", "message": str(error)[:LETTERS]}, here)
    if type(version) is not int or version < 1:
        return Reply(HTTPStatus.BAD_REQUEST, {"code": "bad_request", "message": "the document has no version"}, here)
    found = Offer(version, digest(content).hexdigest(), content)
    if (found.version, found.sha256) != (looked.version, looked.sha256):
        if if_match not in ("*", here):
            return Reply(HTTPStatus.PRECONDITION_FAILED, {"code": "changed", "message": "another one is here"}, here)
        if version < looked.version:
            receiver.downloads.note_offered(now, kind, version)
            return Reply(HTTPStatus.CONFLICT, {"code": "older", "message": "a newer one is here"}, here)
        if not photos_sent and (missing := _missing(receiver, kind, content)):
            return Reply(HTTPStatus.CONFLICT, {"code": "photos", "message": "put these first", "photos": missing}, here)
        looked = receiver.take(kind, found, lambda name: None, now)
    body = {"version": looked.version, "ok": not looked.refused, "problems": list(looked.problems)}
    return Reply(HTTPStatus.OK, body, etag(looked.version, looked.sha256))


def put_photo(receiver: Receiver, sha256: str, content: bytes) -> Reply:
    """PUT of a photo that a document will name. Raises OSError when it cannot be kept."""
    if digest(content).hexdigest() != sha256:
        return Reply(HTTPStatus.BAD_REQUEST, {"code": "bad_request", "message": "the hash is that of other bytes"})
    suffix = "png" if content.startswith(b"\x89PNG") else "jpg"
    keep_photo(receiver.photos, f"{sha256}.{suffix}", content)
    return Reply(HTTPStatus.OK, {"ok": True})


def _missing(receiver: Receiver, kind: Kind, content: bytes) -> list[str]:
    """Photos to be put before the document; none of a document that cannot be used anyway."""
    try:
        return receiver.missing_photos(Office.from_json(content, "")) if kind == "office" else []
    except DocumentError:
        return []
