"""Rolls of pre-printed numbers: without a working printer the help desk tears numbers off and enters that it did.

A roll's numbers are those of the service: one sequence, so that no number is out twice. While a roll is in use the
kiosk's keys give none of that service. It is in use for the day: the next one closes it with all that is open.
"""

import sqlite3

from kiosk.clock import Moment
from kiosk.rulebook import Rulebook, ServiceRule
from kiosk.store.database import Database, Writing
from kiosk.store.series import current, given_so_far, open_day, running
from kiosk.tickets import Refused, label

MOST = 9999
"""A slip of the finger must not make numbers long for the rest of the day."""


class Rolls:
    """Which services have a roll, and the number on top of each. Methods that write raise Refused and StoreError."""

    def __init__(self, database: Database, book: Rulebook) -> None:
        self.database = database
        self.book = book

    def start(self, now: Moment, service: str, number: str) -> None:
        """From now on numbers of a service come from a roll with this number on top; also to put a roll right."""
        rule = self.book.services.get(service)
        if rule is None:
            raise Refused("no_service", service=service)
        seq = _seq(rule, number)
        open_day(self.database, self.book, now)
        with self.database.writing(now) as w:
            check_unused(w, running(w, self.database, self.book).id, rule, seq)
            put(w, service, seq)
            w.emit("roll.set", {"service": service, "next": seq})

    def end(self, now: Moment, service: str) -> bool:
        """The kiosk gives the numbers of a service again, above those of the roll; whether there was a roll."""
        with self.database.writing(now) as w:
            gone = w.conn.execute("DELETE FROM rolls WHERE service = ?", (service,)).rowcount
            if gone:
                w.emit("roll.ended", {"service": service})
        return bool(gone)

    def next_numbers(self, now: Moment) -> dict[str, str]:
        """The number on top of each roll, by service; none before the first write of a new day has closed them."""
        series = current(self.database)
        if now.trusted and series is not None and series.day != str(now.day):
            return {}
        rows = self.database.rows("SELECT service, next FROM rolls")
        rules = {row["service"]: self.book.services.get(row["service"]) for row in rows}
        return {row["service"]: label(rule.prefix, row["next"]) for row in rows if (rule := rules[row["service"]])}


def on_top(conn: sqlite3.Connection, service: str) -> int:
    """The number on top of a service's roll, 0 without a roll."""
    row = conn.execute("SELECT next FROM rolls WHERE service = ?", (service,)).fetchone()
    return int(row["next"]) if row else 0


def put(w: Writing, service: str, seq: int) -> None:
    """This number is on top."""
    w.conn.execute("INSERT OR REPLACE INTO rolls (service, next) VALUES (?, ?)", (service, seq))


def check_unused(w: Writing, series: str, rule: ServiceRule, seq: int) -> None:
    """Raises Refused("roll_given") for a number that is out today, or may be."""
    given = given_so_far(w, series, rule.id)
    if seq <= given:
        raise Refused("roll_given", number=label(rule.prefix, seq), first=label(rule.prefix, given + 1))


def _seq(rule: ServiceRule, number: str) -> int:
    """Which number of its service a printed number is."""
    digits = number.strip().upper().removeprefix(rule.prefix)
    if not number.strip().upper().startswith(rule.prefix) or not digits.isascii() or not digits.isdigit():
        raise Refused("roll_number", example=label(rule.prefix, 1))
    seq = int(digits)
    if not 0 < seq <= MOST or label(rule.prefix, seq) != rule.prefix + digits:
        raise Refused("roll_number", example=label(rule.prefix, 1))
    return seq
