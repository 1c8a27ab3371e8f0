"""Tones, sentences read aloud, and calls: played by `aplay`, spoken by `espeak-ng`. Knows no key, ticket or office.

Sound is an effect. No card, no program, a program that hangs: the kiosk is silent, the log says so once, and nobody
waits. Each sound is a program of its own, because an open idle mixer costs more than a tenth of a core.
"""

import logging
import math
import threading
import time
import wave
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Protocol

from kiosk.programs import Program, ProgramError

RATE = 24_000
PEAK = 0.85
"""Most of full scale, at full volume: 1.4 dB below it."""
FADE_S = 0.006
"""How long a note takes to come and to go: an edge would click."""
OVERTONE = 0.25
"""Share of the octave above: a small loudspeaker gives nothing of a low note alone."""

TONE_S = 3.0
SPEECH_S = 20.0
MAKE_SPEECH_S = 5.0
LATE_S = 4.0
"""A sentence that could not begin in this time (tones go first) is about somebody who has gone."""
WORDS_A_MINUTE = 131
"""Three quarters of espeak-ng's usual 175."""
CALL_MORE_S = 5.0
"""How much longer than it is a call may take to be played."""
STALE_TONE_S = 1.0
"""A tone that had to wait so long for a call no longer belongs to any press."""
GAP_S = 0.3
"""After a call the next one is waited for so long: a sentence that began in between would only be cut off."""
CLOSE_S = 2.0
FOLDER = "folder:"
KEPT = 20
"""Calls that a folder keeps."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """A sine of `hertz` with some of its octave; `level` is its share of the loudest."""

    hertz: float
    seconds: float
    level: float = 1.0


TONES: Mapping[str, Sequence[Note]] = {
    "press": (Note(880, 0.05, 0.6),),
    "taken": (Note(659, 0.13), Note(880, 0.20)),
    "refused": (Note(220, 0.32),),
}


def wav(notes: Sequence[Note], volume: int) -> bytes:
    """The notes one after the other as a WAV file: one channel, 16 bits; `volume` 0 to 100."""
    samples = array("h")
    for note in notes:
        samples.extend(_samples(note, volume / 100))
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def _samples(note: Note, volume: float) -> "array[int]":
    count, fade = round(note.seconds * RATE), round(FADE_S * RATE)
    high = 32767 * PEAK * volume * note.level
    step = 2 * math.pi * note.hertz / RATE
    return array(
        "h",
        (round(high * _swell(min(n, count - 1 - n) / fade) * _wave(n * step)) for n in range(count)),
    )


def _wave(angle: float) -> float:
    return (1 - OVERTONE) * math.sin(angle) + OVERTONE * math.sin(2 * angle)


def _swell(share: float) -> float:
    """From silence at 0 to all of it at 1, without a corner."""
    return 1.0 if share >= 1 else (1 - math.cos(math.pi * share)) / 2


class Speaker(Protocol):
    """What the kiosk wants of its loudspeaker. No method raises, and only `call` waits."""

    def play(self, tone: str) -> None: ...
    def say(self, sentence: str, language: str) -> None: ...
    def call(self, wav: bytes) -> bool:
        """Play a call to its end, after those before it; False when closing cut it off or it was never begun."""

    @property
    def trouble(self) -> str:
        """Why something was not heard the last time, "" for nothing."""

    def close(self) -> None: ...


class Silence:
    """The loudspeaker of a kiosk that has none."""

    trouble = ""

    def play(self, tone: str) -> None:
        pass

    def say(self, sentence: str, language: str) -> None:
        pass

    def call(self, wav: bytes) -> bool:
        return True

    def close(self) -> None:
        pass


class SoundFolder(Silence):
    """A loudspeaker that keeps each call as a WAV file, for whoever plays it elsewhere (a page of the simulator).

    `call-000001.wav` and so on, complete from the moment that the name is there, the newest KEPT of them. A call takes
    as long as it would be heard, so that the files come one after the other. No tones, no sentences.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closed = threading.Event()

    def call(self, wav: bytes) -> bool:
        try:
            self._keep(wav)
            self.trouble = ""
        except OSError as error:
            if str(error) != self.trouble:
                logger.warning("no call is kept: %s", error)
            self.trouble = str(error)
        return not self._closed.wait(seconds(wav))

    def close(self) -> None:
        self._closed.set()

    def _keep(self, wav: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(self._folder.glob("call-*.wav"))
        number = int(kept[-1].stem[5:]) + 1 if kept else 1
        fresh = self._folder / "call.new"
        fresh.write_bytes(wav)
        fresh.rename(self._folder / f"call-{number:06d}.wav")
        for old in kept[: max(len(kept) + 1 - KEPT, 0)]:
            old.unlink(missing_ok=True)


def player(device: str) -> list[str]:
    """The command that plays a WAV file from its standard input, on an ALSA device or, with "", the usual one."""
    return ["aplay", "-q", *(["-D", device] if device else [])]


def seconds(wav: bytes) -> float:
    """How long a WAV file lasts."""
    with wave.open(BytesIO(wav)) as sound:
        return float(sound.getnframes() / sound.getframerate())


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    language: str
    at: float


@dataclass(slots=True)
class _Call:
    wav: bytes
    whole: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class Sound:
    """One thread that plays; all methods may be called from any thread.

    Calls are a queue: each is played to its end, and nothing cuts one off. Of tones and sentences at most one each
    waits; a newer one takes the place of the older. A tone or a call cuts a sentence off, which then begins again
    unless there is a newer one or it is late by now. A tone that waited long for a call is left out.
    """

    def __init__(
        self,
        *,
        volume: int = 70,
        device: str = "",
        presses: bool = True,
        tone_s: float = TONE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._volume = volume
        self._player = player(device)
        self._presses = presses
        self._tone_s = tone_s
        self._clock = clock
        self._news = threading.Condition()
        self._tone = ""
        self._sentence: _Sentence | None = None
        self._calls: deque[_Call] = deque()
        self._program: Program | None = None
        self._speaking = self._cut = self._calling = self._closed = False
        self._tone_at = math.inf
        """When the tone began to wait for calls; never, when it was there before them and goes first."""
        self._trouble: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def play(self, tone: str) -> None:
        """Play a tone of `TONES` soon."""
        if (tone == "press" and not self._presses) or not self._volume:
            return
        with self._news:
            self._tone = tone
            self._tone_at = self._clock() if self._calling or self._calls else math.inf
            self._interrupt()

    def say(self, sentence: str, language: str) -> None:
        """Read a sentence aloud soon, by espeak-ng's voice for this language."""
        with self._news:
            self._sentence = _Sentence(sentence, language, self._clock())
            self._interrupt()

    def call(self, wav: bytes) -> bool:
        """Play a call after those that wait, and wait for its end."""
        call = _Call(wav)
        with self._news:
            if self._closed:
                return False
            self._calls.append(call)
            self._interrupt()
        while not call.over.wait(CLOSE_S):
            if not self._thread.is_alive():
                return True  # for ever silent, which the log has said; nobody waits for it
        return call.whole

    @property
    def trouble(self) -> str:
        """Of the tone, sentence or call that failed first and does not work yet."""
        return next((why for why in list(self._trouble.values()) if why), "")

    def close(self) -> None:
        """Be silent at once. May be called twice."""
        with self._news:
            self._closed = self._speaking = True
            self._interrupt()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            logger.error("the sound's thread did not end in %s s", CLOSE_S)

    def _interrupt(self) -> None:
        """Wake the thread; what is being said gives way. Under the lock."""
        if self._speaking:
            self._cut = True
            if self._program:
                self._program.kill()
        self._news.notify()

    # --- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            tones = {name: wav(notes, self._volume) for name, notes in TONES.items()}
            while (what := self._next()) is not None:
                match what:
                    case _Call():
                        self._say_whole(what)
                    case _Sentence():
                        self._speak(what)
                    case tone:
                        self._run_program("aplay", self._player, tones[tone], self._tone_s)
        except Exception:
            logger.exception("the sound has died: the kiosk goes on in silence")
        finally:
            for call in self._calls:
                call.over.set()

    def _next(self) -> str | _Sentence | _Call | None:
        """What to play now, None when it is over. Waits for it."""
        with self._news:
            self._speaking = self._cut = False
            if self._calling:
                self._calling = False
                self._news.wait_for(lambda: self._calls or self._tone or self._closed, GAP_S)
            self._news.wait_for(lambda: self._calls or self._tone or self._sentence or self._closed)
            if self._closed:
                return None
            if self._calls and not (self._tone and self._tone_at == math.inf):
                self._calling = True
                return self._calls.popleft()
            if self._tone:
                tone, self._tone = self._tone, ""
                return tone
            sentence, self._sentence = self._sentence, None
            self._speaking = True
            return sentence

    def _say_whole(self, call: _Call) -> None:
        try:
            with suppress(ValueError, EOFError, wave.Error):
                self._run_program("aplay", self._player, call.wav, seconds(call.wav) + CALL_MORE_S)
        finally:
            with self._news:
                call.whole = not self._closed
                if self._tone and self._clock() - self._tone_at > STALE_TONE_S:
                    self._tone = ""
            call.over.set()

    def _speak(self, sentence: _Sentence) -> None:
        if self._clock() - sentence.at > LATE_S:
            return
        voice = ["-v", sentence.language, "-s", str(WORDS_A_MINUTE), "-a", str(self._volume)]
        command = ["espeak-ng", *voice, "-b", "1", "--stdin", "--stdout"]
        spoken = self._run_program(f"espeak-ng {sentence.language}", command, sentence.text.encode(), MAKE_SPEECH_S)
        if spoken:
            self._run_program("aplay", self._player, spoken, SPEECH_S)
        with self._news:
            if self._cut and self._sentence is None:
                self._sentence = sentence

    def _run_program(self, name: str, command: Sequence[str], given: bytes, most_s: float) -> bytes:
        """What the program wrote; nothing when it failed, was cut off, or took longer than `most_s`."""
        wrote, why = b"", ""
        try:
            program = Program(command, given, modest=command is not self._player)
            with self._news:
                self._program = program
                if self._cut or self._closed:
                    program.kill()
            wrote = program.result(most_s)
        except ProgramError as error:
            why = str(error)
        with self._news:
            self._program = None
            if self._cut or self._closed:
                return b""
        self._note(name, why)
        return wrote

    def _note(self, name: str, why: str) -> None:
        """Say once that something does not work, and once that it works again."""
        if why == self._trouble.get(name, ""):
            return
        self._trouble[name] = why
        if why:
            logger.warning("no sound: %s", why)
        else:
            logger.info("%s works again", name)
