"""What is said of a run: a line for each sentence that holds, and an error for the first one that does not."""

import time
from collections.abc import Callable

BEGUN = time.monotonic()


class NotAsPromised(Exception):
    """The sentence that does not hold, and what was seen instead."""


def tell(text: str) -> None:
    print(f"{time.monotonic() - BEGUN:4.0f} s  {text}", flush=True)


def leave_out(sentence: str, why: str) -> None:
    """What cannot be shown on this machine."""
    tell(f"– left out, {why}: {sentence}")


def holds(sentence: str, fact: object, seen: object = "") -> None:
    """Raises NotAsPromised where the fact is none."""
    if not fact:
        raise NotAsPromised(f"{sentence}\n{seen}".rstrip())
    tell(f"✓ {sentence}")


def eventually(seconds: float, sentence: str, fact: Callable[[], object], every_s: float) -> None:
    """Ask until it is so. Raises NotAsPromised after so many seconds."""
    until = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > until:
            raise NotAsPromised(f"{sentence}\nnot within {seconds:g} s")
        time.sleep(every_s)
    tell(f"✓ {sentence}")
