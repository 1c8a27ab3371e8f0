"""Counts what a demo left in its folder, and finds what was lost, doubled or invented: `audit.py DIR` prints JSON.

A second opinion: it imports nothing of the kiosk and nothing of the feed. It reads both databases with plain SQL,
checks the chain of events with its own arithmetic, and reads the QR codes of the slips' pictures (when zxing-cpp is
installed).
"""

import argparse
import hashlib
import json
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TOKEN = re.compile(r"/T/([0-9A-Z]{16})$")


@dataclass
class Findings:
    """Sentences about what is wrong, by kind."""

    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)

    def compare(self, what: str, wanted: Iterable[Any], found: Iterable[Any]) -> None:
        """Each of `wanted` must be found exactly once, and nothing else."""
        right, there = set(wanted), list(found)
        self.lost += [f"{what} {item} is missing" for item in sorted(right - set(there))]
        self.no_twins(what, there)
        self.invented += [f"{what} {item} comes from nowhere" for item in sorted(set(there) - right)]

    def no_twins(self, what: str, found: Iterable[Any]) -> None:
        """Nothing may be found twice."""
        self.duplicates += [f"{what} {item} is there {n} times" for item, n in sorted(Counter(found).items()) if n > 1]


@dataclass(frozen=True)
class Evidence:
    """What lies in the folder. Slips are (file name, token or None); None for all: there was no emulated printer."""

    tickets: list[dict[str, Any]]
    numbers: list[dict[str, Any]]
    ratings: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    events: list[tuple[int, bytes, bytes]]
    received: list[tuple[str, int, bytes]] | None
    slips: list[tuple[str, str | None]] | None
    qr_read: bool


def audit(folder: Path, *, slips: bool = True, received: bool = True) -> dict[str, Any]:
    """Totals and findings. `slips`, `received`: whether an emulated printer and our receiver took part.

    "lost", "duplicates" and "invented" are counts; "problems" says what they are.
    """
    evidence = collect(folder, slips=slips, received=received)
    findings = Findings()
    said = [json.loads(line) for _, line, _ in evidence.events]
    check_numbers(findings, evidence, said)
    check_rows(findings, evidence, said)
    check_chain(findings, evidence.events)
    if evidence.received is not None:
        check_feed(findings, evidence.events, evidence.received)
    if evidence.slips is not None:
        check_slips(findings, evidence)
    return {
        "tickets": len(evidence.tickets),
        "slips": len(evidence.slips) if evidence.slips is not None else _done(evidence.jobs),
        "ratings": len(evidence.ratings),
        "events": len(evidence.events),
        "received": len(evidence.received) if evidence.received is not None else None,
        "lost": len(findings.lost),
        "duplicates": len(findings.duplicates),
        "invented": len(findings.invented),
        "qr_read": evidence.qr_read,
        "problems": [*findings.lost, *findings.duplicates, *findings.invented],
    }


# --- evidence ------------------------------------------------------------------------------------------------


def collect(folder: Path, *, slips: bool = True, received: bool = True) -> Evidence:
    """Read everything, changing nothing."""
    with closing(_open(folder / "kiosk.db")) as kiosk:
        rows = {name: _rows(kiosk, name) for name in ("tickets", "numbers", "ratings", "jobs")}
        events = [tuple(row) for row in kiosk.execute("SELECT seq, line, hash FROM events ORDER BY seq")]
    can_read = find_spec("zxingcpp") is not None
    return Evidence(
        **rows,
        events=events,
        received=_received(folder) if received else None,
        slips=list(_slips(folder / "slips", can_read)) if slips else None,
        qr_read=can_read and slips,
    )


def _open(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    conn.row_factory = sqlite3.Row
    return conn


def _rows(conn: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(f"SELECT * FROM {table}")]


def _received(folder: Path) -> list[tuple[str, int, bytes]]:
    """The commune server's events, else the small receiver's."""
    commune = folder / "commune" / "server.db"
    path, table = (commune, "feed_event") if commune.exists() else (folder / "receiver.db", "events")
    with closing(_open(path)) as conn:
        return [tuple(row) for row in conn.execute(f"SELECT id, seq, line FROM {table} ORDER BY num")]


def _slips(folder: Path, can_read: bool) -> Iterator[tuple[str, str | None]]:
    for picture in sorted(folder.glob("*.png")):
        yield picture.name, _token(picture) if can_read else None


def _token(picture: Path) -> str:
    """The token in the slip's QR code; "" when there is none to read."""
    import zxingcpp
    from PIL import Image

    with Image.open(picture) as image:
        codes = [code.text for code in zxingcpp.read_barcodes(image.convert("L"))]
    found = [match[1] for text in codes if (match := TOKEN.search(text))]
    return found[0] if len(found) == 1 else ""


# --- checks --------------------------------------------------------------------------------------------------


def check_numbers(findings: Findings, evidence: Evidence, said: list[dict[str, Any]]) -> None:
    """Each series counts 1, 2, 3 … per service up to the last number that it says it gave.

    Numbers that were given before the date was known are moved to the series of that date, which counts on from them.
    A roll of pre-printed numbers may begin further on: what lies before its numbers was never torn off.
    """
    moved = {e["data"]["series"]: e["data"]["from"] for e in said if e["type"] == "series.relabelled"}

    def key(row: Mapping[str, Any]) -> str:
        return f"{moved.get(row['series'], row['series'])} {row['service']}"

    given: dict[str, list[int]] = {}
    rolls: dict[str, set[int]] = {}
    last: Counter[str] = Counter()
    for ticket in evidence.tickets:
        given.setdefault(key(ticket), []).append(ticket["seq"])
        if ticket["issuer"] == "roll":
            rolls.setdefault(key(ticket), set()).add(ticket["seq"])
    for row in evidence.numbers:
        last[key(row)] = max(last[key(row)], row["n"])
    for name in sorted(given.keys() | last.keys()):
        numbers = given.get(name, [])
        skipped = _before(rolls.get(name, set()), numbers)
        findings.compare(f"number of {name}:", [n for n in range(1, last[name] + 1) if n not in skipped], numbers)


def _before(rolls: set[int], given: list[int]) -> set[int]:
    """The numbers between one of a roll and the one that was given before it."""
    skipped: set[int] = set()
    for seq in rolls:
        before = max((n for n in given if n < seq), default=0)
        skipped |= set(range(before + 1, seq))
    return skipped


def check_rows(findings: Findings, evidence: Evidence, said: list[dict[str, Any]]) -> None:
    """Each ticket, rating and printed slip has the one event that made it, and the event its row."""

    def both(what: str, key: str, types: tuple[str, ...], rows: list[Any]) -> None:
        told = [event["data"][key] for event in said if event["type"] in types]
        findings.compare(what, told, rows)
        findings.no_twins(f"event of {what}", told)

    both("ticket", "ticket", ("ticket.issued",), [row["id"] for row in evidence.tickets])
    both("rating", "rating", ("rating.given", "rating.replaced"), [row["id"] for row in evidence.ratings])
    both("print job", "job", ("slip.printed",), [row["id"] for row in evidence.jobs if row["state"] == "done"])
    findings.no_twins("event id", [event["id"] for event in said])


def check_chain(findings: Findings, events: list[tuple[int, bytes, bytes]]) -> None:
    """Event numbers have no hole, and each hash is the one that follows from all before."""
    seqs = [seq for seq, _, _ in events]
    findings.compare("event", range(1, max(seqs, default=0) + 1), seqs)
    before = bytes(16)
    for seq, line, kept in events:
        before = hashlib.sha256(before + line).digest()[:16]
        if before != kept:
            findings.lost.append(f"event {seq} or one before it is not what was written")
            return


def check_feed(
    findings: Findings, events: list[tuple[int, bytes, bytes]], received: list[tuple[str, int, bytes]]
) -> None:
    """The server has each event once, byte for byte, and nothing that the kiosk never wrote."""
    sent = [_fingerprint(seq, line) for seq, line, _ in events]
    findings.compare("received event", sent, [_fingerprint(seq, line) for _, seq, line in received])


def _fingerprint(seq: int, line: bytes) -> str:
    return f"{seq:06} {hashlib.sha256(line).hexdigest()[:12]}"


def check_slips(findings: Findings, evidence: Evidence) -> None:
    """Each printed job has its slip: exactly one, or as many more as it was begun again (those carry "IN LẠI").

    A try that broke may leave a torn piece instead, on which no code can be read.
    """
    assert evidence.slips is not None
    tokens = {row["id"]: row["token"] for row in evidence.tickets}
    least, most = _expected(evidence.jobs, tokens)
    if not evidence.qr_read:
        _count_slips(findings, len(evidence.slips), sum(least.values()), sum(most.values()))
        return
    found = Counter(token for _, token in evidence.slips)
    findings.invented += [f"slip {name} has no ticket" for name, token in evidence.slips if token and token not in most]
    torn = [name for name, token in evidence.slips if not token]
    if len(torn) > sum(most.values()) - sum(found[token] for token in most):
        findings.invented += [f"slip {name} has no code, and too few tries broke" for name in torn]
    for token in sorted(most):
        if found[token] < least[token]:
            findings.lost.append(f"slip of {token} is missing")
        if found[token] > most[token]:
            findings.duplicates.append(f"slip of {token} is there {found[token]} times, at most {most[token]}")


def _expected(jobs: Iterable[Mapping[str, Any]], tokens: Mapping[str, str]) -> tuple[Counter[str], Counter[str]]:
    """By token: how many slips there must be, and how many there may be (`copy` counts the tries that broke)."""
    least: Counter[str] = Counter()
    most: Counter[str] = Counter(dict.fromkeys(tokens.values(), 0))
    for job in jobs:
        token, done = tokens.get(job["ticket"], ""), job["state"] == "done"
        least[token] += done
        most[token] += job["copy"] + (done or job["state"] == "sending")
    return least, most


def _count_slips(findings: Findings, found: int, least: int, most: int) -> None:
    if found < least:
        findings.lost.append(f"{least - found} slips are missing")
    if found > most:
        findings.duplicates.append(f"{found - most} slips too many")


def _done(jobs: Iterable[Mapping[str, Any]]) -> int:
    return sum(1 for job in jobs if job["state"] == "done")


def main() -> int:
    parser = argparse.ArgumentParser(prog="audit.py", description="What did this demo lose, double or invent?")
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--no-slips", action="store_true", help="a real printer took part")
    parser.add_argument("--no-receiver", action="store_true", help="a real server took part")
    options = parser.parse_args()
    found = audit(options.folder, slips=not options.no_slips, received=not options.no_receiver)
    print(json.dumps(found, ensure_ascii=False))
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
