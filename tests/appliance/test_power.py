"""The power goes in the middle of presses, thirty times; what is left is looked at, and some of it booted for real."""

import os
import random
from contextlib import suppress
from pathlib import Path

from tests.appliance.aftermath import Left, left
from tests.appliance.books import books, books_with
from tests.appliance.machine import Machine
from tests.appliance.printer import OnPaper, on_paper
from tests.appliance.running import SNAPSHOT

CUTS = int(os.environ.get("KIOSK_CUTS", "30"))
BOOTS = int(os.environ.get("KIOSK_BOOTS", "2"))
"""How many of those with a slip in doubt are booted again: minutes each."""
SEED = 6
KEYS = ("ho-tich", "chung-thuc", "dat-dai")
LATER = "2026-11-23T01:50:00"
PRINT_S = 300.0


def press_until_cut(machine: Machine, chance: random.Random) -> list[OnPaper]:
    """Presses on all keys, and the power gone in the middle of them: what is on paper.

    In two of three rounds the moment is a number of bytes that the printer has got: in the midst of a slip, mostly.
    """
    assert machine.paper is not None
    for _ in range(chance.randint(1, 4)):
        machine.press(chance.choice(KEYS), hold_s=chance.uniform(0.3, 0.6))
        machine.idle(chance.uniform(0.0, 1.0))
    if chance.random() < 2 / 3:
        with suppress(TimeoutError):  # fewer slips than that came: cut all the same
            machine.paper.printer.wait_for_bytes(chance.randint(500, 70_000), 45)
    else:
        machine.idle(chance.uniform(0.0, 8.0))
    machine.cut()
    return on_paper(bytes(machine.paper.raw))


def judged(found: Left, papers: list[OnPaper], before: int) -> list[str]:
    """What is wrong with what is left, for somebody who holds these slips; `before`: slips of the snapshot."""
    wrong = list(found.problems)
    wrong += [
        f"{one.token} is on paper and not in the books" for one in papers if one.token and one.token not in found.given
    ]
    # A slip without its code is known by its place: slips come out in the order of their jobs.
    begun = found.jobs[before:][: len(papers)]
    wrong += [
        f"{token} is on paper and would come again unmarked"
        for token, state, copies in begun
        if state == "queued" and not copies
    ]
    if len(begun) < len(papers):
        wrong.append(f"{len(papers)} slips on paper, {len(begun)} in the books")
    return wrong


def boot_again(machine: Machine, found: Left) -> None:
    """The slip in doubt comes again and says so, the others come once, and the next number is a new one."""
    machine.start(LATER)
    machine.up()
    doubtful = [token for token, state, _ in found.jobs if state == "sending"]
    waiting = [token for token, state, _ in found.jobs if state in ("queued", "sending")]
    books_with(
        machine, "no slip waits", lambda now: all(job["state"] in ("done", "expired") for job in now.jobs), PRINT_S
    )
    assert machine.paper is not None
    fresh = on_paper(bytes(machine.paper.raw))
    assert [one.token for one in fresh] == waiting
    assert [one.token for one in fresh if one.again] == doubtful
    machine.press("ho-tich")
    books_with(machine, "a number is given", lambda now: len(now.tickets) > len(found.given), PRINT_S)
    assert books(machine).doubled() == []
    machine.cut()


def test_no_power_cut_loses_or_doubles_a_number_or_hides_a_second_slip(own: Machine, tmp_path: Path) -> None:
    chance, begun, cut_through, booted, wrong = random.Random(SEED), 0, 0, 0, []
    for at in range(CUTS):
        own.start(snapshot=SNAPSHOT)
        before = len(books(own).jobs)
        papers = press_until_cut(own, chance)
        found = left(own, tmp_path)
        wrong += [f"cut {at + 1}: {problem}" for problem in judged(found, papers, before)]
        begun += len(papers)
        cut_through += sum(not one.whole for one in papers)
        print(f"cut {at + 1}: {len(found.jobs) - before} numbers, {papers}, {wrong or 'right'}", flush=True)
        if booted < BOOTS and any(state == "sending" for _, state, _ in found.jobs):
            boot_again(own, found)
            booted += 1
    print(f"{CUTS} cuts: {begun} slips begun, {cut_through} cut through; {booted} booted again")
    assert wrong == []
    assert cut_through, "no slip was in doubt: this proves little"
