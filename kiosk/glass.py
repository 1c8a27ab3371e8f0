"""The device's screens, which may be missing, get lost and be found again: numbers go on without them.

Knows how they are opened, and when they are tried again; it knows no view, no press and no database.
"""

import logging
import time

from kiosk import startup
from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.fonts import FontError
from kiosk.screen import Input, Screen
from kiosk.startup import Checklist
from kiosk.windows import NoDisplayError, ScreenError, ScreenLost

RETRY_S = 10.0

logger = logging.getLogger(__name__)


class Glass:
    """`screen` is None while there is none; `openings` counts how often it was opened. Times are monotonic seconds."""

    def __init__(self, config: Config, checklist: Checklist) -> None:
        self.screen: Screen | None = None
        self.openings = 0
        self.retry_at = 0.0
        self._config = config
        self._list = checklist
        self._blind = self._closed_once = False

    def open(self, now: Moment) -> None:
        """The screens with the start list; a device without them that has keys looks for them again and again.

        Raises NoDisplayError or FontError on a device that has nothing else to press.
        """
        try:
            self.screen = startup.open_screen(self._config, self._list, now)
        except (NoDisplayError, FontError) as error:
            if self._config.buttons.factory == "none" and not self._config.buttons.evdev:
                raise
            self.lost(error)

    def close(self) -> None:
        """Give the displays back."""
        if self.screen:
            self.screen.close()
        self.screen = None

    def lost(self, error: Exception) -> None:
        """Go on without a picture; said once until it is back."""
        if not self._blind:
            logger.error("%s", error)
        self._blind = True
        self.retry_at = time.monotonic() + RETRY_S
        self.close()

    def tick(self, at: float) -> None:
        """Look for lost screens when it is time to."""
        if self._blind and at >= self.retry_at:
            self.again()

    def again(self) -> None:
        """The screens, still empty, on the displays that there are now."""
        self.close()
        try:
            self.screen = startup.found_screen(self._config, self._list)
        except (ScreenError, FontError) as error:
            self.lost(error)
            return
        if self._blind:
            logger.info("the screen is back")
        self._blind = False
        self.openings += 1

    def look_around(self) -> None:
        """Open again where a display came or went."""
        if self.screen and self.screen.displays_changed():
            logger.info("a display was plugged in or taken away: the screens are opened again")
            self.again()

    def window_closed(self) -> bool:
        """Closing the window ends a program on a desktop (True); a kiosk is nobody's to close, and opens it again."""
        if not self._config.screen.fullscreen:
            return True
        if not self._closed_once:
            logger.warning("a window of the kiosk was closed: it is opened again")
        self._closed_once = True
        self.again()
        return False

    def poll(self) -> list[Input]:
        """What fingers and keys did; nothing without a screen."""
        try:
            return self.screen.poll() if self.screen else []
        except ScreenLost as error:
            self.lost(error)
            return []

    def animate(self) -> float | None:
        """Let what is lit fade on; returns the seconds until it goes on again, None when nothing is lit."""
        try:
            return self.screen.animate() if self.screen else None
        except ScreenLost as error:
            self.lost(error)
            return None

    def show_start(self, now: Moment) -> None:
        """The start list as it stands."""
        self.tick(time.monotonic())
        try:
            if self.screen:
                startup.show_start(self.screen, self._list, now)
        except ScreenLost as error:
            self.lost(error)
