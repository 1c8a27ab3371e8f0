"""The wiring drawing and its pin table: made from the default configuration, and of now."""

import os
import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kiosk.config import load_config
from kiosk.office import sample
from kiosk.panel_rules import PINS, claims

SCRIPT = Path(__file__).parent.parent / "scripts" / "wiring.py"


@pytest.fixture(scope="module")
def wiring() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def used(wiring: dict[str, Any]) -> dict[int, Any]:
    found: dict[int, Any] = wiring["uses"](load_config(os.devnull), sample())
    return found


def test_the_drawing_is_that_of_the_default_configuration(wiring: dict[str, Any], used: dict[int, Any]) -> None:
    drawn = wiring["DRAWING"].read_text(encoding="utf-8")
    assert drawn == wiring["drawing"](used), "run scripts/wiring.py"
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_the_table_is_that_of_the_default_configuration(wiring: dict[str, Any], used: dict[int, Any]) -> None:
    written = wiring["PAGE"].read_text(encoding="utf-8")
    assert written == wiring["page"](used, written), "run scripts/wiring.py"


def test_every_pin_of_the_configuration_is_on_the_header_once(wiring: dict[str, Any], used: dict[int, Any]) -> None:
    on_header = [what for what in wiring["HEADER"].values() if isinstance(what, int)]
    assert sorted(on_header) == sorted(PINS)
    wired = {bcm for bcm, _ in claims(load_config(os.devnull).buttons)}
    assert wired | {2, 3} == set(used)
    assert len({what.vi for what in used.values()}) == len(used)
