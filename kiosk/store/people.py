"""Who may use the console: PINs, wrong tries, and who is signed in. PINs are no part of the office document.

Sign-ins lie in the database, so that a console that dies signs nobody out. A PIN is neither in an event nor readable
here; a browser's token is kept as its hash only.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk import pins
from kiosk.clock import Moment
from kiosk.store.database import Database, Writing
from kiosk.store.tries import count_wrong, wrong_tries
from kiosk.tickets import Refused, text_of, time_of

LASTS = timedelta(hours=12)
"""How long a sign-in lasts: one working day."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser that somebody signed in with. `counter` is "" for who sits at none."""

    person: str
    counter: str
    csrf: str
    at: datetime


class People:
    """PINs and sign-ins. Methods that write raise StoreError like all others."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # --- PINs ------------------------------------------------------------------------------------------------

    def has_pin(self, person: str) -> bool:
        return self.database.row("SELECT 1 FROM pins WHERE person = ?", person) is not None

    def set_pin(self, now: Moment, person: str, pin: str, by: str) -> None:
        """Give somebody a PIN, `by` whom; other browsers of that person are signed out. Raises BadPin."""
        self.keep_pin(now, person, pins.kept(pins.check(pin)), by)

    def keep_pin(self, now: Moment, person: str, stored: str, by: str) -> None:
        """The same with what `pins.kept` made of it, which takes its time."""
        with self.database.writing(now) as w:
            w.conn.execute("INSERT OR REPLACE INTO pins (person, hash) VALUES (?, ?)", (person, stored))
            _forget_browsers(w, person)
            w.emit("person.pin_set", {"person": person, "by": by})

    def remove(self, now: Moment, person: str, by: str) -> None:
        """Take a PIN away: that person can sign in no more."""
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM pins WHERE person = ?", (person,))
            _forget_browsers(w, person)
            w.emit("person.pin_removed", {"person": person, "by": by})

    # --- sign-ins --------------------------------------------------------------------------------------------

    def begin_try(self, now: Moment, person: str, mark: str = "") -> str:
        """What the PIN has to match (`pins.matches`, which takes its time and needs no database).

        Raises Refused("pin_wait") while this browser has to wait, and ("pin_wrong") for who has no PIN. The try counts
        as a wrong one until `pin_was_right`, so that two at once do not get past the limit. A browser with a good
        `mark` is counted alone, all strangers together.
        """
        # Who has a PIN stands on the sign-in page, so this gives nothing away. A guess at any other name would cost
        # others their turn: names are without end, and so were the tries and their rows.
        stored = self._stored(person)
        guesser = _guesser(person, pins.marked(mark, person, stored))
        with self.database.writing(now) as w:
            wrong, left = wrong_tries(w.conn, guesser, now)
            if left > 0:
                raise Refused("pin_wait", seconds=left)
            count_wrong(w, guesser, wrong + 1)
        return stored

    def pin_was_right(self, now: Moment, person: str, mark: str = "") -> str:
        """The tries before count no more. Returns the mark by which this browser is known from now on: its own, while
        that is good, so that nobody gathers several with a count each."""
        stored = self._stored(person)
        name = pins.marked(mark, person, stored)
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM wrong_pins WHERE person = ?", (_guesser(person, name),))
        return mark if name else pins.new_mark(person, stored)

    def _stored(self, person: str) -> str:
        row = self.database.row("SELECT hash FROM pins WHERE person = ?", person)
        if row is None:
            raise Refused("pin_wrong")
        return str(row["hash"])

    def sign_in(self, now: Moment, person: str, counter: str, role: str) -> tuple[str, SignIn]:
        """A new sign-in, whose PIN was right: the browser's token, and what is kept of it."""
        token = secrets.token_urlsafe(24)
        signed = SignIn(person, counter, secrets.token_urlsafe(18), now.at)
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM signins WHERE at < ?", (text_of(now.at - LASTS),))
            w.conn.execute(
                "INSERT INTO signins (token, person, counter, csrf, at) VALUES (?, ?, ?, ?, ?)",
                (_hash(token), person, counter, signed.csrf, text_of(signed.at)),
            )
            w.emit("person.signed_in", {"person": person, "counter": counter, "role": role})
        return token, signed

    def signed_in(self, now: Moment, token: str) -> SignIn | None:
        """Whose browser this is, None when nobody is signed in with it (any more)."""
        row = self.database.row("SELECT * FROM signins WHERE token = ?", _hash(token))
        if row is None:
            return None
        at = time_of(row["at"])
        # A clock that was set back does not make a sign-in last longer than the day it is shown to have begun.
        return SignIn(row["person"], row["counter"], row["csrf"], at) if abs(now.at - at) < LASTS else None

    def attended(self, now: Moment) -> frozenset[str]:
        """The counters at which somebody is signed in."""
        rows = self.database.rows("SELECT DISTINCT counter FROM signins WHERE counter != '' AND at > ?", _since(now))
        return frozenset(row["counter"] for row in rows)

    def sign_out(self, now: Moment, token: str) -> None:
        """The browser is nobody's any more. What becomes of the counter is the caller's affair."""
        with self.database.writing(now) as w:
            row = w.conn.execute("SELECT * FROM signins WHERE token = ?", (_hash(token),)).fetchone()
            if row is not None:
                w.conn.execute("DELETE FROM signins WHERE token = ?", (_hash(token),))
                w.emit("person.signed_out", {"person": row["person"], "counter": row["counter"]})

    def sign_out_all(self, now: Moment, but: str) -> None:
        """Every browser is nobody's, except the one with this token. Counters stay as they are."""
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM signins WHERE token != ?", (_hash(but),))
            w.emit("person.all_signed_out", {})

    def leave_others(self, now: Moment, person: str, counter: str) -> None:
        """This person's browsers at other counters are signed out: nobody sits at two."""
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM signins WHERE person = ? AND counter NOT IN ('', ?)", (person, counter))

    def leave_counter(self, now: Moment, counter: str, but: str) -> None:
        """Everybody but this person is signed out of a counter: there is one clerk per counter."""
        with self.database.writing(now) as w:
            w.conn.execute("DELETE FROM signins WHERE counter = ? AND person != ?", (counter, but))


def _guesser(person: str, browser: str) -> str:
    """Under which name wrong PINs are counted: nobody's id has a slash."""
    return f"{person}/{browser}" if browser else person


def _forget_browsers(w: Writing, person: str) -> None:
    w.conn.execute("DELETE FROM wrong_pins WHERE person = ? OR person GLOB ?", (person, f"{person}/*"))
    w.conn.execute("DELETE FROM signins WHERE person = ?", (person,))


def _since(now: Moment) -> str:
    return text_of(now.at - LASTS)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
