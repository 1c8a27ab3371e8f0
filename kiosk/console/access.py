"""The console's way to the database: one thread that asks and writes for all requests, and sees what others wrote.

Knows no page. A request never waits for the disk on the event loop; requests wait for each other, which is what makes
two clerks' clicks one after the other.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from kiosk.clock import Clock, Moment, Vouched
from kiosk.store import Store, StoreError

T = TypeVar("T")
ANSWER_FIRST_S = 0.01
"""How long the pages that follow wait with their drawing, so that who wrote is answered before."""
LOOK_S = 0.1
"""How soon what another process wrote is seen."""
HOUSE_EACH = 10
"""Looks between two rounds of what else is due."""

logger = logging.getLogger(__name__)


class Access:
    """The opened store in its thread. `revision` differs from before when anything was written."""

    def __init__(self, open_store: Callable[[], Store], clock: Clock) -> None:
        self.revision = 0
        self.clock = clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._open = open_store
        self._store: Store | None = None
        self._seen: tuple[int, int] | None = None
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Raises StoreError when the database cannot be used."""
        self._loop = asyncio.get_running_loop()
        self._store = await self._loop.run_in_executor(self._pool, self._open)

    async def ask(self, what: Callable[[Store, Moment], T], actor: str = "") -> T:
        """Read or write; events of a write name the `actor`. Raises what `what` raises: Refused, StoreError."""
        assert self._loop is not None
        return await self._loop.run_in_executor(self._pool, self._do, what, actor)

    async def changed(self, since: int, timeout_s: float) -> int:
        """Wait until something was written since that revision, or so long; the revision now."""
        if self.revision == since:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), timeout_s)
        return self.revision

    async def watch(self) -> None:
        """Look for what other processes write, until cancelled. Raises StoreError: restart to mend it."""
        looks = 0
        while True:
            looks += 1
            await self.ask(self._keep_house if looks % HOUSE_EACH == 0 else lambda store, now: None)
            await asyncio.sleep(LOOK_S)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self.revision += 1
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _written(self) -> None:
        assert self._loop is not None
        self.revision += 1
        self._loop.call_later(ANSWER_FIRST_S, self._tell)

    async def close(self) -> None:
        assert self._loop is not None
        if self._store:
            await self._loop.run_in_executor(self._pool, self._store.close)
        self._pool.shutdown()

    # --- in the thread ---------------------------------------------------------------------------------------

    def _do(self, what: Callable[[Store, Moment], T], actor: str) -> T:
        assert self._store is not None
        assert self._loop is not None
        self._store.database.actor = actor
        try:
            return what(self._store, self.clock.now())
        finally:
            self._store.database.actor = ""
            change = self._store.change()
            if change != self._seen:
                self._seen = change
                self._loop.call_soon_threadsafe(self._written)

    def _keep_house(self, store: Store, now: Moment) -> None:
        """Services that nobody started begin here too: a hall may run for a while without the kiosk's own process."""
        store.database.check_mark()
        self.clock.vouched = Vouched.read(store.fact("vouched"))
        with suppress(StoreError):
            store.counters.tick(now)
