"""`kiosk voice`: make packs, take recordings over, list what is missing, and hear a call."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kiosk.calls import SpokenCall
from kiosk.config import Config
from kiosk.parts import composer
from kiosk.present.calling import Word, names_of, reading, vocabulary
from kiosk.programs import Program
from kiosk.setup import Setup, load
from kiosk.sound import CALL_MORE_S, FOLDER, player, seconds
from kiosk.tickets import State, Ticket
from kiosk.voice import espeak
from kiosk.voice.pack import Pack, load_or_new, take_over


def main(options: argparse.Namespace) -> int:
    """Do one task; its exit status."""
    setup = load(options.config)
    return {"list": _list, "make": _make, "import": _import, "say": _say}[options.task](setup, options)


def _list(setup: Setup, options: argparse.Namespace) -> int:
    """What there is and what is missing; status 1 when something is."""
    lacks = 0
    for language, folder in _packs(setup.config, options):
        pack, words = load_or_new(folder, language), _words(setup, language)
        lacks += len(pack.missing(words))
        print(f"{folder}" + (f" ({pack.voice})" if pack.voice else ""))
        for word in words:
            print(f"  {setup.words.t(_state(pack, word)):8} {word.clip}: {word.text or '♪'}")
    return 1 if lacks else 0


def _state(pack: Pack, word: Word) -> str:
    if not pack.has(word):
        return "check.clip_missing"
    return "check.clip_recorded" if pack.clips[word.clip].recorded else "check.clip_made"


def _make(setup: Setup, options: argparse.Namespace) -> int:
    for language, folder in _packs(setup.config, options):
        made = espeak.make(folder, _words(setup, language), language, options.voice)
        print(f"{made.folder}: {len(made.clips)} clips")
    return 0


def _import(setup: Setup, options: argparse.Namespace) -> int:
    language = options.language or options.pack.resolve().name
    done = take_over(load_or_new(options.pack, language), _words(setup, language), options.files)
    if done.problems:
        raise ValueError("\n".join((*done.problems, f"{len(done.taken)} clips were taken over")))
    print(f"{options.pack}: {len(done.taken)} clips")
    return 0


def _say(setup: Setup, options: argparse.Namespace) -> int:
    counter = options.counter
    if setup.office.counter(counter) is None:
        known = ", ".join(known.id for known in setup.office.counters)
        raise ValueError(f"there is no counter {counter}: the office has {known}")
    kind = {"priority": "call", "no-show": "no_show"}.get(options.kind, options.kind)
    ticket = _ticket(options.number, counter, priority=options.kind == "priority")
    wav = composer(setup.config, setup.words).wav(SpokenCall(1, kind, counter, ticket))
    if options.out:
        options.out.write_bytes(wav)
        print(options.out)
        return 0
    if setup.config.sound.device.startswith(FOLDER):
        raise ValueError("[sound] device is a folder, which plays nothing: give a file with --out")
    Program(player(setup.config.sound.device), wav).result(seconds(wav) + CALL_MORE_S)
    return 0


def _ticket(number: str, counter: str, *, priority: bool) -> Ticket:
    """A ticket that is called, for the sake of its number."""
    return Ticket(
        id="", token="", series="", session="", service="", seq=0, number=number, priority=priority,
        issued_at=datetime.now(UTC), boot="", trusted=True, place=0, queue="", state=State.CALLED, counter=counter,
        calls=3,
    )  # fmt: skip


def _packs(config: Config, options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Language and folder of the packs that are meant."""
    if options.pack:
        yield options.language or options.pack.resolve().name, options.pack
        return
    for language in (options.language,) if options.language else config.voice.languages:
        yield language, Path(config.voice.packs) / language


def _words(setup: Setup, language: str) -> tuple[Word, ...]:
    """The clips of a language. ValueError for one that has no sentences."""
    t = setup.words.t.in_language(language)
    if language not in t.languages:
        raise ValueError(f"{language} has no sentences: known are {', '.join(t.languages)} (see docs/voice.md)")
    voice = setup.config.voice
    return vocabulary(t, reading(voice.numbers, voice.missing_ten), names_of(setup.office))
