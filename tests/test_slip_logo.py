"""The office's mark: whatever the file is, a slip comes out, and what is printed is a mark and no patch."""

from __future__ import annotations

import os
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from kiosk.logo import logo
from kiosk.photos import MOST_WHOLE
from kiosk.slip import LIMIT_WIDE, layout
from tests.printing import slip

SIDE, BANNER = 84, 564


def star(mode: str = "RGBA", size: tuple[int, int] = (400, 400)) -> Image.Image:
    """A red disc with a yellow middle on nothing."""
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    wide, high = size
    draw.ellipse((0, 0, wide - 1, high - 1), fill=(218, 37, 29))
    draw.ellipse((wide * 0.3, high * 0.3, wide * 0.7, high * 0.7), fill=(255, 255, 0))
    if mode == "RGBA":
        return picture
    paper = Image.new("RGBA", size, "white")
    paper.alpha_composite(picture)
    return paper.convert("RGB").convert(mode)


def black(image: Image.Image) -> float:
    return image.convert("L").histogram()[0] / (image.width * image.height)


def of(path: Path) -> Image.Image:
    mark = logo(path, SIDE, BANNER)
    assert mark is not None
    assert mark.mode == "1"
    return mark


RING = 0.785 * (1 - 0.16)
"""The red part of the disc's square."""


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGBA"),
        ("a.png", "RGB"),
        ("a.png", "P"),
        ("a.png", "L"),
        ("a.jpg", "CMYK"),
        ("a.jpg", "L"),
        ("a.jpeg", "RGB"),
        ("a.webp", "RGBA"),
        ("a.tif", "CMYK"),
    ],
)
def test_a_mark_of_any_kind_of_colours_is_the_same_on_paper(name: str, mode: str, tmp_path: Path):
    star(mode).save(tmp_path / name)
    mark = of(tmp_path / name)
    assert mark.size == (SIDE, SIDE)
    assert black(mark) == pytest.approx(RING, abs=0.03)


def test_a_grey_png_of_16_bits_is_not_burnt_out(tmp_path: Path):
    wide = b"".join((257 * value).to_bytes(2, "little") for value in star("L").tobytes())
    Image.frombytes("I;16", (400, 400), wide).save(tmp_path / "a.png")
    assert black(of(tmp_path / "a.png")) == pytest.approx(RING, abs=0.03)


def test_a_pale_mark_is_a_mark_too(tmp_path: Path):
    picture = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(picture).ellipse((0, 0, 299, 299), fill=(190, 220, 255))
    picture.save(tmp_path / "a.png")
    assert black(of(tmp_path / "a.png")) == pytest.approx(0.785, abs=0.03)


def test_white_margins_are_no_part_of_the_mark(tmp_path: Path):
    sheet = Image.new("RGB", (1000, 1400), "white")
    sheet.paste(star("RGB"), (300, 300))
    sheet.save(tmp_path / "a.png")
    assert of(tmp_path / "a.png").size == (SIDE, SIDE)


def test_a_photo_that_was_taken_sideways_stands_upright(tmp_path: Path):
    picture = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(picture).rectangle((0, 0, 99, 199), fill="black")
    ImageDraw.Draw(picture).rectangle((390, 0, 399, 199), fill="black")
    turned = picture.getexif()
    turned[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=turned)
    mark = of(tmp_path / "a.jpg")
    assert mark.height > mark.width
    assert black(mark.crop((0, 0, mark.width, mark.height // 3))) > 0.6


@pytest.mark.parametrize(
    ("size", "on_paper"),
    [
        ((32, 32), (84, 84)),
        ((600, 300), (126, 63)),
        ((200, 600), (28, 84)),
        ((5000, 200), (564, 23)),
        ((1000, 300), (187, 56)),
    ],
)
def test_marks_of_any_shape_keep_it_and_banners_get_a_line_of_their_own(
    size: tuple[int, int], on_paper: tuple[int, int], tmp_path: Path
):
    star(size=size).save(tmp_path / "a.png")
    assert of(tmp_path / "a.png").size == pytest.approx(on_paper, abs=1)


def claiming(size: tuple[int, int], png: bytes) -> bytes:
    """The file with another size in its header."""
    header = b"IHDR" + struct.pack(">II", *size) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def damage(tmp_path: Path) -> dict[str, Path]:
    """Files that are no marks."""
    made = {
        "blank": Image.new("RGB", (300, 300), "white"),
        "clear": Image.new("RGBA", (300, 300), (9, 9, 9, 0)),
        "black": Image.new("RGB", (300, 300), "black"),
        "dot": Image.new("RGB", (1, 1), "red"),
        "stroke": star(size=(200, 5000)),
    }
    for name, picture in made.items():
        picture.save(tmp_path / f"{name}.png")
    star().save(tmp_path / "whole.png")
    for name, size in (("bomb", (60_000, 30_000)), ("large", (12_000, 12_000))):
        (tmp_path / f"{name}.png").write_bytes(claiming(size, (tmp_path / "whole.png").read_bytes()))
        made[name] = star()
    (tmp_path / "broken.png").write_bytes((tmp_path / "whole.png").read_bytes()[:700])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    return {name: tmp_path / f"{name}.png" for name in (*made, "broken", "text", "folder", "pipe", "missing")}


def test_what_is_no_mark_costs_the_mark_and_not_the_slip_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    assert MOST_WHOLE < 12_000 * 12_000
    for name, path in damage(tmp_path).items():
        caplog.clear()
        for number in ("1001", "1002"):
            plan = layout(slip(number, logo=path))
            assert [box.name for box in plan.boxes if box.name in ("logo", "number")] == ["number"], name
        assert [record.levelname for record in caplog.records] == ["WARNING"], name
        assert "use a PNG" in caplog.text
        assert caplog.text.count(str(path)) == 1


def test_no_damage_to_a_file_stops_a_slip(tmp_path: Path):
    chance = random.Random(1)
    for name, mode in (("a.png", "RGBA"), ("a.png", "P"), ("a.jpg", "CMYK")):
        star(mode, (60, 60)).save(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        for _ in range(150):
            damaged = bytearray(whole[: chance.choice((len(whole), chance.randrange(1, len(whole))))])
            for _ in range(chance.choice((1, 4, 16))):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            (tmp_path / name).write_bytes(damaged)
            logo.cache_clear()
            mark = logo(tmp_path / name, SIDE, BANNER)
            assert mark is None or mark.width <= BANNER


@pytest.mark.parametrize("width", [576, 384])
def test_a_mark_stands_left_of_the_head_and_both_are_centred_together(width: int, tmp_path: Path):
    star().save(tmp_path / "a.png")
    plan = layout(slip(logo=tmp_path / "a.png", header=("UBND XÃ MẪU",)), width)
    mark, head = plan.boxes[0], plan.boxes[1]
    assert (mark.name, head.name) == ("logo", "header")
    assert mark.right < head.left
    assert abs(mark.left - (width - head.right)) <= 2
    assert abs((mark.top + mark.bottom) - (head.top + head.bottom)) <= 2


@pytest.mark.parametrize("width", [576, 384])
def test_a_banner_stands_above_the_head(width: int, tmp_path: Path):
    star(size=(5000, 300)).save(tmp_path / "a.png")
    plan = layout(slip(logo=tmp_path / "a.png"), width)
    mark, head = plan.boxes[0], plan.boxes[1]
    assert (mark.name, head.name) == ("logo", "header")
    assert mark.bottom < head.top
    assert mark.image.width > 0.9 * width
    assert plan.height <= LIMIT_WIDE or width == 384
