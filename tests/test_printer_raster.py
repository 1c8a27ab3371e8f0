"""The bytes of a picture: nothing lost, nothing too high, little sent that is white."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from kiosk.raster import encode, lucky
from kiosk.simulator.escpos_decoder import Paper, Tokenizer
from kiosk.slip import render
from tests.printing import same, slip, worst


def printed(data: bytes, width: int) -> Image.Image:
    """What a printer makes of the bytes."""
    paper = Paper(width)
    for command in Tokenizer().feed(data):
        assert paper.carry_out(command) is None
    return paper.take(cut=False).image


def heights(parts: list[bytes]) -> list[int]:
    return [int.from_bytes(part[6:8], "little") for part in parts]


@pytest.mark.parametrize("width", [576, 384])
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("rows", [24, 100, 255])
def test_a_slip_arrives_dot_by_dot(width: int, centred: bool, rows: int) -> None:
    picture = render(worst(), width)
    start = b"\x1ba\x01" if centred else b""
    assert same(printed(start + b"".join(encode(picture, rows, centred)), width), picture, tolerance=0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 63), st.integers(1, 90)), max_size=8),
    st.integers(8, 200),
    st.booleans(),
)
def test_any_picture_arrives_dot_by_dot(bars: list[tuple[int, int, int]], rows: int, centred: bool) -> None:
    picture = Image.new("1", (64, 320), 1)
    for top, left, height in bars:
        ImageDraw.Draw(picture).rectangle((left, top, 63, top + height), fill=0)
    start = b"\x1ba\x01" if centred else b""
    assert same(printed(start + b"".join(encode(picture, rows, centred)), 64), picture, tolerance=0)


@pytest.mark.parametrize("rows", [48, 64, 96, 100, 128])
def test_no_fragment_has_a_height_at_which_printers_lose_sync(rows: int) -> None:
    for height in heights(encode(render(worst()), rows)):
        assert height <= rows + 1
        assert height < 16 or (height % 48 and height & (height - 1))


def test_white_is_hardly_sent() -> None:
    picture = render(slip())
    whole = picture.width * picture.height // 8
    assert sum(map(len, encode(picture))) < 0.7 * whole
    assert sum(map(len, encode(picture, centred=True))) < 0.6 * whole
    assert sum(map(len, encode(Image.new("1", (576, 1000), 1)))) < 1200


def test_lucky_heights_are_left_alone() -> None:
    assert [lucky(rows) for rows in (1, 8, 15, 16, 47, 48, 64, 96, 100)] == [1, 8, 15, 17, 47, 49, 65, 97, 100]


def test_a_picture_that_is_no_raster_is_refused() -> None:
    with pytest.raises(ValueError, match="mode 1"):
        encode(Image.new("L", (576, 10)))
    with pytest.raises(ValueError, match="multiple of 8"):
        encode(Image.new("1", (570, 10)))
