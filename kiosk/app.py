"""The kiosk's loop, and the only place where its parts are put together.

Keys, touches and the printer thread put what happened into one inbox; the loop empties it, lets `Front` decide, and
draws what changed. Anything slow happens elsewhere. A part that is missing is a part that does nothing.
"""

import logging
import math
import queue
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk import __version__, findings, memory, reports, startup
from kiosk.adopting import Adopting
from kiosk.canary import Canary
from kiosk.clock import Clock, Moment, SystemClock, Vouched
from kiosk.config import Config, panel_keys
from kiosk.front import ON_PANEL, Front
from kiosk.glass import Glass
from kiosk.keys import (
    Chord,
    Edge,
    Freed,
    Hold,
    KeyboardSource,
    KeyEvent,
    KeyFilter,
    KeysBack,
    KeysLost,
    Press,
    Stuck,
    is_stale,
)
from kiosk.notify import notify
from kiosk.office import Office
from kiosk.orders import Orders
from kiosk.present.idle import nobody_serves
from kiosk.present.take import key_marks
from kiosk.present.words import TICKER_PAGE_S, Words
from kiosk.printer import JobDone, JobFailed, PrinterState
from kiosk.screen import Key, Quit, Screen, Touch
from kiosk.showing import Showing
from kiosk.standing import Standing, opened, shut
from kiosk.store import BoardFacts, Store, StoreError
from kiosk.store.board import last_sure_time
from kiosk.store.calls import apologise
from kiosk.store.database import LOW_DISK_MB
from kiosk.store.locks import hold, single
from kiosk.store.prepare import prepare
from kiosk.tickets import State
from kiosk.views.model import View
from kiosk.windows import ScreenLost

if TYPE_CHECKING:
    from kiosk.parts import Panel, Printing
    from kiosk.sound import Speaker
    from kiosk.voice.engine import Voice

WAIT_S = 0.1
"""How long a turn waits for the inbox: other processes' changes are seen that soon."""
LOOK_S = 0.5
"""How often the clock is asked what else has to be shown: asking it costs as much as the rest of an idle turn."""
PING_S = 1.0
HOUSEKEEPING_S = 10.0
TRIM_AFTER_S = 1.5
"""How long after a picture what drawing it needed is given back: what is drawn at once again would need it again."""
PUBLISH_S = 30.0
STORE_RETRY_S = 5.0
SLOW_S = 2.0
"""A press that failed after so long is followed by as long in which none is tried."""

logger = logging.getLogger(__name__)


class App:
    """One kiosk. `run` ends after `stop` (any thread may call it), or raises StoreCorrupt for a restart to mend."""

    def __init__(self, config: Config, office: Office, words: Words, clock: Clock) -> None:
        self.config = config
        self.office = office
        self.words = words
        self.clock = clock
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.keyboard = KeyboardSource(config.buttons.keyboard)
        self.filter = KeyFilter(
            lockout_s=config.buttons.lockout_s,
            stuck_s=config.buttons.stuck_s,
            hold_s=config.buttons.hold_s,
            hold_actions=[f"call:{counter.id}" for counter in office.counters],
        )
        self.start = startup.Checklist(config, words)
        self.glass = Glass(config, self.start)
        self.store: Store
        self.orders: Orders
        self.front: Front
        self.showing: Showing
        self.panel: Panel
        self.printing: Printing
        self.sound: Speaker
        self.voice: Voice | None = None
        self.canary = Canary(Path(config.data_dir))
        self.standing = Standing()
        self._opened = ExitStack()
        self._opened.callback(self.glass.close)
        self.stopping = self.asked_to_restart = False
        self._seen: tuple[object, ...] = ()
        self._shown: tuple[object, ...] = ()
        self._heard: tuple[int, int] | None = None
        self._seen_lost: tuple[object, ...] = ()
        self._list_says_lost = False
        # A simulated clock may go 600 times as fast.
        self._look_s = LOOK_S if isinstance(clock, SystemClock) else 0.0
        self._rest_until = 0.0
        self._next_look = self._next_ping = self._next_housekeeping = self._next_publish = 0.0
        self._trim_at = math.inf
        self._quality = ""
        self._pause_s = WAIT_S
        self._staff_icons: tuple[str, ...] = ()
        self._here_at = 0.0

    # --- life ------------------------------------------------------------------------------------------------

    @property
    def screen(self) -> Screen | None:
        """The screens, None while there are none."""
        return self.glass.screen

    def stop(self) -> None:
        """End the loop after its present turn."""
        self.stopping = True

    def run(self) -> None:
        """Open all parts, loop until stopped, close them."""
        self.glass.open(self.clock.now())
        self.store = self._open_store()
        if self.stopping:
            return
        try:
            self._opened.enter_context(single(Path(self.config.data_dir)))
            self.open_parts()
            self._started()
            self._opened.enter_context(self.canary)
            while not self.stopping:
                self.turn()
        finally:
            self.close()

    def open_parts(self) -> None:
        """What presses mean, and what answers them: keys and lamps, the loudspeaker, the printer."""
        # After the first picture: importing the pins' library takes a while.
        from kiosk import parts

        screen, keys = self.config.screen, panel_keys(self.config)
        cancel_key = screen.touch or "cancel" in keys
        self.front = Front(self.store, self.words, screen.message_s, screen.language_s, cancel_key)
        marks = {} if screen.touch else key_marks(self.words, keys)
        self.showing = Showing(self.store, self.front, self.words, touch=screen.touch, marks=marks)
        self.sound = parts.open_sound(self.config)
        self._opened.callback(self.sound.close)
        self.voice = parts.open_voice(self.config, self.words, self.clock, self.sound)
        if self.voice:
            self._opened.callback(self.voice.close)
        self.front.on_sound = self.sound.play
        if self.config.sound.prompts:
            self.front.on_said = lambda prompt: self.sound.say(prompt.sentence, prompt.language)
        self.panel = parts.open_panel(self.config, self.inbox.put)
        self._opened.callback(self.panel.close)
        self.open_printing()
        self._opened.callback(lambda: self.printing.close())  # whichever it is by then
        self.front.on_taken = lambda taken: self.printing.poke()
        self.orders = Orders(self.store, self.office.sha256, Adopting(self))
        self._write(lambda: self.orders.begin(self.clock.now()))
        self.start.found(*startup.opened(self.config, self.words, self.store, self.panel))
        self._here_at = time.monotonic()
        self.start.open(self._here_at)

    def open_printing(self) -> None:
        """Slips, on the configured printer; again after it was closed."""
        from kiosk import parts

        self.printing = parts.open_printing(self.config, self.words, self.store, self.clock, self.inbox.put)

    def draw_all(self) -> None:
        """Nothing that is shown is known to be right any more."""
        self._seen = self._shown = ()

    def turn(self, wait_s: float = WAIT_S) -> None:
        """One round: what happened, what is due, what is drawn."""
        for item in self._drain(min(wait_s, self._pause_s)):
            self._take_in(item)
        if self.screen:
            self._somebody_is_here(self.screen.touched_at)
        at = time.monotonic()
        for event in self.filter.tick(at):
            self._key_event(event)
        self.front.tick(at)
        self.panel.tick(at)
        try:
            self._write(lambda: self._due(at))
            self._write(lambda: self._draw(at))
        except ScreenLost as error:
            self.glass.lost(error)
        self._pause_s = min(WAIT_S, self.glass.animate() or WAIT_S)
        if at >= self._next_ping and self.panel.alive() and self.printing.alive():
            self._next_ping = at + PING_S
            is_open = opened(self.panel.broken, bool(self.orders.refused))
            self.standing.is_now(is_open if self.front.disk_ok else shut("the database cannot be used"))
            notify("WATCHDOG=1")

    def close(self) -> None:
        """Let the slip under way come out, switch the lamps off, close the database: last opened, first closed."""
        notify("STOPPING=1")
        self._opened.close()

    def _open_store(self) -> Store:
        """The database; while its disk cannot be used, the screen says so and it is tried again."""
        folder = Path(self.config.data_dir)
        last = ""
        while not self.stopping:
            now = self.clock.now()
            try:
                prepare(folder, now)
                self._opened.enter_context(hold(folder))
                store = Store(folder, self.office.rulebook())
                self._opened.callback(store.close)
                self.clock.floor = max(self.clock.floor, last_sure_time(store.database) or self.clock.floor)
                self.clock.vouched = Vouched.read(store.fact("vouched"))
                self._show_found(
                    findings.database(folder, "", self.words.t), findings.clock(self.clock.now(), self.words.t)
                )
                return store
            except StoreError as error:
                if str(error) != last:
                    logger.error("%s", error)
                last = str(error)
                notify("READY=1")  # shown and tried again, not killed by systemd for being slow
                self.standing.is_now(shut(error))
                self._show_found(findings.database(folder, last, self.words.t))
                self._wait(STORE_RETRY_S)
        return None  # type: ignore[return-value]  # the caller looks at `stopping` first

    def _show_found(self, *found: findings.Finding) -> None:
        self.start.found(*found)
        self.glass.show_start(self.clock.now())

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            for item in self.glass.poll():
                if isinstance(item, Quit) and self.glass.window_closed():
                    self.stop()
            notify("WATCHDOG=1")
            time.sleep(WAIT_S)

    def _started(self) -> None:
        now = self.clock.now()
        for action, why in self.panel.broken.items():
            logger.error("key or lamp %s: %s", action, why)
        self._write(lambda: reports.note_changes(self.store, now, {"keys": ", ".join(self.panel.broken)}))
        self._write(lambda: reports.note_start(self.store, now, self.office.sha256, self.config))
        notify("READY=1")
        logger.info("kiosk %s is open", __version__)

    # --- what happened ---------------------------------------------------------------------------------------

    def _drain(self, wait_s: float) -> Iterable[Any]:
        """All that waits in the inbox and at the screen; at most `wait_s` for the first."""
        items = []
        try:
            items.append(self.inbox.get(timeout=wait_s))
            while True:
                items.append(self.inbox.get_nowait())
        except queue.Empty:
            pass
        return items + self.glass.poll()

    def _take_in(self, item: Any) -> None:
        match item:
            case Edge():
                for event in self.filter.feed(item):
                    self._key_event(event)
            case Key(name=name, down=down, at=at):
                edge = self.keyboard.down(name, at) if down else self.keyboard.up(name, at)
                self._somebody_is_here(at, before_screen=False)
                if edge:
                    self._take_in(edge)
            case Touch(action=action, at=at):
                self._press(action, at, "touch")
            case Chord():
                self._key_event(item)
            case Quit():
                if self.glass.window_closed():
                    self.stop()
            case PrinterState():
                self._printer_is(item)
            case JobDone():
                self.front.slip_is_out(item.job.id, time.monotonic())
            case JobFailed():
                logger.info("slip of job %d: %s", item.job.id, item.why)
            case KeysLost():
                self._write(lambda: self.store.note(self.clock.now(), "keypad", "lost"))
            case KeysBack():
                self._write(lambda: self.store.note(self.clock.now(), "keypad", "back"))

    def _key_event(self, event: KeyEvent) -> None:
        match event:
            case Press():
                self._press(event.action, event.at, "key")
            case Hold():
                self.front.hold(event.action, event.at, self.clock.now())
            case Chord():
                self._write(lambda: Adopting(self).diagnose(event.actions))
            case Stuck() | Freed():
                kind = "key.stuck" if isinstance(event, Stuck) else "key.freed"
                logger.warning("%s: %s", kind, event.action)
                self._write(lambda: self.store.emit(self.clock.now(), kind, key=event.action, source=event.source))

    def _somebody_is_here(self, at: float, before_screen: bool = True) -> None:
        """Any key ends the list; only who stands before the screen keeps it from resting."""
        if at > self._here_at:
            self.start.end()
            if before_screen:
                self._here_at = at

    def _press(self, action: str, at: float, source: str) -> None:
        self._somebody_is_here(at, action.partition(":")[0] in ON_PANEL)
        began = time.monotonic()
        self.panel.pressed(action, began)
        if began < self._rest_until:
            self.front.stopped(began)
        elif self._write(lambda: self.orders.noted(action, source, self.clock.now())):
            self.front.tested(began)
        elif is_stale(Press(action, at, source), began, self.config.buttons.stale_s):
            self.front.drop_stale(action, self.clock.now())
        else:
            self.front.press(action, at, self.clock.now(), source)
        if not self.front.disk_ok and time.monotonic() > began + SLOW_S:
            # Each of many impatient fingers would wait as long for a database that is locked.
            self._rest_until = time.monotonic() + SLOW_S

    def _printer_is(self, state: PrinterState) -> None:
        self.front.printer_is(str(state), state.prints, time.monotonic())
        self.start.found(startup.printer(self.config, str(state), self.words.t))
        self._write(lambda: self.store.note(self.clock.now(), "printer", str(state)))

    def _write(self, write: Callable[[], object]) -> object:
        """Something that is not worth stopping for: a disk in trouble is shown, and said once. Raises StoreCorrupt."""
        try:
            return write()
        except (sqlite3.DatabaseError, StoreError) as error:
            self.front.trouble(error if isinstance(error, StoreError) else self.store.database.explain(error))
            return None

    # --- what is due -----------------------------------------------------------------------------------------

    def _due(self, at: float) -> None:
        facts = self.showing.facts
        looks = at >= self._next_look
        if looks and facts and any(t.state is State.CALLED for t in facts.at_counter.values()):
            self._write(lambda: self.store.counters.tick(self.clock.now()))
        if looks:
            self._write(lambda: self.orders.look(self.clock.now()))
        self.glass.tick(at)
        if at >= self._trim_at:
            self._trim_at = math.inf
            memory.give_back()
        if at >= self._next_publish:
            self._next_publish = at + PUBLISH_S
            self._write(lambda: self.store.ratings.publish(self.clock.now()))
        if at >= self._next_housekeeping:
            self._next_housekeeping = at + HOUSEKEEPING_S
            self._keep_house(at, self.clock.now())

    def _keep_house(self, at: float, now: Moment) -> None:
        self.glass.look_around()
        self.store.database.check_mark()
        self.clock.vouched = Vouched.read(self.store.fact("vouched"))
        if now.quality != self._quality:
            self._quality = now.quality
            self._write(lambda: self.store.emit(now, "device.clock", quality=now.quality, trusted=now.trusted))
        if not self.front.disk_ok and not self._seen_lost:  # in a quiet office the next press may be hours away
            self.front.disk_ok = bool(self._write(lambda: self.store.can_write(now)))
        tried = self.canary.state(at)
        icons = {
            "clock": not now.trusted,
            "disk": not self.front.disk_ok or tried.bad or self.store.database.free_mb() < LOW_DISK_MB,
            "key": bool(self.filter.stuck() or self.panel.broken),
            "offline": bool(self.config.sync.server) and self.store.waiting_long(),
        }
        self._staff_icons = tuple(name for name, shown in icons.items() if shown)
        seen = reports.seen(self.config, self.screen, self.sound, tried)
        self._write(lambda: reports.note_changes(self.store, now, seen))
        self._write(lambda: self._say_how_to_set_up(now))
        if self.voice and self.config.voice.apology_min and self.showing.facts and self.showing.facts.kept_waiting:
            self._write(lambda: apologise(self.store.database, now, self.config.voice.apology_min))

    def _say_how_to_set_up(self, now: Moment) -> None:
        self.showing.setup_line = self.start.setup_line = startup.setup_line(self.config, self.words, self.store, now)

    # --- what is shown ---------------------------------------------------------------------------------------

    def _draw(self, at: float) -> None:
        """Lamps and views; while nothing can be read, what was known last, under a strip that says so."""
        state = self._state(at)
        try:
            self._draw_changes(at, state)
        except (sqlite3.DatabaseError, StoreError):
            self._seen = self._shown = ()
            self._draw_lost(at, state)
            raise
        self._seen_lost = ()

    def _state(self, at: float) -> tuple[object, ...]:
        """What the pictures show beside what the database says."""
        return (
            self.glass.openings,
            self.start.rows() if self.start.shows(at) else None,
            self.front.notice,
            self.front.priority,
            self.front.words.t.language,
            self.front.printer,
            tuple(self.front.rate_answers.items()),
            self._staff_icons,
            self.showing.setup_line,
            self._quiet(),
        )

    def _draw_changes(self, at: float, state: tuple[object, ...]) -> None:
        """Lamps and views, when anything that they show has changed."""
        change = self.store.change()
        if self.voice and change != self._heard:
            self.voice.poke()
        self._heard = change
        seen = (*state, change)
        if seen == self._seen and at < self._next_look:
            return
        now = self.clock.now()
        self._seen, self._next_look = seen, at + self._look_s
        key = (*seen, now.local.minute, int(now.at.timestamp()) // TICKER_PAGE_S, self._lamps_due(now))
        if key == self._shown:
            return
        facts = self.showing.read(now)
        if self._list_says_lost:
            self._list_says_lost = False
            self.start.found(findings.database(Path(self.config.data_dir), "", self.words.t))
        for name, on in self.showing.lamps(now):
            self.panel.lamp(name, on)
        self._show(at, now, lambda name: self._view(name, now, facts), starting=self.start.shows(at))
        self._shown = key

    def _draw_lost(self, at: float, state: tuple[object, ...]) -> None:
        """A picture that stands still would look alive: clock and messages go on, and the strip tells the rest."""
        if state == self._seen_lost and at < self._next_look:
            return
        now, lost = self.clock.now(), self.words.t("board.lost", nguon=self.words.t("board.queue_data"))
        self._seen_lost, self._next_look = state, at + self._look_s
        if self.showing.facts is None and not self._list_says_lost:
            self._list_says_lost = True
            self.start.found(findings.Finding("database", False, lost, self.words.t("check.database_do")))
        starting = self._list_says_lost and self.start.shows(at) and not self.front.notice
        self._show(at, now, lambda name: self._picture(name, now, lost), starting=starting)

    def _show(self, at: float, now: Moment, view: Callable[[str], View], *, starting: bool) -> None:
        """The start list, or a view by name, on each output."""
        self._trim_at = at + TRIM_AFTER_S
        if self.screen:
            for output in self.config.screen.outputs:
                self.screen.show(output.view, self.start.view(now) if starting else view(output.view))

    def _lamps_due(self, now: Moment) -> object:
        """Changes while a rating window is open, so that its end is seen although nothing is written then."""
        return int(now.at.timestamp()) if any(self.showing.lit.values()) else 0

    def _quiet(self) -> bool:
        """Whether nobody has been at the kiosk for so long that it may rest."""
        rest = self.config.screen.idle_s
        return 0 < rest <= time.monotonic() - self._here_at and self.front.notice is None

    def _rests(self, name: str, now: Moment, facts: BoardFacts) -> bool:
        """Whether an output shows the calm screen; a clock that is not believed closes nothing."""
        if not self.config.screen.idle_s or not self.front.closed(now):
            return False
        return nobody_serves(facts, now) if name == "board" else name == "take" and self._quiet()

    def _view(self, name: str, now: Moment, facts: BoardFacts) -> View:
        """The picture of an output, while the database can be read."""
        return self.showing.idle(now) if self._rests(name, now, facts) else self._picture(name, now)

    def _picture(self, name: str, now: Moment, lost: str = "") -> View:
        if name == "board":
            return self.showing.board(now, lost)
        if name.startswith("rate:"):
            return self.showing.rate(name.removeprefix("rate:"), now, lost)
        return self.showing.take(now, self._staff_icons, lost)
