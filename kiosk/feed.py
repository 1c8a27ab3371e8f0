"""The database's feed for whoever carries it away: by push, pull or stick. Knows no network."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk import __version__, signs
from kiosk.clock import Clock, Moment, Vouched, believable, elapsed_s
from kiosk.store import StoreError
from kiosk.store.backup import hours_without
from kiosk.store.database import Database, Writing, connect
from kiosk.store.facts import fact, note
from kiosk.store.series import skip_to_ceilings
from kiosk.store.starts import starts_lately
from kiosk.vitals import ROOT
from sync import outbox, wire
from sync.outbox import Outbox

NOTED_S = 300
"""So often it is noted that a server was here."""

logger = logging.getLogger(__name__)


def stamp(now: Moment) -> wire.Stamp:
    return wire.Stamp(now.at, now.quality, now.boot, now.mono)


def make_outbox(database: Database, clock: Clock, *, own: bool = False) -> Outbox:
    """The database's feed.

    `own`: on the database's own connection, for whoever works in its thread; else on a fresh one each time.
    """

    def next_epoch(conn: sqlite3.Connection, after: int) -> str:
        """Why a new epoch is needed may be a disk that was rolled back: numbers go on above every printed one."""
        marks = database.high_water
        new = wire.new_epoch(marks.next_epoch(after))
        marks.remember_feed(new)
        skip_to_ceilings(Writing(conn, clock.now()), database)
        return new

    fresh = (lambda: nullcontext(database.conn)) if own else (lambda: closing(connect(database.path)))
    return Outbox(fresh, next_epoch, lambda: stamp(clock.now()))


def status(database: Database, now: Moment, kernel: Sequence[str] | None = None, root: Path = ROOT) -> dict[str, Any]:
    """What every batch tells the server about the kiosk's health; `kernel`: see `signs.of_machine`."""
    said = {
        "app": __version__,
        "backlog": outbox.backlog(database.conn),
        "backlog_s": waits_s(database, now),
        "disk_free_mb": database.free_mb(),
        "clock": now.quality,
        "printer": fact(database, "printer") or "unknown",
        "canary": fact(database, "canary") or None,
        "starts_24h": starts_lately(database, now),
        "backup_h": hours_without(database.folder, database.conn, now),
        **signs.of_machine(database.folder, kernel, root),
    }
    return {name: value for name, value in said.items() if value is not None}


def status_now(database: Database, now: Moment, kernel: Sequence[str] | None = None) -> dict[str, Any]:
    """The same for a batch that arrives at once: with the time, so that the server sees how far off the clock is."""
    return {**status(database, now, kernel), "at": wire.instant(now.at)}


def waits_s(database: Database, now: Moment) -> int | None:
    """How many seconds the oldest event has waited for a server; 0 when none waits, None when nobody can tell."""
    event = oldest_waiting(database)
    if event is None:
        return 0
    stamp = event.stamp
    seconds = elapsed_s(now, stamp.at, stamp.boot, stamp.mono, believed=stamp.clock != "guess")
    return None if seconds is None else max(0, int(seconds))


def oldest_waiting(database: Database) -> wire.Event | None:
    """The first event that no server has acknowledged; a damaged one counts as none, the next reading mends it."""
    line = outbox.oldest(database.conn)
    try:
        return wire.decode_event(line) if line else None
    except wire.BadEvent:
        return None


def believe(database: Database, clock: Clock, said: datetime) -> None:
    """The server's time is better than none, unless it cannot be: all processes of the kiosk count on from it."""
    now = clock.now()
    if now.trusted or not believable(said, clock.floor):
        return
    vouched = Vouched("server", said, now.boot, now.mono)
    try:
        with database.writing(now) as w:
            note(w, "vouched", vouched.text())
    except StoreError as error:
        logger.error("%s", error)
    clock.vouched = vouched


def begin_beyond(database: Database, clock: Clock, known: str) -> None:
    """A kiosk in the place of another one begins an epoch after `known`, the last that the server has ("": none)."""
    feed = make_outbox(database, clock)
    epoch = feed.feed()[0].epoch
    if known and known != epoch and wire.epoch_counter(known) >= wire.epoch_counter(epoch):
        feed.renew(epoch, f"the server knows epoch {known} of this kiosk", known)


def note_contact(database: Database, now: Moment) -> None:
    """That a server fetched something, for the technician; written once in a while, not each time."""
    last = outbox.last_answer(database.conn)
    at = wire.parse_instant(last["at"]) if isinstance(last.get("at"), str) else None
    if last.get("state") == "ok" and at is not None and abs((now.at - at).total_seconds()) < NOTED_S:
        return
    said = {"state": "ok", "at": wire.instant(now.at), "http": 200, "detail": "", "office": None, "board": None}
    with database.writing(now) as w:
        outbox.note(w.conn, {**said, "quarantined": []})
