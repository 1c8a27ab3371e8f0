"""Which series a number belongs to: one per trusted day (or session), never begun by a clock that is not believed.

A kiosk that wakes up with a wrong clock goes on with the series that was running. When the true date comes, what it
gave meanwhile is relabelled to that date. Numbers of a series come from one row that is raised under the write lock.
"""

from dataclasses import dataclass
from typing import Any

from kiosk.store.database import Database, Writing
from kiosk.store.rows import load_counter, move_counter, move_ticket, open_tickets
from kiosk.tickets import close


@dataclass(frozen=True, slots=True)
class Series:
    """`day` is ISO text; a series that is not `trusted` was begun on a clock's guess."""

    id: str
    day: str
    session: str
    trusted: bool


def current(database: Database) -> Series | None:
    """The running series, if any number was ever given."""
    row = database.row("SELECT id, day, session, trusted FROM series WHERE current = 1")
    return _series(row) if row else None


def running(w: Writing, database: Database, session: str) -> Series:
    """The series that a write belongs to now. Opens the day, closes the one before, or relabels, as the clock allows.

    `session` is "" where numbers restart daily.
    """
    now = w.now
    row = w.conn.execute("SELECT id, day, session, trusted FROM series WHERE current = 1").fetchone()
    was = _series(row) if row else None
    if not now.trusted:
        return was or _switch(w, Series(f"{now.day}~{now.boot}", str(now.day), session, False))
    day = str(now.day)
    if was is not None and was.trusted and (was.day, was.session) == (day, session):
        return was
    new = Series(f"{day}.{session}" if session else day, day, session, True)
    known = w.conn.execute("SELECT 1 FROM series WHERE id = ?", (new.id,)).fetchone()
    if was is not None and not known:
        _relabel(w, database, was, new)
    if was is None or was.day != day:
        _close_day(w, new)
    return _switch(w, new)


def next_number(w: Writing, database: Database, series: str, service: str) -> int:
    """The next number of a service; durable ceiling first, so that no restore can give it twice."""
    row = w.conn.execute("SELECT n FROM numbers WHERE series = ? AND service = ?", (series, service)).fetchone()
    last = row["n"] if row else database.high_water.ceiling(series, service)
    database.high_water.cover(series, {service: last + 1})
    w.conn.execute(
        "INSERT INTO numbers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = excluded.n", (series, service, last + 1)
    )
    return int(last) + 1


def skip_to_ceilings(w: Writing, database: Database) -> None:
    """After a restore: what lies below a ceiling may be on paper, so each running number goes on above it.

    The series that ran last goes on even if the restored database has never heard of it: on a clock that is not
    believed a fresh one would begin at 1 again, on the same day.
    """
    latest = database.high_water.latest_series
    running = w.conn.execute("SELECT id FROM series WHERE current = 1").fetchone()
    if latest and (running is None or running["id"] != latest):
        _switch(w, _series_named(latest))
    for row in w.conn.execute("SELECT series, service, n FROM numbers").fetchall():
        ceiling = database.high_water.ceiling(row["series"], row["service"])
        w.conn.execute(
            "UPDATE numbers SET n = max(n, ?) WHERE series = ? AND service = ?",
            (ceiling, row["series"], row["service"]),
        )


def _series_named(id: str) -> Series:
    """Ids are made as `day`, `day.session`, or `day~boot` on a guess."""
    day, _, session = id.partition("~")[0].partition(".")
    return Series(id, day, session, "~" not in id)


def _series(row: Any) -> Series:
    return Series(row["id"], row["day"], row["session"], bool(row["trusted"]))


def _switch(w: Writing, new: Series) -> Series:
    w.conn.execute("UPDATE series SET current = 0 WHERE current = 1")
    inserted = w.conn.execute(
        "INSERT INTO series VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING",
        (new.id, new.day, new.session, new.trusted, w.now.at.isoformat()),
    ).rowcount
    w.conn.execute("UPDATE series SET current = 1 WHERE id = ?", (new.id,))
    data = {"series": new.id, "day": new.day, "session": new.session, "trusted": new.trusted}
    w.emit("series.opened" if inserted else "series.resumed", data)
    return new


def _relabel(w: Writing, database: Database, was: Series, new: Series) -> None:
    """Numbers given in this boot before the date was known belong to the date that is known now."""
    moved = (was.id, w.now.boot)
    where = "series = ? AND boot = ? AND trusted = 0"
    if not w.conn.execute(f"SELECT 1 FROM tickets WHERE {where} LIMIT 1", moved).fetchone():
        return
    running = w.conn.execute("SELECT service, n FROM numbers WHERE series = ?", (was.id,))
    numbers = {r["service"]: max(r["n"], database.high_water.ceiling(new.id, r["service"])) for r in running}
    database.high_water.cover(new.id, numbers)
    for service, n in numbers.items():
        w.conn.execute("INSERT INTO numbers VALUES (?, ?, ?)", (new.id, service, n))
    w.conn.execute(f"UPDATE tickets SET series = ? WHERE {where}", (new.id, *moved))
    w.emit("series.relabelled", {"from": was.id, "series": new.id, "boot": w.now.boot})


def _close_day(w: Writing, new: Series) -> None:
    """What is still open from before ends with its reason; the counters are empty in the morning."""
    for ticket in open_tickets(w):
        if ticket.series != new.id:
            move_ticket(w, ticket, close(ticket))
    for row in w.conn.execute("SELECT id FROM counters WHERE state != 'closed'").fetchall():
        move_counter(w, load_counter(w.conn, row["id"]), ("counter.closed", {"counter": row["id"]}))
    w.conn.execute("DELETE FROM undo")
