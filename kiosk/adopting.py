"""A running kiosk goes on with another office document, printer or language, between two rounds of its loop.

Keys, database and loudspeaker stay open, so that no press, no slip and nothing on the glass is lost.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiosk import setup
from kiosk.config import panel_keys
from kiosk.office import Office
from kiosk.present.take import key_marks
from kiosk.present.words import Words

if TYPE_CHECKING:
    from kiosk.app import App


class Adopting:
    """What `Orders` may ask of the loop; all of it in the loop's thread."""

    def __init__(self, app: "App") -> None:
        self.app = app

    def read(self, text: str) -> tuple[Office, Words] | None:
        """An applied text, None when this device cannot use it."""
        return setup.adopted(self.app.config, text)

    def adopt(self, office: Office, words: Words) -> None:
        """What is said and decided follows this office from now on; only another look opens the screens again."""
        from kiosk import parts

        app = self.app
        look, app.office, app.words = app.office.look, office, words
        app.store.use(office.rulebook())
        app.filter.hold_actions = frozenset(f"call:{counter.id}" for counter in office.counters)
        app.front.use(words, time.monotonic())
        app.showing.words = app.start.words = words
        app.showing.marks = {} if app.config.screen.touch else key_marks(words, panel_keys(app.config))
        app.printing.use(words)
        if app.voice:
            made = parts.composer(app.config, words)
            app.voice.use(made.wav, made.prepare)
        if office.look != look and app.screen:
            app.glass.again()
        app.draw_all()

    def settle(self) -> None:
        """Set-up chose another printer or language: kiosk.toml is read again, and only these follow it."""
        app, before = self.app, self.app.config
        app.config = setup.settled(before)
        if app.config.printer != before.printer:
            app.printing.close()
            app.open_printing()
        self.adopt(app.office, setup.words(app.config, app.office))

    def diagnose(self, actions: Sequence[str]) -> None:
        """Two keys or two hands were held together: the printer's thread draws what a technician wants to know."""
        from kiosk import sheets

        sheets.diagnose(self.app.store, self.app.words.t, self.app.clock.now(), actions)

    def poke(self) -> None:
        """There is something to print."""
        self.app.printing.poke()

    def restart(self) -> None:
        """End, so that systemd starts the kiosk afresh."""
        self.app.asked_to_restart = True
        self.app.stop()
