"""The demo's folder: what each file in it is, and the configuration that the simulated device reads from it."""

import fcntl
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from kiosk import documents
from kiosk.config import Config, Console, Output, Public, Sound, load_config, shipped
from kiosk.office import Office, load, sample
from kiosk.wiring import check_against

KEYBOARD_ROWS = ("qwer", "asdf", "zxcv", "uiop")
"""Keys of the first four counters: happy, neutral, unhappy, call."""
FURTHER_ROWS = (*("bgh", "jkm", "nty"), *(("f4", "f5", "f6"), ("f7", "f8", "f9"), ("f10", "f11", "f12")))
"""Rating keys of further counters, whose clerks call at the console."""
DEVICE = "kiosk-demo"
FACES = ("happy", "neutral", "unhappy")
PIN = "2468"
"""Everybody's PIN in the demo's office."""
OUTPUTS = (Output("take", "1280x800"), Output("board", "1920x1080"), Output("rate:1", "1280x800"))


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything that one demo leaves behind; nothing is written anywhere else."""

    path: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and be the only demo in it; before this nothing in it may be written.

        Raises OSError or ValueError: it cannot be used, another demo uses it, or it is a real kiosk's.
        """
        with self._opened() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however it ends
            except BlockingIOError:
                raise OSError(f"another demo uses {self.path}: end it, or give another --dir") from None
            yield

    def _opened(self) -> TextIO:
        try:
            if (self.path / "kiosk.db").exists() and not self.clock.exists():
                raise ValueError(f"{self.path} holds the data of a kiosk and not of a demo: give another --dir")
            for folder in (self.path, self.slips, self.frames, self.calls, self.screenshots):
                folder.mkdir(parents=True, exist_ok=True)
            return (self.path / "demo.lock").open("w")
        except OSError as error:
            raise OSError(f"the folder {self.path} cannot be used ({error.strerror}): give another --dir") from error

    @property
    def config(self) -> Path:
        return self.path / "kiosk.toml"

    @property
    def office(self) -> Path:
        return self.path / "office.json"

    @property
    def clock(self) -> Path:
        return self.path / "clock.json"

    @property
    def token(self) -> Path:
        return self.path / "token"

    @property
    def receiver(self) -> Path:
        return self.path / "receiver.db"

    @property
    def commune(self) -> Path:
        """The commune server's data folder."""
        return self.path / "commune"

    @property
    def slips(self) -> Path:
        return self.path / "slips"

    @property
    def frames(self) -> Path:
        """The screens as they are now."""
        return self.path / "frames"

    @property
    def calls(self) -> Path:
        """What the hall's loudspeaker said last."""
        return self.path / "calls"

    @property
    def screenshots(self) -> Path:
        """The screens as they were at the end."""
        return self.path / "screenshots"

    def log(self, process: str) -> Path:
        return self.path / f"{process}.log"


def write_office(
    folder: Folder, source: str | None, limits: bool, change: Callable[[Office], Office] = lambda office: office
) -> Office:
    """Put the office document (None: the sample office) into the folder; without `limits` keys may be pressed at will.

    `change` makes of it the office that is simulated. Raises DocumentError.
    """
    office = change(load(source) if source else sample())
    if not limits:
        office = replace(office, rules=replace(office.rules, press_limits=False))
    folder.office.write_bytes(office.to_json())
    if source:
        _copy_pictures(office, Path(source).parent, folder.office.parent)
    return office


def _copy_pictures(office: Office, there: Path, here: Path) -> None:
    """Emblem and photos beside the document; one that is not there is the kiosk's to name."""
    for name in filter(None, (office.unit.emblem, *(clerk.photo for clerk in office.clerks))):
        with suppress(OSError):
            if there.resolve() != here.resolve() and (there / name).is_file():
                shutil.copyfile(there / name, here / name)


def write_token(folder: Folder, source: Path | None) -> str:
    """The token that the device sends: the given one, or one made up for this folder. Raises ValueError."""
    if source is not None:
        try:
            token = source.read_text().strip()
        except OSError as error:
            raise ValueError(f"{source}: no token ({error.strerror})") from error
    else:
        token = secrets.token_urlsafe(18)
    folder.token.write_text(token + "\n")
    folder.token.chmod(0o600)
    return token


def write_config(
    folder: Folder,
    office: Office,
    own: Config | None,
    *,
    device: str = DEVICE,
    printer: str | None,
    server: str,
    language: str,
    audible: bool,
) -> Config:
    """Write the device's kiosk.toml and return what it says.

    `own` is that of a real device: its keys, printer and screens take the place of the simulated ones; `printer`
    (None: its own one) goes before it. Raises DocumentError, also when it does not fit the office.
    """
    config = own or _simulated(shipped(), office)
    # Chosen once: pages that are open find the console again after a power cut.
    console = Console(address="127.0.0.1", port=free_port(), plain_port=0, plain=True)
    config = replace(
        config,
        device=device,
        data_dir=str(folder.path.resolve()),
        office=str(folder.office.resolve()),
        language=language,
        sound=_sound(folder, config.sound, audible),
        voice=replace(config.voice, packs=str((folder.path / "voices").resolve())),
        # Without a display the page shows the pictures.
        screen=replace(config.screen, blind_ok=True),
        printer=replace(config.printer, url=printer or config.printer.url),
        sync=replace(config.sync, server=server, token_file=str(folder.token.resolve())),
        public=config.public if config.public.url else Public(f"http://{console.address}:{console.port}"),
        console=console,
    )
    folder.config.write_text(documents.toml(config, lambda dotted: "of this demo"))
    config = load_config(folder.config)
    if wrong := check_against(config, office):
        raise documents.DocumentError(wrong)
    return config


def _simulated(config: Config, office: Office) -> Config:
    """Mock pins, wired as the standard panel for whatever services and counters the office has."""
    shown = office.counters[0].id
    outputs = tuple(replace(output, view=f"rate:{shown}") if ":" in output.view else output for output in OUTPUTS)
    screen = replace(config.screen, fullscreen=False, outputs=outputs)
    keys = config.buttons
    buttons = replace(
        keys,
        factory="mock",
        services=_in_order(office.services, keys.services),
        counters=_in_order(office.counters, keys.counters),
        keyboard=_keyboard(office),
    )
    return replace(config, buttons=buttons, screen=screen)


def _sound(folder: Folder, sound: Sound, audible: bool) -> Sound:
    """Calls become files, which the page plays; simulated crowds press all day, and their tones nobody would bear."""
    device = f"folder:{folder.calls.resolve()}"
    return replace(sound, enabled=audible, device=device, presses=False, prompts=False)


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def _in_order(parts: Sequence[Any], wired: Mapping[str, Any]) -> dict[str, Any]:
    return {part.id: keys for part, keys in zip(parts, wired.values(), strict=False)}


def _keyboard(office: Office) -> dict[str, str]:
    keys = {str(n): f"take:{service.id}" for n, service in enumerate(office.services[:9], 1)}
    for row, counter in zip(KEYBOARD_ROWS, office.counters, strict=False):
        acts = [*(f"rate:{counter.id}:{face}" for face in FACES), f"call:{counter.id}"]
        keys |= dict(zip(row, acts, strict=True))
    for three, counter in zip(FURTHER_ROWS, office.counters[len(KEYBOARD_ROWS) :], strict=False):
        keys |= {name: f"rate:{counter.id}:{face}" for name, face in zip(three, FACES, strict=True)}
    return keys | {"0": "priority", "escape": "cancel", "l": "language"}


def module(name: str, *arguments: str) -> list[str]:
    """The command line of a process of the simulator."""
    return [sys.executable, "-m", f"kiosk.simulator.{name}", *arguments]
