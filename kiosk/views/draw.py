"""Which drawing belongs to which view."""

from dataclasses import replace

from kiosk.views import board, idle, rate, start, take
from kiosk.views.canvas import Region, base_of
from kiosk.views.model import BoardView, IdleView, RateView, StartView, TakeView, View
from kiosk.views.theme import DAY, Theme


def regions(view: View, size: tuple[int, int], theme: Theme = DAY) -> list[Region]:
    """The parts of a view, each to be drawn when its key changes, for a screen of this size in pixels."""
    base = base_of(size, 1 + (theme.zoom - 1) * _roomy(view))
    return [replace(region, base=base) for region in _regions(view, size, base)]


def _roomy(view: View) -> float:
    """How much of a theme's larger text a view has room for, 0 to 1: many counters or services leave none."""
    if isinstance(view, BoardView):
        return 1.0 if len(view.cards) <= 4 else 0.4 if len(view.cards) <= 6 else 0.0
    if isinstance(view, TakeView) and view.notice is None:
        return 1.0 if len(view.tiles) <= 6 else 0.0
    if isinstance(view, StartView):
        return 1.0 if len(view.checks) <= 6 else 0.0
    if isinstance(view, RateView) and view.state == "ask":
        return 1.0 if len(view.faces) <= 3 else 0.2
    return 1.0


def _regions(view: View, size: tuple[int, int], base: int) -> list[Region]:
    if isinstance(view, TakeView):
        return take.regions(view, size, base)
    if isinstance(view, BoardView):
        return board.regions(view, size, base)
    if isinstance(view, RateView):
        return rate.regions(view, size, base)
    if isinstance(view, IdleView):
        return idle.regions(view, size, base)
    return start.regions(view, size, base)
