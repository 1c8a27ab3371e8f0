"""The console's way to the database: one thread that asks and writes for all requests, and sees what others wrote.

Knows no page. A request never waits for the disk on the event loop; requests wait for each other, which is what makes
two clerks' clicks one after the other. While another program writes, it is the loop that waits, and the thread reads.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from kiosk.clock import Clock, Moment, Vouched
from kiosk.store import Store, StoreBusy, StoreCorrupt, StoreError
from kiosk.store.database import connect

T = TypeVar("T")
ANSWER_FIRST_S = 0.01
"""How long the pages that follow wait with their drawing, so that who wrote is answered before."""
PATIENCE_S = 2.0
"""So long what is asked waits in all for another program that writes; then whoever asked is told, and it is over."""
TRY_MS = 10
"""So long the thread itself waits each time: all others wait along."""
AGAIN_S = 0.05
LOOK_S = 0.1
"""How soon what another process wrote is seen."""
HOUSE_S = 1.0
"""How often what else is due is done."""

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
        self._watch: _Watch | None = None
        self._trouble = ""
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Raises StoreError when the database cannot be used."""
        self._loop = asyncio.get_running_loop()
        self._store = store = await self._loop.run_in_executor(self._pool, self._open)
        await self._loop.run_in_executor(self._pool, store.database.be_patient, TRY_MS)
        self._watch = await self.ask(lambda store, now: _Watch(store.database.path, self._look_soon))
        self._watch.start()

    async def ask(self, what: Callable[[Store, Moment], T], actor: str = "") -> T:
        """Read or write; events of a write name the `actor`. Raises what `what` raises: Refused, StoreError.

        While another program writes, `what` is done again until it can be, or for `PATIENCE_S`: of several transactions
        in it the first ones may have to bear that.
        """
        assert self._loop is not None
        until = self._loop.time() + PATIENCE_S
        while True:
            try:
                return await self._loop.run_in_executor(self._pool, self._do, what, actor)
            except StoreBusy as busy:
                if self._loop.time() >= until:
                    self._note(str(busy))
                    raise
            await asyncio.sleep(AGAIN_S)

    async def changed(self, since: int, timeout_s: float) -> int:
        """Wait until something was written since that revision, or so long; the revision now."""
        if self.revision == since:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
        return self.revision

    async def keep_house(self) -> None:
        """Do what is due, until cancelled. Raises StoreCorrupt: a restart mends it.

        A disk that is full, or held by another program, is waited for: a restart would sign nobody in.
        """
        while True:
            await asyncio.sleep(HOUSE_S)
            try:
                await self.ask(self._keep_house)
            except StoreCorrupt:
                raise
            except StoreError:
                pass  # `_do` has said it

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
        if self._watch:
            await asyncio.to_thread(self._watch.close)
        if self._store:
            await self._loop.run_in_executor(self._pool, self._store.close)
        self._pool.shutdown()

    # --- in the thread ---------------------------------------------------------------------------------------

    def _look_soon(self) -> None:
        self._pool.submit(self._do, lambda store, now: None, "")

    def _do(self, what: Callable[[Store, Moment], T], actor: str) -> T:
        store = self._store
        assert store is not None
        store.database.actor = actor
        try:
            return self._answer(store, what)
        except StoreBusy:
            raise  # `ask` tries again
        except StoreError as error:
            self._note(str(error))
            raise
        finally:
            store.database.actor = ""
            # What was answered stands, also when nobody can see now whether others wrote: the next look will.
            with suppress(StoreError):
                self._look(store)

    def _answer(self, store: Store, what: Callable[[Store, Moment], T]) -> T:
        """Reading may fail as SQLite has it; a write whose obstacle is gone is done again, nothing of it was kept."""
        try:
            try:
                return what(store, self.clock.now())
            except StoreError as error:
                if not error.retry:
                    raise
            return what(store, self.clock.now())
        except sqlite3.DatabaseError as error:
            raise store.database.explain(error) from error

    def _look(self, store: Store) -> None:
        assert self._loop is not None
        change = store.change()
        if change != self._seen:
            self._seen = change
            if self._trouble:
                logger.info("the database can be written again")
            self._trouble = ""
            self._loop.call_soon_threadsafe(self._written)

    def _note(self, why: str) -> None:
        """Say once that the database cannot be used; `_look` says that somebody could write again."""
        if why != self._trouble:
            logger.error("%s", why)
        self._trouble = why

    def _keep_house(self, store: Store, now: Moment) -> None:
        """Services that nobody started begin here too: a hall may run for a while without the kiosk's own process."""
        store.database.check_mark()
        self.clock.vouched = Vouched.read(store.fact("vouched"))
        store.counters.tick(now)


class _Watch(threading.Thread):
    """Calls `tell` when anything was written, until it is closed. Raises sqlite3.Error.

    It has a connection of its own: looking ten times a second wakes neither the event loop nor the store's thread.
    """

    def __init__(self, path: Path, tell: Callable[[], None]) -> None:
        super().__init__(name="watch", daemon=True)
        self._tell = tell
        self._over = threading.Event()
        self._conn = connect(path)
        self._seen = self._version()

    def close(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        with closing(self._conn):
            while not self._over.wait(LOOK_S):
                with suppress(sqlite3.Error):  # whoever asks next says so
                    self._look()

    def _look(self) -> None:
        if (version := self._version()) != self._seen:
            self._seen = version
            self._tell()

    def _version(self) -> int:
        return int(self._conn.execute("PRAGMA data_version").fetchone()[0])
