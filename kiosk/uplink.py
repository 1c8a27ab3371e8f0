"""`kiosk sync`: carries the feed to the commune server for as long as the process lives, and never gives up.

It shares nothing with the kiosk but the database. What the server says about the time is noted there for all.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kiosk import __version__
from kiosk.clock import Clock, Moment, Vouched, believable
from kiosk.config import Config, read_token
from kiosk.store import StoreError
from kiosk.store.comments import CommentTexts
from kiosk.store.database import Database, Writing, connect
from kiosk.store.facts import device_id, fact, note
from kiosk.store.series import skip_to_ceilings
from kiosk.vitals import undervoltage
from kiosk.waiting import Waiting
from sync import outbox, wire
from sync.client import Client, Outcome
from sync.outbox import Outbox

LOOK_S = 0.5
"""How often a new event is looked for."""
SOON_S = 1.0
"""How long a new event waits for company."""
TEXTS_S = 5.0
"""Words that could not be sent are tried again after twice this long, then four times, and an hour at most."""

logger = logging.getLogger(__name__)


def stamp(now: Moment) -> wire.Stamp:
    return wire.Stamp(now.at, now.quality, now.boot, now.mono)


def make_outbox(database: Database, clock: Clock, after: int = 0) -> Outbox:
    """The database's feed, for those who carry it away. A new epoch counts beyond `after`, too."""

    def next_epoch(conn: sqlite3.Connection) -> str:
        """Why a new epoch is needed may be a disk that was rolled back: numbers go on above every printed one."""
        marks = database.high_water
        new = wire.new_epoch(marks.next_epoch(after))
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


class Uplink(Waiting):
    """One push after the other. `run` ends after `stop`."""

    def __init__(self, config: Config, clock: Clock) -> None:
        folder = Path(config.data_dir)
        super().__init__(folder, clock)
        self.outbox = make_outbox(self.database, clock)
        self.client = Client(
            config.sync.server,
            read_token(Path(config.sync.token_file)),
            device_id(folder, config.device),
            allow_plain_http=config.sync.allow_plain_http,
            ca_file=config.sync.ca_file or None,
            read_s=config.sync.timeout_s,
        )
        self.texts = CommentTexts(self.database, clock.now)
        self._texts_due = 0.0
        self._texts_failed = 0
        self.heartbeat_s = config.sync.heartbeat_s

    def run(self, after_push: Callable[[Outcome], None] = lambda outcome: None) -> None:
        """Push, wait as long as the outcome says or until something new happened, push again."""
        while not self.stopping.is_set():
            outcome = self.push()
            after_push(outcome)
            self._wait(outcome)
        self.close()

    def close(self) -> None:
        """Let go of server and database."""
        self.client.close()
        super().close()

    def push(self) -> Outcome:
        """One step; a disk in trouble is an outcome like any other. Raises StoreCorrupt."""
        now = self.clock.now()
        try:
            outcome = self.client.push(self.outbox, now.at, status(self.database, now))
        except sqlite3.DatabaseError as error:
            raise self.database.explain(error) from error
        if outcome.server_now is not None and not now.trusted:
            self._believe(outcome.server_now)
        self._carry_texts(outcome)
        return outcome

    def _carry_texts(self, outcome: Outcome) -> None:
        """The words of comments, once the server has all events. A server that was restored gets all again."""
        try:
            if outcome.state == "resend" and outcome.http != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                self.texts.settle(0)
            elif outcome.state == "ok" and not outcome.backlog and time.monotonic() >= self._texts_due:
                self._send_texts()
        except StoreError as error:
            logger.error("%s", error)

    def _send_texts(self) -> None:
        sent = self.client.send_texts(self.texts)
        failed = bool(sent.problem) or sent.later
        self._texts_failed = self._texts_failed + 1 if failed else 0
        self._texts_due = time.monotonic() + (min(TEXTS_S * 2**self._texts_failed, 3600.0) if failed else 0.0)
        if sent.problem and self._texts_failed == 1:
            logger.warning("the words of comments wait: %s", sent.problem)

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

    def _wait(self, outcome: Outcome) -> None:
        until = time.monotonic() + min(outcome.delay_s, self.heartbeat_s if outcome.state == "ok" else outcome.delay_s)
        seen = self._head()
        while time.monotonic() < until and not self.stopping.wait(LOOK_S):
            self.obey()
            if outcome.eager and self._head() != seen:
                self.stopping.wait(SOON_S)
                return

    def _head(self) -> int:
        return outbox.head(self.database.conn).seq
