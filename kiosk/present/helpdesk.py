"""The help desk's page in words: what each service is up to, the number just given, the latest ones, lost slips."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kiosk.present.words import Words
from kiosk.store import HelpFacts, Issued
from kiosk.store.slips import SlipState
from kiosk.tickets import State, Ticket

KEYS = ("F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9")
"""Shortcuts of the tiles. Not F5: whoever wants to load the page again must not give a number by it."""
PRIORITY_KEY = "F10"
GOOD = ("ok", "none", "unknown")
"""States of the printer that nobody has to act on."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One service; `key` is its shortcut, "" when none is left."""

    id: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Given:
    """The number that this helper gave last."""

    number: str
    service: str
    priority: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket of the list; `can` names what may be done with it, `seen` its state as the rules call it."""

    id: str
    number: str
    priority: bool
    service: str
    time: str
    state: str
    seen: str
    note: str
    can: frozenset[str]


@dataclass(frozen=True, slots=True)
class HelpPage:
    """All that moves on the page. `notes` stand on the tiles, `rolls` name the number on top by service."""

    notes: Mapping[str, str]
    printer: str
    printer_bad: bool
    rows: tuple[Row, ...]
    lost: tuple[str, ...]
    rolls: Mapping[str, str]


def tiles(words: Words, today: date) -> tuple[Tile, ...]:
    """The services that are offered today."""
    offered = [service for service in words.office.services if service.offered(today)]
    keys = dict(zip((service.id for service in offered), KEYS, strict=False))
    return tuple(Tile(one.id, words.service_name(one.id), keys.get(one.id, "")) for one in offered)


def help_page(words: Words, facts: HelpFacts, rolls: Mapping[str, str], *, prints: bool) -> HelpPage:
    """`rolls`: the number on top by service; `prints`: whether this kiosk has a printer at all."""
    t = words.t
    return HelpPage(
        notes={
            one.id: _note(words, facts.waiting.get(one.id, 0), rolls.get(one.id, "")) for one in words.office.services
        },
        printer=t(f"printer.{facts.printer}") if prints else t("printer.none"),
        printer_bad=prints and facts.printer not in GOOD,
        rows=tuple(_row(words, ticket, facts, prints) for ticket in facts.recent),
        lost=tuple(slip.ticket.number for slip in facts.lost) if prints else (),
        rolls=dict(rolls),
    )


def given(words: Words, issued: Issued, shown: HelpPage, slip: SlipState, *, prints: bool) -> Given:
    """What to tell the citizen; `slip` is what became of the slip."""
    t, ticket = words.t, issued.ticket
    ahead = t("kiosk.ahead", n=t.number(issued.ahead)) if issued.ahead else t("help.ahead_0")
    wait = t("kiosk.wait", tu=issued.wait[0], den=issued.wait[1]) if issued.wait and issued.ahead else ""
    paper = _paper(words, shown, slip, prints) if issued.job else t("help.from_roll")
    lines = tuple(line for line in (ahead, wait, paper) if line)
    return Given(ticket.number, words.service_name(ticket.service), ticket.priority, lines)


def _paper(words: Words, shown: HelpPage, slip: SlipState, prints: bool) -> str:
    t = words.t
    if not prints:
        return t("help.no_printer")
    if slip == "queued":
        return t("help.slip_waits", may_in=shown.printer) if shown.printer_bad else t("help.printing")
    return t(f"help.{slip}") if slip else ""


def _note(words: Words, waiting: int, top: str) -> str:
    count = words.t("desk.line", n=words.t.number(waiting))
    return f"{count} · {words.t('help.on_top', so=top)}" if top else count


def _row(words: Words, ticket: Ticket, facts: HelpFacts, prints: bool) -> Row:
    t = words.t
    others = [number for number in facts.holders.get(ticket.linked, ()) if number != ticket.number]
    at_counter = ticket.state in (State.CALLED, State.SERVING)
    notes = [
        t("board.counter_short", quay=words.counter_label(ticket.counter)) if at_counter else "",
        t("help.linked_with", so=", ".join(others)) if others else "",
        ticket.why if ticket.state in (State.HELD, State.CANCELLED) else "",
    ]
    return Row(
        id=ticket.id,
        number=ticket.number,
        priority=ticket.priority,
        service=words.short_name(ticket.queue),
        time=t.clock(ticket.issued_at),
        state=t(f"state.{ticket.state.value}"),
        seen=ticket.state.value,
        note=" · ".join(note for note in notes if note),
        can=_can(ticket, bool(others), prints),
    )


def _can(ticket: Ticket, linked: bool, prints: bool) -> frozenset[str]:
    can = set()
    if ticket.state is State.WAITING and prints:
        can.add("reprint")
    if ticket.state in (State.HELD, State.NO_SHOW):
        can.add("return")
    if ticket.state in (State.WAITING, State.HELD, State.NO_SHOW):
        can |= {"cancel", "unlink" if linked else "link"}
    return frozenset(can)
