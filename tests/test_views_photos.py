"""Photos that could hurt: small files that unpack to gigabytes, and files that are no picture."""

from pathlib import Path

import pytest
from PIL import Image

from kiosk.views.people import _photo


@pytest.mark.parametrize("size", [(60_000, 30_000), (12_000, 12_000)])
def test_a_small_file_with_a_huge_picture_is_not_unpacked(tmp_path: Path, size: tuple[int, int]):
    file = tmp_path / "bomb.png"
    Image.new("1", size).save(file)
    assert _photo(str(file), 64) is None


def test_a_text_file_or_folder_is_no_portrait(tmp_path: Path):
    (tmp_path / "a.png").write_text("no picture")
    assert _photo(str(tmp_path / "a.png"), 64) is None
    assert _photo(str(tmp_path), 64) is None
