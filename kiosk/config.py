# ruff: noqa: RUF009 - `key` is our `dataclasses.field`
"""kiosk.toml: hardware and network of this one device. Knows no office, no sentences, and opens no hardware.

The shipped defaults (kiosk/assets/kiosk.toml: the standard panel) lie under the device's own file; every wrong key and
every pin that is wanted twice is reported at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from kiosk.office import COUNTER_ID, ID
from kiosk.schema import Check, between, key, matches, one_of

FACE_KEYS = ("happy", "neutral", "unhappy")
LANGUAGES = tuple(
    sorted(file.name[:-5] for file in resources.files("kiosk.lang").iterdir() if file.name.endswith(".toml"))
)
ACTION = re.compile(
    r"take:(?P<service>[a-z0-9-]+)|priority|cancel"
    r"|rate:(?P<rated>[1-9]|1[0-6]):(?:happy|neutral|unhappy)|call:(?P<called>[1-9]|1[0-6])"
)
"""What a key can do; the same words everywhere in the product."""

BCM = between(2, 27)
FILE = "/etc/kiosk/kiosk.toml"

PIN: Check = Check("BCM 2–27 (0 and 1 belong to the HAT's memory)", BCM.ok)


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """Key of a service on the front panel."""

    pin: int | None = key("BCM number of the key", None, PIN)
    led: int | None = key("BCM number of its LED", None, PIN)


@dataclass(frozen=True, slots=True)
class PriorityKey:
    """The priority key."""

    pin: int | None = key("BCM number of the key", None, PIN)
    led: int | None = key("BCM number of its LED", None, PIN)


@dataclass(frozen=True, slots=True)
class CancelKey:
    """The key that takes the priority choice back."""

    pin: int | None = key("BCM number of the key", None, PIN)


@dataclass(frozen=True, slots=True)
class CounterKeys:
    """Keys and LEDs at a counter."""

    happy: int | None = key("BCM number of the key “happy”", None, PIN)
    neutral: int | None = key("BCM number of the key “neutral”", None, PIN)
    unhappy: int | None = key("BCM number of the key “unhappy”", None, PIN)
    happy_led: int | None = key("BCM number of the LED of “happy”", None, PIN)
    neutral_led: int | None = key("BCM number of the LED of “neutral”", None, PIN)
    unhappy_led: int | None = key("BCM number of the LED of “unhappy”", None, PIN)
    call: int | None = key("BCM number of the clerk's key: finish, then call; held = no-show", None, PIN)


@dataclass(frozen=True, slots=True)
class Buttons:
    """Keys of all kinds: GPIO, keyboard and USB keypads."""

    factory: str = key("where pins come from: the Pi, a mock, or nowhere", "gpio", one_of("gpio", "mock", "none"))
    bounce_s: float = key("seconds a level must be steady; above 0.03 quick taps get lost", 0.03, between(0, 0.1))
    lockout_s: float = key("seconds in which the same key is not taken again", 0.3, between(0, 5))
    stuck_s: float = key("seconds after which a held key is reported and ignored", 10.0, between(2, 60))
    hold_s: float = key("seconds that make a long press of a call key", 1.5, between(0.5, 5))
    stale_s: float = key("seconds after which a press that waited is dropped", 2.0, between(0.5, 30))
    buses: tuple[str, ...] = key(
        "buses used by other parts; their pins are taken", ("i2c",), one_of("i2c", "spi", "uart")
    )
    evdev: str = key("name of the USB keypad to read without a window, * allowed; empty = none", "")
    keyboard: Mapping[str, str] = key("key name → action", {})
    services: Mapping[str, ServiceKey] = key("keys of the services, by service id", {}, names=ID)
    priority: PriorityKey = key("the priority key", PriorityKey())
    cancel: CancelKey = key("the cancel key", CancelKey())
    counters: Mapping[str, CounterKeys] = key("keys at the counters, by counter id", {}, names=COUNTER_ID)


@dataclass(frozen=True, slots=True)
class Printer:
    """The slip printer and what it can do."""

    url: str = key("where the printer is", "file:/dev/kiosk-printer")
    paper_mm: int = key("width of the paper", 80, one_of(80, 58))
    fragment_rows: int = key("dot rows sent in one piece", 100, between(24, 800))
    pause_ms: int = key("pause after each piece, for cheap or Bluetooth printers", 0, between(0, 1000))
    cutter: bool = key("whether it cuts the paper", True)
    status: bool = key("whether it answers status questions", True)
    baud: int = key("speed of a serial line", 115200, one_of(9600, 19200, 38400, 57600, 115200, 230400))
    mm_per_s: int = key("paper speed; the print time is estimated with it", 100, between(20, 400))
    write_timeout_s: float = key("deadline of each write", 8.0, between(1, 60))
    job_expires_min: int = key("minutes after which a slip is no longer printed", 5, between(1, 60))

    @property
    def dots(self) -> int:
        """Dots in a row."""
        return 576 if self.paper_mm == 80 else 384


@dataclass(frozen=True, slots=True)
class Output:
    """One picture on one screen."""

    view: str = key("what it shows", "take", matches("take|board|rate:(?:[1-9]|1[0-6])", "take, board or rate:COUNTER"))
    size: str = key("size in pixels", "1920x1080", matches("[1-9][0-9]{2,3}x[1-9][0-9]{2,3}", "WIDTHxHEIGHT"))

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height."""
        width, height = self.size.split("x")
        return int(width), int(height)


@dataclass(frozen=True, slots=True)
class Screen:
    """Screens of the device."""

    enabled: bool = key("whether this device has a screen", True)
    blind_ok: bool = key("go on when no picture can be shown", False)
    fullscreen: bool = key("fill the whole screen", True)
    touch: bool = key("whether it is a touch screen: the hint then says “touch”", True)
    message_s: float = key("seconds that a message stays", 6.0, between(1, 60))
    outputs: tuple[Output, ...] = key("the pictures, the first on the first screen", (Output(),))


@dataclass(frozen=True, slots=True)
class Sync:
    """The commune server."""

    server: str = key("address of the commune server; empty = none", "")
    token_file: str = key("file with the device's token; empty = `token` in data_dir", "")
    ca_file: str = key("file with the certificate authority of the server; empty = the system's", "")
    allow_plain_http: bool = key("allow http:// beyond this machine; everybody on the way can read along", False)
    timeout_s: float = key("deadline of a request", 20.0, between(1, 120))
    heartbeat_s: int = key("seconds between signs of life when nothing happens", 300, between(30, 3600))


@dataclass(frozen=True, slots=True)
class Public:
    """What phones reach."""

    url: str = key("address in the QR code of the slip, no path; empty = no QR", "")


@dataclass(frozen=True, slots=True)
class Config:
    """All of kiosk.toml. `file` is where it was read, `given` the dotted keys that stood there."""

    device: str = key("id of the device; auto = made once and kept", "auto")
    data_dir: str = key("folder of the database", "/var/lib/kiosk")
    office: str = key("the office document; empty = the sample office", "")
    language: str = key("language of screens and slips", "vi", one_of(*LANGUAGES))
    log_level: str = key("what is logged", "info", one_of("debug", "info", "warning", "error"))
    buttons: Buttons = key("keys", Buttons())
    printer: Printer = key("slip printer", Printer())
    screen: Screen = key("screens", Screen())
    sync: Sync = key("commune server", Sync())
    public: Public = key("phone page", Public())
    file: str = field(default="", compare=False)
    given: frozenset[str] = field(default=frozenset(), compare=False)
