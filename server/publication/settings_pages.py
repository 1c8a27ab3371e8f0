"""Pages for leaders: what is public, letters by month, the weekly bulletin."""

from datetime import date

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from kiosk.texts import LOCAL
from server import asking, clock, qr
from server.accounts.access import for_roles, note, person
from server.accounts.roles import LEADERS
from server.facts.models import Comment
from server.pages import page, say
from server.publication import choosing, letters, public
from server.publication.bulletin import bulletin as bulletin_text
from server.publication.content import content_of
from server.publication.models import PARTS, Setting
from server.registry.models import Site, Unit
from server.reports import periods
from server.reports.naming import offices_now
from server.reports.periods import Kind
from server.words import language_of, texts

MONTHS = 13


@require_http_methods(["GET", "POST"])
@for_roles(*LEADERS)
def published(request: HttpRequest) -> HttpResponse:
    """What the public page of each reception point shows."""
    sites = list(Site.objects.select_related("unit").filter(unit__in=person(request).units()).order_by("key"))
    if request.method == "POST":
        return _switch(request)
    known = {setting.site_id: setting for setting in Setting.objects.filter(site__in=sites)}
    shown = [(site, known.get(site.pk) or Setting(site=site), _address(site)) for site in sites]
    rows = [(site, setting, address, qr.svg(address)) for site, setting, address in shown]
    return page(request, "publication/published.html", rows=rows, parts=PARTS)


def _switch(request: HttpRequest) -> HttpResponse:
    units = person(request).units()
    own = Site.objects.select_related("unit").filter(unit__in=units)
    found = next((each for each in own if str(each.pk) == request.POST.get("site")), None)
    if found is None:
        raise Http404("site")
    wanted = {name: name in request.POST for name in ("on", *PARTS)}
    Setting.objects.update_or_create(site=found, defaults=wanted)
    public.forget(found)
    note(request, "publication.set", f"{found.name}: {', '.join(name for name, on in wanted.items() if on) or '–'}")
    say(request, "server.saved")
    return HttpResponseRedirect(reverse("published"))


def _address(site: Site) -> str:
    return settings.CONFIG.url + reverse("public-site", args=[site.unit.code, site.key])


@require_http_methods(["GET", "POST"])
@for_roles(*LEADERS)
def letters_page(request: HttpRequest) -> HttpResponse:
    """Letters of the last months, counted by hand."""
    unit, problem = _unit(request), ""
    this = periods.around(Kind.MONTH, clock.now().astimezone(LOCAL).date())
    months = [this]
    while len(months) < MONTHS:
        months.append(months[-1].before())
    if request.method == "POST":
        problem = _enter(request, unit, [month.first for month in months])
        if not problem:
            return HttpResponseRedirect(reverse("letters"))
    t = texts(language_of(request))
    rows = []
    for month in months:
        counts = {kind: str(n) for kind, n in letters.counted(unit, month).items()}
        posted = {kind: request.POST.get(f"{month.key}.{kind}", counts.get(kind, "")) for kind in letters.KINDS}
        rows.append((month.key, periods.words(t, month), posted))
    return page(
        request, "publication/letters.html", 422 if problem else 200, months=rows, kinds=letters.KINDS, problem=problem
    )


def _enter(request: HttpRequest, unit: Unit, months: list[date]) -> str:
    """Keep the counts that were posted; what is wrong with them, "" for nothing. Empty fields stay as they were."""
    entered: dict[date, dict[str, int]] = {}
    for month in months:
        for kind in letters.KINDS:
            text = request.POST.get(f"{month:%Y-%m}.{kind}", "").strip()
            n = asking.number(text, letters.MOST)
            if text and n is None:
                return "letters.wrong"
            if n is not None:
                entered.setdefault(month, {})[kind] = n
    for month, counts in entered.items():
        letters.enter(unit, month, counts)
    note(request, "letters.entered", ", ".join(f"{month:%Y-%m}" for month in entered))
    say(request, "server.saved")
    return ""


@require_GET
@for_roles(*LEADERS)
@choosing.refuses_no_period
def bulletin(request: HttpRequest) -> HttpResponse:
    """The week in sentences, for the commune's loudspeakers; to be changed before it is copied."""
    user, now, t = person(request), clock.now(), texts(language_of(request))
    place = choosing.place(request, user)
    weeks = choosing.over(now.astimezone(LOCAL).date())[Kind.WEEK]
    period = choosing.period(request.GET.get("period", ""), weeks[0])
    sites = place.sites()
    office = next((found for found in offices_now(sites).values() if found), None)
    answers = Comment.objects.filter(site__in=sites, answered_at__date__range=(period.first, period.last))
    text = bulletin_text(
        t, content_of(place, period, now), period,
        list(answers.exclude(answer="").order_by("answered_at").values_list("answer", flat=True)),
        office.hotlines if office else (),
    )  # fmt: skip
    return page(
        request,
        "publication/bulletin.html",
        text=text,
        period=period,
        place=place,
        sites=list(Site.objects.filter(unit=place.unit).order_by("key")),
        weeks=[(week.key, periods.words(t, week)) for week in weeks],
        lines=text.count("\n") + len(text) // 90 + 3,
    )


def _unit(request: HttpRequest) -> Unit:
    unit = person(request).unit
    assert unit is not None  # leaders and administrators have one
    return unit
