"""Photos that people put beside the office document: any usual picture file as a small square, or why it is none.

A file may be broken, huge, turned on its side, or no picture at all; nothing of that may stop or fill a kiosk. Knows no
office and no screen. Made for one thread: Pillow's warnings are caught by a switch of the whole process.
"""

import hashlib
import io
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image, UnidentifiedImageError

Rgb = tuple[int, int, int]

GROUND: Rgb = (206, 226, 249)
"""What shows through where a picture is transparent, unless another colour is asked for."""
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
"""No more: some of Pillow's other readers start programs."""
MOST_DOTS = 50_000_000
"""A JPEG is unpacked at a fraction of its size, so even the largest telephone's picture is cheap."""
MOST_WHOLE = 4_000_000
"""What can only be unpacked as a whole takes 0.2 s of a PC here, far more of a Pi, and nobody is served meanwhile."""
SPARE = 8
"""Times as many dots each way as are wanted: more of them change nothing that can be seen."""
MOST_BYTES = 100_000_000
"""Some readers take in the whole file."""
KEPT_SIDE = 800
"""Longest side of a kept picture: a portrait fills at most half the height of a screen."""
HEAD = 1 / 3
"""How far from the top of an upright portrait the middle of the head is."""

_ORIENTATION = 0x0112
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow's readers raise on damaged files, found by damaging some.
_DAMAGE = (OSError, ValueError, ArithmeticError, LookupError, TypeError, SyntaxError, EOFError, struct.error)


class PhotoError(ValueError):
    """A file that cannot be shown. `reason` is missing, no_picture, damaged, too_large or colours."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def open_photo(path: str | Path, side: int, ground: Rgb = GROUND) -> Image.Image:
    """The photo as a square of `side` dots (RGB) that keeps the head: upright on its EXIF, cut, and on `ground`.

    Raises PhotoError.
    """
    whole = _upright(path, side)
    clear = whole.crop(square(whole.size))
    plain = Image.new("RGB", clear.size, ground)
    plain.paste(clear, mask=clear)
    return plain.resize((side, side), Image.Resampling.LANCZOS)


def open_emblem(path: str | Path, side: int) -> Image.Image:
    """The emblem as a whole (RGBA), at most `side` dots wide and high; transparent parts stay so.

    Raises PhotoError.
    """
    whole = _upright(path, side)
    whole.thumbnail((side, side), Image.Resampling.LANCZOS)
    return whole


def copy_in(source: Path, folder: Path, name: str = "") -> str:
    """Keep a picture in the folder, no larger than any screen shows it; returns its name there.

    Without a `name` it gets one by its content, so that another picture never hides behind the same name. Raises
    PhotoError, FileNotFoundError when there is no such file, OSError when it cannot be kept.
    """
    if not source.exists():
        raise FileNotFoundError(source)
    picture = _upright(source, KEPT_SIDE)
    picture.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    clear = picture.getchannel("A").getextrema() != (255, 255)
    data = io.BytesIO()
    if clear:
        picture.save(data, "PNG")
    else:
        picture.convert("RGB").save(data, "JPEG", quality=88)
    content = data.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    kept = name or f"{hashlib.sha256(content).hexdigest()[:16]}.{'png' if clear else 'jpg'}"
    part = folder / f".{kept}.part"
    part.write_bytes(content)
    part.replace(folder / kept)
    return kept


def _upright(path: str | Path, side: int) -> Image.Image:
    """The whole picture (RGBA) as the camera was held, with no more dots than `side` wanted ones can show."""
    with _opened(path) as picture:
        _check_size(picture, path)
        picture.draft(None, (2 * side, 2 * side))
        picture.load()
        turn, coarse = _turn(picture), _coarse(picture, side * SPARE)
        return _clear(coarse if turn is None else coarse.transpose(turn), path)


def square(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part to show (left, top, right, bottom): of an upright picture around the head, of a wide one the middle."""
    width, height = size
    edge = min(size)
    left = (width - edge) // 2
    top = min(max(round(height * HEAD - edge / 2), 0), height - edge)
    return left, top, left + edge, top + edge


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    with _file(path) as file:
        try:
            with Image.open(file, formats=FORMATS) as picture:
                yield picture
        except PhotoError:
            raise
        except UnidentifiedImageError as error:
            raise PhotoError("no_picture", f"{path} is no picture: save it as JPEG or PNG") from error
        # A warning is raised where a program makes errors of warnings; else the size is judged from the header.
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(path) from error
        except _DAMAGE as error:
            raise PhotoError("damaged", f"{path} is damaged ({error}): copy it again") from error


def _file(path: str | Path) -> BinaryIO:
    """The opened file. O_NONBLOCK: opening a pipe would wait for somebody to write into it."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise PhotoError("missing", f"{path} cannot be opened ({why}): copy it beside the office document") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise PhotoError("no_picture", f"{path} is no file: save the picture as JPEG or PNG")
    if os.fstat(number).st_size > MOST_BYTES:
        os.close(number)
        raise PhotoError("too_large", f"{path} is larger than {MOST_BYTES // 10**6} MB: save it as JPEG")
    return os.fdopen(number, "rb")


def _check_size(picture: Image.Image, path: str | Path) -> None:
    """By the header, before anything is unpacked: a small file may hold gigabytes."""
    most = MOST_WHOLE
    # A progressive JPEG is kept whole while it is unpacked, however small it is wanted.
    if picture.format in ("JPEG", "MPO") and not picture.info.get("progressive"):
        most = MOST_DOTS
    if picture.width * picture.height > most:
        raise _too_large(path)


def _too_large(path: str | Path) -> PhotoError:
    limits = f"{MOST_DOTS // 10**6} million as a JPEG that is not progressive, else {MOST_WHOLE // 10**6}"
    return PhotoError("too_large", f"{path} has too many dots: make it smaller, at most {limits} million")


def _coarse(picture: Image.Image, enough: int) -> Image.Image:
    """Without the dots that are too many, so that turning millions of them into RGB costs no memory."""
    times = min(picture.size) / enough
    if times <= 1:
        return picture
    size = round(picture.width / times), round(picture.height / times)
    return picture.resize(size, Image.Resampling.NEAREST)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """How the camera was held; a damaged EXIF block says nothing."""
    try:
        return _TURNED.get(picture.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return None


def _clear(picture: Image.Image, path: str | Path) -> Image.Image:
    """RGBA, whatever kind of colours it has."""
    try:
        return (_eight_bits(picture) if picture.mode.startswith(("I", "F")) else picture).convert("RGBA")
    except ValueError as error:
        raise PhotoError("colours", f"{path} has colours of the kind {picture.mode}: save it as RGB") from error


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey in 8 or 16 bits as it is; other depths from the darkest to the lightest that is there."""
    deep = picture if picture.mode == "F" else picture.convert("I").convert("F")
    low, high = cast(tuple[float, float], deep.getextrema())
    if picture.mode != "F" and 0 <= low <= high <= 0xFFFF:
        low, high = 0, 0xFF if picture.mode == "I" and high <= 0xFF else 0xFFFF
    scale = 255 / (high - low) if high > low else 0
    return deep.point(lambda value: value * scale - low * scale).convert("L")
