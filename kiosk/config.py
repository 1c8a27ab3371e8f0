# ruff: noqa: RUF009 - `key` is our `dataclasses.field`
"""kiosk.toml: hardware and network of this one device. Knows no office, no sentences, and opens no hardware.

The shipped defaults (kiosk/assets/kiosk.toml: the standard panel) lie under the device's own file; every wrong key and
every pin that is wanted twice is reported at once.
"""

import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiosk import documents, panel_rules
from kiosk.office import COUNTER_ID, ID
from kiosk.panel_rules import BUSES, PINS
from kiosk.schema import Check, Reader, between, key, matches, one_of

FILE = "/etc/kiosk/kiosk.toml"
DATA_DIR = "/var/lib/kiosk"
CHOSEN = "chosen.toml"
"""File in `data_dir` with what the guided set-up chose; kiosk.toml goes before it."""
ENROLLED = "enrolled.toml"
"""File in `data_dir` with the server that `kiosk enrol` joined; kiosk.toml goes before it."""
LANGUAGES = tuple(sorted(f.name[:-5] for f in resources.files("kiosk.lang").iterdir() if f.name.endswith(".toml")))
THEMES = ("standard", "large", "contrast", "contrast-large")
WIRING = frozenset({"services", "priority", "cancel", "language", "counters"})
"""Tables of [buttons] that name pins. A file that has one of them describes its whole panel."""

PIN = Check("a BCM number from 2 to 27", lambda pin: pin in PINS)
LANGUAGE = matches(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", "codes of languages, as vi, en or km")
DEVICE = matches("[A-Za-z0-9][A-Za-z0-9-]{2,31}", "auto, or 3 to 32 letters, digits and hyphens")
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
PRINTER_URL = matches(
    r"none|file:/\S+|tcp://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|serial:/\S+|usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}",
    "none, file:/dev/usb/lp0, tcp://HOST:9100, serial:/dev/ttyUSB0 or usb:04b8:0e15",
    "printer_url",
)


def _web(path: str) -> Callable[[str], bool]:
    """Whether a text is empty or a web address with such a path, a sound host and a sound port."""

    def ok(value: str) -> bool:
        try:
            return not value or (
                re.fullmatch(rf"https?://{HOST}{path}", value) is not None and urlsplit(value).port != 0
            )
        except ValueError:
            return False

    return ok


ADDRESS = matches(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]+", "an IP address")
HOST_NAME = matches(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", "a name in lower-case letters, as kiosk.example")
SERVER = Check("empty, or https://HOST, without a name or password in it", _web(r"(?:/[^\s?#@]*)?"))
PUBLIC = Check("empty, or https://HOST without a path", _web(""))


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
class LanguagePin:
    """The key to the next language."""

    pin: int | None = key("BCM number of the key", None, PIN)
    led: int | None = key("BCM number of its LED", None, PIN)


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
    bounce_s: float = key("seconds that a level must be steady; above 0.03 quick taps get lost", 0.03, between(0, 0.1))
    lockout_s: float = key("seconds in which the same key is not taken again", 0.3, between(0, 5))
    stuck_s: float = key("seconds after which a held key is reported and ignored", 10.0, between(2, 60))
    hold_s: float = key("seconds that make a long press of a call key", 1.5, between(0.5, 5))
    stale_s: float = key("seconds after which a press that waited is dropped", 2.0, between(0.5, 30))
    buses: tuple[str, ...] = key("buses that other parts use, so that their pins are taken", ("i2c",), one_of(*BUSES))
    evdev: str = key("name of the USB keypad to read without a window, * allowed; empty = none", "")
    keyboard: Mapping[str, str] = key("key name → action; shipped for the sample office", {})
    services: Mapping[str, ServiceKey] = key(
        "keys of the services, by service id; shipped for the sample office", {}, names=ID
    )
    priority: PriorityKey = key("the priority key", PriorityKey())
    cancel: CancelKey = key("the cancel key", CancelKey())
    language: LanguagePin = key("the language key", LanguagePin())
    counters: Mapping[str, CounterKeys] = key(
        "keys at the counters, by counter id; shipped for 1 and 2", {}, names=COUNTER_ID
    )


@dataclass(frozen=True, slots=True)
class Printer:
    """The slip printer and what it can do."""

    url: str = key("where the printer is", "file:/dev/kiosk-printer", PRINTER_URL)
    paper_mm: int = key("width of the paper", 80, one_of(80, 58))
    fragment_rows: int = key("dot rows sent in one piece", 100, between(24, 800))
    pause_ms: int = key("pause after each piece, for cheap or Bluetooth printers", 0, between(0, 1000))
    cutter: bool = key("whether it cuts the paper", True)
    status: bool = key("whether it answers status questions", True)
    centred: bool = key("let the printer centre: a tenth fewer bytes on a serial line", False)
    baud: int = key("speed of a serial line", 115200, one_of(9600, 19200, 38400, 57600, 115200, 230400))
    mm_per_s: int = key("paper speed; the print time is estimated with it", 80, between(20, 400))
    write_timeout_s: float = key("seconds without progress after which a write fails", 5.0, between(1, 60))
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
    display: int = key("the display that it is on, 1 is the first; 0 = the next free one", 0, between(0, 8))

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
    theme: str = key("colours and size of letters", "standard", one_of(*THEMES))
    start_s: float = key("seconds that the start screen stays when a part is not in order", 5.0, between(0, 60))
    idle_s: float = key(
        "seconds without a press after which a closed office shows its calm screen; 0 = never", 120.0, between(0, 3600)
    )
    language_s: float = key(
        "seconds without a press after which the office's language comes back", 30.0, between(10, 300)
    )
    lang_dir: str = key("folder of further language files, as tay.toml", "/etc/kiosk/lang")
    animations: bool = key("light up for a moment what has just changed", True)
    fonts: tuple[str, ...] = key("font files for letters that the kiosk's own font lacks, the first one first", ())
    outputs: tuple[Output, ...] = key("the pictures, the first on the first screen", (Output(),))


@dataclass(frozen=True, slots=True)
class Sound:
    """Tones and spoken prompts."""

    enabled: bool = key("whether this device makes any sound", True)
    presses: bool = key("a short tone for each press that gives no number", True)
    prompts: bool = key("say what stands on the glass after a press", False)
    volume: int = key("how loud, 0 = silent", 70, between(0, 100))
    device: str = key("ALSA name of the output; empty = the system's default; folder:DIR = files, see below", "")


@dataclass(frozen=True, slots=True)
class Voice:
    """Calls in the hall."""

    enabled: bool = key("call people by voice; needs [sound] enabled", True)
    volume: int = key("how loud calls are, 0 = silent", 100, between(0, 100))
    languages: tuple[str, ...] = key("languages of a call, one after the other", ("vi",), LANGUAGE)
    chime: bool = key("a chime before each call", True)
    numbers: str = key(
        "digits = one by one; whole = as one number (in Vietnamese alone)", "digits", one_of("digits", "whole")
    )
    missing_ten: str = key("with whole: the word for a missing ten, as in 1001", "linh", one_of("linh", "lẻ"))
    no_show: bool = key("say that a number was called and nobody came", False)
    apology_min: int = key("minutes between two apologies for a long wait; 0 = none", 0, between(0, 240))
    packs: str = key("folder of the voice packs, one folder for each language; empty = `voices` in data_dir", "")


@dataclass(frozen=True, slots=True)
class Sync:
    """The commune server."""

    server: str = key("address of the commune server; empty = none", "", SERVER)
    token_file: str = key("file with the device's token; empty = `token` in data_dir", "")
    ca_file: str = key("file with the certificate authority of the server; empty = the system's", "")
    allow_plain_http: bool = key("allow http:// beyond this machine; everybody on the way can read along", False)
    timeout_s: float = key("seconds after which a request fails", 20.0, between(1, 120))
    heartbeat_s: int = key("seconds between signs of life when nothing happens", 300, between(30, 3600))


@dataclass(frozen=True, slots=True)
class Public:
    """What phones reach."""

    url: str = key("address in the QR code of the slip; empty = no QR", "", PUBLIC)


@dataclass(frozen=True, slots=True)
class Console:
    """The LAN's web pages."""

    address: str = key("address to answer on; 0.0.0.0 = all, 127.0.0.1 = this machine only", "0.0.0.0", ADDRESS)
    port: int = key("port of the console (HTTPS)", 8443, between(0, 65535))
    plain_port: int = key("port of what plain HTTP may show: phones, boards, panels; 0 = none", 8080, between(0, 65535))
    plain: bool = key("the console by plain HTTP too; everybody on the LAN can read PINs along", False)
    hosts: tuple[str, ...] = key("further names under which browsers reach this machine", (), HOST_NAME)

    @property
    def scheme(self) -> str:
        """Of the pages for staff."""
        return "http" if self.plain and not self.plain_port else "https"


@dataclass(frozen=True, slots=True)
class Sticks:
    """USB sticks, which are served by their names."""

    export: bool = key("a stick named KIOSKEXPORT gets what waits for the server, whoever plugs it in", True)
    backup: bool = key("a stick or partition named KIOSKBACKUP gets each backup, whoever plugs it in", True)


@dataclass(frozen=True, slots=True)
class Update:
    """Newer releases."""

    source: str = key("folder of signed releases, as https://HOST/kiosk/; empty = none", "", SERVER)
    enabled: bool = key("fetch and install newer releases by itself, outside office hours", True)


@dataclass(frozen=True, slots=True)
class Config:
    """All of kiosk.toml. `file` is where it was read, `given` the dotted keys that stood there."""

    device: str = key("id of the device; auto = made once and kept", "auto", DEVICE)
    data_dir: str = key("folder of the database", DATA_DIR)
    office: str = key("the office document; empty = the sample office", "")
    language: str = key("language of screens and slips", "vi", one_of(*LANGUAGES))
    log_level: str = key("what is logged", "info", one_of("debug", "info", "warning", "error"))
    buttons: Buttons = key("keys, LEDs and USB keypads", Buttons())
    printer: Printer = key("the slip printer", Printer())
    screen: Screen = key("the screens", Screen())
    sound: Sound = key("tones and spoken prompts", Sound())
    voice: Voice = key("calls in the hall", Voice())
    sync: Sync = key("the commune server", Sync())
    public: Public = key("what phones reach", Public())
    console: Console = key("the LAN's web pages", Console())
    sticks: Sticks = key("USB sticks", Sticks())
    update: Update = key("newer releases", Update())
    file: str = field(default="", compare=False)
    given: frozenset[str] = field(default=frozenset(), compare=False)


def shipped() -> Config:
    """The defaults alone: the standard panel of the sample office."""
    return _read(_defaults(), {}, "")


def load_config(path: Path | str | None = None) -> Config:
    """The device's configuration over the defaults: `path`, else $KIOSK_CONFIG, else /etc/kiosk/kiosk.toml if there.

    What was chosen in the guided set-up and by `kiosk enrol` lies between the two. Relative paths start at the file's
    folder. Raises DocumentError with everything that is wrong in it.
    """
    file = chosen_file(path)
    named = path or os.environ.get("KIOSK_CONFIG") or file.exists()
    own = documents.parse_file(file) if named else {}
    data_dir = own.get("data_dir", DATA_DIR)
    below = _written(file.parent.resolve() / data_dir) if isinstance(data_dir, str) else {}
    return _read(_defaults(), _merged(below, own), str(file) if named else "")


def _written(folder: Path) -> dict[str, Any]:
    """What the kiosk itself wrote, each file checked by itself first: a mistake in it is not said of kiosk.toml."""
    values: dict[str, Any] = {}
    for path in (folder / CHOSEN, folder / ENROLLED):
        if path.exists():
            values = _merged(values, documents.parse_file(path))
            _read(_defaults(), documents.parse_file(path), str(path))
    return values


def chosen_text(language: str, printer: str, paper_mm: int) -> str:
    """The file `CHOSEN` for what was chosen. Raises DocumentError when it may not be."""
    chosen = {"language": language, "printer": {"url": printer, "paper_mm": paper_mm}}
    _read(_defaults(), chosen, "")
    return f'language = "{language}"\n\n[printer]\nurl = "{printer}"\npaper_mm = {paper_mm}\n'


def enrolled_text(server: str, ca_file: str = "", allow_plain_http: bool = False) -> str:
    """The file `ENROLLED` for a server. Raises DocumentError when it may not be."""
    sync = {"server": server, "ca_file": ca_file, "allow_plain_http": allow_plain_http}
    _read(_defaults(), {"sync": sync}, "")
    # JSON's texts are TOML's.
    return "[sync]\n" + "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in sync.items())


def chosen_file(path: Path | str | None = None) -> Path:
    """Where the device's configuration is looked for; it is not always there."""
    return Path(path or os.environ.get("KIOSK_CONFIG") or FILE)


def glass_of(path: Path | str | None) -> Config:
    """Of a file that is wrong elsewhere, screens and language where they are sound: enough to say what is wrong."""
    own: dict[str, Any] = {}
    with suppress(documents.DocumentError):
        own = documents.parse_file(chosen_file(path))
    sound = _defaults()
    for name in own.keys() & {"language", "screen"}:
        with suppress(documents.DocumentError):
            _read(_defaults(), {name: own[name]}, "")
            sound[name] = own[name]
    return _read(sound, {}, "")


def read_token(path: Path) -> str:
    """The device's token. Raises ValueError, which says what to do, when there is none."""
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no token ({error}): write the token of this kiosk into it") from error
    if not token:
        raise ValueError(f"{path}: no token (the file is empty): write the token of this kiosk into it")
    return token


def _defaults() -> dict[str, Any]:
    file = resources.files("kiosk.assets") / "kiosk.toml"
    return documents.parse(file.read_bytes(), file.name)


def _read(base: dict[str, Any], own: dict[str, Any], file: str) -> Config:
    wired = own["buttons"].keys() if isinstance(own.get("buttons"), dict) else set()
    replaced = (WIRING if WIRING & wired else set()) | ({"keyboard"} & wired)
    base["buttons"] = {name: value for name, value in base["buttons"].items() if name not in replaced}
    reader = Reader(file)
    config = reader.table(Config, _merged(base, own))
    _check(config, reader)
    reader.finish()
    return _located(replace(config, file=file, given=frozenset(_leaves(own))))


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    both = {name for name in own.keys() & base.keys() if isinstance(own[name], dict) and isinstance(base[name], dict)}
    return {**base, **own, **{name: _merged(base[name], own[name]) for name in both}}


def _leaves(plain: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in plain.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name


def _located(config: Config) -> Config:
    """Relative paths made absolute, and the token's place filled in."""
    folder = Path(config.file).parent.resolve()
    sync, data_dir = config.sync, folder / config.data_dir
    token_file = folder / sync.token_file if sync.token_file else data_dir / "token"
    ca_file = str(folder / sync.ca_file) if sync.ca_file else ""
    return replace(
        config,
        data_dir=str(data_dir),
        office=str(folder / config.office) if config.office else "",
        screen=replace(
            config.screen,
            lang_dir=str(folder / config.screen.lang_dir),
            fonts=tuple(str(folder / font) for font in config.screen.fonts),
        ),
        sound=replace(config.sound, device=_located_device(config.sound.device, folder)),
        voice=replace(config.voice, packs=str(folder / (config.voice.packs or data_dir / "voices"))),
        sync=replace(sync, token_file=str(token_file), ca_file=ca_file),
    )


def _located_device(device: str, folder: Path) -> str:
    """An ALSA name as it is; the folder of `folder:DIR` made absolute."""
    kind, colon, rest = device.partition(":")
    return f"{kind}{colon}{folder / rest}" if kind == "folder" else device


# --- what no single key can know ------------------------------------------------------------------------------


def _check(config: Config, reader: Reader) -> None:
    panel_rules.check_pins(config.buttons, reader)
    for name, action in config.buttons.keyboard.items():
        panel_rules.check_key(name, action, reader)
    if config.screen.enabled and not config.screen.outputs:
        reader.add(("screen", "outputs"), "is empty: name a view, or set enabled = false", "no_outputs")
    server = urlsplit(config.sync.server) if reader.sound("sync", "server") else urlsplit("")
    if server.scheme == "http" and not config.sync.allow_plain_http and not of_this_machine(server.hostname or ""):
        says = "would send the token in the clear: use https://, or set allow_plain_http = true"
        reader.add(("sync", "server"), says, "clear")
    source = urlsplit(config.update.source) if reader.sound("update", "source") else urlsplit("")
    if source.scheme == "http" and not of_the_lan(source.hostname or ""):
        says = (
            "is plain http:// beyond the office's own network: use https://, or an address such as http://192.168.1.5/"
        )
        reader.add(("update", "source"), says, "beyond_lan")


def of_this_machine(host: str) -> bool:
    """Whether nobody else reaches it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def of_the_lan(host: str) -> bool:
    """Whether it is an address of the office's own network, or this machine. A name may lead anywhere, and is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def panel_keys(config: Config) -> dict[str, str]:
    """The citizens' keys beside the services': action → its name on a keyboard, "" for a key on a pin.

    The shipped keyboard counts only where one may be: with a keypad, or without GPIO.
    """
    buttons = config.buttons
    names: dict[str, str] = {}
    if buttons.evdev or buttons.factory != "gpio" or "buttons.keyboard" not in shipped_tables(config):
        # A number pad has no letters: where it is the keyboard, its own keys go first.
        for name in sorted(buttons.keyboard, key=lambda name: bool(buttons.evdev) and not name.startswith("[")):
            names.setdefault(buttons.keyboard[name], name)
    pins = {"priority": buttons.priority.pin, "cancel": buttons.cancel.pin, "language": buttons.language.pin}
    wired = {action: "" for action, pin in pins.items() if pin is not None and buttons.factory != "none"}
    return {action: name for action, name in names.items() if action in pins} | wired


def shipped_tables(config: Config) -> frozenset[str]:
    """The tables of [buttons] that come from the defaults and not from the device's file."""
    own = {dotted.split(".")[1] for dotted in config.given if dotted.startswith("buttons.")}
    tables = (frozenset() if own & WIRING else WIRING) | (frozenset({"keyboard"}) - own)
    return frozenset(f"buttons.{table}" for table in tables)


def effective(config: Config) -> str:
    """What is in force, as TOML that can be read again, with a comment on where each value came from."""
    return documents.toml(config, lambda dotted: config.file if dotted in config.given else "default")
