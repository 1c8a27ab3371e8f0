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

from kiosk import devices, fonts
from kiosk.addresses import own_url
from kiosk.clock import Moment
from kiosk.config import Config, of_this_machine, read_token
from kiosk.devices import Reach, User
from kiosk.documents import Problem, mistake, printable
from kiosk.languages import read as read_languages
from kiosk.office import SAMPLE_CODE, Office
from kiosk.present.calling import names_of, reading, vocabulary
from kiosk.store.database import LOW_DISK_MB
from kiosk.texts import Texts
from kiosk.wiring import advice

FIREWALL = "KIOSK_FIREWALL"
"""Root alone may look into the kernel's rules: the command `kiosk` says by this variable what it saw there."""
TITLES = ("start", "technician", "machine")
"""Groups of the language files that name parts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what it is (a key of `start.*`), whether it is in order, what was found, and what to do.

    A `note` is in order as long as somebody means it so. `detail` is for whoever has room for it: an address, or the
    system's own words. `code` names what was found for programs (docs/commands.md); "" where there is nothing to do.
    """

    part: str
    ok: bool
    says: str
    advice: str = ""
    note: bool = False
    detail: str = ""
    code: str = ""

    @property
    def line(self) -> str:
        """All that was found."""
        return f"{self.says} ({self.detail})" if self.detail else self.says


def title(part: str, t: Texts) -> str:
    """What a part is called."""
    return next((t(f"{group}.{part}") for group in TITLES if f"{group}.{part}" in t), part)


def device(config: Config, t: Texts) -> Finding:
    """kiosk.toml, which could be read."""
    return Finding("config", True, config.file or t("check.defaults"))


def hints(config: Config, office: Office, t: Texts) -> Iterator[Finding]:
    """What in kiosk.toml is hardly meant."""
    for hint in advice(config, office) if config.buttons.factory == "gpio" else ():
        says, _, todo = mistake(hint, t).partition(": ")
        says = f"{hint.where}: {says}" if hint.where else says
        yield Finding("config", True, says, todo[:1].upper() + todo[1:], note=True, code=hint.key or "hint")


def mistakes(part: str, problems: Sequence[Problem], todo: str, t: Texts) -> Iterator[Finding]:
    """All that is wrong in one file; what to do about it stands once, behind the last of them."""
    for n, problem in enumerate(problems, 1):
        line = ": ".join(text for text in (problem.file, printable(problem.where), mistake(problem, t)) if text)
        yield Finding(part, False, line, todo if n == len(problems) else "", code=problem.key or "mistake")


def document(config: Config, office: Office, t: Texts) -> Finding:
    """The office document, which could be read."""
    if office.unit.code == SAMPLE_CODE:
        todo = t("check.sample_do", url=own_url(config.console.scheme, config.console.port))
        return Finding("office", True, t("check.sample"), todo, note=True, code="sample")
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
            yield _parted("office", f"{whose}: {t(f'photo.{error.reason}', tep=folder / name)}", "picture")


def font(config: Config, t: Texts) -> Iterator[Finding]:
    """The letters of slips and screens, and the office's fonts for other scripts."""
    try:
        chosen = [fonts.choose(weight) for weight in fonts.WEIGHTS]
    except fonts.FontError as error:
        yield Finding("font", False, t("check.no_font"), t("check.font_do"), detail=str(error), code="no_font")
        return
    replaced = [choice for choice in chosen if choice.problem]
    if not replaced:
        families = {choice.path.stem.partition("-")[0] for choice in chosen}
        yield Finding("font", True, ", ".join(sorted(families)))
    for one in replaced:
        yield _parted("font", t("check.font_stand_in", tep=one.path.name, loi=one.problem), "font_stand_in")
    for path in config.screen.fonts:
        try:
            fonts.letters(Path(path))
        except fonts.FontError as error:
            yield Finding("font", False, str(error), t("check.fonts_do"), code="fonts")


def languages(config: Config, t: Texts) -> Iterator[Finding]:
    """The languages that can be chosen, and further ones that cannot be read."""
    folder = Path(config.screen.lang_dir)
    further = read_languages(folder)
    known = Texts(config.language, further=further.sentences)
    if "screen.lang_dir" in config.given and not folder.is_dir():
        yield _parted("language", t("check.no_folder_given", noi=folder), "no_lang_dir")
    yield Finding("language", True, ", ".join(known.in_language(name)("language.name") for name in known.languages))
    yield from mistakes("language", further.problems, t("check.language_do"), t)


def sound(config: Config, t: Texts) -> Iterator[Finding]:
    """A kiosk without a loudspeaker is in order; one that shall speak and cannot is not."""
    if not config.sound.enabled:
        yield Finding("sound", True, t("check.none"))
        return
    missing = sound_missing()
    yield _without_sound(missing, t) if missing else Finding("sound", True, t("check.ok"))
    if config.sound.prompts and not shutil.which("espeak-ng"):
        yield _parted("sound", t("check.no_voice"), "no_voice")


def _without_sound(missing: str, t: Texts) -> Finding:
    return _parted("sound", t(f"check.{missing}"), missing, note=True)


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
        return _without_sound(word, t)
    if word in ("", "ok"):
        return Finding("sound", True, t("technician.sound_ok" if word else "technician.not_said"), note=not word)
    return Finding("sound", False, t("technician.sound_lost"), t("technician.sound_do"), detail=word, code="sound_lost")


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
        return _parted("voice", t("check.voice_language", ma=language), "voice_language")
    words = vocabulary(spoken, reading(config.voice.numbers, config.voice.missing_ten), names_of(office))
    try:
        pack = load_or_new(folder, language)
    except (PackError, OSError) as error:
        return Finding("voice", False, str(error), t("check.voice_make"), code="voice_pack")
    missing, helped = len(pack.missing(words)), bool(shutil.which("espeak-ng"))
    if not missing:
        recorded = sum(pack.clips[word.clip].recorded for word in words)
        return Finding("voice", True, t("check.voice_ok", ma=language, n=len(words), ghi_am=recorded))
    says = t("check.voice_lacks", ma=language, n=missing, tong=len(words))
    todo = t("check.voice_make" if helped else "check.voice_install")
    return Finding("voice", helped, says, todo, note=helped, code="voice_clips")


def _parted(part: str, sentence: str, code: str, note: bool = False) -> Finding:
    """A sentence "what is: what to do" as a finding; a `note` is in order as long as somebody means it so."""
    says, _, todo = sentence.rpartition(": ")
    todo = todo if todo.startswith("sudo ") else todo[:1].upper() + todo[1:]
    return Finding(part, note, says, todo, note=note, code=code)


def database(folder: Path, problem: str, t: Texts) -> Finding:
    """The folder of the database; `problem` is what keeps it from being used, "" for nothing."""
    try:
        return _database(folder, problem, t)
    except OSError as error:
        return _unusable(problem or str(error), t)


def _database(folder: Path, problem: str, t: Texts) -> Finding:
    if not folder.exists():
        says, todo = t("check.no_folder", noi=folder), t("check.no_folder_do")
        return Finding("database", False, says, todo, detail=problem, code="no_folder")
    free = shutil.disk_usage(folder).free // 1024 // 1024
    if not os.access(folder, os.W_OK):
        says, todo = t("check.not_writable", noi=folder), t("check.not_writable_do")
        return Finding("database", False, says, todo, detail=problem, code="not_writable")
    if free < LOW_DISK_MB:
        says, left = t("staff.disk_low"), f"{t.number(free)} MB"
        return Finding("database", False, says, t("check.disk_do"), detail=problem or left, code="disk_low")
    if problem:
        return _unusable(problem, t)
    return Finding("database", True, t("check.database", noi=folder, gb=t.number(free / 1024, 0)))


def _unusable(problem: str, t: Texts) -> Finding:
    return Finding(
        "database", False, t("check.unusable"), t("check.database_do"), detail=problem, code="database_unusable"
    )


def clock(now: Moment, t: Texts) -> Finding:
    """The time, and whether anybody vouches for it."""
    says, source = f"{t.clock(now.local)}, {t.date(now.local)}", t(f"quality.{now.quality}")
    if now.trusted:
        return Finding("clock", True, says, detail=source)
    return Finding("clock", False, says, t("clock.untrusted"), detail=source, code="clock_not_set")


def chip(config: Config, t: Texts, folder: Path = Path("/dev"), who: User | None = None) -> Finding:
    """The GPIO chip, as it looks from outside."""
    if config.buttons.factory != "gpio":
        return Finding("buttons", True, config.buttons.factory)
    who = who or devices.user()
    found = devices.best(devices.reach(path, who) for path in sorted(folder.glob("gpiochip*")))
    if found is None:
        return Finding("buttons", False, t("check.no_gpio"), t("check.no_gpio_do"), code="no_gpio")
    return Finding("buttons", True, found.path) if found.allowed else refused("buttons", found, who, t)


def refused(part: str, found: Reach, who: User, t: Texts) -> Finding:
    """A device that is there and may not be used: because of a group, or of its own rights."""
    if found.group:
        says = t("check.group", noi=found.path, ai=who.name, nhom=found.group)
        return Finding(part, False, says, t("check.group_do", ai=who.name, nhom=found.group), code="group_missing")
    return Finding(part, False, t("check.no_access", noi=found.path), t("check.rights_do"), code="no_rights")


def keys(config: Config, broken: Mapping[str, str], held: Sequence[str], t: Texts) -> Finding:
    """Keys and lamps that were opened: what is `broken` (by name, and why), and which keys are `held` down."""
    if broken:
        found = chip(config, t)
        if not found.ok:
            return found
        says = t("check.key_broken", phim=", ".join(broken))
        why = next(iter(broken.values()))
        return Finding("buttons", False, says, t("check.key_broken_do"), detail=why, code="key_broken")
    if held:
        says = t("staff.stuck", phim=", ".join(held))
        return Finding("buttons", True, says, t("check.key_held_do"), note=True, code="key_held")
    return Finding("buttons", True, config.buttons.factory)


def printer(state: str, url: str, t: Texts, found: Reach | None = None, asks: bool = False) -> Finding:
    """The printer by its state, in `printer_device`'s words.

    `found` is its device where somebody looked for it: one that is away is told from one that is mute. `asks`: it is
    configured as one that answers.
    """
    if state in ("offline", "unknown") and found and not found.allowed:
        return _printer_away(found, t)
    if (state == "offline" and found) or (state == "unknown" and asks):
        says, todo = t("check.printer_mute", noi=url), t("check.printer_mute_do")
        note = state == "unknown"
        return Finding("printer", note, says, todo, note=note, detail=t(f"printer.{state}"), code="printer_mute")
    good = state in ("ok", "paper_low", "unknown") or (state == "none" and url == "none")
    todo = f"check.printer_{state}"
    code = "" if good and state != "paper_low" else f"printer_{state}"
    advice = t(todo) if todo in t else ""
    return Finding("printer", good, t(f"printer.{state}"), advice, note=state == "paper_low", detail=url, code=code)


def _printer_away(found: Reach, t: Texts) -> Finding:
    if found.there:
        return refused("printer", found, devices.user(), t)
    says = t("check.printer_absent", noi=found.path)
    return Finding("printer", False, says, t("check.printer_offline"), code="printer_absent")


@dataclass(frozen=True, slots=True)
class Graphics:
    """Where the graphics of this machine are looked for, and what SDL was built to drive (None: nobody asked it)."""

    cards: Path = Path("/dev/dri")
    connectors: Path = Path("/sys/class/drm")
    inputs: Path = Path("/dev/input")
    drivers: tuple[str, ...] | None = None


def screen(config: Config, t: Texts, graphics: Graphics = Graphics(), who: User | None = None) -> Finding:
    """The screen, as it looks from outside."""
    if not config.screen.enabled:
        return Finding("screen", True, t("check.none"))
    if window := os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Finding("screen", True, window)
    who = who or devices.user()
    found = [devices.reach(path, who) for path in sorted(graphics.cards.glob("card*"))]
    if not found:
        return Finding("screen", config.screen.blind_ok, t("check.no_dri"), t("check.no_dri_do"), code="no_dri")
    if locked := _locked(found, graphics, who, touch=config.screen.touch):
        return refused("screen", locked, who, t)
    if graphics.drivers is not None and "kmsdrm" not in graphics.drivers:
        says = t("check.no_kmsdrm", co=", ".join(graphics.drivers) or "–")
        return Finding("screen", False, says, t("check.no_kmsdrm_do"), code="no_kmsdrm")
    if not _plugged(graphics.connectors):
        blind = config.screen.blind_ok
        return Finding("screen", blind, t("check.no_screen"), t("check.no_screen_do"), code="no_display")
    return Finding("screen", True, found[0].path)


def _locked(cards: Sequence[Reach], graphics: Graphics, who: User, *, touch: bool) -> Reach | None:
    """The first kind of device that is needed for the picture, or for touching it, and may not be used."""
    kinds = [cards, [devices.reach(path, who) for path in sorted(graphics.cards.glob("renderD*"))]]
    if touch:
        kinds.append([devices.reach(path, who) for path in sorted(graphics.inputs.glob("event*"))])
    closed = (best for kind in kinds if (best := devices.best(kind)) and not best.allowed)
    return next(closed, None)


def _plugged(connectors: Path) -> bool:
    """Whether a display is seen; where the kernel lists no connector, nobody can tell."""
    states = [path.read_text().strip() for path in connectors.glob("card*-*/status")]
    return not states or "connected" in states


def glass(driver: str, sizes: Sequence[tuple[int, int]]) -> Finding:
    """The screen that was opened: who drives it, and the pictures on it."""
    return Finding("screen", True, " ".join([driver, *(f"{width}×{height}" for width, height in sizes)]))


def screen_noted(config: Config, word: str, t: Texts) -> Finding:
    """The screen as `kiosk run` has noted it (`reports.screen_word`), "" when it has not yet."""
    if not config.screen.enabled or word == "none":
        return Finding("screen", True, t("check.none"))
    if word == "lost":
        return Finding("screen", False, t("check.no_screen"), t("check.no_screen_do"), code="no_display")
    if word in ("", "blind"):
        return Finding("screen", True, t("technician.screen_blind" if word else "technician.not_said"), note=True)
    return Finding("screen", True, t("technician.screen_ok"), detail=word)


def firewall(config: Config, word: str, t: Texts) -> Iterator[Finding]:
    """Whether the rule for the console's ports is in the kernel, as `word` says: loaded, missing, or not known."""
    if of_this_machine(config.console.address):
        return
    if word == "loaded":
        yield Finding("firewall", True, t("check.firewall"))
    elif word == "missing":
        yield Finding("firewall", False, t("check.no_firewall"), t("check.firewall_do"), code="no_firewall")


def server(config: Config, word: Mapping[str, Any], t: Texts) -> Finding:
    """The commune server: the token for it, and what became of the last push (`word`; empty before the first)."""
    if not config.sync.server:
        return Finding("sync", True, t("check.no_server"))
    try:
        read_token(Path(config.sync.token_file))
    except ValueError as error:
        return Finding("sync", False, t("check.no_token"), t("check.token_do"), detail=str(error), code="no_token")
    if word and word.get("state") != "ok":
        said = f"{word.get('state')}: {word.get('detail', '')}"
        return Finding("sync", False, t("check.server_lost"), t("check.server_do"), detail=said, code="server_lost")
    return Finding("sync", True, config.sync.server)
