"""Pictures made small, as a process of its own (`apart`): Pillow takes 5 to 10 MB, and a picture that ends its reader
ends nothing else.

Each thing asked is {"do": "photo" | "emblem" | "keep", "path": file, "folder": for "keep"}. Answered are, in the same
order, the "ending" and "data" (base64) of the small picture, the "name" that is kept in the folder, or, of a file that
cannot be shown, the "reason" of PhotoError and what it "says".
"""

import base64
import sys
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from kiosk.console.apart import answer
from kiosk.photos import PhotoError, copy_in, open_emblem, open_photo
from kiosk.views.figures import person_ground

PHOTO_SIDE = 256
EMBLEM_SIDE = 192


def work(asked: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """One thing after the other."""
    return [_done(one) for one in asked]


def _done(one: Mapping[str, str]) -> dict[str, str]:
    try:
        return DO[one["do"]](one)
    except PhotoError as problem:
        return {"reason": problem.reason, "says": str(problem)}


def _photo(one: Mapping[str, str]) -> dict[str, str]:
    file = BytesIO()
    open_photo(one["path"], PHOTO_SIDE, person_ground(0)[0]).save(file, "JPEG", quality=88)
    return _picture("jpg", file)


def _emblem(one: Mapping[str, str]) -> dict[str, str]:
    file = BytesIO()
    open_emblem(one["path"], EMBLEM_SIDE).save(file, "PNG")
    return _picture("png", file)


def _picture(ending: str, file: BytesIO) -> dict[str, str]:
    return {"ending": ending, "data": base64.b64encode(file.getvalue()).decode()}


def _keep(one: Mapping[str, str]) -> dict[str, str]:
    return {"name": copy_in(Path(one["path"]), Path(one["folder"]))}


DO: dict[str, Callable[[Mapping[str, str]], dict[str, str]]] = {"photo": _photo, "emblem": _emblem, "keep": _keep}


if __name__ == "__main__":
    sys.exit(answer(work))
