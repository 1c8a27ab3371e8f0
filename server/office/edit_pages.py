"""Changing a site's office document: its text, and the forms for what changes most often."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from kiosk import documents, revising
from kiosk.documents import MAX_BYTES, DocumentError, mistake
from kiosk.office import ROLES, Office, sample
from kiosk.photos import PhotoError
from kiosk.texts import Texts
from server.accounts.access import for_roles
from server.accounts.roles import DOCUMENTS, EDITORS
from server.office import desk, pictures, sections
from server.office.documents import newest
from server.office.editing import Judged, checked, place_in_words
from server.office.models import Document, Kind
from server.office.names import names_of, office_of
from server.office.sections import Plain, Section
from server.pages import page
from server.registry.models import Site

# --- the text -------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@for_roles(*EDITORS)
def text(request: HttpRequest, id: int) -> HttpResponse:
    """The whole document as TOML: checked, compared, published."""
    here = desk.site_of(request, id)
    if request.method != "POST":
        last = newest(here, Kind.OFFICE)
        office = office_of(here) or _first(here)
        shown = Judged(revising.written(office), office)
        return desk.editor(request, here, shown, last.version if last else 0, fresh=True)
    entered = request.POST.get("text", "").replace("\r\n", "\n")[: MAX_BYTES + 1]
    at_once = request.POST.get("do") == "publish"
    return desk.offer(request, here, entered, desk.number(request, "seen"), desk.remark(request), at_once=at_once)


@require_safe
@for_roles(*DOCUMENTS)
def download(request: HttpRequest, id: int) -> HttpResponse:
    """The newest document as a file."""
    here = desk.site_of(request, id)
    office = desk.office_in(newest(here, Kind.OFFICE))
    if office is None:
        raise Http404
    answer = HttpResponse(revising.written(office), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="office.toml"'
    return answer


def _first(here: Site) -> Office:
    """Something complete to begin with under the names of this unit and site: of the sample no people, no numbers."""
    office, name = sample(), here.unit.name
    head = f"ỦY BAN NHÂN DÂN {name.upper()}"
    unit = replace(office.unit, code=here.unit.code, name=name, short="", head1=head, valid_from=None)
    site = replace(office.site, id=here.key, name=here.name)
    counters = tuple(replace(counter, clerk="") for counter in office.counters)
    nobody = replace(office, counters=counters, clerks=(), hotlines=(), channels=())
    return replace(nobody, version=1, unit=unit, site=site)


# --- the forms ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A form: what it shows of an office, what came back, and the plain values of an office with that in it."""

    show: Callable[[Office], Section]
    read: Callable[[sections.Form], Section]
    put: Callable[[Plain, Section], Plain]


PARTS = {
    "people": Part(sections.people, sections.read_people, sections.with_people),
    "quotas": Part(sections.quotas, sections.read_quotas, sections.with_quotas),
    "contact": Part(sections.contact, sections.read_contact, sections.with_contact),
    "calendar": Part(sections.calendar, sections.read_calendar, sections.with_calendar),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_roles(*EDITORS)
def part(request: HttpRequest, id: int, name: str) -> HttpResponse:
    """One form of `PARTS`."""
    here, form = desk.site_of(request, id), PARTS.get(name)
    last = newest(here, Kind.OFFICE)
    office = desk.office_in(last)
    if form is None:
        raise Http404
    if office is None or last is None:
        return redirect("documents-text", here.pk)
    if request.method != "POST":
        return _shown(request, here, name, office, form.show(office), last.version)
    return _taken(request, here, name, form, office, last)


def _taken(request: HttpRequest, here: Site, name: str, form: Part, office: Office, last: Document) -> HttpResponse:
    """What came back is a change of the version that the form showed, whatever was published since."""
    t, seen = desk.words(request), desk.number(request, "seen")
    base = desk.office_in(Document.objects.filter(site=here, kind=Kind.OFFICE, version=seen).first()) or office
    fields, wrong = _with_photos(request, t)
    section = replace(form.read(fields), taken=tuple(names_of(here).clerks))
    if sections.undated(section.rows):
        wrong.append(t("office_doc.undated"))
    plain = form.put(documents.plain(base), section)
    try:
        mine = checked(desk.as_text(plain), here, office)
    except DocumentError as error:
        wrong += [f"{place_in_words(one.path, plain, t)}: {mistake(one, t)}" for one in error.problems]
    if wrong:
        return _shown(request, here, name, office, section, seen, wrong)
    return desk.offer(request, here, revising.written(mine), seen, desk.remark(request), at_once=True)


def _shown(
    request: HttpRequest, here: Site, name: str, office: Office, section: Section, seen: int, wrong: Sequence[str] = ()
) -> HttpResponse:
    return page(
        request,
        f"office/{name}.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        site=here,
        office=office,
        section=section,
        seen=seen,
        wrong_lines=wrong,
        remark=desk.remark(request),
        roles=ROLES,
        photo_hash=revising.photo_hash,
    )


def _with_photos(request: HttpRequest, t: Texts) -> tuple[dict[str, str], list[str]]:
    """The fields of a form, with the names of pictures that were uploaded; and why one of them is none.

    The file `file-N` belongs to the field `photo-N`, the file `file` to `emblem`; `nophoto-N` takes a picture away.
    """
    fields, wrong = request.POST.dict(), []
    for name in [name for name in fields if name.startswith("nophoto")]:
        fields["emblem" if name == "nophoto" else name.removeprefix("no")] = ""
    for name, file in request.FILES.items():
        if not isinstance(file, list) and isinstance(name, str):
            try:
                fields["emblem" if name == "file" else name.replace("file-", "photo-")] = pictures.keep(file)
            except PhotoError as error:
                wrong.append(t(f"photo.{error.reason}", tep=file.name))
    return {name: str(value) for name, value in fields.items()}, wrong
