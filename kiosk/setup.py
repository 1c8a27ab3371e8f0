"""From files to what the parts are made of: configuration, office document, sentences, logging."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from kiosk import languages
from kiosk import office as offices
from kiosk.config import Config, load_config
from kiosk.documents import DocumentError
from kiosk.office import Office
from kiosk.present.words import Words
from kiosk.texts import Texts
from kiosk.wiring import check_against

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


def load(path: str | Path | None) -> Setup:
    """Configuration and office document, checked against each other before any hardware is touched.

    Raises DocumentError, also for keys of services and counters that the office does not have.
    """
    config = load_device(path)
    office = load_office(config)
    if wrong := check_against(config, office):
        raise DocumentError(wrong)
    return Setup(config, office, words(config, office))


def load_office(config: Config) -> Office:
    """The configured office document, or the sample office."""
    return offices.load(config.office) if config.office else offices.sample()


def words(config: Config, office: Office) -> Words:
    """The office's names and the sentences of all languages; a file of a language that cannot be used is only said."""
    further = languages.read(Path(config.screen.lang_dir))
    for problem in further.problems:
        logger.warning("%s", problem)
    texts = Texts(config.language, office.texts, office.rules.address, further.sentences)
    return Words(office, texts, config.public.url, str(Path(config.office).parent) if config.office else "")
