"""Pictures of the web pages: clerks' photos and the emblem made small, and the kiosk's own figures as SVG.

Only files that the office document names are ever read. A photo that cannot be read is a drawn person, as on the
kiosk's own screens. Addresses change with the content, so that a browser asks once.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kiosk import __version__
from kiosk.console import apart
from kiosk.programs import ProgramError
from kiosk.views import figures
from kiosk.views.figures import PERSON_FRAME, Point
from kiosk.views.model import FaceKind, Portrait, Tone
from kiosk.views.theme import THEMES, Rgb, Theme

SHRINK_S = 30.0
"""For each picture. The slowest takes a second of a PC."""
PERSONS = 60
"""So many drawn people differ."""
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of a file as it was at `stamp` (time of change and size); no `name` for one that cannot be shown."""

    stamp: tuple[int, int]
    name: str = ""
    data: bytes = b""


class Pictures:
    """Addresses of pictures, and the pictures. `look` comes before asking for the address of a file."""

    def __init__(self) -> None:
        self._files: dict[str, _Made] = {}
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[Route]:
        return [
            Route("/pictures/file/{name}", self._file),
            Route("/pictures/person/{variant:int}.svg", _person),
            Route("/pictures/face/{kind}/{theme}.svg", _face),
            Route("/pictures/sign/{tone}/{theme}.svg", _sign),
            Route("/pictures/people/{theme}.svg", _people),
            Route("/pictures/star.svg", _star),
        ]

    async def look(self, photos: Iterable[str], emblem: str = "") -> None:
        """Make what is new or was changed of these files small, off the event loop."""
        kinds = {**dict.fromkeys(photos, "photo"), emblem: "emblem"}
        if not self._fresh(kinds):
            return
        async with self._one_at_a_time:
            if stamps := self._fresh(kinds):  # another page may have had them made meanwhile
                pictures = await asyncio.to_thread(_small, {path: kinds[path] for path in stamps})
                self._files |= {path: _made(stamp, pictures.get(path, {})) for path, stamp in stamps.items()}

    def _fresh(self, paths: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Files that were not looked at as they are now, with their stamps."""
        stamps = {path: _stamp(path) for path in paths if path}
        return {path: stamp for path, stamp in stamps.items() if _stamp_of(self._files.get(path)) != stamp}

    def portrait(self, portrait: Portrait) -> str:
        """The address of a clerk's photo, or of a drawn person."""
        made = self._files.get(portrait.path)
        if made and made.name:
            return f"/pictures/file/{made.name}"
        return f"/pictures/person/{portrait.variant % PERSONS}.svg?v={__version__}"

    def emblem(self, path: str) -> str:
        """The address of the office's emblem, or of a star."""
        made = self._files.get(path)
        return f"/pictures/file/{made.name}" if made and made.name else f"/pictures/star.svg?v={__version__}"

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        made = next((made for made in self._files.values() if made.name == name), None)
        if made is None or not made.name:
            raise HTTPException(404)
        kind = "image/jpeg" if name.endswith(".jpg") else "image/png"
        return Response(made.data, headers=FOREVER, media_type=kind)


def _stamp_of(made: _Made | None) -> tuple[int, int] | None:
    return made.stamp if made else None


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return (0, -1)
    return found.st_mtime_ns, found.st_size


def _small(kinds: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What `shrinking` makes of each file. One that ends the process spoils no other, and is left out."""
    asked = [{"do": kind, "path": path} for path, kind in kinds.items()]
    try:
        pictures = dict(zip(kinds, apart.ask("kiosk.console.shrinking", asked, SHRINK_S * len(asked)), strict=True))
    except ProgramError as error:
        if len(kinds) > 1:
            return {path: found for path, kind in kinds.items() for found in _small({path: kind}).values()}
        logger.warning("%s cannot be made small (%s); a drawn one is shown", *kinds, error)
        return {}
    for problem in (picture["says"] for picture in pictures.values() if "reason" in picture):
        logger.warning("%s; a drawn one is shown", problem)
    return pictures


def _made(stamp: tuple[int, int], picture: Mapping[str, str]) -> _Made:
    if "data" not in picture:
        return _Made(stamp)
    data = base64.b64decode(picture["data"])
    return _Made(stamp, f"{hashlib.sha256(data).hexdigest()[:16]}.{picture['ending']}", data)


# --- the kiosk's figures ---


class SvgPen:
    """A pen (`figures.Pen`) that writes SVG shapes."""

    def __init__(self) -> None:
        self._shapes: list[str] = []

    def circle(self, colour: Rgb, x: float, y: float, radius: float) -> None:
        self._shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{css(colour)}"/>')

    def ellipse(self, colour: Rgb, x: float, y: float, rx: float, ry: float) -> None:
        self._shapes.append(f'<ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}" fill="{css(colour)}"/>')

    def box(self, colour: Rgb, x: float, y: float, w: float, h: float, radius: float = 0) -> None:
        at = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius:g}"'
        self._shapes.append(f'<rect {at} fill="{css(colour)}"/>')

    def top_box(self, colour: Rgb, x: float, y: float, w: float, h: float, radius: float) -> None:
        corner = f"{radius:g} {radius:g} 0 0 1"
        path = f"M{x:g} {y + h:g}v{radius - h:g}a{corner} {radius:g} {-radius:g}h{w - 2 * radius:g}"
        self._shapes.append(f'<path d="{path}a{corner} {radius:g} {radius:g}v{h - radius:g}z" fill="{css(colour)}"/>')

    def poly(self, colour: Rgb, points: Sequence[Point]) -> None:
        self._shapes.append(f'<polygon points="{_points(points)}" fill="{css(colour)}"/>')

    def line(self, colour: Rgb, points: Sequence[Point], width: float) -> None:
        look = f'stroke="{css(colour)}" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
        self._shapes.append(f'<polyline points="{_points(points)}" fill="none" {look}/>')

    def shapes(self) -> str:
        """All that was drawn, on a square of 100 × 100."""
        return "".join(self._shapes)


def css(colour: Rgb) -> str:
    """The colour as pages write it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _svg(shapes: str) -> Response:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="256" height="256">{shapes}</svg>'
    return Response(text, headers=FOREVER, media_type="image/svg+xml")


async def _person(request: Request) -> Response:
    variant, pen = request.path_params["variant"] % PERSONS, SvgPen()
    figures.draw_person(pen, variant)
    light, deep = figures.person_ground(variant)
    left, top, scale = PERSON_FRAME
    ground = (
        f'<linearGradient id="g" x2="0" y2="1"><stop stop-color="{css(light)}"/>'
        f'<stop offset="1" stop-color="{css(deep)}"/></linearGradient><rect width="100" height="100" fill="url(#g)"/>'
    )
    return _svg(f'{ground}<g transform="translate({100 * left:g} {100 * top:g}) scale({scale})">{pen.shapes()}</g>')


async def _face(request: Request) -> Response:
    kind, theme, pen = request.path_params["kind"], _theme(request), SvgPen()
    if kind not in get_args(FaceKind):
        raise HTTPException(404)
    figures.draw_face(pen, kind, theme)
    return _svg(pen.shapes())


async def _sign(request: Request) -> Response:
    tone, theme, pen = request.path_params["tone"], _theme(request), SvgPen()
    if tone not in get_args(Tone):
        raise HTTPException(404)
    figures.draw_tone(pen, tone, theme)
    return _svg(pen.shapes())


async def _people(request: Request) -> Response:
    theme, pen = _theme(request), SvgPen()
    figures.draw_icon(pen, "people", theme.muted, theme.card)
    return _svg(pen.shapes())


async def _star(request: Request) -> Response:
    theme, pen = THEMES["standard"], SvgPen()
    pen.circle(theme.red, 50, 50, 50)
    pen.poly(theme.star, figures.star_points((50, 52), 34))
    return _svg(pen.shapes())


def _theme(request: Request) -> Theme:
    theme = THEMES.get(request.path_params["theme"])
    if theme is None:
        raise HTTPException(404)
    return theme
