"""Measures a drawn view: what of its text is cut, lies over another, is too small or cannot be read on its ground."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import pygame
from PIL import Image

from kiosk.views.canvas import Frame, Kit, TextBox, base_of, body_least, number_least
from kiosk.views.draw import regions
from kiosk.views.model import BoardView, IdleView, RateView, TakeView, View
from kiosk.views.theme import THEMES, Rgb, contrast

EDGE = 4
"""Smooth edges reach up to two pixels beyond what was measured, on each side."""


@contextmanager
def every_kit() -> Iterator[dict[str, Kit]]:
    """Fonts and shapes of each theme, without any display."""
    pygame.font.init()
    made = {name: Kit(theme) for name, theme in THEMES.items()}
    yield made
    for kit in made.values():
        kit.type.close()
    pygame.font.quit()


def drawn(kit: Kit, view: View, size: tuple[int, int]) -> Frame:
    """A frame of this size with the view on it, in the kit's theme."""
    frame = Frame(kit, size)
    frame.show(regions(view, size, kit.theme))
    return frame


def problems(kit: Kit, view: View, size: tuple[int, int]) -> list[str]:
    """Everything that is wrong with the picture of a view, in words; nothing where all is well."""
    frame = drawn(kit, view, size)
    texts = list(frame.texts())
    return [
        *_layout_problems(view, size, kit),
        *_text_problems(texts, size),
        *_left_out(view, texts, size),
        *(f"contrast {box}" for box in texts if seen_contrast(frame.surface, box) < kit.theme.contrast - 0.05),
    ]


def _layout_problems(view: View, size: tuple[int, int], kit: Kit) -> Iterator[str]:
    found = regions(view, size, kit.theme)
    yield from (f"off the screen: {r.name}" for r in found if not pygame.Rect((0, 0), size).contains(r.rect))
    for one, other in combinations(found, 2):
        if one.rect.colliderect(other.rect):
            yield f"regions overlap: {one.name}, {other.name}"


def _text_problems(texts: list[TextBox], size: tuple[int, int]) -> Iterator[str]:
    least = body_least(base_of(size))
    for box in texts:
        if box.cut:
            yield f"cut: {box}"
        if not box.room.inflate(EDGE, EDGE).contains(box.rect):
            yield f"outside its room: {box}"
        if box.size < least:
            yield f"too small: {box}"
        if not pygame.Rect((0, 0), size).contains(box.rect):
            yield f"off the screen: {box}"
    for one, other in combinations(texts, 2):
        if one.rect.colliderect(other.rect):
            yield f"texts overlap: {one}, {other}"


def _left_out(view: View, texts: list[TextBox], size: tuple[int, int]) -> Iterator[str]:
    shown = " ".join(box.text.replace("\u00a0", " ") for box in texts)
    yield from (f"not shown: {needed}" for needed in must_show(view) if needed not in shown)
    large = {box.text for box in texts if box.size >= number_least(base_of(size))}
    yield from (f"number too small: {number}" for number in main_numbers(view) if number not in large)


def main_numbers(view: View) -> list[str]:
    """The numbers of a view that have to be as large as a ticket's number."""
    if isinstance(view, BoardView):
        return [card.number for card in view.cards if card.number]
    if isinstance(view, TakeView):
        return [view.notice.number] if view.notice and view.notice.number else []
    return [view.number] if isinstance(view, RateView) and view.number else []


def must_show(view: View) -> list[str]:
    """What no size and no theme may leave out."""
    if isinstance(view, TakeView):
        if view.notice:
            return [view.notice.title, view.notice.number, view.notice.pill, *view.notice.lines]
        bar = [view.priority.title, view.priority.text] if view.priority else []
        language = [view.language.text] if view.language else []
        tiles = [part for tile in view.tiles for part in (tile.name, tile.digit, tile.note or tile.waiting_text)]
        return [*tiles, *bar, *language, "" if view.tiles else view.message]
    if isinstance(view, BoardView):
        parts = [(card.counter_label, card.service_line, card.number, card.plate) for card in view.cards]
        return [view.header.lost or view.apology, *(part for card in parts for part in card)]
    if isinstance(view, RateView):
        asked = [view.question, *(face.label for face in view.faces)] if view.state == "ask" else [view.message]
        return [view.clerk, view.counter_line, view.number, *asked]
    if isinstance(view, IdleView):
        return [view.header.clock, view.message, *view.lines]
    return [part for check in view.checks for part in (check.name, check.text, check.advice)]


def seen_contrast(surface: pygame.Surface, box: TextBox) -> float:
    """Contrast of the commonest colour around a text against the strongest colour of its letters, from the pixels."""
    around = frame_colour(surface, box.rect)
    letters = _colours(surface, box.rect.clip(surface.get_rect()))
    return max(contrast(colour, around) for colour, count in letters if count > 2)


def frame_colour(surface: pygame.Surface, rect: pygame.Rect) -> Rgb:
    """The commonest colour on the edge just outside a box; the shades of a gradient count as one."""
    edge = rect.inflate(4, 4).clip(surface.get_rect().inflate(-2, -2))
    shades: dict[tuple[int, ...], list[tuple[int, Rgb]]] = {}
    rows = [pygame.Rect(edge.x, y, edge.w, 1) for y in (edge.top, edge.bottom - 1)]
    sides = [pygame.Rect(x, edge.y, 1, edge.h) for x in (edge.left, edge.right - 1)]
    for side in (*rows, *sides):
        for colour, count in _colours(surface, side):
            shades.setdefault(tuple(part // 40 for part in colour), []).append((count, colour))
    return max(max(shades.values(), key=lambda found: sum(count for count, _ in found)))[1]


def _colours(surface: pygame.Surface, rect: pygame.Rect) -> list[tuple[Rgb, int]]:
    """The colours in a box with how often they stand there."""
    part = Image.frombytes("RGB", rect.size, pygame.image.tobytes(surface.subsurface(rect), "RGB"))
    return [(colour, count) for count, colour in part.getcolors(rect.w * rect.h)]  # type: ignore[misc, union-attr]
