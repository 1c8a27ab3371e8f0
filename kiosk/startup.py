"""The first picture: what the technician sees until the kiosk is open. Imports nothing that is slow to import."""

from pathlib import Path

from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.present.words import Words
from kiosk.screen import Output, Screen
from kiosk.views.model import StartCheck, StartView


def open_screen(config: Config, words: Words, now: Moment) -> Screen | None:
    """The screens with the start picture on them; None when this device has none, or goes on without."""
    screen = make_screen(config)
    if screen:
        show_start(screen, words, now, "")
    return screen


def make_screen(config: Config) -> Screen | None:
    """The screens with nothing on them yet; None when this device has none."""
    if not config.screen.enabled:
        return None
    return Screen(
        [Output(output.view, output.pixels, output.display) for output in config.screen.outputs],
        blind_ok=config.screen.blind_ok,
        fullscreen=config.screen.fullscreen,
        fonts=[Path(font) for font in config.screen.fonts],
        animations=config.screen.animations,
    )


def show_start(screen: Screen, words: Words, now: Moment, problem: str) -> None:
    """What a technician sees until the kiosk is open: that it starts, or what keeps it from starting."""
    t = words.t
    check = StartCheck(t("start.database"), "error" if problem else "wait", problem)
    view = StartView(words.header(now, t("start.title")), (check,), t("start.footer"))
    for name in screen.outputs:
        screen.show(name, view)
