"""Ratings as rows and events, and the figures that are published when a session closes."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kiosk import rating
from kiosk.clock import Moment
from kiosk.hours import closed_sessions, session_at
from kiosk.rating import Desk, Figure, Rating, clerk_figures, figures, lit, may_publish, plain, rating_of
from kiosk.rulebook import Rulebook
from kiosk.store.database import Database, Writing
from kiosk.store.issuing import new_id
from kiosk.store.overrides import calendar_overrides
from kiosk.store.rows import load_counter, load_ticket
from kiosk.tickets import Counter, Data, Refused, time_of

_COLUMNS = tuple(Rating.__slots__)
_INSERT = f"INSERT INTO ratings ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True)
class Publication:
    """What may be shown: figures by label set of one month ("2026-11"), as they stood when a session closed."""

    period: str
    day: str
    session: str
    figures: Mapping[str, Figure]
    clerks: Mapping[str, Mapping[str, Figure]]


class Ratings:
    """Presses in, publications out."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    def press(self, now: Moment, counter_id: str, level: int, source: str) -> Rating:
        """Keep one press of a rating key; it counts, replaces the one before, or is flagged.

        `source` is key, touch, tablet or phone. Raises Refused("no_counter") for an unknown counter.
        """
        if counter_id not in self.book.desks:
            raise Refused("no_counter", counter=counter_id)
        with self.database.writing(now) as w:
            desk = self._desk(w.conn, load_counter(w.conn, counter_id))
            kind, data = rating.press(desk, level, self.book.label_set, source, self.book.rating, now.at)
            return keep(w, kind, {"rating": new_id(), **data, **self._when(w, now)})

    def lamps(self, now: Moment) -> dict[str, bool]:
        """Counter → whether a press now would count."""
        conn = self.database.conn
        shining = {}
        for counter_id in self.book.desks:
            counter = load_counter(conn, counter_id)
            rated = bool(counter.armed) and _given(conn, counter.armed) is not None
            shining[counter_id] = lit(counter.armed, counter.armed_at, rated, self.book.rating, now.at)
        return shining

    def given(self, ticket_id: str) -> Rating | None:
        """The rating that counts for a ticket."""
        return _given(self.database.conn, ticket_id)

    def publish(self, now: Moment) -> bool:
        """Move the published figures if a session has closed since, and enough new ratings came in. Cheap when not.

        On a clock that is not trusted nothing moves.
        """
        if not now.trusted or self._closed_upto(now, self._last_upto()) is None:
            return False
        with self.database.writing(now) as w:
            last = self._last_upto()
            closed = self._closed_upto(now, last)
            if closed is None:
                return False
            upto, day, session = closed
            fresh = w.conn.execute(
                "SELECT count(*) FROM ratings WHERE n > ? AND n <= ? AND flags = '' AND replaced_by = ''", (last, upto)
            ).fetchone()[0]
            if not may_publish(fresh, self.book.rating):
                return False
            data = self._figures(w.conn, day[:7], upto)
            w.conn.execute(
                "INSERT INTO published (day, session, period, upto, figures) VALUES (?, ?, ?, ?, ?)",
                (day, session, day[:7], upto, json.dumps(data)),
            )
            # Clerks' figures stay out of the event: with many clerks they would pass the 8 KiB of an event line.
            w.emit("rating.published", {"day": day, "session": session, "period": day[:7], "figures": data["figures"]})
        return True

    def published(self) -> Publication | None:
        """The latest publication, None before the first."""
        row = self.database.row("SELECT * FROM published ORDER BY id DESC LIMIT 1")
        if row is None:
            return None
        data = json.loads(row["figures"])
        clerks = {clerk: _read(own) for clerk, own in data["clerks"].items()}
        return Publication(row["period"], row["day"], row["session"], _read(data["figures"]), clerks)

    def _desk(self, conn: sqlite3.Connection, counter: Counter) -> Desk:
        armed = load_ticket(conn, counter.armed) if counter.armed else None
        own = self.book.desks[counter.id].clerk if self.book.rating.free_rating else ""
        recent = conn.execute(
            "SELECT at FROM ratings WHERE counter = ? ORDER BY n DESC LIMIT ?", (counter.id, rating.BURST_PRESSES)
        ).fetchall()
        return Desk(
            counter=counter.id,
            clerk=armed.clerk if armed else counter.clerk or own,
            ticket=counter.armed,
            armed_at=counter.armed_at,
            clerk_acted_at=counter.acted_at,
            given=_given(conn, counter.armed) if armed else _last_given(conn, counter.id),
            recent=tuple(time_of(row["at"]) for row in recent),
        )

    def _when(self, w: Writing, now: Moment) -> Data:
        """The day and session that a press belongs to: the running series' day while the clock is not believed."""
        if now.trusted:
            overrides = calendar_overrides(w.conn)
            return {"day": str(now.day), "session": session_at(self.book.hours, now.local, overrides)}
        row = w.conn.execute("SELECT day FROM series WHERE current = 1").fetchone()
        return {"day": row["day"] if row else str(now.day), "session": ""}

    def _last_upto(self) -> int:
        row = self.database.row("SELECT upto FROM published ORDER BY id DESC LIMIT 1")
        return row["upto"] if row else 0

    def _closed_upto(self, now: Moment, last: int) -> tuple[int, str, str] | None:
        """The last new rating whose session has closed, with that session; None when there is none."""
        closed = closed_sessions(self.book.hours, now.local, calendar_overrides(self.database.conn))
        marks = ", ".join("?" * len(closed))
        row = self.database.row(
            f"SELECT n, day, session FROM ratings WHERE n > ? AND (day < ? OR (day = ? AND session IN ({marks})))"
            " ORDER BY n DESC LIMIT 1",
            *(last, str(now.day), str(now.day), *closed),
        )
        return (row["n"], row["day"], row["session"]) if row else None

    def _figures(self, conn: sqlite3.Connection, period: str, upto: int) -> Data:
        rows = conn.execute(
            "SELECT * FROM ratings INDEXED BY ratings_day WHERE day >= ? AND day < ? AND n <= ?",
            (period, period + "~", upto),
        ).fetchall()
        ratings = [rating_of(row) for row in rows]
        served = _served(conn, period)
        whole = figures(ratings, sum(served.values()), self.book.satisfied)
        clerks = clerk_figures(ratings, served, self.book.satisfied, self.book.rating)
        return {
            "figures": {name: asdict(figure) for name, figure in whole.items()},
            "clerks": {c: {name: asdict(figure) for name, figure in own.items()} for c, own in clerks.items()},
        }


def keep(w: Writing, kind: str, data: Data) -> Rating:
    """Write what the rules decided: the row, the mark on the one it replaces, and the event."""
    new = rating.given(data, w.now.at)
    w.conn.execute(_INSERT, tuple(plain(new).values()))
    if kind == "rating.replaced":
        w.conn.execute("UPDATE ratings SET replaced_by = ? WHERE id = ?", (new.id, data["of"]))
    w.emit(kind, data)
    return new


def _given(conn: sqlite3.Connection, ticket_id: str) -> Rating | None:
    row = conn.execute(
        "SELECT * FROM ratings WHERE ticket = ? AND ticket != '' AND flags = '' AND replaced_by = '' LIMIT 1",
        (ticket_id,),
    ).fetchone()
    return rating_of(row) if row else None


def _last_given(conn: sqlite3.Connection, counter_id: str) -> Rating | None:
    row = conn.execute(
        "SELECT * FROM ratings WHERE counter = ? AND flags = '' ORDER BY n DESC LIMIT 1", (counter_id,)
    ).fetchone()
    return rating_of(row) if row else None


def _served(conn: sqlite3.Connection, period: str) -> dict[str, int]:
    """Finished services of a month by clerk."""
    rows = conn.execute(
        "SELECT t.clerk, count(*) FROM series s JOIN tickets t ON t.series = s.id"
        " WHERE s.day >= ? AND s.day < ? AND t.state = 'served' GROUP BY t.clerk",
        (period, period + "~"),
    )
    return dict(tuple(row) for row in rows)


def _read(data: Mapping[str, Any]) -> dict[str, Figure]:
    """Figures from JSON, where every key is text."""
    result = {}
    for name, fields in data.items():
        by_level = {int(level): n for level, n in fields["by_level"].items()}
        left_out = {flag: {int(level): n for level, n in levels.items()} for flag, levels in fields["left_out"].items()}
        result[name] = Figure(**{**fields, "by_level": by_level, "left_out": left_out})
    return result
