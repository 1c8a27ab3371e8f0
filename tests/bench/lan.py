"""The console with many open pages: its memory, what a call costs it, how soon pages show it, what they weigh."""

import re
import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import kiosk
from kiosk import documents, pins
from kiosk.clock import set_simulated
from kiosk.config import Console as ConsoleConfig
from kiosk.config import shipped
from kiosk.hall import hall
from kiosk.office import Counter, Office, sample
from kiosk.simulator.rehearsal.browser import Browser
from tests.bench.children import Child
from tests.bench.figures import Figure, Goal
from tests.bench.measure import late, mappings, median, spread, usage
from tests.bench.plan import Plan
from tests.office import BOOT, OPENING, moment, open_store
from tests.ready import listening

PIN = "2468"
MB_MOST = 60
READY_S = 30.0
SHOWN_S = 5.0
IDLE_S = 30.0
"""In that time every page is drawn again at least once because of the time alone."""
QUIET_S = 0.4
"""After so long without news all pages have shown a call."""
CALLED, CLICKED = "1", "2"
"""Counters that are called from elsewhere, and by clicks."""
ASSETS = re.compile(r'(?:href|src)="(/[^"]+\.(?:css|js)\b[^"]*)"')
FONT_FILES = Path(kiosk.__file__).parent / "assets" / "fonts"
FONTS = re.compile(r'url\("([^"]+\.ttf)"\)')


@dataclass(frozen=True, slots=True)
class Doors:
    """The ports of the console as it is shipped: staff by HTTPS, boards by plain HTTP."""

    secure: int
    plain: int
    authority: Path

    def browser(self) -> Browser:
        """Of a clerk's computer, on which the authority is installed."""
        return Browser("127.0.0.1", self.secure, trusted=self.trusted())

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


def console(plan: Plan) -> list[Figure]:
    """One console with 16 counters, half of the pages desks (of each counter, in turns) and half boards."""
    folder, counters, count = plan.place("console"), plan.count(16, 4), plan.count(60, 8)
    calls = plan.count(60, 3)
    with _running(folder, hall(sample(), counters), 2 * calls + 20) as (child, doors):
        browsers = [_signed_in(doors.browser(), counter) for counter in _office(folder).counters]
        empty = usage(child.pid)
        with closing(Pages(doors, [browser.cookie for browser in browsers], count)) as pages:
            pages.until_quiet(plan.seconds(2, QUIET_S))
            before, seconds = usage(child.pid), plan.seconds(IDLE_S, 0.6)
            time.sleep(seconds)
            idle = (usage(child.pid).cpu_ms - before.cpu_ms) / seconds / 10
            shown, cpu = _called(folder, child, pages, calls)
            clicks = _clicked(browsers[int(CLICKED) - 1], pages, calls)
            full, memory = usage(child.pid), mappings(child.pid)
        weights = _weights(browsers[0])
    return [
        Figure("console.rss", f"kiosk console: memory with {count} pages open (RSS)", full.rss_mb, "MB", Goal(MB_MOST),
               {"empty_mb": round(empty.rss_mb, 1)}, lambda: memory),
        Figure("console.pss", "kiosk console: memory, shared parts divided (PSS)", full.pss_mb, "MB"),
        Figure("console.idle", "kiosk console, idle with these pages", idle, "% of a core"),
        Figure("console.cpu", "CPU of a call that all pages follow", median(cpu), "ms", detail=spread(cpu)),
        Figure("console.shown", "call committed → a page shows it", median(shown), "ms", detail=spread(shown)),
        Figure("console.shown.late", "the same, 95th percentile", _p95(shown), "ms"),
        Figure("console.click", "a click on next → its answer", median(clicks), "ms", detail=spread(clicks)),
        Figure("console.click.late", "the same, 95th percentile", _p95(clicks), "ms", Goal(100)),
        *weights,
    ]  # fmt: skip


def _p95(values: Sequence[float]) -> float:
    return late(values, 0.95)


# --- the process ---------------------------------------------------------------------------------------------


@contextmanager
def _running(folder: Path, office: Office, numbers: int) -> Iterator[tuple[Child, Doors]]:
    """A console that answers, with so many people waiting; it stops with the block."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        doors = Doors(one.getsockname()[1], other.getsockname()[1], folder / "data" / "tls" / "ca.crt")
    _write(folder, office, doors)
    _fill(folder / "data", office, numbers)
    arguments = ("--config", folder / "kiosk.toml", "--clock", folder / "clock.json")
    with listening() as ready, Child(folder, "-m", "kiosk.simulator.lan", *arguments, **ready.environment) as child:
        ready.wait(READY_S)
        yield child, doors


def _write(folder: Path, office: Office, doors: Doors) -> None:
    (folder / "office.json").write_bytes(office.to_json())
    config = replace(
        shipped(),
        data_dir=str(folder / "data"),
        office=str(folder / "office.json"),
        console=ConsoleConfig(address="127.0.0.1", port=doors.secure, plain_port=doors.plain),
    )
    (folder / "kiosk.toml").write_text(documents.toml(config, lambda dotted: "of this benchmark"))
    set_simulated(folder / "clock.json", OPENING, boot=BOOT, mono=10**11)


def _office(folder: Path) -> Office:
    return Office.from_json((folder / "office.json").read_bytes())


def _fill(folder: Path, office: Office, numbers: int) -> None:
    """People wait for the two counters that are measured, and some for the others; everybody has the PIN."""
    kept = pins.kept(PIN)
    with closing(open_store(folder, office.rulebook())) as store:
        for service in office.services:
            measured = service.id in {*office.counters[0].services, *office.counters[1].services}
            for _ in range(numbers if measured else 10):
                store.issuing.issue(moment(0), service.id, by="staff")
        with store.database.writing(moment(0)) as w:
            w.conn.executemany("INSERT INTO pins VALUES (?, ?)", [(person.id, kept) for person in office.clerks])


def _signed_in(browser: Browser, counter: Counter) -> Browser:
    browser.send("/sign-in", person=counter.clerk, counter=counter.id, pin=PIN)
    browser.get("/desk")
    return browser


# --- its pages -----------------------------------------------------------------------------------------------


@dataclass
class Page:
    """One open stream, and when its latest fragment came (CLOCK_MONOTONIC)."""

    sock: socket.socket
    fragment_at: float = 0.0
    rest: bytes = b""

    def read(self) -> None:
        data = self.sock.recv(1 << 20)
        if not data:
            raise ConnectionError("the console ended a stream")
        if isinstance(self.sock, ssl.SSLSocket):
            data += self.sock.recv(self.sock.pending())  # deciphered already: `select` would not tell of it
        # A mark may be cut in two by the network.
        if b"event: fragment" in self.rest + data:
            self.fragment_at = time.monotonic()
        self.rest = data[-15:]


class Pages:
    """Streams of desks, in turns over the counters, and of boards; one thread reads them all."""

    def __init__(self, doors: Doors, cookies: Sequence[str], count: int) -> None:
        self._selector = selectors.DefaultSelector()
        trusted = doors.trusted()
        with ExitStack() as opened:
            for n in range(count // 2):
                raw = opened.enter_context(socket.create_connection(("127.0.0.1", doors.secure)))
                desk = opened.enter_context(trusted.wrap_socket(raw, server_hostname="127.0.0.1"))
                self._open(desk, "/desk/live", cookies[n % len(cookies)])
            for _ in range(count - count // 2):
                board = opened.enter_context(socket.create_connection(("127.0.0.1", doors.plain)))
                self._open(board, "/board/live", "")
            self._opened = opened.pop_all()

    def _open(self, sock: socket.socket, path: str, cookie: str) -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\n\r\n"
        sock.sendall(request.encode())
        self._selector.register(sock, selectors.EVENT_READ, Page(sock))

    def until_quiet(self, quiet_s: float = QUIET_S) -> list[float]:
        """Read until no page has had a fragment for so long; when each that had one had its first since now."""
        began = time.monotonic()
        first: dict[int, float] = {}
        last = began
        while time.monotonic() - last < quiet_s and time.monotonic() - began < SHOWN_S + quiet_s:
            for key, _ in self._selector.select(0.05):
                page: Page = key.data
                before = page.fragment_at
                page.read()
                if page.fragment_at != before:
                    last = page.fragment_at
                    first.setdefault(id(page), page.fragment_at)
        return list(first.values())

    def close(self) -> None:
        self._opened.close()
        self._selector.close()


def _called(folder: Path, child: Child, pages: Pages, calls: int) -> tuple[list[float], list[float]]:
    """Another process calls: ms until each page that changes shows it, and the console's CPU (ms) for each call."""
    shown: list[float] = []
    cpu: list[float] = []
    with Child(folder, "-m", "tests.bench.caller", folder / "data", folder / "clock.json") as caller:
        caller.hear()
        pages.until_quiet()
        for n in range(calls):
            before = usage(child.pid).cpu_ms
            caller.tell(str(0.02 + 0.1 * (n * 7 % calls) / calls))  # at ever different places of the console's look
            arrived = pages.until_quiet()
            committed = caller.answer()["after"]
            cpu.append(usage(child.pid).cpu_ms - before)
            shown += [(at - committed) * 1000 for at in arrived if at >= committed]
    return shown, cpu


def _clicked(browser: Browser, pages: Pages, calls: int) -> list[float]:
    """A clerk clicks on next, each time with the number that the page shows."""
    found: list[float] = []
    for _ in range(calls):
        page = browser.get("/desk").text
        ticket = re.search(r'name="ticket" value="([^"]*)"', page)
        assert ticket
        began = time.monotonic()
        answer = browser.act("/desk/next", ticket=ticket[1])
        found.append((time.monotonic() - began) * 1000)
        assert answer["ok"], answer
        pages.until_quiet(QUIET_S / 2)
    return found


# --- weights -------------------------------------------------------------------------------------------------

WEIGHED = {
    "signin": ("/sign-in", "the sign-in page"),
    "desk": ("/desk", "the clerk's page"),
    "board": ("/board", "the board"),
}


def _weights(browser: Browser) -> list[Figure]:
    """HTML, style and script of a page as they are sent for the first time, and the letters apart."""
    fonts: dict[str, int] = {}
    figures = []
    for name, (path, says) in WEIGHED.items():
        page = browser.get(path).text
        assets = {address: browser.get(address).text for address in dict.fromkeys(ASSETS.findall(page))}
        for address in (address for text in assets.values() for address in FONTS.findall(text)):
            fonts.setdefault(address, (FONT_FILES / address.rpartition("/")[2]).stat().st_size)
        parts = {"html": len(page.encode()), **{a.split("?")[0]: len(text.encode()) for a, text in assets.items()}}
        figures.append(
            Figure(
                f"console.{name}", f"weight of {says}, without letters", sum(parts.values()) / 1000, "kB", detail=parts
            )
        )
    return [
        *figures,
        Figure(
            "console.fonts", "weight of its letters, asked for once", sum(fonts.values()) / 1000, "kB", detail=fonts
        ),
    ]
