"""Who else follows a rehearsed day: boards in the hall, the help desk, and visitors with their phones."""

import threading
from collections.abc import Callable
from contextlib import suppress

from kiosk.simulator.folder import PIN
from kiosk.simulator.rehearsal.browser import Browser, Stream, Unreachable
from kiosk.store import Store
from kiosk.tickets import OPEN

TRIES = 60
PAUSE_S = 0.2


class HelpDesk:
    """The helper's browser: gives numbers by the page's form. One thread at a time may use it."""

    def __init__(self, browser: Browser, person: str, over: threading.Event) -> None:
        self.browser = browser
        self.stream: Stream | None = None
        self._person = person
        self._over = over

    def open(self) -> bool:
        """Sign in and open the page; False when that cannot be done."""
        if not self._insist(self._sign_in):
            return False
        self.stream = self.browser.stream("/help/live")
        return True

    def give(self, service: str, *, priority: bool, is_given: Callable[[], bool]) -> bool:
        """Click on the service until the number is there: a console that died may have given it."""
        fields = {"priority": "1"} if priority else {}
        return self._insist(lambda: bool(self.browser.act("/help/issue", service=service, **fields)["ok"]), is_given)

    def _sign_in(self) -> bool:
        self.browser.get("/sign-in")
        self.browser.send("/sign-in", person=self._person, pin=PIN)
        return "/help/issue" in self.browser.get("/help").text

    def _insist(self, act: Callable[[], bool], done: Callable[[], bool] = lambda: False) -> bool:
        for _ in range(TRIES):
            with suppress(Unreachable):
                if act():
                    return True
            if done():
                return True
            if self._over.wait(PAUSE_S):
                return False
        return False


class Watchers:
    """Boards from the start, and so many phones at once; `streams` are those that are open."""

    def __init__(self, browser: Callable[[], Browser], boards: int, phones: int) -> None:
        self.connections = self.fragments = self.phones = 0
        """Of all streams that are closed, and how many phones there were."""
        self._browser = browser
        self._boards = [browser().stream("/board/live") for _ in range(boards)]
        self._places = phones
        self._phones: dict[str, Stream] = {}

    @property
    def streams(self) -> list[Stream]:
        return [*self._boards, *self._phones.values()]

    def has_number(self, store: Store, ticket: str) -> None:
        """A visitor opens the slip's page, if a phone is free; who was served or went home has closed it by now."""
        for served in [one for one in self._phones if not _is_open(store, one)]:
            self._close(self._phones.pop(served))
        row = store.database.row("SELECT token FROM tickets WHERE id = ?", ticket)
        if row is not None and len(self._phones) < self._places:
            self._phones[ticket] = self._browser().stream(f"/T/{row['token']}/LIVE")
            self.phones += 1

    def close(self) -> None:
        for stream in self.streams:
            self._close(stream)
        self._boards, self._phones = [], {}

    def _close(self, stream: Stream) -> None:
        stream.close()
        self.connections += stream.connections
        self.fragments += stream.fragments


def _is_open(store: Store, ticket: str) -> bool:
    row = store.database.row("SELECT state FROM tickets WHERE id = ?", ticket)
    return row is not None and row["state"] in OPEN
