"""Who may do what in the data folder at the same time. The locks end with the process, however it ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from kiosk.store.database import StoreError
from kiosk.store.files import is_copy

_RUN = "run.lock"
_LOOK_S = 0.5
"""For how long a lock may be taken by somebody who only looks whether it is taken."""


@contextmanager
def lock(folder: Path, wait_s: float = 0) -> Iterator[bool]:
    """The folder's lock: shared by who runs on the database (`hold`), exclusive for who checks it. False: taken."""
    with (folder / "lock").open("w") as file:
        yield _take(file, fcntl.LOCK_EX, wait_s)


def hold(folder: Path) -> TextIO:
    """Hold the shared lock until the returned file is closed: who checks the database keeps off meanwhile.

    Raises StoreError when there is no database, or one that was put in place and never prepared: numbers given on
    it could be on paper already.
    """
    with ExitStack() as opened:
        file = opened.enter_context((folder / "lock").open("w"))
        fcntl.flock(file, fcntl.LOCK_SH)
        _check_prepared(folder / "kiosk.db")
        opened.pop_all()  # the caller closes it
    return file


def _check_prepared(path: Path) -> None:
    if not path.exists():
        raise StoreError(f"there is no {path}: run sudo kiosk prepare first", "no_database", tep=path)
    if is_copy(path):
        says = f"{path} was put in place of another one: run sudo kiosk prepare first"
        raise StoreError(says, "put_in_place", tep=path)


def single(folder: Path) -> TextIO:
    """Be the only `kiosk run` on this folder until the returned file is closed: two would print each other's slips.

    Raises StoreError when there is one already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / _RUN).open("w")
    if not _take(file, fcntl.LOCK_EX, _LOOK_S):
        file.close()
        raise StoreError(f"another kiosk runs on {folder}: stop it first (systemctl stop kiosk)", "runs", noi=folder)
    return file


def is_running(folder: Path) -> bool:
    """Whether a `kiosk run` works on this folder now. Writes nothing; False when it cannot be found out."""
    try:
        with (folder / _RUN).open() as file:
            return not _take(file, fcntl.LOCK_SH, 0)
    except OSError:
        return False


@contextmanager
def one_after_the_other(path: Path) -> Iterator[None]:
    """Wait for whoever does the same."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _take(file: TextIO, kind: int, wait_s: float) -> bool:
    """Try to take the lock for so long."""
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
        time.sleep(0.1)
