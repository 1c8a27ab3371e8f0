"""The whole appliance as the demo runs it: three processes of the device, a printer and a server in this one.

It starts and ends them, presses keys, breaks parts on purpose, and keeps what can be seen from outside. It decides
nothing: what happens to a press is the device's matter, and is read from its database and its messages.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from kiosk.config import Config
from kiosk.office import Office
from kiosk.parts import key_pins, lamp_pins
from kiosk.simulator.children import RESTART, Child, Message
from kiosk.simulator.democlock import DemoClock
from kiosk.simulator.folder import PIN, Folder, module
from kiosk.simulator.printer import EmulatedPrinter, Mode
from kiosk.simulator.slips import Slips
from kiosk.simulator.upstream import Upstream, received_events
from kiosk.store import Store
from kiosk.store.board import totals
from kiosk.store.prepare import prepare
from sync import outbox

logger = logging.getLogger(__name__)

LOOK_S = 0.15
RESTART_S = 1.0
PRINTER_FAULTS = ("paper_low", "paper_out", "cover_open", "unplugged", "mute", "stall", "slow")
FAULTS = (*PRINTER_FAULTS, "network", "clock", "power")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the appliance is made of."""

    folder: Folder
    config: Config
    office: Office
    token: str
    live: bool = True
    """Whether pictures of the screens are kept up to date."""
    window: bool = False
    """Whether the device may open a window on the display."""
    seated: bool = True
    """Whether the clerks sit at their counters from the start; else they sign in at the console."""


@dataclass
class Seen:
    """What can be seen from outside, for pages and simulated people. Read it under `Appliance.changed`."""

    running: bool = False
    printer: str = "unknown"
    lamps: dict[str, bool] = field(default_factory=dict)
    armed: dict[str, bool] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    slips: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """Files of what was called in the hall, the latest last."""
    figures: dict[str, int] = field(default_factory=dict)
    desks: dict[str, dict[str, str]] = field(default_factory=dict)
    """Counter → the number there and its state."""
    queues: dict[str, int] = field(default_factory=dict)
    """Service → how many wait."""
    server: str = ""
    taken: list[Message] = field(default_factory=list)
    printed: list[Message] = field(default_factory=list)
    shots: int = 0
    closed: bool = False
    """The device ended by itself: its window was closed."""
    failed: bool = False
    """The device ended before it was ever open: starting it again would not help."""


class Appliance:
    """Started by `start`, ended by `close`. All methods may be called from any thread."""

    def __init__(
        self, plan: Plan, clock: DemoClock, slips: Slips, printer: EmulatedPrinter | None, upstream: Upstream | None
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.printer = printer
        self.upstream = upstream
        self.seen = Seen(slips=slips.names())
        self._slips = slips
        slips.told = self._slip_is_out
        self.changed = threading.Condition(threading.RLock())
        self.revision = 0
        self.faults: set[str] = set()
        self._device: Child | None = None
        self._uplink: Child | None = None
        self._console: Child | None = None
        self._was_open = False
        self._power = threading.RLock()
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._look, name="figures", daemon=True)

    # --- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Prepare the database and start everything."""
        prepare(self.plan.folder.path, self.clock.follower().now())
        if self.plan.seated:
            self._sit_down()
        self._give_pins()
        self._switch_on()
        self._watch.start()

    def _sit_down(self) -> None:
        """The clerks of the office document come to their counters."""
        store, now = self.store(), self.clock.follower().now()
        for counter in self.plan.office.counters:
            if store.counters.counter(counter.id).state == "closed":
                store.counters.open(now, counter.id)
        store.close()

    def _give_pins(self) -> None:
        """Everybody may sign in at the console."""
        store, now = self.store(), self.clock.follower().now()
        for person in self.plan.office.clerks:
            if not store.people.has_pin(person.id):
                store.people.set_pin(now, person.id, PIN, "demo")
        store.close()

    def close(self) -> None:
        """End the device, then what it talks to. May be called twice."""
        self.stop_device()
        self._ending.set()
        if self._watch.ident is not None:
            self._watch.join()
        with self._power:
            children = [self._uplink, self._console]
            self._uplink = self._console = None
        for child in filter(None, children):
            child.close()
        if self.printer:
            self.printer.close()
        if self.upstream:
            self.upstream.stop()
        self._slips.close()

    def stop_device(self) -> None:
        """End the kiosk's process in order; its events may still be carried away."""
        with self._power:
            device, self._device = self._device, None
        if device:
            device.close()

    def night(self, until: datetime) -> None:
        """All of the device is switched off in the evening, and on again at that time."""
        self.stop_device()
        with self._power:
            children = [self._uplink, self._console]
            self._uplink = self._console = None
        for child in filter(None, children):
            child.close()
        self._goes_dark()
        self._switch_on(until)

    def store(self) -> Store:
        """One more way into the device's database: what a clerk's console is to it."""
        return Store(self.plan.folder.path, self.plan.office.rulebook())

    # --- people ----------------------------------------------------------------------------------------------

    def down(self, action: str) -> bool:
        """Press a key and keep it down; False when the device is off or has no such key."""
        return self._tell(do="down", action=action)

    def up(self, action: str) -> bool:
        return self._tell(do="up", action=action)

    def tap(self, action: str) -> bool:
        """Press a key and let it go."""
        return self._tell(do="tap", action=action)

    def touch(self, view: str, x: float, y: float) -> bool:
        """Touch a screen; x and y from 0 to 1."""
        return self._tell(do="touch", view=view, x=x, y=y)

    def shoot(self) -> bool:
        """Keep a picture of each screen as it is now."""
        return self._tell(do="shoot")

    def wait_for(self, what: Callable[[Seen], bool], timeout_s: float) -> bool:
        """Wait until something is seen; False when it was not in this time."""
        with self.changed:
            return self.changed.wait_for(lambda: what(self.seen) or self._ending.is_set(), timeout_s) and what(
                self.seen
            )

    def set_speed(self, speed: float) -> None:
        """Let the office's clock go so many times as fast as real time."""
        self.clock.set_speed(speed)
        with self.changed:
            self._tell_all()

    # --- faults ----------------------------------------------------------------------------------------------

    def possible_faults(self) -> list[str]:
        """The switches that have something to switch: a real printer or server cannot be broken from here."""
        here = {**dict.fromkeys(PRINTER_FAULTS, self.printer), "network": self.upstream}
        return [name for name in FAULTS if here.get(name, True)]

    def set_fault(self, name: str, on: bool) -> None:
        """Break a part or mend it. Raises ValueError for a fault that cannot be made here."""
        if name not in self.possible_faults():
            raise ValueError(f"no such fault here: {name}")
        if (name in self.faults) == on:
            return
        self._note_fault(name, on)
        if name in PRINTER_FAULTS:
            self._printer_fault(name if on else "ok")
        elif name == "network":
            self._network(cut=on)
        elif name == "clock":
            self.clock.set_wrong(on)
        elif on:
            self._cut_power()
        else:
            self._switch_on()

    def _note_fault(self, name: str, on: bool) -> None:
        with self.changed:
            if on and name in PRINTER_FAULTS:
                self.faults -= set(PRINTER_FAULTS)  # a printer is in one state at a time
            self.faults = self.faults | {name} if on else self.faults - {name}
            self._tell_all()

    def _printer_fault(self, name: str) -> None:
        if self.printer:
            self.printer.switch(Mode(name))

    def _network(self, *, cut: bool) -> None:
        assert self.upstream
        if cut:
            self.upstream.stop()
            return
        self.upstream.start()
        # The pause between tries grows to minutes in a long cut: nobody at the page should have to wait for its end.
        with self._power:
            uplink, self._uplink = self._uplink, None
        if uplink is None:
            return
        uplink.close()  # not under the lock, which the thread that hears of its end wants too
        with self._power:
            if "power" not in self.faults and not self._ending.is_set():
                self._uplink = self._start_uplink()

    def _cut_power(self) -> None:
        """Everything on this mains dies in the middle of whatever it does; what the printer had received is gone."""
        with self._power:
            children = [self._device, self._uplink, self._console]
            self._device = self._uplink = self._console = None
        for child in filter(None, children):
            child.kill()
        if self.printer and self.printer.mode is not Mode.UNPLUGGED:
            mode = self.printer.mode
            self.printer.switch(Mode.RESET)
            self.printer.switch(mode)  # paper does not come back with the power
        self._goes_dark()

    def _goes_dark(self) -> None:
        with self.changed:
            self.seen.running = False
            self.seen.lamps, self.seen.armed = {}, {}
            self._tell_all()

    def crash(self) -> None:
        """The kiosk's process dies, and nothing else."""
        with self._power:
            device = self._device
        if device:
            device.kill()

    def kill_console(self) -> None:
        """The console's process dies, and nothing else."""
        with self._power:
            console = self._console
        if console:
            console.kill()

    def kill_uplink(self) -> None:
        """The process that carries events dies, and nothing else; it is started again as systemd does."""
        with self._power:
            uplink, self._uplink = self._uplink, None
        if uplink:
            uplink.kill()
        with self._power:
            if "power" not in self.faults and not self._ending.is_set():
                self._uplink = self._uplink or self._start_uplink()

    def _switch_on(self, at: datetime | None = None) -> None:
        """Start what does not run; `at`: the time at which a device is switched on that was off till then."""
        with self._power:
            if self._ending.is_set():
                return
            if self._uplink is None and self._device is None:
                self.clock.boot(at)
            self._uplink = self._uplink or self._start_uplink()
            self._console = self._console or self._start_console()
            self._device = self._device or self._start_device()

    # --- processes -------------------------------------------------------------------------------------------

    def _start_device(self) -> Child:
        plan, folder = self.plan, self.plan.folder
        arguments = ["--config", str(folder.config), "--clock", str(folder.clock), "--dir", str(folder.path)]
        env = {"PYGAME_HIDE_SUPPORT_PROMPT": "1"} | ({} if plan.window else {"SDL_VIDEODRIVER": "dummy"})
        command = module("device", *arguments, *(["--live"] if plan.live else []))
        return Child(command, folder.log("kiosk"), self._hear, partial(self._device_ended), env)

    def _start_uplink(self) -> Child:
        folder = self.plan.folder
        command = module("carrier", "--config", str(folder.config), "--clock", str(folder.clock))
        return Child(command, folder.log("sync"), self._hear_uplink, self._uplink_ended)

    def _start_console(self) -> Child:
        folder = self.plan.folder
        command = module("lan", "--config", str(folder.config), "--clock", str(folder.clock))
        return Child(command, folder.log("console"), lambda message: None, self._console_ended)

    def _uplink_ended(self, status: int) -> None:
        """Started again when a technician asks for it; the server's state is shown whatever it ends by."""
        with self._power:
            if self._uplink is None or status != RESTART:
                return
            self._uplink = None
        self._switch_on()

    def _console_ended(self, status: int) -> None:
        """Started again as systemd does, unless it was meant to end."""
        with self._power:
            if self._console is None:
                return
            self._console = None
        if status != 0 and not self._ending.wait(RESTART_S):
            logger.warning("the console ended with status %d and is started again", status)
            self._switch_on()

    def _device_ended(self, status: int) -> None:
        """Started again as systemd does, unless it was meant to end or cannot even begin."""
        with self._power:
            if self._device is None:
                return
            self._device = None
        with self.changed:
            seen = self.seen
            seen.running, seen.closed, seen.failed = False, status == 0, not self._was_open
            self._tell_all()
        if status != 0 and self._was_open and not self._ending.wait(RESTART_S):
            logger.warning("the device ended with status %d and is started again", status)
            self._switch_on()

    def _tell(self, **message: Any) -> bool:
        with self._power:
            return self._device is not None and self._device.tell(**message)

    def _hear(self, message: Message) -> None:
        seen = self.seen
        with self.changed:
            match message["say"]:
                case "ready":
                    seen.running = self._was_open = True
                case "taken":
                    seen.taken.append(message)
                case "printed":
                    seen.printed.append(message)
                case "lamps":
                    seen.lamps, seen.armed = message["lamps"], message["armed"]
                case "printer":
                    seen.printer = message["state"]
                case "frame":
                    seen.frames = {**seen.frames, message["view"]: seen.frames.get(message["view"], 0) + 1}
                case "shot":
                    seen.shots += 1
            self._tell_all()

    def _hear_uplink(self, message: Message) -> None:
        with self.changed:
            self.seen.server = message["push"]
            self._tell_all()

    def _tell_all(self) -> None:
        self.revision += 1
        self.changed.notify_all()

    # --- what comes out --------------------------------------------------------------------------------------

    def _slip_is_out(self, name: str) -> None:
        with self.changed:
            self.seen.slips.append(name)
            self._tell_all()

    def _look(self) -> None:
        """Figures, whenever the database or the server has moved."""
        store, clock = self.store(), self.clock.follower()
        while not self._ending.wait(LOOK_S):
            figures, facts = self.figures(store), store.board(clock.now())
            desks = {c: {"number": t.number, "state": t.state.value} for c, t in facts.at_counter.items()}
            calls = sorted(path.name for path in self.plan.folder.calls.glob("call-*.wav"))
            fresh = (figures, desks, dict(facts.waiting), calls)
            if fresh != (self.seen.figures, self.seen.desks, self.seen.queues, self.seen.calls):
                with self.changed:
                    self.seen.figures, self.seen.desks, self.seen.queues, self.seen.calls = fresh
                    self._tell_all()
        store.close()

    def figures(self, store: Store) -> dict[str, int]:
        """Totals of the database, and where the feed stands."""
        conn = store.database.conn
        feed = outbox.feed(conn)
        events = outbox.head(conn).seq
        received = feed.cursor if self.upstream is None else received_events(self.upstream)
        return {**totals(store.database), "events": events, "waiting": events - feed.cursor, "received": received}


def wired(config: Config) -> tuple[set[str], set[str]]:
    """The keys that have a pin, and the lamps that have one."""
    return {key.action for key in key_pins(config.buttons)}, {lamp.name for lamp in lamp_pins(config.buttons)}
