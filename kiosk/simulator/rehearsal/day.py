"""`kiosk demo --day`: a whole day of an office is rehearsed against the real processes, and then everything is counted.

Visitors press keys, clerks click in their browsers, twice a process is killed at a busy moment. In the end tables,
events, board, pages and server must tell the same; each way in which they do not is a sentence in `problems`.
"""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from kiosk.clock import Moment
from kiosk.simulator.appliance import Appliance
from kiosk.simulator.audit import audit
from kiosk.simulator.headless import drain, summary
from kiosk.simulator.rehearsal.book import Book
from kiosk.simulator.rehearsal.browser import Browser, Stream, Unreachable
from kiosk.simulator.rehearsal.clerks import Clerk, Clicks
from kiosk.simulator.rehearsal.script import Script, on
from kiosk.simulator.rehearsal.tempo import Over, Tempo
from kiosk.simulator.rehearsal.visitors import Doors, Places
from kiosk.simulator.rehearsal.watchers import HelpDesk, Watchers
from kiosk.store import Store
from kiosk.store.rebuild import from_events, from_tables
from sync import outbox

STILL_S = 20.0
AGREE_S = 15.0
BUSY_S = 60.0
"""Real seconds that a killer waits for a busy moment."""
BACK_S = 30.0


class Day:
    """One rehearsal. `run` takes as long as the day does; `stop` breaks it off."""

    def __init__(self, appliance: Appliance, script: Script, fast: float, stop: threading.Event) -> None:
        self.appliance = appliance
        self.script = script
        self.tempo = Tempo(appliance.clock, fast)
        self.places = Places()
        self.clicks = Clicks()
        self.watchers = Watchers(self._browser, script.shape.boards, script.shape.phones)
        helper = next((person.id for person in script.office.clerks if "helper" in person.roles), "")
        self.desk = HelpDesk(self._browser(), helper, self.tempo.over)
        self.doors = Doors(appliance, self.tempo, script.visitors, self.places, self.desk, self.watchers)
        ids = [counter.id for counter in script.office.counters]
        self.clerks = [Clerk(appliance, self.tempo, script, self.places, id, self.clicks) for id in ids]
        self.problems: list[str] = []
        self.crashes: list[dict[str, Any]] = []
        self._stop = stop

    def run(self) -> dict[str, Any]:
        """The figures of the day, with `problems`."""
        began = time.monotonic()
        self.tempo.start()
        threading.Thread(target=self._watch_stop, daemon=True).start()
        if not self.desk.open():
            self.problems.append("the helper could not sign in")
        self._live_through()
        self.problems += [*self.doors.problems, *self.clicks.problems]
        broken_off = self._stop.is_set()
        if broken_off:
            self.problems.append("the day was broken off")
        else:
            self._evening()
        self.tempo.stop()
        self._close_pages()
        seconds = time.monotonic() - began
        self.problems += drain(self.appliance)
        book = self._book()
        self.appliance.close()
        return self._report(book, seconds)

    def _close_pages(self) -> None:
        self.watchers.close()
        if self.desk.stream:
            self.desk.stream.close()

    def _live_through(self) -> None:
        """All at once, until the last one has gone home."""
        others = [threading.Thread(target=self._follow, args=[work], daemon=True) for work in (self._crash, self._look)]
        self.doors.start()
        for clerk in self.clerks:
            clerk.start()
        for thread in others:
            thread.start()
        self.doors.join()
        for clerk in self.clerks:
            clerk.join()
        for thread in others:
            thread.join()

    def _watch_stop(self) -> None:
        while not self.tempo.over.wait(0.2):
            if self._stop.is_set():
                self.tempo.over.set()

    def _follow(self, work: Callable[[], None]) -> None:
        with suppress(Over):
            work()

    # --- what goes wrong -------------------------------------------------------------------------------------

    def _crash(self) -> None:
        """Kill a process while something is asked of it."""
        for at, process in self.script.crashes:
            self.tempo.wait_until(at)
            busy = self._wait_for(self._pressing if process == "kiosk" else self._clicking, BUSY_S)
            kill = self.appliance.crash if process == "kiosk" else self.appliance.kill_console
            with self.tempo.acting():
                began = time.monotonic()
                kill()
                back = self._wait_for(self._runs if process == "kiosk" else self._answers, BACK_S)
            self.crashes.append({"process": process, "busy": busy, "away_s": round(time.monotonic() - began, 2)})
            if not back:
                self.problems.append(f"the {process} did not come back within {BACK_S:g} s")

    def _pressing(self) -> bool:
        return self.doors.pressing

    def _clicking(self) -> bool:
        return self.clicks.under_way > 0

    def _runs(self) -> bool:
        return self.appliance.seen.running

    def _answers(self) -> bool:
        try:
            return self._browser().get("/healthz").status == 200
        except Unreachable:
            return False

    def _browser(self, cookie: str = "") -> Browser:
        console = self.appliance.plan.config.console
        return Browser(console.address, console.port, cookie)

    def _wait_for(self, what: Callable[[], bool], timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not what():
            if time.monotonic() > until or self.tempo.over.is_set():
                return False
            time.sleep(0.002)
        return True

    # --- what must agree -------------------------------------------------------------------------------------

    def _look(self) -> None:
        """In the middle of the day everything stands still, and all must tell the same."""
        for at in self.script.looks:
            self.tempo.wait_until(at)
            with self.tempo.still(STILL_S) as still:
                if not still:
                    self.problems.append(f"at {at:%H:%M} somebody still acted after {STILL_S:g} s")
                with closing(self.appliance.store()) as store:
                    self._agree(store, f"at {at:%H:%M}")
                    self._pages_agree(store, f"at {at:%H:%M}")

    def _agree(self, store: Store, when: str) -> None:
        self.problems += [f"{when} {problem}" for problem in differences(store, self._book(), self._now())]

    def _pages_agree(self, store: Store, when: str) -> None:
        """What each open page shows is what it would show if it was opened now."""
        store.note(self._now(), "rehearsal", when)
        desks = [(clerk.browser.cookie, stream) for clerk in self.clerks for stream in clerk.streams]
        help_desk = [(self.desk.browser.cookie, self.desk.stream)] if self.desk.stream else []
        for cookie, stream in [*desks, *help_desk, *(("", stream) for stream in self.watchers.streams)]:
            with closing(self._browser(cookie).stream(stream.path)) as fresh:
                if not self._wait_for(partial(_show_the_same, stream, fresh), AGREE_S):
                    self.problems.append(f"{when} an open page ({stream.path}) did not show what is true")

    # --- the end ---------------------------------------------------------------------------------------------

    def _evening(self) -> None:
        """The last clerk has gone; the next morning's first press closes what was left open."""
        with closing(self.appliance.store()) as store:
            self._agree(store, "in the evening")
            if open_counters := [c.id for c in store.board(self._now()).counters.values() if c.state != "closed"]:
                self.problems.append(f"in the evening the counters {', '.join(open_counters)} are not closed")
        with self.tempo.acting():
            self.appliance.night(self.script.begins + timedelta(days=1))
            if not self._wait_for(self._runs, BACK_S):
                self.problems.append("the kiosk did not start in the morning")
                return
            self._next_morning()

    def _next_morning(self) -> None:
        with closing(self.appliance.store()) as store:
            self.doors.press(store, self.script.visitors[0])
            self._agree(store, "in the morning")
            waiting = store.board(self._now()).waiting
            if sum(waiting.values()) > 1:
                self.problems.append(f"numbers of the day before still wait in the morning: {waiting}")

    def _now(self) -> Moment:
        return self.appliance.clock.follower().now()

    def _book(self) -> Book:
        with closing(self.appliance.store()) as store:
            events = [
                {"type": event.type, "data": event.data, "at": event.stamp.at.isoformat()}
                for event in outbox.events(store.database.conn)
            ]
        rules = self.script.office.rules
        desks = {counter.id: counter.services for counter in self.script.office.counters}
        rests = timedelta(minutes=rules.rejoin_wait_min)
        return Book(desks, timedelta(minutes=rules.ageing_min), rests).read(events)

    # --- figures ---------------------------------------------------------------------------------------------

    def _report(self, book: Book, seconds: float) -> dict[str, Any]:
        appliance, clicks = self.appliance, self.clicks
        found = audit(appliance.plan.folder.path, slips=bool(appliance.printer), received=bool(appliance.upstream))
        if found["received"] is None:
            found["received"] = appliance.seen.figures.get("received", 0)
        problems = [*self.problems, *book.problems, *found.pop("problems"), *self._not_rehearsed(book)]
        day = on(self.script.begins.date(), self.script.sessions[-1].end) - self.script.begins
        return {
            "visitors": len(self.script.visitors),
            "counters": len(self.clerks),
            "clients": self.script.shape.clients,
            **found,
            "waits_min": {kind: _rounded(book.waits(priority=kind == "priority")) for kind in ("ordinary", "priority")},
            "passed_over_most": book.most_passed_over(),
            "moves": dict(sorted(book.moves.items())),
            "rated": {**dict(book.ratings), "flags": dict(book.flags)},
            "ended": book.states(),
            "closed": dict(book.closed),
            "left": dict(self.doors.left),
            "helped": self.doors.helped,
            "clicks": {
                "n": len(clicks.ms),
                "median_ms": _median(clicks.ms),
                "p95_ms": _late(clicks.ms),
                "refused": dict(clicks.refused),
                "unanswered": clicks.unanswered,
            },
            "pages": {
                "connections": sum(clerk.connections for clerk in self.clerks) + self.watchers.connections,
                "fragments": sum(clerk.fragments for clerk in self.clerks) + self.watchers.fragments,
                "phones": self.watchers.phones,
            },
            "press_to_committed_ms": summary([taken["ms"] for taken in appliance.seen.taken]),
            "crashes": self.crashes,
            "real_s": round(seconds, 1),
            "speed": round(day.total_seconds() / seconds, 1),
            "clock_s": {name: round(spent, 1) for name, spent in self.tempo.spent.items()},
            "late_s": {"median": _median(self.doors.late_s), "p95": _late(self.doors.late_s)},
            "problems": problems[:20],
        }

    def _not_rehearsed(self, book: Book) -> list[str]:
        """What has to happen in a day for it to prove anything."""
        wanted = ["called", "finished", "started", "recalled", "no show", "held", "transferred", "undone", "closed"]
        missing = [f"nothing was {move} in the whole day" for move in wanted if not book.moves[move]]
        if not book.ratings["counted"]:
            missing.append("nobody's rating counted")
        if len(self.crashes) != len(self.script.crashes):
            missing.append("not every crash happened")
        return missing


AT_COUNTER = ("called", "serving")


def _show_the_same(old: Stream, fresh: Stream) -> bool:
    return bool(fresh.shown) and old.shown == fresh.shown


def differences(store: Store, book: Book, now: Moment) -> list[str]:
    """In what tables, events and board do not tell the same."""
    conn, board, found = store.database.conn, store.board(now), []
    told, kept = from_events(conn), from_tables(conn)
    for part in ("tickets", "counters", "ratings"):
        if getattr(told, part) != getattr(kept, part):
            found.append(f"the table {part} is not what the events say")
    if board.waiting != book.waiting():
        found.append(f"the board says that {board.waiting} wait, the events say {book.waiting()}")
    at_counters = {place.counter: place.number for place in book.places.values() if place.state in AT_COUNTER}
    if at_counters != {counter: ticket.number for counter, ticket in board.at_counter.items()}:
        found.append("the board shows other numbers at the counters than the events")
    return found


def _median(values: Sequence[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None


def _late(values: Sequence[float]) -> float | None:
    """The 95th percentile."""
    return round(sorted(values)[int(len(values) * 0.95)], 1) if values else None


def _rounded(values: dict[str, float] | None) -> dict[str, float] | None:
    return values and {name: round(value, 1) for name, value in values.items()}
