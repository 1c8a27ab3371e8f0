"""A loudspeaker for tests: stand-ins for its programs, what kiosk.sound logs, and sentences spoken to their end."""

import logging
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.sound import (
    TONES,
    Sound,
    wav,
)  # fmt: skip
from tests.speaker import Programs, Running

SPOKEN = wav(TONES["refused"], 50)
"""What the stand-in of espeak-ng writes."""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = Programs(tmp_path)
    yield made
    made.close()


@pytest.fixture
def speaker() -> Iterator[list[Sound]]:
    opened: list[Sound] = []
    yield opened
    for sound in opened:
        sound.close()


@pytest.fixture
def log() -> Iterator["queue.SimpleQueue[str]"]:
    """What kiosk.sound logs, as it comes."""
    said: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.put(record.getMessage())

    ear, logger = Ear(), logging.getLogger("kiosk.sound")
    before, logger.level = logger.level, logging.INFO
    logger.addHandler(ear)
    yield said
    logger.removeHandler(ear)
    logger.level = before


def spoken(programs: Programs) -> Running:
    """The player of the next sentence, after its voice."""
    voice = programs.started()
    assert voice.program == "espeak-ng"
    voice.let_go()
    player = programs.started()
    assert (player.program, player.given) == ("aplay", SPOKEN)
    return player


@pytest.fixture
def talking(programs: Programs, speaker: list[Sound]) -> Sound:
    programs.install("aplay")
    programs.install("espeak-ng", reply=SPOKEN)
    speaker.append(Sound())
    return speaker[0]
