"""Portraits: a photo cut to a disc, or a drawn person where there is none. Knows no name and no office."""

import logging
from collections.abc import Callable

import pygame
from PIL import Image

from kiosk.photos import PhotoError, open_photo
from kiosk.views.icons import Pen
from kiosk.views.model import Portrait
from kiosk.views.shapes import Point, curve
from kiosk.views.theme import Rgb, mix

logger = logging.getLogger(__name__)

_GROUNDS: tuple[tuple[Rgb, Rgb], ...] = (
    ((206, 226, 249), (140, 184, 232)),
    ((253, 222, 190), (240, 168, 112)),
    ((208, 236, 216), (136, 198, 156)),
    ((222, 214, 248), (160, 146, 220)),
    ((250, 214, 222), (230, 150, 172)),
    ((206, 236, 240), (124, 192, 204)),
)
_CLOTHES: tuple[Rgb, ...] = (
    (252, 252, 255),
    (28, 86, 156),
    (190, 40, 60),
    (24, 120, 96),
    (92, 74, 160),
    (48, 62, 92),
)
_SKINS: tuple[Rgb, ...] = ((244, 208, 176), (236, 194, 156), (248, 216, 188))
_HAIRS: tuple[Rgb, ...] = ((42, 34, 34), (30, 28, 34), (58, 42, 36), (126, 124, 130))
_FAILED: set[str] = set()


def paint_portrait(surface: pygame.Surface, portrait: Portrait, ring: Rgb, back: Rgb) -> None:
    """Paint a portrait with its ring on a square surface; a photo that cannot be read is a drawn person."""
    side = surface.get_width()
    photo = _photo(portrait.path, side) if portrait.path else None
    face = photo or _person(side, portrait.variant)
    _ringed(surface, face, ring, back)


def _photo(path: str, side: int) -> pygame.Surface | None:
    return photo_surface(path, lambda: open_photo(path, side, _GROUNDS[0][0]))


def photo_surface(path: str, make: Callable[[], Image.Image]) -> pygame.Surface | None:
    """A picture file as a surface; None, and a line in the log the first time, for one that cannot be shown."""
    try:
        picture = make()
    except PhotoError as problem:
        if path not in _FAILED:
            _FAILED.add(path)
            logger.warning("%s; a drawn one is shown", problem)
        return None
    return pygame.image.frombuffer(picture.tobytes(), picture.size, picture.mode)  # type: ignore[arg-type]


def _ringed(surface: pygame.Surface, face: pygame.Surface, ring: Rgb, back: Rgb) -> None:
    side = surface.get_width()
    middle = (side / 2, side / 2)
    hole = (1, 2, 3)
    mask = pygame.Surface((side, side), 0, 32)
    mask.fill(back)
    pygame.draw.circle(mask, ring, middle, side / 2)
    pygame.draw.circle(mask, (255, 255, 255), middle, side * 0.468)
    pygame.draw.circle(mask, hole, middle, side * 0.448)
    mask.set_colorkey(hole)
    surface.blit(face, (0, 0))
    surface.blit(mask, (0, 0))


def _person(side: int, variant: int) -> pygame.Surface:
    surface = pygame.Surface((side, side), 0, 32)
    light, deep = _GROUNDS[variant % len(_GROUNDS)]
    for y in range(side):
        surface.fill(mix(light, deep, y / side), (0, y, side, 1))
    cloth = _CLOTHES[(variant * 5 + variant // 6) % len(_CLOTHES)]
    skin = _SKINS[variant // 2 % len(_SKINS)]
    hair = _HAIRS[(variant // 4) % len(_HAIRS)]
    pen = Pen(surface, pygame.Rect(round(-side * 0.11), round(-side * 0.1), round(side * 1.22), round(side * 1.22)))
    if variant % 2 == 0:
        _long_hair_behind(pen, hair)
    _body(pen, cloth, skin)
    _head(pen, skin)
    if variant % 2 == 0:
        _fringe(pen, hair, side_part=variant % 4 == 0)
    else:
        _short_hair(pen, hair, side_part=variant % 4 == 1)
    if variant % 5 == 3:
        _glasses(pen)
    return surface


def _body(pen: Pen, cloth: Rgb, skin: Rgb) -> None:
    shade = mix(cloth, (20, 40, 80), 0.16)
    pen.top_box(cloth, 17, 73, 66, 40, 27)
    pen.poly(mix(skin, (120, 60, 40), 0.16), [(42, 60), (58, 60), (58, 74), (50, 82), (42, 74)])
    pen.poly(skin, [(42, 66), (58, 66), (59, 75), (50, 86), (41, 75)])
    pen.poly(shade, [(41, 73), (50, 87), (43, 91), (34, 77)])
    pen.poly(shade, [(59, 73), (50, 87), (57, 91), (66, 77)])


def _head(pen: Pen, skin: Rgb) -> None:
    ink = (60, 44, 44)
    for x in (33.4, 66.6):
        pen.ellipse(mix(skin, (150, 70, 50), 0.14), x, 49, 3.4, 5)
    pen.ellipse(skin, 50, 47, 16.6, 20.6)
    for x in (43, 57):
        pen.ellipse(ink, x, 47, 1.7, 2.2)
        pen.line(ink, curve((x - 3.2, 42.2), (x, 40.6), (x + 3.2, 42.2), 8), 1.2)
    pen.line(mix(skin, (150, 70, 50), 0.4), curve((48.6, 53), (50, 54.4), (51.4, 53), 8), 1.1)
    pen.line((178, 74, 72), curve((44.6, 58), (50, 62.6), (55.4, 58), 12), 1.7)
    for x in (39.5, 60.5):
        pen.ellipse(mix(skin, (226, 110, 100), 0.22), x, 54.5, 3, 2)


def _long_hair_behind(pen: Pen, hair: Rgb) -> None:
    pen.top_box(hair, 27.5, 22, 45, 52, 22)
    pen.ellipse(hair, 34, 73, 6.6, 7)
    pen.ellipse(hair, 66, 73, 6.6, 7)


def _fringe(pen: Pen, hair: Rgb, side_part: bool) -> None:
    top: list[Point] = [*curve((32.4, 49), (31, 22), (50, 23)), *curve((50, 23), (69, 22), (67.6, 49))]
    part = (43, 31) if side_part else (50, 30)
    brow = [*curve((67.6, 49), (64, 36), part), *curve(part, (36, 36), (32.4, 49))]
    pen.poly(hair, top + brow)


def _short_hair(pen: Pen, hair: Rgb, side_part: bool) -> None:
    top: list[Point] = [*curve((33, 46), (29, 21), (50, 22)), *curve((50, 22), (71, 21), (67, 46))]
    line = [(65, 38), *curve((65, 38), (58, 35), (46, 35)), *curve((46, 35), (39, 34), (36, 39))]
    if side_part:
        line = [(65.4, 37), *curve((62, 35), (54, 38), (43, 32)), (36, 38)]
    pen.poly(hair, top + line)


def _glasses(pen: Pen) -> None:
    rim = (70, 74, 88)
    for x in (43, 57):
        ring = [(x + dx, 47 + dy) for dx, dy in ((-5, 0), (-4, -3.6), (0, -4.4), (4, -3.6), (5, 0), (4, 3.6), (0, 4.4))]
        pen.line(rim, [*ring, (x - 4, 50.6), (x - 5, 47)], 1)
    pen.line(rim, [(48, 46.4), (52, 46.4)], 1)
