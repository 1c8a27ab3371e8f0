"""Windows, touches and keys: pygame's side of the screen. It shows views, and refuses to know what they mean.

Every output (a view's name and its size) is a picture in memory; the window shows one of them, and the keys Tab and
F1 to F12 choose which. A picture is drawn when its view changes, and never otherwise.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

from kiosk.views.canvas import Frame, Kit
from kiosk.views.draw import regions
from kiosk.views.model import View

BLIND = ("dummy", "offscreen")
"""SDL drivers that show nothing. SDL takes "offscreen" in silence where no other one was compiled in."""


class ScreenError(OSError):
    """No picture can be shown; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A finger or the mouse on something that acts. `at` is monotonic seconds, as in all inputs."""

    output: str
    action: str
    at: float


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a keyboard or keypad went down or up; `name` as pygame.key.name says."""

    name: str
    down: bool
    at: float


@dataclass(frozen=True, slots=True)
class Quit:
    """The window was closed."""

    at: float


Input = Touch | Key | Quit


class Screen:
    """All pictures of one kiosk, and its one window.

    `outputs` are names with sizes in pixels. `blind_ok` allows a driver that shows nothing. Raises ScreenError.
    """

    def __init__(
        self, outputs: Sequence[tuple[str, tuple[int, int]]], *, blind_ok: bool = False, fullscreen: bool = False
    ) -> None:
        _open_display(blind_ok)
        flags = pygame.FULLSCREEN if fullscreen else pygame.RESIZABLE
        self.window = pygame.display.set_mode((0, 0) if fullscreen else outputs[0][1], flags)
        pygame.display.set_caption("Kiosk")
        if fullscreen:
            pygame.mouse.set_visible(False)
        kit = Kit()
        self.frames = {name: Frame(kit, size) for name, size in outputs}
        self.changed: set[str] = set()
        self._front = outputs[0][0]

    @property
    def driver(self) -> str:
        """What SDL draws with."""
        return str(pygame.display.get_driver())

    def show(self, name: str, view: View) -> bool:
        """Draw what has changed of an output's view; whether anything had."""
        frame = self.frames[name]
        boxes = frame.show(regions(view, frame.size))
        if boxes:
            self.changed.add(name)
            if name == self._front:
                self._present(boxes)
        return bool(boxes)

    def take_changed(self) -> set[str]:
        """Outputs that were drawn since the last time this was asked."""
        changed, self.changed = self.changed, set()
        return changed

    def save_png(self, name: str, path: Path) -> None:
        """An output's picture as a file; it appears whole."""
        fresh = path.with_name(f".{path.name}.part.png")
        pygame.image.save(self.frames[name].surface, str(fresh))
        fresh.replace(path)

    def switch(self, name: str) -> None:
        """Bring another output into the window."""
        self._front = name
        self._present([self.frames[name].surface.get_rect()])

    def poll(self) -> list[Input]:
        """What fingers, mouse and keys did since the last time. Costs next to nothing when they did nothing."""
        return [given for event in pygame.event.get() if (given := self._input(event))]

    def close(self) -> None:
        pygame.display.quit()

    def _input(self, event: pygame.event.Event) -> Input | None:
        at = time.monotonic()
        if event.type == pygame.QUIT:
            return Quit(at)
        if event.type in (pygame.KEYDOWN, pygame.KEYUP):
            return self._key(event, at)
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1 and not getattr(event, "touch", False):
            return self._touched(event.pos, at)
        if event.type == pygame.FINGERDOWN:
            width, height = self.window.get_size()
            return self._touched((int(event.x * width), int(event.y * height)), at)
        if event.type in (pygame.VIDEORESIZE, pygame.VIDEOEXPOSE):
            self.switch(self._front)
        return None

    def _key(self, event: pygame.event.Event, at: float) -> Input | None:
        name = pygame.key.name(event.key)
        names = list(self.frames)
        if event.type == pygame.KEYDOWN and name == "tab":
            self.switch(names[(names.index(self._front) + 1) % len(names)])
            return None
        if event.type == pygame.KEYDOWN and name[:1] == "f" and name[1:].isdigit() and int(name[1:]) <= len(names):
            self.switch(names[int(name[1:]) - 1])
            return None
        return Key(name, event.type == pygame.KEYDOWN, at)

    def _touched(self, point: tuple[int, int], at: float) -> Touch | None:
        frame = self.frames[self._front]
        box = self._place(frame)
        if not box.collidepoint(point):
            return None
        x = (point[0] - box.x) * frame.size[0] // box.w
        y = (point[1] - box.y) * frame.size[1] // box.h
        action = frame.hit(x, y)
        return Touch(self._front, action, at) if action else None

    def _place(self, frame: Frame) -> pygame.Rect:
        """Where the picture lies in the window: as large as it fits, in the middle."""
        room = self.window.get_rect()
        return pygame.Rect((0, 0), frame.size).fit(room)

    def _present(self, boxes: Sequence[pygame.Rect]) -> None:
        frame = self.frames[self._front]
        box = self._place(frame)
        if box.size == frame.size:
            for part in boxes:
                self.window.blit(frame.surface, part.move(box.topleft), part)
            pygame.display.update([part.move(box.topleft) for part in boxes])
            return
        self.window.blit(pygame.transform.smoothscale(frame.surface, box.size), box)
        pygame.display.flip()


def _open_display(blind_ok: bool) -> None:
    """Display and fonts only: the mixer complains on computers without sound, and costs processor time on others."""
    try:
        pygame.display.init()
        pygame.font.init()
    except pygame.error as error:
        raise ScreenError(f"no picture can be shown ({error}). {_advice()}") from error
    driver = pygame.display.get_driver()
    if driver in BLIND and not blind_ok:
        raise ScreenError(f"SDL took the driver {driver!r}, which shows nothing. {_advice()}")


def _advice() -> str:
    return (
        "On a Pi: apt install python3-pygame libegl1 libgles2 libgl1 libgbm1 libgl1-mesa-dri (the pip wheel has no "
        "kmsdrm), set SDL_VIDEODRIVER=kmsdrm, and add the user to the groups video, render and input."
    )
