"""From files and the database to what the parts are made of: configuration, office document, sentences, logging."""

import logging
import sys
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from kiosk import languages, revising
from kiosk import office as offices
from kiosk.config import Config, load_config
from kiosk.documents import DocumentError
from kiosk.office import Office
from kiosk.present.words import Words
from kiosk.store.database import StoreError
from kiosk.store.look import applied_offices
from kiosk.store.offices import OfficeVersion
from kiosk.texts import Texts
from kiosk.wiring import check_against

PHOTOS = "photos"
"""Folder in `data_dir` of the pictures that came in by a page or with a document."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a kiosk is made from."""

    config: Config
    office: Office
    words: Words


def load_device(path: str | Path | None) -> Config:
    """The device's configuration, with logging set up as it says. Raises DocumentError."""
    config = load_config(path)
    logging.basicConfig(
        level=config.log_level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True
    )
    return config


def where(config: Config, t: Texts) -> str:
    """Which configuration a command reads and on which data it works, in a line for whoever typed it."""
    return t("check.where", tep=config.file or t("check.defaults"), noi=config.data_dir)


def say_defaults(config: Config) -> None:
    """Where no kiosk.toml is, nobody has chosen the data that a command is about to change: say which they are."""
    if not config.file:
        print(where(config, Texts(config.language)), file=sys.stderr)


def load(path: str | Path | None) -> Setup:
    """Configuration and office document, checked against each other before any hardware is touched.

    Raises DocumentError, also for keys of services and counters that the office does not have.
    """
    config = load_device(path)
    office = load_office(config)
    if wrong := check_against(config, office):
        raise DocumentError(wrong)
    return Setup(config, office, words(config, office))


@dataclass(frozen=True, slots=True)
class Document:
    """The office document in force: its text, the file that it is from, or the applied version that it is."""

    text: str
    file: str
    office: Office
    applied: OfficeVersion | None = None

    @property
    def id(self) -> int:
        """Among the applied ones; 0 for a file."""
        return self.applied.id if self.applied else 0


def load_office(config: Config) -> Office:
    """The newest applied document that can be used, else the configured file, else the sample office."""
    applied = _applied(config)
    return applied.office if applied else _configured(config)


def load_text(config: Config) -> Document:
    """The same with the text as it was entered."""
    if applied := _applied(config):
        return applied
    office = _configured(config)
    path = Path(config.office) if config.office else resources.files("kiosk.assets") / "office.sample.toml"
    return Document(path.read_text("utf-8"), config.office, office)


def _configured(config: Config) -> Office:
    return offices.load(config.office) if config.office else offices.sample()


def _applied(config: Config) -> Document | None:
    """A database that cannot be read stops nothing: it is said, and the file is used."""
    try:
        versions = applied_offices(Path(config.data_dir))
    except StoreError as error:
        logger.warning("the office document is taken from its file: %s", error)
        return None
    for version in versions:
        try:
            office = Office.from_json(version.text.encode(), f"office version {version.id}")
        except DocumentError as error:
            logger.error("version %d of the office document cannot be used: %s", version.id, error)
            continue
        return Document(version.text, "", office, version)
    return None


def adopted(config: Config, text: str) -> tuple[Office, Words] | None:
    """What a running process goes on with when a text was applied; None, and a line in the log, when it cannot."""
    try:
        office = revising.read(text, config)
    except DocumentError as error:
        logger.error("the applied office document cannot be used: %s", error)
        return None
    return office, words(config, office)


def settled(config: Config) -> Config:
    """The configuration with the printer and the language that set-up has chosen meanwhile. Raises DocumentError."""
    fresh = load_config(config.file or None)
    return replace(config, printer=fresh.printer, language=fresh.language)


def words(config: Config, office: Office) -> Words:
    """The office's names and the sentences of all languages; a file of a language that cannot be used is only said."""
    further = languages.read(Path(config.screen.lang_dir))
    for problem in further.problems:
        logger.warning("%s", problem)
    texts = Texts(config.language, office.texts, office.rules.address, further.sentences)
    beside = str(Path(config.office).parent) if config.office else ""
    return Words(office, texts, config.public.url, beside, str(Path(config.data_dir) / PHOTOS))
