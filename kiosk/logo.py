"""The office's mark as dots: whatever file it is, what comes out is small, black on white and sharp, or nothing.

It knows pictures and paper; it refuses to know slips and offices.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from PIL import Image

from kiosk.photos import PhotoError, open_emblem
from kiosk.typeset import WHITE

logger = logging.getLogger(__name__)

ENOUGH = 1200
"""Dots each way that are looked at: twice the widest paper, for marks with wide margins."""
LEAST = 14
"""Dots on paper: what would be lower or narrower is a speck or a line."""
GROWTH = 4
"""Times that a small picture may grow: beyond it one sees its dots."""
BANNER = 2.5
"""Width by height from which a mark is a banner, which needs a line of its own."""
LIGHT = 0.02
"""Part that must stay white for a mark to be seen."""
FAINT = 16
"""Steps from white that are a scanner's or JPEG's noise and no mark."""


@lru_cache(maxsize=4)
def logo(path: Path, side: int, banner: int) -> Image.Image | None:
    """The mark at most `side` dots high and half as much again wide; a banner is lower, and at most `banner` wide.

    A file that cannot be used costs the mark, not the slip.
    """
    try:
        grey = _grey(path)
        wide = grey.width > BANNER * grey.height
        return _sharp(_fitted(grey, banner if wide else side * 3 // 2, side * 2 // 3 if wide else side))
    except PhotoError as error:
        _complain(str(error))
    except ValueError as error:
        _complain(f"{path}: {error}")
    return None


def _complain(problem: str) -> None:
    logger.warning("slip printed without its logo (%s): use a PNG of a few hundred dots", problem)


def _grey(path: Path) -> Image.Image:
    """The picture on white paper, without its margins."""
    colours = open_emblem(path, ENOUGH)
    paper = Image.new("RGBA", colours.size, "white")
    grey = Image.alpha_composite(paper, colours).convert("L")
    box = grey.point(lambda value: 255 if value < WHITE - FAINT else 0).getbbox()
    if box is None:
        raise ValueError("it is blank")
    return grey.crop(box)


def _fitted(grey: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / grey.width, height / grey.height, GROWTH)
    size = round(grey.width * scale), round(grey.height * scale)
    if min(size) < LEAST:
        raise ValueError(f"it would be {size[0]} × {size[1]} dots on paper, too little to be seen")
    return grey.resize(size, Image.Resampling.LANCZOS)


def _sharp(grey: Image.Image) -> Image.Image:
    """Black and white, parted where the picture's own greys part best, so that a pale mark is a mark too."""
    limit = _limit(grey.histogram())
    dots = grey.point(lambda value: WHITE if value > limit else 0)
    if dots.histogram()[WHITE] < LIGHT * dots.width * dots.height:
        raise ValueError("it is one black patch")
    return dots.convert("1", dither=Image.Dither.NONE)


def _limit(counts: list[int]) -> int:
    """The grey that parts dark from light with the greatest variance between both (N. Otsu, 1979)."""
    dots = list(accumulate(counts))
    sums = list(accumulate(value * count for value, count in enumerate(counts)))

    def between(value: int) -> float:
        dark, light = dots[value], dots[-1] - dots[value]
        if not dark or not light:
            return 0.0
        return dark * light * (sums[value] / dark - (sums[-1] - sums[value]) / light) ** 2

    return max(range(len(counts)), key=between) if len({*dots} - {0}) > 1 else WHITE // 2
