"""The thread that calls people: it takes one call after the other from the database and has each played to its end.

It knows neither the sentence nor the loudspeaker, only that a call is over when it was heard. Sound is an effect:
whatever fails here, numbers and calls go on.
"""

import logging
import threading
from collections.abc import Callable

from kiosk.calls import SpokenCall
from kiosk.sound import Speaker
from kiosk.store import StoreError
from kiosk.store.calls import Calls

LOOK_S = 1.0
"""How often it looks without being told: only a lost word would make that matter."""
RETRY_S = 5.0
CLOSE_S = 3.0

logger = logging.getLogger(__name__)


class Voice:
    """Says the calls of the database. `compose` makes the WAV file of a call, `prepare` runs once before all."""

    def __init__(
        self,
        calls: Calls,
        speaker: Speaker,
        compose: Callable[[SpokenCall], bytes],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._calls = calls
        self._speaker = speaker
        self._compose = compose
        self._prepare = prepare
        self._fresh: tuple[Callable[[SpokenCall], bytes], Callable[[], None]] | None = None
        self._news = threading.Event()
        self._closing = threading.Event()
        self._trouble = ""
        self._recovered = False
        self._current: SpokenCall | None = None
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)

    def start(self) -> "Voice":
        self._thread.start()
        return self

    def use(self, compose: Callable[[SpokenCall], bytes], prepare: Callable[[], None]) -> None:
        """Other words from the next call on. From any thread."""
        self._fresh = (compose, prepare)

    def poke(self) -> None:
        """Something was written: look for calls. From any thread."""
        self._news.set()

    def close(self) -> None:
        """Be silent at once, the loudspeaker too. A call that this cuts off is said again after a quick restart."""
        self._closing.set()
        self._news.set()
        self._speaker.close()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            logger.error("the voice's thread did not end in %s s", CLOSE_S)
        else:
            self._calls.database.close()

    # --- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._fresh = self._fresh or (self._compose, self._prepare)
        while not self._closing.is_set():
            try:
                self._say_all()
            except Exception:
                # What fails for a reason that nobody thought of is one call less, not the end of those after it.
                logger.exception("a call could not be said")
                self._leave_out()

    def _say_all(self) -> None:
        """One call after the other, until it is closed."""
        self._try(self._recover)
        while not self._closing.is_set():
            if not self._try(self._say_next):
                self._news.wait(LOOK_S)
                self._news.clear()

    def _leave_out(self) -> None:
        """The call that failed; without one it was something else, which is tried again after a while."""
        call, self._current = self._current, None
        if call is None:
            self._closing.wait(RETRY_S)
        else:
            self._try(lambda: self._calls.done(call))

    def _try(self, work: Callable[[], object]) -> bool:
        """What the work says; a database that cannot be used is said once, and tried again after a while."""
        try:
            worked = bool(work())
            self._trouble = ""
            return worked
        except StoreError as error:
            if str(error) != self._trouble:
                logger.warning("no calls: %s", error)
            self._trouble = str(error)
            self._closing.wait(RETRY_S)
            return False

    def _recover(self) -> bool:
        """Once, as soon as the database lets it: else a hall would hear whom an earlier run did not get to call."""
        if not self._recovered:
            self._calls.recover()
            self._recovered = True
        return True

    def _say_next(self) -> bool:
        """Say one call; whether there was one."""
        self._recover()
        if self._fresh:
            (self._compose, prepare), self._fresh = self._fresh, None
            prepare()
        call = self._current = self._calls.claim()
        if call is None:
            return False
        if self._speaker.call(self._compose(call)):
            self._calls.done(call)
        self._current = None
        return True
