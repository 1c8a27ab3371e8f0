"""What other processes ask of the running kiosk: another office document, a key test, a restart, chosen settings.

Looks only when something was written. It knows the database and five things that the loop can do; no key, no picture.
"""

import json
import logging
from typing import Protocol

from kiosk.clock import Moment
from kiosk.office import Office
from kiosk.present.words import Words
from kiosk.store import Store

PART = "kiosk"
KEY_TEST_S = 180
"""A key test that nobody ends ends by itself: citizens wait."""
PRESSES_KEPT = 60

logger = logging.getLogger(__name__)


class Able(Protocol):
    """What the loop can do. `read` turns an applied text into what `adopt` takes, None when it cannot be used."""

    def read(self, text: str) -> tuple[Office, Words] | None: ...
    def adopt(self, office: Office, words: Words) -> None: ...
    def settle(self) -> None: ...
    def poke(self) -> None: ...
    def restart(self) -> None: ...


class Orders:
    """Orders for `kiosk run`. `look` with every round; `noted` with every press."""

    def __init__(self, store: Store, sha256: str, able: Able) -> None:
        self.store = store
        self.able = able
        self.refused = 0
        """Version of the newest office document when it cannot be used, 0 when it is in force."""
        self._sha256 = sha256
        self._version = 0
        self._seen: tuple[int, int] | None = None
        self._test = 0
        self._presses: list[list[str]] = []

    def begin(self, now: Moment) -> None:
        """What was asked of the kiosk before it started is over. Raises StoreError."""
        self.store.orders.begin(now, PART)

    def look(self, now: Moment) -> None:
        """Do what is asked. Raises StoreError; what could not be done then is looked at again in the next round."""
        change = self.store.change()
        if change == self._seen:
            return
        self._follow_office()
        while order := self.store.orders.take(now, PART):
            logger.info("%s, asked for by %s", order.kind, order.by)
            match order.kind:
                case "restart":
                    self.able.restart()  # the next start ends the order, if nothing can be written now
                    self.store.orders.end(now, order.id)
                case "settings":
                    self.able.settle()
                    if order.data:  # what is to be printed by the printer that was chosen now
                        self.store.orders.give(now, "printer", order.data, by=order.by)
                    self.store.orders.end(now, order.id)
                case "keys":
                    self._test, self._presses = order.id, []
                case _:
                    self.store.orders.end(now, order.id, "failed", "unknown")
        if self.store.orders.waits("printer"):
            self.able.poke()
        self._seen = change

    def noted(self, action: str, source: str, now: Moment) -> bool:
        """Whether a press belongs to a key test: it is noted then, and means nothing else. Raises StoreError."""
        if not self._test:
            return False
        order = self.store.orders.get(now, self._test)
        if order is None or order.state != "running" or order.age_s > KEY_TEST_S:
            self.store.orders.end(now, self._test)
            self._test = 0
            return False
        self._presses = [*self._presses, [action, source, f"{now.local:%H:%M:%S}"]][-PRESSES_KEPT:]
        self.store.orders.answer(now, self._test, json.dumps(self._presses))
        return True

    def _follow_office(self) -> None:
        version = self.store.offices.newest_id()
        if version == self._version:
            return
        newest = self.store.offices.newest()
        if newest is not None and newest.sha256 != self._sha256:
            fresh = self.able.read(newest.text)
            if fresh:
                self.able.adopt(*fresh)
                logger.info("version %d of the office document is in force", newest.version)
            self.refused = 0 if fresh else newest.version
            self._sha256 = newest.sha256
        self._version = version
