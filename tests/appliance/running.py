"""A machine whose kiosk has just opened, kept as a snapshot: a proof begins in seconds, not in minutes."""

import shutil
from inspect import getsource
from pathlib import Path

from tests.appliance.image import Image, digest, kept
from tests.appliance.machine import ALL_UP, BOARD, BOOT_S, WORDS, Machine

SNAPSHOT = "up"
CALM_S = 20.0


def running(image: Image) -> Path:
    """The disk with the snapshot; copy it before it is used."""
    name = digest([], image.disk.parent.name, *BOARD, WORDS, getsource(Machine.devices))
    return kept("running", name, lambda folder: _make(folder, image)) / "disk.qcow2"


def _make(folder: Path, image: Image) -> None:
    with Machine(image, folder / "machine") as first:
        first.start()
        first.up()
        first.eventually(ALL_UP, BOOT_S)
        first.idle(CALM_S)
        first.save(SNAPSHOT)
    (folder / "machine/disk.qcow2").rename(folder / "disk.qcow2")
    shutil.rmtree(folder / "machine")
