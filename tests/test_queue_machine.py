"""Everything that can happen to a queue, in any order, on a real database: rules and store are driven together.

Counters call, finish, lose and get back people; priorities, transfers, linked tickets, rolls of numbers, ratings,
restarts, restores of old backups and clocks that jump. The model only remembers what was printed.
"""

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from kiosk.clock import Moment
from kiosk.store import Store
from kiosk.store.phones import Answer
from kiosk.store.prepare import backup, prepare, restore
from kiosk.store.rebuild import from_events, from_tables
from kiosk.tickets import AT_COUNTER, Refused, State, label
from tests.office import OPENING, rulebook

SERVICES = st.sampled_from(["ho-tich", "chung-thuc", "dat-dai", "bao-tro"])
COUNTERS = st.sampled_from(["1", "2", "3", "4"])
MOVES = st.sampled_from(["recall", "start", "finish", "no_show", "hold", "pause", "resume", "close", "undo", "one_key"])


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="queue-"))
        self.book = replace(rulebook(press_limits=False, no_show_after_s=20, no_show_after_priority_s=20))
        self.seconds, self.day, self.boot, self.error, self.trusted = 0.0, 0, 1, 0.0, True
        self.printed: set[tuple[int, str]] = set()
        self.lie, self.lied, self.lied_today = 0.0, False, False
        self.backups: list[Path] = []
        self.restored = self.rolled = False
        prepare(self.folder, self.now)
        self.store = Store(self.folder, self.book)
        self.fast()

    def fast(self) -> None:
        # Power cuts are another test's matter; here only the logic is.
        self.store.database.conn.execute("PRAGMA synchronous=OFF")

    @property
    def now(self) -> Moment:
        """The kiosk's clock: the truth, or off by an error while nobody vouches for it."""
        at = OPENING + timedelta(days=self.day, seconds=self.seconds)
        wrong = timedelta(seconds=self.lie if self.trusted else self.error)
        mono = int((self.day * 86400 + self.seconds) * 1000)
        return Moment(at + wrong, "ntp" if self.trusted else "guess", self.trusted, f"{self.boot:08x}", mono)

    def teardown(self) -> None:
        self.everybody_is_served()
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(service=SERVICES, priority=st.booleans(), staff=st.booleans())
    def take(self, service: str, priority: bool, staff: bool) -> None:
        try:
            issued = self.store.issuing.issue(self.now, service, priority=priority, by="staff" if staff else "kiosk")
        except Refused as refused:
            assert refused.reason in {"session_over", "holiday", "closed", "quota", "roll", "roll_given"}
            return
        printed = (self.day, issued.ticket.number)
        assert printed not in self.printed, f"{issued.ticket.number} is on paper twice today"
        self.printed.add(printed)

    @rule(counter=COUNTERS)
    def call_next(self, counter: str) -> None:
        self.next_at(counter)

    def next_at(self, counter: str) -> str:
        """Nobody is called by turn who is at another counter with another number; the called ticket's id or ""."""
        called = self.store.counters.call_next(self.now, counter)
        if called and called.linked:
            others = [t for t in from_tables(self.store.database.conn).tickets.values() if t.linked == called.linked]
            assert [t.id for t in others if t.state in AT_COUNTER] == [called.id]
        return called.id if called else ""

    @rule(pick=st.integers(0, 30), other=st.integers(0, 30), apart=st.booleans())
    def link(self, pick: int, other: int, apart: bool) -> None:
        tickets = sorted(from_tables(self.store.database.conn).tickets.values(), key=lambda t: t.id)
        if not tickets:
            return
        ticket = tickets[pick % len(tickets)].id
        try:
            if apart:
                self.store.counters.unlink(self.now, ticket)
            else:
                self.store.counters.link(self.now, ticket, tickets[other % len(tickets)].number)
        except Refused:
            return

    @rule(service=SERVICES, seq=st.integers(1, 40), over=st.booleans())
    def roll(self, service: str, seq: int, over: bool) -> None:
        self.rolled = True
        try:
            if over:
                self.store.rolls.end(self.now, service)
            else:
                self.store.rolls.start(self.now, service, label(self.book.services[service].prefix, seq))
        except Refused:
            return

    @rule(counter=COUNTERS, move=MOVES)
    def clerk(self, counter: str, move: str) -> None:
        try:
            getattr(self.store.counters, move)(self.now, counter)
        except Refused:
            return

    @rule(counter=COUNTERS, pick=st.integers(0, 30), why=st.sampled_from(["hẹn trước", ""]))
    def call_chosen(self, counter: str, pick: int, why: str) -> None:
        numbers = sorted(number for _, number in self.printed) or ["1001"]
        try:
            self.store.counters.call_chosen(self.now, counter, numbers[pick % len(numbers)], why)
        except Refused:
            return

    @rule(counter=COUNTERS, service=SERVICES, to=COUNTERS, there=st.booleans())
    def transfer(self, counter: str, service: str, to: str, there: bool) -> None:
        where = {"to_counter": to} if there else {"service": service}
        try:
            self.store.counters.transfer(self.now, counter, **where)  # type: ignore[arg-type]
        except Refused:
            return

    @rule(pick=st.integers(0, 30), cancel=st.booleans())
    def come_back_or_cancel(self, pick: int, cancel: bool) -> None:
        tickets = sorted(from_tables(self.store.database.conn).tickets)
        if not tickets:
            return
        ticket = tickets[pick % len(tickets)]
        try:
            if cancel:
                self.store.counters.cancel(self.now, ticket, "về trước")
            else:
                self.store.counters.come_back(self.now, ticket)
        except Refused:
            return

    @rule(counter=COUNTERS, level=st.integers(1, 3))
    def rate(self, counter: str, level: int) -> None:
        self.store.ratings.press(self.now, counter, level, "key")

    @rule(pick=st.integers(0, 30), level=st.integers(1, 3), words=st.sampled_from(["", "Cảm ơn"]))
    def a_phone_asks_rejoins_and_rates(self, pick: int, level: int, words: str) -> None:
        tokens = sorted(ticket.token for ticket in from_tables(self.store.database.conn).tickets.values())
        if not tokens:
            return
        token = tokens[pick % len(tokens)]
        assert self.store.phones.ticket(self.now, token) is not None
        self.store.phones.rejoin(self.now, token)
        self.store.phones.rate(self.now, token, Answer(level, ("wait",), words))

    @rule(counter=COUNTERS, renew=st.booleans())
    def a_poster_is_used(self, counter: str, renew: bool) -> None:
        token = (self.store.posters.renew if renew else self.store.posters.token)(self.now, counter)
        assert self.store.posters.counter(token) == counter
        self.store.phones.rate_counter(self.now, counter, Answer(2))

    @invariant()
    def a_ticket_has_at_most_one_rating_that_counts(self) -> None:
        rows = self.store.database.rows(
            "SELECT ticket FROM ratings WHERE ticket != '' AND flags = '' AND replaced_by = ''"
        )
        assert len({row["ticket"] for row in rows}) == len(rows)

    @rule(seconds=st.sampled_from([0.5, 3, 16, 31, 400, 2000]))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds
        self.store.counters.tick(self.now)
        self.store.ratings.publish(self.now)

    @rule()
    def restart(self) -> None:
        self.store.close()
        assert prepare(self.folder, self.now).new_epoch == ""
        self.store = Store(self.folder, self.book)
        self.fast()

    # Nothing can tell afterwards that a clock was wrong which was believed before the power cut.
    @precondition(lambda self: not self.lied_today)
    @rule(error=st.sampled_from([-86400 * 300, -3600, 7200, 86400 * 40]))
    def power_cut_and_a_wrong_clock(self, error: float) -> None:
        self.boot += 1
        self.trusted, self.error, self.lie = False, error, 0.0
        self.restart()

    @precondition(lambda self: not self.trusted)
    @rule()
    def true_time_comes(self) -> None:
        self.trusted = True

    def has_compared_clocks(self) -> bool:
        """The kiosk wrote in this boot. Before its first write it has nothing to hold a believed clock against: a wrong
        one that shows tomorrow then begins tomorrow's numbers, as after a power cut."""
        row = self.store.database.row("SELECT boot FROM series WHERE current = 1")
        return row is None or row["boot"] == self.now.boot

    @precondition(lambda self: self.trusted and self.has_compared_clocks())
    @rule(error=st.sampled_from([-86400 * 2, 7200, 86400, 86400 * 40]))
    def a_believed_clock_is_wrong_for_a_while(self, error: float) -> None:
        self.lie = error
        self.lied = self.lied_today = True

    @rule()
    def the_clock_is_set_right(self) -> None:
        self.lie = 0.0

    @rule(days=st.integers(1, 3))
    def next_day(self, days: int) -> None:
        self.day, self.seconds, self.lie, self.lied_today = self.day + days, 0, 0.0, False

    @rule()
    def back_up(self) -> None:
        self.backups.append(
            backup(self.folder, replace(self.now, at=self.now.at + timedelta(seconds=len(self.backups))))
        )
        self.backups = [path for path in self.backups if path.exists()]

    @precondition(lambda self: bool(self.backups))
    @rule(pick=st.integers(0, 5))
    def restore_an_old_backup(self, pick: int) -> None:
        self.store.close()
        assert restore(self.folder, self.backups[pick % len(self.backups)], self.now).new_epoch
        self.restored = True
        self.store = Store(self.folder, self.book)
        self.fast()

    @invariant()
    def events_tell_everything(self) -> None:
        assert from_events(self.store.database.conn) == from_tables(self.store.database.conn)

    @invariant()
    def each_counter_has_at_most_one_ticket_and_knows_it(self) -> None:
        state = from_tables(self.store.database.conn)
        served = {t.counter: t.id for t in state.tickets.values() if t.state in AT_COUNTER}
        assert len(served) == sum(1 for t in state.tickets.values() if t.state in AT_COUNTER)
        assert {c.id: c.ticket for c in state.counters.values() if c.ticket} == served

    @invariant()
    def numbers_have_no_gap_in_normal_running(self) -> None:
        if self.restored or self.lied or self.rolled:
            return
        rows = self.store.database.rows(
            "SELECT service, max(seq) - min(seq) + 1 - count(*) AS gap FROM tickets GROUP BY series, service"
        )
        assert all(row["gap"] == 0 for row in rows)

    def everybody_is_served(self) -> None:
        """No ticket is lost: as long as somebody calls, each waiting one is called in the end."""
        self.store.counters.resume(self.now, "1")  # a first write, in case a new day has to be opened
        waiting = {t.id for t in from_tables(self.store.database.conn).tickets.values() if t.state is State.WAITING}
        called = set()
        for _ in range(2 * len(waiting) + 4):  # a round may only send home whom the others were passed over for
            for counter in "1234":
                called.add(self.next_at(counter))
        assert waiting <= called


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        QueueMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_no_number_twice_no_ticket_lost_and_events_equal_tables():
    run(examples=30, steps=40)


@pytest.mark.slow
def test_no_number_twice_no_ticket_lost_and_events_equal_tables_over_a_long_run():
    run(examples=1500, steps=60)
