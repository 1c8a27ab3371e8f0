"""All SQL of the device. `Store` is one process's (or thread's) way into the one database that they share."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from kiosk.clock import Moment
from kiosk.hours import Opening, Session, after_session, at_work, opening, session_at, sessions_on
from kiosk.rulebook import Rulebook
from kiosk.store import facts
from kiosk.store.board import BoardFacts, board_facts
from kiosk.store.counters import Counters
from kiosk.store.database import Database, StoreBusy, StoreCorrupt, StoreError
from kiosk.store.desk import DeskFacts, desk_facts
from kiosk.store.dossiers import DossierFigures
from kiosk.store.downloads import Downloads
from kiosk.store.issuing import Issued, Issuing
from kiosk.store.offices import OfficeVersions
from kiosk.store.orders import Orders
from kiosk.store.overrides import Overrides, calendar_overrides
from kiosk.store.panels import Panels
from kiosk.store.people import People
from kiosk.store.phones import Phones
from kiosk.store.posters import Posters
from kiosk.store.pulling import Pulling
from kiosk.store.ratings import Publication, Ratings
from kiosk.store.rolls import Rolls
from kiosk.store.series import Series, current
from kiosk.store.settingup import SettingUp
from kiosk.store.slips import Slips
from kiosk.store.today import DayFacts, HelpFacts, day_facts, help_facts
from sync import outbox

__all__ = [
    "BoardFacts",
    "DayFacts",
    "DeskFacts",
    "HelpFacts",
    "Issued",
    "Publication",
    "Series",
    "Store",
    "StoreBusy",
    "StoreCorrupt",
    "StoreError",
]


class Store:
    """The opened database with the office's rules. `prepare` must have run on the folder.

    `issuing` gives numbers, `counters` are the clerks' moves, `ratings` the presses of the rating keys, `overrides`
    what staff changed for a day, `dossiers` the figures of dossiers that staff entered, `people` who may use
    the console, `panels` the rating tablets at the counters, `phones` what citizens see and say on their phones,
    `posters` the codes of the counters' posters, `slips` prints again, `rolls` are pre-printed numbers, `offices` the
    office documents that were applied, `downloads` what the commune server sent, `orders` what one process asks of
    another, `setting_up` the set-up of a new kiosk, `pulling` which server may fetch the feed.
    """

    def __init__(self, folder: Path, book: Rulebook) -> None:
        self.database = Database(folder)
        self.issuing = Issuing(self.database, book)
        self.counters = Counters(self.database, book)
        self.ratings = Ratings(self.database, book)
        self.overrides = Overrides(self.database, book)
        self.dossiers = DossierFigures(self.database)
        self.people = People(self.database)
        self.phones = Phones(self.database, book, self.issuing, self.counters, self.ratings)
        self.posters = Posters(self.database, book.desks)
        self.panels = Panels(self.database, book.desks)
        self.slips = Slips(self.database)
        self.rolls = Rolls(self.database, book)
        self.offices = OfficeVersions(self.database)
        self.downloads = Downloads(self.database)
        self.orders = Orders(self.database)
        self.setting_up = SettingUp(self.database)
        self.pulling = Pulling(self.database)

    def use(self, book: Rulebook) -> None:
        """From now on the rules of another office document hold; what was given and called stays as it is."""
        self.issuing.book = self.counters.book = self.ratings.book = self.overrides.book = book
        self.phones.book = self.rolls.book = book
        self.posters.counters = self.panels.counters = book.desks

    def board(self, now: Moment) -> BoardFacts:
        """What the screens show of the queue."""
        series = current(self.database)
        return board_facts(self.database, series.id if series else "", now, at_work=self.at_work(now))

    def desk(self, now: Moment, counter: str) -> DeskFacts:
        """What the clerk at a counter sees. Raises Refused("no_counter")."""
        return desk_facts(self.counters, now, counter)

    def help_desk(self, now: Moment, late_min: float, number: str = "") -> HelpFacts:
        """What the helper sees, see `help_facts`."""
        return help_facts(self.database, now, late_min, number)

    def today(self, now: Moment) -> DayFacts:
        """The day in figures."""
        return day_facts(self.database, self.issuing.book, now, at_work=self.at_work(now))

    def series(self) -> Series | None:
        """The running series."""
        return current(self.database)

    def opening(self, now: Moment) -> Opening:
        """What the office's door says, with what staff changed; open on a clock that is not believed."""
        if not now.trusted:
            return Opening("open")
        return opening(self.issuing.book.hours, now.local, calendar_overrides(self.database.conn))

    def at_work(self, now: Moment) -> bool:
        """Whether the office works by its hours, with what staff changed; always on a clock that is not believed."""
        if not now.trusted:
            return True
        return at_work(self.issuing.book.hours, now.local, calendar_overrides(self.database.conn))

    def sessions(self, day: date) -> tuple[Session, ...]:
        """The sessions of a day, with what staff changed; none when the office is closed."""
        return sessions_on(self.issuing.book.hours, day, calendar_overrides(self.database.conn))

    def next_session(self, now: Moment) -> tuple[str, datetime | None]:
        """The session that it is now, and when numbers are given again after it."""
        hours, changed = self.issuing.book.hours, calendar_overrides(self.database.conn)
        session = session_at(hours, now.local, changed)
        return session, after_session(hours, session, now.local, changed)

    def emit(self, now: Moment, kind: str, **data: object) -> None:
        """An event without a row: something about the device."""
        with self.database.writing(now) as w:
            w.emit(kind, data)

    def note(self, now: Moment, key: str, value: str) -> None:
        """Keep a fact about the device, see `facts`."""
        with self.database.writing(now) as w:
            facts.note(w, key, value)

    def fact(self, key: str) -> str:
        """The fact as it was last noted, "" before."""
        return facts.fact(self.database, key)

    def can_write(self, now: Moment) -> bool:
        """Write once more what is there; True when that went well. Raises StoreError."""
        with self.database.writing(now) as w:
            w.conn.execute("UPDATE facts SET value = value")
        return True

    def waiting_long(self) -> bool:
        """Whether events wait for the server that it did not take when it was last asked."""
        answer = self.server_word()
        return answer.get("state", "ok") != "ok" and outbox.backlog(self.database.conn) > 0

    def backlog(self) -> int:
        """How many events wait for the server."""
        return outbox.backlog(self.database.conn)

    def server_word(self) -> dict[str, Any]:
        """What became of the last push; empty before the first."""
        return outbox.last_answer(self.database.conn)

    def change(self) -> tuple[int, int]:
        """Differs from the last answer when anything was written, here or by another process.

        Raises StoreError when the file cannot be read.
        """
        return self.database.version(), self.database.conn.total_changes

    def outlooks(self, now: Moment) -> dict[str, tuple[int, tuple[int, int] | None]]:
        """For each service: people ahead of a new ordinary number, and the wait in minutes where it can be said."""
        conn, services = self.database.conn, self.issuing.book.services
        return {id: self.issuing.outlook(conn, now.at, id, False) for id in services}

    def close(self) -> None:
        self.database.close()
