"""The first picture: what the technician sees until the kiosk is open. Imports nothing that is slow to import."""

from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.present.words import Words
from kiosk.screen import Output, Screen
from kiosk.views.model import StartCheck, StartView
from kiosk.views.theme import THEMES, in_office_colours


def open_screen(config: Config, words: Words, now: Moment) -> Screen | None:
    """The screens with the start picture on them; None when this device has none, or goes on without."""
    if not config.screen.enabled:
        return None
    outputs = [Output(output.view, output.pixels) for output in config.screen.outputs]
    look = words.office.look
    theme = in_office_colours(THEMES[config.screen.theme], look.colour, look.accent)
    screen = Screen(outputs, blind_ok=config.screen.blind_ok, fullscreen=config.screen.fullscreen, theme=theme)
    show_start(screen, words, now, "")
    return screen


def show_start(screen: Screen, words: Words, now: Moment, problem: str) -> None:
    """What a technician sees until the kiosk is open: that it starts, or what keeps it from starting."""
    t = words.t
    check = StartCheck(t("start.database"), "error" if problem else "wait", problem)
    view = StartView(words.header(now, t("start.title")), (check,), t("start.footer"))
    for name in screen.outputs:
        screen.show(name, view)
