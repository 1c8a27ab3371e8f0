"""The figures of a rehearsed day as a short table for a terminal. It counts nothing."""

from collections.abc import Iterator, Mapping
from typing import Any


def table(found: Mapping[str, Any]) -> str:
    """What `Day.run` found, a line for each matter."""
    return "\n".join(f"{name:<9} {text}" for name, text in _lines(found))


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    moves, clicks, clock = found["moves"], found["clicks"], found["clock_s"]
    spent = ", ".join(f"{seconds:g} s {name}" for name, seconds in sorted(clock.items()))
    yield "day", f"{found['visitors']} visitors, {found['counters']} counters, {found['clients']} pages open"
    yield "clock", f"{found['speed']:g} times as fast as real time: {found['real_s']:g} s ({spent})"
    left = f"; left without one: {_listed(found['left'])}" if found["left"] else ""
    yield "numbers", f"{found['tickets']}: {moves.get('issued by a key', 0)} by keys, {found['helped']} by staff{left}"
    for kind, waits in found["waits_min"].items():
        if waits:
            yield "waits", "{}: {n}, median {median} min, 90 % within {p90}, longest {max}".format(kind, **waits)
    yield "line", f"passed over by later ones: {found['passed_over_most']} times at most"
    yield "ended", f"{_listed(found['ended'])}; closed at night: {_listed(found['closed'])}"
    yield "moves", _listed({name: n for name, n in moves.items() if not name.startswith("issued")})
    rated = found["rated"]
    yield "ratings", f"{rated.get('counted', 0)} counted, {rated.get('flagged', 0)} kept and flagged"
    answered = f"answered in {clicks['median_ms']} ms, 95 % within {clicks['p95_ms']} ms"
    refused = f"; refused: {_listed(clicks['refused'])}" if clicks["refused"] else ""
    yield "clicks", f"{clicks['n']}, {answered}; {clicks['unanswered']} without an answer{refused}"
    yield "pages", f"{found['pages']['fragments']} fragments over {found['pages']['connections']} connections"
    for crash in found["crashes"]:
        moment = "at a busy moment" if crash["busy"] else "at a quiet moment"
        yield "killed", f"{crash['process']}, {moment}, back after {crash['away_s']} s"
    yield "books", f"{found['events']} events, {found['received']} at the server, {found['slips']} slips"
    yield "audit", f"{found['lost']} lost, {found['duplicates']} doubled, {found['invented']} invented"
    yield "problems", str(len(found["problems"])) if found["problems"] else "none"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items()) or "none"
