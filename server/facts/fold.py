"""What each event does to the rows. The kiosk's own pure rules say it; this carries their values to and fro.

It knows no transaction and no cursor. What an event speaks of must be there, else the event is `Unfit`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from kiosk import rating as ratings
from kiosk import tickets
from server.facts.guesses import put_right, true_time
from server.facts.models import Comment, Desk, Fact, Rating, Refusal, Ticket
from server.facts.rows import Rows
from server.facts.settling import late
from sync.wire import Event

TICKET = frozenset(tickets.Ticket.__slots__)
DESK = frozenset(tickets.Counter.__slots__) - {"id"}
RATING = frozenset(ratings.Rating.__slots__) - {"flags", "reasons", "day"}


class Unfit(ValueError):
    """An event that speaks of something that is not there, or whose values make no sense."""


class Missing(Unfit):
    """An event that speaks of a ticket or rating that is not there."""


def fold(rows: Rows, event: Event, num: int, heard: datetime | None = None) -> None:
    """Change the rows as the event says; `num` is its number for readers. Raises Unfit, and then changed nothing.

    `heard` is when the server got it, None for a rating that is not late in any case.
    """
    try:
        _fold(rows, event.type, dict(event.data), corrected(rows, event, num), num, heard)
    except Missing as error:
        raise Missing(f"{event.type}: {error}") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Unfit(f"{event.type}: {error or type(error).__name__}") from error


def _fold(rows: Rows, kind: str, data: dict[str, Any], at: datetime, num: int, heard: datetime | None) -> None:
    match kind.partition("."):
        case "ticket", _, "issued":
            _issued(rows, data, at, num)
        case "ticket", _, "refused":
            _refused(rows, data)
        case "ticket", _, _:
            _moved(rows, kind, data, at, num)
        case "counter", _, _:
            _at_desk(rows, kind, data, at)
        case "series", _, "relabelled":
            _relabelled(rows, data, num)
        case "rating", _, "given" | "replaced":
            _rated(rows, data, at, num, heard)
        case "rating", _, "reasons":
            _reasons(rows, data, num, heard)
        case "rating", _, "relabelled":
            _ratings_relabelled(rows, data, num, heard)
        case "comment", _, "given":
            _commented(rows, data)
        case "poster", _, "made":
            _poster(rows, data, at)
        case "dossiers", _, "set" | "cleared":
            _remember(rows, "dossiers", "", data, at)
        case "office" | "board" as what, _, "applied":
            _remember(rows, "refused" if data.get("ok") is False else "applied", what, data, at)


# --- time -----------------------------------------------------------------------------------------------------


def corrected(rows: Rows, event: Event, num: int) -> datetime:
    """When the event happened: on a guessed clock, by the boot's own clock as soon as its true time is known.

    What was folded with guesses until then is put right by the event that brings the true time.
    """
    stamp = event.stamp
    boot = rows.get(Fact, "boot", stamp.boot)
    known = boot is not None and boot.value["offset_ms"] is not None
    if stamp.clock != "guess":
        if not known:
            offset = int(stamp.at.timestamp() * 1000) - stamp.mono
            if boot is not None:
                _put_right(rows, boot, offset, num)
            _remember(rows, "boot", stamp.boot, {"offset_ms": offset}, stamp.at)
        return stamp.at
    if boot is not None and known:
        return true_time(boot.value["offset_ms"], stamp.mono)
    if boot is None or boot.value.get("first", num) > num:
        _remember(rows, "boot", stamp.boot, {"offset_ms": None, "first": num}, stamp.at)
    return stamp.at


def _put_right(rows: Rows, boot: Fact, offset: int, num: int) -> None:
    if "first" not in boot.value:
        rows.rebuild = True  # a release before did not keep where the guesses begin
        return
    for ticket in put_right(rows, boot.key, offset, range(boot.value["first"], num)):
        _count_again(rows, ticket, num)


# --- tickets and counters -------------------------------------------------------------------------------------


def day_of(series: str) -> date:
    """The office's day in the id of a series: `day`, `day.session`, or `day~boot` on a guess."""
    return date.fromisoformat(series.partition("~")[0].partition(".")[0])


def _issued(rows: Rows, data: Mapping[str, Any], at: datetime, num: int) -> None:
    facts = tickets.issued(dict(data), at)
    row = Ticket(device=rows.device, site=rows.device.site, num=num, day=day_of(facts.series))
    rows.put(_filled(row, facts, TICKET))


def _moved(rows: Rows, kind: str, data: dict[str, Any], at: datetime, num: int) -> None:
    row = _ticket(rows, data["ticket"])
    before = facts_of(row)
    after = tickets.apply(before, kind, data, at)
    if data.get("counter"):
        _at_desk(rows, kind, data, at)
    _filled(row, after, TICKET)
    row.num = num
    _count(row, kind, before, after)
    rows.put(row)
    _count_again(rows, row.id, num)


def _count(row: Ticket, kind: str, before: tickets.Ticket, after: tickets.Ticket) -> None:
    """What reports want beside the rules' own fields; a move that was taken back does not count."""
    if row.reached_at is None or after.first_called_at is None:
        row.reached_at = after.first_called_at
    if kind == "ticket.undone":
        row.transfers -= before.queue != after.queue or before.target != after.target
        row.holds -= before.state is tickets.State.HELD
        row.misses -= before.state is tickets.State.NO_SHOW
    row.transfers += kind == "ticket.transferred"
    row.holds += kind == "ticket.held"
    row.misses += kind == "ticket.no_show"


def _at_desk(rows: Rows, kind: str, data: dict[str, Any], at: datetime) -> None:
    row = rows.get(Desk, data["counter"])
    if row is None:
        row = Desk(device=rows.device, site=rows.device.site, counter=data["counter"])
        _filled(row, tickets.Counter(data["counter"]), DESK)
    facts = tickets.Counter(id=row.counter, **{name: getattr(row, name) for name in DESK})
    rows.put(_filled(row, tickets.apply_counter(facts, kind, data, at), DESK))


def _relabelled(rows: Rows, data: Mapping[str, Any], num: int) -> None:
    """The true date has come: what was given on a date that was not believed belongs to another series."""
    rows.load(Ticket, series=data["from"], boot=data["boot"])
    for row in rows.known(Ticket):
        if (row.series, row.boot) == (data["from"], data["boot"]) and (data["all"] or not row.trusted):
            rows.dirty.add(row.day)
            row.series, row.trusted, row.num, row.day = data["series"], True, num, day_of(data["series"])
            rows.put(row)


def _refused(rows: Rows, data: Mapping[str, Any]) -> None:
    key = (date.fromisoformat(data["day"]), data["service"], data["reason"])
    if key[0] < rows.since:
        return
    row = rows.get(Refusal, *key)
    if row is None:
        day, service, reason = key
        row = Refusal(device=rows.device, site=rows.device.site, day=day, service=service, reason=reason, n=0)
    row.n += 1
    rows.put(row)


def _ticket(rows: Rows, id: str) -> Ticket:
    row = rows.get(Ticket, id)
    if row is None:
        raise Missing(f"no ticket {id}")
    return row


def facts_of(row: Ticket) -> tickets.Ticket:
    """The ticket in the words of the kiosk's rules."""
    values = {name: getattr(row, name) for name in TICKET}
    return tickets.Ticket(**{**values, "state": tickets.State(row.state)})


def _filled(row: Any, facts: Any, names: frozenset[str]) -> Any:
    for name in names:
        setattr(row, name, getattr(facts, name))
    return row


# --- ratings and comments -------------------------------------------------------------------------------------


def _rated(rows: Rows, data: Mapping[str, Any], at: datetime, num: int, heard: datetime | None) -> None:
    facts = ratings.given(data, at)
    of = _rating(rows, data["of"]) if "of" in data else None
    row = Rating(device=rows.device, site=rows.device.site, day=date.fromisoformat(facts.day), num=num, counting=False)
    row.late = late(row.day, heard)
    row.service = _service_of(rows, facts.ticket) if facts.ticket else ""
    row.flags, row.reasons = " ".join(facts.flags), " ".join(facts.reasons)
    rows.put(_filled(row, facts, RATING))
    if of is not None:
        of.replaced_by, of.num = facts.id, num
        of.counting = of.counting and of.ticket == facts.ticket
        rows.put(of)
    if facts.ticket:
        _count_again(rows, facts.ticket, num)
    else:
        counted_again([row] if of is None else [of, row], num)


def _count_again(rows: Rows, ticket: str, num: int) -> None:
    """Which of a ticket's ratings counts may change with each event, whatever order they came in.

    Phones rate on the server too, in a feed of its own (server/phones), so that all ratings of the site are looked at.
    """
    rows.load_ratings({ticket})
    for row in counted_again([row for row in rows.known(Rating) if row.ticket == ticket], num):
        rows.put(row)


def counted_again(of_ticket: Sequence[Rating], num: int) -> list[Rating]:
    """Ask the rules which of one ticket's ratings counts; those for which that changed.

    One that came in time is in figures that people have seen: none that comes late takes its place, and one that is
    heard to replace it leaves it where it is.
    """
    since = min((row.late or date.min for row in of_ticket if not row.flags), default=date.min)
    later = {row.id for row in of_ticket if (row.late or date.min) > since}
    seen = [_rating_facts(row) for row in of_ticket if row.id not in later]
    first = ratings.counting(replace(each, replaced_by="") if each.replaced_by in later else each for each in seen)
    changed = [row for row in of_ticket if row.counting != (first is not None and row.id == first.id)]
    for row in changed:
        row.counting, row.num = not row.counting, num
    return changed


def _service_of(rows: Rows, ticket: str) -> str:
    """The service that a ticket of the site was taken for, of whatever feed it is; "" when it is not known.

    Its visit stands under it too, wherever it was transferred: an answer rate compares the same people.
    """
    own = rows.get(Ticket, ticket)
    if own is not None:
        return own.service
    found = Ticket.objects.filter(pk=ticket, site=rows.device.site).values_list("service", flat=True)
    return next(iter(found), "")


def _rating_facts(row: Rating) -> ratings.Rating:
    values = {name: getattr(row, name) for name in RATING}
    return ratings.Rating(
        **values, day=str(row.day), flags=tuple(row.flags.split()), reasons=tuple(row.reasons.split())
    )


def _rating(rows: Rows, id: str) -> Rating:
    row = rows.get(Rating, id)
    if row is None:
        raise Missing(f"no rating {id}")
    return row


def _reasons(rows: Rows, data: Mapping[str, Any], num: int, heard: datetime | None) -> None:
    """Those that are heard after the rating could be shown are left out: figures that people have seen would move."""
    row = _rating(rows, data["rating"])
    if late(row.day, heard) not in (None, row.late):
        return
    row.reasons, row.num = " ".join(data["reasons"]), num
    rows.put(row)


def _ratings_relabelled(rows: Rows, data: Mapping[str, Any], num: int, heard: datetime | None) -> None:
    rows.load(Rating, guess_boot=data["boot"], day=data["from"])
    rated: set[str] = set()
    for row in rows.known(Rating):
        if (row.guess_boot, str(row.day)) == (data["boot"], data["from"]):
            rows.dirty.add(row.day)
            row.day, row.guess_boot, row.num = date.fromisoformat(data["day"]), "", num
            row.late = late(row.day, heard)
            rows.put(row)
            rated.add(row.ticket)
    rated.discard("")
    rows.load_ratings(rated)
    for ticket in sorted(rated):
        _count_again(rows, ticket, num)


def _commented(rows: Rows, data: Mapping[str, Any]) -> None:
    row = Comment(id=data["comment"], device=rows.device, site=rows.device.site, day=date.fromisoformat(data["day"]))
    for name in ("ticket", "counter", "clerk", "rating", "sha256"):
        setattr(row, name, data[name])
    rows.put(row)


# --- what is known of the device ------------------------------------------------------------------------------


def _remember(rows: Rows, kind: str, key: str, value: Mapping[str, Any], at: datetime) -> None:
    rows.put(Fact(device=rows.device, site=rows.device.site, kind=kind, key=key, value=dict(value), at=at))


def _poster(rows: Rows, data: Mapping[str, Any], at: datetime) -> None:
    """A counter has one poster: the code before leads nowhere from now on."""
    rows.load(Fact, kind="poster")
    for row in rows.known(Fact):
        if row.kind == "poster" and row.value["counter"] == data["counter"]:
            rows.drop(row)
    _remember(rows, "poster", data["token"], {"counter": data["counter"]}, at)
