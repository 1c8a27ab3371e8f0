"""What the pages about documents share: whose site it is, who may change what, publishing with lock and audit."""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from kiosk import revising
from kiosk.board_document import BoardDocument
from kiosk.documents import DocumentError
from kiosk.office import Office
from kiosk.texts import Texts
from server import asking, clock
from server.accounts.access import note, person
from server.accounts.models import User
from server.accounts.roles import EDITORS, LEADERS
from server.office import documents
from server.office.documents import Conflict, newest
from server.office.editing import Judged, Told, judge, names_in, on_top, told
from server.office.models import Document, Kind
from server.pages import page, say
from server.registry.models import Site, Unit
from server.words import language_of, texts

Read = TypeVar("Read", Office, BoardDocument)

MAY = {Kind.OFFICE.value: EDITORS, Kind.BOARD.value: LEADERS}


def words(request: HttpRequest) -> Texts:
    """The sentences for whoever asks."""
    return texts(language_of(request))


def site_of(request: HttpRequest, id: int) -> Site:
    """A site of the person's own commune; 404 for any other."""
    sites = Site.objects.select_related("unit").filter(unit__in=person(request).units())
    return get_object_or_404(sites, pk=id)


def authors(unit: Unit) -> dict[str, str]:
    """Names of a commune's people by the name under which they publish; kiosks are not among them."""
    return dict(User.objects.filter(unit=unit).values_list("username", "name"))


def may(request: HttpRequest, kind: str) -> bool:
    """Whether this person may change this kind of document."""
    return person(request).role in MAY[kind]


def version_of(site: Site, kind: str, version: int) -> Document:
    """A version of a site; 404 where there is none."""
    if kind not in MAY or version >= 2**31:
        raise Http404
    return get_object_or_404(Document, site=site, kind=kind, version=version)


def office_in(document: Document | None) -> Office | None:
    """What a version says; None for none, and for one that this release cannot read."""
    return _read(document, Office)


def board_in(document: Document | None) -> BoardDocument | None:
    """The same for the board."""
    return _read(document, BoardDocument)


def _read(document: Document | None, made: type[Read]) -> Read | None:
    try:
        return made.from_json(bytes(document.content), "") if document else None
    except DocumentError:
        return None


def changed(old: Any, new: Any, t: Texts) -> list[Told]:
    """What differs between two documents of a kind, in words; everything where there was none."""
    if old is None or new is None:
        return []
    names = names_in(*(one if isinstance(one, Office) else None for one in (old, new)))
    return told(revising.changes(old, new), t, names)


def same(old: Any, new: Any) -> bool:
    """Whether two documents differ in nothing but their version."""
    return old is not None and replace(old, version=1) == replace(new, version=1)


def publish(request: HttpRequest, site: Site, what: Office | BoardDocument, seen: int, remark: str) -> HttpResponse:
    """Make it the newest version, note it, and go to the site's page. Raises Conflict."""
    kind = Kind.OFFICE if isinstance(what, Office) else Kind.BOARD
    last = newest(site, kind)
    before = office_in(last) if isinstance(what, Office) else board_in(last)
    if last is not None and last.version == seen and same(before, what):
        say(request, "technician.office_same")
        return redirect("documents-site", site.pk)
    made = documents.publish(site, what, seen=seen, by=person(request).username, note=remark, now=clock.now())
    note(request, f"{kind}.published", f"{site.name}, {made.version}: {remark}", site.unit)
    say(request, "office_doc.published", n=made.version)
    return redirect("documents-site", site.pk)


# --- the office's text ----------------------------------------------------------------------------------------


def offer(request: HttpRequest, site: Site, text: str, seen: int, remark: str, *, at_once: bool) -> HttpResponse:
    """Judge a text and publish it if that is wanted `at_once` and nothing is in the way; else the page says what is."""
    t, last = words(request), newest(site, Kind.OFFICE)
    judged = judge(text, site, office_in(last), t)
    if judged.office is None:
        return editor(request, site, judged, seen, remark)
    if last is not None and last.version != seen:
        return _met(request, site, judged.office, seen, remark, last)
    if not at_once:
        return editor(request, site, judged, seen, remark)
    try:
        return publish(request, site, judged.office, seen, remark)
    except Conflict as conflict:
        return _met(request, site, judged.office, seen, remark, conflict.newest)


def _met(request: HttpRequest, site: Site, mine: Office, seen: int, remark: str, last: Document) -> HttpResponse:
    """Somebody else published meanwhile: my changes on top of theirs, to look at and publish."""
    theirs = office_in(last) or mine
    base = office_in(Document.objects.filter(site=site, kind=Kind.OFFICE, version=seen).first()) or theirs
    try:
        text = revising.written(on_top(base, mine, theirs))
    except DocumentError:
        text = revising.written(mine)
    judged = judge(text, site, theirs, words(request))
    return editor(request, site, judged, last.version, remark, met=last, status=HTTPStatus.CONFLICT)


def editor(
    request: HttpRequest,
    site: Site,
    judged: Judged,
    seen: int,
    remark: str = "",
    *,
    met: Document | None = None,
    fresh: bool = False,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """The page with the text, what is wrong with it, and what it would change; `fresh`: nothing was entered yet."""
    before = office_in(newest(site, Kind.OFFICE))
    return page(
        request,
        "office/text.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if judged.mistakes else status,
        site=site,
        judged=judged,
        fresh=fresh,
        changes=[] if fresh else changed(before, judged.office, words(request)),
        first=before is None,
        seen=seen,
        remark=remark,
        met=met,
        author=authors(site.unit).get(met.by, met.by) if met else "",
    )


def number(request: HttpRequest, name: str) -> int:
    """A number of a form; 0 for what is none."""
    return asking.number(request.POST.get(name, "")) or 0


def remark(request: HttpRequest) -> str:
    """What somebody wrote about a change."""
    return " ".join(request.POST.get("note", "").split())[:300]


def as_text(plain: Any) -> str:
    """Plain values as the JSON text of a document."""
    return json.dumps(plain, ensure_ascii=False, default=list)
