"""A kiosk.toml that was written for an older release is still read, and means the same.

`data/config` has all that each release knew, as it shipped: what its `kiosk config` printed for an empty file. Made
once, when it is published: `kiosk config --config EMPTY.toml > tests/data/config/VERSION.toml`.
"""

import re
import tomllib
from pathlib import Path

import pytest

from kiosk.config import effective, load_config

KEPT = sorted((Path(__file__).parent / "data" / "config").glob("*.toml"))
CHANGES = Path(__file__).parents[1] / "CHANGELOG.md"


def stated(values, place=()):
    """Each key of a document with its value, by the path that leads there; lists are values."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from stated(value, (*place, name))
        else:
            yield (*place, name), value


@pytest.mark.parametrize("of", KEPT, ids=lambda of: of.stem)
def test_a_configuration_of_an_older_release_is_read_without_an_error_and_means_the_same(of: Path, tmp_path: Path):
    path = tmp_path / "kiosk.toml"
    path.write_text(of.read_text().replace('data_dir = "/var/lib/kiosk"', f'data_dir = "{tmp_path}"'))
    written = dict(stated(tomllib.loads(path.read_text())))
    read = dict(stated(tomllib.loads(effective(load_config(path)))))
    # A screen has further keys since, each with the meaning of a screen without it.
    screens = zip(written.pop(("screen", "outputs")), read["screen", "outputs"], strict=True)
    assert all(old.items() <= new.items() for old, new in screens)
    assert {key: read.get(key) for key in written} == written


def test_the_configuration_of_every_release_before_this_one_is_kept():
    headings = re.findall(r"^## (\S+)", CHANGES.read_text(), re.MULTILINE)
    assert set(headings[1:]) <= {of.stem for of in KEPT}, "made by that release, as this module says"
