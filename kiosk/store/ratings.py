"""Ratings as rows and events, and the figures that are published when a session closes."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any

from kiosk import rating
from kiosk.clock import Moment
from kiosk.hours import CalendarDay, Hours, closed_sessions, session_at
from kiosk.rating import (
    Desk,
    Figure,
    Rating,
    Tally,
    clerk_figures,
    clerks_may_show,
    figures,
    lit,
    may_show,
    plain,
    rating_of,
    tied,
)
from kiosk.rulebook import Rulebook
from kiosk.store.comments import delete_old_comments
from kiosk.store.database import Database, Writing
from kiosk.store.ids import new_id
from kiosk.store.overrides import calendar_overrides
from kiosk.store.rows import load_counter, load_ticket
from kiosk.tickets import Counter, Data, Refused, time_of

LOOK_BACK_DAYS = 30
"""How far the last end of a session is looked for: longer than any Tết holiday."""

_PRESSED = f"source NOT IN {rating.PHONES}"
_COLUMNS = tuple(Rating.__slots__)
_INSERT = f"INSERT INTO ratings ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


@dataclass(frozen=True, slots=True)
class Publication:
    """What may be shown: figures by label set of one month ("2026-11"), as they stood when a session closed.

    Whoever is shown the clerks' figures beside the office's can subtract them: keep the two from the same reader where
    few clerks are left over.
    """

    period: str
    day: str
    session: str
    figures: Mapping[str, Figure]
    clerks: Mapping[str, Mapping[str, Figure]]


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a session: its day (ISO), and the sessions of that day that have closed, the latest one last."""

    day: str
    sessions: tuple[str, ...]

    @property
    def session(self) -> str:
        return self.sessions[-1]


class Ratings:
    """Presses in, publications out."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    def press(self, now: Moment, counter_id: str, level: int, source: str) -> Rating:
        """Keep one press of a rating key; it counts, replaces the one before, or is flagged.

        `source` is key, touch or tablet. Raises Refused("no_counter") for an unknown counter.
        """
        if counter_id not in self.book.desks:
            raise Refused("no_counter", counter=counter_id)
        with self.database.writing(now) as w:
            desk = self._desk(w.conn, load_counter(w.conn, counter_id), now)
            kind, data = rating.press(desk, level, self.book.label_set, source, self.book.rating, now.at)
            return self.keep(w, kind, data)

    def add_reasons(self, now: Moment, rating_id: str, reasons: Sequence[str]) -> bool:
        """Keep what was ticked on a tablet after a face, by the names of the language files; whether it could be.

        Once, within a minute, and only of a tablet's rating that counts.
        """
        with self.database.writing(now) as w:
            row = w.conn.execute("SELECT * FROM ratings WHERE id = ?", (rating_id,)).fetchone()
            found = rating.rating_of(row) if row else None
            if found is None or not reasons or not rating.takes_reasons(found, now.at):
                return False
            data: Data = {"rating": found.id, "reasons": list(reasons)}
            w.conn.execute("UPDATE ratings SET reasons = ? WHERE id = ?", (" ".join(reasons), found.id))
            w.emit("rating.reasons", data)
            return True

    def lamps(self, now: Moment) -> dict[str, bool]:
        """Counter → whether a press now would count."""
        conn = self.database.conn
        shining = {}
        for counter_id in self.book.desks:
            counter = load_counter(conn, counter_id)
            rated = bool(counter.armed) and _first_at(conn, counter.armed) is not None
            shines = lit(counter.armed, counter.armed_at, rated, self.book.rating, now.at)
            # In free mode each press counts, but for nobody where nobody sits.
            shining[counter_id] = shines and (not self.book.rating.free_rating or bool(self.on_duty(counter)))
        return shining

    def given(self, ticket_id: str) -> Rating | None:
        """The rating that counts for a ticket."""
        return given_to(self.database.conn, ticket_id)

    def keep(self, w: Writing, kind: str, data: Data) -> Rating:
        """Write what the rules decided, in a transaction that is under way: with an id, the day and the session."""
        return keep(w, kind, {"rating": new_id(), **data, **self._when(w, w.now)})

    def on_duty(self, counter: Counter) -> str:
        """Whom a rating without a ticket is about: who signed in; in free mode else the office document's clerk."""
        own = self.book.desks[counter.id].clerk if self.book.rating.free_rating else ""
        return counter.clerk or own

    def publish(self, now: Moment) -> bool:
        """Judge the last end of a session, once, and move the figures that may move; whether any did.

        Whatever is pressed after that waits for the next end of a session, be it during lunch or in the evening. A
        session that ended while the kiosk was off is judged when it is on again. Reads little, and takes no write
        lock, while there is nothing to judge. On a clock that is not trusted nothing moves. Comments that were kept
        long enough are deleted at the same time.
        """
        if not now.trusted:
            return False
        self._date_guesses(now)
        close = _last_close(self.book.hours, now.local, calendar_overrides(self.database.conn))
        if close is None or self._is_judged(close):
            return False
        upto = self._last_rating()
        moved = self._moved(close, upto)
        with self.database.writing(now) as w:
            if self._is_judged(close):
                return False
            w.conn.execute("INSERT INTO closes (day, session, upto) VALUES (?, ?, ?)", (close.day, close.session, upto))
            for publication in moved:
                _publish(w, publication)
            delete_old_comments(w)
        return bool(moved)

    def published(self) -> Publication | None:
        """The latest publication, None before the first."""
        return _publication(self.database.row("SELECT * FROM published ORDER BY id DESC LIMIT 1"))

    def publications(self, most: int = 12) -> tuple[Publication, ...]:
        """What each of the latest months showed last, the newest month first."""
        rows = self.database.rows(
            "SELECT * FROM published WHERE id IN (SELECT max(id) FROM published GROUP BY period)"
            " ORDER BY period DESC LIMIT ?",
            most,
        )
        return tuple(shown for row in rows if (shown := _publication(row)))

    # --- presses ---------------------------------------------------------------------------------------------

    def _desk(self, conn: sqlite3.Connection, counter: Counter, now: Moment) -> Desk:
        free = self.book.rating.free_rating
        is_tied = bool(counter.armed) and tied(counter.armed_at, self.book.rating, now.at)
        ticket = counter.armed if is_tied else ""
        return Desk(
            counter=counter.id,
            clerk=load_ticket(conn, ticket).clerk if ticket else self.on_duty(counter),
            ticket=ticket,
            armed_at=counter.armed_at,
            clerk_acted_at=counter.acted_at,
            given=given_to(conn, ticket) if ticket else _last_given(conn, counter.id) if free else None,
            first_at=_first_at(conn, ticket) if ticket else None,
            recent=_recent(conn, counter.id),
        )

    def _when(self, w: Writing, now: Moment) -> Data:
        """The day and session that a press belongs to: the running series' day while the clock is not believed."""
        if now.trusted:
            session = session_at(self.book.hours, now.local, calendar_overrides(w.conn))
            return {"day": str(now.day), "session": session, "guess_boot": ""}
        row = w.conn.execute("SELECT day FROM series WHERE current = 1").fetchone()
        return {"day": row["day"] if row else str(now.day), "session": "", "guess_boot": now.boot}

    def _date_guesses(self, now: Moment) -> None:
        """What was pressed in this boot before the date was known belongs to today.

        It usually went there with the numbers already (`relabel_ratings`), but in free mode there are no numbers.
        """
        sql = "SELECT DISTINCT day FROM ratings WHERE guess_boot = ? AND guess_boot != ''"
        if not self.database.rows(sql, now.boot):
            return
        with self.database.writing(now) as w:
            for row in w.conn.execute(sql, (now.boot,)).fetchall():
                relabel_ratings(w, row["day"], str(now.day), now.boot)

    # --- figures ---------------------------------------------------------------------------------------------

    def _is_judged(self, close: Close) -> bool:
        return bool(self.database.rows("SELECT 1 FROM closes WHERE day = ? AND session = ?", close.day, close.session))

    def _last_rating(self) -> int:
        return int(self.database.rows("SELECT coalesce(max(n), 0) FROM ratings")[0][0])

    def _moved(self, close: Close, upto: int) -> list[Publication]:
        """The months in which a figure may move at this close, the oldest first.

        A month that is over moves once more when the first session of the next one closes, by its own count: with
        fewer than `rating_min` new ratings its last ones stay unpublished, and are never mixed into the new month.
        """
        before = self.database.row("SELECT day, upto FROM closes ORDER BY id DESC LIMIT 1")
        last_day, last_upto = (before["day"], before["upto"]) if before else (close.day, 0)
        moved = []
        for period in self._months(min(last_day, close.day), close.day):
            shown = self._shown(period)
            new = self._showable(shown, close, self._tallies(period, close, upto, last_upto))
            if (new.figures, new.clerks) != (shown.figures, shown.clerks):
                moved.append(new)
        return moved

    def _months(self, first_day: str, last_day: str) -> list[str]:
        rows = self.database.rows(
            "SELECT DISTINCT substr(day, 1, 7) AS month FROM ratings WHERE day >= ? AND day < ? ORDER BY month",
            first_day[:7],
            _end(last_day[:7]),
        )
        return [row["month"] for row in rows]

    def _shown(self, period: str) -> Publication:
        """The month's figures as they were last published."""
        row = self.database.row("SELECT * FROM published WHERE period = ? ORDER BY id DESC LIMIT 1", period)
        return _publication(row) or Publication(period, "", "", {}, {})

    def _showable(self, shown: Publication, close: Close, tallies: Sequence[Tally]) -> Publication:
        served = self._served(shown.period, close.day)
        whole = figures(tallies, sum(served.values()), self.book.satisfied)
        by_clerk = clerk_figures(tallies, served, self.book.satisfied)
        return Publication(
            shown.period,
            close.day,
            close.session,
            may_show(shown.figures, whole, self.book.rating),
            clerks_may_show(shown.clerks, by_clerk, self.book.rating),
        )

    def _tallies(self, period: str, close: Close, upto: int, last_upto: int) -> list[Tally]:
        """The month's ratings that had been given when the session closed.

        When a press on a guessed date happened nobody knows: it waits until it was there at the close before, too.
        """
        marks = ", ".join("?" * len(close.sessions))
        rows = self.database.rows(
            "SELECT label_set, clerk, level, flags, count(*) AS n FROM ratings INDEXED BY ratings_day"
            " WHERE day >= ? AND day < ? AND replaced_by = '' AND n <= ?"
            f" AND CASE WHEN guess_boot = '' THEN day < ? OR day = ? AND session IN ({marks}) ELSE n <= ? END"
            " GROUP BY label_set, clerk, level, flags",
            *(period, _end(period), upto, close.day, close.day, *close.sessions, last_upto),
        )
        return [Tally(r["label_set"], r["clerk"], r["level"], tuple(r["flags"].split()), r["n"]) for r in rows]

    def _served(self, period: str, last_day: str) -> dict[str, int]:
        """Finished services of a month by clerk, up to a day."""
        # CROSS JOIN keeps SQLite from reading all tickets of all years: first the month's series, then theirs.
        rows = self.database.rows(
            "SELECT t.clerk, count(*) FROM series s CROSS JOIN tickets t ON t.series = s.id"
            " WHERE s.day >= ? AND s.day < ? AND s.day <= ? AND t.state = 'served' GROUP BY t.clerk",
            *(period, _end(period), last_day),
        )
        return dict(tuple(row) for row in rows)


def keep(w: Writing, kind: str, data: Data) -> Rating:
    """Write what the rules decided: the row, the mark on the one it replaces, and the event."""
    new = rating.given(data, w.now.at)
    w.conn.execute(_INSERT, tuple(plain(new).values()))
    if kind == "rating.replaced":
        w.conn.execute("UPDATE ratings SET replaced_by = ? WHERE id = ?", (new.id, data["of"]))
    w.emit(kind, data)
    return new


def relabel_ratings(w: Writing, was_day: str, new_day: str, boot: str) -> None:
    """The true date has come: what was pressed in this boot on a clock that was not believed belongs to `new_day`.

    Days are ISO dates. Such ratings keep no session, so they are published with the day after at the earliest.
    """
    moved = w.conn.execute(
        "UPDATE ratings SET day = ?, guess_boot = '' WHERE guess_boot = ? AND guess_boot != '' AND day = ?",
        (new_day, boot, was_day),
    ).rowcount
    if moved:
        w.emit("rating.relabelled", {"from": was_day, "day": new_day, "boot": boot})


def _last_close(hours: Hours, local: datetime, overrides: Sequence[CalendarDay]) -> Close | None:
    """The latest end of a session, today or on the days before."""
    for _ in range(LOOK_BACK_DAYS):
        sessions = closed_sessions(hours, local, overrides)
        if sessions:
            return Close(str(local.date()), sessions)
        local = datetime.combine(local.date() - timedelta(days=1), time.max)
    return None


def _recent(conn: sqlite3.Connection, counter_id: str) -> tuple[datetime, ...]:
    rows = conn.execute(
        f"SELECT at FROM ratings WHERE counter = ? AND {_PRESSED} ORDER BY n DESC LIMIT ?",
        (counter_id, rating.BURST_PRESSES),
    )
    return tuple(time_of(row["at"]) for row in rows)


# A partial index is taken only where its own condition stands in the query.


def given_to(conn: sqlite3.Connection, ticket_id: str) -> Rating | None:
    """The rating that counts for a ticket."""
    rows = conn.execute("SELECT * FROM ratings WHERE ticket = ? AND ticket != ''", (ticket_id,))
    return rating.counting(rating_of(row) for row in rows)


def _first_at(conn: sqlite3.Connection, ticket_id: str) -> datetime | None:
    """When a key first rated the ticket, whatever replaced that rating since."""
    row = conn.execute(
        f"SELECT at FROM ratings WHERE ticket = ? AND ticket != '' AND flags = '' AND {_PRESSED} ORDER BY n LIMIT 1",
        (ticket_id,),
    ).fetchone()
    return time_of(row["at"]) if row else None


def _last_given(conn: sqlite3.Connection, counter_id: str) -> Rating | None:
    row = conn.execute(
        f"SELECT * FROM ratings WHERE counter = ? AND flags = '' AND {_PRESSED} ORDER BY n DESC LIMIT 1", (counter_id,)
    ).fetchone()
    return rating_of(row) if row else None


def _end(period: str) -> str:
    """Greater than each day of a month, as text."""
    return period + "~"


def _publish(w: Writing, publication: Publication) -> None:
    where = {"day": publication.day, "session": publication.session, "period": publication.period}
    shown = _plain(publication.figures)
    clerks = {clerk: _plain(own) for clerk, own in publication.clerks.items()}
    w.conn.execute(
        "INSERT INTO published (day, session, period, figures) VALUES (?, ?, ?, ?)",
        (*where.values(), json.dumps({"figures": shown, "clerks": clerks})),
    )
    # Clerks' figures stay out of the event: with many clerks they would pass the 8 KiB of an event line.
    w.emit("rating.published", {**where, "figures": shown})


def _publication(row: sqlite3.Row | None) -> Publication | None:
    if row is None:
        return None
    data = json.loads(row["figures"])
    clerks = {clerk: _read(own) for clerk, own in data["clerks"].items()}
    return Publication(row["period"], row["day"], row["session"], _read(data["figures"]), clerks)


def _plain(shown: Mapping[str, Figure]) -> Data:
    return {name: asdict(figure) for name, figure in shown.items()}


def _read(data: Mapping[str, Any]) -> dict[str, Figure]:
    """Figures from JSON, where every key is text."""
    result = {}
    for name, fields in data.items():
        by_level = {int(level): n for level, n in fields["by_level"].items()}
        left_out = {flag: {int(level): n for level, n in levels.items()} for flag, levels in fields["left_out"].items()}
        result[name] = Figure(**{**fields, "by_level": by_level, "left_out": left_out})
    return result
