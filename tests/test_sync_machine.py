"""The promise of the feed, under every fault at once: real databases on both sides, the real client and ingest rules.

The server here is the small receiver's; tests/server/test_machine.py lets the same machine loose on the commune server.
Only the network is imitated, as an adapter of requests: it loses, cuts, repeats and delays, but never alters bytes
(TLS sees to that; the chain's checks have tests of their own).
"""

import sqlite3
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sync import ingest, outbox, wire
from sync.fetched import Asked, fetch
from sync.outbox import Outbox
from tests.sync_kit import DEVICE, OPENING
from tests.sync_machine_kit import Card, Network, Server, copy_of, opened

KEEP_DAYS = 10
FAULTS = ("none", "request lost", "response lost", "error before commit", "duplicate", "delayed", "refused")
PULL_FAULTS = ("none", "none", "answer lost", "error before commit", "duplicate")
TROUBLES = (
    "kiosk restored",
    "kiosk rolled back",
    "server restored",
    "server restored",
    "line",
    "hash",
    "row",
    "new epoch",
    "card flashed",
)


class SyncMachine(RuleBasedStateMachine):
    @initialize(by_pull=st.booleans())
    def begin(self, by_pull: bool) -> None:
        self.heals_by_pull = by_pull
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.now, self.epochs = OPENING, 0
        self.server = self.make_server(path)
        self.network = Network(self.server)
        self.card = Card(opened(path / "kiosk.db"), self)
        self.twin: Card | None = None
        self.begin_feed(self.card)
        self.committed: dict[str, bytes] = {}
        self.alive: set[str] = set()
        self.wounded: set[str] = set()
        self.only_there: set[str] = set()
        self.kiosk_backups = [copy_of(self.conn)]
        self.server_backups = [(self.now, self.server.backup())]

    def make_server(self, path: Path) -> Server:
        """An empty one."""
        return Server(path / "server.db", self)

    @property
    def conn(self) -> sqlite3.Connection:
        return self.card.conn

    @property
    def outbox(self) -> Outbox:
        return self.card.outbox

    def begin_feed(self, card: Card) -> None:
        card.conn.execute("BEGIN IMMEDIATE")
        outbox.create(card.conn)
        outbox.start_epoch(card.conn, card.next_epoch(card.conn, 0), self.stamp())
        card.conn.execute("COMMIT")

    def stamp(self) -> wire.Stamp:
        return wire.Stamp(self.now, "rtc", "7f3a9c12", 1)

    def rows(self) -> dict[str, bytes]:
        """What the kiosk and the copy of its card hold and could send."""
        return self.card.rows() | (self.twin.rows() if self.twin else {})

    def see_new_events(self) -> None:
        """Events that the outbox itself wrote (event.damaged) are committed like all others."""
        for id, line in self.rows().items():
            if id not in self.wounded:
                assert self.committed.setdefault(id, line) == line

    def something_was_lost(self) -> None:
        """A disk was replaced or damaged: what neither side holds any more cannot be asked for."""
        self.alive &= set(self.rows()) - self.wounded | set(self.server.held())

    # What happens

    @rule(count=st.integers(1, 8), size=st.sampled_from([0, 10, 2000]))
    def event(self, count: int, size: int) -> None:
        self.conn.execute("BEGIN IMMEDIATE")
        first = outbox.head(self.conn).seq
        for _ in range(count):
            outbox.append(self.conn, "thing.happened", {"number": "1001", "pad": "ố" * size}, self.stamp())
        self.conn.execute("COMMIT")
        for (line,) in self.conn.execute("SELECT line FROM events WHERE seq > ?", (first,)):
            event = wire.decode_event(line)
            self.committed[event.id] = line
            self.alive.add(event.id)

    @rule(fault=st.sampled_from(FAULTS), limit=st.integers(1, 6))
    def push(self, fault: str, limit: int) -> None:
        self.network.fault, self.card.client._limit = fault, limit
        self.card.client.push(self.outbox, self.now, {})

    @rule(limit=st.integers(1, 6))
    def push_well(self, limit: int) -> None:
        self.push("none", limit)

    @rule(fault=st.sampled_from(PULL_FAULTS), limit=st.integers(1, 6))
    def pull(self, fault: str, limit: int) -> None:
        self.fetch_once(fault, limit)

    def fetch_once(self, fault: str, limit: int) -> bool:
        """The server asks for what follows; whether it now has all."""
        epoch = self.server.latest_epoch() or ""
        after = self.server.head(epoch) if epoch else wire.START
        fetched = fetch(self.outbox, Asked(epoch, after, limit, now=self.now))
        batch = fetched.reading.batch(DEVICE, {})
        if fault == "answer lost":
            return False
        if fault == "duplicate":
            self.server.ingest(batch, fail=False)
        try:
            result = self.server.ingest(batch, fail=fault == "error before commit")
        except RuntimeError:
            return False
        return result.code == "ok" and result.head.seq == batch.header.head

    @precondition(lambda self: self.network.late)
    @rule(data=st.data(), again=st.booleans())
    def late_arrival(self, data: st.DataObject, again: bool) -> None:
        which = data.draw(st.integers(0, len(self.network.late) - 1))
        self.server.take(self.network.late[which])
        if not again:
            del self.network.late[which]

    @rule(days=st.sampled_from([1, 4, KEEP_DAYS + 1]))
    def days_pass(self, days: int) -> None:
        """Each night the server is backed up."""
        self.now += timedelta(days=days)
        self.backup(kiosk=False)

    @rule(waiting=st.booleans())
    def a_quiet_fortnight(self, waiting: bool) -> None:
        """All is sent, time passes, a heartbeat: only then is there anything to prune."""
        self.push("none", wire.MAX_EVENTS)
        self.days_pass(KEEP_DAYS + 2)
        self.push("none", 1)
        if waiting:
            self.event(2, 0)
        self.prune(0)

    @rule(data=st.data(), jump=st.sampled_from([0, 4000]))
    def the_server_loses_a_day(self, data: st.DataObject, jump: int) -> None:
        """What was taken, and perhaps pruned, since the last backup is asked for again."""
        self.event(2, 0)
        self.push("none", 4)
        self.prune(jump)
        self.restore_server(data)

    @rule(jump=st.sampled_from([0, -4000, 4000]))
    def prune(self, jump: int) -> None:
        """Also when the kiosk's own clock is years wrong."""
        self.conn.execute("BEGIN IMMEDIATE")
        outbox.prune(self.conn, KEEP_DAYS, self.now + timedelta(days=jump))
        self.conn.execute("COMMIT")

    @rule(kiosk=st.booleans())
    def backup(self, kiosk: bool) -> None:
        if kiosk:
            self.kiosk_backups.append(copy_of(self.conn))
        else:
            self.server_backups.append((self.now, self.server.backup()))

    @rule(data=st.data(), what=st.sampled_from(TROUBLES))
    def trouble(self, data: st.DataObject, what: str) -> None:
        if what in ("line", "hash", "row"):
            self.damage(data, what)
        elif what == "server restored":
            self.restore_server(data)
        elif what == "new epoch":
            self.outbox.renew(self.outbox.feed()[0].epoch, "asked")
        elif what == "card flashed":
            self.flash_card()
        else:
            self.restore_kiosk(data, told=what == "kiosk restored")

    def restore_kiosk(self, data: st.DataObject, told: bool) -> None:
        """From a backup, with the new epoch that belongs to it; or a card that silently forgot what it had written."""
        before = set(self.rows())
        self.latest(data, self.kiosk_backups).backup(self.conn)
        epoch = self.outbox.feed()[0].epoch
        # The high-water file tells at the next start that this is not the epoch that was begun last.
        if told or epoch != self.card.begun:
            self.outbox.renew(epoch, "restored")
        self.only_there |= before - set(self.rows())
        self.something_was_lost()

    def flash_card(self) -> None:
        """An empty card with the name and token of before: its epochs are counted from one again."""
        before = set(self.rows())
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
            empty.backup(self.conn)
        self.card.counter = 0
        self.begin_feed(self.card)
        self.only_there |= before - set(self.rows())
        self.something_was_lost()

    @precondition(lambda self: self.twin is None)
    @rule()
    def a_card_is_copied(self) -> None:
        """Into a second kiosk, which goes on beside the first."""
        conn = opened(":memory:")
        self.conn.backup(conn)
        self.twin = Card(conn, self, self.card.counter, self.card.begun)

    @precondition(lambda self: self.twin is not None)
    @rule()
    def the_other_kiosk_has_its_turn(self) -> None:
        assert self.twin
        self.card, self.twin = self.twin, self.card

    @precondition(lambda self: self.twin is not None)
    @rule()
    def the_other_kiosk_is_taken_away(self) -> None:
        """With what only its card has."""
        assert self.twin
        gone, self.twin = self.twin, None
        self.only_there |= set(gone.rows()) - set(self.rows())
        gone.close()
        self.something_was_lost()

    def restore_server(self, data: st.DataObject) -> None:
        """No backup older than what the kiosk keeps: that is what keep_days is for."""
        young = [copy for at, copy in self.server_backups if at > self.now - timedelta(days=KEEP_DAYS)]
        if young:
            self.server.restore(self.latest(data, young))
            # Trouble on both sides: what the kiosk's disk had forgotten or damaged before, nobody can send again.
            self.alive -= self.only_there - (set(self.rows()) - self.wounded) - set(self.server.held())

    def latest(self, data: st.DataObject, backups: list[Any]) -> Any:
        """One of the last three."""
        return backups[-data.draw(st.integers(1, min(3, len(backups))))]

    def damage(self, data: st.DataObject, what: str) -> None:
        last = outbox.head(self.conn).seq
        first = outbox.feed(self.conn).base.seq + 1
        if last < first or not self.chain_is_whole():
            return
        seq = data.draw(st.integers(first, last))
        line = self.conn.execute("SELECT line FROM events WHERE seq = ?", (seq,)).fetchone()[0]
        self.wounded.add(wire.decode_event(line).id)
        self.only_there |= self.wounded
        if what == "row":
            self.conn.execute("DELETE FROM events WHERE seq = ?", (seq,))
        elif what == "line":
            altered = line.replace(b'"1001"', b'"7001"') if b'"1001"' in line else b"?" + line
            self.conn.execute("UPDATE events SET line = ? WHERE seq = ?", (altered, seq))
        else:
            self.conn.execute("UPDATE events SET hash = ? WHERE seq = ?", (bytes(range(16)), seq))
        self.something_was_lost()

    def chain_is_whole(self) -> bool:
        """One damage at a time: a row whose line and hash are both gone takes the proof of the next one with it."""
        end = outbox.feed(self.conn).base
        for seq, line, hash in self.conn.execute("SELECT seq, line, hash FROM events ORDER BY seq"):
            if end.seq + 1 != seq or wire.chain(end.hash, line) != hash:
                return False
            end = wire.Position(seq, hash)
        return True

    # What always holds

    @invariant()
    def nothing_is_lost_and_nothing_invented(self) -> None:
        self.see_new_events()
        server = self.server.held()
        for id, line in server.items():
            assert self.committed.get(id) == line, "the server holds what no kiosk committed"
        missing = self.alive - set(server) - set(self.rows())
        assert not missing, "an event is on neither side"

    @invariant()
    def the_server_keeps_the_order(self) -> None:
        last: dict[str, int] = {}
        for epoch, seq in self.server.order():
            assert seq > last.get(epoch, 0)
            last[epoch] = seq

    @invariant()
    def nothing_is_quarantined(self) -> None:
        assert self.server.quarantined() == 0

    def teardown(self) -> None:
        if not hasattr(self, "card"):
            return
        try:
            self.the_net_heals()
        finally:
            copies = [copy for _, copy in self.server_backups if isinstance(copy, sqlite3.Connection)]
            cards = [self.card, self.twin] if self.twin else [self.card]
            for open_one in [*cards, self.server, *self.kiosk_backups, *copies]:
                open_one.close()
            self.folder.cleanup()

    def all_is_pushed(self) -> None:
        self.network.fault, self.card.client._limit = "none", 6
        for _ in range(200):
            outcome = self.card.client.push(self.outbox, self.now, {})
            if outcome.state == "ok" and not outcome.backlog:
                break
        assert (outcome.state, outcome.backlog) == ("ok", 0)

    def all_is_fetched(self) -> None:
        """The last question acknowledges what the last but one brought."""
        assert any(self.fetch_once("none", 6) and self.fetch_once("none", 6) for _ in range(200))
        assert self.outbox.backlog() == 0

    def all_comes(self) -> None:
        if self.heals_by_pull:
            self.all_is_fetched()
        else:
            self.all_is_pushed()

    def both_speak(self) -> None:
        """Two kiosks of one name: what both say is kept, and they do not overtake each other for ever."""
        for _ in range(4):
            self.all_is_pushed()
            self.the_other_kiosk_has_its_turn()
        begun = {card.begun for card in (self.card, self.twin) if card}
        for _ in range(4):
            self.all_is_pushed()
            self.the_other_kiosk_has_its_turn()
        assert {card.begun for card in (self.card, self.twin) if card} == begun

    def the_net_heals(self) -> None:
        if self.twin:
            self.both_speak()
        self.all_comes()
        for body in self.network.late:
            self.server.take(body)
        self.nothing_is_lost_and_nothing_invented()
        held = set(self.server.held())
        assert self.alive <= held
        assert set(self.rows()) <= held
        self.now += ingest.QUIET  # one of two kiosks goes away, and what came late was no kiosk
        self.all_comes()
        assert self.server.latest_epoch() == self.outbox.feed()[0].epoch


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_whatever_happens_the_server_gets_every_event_once_and_nothing_else() -> None:
    short = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=QUIET)
    run_state_machine_as_test(SyncMachine, settings=short)


@pytest.mark.slow
def test_whatever_happens_the_server_gets_every_event_once_and_nothing_else_long() -> None:
    long = settings(max_examples=3000, stateful_step_count=40, deadline=None, suppress_health_check=QUIET)
    run_state_machine_as_test(SyncMachine, settings=long)
