"""The displays of this device and the windows on them. Knows pictures as pixels, and nothing of what is on them.

The first window is pygame's own. Each further one is of `pygame._sdl2.video`, which pygame calls experimental (Debian's
pygame 2.1.2 and later ones have it); it is used here only, and where it fails the kiosk goes on with one window.
"""

import ctypes
import grp
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

# isort: split
# Before pygame: this package silences its greeting.
import kiosk.views  # noqa: F401

# isort: split
import pygame

logger = logging.getLogger(__name__)

BLIND = frozenset({"dummy", "offscreen"})
"""Drivers that draw into memory and show nothing."""
GROUPS = ("video", "render", "input")
"""Groups that a service needs to reach the screen and the touch panel without a desktop."""
CONNECTORS = Path("/sys/class/drm")
CARDS = Path("/dev/dri")
ON_DISPLAY = 0x2FFF0000
"""SDL_WINDOWPOS_CENTERED_MASK: added to the number of a display it means the middle of that display."""
HINTS = {
    # Two windows take the keys from each other.
    "SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS": "0",
    # Without it SDL keeps the first click on a window that had not the keys to itself.
    "SDL_MOUSE_FOCUS_CLICKTHROUGH": "1",
    "SDL_RENDER_SCALE_QUALITY": "linear",
}
"""What SDL reads from the environment, unless it is set there."""
MASKS = (0xFF0000, 0xFF00, 0xFF)
"""Red, green and blue in a pixel of 32 bits, as textures have them."""

Size = tuple[int, int]


class ScreenError(RuntimeError):
    """The screen cannot be used; the message says what to do."""


class NoPictureError(ScreenError, OSError):
    """There is no driver that shows a picture."""


class NoDisplayError(NoPictureError):
    """The driver found no screen: nothing is plugged in or switched on, maybe only now."""


class ScreenLost(NoDisplayError):
    """The screen failed while it was in use: close it, and open it again later."""


@contextmanager
def watched() -> Iterator[None]:
    """What pygame raises in here means that the display is gone."""
    try:
        yield
    except pygame.error as error:
        raise ScreenLost(f"the screen was lost ({error}): it is opened again when it is back") from error


class Window(Protocol):
    """Where one picture at a time is seen."""

    @property
    def size(self) -> Size: ...

    def owns(self, event: pygame.event.Event) -> bool:
        """Whether an event names this window."""

    def canvas(self, size: Size) -> pygame.Surface | None:
        """The window's own pixels, where a picture of this size can be drawn in them."""

    def show(self, picture: pygame.Surface, boxes: Sequence[pygame.Rect] | None) -> None:
        """Show what a picture has in these boxes, or all of it (None), scaled as a whole where the sizes differ."""

    def renew(self) -> None:
        """It may have another size now, or have lost what was in it: all of it is black until the next `show`."""

    def close(self) -> None: ...


class MainWindow:
    """The window that pygame itself knows. Raises NoDisplayError."""

    def __init__(self, size: Size, display: int, fullscreen: bool) -> None:
        try:
            if fullscreen:
                room = pygame.display.get_desktop_sizes()[display]
                self._surface = pygame.display.set_mode(room, pygame.FULLSCREEN, display=display)
                pygame.mouse.set_visible(False)
            else:
                self._surface = pygame.display.set_mode(size, pygame.RESIZABLE)
        except pygame.error as error:
            pygame.display.quit()
            raise NoDisplayError(why_blind("", str(error), members(), CARDS)) from error
        pygame.display.set_caption("Kiosk")

    @property
    def size(self) -> Size:
        return self._surface.get_size()

    def owns(self, event: pygame.event.Event) -> bool:
        return getattr(event, "window", None) is None

    def canvas(self, size: Size) -> pygame.Surface | None:
        surface = self._surface
        if surface.get_size() != size or surface.get_bitsize() != 32:
            return None
        return surface if surface.get_masks() == pygame.Surface((1, 1), 0, 32).get_masks() else None

    def show(self, picture: pygame.Surface, boxes: Sequence[pygame.Rect] | None) -> None:
        surface = self._surface
        if picture is surface:
            pygame.display.update(list(boxes) if boxes is not None else surface.get_rect())
            return
        place = fitted(picture.get_size(), surface.get_size())
        if place.size != picture.get_size():
            surface.blit(pygame.transform.smoothscale(picture, place.size), place)
        elif boxes is None:
            surface.blit(picture, place)
        else:
            for box in boxes:
                surface.blit(picture, box.move(place.topleft), box)
            pygame.display.update([box.move(place.topleft) for box in boxes])
            return
        pygame.display.flip()

    def renew(self) -> None:
        self._surface = pygame.display.get_surface() or self._surface
        self._surface.fill((0, 0, 0))

    def close(self) -> None:
        """pygame.display.quit takes it away."""


class MoreWindow:
    """A full-screen window on another display. Raises ImportError or pygame.error where it cannot be had."""

    def __init__(self, display: int) -> None:
        # Only where there is a second display: what is experimental does not run on the usual device.
        from pygame._sdl2 import sdl2, video

        self._video, self._error = video, sdl2.error
        at = ON_DISPLAY | display
        room = pygame.display.get_desktop_sizes()[display]
        with self._as_pygame():
            self._window = video.Window(f"Kiosk {display + 1}", size=room, position=(at, at), fullscreen_desktop=True)
            try:
                self._renderer = video.Renderer(self._window)
            except sdl2.error:
                self._window.destroy()  # or it would stay, black, over everything
                raise
            self._renderer.draw_color = (0, 0, 0, 255)
            # SDL's kmsdrm makes the window's buffers anew in the first present, and what was drawn is lost.
            self._renderer.clear()
            self._renderer.present()
        self._texture: video.Texture | None = None

    @property
    def size(self) -> Size:
        with self._as_pygame():
            width, height = self._window.size
        return width, height

    def owns(self, event: pygame.event.Event) -> bool:
        return getattr(event, "window", None) is self._window

    def canvas(self, size: Size) -> pygame.Surface | None:
        return None

    def show(self, picture: pygame.Surface, boxes: Sequence[pygame.Rect] | None) -> None:
        # A texture takes a surface's bytes as they are.
        if picture.get_bitsize() != 32 or picture.get_masks()[:3] != MASKS:
            picture = picture.convert(32, 0)
        with self._as_pygame():
            texture = self._texture
            if texture is None or (texture.width, texture.height) != picture.get_size():
                texture = self._texture = self._video.Texture(self._renderer, picture.get_size())
                texture.blend_mode = pygame.BLENDMODE_NONE
                boxes = None
            for box in boxes if boxes is not None else [picture.get_rect()]:
                texture.update(picture.subsurface(box), box)
            self._renderer.clear()
            texture.draw(dstrect=fitted(picture.get_size(), self.size))
            self._renderer.present()

    def renew(self) -> None:
        self._texture = None

    def close(self) -> None:
        # In this order: SDL takes a window's renderer and textures with it, and their Python objects do not know.
        self._texture = None
        del self._renderer
        self._window.destroy()

    @contextmanager
    def _as_pygame(self) -> Iterator[None]:
        """`pygame._sdl2` has an error of its own, which is no pygame.error."""
        try:
            yield
        except self._error as error:
            raise pygame.error(str(error)) from error


def fitted(picture: Size, room: Size) -> pygame.Rect:
    """Where a picture stands in a room: as large as it fits, in the middle."""
    scale = min(room[0] / picture[0], room[1] / picture[1])
    place = pygame.Rect(0, 0, round(picture[0] * scale), round(picture[1] * scale))
    place.center = (room[0] // 2, room[1] // 2)
    return place


# --- which display


def open_windows(pictures: Sequence[tuple[Size, int]], fullscreen: bool) -> list[Window]:
    """A window for each picture, given by its size and the display that it is wanted on (from 1; 0 = any).

    Pictures on one display share a window, and so do all without `fullscreen`. Raises NoDisplayError.
    """
    if not fullscreen:
        return [MainWindow(pictures[0][0], 0, fullscreen)] * len(pictures)
    wanted = [display for _, display in pictures]
    rooms = pygame.display.get_desktop_sizes()
    if max(wanted) > len(rooms):
        logger.warning("display %d is not connected: its picture is shown on another one", max(wanted))
    places = assigned(wanted, len(rooms))
    windows: dict[int, Window] = {places[0]: MainWindow(pictures[0][0], places[0], fullscreen)}
    for (size, _), display in zip(pictures, places, strict=True):
        if display not in windows:
            windows[display] = _another(display) or windows[places[0]]
        if windows[display].size != size:
            logger.warning("the screen is %d×%d, the picture %d×%d: it is scaled", *windows[display].size, *size)
    return [windows[display] for display in places]


def assigned(wanted: Sequence[int], displays: int) -> list[int]:
    """For each picture its display (from 0): the one it wants (from 1), else a free one, else the first picture's."""
    places = [display - 1 if 0 < display <= displays else -1 for display in wanted]
    free = [display for display in range(displays) if display not in places]
    for i, place in enumerate(places):
        if place < 0:
            places[i] = free.pop(0) if free else max(places[0], 0)
    return places


def _another(display: int) -> Window | None:
    try:
        return MoreWindow(display)
    except (ImportError, AttributeError, TypeError, pygame.error) as error:
        logger.error("no second window (%s): all pictures share the first, Tab shows the next one", error)
        return None


def displays(driver: str) -> object:
    """Changes when a display is plugged in, switched on or taken away; asking costs no more than reading some files.

    SDL looks at the connectors of a card (kmsdrm) when it starts and never again, so the kernel is asked.
    """
    return connected(CONNECTORS) if driver.lower() == "kmsdrm" else tuple(pygame.display.get_desktop_sizes())


def connected(folder: Path) -> frozenset[str]:
    """Names of the connectors that something is plugged into, as the kernel lists them."""
    found = set()
    for status in folder.glob("card*-*/status"):
        try:
            if status.read_text().strip() == "connected":
                found.add(status.parent.name)
        except OSError:
            continue  # unplugged with its card
    return frozenset(found)


# --- the driver


def open_display(blind_ok: bool) -> str:
    """Open the display only (no sound, no joystick); returns the driver's name. Raises NoPictureError."""
    for name, value in HINTS.items():
        os.environ.setdefault(name, value)
    problem = ""
    try:
        pygame.display.init()
    except pygame.error as error:
        problem = str(error)
    driver = pygame.display.get_driver() if not problem else ""
    if driver and driver not in BLIND and all(min(size) > 0 for size in pygame.display.get_desktop_sizes()):
        return driver
    if not blind_ok:
        pygame.display.quit()
        kind = NoDisplayError if problem else NoPictureError
        raise kind(why_blind(driver, problem, members(), CARDS))
    if not driver:
        logger.warning("no display (%s): pictures are drawn but not shown", problem)
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        pygame.display.init()
    return pygame.display.get_driver()


def compiled_in() -> tuple[str, ...] | None:
    """The drivers that the SDL of this pygame was built with, in lower case; None when it cannot be asked.

    SDL's own message is the same for a driver that was left out and for one that finds no card.
    """
    try:
        mapped = Path("/proc/self/maps").read_text()
        # pip's pygame brings a library of its own, as libSDL2-2-1234.so.0; Debian's is libSDL2-2.0.so.0.
        file = re.search(r"/\S*/libSDL2-2[.-][^/\s]*", mapped)
        sdl = ctypes.CDLL(file[0] if file else "libSDL2-2.0.so.0")
        name = sdl.SDL_GetVideoDriver
        name.restype = ctypes.c_char_p
        return tuple(name(n).decode().lower() for n in range(sdl.SDL_GetNumVideoDrivers()))
    except (OSError, AttributeError):
        return None


def members() -> frozenset[str]:
    """Names of the groups that this process is in."""
    ids = {*os.getgroups(), os.getgid()}
    return frozenset(group.gr_name for group in grp.getgrall() if group.gr_gid in ids)


def why_blind(driver: str, problem: str, groups: frozenset[str], cards: Path) -> str:
    """What keeps the picture from the screen, and what to do, in one line."""
    found = f"the video driver “{driver}” shows nothing" if driver else f"no video driver could be opened ({problem})"
    todo: list[str] = []
    named = os.environ.get("SDL_VIDEODRIVER", "")
    if named in BLIND:
        todo.append(f"SDL_VIDEODRIVER={named} was asked for: unset it, or set blind_ok = true")
    elif not cards.exists():
        todo.append(f"{cards} is missing: connect a screen and load the graphics driver (vc4-kms-v3d in config.txt)")
    else:
        missing = [group for group in GROUPS if group not in groups]
        if missing and os.geteuid() != 0:
            todo.append(f"add this user to the groups {', '.join(missing)}")
        todo.append("set SDL_VIDEODRIVER=kmsdrm and SDL_RENDER_DRIVER=opengles2")
        todo.append("install libegl1 libgles2 libgl1 libgbm1 libgl1-mesa-dri")
        todo.append(
            "use python3-pygame from apt (the one from pip has no kmsdrm) in a venv with --system-site-packages"
        )
    return f"{found}: {'; '.join(todo)}"
