"""The kiosk's parts made from its configuration. A part that is not configured, or broken, does nothing and says so."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kiosk import sheets, typeset
from kiosk.buttons import ButtonsError, KeyPin, LampPin, Lamps, Pins, use_mock_factory
from kiosk.clock import Clock
from kiosk.config import Buttons, Config
from kiosk.keypad import EvdevReader, KeypadError
from kiosk.present.calling import names_of, reading
from kiosk.present.slips import slip_content
from kiosk.present.words import Words
from kiosk.printer import Job, Printer, PrinterProfile, PrinterThread, open_transport
from kiosk.slip import render
from kiosk.sound import FOLDER, Silence, Sound, SoundFolder, Speaker
from kiosk.store import Store, StoreError
from kiosk.store.calls import Calls
from kiosk.store.database import Database
from kiosk.store.spool import SlipFacts, Spool, TestSheet
from kiosk.voice.composer import Composer, Manner
from kiosk.voice.engine import Voice

logger = logging.getLogger(__name__)

FACES = ("happy", "neutral", "unhappy")
BLINK_S = 0.3
"""How long a lamp shows that its key was pressed."""


def key_pins(buttons: Buttons) -> list[KeyPin]:
    """Every wired key with its action."""
    wired = [(f"take:{id}", part.pin) for id, part in buttons.services.items()]
    wired += [("priority", buttons.priority.pin), ("cancel", buttons.cancel.pin), ("language", buttons.language.pin)]
    for id, counter in buttons.counters.items():
        wired += [(f"rate:{id}:{face}", getattr(counter, face)) for face in FACES]
        wired.append((f"call:{id}", counter.call))
    return [KeyPin(action, pin) for action, pin in wired if pin is not None]


def lamp_pins(buttons: Buttons) -> list[LampPin]:
    """Every wired lamp, named like the key that it shines in."""
    wired = [(f"take:{id}", part.led) for id, part in buttons.services.items()]
    wired += [("priority", buttons.priority.led), ("language", buttons.language.led)]
    for id, counter in buttons.counters.items():
        wired += [(f"rate:{id}:{face}", getattr(counter, f"{face}_led")) for face in FACES]
    return [LampPin(name, pin) for name, pin in wired if pin is not None]


@dataclass
class Panel:
    """Keys and lamps; `broken` says per action what does not work. Times are monotonic seconds.

    A lamp whose key was pressed turns over for a moment: a lit one goes dark, a dark one flashes.
    """

    pins: Pins | None = None
    lamps: Lamps | None = None
    keypad: EvdevReader | None = None
    broken: dict[str, str] = field(default_factory=dict)
    _on: dict[str, bool] = field(default_factory=dict)
    _blinks: dict[str, tuple[bool, float]] = field(default_factory=dict)
    """Lamp → what it shows meanwhile, and until when."""

    def lamp(self, name: str, on: bool) -> None:
        """What the lamp shows, at once or after its blink."""
        self._on[name] = on
        if self.lamps and name not in self._blinks:
            self.lamps.set(name, on)

    def pressed(self, action: str, at: float) -> None:
        """Show that a key was pressed. A counter's three faces blink alike, so that nobody learns the choice."""
        kind, _, counter = action.partition(":")
        names = [f"rate:{counter.partition(':')[0]}:{face}" for face in FACES] if kind == "rate" else [action]
        for name in names if self.lamps else []:
            shown = self._blinks[name][0] if name in self._blinks else not self._on.get(name, False)
            self._blinks[name] = (shown, at + BLINK_S)
            self.lamps.set(name, shown)  # type: ignore[union-attr]  # no lamps, no names

    def tick(self, at: float) -> None:
        """Blinks end."""
        for name in [name for name, (_, until) in self._blinks.items() if at >= until]:
            del self._blinks[name]
            self.lamp(name, self._on.get(name, False))

    def alive(self) -> bool:
        """False when presses cannot arrive any more although nobody noticed: only a restart helps."""
        return (self.pins is None or self.pins.thread_alive()) and (self.keypad is None or self.keypad.thread_alive())

    def close(self) -> None:
        for part in (self.pins, self.lamps, self.keypad):
            if part:
                part.close()


def open_panel(config: Config, offer: Callable[[Any], None]) -> Panel:
    """Keys and lamps. A chip that cannot be opened leaves touch and keypads, and a line in the log."""
    panel = Panel()
    if config.buttons.evdev:
        _open_keypad(panel, config.buttons, offer)
    if config.buttons.factory == "none":
        return panel
    if config.buttons.factory == "mock":
        use_mock_factory()
    try:
        panel.pins = Pins(key_pins(config.buttons), offer, bounce_s=config.buttons.bounce_s)
        panel.lamps = Lamps(lamp_pins(config.buttons))
        panel.broken |= {**panel.pins.broken, **panel.lamps.broken}
    except ButtonsError as error:
        logger.error("no keys on GPIO: %s", error)
        panel.broken["gpio"] = str(error)
    return panel


def open_sound(config: Config) -> Speaker:
    """The loudspeaker; whether there is one shows with the first sound."""
    sound = config.sound
    if not sound.enabled:
        return Silence()
    if sound.device.startswith(FOLDER):
        return SoundFolder(Path(sound.device.removeprefix(FOLDER)))
    if not (sound.volume or calls_aloud(config)):
        return Silence()
    return Sound(volume=sound.volume, device=sound.device, presses=sound.presses)


def calls_aloud(config: Config) -> bool:
    """Whether this device calls people by voice."""
    return bool(config.sound.enabled and config.voice.enabled and config.voice.volume)


def open_voice(config: Config, words: Words, clock: Clock, speaker: Speaker) -> Voice | None:
    """Start the voice, None where nobody is called by it; it takes calls by a connection of its own."""
    if not calls_aloud(config):
        return None
    kinds = ["call", "recall", "apology", *(["no_show"] if config.voice.no_show else [])]
    made = composer(config, words)
    calls = Calls(Database(Path(config.data_dir)), clock, kinds)
    return Voice(calls, speaker, made.wav, made.prepare).start()


def composer(config: Config, words: Words) -> Composer:
    """What makes calls audible in the manner of this device."""
    voice = config.voice
    manner = Manner(voice.languages, voice.volume, voice.chime, reading(voice.numbers, voice.missing_ten))
    return Composer(words.t, Path(voice.packs), manner, names_of(words.office), words.counter_label)


def _open_keypad(panel: Panel, buttons: Buttons, offer: Callable[[Any], None]) -> None:
    try:
        panel.keypad = EvdevReader(buttons.evdev, buttons.keyboard, offer)
        panel.keypad.start()
    except KeypadError as error:
        logger.error("no keypad: %s", error)
        panel.broken["keypad"] = str(error)


@dataclass
class Printing:
    """The printer thread and its connection to the queue of slips. `use` gives it other words for the next slip."""

    thread: PrinterThread
    spool: Spool
    use: Callable[[Words], object]

    def poke(self) -> None:
        self.thread.poke()

    def alive(self) -> bool:
        return self.thread.alive

    def close(self) -> None:
        if self.thread.close():
            self.spool.database.close()


def printer_profile(config: Config) -> PrinterProfile:
    """What the configuration says about this make of printer."""
    printer = config.printer
    return PrinterProfile(
        width=printer.dots,
        fragment_rows=printer.fragment_rows,
        pause_ms=printer.pause_ms,
        cutter=printer.cutter,
        status=printer.status,
        baud=printer.baud,
        mm_per_s=printer.mm_per_s,
        deadline_s=printer.write_timeout_s,
    )


def open_printing(config: Config, words: Words, store: Store, clock: Clock, report: Callable[[Any], None]) -> Printing:
    """Start the printer thread; it takes slips from the database by a connection of its own."""
    profile = printer_profile(config)
    typeset.use([Path(font) for font in config.screen.fonts])
    spool = Spool(Database(Path(config.data_dir)), clock, config.printer.job_expires_min)

    said = [words]

    def draw(job: Job) -> Any:
        if isinstance(job.payload, TestSheet):
            return sheets.draw(job.payload.kind, config, said[0].t, profile.width, job.payload.data)
        assert isinstance(job.payload, SlipFacts)
        return render(slip_content(said[0], job.payload), profile.width)

    thread = PrinterThread(
        Printer(lambda: open_transport(config.printer.url, profile), profile),
        spool,  # type: ignore[arg-type]  # its jobs are SlipJob, which has the fields of Job
        draw,
        report,
        lambda: clock.now().at,
        unavailable=(StoreError,),
    )
    thread.start()
    return Printing(thread, spool, partial(said.__setitem__, 0))
