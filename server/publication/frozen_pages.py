"""Pages of frozen periods and of how figures come about, for those who sign in."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kiosk.public.form import clean
from server import asking, clock, qr
from server.accounts.access import for_roles, note, person
from server.accounts.roles import FIGURES, LEADERS
from server.facts.settling import settled, settles
from server.pages import page, say
from server.publication import choosing, freezing
from server.publication.content import content_of
from server.publication.freezing import Already, NotOver
from server.publication.models import Frozen
from server.publication.of_reports import stamp
from server.publication.wording import differing, history, values_of
from server.registry.models import Site
from server.reports import figures, periods
from server.reports.periods import BadPeriod
from server.words import language_of, texts


@require_http_methods(["GET", "POST"])
@for_roles(*LEADERS)
def frozen(request: HttpRequest) -> HttpResponse:
    """The list of frozen periods, and the way to freeze another one."""
    if request.method == "POST":
        return _freeze(request)
    user, upto = person(request), settled(clock.now())
    rows = list(Frozen.objects.select_related("site", "unit").filter(unit__in=user.units()).order_by("-last", "-pk"))
    since = figures.begin(user.units())
    newest, t = freezing.newest(rows), texts(language_of(request))
    return page(
        request,
        "publication/frozen.html",
        rows=[(row, periods.words(t, freezing.period_of(row)), newest.get(row.pk, 0)) for row in rows],
        sites=list(Site.objects.filter(unit__in=user.units()).order_by("key")),
        offered={
            kind: [(period.key, periods.words(t, period)) for period in found]
            for kind, found in choosing.over(upto, since or date.max).items()
        },
        since=since,
        upto=upto,
        earliest=settles(since) if since else None,
    )


def _freeze(request: HttpRequest) -> HttpResponse:
    user, now, t = person(request), clock.now(), texts(language_of(request))
    if wrong := _unclear(request):
        return _refused(request, wrong)
    place = choosing.place(request, user)
    try:
        period = _posted_period(request)
        since = figures.begin([place.unit])
        if since is None or period.last < since:
            return _without_figures(request, since)
        made = freezing.freeze(place, period, clean(request.POST.get("title", ""))[:120], user.name, now)
    except Already as error:
        say(request, "frozen.already", ngay=t.date(error.frozen.revisions.get(number=0).at))
        return HttpResponseRedirect(reverse("frozen-period", args=[error.frozen.pk]))
    except NotOver as error:
        return _refused(request, "frozen.not_over", gio=t.clock(error.since), ngay=t.date(error.since))
    except BadPeriod as error:
        return _refused(request, error.key)
    note(request, "figures.frozen", f"{made.site.name if made.site else made.unit.name}, {period.key}", made.unit)
    return HttpResponseRedirect(reverse("frozen-period", args=[made.pk]))


def _without_figures(request: HttpRequest, since: date | None) -> HttpResponse:
    if since is None:
        return _refused(request, "frozen.nothing_yet")
    return _refused(request, "frozen.no_figures", ngay=texts(language_of(request)).date(since))


def _refused(request: HttpRequest, key: str, **values: object) -> HttpResponse:
    """Back to the list, with the sentence on why nothing was frozen."""
    say(request, key, **values)
    return HttpResponseRedirect(reverse("frozen"))


def _unclear(request: HttpRequest) -> str:
    """The sentence on what nobody may guess; "" when all is clear."""
    posted = request.POST
    if posted.get("period") and (posted.get("from") or posted.get("to")):
        return "frozen.both"
    return "" if posted.get("sure") else "frozen.not_sure"


def _posted_period(request: HttpRequest) -> periods.Period:
    posted = request.POST
    return periods.parse(posted.get("period") or f"{posted.get('from', '')}..{posted.get('to', '')}")


@require_GET
@for_roles(*LEADERS)
def frozen_period(request: HttpRequest, id: int) -> HttpResponse:
    """One frozen period with its revisions, what differs now, and the code that opens it for everybody."""
    row = _own(request, id)
    number, t = asking.number(request.GET.get("n", "")), texts(language_of(request))
    shown = freezing.shown(row, number)
    if shown is None:
        raise Http404("revision")
    revisions = freezing.revisions(row)
    after = freezing.differences(row, clock.now())
    address = freezing.address(row, shown.revision.number)
    return page(
        request,
        "publication/frozen-period.html",
        shown=shown,
        period=periods.words(t, freezing.period_of(row)),
        history=history(t, revisions),
        pending=differing(t, revisions[-1].content, after) if after else [],
        address=address,
        symbol=qr.svg(address),
        **values_of(shown.content),
    )


@require_POST
@for_roles(*LEADERS)
def adjust(request: HttpRequest, id: int) -> HttpResponse:
    """Write what differs now as the next revision."""
    row = _own(request, id)
    made = freezing.adjust(row, clock.now(), person(request).name, clean(request.POST.get("reason", ""))[:300])
    if made:
        note(request, "figures.adjusted", f"{row.period}: {made.number}", row.unit)
    say(request, "server.saved" if made else "frozen.same")
    return HttpResponseRedirect(reverse("frozen-period", args=[row.pk]))


@require_GET
@for_roles(*FIGURES)
@choosing.refuses_no_period
def explain(request: HttpRequest) -> HttpResponse:
    """How the figures of a place and period come about (giải trình số liệu); for printing too."""
    now, t = clock.now(), texts(language_of(request))
    place = choosing.place(request, person(request))
    period = choosing.period(request.GET.get("period", ""), choosing.last_month(settled(now)))
    content = content_of(place, period, now)
    return page(
        request,
        "publication/explain.html",
        **values_of(content),
        period=periods.words(t, period),
        stamp=stamp(place, period, lambda: content),
        at=now,
    )


def _own(request: HttpRequest, id: int) -> Frozen:
    return get_object_or_404(Frozen.objects.select_related("unit", "site"), pk=id, unit__in=person(request).units())
