"""What clerks do: call, recall, start, finish, no-show, hold, transfer, and take back the last move within seconds."""

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kiosk import tickets
from kiosk.clock import Moment
from kiosk.rulebook import DeskRule, Rulebook
from kiosk.store import calls
from kiosk.store.database import Database, Writing
from kiosk.store.rows import OPEN_STATES, load_counter, load_ticket, move_counter, move_ticket
from kiosk.store.series import open_day
from kiosk.tickets import Counter, Refused, State, Ticket, counter_of, passed, plain, text_of, ticket_of, time_of
from kiosk.turns import choose, place_near_head

PHONE_REJOINS = 2
"""How often a ticket may rejoin by phone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed on which somebody acted: who sits at the counter, and its open ticket's id ("" for none).

    A move from a page that shows something else is refused and changes nothing.
    """

    clerk: str
    ticket: str


class Counters:
    """The counters' moves. Each raises Refused when the rules forbid it, StoreError when nothing can be written."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    # --- calling ---------------------------------------------------------------------------------------------

    def call_next(self, now: Moment, counter_id: str, seen: Seen | None = None) -> Ticket | None:
        """Finish the open ticket, if there is one, and call whom the rules choose; None when nobody waits."""
        with self._acting(now, counter_id, seen, calling=True) as (w, counter):
            return self._next(w, self._finish_open(w, counter), now)

    def call_chosen(self, now: Moment, counter_id: str, number: str, reason: str, seen: Seen | None = None) -> Ticket:
        """Call a number out of order; the reason is kept. Newest ticket of that number first."""
        if not reason.strip():
            raise Refused("reason_missing")
        with self._acting(now, counter_id, seen, calling=True) as (w, counter):
            counter = self._finish_open(w, counter)
            return self._call(w, _by_number(w.conn, number), counter, reason.strip())

    def recall(self, now: Moment, counter_id: str, seen: Seen | None = None) -> Ticket:
        """Call the open ticket once more."""
        with self._acting(now, counter_id, seen) as (w, counter):
            ticket = _open_ticket(w, counter)
            recalled = move_ticket(w, ticket, tickets.recall(ticket, counter, self.book.policy, now.at))
            calls.add(w, "recall", counter_id, ticket.id)
            return recalled

    def start(self, now: Moment, counter_id: str, seen: Seen | None = None) -> Ticket:
        """The citizen has come."""
        with self._acting(now, counter_id, seen) as (w, counter):
            ticket = _open_ticket(w, counter)
            return move_ticket(w, ticket, tickets.start(ticket, counter))

    def finish(self, now: Moment, counter_id: str, seen: Seen | None = None) -> Ticket:
        """The service is done; arms the counter's rating keys."""
        with self._acting(now, counter_id, seen) as (w, counter):
            ticket = _open_ticket(w, counter)
            return move_ticket(w, ticket, tickets.finish(ticket, counter))

    def no_show(self, now: Moment, counter_id: str, seen: Seen | None = None) -> Ticket:
        """Nobody came."""
        with self._acting(now, counter_id, seen) as (w, counter):
            ticket = _open_ticket(w, counter)
            missed = move_ticket(w, ticket, tickets.no_show(ticket, counter, self.book.policy, now.at))
            calls.add(w, "no_show", counter_id, ticket.id)
            return missed

    def one_key(self, now: Moment, counter_id: str) -> Ticket | None:
        """The counter's single key: the first press finishes, the next one calls."""
        with self._acting(now, counter_id, calling=True) as (w, counter):
            if counter.ticket:
                ticket = _open_ticket(w, counter)
                return move_ticket(w, ticket, tickets.finish(ticket, counter))
            return self._next(w, counter, now)

    # --- other moves -----------------------------------------------------------------------------------------

    def hold(self, now: Moment, counter_id: str, why: str = "", seen: Seen | None = None) -> Ticket:
        """Papers are missing: keep the number."""
        with self._acting(now, counter_id, seen) as (w, counter):
            ticket = _open_ticket(w, counter)
            return move_ticket(w, ticket, tickets.hold(ticket, counter, why))

    def transfer(
        self,
        now: Moment,
        counter_id: str,
        *,
        service: str = "",
        to_counter: str = "",
        why: str = "",
        seen: Seen | None = None,
    ) -> Ticket:
        """Send the open ticket on to a service or to one counter.

        Refused("counter_shut") where nobody sits: no other counter would call it, and its holder would wait in vain.
        """
        if service and service not in self.book.services:
            raise Refused("no_service", service=service)
        if to_counter and to_counter not in self.book.desks:
            raise Refused("no_counter", counter=to_counter)
        with self._acting(now, counter_id, seen) as (w, counter):
            if to_counter and load_counter(w.conn, to_counter).state == "closed":
                raise Refused("counter_shut", counter=to_counter)
            ticket = _open_ticket(w, counter)
            return move_ticket(
                w, ticket, tickets.transfer(ticket, counter, service=service, to_counter=to_counter, why=why)
            )

    def come_back(self, now: Moment, ticket_id: str) -> Ticket:
        """A held ticket returns, or a missed one rejoins: near the head of its line."""
        with self._writing(now) as w:
            return self._come_back(w, load_ticket(w.conn, ticket_id), "staff")

    def rejoin(self, now: Moment, ticket_id: str) -> bool:
        """The citizen of a missed ticket says on the phone that they are here now; whether that was still possible.

        At most `PHONE_REJOINS` times: whoever lets the number pass again and again asks at the counter.
        """
        with self._writing(now) as w:
            ticket = load_ticket(w.conn, ticket_id)
            if not may_rejoin(w.conn, ticket):
                return False
            count = "INSERT INTO phone_rejoins (ticket, n) VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1"
            w.conn.execute(count, (ticket.id,))
            self._come_back(w, ticket, "phone")
            return True

    def cancel(self, now: Moment, ticket_id: str, why: str, seen: str = "") -> Ticket:
        """Take a ticket out of the queue; Refused("stale") when its state is not the one `seen` any more."""
        with self._writing(now) as w:
            ticket = load_ticket(w.conn, ticket_id)
            if seen and ticket.state != seen:
                raise Refused("stale", number=ticket.number, state=ticket.state.value)
            return move_ticket(w, ticket, tickets.cancel(ticket, why))

    def link(self, now: Moment, ticket_id: str, number: str) -> tuple[Ticket, Ticket]:
        """The holder of a ticket also holds this number: both tickets as they are now."""
        with self._writing(now) as w:
            pair = (load_ticket(w.conn, ticket_id), _by_number(w.conn, number))
            for ticket, decision in tickets.link(*pair):
                move_ticket(w, ticket, decision)
            first, second = (load_ticket(w.conn, ticket.id) for ticket in pair)
            return first, second

    def unlink(self, now: Moment, ticket_id: str) -> Ticket:
        """The ticket is called like any other again."""
        with self._writing(now) as w:
            ticket = load_ticket(w.conn, ticket_id)
            return move_ticket(w, ticket, tickets.unlink(ticket))

    def undo(self, now: Moment, counter_id: str, seen: Seen | None = None) -> None:
        """Take back the counter's last move. Refused when it is too long ago, or when something else followed."""
        with self.database.writing(now) as w:
            if seen:
                _check_seen(w, load_counter(w.conn, counter_id), seen)
            row = w.conn.execute("SELECT * FROM undo WHERE counter = ?", (counter_id,)).fetchone()
            if row is None or passed(time_of(row["at"]), self.book.policy.undo_s, now.at):
                raise Refused("undo_too_late")
            before, after = json.loads(row["before"]), json.loads(row["after"])
            _check_untouched(w.conn, after)
            desk_before, desk_after = counter_of(before["desk"]), counter_of(after["desk"])
            for was, became in zip(before["tickets"], after["tickets"], strict=True):
                decision = tickets.undo(ticket_of(was), ticket_of(became), desk_before, desk_after)
                move_ticket(w, ticket_of(became), decision)
                _print_after_all(w.conn, was["id"])
                _give_turn_back(w.conn, was["queue"], before["turns"], after["turns"])
            calls.withdraw(w.conn, counter_id, row["at"])
            w.conn.execute("DELETE FROM undo WHERE counter = ?", (counter_id,))

    # --- the counter itself ----------------------------------------------------------------------------------

    def open(self, now: Moment, counter_id: str, clerk: str = "", staff: Collection[str] | None = None) -> Counter:
        """A clerk sits down (by default the one of the office document), and leaves the counter of before.

        Who sits there since today stays as they are. Refused("clerk_busy") while the clerk has a ticket open elsewhere,
        Refused("counter_taken") while another one has a ticket open here; one who is not among the `staff` (None:
        everybody is) has left the office, and leaves the ticket to whoever comes.
        """
        clerk = clerk or self._desk(counter_id).clerk
        with self._writing(now) as w:
            counter = load_counter(w.conn, counter_id)
            if counter.ticket and counter.clerk not in ("", clerk) and (staff is None or counter.clerk in staff):
                raise Refused("counter_taken", counter=counter_id)
            self._leave_others(w, clerk, counter_id)
            return counter if _sits_there(counter, clerk, now) else _open_desk(w, counter, clerk)

    def pause(self, now: Moment, counter_id: str, until: str = "", seen: Seen | None = None) -> Counter:
        """Stop serving for a while; `until` is a wall time "HH:MM" for the board, or "". Refused("no_time") else."""
        if until and not _WALL_TIME.fullmatch(until):
            raise Refused("no_time", time=until[:20])
        return self._counter_event(now, counter_id, seen, "counter.paused", until=until)

    def resume(self, now: Moment, counter_id: str, seen: Seen | None = None) -> Counter:
        return self._counter_event(now, counter_id, seen, "counter.resumed")

    def close(self, now: Moment, counter_id: str) -> Counter:
        """The clerk signs out. Refused while a ticket is open here."""
        self._desk(counter_id)
        with self._writing(now) as w:
            counter = load_counter(w.conn, counter_id)
            if counter.ticket:
                raise Refused("counter_busy")
            return _close_desk(w, counter)

    def upcoming(self, now: Moment, counter_id: str) -> Ticket | None:
        """Whom `call_next` would call now."""
        return self._choose(self.database.conn, self._desk(counter_id), now)

    def undoable_s(self, now: Moment, counter_id: str) -> float:
        """For how many more seconds the counter's last move can be taken back, 0 when it cannot."""
        row = self.database.row("SELECT at FROM undo WHERE counter = ?", counter_id)
        if row is None:
            return 0.0
        gone = (now.at - time_of(row["at"])).total_seconds()
        return max(0.0, self.book.policy.undo_s - gone) if gone >= 0 else 0.0

    def counter(self, counter_id: str) -> Counter:
        return load_counter(self.database.conn, counter_id)

    def tick(self, now: Moment) -> int:
        """Start the services that nobody started by hand; how many there were. Reads only while none is due."""
        due = self._due(now)
        if not due:
            return 0
        with self.database.writing(now) as w:
            for ticket in self._due(now):
                counter = load_counter(w.conn, ticket.counter)
                move_ticket(w, ticket, tickets.start(ticket, counter, implied=True))
        return len(due)

    # --- within a transaction --------------------------------------------------------------------------------

    def _come_back(self, w: Writing, ticket: Ticket, by: str) -> Ticket:
        policy = self.book.policy
        line = _heads(w.conn, ticket.queue, policy.rejoin_behind + 1)
        place = place_near_head(line, ticket, _turns(w.conn).get(ticket.queue, False), policy, w.now.at)
        return move_ticket(w, ticket, tickets.come_back(ticket, place, by))

    @contextmanager
    def _writing(self, now: Moment) -> Iterator[Writing]:
        """A write in the running series: the first one of a day opens the day, whoever makes it."""
        open_day(self.database, self.book, now)
        with self.database.writing(now) as w:
            yield w

    @contextmanager
    def _acting(
        self, now: Moment, counter_id: str, seen: Seen | None = None, *, calling: bool = False
    ) -> Iterator[tuple[Writing, Counter]]:
        """A clerk's move, with the rows before and after it kept for undo. Who calls has opened the counter by it."""
        desk = self._desk(counter_id)
        with self._writing(now) as w:
            counter = load_counter(w.conn, counter_id)
            if seen:
                _check_seen(w, counter, seen)
            if counter.state == "closed":
                counter = _open_desk(w, counter, desk.clerk)
            elif counter.state == "paused" and calling:
                counter = move_counter(w, counter, ("counter.resumed", {"counter": counter_id}))
            turns = _turns(w.conn)
            yield w, counter
            if w.moved:
                self._keep_for_undo(w, counter, turns)

    def _keep_for_undo(self, w: Writing, counter: Counter, turns: dict[str, bool]) -> None:
        before = {"desk": plain(counter), "tickets": [plain(was) for was, _ in w.moved.values()], "turns": turns}
        now = [plain(became) for _, became in w.moved.values()]
        after = {"desk": plain(load_counter(w.conn, counter.id)), "tickets": now, "turns": _turns(w.conn)}
        w.conn.execute(
            "INSERT OR REPLACE INTO undo (counter, at, before, after) VALUES (?, ?, ?, ?)",
            (counter.id, text_of(w.now.at), json.dumps(before), json.dumps(after)),
        )

    def _next(self, w: Writing, counter: Counter, now: Moment) -> Ticket | None:
        ticket = self._choose(w.conn, self._desk(counter.id), now)
        return self._call(w, ticket, counter, "") if ticket else None

    def _finish_open(self, w: Writing, counter: Counter) -> Counter:
        if not counter.ticket:
            return counter
        ticket = load_ticket(w.conn, counter.ticket)
        move_ticket(w, ticket, tickets.finish(ticket, counter))
        return load_counter(w.conn, counter.id)

    def _choose(self, conn: sqlite3.Connection, desk: DeskRule, now: Moment) -> Ticket | None:
        """By turn among those that may be offered; among the ones that missed a call only if nobody else waits.

        Who is at a counter with another ticket is passed over, and keeps the place in line.
        """
        policy, turns = self.book.policy, _turns(conn)
        missed = (text_of(now.at - timedelta(minutes=policy.rejoin_wait_min)), text_of(now.at))
        for which in (f"{_OFFERED} AND {_FREE}", _FREE):
            heads = [head for queue in desk.services for head in _heads(conn, queue, 1, which, missed)]
            heads += _targeted(conn, desk.id, which, missed)
            if heads:
                return choose(heads, turns, policy, now.at)
        return None

    def _call(self, w: Writing, ticket: Ticket, counter: Counter, reason: str) -> Ticket:
        called = move_ticket(w, ticket, tickets.call(ticket, counter, reason=reason))
        calls.add(w, "call", counter.id, ticket.id)
        if not reason:
            turn = (ticket.queue, ticket.priority)
            w.conn.execute("INSERT OR REPLACE INTO turns (queue, priority) VALUES (?, ?)", turn)
        return called

    def _desk(self, counter_id: str) -> DeskRule:
        desk = self.book.desks.get(counter_id)
        if desk is None:
            raise Refused("no_counter", counter=counter_id)
        return desk

    def _leave_others(self, w: Writing, clerk: str, counter_id: str) -> None:
        """A clerk sits at one counter. A number at one that the office has no more goes back to its place in line."""
        elsewhere = "SELECT id FROM counters WHERE clerk = ? AND clerk != '' AND id != ?"
        for row in w.conn.execute(elsewhere, (clerk, counter_id)).fetchall():
            other = load_counter(w.conn, row["id"])
            if other.ticket and other.id in self.book.desks:
                raise Refused("clerk_busy", counter=other.id)
            _give_up_desk(w, other)

    def _counter_event(self, now: Moment, counter_id: str, seen: Seen | None, kind: str, **data: str) -> Counter:
        self._desk(counter_id)
        with self._writing(now) as w:
            counter = load_counter(w.conn, counter_id)
            if seen:
                _check_seen(w, counter, seen)
            return move_counter(w, counter, (kind, {"counter": counter_id, **data}))

    def _due(self, now: Moment) -> list[Ticket]:
        rows = self.database.rows(
            f"SELECT * FROM tickets INDEXED BY tickets_open WHERE state IN {OPEN_STATES} AND state = 'called'"
        )
        called = [ticket_of(row) for row in rows]
        return [t for t in called if passed(t.last_called_at, self.book.policy.implied_start_s, now.at)]


def may_rejoin(conn: sqlite3.Connection, ticket: Ticket) -> bool:
    """Whether the citizen may rejoin by phone: the call was missed, and that is not yet a habit."""
    row = conn.execute("SELECT n FROM phone_rejoins WHERE ticket = ?", (ticket.id,)).fetchone()
    return ticket.state is State.NO_SHOW and (row is None or row["n"] < PHONE_REJOINS)


def _sits_there(counter: Counter, clerk: str, now: Moment) -> bool:
    """Whether the clerk opened this counter today, or in this boot while nobody knows the day."""
    of_today = counter.day == str(now.day) if now.trusted else counter.boot == now.boot
    return counter.state != "closed" and counter.clerk == clerk and of_today


def _open_desk(w: Writing, counter: Counter, clerk: str) -> Counter:
    day = str(w.now.day) if w.now.trusted else ""
    data = {"counter": counter.id, "clerk": clerk, "day": day, "boot": w.now.boot}
    return move_counter(w, counter, ("counter.opened", data))


def give_up_others(w: Writing, kept: Collection[str]) -> None:
    """The office has these counters and no more: whoever is at another one, or was sent there, may be called by all."""
    for row in w.conn.execute("SELECT id FROM counters WHERE state != 'closed'").fetchall():
        if row["id"] not in kept:
            _give_up_desk(w, load_counter(w.conn, row["id"]))


def _give_up_desk(w: Writing, counter: Counter) -> None:
    """A number that is open here goes back to its place in line."""
    if counter.ticket:
        ticket = load_ticket(w.conn, counter.ticket)
        move_ticket(w, ticket, tickets.transfer(ticket, counter, service=ticket.queue))
        counter = load_counter(w.conn, counter.id)
    _close_desk(w, counter)


def _close_desk(w: Writing, counter: Counter) -> Counter:
    """Whom others sent here may be called by any counter again."""
    for row in w.conn.execute("SELECT * FROM tickets WHERE state = 'waiting' AND target = ?", (counter.id,)).fetchall():
        ticket = ticket_of(row)
        move_ticket(w, ticket, tickets.release(ticket))
    return move_counter(w, counter, ("counter.closed", {"counter": counter.id}))


def _check_seen(w: Writing, counter: Counter, seen: Seen) -> None:
    """Raises Refused: not_yours when another clerk sits there (or none), stale when another ticket is open there."""
    if counter.clerk != seen.clerk:
        raise Refused("not_yours", counter=counter.id)
    if counter.ticket != seen.ticket:
        if seen.ticket:
            ticket = load_ticket(w.conn, seen.ticket)
            raise Refused("stale", number=ticket.number, state=ticket.state.value)
        raise Refused("stale_open", number=load_ticket(w.conn, counter.ticket).number)


def _open_ticket(w: Writing, counter: Counter) -> Ticket:
    if not counter.ticket:
        raise Refused("counter_empty")
    return load_ticket(w.conn, counter.ticket)


def _by_number(conn: sqlite3.Connection, number: str) -> Ticket:
    """The open ticket of a number, the newest one first that is not at a counter."""
    row = conn.execute(
        f"SELECT * FROM tickets INDEXED BY tickets_open WHERE number = ? AND state IN {OPEN_STATES}"
        " ORDER BY state IN ('called', 'serving'), arrival DESC LIMIT 1",
        (number,),
    ).fetchone()
    if row is None:
        raise Refused("no_ticket", number=number)
    return ticket_of(row)


def _turns(conn: sqlite3.Connection) -> dict[str, bool]:
    return {row["queue"]: bool(row["priority"]) for row in conn.execute("SELECT queue, priority FROM turns")}


_WALL_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_OFFERED = "(missed_at IS NULL OR missed_at <= ? OR missed_at > ?)"
_FREE = (
    "(linked = '' OR NOT EXISTS (SELECT 1 FROM tickets AS other INDEXED BY tickets_linked"
    " WHERE other.linked != '' AND other.linked = tickets.linked AND other.state IN ('called', 'serving')))"
)


def _heads(
    conn: sqlite3.Connection, queue: str, limit: int, which: str = "1", values: tuple[str, ...] = ()
) -> list[Ticket]:
    """The first waiting ones of each kind in a queue, among those that the condition `which` allows."""
    sql = (
        f"SELECT * FROM tickets WHERE state = 'waiting' AND queue = ? AND priority = ? AND target = '' AND {which}"
        " ORDER BY place, arrival LIMIT ?"
    )
    given = values if "?" in which else ()
    return [ticket_of(row) for kind in (1, 0) for row in conn.execute(sql, (queue, kind, *given, limit))]


def _targeted(conn: sqlite3.Connection, counter_id: str, which: str, values: tuple[str, ...]) -> list[Ticket]:
    sql = f"SELECT * FROM tickets WHERE state = 'waiting' AND target = ? AND {which} ORDER BY place, arrival LIMIT 1"
    return [ticket_of(row) for row in conn.execute(sql, (counter_id, *(values if "?" in which else ())))]


def _give_turn_back(
    conn: sqlite3.Connection, queue: str, before: Mapping[str, bool], after: Mapping[str, bool]
) -> None:
    """Whose turn it was before the move, unless another counter has called from this queue since."""
    was, became = before.get(queue), after.get(queue)
    if was == became or _turns(conn).get(queue) != became:
        return
    conn.execute("DELETE FROM turns WHERE queue = ?", (queue,))
    if was is not None:
        conn.execute("INSERT INTO turns (queue, priority) VALUES (?, ?)", (queue, was))


def _print_after_all(conn: sqlite3.Connection, ticket_id: str) -> None:
    """A slip that was given up because of the call that is taken back now."""
    conn.execute(
        "UPDATE jobs SET state = 'queued', why = '' WHERE ticket = ? AND state = 'expired' AND why = 'called'",
        (ticket_id,),
    )


def _check_untouched(conn: sqlite3.Connection, after: dict[str, Any]) -> None:
    """Undo is refused when a row has moved on, or when the citizen has already rated what was finished."""
    for became in after["tickets"]:
        if plain(load_ticket(conn, became["id"])) != became:
            raise Refused("undo_too_late")
        rated = "SELECT 1 FROM ratings WHERE ticket = ? AND ticket != ''"
        if conn.execute(rated, (became["id"],)).fetchone():
            raise Refused("undo_rated")
    desk = after["desk"]
    if plain(load_counter(conn, desk["id"])) != desk:
        raise Refused("undo_too_late")
