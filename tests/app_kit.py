"""The whole kiosk in one process for tests: its App with its parts open, a printer, a receiver, a loudspeaker."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ["SDL_VIDEODRIVER"] = "dummy"


from kiosk import parts
from kiosk.app import App
from kiosk.buttons import mock_press, mock_release
from kiosk.clock import SimulatedClock, set_simulated
from kiosk.config import Config, load_config
from kiosk.setup import load_office, words
from kiosk.simulator.printer import EmulatedPrinter
from kiosk.texts import Texts
from kiosk.voice.pack import Pack
from sync.receiver import Receiver
from tests.office import BOOT, OPENING
from tests.speaker import Programs
from tests.test_voice import record

DEADLINE_S = 10.0

CONFIG = """
data_dir = "data"
[buttons]
factory = "mock"
lockout_s = 0.0
[printer]
url = "tcp://127.0.0.1:{port}"
write_timeout_s = 1
[screen]
blind_ok = true
fullscreen = false
outputs = [
  {{ view = "take", size = "640x400" }},
  {{ view = "board", size = "640x400" }},
  {{ view = "rate:1", size = "640x400" }},
]
[sound]
enabled = {sound}
prompts = true
[voice]
enabled = {voice}
apology_min = 15
[public]
url = "http://xa-mau.example"
[sync]
server = "{server}"
"""


class Kiosk:
    """The App with its parts open, turned by hand instead of by its loop."""

    def __init__(self, folder: Path, config: Config) -> None:
        office = load_office(config)
        self.clock_file = folder / "clock.json"
        self.config = config
        self.app = App(config, office, words(config, office), SimulatedClock(self.clock_file))
        self.app.glass.open(self.app.clock.now())
        self.app.store = self.app._open_store()
        self.app.open_parts()

    def until(self, happened: Callable[[], object]) -> None:
        """Turn the loop until something is so."""
        end = time.monotonic() + DEADLINE_S
        while not happened():
            assert time.monotonic() < end, "it did not happen"
            self.app.turn(0.01)

    def press(self, action: str) -> None:
        """A finger on a wired key, and off again."""
        pin = next(key.pin for key in parts.key_pins(self.config.buttons) if key.action == action)
        mock_press(pin)
        time_of_press = time.monotonic()
        mock_release(pin)
        # A call key acts once its release has settled.
        self.until(lambda: time.monotonic() - time_of_press > 0.04 and self.app.inbox.empty())

    def shown(self, output: str) -> set[str]:
        """What can be read on a screen after the next turn."""
        self.app.turn(0)
        assert self.app.screen
        return {box.text for box in self.app.screen.texts(output)}

    def notice(self) -> str:
        return self.app.front.notice.kind if self.app.front.notice else ""

    def numbers(self) -> list[str]:
        return [row["number"] for row in self.app.store.database.rows("SELECT number FROM tickets ORDER BY arrival")]


@pytest.fixture
def paper() -> Iterator[EmulatedPrinter]:
    printer = EmulatedPrinter()
    printer.address = printer.listen()  # type: ignore[attr-defined]
    yield printer
    printer.close()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    server = Receiver(tmp_path / "receiver.db", "token", now=lambda: OPENING).start()
    yield server
    server.stop()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    """A loudspeaker: without this the kiosk of a test is silent."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    made = Programs(folder)
    made.install("aplay")
    made.install("espeak-ng", reply=b"speech")
    yield made
    made.close()


@pytest.fixture
def calling(tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """A voice with its pack: with this the kiosk of a test calls people. It looks for calls when it is told to."""
    monkeypatch.setattr("kiosk.voice.engine.LOOK_S", 600)
    return record(tmp_path / "data" / "voices", Texts("vi"))


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path, paper: EmulatedPrinter, receiver: Receiver) -> Config:
    file = tmp_path / "kiosk.toml"
    port = paper.address[1]  # type: ignore[attr-defined]
    sound = "true" if "programs" in request.fixturenames else "false"
    voice = "true" if "calling" in request.fixturenames else "false"
    file.write_text(CONFIG.format(port=port, server=receiver.url, sound=sound, voice=voice))
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "token").write_text("token\n")
    set_simulated(tmp_path / "clock.json", OPENING, boot=BOOT)
    return load_config(file)


@pytest.fixture
def kiosk(tmp_path: Path, config: Config) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path, config)
    yield made
    made.app.close()
