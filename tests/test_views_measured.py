"""Every view in every size and theme, measured; what can be touched; what is drawn."""

import unicodedata
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import combinations, pairwise, product
from typing import Any

import pygame
import pytest
import zxingcpp
from PIL import Image

from kiosk.views import figures, icons, shapes
from kiosk.views.canvas import Canvas, Frame, Kit, Record, Region, Style, left_over
from kiosk.views.draw import regions
from kiosk.views.model import FaceKind, Portrait, RateView, View
from kiosk.views.theme import CONTRAST, DAY, THEMES, contrast
from tests.views_measure import drawn, every_kit, problems
from tests.views_samples import ALL, BOARD, LONG_RATE, LONG_TAKE, LONG_UNIT, RATE, TAKE, board, notice_view

SIZES = ((1920, 1080), (1280, 800), (1024, 600), (800, 480), (1080, 1920))
EXTREMES = ((800, 480), (1080, 1920))
DRAWN = [("standard", size) for size in SIZES if size != (1024, 600)] + [("contrast-large", EXTREMES[0])]
"""Between them they have all colours and all layouts; the slow test draws the rest of themes and sizes."""
REST = [(theme, size) for theme in THEMES for size in SIZES if (theme, size) not in DRAWN]


def looks(pairs: list[tuple[str, tuple[int, int]]]) -> pytest.MarkDecorator:
    names = [f"{theme}-{size[0]}x{size[1]}" for theme, size in pairs]
    return pytest.mark.parametrize(("theme", "size"), pairs, ids=names)


@pytest.fixture(scope="module")
def kits() -> Iterator[dict[str, Kit]]:
    with every_kit() as made:
        yield made


@pytest.fixture
def kit(kits: dict[str, Kit]) -> Kit:
    return kits["standard"]


every_view = pytest.mark.parametrize("name", ALL)
every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@looks(DRAWN)
@every_view
def test_all_text_is_whole_apart_large_enough_and_readable(
    kits: dict[str, Kit], name: str, size: tuple[int, int], theme: str
) -> None:
    """Body text is at least 1/40 of the shorter edge, a ticket's number 1/8, contrast that of the theme (4.5 or 7)."""
    assert problems(kits[theme], ALL[name], size) == []


@pytest.mark.slow
@looks(REST)
@every_view
def test_the_other_themes_too(kits: dict[str, Kit], name: str, size: tuple[int, int], theme: str) -> None:
    assert problems(kits[theme], ALL[name], size) == []


@pytest.mark.parametrize("theme", ["large", "contrast-large"])
def test_larger_text_is_larger_by_a_fifth_where_there_are_up_to_six_services_or_four_counters(
    kits: dict[str, Kit], theme: str
) -> None:
    for view in (TAKE, BOARD, RATE):
        usual, large = (smallest_words(kits[name], view) for name in ("standard", theme))
        assert large >= 1.15 * usual


def smallest_words(kit: Kit, view: View) -> int:
    """Size of the smallest text of the view's own part, below the band."""
    return min(box.size for box in drawn(kit, view, (1920, 1080)).texts() if box.rect.top > 200)


@every_size
def test_decomposed_letters_draw_the_same_picture(kit: Kit, size: tuple[int, int]) -> None:
    for view in (LONG_TAKE, board(9, long=True), LONG_RATE):
        composed, decomposed = drawn(kit, view, size), drawn(kit, nfd(view), size)
        assert nfd(view) != view
        assert pygame.image.tobytes(composed.surface, "RGB") == pygame.image.tobytes(decomposed.surface, "RGB")


def nfd(value: Any) -> Any:
    """The same model with all its texts decomposed."""
    if isinstance(value, str):
        return unicodedata.normalize("NFD", value)
    if isinstance(value, tuple):
        return tuple(nfd(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: nfd(getattr(value, field.name)) for field in fields(value)})
    return value


def test_absurdly_long_and_empty_texts_end_in_dots_and_not_in_an_error(kit: Kit) -> None:
    word, wall = "Nghiêng" * 200, "Nghiêng nghiêng " * 200
    header = replace(TAKE.header, unit=wall, title=word, date=wall, clock="12:34", lost=wall)
    tiles = tuple(replace(tile, name=word, hint=wall, waiting_text=word) for tile in TAKE.tiles)
    frame = drawn(kit, replace(TAKE, header=header, tiles=tiles, ticker=wall, ticker_label=word), (1280, 800))
    assert {box.cut for box in frame.texts() if "Nghiêng" in box.text} == {True}
    assert all(frame.surface.get_rect().contains(box.rect) for box in frame.texts())
    blank = replace(BOARD, cards=tuple(replace(card, clerk="", service_line="", waiting="") for card in BOARD.cards))
    drawn(kit, replace(blank, called=(), called_title="", missed=(), progress=None, satisfaction=None), (1280, 800))
    drawn(kit, replace(BOARD, cards=()), (1280, 800))
    drawn(kit, notice_view(replace(ALL["slip"].notice, title="", number="", lines=(), pill="")), (1280, 800))  # type: ignore[union-attr]


# --- touch


def test_every_action_has_a_box_of_a_finger_s_size_and_none_lies_over_another(kit: Kit) -> None:
    take, rate = {*"12345678", "priority", "language"}, {f"rate {n}" for n in range(1, 6)}
    for view, actions in ((LONG_TAKE, take), (LONG_RATE, rate)):
        hits = list(drawn(kit, view, (1280, 800)).hits())
        assert {hit.action for hit in hits} == actions
        assert all(min(hit.rect.size) >= 800 / 12 for hit in hits)
        assert not any(one.rect.colliderect(other.rect) for one, other in combinations(hits, 2))


def test_a_service_that_is_not_available_can_still_be_touched(kit: Kit) -> None:
    tile = next(tile for tile in LONG_TAKE.tiles if not tile.available)
    frame = drawn(kit, LONG_TAKE, (1280, 800))
    box = next(hit.rect for hit in frame.hits() if hit.action == tile.action)
    assert frame.hit(*box.center) == tile.action


def test_between_the_tiles_there_is_nothing_to_touch(kit: Kit) -> None:
    frame = drawn(kit, TAKE, (1280, 800))
    first, second = (hit.rect for hit in frame.hits() if hit.action in "12")
    assert frame.hit((first.right + second.left) // 2, first.centery) == ""


def test_a_message_takes_the_tiles_away(kit: Kit) -> None:
    assert [hit.action for hit in drawn(kit, ALL["slip"], (1280, 800)).hits()] == ["language"]


def test_chosen_priority_keeps_the_tiles_and_offers_the_way_back(kit: Kit) -> None:
    actions = {hit.action for hit in drawn(kit, ALL["take-chosen"], (1280, 800)).hits()}
    assert actions == {*"123456", "cancel", "language"}


# --- drawing only what changed


def test_the_same_view_draws_nothing(kit: Kit) -> None:
    frame = drawn(kit, BOARD, (1920, 1080))
    assert frame.show(regions(BOARD, (1920, 1080))) == []


def test_a_call_draws_its_card_and_the_list_and_no_pixel_elsewhere(kit: Kit) -> None:
    frame = drawn(kit, BOARD, (1920, 1080))
    before = frame.surface.copy()
    cards = (replace(BOARD.cards[0], number="1013"), *BOARD.cards[1:])
    after = replace(BOARD, cards=cards, called=(replace(BOARD.called[0], number="1013"), *BOARD.called))
    dirty = frame.show(regions(after, (1920, 1080)))
    assert len(dirty) == 2
    for box in dirty:
        before.fill((0, 0, 0), box)
        frame.surface.fill((0, 0, 0), box)
    assert pygame.image.tobytes(before, "RGB") == pygame.image.tobytes(frame.surface, "RGB")


def test_drawing_in_part_gives_the_same_picture_as_drawing_all(kit: Kit) -> None:
    after = replace(BOARD, cards=tuple(replace(card, number="2044", highlighted=False) for card in BOARD.cards))
    frame = drawn(kit, BOARD, (1280, 800))
    frame.show(regions(after, (1280, 800)))
    whole = drawn(kit, after, (1280, 800))
    assert pygame.image.tobytes(frame.surface, "RGB") == pygame.image.tobytes(whole.surface, "RGB")


def test_the_clock_draws_the_band_alone(kit: Kit) -> None:
    frame = drawn(kit, TAKE, (1280, 800))
    later = replace(TAKE, header=replace(TAKE.header, clock="09:42"))
    assert [box.top for box in frame.show(regions(later, (1280, 800)))] == [0]


def test_another_layout_draws_everything_and_leaves_nothing_of_the_old_one(kit: Kit) -> None:
    frame = drawn(kit, TAKE, (1280, 800))
    frame.show(regions(RATE, (1280, 800)))
    assert pygame.image.tobytes(frame.surface, "RGB") == pygame.image.tobytes(
        drawn(kit, RATE, (1280, 800)).surface, "RGB"
    )
    assert {hit.action for hit in frame.hits()} == {"rate 3", "rate 2", "rate 1"}


def test_each_view_after_each_other_is_the_picture_that_it_is_alone(kit: Kit) -> None:
    """Through messages and back, with tiles that changed meanwhile, or not, and other layouts between."""
    size = (1280, 800)
    frame = Frame(kit, size)
    for name in ALL:
        for view in (ALL[name], TAKE, ALL["slip"], ALL["take-long"]):
            frame.show(regions(view, size))
            alone = drawn(kit, view, size)
            assert pygame.image.tobytes(frame.surface, "RGB") == pygame.image.tobytes(alone.surface, "RGB")
            assert sorted(map(str, frame.hits())) == sorted(map(str, alone.hits()))
            assert sorted(map(str, frame.texts())) == sorted(map(str, alone.texts()))


def test_a_message_leaves_band_and_ticker_and_afterwards_paints_the_changed_tile_alone(kit: Kit) -> None:
    size = (1920, 1080)
    frame = drawn(kit, TAKE, size)
    message = replace(TAKE, notice=ALL["slip"].notice)  # type: ignore[union-attr]
    after = replace(TAKE, tiles=(replace(TAKE.tiles[0], waiting_text="9 người chờ"), *TAKE.tiles[1:]))
    assert painted(frame, message, size) == ["notice"]
    assert painted(frame, after, size) == [f"tile {TAKE.tiles[0].action}"]
    assert painted(frame, message, size) == ["notice"]
    assert painted(frame, after, size) == []
    whole = drawn(kit, after, size)
    assert pygame.image.tobytes(frame.surface, "RGB") == pygame.image.tobytes(whole.surface, "RGB")
    assert [hit.action for hit in frame.hits()] == [hit.action for hit in whole.hits()]


def painted(frame: Frame, view: View, size: tuple[int, int]) -> list[str]:
    """Show a view; returns the names of the regions that were painted for it."""
    names: list[str] = []

    def noting(region: Region) -> Region:
        def paint(canvas: Canvas, rect: pygame.Rect) -> None:
            names.append(region.name)
            region.paint(canvas, rect)

        return replace(region, paint=paint)

    frame.show([noting(region) for region in regions(view, size)])
    return names


def test_a_message_changes_no_box_outside_those_that_are_told(kit: Kit) -> None:
    size = (1280, 800)
    frame = drawn(kit, TAKE, size)
    lost = replace(TAKE, header=replace(TAKE.header, lost="Mất kết nối với máy chủ xã"))
    for view in (replace(TAKE, notice=ALL["slip"].notice), TAKE, lost, TAKE, RATE, TAKE):  # type: ignore[union-attr]
        before = frame.surface.copy()
        for box in frame.show(regions(view, size)):
            before.blit(frame.surface, box, box)
        assert pygame.image.tobytes(before, "RGB") == pygame.image.tobytes(frame.surface, "RGB")


def test_what_is_left_over_of_a_box_is_all_that_no_cover_lies_over() -> None:
    box = pygame.Rect(2, 3, 30, 20)
    covers = [pygame.Rect(0, 0, 10, 9), pygame.Rect(8, 7, 6, 6), pygame.Rect(20, 5, 40, 4), pygame.Rect(50, 50, 5, 5)]
    pieces = left_over(box, covers)
    for x, y in product(range(60), range(60)):
        bare = box.collidepoint(x, y) and not any(cover.collidepoint(x, y) for cover in covers)
        assert sum(piece.collidepoint(x, y) for piece in pieces) == bare
    assert left_over(box, [box.inflate(2, 2)]) == []


# --- pictures


FACES: tuple[FaceKind, ...] = ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")


def test_faces_differ_by_their_features_alone() -> None:
    """Told apart without any colour: only where eyes, brows and mouth are."""
    masks = [features(kind) for kind in FACES]
    for one, other in combinations(masks, 2):
        assert sum(a != b for a, b in zip(one, other, strict=True)) > 0.015 * len(one)


def features(kind: FaceKind) -> list[bool]:
    disc, _ = figures.face_colours(kind, DAY)
    picture = shapes.picture((100, 100), disc, lambda big: icons.draw_face(big, kind, DAY))
    return [
        sum(abs(a - b) for a, b in zip(picture.get_at((x, y)), disc, strict=False)) > 90
        for x in range(100)
        for y in range(100)
    ]


def test_features_stand_out_from_each_face() -> None:
    assert all(contrast(*figures.face_colours(kind, DAY)) >= CONTRAST for kind in FACES)


def test_all_thanks_are_one_picture(kit: Kit) -> None:
    """The view of thanks holds nothing of the answer, so there is nothing that could differ."""
    assert not {"level", "chosen", "kind"} & {field.name for field in fields(RateView)}
    texts = {box.text for box in drawn(kit, ALL["rate-thanks"], (1280, 800)).texts()}
    assert not texts & {face.label for face in RATE.faces}


def test_a_portrait_that_cannot_be_read_is_a_drawn_person(kit: Kit, tmp_path: Any, caplog: Any) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    for path in (broken, tmp_path / "missing.png", tmp_path):
        frame = drawn(kit, replace(RATE, portrait=Portrait(str(path), 0)), (1280, 800))
        same = drawn(kit, RATE, (1280, 800))
        assert pygame.image.tobytes(frame.surface, "RGB") == pygame.image.tobytes(same.surface, "RGB")
    assert "broken.jpg is no picture" in caplog.text


@pytest.mark.parametrize("size", [(3, 4), (900, 1200), (1200, 300)])
def test_a_photo_of_any_shape_fills_its_disc(kit: Kit, tmp_path: Any, size: tuple[int, int]) -> None:
    photo = pygame.Surface(size)
    photo.fill((10, 200, 30))
    pygame.image.save(photo, tmp_path / "photo.png")
    frame = drawn(kit, replace(RATE, portrait=Portrait(str(tmp_path / "photo.png"))), (1280, 800))
    seen = tuple(frame.surface.get_at((130, 208)))[:3]
    assert all(abs(a - b) <= 5 for a, b in zip(seen, (10, 200, 30), strict=True))


def test_the_code_on_the_glass_can_be_read(kit: Kit) -> None:
    surface = drawn(kit, ALL["glass-long"], (1280, 800)).surface
    image = Image.frombytes("RGB", surface.get_size(), pygame.image.tobytes(surface, "RGB"))
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [ALL["glass-long"].notice.qr_url]  # type: ignore[union-attr]


def test_stacked_marks_are_drawn_whole(kit: Kit) -> None:
    sprite = kit.type.sprite("ẪỔẲ", "Bold", 30, (0, 0, 0))
    plain = kit.type.sprite("H", "Bold", 30, (0, 0, 0))
    above = sprite.baseline - sprite.ink.top
    assert above > (plain.baseline - plain.ink.top) * 1.35
    assert abs(above - kit.type.line("ẪỔẲ", "Bold", 30).above) <= 1


@pytest.mark.parametrize("text", ["QUẦY Ậ PHỤC VỤ Ẫ Ổ HÀNH CHÍNH Ẳ Ỗ", "gy gậy ẪỔẲ ẪỔẲ gỵ Ẳ Ẵ Ặ"])
def test_lines_of_a_text_never_touch(kit: Kit, text: str) -> None:
    block = kit.type.fit(text, "Bold", 40, 40, (300, 900), 9, 1.0)
    assert len(block.lines) > 1
    for (upper, lower), (top, bottom) in zip(pairwise(block.lines), pairwise(block.drops), strict=True):
        assert bottom - top >= upper.below + lower.above + 1


def test_a_wrapped_text_has_no_last_line_of_one_short_word(kit: Kit) -> None:
    block = kit.type.fit("Phía trước còn năm người chờ khoảng mười phút", "Medium", 30, 30, (560, 200), 2, 1.0)
    widths = [line.width for line in block.lines]
    assert len(widths) == 2
    assert min(widths) > 0.7 * max(widths)


def test_what_is_kept_is_bounded(kit: Kit) -> None:
    frame = Frame(kit, (1280, 800))
    for number in range(300):
        view = replace(BOARD, cards=(replace(BOARD.cards[0], number=str(1000 + number)), *BOARD.cards[1:]))
        frame.show(regions(view, (1280, 800)))
    assert kit.type.kept_pixels() <= 3_000_000
    assert kit.pictures.weight <= 4_000_000


def test_the_pictures_of_what_is_covered_take_no_more_than_8_mb(kit: Kit) -> None:
    for width in range(1920, 1200, -80):
        frame = drawn(kit, TAKE, (width, 1080))
        frame.show(regions(ALL["slip"], (width, 1080)))
        assert 1_000_000 < kit.covered.weight <= 2_000_000
    kept = len(kit.covered)
    drawn(kit, TAKE, (3840, 2160)).show(regions(ALL["slip"], (3840, 2160)))
    assert len(kit.covered) == kept, "what has no room as a whole is not kept in part"


@pytest.mark.parametrize("text", ["1013", "7174", "1111", "56176", "A047", "0"])
@pytest.mark.parametrize("size", [60, 135, 205, 290])
def test_a_number_set_digit_by_digit_is_the_picture_of_one_piece(kit: Kit, text: str, size: int) -> None:
    one, several = pygame.Surface((1400, 400)), pygame.Surface((1400, 400))
    inks = []
    line = kit.type.sprite(text, "ExtraBold", size, DAY.card)
    one.blit(line.surface, (40 + line.left, 300 - line.baseline))
    for x, sign in kit.type.signs(text, "ExtraBold", size, DAY.card):
        at = (40 + x + sign.left, 300 - sign.baseline)
        several.blit(sign.surface, at)
        inks.append(sign.ink.move(at))
    assert pygame.image.tobytes(one, "RGB") == pygame.image.tobytes(several, "RGB")
    assert inks[0].unionall(inks[1:]) == line.ink.move(40 + line.left, 300 - line.baseline)


def test_the_box_of_a_number_is_that_of_its_ink(kit: Kit) -> None:
    surface = pygame.Surface((900, 400), 0, 32)
    surface.fill((255, 255, 255))
    record = Record()
    room = pygame.Rect(20, 20, 860, 360)
    box = Canvas(kit, surface, record).number(room, "4711", Style(290, "ExtraBold", (0, 0, 0), "centre"))
    ink = pygame.mask.from_threshold(surface, (0, 0, 0), (150, 150, 150)).get_bounding_rects()
    assert box == record.texts[0].rect
    # Faint edges may lie a pixel outside.
    assert box.inflate(2, 2).contains(ink[0].unionall(ink[1:]))
    assert ink[0].unionall(ink[1:]).inflate(4, 4).contains(box)


def test_the_longest_office_name_is_in_the_band(kit: Kit) -> None:
    for size in SIZES:
        assert any(box.text == LONG_UNIT and not box.cut for box in drawn(kit, board(4, long=True), size).texts())
