"""What the tables say, made again from the events alone: the proof that the feed tells everything."""

import sqlite3
from dataclasses import dataclass, field, replace

from kiosk.dossiers import Dossiers, dossiers_of
from kiosk.rating import Rating, given, rating_of
from kiosk.store.dossiers import dossiers_in
from kiosk.store.overrides import override_value
from kiosk.tickets import Counter, Ticket, apply, apply_counter, counter_of, issued, ticket_of
from sync import outbox, wire


@dataclass
class Rebuilt:
    """Rows by id, the dossier figures in force, how often tickets rejoined by phone, posters' codes by counter, the
    numbers on top of rolls by service, and what staff changed by kind and key."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    ratings: dict[str, Rating] = field(default_factory=dict)
    dossiers: Dossiers | None = None
    rejoins: dict[str, int] = field(default_factory=dict)
    posters: dict[str, str] = field(default_factory=dict)
    rolls: dict[str, int] = field(default_factory=dict)
    overrides: dict[tuple[str, str], str] = field(default_factory=dict)


def from_events(conn: sqlite3.Connection) -> Rebuilt:
    """Fold all retained events, in their order."""
    state = Rebuilt()
    for event in outbox.events(conn):
        _fold(state, event)
    return state


def from_tables(conn: sqlite3.Connection) -> Rebuilt:
    """The same from the tables, for comparison."""
    return Rebuilt(
        {row["id"]: ticket_of(row) for row in conn.execute("SELECT * FROM tickets")},
        {row["id"]: counter_of(row) for row in conn.execute("SELECT * FROM counters")},
        {row["id"]: rating_of(row) for row in conn.execute("SELECT * FROM ratings")},
        dossiers_in(conn),
        {row["ticket"]: row["n"] for row in conn.execute("SELECT * FROM phone_rejoins")},
        {row["counter"]: row["token"] for row in conn.execute("SELECT * FROM posters")},
        {row["service"]: row["next"] for row in conn.execute("SELECT * FROM rolls")},
        {(row["kind"], row["key"]): row["value"] for row in conn.execute("SELECT * FROM overrides")},
    )


def _fold(state: Rebuilt, event: wire.Event) -> None:
    kind, data, at = event.type, dict(event.data), event.stamp.at
    if kind == "ticket.issued":
        state.tickets[data["ticket"]] = issued(data, at)
        if data["by"] == "roll":
            state.rolls[data["service"]] = data["seq"] + 1
    elif kind == "series.relabelled":
        for ticket in list(state.tickets.values()):
            if ticket.series == data["from"] and ticket.boot == data["boot"] and (data["all"] or not ticket.trusted):
                state.tickets[ticket.id] = replace(ticket, series=data["series"], trusted=True)
    elif kind.startswith("ticket.") and "ticket" in data:
        state.tickets[data["ticket"]] = apply(state.tickets[data["ticket"]], kind, data, at)
        if kind == "ticket.rejoined" and data["by"] == "phone":
            state.rejoins[data["ticket"]] = state.rejoins.get(data["ticket"], 0) + 1
    elif kind in ("rating.given", "rating.replaced"):
        state.ratings[data["rating"]] = given(data, at)
        if kind == "rating.replaced":
            state.ratings[data["of"]] = replace(state.ratings[data["of"]], replaced_by=data["rating"])
    elif kind == "rating.reasons":
        of = state.ratings[data["rating"]]
        state.ratings[of.id] = replace(of, reasons=tuple(data["reasons"]))
    elif kind == "rating.relabelled":
        for rating in list(state.ratings.values()):
            if (rating.guess_boot, rating.day) == (data["boot"], data["from"]):
                state.ratings[rating.id] = replace(rating, day=data["day"], guess_boot="")
    elif kind in ("dossiers.set", "dossiers.cleared"):
        state.dossiers = dossiers_of(data) if kind == "dossiers.set" else None
    elif kind == "poster.made":
        state.posters[data["counter"]] = data["token"]
    elif kind == "roll.set":
        state.rolls[data["service"]] = data["next"]
    elif kind == "roll.ended":
        state.rolls.pop(data["service"], None)
    elif kind == "override.set":
        _override(state, (data["of"], data["key"]), override_value(data))
    if data.get("counter") and kind.startswith(("ticket.", "counter.")):
        counter = state.counters.get(data["counter"], Counter(data["counter"]))
        state.counters[counter.id] = apply_counter(counter, kind, data, at)


def _override(state: Rebuilt, key: tuple[str, str], value: str) -> None:
    if value:
        state.overrides[key] = value
    else:
        state.overrides.pop(key, None)
