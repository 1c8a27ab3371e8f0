"""What each screen shows now: the facts in the store and the state of the front panel, brought to the presenters.

The kiosk's loop and `kiosk screens` both make their views here, so that no picture is of something else than the kiosk.
It reads and keeps what it read last; it decides nothing, and knows no pixels and no moment but the one it is given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kiosk.clock import Moment
from kiosk.front import Front
from kiosk.present.board import board_view
from kiosk.present.idle import idle_view
from kiosk.present.rate import counter_panel
from kiosk.present.take import Outlook, take_view
from kiosk.present.words import Words
from kiosk.store import BoardFacts, Publication, Store
from kiosk.views.model import BoardView, IdleView, RateView, TakeView

NOTHING = BoardFacts({}, {}, {}, (), ())
PRINTER_ICONS = {"paper_low": "paper_low", "paper_out": "paper_out", "cover_open": "printer", "offline": "printer"}


class Showing:
    """The views of one kiosk. `read` comes first; `lost` says which source is gone, and that what was read last stands.

    `facts` are None until they could be read once, `lit` are the counters whose rating keys shine. `touch` and `marks`
    (see `take_view`) say how a citizen chooses.
    """

    def __init__(self, store: Store, front: Front, words: Words, *, touch: bool, marks: Mapping[str, str]) -> None:
        self.store = store
        self.front = front
        self.words = words
        self.touch = touch
        self.marks = marks
        self.facts: BoardFacts | None = None
        self.lit: dict[str, bool] = {}
        self.setup_line = ""
        """How a new kiosk is set up, while it is one."""
        self._published: Publication | None = None
        self._outlooks: Outlook = {}
        self._rolls: Mapping[str, str] = {}

    def read(self, now: Moment) -> BoardFacts:
        """What there is to show of the queue, and which rating keys shine."""
        facts, self.lit = self.store.board(now), self.store.ratings.lamps(now)
        self.facts = facts
        return facts

    def lamps(self, now: Moment) -> Iterator[tuple[str, bool]]:
        """Each lamp that there may be, and whether it shines."""
        closed = self.front.closed(now)
        for service in self.words.office.services:
            yield f"take:{service.id}", not closed and service.offered(now.day)
        yield "priority", self.front.priority
        yield "language", self.front.words.t.language != self.words.t.language
        for counter, shines in self.lit.items():
            for name in ("happy", "neutral", "unhappy"):
                yield f"rate:{counter}:{name}", shines

    def board(self, now: Moment, lost: str = "") -> BoardView:
        """The hall's board; without any facts it says no more than that, for a counter may well be open."""
        if not lost:
            self._published = self.store.ratings.published()
        view = board_view(self.words, now, self.facts or NOTHING, self._published, lost)
        return view if self.facts else replace(view, cards=(), message=self.words.t("kiosk.help"))

    def rate(self, id: str, now: Moment, lost: str = "") -> RateView:
        """The panel at a counter."""
        said = self.front.rate_answers.get(id)
        return counter_panel(
            self.words,
            now,
            self.facts or NOTHING,
            id,
            open_now=self.lit.get(id, False),
            said=said[0] if said else None,
            lost=lost,
        )

    def take(self, now: Moment, staff_icons: tuple[str, ...] = (), lost: str = "") -> TakeView:
        """The tiles or the message in their place; the printer's icon is added to the others for staff."""
        front = self.front
        if not lost:
            self._outlooks, self._rolls = self.store.outlooks(now), self.store.rolls.next_numbers(now)
        icon = PRINTER_ICONS.get(front.printer)
        return take_view(
            front.words,
            now,
            self._outlooks,
            touch=self.touch,
            priority=front.priority,
            notice=front.notice,
            staff_icons=(*staff_icons, icon) if icon and icon not in staff_icons else staff_icons,
            lost=lost,
            next_language=front.next_words.t("language.name"),
            marks=self.marks,
            setup_line=self.setup_line,
            rolls=self._rolls,
        )

    def idle(self, now: Moment) -> IdleView:
        """The calm picture of a closed office."""
        door = self.store.opening(now)
        sessions = self.store.sessions((door.resumes or now.local).date())
        return idle_view(self.words, now, door, sessions, self.setup_line)
