"""Changing what the boards of a site show beside the queue: dossier figures, lines of the ticker, days that differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from kiosk import documents, dossiers
from kiosk.board_document import TICKER_LETTERS, TICKER_LINES, BoardDocument, Figures
from kiosk.documents import DocumentError, Problem, mistake, printable
from kiosk.dossiers import COUNTS, Dossiers
from kiosk.texts import LOCAL, Texts
from server import clock
from server.accounts.access import for_roles
from server.accounts.roles import LEADERS
from server.office import desk, sections
from server.office.documents import Conflict, newest
from server.office.editing import place_in_words
from server.office.models import Document, Kind
from server.office.sections import DayRow, Plain
from server.pages import page
from server.registry.models import Site

FIELDS = ("as_of", *COUNTS)
FIGURES = frozenset(FIELDS)


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of the ticker and its last day; without a text it is taken away."""

    text: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page's forms hold; `wrong` are sentences about what was entered, `read` says that a
    file was read, `as_of` is what was written beside it."""

    figures: Mapping[str, str]
    lines: Sequence[LineRow]
    days: Sequence[DayRow]
    wrong: Sequence[str] = ()
    read: bool = False
    as_of: str = ""
    met: Document | None = None
    differs: Sequence[Any] = field(default_factory=tuple)


@require_http_methods(["GET", "HEAD", "POST"])
@for_roles(*LEADERS)
def board(request: HttpRequest, id: int) -> HttpResponse:
    """The three forms; each publishes a version with its own part changed."""
    here = desk.site_of(request, id)
    last = newest(here, Kind.BOARD)
    document = desk.board_in(last) or BoardDocument(version=1)
    shown = _of(document, desk.words(request))
    if request.method != "POST":
        return _page(request, here, shown, document, last.version if last else 0)
    return _taken(request, here, last, document, shown)


def _taken(
    request: HttpRequest, here: Site, last: Document | None, document: BoardDocument, shown: Shown
) -> HttpResponse:
    t, seen, do = desk.words(request), desk.number(request, "seen"), request.POST.get("do", "")
    form = request.POST.dict()
    entered = {name: str(form.get(name, "")) for name in FIELDS}
    fields = {name: str(value) for name, value in form.items()}
    try:
        if do == "file":
            shown = replace(shown, as_of=entered["as_of"])
            read = _from_file(request, entered["as_of"])
            return _page(request, here, replace(shown, figures=_texts(read, t), read=True), document, seen)
        if do == "figures":
            shown = replace(shown, figures=entered)
            mine = replace(document, dossiers=Figures.of(_figures(entered)))
        elif do == "clear":
            mine = replace(document, dossiers=None)
        elif do == "lines":
            shown = replace(shown, lines=_read_lines(fields))
            mine = _with(document, lines=_plain_lines(shown.lines))
        else:
            shown = replace(shown, days=sections.read_calendar(fields).rows)
            mine = _with(document, days=_plain_days(shown.days))
    except DocumentError as error:
        wrong = [_said(one, t) for one in error.problems]
        return _page(request, here, replace(shown, wrong=wrong), document, seen, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        if last is not None and last.version != seen:
            raise Conflict(last)
        return desk.publish(request, here, mine, seen, desk.remark(request))
    except Conflict as conflict:
        now = desk.board_in(conflict.newest)
        told = replace(shown, met=conflict.newest, differs=desk.changed(now, mine, t))
        return _page(request, here, told, document, conflict.newest.version, HTTPStatus.CONFLICT)


def _page(
    request: HttpRequest, here: Site, shown: Shown, document: BoardDocument, seen: int, status: int = HTTPStatus.OK
) -> HttpResponse:
    return page(
        request,
        "office/board.html",
        status,
        site=here,
        shown=shown,
        author=desk.authors(here.unit).get(shown.met.by, shown.met.by) if shown.met else "",
        document=document,
        seen=seen,
        today=clock.now().astimezone(LOCAL).date(),
        fields=FIELDS,
        letters=TICKER_LETTERS,
        most=TICKER_LINES,
        remark=desk.remark(request),
    )


# --- forms ----------------------------------------------------------------------------------------------------


def _of(document: BoardDocument, t: Texts) -> Shown:
    figures = _texts(document.dossiers.as_dossiers(), t) if document.dossiers else {}
    lines = [LineRow(one.text, str(one.until or "")) for one in document.lines]
    days = [DayRow(str(one.day), one.kind, one.reason) for one in document.days]
    more = min(2, TICKER_LINES - len(lines))
    return Shown(figures, [*lines, *[LineRow()] * more], [*days, *[DayRow()] * 2])


def _texts(figures: Dossiers, t: Texts) -> dict[str, str]:
    """The figures as people write them."""
    counts = {name: t.number(getattr(figures, name)) for name in COUNTS}
    return {"as_of": f"{t.clock(figures.as_of)} {t.date(figures.as_of)}", **counts}


def _figures(entered: Mapping[str, str]) -> Dossiers:
    read = dossiers.read(entered, lambda name: name)
    if read.ahead_of(clock.now()):
        raise DocumentError([Problem("", "as_of", "as_of", "is a time to come", "ahead")])
    return read


def _from_file(request: HttpRequest, as_of: str) -> Dossiers:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise DocumentError([Problem("", "", "", "no file", "no_csv")])
    return dossiers.read_csv(file.read(dossiers.MAX_BYTES + 1), "", as_of)


def _read_lines(form: sections.Form) -> list[LineRow]:
    return [
        LineRow(sections.line(form, f"text-{n}"), sections.line(form, f"until-{n}"))
        for n in sections.numbers(form, "text-")
    ]


def _plain_lines(rows: Sequence[LineRow]) -> list[Plain]:
    return [{"text": one.text, **({"until": one.until} if one.until else {})} for one in rows if one.text]


def _plain_days(rows: Sequence[DayRow]) -> list[Plain]:
    if sections.undated(rows):
        raise DocumentError([Problem("", "days", "days", "a reason has no day", "undated")])
    kept = sorted((one for one in rows if one.day), key=lambda one: one.day)
    return [{"day": one.day, "kind": one.kind, "reason": one.reason} for one in kept]


def _with(document: BoardDocument, **part: Any) -> BoardDocument:
    """The document with a part of plain values. Raises DocumentError."""
    return BoardDocument.read({**documents.plain(document), **part}, "")


def _said(problem: Problem, t: Texts) -> str:
    """What is wrong, with the words of the form."""
    if f"figures.{problem.key}" in t and (problem.path in FIGURES or not problem.path.startswith(("lines", "days"))):
        values = {name: t.number(one) if isinstance(one, int) else one for name, one in problem.values.items()}
        says = printable(t(f"figures.{problem.key}", **values))
        return f"{t(f'figure.{problem.path}')}: {says}" if problem.path in FIGURES else says
    if f"office_doc.{problem.key}" in t:
        return t(f"office_doc.{problem.key}")
    return f"{place_in_words(problem.path, None, t)}: {mistake(problem, t)}"
