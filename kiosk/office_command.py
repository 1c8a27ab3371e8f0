"""`kiosk office`: the office document in force, shown, replaced, listed, and brought back."""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from kiosk import office as offices
from kiosk import photos, revising
from kiosk.clock import SystemClock
from kiosk.config import Config
from kiosk.documents import DocumentError, printable
from kiosk.office import Office
from kiosk.present.words import Words
from kiosk.setup import PHOTOS, load_device, load_office, load_text, say_defaults, words
from kiosk.store import Store
from kiosk.store.offices import OfficeVersion, OfficeVersions
from kiosk.store.prepare import prepare
from kiosk.texts import Texts
from kiosk.tickets import Refused

T = TypeVar("T")
BY = "command line"
SHOWN = 4
"""Places that a line of the history names."""


def run(options: argparse.Namespace) -> int:
    """`kiosk office`."""
    config = load_device(options.config)
    match options.action, options.what:
        case "show", "":
            _show(config)
        case "history", "":
            _history(config)
        case "apply", file if file:
            _apply(config, Path(file), options.note)
        case "restore", number if number.isdecimal():
            _restore(config, int(number), options.note)
        case _:
            raise ValueError(Texts(config.language)("typed.office"))
    return 0


def _show(config: Config) -> None:
    found = load_text(config)
    spoken = words(config, found.office)
    where = _line(found.applied, spoken) if found.applied else found.file or spoken.t("technician.office_sample")
    print(f"# {where}", file=sys.stderr)
    if _asked(config, lambda versions: versions.owned()):
        print(f"# {spoken.t('refused.office_owned')}", file=sys.stderr)
    text = revising.readable(found.text)
    print(text, end="" if text.endswith("\n") else "\n")


def _apply(config: Config, file: Path, note: str) -> None:
    offices.load(file)  # a file that cannot be read is named as files are
    text = file.read_text("utf-8-sig")
    office = revising.read(text, config, str(file))
    current = load_office(config)
    if office.version <= current.version:
        raise ValueError(
            Texts(config.language)(
                "typed.office_old", tep=printable(str(file)), n=current.version, moi=current.version + 1
            )
        )
    for _, name in revising.pictures(office):
        with suppress(FileNotFoundError):  # one that lies on the device already
            photos.copy_in(file.parent / name, Path(config.data_dir) / PHOTOS, name)
    _put(config, text, note)


def _history(config: Config) -> None:
    rows = _asked(config, lambda versions: versions.history()) or []
    spoken = words(config, load_office(config))
    t = spoken.t
    for row, before in zip_longest(rows, rows[1:]):
        print(f"{row.id:4}  {_line(row, spoken)}: {_what(row, before, t)}")
    if not rows:
        print(t("technician.office_never", noi=config.office or t("technician.office_sample")))


def _line(version: OfficeVersion, spoken: Words) -> str:
    """When it was applied, which version it is, and who did it."""
    t = spoken.t
    return f"{t.stamp(version.at)}  {t('technician.version')} {version.version}  {spoken.author(version.by)}"


def _what(version: OfficeVersion, before: OfficeVersion | None, t: Texts) -> str:
    """What it is about: its note, else the places that it changed."""
    if note := " ".join(version.note.split()):
        return printable(note)
    if before is None:
        return t("technician.office_no_note")
    try:
        old, new = (Office.from_json(one.text.encode(), "") for one in (before, version))
    except DocumentError:  # as one of a later release is
        return t("technician.office_no_note")
    places = [change.place for change in revising.changes(old, new)]
    return ", ".join(places[:SHOWN]) + (", …" if len(places) > SHOWN else "") or t("technician.office_same")


def _asked(config: Config, question: Callable[[OfficeVersions], T]) -> T | None:
    """What the applied versions say, None without a database: looking makes none."""
    if not (Path(config.data_dir) / "kiosk.db").exists():
        return None
    store = _store(config)
    try:
        return question(store.offices)
    finally:
        store.close()


def _restore(config: Config, id: int, note: str) -> None:
    t = Texts(config.language)
    chosen = _asked(config, lambda versions: versions.get(id))
    if chosen is None:
        raise ValueError(t("typed.office_no_number", n=id))
    again = t("technician.office_again", n=chosen.version)
    _put(config, revising.raised(chosen.text, load_office(config).version), note or again)


def _put(config: Config, text: str, note: str) -> None:
    office = revising.read(text, config)
    say_defaults(config)
    t, store, now = Texts(config.language), _store(config), SystemClock().now()
    try:
        desks = [one.id for one in office.counters]
        id = store.offices.apply(now, text, office.sha256, office.version, by=BY, note=note, counters=desks)
    except Refused as refused:
        if refused.reason == "office_owned":
            raise ValueError(t("refused.office_owned")) from refused
        raise ValueError(t("typed.office_meanwhile")) from refused
    finally:
        store.close()
    print(t("typed.office_done", so=id, n=office.version, ten=office.unit.name))


def _store(config: Config) -> Store:
    folder = Path(config.data_dir)
    prepare(folder, SystemClock().now())
    return Store(folder, load_office(config).rulebook())
