"""One machine for all proofs that leave it whole; those that do not have their own, a copy of the same."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance.image import Image, image
from tests.appliance.machine import Machine
from tests.appliance.network import free_port
from tests.appliance.running import SNAPSHOT, running
from tests.server.kit import lite

__all__ = ["lite"]  # and sets Django up before any proof is imported

CONSOLE = 8080


@pytest.fixture(scope="session")
def built() -> Image:
    return image()


def copied(built: Image, folder: Path) -> Path:
    """The folder, with a disk of its own that has the snapshot."""
    shutil.copy(running(built), folder / "disk.qcow2")
    return folder


@pytest.fixture(scope="session")
def common() -> list[Machine]:
    """The machine of most proofs, once it runs."""
    return []


@pytest.fixture(scope="session")
def machine(built: Image, common: list[Machine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """It runs, and so does its kiosk. `ports` has the port here on which its console answers."""
    with Machine(built, copied(built, tmp_path_factory.mktemp("machine")), {free_port(): CONSOLE}) as started:
        started.start(snapshot=SNAPSHOT)
        common.append(started)
        yield started


@pytest.fixture
def own(built: Image, common: list[Machine], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that is off. Its disk has the snapshot, and is otherwise as if the power had gone then."""
    for other in common:
        other.stand_still()
    with Machine(built, copied(built, tmp_path_factory.mktemp("own"))) as off:
        yield off
    for other in common:
        other.go_on()
