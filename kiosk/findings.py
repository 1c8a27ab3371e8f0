"""What was found about each part, in the technician's words, and what to do about it: one place for each part.

`kiosk check` looks from outside and the start screen while the parts open; both say here what they found. It asks the
system for devices and disk space; it opens nothing that a running kiosk owns.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk import fonts
from kiosk.clock import Moment
from kiosk.config import Config, read_token
from kiosk.documents import Problem, mistake, printable
from kiosk.languages import read as read_languages
from kiosk.office import SAMPLE_CODE, Office
from kiosk.present.calling import names_of, reading, vocabulary
from kiosk.store.database import LOW_DISK_MB
from kiosk.texts import Texts
from kiosk.wiring import advice


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what it is (a key of `start.*`), whether it is in order, what was found, and what to do.

    A `note` is in order as long as somebody means it so. `detail` is for whoever has room for it: an address, or the
    system's own words.
    """

    part: str
    ok: bool
    says: str
    advice: str = ""
    note: bool = False
    detail: str = ""

    @property
    def line(self) -> str:
        """All that was found."""
        return f"{self.says} ({self.detail})" if self.detail else self.says


def device(config: Config, t: Texts) -> Finding:
    """kiosk.toml, which could be read."""
    return Finding("config", True, config.file or t("check.defaults"))


def hints(config: Config, office: Office, t: Texts) -> Iterator[Finding]:
    """What in kiosk.toml is hardly meant."""
    for hint in advice(config, office) if config.buttons.factory == "gpio" else ():
        says, _, todo = mistake(hint, t).partition(": ")
        says = f"{hint.where}: {says}" if hint.where else says
        yield Finding("config", True, says, todo[:1].upper() + todo[1:], note=True)


def mistakes(part: str, problems: Sequence[Problem], todo: str, t: Texts) -> Iterator[Finding]:
    """All that is wrong in one file; what to do about it stands once, behind the last of them."""
    for n, problem in enumerate(problems, 1):
        line = ": ".join(text for text in (problem.file, printable(problem.where), mistake(problem, t)) if text)
        yield Finding(part, False, line, todo if n == len(problems) else "")


def document(office: Office, t: Texts) -> Finding:
    """The office document, which could be read."""
    if office.unit.code == SAMPLE_CODE:
        return Finding("office", True, t("check.sample"), t("check.sample_do"), note=True)
    return Finding("office", True, office.site.name)


def pictures(office: Office, folder: Path, t: Texts) -> Iterator[Finding]:
    """Emblem and photos beside the office document that cannot be shown."""
    from kiosk.photos import PhotoError, open_emblem, open_photo

    named = [(t("check.emblem"), office.unit.emblem, open_emblem)]
    named += [(clerk.name, clerk.photo, open_photo) for clerk in office.clerks]
    for whose, name, opened in named:
        try:
            if name:
                opened(folder / name, 64)
        except PhotoError as error:
            yield _parted("office", f"{whose}: {t(f'photo.{error.reason}', tep=folder / name)}")


def font(config: Config, t: Texts) -> Iterator[Finding]:
    """The letters of slips and screens, and the office's fonts for other scripts."""
    try:
        chosen = [fonts.choose(weight) for weight in fonts.WEIGHTS]
    except fonts.FontError as error:
        yield Finding("font", False, t("check.no_font"), t("check.font_do"), detail=str(error))
        return
    replaced = [choice for choice in chosen if choice.problem]
    if not replaced:
        families = {choice.path.stem.partition("-")[0] for choice in chosen}
        yield Finding("font", True, ", ".join(sorted(families)))
    yield from (_parted("font", t("check.font_stand_in", tep=one.path.name, loi=one.problem)) for one in replaced)
    for path in config.screen.fonts:
        try:
            fonts.letters(Path(path))
        except fonts.FontError as error:
            yield Finding("font", False, str(error), t("check.fonts_do"))


def languages(config: Config, t: Texts) -> Iterator[Finding]:
    """The languages that can be chosen, and further ones that cannot be read."""
    folder = Path(config.screen.lang_dir)
    further = read_languages(folder)
    known = Texts(config.language, further=further.sentences)
    if "screen.lang_dir" in config.given and not folder.is_dir():
        yield _parted("language", t("check.no_folder_given", noi=folder))
    yield Finding("language", True, ", ".join(known.in_language(name)("language.name") for name in known.languages))
    yield from mistakes("language", further.problems, t("check.language_do"), t)


def sound(config: Config, t: Texts) -> Iterator[Finding]:
    """A kiosk without a loudspeaker is in order; one that shall speak and cannot is not."""
    if not config.sound.enabled:
        yield Finding("sound", True, t("check.none"))
        return
    missing = sound_missing()
    yield _parted("sound", t(f"check.{missing}"), note=True) if missing else Finding("sound", True, t("check.ok"))
    if config.sound.prompts and not shutil.which("espeak-ng"):
        yield _parted("sound", t("check.no_voice"))


def sound_missing(cards: Path = Path("/dev/snd")) -> str:
    """no_player or no_card: what there is no sound without; "" when both are there."""
    if not shutil.which("aplay"):
        return "no_player"
    return "" if any(cards.glob("pcm*p")) else "no_card"


def sound_noted(config: Config, word: str, t: Texts) -> Finding:
    """The loudspeaker as `kiosk run` has noted it (`reports.sound_word`), "" when it has not yet."""
    if not config.sound.enabled or word == "none":
        return Finding("sound", True, t("check.none"))
    if word in ("no_player", "no_card"):
        return _parted("sound", t(f"check.{word}"), note=True)
    if word in ("", "ok"):
        return Finding("sound", True, t("technician.sound_ok" if word else "technician.not_said"), note=not word)
    return Finding("sound", False, t("technician.sound_lost"), t("technician.sound_do"), detail=word)


def voice(config: Config, office: Office, further: Mapping[str, Mapping[str, str]], t: Texts) -> Iterator[Finding]:
    """The packs of the languages that call people; what a pack lacks is no fault as long as espeak-ng can say it."""
    if not (config.sound.enabled and config.voice.enabled and config.voice.volume):
        yield Finding("voice", True, t("check.none"))
        return
    texts = Texts(config.language, office.texts, office.rules.address, further)
    for language in config.voice.languages:
        yield _voice(config, office, texts.in_language(language), t)


def _voice(config: Config, office: Office, spoken: Texts, t: Texts) -> Finding:
    from kiosk.voice.pack import PackError, load_or_new

    language, folder = spoken.language, Path(config.voice.packs) / spoken.language
    if language not in spoken.languages:
        return _parted("voice", t("check.voice_language", ma=language))
    words = vocabulary(spoken, reading(config.voice.numbers, config.voice.missing_ten), names_of(office))
    try:
        pack = load_or_new(folder, language)
    except (PackError, OSError) as error:
        return Finding("voice", False, str(error), t("check.voice_make"))
    missing, helped = len(pack.missing(words)), bool(shutil.which("espeak-ng"))
    if not missing:
        recorded = sum(pack.clips[word.clip].recorded for word in words)
        return Finding("voice", True, t("check.voice_ok", ma=language, n=len(words), ghi_am=recorded))
    says = t("check.voice_lacks", ma=language, n=missing, tong=len(words))
    return Finding("voice", helped, says, t("check.voice_make" if helped else "check.voice_install"), note=helped)


def _parted(part: str, sentence: str, note: bool = False) -> Finding:
    """A sentence "what is: what to do" as a finding; a `note` is in order as long as somebody means it so."""
    says, _, todo = sentence.rpartition(": ")
    return Finding(part, note, says, todo[:1].upper() + todo[1:], note=note)


def database(folder: Path, problem: str, t: Texts) -> Finding:
    """The folder of the database; `problem` is what keeps it from being used, "" for nothing."""
    try:
        return _database(folder, problem, t)
    except OSError as error:
        return Finding("database", False, t("check.unusable"), t("check.database_do"), detail=problem or str(error))


def _database(folder: Path, problem: str, t: Texts) -> Finding:
    if not folder.exists():
        return Finding("database", False, t("check.no_folder", noi=folder), t("check.no_folder_do"), detail=problem)
    free = shutil.disk_usage(folder).free // 1024 // 1024
    if not os.access(folder, os.W_OK):
        says = t("check.not_writable", noi=folder)
        return Finding("database", False, says, t("check.not_writable_do"), detail=problem)
    if free < LOW_DISK_MB:
        return Finding("database", False, t("staff.disk_low"), t("check.disk_do"), detail=problem)
    if problem:
        return Finding("database", False, t("check.unusable"), t("check.database_do"), detail=problem)
    return Finding("database", True, t("check.database", noi=folder, gb=t.number(free / 1024, 0)))


def clock(now: Moment, t: Texts) -> Finding:
    """The time, and whether anybody vouches for it."""
    says, source = f"{t.clock(now.local)}, {t.date(now.local)}", t(f"quality.{now.quality}")
    return Finding("clock", now.trusted, says, "" if now.trusted else t("clock.untrusted"), detail=source)


def chip(config: Config, t: Texts, devices: Path = Path("/dev")) -> Finding:
    """The GPIO chip, as it looks from outside."""
    if config.buttons.factory != "gpio":
        return Finding("buttons", True, config.buttons.factory)
    chips = sorted(devices.glob("gpiochip*"))
    usable = [chip for chip in chips if os.access(chip, os.R_OK | os.W_OK)]
    if not chips:
        return Finding("buttons", False, t("check.no_gpio"), t("check.no_gpio_do"))
    if not usable:
        return Finding("buttons", False, t("check.no_access", noi=chips[0]), t("check.gpio_group"))
    return Finding("buttons", True, str(usable[0]))


def keys(config: Config, broken: Mapping[str, str], held: Sequence[str], t: Texts) -> Finding:
    """Keys and lamps that were opened: what is `broken` (by name, and why), and which keys are `held` down."""
    if broken:
        found = chip(config, t)
        if not found.ok:
            return found
        says = t("check.key_broken", phim=", ".join(broken))
        return Finding("buttons", False, says, t("check.key_broken_do"), detail=next(iter(broken.values())))
    if held:
        return Finding("buttons", True, t("staff.stuck", phim=", ".join(held)), t("check.key_held_do"), note=True)
    return Finding("buttons", True, config.buttons.factory)


def printer(state: str, url: str, t: Texts) -> Finding:
    """The printer by its state, in `printer_device`'s words."""
    good = state in ("ok", "paper_low", "unknown") or (state == "none" and url == "none")
    todo = f"check.printer_{state}"
    says = t(f"printer.{state}")
    return Finding("printer", good, says, t(todo) if todo in t else "", note=state == "paper_low", detail=url)


def screen(config: Config, t: Texts, cards: Path = Path("/dev/dri")) -> Finding:
    """The screen, as it looks from outside."""
    if not config.screen.enabled:
        return Finding("screen", True, t("check.none"))
    found = sorted(cards.glob("card*"))
    window = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if window:
        return Finding("screen", True, window)
    if not found:
        return Finding("screen", config.screen.blind_ok, t("check.no_screen"), t("check.no_screen_do"))
    if not os.access(found[0], os.R_OK | os.W_OK):
        return Finding("screen", False, t("check.no_access", noi=found[0]), t("check.video_group"))
    return Finding("screen", True, str(found[0]))


def glass(driver: str, sizes: Sequence[tuple[int, int]]) -> Finding:
    """The screen that was opened: who drives it, and the pictures on it."""
    return Finding("screen", True, " ".join([driver, *(f"{width}×{height}" for width, height in sizes)]))


def screen_noted(config: Config, word: str, t: Texts) -> Finding:
    """The screen as `kiosk run` has noted it (`reports.screen_word`), "" when it has not yet."""
    if not config.screen.enabled or word == "none":
        return Finding("screen", True, t("check.none"))
    if word == "lost":
        return Finding("screen", False, t("check.no_screen"), t("check.no_screen_do"))
    if word in ("", "blind"):
        return Finding("screen", True, t("technician.screen_blind" if word else "technician.not_said"), note=True)
    return Finding("screen", True, t("technician.screen_ok"), detail=word)


def server(config: Config, word: Mapping[str, Any], t: Texts) -> Finding:
    """The commune server: the token for it, and what became of the last push (`word`; empty before the first)."""
    if not config.sync.server:
        return Finding("sync", True, t("check.no_server"))
    try:
        read_token(Path(config.sync.token_file))
    except ValueError as error:
        return Finding("sync", False, t("check.no_token"), t("check.token_do"), detail=str(error))
    if word and word.get("state") != "ok":
        said = f"{word.get('state')}: {word.get('detail', '')}"
        return Finding("sync", False, t("check.server_lost"), t("check.server_do"), detail=said)
    return Finding("sync", True, config.sync.server)
