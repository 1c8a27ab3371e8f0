"""The console follows what is decided elsewhere: another office document, chosen settings, a wish that it restarts."""

import logging
from collections.abc import Callable, Sequence

from kiosk import setup
from kiosk.clock import Moment
from kiosk.console.access import Access
from kiosk.console.site import Site
from kiosk.documents import DocumentError
from kiosk.store import Store, StoreCorrupt, StoreError
from kiosk.store.offices import OfficeVersion
from kiosk.store.orders import Order

PART = "console"
LOOK_S = 10.0

logger = logging.getLogger(__name__)


class Following:
    """`run` until cancelled. `stop` ends the console, so that systemd starts it afresh."""

    def __init__(self, access: Access, sites: Sequence[Site], stop: Callable[[], None]) -> None:
        self.access = access
        self.sites = sites
        self.stop = stop
        self._version = 0

    async def run(self) -> None:
        revision = -1
        while True:
            revision = await self.access.changed(revision, LOOK_S)
            try:
                await self._follow_office()
                if order := await self.access.ask(lambda store, now: store.orders.take(now, PART)):
                    await self._obey(order)
            except StoreCorrupt:
                raise
            except StoreError:
                continue  # `access` has said it

    async def _follow_office(self) -> None:
        newest = await self.access.ask(self._newer)
        if newest is None:
            return
        if newest.sha256 != self.sites[0].words.office.sha256:
            await self._adopt(newest.text)
        self._version = newest.id

    def _newer(self, store: Store, now: Moment) -> OfficeVersion | None:
        return None if store.offices.newest_id() == self._version else store.offices.newest()

    async def _adopt(self, text: str) -> None:
        fresh = setup.adopted(self.sites[0].config, text)
        if fresh is None:
            return
        office, words = fresh
        await self.access.ask(lambda store, now: store.use(office.rulebook()))
        for site in self.sites:
            site.use(words)
        self.access.wake()

    def _settle(self) -> bool:
        """Take over what was chosen; a file that somebody else has spoilt meanwhile changes nothing."""
        try:
            config = setup.settled(self.sites[0].config)
        except DocumentError as error:
            logger.error("the settings are kept as they were: %s", error)
            return False
        for site in self.sites:
            site.config = config
            site.use(setup.words(config, site.words.office))
        self.access.wake()
        return True

    async def _obey(self, order: Order) -> None:
        done = order.kind != "settings" or self._settle()
        if order.kind == "restart":
            logger.info("restart, asked for by %s", order.by)
            self.stop()  # the next start ends the order, if nothing can be written now
        await self.access.ask(lambda store, now: store.orders.end(now, order.id, "done" if done else "failed"))
