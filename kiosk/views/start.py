"""The technician's start screen: what was checked, what was found, what to do."""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate, pairwise

import pygame

from kiosk.views import icons
from kiosk.views.canvas import Canvas, Region, Style, px
from kiosk.views.model import StartCheck, StartView
from kiosk.views.parts import GAP, MARGIN, card, page, upright
from kiosk.views.theme import Rgb, Theme

FOOT = 84
ROW = 190


def regions(view: StartView, size: tuple[int, int], base: int) -> list[Region]:
    """Cut the view into regions: one row a check, in two columns when there are more than eight."""
    around = page(size, base, view.header)
    side = px(base, MARGIN) - px(base, GAP / 2)
    room = around.room.inflate(-2 * side, 0)
    foot = pygame.Rect(room.x, room.bottom - px(base, FOOT), room.w, px(base, FOOT))
    found = [*around.regions, Region("footer", foot, view.footer, lambda c, r: _footer(c, r, view.footer))]
    columns = 1 if len(view.checks) <= 6 or upright(room) else 2
    rows = max(4, -(-len(view.checks) // columns))
    high = min(foot.y - room.y - px(base, 10), rows * px(base, ROW))
    area = pygame.Rect(room.x, room.y + px(base, 10), room.w, high)
    for column in range(columns):
        checks = view.checks[column * rows : (column + 1) * rows]
        strip = pygame.Rect(area.x + area.w * column // columns, area.y, area.w // columns, area.h)
        for i, (check, box) in enumerate(zip(checks, _boxes(strip, checks, rows), strict=True), column * rows):
            found.append(Region(f"check {i}", box, check, partial(_check, check=check)))
    return found


def _boxes(strip: pygame.Rect, checks: Sequence[StartCheck], rows: int) -> list[pygame.Rect]:
    """Boxes below one another; where something is to be done, a row is twice as high as where all is well."""
    shares = [2 if check.advice else 1 for check in checks]
    whole = max(sum(shares), rows)
    ends = [strip.h * end // whole for end in accumulate(shares, initial=0)]
    return [pygame.Rect(strip.x, strip.y + top, strip.w, bottom - top) for top, bottom in pairwise(ends)]


def _footer(canvas: Canvas, rect: pygame.Rect, text: str) -> None:
    canvas.fill(rect, canvas.theme.page)
    room = rect.inflate(-2 * canvas.px(GAP), 0)
    canvas.text(room, text, Style(canvas.px(30), "Medium", canvas.theme.muted, lines=2, keep=0.9))


def _ink(check: StartCheck, theme: Theme) -> Rgb:
    return {"error": theme.red_ink, "warn": theme.amber_ink}.get(check.state, theme.muted)


def _check(canvas: Canvas, rect: pygame.Rect, check: StartCheck) -> None:
    theme = canvas.theme
    box = card(canvas, rect, border={"error": theme.red, "warn": theme.gold}.get(check.state))
    inner = box.inflate(-2 * canvas.px(26), -2 * canvas.px(10))
    side = min(canvas.px(72), inner.h)
    sign = pygame.Rect(inner.x, inner.centery - side // 2, side, side)
    canvas.picture(sign, check.state, theme.card, lambda big: icons.draw_check(big, check.state, theme))
    left = sign.right + canvas.px(26)
    words = pygame.Rect(left, inner.y, inner.right - left, inner.h)
    least = canvas.smallest
    head = pygame.Rect(words.x, words.y, words.w, words.h * 46 // 100 if check.advice else words.h)
    name = pygame.Rect(head.x, head.y, head.w * 2 // 5, head.h)
    canvas.text(name, check.name, Style(canvas.px(38), "Bold", theme.ink, lines=2, keep=0.75, least=least))
    found = pygame.Rect(name.right + canvas.px(16), head.y, head.right - name.right - canvas.px(16), head.h)
    says = Style(canvas.px(32), "Medium", _ink(check, theme), "right", lines=2, keep=0.86, least=least)
    canvas.text(found, check.text, says)
    if check.advice:
        below = pygame.Rect(words.x, head.bottom, words.w, words.bottom - head.bottom)
        canvas.text(below, check.advice, Style(canvas.px(30), "Medium", theme.ink, lines=3, keep=0.9, least=least))
