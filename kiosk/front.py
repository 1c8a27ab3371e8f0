"""What a press means: the state of the front panel and of the counters' keys. Turns presses into moves and messages.

A message is made from words, so that it can be made again when somebody asks for another language.

It decides; `present` finds the words. It knows no pins, no pixels and no printer protocol. A kiosk answers every press,
if only with "please ask the help desk"; only a damaged database (StoreCorrupt) gets out, because it ends the process.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kiosk.clock import Moment
from kiosk.present import spoken, take
from kiosk.present.rate import ANSWER_S, answer_to
from kiosk.present.spoken import Prompt
from kiosk.present.words import Words
from kiosk.store import Issued, Store, StoreCorrupt, StoreError
from kiosk.tickets import Refused
from kiosk.views.model import Notice, RateState

GLASS_S = 45.0
"""A number that is on no paper stays this long: it has to be written down, or its code scanned."""
CLICKED = ("priority", "cancel", "language", "rate")
"""Presses that are answered with the same short tone, whatever comes of them."""
ON_PANEL = ("take", "priority", "cancel", "language")
"""Presses of somebody who stands before the screen."""

Says = Callable[[Words], Notice]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A number that was given, by press."""

    issued: Issued
    pressed_at: float


class Front:
    """State between two presses. Times are monotonic seconds unless they are a `Moment`.

    `printer` is the printer's state in its own words; `prints` whether a slip can come out. `on_sound` gets the tone of
    a press ("press", "taken", "refused"), `on_said` what could be read aloud. Without a `cancel_key` the priority key
    takes its own choice back.
    """

    def __init__(
        self, store: Store, words: Words, message_s: float = 6, language_s: float = 30, cancel_key: bool = True
    ) -> None:
        self.store = store
        self.message_s = message_s
        self.language_s = language_s
        self.cancel_key = cancel_key
        self.printer, self.prints = "unknown", True
        self.disk_ok = True
        self.notice: Notice | None = None
        self.rate_answers: dict[str, tuple[RateState, float]] = {}
        self.on_taken: Callable[[Taken], None] = lambda taken: None
        self.on_sound: Callable[[str], None] = lambda tone: None
        self.on_said: Callable[[Prompt], None] = lambda prompt: None
        self._home = words
        self._languages = {language: words.in_language(language) for language in words.t.languages}
        self._chosen = words
        self._chosen_until = 0.0
        self._says: Says | None = None
        self._said_in = words
        self._notice_until = 0.0
        self._priority_until = 0.0
        self._last: Issued | None = None

    # --- languages -------------------------------------------------------------------------------------------

    @property
    def words(self) -> Words:
        """The words of the glass. A message keeps its language after the choice has ended for the next press."""
        return self._chosen if self.notice is None else self._said_in

    @property
    def next_words(self) -> Words:
        """What the language key leads to."""
        languages = list(self._languages)
        following = languages.index(self.words.t.language) + 1
        return self._languages[languages[following % len(languages)]]

    @property
    def foreign(self) -> bool:
        """Whether another language than the office's was chosen."""
        return self._chosen.t.language != self._home.t.language

    def use(self, words: Words, at: float) -> None:
        """Another office document: what is said from now on follows it, and the message that stands too."""
        chosen, said = self._chosen.t.language, self._said_in.t.language
        self._home = words
        self._languages = {language: words.in_language(language) for language in words.t.languages}
        self._chosen = self._languages.get(chosen, words)
        if self._says:
            left = max(self._notice_until - at, 0)
            self._say(self._says, at, left, self._languages.get(said, words))

    def tested(self, at: float) -> None:
        """A technician tries the keys: the glass says so, and nothing else comes of a press."""
        self.on_sound("press")
        self._say(take.testing_notice, at)

    def _choose(self, words: Words, at: float) -> None:
        self._chosen = words
        if self._says:
            self._say(self._says, at, max(self._notice_until - at, self.message_s))

    # --- presses ---------------------------------------------------------------------------------------------

    def press(self, action: str, at: float, now: Moment, source: str = "key") -> None:
        """One press of a key or tile, made at monotonic time `at`."""
        kind = action.partition(":")[0]
        if kind in CLICKED:
            self.on_sound("press")
        if kind in ON_PANEL:
            self._chosen_until = at + self.language_s
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
            self.disk_ok = self.disk_ok or action not in ("priority", "cancel", "language")  # they write nothing
            return

    def _act(self, action: str, at: float, now: Moment, source: str) -> None:
        kind, _, rest = action.partition(":")
        match kind:
            case "take":
                self._take(rest, at, now)
            case "priority":
                self._choose_priority(at)
            case "language":
                self._choose(self.next_words, at)
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
        """Messages end, a priority choice that nobody completed, and a language that nobody reads any more."""
        if self.notice is not None and at >= self._notice_until:
            self._say(None, at)
        if self.foreign and at >= self._chosen_until:
            self._chosen = self._home
        if self._priority_until and at >= self._priority_until:
            self._priority_until = 0.0
        self.rate_answers = {c: (said, until) for c, (said, until) in self.rate_answers.items() if at < until}

    def printer_is(self, state: str, prints: bool, at: float) -> None:
        """The printer changed: a number whose slip is not out yet goes onto the glass."""
        self.printer, self.prints = state, prints
        if not prints and self._last is not None and self.notice is not None and self.notice.kind == "slip":
            self._show_glass(self._last, at, self._said_in)

    def slip_is_out(self, job: int, at: float) -> None:
        """A slip was printed: its number leaves the glass, as after any other slip."""
        if self._last is None or self._last.job != job:
            return
        if self.notice is not None and self.notice.kind == "glass":
            self._say(partial(take.slip_notice, issued=self._last), at, words=self._said_in)
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
        language = self._chosen.t.language if self.foreign else ""
        try:
            issued = self.store.issuing.issue(now, service, priority=self.priority, language=language)
        except Refused as refused:
            self.on_sound("refused")
            self._refuse(refused, service, at, now)
            if refused.reason not in ("too_fast", "flood"):
                self._priority_until = 0.0
            return
        self.on_sound("taken")
        self._priority_until = 0.0
        self._last = issued
        if self.prints:
            self._say(partial(take.slip_notice, issued=issued), at)
            self.on_said(spoken.taken(self.words, issued))
        else:
            self._show_glass(issued, at)
        self._chosen = self._home  # for whoever comes next; the message stays as it was asked for
        self.on_taken(Taken(issued, at))

    def _refuse(self, refused: Refused, service: str, at: float, now: Moment) -> None:
        if refused.reason == "too_fast" and self.notice is not None and self.notice.kind in ("slip", "glass"):
            # The number of the one before must stay readable while the next one is impatient.
            return
        resumes = None
        if refused.reason == "quota":
            session, resumes = self.store.next_session(now)
            refused.values["session"] = session
        self._say(partial(take.refusal_notice, refused=refused, service=service, today=now.day, resumes=resumes), at)
        self._read_aloud()

    def _choose_priority(self, at: float) -> None:
        if self.priority and not self.cancel_key:
            self._cancel(at)
            return
        self._priority_until = at + self._home.office.rules.priority_choose_s
        self._say(None, at)
        self.on_said(spoken.priority_chosen(self.words))

    def _cancel(self, at: float) -> None:
        if self.priority:
            self._priority_until = 0.0
            self._say(take.cancelled_notice, at)
        elif self.notice is not None:
            self._say(None, at)

    def _rate(self, counter: str, key: str, at: float, now: Moment, source: str) -> None:
        labels = self._home.office.label_set()
        level = labels.by_key(key) if labels else None
        if level is None:
            logger.warning("the label set has no answer for the key %s", key)
            return
        rating = self.store.ratings.press(now, counter, level.value, source)
        if "burst" not in rating.flags:
            self.rate_answers[counter] = (answer_to(rating), at + ANSWER_S)

    # --- messages --------------------------------------------------------------------------------------------

    def _say(self, says: Says | None, at: float, seconds: float | None = None, words: Words | None = None) -> None:
        """Show a message, in the chosen language unless `words` are given; None ends the one that is shown."""
        self._says, self._said_in = says, words or self._chosen
        self.notice = says(self._said_in) if says else None
        self._notice_until = at + (seconds or self.message_s)

    def _show_glass(self, issued: Issued, at: float, words: Words | None = None) -> None:
        says = partial(take.glass_notice, issued=issued, printer=self.printer)
        self._say(says, at, GLASS_S, words)
        self.on_said(spoken.no_paper(self.words, issued, self.printer))

    def _read_aloud(self) -> None:
        if self.notice is not None:
            self.on_said(spoken.refused(self.words, self.notice))

    def trouble(self, error: StoreError) -> None:
        """The disk is in trouble: said once, until something can be written again. Raises StoreCorrupt."""
        if isinstance(error, StoreCorrupt):
            raise error
        if self.disk_ok:
            logger.error("%s", error)
        self.disk_ok = False

    def _store_failed(self, error: StoreError, at: float) -> None:
        self.trouble(error)
        self.stopped(at)

    def stopped(self, at: float) -> None:
        """No number now: nothing can be kept."""
        self.on_sound("refused")
        self._say(take.stopped_notice, at)
        self._read_aloud()
