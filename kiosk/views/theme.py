"""Colours and smallest sizes of every screen. Knows no pygame and no view."""

from dataclasses import dataclass, replace
from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]

BODY_SHARE = 1 / 40
"""Smallest height of body text, as a share of the screen's height."""
NUMBER_SHARE = 1 / 8
"""Smallest height of a ticket's number on a main view, as a share of the screen's height."""
CONTRAST = 4.5
"""Smallest contrast of text against what is behind it (WCAG 2, level AA)."""

TILE_COLOURS: dict[str, Rgb] = {
    "blue": (14, 98, 168),
    "green": (24, 128, 88),
    "red": (200, 48, 68),
    "purple": (124, 84, 190),
    "orange": (180, 88, 2),
    "slate": (72, 88, 114),
    "teal": (10, 122, 132),
    "pink": (186, 54, 128),
}


WHITE: Rgb = (255, 255, 255)
FLASH: Rgb = (255, 214, 96)
"""What is new lights up in it for a moment."""
DARK: Rgb = (52, 28, 0)


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one office, the least contrast of its texts, and how much larger than usual all is (`zoom`).

    Inks are read on the page and the tints; `blue`, `red`, `green`, `grey`, `amber` and the band are grounds for text
    in white or `DARK` (see `on`). Cards have an `edge` where their ground does not stand out from the page.
    """

    page: Rgb = (236, 241, 249)
    card: Rgb = (255, 255, 255)
    ink: Rgb = (13, 33, 62)
    muted: Rgb = (74, 90, 116)
    line: Rgb = (214, 222, 234)
    shadow: Rgb = (118, 140, 176)
    band_left: Rgb = (9, 40, 82)
    band_right: Rgb = (15, 82, 140)
    band_text: Rgb = (255, 255, 255)
    band_soft: Rgb = (201, 222, 245)
    gold: Rgb = (246, 180, 28)
    star: Rgb = (255, 222, 0)
    red: Rgb = (200, 16, 46)
    blue: Rgb = (14, 76, 135)
    bright: Rgb = (0, 103, 163)
    number: Rgb = (9, 45, 88)
    grey: Rgb = (92, 105, 128)
    tint_blue: Rgb = (224, 238, 252)
    tint_gold: Rgb = (254, 240, 218)
    tint_red: Rgb = (252, 230, 232)
    tint_green: Rgb = (224, 243, 233)
    tint_grey: Rgb = (239, 242, 247)
    amber: Rgb = (238, 154, 22)
    amber_ink: Rgb = (116, 68, 4)
    red_ink: Rgb = (122, 20, 32)
    blue_ink: Rgb = (0, 58, 104)
    green: Rgb = (20, 122, 82)
    green_ink: Rgb = (10, 84, 56)
    unhappy: Rgb = (208, 44, 56)
    called: Rgb = (200, 16, 46)
    called_plate: Rgb = (254, 240, 218)
    on_time: Rgb = (76, 152, 232)
    ring: Rgb = (200, 215, 235)
    edge: Rgb | None = None
    contrast: float = CONTRAST
    zoom: float = 1.0


DAY = Theme()
CONTRAST_THEME = Theme(
    page=(0, 0, 0),
    card=(0, 0, 0),
    ink=WHITE,
    muted=(232, 236, 242),
    line=(150, 158, 170),
    shadow=(0, 0, 0),
    band_left=(0, 0, 0),
    band_right=(0, 24, 66),
    band_soft=WHITE,
    gold=(255, 204, 0),
    red=(168, 0, 30),
    blue=(0, 66, 142),
    bright=(92, 178, 255),
    number=(255, 236, 0),
    grey=(78, 84, 94),
    tint_blue=(0, 28, 66),
    tint_gold=(74, 46, 0),
    tint_red=(78, 0, 12),
    tint_green=(0, 52, 30),
    tint_grey=(34, 36, 42),
    amber=(255, 184, 48),
    amber_ink=(255, 226, 160),
    red_ink=(255, 208, 208),
    blue_ink=(190, 226, 255),
    green=(0, 96, 60),
    green_ink=(176, 246, 212),
    unhappy=(255, 122, 122),
    called=(0, 0, 0),
    called_plate=(255, 204, 0),
    on_time=(150, 212, 255),
    ring=(232, 236, 242),
    edge=(222, 228, 236),
    contrast=7.0,
)
LARGER = 1.22
"""How much larger the themes with large text are: body text is 1/33 of the shorter edge instead of 1/40."""

THEMES: dict[str, Theme] = {
    "standard": DAY,
    "large": replace(DAY, zoom=LARGER),
    "contrast": CONTRAST_THEME,
    "contrast-large": replace(CONTRAST_THEME, zoom=LARGER),
}


def in_office_colours(theme: Theme, colour: str, accent: str) -> Theme:
    """The theme in an office's own colours ("" keeps the theme's): `colour` of band, labels and buttons, `accent` of
    lines and of what is newest.
    """
    if colour:
        own = readable(colour_of(colour), WHITE, theme.contrast)
        band = readable(own, theme.band_soft, theme.contrast * 1.08)
        theme = replace(theme, blue=own, band_right=band, band_left=mix(band, (0, 0, 0), 0.45))
    return replace(theme, gold=colour_of(accent)) if accent else theme


def colour_of(name: str) -> Rgb:
    """The colour named, or written as "#rrggbb"; blue when it is neither."""
    if name in TILE_COLOURS:
        return TILE_COLOURS[name]
    digits = name.removeprefix("#")
    if len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        return TILE_COLOURS["blue"]
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """`a` with `share` (0–1) of `b` in it."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0.0–1.0 (WCAG 2)."""

    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(v) for v in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: Rgb, b: Rgb) -> float:
    """Contrast of two colours, 1.0–21.0 (WCAG 2)."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: Rgb, back: Rgb, least: float = CONTRAST) -> Rgb:
    """`colour`, darkened (lightened on a dark ground) just until it can be read on `back`."""
    towards: Rgb = (0, 0, 0) if luminance(back) > 0.18 else WHITE
    for step in range(21):
        candidate = mix(colour, towards, step / 20)
        if contrast(candidate, back) >= least:
            return candidate
    return towards


def on(ground: Rgb) -> Rgb:
    """What is drawn on a coloured ground: white where it can be read, else dark."""
    return WHITE if contrast(WHITE, ground) >= CONTRAST else DARK
