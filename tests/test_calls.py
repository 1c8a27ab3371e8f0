"""Spoken calls as rows: made with the move that calls, in order, merged, dropped, taken back, and spoken by one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kiosk.calls import LATE_S, SpokenCall, choose, late
from kiosk.clock import Moment
from kiosk.rulebook import Rulebook
from kiosk.store import Store
from kiosk.store.calls import Calls, apologise
from kiosk.store.database import Database
from kiosk.tickets import Refused, State, Ticket
from tests.office import BOOT, moment, open_store, rulebook

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path, hall())


def hall() -> Rulebook:
    """Every counter serves everybody, and clerks may call again at once."""
    book = rulebook(press_limits=False, recall_gap_s=0, no_show_after_s=0)
    return replace(book, desks={id: replace(desk, services=("ho-tich",)) for id, desk in book.desks.items()})


@dataclass
class At:
    """A clock that stands where it is put."""

    moment: Moment
    floor = None
    vouched = None

    def now(self) -> Moment:
        return self.moment


class Queue:
    """The calls of a store, through a connection of their own, as the voice sees them."""

    def __init__(self, store: Store, at_s: float = 60.0, kinds: Sequence[str] = ("call", "recall")) -> None:
        self.clock = At(moment(at_s))
        self.calls = Calls(Database(store.database.folder), self.clock, kinds)  # type: ignore[arg-type]
        self.store = store

    def say(self) -> str:
        """The next call, said: "call 1001 → 2", or "" for none."""
        call = self.calls.claim()
        if call is None:
            return ""
        self.calls.done(call)
        return f"{call.kind} {call.ticket.number if call.ticket else ''} → {call.counter}"

    def all(self) -> list[str]:
        return list(iter(self.say, ""))

    def states(self) -> list[str]:
        rows = self.store.database.rows("SELECT state, why FROM spoken_calls ORDER BY id")
        return [f"{row['state']} {row['why']}".strip() for row in rows]


def take(store: Store, n: int, service: str = "ho-tich") -> None:
    for k in range(n):
        store.issuing.issue(moment(k), service)


# --- the rules ---------------------------------------------------------------------------------------------------


def ticket(id: str, counter: str = "1", state: State = State.CALLED, implied: bool = False) -> Ticket:
    return Ticket(
        id, f"t{id}", "2026-11-23", "sang", "ho-tich", 1, "1001", False, moment().at, BOOT, True, 1, "ho-tich",
        state, counter=counter, implied=implied,
    )  # fmt: skip


def test_calls_are_said_in_the_order_in_which_they_were_made():
    first, second = SpokenCall(7, "call", "2", ticket("a", "2")), SpokenCall(8, "call", "1", ticket("b"))
    assert choose([second, first]).call == first
    assert choose([]).call is None


def test_a_recall_of_a_call_that_still_waits_is_one_with_it_but_not_with_another_ones():
    waiting = [
        SpokenCall(1, "call", "1", ticket("a")),
        SpokenCall(2, "call", "2", ticket("b", "2")),
        SpokenCall(3, "recall", "1", ticket("a")),
    ]
    assert choose(waiting) == choose(waiting[:2]).__class__(waiting[0], {3: "merged"})


@pytest.mark.parametrize(
    ("kind", "about", "why"),
    [
        ("call", ticket("a"), ""),
        ("call", ticket("a", state=State.SERVING, implied=True), ""),
        ("call", ticket("a", state=State.SERVING), "come"),
        ("call", ticket("a", counter="2"), "moved"),
        ("recall", ticket("a", state=State.SERVED), "moved"),
        ("call", ticket("a", state=State.WAITING), "moved"),
        ("call", None, "moved"),
        ("no_show", ticket("a", state=State.NO_SHOW), ""),
        ("no_show", ticket("a"), "moved"),
        ("apology", None, ""),
    ],
)
def test_what_helps_nobody_any_more_is_not_said(kind: str, about: Ticket | None, why: str):
    choice = choose([SpokenCall(1, kind, "1" if about else "", about)])
    assert choice.dropped == ({1: why} if why else {})
    assert (choice.call is None) == bool(why)


def test_a_kind_that_is_switched_off_is_passed_over():
    waiting = [SpokenCall(1, "no_show", "1", ticket("a", state=State.NO_SHOW)), SpokenCall(2, "call", "1", ticket("b"))]
    choice = choose(waiting, ("call",))
    assert (choice.call, choice.dropped) == (waiting[1], {1: "off"})


def test_late_is_more_than_fifteen_seconds_or_an_age_that_nobody_knows():
    assert [late(age) for age in (0, LATE_S, LATE_S + 0.001, None)] == [False, False, True, True]
    assert LATE_S == 15


# --- made with the move ------------------------------------------------------------------------------------------


def test_every_way_to_call_is_said_in_order(store: Store):
    take(store, 4)
    store.counters.call_next(moment(10), "2")
    store.counters.one_key(moment(11), "1")
    store.counters.recall(moment(12), "2")
    store.counters.call_chosen(moment(13), "3", "1004", "mời trước")
    queue = Queue(store)
    assert queue.say() == "call 1001 → 2"
    assert queue.all() == ["call 1002 → 1", "call 1004 → 3"], "the recall was one with the call"
    store.counters.recall(moment(50), "2")
    assert queue.all() == ["recall 1001 → 2"], "it has been said: now the recall is heard"


def test_finishing_and_a_call_that_finds_nobody_say_nothing(store: Store):
    take(store, 1)
    store.counters.one_key(moment(10), "1")
    store.counters.one_key(moment(40), "1")
    assert store.counters.one_key(moment(50), "1") is None
    assert Queue(store).states() == ["waiting"]


def test_a_move_that_is_refused_or_fails_leaves_no_call(store: Store, monkeypatch: pytest.MonkeyPatch):
    take(store, 2)
    store.counters.call_next(moment(10), "1")
    with pytest.raises(Refused):
        store.counters.call_chosen(moment(11), "2", "1009", "mời trước")
    with monkeypatch.context() as broken:
        broken.setattr(store.counters, "_keep_for_undo", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.counters.call_next(moment(12), "2")
    assert Queue(store).states() == ["waiting"]
    assert store.counters.counter("2").ticket == ""


def test_nobody_comes_is_said_only_where_the_device_says_it(store: Store):
    take(store, 2)
    for counter in ("1", "2"):
        store.counters.call_next(moment(10), counter)
    silent, speaking = Queue(store), Queue(store, kinds=("call", "no_show"))
    silent.all()
    store.counters.no_show(moment(200), "1")
    assert silent.all() == []
    store.counters.no_show(moment(201), "2")
    assert speaking.all() == ["no_show 1002 → 2"]


def test_two_processes_call_and_each_call_is_said_once(store: Store):
    take(store, 40)
    code = (
        "import sys; from pathlib import Path; from tests.test_calls import Store, hall, moment\n"
        "store = Store(Path(sys.argv[1]), hall())\n"
        "for n in range(20): store.counters.call_next(moment(60 + n), sys.argv[2])\n"
    )
    folder = str(store.database.folder)
    callers = [
        subprocess.Popen([sys.executable, "-c", code, folder, counter], cwd=ROOT, env=os.environ)
        for counter in ("1", "2")
    ]
    queue = Queue(store, kinds=("call",))
    claimed: list[SpokenCall] = []
    while any(caller.poll() is None for caller in callers) or claimed[-1:] != [None]:
        claimed.append(queue.calls.claim())  # type: ignore[arg-type]
    assert [caller.returncode for caller in callers] == [0, 0]
    ids = [call.id for call in claimed if call]
    assert ids == sorted(set(ids))
    rows = store.database.rows("SELECT id, state FROM spoken_calls ORDER BY id")
    assert len(rows) == 40
    assert {row["id"] for row in rows if row["state"] == "speaking"} == set(ids)
    assert all(row["state"] in ("speaking", "dropped") for row in rows), "what was not said had moved on"


# --- taken back --------------------------------------------------------------------------------------------------


def test_undo_takes_back_a_call_that_was_not_begun(store: Store):
    take(store, 2)
    store.counters.call_next(moment(10), "2")
    store.counters.call_next(moment(10), "1")
    store.counters.undo(moment(12), "1")
    assert Queue(store).all() == ["call 1001 → 2"]
    store.counters.call_next(moment(20), "1")
    assert Queue(store).all() == ["call 1002 → 1"]


def test_undo_of_a_recall_leaves_the_call(store: Store):
    take(store, 1)
    store.counters.call_next(moment(10), "1")
    store.counters.recall(moment(20), "1")
    store.counters.undo(moment(22), "1")
    assert Queue(store).states() == ["waiting"]
    assert Queue(store).all() == ["call 1001 → 1"]


def test_undo_of_a_call_that_is_being_said_leaves_it_to_its_end(store: Store):
    take(store, 1)
    store.counters.call_next(moment(10), "1")
    queue = Queue(store)
    call = queue.calls.claim()
    store.counters.undo(moment(12), "1")
    assert call
    queue.calls.done(call)
    assert queue.states() == ["done"]


# --- restarts and days -------------------------------------------------------------------------------------------


def test_after_a_restart_fresh_calls_are_said_a_half_said_one_again_and_late_ones_not(store: Store):
    take(store, 3)
    for n, counter in enumerate(("1", "2", "3")):
        store.counters.call_next(moment(10 + n), counter)
    assert Queue(store, 12.5).calls.claim()
    again = Queue(store, 12.5)
    assert again.calls.recover() == 0
    assert again.all() == ["call 1001 → 1", "call 1002 → 2", "call 1003 → 3"]


def test_fifteen_seconds_are_counted_by_the_boots_own_clock(store: Store):
    take(store, 2)
    store.counters.call_next(moment(10), "1")
    store.counters.call_next(moment(10.001), "2")
    queue = Queue(store, 25.001)
    assert queue.calls.recover() == 1
    assert queue.states() == ["dropped late", "waiting"]
    assert queue.all() == ["call 1002 → 2"]


def test_a_call_from_before_the_computer_started_is_late(store: Store):
    take(store, 1)
    store.counters.call_next(moment(10), "1")
    queue = Queue(store)
    queue.clock.moment = moment(11, boot="b0070002")
    assert queue.calls.recover() == 1
    assert queue.all() == []


def test_nothing_is_late_while_the_kiosk_runs(store: Store):
    take(store, 1)
    store.counters.call_next(moment(10), "1")
    assert Queue(store, 70).all() == ["call 1001 → 1"]


def test_rows_go_with_the_day(store: Store):
    take(store, 2)
    store.counters.call_next(moment(10), "1")
    assert Queue(store).all()
    store.counters.call_next(moment(11), "2")
    apologise(store.database, moment(12), 15)
    store.issuing.issue(moment(0, day=2), "ho-tich")
    assert Queue(store).states() == []


# --- apologies ---------------------------------------------------------------------------------------------------


def test_an_apology_is_said_at_most_every_so_many_minutes(store: Store):
    said = [apologise(store.database, moment(60 * minute), 15) for minute in (0, 1, 14.9, 15, 20, 30)]
    assert said == [True, False, False, True, False, True]
    assert Queue(store, kinds=("apology",)).all() == ["apology  → "], "those that wait are one"


def test_another_boot_or_clock_does_not_silence_the_apology(store: Store):
    assert apologise(store.database, moment(600), 15)
    assert not apologise(store.database, moment(700, boot="b0070002"), 15), "both clocks are believed"
    assert apologise(store.database, moment(-DAY, boot="b0070002"), 15), "an apology from the future"
    assert apologise(store.database, moment(600, trusted=False, boot="b0070003"), 15)


DAY = 86400
