"""What the picture of a slip costs: with nothing cached, with fonts only, and as it is from the second slip on."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from kiosk import column, logo, symbol, typeset
from kiosk import slip as slips
from kiosk.parts import printer_profile
from kiosk.present.slips import slip_content
from kiosk.raster import encode
from kiosk.slip import render
from kiosk.store import Issued
from kiosk.store.spool import SlipFacts
from tests.bench.appliance import Appliance
from tests.bench.figures import Figure, Goal
from tests.bench.measure import cpu_ms, median, profiled, spread
from tests.bench.plan import Plan
from tests.bench.tickets import draw_slip

FONTS = ("font", "_faces", "_advances")


def slip(plan: Plan) -> list[Figure]:
    """CPU of a slip, words to bytes. Every slip has another number and another code; cold, warm and cached in turns."""
    cold: list[float] = []
    warm: list[float] = []
    cached: list[float] = []
    narrow: list[float] = []
    parts: dict[str, list[float]] = {"words": [], "picture": [], "bytes": []}
    with Appliance(plan.place("slip")) as kiosk:
        kiosk.press_on_press()
        for n in range(plan.count(40, 3)):
            _forget(keep=())
            cold.append(_drawn(kiosk, n))
            _forget(keep=FONTS)
            warm.append(_drawn(kiosk, n))
            for m in range(len(kiosk.services)):
                _drawn(kiosk, m)
                _drawn(kiosk, m, 384)
            cached.append(_drawn(kiosk, n))
            narrow.append(_drawn(kiosk, n, 384))
            _in_parts(kiosk, _take(kiosk, n), parts)

    said = {name: round(median(values), 3) for name, values in parts.items()}

    def profile() -> None:
        with Appliance(plan.place("slip-profile")) as kiosk:
            kiosk.press_on_press()
            for n in range(plan.count(60, 6)):
                draw_slip(kiosk, _take(kiosk, n))

    return [
        Figure("slip.cold", "CPU of the first slip", median(cold), "ms", detail=spread(cold)),
        Figure("slip.warm", "CPU of a slip, fonts loaded", median(warm), "ms", detail=spread(warm)),
        Figure(
            "slip.cached", "CPU of a slip with cached strips, 80 mm", median(cached), "ms", Goal(9),
            spread(cached) | {"of_that_ms": said}, profiled(profile),
        ),
        Figure("slip.narrow", "the same, 58 mm", median(narrow), "ms", detail=spread(narrow)),
    ]  # fmt: skip


def _take(kiosk: Appliance, n: int) -> Issued:
    before = len(kiosk.taken)
    kiosk.press(kiosk.services[n % len(kiosk.services)])
    kiosk.until(lambda: len(kiosk.taken) > before, 0)
    return kiosk.taken[-1][0].issued


def _drawn(kiosk: Appliance, n: int, width: int = 576) -> float:
    """CPU in ms of the slip of a new number."""
    issued = _take(kiosk, n)
    return cpu_ms(lambda: draw_slip(kiosk, issued, width))


def _in_parts(kiosk: Appliance, issued: Issued, parts: dict[str, list[float]]) -> None:
    facts = SlipFacts(issued.ticket, issued.ahead, issued.wait, copy=False)
    made: list[Any] = []
    parts["words"].append(cpu_ms(lambda: made.append(slip_content(kiosk.app.words, facts))))
    parts["picture"].append(cpu_ms(lambda: made.append(render(made[0], 576))))
    parts["bytes"].append(cpu_ms(lambda: encode(made[1], printer_profile(kiosk.config).fragment_rows)))


def _forget(keep: Iterable[str]) -> None:
    """Empty what the slip's modules keep."""
    kept = set(keep)
    for module in (slips, column, logo, symbol, typeset):
        for name, function in _caches(module).items():
            if name not in kept:
                function.cache_clear()


def _caches(module: ModuleType) -> dict[str, Any]:
    return {name: thing for name, thing in vars(module).items() if hasattr(thing, "cache_clear")}
