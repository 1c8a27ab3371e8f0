"""`kiosk screens`: tells the day in every language, draws what came about, and writes the page."""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kiosk import findings, typeset
from kiosk.config import Public, load_config, shipped
from kiosk.gallery.page import Shown, page
from kiosk.gallery.pictures import SIZES, SMALL, Job, Picture, draw_all, looks, save_slip
from kiosk.gallery.story import Told, tell
from kiosk.office import Office
from kiosk.present.words import Words
from kiosk.setup import load_office, words
from kiosk.slip import PAPER_58_MM, PAPER_80_MM
from kiosk.texts import Texts, languages
from kiosk.views.theme import THEMES

SIZE = re.compile(r"([1-9][0-9]{2,3})x([1-9][0-9]{2,3})")
INDEX = "index.html"
PUBLIC_URL = "https://mot-cua.example"


def main(options: argparse.Namespace) -> int:
    """Run the command; its exit status. Raises ValueError or OSError for options that cannot be met."""
    sizes = [_size(size) for size in options.size] or list(SIZES)
    themes = _known("theme", options.theme, list(THEMES))
    codes = _known("language", options.lang, list(languages()))
    config = load_config(options.config) if options.config else shipped()
    config = replace(config, office=options.office or config.office, public=Public(PUBLIC_URL))
    office = load_office(config)
    speakers = {code: words(replace(config, language=code), office) for code in codes}
    told = {code: _told(office, speaker) for code, speaker in speakers.items()}
    views = _chosen(options.view, told[codes[0]])
    _make(options.dir)
    _name_pictures(office, config.office, Texts(codes[0]))
    fonts = [Path(font) for font in config.screen.fonts]
    typeset.use(fonts)
    own = looks(office.look.colour, office.look.accent)
    jobs = _jobs(told, views, sizes, themes)
    drawn = draw_all(options.dir, jobs, {name: own[name] for name in themes}, fonts)
    pictures = _slips(options.dir, told, views) | _views(jobs, drawn)
    index = options.dir / INDEX
    texts = [Texts(code) for code in codes]
    index.write_text(page({view: pictures[view] for view in views}, texts, office.unit.name), "utf-8")
    print(index)
    return 0


def _name_pictures(office: Office, file: str, t: Texts) -> None:
    """Emblem and photos that are drawn, because their files cannot be shown."""
    for finding in findings.pictures(office, Path(file).parent, t) if file else ():
        print(f"{finding.line} → {finding.advice}", file=sys.stderr)


def _jobs(told: dict[str, Told], views: Sequence[str], sizes: Sequence[str], themes: Sequence[str]) -> list[Job]:
    return [
        Job(view, size, tuple((theme, code, of.views[view]) for theme in themes for code, of in told.items()))
        for size in sizes
        for view in views
        if view in told[next(iter(told))].views
    ]


def _views(jobs: Sequence[Job], drawn: Iterator[tuple[Job, list[Picture]]]) -> dict[str, list[Shown]]:
    shown: dict[str, list[Shown]] = {}
    for n, (job, pictures) in enumerate(drawn, 1):
        print(f"{n}/{len(jobs)} {job.view} {job.size}", flush=True)
        captions = [f"{job.size.replace('x', '×')} · {theme} · {code}" for theme, code, _ in job.drawn]
        shown.setdefault(job.view, []).extend(map(Shown, pictures, captions))
    return shown


def _slips(folder: Path, told: dict[str, Told], views: Sequence[str]) -> dict[str, list[Shown]]:
    return {
        name: [
            Shown(save_slip(folder, name, code, of.slips[name], dots), f"{dots} · {code}")
            for dots in (PAPER_80_MM, PAPER_58_MM)
            for code, of in told.items()
        ]
        for name in views
        if name in told[next(iter(told))].slips
    }


def _told(office: Office, speaker: Words) -> Told:
    with tempfile.TemporaryDirectory(prefix="kiosk-screens-") as folder:
        return tell(office, speaker, Path(folder))


# --- options -------------------------------------------------------------------------------------------------


def _size(given: str) -> str:
    if not SIZE.fullmatch(given):
        raise ValueError(f"--size: {given!r} is no size: write WIDTHxHEIGHT, as {', '.join(SIZES)}")
    return given


def _known(what: str, given: Sequence[str], known: list[str]) -> list[str]:
    """The wanted ones in the usual order; all when none was named."""
    wrong = [name for name in given if name not in known]
    if wrong:
        raise ValueError(f"there is no {what} {wrong[0]!r}, only {', '.join(known)}")
    return [name for name in known if name in given] if given else known


def _chosen(given: Sequence[str], told: Told) -> list[str]:
    """Names of views, or of their groups."""
    known = [*told.views, *told.slips]
    groups = [name for name in given if any(name == view.partition("-")[0] for view in known)]
    single = [name for name in given if name not in groups]
    chosen = _known("view", single, known) if single or not groups else []
    return [view for view in known if view in chosen or view.partition("-")[0] in groups]


def _make(folder: Path) -> None:
    """The folder, without the pictures of an earlier run, which the new page would not lead to."""
    try:
        (folder / SMALL).mkdir(parents=True, exist_ok=True)
        if (folder / INDEX).exists():
            for old in (*folder.glob("*-*.png"), *(folder / SMALL).glob("*.jpg")):
                old.unlink()
        (folder / INDEX).write_text("")
    except OSError as error:
        where = error.filename or folder
        raise OSError(f"{where} cannot be written ({error.strerror}): choose another --dir") from error
