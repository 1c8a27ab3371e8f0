"""From a press to the committed number and to the slip's last byte, beside the same rows by sqlite3 alone."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from PIL import Image

from kiosk import parts
from kiosk.parts import printer_profile
from kiosk.present.slips import slip_content
from kiosk.raster import encode
from kiosk.slip import SlipContent, render
from kiosk.store import Issued, Store
from kiosk.store.spool import SlipFacts
from tests.bench.appliance import Appliance
from tests.bench.children import Child
from tests.bench.database import Floor, filled
from tests.bench.figures import Figure, Goal
from tests.bench.measure import cpu_ms, median, profiled, spread, wall_ms
from tests.bench.plan import Plan
from tests.office import moment, open_store

REST_S = 0.02
"""Nothing happens before a press: each of those that are compared begins from the same rest."""
WARM_UP = 12


@dataclass
class Presses:
    """Milliseconds, one of each per press. `begun`: press → the slip begins to be drawn; `drawing`: until it is."""

    floor: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)
    committed: list[float] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    drawing: list[float] = field(default_factory=list)
    first_byte: list[float] = field(default_factory=list)
    last_byte: list[float] = field(default_factory=list)
    slip_cpu: list[float] = field(default_factory=list)

    def warm(self) -> None:
        """Forget the first ones: the first numbers of their services, with nothing cached."""
        for values in vars(self).values():
            del values[:WARM_UP]


def press(plan: Plan) -> list[Figure]:
    """A key of the whole kiosk, the store alone, and the floor, in turns."""
    found = _presses(plan)
    floor, committed, last = median(found.floor), median(found.committed), median(found.last_byte)
    slip = median(found.slip_cpu)
    stages = {"begun_ms": median(found.begun), "drawing_ms": median(found.drawing), "slip_cpu_ms": slip}
    why = profiled(lambda: _presses(plan))
    return [
        Figure("press.floor", "the same rows by sqlite3 alone", floor, "ms", detail=spread(found.floor)),
        Figure("press.store", "the store gives a number", median(found.store), "ms", detail=spread(found.store)),
        Figure("press.committed", "press → committed", committed, "ms", detail=spread(found.committed)),
        Figure("press.ratio", "press → committed ÷ floor", committed / floor, "×", Goal(1.5), profile=why),
        Figure("press.first_byte", "press → first byte at the printer", median(found.first_byte), "ms",
               detail=spread(found.first_byte)),
        Figure("press.last_byte", "press → last byte at the printer; goal: slip's CPU + 3 floors", last, "ms",
               Goal(slip + 3 * floor), spread(found.last_byte) | stages, why),
    ]  # fmt: skip


def _presses(plan: Plan) -> Presses:
    found = Presses()
    folder = plan.place("press")
    with (
        Child(folder, "-m", "tests.bench.paper") as paper,
        Appliance(folder / "kiosk", f"tcp://127.0.0.1:{paper.hear()}") as kiosk,
        closing(open_store(folder / "store")) as store,
        closing(Floor(folder / "floor", kiosk.app.store.database.conn)) as floor,
        _noted_drawing() as drawn,
    ):
        kiosk.until(lambda: kiosk.app.front.printer == "ok")
        for n in range(plan.count(120, 4) + WARM_UP):
            pressed = _one_press(n, found, kiosk, paper)
            found.begun.append((drawn[-1][0] - pressed) * 1000)
            found.drawing.append((drawn[-1][1] - drawn[-1][0]) * 1000)
            issued = _one_floor(n, found, store, floor)
            found.slip_cpu.append(cpu_ms(lambda i=issued: draw_slip(kiosk, i)))  # type: ignore[misc]
    found.warm()
    return found


@contextmanager
def _noted_drawing() -> Iterator[list[tuple[float, float]]]:
    """When the printer thread began and ended to draw each slip."""
    times: list[tuple[float, float]] = []

    def noted(content: SlipContent, width: int) -> Image.Image:
        began = time.monotonic()
        image = render(content, width)
        times.append((began, time.monotonic()))
        return image

    vars(parts)["render"] = noted
    try:
        yield times
    finally:
        vars(parts)["render"] = render


def _one_press(n: int, found: Presses, kiosk: Appliance, paper: Child) -> float:
    """Returns when the finger came."""
    pressed: list[float] = []

    def finger() -> None:
        pressed.append(time.monotonic())
        kiosk.press(kiosk.services[n % len(kiosk.services)])

    threading.Timer(REST_S, finger).start()
    kiosk.until(lambda: len(kiosk.printed) > n)
    arrived = paper.answer()
    found.committed.append((kiosk.taken[-1][1] - pressed[0]) * 1000)
    found.first_byte.append((arrived["first"] - pressed[0]) * 1000)
    found.last_byte.append((arrived["last"] - pressed[0]) * 1000)
    kiosk.until(kiosk.app.inbox.empty)
    return pressed[0]


def _one_floor(n: int, found: Presses, store: Store, floor: Floor) -> Issued:
    made: list[Issued] = []
    rows = floor.rows()
    time.sleep(REST_S)
    found.floor.append(wall_ms(lambda: floor.write(rows)))
    time.sleep(REST_S)
    found.store.append(wall_ms(lambda: made.append(store.issuing.issue(moment(n), "ho-tich"))))
    return made[0]


def draw_slip(kiosk: Appliance, issued: Issued, width: int = 576) -> list[bytes]:
    """All the work on the slip of a number: words, picture, bytes for the printer."""
    facts = SlipFacts(issued.ticket, issued.ahead, issued.wait, copy=False)
    profile = printer_profile(kiosk.config)
    return encode(render(slip_content(kiosk.app.words, facts), width), profile.fragment_rows)


def cpu(plan: Plan) -> list[Figure]:
    """What a number costs the processor, all of it but the slip: key, commit, message drawn, message gone."""
    spent = _spent(plan)
    committed, message, light, gone = (median(values) for values in spent)
    whole = [sum(parts) for parts in zip(*spent, strict=True)]
    detail = spread(whole) | {"of_that_light_ms": round(light, 3)}
    return [
        Figure("cpu.committed", "CPU of a number, press → committed", committed, "ms", detail=spread(spent[0])),
        Figure("cpu.message", "CPU of its message at 1920×1080", message, "ms", detail=spread(spent[1])),
        Figure("cpu.gone", "CPU when the message goes", gone, "ms", detail=spread(spent[3])),
        Figure("cpu.ticket", "CPU of a number, all of these together", median(whole), "ms", Goal(4), detail,
               profiled(lambda: _spent(plan))),
    ]  # fmt: skip


def _spent(plan: Plan) -> list[list[float]]:
    """CPU in ms until a number is committed, its message is drawn, its light has faded, and it is gone."""
    spent: list[list[float]] = [[], [], [], []]
    with Appliance(plan.place("cpu")) as kiosk:
        kiosk.pretend_paper()
        kiosk.press_on_press()
        for n in range(plan.count(150, 4) + WARM_UP):
            times = [time.process_time()]
            kiosk.press(kiosk.services[n % len(kiosk.services)])
            for item in kiosk.app._drain(0):
                kiosk.app._take_in(item)
            times.append(time.process_time())
            kiosk.app.turn(0)
            times.append(time.process_time())
            kiosk.fade()
            times.append(time.process_time())
            kiosk.app.front.tick(time.monotonic() + 60)
            kiosk.app.turn(0)
            times.append(time.process_time())
            for values, (began, ended) in zip(spent, pairwise(times), strict=True):
                values.append((ended - began) * 1000)
    return [values[WARM_UP:] for values in spent]


SIZES = {"1k": 1_000, "20k": 20_000, "100k": 100_000, "400k": 400_000}


FIRST = slice(2, 38)
SETTLED = slice(45, None)
"""Rounds of `size`: while fewer numbers came from keys than the cap a minute counts (40), and after."""


def size(plan: Plan) -> list[Figure]:
    """Whether a number costs more when years of numbers lie in the database: given in turns in four of them."""
    folder = plan.place("size")
    stores = {name: filled(folder / name, count // plan.count(1, 100)) for name, count in SIZES.items()}
    wall: dict[str, list[float]] = {name: [] for name in SIZES}
    rounds = plan.count(250, 50)
    for n in range(rounds):
        for name, store in stores.items():
            wall[name].append(wall_ms(lambda store=store, n=n: store.issuing.issue(moment(n), "ho-tich")))  # type: ignore[misc]
    for store in stores.values():
        store.close()

    def again() -> None:
        with closing(open_store(folder / "400k")) as store:
            for n in range(rounds):
                store.issuing.issue(moment(rounds + n), "ho-tich")

    figures = [
        Figure(f"size.{name}", f"a number with {name} in the database", median(values[SETTLED]), "ms",
               detail=spread(values[SETTLED]))
        for name, values in wall.items()
    ]  # fmt: skip
    ratio = median(wall["400k"][SETTLED]) / median(wall["1k"][SETTLED])
    first = median(wall["400k"][FIRST]) / median(wall["1k"][FIRST])
    why = profiled(again)
    return [
        *figures,
        Figure("size.ratio", "400k ÷ 1k", ratio, "×", Goal(1.2), profile=why),
        Figure("size.staff", "400k ÷ 1k, first presses after years of numbers given by staff", first, "×", Goal(1.2),
               {"ms": round(median(wall["400k"][FIRST]), 3)}, lambda: _plans(folder / "400k")),
    ]  # fmt: skip


def _plans(folder: Path) -> list[str]:
    """How SQLite looks for what a press asks: a SCAN of tickets grows with the years."""
    with closing(open_store(folder)) as store:
        conn = store.database.conn
        asked: list[str] = []
        conn.set_trace_callback(asked.append)
        store.issuing.issue(moment(9000), "ho-tich", by="staff")
        store.issuing.issue(moment(9000), "ho-tich")
        conn.set_trace_callback(None)
        selects = dict.fromkeys(sql for sql in asked if sql.startswith("SELECT"))
        return [f"{conn.execute(f'EXPLAIN QUERY PLAN {sql}').fetchone()['detail']}: {sql[:120]}" for sql in selects]


def crowd(plan: Plan) -> list[Figure]:
    """Eight processes give numbers at once, as fast as they can."""
    folder = plan.place("crowd")
    open_store(folder / "data").close()
    count = plan.count(100, 5)
    issuers = [Child(folder, "-m", "tests.bench.issuer", folder / "data", count) for _ in range(8)]
    try:
        for issuer in issuers:
            issuer.hear()
        for issuer in issuers:
            issuer.tell()
        told = [issuer.answer() for issuer in issuers]
    finally:
        for issuer in issuers:
            issuer.__exit__(None, None, None)
    numbers = [tuple(number) for one in told for number in one["numbers"]]
    errors = [error for one in told for error in one["errors"]]
    seconds = max(one["ended"] for one in told) - min(one["began"] for one in told)
    waits = [wait for one in told for wait in one["ms"]]

    def again() -> None:
        with closing(open_store(plan.place("crowd-profile"))) as store:
            for n in range(count):
                store.issuing.issue(moment(n), "ho-tich")

    return [
        Figure("crowd.duplicates", "numbers given twice by 8 processes", len(numbers) - len(set(numbers)), "", Goal(0)),
        Figure("crowd.errors", "errors of 8 processes", len(errors), "", Goal(0), {"errors": errors[:5]}),
        Figure("crowd.rate", "numbers of 8 processes at once", len(numbers) / seconds, "/s", Goal(150, False),
               {"n": len(numbers), "wait_ms": spread(waits)}, profiled(again)),
    ]  # fmt: skip
