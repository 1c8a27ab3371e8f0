"""Documents of a commune's reception points: what is in force where, versions, differences, copies."""

from dataclasses import dataclass, replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from kiosk import revising
from kiosk.board_document import BoardDocument
from kiosk.documents import DocumentError
from kiosk.office import Office
from server import asking, clock
from server.accounts.access import for_roles, no_right, note, person
from server.accounts.roles import DOCUMENTS, EDITORS
from server.office import desk, documents
from server.office.applied import Applied, applied
from server.office.documents import Conflict, newest
from server.office.editing import checked
from server.office.models import Blob, Document, Kind
from server.pages import page, say
from server.registry.models import Site

SHOWN = 30
"""Versions of a list; older ones are reached by their number."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of document of a site: the newest version, all of them, and what kiosks made of it."""

    kind: str
    newest: Document | None
    versions: list[Document]
    kiosks: list[Applied]
    mine: bool


@require_safe
@for_roles(*DOCUMENTS)
def sites(request: HttpRequest) -> HttpResponse:
    """The reception points; with only one of them, that one."""
    found = list(Site.objects.filter(unit__in=person(request).units()).order_by("name"))
    if len(found) == 1:
        return redirect("documents-site", found[0].pk)
    rows = [(one, [_kept(request, one, kind) for kind in Kind]) for one in found]
    return page(request, "office/sites.html", sites=rows)


@require_safe
@for_roles(*DOCUMENTS)
def site(request: HttpRequest, id: int) -> HttpResponse:
    """A reception point's documents."""
    here = desk.site_of(request, id)
    others = Site.objects.filter(unit=here.unit).exclude(pk=here.pk).order_by("name")
    return page(
        request,
        "office/site.html",
        site=here,
        kinds=[_kept(request, here, kind) for kind in Kind],
        others=others,
        authors=desk.authors(here.unit),
        alone=not others.exists(),
    )


def _kept(request: HttpRequest, here: Site, kind: str) -> Kept:
    versions = list(Document.objects.filter(site=here, kind=kind).order_by("-version").defer("content")[:SHOWN])
    last = versions[0] if versions else None
    kiosks = applied(here, kind, last, desk.words(request))
    return Kept(kind, last, versions, kiosks, desk.may(request, kind))


@require_safe
@for_roles(*DOCUMENTS)
def version(request: HttpRequest, id: int, kind: str, version: int) -> HttpResponse:
    """One version: what it changed (against another one by `?with=N`), and its text."""
    here = desk.site_of(request, id)
    shown = desk.version_of(here, kind, version)
    others = Document.objects.filter(site=here, kind=kind).exclude(pk=shown.pk).order_by("-version").defer("content")
    asked = asking.number(request.GET.get("with", ""))
    if asked is not None:
        other: Document | None = desk.version_of(here, kind, asked)
    else:
        other = others.filter(version__lt=shown.version).first()
    read = desk.office_in if kind == Kind.OFFICE else desk.board_in
    new, old = read(shown), read(other)
    return page(
        request,
        "office/version.html",
        site=here,
        kind=kind,
        shown=shown,
        author=desk.authors(here.unit).get(shown.by, shown.by),
        other=other,
        others=list(others[:SHOWN]),
        changes=desk.changed(old, new, desk.words(request)),
        text=revising.written(new) if isinstance(new, Office) else "",
        board=new if kind == Kind.BOARD else None,
        readable=new is not None,
        restorable=desk.may(request, kind) and shown != newest(here, kind),
        seen=_seen(here, kind),
    )


@require_POST
@for_roles(*DOCUMENTS)
def restore(request: HttpRequest, id: int, kind: str, version: int) -> HttpResponse:
    """An older version again, as a new one."""
    here = desk.site_of(request, id)
    chosen = desk.version_of(here, kind, version)
    if not desk.may(request, kind):
        return no_right(request)
    try:
        what = _again(here, kind, chosen)
        return desk.publish(request, here, what, desk.number(request, "seen"), f"= {chosen.version}")
    except DocumentError as error:
        say(request, "technician.office_wrong", n=len(error.problems))
    except Conflict as conflict:
        say(request, "office_doc.met_short", n=conflict.newest.version)
    return redirect("documents-version", here.pk, kind, chosen.version)


def _again(here: Site, kind: str, chosen: Document) -> Office | BoardDocument:
    """What it says, if it still can be used. Raises DocumentError."""
    if kind == Kind.OFFICE:
        return checked(bytes(chosen.content).decode(), here, desk.office_in(newest(here, kind)))
    return BoardDocument.from_json(bytes(chosen.content), "")


@require_POST
@for_roles(*EDITORS)
def copy(request: HttpRequest, id: int) -> HttpResponse:
    """The newest office document as the next version of other reception points of the commune, with their names."""
    here = desk.site_of(request, id)
    office, last = desk.office_in(newest(here, Kind.OFFICE)), newest(here, Kind.OFFICE)
    if office is None or last is None:
        raise Http404
    done, failed = [], []
    for target in Site.objects.filter(unit=here.unit, pk__in=_ids(request)).exclude(pk=here.pk).order_by("pk"):
        try:
            _copy(request, office, target, f"= {here.name}, {last.version}")
            done.append(target.name)
        except (DocumentError, Conflict):
            failed.append(target.name)
    key = "office_doc.copied_not" if failed else "office_doc.copied" if done else "office_doc.copied_none"
    say(request, key, noi=", ".join(done) or "–", khong=", ".join(failed))
    return redirect("documents-site", here.pk)


def _copy(request: HttpRequest, office: Office, target: Site, remark: str) -> None:
    last = newest(target, Kind.OFFICE)
    before = desk.office_in(last)
    place = before.site if before else replace(office.site, id=target.key, name=target.name)
    fitting = checked(replace(office, site=place).to_json().decode(), target, before)
    seen, by = last.version if last else 0, person(request).username
    made = documents.publish(target, fitting, seen=seen, by=by, note=remark, now=clock.now())
    note(request, "office.published", f"{target.name}, {made.version}: {remark}", target.unit)


def _ids(request: HttpRequest) -> list[int]:
    return [id for text in request.POST.getlist("site") if (id := asking.number(text)) is not None]


@require_safe
@for_roles(*DOCUMENTS)
def photo(request: HttpRequest, name: str) -> HttpResponse:
    """A picture that a newest document of the commune names."""
    sha256 = revising.photo_hash(name)
    found = Site.objects.filter(unit__in=person(request).units())
    offices = (desk.office_in(newest(one, Kind.OFFICE)) for one in found)
    if not sha256 or not any(name == named for office in offices if office for _, named in revising.pictures(office)):
        raise Http404
    blob = get_object_or_404(Blob, sha256=sha256)
    answer = HttpResponse(bytes(blob.content), content_type=blob.type)
    answer["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


def _seen(here: Site, kind: str) -> int:
    last = newest(here, kind)
    return last.version if last else 0
