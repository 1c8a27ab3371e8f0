"""The page of citizens' comments, for leaders and administrators."""

from datetime import date, timedelta

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from kiosk.public.form import clean
from kiosk.texts import LOCAL
from server import asking, clock
from server.accounts.access import for_roles, note, person
from server.accounts.models import User
from server.accounts.roles import LEADERS
from server.facts.models import Comment
from server.facts.texts import COMMENT_DAYS
from server.office.names import Names, names_of
from server.pages import page, say
from server.publication import comments, public, sheets
from server.publication.comments import Work, Wrong
from server.registry.models import Site
from server.words import language_of, texts

PER_PAGE = 50


@require_GET
@for_roles(*LEADERS)
def listing(request: HttpRequest) -> HttpResponse:
    """Comments by reception point, days and state. That they were read is noted."""
    asked = _Asked(request)
    shown = Paginator(asked.found(), PER_PAGE).get_page(request.GET.get("page"))
    rows = list(shown.object_list)
    if rows:
        note(request, "comment.read", asked.about(len(rows)))
    names = {site.pk: names_of(site) for site in asked.sites}
    return page(
        request,
        "publication/comments.html",
        asked=asked,
        rows=[_Row(row, names[row.site_id], asked.today) for row in rows],
        shown=shown,
        states=list(comments.STATES),
        most=comments.MOST_LETTERS,
        kept_days=COMMENT_DAYS,
    )


@require_GET
@for_roles(*LEADERS)
def sheet(request: HttpRequest) -> HttpResponse:
    """The same as CSV for a spreadsheet."""
    asked, t = _Asked(request), texts(language_of(request))
    rows = list(asked.found())
    note(request, "comment.read", f"CSV {asked.about(len(rows))}")
    names = {site.pk: names_of(site) for site in asked.sites}
    heads = ("day", "site", "counter", "clerk", "text", "handler", "result", "answer")
    lines = [[t(f"comments.{head}") for head in heads]]
    for row in rows:
        of = _Row(row, names[row.site_id], asked.today)
        where = (t.date(row.day), row.site.name, of.counter, of.clerk)
        lines.append([*where, row.text or t("comments.gone"), row.kept_by, row.result, row.answer])
    answer = HttpResponse(sheets.csv_of(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="gop-y-{asked.first}-{asked.last}.csv"'
    return answer


@require_POST
@for_roles(*LEADERS)
def change(request: HttpRequest, id: str) -> HttpResponse:
    """Keep a comment to be worked on, write its result, or its public line."""
    rows = comments.readable(person(request)).select_for_update(of=("self",))
    comment = get_object_or_404(rows, pk=asking.word(id))
    posted = request.POST
    handler = posted.get("handler", "") if posted.get("do") == "keep" else None
    try:
        done = comments.work(
            comment, Work(handler, _changed(request, "result"), _changed(request, "answer")), clock.now()
        )
    except Wrong as wrong:
        say(request, wrong.key, most=wrong.most)
        return HttpResponseRedirect(_back(request))
    if done:
        public.forget(comment.site)
    for what in done:
        note(request, f"comment.{what}", f"{comment.site.name}, {comment.day}: {id}")
    if handler is not None and "keep" not in done:
        say(request, "comments.kept_before", who=comment.kept_by)
    else:
        say(request, "server.saved" if done else "comments.same")
    return HttpResponseRedirect(_back(request))


def _changed(request: HttpRequest, name: str) -> str | None:
    """What somebody wrote into a box, None when it is as the page had it: somebody else may have written meanwhile."""
    now, before = request.POST.get(name), request.POST.get(f"{name}_was", "")
    return None if now is None or clean(now) == clean(before) else now


def _back(request: HttpRequest) -> str:
    query = request.GET.urlencode()
    return reverse("comments") + (f"?{query}" if query else "")


class _Asked:
    """Which comments somebody wants to see, by the address's query; what makes no sense is passed over."""

    def __init__(self, request: HttpRequest) -> None:
        self.user: User = person(request)
        self.today = clock.now().astimezone(LOCAL).date()
        self.all_sites = list(Site.objects.filter(unit__in=self.user.units()).order_by("name"))
        wanted = request.GET.get("site", "")
        self.site = next((site for site in self.all_sites if str(site.pk) == wanted), None)
        self.sites = [self.site] if self.site else self.all_sites
        self.first = asking.day(request.GET.get("from", "")) or self.today - timedelta(days=COMMENT_DAYS)
        self.last = asking.day(request.GET.get("to", "")) or self.today
        state = request.GET.get("state", "")
        self.state = state if state in comments.STATES else ""
        self.query = request.GET.urlencode()

    def found(self) -> "QuerySet[Comment]":
        return comments.listed(self.user, self.sites, (self.first, self.last), self.state)

    def about(self, n: int) -> str:
        """What was read, for the audit."""
        where = ", ".join(site.name for site in self.sites)[:200]
        return f"{n}: {where}, {self.first}–{self.last}"


class _Row:
    """A comment with the names that it is shown by. Its number, its hour and its level are nobody's business."""

    def __init__(self, comment: Comment, names: Names, today: date) -> None:
        self.of = comment
        self.counter = names.counter(comment.counter)
        self.clerk = names.clerk(comment.clerk)
        self.left = comments.days_left(comment, today)
        self.under_work = bool(comment.kept_by and not comment.result)
