"""`kiosk sync`: carries the feed to the commune server for as long as the process lives, and never gives up.

It shares nothing with the kiosk but the database. What the server says about the time is noted there for all.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk import __version__
from kiosk.clock import Clock, Moment, Vouched, believable
from kiosk.config import Config, read_token
from kiosk.store import StoreError
from kiosk.store.board import last_sure_time
from kiosk.store.database import Database, Writing, connect
from kiosk.store.facts import device_id, fact, note
from kiosk.store.orders import Orders
from kiosk.store.prepare import hold
from kiosk.store.series import skip_to_ceilings
from kiosk.vitals import undervoltage
from sync import outbox, wire
from sync.outbox import Outbox

if TYPE_CHECKING:
    from sync.client import Outcome

LOOK_S = 0.5
"""How often a new event is looked for."""
SOON_S = 1.0
"""How long a new event waits for company."""
PART = "sync"

logger = logging.getLogger(__name__)


def stamp(now: Moment) -> wire.Stamp:
    return wire.Stamp(now.at, now.quality, now.boot, now.mono)


def make_outbox(database: Database, clock: Clock) -> Outbox:
    """The database's feed, for those who carry it away."""

    def next_epoch(conn: sqlite3.Connection) -> str:
        """Why a new epoch is needed may be a disk that was rolled back: numbers go on above every printed one."""
        marks = database.high_water
        new = wire.new_epoch(marks.next_epoch())
        marks.remember_feed(new)
        skip_to_ceilings(Writing(conn, clock.now()), database)
        return new

    return Outbox(lambda: closing(connect(database.path)), next_epoch, lambda: stamp(clock.now()))


def status(database: Database, now: Moment) -> dict[str, Any]:
    """What every batch tells the server about the kiosk's health."""
    return {
        "app": __version__,
        "backlog": outbox.backlog(database.conn),
        "disk_free_mb": database.free_mb(),
        "clock": now.quality,
        "printer": fact(database, "printer") or "unknown",
        "undervoltage": bool(undervoltage()),
    }


class Uplink:
    """One push after the other. `run` ends after `stop`."""

    def __init__(self, config: Config, clock: Clock) -> None:
        from sync.client import Client  # only where it is sent: what is carried away needs no network library (7 MB)

        folder = Path(config.data_dir)
        self.clock = clock
        self._hold = hold(folder)
        self.database = Database(folder)
        clock.floor = max(clock.floor, last_sure_time(self.database) or clock.floor)
        clock.vouched = Vouched.read(fact(self.database, "vouched"))
        self.outbox = make_outbox(self.database, clock)
        self.client = Client(
            config.sync.server,
            read_token(Path(config.sync.token_file)),
            device_id(folder, config.device),
            allow_plain_http=config.sync.allow_plain_http,
            ca_file=config.sync.ca_file or None,
            read_s=config.sync.timeout_s,
        )
        self.heartbeat_s = config.sync.heartbeat_s
        self.orders = Orders(self.database)
        self.orders.begin(clock.now(), PART)
        self._stopping = threading.Event()
        self.asked_to_restart = False

    def stop(self) -> None:
        self._stopping.set()

    def run(self, after_push: "Callable[[Outcome], None]" = lambda outcome: None) -> None:
        """Push, wait as long as the outcome says or until something new happened, push again."""
        while not self._stopping.is_set():
            outcome = self.push()
            after_push(outcome)
            self._wait(outcome)
        self.close()

    def close(self) -> None:
        """Let go of server and database."""
        self.client.close()
        self.database.close()
        self._hold.close()

    def push(self) -> "Outcome":
        """One step; a disk in trouble is an outcome like any other. Raises StoreCorrupt."""
        now = self.clock.now()
        try:
            outcome = self.client.push(self.outbox, now.at, status(self.database, now))
        except sqlite3.DatabaseError as error:
            raise self.database.explain(error) from error
        if outcome.server_now is not None and not now.trusted:
            self._believe(outcome.server_now)
        return outcome

    def _believe(self, said: datetime) -> None:
        """The server's time is better than none, unless it cannot be: the kiosk counts on from it."""
        now = self.clock.now()
        if not believable(said, self.clock.floor):
            return
        vouched = Vouched("server", said, now.boot, now.mono)
        try:
            with self.database.writing(now) as w:
                note(w, "vouched", vouched.text())
        except StoreError as error:
            logger.error("%s", error)
        self.clock.vouched = vouched

    def _wait(self, outcome: "Outcome") -> None:
        until = time.monotonic() + min(outcome.delay_s, self.heartbeat_s if outcome.state == "ok" else outcome.delay_s)
        seen = self._head()
        while time.monotonic() < until and not self._stopping.wait(LOOK_S):
            self.database.check_mark()
            self._obey()
            if outcome.eager and self._head() != seen:
                self._stopping.wait(SOON_S)
                return

    def _obey(self) -> None:
        """A technician may ask for a restart: systemd starts the upload again."""
        now = self.clock.now()
        if order := self.orders.take(now, PART):
            self.orders.end(now, order.id)
            if order.kind == "restart":
                logger.info("restart, asked for by %s", order.by)
                self.asked_to_restart = True
                self.stop()

    def _head(self) -> int:
        return outbox.head(self.database.conn).seq
