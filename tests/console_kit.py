"""A console on a real port for tests: its store, browsers without a window (`requests`), and its streams."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from kiosk import pins
from kiosk.clock import Moment, Vouched
from kiosk.config import Console as ConsoleConfig
from kiosk.config import shipped
from kiosk.console.server import Console
from kiosk.office import Office, sample
from kiosk.present.words import Words
from kiosk.store import Store
from kiosk.texts import Texts
from tests.office import moment, open_store

PIN = "2468"
CLERKS = {"1": "nguyen-thi-a", "2": "tran-van-b", "3": "le-thi-c", "4": "pham-van-d"}
HELPER, LEADER, TECHNICIAN = "hoang-thi-e", "vu-van-g", "do-van-h"


def memory_mb() -> float:
    """What this process, in which the console runs, has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


class HandClock:
    """A clock that a test sets: `seconds` after the office opened on a Monday."""

    def __init__(self) -> None:
        self.seconds: float = 60
        self.floor = datetime(2026, 1, 1, tzinfo=UTC)
        self.vouched: Vouched | None = None
        self.trusted = True

    def now(self) -> Moment:
        return moment(self.seconds, trusted=self.trusted)


class Hall:
    """A store, a console that serves it on loopback, and browsers. Every person of the sample office has `PIN`."""

    def __init__(self, folder: Path, office: Office | None = None, **changes: Any) -> None:
        self.folder = folder
        self.office = office or sample()
        self.clock = HandClock()
        self.store: Store = open_store(folder, replace(self.office.rulebook(), policy=self.office.rules.policy()))
        kept = pins.kept(PIN)  # one hash for all: each costs 50 ms
        with self.store.database.writing(self.clock.now()) as w:
            for person in self.office.clerks:
                w.conn.execute("INSERT OR REPLACE INTO pins VALUES (?, ?)", (person.id, kept))
        console = ConsoleConfig(address="127.0.0.1", port=0, plain_port=0, plain=True)
        self.config = replace(shipped(), data_dir=str(folder), console=console, **changes)
        self.words = Words(self.office, Texts("vi", self.office.texts, self.office.rules.address), "", str(folder))
        self._start(0)

    def _start(self, port: int, run: Callable[[], None] | None = None) -> None:
        config = replace(self.config, console=replace(self.config.console, port=port))
        self.console = Console(config, self.words, self.clock)  # type: ignore[arg-type]
        self.port = self.console.ports[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=run or self.console.run, daemon=True)
        self._thread.start()

    def restart(self) -> None:
        """The console ends and comes back on its port."""
        self.close()
        self.start_again()

    def start_again(self, run: Callable[[], None] | None = None) -> None:
        """A closed console comes back on its port; `run` is what its thread does, by default `console.run`."""
        self._start(self.port, run)

    def close(self) -> None:
        self.console.stop()
        self.join()

    def join(self) -> None:
        """Wait for the console's end."""
        self._thread.join(10)
        assert not self._thread.is_alive()

    def now(self) -> Moment:
        return self.clock.now()

    def take(self, service: str = "ho-tich", **how: Any) -> str:
        """Somebody takes a number: the number."""
        return self.store.issuing.issue(self.now(), service, by="staff", **how).ticket.number

    def browser(self, person: str = "", counter: str = "") -> "Browser":
        """A browser, signed in when a person is named."""
        browser = Browser(self.url)
        if person:
            answer = browser.post_page("/sign-in", person=person, counter=counter, pin=PIN)
            assert answer.status_code == 303, answer.text
        return browser

    def clerk(self, counter: str) -> "Browser":
        """The browser of the clerk who sits at a counter."""
        return self.browser(CLERKS[counter], counter)

    def events(self, kind: str = "%") -> list[dict[str, Any]]:
        """Data of the events of this kind (a pattern), oldest first."""
        import json

        rows = self.store.database.rows(
            "SELECT line FROM events WHERE json_extract(line, '$.type') LIKE ? ORDER BY seq", kind
        )
        return [json.loads(row["line"])["data"] for row in rows]


class Browser:
    """Cookies and forms of one browser without a window."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.headers = {"Origin": url, "Accept": "text/html"}

    def get(self, path: str, **how: Any) -> requests.Response:
        return self.session.get(self.url + path, headers=self.headers, allow_redirects=False, timeout=10, **how)

    def post_page(self, path: str, **fields: str) -> requests.Response:
        """Send a form as a browser without our script does."""
        return self.session.post(self.url + path, data=fields, headers=self.headers, allow_redirects=False, timeout=10)

    def post(self, path: str, page: str = "", files: Any = None, **fields: str) -> dict[str, Any]:
        """Send a form as live.js does, with the token of `page`; the answer's `ok`, `say`, `go`."""
        if "csrf" not in fields:
            fields["csrf"] = self.csrf(page or "/desk")
        headers = {**self.headers, "Accept": "application/json"}
        answer = self.session.post(self.url + path, data=fields, files=files, headers=headers, timeout=10)
        result: dict[str, Any] = answer.json()
        return result

    def csrf(self, page: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        assert found, page
        return found[1]

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[tuple[str, str]]]:
        """The events of a stream: name and data."""
        headers = {**self.headers, "Accept": "text/event-stream"}
        with self.session.get(self.url + path, headers=headers, stream=True, timeout=10) as answer:
            yield _events(answer)

    def fragment(self, path: str, name: str, until: str) -> str:
        """Listen to a stream until the fragment of this id contains a text; the fragment."""
        with self.stream(path) as events:
            for kind, data in events:
                id, _, html = data.partition("\n")
                if kind == "fragment" and id == name and until in html:
                    return html
        raise AssertionError(f"the stream ended without {until!r}")


def _lines(answer: requests.Response) -> Iterator[str]:
    """Lines of a stream. (`iter_lines` takes a \\r\\n that two pieces share for two ends of a line.)"""
    rest = b""
    for piece in answer.iter_content(512):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.removesuffix(b"\r").decode() for line in lines)


def _events(answer: requests.Response) -> Iterator[tuple[str, str]]:
    kind, data = "", []
    for line in _lines(answer):
        if line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and kind:
            yield kind, "\n".join(data)
            kind, data = "", []
