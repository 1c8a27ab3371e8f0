"""Any sound file becomes a clip of even loudness; clips become one file."""

import io
import math
import struct
import wave
from array import array

import pytest

from kiosk.voice import pcm


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 8000) -> "array[int]":
    return array("h", (round(amplitude * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(seconds * rate))))


def silence(seconds: float, rate: int) -> "array[int]":
    return array("h", bytes(2 * int(seconds * rate)))


def file(
    data: bytes, *, kind: int = 1, channels: int = 1, rate: int = 48_000, bits: int = 16, more: bytes = b""
) -> bytes:
    block = channels * bits // 8
    header = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits) + more
    body = b"WAVEfmt " + struct.pack("<I", len(header)) + header
    body += b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def near(given: "array[int]", wanted: "array[int]", within: int) -> bool:
    return len(given) == len(wanted) and all(abs(a - b) <= within for a, b in zip(given, wanted, strict=True))


WANTED = tone(440, 0.05, 48_000)


@pytest.mark.parametrize(
    ("made", "within"),
    [
        (file(WANTED.tobytes()), 0),
        (file(b"".join(struct.pack("<hh", v, v) for v in WANTED), channels=2), 0),
        (file(bytes(v // 256 + 128 for v in WANTED), bits=8), 256),
        (file(b"".join((v * 256).to_bytes(3, "little", signed=True) for v in WANTED), bits=24), 1),
        (file(b"".join(struct.pack("<i", v * 65536) for v in WANTED), bits=32), 1),
        (file(b"".join(struct.pack("<f", v / 32767) for v in WANTED), kind=3, bits=32), 1),
        (file(WANTED.tobytes(), kind=0xFFFE, more=struct.pack("<HHIH14x", 22, 16, 4, 1)), 0),
    ],
    ids=["16", "stereo", "8", "24", "32", "float", "extensible"],
)
def test_every_common_kind_of_wav_file_is_read(made: bytes, within: int):
    rate, samples = pcm.read(made)
    assert rate == 48_000
    assert near(samples, WANTED, within)


def test_a_stream_whose_header_names_no_length_is_read():
    made = bytearray(file(WANTED.tobytes()))
    at = made.index(b"data") + 4
    made[at : at + 4] = b"\x00\xf0\xff\x7f"
    assert pcm.read(bytes(made))[1] == WANTED


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (b"", "is no WAV file"),
        (b"ID3\x04 an MP3 of old", "is no WAV file"),
        (file(b"")[:20], "is cut off"),
        (file(b"\0\0", kind=85), "is of a kind that is not read here"),
        (file(b"\0\0", rate=0), "has no usable rate"),
        (file(b"\0\0", channels=0), "has no usable rate"),
        (file(bytes(2 * 31 * 8000), rate=8000), "is longer than 30 s"),
    ],
)
def test_a_file_that_is_no_sound_says_what_to_do(made: bytes, says: str):
    with pytest.raises(pcm.ClipError, match=says):
        pcm.read(made)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_another_rate_keeps_pitch_length_and_strength(rate: int):
    made = pcm.resampled(tone(440, 0.5, rate), rate, 22_050)
    inner = made[2000:-2000]
    assert len(made) / 22_050 == pytest.approx(0.5, abs=0.001)
    assert near(inner, tone(440, 0.5, 22_050)[2000:-2000], 300)


def test_what_the_slower_rate_cannot_hold_is_gone_and_not_a_whistle():
    made = pcm.resampled(tone(15_000, 0.2, 48_000), 48_000, 22_050)
    assert pcm.loudness_db(made[500:-500]) < pcm.loudness_db(tone(15_000, 0.2, 48_000)) - 30


def test_silence_and_hiss_around_a_word_go_and_its_edges_stay():
    hiss = array("h", (60 if n % 2 else -60 for n in range(22_050)))
    word = tone(300, 0.3, 22_050)
    for around in (silence(1.0, 22_050), hiss):
        made = pcm.trimmed(around + word + around, 22_050)
        assert 0.3 <= len(made) / 22_050 <= 0.3 + sum(pcm.KEEP_S) + 2 * pcm.FRAME_S


def test_nothing_to_be_heard_is_said():
    with pytest.raises(pcm.ClipError, match="holds no sound"):
        pcm.clip(silence(1, 22_050), 22_050, 22_050)
    with pytest.raises(pcm.ClipError, match="holds no sound"):
        pcm.clip(array("h"), 22_050, 22_050)


@pytest.mark.parametrize("amplitude", [200, 3000, 32_000])
def test_loud_and_soft_recordings_become_alike_and_none_is_above_the_peak(amplitude: int):
    # A voice: strong pulses, weak in between, and off its middle as cheap microphones are.
    voice = array("h", (round(amplitude * math.exp(-(n % 200) / 25) * math.sin(n / 3)) + 150 for n in range(22_050)))
    made = pcm.clip(voice, 22_050, 22_050)
    assert pcm.loudness_db(made) == pytest.approx(pcm.LEVEL_DB, abs=1.5)
    assert pcm.peak_db(made) <= pcm.PEAK_DB
    assert (made[0], made[-1]) == (0, 0), "no click"
    assert abs(sum(made) / len(made)) < 60


def test_hard_pulses_are_bent_down_and_not_cut():
    pulses = array("h", (round(30_000 * math.exp(-(n % 2000) / 20)) for n in range(22_050)))
    made = pcm.levelled(pulses)
    assert pcm.PEAK_DB - 1 < pcm.peak_db(made) <= pcm.PEAK_DB
    assert made.count(max(made)) <= pulses.count(max(pulses)), "no flat tops"


def test_the_chime_is_two_falling_strokes_at_the_level_of_the_clips():
    made = pcm.chime(22_050)
    assert pcm.loudness_db(made) == pytest.approx(pcm.LEVEL_DB, abs=0.5)
    assert pcm.peak_db(made) <= pcm.PEAK_DB
    assert 0.8 < len(made) / 22_050 < 2
    (high, _), (low, _) = pcm.BELLS
    assert high > low


def test_joined_clips_lie_one_behind_the_other_with_their_pauses():
    a, b = tone(300, 0.1, 8000), tone(400, 0.1, 8000)
    assert pcm.joined([(a, 0.5), (b, 0.0)], 8000) == a + silence(0.5, 8000) + b
    assert pcm.joined([], 8000) == array("h")


def test_a_written_file_is_read_by_others():
    with wave.open(io.BytesIO(pcm.wav(WANTED, 48_000))) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 48_000)
        assert array("h", sound.readframes(sound.getnframes())) == WANTED


def test_volume_is_a_share():
    assert pcm.scaled(WANTED, 100) is WANTED
    assert near(pcm.scaled(WANTED, 50), array("h", (round(v / 2) for v in WANTED)), 0)
    assert not any(pcm.scaled(WANTED, 0))
