"""The board's figures for LED controllers: a JSON object of a stable shape (docs/board.md), or plain lines."""

import unicodedata
from datetime import datetime
from typing import Any

from kiosk.clock import SITE_TIME, Moment
from kiosk.dossiers import Dossiers
from kiosk.office import Counter as Desk
from kiosk.present.words import Words
from kiosk.store import BoardFacts, Publication
from kiosk.tickets import Counter, State

FORMAT = 1
"""Raised when a field is taken away or means something else; new fields may come at any time."""
_PLAIN = str.maketrans(
    {"đ": "d", "Đ": "D", "–": "-", "—": "-", "·": "-", "“": '"', "”": '"', "…": "...", "\u00a0": " "}
)


def led_figures(
    words: Words, facts: BoardFacts | None, publication: Publication | None, *, lost: bool
) -> dict[str, Any]:
    """All that a controller can show; `lost` says that the figures are the last ones known."""
    office, known = words.office, facts or BoardFacts({}, {}, {}, (), ())
    return {
        "format": FORMAT,
        "site": office.site.id,
        "lost": lost or facts is None,
        "counters": [_counter(known, desk) for desk in office.counters],
        "services": [
            {"id": s.id, "name": words.service_name(s.id), "waiting": known.waiting.get(s.id, 0)}
            for s in office.services
        ],
        "called": [{"number": t.number, "counter": t.counter, "at": _time(t.last_called_at)} for t in known.called],
        "missed": [ticket.number for ticket in known.missed],
        "apology": known.kept_waiting,
        "dossiers": _dossiers(known.dossiers),
        "satisfaction": _satisfaction(words, publication),
    }


def led_text(words: Words, now: Moment, facts: BoardFacts | None, *, lost: bool, ascii_only: bool) -> str:
    """One line a counter, then who waits and the latest call; `ascii_only` for controllers without Vietnamese."""
    t = words.t
    lines = [t("board.lost", nguon=t("board.queue_data"))] if lost or facts is None else []
    if facts is not None:
        lines += [_line(words, facts, desk) for desk in words.office.counters]
        lines += [
            f"{words.short_name(s.id)}: {facts.waiting.get(s.id, 0)} {t('board.waiting')}"
            for s in words.office.services
        ]
        lines += [
            t("board.call", so=ticket.number, quay=words.counter_label(ticket.counter)) for ticket in facts.called[:1]
        ]
    text = "".join(f"{line}\n" for line in lines)
    return without_marks(text) if ascii_only else text


def without_marks(text: str) -> str:
    """The text in ASCII: letters without their marks, other signs by the nearest one or left out."""
    apart = unicodedata.normalize("NFD", text.translate(_PLAIN))
    return apart.encode("ascii", "ignore").decode()


def _counter(facts: BoardFacts, desk: Desk) -> dict[str, Any]:
    counter, ticket = facts.counters.get(desk.id, Counter(desk.id)), facts.at_counter.get(desk.id)
    return {
        "id": desk.id,
        "label": desk.label,
        "state": _state(facts, desk),
        "number": ticket.number if ticket else "",
        "calls": ticket.calls if ticket else 0,
        "called_at": _time(ticket.last_called_at) if ticket else None,
        "back_at": counter.paused_until if counter.state == "paused" else "",
        "services": list(desk.services),
        "waiting": sum(facts.waiting.get(service, 0) for service in desk.services),
    }


def _state(facts: BoardFacts, desk: Desk) -> str:
    """called or serving with a number, else free, paused or closed."""
    ticket = facts.at_counter.get(desk.id)
    if ticket:
        return "called" if ticket.state is State.CALLED else "serving"
    state = facts.counters.get(desk.id, Counter(desk.id)).state
    return "free" if state == "open" else state


def _line(words: Words, facts: BoardFacts, desk: Desk) -> str:
    t, ticket = words.t, facts.at_counter.get(desk.id)
    says = {
        "called": "board.come",
        "serving": "board.serving",
        "paused": "board.paused_short",
        "closed": "board.closed",
    }
    word = t(says.get(_state(facts, desk), "board.free"))
    return f"{t('board.counter_short', quay=desk.label)}: {f'{ticket.number} {word}' if ticket else word}"


def _dossiers(found: Dossiers | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = ("early", "on_time", "late", "in_time", "overdue")
    return {**{name: getattr(found, name) for name in names}, "as_of": _time(found.as_of)}


def _satisfaction(words: Words, publication: Publication | None) -> dict[str, Any] | None:
    """As published when a session closed; nothing that moves with a press."""
    labels = words.office.label_set()
    if publication is None or labels is None or labels.id not in publication.figures:
        return None
    figure = publication.figures[labels.id]
    return {"period": publication.period, "k": figure.k, "n": figure.n, "served": figure.served}


def _time(at: datetime | None) -> str | None:
    return at.astimezone(SITE_TIME).isoformat(timespec="seconds") if at else None
