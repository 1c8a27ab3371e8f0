"""The glass: one window, the pictures behind it, and what fingers and keys do on it.

Knows pixels and names of actions; knows no ticket, no text and no rule. All pictures of one device are drawn by one
process, because a second process on the same card shows nothing. An only picture of the window's size is drawn in the
window itself; others are drawn in memory and copied. A picture is drawn when its view changes and not otherwise: an
idle turn of the loop costs one `pygame.event.get`. Importing this module costs about 0.1 s of CPU, the first picture
0.05 to 0.1 s more; letters and shapes are kept after that.
"""

import grp
import io
import logging
import os
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from fontTools.ttLib import TTFont, TTLibError

from kiosk.views.canvas import Frame, HitBox, Kit, TextBox
from kiosk.views.draw import regions
from kiosk.views.model import View
from kiosk.views.text import WEIGHTS, font_path
from kiosk.views.theme import DAY, Theme

# isort: split
# After the views: their package silences pygame's greeting.
import pygame

logger = logging.getLogger(__name__)

BLIND = frozenset({"dummy", "offscreen"})
"""Drivers that draw into memory and show nothing."""

GROUPS = ("video", "render", "input")
"""Groups that a service needs to reach the screen and the touch panel without a desktop."""

VIETNAMESE = "".join(
    unicodedata.normalize("NFC", vowel + tone)
    for vowel in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
    for tone in ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
)
LETTERS = f"{VIETNAMESE}đĐ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .,:;!?()/%–—•·…-“”"
"""What every font of the screens must have."""


class ScreenError(RuntimeError):
    """The screen cannot be used; the message says what to do."""


class NoPictureError(ScreenError, OSError):
    """There is no driver that shows a picture."""


class NoDisplayError(NoPictureError):
    """The driver found no screen: nothing is plugged in or switched on, maybe only now."""


class FontError(ScreenError, ValueError):
    """A font is missing, broken, or lacks Vietnamese letters."""


@dataclass(frozen=True, slots=True)
class Output:
    """One picture: its name and its size in pixels."""

    name: str
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Touch:
    """A finger or a mouse on an action; `at` is monotonic seconds."""

    output: str
    action: str
    at: float


@dataclass(frozen=True, slots=True)
class Key:
    """A key went down or up: pygame's name of it ("1", "[1]" on the number pad, "escape")."""

    name: str
    down: bool
    at: float


@dataclass(frozen=True, slots=True)
class Quit:
    """The window was closed."""

    at: float


Input: TypeAlias = Touch | Key | Quit


class Screen:
    """All pictures of one device, one of them in the window. Use it from one thread; only `post_touch` is for any.

    `touched_at` is when a finger was last on the glass, be it beside everything.
    Raises FontError before anything is opened, NoPictureError where no driver shows a picture (unless `blind_ok`).
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        *,
        blind_ok: bool = False,
        fullscreen: bool = False,
        theme: Theme = DAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not outputs or len({output.name for output in outputs}) != len(outputs):
            raise ScreenError("a screen needs one output at least, each with a name of its own")
        check_fonts()
        self.driver = _open_display(blind_ok)
        pygame.font.init()
        self._clock = clock
        self._theme = theme
        self._window = _open_window(outputs[0].size, fullscreen and self.driver not in BLIND)
        self._posted = pygame.event.custom_type()
        kit = Kit(theme)
        alone = outputs[0].size if len(outputs) == 1 else None
        self._frames = {output.name: Frame(kit, output.size, self._canvas(alone)) for output in outputs}
        self._views: dict[str, View] = {}
        self._changed: set[str] = set()
        self.shown = outputs[0].name
        self.touched_at = 0.0

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the display back."""
        pygame.font.quit()
        pygame.display.quit()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all pictures, in the order of F1, F2, F3."""
        return tuple(self._frames)

    # --- pictures

    def show(self, name: str, view: View) -> list[pygame.Rect]:
        """Draw a view on an output; returns the boxes that were drawn, none when nothing changed.

        Raises KeyError for an output that does not exist.
        """
        frame = self._frames[name]
        if self._views.get(name) == view:
            return []
        dirty = frame.show(regions(view, frame.size, self._theme))
        self._views[name] = view
        if dirty:
            self._changed.add(name)
            if name == self.shown:
                self._present(dirty)
        return dirty

    def look_at(self, name: str) -> None:
        """Bring another output into the window."""
        if name != self.shown and name in self._frames:
            self.shown = name
            self._window.fill((0, 0, 0))
            self._present(None)

    def frames_changed(self) -> tuple[str, ...]:
        """Outputs that were drawn since the last time this was asked."""
        changed = tuple(name for name in self._frames if name in self._changed)
        self._changed.clear()
        return changed

    def save_png(self, name: str, path: Path) -> None:
        """Write an output's picture; raises OSError where the file cannot be written."""
        path.write_bytes(self.picture(name))

    def picture(self, name: str, kind: str = "png") -> bytes:
        """An output's picture as a file: "png", "jpg" (ten times as fast) or "bmp" (raw)."""
        buffer = io.BytesIO()
        pygame.image.save(self._frames[name].surface, buffer, f"picture.{kind}")
        return buffer.getvalue()

    def hits(self, name: str) -> Iterator[HitBox]:
        """Where an output can be touched."""
        return self._frames[name].hits()

    def texts(self, name: str) -> Iterator[TextBox]:
        """What stands on an output, as it was measured."""
        return self._frames[name].texts()

    def _canvas(self, alone: tuple[int, int] | None) -> pygame.Surface | None:
        """The window itself, where the one output has its size: a second picture would cost memory and a copy."""
        window = self._window
        if alone != window.get_size() or window.get_bitsize() != 32:
            return None
        return window if window.get_masks() == pygame.Surface((1, 1), 0, 32).get_masks() else None

    def _fit(self) -> None:
        """Begin again on a window that may have another size, or lost what was in it."""
        self._window = pygame.display.get_surface() or self._window
        self._window.fill((0, 0, 0))
        frame = self._frames[self.shown]
        if len(self._frames) == 1:
            frame.draw_on(self._canvas(frame.size))
            if self.shown in self._views:
                frame.show(regions(self._views[self.shown], frame.size, self._theme))
        self._present(None)

    def _present(self, dirty: list[pygame.Rect] | None) -> None:
        """Copy the shown output into the window, if it is not there; scaled as a whole where the sizes differ."""
        surface = self._frames[self.shown].surface
        if surface is self._window:
            pygame.display.update(dirty if dirty is not None else surface.get_rect())
            return
        place = self._place()
        if place.size != surface.get_size():
            self._window.blit(pygame.transform.smoothscale(surface, place.size), place)
            pygame.display.flip()
            return
        boxes = dirty if dirty is not None else [surface.get_rect()]
        for box in boxes:
            self._window.blit(surface, box.move(place.topleft), box)
        pygame.display.update([box.move(place.topleft) for box in boxes] if dirty is not None else [])
        if dirty is None:
            pygame.display.flip()

    def _place(self) -> pygame.Rect:
        """Where the shown output stands in the window: as large as it fits, in the middle."""
        width, height = self._frames[self.shown].size
        room = self._window.get_rect()
        scale = min(room.w / width, room.h / height)
        place = pygame.Rect(0, 0, round(width * scale), round(height * scale))
        place.center = room.center
        return place

    # --- fingers and keys

    def poll(self) -> list[Input]:
        """Everything that fingers, mouse and keys did since the last call. Never waits."""
        found: list[Input] = []
        for event in pygame.event.get():
            one = self._translate(event)
            if one is not None:
                found.append(one)
        return found

    def post_touch(self, output: str, x: float, y: float) -> None:
        """Touch an output that may not be in the window, at shares (0–1) of its width and height; from any thread."""
        pygame.event.post(pygame.event.Event(self._posted, output=output, x=x, y=y))

    def _translate(self, event: pygame.event.Event) -> Input | None:
        if event.type == pygame.QUIT:
            return Quit(self._clock())
        if event.type in (pygame.KEYDOWN, pygame.KEYUP):
            return self._key(event)
        if event.type == pygame.FINGERDOWN:
            width, height = self._window.get_size()
            return self._touch_window(event.x * width, event.y * height)
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1 and not getattr(event, "touch", False):
            return self._touch_window(*event.pos)
        if event.type == self._posted:
            return self._touch(event.output, event.x, event.y)
        if event.type in (pygame.VIDEORESIZE, pygame.VIDEOEXPOSE):
            self._fit()
        return None

    def _key(self, event: pygame.event.Event) -> Key | None:
        down = event.type == pygame.KEYDOWN
        if event.key == pygame.K_TAB or pygame.K_F1 <= event.key <= pygame.K_F12:
            if down:
                self._switch(event.key)
            return None
        return Key(pygame.key.name(event.key), down, self._clock())

    def _switch(self, key: int) -> None:
        names = self.outputs
        index = names.index(self.shown) + 1 if key == pygame.K_TAB else key - pygame.K_F1
        if key == pygame.K_TAB or index < len(names):
            self.look_at(names[index % len(names)])

    def _touch_window(self, x: float, y: float) -> Touch | None:
        place = self._place()
        return self._touch(self.shown, (x - place.x) / place.w, (y - place.y) / place.h)

    def _touch(self, output: str, x: float, y: float) -> Touch | None:
        frame = self._frames.get(output)
        if frame is None:
            return None
        self.touched_at = self._clock()
        action = frame.hit(int(x * frame.size[0]), int(y * frame.size[1]))
        return Touch(output, action, self._clock()) if action else None


# --- the display


def _open_display(blind_ok: bool) -> str:
    """Open the display only (no sound, no joystick); returns the driver's name."""
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
        raise kind(why_blind(driver, problem, _members(), Path("/dev/dri")))
    if not driver:
        logger.warning("no display (%s): pictures are drawn but not shown", problem)
        os.environ["SDL_VIDEODRIVER"] = "dummy"
        pygame.display.init()
    return pygame.display.get_driver()


def _open_window(size: tuple[int, int], fullscreen: bool) -> pygame.Surface:
    try:
        if fullscreen:
            window = pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
            pygame.mouse.set_visible(False)
        else:
            window = pygame.display.set_mode(size, pygame.RESIZABLE)
    except pygame.error as error:
        pygame.display.quit()
        raise NoDisplayError(why_blind("", str(error), _members(), Path("/dev/dri"))) from error
    if window.get_size() != size and fullscreen:
        logger.warning("the screen is %d×%d, the picture %d×%d: it is scaled", *window.get_size(), *size)
    pygame.display.set_caption("Kiosk")
    return window


def _members() -> frozenset[str]:
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


# --- fonts


def check_fonts() -> None:
    """Make sure that each bundled font has every letter; raises FontError."""
    for weight in WEIGHTS:
        path = font_path(weight)
        missing = missing_letters(path)
        if missing:
            raise FontError(f"{path.name} lacks the letters {missing[:20]}: install the kiosk's own fonts again")


def missing_letters(path: Path) -> str:
    """The needed letters that a font file does not have; raises FontError for a file that is missing or broken."""
    try:
        with TTFont(path, lazy=True) as font:
            known = font.getBestCmap() or {}
    except (OSError, TTLibError) as error:
        raise FontError(f"{path} cannot be read ({error}): install the kiosk's own fonts again") from error
    return "".join(letter for letter in LETTERS if ord(letter) not in known)
