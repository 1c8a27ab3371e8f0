"""A voice pack: a folder with one WAV file per clip, and `voice.json`, which says what each of them is.

`made/` holds the clips of a voice of the computer, `recorded/` those that a person spoke; a recorded clip goes over a
made one. Knows no sentences: which clips a language needs is told by `kiosk.present.calling`.
"""

import json
import os
import re
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kiosk.present.calling import Word
from kiosk.voice import pcm

MANIFEST = "voice.json"
MADE, RECORDED = "made", "recorded"
FILE = re.compile(r"(?:made|recorded)/[^/\x00]+\.wav")


class PackError(ValueError):
    """A pack that cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound: its file within the pack, and the text that it says."""

    file: str
    text: str

    @property
    def recorded(self) -> bool:
        return self.file.startswith(RECORDED)

    def says(self, word: Word) -> bool:
        """Whether it is what the sentence wants: an office that words its call differently needs another clip."""
        return _plain(self.text) == _plain(word.text)


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of clips: `rate` in samples a second; `voice` is who speaks."""

    folder: Path
    language: str
    voice: str = ""
    rate: int = pcm.RATE
    clips: dict[str, Clip] = field(default_factory=dict)

    def missing(self, words: Iterable[Word]) -> list[Word]:
        """What of these has no clip here, or one with another text, or none that is still there."""
        return [word for word in words if not self.has(word)]

    def has(self, word: Word) -> bool:
        clip = self.clips.get(word.clip)
        return clip is not None and clip.says(word) and (self.folder / clip.file).is_file()

    def samples(self, name: str, rate: int) -> "array[int]":
        """A clip at this rate. Raises PackError, or OSError."""
        path = self.folder / self.clips[name].file
        try:
            own, samples = pcm.read(path.read_bytes())
        except pcm.ClipError as error:
            raise PackError(f"{path}: {error}") from error
        return pcm.resampled(samples, own, rate)

    def keep(self, word: Word, samples: "array[int]", origin: str) -> "Pack":
        """The pack with one clip more, its file written; the manifest is `save`d at the end. Raises OSError."""
        (self.folder / origin).mkdir(parents=True, exist_ok=True)
        file = f"{origin}/{word.clip}.wav"
        _write(self.folder / file, pcm.wav(samples, self.rate))
        return replace(self, clips={**self.clips, word.clip: Clip(file, word.text)})

    def save(self) -> None:
        """Write the manifest: from now on the pack is what it says. Raises OSError."""
        plain = {
            "language": self.language,
            "voice": self.voice,
            "rate": self.rate,
            "clips": {name: {"file": clip.file, "text": clip.text} for name, clip in self.clips.items()},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / MANIFEST, (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode())


def load(folder: Path) -> Pack:
    """The pack in a folder. FileNotFoundError when there is none, PackError when its manifest cannot be used."""
    path = folder / MANIFEST
    try:
        plain = json.loads(path.read_text("utf-8"))
        rate = int(plain["rate"])
        clips = {str(name): Clip(str(clip["file"]), str(clip["text"])) for name, clip in plain["clips"].items()}
        pack = Pack(folder, str(plain["language"]), str(plain["voice"]), rate, clips)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(f"{path} cannot be used ({error!r}): delete it, then run kiosk voice make") from error
    if not 8000 <= rate <= 96_000 or not all(FILE.fullmatch(clip.file) for clip in clips.values()):
        raise PackError(f"{path} names a rate or a file that cannot be: delete it, then run kiosk voice make")
    return pack


def load_or_new(folder: Path, language: str) -> Pack:
    """The pack in a folder, or an empty one to be filled. Raises PackError, also when it is of another language."""
    try:
        pack = load(folder)
    except FileNotFoundError:
        return Pack(folder, language)
    if pack.language != language:
        raise PackError(f"{folder} is a pack of the language {pack.language}, not {language}: take another folder")
    return pack


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the files: the clips that were taken over, and one line for each file that was not."""

    pack: Pack
    taken: tuple[str, ...]
    problems: tuple[str, ...]


def take_over(pack: Pack, words: Sequence[Word], paths: Iterable[Path]) -> Imported:
    """Take recordings into the pack: WAV files that are named by their clips, or folders of them.

    Each is brought to the pack's rate and level. One that cannot be used is named, and the others are taken over.
    """
    known = {word.clip: word for word in words}
    taken, problems = [], []
    for path in _files(paths):
        # A name that a Mac wrote has its marks apart.
        word = known.get(unicodedata.normalize("NFC", path.stem).lower())
        if word is None:
            problems.append(f"{path}: no clip has this name; kiosk voice list shows the names")
            continue
        try:
            rate, samples = pcm.read(path.read_bytes())
            pack = pack.keep(word, pcm.clip(samples, rate, pack.rate), RECORDED)
            taken.append(word.clip)
        except pcm.ClipError as error:
            problems.append(f"{path}: {error}")
        except OSError as error:
            problems.append(f"{error.filename or path}: {error.strerror}")
    if taken:
        pack.save()
    return Imported(pack, tuple(taken), tuple(problems))


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.iterdir() if found.suffix.lower() == ".wav")
        else:
            yield path


def _write(path: Path, content: bytes) -> None:
    """Complete or not at all, whenever the power goes."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
