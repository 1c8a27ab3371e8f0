"""The kiosk in the container as the hall sees it: a key, a slip, and what stands in its books."""

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.simulator.printer import EmulatedPrinter
from tests.container.commune import Commune
from tests.container.hall import Keypad, Line
from tests.container.machine import Machine
from tests.container.telling import NotAsPromised, holds
from tests.printing import read_qr

TOKEN = re.compile(r"^(.*)/T/([0-9A-Z]{16})$")
KEY = "1"
SLIP_S = 30.0
DATA = "var/lib/kiosk"
UNITS = ("kiosk", "kiosk-sync", "kiosk-console")


@dataclass(frozen=True)
class Ticket:
    """A number on paper: `url` is what its code says, the rest is its row in the kiosk's books."""

    url: str
    id: str
    number: str
    series: str
    seq: int


@dataclass
class Hall:
    """All that a test has in its hands. `earlier`: slips that came before there were numbers."""

    machine: Machine
    commune: Commune
    printer: EmulatedPrinter = field(default_factory=EmulatedPrinter)
    earlier: int = 0

    def __post_init__(self) -> None:
        self.keypad = Keypad(self.machine)
        self.line = Line(self.machine, self.printer)

    def press(self) -> Ticket:
        """Somebody presses a key and takes the slip. Raises NotAsPromised when there is none of a number."""
        before = len(self.printer.slips)
        self.keypad.press(KEY)
        try:
            slip = self.printer.wait_for_slips(before + 1, SLIP_S * self.machine.pace)[-1]
        except TimeoutError as error:
            raise NotAsPromised(f"a press gives a slip\n{error}") from error
        codes = read_qr(slip.image)
        found = [match for code in codes if (match := TOKEN.match(code))]
        if len(found) != 1:
            raise NotAsPromised(f"a slip has the code of its number\n{codes}")
        return self.ticket(found[0][0], found[0][2])

    def settle(self) -> None:
        """Until every slip that was begun is out."""
        open_jobs = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'sending')"
        self.machine.eventually(SLIP_S, "no slip waits any more", lambda: self.rows(open_jobs) == [(0,)])

    def ticket(self, url: str, token: str) -> Ticket:
        """The number that the kiosk has given under this token."""
        rows = self.rows("SELECT id, number, series, seq FROM tickets WHERE token = ?", token)
        if len(rows) != 1:
            raise NotAsPromised(f"a slip belongs to one number\n{token}: {rows}")
        return Ticket(url, *rows[0])

    def rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        """From the database of the running kiosk, which is only read."""
        path = self.machine.root / DATA / "kiosk.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def last(self) -> tuple[str, int]:
        """The newest number: its series, and its place there."""
        return self.rows("SELECT series, seq FROM tickets ORDER BY arrival DESC LIMIT 1")[0]

    def goes_on(self, last: tuple[str, int]) -> Ticket:
        """The next press gives the next number, as if nothing had happened since `last`. Raises NotAsPromised."""
        ticket, (series, seq) = self.press(), last
        # A series that began before the date was sure is "day~boot", and goes on as that day's.
        same_day = ticket.series.partition("~")[0] == series.partition("~")[0]
        follows = ticket.seq == (seq + 1 if same_day else 1)
        holds(f"it goes on with the next number, {ticket.number}", follows, f"{ticket} after {last}")
        return ticket

    def copy_books(self, folder: Path) -> None:
        """The database of a kiosk that has stopped."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in (self.machine.root / DATA).glob("kiosk.db*"):
            shutil.copy(path, folder)

    def pid(self, unit: str) -> str:
        """Of a unit's process. Raises NotAsPromised where there is none: `kill 0` would end the test itself."""
        pid = self.machine.show(unit, "MainPID")
        if pid in ("", "0"):
            raise NotAsPromised(f"{unit} runs")
        return pid

    def is_active(self, unit: str) -> bool:
        return self.machine.ask(f"systemctl is-active {unit}") == "active"

    def is_new(self, unit: str, pid: str) -> bool:
        """Whether a unit runs, in another process than that one."""
        return self.is_active(unit) and self.machine.show(unit, "MainPID") not in ("0", pid)

    def undisturbed(self, sentence: str, pid: str) -> None:
        """The kiosk is the very process that it was."""
        holds(sentence, self.is_active("kiosk") and self.machine.show("kiosk", "MainPID") == pid)
