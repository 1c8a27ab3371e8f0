"""The clerks of a rehearsed day at their browsers: they see what the console's page shows, and click on it.

Every move carries the number that the page showed. A click whose answer never came is not made again blindly: the page
tells what became of it. What happens at the counter is the visitor's script; rules are the kiosk's.
"""

import queue
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kiosk.office import Session
from kiosk.simulator.appliance import Appliance
from kiosk.simulator.folder import PIN
from kiosk.simulator.rehearsal.browser import Browser, Stream, Unreachable
from kiosk.simulator.rehearsal.script import Duty, Script, Visitor, on
from kiosk.simulator.rehearsal.tempo import Over, Tempo
from kiosk.simulator.rehearsal.visitors import Errand, Places

SHOWS_S = 2.0
"""Real seconds in which the page shows what a click did, or it is loaded again."""
BEHIND_S = 0.4
"""Real seconds in which a page that was behind shows what had happened."""
LIT_S = 1.5
TRIES = 40
AGAIN_S = 12.0
"""Seconds of the office's clock before a move is tried again that the rules did not allow yet."""
LINGERS = 1 / 12
"""How long after a session's end a clerk still calls, as a share of it."""
GAP_S = 5.0

_TICKET = re.compile(r'name="ticket" value="([^"]*)"')
_MOVE = re.compile(r'(?:action="/desk/|data-open=")(\w+)"')
_UPCOMING = re.compile(r'<tr class="next">')
_LINE = re.compile(r'<th scope="row">(\w+)')
_ASIDE = re.compile(r'action="/desk/chosen/([^"]+)"')


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: the open ticket's id ("" for none), the moves on offer, the line, who was put aside."""

    ticket: str
    moves: frozenset[str]
    line: tuple[str, ...]
    aside: tuple[str, ...]

    @classmethod
    def of(cls, fragments: dict[str, str]) -> "Shown":
        now, line = fragments.get("now", ""), fragments.get("line", "")
        found = _TICKET.search(now)
        aside = tuple(_ASIDE.findall(line))
        return cls(found[1] if found else "", frozenset(_MOVE.findall(now)), tuple(_LINE.findall(line)), aside)


@dataclass
class Clicks:
    """What all clerks' clicks were answered: how long it took (ms), refusals by move, and answers that never came."""

    ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    under_way: int = 0
    problems: list[str] = field(default_factory=list)


class Clerk:
    """One counter from sign-in to sign-out, for each session of the day, in a thread."""

    def __init__(
        self, appliance: Appliance, tempo: Tempo, script: Script, places: Places, counter: str, clicks: Clicks
    ) -> None:
        self.counter = counter
        self.errands: queue.SimpleQueue[tuple[datetime, Errand]] = queue.SimpleQueue()
        self.streams: list[Stream] = []
        self.connections = self.fragments = 0
        """Of the streams that are closed."""
        self.clicks = clicks
        console = appliance.plan.config.console
        self.browser = Browser(console.address, console.port)
        self._appliance = appliance
        self._tempo = tempo
        self._script = script
        self._places = places
        self._person = next(one.clerk for one in script.office.counters if one.id == counter)
        ids = [counter.id for counter in script.office.counters]
        self._has_window = ids.index(counter) < script.shape.windows
        self._duties = [duty for duty in script.duties if duty.counter == counter]
        self._coming: list[tuple[datetime, Errand]] = []
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"clerk {counter}", daemon=True)

    def start(self) -> "Clerk":
        self._thread.start()
        return self

    def join(self) -> None:
        self._thread.join()

    # --- the day ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        day = self._script.begins.date()
        try:
            for session in self._script.sessions:
                start, end = on(day, session.start), on(day, session.end)
                # One after the other: nobody signs in at the same second as the colleague.
                early = timedelta(seconds=60 + 15 * int(self.counter))
                self._tempo.wait_until(start - min(early, (end - start) / 20))
                self._sign_in()
                self._work(session, end, end + LINGERS * (end - start))
                self._sign_out()
        except Over:
            pass
        finally:
            self._close_pages()

    def _sign_in(self) -> None:
        with self._tempo.acting():
            for _ in range(TRIES):
                try:
                    self.browser.get("/sign-in")
                    answer = self.browser.send("/sign-in", person=self._person, counter=self.counter, pin=PIN)
                    if answer.status == 303 and answer.go == "/desk":
                        self.browser.get("/desk")
                        self._open_pages()
                        return
                except Unreachable:
                    self._pause()
        self._give_up("could not sign in")

    def _open_pages(self) -> None:
        """The page, and at some counters the small window beside another program."""
        self._close_pages()
        self.streams = [self.browser.stream("/desk/live", self._news.set)]
        if self._has_window:
            self.streams.append(self.browser.stream("/desk/window/live"))
        self._until(lambda shown: "next" in shown.moves)

    def _close_pages(self) -> None:
        for stream in self.streams:
            stream.close()
            self.connections += stream.connections
            self.fragments += stream.fragments
        self.streams = []

    def _sign_out(self) -> None:
        with self._tempo.acting():
            for _ in range(TRIES):
                try:
                    said = self._click("/sign-out")
                    if said:
                        self._close_pages()
                        return
                except Unreachable:
                    self._pause()
        self._give_up("could not sign out")

    def _work(self, session: Session, end: datetime, latest: datetime) -> None:
        while True:
            shown, now = self.shown(), self._tempo.now()
            if shown.ticket:
                self._meet(shown.ticket)
            elif now >= latest or (now >= end and not shown.line):
                return
            elif errand := self._next_errand(now):
                self._put_back(errand)
            elif now < end and (duty := self._next_duty(now, shown)):
                self._do(duty, shown)
            elif shown.line:
                self._call()
            else:
                self._wait_for_somebody(now, end if now < end else latest)

    def _wait_for_somebody(self, now: datetime, end: datetime) -> None:
        self._news.clear()
        if self.shown().line:
            return
        known = [due for due, _ in self._coming] + [duty.at for duty in self._duties if duty.kind == "pause"]
        self._tempo.wait_until(min([at for at in known if at > now] + [end]), self._news)

    # --- what the page shows ---------------------------------------------------------------------------------

    def shown(self) -> Shown:
        return Shown.of(self.streams[0].shown if self.streams else {})

    def _until(self, what: Callable[[Shown], bool], timeout_s: float = SHOWS_S) -> bool:
        """Wait until the page shows it; whether it did within so many real seconds."""
        until = time.monotonic() + timeout_s
        while not (found := what(self.shown())) and (left := until - time.monotonic()) > 0:
            if self._tempo.over.is_set():
                raise Over
            self._news.wait(min(left, 0.1))
            self._news.clear()
        return found

    def _pause(self) -> None:
        """The console does not answer: look again when the page is there again."""
        until = time.monotonic() + SHOWS_S
        while True:
            if self._tempo.over.wait(0.2):
                raise Over
            if time.monotonic() > until or all(stream.connected for stream in self.streams):
                return

    # --- clicks ----------------------------------------------------------------------------------------------

    def _click(self, path: str, **fields: str) -> bool:
        """One click; whether it was done. Raises Unreachable when nobody can tell."""
        began = time.monotonic()
        self.clicks.under_way += 1
        try:
            answer = self.browser.act(path, **fields)
        except Unreachable:
            self.clicks.unanswered += 1
            raise
        finally:
            self.clicks.under_way -= 1
        self.clicks.ms.append((time.monotonic() - began) * 1000)
        if not answer["ok"]:
            self.clicks.refused[path.split("/")[2] if path.count("/") > 1 else path] += 1
        return bool(answer["ok"])

    def _insist(self, move: str, ticket: str, done: Callable[[Shown], bool], **fields: str) -> bool:
        """Click until the page shows that it is done: a rule may forbid it yet, the console may be away."""
        for _ in range(TRIES):
            with self._tempo.acting():
                if done(self.shown()):
                    return True
                try:
                    allowed = self._click(f"/desk/{move}", ticket=ticket, **fields)
                except Unreachable:
                    self._pause()
                    self._until(done)
                    continue
                if self._until(done, SHOWS_S if allowed else BEHIND_S):
                    return True
            self._tempo.wait(AGAIN_S)
        return self._give_up(f"could not {move}")

    def _give_up(self, what: str) -> bool:
        self.clicks.problems.append(f"counter {self.counter} {what}")
        return False

    # --- calling ---------------------------------------------------------------------------------------------

    def _call(self) -> None:
        """Next; perhaps another counter was quicker, then nobody comes."""
        with self._tempo.acting():
            try:
                called = self._click("/desk/next", ticket="")
                self._until(lambda shown: bool(shown.ticket) or not shown.line, SHOWS_S if called else BEHIND_S)
            except Unreachable:
                self._pause()

    def _next_duty(self, now: datetime, shown: Shown) -> Duty | None:
        due = next((duty for duty in self._duties if duty.at <= now), None)
        if due is None or (due.kind != "pause" and not shown.line):
            return None
        self._duties.remove(due)
        return due

    def _do(self, duty: Duty, shown: Shown) -> None:
        match duty.kind:
            case "pause":
                self._rest()
            case "mistake":
                self._call_by_mistake()
            case "chosen":
                self._call_chosen(shown.line)

    def _rest(self) -> None:
        length = self._script.shape.pause_s
        back = self._tempo.now() + timedelta(seconds=length)
        self._insist("pause", "", lambda shown: "resume" in shown.moves, until=f"{back:%H:%M}")
        self._tempo.wait(length)
        self._insist("resume", "", lambda shown: "resume" not in shown.moves)

    def _call_by_mistake(self) -> None:
        """Call, and take it back within the five seconds in which that can be done."""
        with self._tempo.careful(), self._tempo.acting():
            try:
                if not self._click("/desk/next", ticket="") or not self._until(lambda shown: bool(shown.ticket)):
                    return
                if self._click("/desk/undo", ticket=self.shown().ticket):
                    self._until(lambda shown: not shown.ticket)
            except Unreachable:
                self._pause()

    def _call_chosen(self, line: Sequence[str]) -> None:
        """The last of the line goes first, with a reason."""
        with self._tempo.acting():
            try:
                if self._click("/desk/call", ticket="", number=line[-1], reason="Lãnh đạo yêu cầu"):
                    self._until(lambda shown: bool(shown.ticket))
            except Unreachable:
                self._pause()

    def _next_errand(self, now: datetime) -> Errand | None:
        while not self.errands.empty():
            self._coming.append(self.errands.get())
        self._coming.sort(key=lambda one: one[0])
        return self._coming.pop(0)[1] if self._coming and self._coming[0][0] <= now else None

    def _put_back(self, errand: Errand) -> None:
        """Somebody is back with the papers, or has heard the number too late."""
        with self._tempo.acting():
            try:
                if errand.ticket in self.shown().aside and self._click(f"/desk/chosen/{errand.ticket}"):
                    self._until(lambda shown: errand.ticket not in shown.aside)
            except Unreachable:
                self._pause()
                self.errands.put((self._tempo.now(), errand))

    # --- serving ---------------------------------------------------------------------------------------------

    def _meet(self, ticket: str) -> None:
        """The number is called: what becomes of it is in the visitor's script. A number of nobody is nobody's."""
        visitor = self._places.visitor(ticket)
        end = self._places.next_end(ticket) if visitor else "absent"
        if visitor is None or end == "absent":
            self._miss(ticket, visitor)
            return
        self._tempo.wait(visitor.walk_s)
        if visitor.presses:
            self._insist("start", ticket, lambda shown: shown.ticket != ticket or "start" not in shown.moves)
        if end == "served":
            self._serve(ticket, visitor)
            return
        self._tempo.wait(visitor.service_s * 0.2)
        if end == "held":
            self._insist("hold", ticket, lambda shown: shown.ticket != ticket, reason="Thiếu giấy tờ")
            self._comes_back(ticket, visitor)
        else:
            to = next(place for place in visitor.to if place != f"counter:{self.counter}")
            self._insist("transfer", ticket, lambda shown: shown.ticket != ticket, to=to, reason="Việc tiếp theo")

    def _miss(self, ticket: str, visitor: Visitor | None) -> None:
        """Call twice more, then say that nobody came."""
        for _ in range(2):
            self._tempo.wait(35)
            with self._tempo.acting():
                try:
                    self._click("/desk/recall", ticket=ticket)
                except Unreachable:
                    self._pause()
        self._tempo.wait(120)
        if self._insist("absent", ticket, lambda shown: shown.ticket != ticket):
            self._comes_back(ticket, visitor)

    def _comes_back(self, ticket: str, visitor: Visitor | None) -> None:
        if visitor and visitor.back_s:
            due = self._tempo.now() + timedelta(seconds=visitor.back_s)
            self.errands.put((due, Errand(ticket, "")))

    def _serve(self, ticket: str, visitor: Visitor) -> None:
        self._tempo.wait(visitor.service_s)
        with self._tempo.acting():  # one act: the keys are armed for a minute
            if visitor.presses or not self.shown().line:
                self._insist("finish", ticket, lambda shown: shown.ticket != ticket)
            else:
                self._insist("next", ticket, lambda shown: shown.ticket != ticket)
            if visitor.face:
                with self._tempo.hurried():
                    self._is_rated(visitor.face)
        self._tempo.wait(GAP_S)

    def _is_rated(self, face: str) -> None:
        """The visitor presses a key when the faces glow, and goes when they do no more."""
        lit = self._appliance.wait_for(lambda seen: seen.armed.get(self.counter, False), LIT_S)
        if lit and self._appliance.tap(f"rate:{self.counter}:{face}"):
            self._appliance.wait_for(lambda seen: not seen.armed.get(self.counter, False), LIT_S)
