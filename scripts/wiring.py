#!/usr/bin/env python3
"""Draws docs/img/wiring.svg and the pin table of docs/wiring.md from the default configuration: scripts/wiring.py

A test compares both with what this makes, so that a changed default cannot leave an old drawing behind.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from kiosk.config import Config, load_config
from kiosk.office import Office, sample
from kiosk.panel_rules import claims

ROOT = Path(__file__).resolve().parent.parent
DRAWING = ROOT / "docs" / "img" / "wiring.svg"
PAGE = ROOT / "docs" / "wiring.md"
BEGIN, END = "<!-- pins: made by scripts/wiring.py -->", "<!-- end of pins -->"

LETTERS = "Be Vietnam Pro, Arial, sans-serif"
HEADER: Mapping[int, int | str] = {
    1: "3,3 V", 2: "5 V", 3: 2, 4: "5 V", 5: 3, 6: "GND", 7: 4, 8: 14, 9: "GND", 10: 15,
    11: 17, 12: 18, 13: 27, 14: "GND", 15: 22, 16: 23, 17: "3,3 V", 18: 24, 19: 10, 20: "GND",
    21: 9, 22: 25, 23: 11, 24: 8, 25: "GND", 26: 7, 27: "ID", 28: "ID", 29: 5, 30: "GND",
    31: 6, 32: 12, 33: 13, 34: "GND", 35: 19, 36: 16, 37: 26, 38: 20, 39: "GND", 40: 21,
}  # fmt: skip
"""The 40 pins of a Pi's header, by their place: a BCM number, or what else is there."""

CLOCK = {2: "Đồng hồ DS3231: SDA", 3: "Đồng hồ DS3231: SCL"}
FACES = {"happy": "Hài lòng", "neutral": "Bình thường", "unhappy": "Không hài lòng"}
COLOURS = {
    "key": "#0b4f8a", "lamp": "#c77700", "1": "#1b7a3d", "2": "#7a3d9a", "clock": "#b3261e",
    "GND": "#222222", "power": "#b3261e", "free": "#9aa5b1",
}  # fmt: skip


class Pin:
    """What one pin of the header is for: its words in Vietnamese and English, and its colour."""

    def __init__(self, vi: str, en: str, colour: str) -> None:
        self.vi, self.en, self.colour = vi, en, colour


def uses(config: Config, office: Office) -> dict[int, Pin]:
    """BCM number → what it is for, in the default configuration."""
    names = {service.id: service.name for service in office.services}
    found = {bcm: Pin(words, words.replace("Đồng hồ", "Clock"), COLOURS["clock"]) for bcm, words in CLOCK.items()}
    for bcm, (_, *place) in claims(config.buttons):
        found[bcm] = _use([str(part) for part in place], names)
    return found


def _use(place: list[str], names: Mapping[str, str]) -> Pin:
    match place:
        case ["services", service, "pin"]:
            return Pin(f"Phím {names[service]}", f"Key: {service}", COLOURS["key"])
        case ["services", service, "led"]:
            return Pin(f"Đèn {names[service]}", f"Lamp: {service}", COLOURS["lamp"])
        case ["counters", counter, "call"]:
            return Pin(f"Quầy {counter}: phím gọi", f"Counter {counter}: call key", COLOURS.get(counter, "#555555"))
        case ["counters", counter, face] if face in FACES:
            return Pin(f"Quầy {counter}: {FACES[face]}", f"Counter {counter}: {face}", COLOURS.get(counter, "#555555"))
        case ["counters", counter, lamp]:
            face = lamp.removesuffix("_led")
            return Pin(f"Quầy {counter}: đèn {FACES[face]}", f"Counter {counter}: lamp {face}", COLOURS["lamp"])
        case [name, "led"]:
            return Pin(f"Đèn {name}", f"Lamp: {name}", COLOURS["lamp"])
        case _:
            return Pin("Phím ưu tiên" if place[0] == "priority" else f"Phím {place[0]}", f"Key: {place[0]}", "#0b4f8a")


def pin(place: int, used: Mapping[int, Pin]) -> Pin:
    """What the pin at a place of the header is for."""
    what = HEADER[place]
    if isinstance(what, int):
        return used.get(what, Pin("(trống)", "(free)", COLOURS["free"]))
    if what == "GND":
        return Pin("GND (mát chung)", "ground", COLOURS["GND"])
    if what == "ID":
        return Pin("(không dùng)", "(not for use)", COLOURS["free"])
    return Pin(f"{what}: không nối phím", f"{what.replace(',', '.')}: never to a key", COLOURS["power"])


# --- the table ------------------------------------------------------------------------------------------------


def table(used: Mapping[int, Pin]) -> str:
    """The header as two columns of a Markdown table, as one looks at it."""
    lines = [
        "| Việc · use | BCM | Chân · pin | Chân · pin | BCM | Việc · use |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for place in range(1, 41, 2):
        left, right = pin(place, used), pin(place + 1, used)
        cells = (_words(left), _bcm(place), place, place + 1, _bcm(place + 1), _words(right))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _words(what: Pin) -> str:
    return f"{what.vi} · *{what.en}*"


def _bcm(place: int) -> str:
    what = HEADER[place]
    return str(what) if isinstance(what, int) else ""


# --- the drawing ----------------------------------------------------------------------------------------------


def text(
    x: float, y: float, words: str, *, size: int = 15, anchor: str = "start", fill: str = "#1c2733", bold: bool = False
) -> str:
    """A line of letters."""
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{weight}>{escape(words)}</text>'
    )


def line(points: str, stroke: str = "#1c2733", width: float = 2) -> str:
    """A wire through these points."""
    return f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="{width}"/>'


def box(x: float, y: float, width: float, height: float, fill: str = "#ffffff") -> str:
    """A part."""
    place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return f'<rect {place} rx="8" fill="{fill}" stroke="#1c2733" stroke-width="1.5"/>'


def drawing(used: Mapping[int, Pin]) -> str:
    """The whole drawing as SVG."""
    parts = [*_header(used), *_key(), *_lamp(), *_strong_lamps(), *_clock(), *_cables()]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1400 1080" font-family="{LETTERS}">',
            '<rect width="1400" height="1080" fill="#f5f7fa"/>',
            text(30, 44, "Sơ đồ nối dây mặc định · Default wiring", size=26, bold=True),
            text(
                30,
                72,
                "Tên chân theo số BCM, trong ô là thứ tự trên hàng chân. · BCM numbers; in boxes: place on the header.",
                size=15,
            ),
            *parts,
            "</svg>",
            "",
        ]
    )


def _header(used: Mapping[int, Pin]) -> Iterator[str]:
    yield box(392, 96, 76, 20 * 34 + 12, "#e9edf2")
    for place in range(1, 41):
        row, right = (place - 1) // 2, place % 2 == 0
        y, what = 118 + row * 34, pin(place, used)
        x = 434 if right else 398
        yield f'<rect x="{x}" y="{y - 13}" width="28" height="26" rx="4" fill="{what.colour}"/>'
        yield text(x + 14, y + 5, str(place), size=13, anchor="middle", fill="#ffffff", bold=True)
        yield line(f"{462 if right else 398},{y} {480 if right else 380},{y}", what.colour)
        bcm = f"BCM {_bcm(place)}" if _bcm(place) else ""
        words = f"{bcm}  {what.vi}" if right else f"{what.vi}  {bcm}"
        yield text(
            486 if right else 374, y + 5, words.strip(), size=14, anchor="start" if right else "end", fill=what.colour
        )
    yield text(
        430,
        820,
        "Hàng chân 40 của Raspberry Pi (cổng USB ở phía dưới) · header, USB sockets below",
        size=13,
        anchor="middle",
    )


def _key() -> Iterator[str]:
    yield box(800, 96, 280, 150)
    yield text(816, 122, "Phím · key", size=16, bold=True)
    yield line("830,170 880,170")
    yield line("880,170 920,152")
    yield line("924,170 974,170")
    yield text(826, 160, "BCM", size=13, anchor="start")
    yield text(980, 175, "GND", size=13)
    yield text(816, 206, "Một đầu vào chân, một đầu vào GND;", size=13)
    yield text(816, 224, "không cần điện trở. · Pin to ground.", size=13)


def _lamp() -> Iterator[str]:
    yield box(1100, 96, 270, 150)
    yield text(1116, 122, "Đèn LED · LED", size=16, bold=True)
    yield line("1126,170 1160,170")
    yield '<rect x="1160" y="161" width="46" height="18" fill="#ffffff" stroke="#1c2733" stroke-width="2"/>'
    yield text(1183, 153, "330 Ω", size=13, anchor="middle")
    yield line("1206,170 1236,170")
    yield '<polygon points="1236,158 1236,182 1258,170" fill="#c77700" stroke="#1c2733" stroke-width="1.5"/>'
    yield line("1258,158 1258,182")
    yield line("1258,170 1300,170")
    yield text(1122, 160, "BCM", size=13)
    yield text(1306, 175, "GND", size=13)
    yield text(1116, 206, "Cả bảng không quá 50 mA.", size=13)
    yield text(1116, 224, "Not above 50 mA in all.", size=13)


def _strong_lamps() -> Iterator[str]:
    yield box(800, 266, 570, 190)
    yield text(816, 292, "Đèn 5 V hoặc 12 V qua ULN2803 · lamps of 5 V or 12 V", size=16, bold=True)
    yield box(1000, 312, 110, 92, "#e9edf2")
    yield text(1055, 385, "ULN2803", size=14, anchor="middle", bold=True)
    for n, y in enumerate((330, 352), 1):
        yield line(f"880,{y} 1000,{y}")
        yield text(874, y + 5, "BCM", size=13, anchor="end")
        yield text(1006, y - 4, f"IN{n}", size=11)
        yield line(f"1110,{y} 1180,{y}")
        yield f'<circle cx="1194" cy="{y}" r="10" fill="#ffe3ad" stroke="#c77700" stroke-width="2"/>'
        yield line(f"1204,{y} 1250,{y} 1250,341")
        yield text(1104, y - 4, f"OUT{n}", size=11, anchor="end")
    yield line("1250,341 1280,341", "#b3261e")
    yield text(1286, 346, "+5 / 12 V", size=13, fill="#b3261e")
    yield line("880,390 1000,390", "#222222")
    yield text(874, 395, "GND Pi", size=13, anchor="end")
    yield line("1110,390 1280,390", "#222222")
    yield text(1286, 395, "GND đèn", size=13)
    yield text(816, 426, "GND của Pi và của nguồn đèn nối chung. Không bao giờ đưa 5 V vào chân GPIO.", size=13)
    yield text(816, 444, "Both grounds are joined. Never 5 V into a pin.", size=13)


def _clock() -> Iterator[str]:
    yield box(800, 476, 570, 120)
    yield text(816, 502, "Đồng hồ DS3231 (bắt buộc) · clock module (required)", size=16, bold=True)
    for n, (left, right) in enumerate((("chân 1 · 3,3 V", "VCC"), ("BCM 2", "SDA"), ("BCM 3", "SCL"), ("GND", "GND"))):
        y = 524 + n * 18
        yield text(960, y + 5, left, size=13, anchor="end")
        yield line(f"968,{y} 1080,{y}", COLOURS["clock"] if n < 3 else "#222222")
        yield text(1088, y + 5, right, size=13)
    yield box(1130, 514, 90, 70, "#e9edf2")
    yield text(1175, 554, "DS3231", size=13, anchor="middle", bold=True)


def _cables() -> Iterator[str]:
    yield box(800, 616, 570, 244)
    yield text(816, 642, "Dây cắm · cables", size=16, bold=True)
    cables = (
        ("Máy in nhiệt · thermal printer", "USB thẳng vào Pi; nguồn riêng của máy in · USB straight, its own supply"),
        ("Màn hình · screen", "HDMI 0 (cổng gần nguồn) · the HDMI socket next to the power"),
        ("Loa · loudspeaker", "USB, giắc 3,5 mm hoặc loa màn hình · USB, 3.5 mm, or the screen's own"),
        ("Mạng · network", "cáp LAN tới tủ mạng của cơ quan · cable to the office's switch"),
        ("Nguồn · power", "Pi 4: 5 V 3 A · Pi 5: 5 V 5 A; nên có UPS · official supply, best behind a UPS"),
    )
    for n, (what, how) in enumerate(cables):
        yield text(816, 668 + n * 40, what, size=14, bold=True, fill="#0b4f8a")
        yield text(816, 685 + n * 40, how, size=13)
    legend = (
        ("key", "phím lấy số · number keys"),
        ("lamp", "đèn · lamps"),
        ("1", "quầy 1 · counter 1"),
        ("2", "quầy 2 · counter 2"),
        ("clock", "đồng hồ, nguồn · clock, power"),
        ("GND", "mát · ground"),
        ("free", "trống · free"),
    )
    for n, (kind, words) in enumerate(legend):
        x, y = 40 + (n % 4) * 340, 904 + (n // 4) * 36
        yield f'<rect x="{x}" y="{y - 15}" width="22" height="20" rx="4" fill="{COLOURS[kind]}"/>'
        yield text(x + 32, y + 1, words, size=15)
    yield text(
        40,
        1000,
        "Phím quầy 3 trở đi: bàn phím USB hoặc máy tính bảng (/rate/3). · From counter 3 on: USB keypads or tablets.",
        size=15,
    )
    yield text(
        40,
        1030,
        "Tắt SPI và cổng nối tiếp (raspi-config): BCM 7–11, 14, 15 là phím và đèn. · SPI and serial console off.",
        size=15,
    )


# --- files ----------------------------------------------------------------------------------------------------


def page(used: Mapping[int, Pin], before: str) -> str:
    """The page with the table of now between its marks."""
    head, rest = before.split(BEGIN)
    tail = rest.split(END)[1]
    return f"{head}{BEGIN}\n{table(used)}\n{END}{tail}"


def main() -> None:
    """Write both files."""
    used = uses(load_config(os.devnull), sample())
    DRAWING.write_text(drawing(used), encoding="utf-8")
    PAGE.write_text(page(used, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
