"""Which series a number belongs to: one per trusted day (or session), never begun by a clock that is not believed.

A kiosk that wakes up with a wrong clock goes on with the series that was running. When the true date comes, what it
gave meanwhile is relabelled to that date. Numbers of a series come from one row that is raised under the write lock.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kiosk.clock import SITE_TIME, Moment
from kiosk.rulebook import Rulebook
from kiosk.store import calls
from kiosk.store.database import Database, Writing
from kiosk.store.overrides import session_now
from kiosk.store.ratings import relabel_ratings
from kiosk.store.rows import load_counter, move_counter, move_ticket, open_tickets
from kiosk.tickets import Counter, Ticket, close

STEP_MS = 300_000
"""A wall clock that went so much further than the boot's own clock was set."""


@dataclass(frozen=True, slots=True)
class Series:
    """`day` is ISO text; a series that is not `trusted` was begun on a clock's guess.

    `boot` and `offset_ms` are those of its first write in the latest boot (see `_offset_ms`).
    """

    id: str
    day: str
    session: str
    trusted: bool
    boot: str = ""
    offset_ms: int = 0


def current(database: Database) -> Series | None:
    """The running series, if any number was ever given."""
    row = database.row("SELECT * FROM series WHERE current = 1")
    return _series(row) if row else None


def running(w: Writing, database: Database, book: Rulebook) -> Series:
    """The series that a write belongs to now. Opens the day, closes the one before, or relabels, as the clock says."""
    now = w.now
    row = w.conn.execute("SELECT * FROM series WHERE current = 1").fetchone()
    was = _series(row) if row else None
    session = session_now(w.conn, book, now) if book.numbering == "session" else ""
    if not now.trusted:
        return _anchored(w, was) if was else _switch(w, Series(f"{now.day}~{now.boot}", str(now.day), session, False))
    day = str(now.day)
    if was is not None and was.trusted and (was.day, was.session) == (day, session):
        _note_if_doubtful(w, was)
        return _anchored(w, was)
    new = Series(f"{day}.{session}" if session else day, day, session, True)
    was_set = was is not None and _was_set(was, now)
    doubtful = _is_doubtful(w, now.boot)
    if was is not None:
        _take_over(w, database, was, new, was_set=was_set, doubtful=doubtful)
    if was is None or was.day != day:
        _close_day(w, new, was_set or doubtful)
    return _switch(w, new)


def open_day(database: Database, book: Rulebook, now: Moment) -> None:
    """Open the series of now if it is not the running one, in a transaction of its own: a move that is refused
    afterwards must not take the opening of the day back."""
    was = current(database)
    if was is None or (now.trusted and (was.day != str(now.day) or not was.trusted or book.numbering == "session")):
        with database.writing(now) as w:
            running(w, database, book)


def given_so_far(w: Writing, series: str, service: str) -> int:
    """The highest number of a service that is out, or may be, 0 before the first."""
    row = w.conn.execute("SELECT n FROM numbers WHERE series = ? AND service = ?", (series, service)).fetchone()
    return int(row["n"]) if row else 0


def give_number(w: Writing, database: Database, series: str, service: str, number: int) -> None:
    """This number is out; durable ceiling first, so that no restore can give it twice."""
    database.high_water.cover(series, {service: number})
    _set_number(w, series, service, number)


def skip_to_ceilings(w: Writing, database: Database) -> None:
    """After a restore: what lies below a ceiling may be on paper, so each number goes on above it.

    The series that ran last goes on even if the restored database has never heard of it: on a clock that is not
    believed a fresh one would begin at 1 again, on the same day.
    """
    for series, ceilings in database.high_water.series.items():
        for service, ceiling in ceilings.items():
            _set_number(w, series, service, ceiling)
    latest = database.high_water.latest_series
    if latest:
        w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES ('restored_in', ?)", (w.now.boot,))
    row = w.conn.execute("SELECT id FROM series WHERE current = 1").fetchone()
    if latest and (row is None or row["id"] != latest):
        new = _series_named(latest)
        _close_day(w, new, was_set=False)
        _switch(w, new)


def _set_number(w: Writing, series: str, service: str, n: int) -> None:
    """Raise, never lower."""
    w.conn.execute(
        "INSERT INTO numbers (series, service, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = max(n, excluded.n)",
        (series, service, n),
    )


def _series_named(id: str) -> Series:
    """Ids are made as `day`, `day.session`, or `day~boot` on a guess."""
    day, _, session = id.partition("~")[0].partition(".")
    return Series(id, day, session, "~" not in id)


def _series(row: Any) -> Series:
    return Series(row["id"], row["day"], row["session"], bool(row["trusted"]), row["boot"], row["offset_ms"])


def _switch(w: Writing, new: Series) -> Series:
    w.conn.execute("UPDATE series SET current = 0 WHERE current = 1")
    clocks = (w.now.boot, _offset_ms(w.now))
    inserted = w.conn.execute(
        "INSERT INTO series (id, day, session, trusted, opened_at, current, boot, offset_ms)"
        " VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING",
        (new.id, new.day, new.session, new.trusted, w.now.at.isoformat(), *clocks),
    ).rowcount
    w.conn.execute("UPDATE series SET current = 1, boot = ?, offset_ms = ? WHERE id = ?", (*clocks, new.id))
    data = {"series": new.id, "day": new.day, "session": new.session, "trusted": new.trusted}
    w.emit("series.opened" if inserted else "series.resumed", data)
    return new


def _take_over(w: Writing, database: Database, was: Series, new: Series, *, was_set: bool, doubtful: bool) -> None:
    """What this boot gave under a date that was not believed, or was wrong, belongs to the date that is known now.

    Its numbers go on: they are on paper today, whatever date the kiosk believed when it gave them.
    """
    boot = w.now.boot
    relabel_ratings(w, was.day, new.day, boot)
    moved = "series = ? AND boot = ?" + ("" if was_set else " AND trusted = 0")
    given = w.conn.execute(f"SELECT 1 FROM tickets WHERE {moved} LIMIT 1", (was.id, boot)).fetchone()
    w.conn.execute("DELETE FROM facts WHERE key = 'doubtful_in'")
    if not (given or was_set or doubtful or new.day < was.day or _unsure(w, was) or _restored_in(w, boot)):
        return
    # What was given on an unbelieved clock may be of today; a date that was set or goes back was or is wrong; a
    # restored database cannot tell: in all these cases the numbers go on.
    for row in w.conn.execute("SELECT service, n FROM numbers WHERE series = ?", (was.id,)).fetchall():
        database.high_water.cover(new.id, {row["service"]: row["n"]})
        _set_number(w, new.id, row["service"], row["n"])
    known = w.conn.execute("SELECT 1 FROM series WHERE id = ?", (new.id,)).fetchone()
    if known or not given:
        return  # its own numbers may be the same ones: those that were given meanwhile keep their label
    w.conn.execute(f"UPDATE tickets SET series = ?, trusted = 1 WHERE {moved}", (new.id, was.id, boot))
    w.emit("series.relabelled", {"from": was.id, "series": new.id, "boot": boot, "all": was_set})


def _unsure(w: Writing, was: Series) -> bool:
    guessed = w.conn.execute("SELECT 1 FROM tickets WHERE series = ? AND trusted = 0 LIMIT 1", (was.id,)).fetchone()
    return not was.trusted or guessed is not None


def _restored_in(w: Writing, boot: str) -> bool:
    row = w.conn.execute("SELECT value FROM facts WHERE key = 'restored_in'").fetchone()
    return row is not None and row["value"] == boot


def _offset_ms(now: Moment) -> int:
    """How far the wall clock is from the boot's own clock: it changes only when somebody sets the wall clock."""
    return round(now.at.timestamp() * 1000) - now.mono


def _was_set(was: Series, now: Moment) -> bool:
    """Whether the wall clock was set since the series was first written to in this boot."""
    return was.boot == now.boot and abs(_offset_ms(now) - was.offset_ms) > STEP_MS


def _note_if_doubtful(w: Writing, was: Series) -> None:
    """The boot's own clock has gone on to another day, and the wall clock shows the running series' day (again).

    One of the two is wrong, and the numbers that are given now may be of the other day.
    """
    if was.boot == w.now.boot:
        by_boot = datetime.fromtimestamp((w.now.mono + was.offset_ms) / 1000, SITE_TIME)
        if str(by_boot.date()) != was.day:
            w.conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES ('doubtful_in', ?)", (w.now.boot,))


def _is_doubtful(w: Writing, boot: str) -> bool:
    return w.conn.execute("SELECT 1 FROM facts WHERE key = 'doubtful_in' AND value = ?", (boot,)).fetchone() is not None


def _anchored(w: Writing, was: Series) -> Series:
    """Remember the clocks of the first write in each boot."""
    if was.boot == w.now.boot:
        return was
    new = replace(was, boot=w.now.boot, offset_ms=_offset_ms(w.now))
    w.conn.execute("UPDATE series SET boot = ?, offset_ms = ? WHERE id = ?", (new.boot, new.offset_ms, new.id))
    return new


def _close_day(w: Writing, new: Series, was_set: bool) -> None:
    """What is still open from before ends with its reason; the counters are empty in the morning.

    Who took a number or sat down in this boot under a date that turned out wrong is still here.
    """
    for ticket in open_tickets(w):
        if ticket.series != new.id and not _stays(ticket, w.now.boot, was_set):
            move_ticket(w, ticket, close(ticket))
    for row in w.conn.execute("SELECT id FROM counters WHERE state != 'closed'").fetchall():
        counter = load_counter(w.conn, row["id"])
        if counter.day != new.day and not counter.ticket and not _stays(counter, w.now.boot, was_set):
            move_counter(w, counter, ("counter.closed", {"counter": counter.id}))
    _end_rolls(w, new)
    w.conn.execute("DELETE FROM undo")
    calls.clear(w.conn)


def _end_rolls(w: Writing, new: Series) -> None:
    """Numbers begin again in the morning, and whether somebody still tears them off a roll nobody knows: a person says
    so anew. A roll of which a number belongs to the new day is in use now."""
    used = "SELECT 1 FROM tickets WHERE series = ? AND tickets.service = rolls.service AND issuer = 'roll'"
    ended = w.conn.execute(f"SELECT service FROM rolls WHERE NOT EXISTS ({used}) ORDER BY service", (new.id,))
    for row in ended.fetchall():
        w.conn.execute("DELETE FROM rolls WHERE service = ?", (row["service"],))
        w.emit("roll.ended", {"service": row["service"]})


def _stays(row: Ticket | Counter, boot: str, was_set: bool) -> bool:
    believed = row.trusted if isinstance(row, Ticket) else bool(row.day)
    return row.boot == boot and (was_set or not believed)
