"""A process that cannot start with its files rests until one of them is another one. It opens nothing but these files.

Otherwise systemd would start it again every few seconds, with a check of the database before each start, for as long as
the mistake is there. A growing pause in the unit (RestartSteps=) is none: systemd counts the restarts of years.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import sleep
from typing import TypeVar

from kiosk.config import Config, chosen_file, glass_of, load_config
from kiosk.documents import DocumentError
from kiosk.notify import notify

T = TypeVar("T")
LOOK_S = 2.0
"""How often the files are looked at."""
LONGEST_S = 300.0
"""After so long it is tried again all the same: an applied office document is in no file."""


def loaded(load: Callable[[str | None], T], path: str | None) -> T | None:
    """What `load` makes of kiosk.toml and the files below it; None after a rest, when it could not.

    Whoever started us has to start afresh then. DEBUG=1 raises DocumentError at once.
    """
    _, files = known(path)
    before = stamps(files)
    try:
        return load(path)
    except DocumentError as error:
        if os.environ.get("DEBUG"):
            raise
        print(f"kiosk: {error}", file=sys.stderr, flush=True)
    notify("READY=1")  # said and waited for, not killed by systemd for being slow
    for _ in range(int(LONGEST_S / LOOK_S)):
        if stamps(files) != before:
            break
        notify("WATCHDOG=1")
        sleep(LOOK_S)
    return None


def known(path: str | Path | None) -> tuple[Config, list[Path]]:
    """What is known of this device, and the files that may be wrong."""
    file = chosen_file(path)
    try:
        config = load_config(path)
    except DocumentError as error:
        others = [Path(problem.file) for problem in error.problems if problem.file]
        return glass_of(path), [file, *others]
    return config, [file, *([Path(config.office)] if config.office else [])]


def stamps(files: Sequence[Path]) -> list[object]:
    """Other ones when a file was written, replaced, made or taken away."""
    return [_stamp(file) for file in files]


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode, found.st_uid
