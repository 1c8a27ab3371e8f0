"""Sheets that are no slips: the calibration, the console's address, and the diagnosis for a technician's phone.

The diagnosis is asked for by two keys of the panel, or two hands on the glass, that are held together: no page, no
keyboard and no PIN is needed, and its code says the same to whoever gets the photo.
"""

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from kiosk import __version__, vitals
from kiosk.addresses import own_url
from kiosk.clock import Moment
from kiosk.column import Column, Style, paint
from kiosk.config import Config
from kiosk.store import Store
from kiosk.store.facts import device_id
from kiosk.symbol import qr
from kiosk.texts import Texts
from kiosk.tickets import Refused

if TYPE_CHECKING:
    from kiosk.findings import Finding

DIAGNOSIS, CONSOLE, STICK = "diagnosis", "console-sheet", "stick"
"""Kinds of the printer's orders; any other kind is the calibration."""
PANEL = ("take", "priority", "cancel", "language", "")
"""What keys of the panel do; "" is a finger beside all that can be touched."""
GIVEN_S = 9.0
"""A number that came out so short a time before was given by what is held."""
MOST_CODE = 300
"""Letters in the code: what a phone still reads from 58 mm paper."""

HEAD = Style("Bold", 34, 27)
TEXT = Style("Medium", 23, 21)
PART = Style("Bold", 24, 22)


def diagnose(store: Store, t: Texts, now: Moment, actions: Sequence[str]) -> bool:
    """Ask for the diagnosis if both are of the panel, and cancel the numbers that they gave. Raises StoreError."""
    if not all(action.partition(":")[0] in PANEL for action in actions):
        return False
    services = {action.partition(":")[2] for action in actions}
    for ticket in store.issuing.just_pressed(now, services, GIVEN_S):
        try:
            store.counters.cancel(now, ticket, t("test_sheet.diagnosis"), "waiting")
        except Refused:
            continue  # somebody called it already
    store.orders.give(now, "printer", DIAGNOSIS, by="keys")
    return True


def draw(kind: str, config: Config, t: Texts, width: int, data: str = "") -> Image.Image:
    """The sheet as a picture in mode "1", `width` dots wide; `data` is what the order says beside its kind."""
    if kind == DIAGNOSIS:
        from kiosk.check import look  # only now: it knows all parts

        name = device_id(Path(config.data_dir), config.device)
        return diagnosis(name, list(look(config, None, t)), t, width)
    if kind == CONSOLE:
        return console(own_url(config.console.scheme, config.console.port), t, width)
    if kind == STICK:
        return stick(data.splitlines(), t, width)
    from kiosk.calibration import calibration

    return calibration(width)


def console(url: str, t: Texts, width: int) -> Image.Image:
    """The address of the pages for staff, with its code: the slip that ends an installation."""
    column = Column(width)
    column.text("title", t("test_sheet.console"), HEAD, 0)
    column.art("qr", qr(url.upper(), width), 20)
    column.text("url", url, PART, 12)
    column.text("how", t("test_sheet.console_how"), TEXT, 16)
    column.text("version", f"kiosk {__version__}", TEXT, 16)
    return paint(column.layout())


def stick(lines: Sequence[str], t: Texts, width: int) -> Image.Image:
    """What became of a stick that was plugged in, and that it may be pulled out."""
    column = Column(width)
    column.text("title", "USB", HEAD, 0)
    for line in lines:
        column.text("line", line, TEXT, 12)
    column.text("out", t("test_sheet.stick_out"), PART, 20)
    return paint(column.layout())


def diagnosis(name: str, found: Sequence["Finding"], t: Texts, width: int) -> Image.Image:
    """Of the kiosk of this name: what is wrong first, with what to do, then the rest; the code says the same."""
    from kiosk.findings import title

    column = Column(width)
    column.text("title", t("test_sheet.diagnosis"), HEAD, 0)
    column.text("name", f"{name} · {__version__}", TEXT, 10)
    column.text("versions", versions(vitals.board(), vitals.system()), TEXT, 8)
    told = sorted((one for one in found if one.note or not one.ok), key=lambda one: one.ok)
    for finding in told:
        mark = t("check.note" if finding.note else "check.wrong")
        column.text("part", f"{mark} · {title(finding.part, t)}", PART, 18)
        column.text("says", finding.line, TEXT, 8)
        if finding.advice:
            column.text("advice", f"→ {finding.advice}", TEXT, 8)
    fine = dict.fromkeys(title(one.part, t) for one in found if one not in told)
    if fine:
        column.text("part", t("check.ok"), PART, 18)
        column.text("fine", ", ".join(fine), TEXT, 8)
    column.art("qr", qr(code(name, found), width), 20)
    column.text("photo", t("test_sheet.photo"), TEXT, 14)
    return paint(column.layout())


def versions(board: str, system: str) -> str:
    """On what the program runs, as `kiosk collect` says it: board, operating system, kernel and Python."""
    parts = (board, system, f"Linux {platform.release()}", f"Python {platform.python_version()}")
    return " · ".join(filter(None, parts))


def code(name: str, found: Sequence["Finding"]) -> str:
    """The same for a machine, as `KIOSK K-7F3K2M 0.4.0 BAD PRINTER:ABSENT NOTE SOUND:NO-CARD OK OFFICE FONT`.

    In the letters of QR's alphanumeric mode, which makes the symbol smaller.
    """
    words = ["KIOSK", name, __version__]
    for heading, those in (
        ("BAD", [one for one in found if not one.ok]),
        ("NOTE", [one for one in found if one.ok and one.note]),
        ("OK", [one for one in found if one.ok and not one.note]),
    ):
        parts = dict.fromkeys(f"{one.part}:{one.code}" if one.code else one.part for one in those)
        words += [heading, *parts] if parts else []
    return " ".join(words).upper().replace("_", "-")[:MOST_CODE]
