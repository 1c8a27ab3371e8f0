"""Views and slips as picture files, each with a small one for the index. Knows pixels and names; no office, no words.

Pictures are independent of each other, so several processes draw them. A job is one view in one size, and jobs of one
size follow each other, because letters and shapes are kept per size.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path

from PIL import Image

from kiosk.slip import SlipContent, render
from kiosk.views.canvas import Frame, Kit
from kiosk.views.draw import regions
from kiosk.views.model import View
from kiosk.views.text import Typesetter
from kiosk.views.theme import THEMES, Theme, in_office_colours

# isort: split
# After the views: their package silences pygame's greeting.
import pygame

SIZES = ("1920x1080", "1280x800", "1024x600", "800x480", "1080x1920")
SMALL = "thumbs"
"""Folder of the small pictures."""
SMALL_BOX = (320, 240)
LEVEL = 2
"""Of PNG's compression: more costs twice the time and saves a twelfth."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One file, `name`, and the size in pixels of its small one."""

    name: str
    width: int
    height: int

    @property
    def small(self) -> str:
        return f"{SMALL}/{Path(self.name).stem}.jpg"


@dataclass(frozen=True, slots=True)
class Job:
    """One view in one size, in some themes and languages: (theme, language, view)."""

    view: str
    size: str
    drawn: tuple[tuple[str, str, View], ...]

    @property
    def pixels(self) -> tuple[int, int]:
        width, height = self.size.split("x")
        return int(width), int(height)


def file_name(view: str, size: str, theme: str, language: str) -> str:
    """VIEW-SIZE-THEME-LANG.png."""
    return f"{view}-{size}-{theme}-{language}.png"


class Painter:
    """Draws views, one after the other, with what it has kept of those before."""

    def __init__(self, looks: Mapping[str, Theme] = THEMES, fonts: Sequence[Path] = ()) -> None:
        pygame.font.init()
        self._kits = {name: Kit(theme) for name, theme in looks.items()}
        for kit in self._kits.values():
            kit.type = Typesetter(fonts)

    def close(self) -> None:
        """Give the fonts back."""
        for kit in self._kits.values():
            kit.type.close()
        pygame.font.quit()

    def draw(self, folder: Path, job: Job) -> list[Picture]:
        """Write the job's pictures into a folder. Raises OSError."""
        return [
            save(folder, file_name(job.view, job.size, name, language), self.picture(view, job.pixels, name))
            for name, language, view in job.drawn
        ]

    def picture(self, view: View, size: tuple[int, int], name: str) -> Image.Image:
        """The view as drawn in a theme, as a picture."""
        return Image.frombytes("RGB", size, pygame.image.tobytes(self.frame(view, size, name).surface, "RGB"))

    def frame(self, view: View, size: tuple[int, int], name: str) -> Frame:
        """The view as drawn in a theme."""
        kit = self._kits[name]
        frame = Frame(kit, size)
        frame.show(regions(view, size, kit.theme))
        return frame


def save(folder: Path, name: str, image: Image.Image) -> Picture:
    """Write a picture and its small one. Raises OSError."""
    image.save(folder / name, compress_level=LEVEL)
    small = image.convert("RGB")
    small.thumbnail(SMALL_BOX, reducing_gap=2.0)
    picture = Picture(name, *small.size)
    small.save(folder / picture.small, quality=85)
    return picture


def save_slip(folder: Path, name: str, language: str, content: SlipContent, dots: int) -> Picture:
    """Write a slip as the printer gets it: NAME-DOTS-LANG.png. Raises OSError."""
    return save(folder, f"{name}-{dots}-{language}.png", render(content, dots))


def looks(colour: str, accent: str) -> dict[str, Theme]:
    """All themes in an office's own colours."""
    return {name: in_office_colours(theme, colour, accent) for name, theme in THEMES.items()}


def draw_all(
    folder: Path, jobs: Sequence[Job], looks: Mapping[str, Theme], fonts: Sequence[Path] = ()
) -> Iterator[tuple[Job, list[Picture]]]:
    """Each job with its pictures as soon as it is done, in the order of the jobs. Raises OSError.

    `fonts` are files for letters that the kiosk's own font lacks.
    """
    processes = min(len(os.sched_getaffinity(0)), len(jobs))
    if processes <= 1:
        painter = Painter(looks, fonts)
        yield from ((job, painter.draw(folder, job)) for job in jobs)
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (folder, looks, fonts))
    try:
        yield from zip(jobs, pool.map(_draw, jobs), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


# --- in a process of its own ---------------------------------------------------------------------------------

_draw_here: Callable[[Job], list[Picture]]


def _begin(folder: Path, looks: Mapping[str, Theme], fonts: Sequence[Path]) -> None:
    global _draw_here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the one who waits for us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _draw_here = partial(Painter(looks, fonts).draw, folder)


def _end_with_parent() -> None:
    """A pool's process that lost its parent would wait for work for ever."""
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _draw(job: Job) -> list[Picture]:
    return _draw_here(job)
