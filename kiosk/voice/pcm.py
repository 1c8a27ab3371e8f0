"""Sound as samples: any WAV file becomes a clip of even loudness, and clips become one WAV file. No files, no programs.

Samples are 16-bit mono in an array("h"). Loudness is the root mean square (RMS) against full scale.
"""

import math
import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import mul

RATE = 22_050
"""Samples a second of a new pack: espeak-ng's own."""
LEVEL_DB = -18.0
"""RMS that every clip is brought to."""
PEAK_DB = -1.0
"""No sample is above this: loudspeakers' amplifiers and converters overshoot."""
KNEE = 0.5
"""Share of full scale from which peaks are bent down instead of cut."""
FRAME_S = 0.01
QUIET = 1 / 60
"""A frame that is so much below the loudest one (36 dB) is silence."""
KEEP_S = (0.02, 0.05)
"""Silence that stays before and after: soft consonants begin and end there."""
FADE_S = 0.004
MOST_S = 30.0
TAPS = 12
"""Half the length of the resampling filter, in samples of the slower rate."""
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


class ClipError(ValueError):
    """A sound file that cannot become a clip; the message says what to do."""


def read(file: bytes) -> tuple[int, "array[int]"]:
    """Rate and samples of a WAV file with any number of channels and 8 to 32 bits. Raises ClipError."""
    kind, channels, rate, bits, data = _chunks(file)
    if not (channels and 1000 <= rate <= 400_000):
        raise ClipError("has no usable rate: record it again, or save it as WAV (PCM, 16 bit)")
    if len(data) > MOST_S * rate * channels * bits / 8:
        raise ClipError(f"is longer than {MOST_S:g} s: cut it into one file for each clip")
    values = _values(kind, bits, data)
    whole = len(values) // channels * channels
    mixed = (
        values[:whole]
        if channels == 1
        else [sum(values[at : at + channels]) / channels for at in range(0, whole, channels)]
    )
    return rate, array("h", (min(max(round(value), -32768), 32767) for value in mixed))


def _chunks(file: bytes) -> tuple[int, int, int, int, bytes]:
    """Format, channels, rate, bits and the data. A length of the data beyond the file's end is that of a stream."""
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise ClipError("is no WAV file: save or convert it as WAV (PCM, 16 bit)")
    at, header = 12, b""
    while at + 8 <= len(file):
        name, length = file[at : at + 4], struct.unpack_from("<I", file, at + 4)[0]
        body = file[at + 8 : at + 8 + length]
        if name == b"fmt " and len(body) >= 16:
            header = body
        elif name == b"data" and header:
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", header)
            if kind == EXTENSIBLE and len(header) >= 26:
                kind = struct.unpack_from("<H", header, 24)[0]
            return kind, channels, rate, bits, body
        at += 8 + length + length % 2
    raise ClipError("is cut off: copy it again, or record it again")


def _values(kind: int, bits: int, data: bytes) -> Sequence[float]:
    """Each value of each channel as 16 bits would have it."""
    whole = data[: len(data) // max(bits // 8, 1) * max(bits // 8, 1)]
    if kind == PCM and bits == 16:
        return struct.unpack(f"<{len(whole) // 2}h", whole)
    if kind == PCM and bits == 8:
        return [(value - 128) * 256 for value in whole]
    if kind == PCM and bits == 24:
        return [int.from_bytes(whole[at + 1 : at + 3], "little", signed=True) for at in range(0, len(whole), 3)]
    if kind == PCM and bits == 32:
        return [value / 65536 for value in struct.unpack(f"<{len(whole) // 4}i", whole)]
    if kind == FLOAT and bits == 32:
        found = struct.unpack(f"<{len(whole) // 4}f", whole)
        return [value * 32767 if math.isfinite(value) else 0.0 for value in found]
    raise ClipError(f"is of a kind that is not read here (format {kind}, {bits} bits): save it as WAV (PCM, 16 bit)")


def clip(samples: "array[int]", rate: int, to_rate: int) -> "array[int]":
    """A recording made into a clip: at the pack's rate, without the silence around it, as loud as every other.

    Raises ClipError when there is nothing to be heard.
    """
    return faded(levelled(trimmed(resampled(samples, rate, to_rate), to_rate)), to_rate)


# --- the steps -----------------------------------------------------------------------------------------------


def resampled(samples: "array[int]", rate: int, to_rate: int) -> "array[int]":
    """At another rate, by a windowed sinc: what the slower rate cannot hold does not come back as a whistle."""
    if rate == to_rate:
        return samples
    common = math.gcd(rate, to_rate)
    up, down = to_rate // common, rate // common
    half = math.ceil(TAPS * max(1.0, down / up))
    padded = array("h", bytes(2 * half)) + samples + array("h", bytes(2 * half + 2))
    made = array("h")
    for n in range(len(samples) * up // down):
        start, phase = divmod(n * down, up)
        value = sum(map(mul, _kernel(phase, up, down, half), padded[start + 1 : start + 1 + 2 * half]))
        made.append(min(max(round(value), -32768), 32767))
    return made


@lru_cache(maxsize=4096)
def _kernel(phase: int, up: int, down: int, half: int) -> tuple[float, ...]:
    """The filter's weights for a place `phase`/`up` behind a sample; they add up to 1."""
    cut = min(1.0, up / down)
    weights = []
    for k in range(1 - half, half + 1):
        x = k - phase / up
        window = 0.5 + 0.5 * math.cos(math.pi * x / (half + 1))
        weights.append(window * cut * (math.sin(math.pi * cut * x) / (math.pi * cut * x) if x else 1.0))
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def trimmed(samples: "array[int]", rate: int) -> "array[int]":
    """Without the silence at both ends; what is soft for this recording, its hiss included, is silence."""
    size = max(round(FRAME_S * rate), 1)
    frames = [_rms(samples[at : at + size]) for at in range(0, len(samples), size)]
    loudest = max(frames, default=0.0)
    if loudest < 30:
        raise ClipError("holds no sound: record it again, nearer to the microphone")
    hiss = sorted(frames)[len(frames) // 10]
    over = max(loudest * QUIET, min(hiss * 2, loudest / 8))
    heard = [at for at, frame in enumerate(frames) if frame > over]
    first = max(heard[0] * size - round(KEEP_S[0] * rate), 0)
    return samples[first : (heard[-1] + 1) * size + round(KEEP_S[1] * rate)]


def levelled(samples: "array[int]") -> "array[int]":
    """At LEVEL_DB, around zero, with its peaks below PEAK_DB."""
    middle = sum(samples) / len(samples)
    centred = [value - middle for value in samples]
    power = math.sqrt(sum(map(mul, centred, centred)) / len(centred))
    gain = _share(LEVEL_DB) / max(power / 32768, 1e-9)
    return array("h", (round(32768 * _bent(gain * value / 32768)) for value in centred))


def _bent(value: float) -> float:
    """A value of full scale, bent down above KNEE so that none passes PEAK_DB."""
    if -KNEE <= value <= KNEE:
        return value
    room = _share(PEAK_DB) - KNEE
    return math.copysign(KNEE + room * math.tanh((abs(value) - KNEE) / room), value)


def faded(samples: "array[int]", rate: int) -> "array[int]":
    """With soft edges: a hard one clicks."""
    count = min(round(FADE_S * rate), len(samples) // 2)
    made = array("h", samples)
    for n in range(count):
        made[n] = round(made[n] * n / count)
        made[-1 - n] = round(made[-1 - n] * n / count)
    return made


def scaled(samples: "array[int]", volume: int) -> "array[int]":
    """At a volume of 0 to 100."""
    return samples if volume == 100 else array("h", (round(value * volume / 100) for value in samples))


def joined(parts: Iterable[tuple["array[int]", float]], rate: int) -> "array[int]":
    """Clips one after the other, each with its seconds of silence behind it."""
    made = array("h")
    for samples, pause_s in parts:
        made += samples
        made += array("h", bytes(2 * round(pause_s * rate)))
    return made


def wav(samples: "array[int]", rate: int) -> bytes:
    """The samples as a WAV file: one channel, 16 bits."""
    little = array("h", samples)
    if sys.byteorder == "big":
        little.byteswap()
    data = little.tobytes()
    kind = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, 1, rate, 2 * rate, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE") + kind + struct.pack("<4sI", b"data", len(data)) + data
    )


def loudness_db(samples: "array[int]") -> float:
    """RMS against full scale."""
    return 20 * math.log10(max(_rms(samples) / 32768, 1e-9))


def peak_db(samples: "array[int]") -> float:
    """The largest sample against full scale."""
    return 20 * math.log10(max(max(map(abs, samples), default=0) / 32768, 1e-9))


def _rms(samples: "array[int]") -> float:
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0


def _share(db: float) -> float:
    return float(10 ** (db / 20))


# --- the chime -----------------------------------------------------------------------------------------------

BELLS = ((659.3, 0.42), (523.3, 0.95))
"""Hertz and seconds of its two strokes: e and c, the falling third of station halls."""
DECAY_S = 0.3
PARTIALS = ((1.0, 1.0), (2.0, 0.35), (3.01, 0.12))
"""Multiples of a bell's hertz, and how strong."""


def chime(rate: int) -> "array[int]":
    """Two strokes of a bell, which say that somebody will be called: at the level of the clips."""
    length = sum(pause for _, pause in BELLS)
    heard = [0.0] * round(length * rate)
    for (hertz, _), began in zip(BELLS, accumulate((pause for _, pause in BELLS), initial=0.0), strict=False):
        first = round(began * rate)
        for n in range(first, len(heard)):
            at = (n - first) / rate
            swell = min(at / 0.004, 1.0) * math.exp(-at / DECAY_S)
            heard[n] += swell * sum(part * math.sin(2 * math.pi * hertz * times * at) for times, part in PARTIALS)
    return faded(levelled(array("h", (round(8000 * value) for value in heard))), rate)
