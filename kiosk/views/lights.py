"""Light on what has just changed: a colour over a finished picture that fades away. Knows boxes and pixels.

The picture under a light is whole from the first moment, so that nobody waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pygame

FADE_S = 0.3
STEPS = 5
STRONGEST = 96
"""How much of the first step is colour, of 255: text stays readable through it."""
MOST_PIXELS = 2_100_000
"""Pixels that are lit at a time (4 bytes each are kept until they are dark again): a screen of 1920×1080."""
STRIP = 64


@dataclass(slots=True)
class _Light:
    rect: pygame.Rect
    colour: tuple[int, int, int]
    since: float
    step: int
    under: pygame.Surface


class Lights:
    """The lights on one picture."""

    def __init__(self) -> None:
        self._lit: list[_Light] = []

    def __bool__(self) -> bool:
        return bool(self._lit)

    def lift(self, picture: pygame.Surface) -> None:
        """Show the picture without them, as it must be when it is drawn on."""
        for light in self._lit:
            picture.blit(light.under, light.rect)

    def lay(self, picture: pygame.Surface) -> None:
        """Lay them over the picture again."""
        for light in self._lit:
            _tint(picture, light)

    def end(self, boxes: Sequence[pygame.Rect]) -> None:
        """What is drawn anew is no longer lit by what it showed before. While they are lifted."""
        self._lit = [light for light in self._lit if light.rect.collidelist(boxes) < 0]

    def clear(self) -> None:
        """End all of them, on a picture that is drawn as a whole."""
        self._lit.clear()

    def start(self, picture: pygame.Surface, rect: pygame.Rect, colour: tuple[int, int, int], at: float) -> None:
        """Light a box up, unless too much is lit already. While they are lifted; `at` is monotonic seconds."""
        rect = rect.clip(picture.get_rect())
        if rect and sum(_pixels(light.rect) for light in self._lit) + _pixels(rect) <= MOST_PIXELS:
            under = pygame.Surface(rect.size, 0, picture)
            under.blit(picture, (0, 0), rect)
            self._lit.append(_Light(rect, colour, at, 0, under))

    def fade(self, picture: pygame.Surface, at: float) -> list[pygame.Rect]:
        """Go on to the step of this time; returns the boxes that look different now."""
        changed = []
        for light in self._lit:
            # A waiter who comes at the very moment of a step is not sent to wait again for what rounding left.
            step = int((at - light.since) * STEPS / FADE_S + 1e-6)
            if step != light.step:
                light.step = step
                picture.blit(light.under, light.rect)
                _tint(picture, light)
                changed.append(light.rect)
        self._lit = [light for light in self._lit if light.step < STEPS]
        return changed

    def wait_s(self, at: float) -> float | None:
        """Seconds until the next step, None when all is dark."""
        steps = [light.since + (light.step + 1) * FADE_S / STEPS for light in self._lit]
        return max(0.0, min(steps) - at) if steps else None


def _pixels(rect: pygame.Rect) -> int:
    return rect.w * rect.h


def _tint(picture: pygame.Surface, light: _Light) -> None:
    """In strips: a veil as large as the box would be written once more for nothing."""
    alpha = STRONGEST * (STEPS - light.step) // STEPS
    if alpha <= 0:
        return
    rect = light.rect
    veil = pygame.Surface((rect.w, min(STRIP, rect.h)), 0, picture)
    veil.fill(light.colour)
    veil.set_alpha(alpha)
    for top in range(0, rect.h, STRIP):
        picture.blit(veil, (rect.x, rect.y + top), (0, 0, rect.w, min(STRIP, rect.h - top)))
