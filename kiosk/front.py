"""What a press means: the state of the front panel and of the counters' keys. Turns presses into moves and messages.

It decides; `present` finds the words. It knows no pins, no pixels and no printer protocol. A kiosk answers every press,
if only with "please ask the help desk"; only a damaged database (StoreCorrupt) gets out, because it ends the process.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.clock import Moment
from kiosk.present import take
from kiosk.present.words import Words
from kiosk.store import Issued, Store, StoreCorrupt, StoreError
from kiosk.tickets import Refused
from kiosk.views.model import Notice, RateState

GLASS_S = 45.0
"""A number that is on no paper stays this long: it has to be written down, or its code scanned."""
RATE_ANSWER_S = 4.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A number that was given, by press."""

    issued: Issued
    pressed_at: float


class Front:
    """State between two presses. Times are monotonic seconds unless they are a `Moment`.

    `printer` is the printer's state in its own words; `prints` whether a slip can come out; `source_of` says how a
    press reached us (key, touch).
    """

    def __init__(self, store: Store, words: Words, message_s: float = 6, stale_s: float = 2) -> None:
        self.store = store
        self.words = words
        self.message_s = message_s
        self.stale_s = stale_s
        self.printer, self.prints = "unknown", True
        self.disk_ok = True
        self.notice: Notice | None = None
        self.rate_answers: dict[str, tuple[RateState, float]] = {}
        self.on_taken: Callable[[Taken], None] = lambda taken: None
        self._notice_until = 0.0
        self._priority_until = 0.0
        self._last: Issued | None = None

    # --- presses ---------------------------------------------------------------------------------------------

    def press(self, action: str, at: float, now: Moment, source: str = "key") -> None:
        """One press of a key or tile, made at monotonic time `at`."""
        for _ in range(2):
            try:
                self._act(action, at, now, source)
            except Refused as refused:
                logger.info("%s refused: %s", action, refused.reason)
            except StoreError as error:
                if error.retry:
                    continue
                self._store_failed(error, at)
                return
            self.disk_ok = self.disk_ok or action not in ("priority", "cancel")  # those two write nothing
            return

    def _act(self, action: str, at: float, now: Moment, source: str) -> None:
        kind, _, rest = action.partition(":")
        match kind:
            case "take":
                self._take(rest, at, now)
            case "priority":
                self._priority_until = at + self.words.office.rules.priority_choose_s
                self._say(None, at)
            case "cancel":
                self._cancel(at)
            case "rate":
                counter, _, key = rest.partition(":")
                self._rate(counter, key, at, now, source)
            case "call":
                self.store.counters.one_key(now, rest)
            case _:
                logger.warning("no such action: %s", action)

    def hold(self, action: str, at: float, now: Moment) -> None:
        """A call key held down: nobody came."""
        kind, _, counter = action.partition(":")
        if kind != "call":
            return
        try:
            self.store.counters.no_show(now, counter)
        except Refused as refused:
            logger.info("no-show at counter %s refused: %s", counter, refused.reason)
        except StoreError as error:
            self._store_failed(error, at)

    def drop_stale(self, action: str, now: Moment) -> None:
        """A press that waited too long: only counted, or a slip would come out that nobody takes."""
        try:
            self.store.issuing.refuse(now, action.removeprefix("take:"), "stale")
        except StoreError as error:
            self.trouble(error)

    # --- time and effects ------------------------------------------------------------------------------------

    def tick(self, at: float) -> None:
        """Messages end, and a priority choice that nobody completed."""
        if self.notice is not None and at >= self._notice_until:
            self.notice = None
        if self._priority_until and at >= self._priority_until:
            self._priority_until = 0.0
        self.rate_answers = {c: (said, until) for c, (said, until) in self.rate_answers.items() if at < until}

    def printer_is(self, state: str, prints: bool, at: float) -> None:
        """The printer changed: a number whose slip is not out yet goes onto the glass."""
        self.printer, self.prints = state, prints
        if not prints and self._last is not None and self.notice is not None and self.notice.kind == "slip":
            self._show_glass(self._last, at)

    def slip_is_out(self, job: int, at: float) -> None:
        """A slip was printed: its number leaves the glass, as after any other slip."""
        if self._last is None or self._last.job != job:
            return
        if self.notice is not None and self.notice.kind == "glass":
            self._say(take.slip_notice(self.words, self._last), at)
        self._last = None

    def closed(self, now: Moment) -> bool:
        """Whether a press would be refused because of the hour; a clock that is not believed closes nothing."""
        return self.store.opening(now).status != "open"

    @property
    def priority(self) -> bool:
        """Whether the next service is taken as a priority number."""
        return self._priority_until > 0

    # --- what the presses do ---------------------------------------------------------------------------------

    def _take(self, service: str, at: float, now: Moment) -> None:
        try:
            issued = self.store.issuing.issue(now, service, priority=self.priority)
        except Refused as refused:
            self._say(self._refusal(refused, service, now), at)
            if refused.reason not in ("too_fast", "flood"):
                self._priority_until = 0.0
            return
        self._priority_until = 0.0
        self._last = issued
        if self.prints:
            self._say(take.slip_notice(self.words, issued), at)
        else:
            self._show_glass(issued, at)
        self.on_taken(Taken(issued, at))

    def _refusal(self, refused: Refused, service: str, now: Moment) -> Notice | None:
        if refused.reason == "too_fast" and self.notice is not None and self.notice.kind in ("slip", "glass"):
            # The number of the one before must stay readable while the next one is impatient.
            return self.notice
        resumes = None
        if refused.reason == "quota":
            session, resumes = self.store.next_session(now)
            refused.values["session_name"] = self.words.session_name(session)
        return take.refusal_notice(self.words, refused, service, resumes)

    def _cancel(self, at: float) -> None:
        if self.priority:
            self._priority_until = 0.0
            self._say(take.cancelled_notice(self.words), at)
        elif self.notice is not None:
            self._say(None, at)

    def _rate(self, counter: str, key: str, at: float, now: Moment, source: str) -> None:
        labels = self.words.office.label_set()
        level = labels.by_key(key) if labels else None
        if level is None:
            logger.warning("the label set has no answer for the key %s", key)
            return
        rating = self.store.ratings.press(now, counter, level.value, source)
        answer: RateState = "thanks"
        if not rating.counts:
            answer = "already" if "repeat" in rating.flags else "not_open"
        if "burst" not in rating.flags:
            self.rate_answers[counter] = (answer, at + RATE_ANSWER_S)

    # --- messages --------------------------------------------------------------------------------------------

    def _say(self, notice: Notice | None, at: float, seconds: float | None = None) -> None:
        if notice is not None and notice is self.notice:
            return
        self.notice = notice
        self._notice_until = at + (seconds or self.message_s)

    def _show_glass(self, issued: Issued, at: float) -> None:
        self._say(take.glass_notice(self.words, issued, self.printer), at, GLASS_S)

    def trouble(self, error: StoreError) -> None:
        """The disk is in trouble: said once, until something can be written again. Raises StoreCorrupt."""
        if isinstance(error, StoreCorrupt):
            raise error
        if self.disk_ok:
            logger.error("%s", error)
        self.disk_ok = False

    def _store_failed(self, error: StoreError, at: float) -> None:
        self.trouble(error)
        self._say(take.stopped_notice(self.words), at)
