"""What the kiosk in the container has given, printed and told, compared from outside.

`books.py office` writes an office document that is open at any hour of any day; `books.py compare ROOT SERVER N` reads
the slips, the kiosk's database and the commune server's, and ends with status 1 unless all three tell of the same N.
"""

import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import time
from pathlib import Path

import zxingcpp
from PIL import Image

from kiosk.office import sample

SLIPS = "var/tmp/slips"
PER_SLIP = 1
"""Codes on a slip: the number's own."""


def always_open() -> bytes:
    """The sample office with one session, from midnight to midnight."""
    day = replace(
        sample().sessions[0], start=time(0, 0), take_from=time(0, 0), last_number=time(23, 58), end=time(23, 59),
        weekdays=tuple(range(7)),
    )  # fmt: skip
    services = tuple(replace(service, quota={}) for service in sample().services)
    office = replace(sample(), version=2, sessions=(day,), services=services, calendar=())
    return replace(office, unit=replace(office.unit, code="12345")).to_json()


def tokens_on_paper(root: Path) -> list[str]:
    """What the codes of all slips lead to, oldest first."""
    found = []
    for picture in sorted((root / SLIPS).glob("slip-*.png")):
        with Image.open(picture) as image:
            codes = zxingcpp.read_barcodes(image.convert("L"))
        assert len(codes) == PER_SLIP, f"{picture.name}: {len(codes)} codes can be read"
        found.append(codes[0].text.rpartition("/")[2])
    return found


def rows(database: Path, query: str) -> list[tuple[str, ...]]:
    """Read only, beside whoever works on it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return conn.execute(query).fetchall()


def compare(root: Path, server: Path, n: int) -> None:
    """Raises AssertionError with what differs."""
    given = rows(root / "var/lib/kiosk/kiosk.db", "SELECT token, number FROM tickets ORDER BY arrival")
    told = rows(server / "server.db", "SELECT token, number FROM facts_ticket")
    paper = tokens_on_paper(root)
    assert len(given) == n, f"{len(given)} numbers were given, not {n}"
    assert len({number for _, number in given}) == n, f"a number was given twice: {given}"
    assert sorted(paper) == sorted(token for token, _ in given), f"on paper {paper}, given {given}"
    assert sorted(told) == sorted(given), f"at the server {told}, given {given}"


if __name__ == "__main__":
    if sys.argv[1:] == ["office"]:
        sys.stdout.buffer.write(always_open())
    else:
        _, _, at, server, count = sys.argv
        compare(Path(at), Path(server), int(count))
