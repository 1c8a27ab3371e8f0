"""Portraits: a photo cut to a disc, or a drawn person where there is none. Knows no name and no office."""

import logging
from collections.abc import Callable

import pygame
from PIL import Image

from kiosk.photos import PhotoError, open_photo
from kiosk.views.figures import PERSON_FRAME, draw_person, person_ground
from kiosk.views.icons import Pen
from kiosk.views.model import Portrait
from kiosk.views.theme import Rgb, mix

logger = logging.getLogger(__name__)

_FAILED: set[str] = set()


def paint_portrait(surface: pygame.Surface, portrait: Portrait, ring: Rgb, back: Rgb) -> None:
    """Paint a portrait with its ring on a square surface; a photo that cannot be read is a drawn person."""
    side = surface.get_width()
    photo = _photo(portrait.path, side) if portrait.path else None
    face = photo or _person(side, portrait.variant)
    _ringed(surface, face, ring, back)


def _photo(path: str, side: int) -> pygame.Surface | None:
    return photo_surface(path, lambda: open_photo(path, side, person_ground(0)[0]))


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
    light, deep = person_ground(variant)
    for y in range(side):
        surface.fill(mix(light, deep, y / side), (0, y, side, 1))
    left, top, scale = PERSON_FRAME
    box = pygame.Rect(round(side * left), round(side * top), round(side * scale), round(side * scale))
    draw_person(Pen(surface, box), variant)
    return surface
