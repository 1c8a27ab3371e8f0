"""Through the real gpiochip into lgpio, and out of a real /dev/usb/lp0: keys, slips, and what befalls a printer."""

from kiosk.simulator.printer import Mode
from tests.appliance.books import books, books_with, printer_is
from tests.appliance.machine import Machine
from tests.appliance.printer import on_paper, says_again, token_of

PRINT_S = 180.0


def slips(machine: Machine) -> int:
    """How many have come out."""
    assert machine.paper is not None
    return len(machine.paper.printer.slips)


def printed(machine: Machine, count: int) -> list[str]:
    """Tokens of all slips, as soon as there are so many."""
    assert machine.paper is not None
    return [token_of(slip) for slip in machine.paper.printer.wait_for_slips(count, PRINT_S)]


def taken(machine: Machine, key: str) -> str:
    """Press a key: the token of the number that was given."""
    before = books(machine).tokens
    machine.press(key)
    found = books_with(machine, f"{key} gives a number", lambda found: len(found.tickets) > len(before))
    (token,) = set(found.tokens) - set(before)
    return token


def test_a_pressed_pin_becomes_a_slip_whose_code_reads_right(machine: Machine) -> None:
    before, given = slips(machine), books(machine).tokens
    machine.press("ho-tich")
    (token,) = printed(machine, before + 1)[before:]
    ticket = books(machine).tickets[-1]
    assert (ticket["token"], ticket["service"]) == (token, "ho-tich")
    assert token not in given
    assert machine.sh("stat -c %G:%a /dev/gpiochip0 $(readlink -f /dev/kiosk-printer)").split() == [
        "gpio:660",
        "lp:660",
    ]


def test_each_key_gives_a_number_of_its_own_service(machine: Machine) -> None:
    before, given = slips(machine), len(books(machine).tickets)
    for key in ("ho-tich", "chung-thuc", "dat-dai"):
        machine.press(key)
    tokens = printed(machine, before + 3)[before:]
    fresh = books(machine).tickets[given:]
    assert [ticket["service"] for ticket in fresh] == ["ho-tich", "chung-thuc", "dat-dai"]
    assert tokens == [ticket["token"] for ticket in fresh]


def test_without_paper_numbers_go_on_and_the_slip_comes_with_the_next_roll(machine: Machine) -> None:
    assert machine.paper is not None
    before = slips(machine)
    machine.paper.printer.switch(Mode.PAPER_OUT)
    printer_is(machine, "paper_out")
    token = taken(machine, "ho-tich")
    machine.paper.printer.switch(Mode.OK)
    assert printed(machine, before + 1)[before:] == [token]
    assert not says_again(machine.paper.printer.slips[-1].image), "nothing of it had been printed"


def test_a_printer_that_was_unplugged_prints_when_it_is_back(machine: Machine) -> None:
    before = slips(machine)
    machine.sh("/usr/local/lib/appliance/plug out")
    machine.eventually("! test -e /dev/kiosk-printer")
    printer_is(machine, "offline")
    token = taken(machine, "chung-thuc")
    machine.sh("/usr/local/lib/appliance/plug in")
    assert printed(machine, before + 1)[before:] == [token]
    printer_is(machine, "ok")


def test_a_slip_that_was_on_its_way_into_a_jammed_printer_comes_again_and_says_so(machine: Machine) -> None:
    assert machine.paper is not None
    machine.paper.printer.switch(Mode.STALL, after_bytes=6000)
    token = taken(machine, "dat-dai")
    printer_is(machine, "offline")
    machine.paper.printer.switch(Mode.OK)
    books_with(machine, "the slip is done", lambda found: found.jobs_of(token)[-1]["state"] == "done", PRINT_S)
    marks = [one.again for one in on_paper(bytes(machine.paper.raw)) if one.token == token]
    assert marks == [False, True]
