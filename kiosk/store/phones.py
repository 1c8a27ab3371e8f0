"""What the pages on citizens' phones ask of the database, and the little that they may write."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kiosk import rating
from kiosk.clock import Moment, elapsed_s
from kiosk.public.state import Facts, Kind, kind_of
from kiosk.rulebook import Rulebook
from kiosk.store.comments import keep_comment
from kiosk.store.counters import Counters, may_rejoin
from kiosk.store.database import Database
from kiosk.store.issuing import Issuing, service_times
from kiosk.store.ratings import Ratings, given_to
from kiosk.store.rows import OPEN_STATES, load_counter
from kiosk.tickets import State, Ticket, ticket_of, time_of
from kiosk.turns import order, promise_passed, wait_range

SERVING_SHOWN = 3
LINE_S = 10
"""A line is looked at again after so many seconds even when nothing was written: people in it get older."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says on a phone: a level (None for a comment alone), reasons by name, and a text or ""."""

    level: int | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A queue as its phones see it: how many go before each ticket (by id), and what a promise is made from."""

    ahead: Mapping[str, int]
    serving: tuple[str, ...]
    service_s: Sequence[float]
    counters: int


class Phones:
    """Tickets and counters by the codes on slips and posters."""

    def __init__(
        self, database: Database, book: Rulebook, issuing: Issuing, counters: Counters, ratings: Ratings
    ) -> None:
        self.database = database
        self.book = book
        self._issuing = issuing
        self._counters = counters
        self._ratings = ratings
        self._lines: dict[str, tuple[tuple[int, int, int], _Line]] = {}

    def ticket(self, now: Moment, token: str) -> Facts | None:
        """All that the ticket's page may say; None for a code that no ticket has."""
        row = self.database.row("SELECT * FROM tickets WHERE token = ?", token)
        return self._facts(self.database.conn, now, ticket_of(row)) if row else None

    def rejoin(self, now: Moment, token: str) -> bool:
        """A missed ticket stands in line again; False when it is not missed, or was too often."""
        row = self.database.row("SELECT id FROM tickets WHERE token = ?", token)
        return row is not None and self._counters.rejoin(now, row["id"])

    def rate(self, now: Moment, token: str, answer: Answer) -> bool:
        """Keep what somebody says of a finished ticket; whether anything could be kept.

        A rating counts if none does yet; beside one of a key, a tablet or a phone only the comment is kept, once.
        """
        with self.database.writing(now) as w:
            row = w.conn.execute("SELECT * FROM tickets WHERE token = ?", (token,)).fetchone()
            facts = self._facts(w.conn, now, ticket_of(row)) if row else None
            kind = kind_of(facts) if facts else None
            if facts is None or kind not in (Kind.SERVED, Kind.RATED):
                return False
            ticket, rated = facts.ticket, ""
            if kind is Kind.SERVED and answer.level is not None:
                decision = rating.by_phone(ticket, answer.level, self.book.label_set, answer.reasons)
                rated = self._ratings.keep(w, *decision).id
            says_more = bool(answer.comment) and not facts.commented
            if says_more:
                about = {"ticket": ticket.id, "counter": ticket.counter, "clerk": ticket.clerk, "rating": rated}
                keep_comment(w, answer.comment, str(facts.today), **about)
            return bool(rated) or says_more

    def rate_counter(self, now: Moment, counter_id: str, answer: Answer) -> bool:
        """Keep what somebody says on a counter's poster page of whoever works there now; whether anything was said."""
        with self.database.writing(now) as w:
            clerk, rated = self._ratings.on_duty(load_counter(w.conn, counter_id)), ""
            if answer.level is not None:
                decision = rating.by_poster(counter_id, clerk, answer.level, self.book.label_set, answer.reasons)
                rated = self._ratings.keep(w, *decision).id
            if answer.comment:
                about = {"ticket": "", "counter": counter_id, "clerk": clerk, "rating": rated}
                keep_comment(w, answer.comment, str(_today(w.conn, now)), **about)
            return bool(rated or answer.comment)

    # --- what there is to say --------------------------------------------------------------------------------

    def _facts(self, conn: sqlite3.Connection, now: Moment, ticket: Ticket) -> Facts:
        series = conn.execute("SELECT day FROM series WHERE id = ?", (ticket.series,)).fetchone()
        facts = Facts(
            ticket,
            date.fromisoformat(series["day"]),
            _today(conn, now),
            rated=given_to(conn, ticket.id) is not None,
            commented=_commented(conn, ticket.id),
            may_rejoin=may_rejoin(conn, ticket),
        )
        return self._in_line(conn, now, facts) if ticket.state is State.WAITING else facts

    def _in_line(self, conn: sqlite3.Connection, now: Moment, facts: Facts) -> Facts:
        ticket, line = facts.ticket, self._line(conn, now, facts.ticket.queue)
        kept = ticket.first_called_at is None and _kept_waiting(conn, now, ticket)
        if self.book.rating.free_rating:
            # Nobody calls numbers there, so nobody ever leaves the line.
            return replace(facts, kept_waiting=kept)
        ahead = line.ahead.get(ticket.id)
        wait = None if ahead is None else wait_range(ahead, line.service_s, line.counters, self.book.policy)
        return replace(facts, ahead=ahead, wait=wait, serving=line.serving, kept_waiting=kept)

    def _line(self, conn: sqlite3.Connection, now: Moment, queue: str) -> _Line:
        """The queue as it stands; worked out once for all the phones that ask between two changes."""
        state = (self.database.version(), conn.total_changes, int(now.at.timestamp()) // LINE_S)
        known = self._lines.get(queue)
        if known is None or known[0] != state:
            known = self._lines[queue] = (state, self._look(conn, now, queue))
        return known[1]

    def _look(self, conn: sqlite3.Connection, now: Moment, queue: str) -> _Line:
        """People ahead by the rules of the turns, as the slip counts them: those who wait for one counter stand in
        their queue, and a counter that serves several queues is nobody's loss."""
        waiting = conn.execute("SELECT * FROM tickets WHERE state = 'waiting' AND queue = ?", (queue,))
        turn = conn.execute("SELECT priority FROM turns WHERE queue = ?", (queue,)).fetchone()
        line = order([ticket_of(row) for row in waiting], bool(turn and turn[0]), self.book.policy, now.at)
        serving = conn.execute(
            f"SELECT number FROM tickets INDEXED BY tickets_open WHERE state IN {OPEN_STATES}"
            " AND state IN ('called', 'serving') AND queue = ? ORDER BY last_called_at DESC LIMIT ?",
            (queue, SERVING_SHOWN),
        )
        return _Line(
            {ticket.id: ahead for ahead, ticket in enumerate(line)},
            tuple(row["number"] for row in serving),
            service_times(conn, queue),
            self._issuing.open_counters(conn, queue),
        )


def _today(conn: sqlite3.Connection, now: Moment) -> date:
    """The office's day: that of the running series while the clock is not believed."""
    row = None if now.trusted else conn.execute("SELECT day FROM series WHERE current = 1").fetchone()
    return date.fromisoformat(row["day"]) if row else now.day


def _commented(conn: sqlite3.Connection, ticket_id: str) -> bool:
    return bool(conn.execute("SELECT 1 FROM comments WHERE ticket = ? AND ticket != ''", (ticket_id,)).fetchone())


def _kept_waiting(conn: sqlite3.Connection, now: Moment, ticket: Ticket) -> bool:
    """Whether the ticket waits longer than its slip promised."""
    job = conn.execute(
        "SELECT made_at, boot, mono, wait_high FROM jobs"
        " WHERE ticket = ? AND wait_high IS NOT NULL ORDER BY id LIMIT 1",
        (ticket.id,),
    ).fetchone()
    if job is None:
        return False
    waited = elapsed_s(now, time_of(job["made_at"]), job["boot"], job["mono"], believed=ticket.trusted)
    return promise_passed(job["wait_high"], waited)
