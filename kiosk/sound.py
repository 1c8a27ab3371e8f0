"""Short tones, and sentences read aloud, played by `aplay` and spoken by `espeak-ng`. Knows no key, ticket or office.

Sound is an effect. No card, no program, a program that hangs: the kiosk is silent, the log says so once, and nobody
waits. Each sound is a program of its own, because an open idle mixer costs more than a tenth of a core.
"""

import logging
import math
import os
import resource
import signal
import subprocess
import threading
import time
import wave
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Protocol

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
CLOSE_S = 2.0
MOST_BYTES = 8_000_000
"""What a program may write: a sentence of some minutes."""

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
    """What the kiosk wants of its loudspeaker. No method waits or raises."""

    def play(self, tone: str) -> None: ...
    def say(self, sentence: str, language: str) -> None: ...
    def close(self) -> None: ...


class Silence:
    """The loudspeaker of a kiosk that has none."""

    def play(self, tone: str) -> None:
        pass

    def say(self, sentence: str, language: str) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    language: str
    at: float


class Sound:
    """One thread that plays what came last; `play`, `say` and `close` may be called from any thread.

    At most one tone and one sentence wait; a newer one takes the place of the older. A tone goes first: it cuts a
    sentence off, which then begins again unless there is a newer one or it is late by now.
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
        self._player = ["aplay", "-q", *(["-D", device] if device else [])]
        self._presses = presses
        self._tone_s = tone_s
        self._clock = clock
        self._news = threading.Condition()
        self._tone = ""
        self._sentence: _Sentence | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._speaking = self._cut = self._closed = False
        self._trouble: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def play(self, tone: str) -> None:
        """Play a tone of `TONES` soon."""
        if tone == "press" and not self._presses:
            return
        with self._news:
            self._tone = tone
            self._interrupt()

    def say(self, sentence: str, language: str) -> None:
        """Read a sentence aloud soon, by espeak-ng's voice for this language."""
        with self._news:
            self._sentence = _Sentence(sentence, language, self._clock())
            self._interrupt()

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
            if self._process:
                _kill(self._process)
        self._news.notify()

    # --- the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            tones = {name: wav(notes, self._volume) for name, notes in TONES.items()}
            while True:
                tone, sentence = self._next()
                if tone:
                    self._call("aplay", self._player, tones[tone], self._tone_s)
                elif sentence:
                    self._speak(sentence)
                else:
                    return
        except Exception:
            logger.exception("the sound has died: the kiosk goes on in silence")

    def _next(self) -> tuple[str, _Sentence | None]:
        """What to play now: a tone, or a sentence, or neither when it is over. Waits for it."""
        with self._news:
            self._speaking = self._cut = False
            self._news.wait_for(lambda: self._tone or self._sentence or self._closed)
            if self._closed:
                return "", None
            if self._tone:
                tone, self._tone = self._tone, ""
                return tone, None
            sentence, self._sentence = self._sentence, None
            self._speaking = True
            return "", sentence

    def _speak(self, sentence: _Sentence) -> None:
        if self._clock() - sentence.at > LATE_S:
            return
        voice = ["-v", sentence.language, "-s", str(WORDS_A_MINUTE), "-a", str(self._volume)]
        command = ["espeak-ng", *voice, "-b", "1", "--stdin", "--stdout"]
        spoken = self._call(f"espeak-ng {sentence.language}", command, sentence.text.encode(), MAKE_SPEECH_S)
        if spoken:
            self._call("aplay", self._player, spoken, SPEECH_S)
        with self._news:
            if self._cut and self._sentence is None:
                self._sentence = sentence

    def _call(self, name: str, command: Sequence[str], given: bytes, seconds: float) -> bytes:
        """What the program wrote; nothing when it failed, was cut off, or took longer than `seconds`.

        Files in memory in place of pipes: a pipe that is full makes its writer wait.
        """
        with ExitStack() as files:
            try:
                source, out, errors = (files.enter_context(file) for file in _three(given))
                process = subprocess.Popen(command, stdin=source, stdout=out, stderr=errors, start_new_session=True)
            except OSError as error:
                self._note(name, f"{command[0]}: {error.strerror}")
                return b""
            _bound(process)
            with self._news:
                self._process = process
                if self._cut or self._closed:
                    _kill(process)
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                status = None
            with self._news:
                self._process = None
                if self._cut or self._closed:
                    return b""
            self._note(name, _verdict(command[0], status, errors, seconds))
            out.seek(0)
            return out.read() if status == 0 else b""

    def _note(self, name: str, why: str) -> None:
        """Say once that something does not work, and once that it works again."""
        if why == self._trouble.get(name, ""):
            return
        self._trouble[name] = why
        if why:
            logger.warning("no sound: %s", why)
        else:
            logger.info("%s works again", name)


def _three(given: bytes) -> Iterator[BinaryIO]:
    """What a program reads, what it writes, and what it complains of."""
    yield _memory("in", given)
    yield _memory("out")
    yield _memory("err")


def _memory(name: str, content: bytes = b"") -> BinaryIO:
    """A file in memory for a child to read or write."""
    file = os.fdopen(os.memfd_create(f"kiosk-sound-{name}"), "w+b")
    file.write(content)
    file.seek(0)
    return file


def _bound(process: subprocess.Popen[bytes]) -> None:
    """No program may fill the memory with what it writes."""
    with suppress(OSError):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The program with whatever it started, or that would go on holding the loudspeaker."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    _kill(process)
    try:
        process.wait(CLOSE_S)
    except subprocess.TimeoutExpired:
        logger.warning("a sound's program cannot be ended: its device does not answer")


def _verdict(program: str, status: int | None, errors: BinaryIO, seconds: float) -> str:
    """Why it did not work, "" when it did."""
    if status is None:
        return f"{program} was not done in {seconds:g} s"
    if status == 0:
        return ""
    errors.seek(0)
    lines = errors.read(4000).decode(errors="replace").strip().splitlines()
    said = lines[-1][:200] if lines else f"ended with status {status}"
    return said if said.startswith(program) else f"{program}: {said}"
