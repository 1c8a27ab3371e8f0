"""The power goes in the middle of presses, thirty times on one disk; each time the machine boots from what is left."""

import base64
import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from kiosk.simulator.audit import audit
from tests.appliance.books import books
from tests.appliance.machine import MORNING, Machine
from tests.appliance.printer import OnPaper, on_paper

CUTS = int(os.environ.get("KIOSK_CUTS", "30"))
SEED = 6
KEYS = ("ho-tich", "chung-thuc", "dat-dai")
BETWEEN = timedelta(minutes=2)
"""What the clock module counts from one start to the next."""
COPY = """python3 -I -c '
import sqlite3, sys
source = sqlite3.connect("file:/var/lib/kiosk/kiosk.db?mode=ro", uri=True)
copy = sqlite3.connect("/run/copy.db")
source.backup(copy)
copy.close()' && base64 -w0 /run/copy.db && rm /run/copy.db"""


def clocks() -> Iterator[str]:
    """What the clock module says at each start."""
    at = datetime.fromisoformat(MORNING)
    while True:
        yield at.isoformat()
        at += BETWEEN


def press_until_cut(machine: Machine, chance: random.Random) -> None:
    """Presses on all keys, and the power gone in the middle of them."""
    for _ in range(chance.randint(1, 5)):
        machine.press(chance.choice(KEYS), hold_s=chance.uniform(0.15, 0.3))
    machine.idle(chance.uniform(0.0, 4.0))
    machine.cut()


def unmarked(boots: list[list[OnPaper]]) -> list[str]:
    """Slips that may have been on paper before, and do not say so."""
    wrong, seen = [], set()
    for at, papers in enumerate(boots):
        begun = at > 0 and boots[at - 1] and not boots[at - 1][-1].whole
        if begun and papers and not papers[0].again:
            wrong.append(f"start {at}: the slip in doubt came again without its mark")
        for one in papers:
            if one.token in seen and not one.again:
                wrong.append(f"start {at}: {one.token} came again without its mark")
            seen |= {one.token} - {""}
    return wrong


def test_no_power_cut_loses_or_doubles_a_number_or_hides_a_second_slip(own: Machine, tmp_path: Path) -> None:
    chance, boots, given = random.Random(SEED), [], {}
    for at, clock in zip(range(CUTS + 1), clocks(), strict=False):
        own.start(clock)
        own.up()
        found = books(own)
        numbers = {ticket["token"]: (ticket["series"], ticket["service"], ticket["seq"]) for ticket in found.tickets}
        assert found.doubled() == [], f"start {at}"
        lost = [number for token, number in given.items() if numbers.get(token) != number]
        assert lost == [], f"start {at}: numbers that the books had before"
        missing = {one.token for papers in boots for one in papers} - {""} - set(numbers)
        assert missing == set(), f"start {at}: on paper, and not in the books"
        given = numbers
        if at < CUTS:
            press_until_cut(own, chance)
            assert own.paper is not None
            boots.append(on_paper(bytes(own.paper.raw)))
            print(f"cut {at + 1}: {len(boots[-1])} slips begun, {len(given)} numbers before", flush=True)
    data = tmp_path / "data"
    data.mkdir()
    (data / "kiosk.db").write_bytes(base64.b64decode(own.sh(COPY)))
    result = audit(data, slips=False, received=False)
    assert (result["lost"], result["duplicates"], result["invented"]) == (0, 0, 0), result["problems"]
    own.off()
    assert own.paper is not None
    boots.append(on_paper(bytes(own.paper.raw)))
    assert unmarked(boots) == []
    in_doubt = sum(not papers[-1].whole for papers in boots[:-1] if papers)
    again = sum(one.again for papers in boots for one in papers)
    print(f"{CUTS} cuts, {len(given)} numbers, {in_doubt} slips cut through, {again} printed again and marked")
