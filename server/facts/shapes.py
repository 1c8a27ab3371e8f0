"""What the data of each type of event must hold. Pure: an event that does not fit is kept, marked and shown.

A type that is not listed is none of the server's business, and passes.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from kiosk.tickets import State
from sync.wire import Event, Stamp, parse_instant

Shape = Mapping[str, Callable[[Any], bool]]

YEARS = range(1970, 2200)
"""Years that a kiosk's clock may show. A date beyond the calendar's end could not be brought to local time."""
MOST_MONO = 2**42
"""Milliseconds of the longest boot, 139 years: a true time that is worked out with it is a date."""
REASON_LETTERS, REASONS_LETTERS = 20, 200
"""The longest reason of a rating, and the longest list of them, joined by spaces: what their columns hold."""

_STATES = frozenset(State)


def storable(text: str) -> bool:
    """Whether both databases can hold a text: PostgreSQL's has no NUL, and half a pair of UTF-16 is no letter."""
    return "\0" not in text and (text.isascii() or _encodes(text))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: object) -> bool:
    # `storable` in place, as in `_name`: they are asked ten times an event, while a kiosk waits for its answer.
    return isinstance(value, str) and "\0" not in value and (value.isascii() or _encodes(value))


def _name(value: object) -> bool:
    return (
        isinstance(value, str) and 0 < len(value) <= 80 and "\0" not in value and (value.isascii() or _encodes(value))
    )


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _small(value: object) -> bool:
    return _count(value) and value < 2**15  # type: ignore[operator]


def _place(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _day(value: object) -> bool:
    return isinstance(value, str) and _is_day(value)


def _series(value: object) -> bool:
    """The id of a series: `day`, `day.session`, or `day~boot` on a guess."""
    return isinstance(value, str) and _is_series(value)


# Hundreds of events in a row have the same day: it is worked out once.
@lru_cache(64)
def _is_day(text: str) -> bool:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        return False
    try:
        return date.fromisoformat(text).year in YEARS
    except ValueError:
        return False


@lru_cache(64)
def _is_series(text: str) -> bool:
    return _name(text) and _is_day(re.split("[~.]", text, maxsplit=1)[0])


def _time(value: object) -> bool:
    """A time as rows hold it; None before it has come."""
    try:
        return value is None or (isinstance(value, str) and parse_instant(value).year in YEARS)
    except (ValueError, OverflowError):
        return False


def _state(value: object) -> bool:
    return isinstance(value, str) and value in _STATES


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(_text(item) for item in value)


def _reasons(value: object) -> bool:
    short = isinstance(value, list) and all(_name(item) and len(item) <= REASON_LETTERS for item in value)
    return short and len(" ".join(value)) <= REASONS_LETTERS  # type: ignore[arg-type]


def _table(value: object) -> bool:
    return isinstance(value, dict)


def _some_of(shape: Shape) -> Callable[[Any], bool]:
    """Whether a value holds fields of a row, as many as there are to change. A row never becomes another one."""

    def fits(value: object) -> bool:
        if not isinstance(value, dict) or "id" in value:
            return False
        return all(shape[key](item) for key, item in value.items() if key in shape)

    return fits


_TICKET_ROW: Shape = {
    "token": _name, "series": _series, "session": _text, "service": _name, "seq": _count, "number": _name,
    "priority": _flag, "issued_at": lambda value: value is not None and _time(value), "boot": _text, "trusted": _flag,
    "place": _place, "queue": _name, "state": _state, "target": _text, "counter": _text, "clerk": _text,
    "calls": _count, "first_called_at": _time, "last_called_at": _time, "started_at": _time, "implied": _flag,
    "ended_at": _time, "why": _text, "missed_at": _time, "issuer": _name, "linked": _text,
}  # fmt: skip
_DESK_ROW: Shape = {
    "state": _name, "clerk": _text, "paused_until": _text, "ticket": _text, "armed": _text, "armed_at": _time,
    "acted_at": _time, "day": _text, "boot": _text,
}  # fmt: skip
_AT: Shape = {"ticket": _name, "counter": _text, "clerk": _text}
_RATING: Shape = {
    "rating": _name, "ticket": _text, "counter": _text, "clerk": _text, "level": _small, "label_set": _name,
    "source": _name, "flags": _texts, "day": _day, "session": _text, "guess_boot": _text,
}  # fmt: skip
SHAPES: Mapping[str, Shape] = {
    "ticket.issued": {
        "ticket": _name, "token": _name, "series": _series, "session": _text, "service": _name, "seq": _count,
        "number": _name, "priority": _flag, "boot": _text, "trusted": _flag, "arrival": _count, "by": _name,
    },
    "ticket.called": {**_AT, "chosen": _text},
    "ticket.recalled": _AT,
    "ticket.started": {**_AT, "implied": _flag},
    "ticket.finished": {**_AT, "implied": _flag},
    "ticket.no_show": _AT,
    "ticket.held": {**_AT, "why": _text},
    "ticket.returned": {"ticket": _name, "place": _place},
    "ticket.rejoined": {"ticket": _name, "place": _place},
    "ticket.transferred": {**_AT, "service": _name, "target": _text, "why": _text},
    "ticket.released": {"ticket": _name},
    "ticket.linked": {"ticket": _name, "person": _name},
    "ticket.unlinked": {"ticket": _name},
    "ticket.cancelled": {"ticket": _name, "counter": _text, "why": _text},
    "ticket.closed": {"ticket": _name, "counter": _text, "why": _text},
    "ticket.undone": {"ticket": _name, "counter": _text, "restore": _some_of(_TICKET_ROW),
        "desk": _some_of(_DESK_ROW)},
    "ticket.refused": {"service": _text, "reason": _name, "day": _day},
    "series.relabelled": {"from": _name, "series": _series, "boot": _text, "all": _flag},
    "rating.given": _RATING,
    "rating.replaced": {**_RATING, "of": _name},
    "rating.reasons": {"rating": _name, "reasons": _reasons},
    "rating.relabelled": {"from": _day, "day": _day, "boot": _text},
    "rating.published": {"day": _day, "session": _text, "period": _name, "figures": _table},
    "counter.opened": {"counter": _name, "clerk": _text, "day": _text, "boot": _text},
    "counter.paused": {"counter": _name, "until": _text},
    "counter.resumed": {"counter": _name},
    "counter.closed": {"counter": _name},
    "comment.given": {
        "comment": _name, "ticket": _text, "counter": _text, "clerk": _text, "rating": _text, "day": _day,
        "sha256": _name,
    },
    "poster.made": {"counter": _name, "token": _name},
    "dossiers.set": {"as_of": _name},
    "office.applied": {"sha256": _name, "version": _count},
    "board.applied": {"sha256": _name, "version": _count},
}  # fmt: skip

OPTIONAL: Mapping[str, Shape] = {"rating.given": {"reasons": _reasons}, "rating.replaced": {"reasons": _reasons}}
"""Keys that an event may do without."""


def check(event: Event) -> str | None:
    """Why an event's time, or its data by type and version, does not fit, None if it does; see `sync.ingest.Check`."""
    if not believable(event.stamp):
        return f"{event.type}: at, boot or mono is nothing that a clock shows"
    shape = SHAPES.get(event.type)
    if shape is None:
        return None
    if event.v != 1:
        return f"{event.type} v{event.v}: this server knows v1"
    data = event.data
    wrong = [key for key, fits in shape.items() if key not in data or not fits(data[key])]
    if event.type in OPTIONAL:
        wrong += [key for key, fits in OPTIONAL[event.type].items() if key in data and not fits(data[key])]
    return f"{event.type}: {', '.join(wrong)} missing or not as expected"[:200] if wrong else None


def believable(stamp: Stamp) -> bool:
    """Whether times can be worked out with a stamp, and kept."""
    return stamp.at.year in YEARS and stamp.mono < MOST_MONO and storable(stamp.boot)
