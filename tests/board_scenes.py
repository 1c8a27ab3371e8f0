"""Halls for tests of the web board and the rating panel: few or many counters, long real names, all to show."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from kiosk.dossiers import Dossiers
from kiosk.office import Clerk, Counter, LabelSet, Level, Office, sample
from tests.console_kit import Hall

LONG_UNIT = "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG XÃ CHÂN MÂY - LĂNG CÔ"
LONG_CLERKS = ("Nguyễn Hoàng Thị Phương Khánh", "Tôn Nữ Thị Ngọc Quỳnh", "Trần Văn B", "Lê Thị C")
DOSSIERS = Dossiers(datetime(2026, 11, 20, 10, 0, tzinfo=UTC), 112530, 165, 12, 12409, 3)


def office_of(counters: int, *, long_names: bool = True, **rules: object) -> Office:
    """The sample office with so many counters; with long names where names can be long."""
    office = sample()
    services = [service.id for service in office.services]
    clerks = tuple(
        Clerk(
            f"clerk-{n}", LONG_CLERKS[n % 4] if long_names else f"Nguyễn Văn {'ABCDEGHIKLMNOPQR'[n - 1]}", "Công chức"
        )
        for n in range(1, counters + 1)
    )
    desks = tuple(
        Counter(
            str(n), str(n), tuple(services[n % len(services) :][: 2 if n % 3 else 3]) or (services[0],), f"clerk-{n}"
        )
        for n in range(1, counters + 1)
    )
    if counters < 3:
        desks = (replace(desks[0], services=tuple(services)), *desks[1:])
    unit = replace(office.unit, short=LONG_UNIT) if long_names else office.unit
    slogans = ("Kỷ cương, trách nhiệm, tận tình, chu đáo; nhanh chóng, chính xác, đúng pháp luật", *office.slogans)
    office = replace(office, label_sets=(*office.label_sets, *(labels_of(n) for n in (2, 3, 5))))
    own = replace(office.rules, press_limits=False, **rules)  # type: ignore[arg-type]
    return replace(office, unit=unit, clerks=clerks, counters=desks, slogans=slogans, rules=own)


def labels_of(levels: int) -> LabelSet:
    """A set of 2, 3 or 5 answers with the longest usual labels."""
    names = ("Rất hài lòng", "Hài lòng", "Bình thường", "Không hài lòng", "Rất không hài lòng")
    faces = ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")
    chosen = {2: (1, 3), 3: (0, 1, 3), 5: (0, 1, 2, 3, 4)}[levels]
    found = tuple(Level(5 - n, names[n], names[n], faces[n], n < 2) for n in chosen)
    return LabelSet(f"levels-{levels}", f"{levels} mức", found)


def fill(hall: Hall, *, figures: bool = True) -> None:
    """Every kind of counter: called, serving, paused, closed, free; people who wait, and some who did not come."""
    store, desks = hall.store, hall.office.counters
    hall.close()  # its console's look of a moment ago would begin services when the clock jumps
    for service in hall.office.services:
        for _ in range(4):
            hall.take(service.id)
    for n, desk in enumerate(desks):
        hall.clock.seconds += 20
        if n % 7 == 6:
            continue
        store.counters.open(hall.now(), desk.id, desk.clerk)
        if n % 5 == 4:
            continue
        store.counters.call_next(hall.now(), desk.id)
        if n % 7 == 3:
            hall.clock.seconds += 200
            store.counters.no_show(hall.now(), desk.id)
            store.counters.pause(hall.now(), desk.id, "10:00")
        elif n % 2:
            store.counters.start(hall.now(), desk.id)
    hall.clock.seconds += 5
    called = store.counters.call_next(hall.now(), desks[1 if len(desks) > 1 else 0].id)
    assert called
    if figures:
        store.dossiers.set(hall.now(), DOSSIERS)
        publish(hall)
    hall.start_again()


def serve(hall: Hall, counter: str = "1") -> str:
    """Somebody is called and served: the number, whose rating is asked now."""
    desk = hall.office.counter(counter)
    assert desk
    number = hall.take(desk.services[0])
    hall.store.counters.open(hall.now(), counter, desk.clerk)
    hall.store.counters.call_next(hall.now(), counter)
    hall.clock.seconds += 20
    hall.store.counters.finish(hall.now(), counter)
    hall.browser().get("/sign-in")  # a question shows the console what another process wrote
    return number


def publish(hall: Hall) -> None:
    """Figures as if a session had closed with them."""
    labels = hall.office.label_set()
    assert labels
    counts = {str(level.value): n for level, n in zip(labels.levels, (460, 31, 9, 4, 2), strict=False)}
    figure = {
        "label_set": labels.id, "k": 460, "n": sum(counts.values()), "served": 1180, "by_level": counts, "left_out": {},
    }  # fmt: skip
    row = json.dumps({"figures": {labels.id: figure}, "clerks": {}})
    with hall.store.database.writing(hall.now()) as w:
        w.conn.execute(
            "INSERT INTO published (day, session, period, figures) VALUES ('2026-11-20', 'chieu', '2026-10', ?)", (row,)
        )


def photo(path: Path, colour: tuple[int, int, int] = (30, 120, 90)) -> Path:
    """A picture file of one colour."""
    Image.new("RGB", (640, 800), colour).save(path)
    return path
