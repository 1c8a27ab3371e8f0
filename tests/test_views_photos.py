"""Emblem and portraits from files: what is drawn, and what is drawn where a file cannot be shown."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pygame
import pytest
from PIL import Image

from kiosk.views.canvas import Kit
from kiosk.views.model import Portrait, View
from tests.views_measure import drawn, every_kit, problems
from tests.views_samples import ALL, BOARD, RATE, TAKE

SIZE = (1280, 800)
EMBLEM = pygame.Rect(30, 15, 65, 65)


@pytest.fixture(scope="module")
def kit() -> Iterator[Kit]:
    with every_kit() as made:
        yield made["standard"]


def band(kit: Kit, emblem: str) -> pygame.Surface:
    view = replace(TAKE, header=replace(TAKE.header, emblem=emblem))
    return drawn(kit, view, SIZE).surface.subsurface(EMBLEM)


def test_the_office_s_emblem_stands_in_the_band_whole_and_on_its_ground(kit: Kit, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (400, 200), (0, 0, 0, 0))
    picture.paste((10, 200, 30, 255), (0, 0, 400, 200))
    picture.save(tmp_path / "emblem.png")
    seen = band(kit, str(tmp_path / "emblem.png"))
    assert tuple(seen.get_at((32, 32)))[:3] == (10, 200, 30)
    assert tuple(seen.get_at((2, 32)))[:3] == (10, 200, 30)
    assert seen.get_at((32, 4)) == seen.get_at((32, 60)), "above and below a wide emblem is the band"


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_an_emblem_that_cannot_be_shown_is_the_drawn_star(kit: Kit, tmp_path: Path, content: bytes, caplog) -> None:
    (tmp_path / "emblem.png").write_bytes(content)
    seen, star = band(kit, str(tmp_path / "emblem.png")), band(kit, "")
    assert pygame.image.tobytes(seen, "RGB") == pygame.image.tobytes(star, "RGB")
    assert "a drawn one is shown" in caplog.text


def test_a_small_file_with_a_huge_picture_is_a_drawn_person(kit: Kit, tmp_path: Path) -> None:
    Image.new("1", (20_000, 10_000)).save(tmp_path / "bomb.png")
    with_bomb = drawn(kit, replace(RATE, portrait=Portrait(str(tmp_path / "bomb.png"), 0)), SIZE)
    assert pygame.image.tobytes(with_bomb.surface, "RGB") == pygame.image.tobytes(drawn(kit, RATE, SIZE).surface, "RGB")


@pytest.mark.parametrize("size", [(30, 1200), (4000, 40), (1, 1), (900, 1200)])
def test_pictures_of_any_shape_leave_every_text_as_it_is(kit: Kit, tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (250, 250, 250)).save(tmp_path / "any.jpg")
    path = str(tmp_path / "any.jpg")
    cards = tuple(replace(card, portrait=Portrait(path)) for card in BOARD.cards)
    views: list[View] = [
        replace(BOARD, cards=cards, header=replace(BOARD.header, emblem=path)),
        replace(RATE, portrait=Portrait(path)),
        replace(ALL["idle"], header=replace(ALL["idle"].header, emblem=path)),  # type: ignore[arg-type]
    ]
    for view in views:
        assert problems(kit, view, SIZE) == []
