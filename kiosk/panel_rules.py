"""Keys and pins in kiosk.toml: what a key can do, which pins there are, and what of them does not fit together.

Each rule reports to the reader where its mistake stands. It reads no file and opens no pin; what a key of the file
alone may be is declared in `config`.
"""

import re
from typing import TYPE_CHECKING, Any

from kiosk import schema
from kiosk.office import FACES
from kiosk.schema import Place, Reader, near

if TYPE_CHECKING:
    from kiosk.config import Buttons

PINS = range(2, 28)
"""BCM numbers of the 26 pins on a Pi's header; 0 and 1 belong to the memory of add-on boards."""
BUSES = {"i2c": (2, 3), "spi": (7, 8, 9, 10, 11), "uart": (14, 15)}

ACTION = re.compile(
    r"take:(?P<service>[a-z0-9-]+)|priority|cancel|language"
    rf"|(?:rate:(?P<rated>[1-9]|1[0-6]):(?:{'|'.join(FACES)}))|(?:call:(?P<called>[1-9]|1[0-6]))"
)
"""What a key can do, in the words that the whole product uses."""

KEY_NAMES = frozenset(
    [*"abcdefghijklmnopqrstuvwxyz0123456789-=[];',./`\\"]
    + [f"[{sign}]" for sign in "0123456789./*-+"]
    + [f"f{number}" for number in range(1, 25)]
    + [f"button {number}" for number in range(1, 17)]
    + [f"gamepad {number}" for number in range(1, 16)]
    + [f"{side} {name}" for side in ("left", "right") for name in ("ctrl", "shift", "alt")]
    + ["escape", "return", "enter", "equals", "space", "tab", "backspace", "up", "down", "left", "right"]
    + ["insert", "delete", "home", "end", "page up", "page down", "caps lock", "numlock", "scroll lock"]
)
"""Names of keys as pygame gives them ("[1]" is the 1 of the number pad), and buttons of joystick-like encoders."""


def check_key(name: str, action: str, reader: Reader) -> None:
    """Report a key of the keyboard that there is not, or that is to do what no key can."""
    place = ("buttons", "keyboard", name)
    if name not in KEY_NAMES:
        reader.add(place, "there is no such key.", "no_key", gan=near(name, KEY_NAMES))
    elif not ACTION.fullmatch(action):
        only = f"take:SERVICE, priority, cancel, language, rate:COUNTER:FACE ({', '.join(FACES)}), call:COUNTER"
        reader.refuse(place, action, only)


def claims(buttons: "Buttons") -> list[tuple[int, Place]]:
    """Every wish for a pin: BCM number, and who wants it."""
    parts: list[tuple[Place, Any]] = [(("services", name), part) for name, part in buttons.services.items()]
    parts += [((name,), getattr(buttons, name)) for name in ("priority", "cancel", "language")]
    parts += [(("counters", name), part) for name, part in buttons.counters.items()]
    wishes = [
        (getattr(part, f.name), ("buttons", *place, f.name)) for place, part in parts for f in schema.keys(type(part))
    ]
    return [(pin, place) for pin, place in wishes if pin is not None]


def check_pins(buttons: "Buttons", reader: Reader) -> None:
    """Report pins that are wanted twice, that belong to a bus, or that are more than a Pi has."""
    wanted = claims(buttons)
    taken = {pin: bus for bus in buttons.buses for pin in BUSES.get(bus, ())}
    room = len(PINS) - len(taken)
    if len(wanted) > room:
        more = len(wanted) - room
        says = f"{len(wanted)} pins are wanted and {room} are free: move {more} to a USB keypad or a tablet"
        reader.add(("buttons",), says, "pins", can=len(wanted), con=room, chuyen=more)
    free = ", ".join(str(pin) for pin in PINS if pin not in taken and pin not in dict(wanted)) or "–"
    for pin in PINS:
        places = [place for wish, place in wanted if wish == pin]
        for place in places if pin in taken else []:
            says = f"BCM {pin} belongs to the {taken[pin]} bus (see buses). Free: {free}."
            reader.add(place, says, "pin_bus", chan=pin, bus=taken[pin], con=free)
        if len(places) > 1 and pin not in taken:
            who = " & ".join(".".join(map(str, place[1:])) for place in places)
            says = f"BCM {pin} is wanted by {who}, but a pin has one job. Free: {free}."
            reader.add(places[-1], says, "pin_twice", chan=pin, phim=who, con=free)
