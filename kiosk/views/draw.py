"""Which drawing belongs to which view."""

from dataclasses import replace

from kiosk.views import board, idle, rate, start, take
from kiosk.views.canvas import Region, base_of
from kiosk.views.model import BoardView, IdleView, RateView, TakeView, View


def regions(view: View, size: tuple[int, int], zoom: float = 1.0) -> list[Region]:
    """The parts of a view, each to be drawn when its key changes, for a screen of this size in pixels."""
    base = base_of(size, zoom)
    return [replace(region, base=base) for region in _regions(view, size, base)]


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
