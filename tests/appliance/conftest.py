"""One machine for all proofs that leave it whole; those that do not start their own on the same disk."""

from collections.abc import Iterator

import pytest

from tests.appliance.image import Image, image
from tests.appliance.machine import Machine
from tests.appliance.network import free_port

CONSOLE = 8080


@pytest.fixture(scope="session")
def built() -> Image:
    return image()


@pytest.fixture(scope="session")
def machine(built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """It runs, and so does its kiosk. `ports` has the port here on which its console answers."""
    with Machine(built, tmp_path_factory.mktemp("machine"), {free_port(): CONSOLE}) as started:
        started.start()
        started.up()
        yield started


@pytest.fixture
def own(built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that is off, on a disk that no kiosk has run from yet."""
    with Machine(built, tmp_path_factory.mktemp("own")) as off:
        yield off
