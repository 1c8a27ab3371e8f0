"""Documents of the commune server: fetched when the answer to a push offers another one, and once each."""

import logging

from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.receiving import Receiver
from kiosk.store.database import Database
from kiosk.store.downloads import Looked
from sync import offers
from sync.client import Client, Outcome
from sync.exchange import Silent
from sync.offers import Kind, Offer, Unsound

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
            found = offers.document(self.client, kind, offers.etag(looked.version, looked.sha256))
            if isinstance(found, Offer):
                self.receiver.take(kind, found, lambda sha256: offers.photo(self.client, sha256), now)
            elif found == "same":
                self.receiver.downloads.note_offered(now, kind, version)
            self._trouble = ""
        except (Silent, Unsound) as error:
            if self._trouble != str(error):  # once, not with each push
                logger.warning("the %s document of the server: %s", kind, error)
            self._trouble = str(error)
