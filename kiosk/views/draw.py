"""Which drawing belongs to which view."""

from kiosk.views import board, rate, start, take
from kiosk.views.canvas import Region
from kiosk.views.model import BoardView, RateView, TakeView, View


def regions(view: View, size: tuple[int, int]) -> list[Region]:
    """The parts of a view, each to be drawn when its key changes, for a screen of this size in pixels."""
    if isinstance(view, TakeView):
        return take.regions(view, size)
    if isinstance(view, BoardView):
        return board.regions(view, size)
    if isinstance(view, RateView):
        return rate.regions(view, size)
    return start.regions(view, size)
