"""What drawing costs, how soon another process's call is seen, and whether a hail of presses loses any."""

import threading
import time
from dataclasses import replace

from kiosk.screen import Output, Screen
from kiosk.startup import show_start
from kiosk.views.lights import FADE_S
from kiosk.views.model import BoardView, View
from tests.bench.appliance import Appliance
from tests.bench.children import Child
from tests.bench.figures import Figure, Goal
from tests.bench.measure import cpu_ms, late, median, profiled, spread
from tests.bench.plan import Plan
from tests.views_samples import ALL

SIZE = (1920, 1080)
FULL, CARD = Goal(12), Goal(1.5)
"""CPU of a whole picture and of one counter's card, letters and shapes kept."""
NAMES = {"take": "take a number", "board": "the board", "rate": "the rating page"}
"""The views, and how the table calls them."""


def redraw(plan: Plan) -> list[Figure]:
    """CPU of a picture at 1920×1080: the first one, a whole one with letters cached, and after one small change."""
    with Appliance(plan.place("redraw"), outputs="take board rate:1") as kiosk:
        found = [figure for name, views in _pairs(kiosk).items() for figure in _redrawn(plan, kiosk, name, *views)]
    return [*found, _card(plan, "card", "board"), _card(plan, "card16", "board-16")]


def _card(plan: Plan, name: str, sample: str) -> Figure:
    """A counter calls one number after the other: only its card is drawn, with its light."""
    view = ALL[sample]
    assert isinstance(view, BoardView)
    values = []
    with Screen([Output("board", SIZE)], blind_ok=True) as screen:
        screen.show("board", view)
        for n in range(plan.count(100, 3) + 10):
            cards = (replace(view.cards[0], number=f"{1100 + n}"), *view.cards[1:])
            values.append(cpu_ms(lambda cards=cards: screen.show("board", replace(view, cards=cards))))
    says = f"a new number on one of {len(view.cards)} counters' cards"
    return Figure(f"redraw.board.{name}", says, median(values[10:]), "ms", CARD, spread(values[10:]))


def _redrawn(plan: Plan, kiosk: Appliance, name: str, before: View, after: View) -> list[Figure]:
    screen = kiosk.app.screen
    assert screen
    output = "rate:1" if name == "rate" else name
    screen.look_at(output)
    cold = [_cold(name, before) for _ in range(plan.count(5, 1))]
    full, partial = [], []
    for _ in range(plan.count(30, 3)):
        show_start(screen, kiosk.app.start, kiosk.app.clock.now())
        full.append(cpu_ms(lambda: screen.show(output, before)))
        partial.append(cpu_ms(lambda: screen.show(output, after)))
    kinds = {"cold": ("first picture of", cold), "full": ("whole redraw of", full), "partial": ("change of", partial)}
    return [
        Figure(f"redraw.{name}.{kind}", f"{says} {NAMES[name]}", median(values), "ms",
               FULL if kind == "full" else None, spread(values))
        for kind, (says, values) in kinds.items()
    ]  # fmt: skip


def _pairs(kiosk: Appliance) -> dict[str, tuple[View, View]]:
    """Each view before and after what usually happens to it: a number taken, a call, a rating."""
    app = kiosk.app
    kiosk.pretend_paper()
    for action in kiosk.services:
        kiosk.press(action)
    kiosk.until(lambda: len(kiosk.taken) == len(kiosk.services), 0)
    now = app.clock.now()
    app.showing.read(now)
    taken = app.showing.take(now)
    app.front.tick(time.monotonic() + 60)
    quiet = app.showing.take(now)
    idle = app.showing.board(now)
    app.store.counters.open(now, "1")
    app.store.counters.call_next(now, "1")
    app.showing.read(now)
    called = app.showing.board(now)
    app.store.counters.start(now, "1")
    app.store.counters.finish(now, "1")
    app.showing.read(now)
    armed = app.showing.rate("1", now)
    app.front.rate_answers["1"] = ("thanks", time.monotonic() + 60)
    thanked = app.showing.rate("1", now)
    return {"take": (quiet, taken), "board": (idle, called), "rate": (armed, thanked)}


def _cold(name: str, view: View) -> float:
    """On a screen of its own, which has cached nothing."""
    screen = Screen([Output(name, SIZE)], blind_ok=True)
    return cpu_ms(lambda: screen.show(name, view))


def call(plan: Plan) -> list[Figure]:
    """Another process calls a number; the kiosk's loop sees it and draws the board."""
    count = plan.count(40, 4)
    shown: list[float] = []
    drawn: list[float] = []
    folder = plan.place("call")
    with Appliance(folder, outputs="board take") as kiosk:
        issue, clock = kiosk.app.store.issuing.issue, kiosk.app.clock
        numbers = [issue(clock.now(), "ho-tich", by="staff").ticket.number for _ in range(count)]
        with Child(folder, "-m", "tests.bench.caller", kiosk.folder, kiosk.clock_file) as caller:
            caller.hear()
            for n, number in enumerate(numbers):
                kiosk.app.turn(0)
                _called(kiosk, caller, n, number, shown, drawn)

    why = profiled(lambda: call(plan))
    return [
        Figure("call.committed", "call committed → board drawn", median(shown), "ms", detail=spread(shown)),
        Figure("call.drawn", "call by another process → board drawn", median(drawn), "ms", Goal(150), spread(drawn),
               why),
        Figure("call.late", "the same, 99th percentile", late(drawn), "ms", Goal(150), profile=why),
    ]  # fmt: skip


def _called(kiosk: Appliance, caller: Child, n: int, number: str, shown: list[float], drawn: list[float]) -> None:
    screen = kiosk.app.screen
    assert screen
    # At another place of the loop's wait each time; not while the last call's light fades, when the loop waits shorter.
    caller.tell(str(FADE_S + 0.05 + n * 0.037 % 0.1))
    kiosk.until(lambda: any(box.text == number for box in screen.texts("board")))
    at = time.monotonic()
    told = caller.answer()
    drawn.append((at - told["before"]) * 1000)
    shown.append((at - told["after"]) * 1000)


def burst(plan: Plan) -> list[Figure]:
    """Hails of presses on six keys: each must come to a number or to a counted refusal."""
    span = plan.seconds(10, 0.5)
    limited = _hail(plan, 60, span, limits=True)
    free = _hail(plan, 60, span, limits=False)
    at_once = _hail(plan, plan.count(120, 24), plan.seconds(4, 0.4), limits=False, together=6)

    return [
        Figure("burst.limited", "lost of 60 presses in 10 s, limits on", limited[0], "", Goal(0),
               {"numbers": limited[1], "refused": limited[2]}),
        Figure("burst.free", "lost of 60 presses in 10 s, limits off", free[0] + free[2], "", Goal(0),
               {"numbers": free[1]}),
        Figure("burst.together", "lost of presses on six keys at once", at_once[0] + at_once[2], "", Goal(0),
               {"numbers": at_once[1]}),
    ]  # fmt: skip


def _hail(plan: Plan, presses: int, seconds: float, *, limits: bool, together: int = 1) -> tuple[int, int, int]:
    """Lost, numbers given, and refusals counted."""
    with Appliance(plan.place("burst"), limits=limits) as kiosk:
        hand = threading.Thread(target=_hammer, args=(kiosk, presses, seconds, together))
        hand.start()
        kiosk.until(lambda: not hand.is_alive() and kiosk.app.inbox.empty())
        kiosk.app.turn(0.1)
        database = kiosk.app.store.database
        refused = int(database.rows("SELECT coalesce(sum(n), 0) FROM refusals")[0][0])
        given = int(database.rows("SELECT count(*) FROM tickets")[0][0])
        return presses - given - refused, given, refused


def _hammer(kiosk: Appliance, presses: int, seconds: float, together: int) -> None:
    pause = threading.Event()
    for n in range(presses):
        if n % together == 0:
            pause.wait(seconds * together / presses)
        kiosk.press(kiosk.services[n % len(kiosk.services)])
