"""A rehearsed day: its script, its clock, its books, and a short day from the first sign-in to the next morning."""

import json
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.clock import SITE_TIME
from kiosk.office import Office, sample
from kiosk.simulator import options as demo_options
from kiosk.simulator.democlock import START, DemoClock
from kiosk.simulator.rehearsal import tempo as tempos
from kiosk.simulator.rehearsal.book import Book
from kiosk.simulator.rehearsal.browser import Browser, Unreachable, parsed
from kiosk.simulator.rehearsal.clerks import Shown
from kiosk.simulator.rehearsal.day import differences
from kiosk.simulator.rehearsal.script import SHAPES, Script, office_of, on, sessions_of, write
from kiosk.simulator.rehearsal.tempo import CAREFUL, LATE, SKIP, Over, Tempo
from tests.console_kit import CLERKS, PIN, Hall
from tests.office import moment
from tests.test_demo_command import command

DAY = START.date()
BUSY = SHAPES["busy"]


def script(name: str, seed: int = 1) -> Script:
    shape = SHAPES[name]
    return write(shape, office_of(shape, sample()), DAY, seed)


# --- the script ----------------------------------------------------------------------------------------------


def test_the_option_names_each_day_that_there_is() -> None:
    assert set(demo_options.DAYS) == set(SHAPES)


def test_a_seed_brings_the_same_day_again() -> None:
    assert script("busy") == script("busy") != script("busy", 2)


@pytest.mark.parametrize("name", SHAPES)
def test_the_office_of_a_day_is_one_that_a_kiosk_accepts(name: str) -> None:
    office = office_of(SHAPES[name], sample())
    assert len(office.counters) == SHAPES[name].counters
    assert len({counter.clerk for counter in office.counters}) == len(office.counters)
    assert Office.from_json(office.to_json()) == office


@pytest.mark.parametrize("name", SHAPES)
def test_everybody_comes_while_numbers_are_given_and_the_line_is_long_in_the_morning(name: str) -> None:
    written = script(name)
    doors = [(on(DAY, s.take_from), on(DAY, s.last_number)) for s in written.sessions]
    assert all(any(start <= visitor.at < end for start, end in doors) for visitor in written.visitors)
    assert list(written.visitors) == sorted(written.visitors, key=lambda visitor: visitor.at)
    assert len(written.visitors) == SHAPES[name].visitors
    first, length = doors[0][0], doors[0][1] - doors[0][0]
    early = sum(visitor.at < first + length / 20 for visitor in written.visitors)
    assert early > len(written.visitors) / 20 * 1.5


def test_a_busy_day_has_all_that_goes_wrong_in_an_office() -> None:
    written = script("busy")
    assert {end for visitor in written.visitors for end in visitor.ends} == {"served", "absent", "held", "sent"}
    assert {duty.kind for duty in written.duties} == {"pause", "mistake", "chosen"}
    assert [process for _, process in written.crashes] == ["kiosk", "console"]
    assert any(visitor.helped for visitor in written.visitors)
    assert any(visitor.ends[-1] == "absent" for visitor in written.visitors), "somebody never comes back"


def test_a_busy_day_is_followed_by_25_browsers() -> None:
    assert SHAPES["busy"].clients == 25


def test_the_sessions_of_a_day_are_in_their_order() -> None:
    assert [session.id for session in sessions_of(sample(), DAY)] == ["sang", "chieu"]


# --- the clock -----------------------------------------------------------------------------------------------


@pytest.fixture
def tempo(tmp_path: Path) -> Tempo:
    """Set by hand: its thread does not run."""
    return Tempo(DemoClock(tmp_path / "clock.json", START, 300), 300)


def speed(tempo: Tempo) -> float:
    tempo._set()
    return tempo.clock.speed


def test_the_clock_slows_down_for_whoever_is_late_and_goes_on_fast(tempo: Tempo) -> None:
    with tempo.acting(tempo.now() - timedelta(minutes=5)):
        assert speed(tempo) == LATE
    assert speed(tempo) == 300
    with tempo.acting(tempo.now() + timedelta(hours=9)):
        assert speed(tempo) == 300
        with tempo.hurried():
            assert speed(tempo) == LATE
        with tempo.careful():
            assert speed(tempo) == CAREFUL


def test_hours_in_which_nothing_happens_are_skipped_but_not_while_the_pages_still_take_something_in(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tempo._due[1] = tempo.now() + timedelta(hours=9)
    assert speed(tempo) == 300
    monkeypatch.setattr(tempos, "SETTLED_S", -1)
    assert speed(tempo) == SKIP
    tempo._due[2] = tempo.now() + timedelta(seconds=5)
    assert speed(tempo) == 300


def test_the_clock_stands_still_for_a_look_and_says_whether_anybody_still_acts(tempo: Tempo) -> None:
    with tempo.still(0) as still:
        assert still
        assert speed(tempo) == 0
        assert tempo.now() == tempo.now()
    with tempo.acting(), tempo.still(0) as still:
        assert not still
    assert speed(tempo) == 300


def test_whoever_waits_is_told_when_the_day_is_broken_off(tempo: Tempo) -> None:
    tempo.over.set()
    with pytest.raises(Over):
        tempo.wait(3600)


def test_the_clock_is_read_whole_while_its_speed_changes(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json", START, 1)
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            clock.set_speed(random.choice([0, 1, 3000]))

    thread = threading.Thread(target=change)
    thread.start()
    last, steps = clock.now(), []
    for _ in range(20_000):
        now = clock.now()
        steps.append((now - last).total_seconds())
        last = now
    done.set()
    thread.join()
    assert min(steps) >= -1, "it may round, it may not jump"


# --- browser -------------------------------------------------------------------------------------------------


def test_events_of_several_lines_are_put_together_and_comments_are_none() -> None:
    lines = ["event: fragment", "data: now", "data: <p>", "", ": ping", "", "event: beat", "data: 3", ""]
    assert list(parsed(iter(lines))) == [("fragment", "now\n<p>"), ("beat", "3")]


def signed_in(hall: Hall, counter: str) -> Browser:
    browser = Browser("127.0.0.1", hall.console.ports[0])
    assert browser.send("/sign-in", person=CLERKS[counter], counter=counter, pin=PIN).go == "/desk"
    browser.get("/desk")
    return browser


def until(stream: Any, news: threading.Event, what: Callable[[Shown], bool]) -> Shown:
    while not what(shown := Shown.of(stream.shown)):
        assert news.wait(10), stream.shown
        news.clear()
    return shown


def test_a_clerks_page_is_read_as_the_clerk_reads_it_also_after_the_console_came_back(hall: Hall) -> None:
    hall.take()
    second = hall.take()
    browser, news = signed_in(hall, "1"), threading.Event()
    with closing(browser.stream("/desk/live", news.set)) as stream:
        free = until(stream, news, lambda shown: len(shown.line) == 2)
        assert (free.ticket, free.line[1]) == ("", second)
        assert {"next", "call", "pause"} <= free.moves
        assert browser.act("/desk/next", ticket="")["ok"]
        busy = until(stream, news, lambda shown: bool(shown.ticket))
        assert {"start", "finish", "hold", "transfer", "recall", "absent"} <= busy.moves
        assert busy.ticket == hall.store.counters.counter("1").ticket
        hall.restart()
        browser.act("/desk/hold", ticket=busy.ticket, reason="Thiếu giấy tờ")
        held = until(stream, news, lambda shown: bool(shown.aside))
        assert (held.ticket, held.aside, held.line) == ("", (busy.ticket,), (second,))
        assert stream.connections == 2


def test_a_console_that_is_away_is_said_and_nothing_is_made_up(hall: Hall) -> None:
    browser = signed_in(hall, "1")
    hall.close()
    with pytest.raises(Unreachable):
        browser.act("/desk/next", ticket="")


# --- the books -----------------------------------------------------------------------------------------------


def at(minute: float) -> str:
    return (datetime(2026, 11, 23, 8, tzinfo=SITE_TIME) + timedelta(minutes=minute)).isoformat()


def event(minute: float, kind: str, ticket: str, **data: Any) -> dict[str, Any]:
    return {"at": at(minute), "type": f"ticket.{kind}", "data": {"ticket": ticket, **data}}


def issued(minute: float, ticket: str, arrival: int, *, number: str = "", priority: bool = False) -> dict[str, Any]:
    fields = {"series": "d", "number": number or ticket, "service": "a", "priority": priority, "arrival": arrival}
    return event(minute, "issued", ticket, by="kiosk", **fields)


def called(minute: float, ticket: str, chosen: str = "") -> dict[str, Any]:
    return event(minute, "called", ticket, counter="1", chosen=chosen)


def read(*events: dict[str, Any]) -> Book:
    return Book({"1": ["a"]}, timedelta(minutes=30), timedelta(minutes=5)).read(events)


def test_a_number_that_is_given_twice_is_found() -> None:
    assert read(issued(0, "x", 1, number="1001"), issued(1, "y", 2, number="1001")).problems == [
        "number 1001 was given twice on d"
    ]


def test_whoever_has_waited_long_and_is_passed_over_is_found() -> None:
    early, late = issued(0, "x", 1), issued(1, "y", 2, priority=True)
    assert read(early, late, called(20, "y")).problems == []
    assert read(early, late, called(31, "x")).problems == []
    [problem] = read(early, late, called(31, "y")).problems
    assert problem == "number x had waited 31 min and stood before y, which counter 1 called"
    assert read(early, late, called(31, "y", chosen="Lãnh đạo yêu cầu")).problems == []


def test_a_number_that_came_back_stands_behind_the_next_ones_and_one_at_another_counter_is_not_in_the_way() -> None:
    first = [issued(0, "x", 1), called(5, "x"), event(6, "held", "x", counter="1")]
    back = event(29, "returned", "x", place=1_500_000)
    assert read(*first, back, issued(28, "y", 2), called(36, "y")).problems == []
    sent = event(6, "transferred", "x", service="a", target="2", counter="1")
    assert read(*first[:2], sent, issued(28, "y", 2), called(36, "y")).problems == []


def test_a_call_that_was_taken_back_ends_no_wait() -> None:
    undone = event(5.1, "undone", "x", restore={"state": "waiting", "first_called_at": None, "counter": ""})
    book = read(issued(0, "x", 1), called(5, "x"), undone)
    assert book.waiting() == {"a": 1}
    assert book.waits(priority=False) is None
    again = read(issued(0, "x", 1), called(5, "x"), undone, called(9, "x")).waits(priority=False)
    assert again and again["max"] == 9


def test_tables_and_board_that_differ_from_the_events_are_found(hall: Hall) -> None:
    hall.take()
    hall.store.counters.call_next(hall.now(), "1")
    book = Book({}, timedelta(minutes=30), timedelta(minutes=5)).read(stored(hall))
    assert differences(hall.store, book, moment(60)) == []
    hall.store.database.conn.execute("UPDATE tickets SET state = 'waiting'")
    found = differences(hall.store, book, moment(60))
    assert any("the table tickets" in problem for problem in found)
    assert any("{'ho-tich': 1} wait" in problem for problem in found)
    assert any("other numbers at the counters" in problem for problem in found)


def stored(hall: Hall) -> Iterator[dict[str, Any]]:
    return (json.loads(row["line"]) for row in hall.store.database.rows("SELECT line FROM events ORDER BY seq"))


# --- a whole day ---------------------------------------------------------------------------------------------


def rehearsed(name: str, folder: Path, timeout_s: float) -> dict[str, Any]:
    arguments = ["--day", name, "--seed", "1", "--headless", "--dir", str(folder)]
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def is_right(found: dict[str, Any], name: str) -> None:
    """The books of a day in which all was told alike and nothing got lost."""
    shape = SHAPES[name]
    assert found["problems"] == []
    assert (found["lost"], found["duplicates"], found["invented"]) == (0, 0, 0)
    assert found["tickets"] + sum(found["left"].values()) == found["visitors"] == shape.visitors
    assert found["received"] == found["events"]
    assert set(found["ended"]) <= {"served", "closed"}
    assert sum(found["ended"].values()) == found["tickets"]
    assert all(reason.endswith(", closed") for reason in found["closed"])
    assert [crash["process"] for crash in found["crashes"]] == ["kiosk", "console"]
    assert found["pages"]["connections"] >= 3 * shape.counters + 2 * shape.boards, "each crash is followed by others"
    assert found["pages"]["phones"] >= shape.phones


@pytest.mark.slow  # its short form with crashes is tests/test_kill_rounds.py
def test_in_a_short_day_with_two_crashes_all_books_agree(tmp_path: Path) -> None:
    is_right(rehearsed("short", tmp_path, 120), "short")


@pytest.mark.slow
def test_in_a_busy_day_of_400_visitors_all_books_agree(tmp_path: Path) -> None:
    found = rehearsed("busy", tmp_path, 1800)
    is_right(found, "busy")
    assert found["rated"]["counted"] > 150


def test_a_day_begins_in_an_unused_folder_and_brings_its_own_visitors(tmp_path: Path) -> None:
    (tmp_path / "kiosk.db").touch()
    (tmp_path / "clock.json").touch()
    for arguments, says in ((["--dir", str(tmp_path)], "give another --dir"), (["--per-hour", "9"], "--per-hour")):
        done = subprocess.run(command("--day", "short", *arguments), capture_output=True, text=True, check=False)
        assert (done.returncode, says in done.stderr) == (1, True)
