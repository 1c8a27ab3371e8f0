"""Photos of any kind become a small upright square of the head; whatever is none is refused with what to do."""

import io
import os
import random
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from kiosk import photos
from kiosk.__main__ import main
from kiosk.findings import pictures
from kiosk.office import sample
from kiosk.photos import PhotoError, open_emblem, open_photo, square
from kiosk.texts import Texts

RED, BLUE, GREEN, WHITE = (200, 0, 0), (0, 0, 200), (0, 160, 0), (250, 250, 250)
TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation → how a picture lies in the file that is shown upright by it."""


def portrait(size: tuple[int, int] = (90, 120)) -> Image.Image:
    """Upright, red and blue above green: the square around the head begins at its top."""
    width, height = size
    picture = Image.new("RGB", size, GREEN)
    picture.paste(RED, (0, 0, width // 2, height // 3))
    picture.paste(BLUE, (width // 2, 0, width, height // 3))
    return picture


def near(got: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(got, tuple)
    return all(abs(one - other) <= 4 for one, other in zip(got, wanted, strict=True))


def is_portrait(picture: Image.Image) -> bool:
    assert (picture.size, picture.mode) == ((30, 30), "RGB")
    seen = ((4, 5), RED), ((25, 5), BLUE), ((15, 26), GREEN)
    return all(near(picture.getpixel(at), colour) for at, colour in seen)


def grey(picture: Image.Image) -> tuple[int, int, int]:
    """What `portrait` is without colours, at the same places."""
    found = [picture.getpixel(at) for at in ((4, 5), (25, 5), (15, 26))]
    assert all(isinstance(dot, tuple) and len(set(dot)) == 1 for dot in found)
    return tuple(dot[0] for dot in found)  # type: ignore[return-value, index]


def refused(path: Path) -> PhotoError:
    with pytest.raises(PhotoError) as caught:
        open_photo(path, 30)
    assert str(path) in str(caught.value)
    return caught.value


# --- kinds of files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "RGB", {}),
        ("a.jpg", "RGB", {"progressive": True}),
        ("a.jpg", "CMYK", {}),
        ("a.png", "RGB", {}),
        ("a.png", "RGBA", {}),
        ("a.png", "P", {}),
        ("a.webp", "RGB", {}),
        ("a.webp", "RGBA", {"lossless": True}),
        ("a.tif", "RGB", {}),
        ("a.tif", "CMYK", {"compression": "tiff_lzw"}),
        ("a.tif", "YCbCr", {}),
        ("a.bmp", "RGB", {}),
        ("a.gif", "RGB", {}),
        ("a.gif", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (90, 120))]}),
    ],
)
def test_each_usual_kind_of_picture_is_shown_in_its_colours(
    tmp_path: Path, name: str, mode: str, options: dict[str, object]
):
    portrait().convert(mode).save(tmp_path / name, **options)
    assert is_portrait(open_photo(tmp_path / name, 30))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.jpg", lambda grey: grey),
        ("a.png", lambda grey: grey),
        ("a.png", lambda grey: grey.convert("LA")),
        ("a.png", lambda grey: grey.convert("I").point(lambda v: v * 257).convert("I;16")),
        ("a.tif", lambda grey: grey.convert("I").point(lambda v: v * 257).convert("I;16")),
        ("a.tif", lambda grey: grey.convert("I").point(lambda v: v * 257)),
        ("a.tif", lambda grey: grey.convert("I")),
    ],
)
def test_grey_of_8_and_16_bits_keeps_its_brightness(
    tmp_path: Path, name: str, make: Callable[[Image.Image], Image.Image]
):
    make(portrait().convert("L")).save(tmp_path / name)
    assert near(grey(open_photo(tmp_path / name, 30)), (60, 23, 94))


def test_grey_of_another_depth_is_stretched_from_its_darkest_to_its_lightest(tmp_path: Path):
    portrait().convert("F").point(lambda value: value / 1000 - 5).save(tmp_path / "a.tif")
    assert grey(open_photo(tmp_path / "a.tif", 30)) == (132, 0, 255)
    Image.new("F", (9, 9), 3.5).save(tmp_path / "flat.tif")
    assert grey(open_photo(tmp_path / "flat.tif", 30)) == (0, 0, 0)


def test_black_and_white_is_a_picture_too(tmp_path: Path):
    Image.new("1", (90, 120), 1).save(tmp_path / "a.png")
    assert grey(open_photo(tmp_path / "a.png", 30)) == (255, 255, 255)


def palette() -> Image.Image:
    picture = Image.new("P", (9, 9), 3)
    picture.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2, *RED])
    return picture


@pytest.mark.parametrize(
    ("name", "picture", "options"),
    [
        ("a.png", Image.new("RGBA", (9, 9), (*RED, 0)), {}),
        ("a.webp", Image.new("RGBA", (9, 9), (*RED, 0)), {}),
        ("a.tif", Image.new("RGBA", (9, 9), (*RED, 0)), {}),
        ("a.png", Image.new("LA", (9, 9), (7, 0)), {}),
        ("a.png", Image.new("RGB", (9, 9), RED), {"transparency": RED}),
        ("a.png", Image.new("L", (9, 9), 7), {"transparency": 7}),
        ("a.png", palette(), {"transparency": 3}),
        ("a.png", palette(), {"transparency": b"\xff\xff\xff\x00"}),
        ("a.gif", palette(), {"transparency": 3}),
    ],
)
def test_the_ground_shows_through_transparent_parts(
    tmp_path: Path, name: str, picture: Image.Image, options: dict[str, object]
):
    picture.save(tmp_path / name, **options)
    assert near(open_photo(tmp_path / name, 30, ground=WHITE).getpixel((15, 15)), WHITE)
    assert near(open_photo(tmp_path / name, 30).getpixel((15, 15)), photos.GROUND)


def test_half_of_the_ground_shows_through_half_transparent_parts(tmp_path: Path):
    Image.new("RGBA", (9, 9), (*RED, 128)).save(tmp_path / "a.png")
    assert near(open_photo(tmp_path / "a.png", 30, ground=WHITE).getpixel((15, 15)), (225, 124, 124))


@pytest.mark.parametrize("orientation", list(TURNS))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("size", [(90, 120), (1200, 1600)])
def test_a_camera_may_have_been_held_any_way(tmp_path: Path, orientation: int, name: str, size: tuple[int, int]):
    turn = TURNS[orientation]
    stored = portrait(size) if turn is None else portrait(size).transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / name, exif=exif)
    assert is_portrait(open_photo(tmp_path / name, 30))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00XX**", b"Exif\x00\x00MM\x00*\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\x7f"]
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
def test_a_damaged_exif_block_costs_the_turn_and_not_the_picture(tmp_path: Path, name: str, exif: bytes):
    portrait().save(tmp_path / name, exif=exif)
    assert is_portrait(open_photo(tmp_path / name, 30))


# --- what is shown of it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((100, 100), (0, 0, 100, 100)),
        ((300, 400), (0, 0, 300, 300)),
        ((200, 300), (0, 0, 200, 200)),
        ((90, 160), (0, 8, 90, 98)),
        ((100, 900), (0, 250, 100, 350)),
        ((400, 300), (50, 0, 350, 300)),
        ((1, 5000), (0, 1666, 1, 1667)),
        ((5000, 1), (2499, 0, 2500, 1)),
        ((1, 1), (0, 0, 1, 1)),
    ],
)
def test_the_square_is_around_the_head_of_an_upright_picture_and_in_the_middle_of_a_wide_one(
    size: tuple[int, int], box: tuple[int, int, int, int]
):
    assert square(size) == box


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2), (2000, 2000)])
@pytest.mark.parametrize("side", [1, 30, 300])
def test_a_picture_of_any_size_becomes_a_square_of_the_size_that_is_wanted(
    tmp_path: Path, size: tuple[int, int], side: int
):
    for name in ("a.png", "a.jpg"):
        Image.new("RGB", size, RED).save(tmp_path / name)
        photo = open_photo(tmp_path / name, side)
        assert (photo.size, photo.mode) == ((side, side), "RGB")
        assert near(photo.getpixel((side // 2, side // 2)), RED)


def test_the_photo_lives_on_without_its_file(tmp_path: Path):
    portrait().save(tmp_path / "a.png")
    photo = open_photo(tmp_path / "a.png", 30)
    (tmp_path / "a.png").unlink()
    assert is_portrait(photo)


# --- what is no photo --------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_missing_and_a_folder_or_pipe_is_no_picture_and_nobody_waits(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    assert refused(tmp_path / "no.png").reason == "missing"
    assert refused(tmp_path / "no" / "a.png").reason == "missing"
    assert refused(tmp_path / "a\x00.png").reason == "missing"
    assert refused(tmp_path / ("a" * 300 + ".png")).reason == "missing"
    assert refused(tmp_path).reason == "no_picture"
    assert refused(tmp_path / "pipe.png").reason == "no_picture"
    assert refused(Path("/dev/zero")).reason == "no_picture"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_other_files_under_the_name_of_a_picture_are_no_picture(tmp_path: Path, data: bytes):
    (tmp_path / "a.png").write_bytes(data)
    assert refused(tmp_path / "a.png").reason == "no_picture"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "a.gif"])
def test_a_file_that_was_copied_in_part_is_damaged(tmp_path: Path, name: str):
    Image.effect_noise((90, 120), 80).convert("RGB").save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * 2 // 3])
    assert refused(tmp_path / name).reason in ("damaged", "no_picture")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "a.gif", "p.png"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
def test_a_file_with_wrong_bytes_is_a_picture_or_a_sentence(tmp_path: Path, name: str):
    file = tmp_path / name
    picture = portrait((30, 40))
    (picture.convert("P") if name[0] == "p" else picture).save(file)
    whole, dice = file.read_bytes(), random.Random(name)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(dice.choice((1, 3, 30))):
            data[dice.randrange(dice.choice((40, len(data))) if len(data) > 40 else len(data))] = dice.randrange(256)
        file.write_bytes(data[: dice.choice((len(data), dice.randrange(len(data))))])
        try:
            assert open_photo(file, 30).size == (30, 30)
        except PhotoError as error:
            assert error.reason in ("damaged", "no_picture", "too_large", "colours")


@pytest.mark.parametrize("size", [(14_000, 14_000), (12_000, 12_000), (2_001, 2_000)])
def test_a_small_file_with_a_huge_picture_is_not_unpacked(tmp_path: Path, size: tuple[int, int]):
    Image.new("1", size).save(tmp_path / "a.png")
    error = refused(tmp_path / "a.png")
    assert error.reason == "too_large"
    assert "make it smaller, at most 50 million as a JPEG that is not progressive, else 4 million" in str(error)


def test_a_large_jpeg_is_unpacked_at_a_fraction_unless_it_has_to_be_kept_whole(tmp_path: Path):
    plain, whole = tmp_path / "plain.jpg", tmp_path / "whole.jpg"
    Image.new("L", (5_000, 5_000), 90).save(plain)
    assert grey(open_photo(plain, 30)) == (90, 90, 90)
    Image.new("L", (5_000, 5_000), 90).save(whole, progressive=True)
    assert refused(whole).reason == "too_large"
    Image.new("L", (7_100, 7_100), 90).save(plain)
    assert refused(plain).reason == "too_large"


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.bmp", "a.gif", "a.jpg"])
def test_four_million_dots_are_shown_of_each_kind_and_more_of_none_that_is_unpacked_whole(tmp_path: Path, name: str):
    Image.new("L", (2_000, 2_000), 90).save(tmp_path / name, progressive=True)
    assert grey(open_photo(tmp_path / name, 30)) == (90, 90, 90)
    Image.new("L", (2_001, 2_000), 90).save(tmp_path / name, progressive=True)
    assert refused(tmp_path / name).reason == "too_large"


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path):
    portrait().save(tmp_path / "a.png")
    with (tmp_path / "a.png").open("r+b") as file:
        file.truncate(4 * 10**9)
    assert refused(tmp_path / "a.png").reason == "too_large"


def test_colours_that_cannot_be_turned_into_rgb_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Strange(Image.Image):
        def convert(self, *_: object, **__: object) -> Image.Image:
            raise ValueError("conversion from XYZ to RGB not supported")

    with pytest.raises(PhotoError, match="save it as RGB") as caught:
        photos._clear(Strange(), tmp_path / "a.tif")
    assert caught.value.reason == "colours"


def test_opening_a_picture_leaves_the_warnings_of_other_threads_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The filters belong to the whole process: two threads that put them back would put back each other's."""
    before, seen = list(warnings.filters), []
    monkeypatch.setattr(photos, "_turn", lambda _: seen.append(list(warnings.filters)))
    portrait().save(tmp_path / "a.png")
    open_photo(tmp_path / "a.png", 30)
    open_emblem(tmp_path / "a.png", 30)
    assert seen == [before, before]


def test_a_picture_that_pillow_warns_of_is_refused_by_its_header_where_warnings_are_no_errors(tmp_path: Path):
    Image.new("1", (12_000, 12_000)).save(tmp_path / "a.png")
    with pytest.warns(Image.DecompressionBombWarning):
        assert refused(tmp_path / "a.png").reason == "too_large"


def test_the_emblem_is_whole_and_a_photo_is_cut(tmp_path: Path):
    portrait((100, 50)).save(tmp_path / "a.png")
    assert open_emblem(tmp_path / "a.png", 30).size == (30, 15)
    assert open_photo(tmp_path / "a.png", 30).size == (30, 30)


# --- kiosk check -------------------------------------------------------------------------------------------------


def test_check_names_each_picture_of_the_office_document_that_cannot_be_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    office = sample().to_json().decode()
    for clerk, photo in (
        ("nguyen-thi-a", "a.png"),
        ("tran-van-b", "b.jpg"),
        ("le-thi-c", "c.gif"),
        ("pham-van-d", "d.png"),
    ):
        office = office.replace(f'{{"id":"{clerk}",', f'{{"photo":"{photo}","id":"{clerk}",').replace('"photo":"",', "")
    office = office.replace('"emblem":""', '"emblem":"huy-hieu.png"')
    (tmp_path / "office.json").write_text(office)
    (tmp_path / "kiosk.toml").write_text(
        f'office = "office.json"\ndata_dir = "{tmp_path}/data"\n[buttons]\nfactory = "none"\n[printer]\nurl = "none"\n'
    )
    portrait().save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_text("no picture")
    Image.new("1", (9_000, 9_000)).save(tmp_path / "d.png")
    data = io.BytesIO()
    portrait().save(data, "png")
    (tmp_path / "huy-hieu.png").write_bytes(data.getvalue()[:-40])
    assert main(["check", "--config", str(tmp_path / "kiosk.toml")]) == 1
    lines = capsys.readouterr().out.splitlines()
    first = next(at for at, line in enumerate(lines) if "biểu trưng" in line)
    assert lines[first : first + 8] == [
        f"LỖI   Đơn vị: biểu trưng: {tmp_path}/huy-hieu.png bị hỏng hoặc chép thiếu",
        "      → Chép lại",
        f"LỖI   Đơn vị: Trần Văn B: {tmp_path}/b.jpg không phải là ảnh",
        "      → Lưu lại thành JPEG hoặc PNG",
        f"LỖI   Đơn vị: Lê Thị C: không mở được {tmp_path}/c.gif",
        "      → Chép ảnh vào cùng thư mục với tệp khai báo đơn vị",
        f"LỖI   Đơn vị: Phạm Văn D: {tmp_path}/d.png quá lớn",
        "      → Thu nhỏ ảnh, tối đa 50 triệu điểm với JPEG (không progressive), 4 triệu điểm với loại khác",
    ]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "office.json").write_text(office)
    main(["check", "--config", str(tmp_path / "kiosk.toml"), "--office", str(elsewhere / "office.json")])
    assert f"Nguyễn Thị A: không mở được {elsewhere}/a.png" in capsys.readouterr().out


def test_check_reads_the_emblem_as_band_and_slip_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refusing(path: Path, side: int) -> Image.Image:
        raise PhotoError("colours", f"{path} has strange colours")

    monkeypatch.setattr(photos, "open_emblem", refusing)
    office = sample()
    office = replace(office, unit=replace(office.unit, emblem="a.png"))
    (finding,) = pictures(office, tmp_path, Texts("en"))
    assert "a.png has colours that cannot be shown" in finding.says
