"""A spoken call as one WAV file: the chime, then the sentence in each language of the hall, clip after clip.

Clips come from the packs; one that is missing is spoken by espeak-ng at the moment of the call. Where that is missing
too, the language is left out, and if none is left, the chime alone says that there is something on the board.
"""

import logging
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosk.calls import SpokenCall
from kiosk.present.calling import CHIME, Reading, Word, sentence, vocabulary
from kiosk.programs import ProgramError
from kiosk.texts import Texts
from kiosk.voice import espeak, pcm
from kiosk.voice.pack import MANIFEST, Pack, PackError, load

LEAD_S = 0.25
"""Silence before everything: some amplifiers need a moment to wake up."""
CHIME_S = 0.2
BETWEEN_S = 0.6
"""Between two languages."""
END_S = 0.5
MOST_KEPT = 400
"""Clips that are kept ready; some 60 a language are all that there are."""

DIGITS = Reading()

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manner:
    """How this device calls: volume 0 to 100, the languages one after the other, and how numbers are read."""

    languages: tuple[str, ...] = ("vi",)
    volume: int = 100
    chime: bool = True
    reading: Reading = DIGITS


class Composer:
    """Makes calls audible; used by one thread. `packs` holds a folder for each language, named by its code.

    `names` are what the office adds to the vocabulary (`calling.names_of`), `counter` says what a counter is called.
    """

    def __init__(
        self,
        texts: Texts,
        packs: Path,
        manner: Manner,
        names: Sequence[str] = (),
        counter: Callable[[str], str] = str,
    ) -> None:
        self._texts = {language: texts.in_language(language) for language in manner.languages}
        self._packs = packs
        self._manner = manner
        self._names = names
        self._counter = counter
        self._pack: dict[str, tuple[int, Pack | None]] = {}
        """Language → its pack, and when its manifest was written (0: there is none)."""
        self._ready: dict[tuple[str, str], array[int]] = {}
        """Clips at this volume by language and text."""
        self._said: set[str] = set()

    def prepare(self) -> None:
        """Have the computer's voice make the packs that are not there yet. Never fails: it says why in the log."""
        for language, t in self._texts.items():
            if (self._packs / language / MANIFEST).exists():
                continue
            try:
                words = vocabulary(t, self._manner.reading, self._names)
                made = espeak.make(self._packs / language, words, language)
                logger.info("a voice for calls was made: %s, %d clips", made.folder, len(made.clips))
            except (ProgramError, PackError, OSError) as error:
                self._note(f"no voice pack for {language}: {error}")

    def wav(self, call: SpokenCall) -> bytes:
        """All that is heard for a call, as a WAV file at pcm.RATE. Takes milliseconds, with espeak-ng some more."""
        parts: list[tuple[array[int], float]] = [(array("h"), LEAD_S)]
        spoken = [said for language, t in self._texts.items() if (said := self._sentence(language, t, call))]
        if self._manner.chime or not spoken:
            parts.append((self._chime(), CHIME_S))
        for said in spoken:
            parts += [*said[:-1], (said[-1][0], BETWEEN_S)]
        return pcm.wav(pcm.joined([*parts[:-1], (parts[-1][0], END_S)], pcm.RATE), pcm.RATE)

    def _sentence(self, language: str, t: Texts, call: SpokenCall) -> "list[tuple[array[int], float]]":
        """The clips of one language, none if one of them cannot be had: half a call misleads."""
        words = sentence(t, call, self._counter(call.counter), self._manner.reading)
        pack = self._current(language)
        try:
            return [(self._clip(language, pack, word), word.pause_s) for word in words]
        except ProgramError as error:
            self._note(f"no call in {language}: {error}")
            return []

    def _clip(self, language: str, pack: Pack | None, word: Word) -> "array[int]":
        if (language, word.text) not in self._ready:
            if len(self._ready) >= MOST_KEPT:
                self._ready.clear()
            samples = self._recorded(pack, word)
            if samples is None:
                samples = espeak.speak(word.text, language, pcm.RATE)
            self._ready[language, word.text] = pcm.scaled(samples, self._manner.volume)
        return self._ready[language, word.text]

    def _recorded(self, pack: Pack | None, word: Word) -> "array[int] | None":
        """The pack's clip, None for one that it has not, or that cannot be read."""
        if pack is None or not pack.has(word):
            return None
        try:
            return pack.samples(word.clip, pcm.RATE)
        except (PackError, OSError) as error:
            self._note(str(error))
            return None

    def _chime(self) -> "array[int]":
        """That of the first pack, or our own."""
        if ("", CHIME) not in self._ready:
            pack = next(filter(None, map(self._current, self._texts)), None)
            own = self._recorded(pack, Word(CHIME, ""))
            self._ready["", CHIME] = pcm.scaled(own if own is not None else pcm.chime(pcm.RATE), self._manner.volume)
        return self._ready["", CHIME]

    def _current(self, language: str) -> Pack | None:
        """The language's pack as it is now: recordings may be added while the kiosk runs."""
        folder = self._packs / language
        try:
            written = (folder / MANIFEST).stat().st_mtime_ns
        except OSError:
            written = 0
        if self._pack.get(language, (-1, None))[0] != written:
            self._ready.clear()
            self._pack[language] = (written, self._load(folder) if written else None)
        return self._pack[language][1]

    def _load(self, folder: Path) -> Pack | None:
        try:
            return load(folder)
        except (PackError, OSError) as error:
            self._note(str(error))
            return None

    def _note(self, what: str) -> None:
        """Say once what is wrong."""
        if what not in self._said:
            self._said.add(what)
            logger.warning("%s", what)
