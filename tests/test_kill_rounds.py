"""kill -9 of each process at random moments under a running day, and the books of that day.

Citizens press keys and rate, three counters are served by keys and one by a clerk at the console over HTTP, slips
print, events go to a commune server. A round kills the kiosk, its console, its sync or that server, which come back as
systemd starts them. The server has rounds of its own, on both databases (tests/server/test_killed.py).
"""

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from kiosk.simulator.appliance import Appliance
from kiosk.simulator.audit import audit
from kiosk.simulator.citizens import Crowd
from kiosk.simulator.commune import Commune
from kiosk.simulator.folder import PIN
from kiosk.simulator.headless import drain
from kiosk.simulator.rehearsal.browser import Browser, Unreachable
from kiosk.store.rebuild import from_events, from_tables
from kiosk.tickets import State
from tests.test_demo import running

COUNTER, PERSON = "1", "nguyen-thi-a"
NUMBER = re.compile(r"\d{4}")
LOOK_S = 0.2
BACK_S = 30.0
PER_HOUR = 3600.0
"""Citizens: one a second, so that each kill meets somebody."""
EVENTS = {"next": "ticket.called", "start": "ticket.started", "finish": "ticket.finished"}
MIX = (*("kiosk", "sync", "console", "sync") * 2, "kiosk", "server")
"""Which process each round kills, over and over. A server takes seconds to start."""
SERVER_BACK_S = 120.0
"""The kiosk's sync waits longer after each try that found no server."""


class Clerk(threading.Thread):
    """Serves one counter at the console, and notes what the console answered."""

    def __init__(self, appliance: Appliance) -> None:
        super().__init__(name="clerk", daemon=True)
        console = appliance.plan.config.console
        self.appliance = appliance
        self.browser = Browser(console.address, console.port)
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        """Clicks that the console said it carried out, by move."""
        self.unanswered: Counter[str] = Counter()

    def run(self) -> None:
        clock = self.appliance.clock.follower()
        mine = next(counter.services for counter in self.appliance.plan.office.counters if counter.id == COUNTER)
        with closing(self.appliance.store()) as store:
            while not self.over.wait(LOOK_S):
                facts = store.board(clock.now())
                with suppress(Unreachable):
                    if ticket := facts.at_counter.get(COUNTER):
                        self._click("finish" if ticket.state is State.SERVING else "start", ticket.id)
                    elif any(facts.waiting.get(service) for service in mine):
                        self._click("next", "")

    def _click(self, move: str, ticket: str) -> None:
        if not self.browser.csrf:
            self.sign_in()
        try:
            answer = self.browser.act(f"/desk/{move}", ticket=ticket)
        except Unreachable:
            self.unanswered[move] += 1
            raise
        # Somebody else may have called the last one who waited: then it says so, and no number.
        if answer.get("ok") and NUMBER.search(answer["say"]):
            self.done[move] += 1
            if move == "finish":
                self.appliance.tap(f"rate:{COUNTER}:happy")

    def sign_in(self) -> None:
        self.browser.get("/sign-in")
        answer = self.browser.send("/sign-in", person=PERSON, counter=COUNTER, pin=PIN)
        assert answer.go == "/desk", answer
        self.browser.get("/desk")


def commune_of(appliance: Appliance) -> Commune:
    """The server that the kiosk pushes to."""
    assert isinstance(appliance.upstream, Commune)
    return appliance.upstream


def kill(appliance: Appliance, process: str) -> None:
    """Now."""
    {
        "kiosk": appliance.crash,
        "console": appliance.kill_console,
        "sync": appliance.kill_uplink,
        "server": commune_of(appliance).kill,
    }[process]()


def is_back(appliance: Appliance, process: str) -> bool:
    """Whether the process works again, in `BACK_S` at the latest, and the server in `SERVER_BACK_S`."""
    if process == "console":
        return answers(appliance)
    if process == "kiosk":
        return appliance.wait_for(lambda seen: seen.running, BACK_S)
    if process == "server":
        commune_of(appliance).start()
    with appliance.changed:
        appliance.seen.server = ""
    return appliance.wait_for(lambda seen: seen.server == "ok", SERVER_BACK_S if process == "server" else BACK_S)


def answers(appliance: Appliance) -> bool:
    """Whether the console does, in `BACK_S` at the latest."""
    console, until = appliance.plan.config.console, monotonic() + BACK_S
    while monotonic() < until:
        with suppress(Unreachable):
            if Browser(console.address, console.port).get("/healthz").status == 200:
                return True
        appliance.wait_for(lambda seen: False, 0.05)
    return False


@contextmanager
def people(appliance: Appliance, seed: int) -> Iterator[Clerk]:
    """An office at work; all have gone home at the end."""
    assert answers(appliance)
    clerk = Clerk(appliance)
    clerk.sign_in()
    crowd = Crowd(appliance, PER_HOUR, seed).start()
    clerk.start()
    try:
        yield clerk
    finally:
        crowd.stop()
        clerk.over.set()
        clerk.join()


def killed(folder: Path, rounds: int, seed: int = 1) -> dict[str, Any]:
    """So many kills in one day; what the audit counts in the evening, without a problem."""
    rng = random.Random(seed)
    with running(folder, choose=lambda _, at, token, clock, office: Commune(at, token, office)) as appliance:
        with people(appliance, seed) as clerk:
            for n in range(rounds):
                one_round(appliance, MIX[n % len(MIX)], rng.uniform(0, 0.3))
        return evening(appliance, clerk)


def one_round(appliance: Appliance, process: str, after_s: float) -> None:
    """Somebody gets a number, and a moment later the process dies."""
    taken = len(appliance.seen.taken)
    assert appliance.wait_for(lambda seen: len(seen.taken) > taken, BACK_S), "nobody got a number"
    killer = threading.Timer(after_s, kill, [appliance, process])
    killer.start()
    killer.join()
    assert is_back(appliance, process), f"the {process} did not come back"


def evening(appliance: Appliance, clerk: Clerk) -> dict[str, Any]:
    """All is printed and sent, everything ended: what people were told against the tables, events, slips, server."""
    assert drain(appliance) == []
    with closing(appliance.store()) as store:
        conn = store.database.conn
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        told, kept = from_events(conn), from_tables(conn)
        assert (told.tickets, told.counters, told.ratings) == (kept.tickets, kept.counters, kept.ratings)
        numbers = {row["id"]: row["number"] for row in store.database.rows("SELECT id, number FROM tickets")}
        events = [json.loads(row["line"]) for row in store.database.rows("SELECT line FROM events")]
    appliance.close()
    acknowledged = [(taken["ticket"], taken["number"]) for taken in appliance.seen.taken]
    assert len(set(acknowledged)) == len(acknowledged)
    assert [number for ticket, number in acknowledged] == [numbers.get(ticket) for ticket, number in acknowledged]
    clicks_are_done_once(clerk, events)
    found = audit(appliance.plan.folder.path)
    assert found["problems"] == []
    assert found["received"] == found["events"]
    return {**found, "clicks": sum(clerk.done.values())}


def clicks_are_done_once(clerk: Clerk, events: list[dict[str, Any]]) -> None:
    """Each click that was answered has its one event; one without an answer has one or none."""
    mine = [event["type"] for event in events if event["data"].get("actor") == PERSON]
    for move, kind in EVENTS.items():
        answered, unanswered = clerk.done[move], clerk.unanswered[move]
        assert answered <= mine.count(kind) <= answered + unanswered, (move, answered, unanswered, mine.count(kind))


@pytest.mark.first
def test_20_kills_in_a_running_day_lose_and_double_nothing(tmp_path: Path):
    found = killed(tmp_path, rounds=20)
    assert found["tickets"] >= 20 and found["slips"] >= 20 and found["ratings"] and found["clicks"] > 20, found


@pytest.mark.slow
def test_200_kills_in_a_running_day_lose_and_double_nothing(tmp_path: Path):
    found = killed(tmp_path, rounds=200, seed=2)
    assert found["tickets"] >= 200 and found["clicks"] > 200, found
