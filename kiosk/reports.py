"""What only `kiosk run` sees of its parts, noted in the database for the pages of other processes.

Words for programs; `findings` makes sentences of them.
"""

from collections.abc import Mapping
from pathlib import Path

from kiosk import __version__, findings
from kiosk.canary import CanaryState
from kiosk.clock import Moment
from kiosk.config import Config
from kiosk.screen import Screen
from kiosk.sound import Silence, SoundFolder, Speaker
from kiosk.store import Store, facts, starts
from kiosk.windows import BLIND


def screen_word(config: Config, screen: Screen | None) -> str:
    """none, lost, blind (a driver that shows nothing), else who draws and how large: "kmsdrm 1920×1080"."""
    if not config.screen.enabled:
        return "none"
    if screen is None:
        return "lost"
    sizes = [output.pixels for output in config.screen.outputs]
    return "blind" if screen.driver in BLIND else findings.glass(screen.driver, sizes).says


def sound_word(speaker: Speaker, cards: Path = Path("/dev/snd")) -> str:
    """none, ok, no_player or no_card (see `findings.sound_missing`), else why nothing is heard."""
    if isinstance(speaker, Silence) and not isinstance(speaker, SoundFolder):
        return "none"
    missing = "" if isinstance(speaker, SoundFolder) else findings.sound_missing(cards)
    return missing or speaker.trouble or "ok"


def seen(config: Config, screen: Screen | None, speaker: Speaker, tried: CanaryState) -> dict[str, str]:
    """What there is to note now, by the names of the facts."""
    return {"screen": screen_word(config, screen), "sound": sound_word(speaker), "canary": str(tried)}


def note_start(store: Store, now: Moment, office: str, config: Config) -> None:
    """That the kiosk was started, with which office document (its SHA-256), and which one it is. Raises StoreError."""
    with store.database.writing(now) as w:
        facts.sign(w, facts.device_id(Path(config.data_dir), config.device))
    starts.note_start(store.database, now)
    store.emit(now, "device.started", app=__version__, office=office)


def note_changes(store: Store, now: Moment, words: Mapping[str, str]) -> None:
    """Note those facts that are other than they were. Raises StoreError."""
    for key, word in words.items():
        if word != store.fact(key):
            store.note(now, key, word)
