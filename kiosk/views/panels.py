"""The board's side: called and missed numbers, dossiers settled, satisfaction. Knows no figure's meaning."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pygame

from kiosk.views import icons, shapes
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.figures import face_colours
from kiosk.views.icons import Pen
from kiosk.views.model import BoardView, Called, ProgressPanel, ProgressRow, SatisfactionCount, SatisfactionPanel
from kiosk.views.parts import card
from kiosk.views.shapes import Plate
from kiosk.views.theme import Rgb, Theme, mix

CALLED = 226
FOOT = 300
RING = 136
OPEN = 72
NARROW = 600
"""In a panel below this width, and in one with the ring below `RINGED`, lines of text take two rows."""
RINGED = 440


def side_regions(view: BoardView, side: pygame.Rect, base: int) -> list[Region]:
    """Stack the panels; the list of called numbers takes what the others leave, and always has room for two rows."""
    found: list[Region] = []
    bottom = side.bottom
    wanted = _progress_height(view.progress, side.w, base), _satisfaction_height(view.satisfaction, side.w, base)
    if view.satisfaction and side.h - sum(wanted) >= px(base, CALLED):
        bottom -= wanted[1]
        found.append(_satisfaction_region(view.satisfaction, pygame.Rect(side.x, bottom, side.w, wanted[1])))
    if view.progress:
        bottom -= wanted[0]
        found.append(_progress_region(view.progress, pygame.Rect(side.x, bottom, side.w, wanted[0])))
    box = pygame.Rect(side.x, side.y, side.w, bottom - side.y)
    key = (view.called_title, view.called, view.missed_title, view.missed)
    found.append(Region("called", box, key, lambda c, r: _called(c, r, view)))
    return found


def foot_height(view: BoardView, width: int, base: int) -> int:
    """How high the panels are below the counters of an upright screen, in a room of this width."""
    figures = _progress_height(view.progress, width // 2, base) + _satisfaction_height(
        view.satisfaction, width // 2, base
    )
    return max(figures, px(base, FOOT))


def foot_regions(view: BoardView, foot: pygame.Rect, base: int) -> list[Region]:
    """The panels below the counters: called numbers left, figures right; without figures the list has all."""
    if not (view.progress or view.satisfaction):
        return side_regions(view, foot, base)
    half = foot.w // 2
    called = replace(view, progress=None, satisfaction=None)
    found = side_regions(called, pygame.Rect(foot.x, foot.y, half, foot.h), base)
    right = pygame.Rect(foot.x + half, foot.y, foot.w - half, foot.h)
    low = _satisfaction_height(view.satisfaction, right.w, base) if view.progress else right.h
    if view.satisfaction:
        found.append(_satisfaction_region(view.satisfaction, pygame.Rect(right.x, right.bottom - low, right.w, low)))
        right.h -= low
    if view.progress:
        found.append(_progress_region(view.progress, right))
    return found


def _satisfaction_region(panel: SatisfactionPanel, box: pygame.Rect) -> Region:
    return Region("satisfaction", box, panel, lambda c, r: _satisfaction(c, r, panel))


def _progress_region(panel: ProgressPanel, box: pygame.Rect) -> Region:
    return Region("progress", box, panel, lambda c, r: _progress(c, r, panel))


def _progress_height(panel: ProgressPanel | None, width: int, base: int) -> int:
    if panel is None:
        return 0
    title = 44 if width >= px(base, RINGED + 60) else 64
    asof = 40 if width >= px(base, NARROW) else 78
    return px(base, 26 + 28 + title + RING + (OPEN if panel.open_line else 0) + asof + 4)


def _satisfaction_height(panel: SatisfactionPanel | None, width: int, base: int) -> int:
    """In a narrow side the line below the bar takes two rows, and the title too."""
    if panel is None:
        return 0
    return px(base, 212 if width >= px(base, 900) else 244 if width >= px(base, RINGED + 60) else 262)


def _pad(canvas: Canvas, box: pygame.Rect) -> int:
    return canvas.px(28 if box.w > canvas.px(520) else 18)


def _title(canvas: Canvas, inner: pygame.Rect, text: str, tall: int, width: int | None = None) -> pygame.Rect:
    row = pygame.Rect(inner.x, inner.y, width or inner.w, tall)
    ink = canvas.ink(canvas.theme.blue)
    canvas.text(row, text, Style(canvas.px(32), "Bold", ink, lines=2, keep=0.84, least=canvas.smallest))
    return row


def _headline(canvas: Canvas, inner: pygame.Rect, text: str, figure: str, ink: Rgb) -> pygame.Rect:
    """A title with its figure at the right end."""
    row = pygame.Rect(inner.x, inner.y, inner.w, canvas.px(44 if inner.w >= canvas.px(RINGED) else 64))
    left = row.right
    if figure:
        style = Style(canvas.px(38), "Bold", ink, "right", keep=0.5)
        left = canvas.text(pygame.Rect(row.centerx, row.y, row.right - row.centerx, row.h), figure, style).x
    room = pygame.Rect(row.x, row.y, left - canvas.px(12) - row.x, row.h)
    canvas.text(room, text, Style(canvas.px(32), "Bold", ink, lines=2, keep=0.8, least=canvas.smallest))
    return row


# --- called and missed ---


def _called(canvas: Canvas, rect: pygame.Rect, view: BoardView) -> None:
    box = card(canvas, rect)
    inner = box.inflate(-2 * _pad(canvas, box), -2 * canvas.px(16))
    bottom = _missed(canvas, inner, view) if view.missed else inner.bottom
    top = _title(canvas, inner, view.called_title, canvas.px(44)).bottom if view.called_title else inner.y
    rows = max(0, (bottom - top) // canvas.px(47))
    shown = view.called[:rows]
    # A list that has the side to itself stands in larger letters.
    scale = 1.35 if rows > 8 and inner.w > canvas.px(540) else 1.0
    tall = min(canvas.px(68 * scale), (bottom - top) // max(1, min(rows, max(len(shown), 3))))
    looks = _called_looks(canvas, scale)
    number = _widest(canvas, [line.number for line in shown], looks[0])
    clock = _widest(canvas, [line.clock for line in shown], looks[2])
    for i, line in enumerate(shown):
        row = pygame.Rect(inner.x, top + i * tall, inner.w, tall)
        _called_row(canvas, row, line, (number, clock), looks)


def _called_looks(canvas: Canvas, scale: float) -> tuple[Style, Style, Style]:
    """Number, counter and time of a called ticket."""
    theme = canvas.theme
    number = Style(canvas.px(40 * scale), "Bold", theme.ink, keep=0.6)
    counter = Style(canvas.px(34 * scale), "Medium", theme.ink, keep=0.5)
    return number, counter, Style(canvas.px(30 * scale), "Medium", theme.muted, "right", keep=0.6)


def _widest(canvas: Canvas, texts: Sequence[str], style: Style) -> int:
    blocks = [canvas.block(text, (canvas.px(300), canvas.px(90)), style) for text in texts]
    return round(max((b.width for b in blocks if b), default=0)) + 3


def _called_row(
    canvas: Canvas, row: pygame.Rect, line: Called, widths: tuple[int, int], looks: tuple[Style, Style, Style]
) -> None:
    theme = canvas.theme
    ground = theme.card
    number, counter, time = looks
    if line.highlighted:
        ground = theme.called_plate
        band = row.inflate(2 * canvas.px(14), -canvas.px(4))
        canvas.plate(band, Plate(canvas.px(16), ground, theme.card))
        number = replace(number, colour=canvas.ink(theme.called, ground))
        counter = replace(counter, colour=canvas.ink(theme.ink, ground))
    canvas.text(pygame.Rect(row.x, row.y, widths[0], row.h), line.number, number)
    right = pygame.Rect(row.right - widths[1], row.y, widths[1], row.h)
    canvas.text(right, line.clock, replace(time, colour=canvas.ink(theme.muted, ground)))
    left = row.x + max(widths[0] + canvas.px(16), row.w * 42 // 100 if row.w > canvas.px(480) else 0)
    canvas.text(pygame.Rect(left, row.y, right.x - canvas.px(14) - left, row.h), line.counter, counter)


def _missed(canvas: Canvas, inner: pygame.Rect, view: BoardView) -> int:
    """The numbers that did not come, in one row at the panel's foot, as many as fit; returns where it begins."""
    theme = canvas.theme
    row = pygame.Rect(inner.x, inner.bottom - canvas.px(40), inner.w, canvas.px(48))
    canvas.fill(pygame.Rect(inner.x, row.top - canvas.px(4), inner.w, canvas.px(2)), theme.line)
    title = Style(canvas.px(28), "Bold", canvas.ink(theme.blue), keep=0.6, least=canvas.smallest)
    left = canvas.text(pygame.Rect(row.x, row.y, row.w * 7 // 10, row.h), view.missed_title, title).right + canvas.px(
        22
    )
    style = Style(canvas.px(34), "Bold", theme.muted)
    for number in view.missed:
        block = canvas.block(number, row.size, style)
        if block is None or left + block.width > row.right:
            break
        left = canvas.text(pygame.Rect(left, row.y, row.right - left, row.h), number, style).right + canvas.px(22)
    return row.top - canvas.px(8)


# --- dossiers ---


def _row_colour(tone: str, theme: Theme) -> Rgb:
    colours: dict[str, Rgb] = {
        "early": theme.bright,
        "on_time": theme.on_time,
        "late": theme.unhappy,
    }
    return colours.get(tone, theme.grey)


def _progress(canvas: Canvas, rect: pygame.Rect, panel: ProgressPanel) -> None:
    theme = canvas.theme
    ground = theme.tint_grey if panel.stale else theme.card
    box = card(canvas, rect, ground)
    inner = box.inflate(-2 * _pad(canvas, box), -2 * canvas.px(14))
    ink = canvas.ink(theme.muted if panel.stale else theme.blue, ground)
    title = _headline(canvas, inner, panel.title, panel.total, ink)
    style = Style(canvas.px(28), "Medium", canvas.ink(theme.muted, ground), "right", lines=2, keep=0.9)
    asof = canvas.block(panel.asof, (inner.w, canvas.px(84)), style)
    foot = round(asof.drops[-1] + 1.34 * asof.size) if asof else 0
    canvas.text(pygame.Rect(inner.x, inner.bottom - foot, inner.w, foot), panel.asof, style)
    middle = pygame.Rect(inner.x, title.bottom, inner.w, inner.bottom - foot - title.bottom)
    if panel.open_line:
        middle.h -= canvas.px(OPEN)
        below = pygame.Rect(middle.x, middle.bottom, middle.w, canvas.px(OPEN))
        canvas.text(below, panel.open_line, Style(canvas.px(29), "Medium", canvas.ink(theme.ink, ground), lines=2))
    side = min(middle.h, canvas.px(RING), inner.w * (38 if inner.w > canvas.px(460) else 35) // 100)
    if inner.w >= canvas.px(RINGED) and (panel.percent or any(row.share for row in panel.rows)):
        ring = pygame.Rect(inner.x, middle.y + (middle.h - side) // 2, side, side)
        _ring(canvas, ring, panel, ground)
        middle = pygame.Rect(ring.right + canvas.px(16), middle.y, inner.right - ring.right - canvas.px(16), middle.h)
    tall = middle.h // max(1, len(panel.rows))
    for i, row in enumerate(panel.rows):
        _figure(canvas, pygame.Rect(middle.x, middle.y + i * tall, middle.w, tall), row, panel.stale, ground)


def _ring(canvas: Canvas, box: pygame.Rect, panel: ProgressPanel, ground: Rgb) -> None:
    theme = canvas.theme
    parts = tuple(
        (_faded(_row_colour(row.tone, theme), panel.stale, theme), row.share) for row in panel.rows if row.share > 0
    )

    def paint(big: pygame.Surface) -> None:
        side = big.get_width()
        middle = (side / 2, side / 2)
        pygame.draw.circle(big, theme.line, middle, side / 2)
        start = 0.0
        for colour, share in parts:
            pygame.draw.polygon(big, colour, shapes.ring_points(middle, side / 2, side * 0.2, start, min(share, 1.0)))
            start += share
        pygame.draw.circle(big, ground, middle, side * 0.395)

    canvas.picture(box, ("ring", parts), ground, paint)
    room = box.inflate(-box.w * 25 // 100, -box.h // 2)
    ink = canvas.ink(theme.muted if panel.stale else theme.ink, ground)
    canvas.text(room, panel.percent, Style(canvas.px(34), "Bold", ink, "centre", keep=0.5, least=canvas.smallest))


def _faded(colour: Rgb, stale: bool, theme: Theme) -> Rgb:
    grey = round(0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2])
    return mix(mix(colour, (grey, grey, grey), 0.9), theme.card, 0.35) if stale else colour


def _figure(canvas: Canvas, room: pygame.Rect, row: ProgressRow, stale: bool, ground: Rgb) -> None:
    theme = canvas.theme
    dot = canvas.px(16)
    colour = _row_colour(row.tone, theme)
    disc = pygame.Rect(room.x, room.centery - dot // 2, dot, dot)
    canvas.dot(disc, _faded(colour, stale, theme), ground)
    ink = theme.muted if stale else colour if row.tone == "late" else theme.ink
    size = canvas.px(38 if room.w > canvas.px(310) else 32)
    style = Style(size, "Bold", canvas.ink(ink, ground), "right", keep=0.5)
    left = disc.right + canvas.px(12)
    block = canvas.block(row.text, (room.w * 2 // 3, room.h), style)
    wide = round(block.width) + 3 if block else 0
    canvas.text(pygame.Rect(room.right - wide, room.y, wide, room.h), row.text, style)
    words = pygame.Rect(left, room.y, room.right - wide - canvas.px(10) - left, room.h)
    ink = canvas.ink(theme.muted if stale else theme.ink, ground)
    canvas.text(words, row.label, Style(canvas.px(32), "Medium", ink, keep=0.5, least=canvas.smallest))


# --- satisfaction ---


def _satisfaction(canvas: Canvas, rect: pygame.Rect, panel: SatisfactionPanel) -> None:
    theme = canvas.theme
    box = card(canvas, rect)
    inner = box.inflate(-2 * _pad(canvas, box), -2 * canvas.px(12))
    figure = Style(canvas.px(46), "Bold", canvas.ink(theme.bright), "right", keep=0.5)
    tall = canvas.px(50 if inner.w >= canvas.px(RINGED) else 64)
    percent = canvas.text(
        pygame.Rect(inner.centerx, inner.y, inner.right - inner.centerx, tall), panel.percent_text, figure
    )
    _title(canvas, inner, panel.title, tall, (percent.x if percent.w else inner.right) - canvas.px(12) - inner.x)
    style = Style(canvas.px(28), "Medium", theme.muted, lines=2, keep=0.95, least=canvas.smallest)
    block = canvas.block(panel.line, (inner.w, canvas.px(90)), style)
    foot = round(block.drops[-1] + 1.34 * block.size) if block else 0
    canvas.text(pygame.Rect(inner.x, inner.bottom - foot, inner.w, foot), panel.line, style)
    bar = canvas.px(18)
    middle = pygame.Rect(inner.x, inner.y + tall, inner.w, inner.bottom - foot - inner.y - tall - bar - canvas.px(10))
    _bar(canvas, pygame.Rect(inner.x, middle.bottom + canvas.px(2), inner.w, bar), panel.counts)
    _counts(canvas, middle, panel.counts)


def _counts(canvas: Canvas, room: pygame.Rect, counts: Sequence[SatisfactionCount]) -> None:
    theme = canvas.theme
    if not counts:
        return
    wide = room.w // len(counts)
    side = min(room.h - canvas.px(6), canvas.px(56), wide // 3)
    for i, count in enumerate(counts):
        face = pygame.Rect(room.x + i * wide, room.centery - side // 2, side, side)
        kind = count.kind
        canvas.picture(face, kind, theme.card, partial(icons.draw_face, kind=kind, theme=theme))
        words = pygame.Rect(face.right + canvas.px(10), room.y, wide - side - canvas.px(16), room.h)
        canvas.text(words, count.text, Style(canvas.px(38), "Bold", theme.ink, keep=0.5))


def _bar(canvas: Canvas, rect: pygame.Rect, counts: Sequence[SatisfactionCount]) -> None:
    """The shares side by side, with round ends."""
    theme = canvas.theme
    parts = tuple((face_colours(count.kind, theme)[0], max(0.0, count.share)) for count in counts)

    def paint(big: pygame.Surface) -> None:
        wide, tall = big.get_size()
        pen = Pen(big)
        pen.box(theme.line, 0, 0, 100, 100 * tall / wide)
        x = 0.0
        for colour, share in parts:
            big.fill(colour, pygame.Rect(round(x), 0, round(share * wide + 1), tall))
            x += share * wide
        mask = pygame.Surface(big.get_size(), 0, 32)
        mask.fill(theme.card)
        pygame.draw.rect(mask, (1, 2, 3), mask.get_rect(), border_radius=tall // 2)
        mask.set_colorkey((1, 2, 3))
        big.blit(mask, (0, 0))

    canvas.picture(rect, ("bar", parts), theme.card, paint)
