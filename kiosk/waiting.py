"""`kiosk sync` without a server or a token: events wait in the database, the process for what a technician asks of it.

Knows no network, so that a kiosk without a server needs no memory for one.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from kiosk.clock import Clock, Vouched
from kiosk.notify import notify
from kiosk.store import StoreCorrupt, StoreError
from kiosk.store.board import last_sure_time
from kiosk.store.database import Database
from kiosk.store.facts import fact
from kiosk.store.locks import hold
from kiosk.store.orders import Orders

LOOK_S = 2.0
"""How soon an order is seen."""
PING_S = 10.0
"""How often systemd is told that the loop goes round."""
PART = "sync"

logger = logging.getLogger(__name__)


class Waiting:
    """The process on its database. `run` ends after `stop`, or when a technician asks for a restart.

    It also ends when what it waits for is there (`ready`).
    """

    def __init__(self, folder: Path, clock: Clock, ready: Callable[[], bool] = lambda: False) -> None:
        self.clock = clock
        self._ready = ready
        self._hold = hold(folder)
        self.database = Database(folder)
        clock.floor = max(clock.floor, last_sure_time(self.database) or clock.floor)
        clock.vouched = Vouched.read(fact(self.database, "vouched"))
        self.orders = Orders(self.database)
        self.orders.begin(clock.now(), PART)
        self.stopping = threading.Event()
        self.asked_to_restart = False
        self._next_ping = 0.0

    def stop(self) -> None:
        self.stopping.set()

    def run(self) -> None:
        """Raises StoreCorrupt when the database is damaged: a restart mends it."""
        while not self.stopping.wait(LOOK_S) and not self._ready():
            self.obey()
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()
        self._hold.close()

    def obey(self) -> None:
        """A technician may ask for a restart: systemd starts the process again, with what is configured then."""
        self._say_alive()
        self.database.check_mark()
        now = self.clock.now()
        try:
            order = self.orders.take(now, PART)
            if order is None:
                return
            if order.kind == "restart":
                logger.info("restart, asked for by %s", order.by)
                self.asked_to_restart = True
                self.stop()  # the next start ends the order, if nothing can be written now
            self.orders.end(now, order.id)
        except StoreCorrupt:
            raise
        except StoreError:
            return  # the processes that write have said it; the order waits

    def _say_alive(self) -> None:
        if time.monotonic() >= self._next_ping:
            notify("WATCHDOG=1")
            self._next_ping = time.monotonic() + PING_S
