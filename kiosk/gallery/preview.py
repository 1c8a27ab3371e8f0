"""What citizens would see by an office document that is not in force yet: the take-a-number screen and a slip, as PNG.

The console runs it as a process of its own (`python -m kiosk.gallery.preview`), so that what drawing needs of memory is
given back whole. It draws by this device's kiosk.toml: screen, theme, keys, paper. Nothing of the device is touched.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from PIL import Image

from kiosk import typeset
from kiosk.clock import SITE_TIME
from kiosk.config import Config, load_config, panel_keys
from kiosk.gallery.pictures import Painter, looks
from kiosk.gallery.scene import Scene
from kiosk.office import Office
from kiosk.present.slips import slip_content
from kiosk.present.take import key_marks
from kiosk.setup import words
from kiosk.showing import Showing
from kiosk.slip import render
from kiosk.store.spool import SlipFacts

USUAL_SIZE = (1280, 800)
"""Of a device whose own screens do not show the view."""


def main(arguments: Sequence[str]) -> int:
    """Document on standard input, NAME.png into a folder; exit status 1 and one line when it cannot be drawn."""
    parser = argparse.ArgumentParser(prog="preview")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config")
    options = parser.parse_args(arguments)
    try:
        office = Office.from_json(sys.stdin.buffer.read(), "")
        pictures = draw(load_config(options.config), office, options.folder / "day", datetime.now(SITE_TIME).date())
        for name, picture in pictures.items():
            picture.save(options.folder / f"{name}.png")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def draw(config: Config, office: Office, folder: Path, day: date) -> Mapping[str, Image.Image]:
    """`take` and, where slips are printed, `slip`, on the office's first working morning from `day` on.

    `folder` is made and left to the caller. Raises ValueError for an office that does not open for long.
    """
    typeset.use(_fonts(config))
    folder.mkdir()
    scene = Scene(office, words(config, office), folder, day)
    try:
        for desk in office.counters:
            scene.store.counters.open(scene.now, desk.id)
        scene.come()
        pictures = {"take": _take(config, scene)}
        return pictures | ({"slip": _slip(config, scene)} if config.printer.url != "none" else {})
    finally:
        scene.close()


def _take(config: Config, scene: Scene) -> Image.Image:
    screen, look = config.screen, scene.office.look
    marks = {} if screen.touch else key_marks(scene.words, panel_keys(config))
    view = Showing(scene.store, scene.front, scene.words, touch=screen.touch, marks=marks).take(scene.now, ())
    size = next((output.pixels for output in screen.outputs if output.view == "take"), USUAL_SIZE)
    theme = looks(look.colour, look.accent)[screen.theme]
    painter = Painter({screen.theme: theme}, _fonts(config))
    try:
        return painter.picture(view, size, screen.theme)
    finally:
        painter.close()


def _slip(config: Config, scene: Scene) -> Image.Image:
    """Of the first service that gives numbers; there is none on a day on which none does."""
    services = scene.office.services
    service = next((one for one in services if one.offered(scene.day)), services[0])
    issued = scene.store.issuing.issue(scene.now, service.id, by="staff")
    facts = SlipFacts(issued.ticket, issued.ahead, issued.wait, False)
    return render(slip_content(scene.words, facts), config.printer.dots)


def _fonts(config: Config) -> Sequence[Path]:
    return [Path(font) for font in config.screen.fonts]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
