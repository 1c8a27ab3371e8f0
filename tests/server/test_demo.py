"""The demo's commune server: the real one, with a door that only the demo has."""

import argparse
import json
from pathlib import Path

import pytest
import requests

from kiosk.simulator import options as declared
from kiosk.simulator.demo import built
from kiosk.simulator.folder import Folder
from tests.server.kit import Server


@pytest.fixture
def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    declared.add_to(parser)
    return parser.parse_args(["--port", "0"])


def test_the_demo_links_to_a_commune_server_in_which_its_leader_is_signed_in(
    options: argparse.Namespace, tmp_path: Path
):
    with built(options, Folder(tmp_path / "demo")) as appliance:
        assert appliance.upstream
        page = requests.get(appliance.upstream.door, timeout=20)
        assert (page.status_code, "Lãnh đạo (bản thử)" in page.text) == (200, True)
        assert appliance.wait_for(lambda seen: seen.figures.get("received", 0) > 0, 30)
        told = json.loads((tmp_path / "demo/commune/demo.json").read_text())
        wrong = appliance.upstream.door.replace(told["key"], "x" * 16)
        assert requests.get(wrong, timeout=20).status_code == 404


def test_a_real_server_has_no_door_without_a_password(lite: Server):
    assert lite.client.get("/demo/anything").status_code == 404
