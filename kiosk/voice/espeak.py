"""The computer's own voice, espeak-ng: single clips, and a whole pack of them. It is understood, and always there."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kiosk.present.calling import CHIME, Word
from kiosk.programs import Program, ProgramError
from kiosk.sound import MAKE_SPEECH_S, WORDS_A_MINUTE
from kiosk.voice import pcm
from kiosk.voice.pack import MADE, Pack, load_or_new

PROGRAM = "espeak-ng"


def speak(text: str, voice: str, rate: int) -> "array[int]":
    """A text as a clip; `voice` is a language or a name of `espeak-ng --voices`. Raises ProgramError."""
    command = [PROGRAM, "-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
    try:
        own, samples = pcm.read(Program(command, text.encode(), modest=True).result(MAKE_SPEECH_S))
        return pcm.clip(samples, own, rate)
    except pcm.ClipError as error:
        raise ProgramError(f"{PROGRAM} {voice}: what it said for “{text}” {error}") from error


def make(folder: Path, words: Sequence[Word], language: str, voice: str = "") -> Pack:
    """Add to the pack in a folder what it lacks of these words; with another `voice` than its own, all but recordings.

    The manifest comes last: what was interrupted is no pack, and is made again. Raises ProgramError (nothing is
    changed then), PackError, OSError.
    """
    pack = load_or_new(folder, language)
    own = voice or pack.voice.removeprefix(f"{PROGRAM} ") or language
    same = pack.voice == f"{PROGRAM} {own}"
    wanted = [word for word in words if not pack.has(word) or not (same or pack.clips[word.clip].recorded)]
    made = [pcm.chime(pack.rate) if word.clip == CHIME else speak(word.text, own, pack.rate) for word in wanted]
    for word, samples in zip(wanted, made, strict=True):
        pack = pack.keep(word, samples, MADE)
    pack = replace(pack, voice=f"{PROGRAM} {own}")
    pack.save()
    return pack
