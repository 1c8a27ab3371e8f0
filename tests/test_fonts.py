"""Which font sets which letters, read from real and from broken font files."""

import shutil
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fontTools.ttLib import TTCollection, TTFont

from kiosk import fonts
from kiosk.fonts import Faces, FontError, bundled, choose, letters

CHINESE = "\u65e5\u672c"
"""Two letters that neither the bundled font nor DejaVu Sans has."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Copies of the bundled fonts, and a place for installed ones that holds none yet."""
    own = tmp_path / "own"
    own.mkdir()
    for weight in fonts.WEIGHTS:
        shutil.copy(bundled(weight), own)
    monkeypatch.setattr(fonts, "BUNDLED", own)
    monkeypatch.setattr(fonts, "SYSTEM", tmp_path / "system" / "truetype")
    forget()
    yield own
    forget()


def forget() -> None:
    choose.cache_clear()
    letters.cache_clear()


def install(folder: Path) -> Path:
    """DejaVu Sans, as far as this module can tell: the letters of the bundled font under its name."""
    place = fonts.SYSTEM / "dejavu"
    place.mkdir(parents=True)
    for name, weight in (("DejaVuSans.ttf", "Regular"), ("DejaVuSans-Bold.ttf", "Bold")):
        shutil.copy(folder / f"BeVietnamPro-{weight}.ttf", place / name)
    return place


def with_letters(source: Path, to: Path, change: Callable[[dict[int, str]], dict[int, str]]) -> Path:
    """A whole font with other letters than its source has."""
    with TTFont(source) as font:
        for table in font["cmap"].tables:
            table.cmap = change(table.cmap)
        font.save(to)
    return to


def foreign(source: Path, to: Path, wanted: str) -> Path:
    """A font of another script: these letters look like A."""
    return with_letters(source, to, lambda codes: {ord(letter): codes[ord("A")] for letter in wanted})


# --- what is in a file


@pytest.mark.parametrize("weight", fonts.WEIGHTS)
def test_the_letters_of_a_file_are_those_that_a_font_library_finds(weight: str):
    with TTFont(bundled(weight)) as font:
        assert set(letters(bundled(weight), checked=True)) == set(map(chr, font.getBestCmap()))


def test_letters_beyond_the_first_plane_and_lists_of_glyphs_are_read_too(tmp_path: Path):
    more = {0x1F600: "A", 0x1F601: "B", 0x1F603: "C", **dict.fromkeys(range(19968, 20000, 2), "A")}
    font = TTFont(bundled("Regular"))
    table = next(table for table in font["cmap"].tables if table.platformID == 3)
    wide = type(table).newSubtable(12)
    wide.platformID, wide.platEncID, wide.language = 3, 10, 0
    wide.cmap = {**table.cmap, **more}
    font["cmap"].tables.append(wide)
    font.save(tmp_path / "wide.ttf")
    font.close()
    with TTFont(tmp_path / "wide.ttf") as saved:
        assert set(letters(tmp_path / "wide.ttf")) == set(map(chr, saved.getBestCmap()))
    assert chr(0x1F602) not in letters(tmp_path / "wide.ttf")


def with_cmap(path: Path, table: bytes) -> Path:
    """The bundled font with another table of letters at its end."""
    content = bytearray(bundled("Regular").read_bytes())
    (count,) = struct.unpack_from(">4xH", content)
    at = next(at for at in range(12, 12 + 16 * count, 16) if content[at : at + 4] == b"cmap")
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + table
    struct.pack_into(">II", content, at + 8, len(content), len(cmap))
    path.write_bytes(content + cmap)
    return path


def groups(*rows: tuple[int, int]) -> bytes:
    """A table of format 12 with these first and last codes."""
    head = struct.pack(">HHIII", 12, 0, 16 + 12 * len(rows), 0, len(rows))
    return head + b"".join(struct.pack(">III", first, last, 1) for first, last in rows)


def segments(*rows: tuple[int, int]) -> bytes:
    """A table of format 4 with these first and last codes."""
    firsts, lasts = (struct.pack(f">{len(rows)}H", *codes) for codes in zip(*rows, strict=True))
    rest = bytes(2 * len(rows))
    return struct.pack(">HHHHHHH", 4, 0, 0, 2 * len(rows), 0, 0, 0) + lasts + bytes(2) + firsts + rest + rest


def test_the_letters_of_sound_tables_are_read(tmp_path: Path):
    assert "".join(letters(with_cmap(tmp_path / "12.ttf", groups((0x41, 0x43), (0x10FFFE, 0x10FFFF))))) == (
        "ABC\U0010fffe\U0010ffff"
    )
    assert "".join(letters(with_cmap(tmp_path / "4.ttf", segments((0x41, 0x43), (0xFFFF, 0xFFFF))))) == "ABC"


@pytest.mark.parametrize(
    "table",
    [
        groups((0x41, 0x7FFFFFFF)),
        groups((0, 0xFFFFFFFF)),
        groups((0x110000, 0x110000)),
        groups((0x43, 0x41)),
        groups(*[(0, 0xFFFF)] * 3),
        segments(*[(0, 0xFFFF)] * 3),
        segments((0x43, 0x41)),
    ],
    ids=["many", "all", "beyond", "backwards", "overlapping", "overlapping segments", "backward segment"],
)
def test_a_damaged_table_of_letters_is_said_and_takes_no_memory(tmp_path: Path, table: bytes):
    path = with_cmap(tmp_path / "damaged.ttf", table)
    tracemalloc.start()
    with pytest.raises(FontError, match=r"damaged\.ttf is damaged \(its table of letters"):
        letters(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


def test_a_collection_has_the_letters_of_its_first_font(tmp_path: Path):
    collection = TTCollection()
    collection.fonts = [TTFont(foreign(bundled("Bold"), tmp_path / "one.ttf", CHINESE)), TTFont(bundled("Regular"))]
    collection.save(tmp_path / "both.ttc")
    for font in collection.fonts:
        font.close()
    assert set(letters(tmp_path / "both.ttc")) == set(CHINESE)


def test_a_font_of_another_script_that_is_cut_off_is_not_opened(tmp_path: Path):
    cut(foreign(bundled("Bold"), tmp_path / "one.ttf", CHINESE))
    with pytest.raises(FontError, match="it is cut off"):
        letters(tmp_path / "one.ttf")


def test_the_needed_letters_are_all_that_vietnamese_writes():
    assert len(set(fonts.VIETNAMESE)) == 2 * 12 * 6
    assert all(len(letter) == 1 for letter in fonts.VIETNAMESE)
    assert {"ỹ", "Ẫ", "ợ", "đ", "Đ", "–", "…"} <= set(fonts.LETTERS)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def hole(path: Path) -> None:
    """A block that never reached the card, in the middle of the outlines."""
    content = bytearray(path.read_bytes())
    content[70_000:74_096] = bytes(4096)
    path.write_bytes(content)


def text(path: Path) -> None:
    path.write_text("no font" * 1000)


def poor(path: Path) -> None:
    with_letters(path, path, lambda codes: {code: name for code, name in codes.items() if chr(code) not in "ẫỢ"})


BROKEN = [Path.unlink, empty, cut, zeros, hole, text, poor]


@pytest.mark.parametrize("breaks", BROKEN)
def test_without_any_font_the_error_says_what_to_install(folder: Path, breaks: Callable[[Path], None]):
    breaks(folder / "BeVietnamPro-Bold.ttf")
    with pytest.raises(FontError, match=r"BeVietnamPro-Bold\.ttf .*install the program again.*fonts-dejavu-core"):
        choose("Bold")
    assert choose("Regular").path == folder / "BeVietnamPro-Regular.ttf"


@pytest.mark.parametrize("breaks", BROKEN)
def test_an_installed_font_stands_in_for_a_broken_one_and_it_is_said_once(
    folder: Path, breaks: Callable[[Path], None], caplog: pytest.LogCaptureFixture
):
    place = install(folder)
    breaks(folder / "BeVietnamPro-ExtraBold.ttf")
    for _ in range(3):
        choice = choose("ExtraBold")
    assert choice.path == place / "DejaVuSans-Bold.ttf"
    assert "BeVietnamPro-ExtraBold.ttf" in choice.problem
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Install the program again" in caplog.text


def test_the_letters_that_a_font_lacks_are_named(folder: Path):
    poor(folder / "BeVietnamPro-Medium.ttf")
    with pytest.raises(FontError, match="lacks the letters ẫỢ"):
        choose("Medium")


# --- letters that the bundled fonts do not have


def test_a_word_of_known_letters_is_one_piece_of_the_own_font(folder: Path):
    faces = Faces()
    assert faces.pieces("Chứng") == (("Chứng", None),)
    assert faces.path(None, "Bold") == folder / "BeVietnamPro-Bold.ttf"


def test_a_word_with_foreign_letters_is_set_as_a_whole_by_the_first_font_that_has_it(folder: Path, tmp_path: Path):
    one = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "one.ttf", CHINESE[0])
    both = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "both.ttf", CHINESE)
    ((word, face),) = Faces([one, both]).pieces(CHINESE)
    assert (word, face and face.regular) == (CHINESE, both)
    ((_, face),) = Faces([one, both]).pieces(CHINESE[0])
    assert face
    assert face.path("Regular") == face.path("Bold") == one


def test_a_word_of_two_scripts_is_set_in_runs(folder: Path, tmp_path: Path):
    other = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "other.ttf", CHINESE)
    pieces = Faces([other]).pieces(f"số{CHINESE}ngày")
    assert [(word, face and face.regular) for word, face in pieces] == [("số", None), (CHINESE, other), ("ngày", None)]


def test_a_mark_stays_with_its_letter(folder: Path, tmp_path: Path):
    """Khmer vowels and tones are letters of their own that must be set by the font of what they stand on."""
    mark = "\u0324"
    first = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "first.ttf", mark)
    second = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "second.ttf", CHINESE[0] + mark)
    pieces = Faces([first, second]).pieces(f"a{CHINESE[0]}{mark}")
    assert [(word, face and face.regular.name) for word, face in pieces] == [
        ("a", None),
        (CHINESE[0] + mark, "second.ttf"),
    ]


def test_installed_fonts_stand_in_after_those_of_the_office_with_their_bold(folder: Path, tmp_path: Path):
    place = install(folder)
    for path in place.iterdir():
        foreign(folder / "BeVietnamPro-Regular.ttf", path, CHINESE)
    ((_, face),) = Faces().pieces(CHINESE)
    assert face
    assert (face.path("Medium"), face.path("ExtraBold")) == (
        place / "DejaVuSans.ttf",
        place / "DejaVuSans-Bold.ttf",
    )
    mine = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "mine.ttf", CHINESE[0])
    ((_, face),) = Faces([mine]).pieces(CHINESE[0])
    assert face
    assert face.regular == mine


def test_an_installed_font_of_another_script_is_found(folder: Path):
    place = fonts.SYSTEM.parent / "opentype" / "noto"
    place.mkdir(parents=True)
    for name in ("NotoSansX-Regular.ttf", "NotoSansX-Bold.ttf"):
        foreign(folder / "BeVietnamPro-Regular.ttf", place / name, CHINESE)
    ((_, face),) = Faces().pieces(CHINESE)
    assert face
    assert (face.path("Regular").name, face.path("Bold").name) == ("NotoSansX-Regular.ttf", "NotoSansX-Bold.ttf")


def test_letters_that_no_font_has_are_left_out_and_named_once(folder: Path, caplog: pytest.LogCaptureFixture):
    faces = Faces()
    for _ in range(2):
        assert faces.pieces(CHINESE) == ()
        assert faces.pieces(f"số{CHINESE[1]}") == (("số", None),)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "U+65E5" in caplog.text
    assert "[screen] fonts" in caplog.text


def test_letters_without_a_shape_are_left_out_in_silence(folder: Path, caplog: pytest.LogCaptureFixture):
    assert Faces().pieces("Hộ\u200b\ufe0ftịch") == (("Hộtịch", None),)
    assert "\xad" in letters(bundled("Regular"))
    assert Faces().pieces("Hộ\xadtịch") == (("Hộtịch", None),)
    assert caplog.records == []


def test_a_font_of_the_office_that_is_broken_is_named_and_the_others_stand_in(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    good = foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / "good.ttf", CHINESE)
    ((_, face),) = Faces([tmp_path / "missing.ttf", good]).pieces(CHINESE)
    assert face
    assert face.regular == good
    assert "missing.ttf cannot be read" in caplog.text


def test_a_font_that_cannot_be_drawn_with_is_passed_over(folder: Path, tmp_path: Path):
    paths = [foreign(folder / "BeVietnamPro-Regular.ttf", tmp_path / f"{n}.ttf", CHINESE) for n in (1, 2)]
    ((_, face),) = Faces(paths, opens=lambda path: path != paths[0]).pieces(CHINESE)
    assert face
    assert face.regular == paths[1]


def test_a_piece_of_a_script_with_changing_shapes_names_it():
    assert [fonts.script(piece) for piece in ("ខ្មែរ", "日本", "Ω", "")] == ["Khmr", "", "", ""]
