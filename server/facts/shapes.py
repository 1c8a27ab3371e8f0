"""What the data of each type of event must hold. Pure: an event that does not fit is kept, marked and shown.

A type that is not listed is none of the server's business, and passes.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sync.wire import Event

Shape = Mapping[str, Callable[[Any], bool]]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 80


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _day(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(_text(item) for item in value)


def _table(value: object) -> bool:
    return isinstance(value, dict)


_AT: Shape = {"ticket": _name, "counter": _text, "clerk": _text}
_RATING: Shape = {
    "rating": _name, "ticket": _text, "counter": _text, "clerk": _text, "level": _count, "label_set": _name,
    "source": _name, "flags": _texts, "day": _day, "session": _text, "guess_boot": _text,
}  # fmt: skip
SHAPES: Mapping[str, Shape] = {
    "ticket.issued": {
        "ticket": _name, "token": _name, "series": _name, "session": _text, "service": _name, "seq": _count,
        "number": _name, "priority": _flag, "boot": _text, "trusted": _flag, "arrival": _count, "by": _name,
    },
    "ticket.called": {**_AT, "chosen": _text},
    "ticket.recalled": _AT,
    "ticket.started": {**_AT, "implied": _flag},
    "ticket.finished": {**_AT, "implied": _flag},
    "ticket.no_show": _AT,
    "ticket.held": {**_AT, "why": _text},
    "ticket.returned": {"ticket": _name, "place": lambda value: isinstance(value, int)},
    "ticket.rejoined": {"ticket": _name, "place": lambda value: isinstance(value, int)},
    "ticket.transferred": {**_AT, "service": _name, "target": _text, "why": _text},
    "ticket.released": {"ticket": _name},
    "ticket.linked": {"ticket": _name, "person": _name},
    "ticket.unlinked": {"ticket": _name},
    "ticket.cancelled": {"ticket": _name, "counter": _text, "why": _text},
    "ticket.closed": {"ticket": _name, "counter": _text, "why": _text},
    "ticket.undone": {"ticket": _name, "counter": _text, "restore": _table, "desk": _table},
    "ticket.refused": {"service": _text, "reason": _name, "day": _day},
    "series.relabelled": {"from": _name, "series": _name, "boot": _text, "all": _flag},
    "rating.given": _RATING,
    "rating.replaced": {**_RATING, "of": _name},
    "rating.reasons": {"rating": _name, "reasons": _texts},
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


def check(event: Event) -> str | None:
    """Why an event's data does not fit its type and version, None if it does; see `sync.ingest.Check`."""
    shape = SHAPES.get(event.type)
    if shape is None:
        return None
    if event.v != 1:
        return f"{event.type} v{event.v}: this server knows v1"
    wrong = [key for key, fits in shape.items() if key not in event.data or not fits(event.data[key])]
    return f"{event.type}: {', '.join(wrong)} missing or not as expected"[:200] if wrong else None
