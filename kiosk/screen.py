"""The glass: the pictures of this device, and what fingers and keys do on them.

Knows pixels and names of actions; knows no ticket, no text and no rule. All pictures of one device are drawn by one
process, because a second process on the same card shows nothing. The only picture of a window, if it has the window's
size, is drawn in the window itself; others are drawn in memory and copied. A picture is drawn when its view changes and
not otherwise: an idle turn of the loop costs one `pygame.event.get`. Importing this module costs about 0.1 s of CPU,
the first picture 0.05 to 0.1 s more; letters and shapes are kept after that.
"""

import io
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from kiosk.fingers import Fingers
from kiosk.keys import Chord
from kiosk.views.canvas import Frame, HitBox, Kit, TextBox
from kiosk.views.draw import regions
from kiosk.views.lights import Lights
from kiosk.views.model import View
from kiosk.views.text import Typesetter
from kiosk.views.theme import DAY, Theme
from kiosk.windows import BLIND, ScreenError, Window, displays, fitted, open_display, open_windows, watched

# isort: split
# After the views: their package silences pygame's greeting.
import pygame

REDRAWN = frozenset({pygame.VIDEOEXPOSE, pygame.VIDEORESIZE})
"""Events of any window after which all are filled again."""


@dataclass(frozen=True, slots=True)
class Output:
    """One picture: its name, its size in pixels, and the display that it is on (from 1; 0 = the next free one)."""

    name: str
    size: tuple[int, int]
    display: int = 0


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
    """A window was closed."""

    at: float


Input: TypeAlias = Touch | Key | Quit | Chord


class Screen:
    """All pictures of one device, and its windows. Use it from one thread; only `post_touch` is for any.

    `touched_at` is when a finger was last on the glass, be it beside everything. With `fullscreen` each display has a
    window; several pictures on one display take turns in it (Tab, F1, F2, F3). `fonts` are files for other scripts.
    Raises FontError before anything is opened, NoPictureError where no driver shows a picture (unless `blind_ok`), and
    later ScreenLost when the display is gone.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        *,
        blind_ok: bool = False,
        fullscreen: bool = False,
        theme: Theme = DAY,
        clock: Callable[[], float] = time.monotonic,
        fonts: Sequence[Path] = (),
        animations: bool = True,
        held_on: str = "",
    ) -> None:
        if not outputs or len({output.name for output in outputs}) != len(outputs):
            raise ScreenError("a screen needs one output at least, each with a name of its own")
        pygame.font.init()
        self._theme = theme
        kit = Kit(theme)
        kit.type = self._type = Typesetter(fonts)
        self.driver = open_display(blind_ok)
        self._fullscreen = fullscreen and self.driver not in BLIND
        self._clock = clock
        self._animations = animations
        by_output = open_windows([(output.size, output.display) for output in outputs], self._fullscreen)
        self._windows: list[Window] = list(dict.fromkeys(by_output))
        self._window_of = dict(zip([output.name for output in outputs], by_output, strict=True))
        self._shown = {window: self._in(window)[0] for window in self._windows}
        self._displays = displays(self.driver)
        self._posted = pygame.event.custom_type()
        self._fingers, self._held_on = Fingers(), held_on
        canvases = {output.name: self._canvas(output.name, output.size) for output in outputs}
        self._direct = {name for name, canvas in canvases.items() if canvas is not None}
        self._frames = {output.name: Frame(kit, output.size, canvases[output.name]) for output in outputs}
        self._lights = {name: Lights() for name in self._frames}
        self._views: dict[str, View] = {}
        self._causes: dict[str, dict[str, Hashable]] = {}
        self._changed: set[str] = set()
        self.touched_at = 0.0

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the displays back."""
        for window in reversed(self._windows):
            window.close()
        self._type.close()
        pygame.font.quit()
        pygame.display.quit()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all pictures, in the order of F1, F2, F3."""
        return tuple(self._frames)

    @property
    def windows(self) -> tuple[tuple[str, ...], ...]:
        """The outputs that share each window."""
        return tuple(tuple(self._in(window)) for window in self._windows)

    @property
    def shown(self) -> str:
        """The output in the first window."""
        return self._shown[self._windows[0]]

    def displays_changed(self) -> bool:
        """Whether a display came or went since this was opened: then open it again."""
        with watched():
            return self._fullscreen and displays(self.driver) != self._displays

    # --- pictures

    def show(self, name: str, view: View) -> list[pygame.Rect]:
        """Draw a view on an output; returns the boxes that were drawn, none when nothing changed.

        Raises KeyError for an output that does not exist, ScreenLost.
        """
        if self._views.get(name) == view:
            return []
        with watched():
            dirty = self._draw(name, view)
            if dirty:
                self._changed.add(name)
                self._present(name, dirty)
        return dirty

    def animate(self) -> float | None:
        """Let what is lit fade on; returns the seconds until it goes on again, None when nothing is lit.

        Raises ScreenLost.
        """
        waits = [self._fade(name, lights) for name, lights in self._lights.items() if lights]
        return min((wait for wait in waits if wait is not None), default=None)

    def look_at(self, name: str) -> None:
        """Bring another output into its window."""
        window = self._window_of.get(name)
        if window is not None and self._shown[window] != name:
            self._shown[window] = name
            with watched():
                window.renew()
                self._present(name, None)

    def frames_changed(self) -> tuple[str, ...]:
        """Outputs that were drawn since the last time this was asked."""
        changed = tuple(name for name in self._frames if name in self._changed)
        self._changed.clear()
        return changed

    def save_png(self, name: str, path: Path) -> None:
        """Write an output's picture; raises OSError where the file cannot be written."""
        path.write_bytes(self.picture(name))

    def picture(self, name: str, kind: str = "png") -> bytes:
        """An output's picture as a file: "png" or "jpg" (ten times as fast)."""
        buffer = io.BytesIO()
        pygame.image.save(self._frames[name].surface, buffer, f"picture.{kind}")
        return buffer.getvalue()

    def pixels(self, name: str) -> tuple[tuple[int, int], bytes]:
        """An output's size and its pixels, three bytes each. As a bmp file pygame 2.6 would never free them again."""
        surface = self._frames[name].surface
        return surface.get_size(), pygame.image.tobytes(surface, "RGB")

    def hits(self, name: str) -> Iterator[HitBox]:
        """Where an output can be touched."""
        return self._frames[name].hits()

    def texts(self, name: str) -> Iterator[TextBox]:
        """What stands on an output, as it was measured."""
        return self._frames[name].texts()

    def _draw(self, name: str, view: View) -> list[pygame.Rect]:
        """Draw what has changed; what is new and has a colour to light up in does so, but not in the first picture."""
        frame, lights = self._frames[name], self._lights[name]
        parts = regions(view, frame.size, self._theme)
        lights.lift(frame.surface)
        dirty = frame.show(parts)
        lights.end(dirty)
        before = self._causes.get(name)
        # Only of what is there now: a message that comes again after it has gone is new.
        causes = {part.name: part.key if part.light is None else part.light for part in parts if part.flash}
        if self._animations and before is not None:
            for part in parts:
                if part.flash and part.rect in dirty and before.get(part.name) != causes[part.name]:
                    lights.start(frame.surface, frame.lights(part), part.flash, self._clock())
        self._causes[name] = causes
        lights.lay(frame.surface)
        self._views[name] = view
        return dirty

    def _fade(self, name: str, lights: Lights) -> float | None:
        at = self._clock()
        with watched():
            boxes = lights.fade(self._frames[name].surface, at)
            if boxes:
                self._changed.add(name)
                self._present(name, boxes)
        return lights.wait_s(at)

    def _in(self, window: Window) -> list[str]:
        return [name for name, its in self._window_of.items() if its is window]

    def _canvas(self, name: str, size: tuple[int, int]) -> pygame.Surface | None:
        """The window itself, where it has this picture alone: a second one would cost memory and a copy."""
        window = self._window_of[name]
        return window.canvas(size) if self._in(window) == [name] else None

    def _fit(self) -> None:
        """Begin again on windows that may have another size, or lost what was in them."""
        for window, name in self._shown.items():
            window.renew()
            frame = self._frames[name]
            canvas = self._canvas(name, frame.size)
            if canvas is not None or name in self._direct:
                self._begin_again(name, frame, canvas)
            self._present(name, None)

    def _begin_again(self, name: str, frame: Frame, canvas: pygame.Surface | None) -> None:
        self._direct = self._direct | {name} if canvas is not None else self._direct - {name}
        self._lights[name].clear()
        frame.draw_on(canvas)
        if name in self._views:
            frame.show(regions(self._views[name], frame.size, self._theme))

    def _present(self, name: str, boxes: list[pygame.Rect] | None) -> None:
        window = self._window_of[name]
        if self._shown[window] == name:
            window.show(self._frames[name].surface, boxes)

    # --- fingers and keys

    def poll(self) -> list[Input]:
        """Everything that fingers, mouse and keys did since the last call. Never waits. Raises ScreenLost."""
        with watched():
            events = pygame.event.get()
            if not events:
                return [*self._fingers.tick(self._clock())]
            if any(event.type in REDRAWN for event in events):
                self._fit()
            inputs = [one for one in map(self._translate, events) if one is not None]
        # A closed window is told twice by SDL when it was the last one.
        closed = [one for one in inputs if isinstance(one, Quit)]
        held = self._fingers.tick(self._clock())
        return [*(one for one in inputs if not isinstance(one, Quit)), *held, *closed[:1]]

    def post_touch(self, output: str, x: float, y: float) -> None:
        """Touch an output that may not be in a window, at shares (0–1) of its width and height; from any thread."""
        pygame.event.post(pygame.event.Event(self._posted, output=output, x=x, y=y))

    def _translate(self, event: pygame.event.Event) -> Input | None:
        if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
            return Quit(self._clock())
        if event.type in (pygame.KEYDOWN, pygame.KEYUP):
            return self._key(event)
        if event.type == pygame.FINGERDOWN:
            window = self._named(event)
            width, height = window.size
            touch = self._touch_window(window, event.x * width, event.y * height)
            if self._shown[window] == self._held_on:
                finger, action = (event.touch_id, event.finger_id), touch.action if touch else ""
                self._fingers.down(finger, action, (event.x, event.y), self._clock())
            return touch
        if event.type == pygame.FINGERUP:
            self._fingers.up((event.touch_id, event.finger_id))
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1 and not getattr(event, "touch", False):
            return self._touch_window(self._named(event), *event.pos)
        if event.type == self._posted:
            return self._touch(event.output, event.x, event.y)
        return None

    def _named(self, event: pygame.event.Event) -> Window:
        """The window of an event. Without a desktop a finger names none: the touch panel is that of the first one."""
        return next((window for window in self._windows if window.owns(event)), self._windows[0])

    def _key(self, event: pygame.event.Event) -> Key | None:
        down = event.type == pygame.KEYDOWN
        if event.key == pygame.K_TAB or pygame.K_F1 <= event.key <= pygame.K_F12:
            if down:
                self._switch(event.key, self._named(event))
            return None
        return Key(pygame.key.name(event.key), down, self._clock())

    def _switch(self, key: int, window: Window) -> None:
        """Tab shows the next output in the window that has the keys, F1, F2, F3 the first to third in its own."""
        if key == pygame.K_TAB:
            names = self._in(window)
            self.look_at(names[(names.index(self._shown[window]) + 1) % len(names)])
        elif key - pygame.K_F1 < len(self.outputs):
            self.look_at(self.outputs[key - pygame.K_F1])

    def _touch_window(self, window: Window, x: float, y: float) -> Touch | None:
        output = self._shown[window]
        place = fitted(self._frames[output].size, window.size)
        return self._touch(output, (x - place.x) / place.w, (y - place.y) / place.h)

    def _touch(self, output: str, x: float, y: float) -> Touch | None:
        frame = self._frames.get(output)
        if frame is None:
            return None
        self.touched_at = self._clock()
        action = frame.hit(int(x * frame.size[0]), int(y * frame.size[1]))
        return Touch(output, action, self._clock()) if action else None
