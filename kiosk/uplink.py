"""`kiosk sync`: carries the feed to the commune server for as long as the process lives, and never gives up.

It shares nothing with the kiosk but the database. What the server says about the time is noted there for all.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from kiosk.clock import Clock
from kiosk.config import Config, read_token
from kiosk.downlink import Downlink
from kiosk.feed import believe, make_outbox, status_now
from kiosk.kernel_log import Log
from kiosk.store import StoreCorrupt, StoreError
from kiosk.store.comments import CommentTexts
from kiosk.store.facts import device_id
from kiosk.waiting import Waiting
from sync import outbox
from sync.client import Client, Outcome

LOOK_S = 0.5
"""How often a new event is looked for."""
SOON_S = 1.0
"""How long a new event waits for company."""
TEXTS_S = 5.0
"""Words that could not be sent are tried again after twice this long, then four times, and an hour at most."""

logger = logging.getLogger(__name__)


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
        self.downlink = Downlink(config, self.database, self.client)
        self.texts = CommentTexts(self.database, clock.now)
        self._texts_due = 0.0
        self._texts_failed = 0
        self.kernel = Log()
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
            outcome = self.client.push(self.outbox, now.at, status_now(self.database, now, self.kernel.lines()))
        except sqlite3.DatabaseError as error:
            raise self.database.explain(error) from error
        if outcome.server_now is not None:
            believe(self.database, self.clock, outcome.server_now)
        if outcome.state == "ok":
            self._follow(outcome)
        self._carry_texts(outcome)
        return outcome

    def _follow(self, outcome: Outcome) -> None:
        """Documents that the server offers; a disk in trouble is met again with the next push."""
        try:
            self.downlink.follow(outcome, self.clock.now())
        except StoreCorrupt:
            raise
        except OSError as error:
            logger.error("a document of the server was not put in force: %s", error)

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

    def _wait(self, outcome: Outcome) -> None:
        until = time.monotonic() + min(outcome.delay_s, self.heartbeat_s if outcome.state == "ok" else outcome.delay_s)
        while time.monotonic() < until and not self.stopping.wait(LOOK_S):
            self.obey()
            # What the push left, not what is there now: an event may have come between the two.
            if outcome.eager and outbox.backlog(self.database.conn) > outcome.backlog:
                self.stopping.wait(SOON_S)
                return
