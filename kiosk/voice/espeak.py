"""The computer's own voice, espeak-ng: single clips, and a whole pack of them. It is understood, and always there."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kiosk.present.calling import CHIME, Word
from kiosk.programs import ProgramError, run
from kiosk.sound import MAKE_SPEECH_S, WORDS_A_MINUTE
from kiosk.voice import pcm
from kiosk.voice.pack import MADE, Pack, load_or_new


def speak(text: str, voice: str, rate: int) -> "array[int]":
    """A text as a clip; `voice` is a language or a name of `espeak-ng --voices`. Raises ProgramError."""
    command = ["espeak-ng", "-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
    try:
        own, samples = pcm.read(run(command, text.encode(), MAKE_SPEECH_S))
        return pcm.clip(samples, own, rate)
    except pcm.ClipError as error:
        raise ProgramError(f"espeak-ng {voice}: what it said for “{text}” {error}") from error


def make(folder: Path, words: Sequence[Word], language: str, voice: str = "") -> Pack:
    """A pack of these words in a folder, its recorded clips left as they are. Raises ProgramError, PackError, OSError.

    The manifest comes last: what was interrupted is no pack, and is made again.
    """
    pack = load_or_new(folder, language)
    voice = voice or language
    # The first thing that a missing program or voice stops: then nothing is changed.
    spoken = {word: speak(word.text, voice, pack.rate) for word in words if not _recorded(pack, word)}
    for word, samples in spoken.items():
        pack = pack.keep(word, samples, MADE)
    if CHIME not in pack.clips:
        pack = pack.keep(Word(CHIME, ""), pcm.chime(pack.rate), MADE)
    pack = replace(pack, voice=pack.voice or f"espeak-ng {voice}")
    pack.save()
    return pack


def _recorded(pack: Pack, word: Word) -> bool:
    return pack.has(word) and pack.clips[word.clip].recorded
