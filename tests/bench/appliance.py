"""The whole kiosk in this process, with its loop turned by hand: mock pins, SDL's dummy driver, a Monday morning."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from kiosk import parts
from kiosk.adopting import Adopting
from kiosk.app import App
from kiosk.buttons import mock_press, mock_release
from kiosk.clock import SimulatedClock, set_simulated
from kiosk.config import load_config
from kiosk.front import Front, Taken
from kiosk.keys import KeyFilter
from kiosk.orders import Orders
from kiosk.printer import JobDone
from kiosk.rulebook import Rulebook
from kiosk.setup import load_office, words
from kiosk.showing import Showing
from kiosk.store import Store
from kiosk.views.lights import FADE_S, STEPS
from tests.office import BOOT, OPENING, rulebook

DEADLINE_S = 30.0

CONFIG = """
data_dir = "data"
[buttons]
factory = "mock"
lockout_s = 0.0
[printer]
url = "{printer}"
[screen]
blind_ok = true
fullscreen = false
outputs = [{outputs}]
[public]
url = "https://motcua.xa-mau.example"
"""


def _without_limits() -> Rulebook:
    """The sample office's rules for hands that press all day: no cool-down, no cap, no quotas."""
    book = rulebook(press_limits=False)
    return replace(book, services={id: replace(rule, quota={}) for id, rule in book.services.items()})


class Appliance:
    """A kiosk in `folder`. `limits`: whether presses are limited; `outputs`: the pictures, each 1920×1080."""

    def __init__(self, folder: Path, printer: str = "none", *, limits: bool = False, outputs: str = "take") -> None:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        folder.mkdir(parents=True, exist_ok=True)
        pictures = ", ".join(f'{{ view = "{view}", size = "1920x1080" }}' for view in outputs.split())
        (folder / "kiosk.toml").write_text(CONFIG.format(printer=printer, outputs=pictures))
        self.clock_file = folder / "clock.json"
        set_simulated(self.clock_file, OPENING, boot=BOOT)
        self.folder = folder / "data"
        self.config = load_config(folder / "kiosk.toml")
        self.taken: list[tuple[Taken, float]] = []
        self.printed: list[JobDone] = []
        office = load_office(self.config)
        self.app = App(self.config, office, words(self.config, office), SimulatedClock(self.clock_file))
        self._open(self.app, limits)
        self.pins = {key.action: key.pin for key in parts.key_pins(self.config.buttons)}
        self.services = [action for action in self.pins if action.startswith("take:")]
        self.app.turn(0)

    def _open(self, app: App, limits: bool) -> None:
        app.glass.open(app.clock.now())
        app._open_store().close()
        app.store = Store(self.folder, rulebook() if limits else _without_limits())
        app.front = Front(app.store, app.words)
        app.showing = Showing(app.store, app.front, app.words, touch=True, marks={})
        app.panel = parts.open_panel(self.config, app.inbox.put)
        app.sound = parts.open_sound(self.config)
        app.printing = parts.open_printing(self.config, app.words, app.store, app.clock, self._report)
        app.orders = Orders(app.store, app.office.sha256, Adopting(app))
        app.front.on_taken = self._took

    def _took(self, taken: Taken) -> None:
        self.taken.append((taken, time.monotonic()))
        self.app.printing.poke()

    def _report(self, item: Any) -> None:
        if isinstance(item, JobDone):
            self.printed.append(item)
        self.app.inbox.put(item)

    def press(self, action: str) -> None:
        """A finger on a key and off again; from any thread."""
        mock_press(self.pins[action])
        mock_release(self.pins[action])

    def press_on_press(self) -> None:
        """Take a key's release at once, as no finger is so quick: presses may follow as fast as they are handled."""
        self.app.filter = KeyFilter(lockout_s=0.0, settle_s=0.0)

    def until(self, happened: Callable[[], object], wait_s: float = 0.1) -> None:
        """Turn the loop until something is so."""
        end = time.monotonic() + DEADLINE_S
        while not happened():
            if time.monotonic() > end:
                raise TimeoutError(f"it did not happen within {DEADLINE_S} s")
            self.app.turn(wait_s)

    def fade(self) -> None:
        """Let what is lit go dark, step by step, without waiting for it."""
        screen, at = self.app.screen, time.monotonic()
        assert screen
        for step in range(1, STEPS + 1):
            screen._clock = partial(float, at + step * FADE_S / STEPS)
            screen.animate()
        screen._clock = time.monotonic

    def pretend_paper(self) -> None:
        """Without a printer, go on as if there was one: the usual message, and no code on the glass."""
        self.until(lambda: self.app.front.printer == "none")
        self.app.front.printer_is("ok", True, time.monotonic())

    def __enter__(self) -> "Appliance":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.app.close()
