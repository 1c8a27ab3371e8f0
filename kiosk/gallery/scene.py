"""One office with a real database, a front panel and a clock that goes only when it is told to.

Acts change the database by the kiosk's own rules; looks are the kiosk's own presenters. It knows no pixels and no names
of pictures.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from pathlib import Path

from kiosk.clock import SITE_TIME, Moment
from kiosk.front import Front
from kiosk.hours import Session
from kiosk.office import Office
from kiosk.present.take import key_marks
from kiosk.present.words import Words
from kiosk.printer_device import PrinterState
from kiosk.showing import Showing
from kiosk.store import Store
from kiosk.store.prepare import prepare
from kiosk.views.model import BoardView, IdleView, RateView, TakeView

FIRST_DAY = date(2026, 11, 23)
LOOK_AHEAD_DAYS = 60
BOOT = "ga11e5e5"
PANEL = {"priority": "", "cancel": "", "language": ""}
"""Keys of the front panel beside the services': every one that there can be."""
ENOUGH_S = 60.0
"""After so long no message stands any more."""


class Scene:
    """The office on its first working day from `first` on, at the moment when numbers are given for the first time."""

    def __init__(self, office: Office, words: Words, folder: Path, first: date = FIRST_DAY) -> None:
        self.office = office
        self.words = words
        self.day, self.session = _opening_day(office, first)
        self._begin = datetime.combine(self.day, time(), SITE_TIME) - timedelta(days=1)
        self._at = datetime.combine(self.day, self.session.take_from, SITE_TIME)
        prepare(folder, self.now)
        self.store = Store(folder, office.rulebook())
        self.front = Front(self.store, words)
        self._showing = Showing(self.store, self.front, words, touch=True, marks={})
        self._keys = Showing(self.store, self.front, words, touch=False, marks=key_marks(words, PANEL))
        self.printer(PrinterState.OK)

    def close(self) -> None:
        self.store.close()

    # --- the clock -------------------------------------------------------------------------------------------

    @property
    def now(self) -> Moment:
        return Moment(self._at.astimezone(UTC), "ntp", True, BOOT, int(self._seconds * 1000))

    @property
    def _seconds(self) -> float:
        return (self._at - self._begin).total_seconds()

    def wait(self, seconds: float) -> None:
        """Time passes, and nobody looks."""
        self._at += timedelta(seconds=seconds)
        self.front.tick(self._seconds)

    def go(self, seconds: float = ENOUGH_S) -> None:
        """Time passes as in the kiosk's loop: who was called is served after a while."""
        self.wait(seconds)
        self.store.counters.tick(self.now)

    def go_to(self, local: datetime, minutes: float = 0) -> None:
        """On to a wall time (naive or of the site), and so many minutes more."""
        self._at = local.replace(tzinfo=SITE_TIME) + timedelta(minutes=minutes)
        self.go(0)

    def today(self, at: time) -> datetime:
        """A wall time of the day that it is now."""
        return datetime.combine(self.now.day, at)

    # --- what people do --------------------------------------------------------------------------------------

    def press(self, action: str) -> None:
        """A key or tile."""
        self.front.press(action, self._seconds, self.now)

    def printer(self, state: PrinterState) -> None:
        """The printer is so now."""
        self.front.printer_is(str(state), state.prints, self._seconds)

    def come(self) -> None:
        """One citizen for each service."""
        for service in self.office.services:
            self.go(15)
            self.press(f"take:{service.id}")
        self.go()

    def serve(self, seconds: float, faces: tuple[str, ...]) -> None:
        """Each counter serves whoever is next for so long; they press these rating keys in turn, "" for none."""
        counters = self.store.counters
        busy = [desk.id for desk in self.office.counters if counters.call_next(self.now, desk.id)]
        self.wait(10)
        for id in busy:
            counters.start(self.now, id)
        self.go(seconds)
        for id in busy:
            counters.finish(self.now, id)
        self.go(8)
        for id, face in zip(busy, cycle(faces), strict=False):
            if face:
                self.press(f"rate:{id}:{face}")
        self.go()

    # --- what is seen ----------------------------------------------------------------------------------------

    def take(self, *, staff: tuple[str, ...] = ()) -> TakeView:
        """By touch."""
        return self._showing.take(self.now, staff)

    def take_by_keys(self) -> TakeView:
        """By the keys of a panel that has them all."""
        return self._keys.take(self.now)

    def board(self, *, lost: bool = False) -> BoardView:
        """With `lost` as when the database cannot be read any more."""
        return self._showing.board(self.now, self._read(lost))

    def rate(self, id: str, *, lost: bool = False) -> RateView:
        return self._showing.rate(id, self.now, self._read(lost))

    def _read(self, lost: bool) -> str:
        """What is there to show; or which source is gone, and what was read last stands."""
        if lost:
            return self.words.t("board.lost", nguon=self.words.t("board.queue_data"))
        self._showing.read(self.now)
        return ""

    def idle(self) -> IdleView:
        return self._showing.idle(self.now)


def _opening_day(office: Office, first: date) -> tuple[date, Session]:
    """The first day from `first` on with two sessions, or with one, and its first session.

    Raises ValueError for an office that never opens.
    """
    hours = office.hours()
    days = [first + timedelta(days=n) for n in range(LOOK_AHEAD_DAYS)]
    open_days = [day for day in days if hours.on(day)]
    if not open_days:
        raise ValueError(f"the office is closed from {first} on: give it sessions on some weekday")
    day = next((day for day in open_days if len(hours.on(day)) > 1), open_days[0])
    return day, hours.on(day)[0]
