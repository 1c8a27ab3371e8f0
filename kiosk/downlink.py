"""Documents of the commune server: fetched when there is another one, judged as a technician's are, put in force.

What cannot be used leaves in force what was there, is reported in the feed, and is not fetched again.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
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
from sync import fetch
from sync.client import Client, Outcome
from sync.exchange import Silent
from sync.fetch import Fetched, Kind, Unsound

LETTERS = 300

Photos = Callable[[str], bytes | None]
"""A photo by its hash, None when there is none."""

logger = logging.getLogger(__name__)


class Downlink:
    """Follows what the answers to pushes offer."""

    def __init__(self, config: Config, database: Database, client: Client) -> None:
        self.client = client
        self.receiver = Receiver(config, database)
        self._trouble = ""

    def follow(self, outcome: Outcome, now: Moment) -> None:
        """Fetch and take what is new. What went wrong on the way is tried again after the next push.

        Raises StoreCorrupt.
        """
        offers: tuple[tuple[Kind, int | None], ...] = (("office", outcome.office), ("board", outcome.board))
        for kind, version in offers:
            looked = self.receiver.downloads.looked(kind)
            if version and version != looked.offered:
                self._follow(kind, version, looked, now)

    def _follow(self, kind: Kind, version: int, looked: Looked, now: Moment) -> None:
        if version < looked.version:
            says = "the server offers version %d of the %s document, this kiosk keeps its version %d"
            logger.warning(says, version, kind, looked.version)
            self.receiver.downloads.note_offered(now, kind, version)
            return
        try:
            found = fetch.document(self.client, kind, fetch.etag(looked.version, looked.sha256))
            if isinstance(found, Fetched):
                self.receiver.take(kind, found, lambda sha256: fetch.photo(self.client, sha256), now)
            elif found == "same":
                self.receiver.downloads.note_offered(now, kind, version)
            self._trouble = ""
        except (Silent, Unsound) as error:
            if self._trouble != str(error):  # once, not with each push
                logger.warning("the %s document of the server: %s", kind, error)
            self._trouble = str(error)


class Receiver:
    """Judges documents and puts them in force, however they came."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.downloads = Downloads(database)
        self.photos = Path(config.data_dir) / setup.PHOTOS

    def take(self, kind: Kind, found: Fetched, photo: Photos, now: Moment) -> Looked:
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

    def _take_office(self, found: Fetched, photo: Photos, now: Moment) -> None:
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

    def _take_board(self, found: Fetched, now: Moment) -> None:
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
                    _keep(self.photos, name, content)

    def missing_photos(self, office: Office) -> list[str]:
        """Hashes of the photos that a document names and the device does not have."""
        named = [name for _, name in revising.pictures(office) if not (self.photos / name).exists()]
        return [sha256 for name in named if (sha256 := revising.photo_hash(name))]


def _keep(folder: Path, name: str, content: bytes) -> None:
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
