"""What the kiosk in the machine has in its database, asked from outside."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.appliance.machine import Machine, MachineError

ASK = "python3 -I /usr/local/lib/appliance/books.py"


@dataclass(frozen=True, slots=True)
class Books:
    """Rows of the database, the oldest first. A database that SQLite finds damaged raises MachineError before this."""

    tickets: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    facts: dict[str, str]

    @property
    def tokens(self) -> list[str]:
        return [ticket["token"] for ticket in self.tickets]

    def jobs_of(self, token: str) -> list[dict[str, Any]]:
        """The slips of one ticket."""
        (ticket,) = (ticket["id"] for ticket in self.tickets if ticket["token"] == token)
        return [job for job in self.jobs if job["ticket"] == ticket]

    def doubled(self) -> list[tuple[str, str, int]]:
        """Numbers that two tickets have."""
        numbers = [(ticket["series"], ticket["service"], ticket["seq"]) for ticket in self.tickets]
        return sorted({number for number in numbers if numbers.count(number) > 1})


def books(machine: Machine) -> Books:
    """As they are now."""
    found = json.loads(machine.sh(ASK))
    if found["check"] != "ok":
        raise MachineError(f"the database is damaged: {found['check']}")
    return Books(found["tickets"], found["jobs"], {fact["key"]: fact["value"] for fact in found["facts"]})


def books_with(machine: Machine, what: str, holds: Callable[[Books], bool], timeout_s: float = 150.0) -> Books:
    """The books as soon as this holds of them; raises MachineError with the sentence `what`."""
    until = time.monotonic() + timeout_s
    while True:
        found = books(machine)
        if holds(found):
            return found
        if time.monotonic() > until:
            raise MachineError(f"not in {timeout_s:g} s: {what}\n{found}\n{journal(machine)}")
        time.sleep(0.3)


def printer_is(machine: Machine, state: str, timeout_s: float = 150.0) -> Books:
    """The books as soon as the kiosk has noted this state of its printer."""
    return books_with(machine, f"the printer is {state}", lambda found: found.facts.get("printer") == state, timeout_s)


def journal(machine: Machine, unit: str = "kiosk") -> str:
    """The end of a unit's log."""
    return machine.sh(f"journalctl -u {unit} -n 30 --no-pager -o cat || true")
