"""The feed as a server that fetches reads it: the position that it asks for acknowledges all before it.

It knows the outbox, no network. docs/feed.md has the rules.
"""

from dataclasses import dataclass
from datetime import datetime

from sync import wire
from sync.outbox import Code, NeedsNewEpoch, Outbox, Overtaken, Reading
from sync.wire import START, Position

MOST_WAIT_S = 25.0
"""So long an answer is held back while there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a server asks for. `epoch` "" when it knows none; `now` is its time, None if it does not say."""

    epoch: str = ""
    after: Position = START
    limit: int = wire.MAX_EVENTS
    wait_s: float = 0.0
    now: datetime | None = None

    @property
    def words(self) -> dict[str, str]:
        """The same as a query's fields."""
        words = {"limit": str(self.limit), "wait": f"{self.wait_s:g}"}
        if self.epoch:
            words |= {"epoch": self.epoch, "after": f"{self.after.seq}.{self.after.hash.hex()}"}
        return words | ({"now": wire.instant(self.now)} if self.now else {})


def asked(words: dict[str, str]) -> Asked:
    """What the fields of a query ask for. Raises wire.WireError, which names what does not fit."""
    epoch = words.get("epoch", "")
    if epoch and not wire.is_epoch(epoch):
        raise wire.WireError("epoch: 16 hex digits")
    seq, _, hash = words.get("after", "").partition(".")
    after = wire.parse_position([whole(seq, "after"), hash]) if "after" in words else START
    limit = min(whole(words.get("limit", str(wire.MAX_EVENTS)), "limit"), wire.MAX_EVENTS)
    try:
        wait_s = min(max(float(words.get("wait", "0")), 0.0), MOST_WAIT_S)
        now = wire.parse_instant(words["now"]) if "now" in words else None
    except (ValueError, OverflowError) as error:
        raise wire.WireError(f"wait or now: {error}") from error
    return Asked(epoch, after, max(limit, 1), wait_s if wait_s == wait_s else 0.0, now)


def whole(text: str, name: str) -> int:
    """The whole number in a field of a query. Raises wire.WireError."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise wire.WireError(f"{name}: {text[:30]!r} is no whole number")
    return int(text)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a question came to: what follows in the feed, and whether the server has less than it had (`again`)."""

    reading: Reading
    again: bool = False


def fetch(outbox: Outbox, question: Asked) -> Fetched:
    """What follows the position that is asked for, which is thereby acknowledged.

    A question about an older epoch is answered from the start of the current one. When the two cannot agree about the
    current one, or the server knows a later one (a card was replaced), a new epoch begins, beyond that of the question.
    Raises what the outbox raises besides NeedsNewEpoch.
    """
    feed, _ = outbox.feed()
    known = question.epoch == feed.epoch
    # A server that knows nothing of this epoch has none of its events, whatever was acknowledged before.
    after = question.after if known else START
    again = after.seq < feed.cursor
    try:
        if not known and wire.epoch_counter(question.epoch) >= wire.epoch_counter(feed.epoch):
            raise Overtaken(question.epoch)
        code: Code = "gap" if again or not known else "ok"
        outbox.settle(feed.epoch, code, after, question.now)
        return Fetched(outbox.read(after.seq, question.limit), again)
    except NeedsNewEpoch as error:
        outbox.renew(feed.epoch, str(error), error.beyond)
        return Fetched(outbox.read(0, question.limit), True)
