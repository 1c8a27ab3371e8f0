"""Pictures of the device's screens for the demo, and real pygame events for what its people touch and type.

Drawing is the App's; a picture is copied in its loop (a few ms) and encoded in a thread, so that looking costs it
little.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pygame
from PIL import Image

from kiosk.simulator.children import Parent

if TYPE_CHECKING:
    from kiosk.app import App


Film = tuple[tuple[int, int], bytes]
"""Size and pixels of a picture, as `Screen.pixels` gives them."""


def file_name(view: str) -> str:
    """The picture of a view: "rate:1" is no name for a file everywhere."""
    return view.replace(":", "-") + ".png"


class Camera:
    """`live`: a picture of each output after each change, in `frames`; `shoot` keeps all of them in `screenshots`."""

    def __init__(self, app: "App", parent: Parent, folder: Path, *, live: bool) -> None:
        self._app = app
        self._parent = parent
        self._folder = folder
        self._live = live
        self._shots_wanted = threading.Event()
        self._work = threading.Condition()
        self._films: dict[tuple[str, str], Film] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._develop, name="camera", daemon=True)
        self._thread.start()

    def after_turn(self) -> None:
        """Take the pictures that are wanted; called in the App's loop, so no drawing is under way."""
        screen = self._app.screen
        if screen is None:
            return
        films = {("frames", view): screen.pixels(view) for view in screen.frames_changed() if self._live}
        if self._shots_wanted.is_set():
            self._shots_wanted.clear()
            films |= {("screenshots", view): screen.pixels(view) for view in screen.outputs}
        if films:
            with self._work:
                self._films |= films
                self._work.notify()

    def shoot(self) -> None:
        """Keep a picture of each output, as it is after the next turn of the loop."""
        self._shots_wanted.set()

    def close(self) -> None:
        """Finish what was taken."""
        with self._work:
            self._closing = True
            self._work.notify()
        self._thread.join()

    # --- fingers ---------------------------------------------------------------------------------------------

    def touch(self, view: str, x: float, y: float) -> None:
        """A finger on a screen; x and y from 0 to 1."""
        if self._app.screen is not None:
            self._app.screen.post_touch(view, x, y)

    def key(self, name: str, down: bool) -> None:
        """A key of the keyboard."""
        if self._app.screen is not None:
            kind = pygame.KEYDOWN if down else pygame.KEYUP
            pygame.event.post(pygame.event.Event(kind, key=pygame.key.key_code(name)))

    # --- developing ------------------------------------------------------------------------------------------

    def _develop(self) -> None:
        while True:
            with self._work:
                self._work.wait_for(lambda: self._films or self._closing)
                if not self._films:
                    return
                key = next(iter(self._films))
                film = self._films.pop(key)
            kind, view = key
            self._save(film, self._folder / kind / file_name(view))
            self._parent.tell(say="frame" if kind == "frames" else "shot", view=view)

    def _save(self, film: Film, path: Path) -> None:
        fresh = path.with_name(f".{path.name}.part")
        # Little compression: encoding is cheap then, and the picture goes no further than to this computer's browser.
        Image.frombytes("RGB", *film).save(fresh, "png", compress_level=1)
        fresh.replace(path)
