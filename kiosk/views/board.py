"""The hall's board: one card a counter, the called numbers, the panels. Knows no queue and no rule."""

from functools import partial

import pygame

from kiosk.views import panels
from kiosk.views.canvas import Region, number_least, px
from kiosk.views.counter import paint_card
from kiosk.views.model import COUNTERS_UP_TO, PANELS_UP_TO, BoardView, Notice
from kiosk.views.notice import paint_notice
from kiosk.views.parts import GAP, MARGIN, page, upright
from kiosk.views.theme import FLASH

SIDE = 560
WIDE_SIDE = 660
NARROW_SIDE = 440
TIGHT_GAP = 18
DENSE_GAP = 14


def regions(view: BoardView, size: tuple[int, int], base: int) -> list[Region]:
    """Cut the view into regions for a screen of this size; `base` is what lengths are reckoned from."""
    cards = view.cards[:COUNTERS_UP_TO]
    dense = len(cards) > PANELS_UP_TO
    gap = DENSE_GAP if dense else TIGHT_GAP if len(cards) > 6 else GAP
    # Many counters leave no room for more bars: what is lost matters most, then the apology.
    apology = "" if dense and view.header.lost else view.apology
    strips = bool(view.header.lost) + bool(apology)
    ticker = "" if strips > (0 if dense else 1) and len(cards) > 6 else view.ticker
    around = page(size, base, view.header, ticker, view.ticker_label, apology=apology)
    room = _inner(around.room, base, dense)
    found = list(around.regions)
    if not cards and view.message:
        notice = Notice("empty", view.message, tone="warn")
        return [*found, Region("notice", around.room, notice, lambda c, r: paint_notice(c, r, notice))]
    if not dense and _has_side(view):
        if upright(room):
            low = panels.foot_height(view, room.w, base)
            found += panels.foot_regions(view, pygame.Rect(room.x, room.bottom - low, room.w, low), base)
            room = pygame.Rect(room.x, room.y, room.w, room.h - low)
        else:
            wide = _side_width(room, len(cards), base)
            found += panels.side_regions(view, pygame.Rect(room.right - wide, room.y, wide, room.h), base)
            room = pygame.Rect(room.x, room.y, room.w - wide, room.h)
    for i, (box, card) in enumerate(zip(grid(room, len(cards), base), cards, strict=True)):
        # The newest call lights up, each time that it is called; not when only the count of those who wait changes.
        flash = FLASH if card.highlighted else None
        paint = partial(paint_card, view=card, gap=gap)
        found.append(Region(f"counter {i}", box, (card, gap), paint, flash=flash, light=(card.number, card.calls)))
    return found


def _side_width(room: pygame.Rect, count: int, base: int) -> int:
    """Few counters on a long screen leave the panels more room."""
    if count <= 4 and room.w > 1.7 * base:
        return px(base, WIDE_SIDE)
    return min(px(base, SIDE), max(px(base, NARROW_SIDE), room.w * 29 // 100))


def _has_side(view: BoardView) -> bool:
    return bool(view.called_title or view.called or view.missed or view.progress or view.satisfaction)


def _inner(room: pygame.Rect, base: int, dense: bool) -> pygame.Rect:
    """The room less the page's margins; cards bring half a gap of their own."""
    side = px(base, DENSE_GAP / 2 if dense else MARGIN - GAP / 2)
    above = px(base, 2 if dense else GAP * 0.4)
    return pygame.Rect(room.x + side, room.y + above, room.w - 2 * side, room.h - 2 * above)


def grid(room: pygame.Rect, count: int, base: int) -> list[pygame.Rect]:
    """Boxes for so many counters, in as many columns as let the numbers be largest."""
    columns = max(range(1, 5), key=lambda c: _room_for_number(room, count, c, base))
    rows = -(-count // columns) if count else 0
    boxes: list[pygame.Rect] = []
    for i in range(count):
        row, column = divmod(i, columns)
        left, right = room.w * column // columns, room.w * (column + 1) // columns
        top, bottom = room.h * row // rows, room.h * (row + 1) // rows
        boxes.append(pygame.Rect(room.x + left, room.y + top, right - left, bottom - top))
    return boxes


def _room_for_number(room: pygame.Rect, count: int, columns: int, base: int) -> float:
    """How large a number of four digits (2.9 times as wide as its size) can be with so many columns."""
    if columns > count:
        return -1.0
    rows = -(-count // columns)
    wide = (room.w / columns - px(base, GAP + 28)) / 2.9
    # Beside its number a card has at least two lines of text.
    tall = (room.h / rows - px(base, GAP + 24) - number_least(base) * 0.65) / 0.74
    empty = rows * columns - count
    return min(wide, tall) * (1 - 0.06 * empty)
